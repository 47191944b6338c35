"""Submissions to ps2_vae. The first three wrong and two right ones are graded by `make test`."""

from assignments import overwritten, right, without, wrong

NAME = "ps2_vae"

SAMPLING = """
class Sampling(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.generator = keras.random.SeedGenerator(7)
    def call(self, mean, log_variance):
        noise = {noise}
        return {z}
"""
NOISE = "keras.random.normal(ops.shape(mean), seed=self.generator)"
Z = "mean + ops.exp(log_variance / 2) * noise"
TERMS = """
def elbo_terms(x, logits, mean, log_variance):
    x, logits = ops.convert_to_tensor(x), ops.convert_to_tensor(logits)
    mean, log_variance = ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)
    nats = {nats}
    kl = {kl}
    return {first}, {second}
"""
NATS = "ops.relu(logits) - x * logits + ops.softplus(-ops.abs(logits))"
KL = "0.5 * (ops.square(mean) + ops.exp(log_variance) - 1 - log_variance)"
FIRST = "ops.sum(nats, axis=(1, 2, 3))"
SECOND = "ops.sum(ops.reshape(kl, (ops.shape(kl)[0], -1)), axis=-1)"
GOOD = {"nats": NATS, "kl": KL, "first": FIRST, "second": SECOND}
STEP = """
def training_step(loss, variables, optimizer):
    value, gradients = value_and_grad(loss, variables)
    {apply}
    return {value}
"""
WORD = """
def diagnosis(kl, reconstruction, without_latent):
    active = int((kl > ACTIVE).sum())
    return active, {}
"""
FREE = "def free_bits(kl, minimum):\n    return {}"
DRAWS, FRESH = "sampling_draws", "sampling_is_fresh_and_differentiable"

WRONG = {
    "log_variance_taken_for_sigma": wrong(
        f"{DRAWS} {FRESH}", sampling=SAMPLING.format(noise=NOISE, z="mean + log_variance * noise")
    ),
    "channels_averaged": wrong(
        "reconstruction",
        elbo_terms=TERMS.format(
            **{**GOOD, "first": "ops.sum(ops.mean(nats, axis=-1), axis=(1, 2))"}
        ),
    ),
    "allowance_of_an_image": wrong(
        "free_bits",
        free_bits=FREE.format("ops.maximum(ops.mean(ops.sum(kl, axis=1)), minimum)"),
    ),
    "variance_for_sigma": wrong(
        f"{DRAWS} {FRESH}",
        sampling=SAMPLING.format(noise=NOISE, z="mean + ops.exp(log_variance) * noise"),
    ),
    "whole_number_as_seed": wrong(
        FRESH,
        sampling=SAMPLING.format(noise="keras.random.normal(ops.shape(mean), seed=7)", z=Z),
    ),
    "noise_of_numpy": wrong(
        FRESH,
        sampling=SAMPLING.format(
            noise="np.random.normal(size=[s or 1 for s in mean.shape]).astype('float32')", z=Z
        ),
    ),
    "one_noise_for_all_images": wrong(
        f"{DRAWS}",
        sampling=SAMPLING.format(
            noise="keras.random.normal(ops.shape(mean)[1:], seed=self.generator)", z=Z
        ),
    ),
    "gradient_cut": wrong(
        FRESH, sampling=SAMPLING.format(noise=NOISE, z=f"ops.stop_gradient({Z})")
    ),
    "no_noise": wrong(f"{DRAWS} {FRESH}", sampling=SAMPLING.format(noise="0.0", z="mean")),
    "means_for_sums": wrong(
        "reconstruction kl",
        elbo_terms=TERMS.format(
            **{
                **GOOD,
                "first": "ops.mean(nats, axis=(1, 2, 3))",
                "second": SECOND.replace("sum", "mean"),
            }
        ),
    ),
    "positions_not_summed": wrong(
        "kl", elbo_terms=TERMS.format(**{**GOOD, "second": "ops.sum(kl, axis=-1)"})
    ),
    "batch_summed_too": wrong(
        "reconstruction kl",
        elbo_terms=TERMS.format(**{**GOOD, "first": "ops.sum(nats)", "second": "ops.sum(kl)"}),
    ),
    "sign_of_the_kl": wrong("kl", elbo_terms=TERMS.format(**{**GOOD, "kl": f"-{KL}"})),
    "missing_half": wrong("kl", elbo_terms=TERMS.format(**{**GOOD, "kl": f"2 * {KL}"})),
    "logits_taken_for_probabilities": wrong(
        "reconstruction",
        elbo_terms=TERMS.format(**{**GOOD, "nats": "ops.binary_crossentropy(x, logits)"}),
    ),
    "sigmoid_clipped": wrong(
        "reconstruction",
        elbo_terms=TERMS.format(
            **{**GOOD, "nats": "ops.binary_crossentropy(x, 1 / (1 + ops.exp(-logits)))"}
        ),
    ),
    "square_error": wrong(
        "reconstruction",
        elbo_terms=TERMS.format(**{**GOOD, "nats": "ops.square(x - ops.sigmoid(logits))"}),
    ),
    "uphill": wrong(
        "training_step",
        training_step=STEP.format(
            apply="optimizer.apply([-g for g in gradients], variables)", value="value"
        ),
    ),
    "loss_after_the_step": wrong(
        "training_step",
        training_step=STEP.format(apply="optimizer.apply(gradients, variables)", value="loss()"),
    ),
    "never_applied": wrong("training_step", training_step=STEP.format(apply="pass", value="value")),
    "an_optimizer_of_its_own": wrong(
        "training_step",
        training_step=STEP.format(
            apply="keras.optimizers.SGD(optimizer.learning_rate).apply(gradients, variables)",
            value="value",
        ),
    ),
    "evaluated_twice": wrong(
        "training_step",
        training_step="""
def training_step(loss, variables, optimizer):
    before = loss()
    optimizer.apply(value_and_grad(loss, variables)[1], variables)
    return before
""",
    ),
    "cost_of_the_code_forgotten": wrong(
        "verdict",
        diagnosis=WORD.format(
            "'collapsed' if not active else 'useful' if reconstruction < without_latent else 'wasted'"
        ),
    ),
    "never_collapsed": wrong(
        "verdict",
        diagnosis=WORD.format(
            "'useful' if reconstruction + kl.sum() < without_latent else 'wasted'"
        ),
    ),
    "active_by_any_kl": wrong(
        "active_coordinates verdict",
        diagnosis=WORD.replace("kl > ACTIVE", "kl > 0").format(
            "'collapsed' if not active else"
            " 'useful' if reconstruction + kl.sum() < without_latent else 'wasted'"
        ),
    ),
    "allowance_before_the_batch": wrong(
        "free_bits", free_bits=FREE.format("ops.sum(ops.mean(ops.maximum(kl, minimum), axis=0))")
    ),
    "a_ceiling": wrong(
        "free_bits",
        free_bits=FREE.format("ops.sum(ops.minimum(ops.mean(kl, axis=0), minimum))"),
    ),
    "hard_coded": wrong(
        "training_step active_coordinates verdict free_bits",
        training_step="""
def training_step(loss, variables, optimizer):
    variables[0].assign([2.4, -0.8])
    return 10.0
""",
        diagnosis="def diagnosis(kl, reconstruction, without_latent):\n    return 2, 'useful' if reconstruction < 160 else 'wasted'",
        free_bits=FREE.format("3.5 if minimum else 3.2"),
    ),
    "an_endless_loop": wrong(
        "free_bits", free_bits="def free_bits(kl, minimum):\n    while True:\n        pass"
    ),
    "deleted_test": wrong(
        "kl",
        without("test_kl"),
        elbo_terms=TERMS.format(**{**GOOD, "kl": "0 * mean"}),
    ),
    "changed_test": wrong(
        "free_bits", overwritten("test_free_bits", "pass"), free_bits=FREE.format("0.0")
    ),
    "noise_shared_by_positions": wrong(
        DRAWS,
        sampling=SAMPLING.format(
            noise="keras.random.normal("
            "[ops.shape(mean)[0]] + [1] * (len(mean.shape) - 2) + [mean.shape[-1]],"
            " seed=self.generator)",
            z=Z,
        ),
    ),
    "uniform_noise": wrong(
        DRAWS,
        sampling=SAMPLING.format(
            noise="keras.random.uniform(ops.shape(mean), -(3**0.5), 3**0.5, seed=self.generator)",
            z=Z,
        ),
    ),
    "draws_in_training_only": wrong(
        f"{DRAWS} {FRESH}",
        sampling=SAMPLING.replace("log_variance):", "log_variance, training=False):").format(
            noise=NOISE, z=f"{Z} if training else mean"
        ),
    ),
    "keras_loss_averages": wrong(
        "reconstruction",
        elbo_terms=TERMS.format(
            **{
                **GOOD,
                "nats": "keras.losses.binary_crossentropy(x, logits, from_logits=True)",
                "first": "ops.sum(nats, axis=(1, 2))",
            }
        ),
    ),
    "terms_of_numpy": wrong(
        "reconstruction",
        elbo_terms="""
def elbo_terms(x, logits, mean, log_variance):
    x, logits, m, v = (np.asarray(a) for a in (x, logits, mean, log_variance))
    kl = 0.5 * (m**2 + np.exp(v) - 1 - v)
    return np.logaddexp(0, (1 - 2 * x) * logits).sum((1, 2, 3)), kl.reshape(len(kl), -1).sum(1)
""",
    ),
    "batch_of_two_taken_for_granted": wrong(
        "kl reconstruction",
        elbo_terms=TERMS.format(
            **{
                **GOOD,
                "first": "ops.sum(ops.reshape(nats, (2, -1)), axis=1)",
                "second": "ops.sum(ops.reshape(kl, (2, -1)), axis=1)",
            }
        ),
    ),
    "two_steps_for_one": wrong(
        "training_step",
        training_step=STEP.format(
            apply="[optimizer.apply(gradients, variables) for _ in range(2)]", value="value"
        ),
    ),
    "gradients_clipped": wrong(
        "training_step",
        training_step=STEP.format(
            apply="optimizer.apply([ops.clip(g, -1, 1) for g in gradients], variables)",
            value="value",
        ),
    ),
    "at_the_threshold": wrong(
        "active_coordinates",
        diagnosis=WORD.replace("kl > ACTIVE", "kl >= ACTIVE").format(
            "'collapsed' if not active else"
            " 'useful' if reconstruction + kl.sum() < without_latent else 'wasted'"
        ),
    ),
    "a_tie_is_called_useful": wrong(
        "verdict",
        diagnosis=WORD.format(
            "'collapsed' if not active else"
            " 'useful' if reconstruction + kl.sum() <= without_latent else 'wasted'"
        ),
    ),
    "idle_coordinates_left_out": wrong(
        "verdict",
        diagnosis=WORD.format(
            "'collapsed' if not active else"
            " 'useful' if reconstruction + kl[kl > ACTIVE].sum() < without_latent else 'wasted'"
        ),
    ),
    "allowance_taken_off": wrong(
        "free_bits", free_bits=FREE.format("ops.sum(ops.relu(ops.mean(kl, axis=0) - minimum))")
    ),
    "one_allowance_for_the_sum": wrong(
        "free_bits",
        free_bits=FREE.format("ops.maximum(ops.sum(ops.mean(kl, axis=0)), minimum * kl.shape[1])"),
    ),
}

RIGHT = {
    "reference": right(),
    "written_otherwise": right(
        sampling=SAMPLING.format(
            noise="keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)",
            z="mean + ops.sqrt(ops.exp(log_variance)) * noise",
        ),
        elbo_terms=TERMS.format(**GOOD),
        training_step="""
import tensorflow as tf
def training_step(loss, variables, optimizer):
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [v.value for v in variables])
    optimizer.apply_gradients(zip(gradients, variables))
    return float(value)
""",
        diagnosis=WORD.format(
            "'wasted' if active and reconstruction + kl.sum() >= without_latent"
            " else ('useful' if active else 'collapsed')"
        ),
        free_bits="def free_bits(kl, minimum):\n    return np.maximum(kl.mean(axis=0), minimum).sum()",
    ),
    "from_the_package": right(
        sampling="from helpers.layers import GaussianSampling as Sampling",
        elbo_terms="""
from helpers.losses import bernoulli_nll, gaussian_kl
def elbo_terms(x, logits, mean, log_variance):
    return bernoulli_nll(x, logits), gaussian_kl(mean, log_variance)
""",
        free_bits="from helpers.losses import free_bits",
    ),
    "loops": right(
        diagnosis="""
def diagnosis(kl, reconstruction, without_latent):
    active, rate = 0, 0.0
    for nats in kl:
        active += nats > ACTIVE
        rate += nats
    if not active:
        return active, "Collapsed"
    return active, "useful" if without_latent - reconstruction > rate else "wasted"
""",
        free_bits="""
def free_bits(kl, minimum):
    total = 0.0
    for k in range(kl.shape[1]):
        total += max(float(minimum), float(np.mean(kl[:, k], dtype="float64")))
    return total
""",
        elbo_terms="""
def elbo_terms(x, logits, mean, log_variance):
    nats = ops.softplus((1 - 2 * ops.convert_to_tensor(x)) * logits)
    kl = 0.5 * (ops.expm1(log_variance) - log_variance + ops.square(mean))
    for _ in range(3):
        nats = ops.sum(nats, axis=-1)
    while len(kl.shape) > 1:
        kl = ops.sum(kl, axis=-1)
    return nats, kl
""",
    ),
    "keras_does_it": right(
        sampling=SAMPLING.format(
            noise="keras.random.normal(ops.shape(mean), ops.convert_to_tensor(mean),"
            " ops.exp(0.5 * log_variance), seed=self.generator)",
            z="noise",
        ),
        elbo_terms="""
def elbo_terms(x, logits, mean, log_variance):
    nats = keras.losses.binary_crossentropy(x, logits, from_logits=True)  # averaged over channels
    kl = -0.5 * (1 + log_variance - mean**2 - ops.exp(log_variance))
    return ops.sum(nats, axis=(1, 2)) * x.shape[-1], ops.sum(kl, axis=tuple(range(1, kl.ndim)))
""",
        free_bits="def free_bits(kl, minimum):\n    return sum(ops.maximum(k, minimum) for k in ops.mean(kl, 0))",
    ),
    "no_seed_and_in_place": right(
        sampling=SAMPLING.format(noise="keras.random.normal(ops.shape(mean))", z=Z),
        training_step="""
def training_step(loss, variables, optimizer):
    optimizer.build(variables) if not optimizer.built else None
    value, gradients = value_and_grad(loss, variables)
    optimizer.apply(gradients)
    return float(np.array(value))
""",
        free_bits="""
def free_bits(kl, minimum):
    means = kl.mean(axis=0, dtype="float64")
    means[means < minimum] = minimum
    return means.sum()
""",
    ),
    "float64": right(
        elbo_terms="""
def elbo_terms(x, logits, mean, log_variance):
    x, logits, mean, log_variance = (ops.cast(a, "float64") for a in (x, logits, mean, log_variance))
    nats = ops.logaddexp(ops.zeros_like(logits), logits) - x * logits
    kl = 0.5 * (mean**2 + ops.exp(log_variance) - 1 - log_variance)
    return ops.sum(nats, axis=(1, 2, 3)), ops.sum(kl, axis=list(range(1, len(kl.shape))))
""",
    ),
    "tensorflow": right(
        sampling="""
import tensorflow as tf
class Sampling(layers.Layer):
    def call(self, mean, log_variance):
        mean = tf.convert_to_tensor(mean)
        return mean + tf.random.normal(tf.shape(mean)) * tf.exp(0.5 * log_variance)
""",
        elbo_terms="""
import tensorflow as tf
def elbo_terms(x, logits, mean, log_variance):
    nats = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
    flat = lambda t: tf.reduce_sum(tf.reshape(t, (tf.shape(t)[0], -1)), axis=1)
    return flat(nats), flat(kl)
""",
    ),
}
