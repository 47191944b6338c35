// Two things. What the theme's pages lack for a reader without a mouse or a screen; and the page of
// latents, whose tiles were decoded beforehand and are chosen by sliders: no kernel, no library.
"use strict";

(function () {
  const data = () => JSON.parse(document.getElementById("latents-data").textContent);

  // Some boxes scroll sideways, such as long lines of code and wide tables. Whoever has no mouse
  // must be able to reach them.
  function reachScrolling() {
    const boxes = "pre, div.math, .pst-scrollable-table-container, .output.text_html, .cell_output > .output";
    for (const box of document.querySelectorAll(boxes)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls && box.tabIndex < 0 && getComputedStyle(box).overflowX !== "visible") box.tabIndex = 0;
    }
  }

  // Buttons of the theme without a name, or with another than the words on them.
  function nameButtons() {
    for (const summary of document.querySelectorAll("summary")) {
      const link = summary.parentElement.parentElement.querySelector("a");
      if (summary.textContent.trim()) summary.removeAttribute("aria-label");
      if (!summary.textContent.trim() && link) summary.setAttribute("aria-label", "Pages below " + link.textContent.trim());
    }
    for (const button of document.querySelectorAll(".search-button-field")) button.removeAttribute("aria-label");
  }

  function load(picture) {
    return new Promise((done, failed) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => failed(new Error("not found: " + picture));
      image.src = "_static/latents/" + picture + ".webp";
    });
  }

  function tile(canvas, sheet, side, column, row, x = 0, y = 0) {
    canvas.getContext("2d").drawImage(
      sheet, column * side, row * side, side, side, x * side, y * side, side, side);
  }

  const signed = (v) => (v < 0 ? "−" : v > 0 ? "+" : "") + Math.abs(v).toFixed(1);

  async function walk(box, note) {
    const [ends, sheet] = await Promise.all([load("pictures"), load("walk")]);
    const [picture, coordinate, place] = ["picture", "coordinate", "place"].map(
      (name) => box.querySelector(`[name=${name}]`));
    const [original, again, moved] = box.querySelectorAll("canvas");
    const [output, says] = [box.querySelector("output"), box.querySelector(".says")];
    const nearest = (value) => note.places.reduce(
      (best, p, i) => (Math.abs(p - value) < Math.abs(note.places[best] - value) ? i : best), 0);

    function draw() {
      const [p, c, at] = [Number(picture.value), Number(coordinate.value), Number(place.value)];
      tile(original, ends, note.side, 0, p);
      tile(again, ends, note.side, 1, p);
      tile(moved, sheet, note.side, at, p * note.kl.length + c);
      const value = signed(note.places[at]);
      output.textContent = value;
      place.setAttribute("aria-valuetext", value + " standard deviations");
      moved.setAttribute("aria-label", `Picture ${p + 1} decoded with coordinate ${c + 1} at ${value}`);
      says.textContent = `The encoder put coordinate ${c + 1} of this picture at ${signed(note.codes[p][c])}. ` +
        `Over held-out pictures the coordinate carries ${note.kl[c].toFixed(2)} nats on average.`;
    }
    // Another picture or coordinate starts where the encoder put it.
    function start() {
      place.value = nearest(note.codes[picture.value][coordinate.value]);
      draw();
    }
    picture.addEventListener("change", start);
    coordinate.addEventListener("change", start);
    place.addEventListener("input", draw);
    start();
  }

  async function draws(box, note) {
    const sheet = await load("samples");
    const [canvas, spread] = [box.querySelector("canvas"), box.querySelector("[name=spread]")];
    const [button, says] = [box.querySelector("button"), box.querySelector(".says")];
    const rows = note.samples / note.columns;
    const wide = canvas.width / note.side, high = canvas.height / note.side;
    let chosen = [...Array(wide * high).keys()];

    function draw() {
      const s = Number(spread.value);
      chosen.forEach((n, i) => tile(canvas, sheet, note.side, n % note.columns,
        s * rows + Math.floor(n / note.columns), i % wide, Math.floor(i / wide)));
      canvas.setAttribute("aria-label", `${chosen.length} pictures decoded from random hidden numbers ` +
        `with a standard deviation of ${note.spreads[s]}`);
    }
    function again() {
      const left = [...Array(note.samples).keys()];
      chosen = chosen.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
      draw();
      says.textContent = `${chosen.length} other pictures are drawn.`;
    }
    button.addEventListener("click", again);
    spread.addEventListener("change", draw);
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const [first, second] = [document.getElementById("walk"), document.getElementById("draws")];
    if (first) walk(first, data());
    if (second) draws(second, data());
    nameButtons();
    reachScrolling();
    window.addEventListener("resize", reachScrolling);
  });
  // Formulas have their width only once they are typeset.
  window.addEventListener("load", () => {
    const typeset = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    if (typeset) typeset.then(reachScrolling); else reachScrolling();
  });
})();
