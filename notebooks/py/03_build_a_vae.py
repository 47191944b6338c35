# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Build a VAE from scratch
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/03_build_a_vae.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/03_build_a_vae.ipynb) <!--badges-->
#
# ![Six rows of pictures. Both models restore held-out pictures as soft discs of the right colour and place. Drawn from a standard normal, the autoencoder gives dim pictures that resemble each other; the VAE gives one soft disc in each picture, in many muted colours and places. The autoencoder with a fitted Gaussian does so as well, in stronger colours.](../docs/pictures/03.png) <!--picture-->
#
# An autoencoder squeezes a picture into a few numbers and restores it. That sounds like half a machine for making pictures: throw the first network away, and feed the second with numbers of your own. It does not work. Finding out why leads, one part at a time, to the variational autoencoder (VAE).
#
# **What you'll do**
#
# - Train a plain autoencoder, ask it for new pictures, and measure how it fails.
# - Build what it lacks: an encoder that says how sure it is, a draw that gradients pass through, a decoder that states a probability, and a loss in nats per image.
# - Write one training step by hand, then the same as a Keras model, and check that the two agree.
# - Look at what you built: reconstructions, new pictures, what each latent number does, and what lies between two pictures.
#
# **What you'll learn**
#
# - A VAE is an autoencoder plus a few decisions, and each of them answers a failure that you have seen.
# - Why a random draw stops a gradient, and how one line lets it through.
# - What a VAE gives that its plain twin does not, and what the twin can be mended to do.
#
# **What you'll need**
#
# - Some Keras (`Dense`, `fit`), and the idea of a mean and a standard deviation.
# - About 2 minutes on 2 CPU cores and 1.5 GB of memory. The default pictures are drawn on the spot; the other sets are downloaded once.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "pets", "mnist", "fashion_mnist"
seed = 0  # of the pictures, the first weights and every random draw
images = 4000  # pictures to train on, at most
size = 32  # side of a picture in pixels
latent = 8  # K, how many numbers make a code
width = 512  # units of each hidden layer
epochs = 40  # passes over the pictures, for the autoencoder and for the VAE
batch_size = 64  # pictures in one training step
learning_rate = 0.003  # of Adam, at the start; it falls to zero along half a cosine
sigma = 0.1  # spread of a pixel around the decoder's answer, on the scale from 0 to 1
beta = 1.0  # weight of the KL in the VAE's loss; 1 is the ELBO

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    dataset=["shapes", "pets", "mnist", "fashion_mnist"],
    seed=range(2**32),
    images=range(64, 60_001),
    size=[16, 24, 28, 32, 48, 64],
    latent=range(2, 257),
    width=range(8, 4097),
    epochs=range(1, 1001),
    batch_size=range(1, 1025),
    learning_rate=(1e-5, 0.1),
    sigma=(0.001, 1.0),
    beta=(0.0, 1000.0),
)
set_up(seed)

# %%
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import backend, data, models, plots, training
from helpers.layers import DepthToSpaceUp

plots.use()


def compare(name, yours, true, hint):
    # Your value beside the true one; stops with a hint where they differ.
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.4g}'}")
    assert yours is None or abs(yours - true) <= 0.005 * max(1, abs(true)), hint


# %% [markdown]
# ## The pictures
#
# Small pictures, so that a CPU is enough. From the set `shapes` we ask for its easy side: one object in each picture, on faint texture. No network is told anything about discs or colours. Some pictures are kept aside (*held out*); the numbers and pictures below are about those.

# %%
easy = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02, "annotators": 1}
options = {"size": size, "seed": seed} | (easy if dataset == "shapes" else {})
limits = {"train": images, "val": min(images, 1000)}
loaded = [data.load(dataset, split, limit=n, **options) for split, n in limits.items()]
train, held_out = (data.to_float(part.images) for part in loaded)
shape = train.shape[1:]  # (H, W, C)
print(f"{len(train)} to train on, {len(held_out)} held out, each {shape}: D = {math.prod(shape)}")

# %% [markdown]
# ## An autoencoder
#
# Two networks, one behind the other. The **encoder** takes a picture of $D$ numbers and returns a code of $K$ numbers. The **decoder** takes $K$ numbers and returns a picture. They are trained together to give back what went in.
#
# Two layers change the resolution. `Conv2D(32, 4, 4)`, a convolution whose stride is its kernel, cuts the picture into patches of 4×4 pixels and describes each by 32 numbers. `DepthToSpaceUp(C, 4)` from `helpers` is the way back: it unfolds every cell into 4×4 pixels. Both cost a fraction of the usual strided and transposed convolutions.
# In between, dense layers look at the whole picture at once. The `Rescaling` layers let the networks work with numbers that spread around zero, where they learn faster: they subtract the mean brightness and divide by a quarter, and undo it at the end.


# %%
def build_encoder(shape, latent, heads=("code",)):
    """A network `(B, H, W, C)` → one `(B, K)` for each head."""
    image = keras.Input(shape)
    h = layers.Rescaling(4.0, offset=-4.0 * brightness)(image)
    h = layers.Conv2D(32, 4, 4, activation="silu")(h)  # (B, H/4, W/4, 32)
    h = layers.Flatten()(h)
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    outputs = [layers.Dense(latent, name=name)(h) for name in heads]
    return keras.Model(image, outputs if len(heads) > 1 else outputs[0], name="encoder")


def build_decoder(shape, latent):
    """A network `(B, K)` → `(B, H, W, C)`."""
    h = code = keras.Input((latent,))
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    small = (shape[0] // 4, shape[1] // 4, 32)
    h = layers.Dense(math.prod(small), activation="silu")(h)
    h = layers.Reshape(small)(h)  # (B, H/4, W/4, 32)
    h = DepthToSpaceUp(shape[-1], 4, activation=None)(h)  # (B, H, W, C)
    return keras.Model(code, layers.Rescaling(0.25, offset=brightness)(h), name="decoder")


brightness = float(train.mean())


# %%
def adam():
    steps = epochs * math.ceil(len(train) / batch_size)
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))


def rmse(pictures):
    # Typical error of a pixel of the held-out pictures, on the scale from 0 to 1.
    return float(np.sqrt(np.mean((pictures - held_out) ** 2)))


ae_encoder, ae_decoder = build_encoder(shape, latent), build_decoder(shape, latent)
autoencoder = keras.Model(ae_encoder.input, ae_decoder(ae_encoder.output))
autoencoder.compile(optimizer=adam(), loss="mse")
how = {"batch_size": batch_size, "epochs": epochs, "verbose": 0, "callbacks": [training.Progress()]}
autoencoder.fit(train, train, **how)

codes = ae_encoder.predict(held_out, verbose=0)  # (N, K)
restored = ae_decoder.predict(codes, verbose=0)  # (N, H, W, C)
print(f"error of a pixel {rmse(restored):.3f}, of the mean picture {rmse(train.mean(axis=0)):.3f}")

# %% [markdown]
# In the stored run a pixel is off by 0.056<!--=ae_rmse-->, against 0.131<!--=mean_rmse--> if one always shows the mean picture. Most of what is left is texture and noise, which eight numbers cannot hold.
#
# ## Can it make new pictures?
#
# The decoder turns *any* eight numbers into a picture. So let us draw eight numbers and look.
#
# > **Predict first.** Draw each number from the standard normal, $\mathcal N(0, 1)$. Will the decoder answer with (a) pictures like the training pictures, (b) mixtures of several of them, (c) nothing of the kind? What would you have to know about the codes to be sure?


# %%
def normal(count):
    """Draws from N(0, I), the same ones at every call: `(count, K)`."""
    return np.random.default_rng(seed + 1).standard_normal((count, latent)).astype("float32")


def show_rows(rows, alt, count=12):
    # `rows` maps a label to the pictures beside it.
    pictures = [np.clip(row[:count], 0, 1) for row in rows.values()]
    plots.show(plots.image_grid(pictures, row_labels=list(rows)), alt=alt)


ae_drawn = ae_decoder.predict(normal(1000), verbose=0)
show_rows(
    {"held out": held_out, "restored": restored, "drawn": ae_drawn},
    alt="Three rows of pictures. Held out: one coloured object on faint texture each. Restored: the same colours in the same places, as soft discs. Drawn: dim, nearly colourless pictures, with a faint blot near the middle at most.",
)

# %% [markdown]
# The decoder is in order: the second row proves it. What fails is our choice of numbers. The decoder has only ever seen codes that the encoder made, and nobody told the encoder where to put them. Here is where it did.

# %%
middle, spread, covariance = codes.mean(axis=0), codes.std(axis=0, ddof=1), np.cov(codes.T)
correlation = np.abs(np.corrcoef(codes.T) - np.eye(latent)).max()
print(
    f"spread of a coordinate      {spread.min():5.2f} to {spread.max():.2f}  (standard normal: 1)"
)
print(
    f"mean of a coordinate        {middle.min():5.2f} to {middle.max():.2f}  (standard normal: 0)"
)
print(f"largest correlation of two          {correlation:.2f}  (standard normal: 0)")

# %% [markdown]
# In the stored run a coordinate of the codes spreads by up to 5.0<!--=ae_spread_max-->, and two of them correlate by up to 0.22<!--=ae_correlation-->. Draws with a spread of 1 all land near the centre of that territory, where the decoder can only answer with an average of everything.
#
# That suggests a repair that is only fair to try: fit a Gaussian to the codes and draw from *that*. And for a comparison we want a number beside the eye. Average each picture over cells of 4×4 pixels (as if seen from afar), and compare two clouds of such pictures by their means $m$ and covariances $C$:
#
# $$d^2 = \|m_1 - m_2\|^2 + \operatorname{tr}\big(C_1 + C_2 - 2(C_1 C_2)^{1/2}\big).$$
#
# This is the squared **Fréchet distance** of two Gaussians. Divide it by $\operatorname{tr}\, C$ of the training pictures, take the root, and it has a scale: 0 is the same mean and covariance, 1 is no better than one mean picture for ever. It is coarse (a ghost of the right colour costs little), but no contestant was trained for it.


# %%
def from_afar(pictures):
    n, h, w, c = pictures.shape
    return pictures.reshape(n, h // 4, 4, w // 4, 4, c).mean(axis=(2, 4)).reshape(n, -1)


def frechet(pictures):
    """Distance to the training pictures: 0 is the same cloud, 1 the mean picture alone."""
    a, b = from_afar(train), from_afar(pictures)
    ca, cb = np.cov(a.T), np.cov(b.T)
    # tr (Ca Cb)^½ is the sum of the square roots of the eigenvalues, all real and ≥ 0.
    cross = np.sqrt(np.clip(np.linalg.eigvals(ca @ cb).real, 0, None)).sum()
    squared = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(ca) + np.trace(cb) - 2 * cross
    return float(np.sqrt(max(squared, 0) / np.trace(ca)))


fitted = np.random.default_rng(seed + 1).multivariate_normal(middle, covariance, 1000)
ae_fitted = ae_decoder.predict(fitted.astype("float32"), verbose=0)
distances = {"held out": held_out, "AE, N(0, I)": ae_drawn, "AE, fitted Gaussian": ae_fitted}
distances = {name: frechet(pictures) for name, pictures in distances.items()}
print(*(f"{name:<20} {d:.2f}" for name, d in distances.items()), sep="\n")

# %% [markdown]
# In the stored run the draws from $\mathcal N(0, I)$ stand at 0.74<!--=frechet_ae-->: much nearer to one mean picture for ever than to real pictures outside the training set, which stand at 0.11<!--=frechet_held_out-->. The fitted Gaussian brings the autoencoder to 0.19<!--=frechet_ae_fitted-->. So the repair works here, and we keep it as a contestant.
# What it does not give is a *model*: nothing in the training promised that the codes would have a simple shape, and nothing tells how probable a given picture is. The VAE makes both part of the training.
#
# ## An encoder that says how sure it is
#
# A plain encoder names one point. Between the points that it named, anything may happen, because the decoder is never asked. So let the encoder name a *region* instead: for each coordinate a mean $\mu$ and a spread $\sigma_z$, that is $q(z \mid x) = \mathcal N(\mu, \operatorname{diag} \sigma_z^2)$. In training the decoder receives a random point of the region, so it has to
# answer well everywhere in it.
#
# Two things need care. A spread is positive, a network's output is not: so the head (the last layer, one for each output) gives $\log \sigma_z^2$, for which every real number is right. And if regions are all that we ask for, the encoder will shrink them to points and we are back. There has to be a price for being sure, and a reward for staying where we will later draw: the divergence from the standard normal,
#
# $$\mathrm{KL} = \tfrac12 \sum_k \big(\mu_k^2 + \sigma_k^2 - 1 - \log \sigma_k^2\big),$$
#
# zero for $\mu = 0, \sigma_k = 1$, and growing when a region moves away or narrows. Notebook `04` derives it. Its unit is the nat, and it is *summed* over the $K$ coordinates.


# %%
def gaussian_kl(mean, log_variance):
    """KL(q‖N(0, I)), two times `(B, K)` → `(B,)`, nats per image. Takes log σ²."""
    return 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=-1)


def vae_networks():
    """Encoder with two heads and decoder, with the same first weights at every call."""
    keras.utils.set_random_seed(seed)
    encoder = build_encoder(shape, latent, heads=("mean", "log_variance"))
    # Start with small regions (σ_z = 0.22), or the first pictures drown in noise.
    first = [np.zeros((width, latent)), np.full(latent, -3.0)]
    encoder.get_layer("log_variance").set_weights(first)
    return encoder, build_decoder(shape, latent)


# %% [markdown]
# ## How does a gradient get through a draw?
#
# The picture goes into the encoder, the encoder gives $\mu$ and $\sigma_z$, a random generator draws $z \sim \mathcal N(\mu, \sigma_z^2)$, the decoder answers, the loss is computed. Now go backwards. The slope of the loss by $z$ is easy. The slope of $z$ by $\mu$ is not: a random generator returns a number, and a number has no history.
#
# > **Predict first.** If the gradient stops at the draw, the encoder still learns from the KL, which depends on $\mu$ and $\sigma_z$ directly. What encoder will that make?
#
# The way out takes one line. Draw $\varepsilon \sim \mathcal N(0, 1)$, which depends on nothing, and *compute* $z = \mu + \sigma_z\,\varepsilon$. The draw is the same, but now $z$ is an ordinary function of $\mu$ and $\sigma_z$ with slopes 1 and $\varepsilon$. This is the **reparameterisation trick**.


# %%
def reparameterise(mean, log_variance, noise):
    """z = μ + σ·ε, all `(B, K)`."""
    return mean + ops.exp(0.5 * log_variance) * noise


def encoder_gradient(encoder, decoder, x, noise, reconstruct=True, cut=False):
    """Gradient of squared error + KL by the encoder's weights, as one vector."""

    def loss():
        mean, log_variance = encoder(x)
        z = reparameterise(mean, log_variance, noise)
        z = ops.stop_gradient(z) if cut else z  # numbers without a history
        error = ops.sum((decoder(z) - x) ** 2) if reconstruct else 0.0
        return error + ops.sum(gaussian_kl(mean, log_variance))

    gradients = backend.value_and_grad(loss, encoder.trainable_variables)[1]
    return np.concatenate([ops.convert_to_numpy(g).ravel() for g in gradients])


# %% tags=["nbval-check-output"]
trial = (*vae_networks(), *map(ops.convert_to_tensor, (train[:32], normal(32))))
with_trick = encoder_gradient(*trial)
raw = encoder_gradient(*trial, cut=True)
kl_alone = encoder_gradient(*trial, reconstruct=False)
print("raw draw: gradient equals that of the KL alone:", np.allclose(raw, kl_alone, atol=1e-6))
print("with the trick it does:", np.allclose(with_trick, kl_alone, atol=1e-6))
assert np.allclose(raw, kl_alone, atol=1e-6) and not np.allclose(with_trick, kl_alone, atol=1e-6)

# %% [markdown]
# With a raw draw not one bit of the reconstruction reaches the encoder. It is trained by the KL alone, and the KL alone wants $\mu = 0, \sigma_z = 1$ for *every* picture: a code that says nothing. No error is raised, and the loss falls.
#
# There is another way to get a gradient through a draw, and it does not even need the slope of the decoder: $\nabla_\mu \mathbb E[f(z)] = \mathbb E\big[f(z)\,\nabla_\mu \log q(z)\big]$, the **score-function** estimator. It is right on average. Its trouble is the noise. Take $f(z) = \sum_k (z_k - 3)^2$ at $\mu = 0, \sigma_z = 1$, where the true slope by $\mu_1$ is $-6$, and look at
# single draws of both estimators.

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
print("  K   with the trick          score function          draws to make up for it")
for k in (1, 8):
    eps = rng.standard_normal((1_000_000, k))
    pathwise = 2 * (eps[:, 0] - 3)
    score = np.sum((eps - 3) ** 2, axis=1) * eps[:, 0]
    exact = math.sqrt(222 + 278 * (k - 1) + 100 * (k - 1) ** 2)  # spread of score, on paper
    print(f"{k:>3}   mean -6, spread 2.0     mean -6, spread {exact:4.1f}   {exact**2 / 4:8.0f}")
    assert abs(pathwise.mean() + 6) < 0.02 and abs(pathwise.std() - 2) < 0.02
    assert abs(score.mean() + 6) < 0.5 and abs(score.std() / exact - 1) < 0.02

# %% [markdown]
# Both agree on $-6$, but with eight coordinates the score function needs 1,767 draws to be as exact as the trick with one: it learns only from how large $f$ was, and so every coordinate is blamed for the others' luck.
#
# **Exercise 1.** The spread 2.0 in the left column does not depend on $K$. Where does it come from? Work out the *variance* of $2(z_1 - 3)$ for $z_1 = \mu_1 + \sigma_z \varepsilon$ with $\sigma_z = 0.5$.

# %%
your_variance = None  # ← your number
compare("variance at σ = 0.5", your_variance, (2 * 0.5) ** 2, "A factor enters squared.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $2(\mu_1 + \sigma_z\varepsilon - 3)$ is a constant plus $2\sigma_z\varepsilon$, so its variance is $4\sigma_z^2 = 1$. The other coordinates do not occur in it. And it shrinks with the encoder's own spread: the surer the encoder, the quieter its gradient.
#
# </details>
#
# ### A fault to know: one spread, tied to the mean
#
# One published recipe has no second head. It draws $z = \mu + \|\mu\|\,\varepsilon$: the spread is the length of the mean vector, the same for all coordinates. The gradient passes. What is wrong with it?
#
# > **Predict first.** Which $\mu$ makes the KL of *this* $q$ zero?


# %% tags=["nbval-check-output"]
def tied_kl(mean):
    """KL(N(μ, ‖μ‖²I)‖N(0, I)), `(B, K)` → `(B,)`, nats."""
    squared = ops.sum(mean**2, axis=-1, keepdims=True)  # σ², one for all coordinates
    return gaussian_kl(mean, ops.log(squared) + ops.zeros_like(mean))


for length in (0.001, 1.0, 2.0):
    nats = float(tied_kl(ops.array([[length, 0.0]]))[0])
    print(f"K = 2, |mean| = {length:<5}  KL = {nats:5.2f} nats")
mean = keras.Variable([0.0, 0.0])
slope = backend.value_and_grad(lambda: ops.sqrt(ops.sum(mean**2)), [mean])[1][0]
print("gradient of the spread at mean 0:", ops.convert_to_numpy(slope))
assert np.isnan(ops.convert_to_numpy(slope)).all()

# %% [markdown]
# No $\mu$ does. A code near the origin is forced to be sure, at 12.8 nats; a code far out is forced to be vague. The encoder cannot say "I am sure, and it is over there", nor "I do not know" of one coordinate and "I do" of another: the ratio of signal to noise is 1 for every picture. And at $\mu = 0$ the root has no slope, so the gradient is not a number, and one step later no weight is.
#
# **Exercise 2.** For $K = 2$, at which length of $\mu$ is this KL smallest? (Write the KL with $r = \|\mu\|$ and set its derivative to zero. It never reaches zero nats.)

# %%
your_length = None  # ← your number
compare("length of the mean", your_length, math.sqrt(2 / 3), "Slope: r + K(r − 1/r).")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\tfrac12\big(r^2 + K(r^2 - 1 - 2\log r)\big)$ has the slope $r + K(r - 1/r)$, which is zero at $r^2 = K/(K+1)$: $r = \sqrt{2/3} = 0.816$. There the KL is still $\tfrac K2 \log\tfrac{K+1}{K} = 0.405$ nats.
#
# </details>
#
# ## A decoder that states a probability
#
# What goes onto the scales against the KL? Not "the error" in whatever unit, but a quantity in nats as well: $-\log p(x \mid z)$, how improbable the decoder finds the true picture. So the decoder's output has to be read as a distribution. For coloured pixels we take a Gaussian around each value, $p(x_i \mid z) = \mathcal N(\hat x_i, \sigma^2)$, all independent given $z$:
#
# $$-\log p(x \mid z) = \sum_{i=1}^{D} \Big[ \frac{(x_i - \hat x_i)^2}{2\sigma^2} + \log \sigma + \tfrac12 \log 2\pi \Big].$$
#
# It is the squared error that we know, in a currency: $\sigma$ says how many nats an error is worth. Here $\sigma = 0.1$ is fixed; notebook `07` learns it. The sum goes over all pixels *and* channels. An average over $D = 3072$ would make pixels three thousand times cheaper than codes, and the KL would win everything.
#
# Many tutorials put *binary cross-entropy* here. For pixels that are 0 or 1 it is exactly $-\log p$ of a coin. For grey values it is not $-\log$ of any density, as one can test: a density must have the integral 1.

# %% tags=["nbval-check-output"]
grey, line = np.linspace(0, 1, 10_001), np.linspace(-3, 4, 10_001)
for p in (0.5, 0.9):
    cross_entropy = -(grey * np.log(p) + (1 - grey) * np.log(1 - p))
    density = np.exp(-0.5 * ((line - p) / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi))
    areas = np.trapezoid(np.exp(-cross_entropy), grey), np.trapezoid(density, line)
    print(f"answer {p}: area under exp(-BCE) {areas[0]:.3f}, under the Gaussian {areas[1]:.3f}")
    assert areas[0] < 0.6 and abs(areas[1] - 1) < 1e-6

# %% [markdown]
# The area under $e^{-\mathrm{BCE}}$ depends on the answer, and so the loss secretly prefers some answers to others. Its nats are no nats. (The Gaussian has its own small sin: it gives some probability to values below 0 and above 1.)
#
# **Exercise 3.** The decoder restores a picture of 3,072 values *perfectly*, and $\sigma = 0.1$. How many nats is $-\log p(x \mid z)$? Mind the sign.

# %%
your_nats = None  # ← your number
perfect = 3072 * (math.log(0.1) + 0.5 * math.log(2 * math.pi))
compare("a perfect picture, nats", your_nats, perfect, "log σ + ½ log 2π each.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $3072 \cdot (\log 0.1 + \tfrac12\log 2\pi) = 3072 \cdot (-2.303 + 0.919) = -4251$ nats. It is negative because a density may exceed 1: at its peak the Gaussian with $\sigma = 0.1$ is 4 high. So this is a floor below which no loss with this $\sigma$ can fall, and only differences between losses mean anything.
#
# </details>
#
# ## One training step by hand
#
# All parts are here. The loss of a picture is $-\log p(x \mid z) + \mathrm{KL}$ with one draw of $z$: on average over draws, the negative **evidence lower bound** (ELBO), which notebook `04` derives. (The parameter `beta` weighs the KL; below 1 the loss is no bound any more, above 1 it is a looser one.) One step: draw the noise, compute the loss, ask for its slopes by all weights, let the optimiser move them. One epoch of such steps:


# %%
def gaussian_nll(x, mean, sigma):
    """−log p(x|z), two times `(B, H, W, C)` → `(B,)`, nats per image. Takes σ."""
    values = 0.5 * ((x - mean) / sigma) ** 2 + math.log(sigma) + 0.5 * math.log(2 * math.pi)
    return ops.sum(values, axis=(1, 2, 3))


def terms(encoder, decoder, x, noise):
    """−log p(x|z) and KL, each `(B,)`, nats per image."""
    mean, log_variance = encoder(x)
    z = reparameterise(mean, log_variance, noise)
    return gaussian_nll(x, decoder(z), sigma), gaussian_kl(mean, log_variance)


def train_step(x):
    noise = keras.random.normal((len(x), latent), seed=draws)

    def loss():
        reconstruction, kl = terms(encoder, decoder, x, noise)
        return ops.mean(reconstruction + beta * kl)

    value, gradients = backend.value_and_grad(loss, weights)
    optimizer.apply(gradients, weights)
    return float(value)


# %%
encoder, decoder = vae_networks()
weights = encoder.trainable_variables + decoder.trainable_variables
optimizer, draws = adam(), keras.random.SeedGenerator(seed)
starts = range(0, len(train), batch_size)
trace = [train_step(ops.convert_to_tensor(train[i : i + batch_size])) for i in starts]
print(f"loss {trace[0]:.1f} in step 1, {trace[-1]:.1f} nats per image in step {len(trace)}")

# %% [markdown]
# In the stored run one epoch takes the loss from −1245<!--=first_loss--> to −3249<!--=last_loss--> nats; the floor of Exercise 3 is −4251. Everything that follows is this loop, some forty times.
#
# ## The same as a Keras model
#
# A Keras model brings batching, compilation, progress, evaluation and saving. It asks for two methods. `call` says what the model answers: outside training the reconstruction from the mean, without noise. `compute_loss` says what to minimise. In training, `call` already returns the two terms, so that no network runs twice in a step.


# %%
class VAE(keras.Model):
    """The loss is −log p(x|z) + β·KL, in nats per image."""

    def __init__(self, encoder, decoder, beta=1.0, seed=None):
        super().__init__()
        self.encoder, self.decoder, self.beta = encoder, decoder, beta
        self.draws = keras.random.SeedGenerator(seed)
        self.means = [keras.metrics.Mean(name) for name in ("reconstruction", "kl")]

    def terms(self, x, noise=None):
        if noise is None:
            noise = keras.random.normal((ops.shape(x)[0], latent), seed=self.draws)
        return terms(self.encoder, self.decoder, x, noise)

    def call(self, x, training=False):
        return self.terms(x) if training else self.decoder(self.encoder(x)[0])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction, kl = y_pred if training else self.terms(x)
        for mean, values in zip(self.means, (reconstruction, kl)):
            mean.update_state(values)
        return ops.mean(reconstruction + self.beta * kl)


# %% [markdown]
# Two checks before we trust it. First, one epoch of `fit`, from the same weights, with the same noise and the same order of pictures, must lead to the same place as the loop. Second, the later notebooks use `helpers.models.VAE`, which also learns $\sigma$, saves itself and more. On the same networks and the same noise, both terms have to be equal.

# %% tags=["nbval-check-output"]
by_fit = VAE(*vae_networks(), beta, seed)
by_fit.compile(optimizer=adam())
by_fit.fit(train, batch_size=batch_size, shuffle=False, verbose=0)
some, noise = map(ops.convert_to_tensor, (held_out[:32], normal(32)))
both = [terms(encoder, decoder, some, noise), by_fit.terms(some, noise)]
loop, fit = (float(ops.mean(nll + kl)) for nll, kl in both)
print("fit ends where the loop ends:", abs(fit / loop - 1) < 0.01)
assert abs(fit / loop - 1) < 0.01, f"Loop {loop:.1f}, fit {fit:.1f} nats."

helper = models.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma)
for name, mine, theirs in zip(("reconstruction", "KL"), both[0], helper.terms(some, noise)):
    gap = float(ops.max(ops.abs(mine - theirs)))  # nats; float32 sums of thousands of terms
    print(f"{name} equals that of helpers.models.VAE: {gap < 0.02}")
    assert gap < 0.02, f"{name} differs by {gap} nats: log σ or log σ²? Summed per image?"

# %% [markdown]
# Now the training proper: the same networks, the same number of steps, the same optimiser as the autoencoder had.

# %%
vae = VAE(*vae_networks(), beta, seed)
vae.compile(optimizer=adam())
vae.fit(train, **how)

scores = vae.evaluate(held_out, verbose=0, return_dict=True)
reconstructed = vae.predict(held_out, verbose=0)
print(f"reconstruction {scores['reconstruction']:.1f}, KL {scores['kl']:.1f} nats per image")
print(f"error of a pixel: VAE {rmse(reconstructed):.3f}, autoencoder {rmse(restored):.3f}")

# %% [markdown]
# In the stored run a code costs 27.5<!--=kl--> nats, that is 40<!--=kl*1.442695--> bits, and from it a pixel is restored to within 0.056<!--=vae_rmse-->. The formula and the figure agree: an error of about 0.056<!--=vae_rmse--> in each of 3,072 values costs $3072 \cdot \tfrac12 (0.056/0.1)^2 \approx 480$ nats, and the term printed above lies about so far above the floor of −4251.
#
# > **Predict first.** Four contestants now draw pictures: the autoencoder from $\mathcal N(0, I)$ and from its fitted Gaussian, the VAE from $\mathcal N(0, I)$ and, for fairness, also from a Gaussian fitted to *its* codes. Order them by distance.

# %% tags=["picture"]
mean, log_variance = vae.encoder.predict(held_out, verbose=0)  # two times (N, K)
vae_drawn = vae.decoder.predict(normal(1000), verbose=0)
# Codes are draws from the regions, so their covariance is that of the means plus the regions' own.
vae_covariance = np.cov(mean.T) + np.diag(np.exp(log_variance).mean(axis=0))
vae_codes = np.random.default_rng(seed + 1).multivariate_normal(mean.mean(0), vae_covariance, 1000)
vae_fitted = vae.decoder.predict(vae_codes.astype("float32"), verbose=0)
distances |= {"VAE, N(0, I)": frechet(vae_drawn), "VAE, fitted Gaussian": frechet(vae_fitted)}
print(*(f"{name:<20} {d:.2f}" for name, d in distances.items()), sep="\n")
names = ["held out", "restored, AE", "restored, VAE", "drawn, AE", "drawn, AE fitted", "drawn, VAE"]
rows = [held_out, restored, reconstructed, ae_drawn, ae_fitted, vae_drawn]
alt = "Six rows of pictures. Both models restore held-out pictures as soft discs of the right colour and place. Drawn from a standard normal, the autoencoder gives dim pictures that resemble each other; the VAE gives one soft disc in each picture, in many muted colours and places. The autoencoder with a fitted Gaussian does so as well, in stronger colours."
show_rows(dict(zip(names, rows)), alt=alt)

# %% [markdown]
# In the stored run the VAE's draws from $\mathcal N(0, I)$ stand at 0.38<!--=frechet_vae-->, the autoencoder's at 0.74<!--=frechet_ae-->. The reconstructions of the two cannot be told apart. So the price that the KL asks is small here, and it buys codes that lie where we draw.
#
# Not quite where we draw, though. The VAE's codes spread by 1.4<!--=vae_spread--> on average and not by 1, so its draws are a little too tame, and a Gaussian fitted to its codes brings it to 0.21<!--=frechet_vae_fitted-->. This is not yet the optimum: dividing all codes by 1.4, and undoing it in the decoder's first layer, would leave every picture as it is and lower the KL. But by little, $8\,(\tfrac12(1.4^2 - 1) - \log 1.4) \approx 1.1$ nats of thousands, and the optimiser follows the steep slopes first.
# The mended autoencoder, at 0.19<!--=frechet_ae_fitted-->, is a match for it in this distance: with few coordinates and smooth pictures, a Gaussian fitted afterwards goes a long way (Ghosh et al., 2020, say so for larger models). If pictures are all you want, that is a fair choice. What the VAE has besides is a bound on $\log p(x)$ for every picture, and a code that knows its own precision.
#
# All of them draw *discs*: no squares, no triangles, no texture. Eight numbers go to place, size and colours, which are worth the most nats; corners come next, and texture is far too dear. Notebook `07` explains the blur.
#
# ## What does each number do?
#
# Hold seven numbers at zero and move the eighth from −2 to 2. This is a **traversal**. The rows are ordered by what a coordinate costs (its mean KL), and beside each stands the known factor of the picture with which its mean correlates best.

# %%
kl_each = (0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)).mean(axis=0)  # (K,)
order = np.argsort(-kl_each)[:6]
steps = np.linspace(-2, 2, 9)
known, walks, labels, best = loaded[1].factors, [], [], []
for k in order:
    walk = steps[:, None] * np.eye(latent)[k]  # (9, K), zero but for coordinate k
    walks.append(np.clip(vae.decoder.predict(walk, verbose=0), 0, 1))
    r = {name: np.corrcoef(mean[:, k], f)[0, 1] for name, f in known.items() if np.std(f) > 0}
    name = max(r, key=lambda name: abs(r[name]), default=None)
    best.append(abs(r[name]) if name else 0.0)
    labels.append(f"z{k}: {kl_each[k]:.1f} nats" + (f"\n{name}, r {r[name]:+.2f}" if name else ""))
figure = plots.image_grid(walks, row_labels=labels, column_labels=[f"{s:+.1f}" for s in steps])
alt = "Six rows of nine pictures, one latent number moving from minus two to two in each. In some rows the disc wanders, in others the colour of the ground or of the disc changes, and most rows do two things at once."
plots.show(figure, alt=alt)

# %% [markdown]
# The strongest correlation with a known factor is 0.80<!--=best_correlation--> in the stored run. Most rows do more than one thing at a time. That is no accident: the prior $\mathcal N(0, I)$ looks the same from every direction, so nothing in the loss asks for one factor per coordinate. If you rotate all codes and turn the decoder's first layer back, prior and reconstructions stay the same. (The diagonal shape of $q$ prefers some axes to others, but not for the sake of our factors.)
#
# ## What lies between two pictures?
#
# Take two held-out pictures, and go from one to the other in equal steps: once by mixing pixels, once by mixing codes.

# %%
t = np.linspace(0, 1, 9, dtype="float32")[:, None]  # (9, 1)
line = mean[0] + t * (mean[5] - mean[0])  # (9, K)
fade = reconstructed[0] + t[..., None, None] * (reconstructed[5] - reconstructed[0])
show_rows(
    {"mixed pixels": fade, "mixed codes": vae.decoder.predict(line, verbose=0)},
    alt="Two rows of nine pictures between the same two ends. Mixed pixels: one disc fades out while another fades in, and in the middle there are two half-transparent discs. Mixed codes: a single disc changes its place and colour on the way.",
    count=9,
)

# %% [markdown]
# The fade passes through pictures with two half objects, which the set does not contain. The codes pass through pictures with one, softer in the middle. Why a straight line? Because the regions of many pictures overlap along it, and there the decoder has been trained. With many coordinates there is a catch: two independent draws of length about $\sqrt K$ are nearly at right angles, so their midpoint
# has only length $\sqrt{K/2}$, shorter than the codes that the decoder knows. With $K = 8$ this does not hurt yet. The second exercise below walks along an arc instead.

# %% tags=["results"]
results = {
    "mean_rmse": rmse(train.mean(axis=0)),
    "ae_rmse": rmse(restored),
    "vae_rmse": rmse(reconstructed),
    "ae_spread_max": spread.max(),
    "ae_correlation": correlation,
    "frechet_held_out": distances["held out"],
    "frechet_ae": distances["AE, N(0, I)"],
    "frechet_ae_fitted": distances["AE, fitted Gaussian"],
    "frechet_vae": distances["VAE, N(0, I)"],
    "frechet_vae_fitted": distances["VAE, fitted Gaussian"],
    "first_loss": trace[0],
    "last_loss": trace[-1],
    "kl": scores["kl"],
    "vae_spread": np.sqrt(np.diag(vae_covariance)).mean(),
    "best_correlation": max(best),
}
bands = {"ae_rmse": (0.045, 0.07), "vae_rmse": (0.045, 0.07), "kl": (20, 34)}
bands |= {"frechet_ae": (0.6, 1.5), "frechet_vae": (0.25, 0.55), "last_loss": (-3600, -2400)}
bands = {name: {"default": band, "smoke": (-1000, 1000)} for name, band in bands.items()}
headline = f"draws at {results['frechet_vae']:.2f}, a plain twin's at {results['frechet_ae']:.2f}"
record(results, bands, headline=headline)

# %% [markdown]
# ## What you saw
#
# - A plain decoder can draw only from where codes lie, and nothing in its training says where that is. A Gaussian fitted afterwards can mend much of it.
# - A VAE names regions instead of points, and pays in nats for every region that is narrow or far from the standard normal.
# - A draw stops the gradient, and the encoder then learns from the KL alone. Written as $\mu + \sigma_z\varepsilon$ the same draw lets it through, with far less noise than the score function.
# - The reconstruction term is $-\log$ of a density, summed over pixels and channels. Only then do both terms speak one currency.
# - A hand-written step, a Keras model of twenty lines, and the helper's class compute the same numbers.
#
# ## On your own
#
# 1. Set `beta = 0` and run everything. Which of the failures of the autoencoder come back, and which do not?
#
# <details><summary>A way to look at it</summary>
#
# To be sure costs nothing any more, and the reconstruction gains from it, so the regions shrink and the means spread. In a run of ours $\sigma_z$ fell from 0.22 to 0.002, the means spread by about 4, and the draws from $\mathcal N(0, I)$ went to a distance of 0.80: the plain autoencoder is back, with all that it lacks. The gradient still passes through the draw; that part does not hang on the KL. And the loss is no bound on $\log p(x)$ any more.
#
# </details>
#
# 2. Interpolate between two *draws* along an arc instead of a line (spherical interpolation), and do it with `latent = 64`. Which looks better at the midpoint?
#
# <details><summary>Solution</summary>
#
# With the angle $\omega$ between $a$ and $b$: $z(t) = \frac{\sin((1-t)\omega)}{\sin\omega}\,a + \frac{\sin(t\omega)}{\sin\omega}\,b$.
#
# ```python
# a, b = normal(2)
# omega = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
# arc = (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega)
# show_rows({"arc": vae.decoder.predict(arc, verbose=0)}, alt="Nine pictures along an arc between two draws.")
# ```
#
# The arc keeps the length of the codes; the line's midpoint is shorter by $\sqrt 2$. In a run of ours the middle of the line was a little paler than that of the arc, no more: of the 64 coordinates the VAE used about twenty ($\sigma_z$ well below 1), and the decoder ignores the rest. With more numbers the reconstructions also show corners, and the draws look less like one object.
#
# </details>
#
# 3. Subtract a constant from $f$ in the score-function estimator: $\mathbb E[(f(z) - b)\,\nabla\log q(z)]$ has the same mean for every $b$ (why?). Which $b$ makes it quietest, and how close does it come to the trick?
#
# <details><summary>Solution</summary>
#
# $\mathbb E[\nabla \log q] = \nabla \int q = 0$, so $b$ drops out of the mean. A good $b$ is near $\mathbb E[f] = 10K$. For $K = 8$ the spread falls from 84 to about 19 (try it: subtract `10 * k` from the sum), still nine times that of the trick.
#
# </details>
#
# 4. Put `dataset = "fashion_mnist"` or `"pets"`. What do the draws keep of a shirt, or of a cat? Which of the numbers in this notebook can be compared between the sets, and which cannot? (The nats depend on $D$.)
#
# ## References
#
# - D. P. Kingma and M. Welling. Auto-encoding variational Bayes. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - D. J. Rezende, S. Mohamed and D. Wierstra. Stochastic backpropagation and approximate inference in deep generative models. ICML 2014. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - R. J. Williams. Simple statistical gradient-following algorithms for connectionist reinforcement learning. Machine Learning 8, 229–256, 1992. [doi:10.1007/BF00992696](https://doi.org/10.1007/BF00992696)
# - D. C. Dowson and B. V. Landau. The Fréchet distance between multivariate normal distributions. Journal of Multivariate Analysis 12(3), 450–455, 1982. [doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X(82)90077-X)
# - P. Ghosh, M. S. M. Sajjadi, A. Vergari, M. Black and B. Schölkopf. From variational to deterministic autoencoders. ICLR 2020. [arXiv:1903.12436](https://arxiv.org/abs/1903.12436)
# - G. Loaiza-Ganem and J. P. Cunningham. The continuous Bernoulli: fixing a pervasive error in variational autoencoders. NeurIPS 2019. [arXiv:1907.06845](https://arxiv.org/abs/1907.06845)
# - W. Shi et al. Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network. CVPR 2016. [arXiv:1609.05158](https://arxiv.org/abs/1609.05158)
