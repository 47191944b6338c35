# %% [markdown]
# # Problem set 2: the parts of a VAE
#
# A VAE is an autoencoder with three more parts: a draw that gradients pass through, two sums in the right units, and the care to notice when its latent carries nothing. You write each of them, small enough to be tested by arithmetic and not by the luck of a training.
#
# **What you'll learn**
#
# - How randomness and gradients go together, and how noise can be frozen by accident.
# - Which axes are summed, which one is averaged, and what the unit of the result is.
# - What one training step does, to the last digit.
# - To tell from a table whether a latent is in use.
#
# **What you'll need.** Notebooks `03` and `07`, about 90 minutes, Keras.
#
# | task | points |
# |---|---|
# | 1 A sampling layer | 4 |
# | 2 The two terms of the ELBO | 5 |
# | 3 One training step | 4 |
# | 4 Collapse, from a table | 3 |
# | 5 Free bits | 2 + 2 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests your function and says what to think about. When you hand in, more tests run, on numbers that you do not see. Do not rename or delete cells; you may add cells of your own.

# %% readonly="setup"
from helpers.runs import set_up

set_up(0)

import keras
import numpy as np
from keras import layers, ops

from helpers import checks
from helpers.backend import value_and_grad

# %% [markdown]
# ## Task 1: a sampling layer
#
# The encoder gives a mean $\mu$ and $\log\sigma^2$, and the decoder wants a draw $z$ from $\mathcal N(\mu, \operatorname{diag}\sigma^2)$. Write it as $z = \mu + \sigma \varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$: then $z$ can be differentiated by $\mu$ and by $\log\sigma^2$.
#
# The noise must be new at every call, also where Keras has compiled the model. `keras.random.normal` takes a shape and, as its seed, a `keras.random.SeedGenerator`; the layer has made one in `__init__`.


# %% solution="sampling"
class Sampling(layers.Layer):
    """call(mean, log_variance) gives a draw from N(mean, diag σ²), of the same shape.

    log_variance is log σ².
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.generator = keras.random.SeedGenerator()

    def call(self, mean, log_variance):
        ### BEGIN SOLUTION
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        return mean + ops.exp(0.5 * log_variance) * noise
        ### END SOLUTION


# %% test="sampling_draws" points=2
import numpy as np

from helpers import checks

keras.utils.set_random_seed(1)
mean = np.tile(np.float32([3.0, -2.0]), (20_000, 1))
log_variance = np.tile(np.float32(np.log([4.0, 0.25])), (20_000, 1))
draws = checks.array(Sampling()(mean, log_variance))
checks.same(np.array(draws.shape), [20_000, 2], "A draw for every mean: the shape stays.")
checks.close(
    draws.mean(axis=0),
    [3, -2],
    "The draws do not scatter around the mean.",
    relative=0,
    absolute=0.1,
)
checks.close(
    draws.std(axis=0),
    [2, 0.5],
    "The variances are 4 and 0.25, so the standard deviations are 2 and 0.5. The layer is given "
    "log σ²: what makes σ of it?",
    relative=0.04,
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(8128)
for shape in ((6000, 3), (600, 4, 4, 2)):
    channels = shape[-1]
    mean = np.broadcast_to(rng.normal(size=channels).astype("float32"), shape)
    log_variance = np.broadcast_to(rng.normal(size=channels).astype("float32"), shape)
    z = checks.array(Sampling()(ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)))
    checks.same(np.array(z.shape), shape, "A spatial latent (B, h, w, c) keeps its shape.")
    noise = (z - mean) / np.exp(0.5 * log_variance)
    flat = noise.reshape(len(noise), -1)
    checks.close(noise.mean(), 0, "The noise has mean 0.", relative=0, absolute=0.06)
    checks.close(noise.std(), 1, "The noise has standard deviation 1.", relative=0.04)
    alike = np.corrcoef(flat.T) - np.eye(flat.shape[1])
    checks.true(
        np.abs(alike).max() < 0.3 and flat.std(axis=0).min() > 0.5,
        "Every number has noise of its own: not one draw for all coordinates, positions or images.",
    )
    checks.close(
        np.mean(np.abs(noise) < 1),
        0.683,
        "Mean and spread of the noise are right, its shape is not that of a normal distribution.",
        relative=0,
        absolute=0.04,
    )
### END HIDDEN TESTS

# %% test="sampling_is_fresh_and_differentiable" points=2
import numpy as np

from helpers import checks

layer, zeros = Sampling(), np.zeros((4, 3), "float32")
checks.true(
    np.abs(checks.array(layer(zeros, zeros)) - checks.array(layer(zeros, zeros))).max() > 1e-3,
    "Two calls gave the same noise. A whole number as seed always means the same numbers.",
)
### BEGIN HIDDEN TESTS
inputs = [keras.Input((3,)), keras.Input((3,))]
model = keras.Model(inputs, layer(*inputs))
one, two = (checks.array(model.predict([zeros, zeros], verbose=0)) for _ in range(2))
checks.true(
    np.abs(one - two).max() > 1e-3,
    "In a compiled model two calls gave the same noise. NumPy's noise is drawn once, when the "
    "model is compiled, and is a constant from then on.",
)
rng = np.random.default_rng(496)
mean = keras.Variable(rng.normal(size=(5, 3)).astype("float32"))
log_variance = keras.Variable(rng.normal(size=(5, 3)).astype("float32"))
weights, drawn = rng.normal(size=(5, 3)).astype("float32"), []


def weighted_sum():
    drawn.append(Sampling()(mean.value, log_variance.value))
    return ops.sum(drawn[-1] * weights)


_, (by_mean, by_log_variance) = value_and_grad(weighted_sum, [mean, log_variance])
checks.true(
    by_mean is not None and by_log_variance is not None,
    "No gradient reaches the mean or log σ². Is z made of them by operations of Keras?",
)
checks.close(by_mean, weights, "z moves with the mean, one to one.")
expected = 0.5 * weights * (checks.array(drawn[-1]) - checks.array(mean))
checks.close(
    by_log_variance, expected, "The gradient by log σ² is ½·σ·ε.", relative=1e-3, absolute=1e-4
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: the two terms of the ELBO
#
# For binary pictures $x \in \{0, 1\}^{H \times W \times C}$ the decoder gives logits, and
#
# $$-\log p(x \mid z) = \sum_{h, w, c} \text{cross-entropy}(x_{hwc}, \text{logit}_{hwc}), \qquad \mathrm{KL} = -\tfrac12 \sum_{k} \big(1 + \log\sigma_k^2 - \mu_k^2 - \sigma_k^2\big).$$
#
# Both are sums over everything that belongs to one image, in nats an image. The latent may be a vector $(B, K)$ or spatial, $(B, h, w, c)$; then all its positions are summed. Averaging over the batch comes later. Use `keras.ops`, so that the terms can be trained; note that Keras's own loss functions average over the last axis.


# %% solution="elbo_terms"
def elbo_terms(x, logits, mean, log_variance):
    """Reconstruction term and KL, two tensors (B,), in nats an image.

    x, logits: (B, H, W, C). mean, log_variance: (B, K) or (B, h, w, c); log σ².
    """

    ### BEGIN SOLUTION
    def per_image(values):
        return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)

    x, logits = ops.convert_to_tensor(x), ops.convert_to_tensor(logits)
    reconstruction = ops.binary_crossentropy(x, logits, from_logits=True)
    kl = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
    return per_image(reconstruction), per_image(kl)
    ### END SOLUTION


# %% test="reconstruction" points=3
import numpy as np

from helpers import checks

latent = np.zeros((2, 3), "float32")
picture = np.float32(np.random.default_rng(3).integers(0, 2, (2, 4, 5, 1)))
checks.close(
    elbo_terms(picture, np.zeros_like(picture), latent, latent)[0],
    np.full(2, 20 * np.log(2)),
    "A logit of 0 is a coin: log 2 nats a pixel, for each of the 20 pixels of an image, summed.",
    relative=1e-3,
)
three = np.repeat(picture, 3, axis=-1)
checks.close(
    elbo_terms(three, np.ones_like(three), latent, latent)[0],
    3 * checks.array(elbo_terms(picture, np.ones_like(picture), latent, latent)[0]),
    "Three equal channels are three times the data: is the channel axis summed, or averaged?",
    relative=1e-3,
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1729)
for shape in ((3, 4, 6, 1), (2, 5, 5, 3)):
    x = rng.integers(0, 2, shape).astype("float32")
    logits = rng.normal(size=shape).astype("float32") * 3
    logits[0, 0, 0] = 40.0 * (2 * x[0, 0, 0] - 1)  # sure and right
    logits[1, 0, 0] = -40.0 * (2 * x[1, 0, 0] - 1)  # sure and wrong
    nats = np.logaddexp(0, np.where(x == 1, -1.0, 1.0) * logits.astype("float64"))
    latent = np.zeros((shape[0], 2), "float32")
    checks.close(
        elbo_terms(x, logits, latent, latent)[0],
        nats.sum(axis=(1, 2, 3)),
        "On other pictures the term is wrong. Logits are no probabilities; every pixel and "
        "channel is summed; a logit of 40 on the wrong side costs 40 nats.",
        relative=1e-3,
    )
logits = keras.Variable(rng.normal(size=(2, 3, 3, 1)).astype("float32"))
x = rng.integers(0, 2, (2, 3, 3, 1)).astype("float32")
zeros = np.zeros((2, 2), "float32")
_, (gradient,) = value_and_grad(
    lambda: ops.sum(elbo_terms(x, logits.value, zeros, zeros)[0]), [logits]
)
expected = 1 / (1 + np.exp(-checks.array(logits))) - x
checks.close(
    gradient, expected, "The term cannot be trained: its gradient is not p − x.", relative=1e-3
)
### END HIDDEN TESTS

# %% test="kl" points=2
import numpy as np

from helpers import checks

picture = np.zeros((2, 2, 2, 1), "float32")
checks.close(
    elbo_terms(picture, picture, np.float32([[1, 2], [0, 0]]), np.zeros((2, 2), "float32"))[1],
    [2.5, 0],
    "The means 1 and 2 at log σ² = 0 cost ½ and 2 nats, summed; the prior itself costs nothing.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(6174)
for shape in ((2, 7), (3, 1), (2, 3, 4, 2)):
    mean, log_variance = rng.normal(size=(2, *shape)).astype("float32")
    sigma = np.exp(0.5 * log_variance.astype("float64"))
    each = 0.5 * (mean**2 + sigma**2 - 1) - np.log(sigma)
    picture = np.zeros((shape[0], 2, 2, 1), "float32")
    checks.close(
        elbo_terms(picture, picture, mean, log_variance)[1],
        each.reshape(shape[0], -1).sum(axis=1),
        "On other latents the KL is wrong. Sum over all coordinates, of a spatial latent over all "
        "positions too; the argument is log σ².",
        relative=1e-3,
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: one training step
#
# `value_and_grad(loss, variables)` calls the function `loss`, which takes nothing and returns a number, and gives the number and its gradients, one a variable. Write a step that evaluates the loss **once**, lets the optimizer change the variables by the gradients, and returns the loss as it was before the change.


# %% solution="training_step"
def training_step(loss, variables, optimizer):
    """Change the variables by one step of the optimizer; return the loss before it."""
    ### BEGIN SOLUTION
    value, gradients = value_and_grad(loss, variables)
    optimizer.apply(gradients, variables)
    return value
    ### END SOLUTION


# %% test="training_step" points=4
import numpy as np

from helpers import checks

weight = keras.Variable(np.float32([3.0, -1.0]))
value = training_step(lambda: ops.sum(weight.value**2), [weight], keras.optimizers.SGD(0.1))
checks.close(value, 10, "The loss at 3 and −1 is 9 + 1. Return it as it was before the step.")
checks.close(
    weight,
    [2.4, -0.8],
    "The gradient of w² is 2w, and a step of plain gradient descent takes 0.1 of it away.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(142857)
start = [rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")]
variables = [keras.Variable(s) for s in start]
target, calls = rng.normal(size=(3, 2)).astype("float32"), []


def loss():
    calls.append(1)
    a, b = variables
    return ops.sum((a.value - target) ** 2) + 3 * ops.sum(b.value**2)


rate, momentum = 0.03, 0.8
optimizer = keras.optimizers.SGD(rate, momentum=momentum)
place, speed = [s.astype("float64") for s in start], [0.0, 0.0]
for _ in range(3):
    expected = np.sum((place[0] - target) ** 2) + 3 * np.sum(place[1] ** 2)
    value = training_step(loss, variables, optimizer)
    checks.close(value, expected, "After some steps the loss is wrong.", relative=1e-3)
    gradients = [2 * (place[0] - target), 6 * place[1]]
    speed = [momentum * v - rate * g for v, g in zip(speed, gradients)]
    place = [p + v for p, v in zip(place, speed)]
    for variable, p in zip(variables, place):
        checks.close(
            variable,
            p,
            "After some steps the variables are wrong. One step of *this* optimizer a call: it "
            "remembers the steps before.",
            relative=1e-3,
            absolute=1e-4,
        )
checks.same(len(calls), 3, "The loss is evaluated once a step: a VAE would draw other noise.")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: collapse, from a table
#
# Of a trained VAE you know the mean KL of every latent coordinate over the data (in nats), the mean reconstruction term (nats an image), and what the best decoder *without* a latent reaches (nats an image): one that gives every image the same probabilities. A coordinate is *active* if its KL is above `ACTIVE`. The verdict is one of three words:
#
# - `"collapsed"`: no coordinate is active.
# - `"wasted"`: some are, but the latent costs at least as much as it saves: reconstruction and whole KL together are not below what the decoder without a latent reaches.
# - `"useful"`: some are, and it saves more than it costs.

# %% readonly="threshold"
ACTIVE = 0.01  # redrawn from [0.01, 0.02, 0.05]


# %% solution="diagnosis"
def diagnosis(kl, reconstruction, without_latent):
    """How many coordinates are active, and the verdict: (whole number, word).

    kl: array (K,). reconstruction, without_latent: numbers. All in nats.
    """
    ### BEGIN SOLUTION
    active = int(np.sum(np.asarray(kl) > ACTIVE))
    if active == 0:
        return 0, "collapsed"
    saves = reconstruction + np.sum(kl) < without_latent
    return active, "useful" if saves else "wasted"
    ### END SOLUTION


# %% test="active_coordinates" points=1
import numpy as np

from helpers import checks

checks.same(
    diagnosis(np.array([2.0, ACTIVE / 2, 0.3, 0.0]), 80.0, 200.0)[0],
    2,
    "Two of the four coordinates say more than the threshold.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(2718)
for size in (5, 16, 40):
    kl = rng.choice([0.0, ACTIVE * 0.6, ACTIVE * 1.5, 1.0], size=size)
    checks.same(
        diagnosis(kl, 90.0, 150.0)[0],
        np.sum(kl > ACTIVE),
        "In another table other coordinates are active: compare the KL of each with ACTIVE.",
    )
checks.same(
    diagnosis(np.array([ACTIVE, 3.0]), 90.0, 150.0)[0],
    1,
    "A coordinate whose KL equals ACTIVE is not above it.",
)
### END HIDDEN TESTS

# %% test="verdict" points=2
import numpy as np

from helpers import checks

kl = np.array([4.0, 6.0, 0.0])
hint = "The latent costs 10 nats. Here it saves 50: reconstruction 150 against 200 without it."
checks.same(diagnosis(kl, 150.0, 200.0)[1], "useful", hint)
hint = "The latent costs 10 nats and saves 5."
checks.same(diagnosis(kl, 195.0, 200.0)[1], "wasted", hint)
### BEGIN HIDDEN TESTS
hint = "On another table the verdict is another. Add the whole KL, also of idle coordinates."
rng = np.random.default_rng(3141)
for size in (3, 8, 20):
    kl = rng.uniform(0.2, 3, size)
    for saved, word in ((0.7, "wasted"), (1.3, "useful"), (-0.5, "wasted")):
        checks.same(diagnosis(kl, 120.0 - saved * kl.sum(), 120.0)[1], word, hint)
    idle = rng.uniform(0, 0.9 * ACTIVE, size)
    for without in (90.0, 120.0, 500.0):
        checks.same(
            diagnosis(idle, 100.0, without)[1],
            "collapsed",
            "No coordinate is active: the latent carries nothing, whatever the decoder reaches.",
        )
checks.same(
    diagnosis(np.array([4.0, 6.0]), 190.0, 200.0)[1],
    "wasted",
    "The latent costs 10 nats and saves 10: it costs at least as much as it saves.",
)
idle = np.full(400, 0.9 * ACTIVE)
idle[0] = 1.0
checks.same(diagnosis(idle, 100.0, 101.0 + 300 * ACTIVE)[1], "wasted", hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: free bits
#
# One remedy for collapse gives every coordinate $k$ an allowance of $\lambda$ nats: below it, the KL of that coordinate has no gradient. Per coordinate, the KL is first averaged over the batch, then raised to $\lambda$ where it is smaller; then the coordinates are summed:
#
# $$\sum_k \max\Big(\lambda,\; \tfrac1B \sum_b \mathrm{KL}_{bk}\Big).$$


# %% solution="free_bits"
def free_bits(kl, minimum):
    """The KL with an allowance, one number. kl: (B, K), nats. minimum: λ ≥ 0."""
    ### BEGIN SOLUTION
    return ops.sum(ops.maximum(ops.mean(kl, axis=0), minimum))
    ### END SOLUTION


# %% test="free_bits" points=2
import numpy as np

from helpers import checks

kl = np.float32([[0.0, 2.0], [0.4, 4.0]])
checks.close(
    free_bits(kl.copy(), 0.5),
    3.5,
    "The coordinates have means 0.2 and 3; the first is raised to 0.5. Average over the batch first.",
)
checks.close(free_bits(kl, 0.0), 3.2, "Without an allowance it is the mean KL of an image.")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(5772)
for batch, size, minimum in ((4, 6, 0.3), (7, 3, 1.0), (2, 9, 0.05)):
    kl = rng.exponential(minimum * 1.2, size=(batch, size)).astype("float32")
    expected = sum(max(minimum, column.mean()) for column in kl.T.astype("float64"))
    checks.close(
        free_bits(kl.copy(), minimum),
        expected,
        "On other numbers it is wrong. The allowance is one a coordinate: not one an image, and "
        "not one for all coordinates together.",
    )
### END HIDDEN TESTS

# %% [markdown]
# **A colleague reports**: "With free bits of 0.5 nats a coordinate and 32 coordinates, posterior collapse is gone: our KL is 16.0 nats." Is it gone? What would you look at?
#
# *Rubric, 2 points.* 1: what the number 16.0 says and what it does not, with the arithmetic. 1: two measurements that would tell, and what each would show if the latent were empty.

# %% [markdown] answer="free_bits_report" points=2
# No. 32 coordinates times 0.5 is 16.0, so every coordinate sits at its floor or below; a collapsed code would report the same number. I would look at the plain KL of each coordinate, without the maximum, and compare the reconstruction with that of the best decoder that sees no latent.
