"""Heads that learn from few masks: which pictures they get, in which order, and their training.

Used by the studies of `benchmarks/` that ask what features are worth when masks are few.
"""

import keras
import numpy as np

from helpers import backend, pyramids


def train_head(model, x, masks, budget, run, learning_rate=0.01, steps=300, batch_size=16):
    """Train a classifier of pixels on the masks of `budget` pictures, drawn by `run`.

    The pictures come in a new order in each pass. The learning rate falls to zero like half a
    cosine wave.

    Args:
        model: takes what `x` holds, gives logits `(B, H, W, classes)`.
        x: pictures `(N, H, W, C)`, numbers in [0, 1], or codes of them; or a list of such arrays.
        masks: integer labels `(N, H, W)`.
        budget: how many of them are used, at most N.
        run: seed of the choice and of the orders. First weights are the caller's.
        learning_rate: of the first step, by Adam.
        steps: of the training.
        batch_size: pictures in a step.

    Raises:
        ValueError: If `budget` is not between 1 and N.
    """
    if not 1 <= budget <= len(masks):
        raise ValueError(f"`budget` must lie between 1 and {len(masks)}. Received: {budget}")
    rng, count = np.random.default_rng(run), batch_size * steps
    some = rng.permutation(len(masks))[:budget]
    order = np.concatenate([rng.permutation(some) for _ in range(count // budget + 1)])[:count]
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = backend.compile_options(planned=steps)
    model.compile(keras.optimizers.Adam(falling), loss, **options)
    ordered = keras.tree.map_structure(lambda array: array[order], x)
    model.fit(ordered, masks[order], batch_size=batch_size, shuffle=False, verbose=0)


def features(encoder, decoder, reading, scale_on=None):
    """Features of a VAE of `pyramids.pyramid_networks` for `pyramids.segmentation_head`.

    Args:
        encoder, decoder: the two networks.
        reading: "encoder" or "decoder" for all of its levels, "both" for all levels of both,
            "latent" for the mean of the latent, "decoder 1" for one level.
        scale_on: pictures `(N, H, W, C)`, or None. With them each of the features is divided by
            its standard deviation there, as it is now: for networks that are not trained further.

    Returns:
        List of symbolic tensors `(B, h, w, c)`, finest first.

    Raises:
        ValueError: If there is no such reading.
    """
    mean = encoder.outputs[0]
    of_encoder = pyramids.levels(encoder)
    of_decoder = keras.Model(decoder.input, pyramids.levels(decoder))(mean)
    readings = {
        "encoder": of_encoder,
        "decoder": of_decoder,
        "both": [level for pair in zip(of_encoder, of_decoder) for level in pair],
        "latent": [mean],
        "decoder 1": [of_decoder[1]],
    }
    if reading not in readings:
        raise ValueError(f"`reading` is one of {list(readings)}. Received: {reading!r}")
    found = readings[reading]
    if scale_on is None:
        return found
    values = keras.Model(encoder.input, found).predict(scale_on, verbose=0)
    values = values if isinstance(values, list) else [values]
    spreads = [float(np.std(level)) for level in values]
    return [keras.layers.Rescaling(1 / max(s, 1e-6))(level) for s, level in zip(spreads, found)]
