// The page of latents: encoder, decoder and a head for segments run here, by network.js, with the
// weights of latents/vae.js; drawing.js changes the picture. Nothing is asked of another machine.
"use strict";

(function () {
  const LIMIT = 4; // of a latent, in standard deviations of the prior
  const COLOURS = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167]]; // of the classes

  const signed = (v) => (v < -0.004 ? "−" : v > 0.004 ? "+" : "") + Math.abs(v).toFixed(2);
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

  // Two draws from N(0, 1), by Box and Muller.
  function normal() {
    return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  }

  // Encoder, decoder and head as functions of plain arrays.
  function model(stored) {
    const { build, tensor, weights } = window.network, values = weights(stored.weights);
    const made = Object.fromEntries(Object.entries(stored.networks).map(
      ([name, about]) => [name, { ...about, run: build(about.plan, values) }]));
    const { encoder, decoder, head } = made, side = stored.side;
    return {
      encode(pixels) {
        const found = encoder.run({ [encoder.input]: tensor(side, side, 3, pixels) });
        return encoder.outputs.map((name) => found[name].data);
      },
      decode(z) {
        const found = decoder.run({ [decoder.input]: tensor(1, 1, z.length, Float32Array.from(z)) });
        return { pixels: found[decoder.outputs[0]].data, features: found[decoder.features] };
      },
      segment(features) {
        return head.run({ [head.input]: features })[head.outputs[0]].data;
      },
      kl: (mean, log_variance) => Array.from(mean, (m, k) =>
        -0.5 * (1 + log_variance[k] - m * m - Math.exp(log_variance[k]))),
    };
  }

  // From the mixture of Gaussians, or from N(0, spread²).
  function draw(stored, spread) {
    const noise = stored.cloud[0].map(normal);
    if (spread) return noise.map((v) => spread * v);
    let part = 0, left = Math.random();
    while (part < stored.mixture.weights.length - 1 && (left -= stored.mixture.weights[part]) > 0) part++;
    const [mean, rows] = [stored.mixture.means[part], stored.mixture.cholesky[part]];
    return mean.map((m, k) => m + rows[k].reduce((sum, v, i) => sum + v * noise[i], 0));
  }

  function paint(canvas, pixels, colour) {
    const image = new ImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++) {
      const rgb = colour ? colour(i) : [0, 1, 2].map((c) => 255 * pixels[3 * i + c]);
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(clamp(rgb[c], 0, 255));
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function classOf(logits, i, count) {
    let best = 0;
    for (let c = 1; c < count; c++) if (logits[i * count + c] > logits[i * count + best]) best = c;
    return best;
  }

  function start(box, stored) {
    const vae = model(stored), side = stored.side, find = (name) => box.querySelector(`[name=${name}]`);
    const canvases = Object.fromEntries([...box.querySelectorAll("canvas[data-shows]")].map(
      (canvas) => [canvas.dataset.shows, canvas]));
    const says = box.querySelector(".says"), table = box.querySelector(".coordinates");
    const latents = stored.order.length, across = find("across"), down = find("down");
    let pixels, undrawn, mean, nats, z, cursor = [side / 2, side / 2];

    const sliders = stored.order.map((k, i) => {
      const label = document.createElement("label");
      label.innerHTML = `<span>z<sub>${i + 1}</sub> <output></output></span>` +
        `<input type="range" min="${-LIMIT}" max="${LIMIT}" step="0.05" name="z${i + 1}"><meter min="0" max="12"></meter><small></small>`;
      const slider = label.querySelector("input");
      slider.addEventListener("input", () => { z[k] = Number(slider.value); decode(); });
      table.append(label);
      return { k, label, slider };
    });
    for (const select of [across, down]) {
      for (let i = 0; i < latents; i++) select.add(new Option(`z${i + 1}`, i));
      select.addEventListener("change", drawPlane);
    }
    down.value = 1;

    function decode() {
      const { pixels: again, features } = vae.decode(z), logits = vae.segment(features);
      const count = stored.class_names.length, seen = new Set();
      paint(canvases.again, again);
      paint(canvases.segments, null, (i) => {
        const best = classOf(logits, i, count);
        if (best) seen.add(stored.class_names[best]);
        return COLOURS[best];
      });
      canvases.segments.setAttribute("aria-label", "Segments: " + ([...seen].join(", ") || "ground alone"));
      for (const { k, label, slider } of sliders) {
        slider.value = z[k];
        slider.setAttribute("aria-valuetext", `${signed(z[k])}, of a standard deviation of 1`);
        label.querySelector("output").textContent = signed(z[k]);
      }
      drawPlane();
    }

    // The picture has changed: encode it, and show where its latent lies.
    function encode() {
      let log_variance;
      [mean, log_variance] = vae.encode(pixels);
      nats = vae.kl(mean, log_variance);
      for (const { k, label } of sliders) {
        label.querySelector("meter").value = nats[k];
        label.querySelector("small").textContent = `${nats[k].toFixed(2)} nats`;
      }
      paint(canvases.picture, pixels);
      reset();
      const total = nats.reduce((a, b) => a + b, 0);
      says.textContent = `The encoder spends ${total.toFixed(1)} nats on this picture. ` +
        `The most, ${Math.max(...nats).toFixed(2)}, go to one of its ${latents} latents.`;
    }

    function reset() { z = Array.from(mean); decode(); }

    function begin(picture) { undrawn = picture; pixels = picture.slice(); encode(); }

    function choose() {
      const chosen = find("picture").value;
      if (chosen === "plain") begin(new Float32Array(side * side * 3).fill(0.5));
      else begin(Float32Array.from(window.network.bytes(stored.pictures[chosen]), (v) => v / 255));
    }

    // What is drawn with: its radius and colour. The brush and the shapes have a radius each.
    const tool = find("tool"), radius = find("radius"), radii = {};
    const isBrush = () => tool.value === "brush";
    function brush() {
      const hex = find("colour").value;
      const colour = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
      return { radius: Number(radius.value), colour };
    }
    function take() { radius.value = radii[isBrush()] || (isBrush() ? 2 : 7); }
    function put(point) {
      if (isBrush()) window.drawing.stroke(pixels, side, brush(), point);
      else window.drawing.stamp(pixels, side, tool.value, brush(), point);
      encode();
    }

    // A stroke lasts from the press to the release. However often the pointer moves, the networks
    // run once a frame.
    let stroke = null, frame = 0;
    function finish() { cancelAnimationFrame(frame); frame = 0; encode(); }
    function lead(event) {
      const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const one of moves.length ? moves : [event]) {
        cursor = place(picture, one).map((v) => v * side);
        stroke(cursor);
      }
      frame = frame || requestAnimationFrame(finish);
    }

    // A file chosen or dropped, or null where what was dropped is none.
    async function own(file) {
      let bitmap;
      try { bitmap = await createImageBitmap(file); } catch {
        const what = !file ? "What was dropped is no file, so it is" : `“${file.name}” is`;
        says.textContent = (file && file.type.startsWith("image/")
          ? `The browser cannot read “${file.name}” as a picture.` : `${what} no picture.`) +
          " Take a picture file, such as PNG or JPEG. Nothing has changed.";
        return;
      }
      const small = Object.assign(document.createElement("canvas"), { width: side, height: side });
      const context = small.getContext("2d"), edge = Math.min(bitmap.width, bitmap.height);
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, (bitmap.width - edge) / 2, (bitmap.height - edge) / 2, edge, edge, 0, 0, side, side);
      const raw = context.getImageData(0, 0, side, side).data;
      begin(Float32Array.from({ length: side * side * 3 }, (_, i) => raw[4 * Math.floor(i / 3) + (i % 3)] / 255));
    }

    // The plane of two latents: a cloud of held-out pictures, the prior's circles, and the point.
    function drawPlane() {
      const canvas = canvases.plane, context = canvas.getContext("2d"), size = canvas.width;
      const [a, b] = [across, down].map((select) => stored.order[select.value]);
      const at = (v) => size / 2 + (v * size) / (2 * LIMIT);
      context.fillStyle = "#fff"; context.fillRect(0, 0, size, size);
      context.strokeStyle = "#bbb";
      for (const radius of [1, 2]) {
        context.beginPath(); context.arc(at(0), at(0), (radius * size) / (2 * LIMIT), 0, 7); context.stroke();
      }
      context.fillStyle = "#8ab";
      for (const one of stored.cloud) context.fillRect(at(one[a]) - 1, at(-one[b]) - 1, 2, 2);
      context.fillStyle = "#c40000";
      context.beginPath(); context.arc(at(z[a]), at(-z[b]), 6, 0, 7); context.fill();
      canvas.setAttribute("aria-valuetext",
        `z${Number(across.value) + 1} ${signed(z[a])}, z${Number(down.value) + 1} ${signed(z[b])}`);
    }
    function moveTo(u, v) {
      z[stored.order[across.value]] = clamp(u, -LIMIT, LIMIT);
      z[stored.order[down.value]] = clamp(v, -LIMIT, LIMIT);
      decode();
    }

    const place = (canvas, event) => {
      const frame = canvas.getBoundingClientRect();
      return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
    };
    const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { plane, picture } = canvases;
    for (const kind of ["pointerdown", "pointermove"]) {
      plane.addEventListener(kind, (event) => {
        if (!event.buttons) return;
        plane.setPointerCapture(event.pointerId);
        const [x, y] = place(plane, event);
        moveTo((2 * x - 1) * LIMIT, (1 - 2 * y) * LIMIT);
      });
    }
    plane.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      moveTo(z[stored.order[across.value]] + 0.1 * step[0], z[stored.order[down.value]] - 0.1 * step[1]);
    });
    picture.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary) return;
      cursor = place(picture, event).map((v) => v * side);
      if (!isBrush()) { put(cursor); return; }
      picture.setPointerCapture(event.pointerId);
      stroke = window.drawing.stroke(pixels, side, brush(), cursor);
      frame = frame || requestAnimationFrame(finish);
    });
    picture.addEventListener("pointermove", (event) => { if (stroke && event.isPrimary) lead(event); });
    for (const kind of ["pointerup", "pointercancel"]) {
      picture.addEventListener(kind, (event) => {
        if (!stroke || !event.isPrimary) return;
        stroke = null;
        cursor = cursor.map((v) => clamp(v, 0, side));
        finish();
      });
    }
    picture.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step) {
        event.preventDefault();
        const from = cursor;
        cursor = cursor.map((v, i) => clamp(v + step[i], 0, side));
        if (event.shiftKey && isBrush()) {
          window.drawing.stroke(pixels, side, brush(), from)(cursor);
          encode();
        }
        says.textContent = `The brush is at column ${cursor[0].toFixed(0)}, row ${cursor[1].toFixed(0)} of ${side}.`;
      } else if (event.key === " " || event.key === "Enter") { event.preventDefault(); put(cursor); }
    });
    tool.addEventListener("change", take);
    radius.addEventListener("input", () => { radii[isBrush()] = radius.value; });
    find("undo").addEventListener("click", () => begin(undrawn));

    // A file may be dropped anywhere in the box.
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      box.addEventListener(kind, (event) => {
        const leaves = kind === "dragleave" && !box.contains(event.relatedTarget);
        box.classList.toggle("dropping", kind !== "drop" && !leaves);
        event.preventDefault();
        if (kind === "drop") own(event.dataTransfer.files[0] || null);
      });
    }
    find("own").addEventListener("change", (event) => { if (event.target.files.length) own(event.target.files[0]); });
    find("picture").addEventListener("change", choose);
    find("reset").addEventListener("click", reset);

    const draws = document.querySelectorAll("#draws .tile"), source = document.querySelector("#draws [name=source]");
    const drawn = [];
    function again() {
      draws.forEach((button, i) => {
        drawn[i] = draw(stored, Number(source.value));
        paint(button.querySelector("canvas"), vae.decode(drawn[i]).pixels);
      });
      document.querySelector("#draws .says").textContent = `${draws.length} new pictures, ${source.selectedOptions[0].text}.`;
    }
    draws.forEach((button, i) => button.addEventListener("click", () => {
      z = Array.from(drawn[i], (v) => clamp(v, -LIMIT, LIMIT));
      decode();
      says.textContent = `The sliders are at draw ${i + 1}. The picture at the left is another one.`;
    }));
    source.addEventListener("change", again);
    document.querySelector("#draws [name=again]").addEventListener("click", again);
    take();
    choose();
    again();
  }

  window.latents = { model };
  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("live");
    if (box && window.VAE) start(box, window.VAE);
  });
})();
