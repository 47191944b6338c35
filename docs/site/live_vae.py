"""Write what the page "Try a trained VAE" runs: a kept VAE, a head for segments, and pictures.

    python docs/site/live_vae.py        # some minutes; writes docs/site/_static/latents/

The files are stored with the project, because a build of the site runs no training. `vae.js` holds
the layers and 16-bit weights of encoder, decoder and head, held-out pictures, latents, and the
mixture of Gaussians of notebook 00; `expected.json` what Keras answers to these pictures, for a
test in a browser; `note.json` says which VAE it was and how good the head is.
"""

import base64
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent / "_static" / "latents"
MAX_BYTES = 3 * 2**20  # of all that the page loads of its own
SETTINGS = {"weights": "vae-shapes32", "held_out": 500, "learn": 20000, "parts": 60, "seed": 0}
HEAD = {"pictures": 4000, "steps": 4000, "batch_size": 64, "learning_rate": 2e-3}
PICTURES, CHECKED = 6, 2  # held-out pictures to choose from, and those that a test compares
CLOUD = 300  # latents of held-out pictures, for the plane


def plan_of(model, start=0):
    """The layers of a functional model as JSON values, and their weights.

    Args:
        model: of the kinds of layers that `network.js` has, each used once.
        start: where the weights will start in the file.

    Returns:
        (plan, arrays): a list of dictionaries, and flat float32 arrays in their order.

    Raises:
        TypeError: If a layer is of no such kind.
    """
    from keras import layers

    from helpers.layers import DepthToSpaceUp

    made, plan, arrays = {}, [], []

    def placed(layer):
        found = {}
        for name, value in (("kernel", layer.kernel), ("bias", layer.bias)):
            flat = np.asarray(value, "float32").ravel()
            found[name] = [start + sum(a.size for a in arrays), flat.size]
            arrays.append(flat)
        return found

    for layer in model.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        about = {"name": layer.name, "inputs": [made[id(x)] for x in inputs if id(x) in made]}
        if isinstance(layer, layers.InputLayer):
            about["kind"] = "input"
        elif isinstance(layer, layers.Rescaling):
            about |= {"kind": "rescale", "scale": layer.scale, "offset": layer.offset}
        elif isinstance(layer, DepthToSpaceUp):
            about |= {
                "kind": "up",
                "scale": layer.scale,
                **_shape(layer.conv),
                **placed(layer.conv),
            }
        elif isinstance(layer, layers.Conv2D):
            ((size, _), (strides, _)) = layer.kernel_size, layer.strides
            about |= {"kind": "conv", "size": size, "strides": strides}
            about |= {"same": layer.padding == "same", **_shape(layer), **placed(layer)}
        elif isinstance(layer, layers.Dense):
            about |= {"kind": "dense", "filters": layer.units, **placed(layer)}
            about["activation"] = layer.activation.__name__
        elif isinstance(layer, layers.Add):
            about["kind"] = "add"
        elif isinstance(layer, layers.Flatten):
            about["kind"] = "flatten"
        elif isinstance(layer, layers.Reshape):
            about |= {"kind": "reshape", "shape": list(layer.target_shape)}
        else:
            raise TypeError(f"network.js has no layer of this kind: {type(layer).__name__}")
        made[id(layer.output)] = layer.name
        plan.append(about)
    return plan, arrays


def _shape(conv):
    return {"filters": conv.filters, "activation": conv.activation.__name__}


def head_on(features, num_classes):
    """A head for segments on features of the decoder: a 3×3 convolution, and a way up."""
    import keras

    from helpers.layers import DepthToSpaceUp, residual_conv

    x = keras.Input(features.shape[1:])
    h = residual_conv(x, x.shape[-1])
    scale = 32 // x.shape[1]
    return keras.Model(x, DepthToSpaceUp(num_classes, scale, activation=None)(h), name="head")


def trained_head(vae, inner, options, settings):
    """A head for the classes of `shapes`, and its mean IoU on held-out pictures."""
    import keras

    from helpers import data, metrics
    from helpers.segmentation import PixelCrossEntropy

    def known(split, limit):
        shown = data.load("shapes", split, limit=limit, **options)
        codes = vae.encoder.predict(data.to_float(shown.images), verbose=0)[0]
        return inner.predict(codes, verbose=0), shown

    features, shown = known("train", settings["pictures"])
    classes = len(shown.class_names)
    keras.utils.set_random_seed(0)
    head = head_on(features, classes)
    rate = keras.optimizers.schedules.CosineDecay(settings["learning_rate"], settings["steps"])
    head.compile(keras.optimizers.Adam(rate), PixelCrossEntropy(classes))
    epochs = max(1, settings["steps"] * settings["batch_size"] // len(features))
    head.fit(features, shown.masks, settings["batch_size"], epochs, verbose=0)
    for weight in head.weights:  # as they will be stored
        weight.assign(np.asarray(weight).astype("float16").astype("float32"))
    features, held_out = known("val", 500)
    answers = head.predict(features, verbose=0).argmax(axis=-1)
    ious = metrics.mean_iou_by_image(held_out.masks, answers, classes)
    return head, shown.class_names, metrics.confidence_interval(ious)


def write(folder=FOLDER, head=HEAD, **changes):
    """Train the head, fit the mixture, and write the files; returns their bytes in all."""
    import keras
    from keras import ops

    from helpers import data, losses, pretrained
    from helpers.generative.mixture_prior import fitted_mixture
    from helpers.runs.provenance import provenance

    settings = {**SETTINGS, **changes}
    vae, about = pretrained.load(settings["weights"])
    if vae is None:
        name = settings["weights"]
        raise SystemExit(f"data/weights/{name}.npz is missing: make weights NAME={name}")
    options = about["parameters"]["pictures"]
    held_out = data.load("shapes", "val", limit=settings["held_out"], **options).images
    shown = data.to_float(held_out)
    last_up = vae.decoder.layers[-2]  # the last layer but one puts pixels back to [0, 1]
    inner = keras.Model(vae.decoder.input, last_up.input)
    segments, class_names, score = trained_head(vae, inner, options, head)
    learn = data.load("shapes", "train", limit=settings["learn"], **options).images
    mixture = fitted_mixture(vae, data.to_float(learn), settings["parts"], settings["seed"])

    plans, arrays = {}, []
    for name, model in (("encoder", vae.encoder), ("decoder", vae.decoder), ("head", segments)):
        plan, more = plan_of(model, sum(a.size for a in arrays))
        plans[name] = {"plan": plan, "input": plan[0]["name"]}
        arrays += more
    plans["encoder"]["outputs"] = ["mean", "log_variance"]
    plans["decoder"]["outputs"] = [vae.decoder.layers[-1].name]
    plans["decoder"]["features"] = plans["decoder"]["plan"][-2]["inputs"][0]
    plans["head"]["outputs"] = [segments.layers[-1].name]

    mean, log_variance = map(ops.convert_to_numpy, vae.encode(shown))
    kl = ops.convert_to_numpy(losses.gaussian_kl_elementwise(mean, log_variance)).mean(axis=0)
    packed = np.concatenate(arrays).astype("<f2")
    cholesky = np.linalg.cholesky(mixture.covariances_)
    vae_js = {
        "side": shown.shape[1],
        "networks": plans,
        "weights": _base64(packed.tobytes()),
        "pictures": [_base64(picture.tobytes()) for picture in held_out[:PICTURES]],
        "order": np.argsort(-kl).tolist(),
        "cloud": mean[:CLOUD].round(2).tolist(),
        "class_names": list(class_names),
        "mixture": {
            "weights": mixture.weights_.round(5).tolist(),
            "means": mixture.means_.round(3).tolist(),
            "cholesky": cholesky.round(3).tolist(),
        },
    }
    note = {
        "side": shown.shape[1],
        "latent": vae.latent_shape[0],
        "kl_all": round(float(kl.sum()), 2),
        "kl_most": round(float(kl.max()), 2),
        "kl_least": round(float(kl.min()), 2),
        "steps": about["steps"],
        "batch_size": about["parameters"]["batch_size"],
        "head_iou": [round(float(value), 3) for value in score],
        "parts": settings["parts"],
        "settings": {**settings, "head": head},
        "run": provenance(),
    }
    codes = ops.convert_to_numpy(vae.encode(shown[:PICTURES])[0])
    expected = {
        "mean": codes,
        "log_variance": log_variance[:PICTURES],
        "decoded": vae.decoder.predict(codes, verbose=0),
        "logits": segments.predict(inner.predict(codes, verbose=0), verbose=0),
    }
    expected = {
        k: np.round(v.reshape(PICTURES, -1)[:CHECKED], 4).tolist() for k, v in expected.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(vae_js, separators=(",", ":"))
    (folder / "vae.js").write_text(f"window.VAE = {text};\n", encoding="utf-8")
    (folder / "expected.json").write_text(
        json.dumps(expected, separators=(",", ":")) + "\n", "utf-8"
    )
    (folder / "note.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    return (folder / "vae.js").stat().st_size


def _base64(raw):
    return base64.b64encode(raw).decode("ascii")


if __name__ == "__main__":
    total = write()
    print(f"{total / 1024:.0f} KB in {FOLDER / 'vae.js'}")
    if total > MAX_BYTES:
        raise SystemExit(f"{MAX_BYTES / 1024:.0f} KB at most")
