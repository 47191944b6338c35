// What the theme's pages lack for a reader without a mouse or a screen.
"use strict";

(function () {
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

  // The site's name stands in the menu, outside of all landmarks, since the theme's head is empty.
  function markHead() {
    const name = document.querySelector(".bd-sidebar-primary .navbar-brand");
    if (name) name.parentElement.setAttribute("role", "banner");
  }

  document.addEventListener("DOMContentLoaded", () => {
    markHead();
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
