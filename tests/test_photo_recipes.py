"""helpers.experiments.photo_recipes: what a recipe becomes."""

import keras
import numpy as np
import pytest

from helpers import data
from helpers.experiments import photo_recipes


def pictures(*shapes):
    """Pictures of two classes, of which the second one is rare."""
    masks = [np.zeros(shape, "uint8") for shape in shapes]
    for mask in masks:
        mask[:2, :2] = 1
    images = [np.zeros((*shape, 3), "uint8") for shape in shapes]
    edges = [255 * mask for mask in masks]
    return data.Dataset("own", "train", images, masks, ("ground", "thing"), edges=edges)


@pytest.mark.parametrize("task", photo_recipes.OWN)
def test_a_recipe_becomes_a_network_that_learns_from_crops(task):
    recipe = photo_recipes.own(task, 2, [16, 16], epochs=1, steps_per_epoch=2, batch_size=2)
    recipe["arguments"] |= {"widths": [4, 4, 4, 4][: 4 if task == "edges" else 3]}
    known = [pictures((24, 24), (8, 40), (16, 30))]
    model, network = photo_recipes.networks(recipe)
    photo_recipes.compile_model(model, recipe, photo_recipes.loss_of(recipe, known))
    crops = photo_recipes.crops_of(recipe, known)
    assert len(crops.images) == 2  # one is lower than a crop
    before = [np.array(keras.ops.convert_to_numpy(w)) for w in network.trainable_weights]
    model.fit(crops, epochs=1, verbose=0)
    after = map(keras.ops.convert_to_numpy, network.trainable_weights)
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, after))
    answer = network(np.zeros((1, 24, 32, 3), "float32"))
    assert tuple(answer.shape) == (1, 24, 32, 2 if task == "segments" else 1)


def test_a_rare_class_weighs_more():
    recipe = photo_recipes.own("segments", 2, [16, 16])
    loss = photo_recipes.loss_of(recipe, [pictures((16, 16))])
    assert loss.class_weights[1] / loss.class_weights[0] == pytest.approx((252 / 4) ** 0.5)


def test_a_recipe_of_ones_own_leaves_the_others_alone():
    first = photo_recipes.own("segments", 5, [16, 16], epochs=3)
    assert "arguments" not in photo_recipes.OWN["segments"] and first["epochs"] == 3
    assert photo_recipes.OWN["segments"]["epochs"] == 40
