"""What the first edition saved, kept and drew: its files load, its weights answer, its seeds hold."""

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import layers
from small_uncertainty import heteroscedastic_vae

from helpers import models, networks, pretrained, pyramids, segmentation
from helpers.layers import PACKAGE
from helpers.models import first_edition
from helpers.models.first_edition import PatchDown
from helpers.uncertainty import baselines, ood

SIZE = 8


def as_in_the_first_edition(path, **names):
    """Rewrites a file with the names of classes and settings, and the modules, of that time."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def former(node):
        if isinstance(node, list):
            return [former(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = {names.get(key, key): former(value) for key, value in node.items()}
        package, _, name = str(node.get("registered_name")).partition(">")
        if package == PACKAGE:
            name = names.get(name, name)
            node |= {"module": f"helpers.of_{name.lower()}", "class_name": name}
            node["registered_name"] = f"{PACKAGE}>{name}"
        return node

    parts["config.json"] = json.dumps(former(json.loads(parts["config.json"]))).encode()
    text = parts["config.json"].decode()
    assert all(f'"{today}"' not in text and f'"{then}"' in text for today, then in names.items())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def encoder():
    return pyramids.pyramid_networks((SIZE, SIZE, 3), 2, (4, 4), (1, 1), (2, 2))[0]


def penalised():
    x = keras.Input((3,))
    return keras.Model(x, first_edition.KLPenalty(0.5)(x, layers.Dense(3)(x)))


MODELS = {
    "SteadyDropout": lambda: keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), baselines.MCDropout(0.5, seed=0), layers.Conv2D(2, 1)]
    ),
    "PixelwiseVAE": lambda: heteroscedastic_vae((SIZE, SIZE, 3), 2, 4, seed=0),
    "Rate": penalised,
}


@pytest.mark.parametrize("then", MODELS)
def test_a_file_with_a_former_name_loads_and_answers_the_same(then, tmp_path):
    _, today = first_edition.CLASSES[then]
    model, path = MODELS[then](), tmp_path / "model.keras"
    model.save(path)
    as_in_the_first_edition(path, **{today: then})
    again = keras.models.load_model(path)
    assert type(again) is type(model)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if then == "SteadyDropout":
        assert any(type(layer) is baselines.MCDropout for layer in again.layers)
        return
    shape = (2, 3) if then == "Rate" else (2, SIZE, SIZE, 3)
    x = np.random.default_rng(0).random(shape).astype("float32")
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(m(x, training=False)) for m in (again, model))
    )


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # never trained
@pytest.mark.parametrize(
    "loss", [segmentation.PixelCrossEntropy(3, 2, (1, 2, 3)), segmentation.SoftDice(3, 255)]
)
def test_a_loss_that_was_compiled_with_void_loads(loss, tmp_path):
    body, path = encoder(), tmp_path / "head.keras"
    head = pyramids.segmentation_head(body.input, pyramids.levels(body), 3)
    head.compile("adam", loss)
    head.save(path)
    as_in_the_first_edition(path, ignore_class="void")
    again = keras.models.load_model(path)
    assert type(again.loss) is type(loss) and again.loss.get_config() == loss.get_config()


def test_a_vae_with_patch_layers_loads(tmp_path):
    image, z = keras.Input((SIZE, SIZE, 1)), keras.Input((2,))
    h = layers.Flatten()(PatchDown(3, 4, "gelu")(image))
    body = keras.Model(image, [layers.Dense(2)(h), layers.Dense(2)(h)])
    decoder = keras.Model(z, layers.Reshape((SIZE, SIZE, 1))(layers.Dense(SIZE**2)(z)))
    vae, path = models.VAE(body, decoder, seed=0), tmp_path / "vae.keras"
    vae.save(path)
    as_in_the_first_edition(path)
    again = keras.models.load_model(path)
    (patch,) = [layer for layer in again.encoder.layers if isinstance(layer, PatchDown)]
    assert patch.get_config()["activation"] == "gelu" and patch.output.shape == (None, 2, 2, 3)
    x = np.random.default_rng(0).random((2, SIZE, SIZE, 1)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), vae.predict(x, verbose=0))
    conv = layers.Conv2D(3, 4, 4, activation="gelu")
    conv.build((None, SIZE, SIZE, 1))
    conv.set_weights(patch.get_weights())  # the layer of today is the same map
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(f(x)) for f in (patch, conv)))


def test_what_is_saved_today_has_the_names_of_today():
    for module, name in first_edition.CLASSES.values():
        kind = keras.saving.get_registered_object(f"{PACKAGE}>{name}")
        assert isinstance(kind, first_edition.Former) or kind.__module__ == module
    assert keras.saving.get_registered_name(ood.HeteroscedasticVAE) == "helpers>HeteroscedasticVAE"
    loss = segmentation.PixelCrossEntropy(3, 2)
    assert "ignore_class" in loss.get_config() and "void" not in loss.get_config()


# Mean, standard deviation and one value of the outputs for the picture of the test, as the first
# edition computed them.
OUTPUTS = {
    "11-camvid": (-3.7730241484857534, 3.461495979809354, -8.342389106750488),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_kept_weights_answer_as_they_did(name):
    model, note = pretrained.load(name)
    if model is None:
        pytest.skip("the kept weights are not here")
    side = 2 * note["multiple"]
    x = np.linspace(0, 1, side * side * 3, dtype="float32").reshape(1, side, side, 3) ** 2
    y = keras.ops.convert_to_numpy(model(x)).astype("float64")
    np.testing.assert_allclose([y.mean(), y.std(), y[0, 5, 9, 0]], OUTPUTS[name], rtol=1e-4)


BUILT = {
    "conv": lambda: networks.conv_networks((16, 16, 1), 6, 8),
    "conv, centred": lambda: networks.conv_networks((16, 16, 3), 6, 8, False, "silu", True),
    "pyramid": lambda: pyramids.pyramid_networks((16, 16, 3), 4, (4, 6, 8), (1, 1, 2), (2, 2, 2)),
    "pyramid, vector": lambda: pyramids.pyramid_networks((16, 16, 3), (5,), (4, 6), (1, 1), (4, 2)),
    "dense": lambda: networks.dense_networks((8, 8, 1), 6, (20,)),
}


# Of the first weights of encoder and decoder from seed 3, as the first edition drew them: how many
# arrays, and their numbers in a row, weighed by a cosine that tells each place from the others.
DRAWN = {
    "conv": ((12, -7.6904052), (10, 8.5681605)),
    "conv, centred": ((8, 1.7534863), (6, 7.317633)),
    "pyramid": ((42, -5.2105933), (35, -1.7952874)),
    "pyramid, vector": ((26, -2.4702188), (24, 3.460361)),
    "dense": ((6, -2.6098911), (4, 4.4565394)),
}


@pytest.mark.parametrize("name", BUILT)
def test_first_weights_are_those_of_the_first_edition(name):
    keras.utils.set_random_seed(3)
    for net, (count, total) in zip(BUILT[name](), DRAWN[name], strict=True):
        weights = net.get_weights()
        assert len(weights) == count
        if keras.backend.backend() == "tensorflow":  # each backend has a generator of its own
            row = np.concatenate([weight.ravel() for weight in weights]).astype("float64")
            assert row @ np.cos(np.arange(len(row))) == pytest.approx(total, abs=1e-5)
