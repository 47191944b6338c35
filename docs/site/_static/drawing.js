// Drawing on a small picture: a shape put in at once, or the stroke of a round brush.
//
// A picture is a Float32Array of side×side×3 values in [0, 1]; drawing changes it in place. Edges
// are smooth: a pixel takes as much of the colour as the share of it that is covered.
"use strict";

window.drawing = (function () {
  const POINTS = 4; // across and down, in a pixel

  const SHAPES = {
    disc: (u, v) => u * u + v * v <= 1,
    square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) <= 0.89,
    triangle: (u, v) => v <= 0.75 && v >= 1.73 * Math.abs(u) - 1,
  };

  // Cover what lies `inside` a box [left, top, right, bottom]; what is covered already stays so.
  function cover(shares, side, [left, top, right, bottom], inside) {
    const from = (v) => Math.max(0, Math.floor(v)), to = (v) => Math.min(side, Math.ceil(v));
    for (let row = from(top); row < to(bottom); row++) {
      for (let column = from(left); column < to(right); column++) {
        let count = 0;
        for (let i = 0; i < POINTS ** 2; i++) {
          const x = column + ((i % POINTS) + 0.5) / POINTS;
          const y = row + (Math.floor(i / POINTS) + 0.5) / POINTS;
          count += inside(x, y);
        }
        const at = row * side + column;
        shares[at] = Math.max(shares[at], count / POINTS ** 2);
      }
    }
  }

  function mix(pixels, ground, shares, colour) {
    for (let i = 0; i < pixels.length; i++) {
      const share = shares[Math.floor(i / 3)];
      pixels[i] = (1 - share) * ground[i] + share * colour[i % 3];
    }
  }

  // A disc, square or triangle around a point.
  function stamp(pixels, side, kind, { radius, colour }, [x, y]) {
    const shares = new Float32Array(side * side);
    const box = [x - radius, y - radius, x + radius, y + radius];
    cover(shares, side, box, (u, v) => SHAPES[kind]((u - x) / radius, (v - y) / radius));
    mix(pixels, pixels.slice(), shares, colour);
  }

  // A stroke that begins with a dot at a point; the function that is given back leads it on to the
  // next. Where it crosses itself its edge stays as smooth as it was.
  function stroke(pixels, side, { radius, colour }, point) {
    const ground = pixels.slice(), shares = new Float32Array(side * side);
    let [x, y] = point;
    function lead([toX, toY]) {
      const [dx, dy, fromX, fromY] = [toX - x, toY - y, x, y], length = dx * dx + dy * dy;
      const box = [Math.min(x, toX) - radius, Math.min(y, toY) - radius,
        Math.max(x, toX) + radius, Math.max(y, toY) + radius];
      cover(shares, side, box, (u, v) => { // no further than the radius from the way
        const along = length ? ((u - fromX) * dx + (v - fromY) * dy) / length : 0;
        const part = Math.min(1, Math.max(0, along));
        return (u - fromX - part * dx) ** 2 + (v - fromY - part * dy) ** 2 <= radius ** 2;
      });
      [x, y] = [toX, toY];
      mix(pixels, ground, shares, colour);
    }
    lead(point);
    return lead;
  }

  return { stamp, stroke };
})();
