"""The compared networks: weights and work counted by hand, and what each may and may not see."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import losses, metrics, segmentation
from helpers.experiments import pretraining
from helpers.segmentation import cost

SIZE = 16


def built(name, **options):
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3))
    features, logits = pretraining.BUILDERS[name](image, 4, **options)
    return image, features, keras.Model(image, logits)


SMALL = {
    "CNN": {"width": 4, "dilations": (1, 1)},
    "FCN": {"widths": (4, 6)},
    "U-Net": {"widths": (4, 6)},
    "DeepLab": {"width": 4, "dilations": (1, 2), "rates": (1, 3)},
}


def test_weights_counted_by_hand():
    def conv(a, b, k=3):
        return k * k * a * b + 4 * b  # no bias; four vectors of batch normalisation

    def patch(a, b):
        return 4 * a * b + b + 4 * b

    def up(a, b):
        return a * 4 * b + 4 * b + 4 * b

    def score(a):
        return a * 4 + 4

    expected = {
        "CNN": conv(3, 4) + conv(4, 4) + score(4),
        "FCN": patch(3, 4) + conv(4, 4) + patch(4, 6) + conv(6, 6) + score(6),
        "U-Net": patch(3, 4) + conv(4, 4) + patch(4, 6) + conv(6, 6)
        + up(6, 4) + conv(8, 4) + 4 * 16 + 16,
        "DeepLab": patch(3, 4) + 4 * conv(4, 4) + score(4),
    }  # fmt: skip
    assert {n: built(n, **SMALL[n])[2].count_params() for n in SMALL} == expected


def test_work_counted_by_hand():
    full, half, quarter = SIZE**2, SIZE**2 // 4, SIZE**2 // 16
    expected = {
        "CNN": full * (27 * 4 + 9 * 16 + 16),
        "FCN": half * (12 * 4 + 9 * 16) + quarter * (16 * 6 + 9 * 36 + 24),
        "DeepLab": half * (12 * 4 + 4 * 9 * 16 + 16),
        # A step up works on the small side: a 1×1 convolution to four times the channels.
        "U-Net": half * (12 * 4 + 9 * 16 + 9 * 8 * 4 + 4 * 16)
        + quarter * (16 * 6 + 9 * 36 + 6 * 16),
    }  # fmt: skip
    assert {n: segmentation.multiply_adds(built(n, **SMALL[n])[2]) for n in SMALL} == expected


def test_fields_counted_by_hand():
    expected = {
        "CNN": 5,  # two 3×3
        # Down: 2, + 2·2, patch: + 2, 3×3: + 2·4 = 16; bilinear: one more cell of 4.
        "FCN": 20,
        # Down as the FCN: 16. Up: an output lies in a cell of 2, which with its neighbours is 3, and
        # these lie in 2 cells of 4: one more.
        "U-Net": 20,
        # 2, + 2·2, + 2·2·2, + 2·2·3 = 26; bilinear: one more cell of 2.
        "DeepLab": 28,
    }
    found = {n: segmentation.receptive_field(built(n, **SMALL[n])[2]) for n in SMALL}
    assert found == {n: (side, side) for n, side in expected.items()}


def test_dilation_widens_the_view_of_the_same_weights():
    narrow, wide = (built("CNN", width=4, dilations=d)[2] for d in ((1, 1, 1, 1), (1, 2, 4, 8)))
    assert narrow.count_params() == wide.count_params()
    assert [segmentation.receptive_field(m) for m in (narrow, wide)] == [(9, 9), (31, 31)]


def test_without_skips_the_size_stays_and_all_comes_from_below():
    (_, coarse, whole), (_, alone, bare) = (
        built("U-Net", widths=(4, 6), skips=skips) for skips in (True, False)
    )
    assert whole.count_params() == bare.count_params()
    assert keras.Model(alone, bare.output).output_shape == (None, SIZE, SIZE, 4)
    with pytest.raises(ValueError):  # the finer features cannot be had from the coarsest
        keras.Model(coarse, whole.output)


@pytest.mark.parametrize("name", SMALL)
def test_the_body_can_end_in_a_code(name):
    image, features, model = built(name, **SMALL[name])
    encoder = pretraining.with_code(image, features, latent=5, factor=4)
    assert [tuple(t.shape) for t in encoder.outputs] == [(None, 4, 4, 5)] * 2
    shared = {id(w) for w in encoder.weights} & {id(w) for w in model.weights}
    assert len(shared) > 5
    log_variance = encoder(np.zeros((1, SIZE, SIZE, 3)))[1]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(log_variance), -3)


def test_bad_sizes_are_named():
    image, features, _ = built("FCN", widths=(4, 6))
    with pytest.raises(ValueError, match=r"2 times coarser.*\(None, 4, 4, 6\)"):
        pretraining.with_code(image, features, factor=2)
    anything = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="at_size"):
        segmentation.multiply_adds(keras.Model(anything, layers.Conv2D(1, 3)(anything)))
    with pytest.raises(ValueError, match="multiples of patch=2"):
        pretraining.fcn(keras.Input((6, 6, 3)), 4, (4, 4))


def test_the_joint_loss_is_the_sum_of_its_parts():
    image, features, head = built("FCN", widths=(4, 6))
    encoder = pretraining.with_code(image, features, 2, 4)
    z = keras.Input((4, 4, 2))
    decoder = keras.Model(z, layers.UpSampling2D(4)(layers.Conv2D(3, 1)(z)))
    loss, weight, sigma = segmentation.PixelCrossEntropy(4), 0.5, 0.1
    model, parts = pretraining.joint(encoder, decoder, head, loss, weight, sigma, 0)
    # Nearly no noise, so that the sample is the mean.
    encoder.get_layer("log_variance").set_weights([np.zeros((1, 1, 6, 2)), np.full(2, -30.0)])
    model.compile("sgd", parts, run_eagerly=True)
    rng = np.random.default_rng(0)
    x = rng.random((3, SIZE, SIZE, 3)).astype("float32")
    masks = rng.integers(0, 4, (3, SIZE, SIZE))
    found = model.evaluate(x, {"labels": masks, "picture": x}, batch_size=3, verbose=0)
    mean, log_variance = encoder(x)
    nats = losses.gaussian_nll(x, decoder(mean), np.log(sigma))
    nats = float(keras.ops.mean(nats + losses.gaussian_kl(mean, log_variance)))
    expected = float(loss(masks, head(x))) + weight * nats / SIZE**2
    total = found[0] if isinstance(found, list) else found
    assert total == pytest.approx(expected, rel=1e-4)


def test_gaps_counted_by_hand():
    halves = np.repeat([[0, 0, 0, 2, 2]], 3, axis=0)
    gaps = metrics.outline_gap([halves, np.zeros((3, 5), int)])
    np.testing.assert_array_equal(gaps[0], np.repeat([[3, 2, 1, 1, 2]], 3, axis=0))
    assert np.isinf(gaps[1]).all()
    corner = np.zeros((5, 5), int)
    corner[0, 0] = 1
    assert metrics.outline_gap([corner])[0, 3, 4] == 5.0  # the diagonal of 3 by 4


def test_a_network_for_twins_repeats_with_its_seed():
    def build(image):
        return pretraining.fcn(image, 4, (4, 6))

    plan = (4, 4), (1, 1), (2, 2)
    one, two, other = (pretraining.network(build, (SIZE, SIZE, 3), 2, s, plan) for s in (1, 1, 2))
    encoder, decoder, head = one
    assert decoder.input_shape == (None, 4, 4, 2) and encoder.outputs[0].shape == (None, 4, 4, 2)
    assert decoder.output_shape == (None, SIZE, SIZE, 3)
    assert head.output_shape == (None, SIZE, SIZE, 4)
    for a, b, c in zip(one, two, other):
        assert all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights()))
        assert not all(np.array_equal(v, w) for v, w in zip(a.get_weights(), c.get_weights()))


def test_milliseconds_of_one_image():
    class Slow(keras.Model):
        def call(self, x, training=False):
            return x

    model, clock = Slow(), iter([0.0, 9.0, 10.0, 10.8, 20.0, 20.4])  # compiled in nine seconds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost.time, "perf_counter", lambda: next(clock))
        patch.setattr(cost, "compile_model", lambda model: model)
        images = np.zeros((4, 2, 2, 1), "float32")
        assert segmentation.milliseconds(model, images, 2) == pytest.approx(100.0)


def test_speckle_counted_by_hand():
    truth = np.array([[[1, 1, 1, 2, 2], [0, 0, 0, 0, 0]]])
    answer = np.array([[[1, 2, 1, 1, 1], [0, 1, 0, 1, 0]]])
    # Of the first row three pairs count, the one across the outline does not: two are apart.
    assert metrics.speckle(truth, answer, truth > 0) == pytest.approx(2 / 3)
    assert metrics.speckle(truth, truth, truth > 0) == 0
    assert np.isnan(metrics.speckle(truth, answer, truth > 2))
