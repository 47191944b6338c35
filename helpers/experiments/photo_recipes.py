"""Recipes for networks on photographs: network, loss, crops and optimiser, as JSON values.

A recipe of `RECIPES` is a long training from scratch, chosen on the val split of its set; one of
`OWN` is a training of minutes, for pictures of one's own.
"""

import keras

from helpers import data, pretrained, training
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy, class_weights

EDGE_NETWORK = {
    "task": "edges",
    "builder": "edge_network",
    "arguments": {},
    "outputs": {"sides": True},  # of the network in training only
    "shares": [1.0, 0.5, 0.5, 0.5, 0.5],  # of the outputs in the loss
    "crops": {"turn": True, "light": 0.2, "share": True, "scale": 1.5},
    "positive": 0.3,  # smallest share of annotators that makes an edge
    "steps_per_epoch": 100,  # after each epoch the state is kept
    "learning_rate": 0.002,
    "seed": 0,
    "views": {"scales": [0.5, 1.0, 1.5]},  # of the score from several views
}
SEGMENTER = {
    "task": "segments",
    "builder": "segmenter",
    "outputs": {"auxiliary": True},
    "shares": [1.0, 0.4],
    "steps_per_epoch": 100,
    "learning_rate": 0.003,
    "seed": 0,
}
RECIPES = {
    "bsds500": {**EDGE_NETWORK, "crop": [256, 256], "batch_size": 8, "epochs": 160},
    "camvid": {
        **SEGMENTER,
        "arguments": {"num_classes": 11},
        "crop": [224, 288],
        "crops": {"light": 0.3, "colour": 0.25, "scale": 1.6},
        "balance": 0.5,  # a class counts by its share of the pixels to the power of minus this
        "batch_size": 10,
        "epochs": 180,
        "views": {"scales": [0.75, 1.0, 1.25], "mirror": True},
    },
    "pets": {
        **SEGMENTER,
        "arguments": {"num_classes": 3, "widths": [16, 32, 64]},
        "size": [256, 256],  # all photographs are brought to it, and scored at it
        "crop": [192, 192],
        "crops": {"light": 0.3, "colour": 0.3, "scale": 1.6},
        "balance": 0.0,
        "batch_size": 12,
        "epochs": 80,
        "views": {"mirror": True},
    },
}
OWN = {
    "edges": {**EDGE_NETWORK, "batch_size": 8, "epochs": 40, "steps_per_epoch": 25},
    "segments": {
        **SEGMENTER,
        "crops": {"light": 0.3, "colour": 0.3, "scale": 1.6},
        "balance": 0.5,
        "batch_size": 8,
        "epochs": 40,
        "steps_per_epoch": 25,
    },
}
OWN_WIDTHS = [16, 32, 64]  # of a segmenter for one's own pictures
DECAY = {"weight_decay": 0.02, "exclude": ["bias", "gamma", "beta"]}


def own(task, num_classes, crop, **changes):
    """A recipe for pictures of one's own.

    Args:
        task: "segments" or "edges".
        num_classes: of segments.
        crop: (height, width) of the crops in pixels.
        **changes: other entries, such as `epochs`.

    Examples:
        >>> from helpers.experiments import photo_recipes
        >>> photo_recipes.own("segments", 2, [64, 64], epochs=3)["arguments"]
        {'num_classes': 2, 'widths': [16, 32, 64]}
    """
    recipe = {**OWN[task], "crop": list(crop), **changes}
    if task == "segments":
        recipe["arguments"] = {"num_classes": int(num_classes), "widths": OWN_WIDTHS}
    return recipe


def networks(recipe):
    """The network in training and the one that is used, of the same layers.

    Returns:
        (model, network): `model` has further outputs, for losses of their own; `network` maps
        `(B, H, W, 3)` in [0, 1] to logits `(B, H, W, classes)`.
    """
    keras.utils.set_random_seed(recipe["seed"])
    model = pretrained.build(recipe["builder"], {**recipe["arguments"], **recipe["outputs"]})
    return model, keras.Model(model.input, model.outputs[0], name=model.name)


def compile_model(model, recipe, loss):
    """Give the model its optimiser, and the loss on each of its outputs."""
    steps = recipe["epochs"] * recipe["steps_per_epoch"]
    rate = training.rise_and_fall(recipe["learning_rate"], steps, min(500, 1 + steps // 10))
    # XLA makes these convolutions two to ten times slower on a CPU with TensorFlow; JAX needs it.
    xla = keras.backend.backend() == "jax"
    losses = [loss] * len(model.outputs)
    model.compile(optimizer(rate), losses, loss_weights=recipe["shares"], jit_compile=xla)


def optimizer(learning_rate):
    """AdamW with a learning rate, a number or a schedule."""
    decay = DECAY["weight_decay"]
    adam = keras.optimizers.AdamW(learning_rate, weight_decay=decay, global_clipnorm=1.0)
    adam.exclude_from_weight_decay(var_names=DECAY["exclude"])
    return adam


def loss_of(recipe, known):
    """The loss of one output, a Keras loss that takes logits.

    Args:
        recipe: see `RECIPES`.
        known: list of `data.Dataset`, whose masks tell how rare a class is.
    """
    if recipe["task"] == "edges":
        return EdgeCrossEntropy(balanced=True, positive=recipe["positive"])
    classes, void = recipe["arguments"]["num_classes"], known[0].ignore_class
    masks = [mask for part in known for mask in part.masks]
    return PixelCrossEntropy(classes, void, class_weights(masks, classes, void, recipe["balance"]))


def crops_of(recipe, known):
    """Random crops of all photographs that are as large as a crop: a `data.Crops`.

    Args:
        recipe: see `RECIPES`.
        known: list of `data.Dataset` with masks or edges.
    """
    name = "edges" if recipe["task"] == "edges" else "masks"
    images = [image for part in known for image in part.images]
    targets = [target for part in known for target in getattr(part, name)]
    height, width = recipe["crop"]
    large = [i for i, x in enumerate(images) if x.shape[0] >= height and x.shape[1] >= width]
    return data.Crops(
        [images[i] for i in large],
        recipe["crop"],
        [targets[i] for i in large],
        recipe["steps_per_epoch"],
        recipe["batch_size"],
        recipe["seed"],
        copies=len(recipe["shares"]),
        **recipe["crops"],
    )
