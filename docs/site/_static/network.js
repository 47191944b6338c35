// A trained network in the page: the few layers that it is made of, on one picture at a time.
//
// A tensor is {h, w, c, data}, data a Float32Array in the order height, width, channel. A plan is a
// list of layers, each with the names of its inputs, as `live_vae.py` wrote it from the Keras model.
"use strict";

window.network = (function () {
  const tensor = (h, w, c, data) => ({ h, w, c, data: data || new Float32Array(h * w * c) });

  const ACTIVATIONS = {
    linear: (v) => v,
    relu: (v) => (v > 0 ? v : 0),
    silu: (v) => v / (1 + Math.exp(-v)),
  };

  // A 16-bit float from its bits.
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  function bytes(base64) {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  }

  function weights(base64) {
    const raw = bytes(base64), values = new Float32Array(raw.length / 2);
    for (let i = 0; i < values.length; i++) values[i] = half(raw[2 * i] | (raw[2 * i + 1] << 8));
    return values;
  }

  // `kernel` has the order of Keras: height, width, channels in, channels out.
  function conv(x, { size, strides, same, kernel, bias, filters, activation }) {
    const before = same ? Math.floor((size - 1) / 2) : 0;
    const h = same ? x.h : Math.floor((x.h - size) / strides) + 1;
    const w = same ? x.w : Math.floor((x.w - size) / strides) + 1;
    const y = tensor(h, w, filters), act = ACTIVATIONS[activation];
    for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) {
      const at = (row * w + column) * filters;
      for (let f = 0; f < filters; f++) y.data[at + f] = bias[f];
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
        const r = row * strides + i - before, s = column * strides + j - before;
        if (r < 0 || s < 0 || r >= x.h || s >= x.w) continue;
        for (let c = 0; c < x.c; c++) {
          const value = x.data[(r * x.w + s) * x.c + c], from = ((i * size + j) * x.c + c) * filters;
          for (let f = 0; f < filters; f++) y.data[at + f] += value * kernel[from + f];
        }
      }
      for (let f = 0; f < filters; f++) y.data[at + f] = act(y.data[at + f]);
    }
    return y;
  }

  const LAYERS = {
    rescale: ([x], { scale, offset }) =>
      tensor(x.h, x.w, x.c, x.data.map((v) => scale * v + offset)),
    conv: ([x], layer) => conv(x, layer),
    dense: ([x], layer) => // a convolution of one pixel that has all values as channels
      conv(tensor(1, 1, x.data.length, x.data), { ...layer, size: 1, strides: 1, same: false }),
    add: ([a, b]) => tensor(a.h, a.w, a.c, a.data.map((v, i) => v + b.data[i])),
    flatten: ([x]) => tensor(1, 1, x.data.length, x.data),
    reshape: ([x], { shape: [h, w, c] }) => tensor(h, w, c, x.data),
    // A 1×1 convolution, then its channels unfold into scale×scale pixels.
    up: ([x], layer) => {
      const wide = conv(x, { ...layer, size: 1, strides: 1, same: false });
      const n = layer.scale, c = wide.c / n ** 2, y = tensor(x.h * n, x.w * n, c);
      for (let row = 0; row < y.h; row++) for (let column = 0; column < y.w; column++) {
        const place = (Math.floor(row / n) * x.w + Math.floor(column / n)) * wide.c;
        const part = ((row % n) * n + (column % n)) * c;
        for (let k = 0; k < c; k++) y.data[(row * y.w + column) * c + k] = wide.data[place + part + k];
      }
      return y;
    },
  };

  // A function of {input name: tensor} that gives {name: tensor} of every layer.
  function build(plan, values) {
    const cut = ([start, length]) => values.subarray(start, start + length);
    const layers = plan.map((layer) => (layer.kernel
      ? { ...layer, kernel: cut(layer.kernel), bias: cut(layer.bias) } : layer));
    return (inputs) => {
      const found = { ...inputs };
      for (const layer of layers) {
        if (layer.kind !== "input") {
          found[layer.name] = LAYERS[layer.kind](layer.inputs.map((name) => found[name]), layer);
        }
      }
      return found;
    };
  }

  return { build, bytes, tensor, weights };
})();
