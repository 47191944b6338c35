"""The VAE: its loss, its bounds, its exact limit, saving, determinism, bad input."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from helpers import losses
from helpers.backend import value_and_grad
from helpers.models import VAE, conv_vae, dense_vae, next_kl_weight

RNG = np.random.default_rng(0)
IMAGES = RNG.random((24, 16, 16, 3)).astype("float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def small(likelihood="gaussian", **options):
    keras.utils.set_random_seed(0)
    return conv_vae((16, 16, 3), 4, width=4, likelihood=likelihood, seed=0, **options)


def fitted(model, x=IMAGES, epochs=2):
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    history = model.fit(x, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return model, history.history


# The loss -------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_training_loss_is_reconstruction_plus_kl_with_weight_one(likelihood):
    model = small(likelihood)
    noise = RNG.normal(size=(24, 4)).astype("float32")
    reconstruction, kl = model.terms(IMAGES, noise)
    np.testing.assert_allclose(
        numpy(model.elbo(IMAGES, noise)), -numpy(reconstruction) - numpy(kl), rtol=1e-6
    )
    model, history = fitted(model)
    total = np.add(history["reconstruction"], history["kl"])
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)


def test_effective_beta_is_one():
    """d(loss)/d(parameter of the KL alone) equals d(KL)/d(that parameter)."""
    model = small("bernoulli")
    # A decoder that ignores z: the reconstruction term cannot answer for any change.
    for weight in model.decoder.weights:
        weight.assign(ops.zeros(weight.shape))
    mean, log_variance = (model.encoder.get_layer(n) for n in ("mean", "log_variance"))
    variables = [mean.bias, log_variance.bias]

    def loss():
        return model.compute_loss(x=IMAGES, y_pred=model(IMAGES, training=True))

    def kl():
        return ops.mean(losses.gaussian_kl(*model.encode(IMAGES)))

    _, of_loss = value_and_grad(loss, variables, model.non_trainable_variables)
    _, of_kl = value_and_grad(kl, variables)
    for a, b in zip(of_loss, of_kl):
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-4, atol=1e-6)


def test_beta_warm_up_and_free_bits_enter_the_loss_and_not_the_logs():
    model, history = fitted(small(beta=3.0), epochs=1)
    np.testing.assert_allclose(
        history["loss"][0], history["reconstruction"][0] + 3 * history["kl"][0], rtol=1e-5
    )
    model, history = fitted(small(warmup_steps=6), epochs=2)  # 3 steps an epoch
    assert int(model.steps) == 6
    weight = (np.array(history["loss"]) - history["reconstruction"]) / history["kl"]
    assert 1 / 6 <= weight[0] <= 3 / 6 and 4 / 6 <= weight[1] <= 1.0
    model, history = fitted(small(free_bits=50.0), epochs=1)
    np.testing.assert_allclose(
        history["loss"][0] - history["reconstruction"][0], 4 * 50.0, rtol=1e-4
    )


def test_the_weight_of_the_kl_rises_in_a_straight_line_and_stays_at_beta():
    model = small(beta=3.0, warmup_steps=4)
    weights = [float(next_kl_weight(model)) for _ in range(7)]
    np.testing.assert_allclose(weights, [0.75, 1.5, 2.25, 3, 3, 3, 3], rtol=1e-6)
    assert int(model.steps) == 7
    at_once = small(beta=3.0)
    assert [float(next_kl_weight(at_once)) for _ in range(2)] == [3.0, 3.0]
    assert int(at_once.steps) == 2


def test_logged_units():
    _, history = fitted(small("gaussian"), epochs=1)
    nats = history["reconstruction"][0] + history["kl"][0]
    assert history["rate_bits"][0] == pytest.approx(history["kl"][0] / math.log(2), rel=1e-5)
    assert history["bits_per_dim"][0] == pytest.approx(nats / (768 * math.log(2)) + 8, rel=1e-5)
    _, history = fitted(small("bernoulli"), epochs=1)
    nats = history["reconstruction"][0] + history["kl"][0]
    assert history["bits_per_dim"][0] == pytest.approx(nats / (768 * math.log(2)), rel=1e-5)


def test_spatial_latent_counts_every_position():
    model = conv_vae((16, 16, 3), (4, 4, 2), width=4, likelihood="gaussian")
    assert model.latent_shape == (4, 4, 2)
    mean, log_variance = model.encode(IMAGES)
    _, kl = model.terms(IMAGES)
    by_hand = 0.5 * (numpy(mean) ** 2 + np.exp(numpy(log_variance)) - 1 - numpy(log_variance))
    np.testing.assert_allclose(numpy(kl), by_hand.sum(axis=(1, 2, 3)), rtol=1e-4)


def test_sigma_fixed_learned_and_floored():
    assert float(small(sigma=0.2).log_sigma()) == pytest.approx(math.log(0.2))
    model = small()
    model.raw_log_sigma.assign(-100.0)
    assert float(ops.exp(model.log_sigma())) == pytest.approx(0.01, rel=1e-5)
    model = small()
    before = float(ops.exp(model.log_sigma()))
    fitted(model, epochs=3)
    # Uniform noise has a standard deviation of 0.29, and nothing here can be predicted.
    assert before == pytest.approx(0.11, rel=1e-5)
    assert before < float(ops.exp(model.log_sigma())) < 0.35
    assert [hasattr(m, "raw_log_sigma") for m in (model, small(sigma=0.2), small("bernoulli"))] == [
        True,
        False,
        False,
    ]


# The exact limit ----------------------------------------------------------------------


class LinearVAE(keras.Model):
    """x → μ = xV, decoder mean μW, one log σ² per coordinate, learned σ; nothing is sampled."""

    def __init__(self, d, k, seed):
        super().__init__()
        start = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
        self.encoder = self.add_weight(shape=(d, k), initializer=start, name="encoder")
        self.decoder = self.add_weight(shape=(k, d), initializer=start, name="decoder")
        self.log_variance = self.add_weight(shape=(1, k), initializer="zeros", name="log_variance")
        self.log_sigma = self.add_weight(shape=(), initializer="zeros", name="log_sigma")
        self.built = True

    def call(self, x):
        return ops.matmul(x, self.encoder)

    def negative_elbo(self, x):
        mean = self(x)
        reconstruction = losses.gaussian_nll(x, ops.matmul(mean, self.decoder), self.log_sigma)
        # E_q adds to the squared error what the spread of z adds: Σ_k σ_k² |w_k|².
        spread = ops.sum(ops.exp(self.log_variance) * ops.sum(ops.square(self.decoder), axis=1))
        reconstruction = reconstruction + 0.5 * spread * ops.exp(-2 * self.log_sigma)
        kl = losses.gaussian_kl(mean, ops.broadcast_to(self.log_variance, ops.shape(mean)))
        return ops.mean(reconstruction + kl)

    def compute_loss(self, x=None, *_, **__):
        return self.negative_elbo(x)


def test_linear_vae_reaches_the_exact_ppca_likelihood():
    """D = 16, K = 3, σ learned, ELBO in closed form, random start: within 0.01 nat."""
    d, k, n = 16, 3, 400
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, k)) * [3.0, 2.0, 1.2] @ rng.normal(size=(k, d)) / 2
    x = (x + 0.5 * rng.normal(size=(n, d))).astype("float32")
    x -= x.mean(axis=0)

    # Tipping and Bishop (1999): the maximum of the likelihood in closed form.
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    noise = eigenvalues[k:].mean()
    exact = -0.5 * (
        d * math.log(2 * math.pi) + np.log(eigenvalues[:k]).sum() + (d - k) * math.log(noise) + d
    )

    model = LinearVAE(d, k, seed=5)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 3000)
    model.compile(optimizer=keras.optimizers.Adam(schedule))
    start = -float(model.negative_elbo(x))
    for _ in range(3000):
        model.train_on_batch(x)
    reached = -float(model.negative_elbo(x))
    assert start < exact - 1.0
    assert exact - 0.01 <= reached <= exact + 1e-3

    # Tight only because the columns of the decoder ended orthogonal.
    gram = numpy(ops.matmul(model.decoder, ops.transpose(model.decoder)))
    scale = np.sqrt(np.diag(gram))
    assert abs(gram / scale / scale[:, None] - np.eye(k)).max() < 0.05


# A Keras model like any other ---------------------------------------------------------


@pytest.mark.parametrize("latent", [4, (4, 4, 2)])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_save_load_predict_equal_to_the_bit(tmp_path, likelihood, latent):
    model = conv_vae((16, 16, 3), latent, width=4, likelihood=likelihood, beta=2.0, seed=3)
    model, _ = fitted(model, epochs=1)
    model.save(tmp_path / "vae.keras")
    again = keras.models.load_model(tmp_path / "vae.keras")
    np.testing.assert_array_equal(
        model.predict(IMAGES, verbose=0), again.predict(IMAGES, verbose=0)
    )
    noise = RNG.normal(size=(24, *model.latent_shape)).astype("float32")
    np.testing.assert_array_equal(
        numpy(model.elbo(IMAGES, noise)), numpy(again.elbo(IMAGES, noise))
    )
    assert again.get_config()["beta"] == 2.0
    assert keras.saving.get_registered_name(VAE) == "helpers>VAE"  # as in files saved before


def test_two_runs_with_one_seed_are_equal_to_the_bit():
    runs = [fitted(small(), epochs=2) for _ in range(2)]
    assert runs[0][1] == runs[1][1]
    np.testing.assert_array_equal(*(m.predict(IMAGES, verbose=0) for m, _ in runs))


def test_predict_uses_the_posterior_mean_and_evaluate_a_sample():
    model = small()
    model.compile(optimizer="adam")
    mean, _ = model.encode(IMAGES)
    predicted = model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(predicted, numpy(model.decode(mean)), rtol=1e-4, atol=1e-5)
    scores = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert set(scores) == {"loss", "reconstruction", "kl", "rate_bits", "bits_per_dim"}


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_evaluate_runs_each_network_once_and_scores_a_sample(likelihood, monkeypatch):
    model = small(likelihood)
    model.compile(optimizer="adam", run_eagerly=True)
    model.evaluate(IMAGES, verbose=0)  # builds what is not built yet
    state = model.sampling.seed_generator.state
    before, runs = numpy(state), []
    for net in (model.encoder, model.decoder):
        run = net.call
        monkeypatch.setattr(
            net, "call", lambda *a, n=net.name, r=run, **k: [runs.append(n), r(*a, **k)][1]
        )
    scores = model.evaluate(IMAGES, batch_size=12, verbose=0, return_dict=True)
    assert runs == ["encoder", "decoder"] * 2
    monkeypatch.undo()
    # The same noise by hand: two batches from the same place of the stream.
    state.assign(before)
    terms = [
        np.concatenate(t)
        for t in zip(*(map(numpy, model.terms(IMAGES[i : i + 12])) for i in (0, 12)))
    ]
    assert scores["reconstruction"] == pytest.approx(terms[0].mean(), rel=1e-5)
    assert scores["kl"] == pytest.approx(terms[1].mean(), rel=1e-5)
    # A call in between, outside of a step, still reconstructs.
    assert model(IMAGES[:2]).shape == (2, 16, 16, 3)
    assert float(model.compute_loss(x=IMAGES, training=False)) > 0 or likelihood == "gaussian"


def test_a_call_from_a_callback_of_evaluate_reconstructs():
    model, seen = small(), []

    class Draw(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            seen.append(self.model(IMAGES[:2]).shape)

    model.compile(optimizer="adam", run_eagerly=True)
    model.evaluate(IMAGES, batch_size=24, callbacks=[Draw()], verbose=0)
    assert seen == [(2, 16, 16, 3)]


def test_training_improves_the_elbo():
    model = small()
    noise = np.zeros((24, 4), "float32")
    before = numpy(model.elbo(IMAGES, noise)).mean()
    fitted(model, epochs=5)
    assert numpy(model.elbo(IMAGES, noise)).mean() > before


def test_samples_have_the_shape_of_the_data_and_follow_the_seed():
    model = small("bernoulli")
    a, b = numpy(model.sample(3, seed=1)), numpy(model.sample(3, seed=1))
    assert a.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(a, b)
    assert a.min() >= 0 and a.max() <= 1


# Bad input ------------------------------------------------------------------------------


def networks(k_encoder=4, k_decoder=4, k_variance=None):
    x = keras.Input((8, 8, 1))
    h = keras.layers.Flatten()(x)
    heads = [keras.layers.Dense(k)(h) for k in (k_encoder, k_variance or k_encoder)]
    z = keras.Input((k_decoder,))
    out = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z))
    return keras.Model(x, heads), keras.Model(z, out)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VAE(*networks(), likelihood="poisson"), "likelihood='poisson'"),
        (lambda: VAE(*networks(), beta=-1.0), "beta=-1.0"),
        (lambda: VAE(*networks(), beta=float("nan")), "beta=nan"),
        (lambda: VAE(*networks(), beta="1"), "beta='1'"),
        (lambda: VAE(*networks(), warmup_steps=None), "warmup_steps=None"),
        (lambda: VAE(*networks(), likelihood="gaussian", sigma="0.1"), "sigma='0.1'"),
        (lambda: dense_vae((8, 8, 1), hidden=(8, 0)), "hidden=0"),
        (lambda: conv_vae((16, 16, 1), width="8"), "width='8'"),
        (lambda: VAE(*networks(), likelihood="gaussian", sigma=0.0), "sigma=0.0"),
        (lambda: VAE(*networks(), likelihood="gaussian", sigma=float("inf")), "sigma=inf"),
        (lambda: VAE(*networks(), likelihood="gaussian", sigma_floor=0.0), "sigma_floor"),
        (lambda: VAE(*networks(), sigma_floor=-0.1), "sigma_floor=-0.1"),
        (lambda: VAE(*networks(), free_bits=-0.1), "free_bits=-0.1"),
        (lambda: VAE(*networks(), warmup_steps=-1), "warmup_steps=-1"),
        (lambda: VAE(*networks(k_variance=3)), "of one shape"),
        (lambda: VAE(*networks(k_decoder=5)), "must take what the encoder gives"),
        (lambda: VAE(*networks()).log_sigma(), "have no σ"),
        (lambda: conv_vae((16, 16, 3), (5, 5, 2)), "power of 2"),
        (lambda: conv_vae((16, 16, 3), (4, 4)), r"\(h, w, c\)"),
        (lambda: conv_vae((15, 16, 3), 4), "15×16"),
        (lambda: small().compute_loss(x=IMAGES, sample_weight=np.ones(24)), "sample_weight"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Label maps -------------------------------------------------------------------------------


def test_a_vae_of_label_maps_has_probabilities_of_classes_and_a_pixel_is_one_value():
    keras.utils.set_random_seed(0)
    labels = RNG.integers(0, 3, (8, 16, 16))
    x = np.eye(3, dtype="float32")[labels]
    model = conv_vae((16, 16, 3), 4, width=4, likelihood="categorical", seed=0)
    z = RNG.normal(size=(8, 4)).astype("float32")
    p = numpy(model.decode(z))
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-5)
    right = np.take_along_axis(p, labels[..., None], axis=-1)
    nll = numpy(model.reconstruction_nll(x, z))
    np.testing.assert_allclose(nll, -np.log(right).sum(axis=(1, 2, 3)), rtol=1e-4)
    model, history = fitted(model, x)
    nats = history["reconstruction"][-1] + history["kl"][-1]
    np.testing.assert_allclose(history["bits_per_dim"][-1], nats / 256 / np.log(2), rtol=1e-4)
    again = VAE.from_config(model.get_config())
    assert again.likelihood == "categorical" and again.pixels.value_range == [0.0, 1.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small("categorical").predict(3 * np.ones((1, 16, 16, 3))), "from 0 to 1"),
        (lambda: small("categorical").log_sigma(), "Categorical pixels have no σ"),
        (lambda: VAE(*softmax_networks(), likelihood="categorical"), "must not end in"),
    ],
)
def test_a_vae_of_label_maps_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def softmax_networks():
    encoder, decoder = networks()
    ended = keras.layers.Softmax()(decoder.output)
    return encoder, keras.Model(decoder.input, ended)


# Half precision --------------------------------------------------------------------------


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16"])
def half(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_half_precision_computes_the_same_elbo_in_nats(half, likelihood):
    """Sums over 4,096 pixels with σ = 0.003 pass the largest number of float16."""
    options = {"sigma": 0.003} if likelihood == "gaussian" else {}
    x = np.random.default_rng(0).random((4, 32, 32, 4), "float32")
    noise = np.zeros((4, 3), "float32")
    values, weights = {}, None
    for policy in ("float32", half):
        keras.config.set_dtype_policy(policy)
        model = dense_vae((32, 32, 4), 3, (8,), likelihood=likelihood, **options)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        elbo = model.elbo(x, noise)
        assert keras.backend.standardize_dtype(elbo.dtype) == "float32"
        values[policy] = numpy(elbo)
    assert model.encoder.layers[-1].compute_dtype == half.removeprefix("mixed_")
    assert likelihood == "bernoulli" or np.abs(values["float32"]).min() > 65504
    np.testing.assert_allclose(values[half], values["float32"], rtol=0.01)


def test_half_precision_trains(half):
    model, history = fitted(small(sigma=0.1), epochs=4)
    assert np.isfinite(history["loss"]).all() and history["loss"][-1] < history["loss"][0]
    weights = {keras.backend.standardize_dtype(w.dtype) for w in model.trainable_variables}
    assert weights == {"float32"}
    assert numpy(model.sample(2)).dtype == np.float32


# What the networks add, and the width of a level -----------------------------------------


def test_what_the_networks_add_to_the_loss_is_in_it_and_in_no_other_number():
    x = np.random.default_rng(0).random((4, 6), "float32")
    scores = {}
    for strength in (0.0, 1.0):
        image, z = keras.Input((6,)), keras.Input((2,))
        penalty = keras.regularizers.L2(strength)
        mean = keras.layers.Dense(2, kernel_initializer="ones", kernel_regularizer=penalty)(image)
        log_variance = keras.layers.Dense(2, kernel_initializer="zeros")(image)
        encoder = keras.Model(image, [mean, log_variance])
        decoder = keras.Model(z, keras.layers.Dense(6, kernel_initializer="ones")(z))
        model = VAE(encoder, decoder, "gaussian", sigma=1.0, seed=0)
        model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
        evaluated = model.evaluate(x, verbose=0, return_dict=True)
        trained = model.fit(x, shuffle=False, verbose=0).history
        scores[strength] = evaluated, {name: values[0] for name, values in trained.items()}
    for without, with_it in zip(scores[0.0], scores[1.0]):
        assert with_it.pop("loss") - without.pop("loss") == pytest.approx(12, rel=1e-4)
        if without is scores[0.0][0]:
            assert with_it["kl"] == pytest.approx(without["kl"])


@pytest.mark.parametrize(("ends", "bits"), [((0, 1), 8), ((-1, 1), 7), ((0, 256), 0), (None, 0)])
def test_bits_per_dimension_count_the_levels_of_a_byte_in_the_range(ends, bits):
    model = dense_vae((6,), 2, (4,), likelihood="gaussian", sigma=1.0, value_range=ends)
    model.compile(run_eagerly=True)
    x = np.random.default_rng(0).random((4, 6), "float32")
    scores = model.evaluate(x, verbose=0, return_dict=True)
    nats = scores["reconstruction"] + scores["kl"]
    assert scores["bits_per_dim"] == pytest.approx(nats / 6 / np.log(2) + bits, rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_what_layers_in_half_precision_add_is_added_in_single(policy):
    keras.config.set_dtype_policy(policy)
    try:
        image, z = keras.Input((6,)), keras.Input((2,))
        penalised = keras.layers.Dense(4, activity_regularizer="l2")(image)
        encoder = keras.Model(image, [keras.layers.Dense(2)(penalised) for _ in range(2)])
        decoder = keras.Model(z, keras.layers.Dense(6)(z))
    finally:
        keras.config.set_dtype_policy("float32")
    model = VAE(encoder, decoder, "gaussian", sigma=1.0)
    model.compile("adam", run_eagerly=True)
    history = model.fit(np.ones((4, 6), "float32"), verbose=0).history
    assert history["loss"][0] > history["reconstruction"][0] + history["kl"][0]
