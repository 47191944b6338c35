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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/03_build_a_vae.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/03_build_a_vae.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/03_build_a_vae.ipynb) <!--badges-->
#
# ![Ten rows of ten pictures. Held out: one disc, square or triangle in each. Three rows for each decoder follow. From N(0, I): faint smears (autoencoder), soft bent blobs (short VAE), sharp shapes of which most are bent or torn (kept VAE). From one Gaussian: full colours and many bent forms. From sixty Gaussians: soft blobs for the autoencoder and the short VAE; squares, triangles and discs, some with round corners, for the kept VAE.](../docs/pictures/03.png) <!--picture-->
#
# An [autoencoder](../docs/site/glossary.md#term-autoencoder) turns a picture into a few numbers and restores it from them. Its second half looks like a machine for new pictures: feed it numbers of your own. That fails. **What does an autoencoder lack, and what mends it?** We build the [variational autoencoder (VAE)](../docs/site/glossary.md#term-variational-autoencoder-VAE), part by part, and compare it with the autoencoder.
#
# **What you'll do**
#
# - Train an autoencoder, ask it for new pictures, and see it fail.
# - Build a VAE part by part, by hand and as a Keras model.
# - Compare nine ways to draw new pictures.
#
# **What you'll learn**
#
# - What each part of a VAE is for, and which line of code lets a gradient through a random draw.
# - What a VAE has that an autoencoder lacks, and what an autoencoder can do as well.
#
# **What you'll need**
#
# - Some Keras (`Conv2D`, `Dense`, `fit`), gradients, means, standard deviations and covariances, and the density of a normal distribution. $\mathcal N(0, I)$ has independent coordinates with mean 0 and standard deviation 1.
# - About 2 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 2 GB of memory.

# %% tags=["colab"]
# On Google Colab and Kaggle this fetches the project; elsewhere it does nothing.
import os
import subprocess
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    fetch = "test -d vae-segments-edges || git clone -q --depth 1 https://github.com/vae-segments-edges/vae-segments-edges"
    install = f"{sys.executable} -m pip install -q ./vae-segments-edges"
    subprocess.run(f"({fetch}) && {install}", shell=True, check=True)
    sys.path.insert(0, os.path.abspath("vae-segments-edges"))

# %% tags=["parameters"]
dataset = "shapes"  # or "pets", "mnist", "fashion_mnist", or "folder": pictures of your own
path = ""  # for "folder": the folder of your pictures; they need no masks
weights = "kept"  # also show the kept, long-trained VAE of shapes; "own": only yours
seed = 0  # of the pictures, the first weights and every random draw
images = 8000  # pictures to train on, at most
size = 32  # side of a picture in pixels
latent = 16  # K, how many numbers stand for a picture
width = 32  # channels of the first convolution
epochs = 8  # passes over the pictures, for the autoencoder and for the short VAE
learning_rate = 0.002  # of Adam
sigma = 0.1  # standard deviation of a pixel around the decoder's answer, pixels from 0 to 1
beta = 1.0  # weight of the KL in the VAE's loss

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    dataset=["shapes", "pets", "mnist", "fashion_mnist", "folder"],
    path="folder",
    weights=["kept", "own"],
    seed=range(2**32),
    images=range(64, 60_001),
    size=[32, 40, 48, 56],
    latent=range(2, 257),
    width=range(4, 257),
    epochs=range(1, 1001),
    learning_rate=(1e-5, 0.1),
    sigma=(0.001, 1.0),
    beta=(0.0, 1000.0),
)
set_up(seed)
if weights == "kept" and (size, latent, width) != (32, 16, 32):
    weights = "own"
    print("The kept weights are those of other sizes: the notebook goes on without them.")

import math
from functools import partial

import keras
import numpy as np
from keras import ops
from keras.layers import Add, Conv2D, Dense, Flatten, Rescaling, Reshape
from sklearn.mixture import GaussianMixture

from helpers import backend, data, metrics, models, plots, pretrained, training
from helpers.generative.whole_objects import one_whole_object
from helpers.layers import DepthToSpaceUp

plots.use()

# %% [markdown]
# ## The pictures
#
# Each picture of the set `shapes` shows one object (a disc, a square or a triangle) on faint texture. The networks are told none of this. Some pictures are *held out*: they are used in no training.

# %%
options = {"size": size, "seed": seed, "path": path or None}
if dataset == "shapes":
    options |= {
        "objects": 1,
        "radius": (0.18, 0.25),
        "contrast": (0.25, 0.6),
        "texture": 0.1,
        "noise": 0.02,
        "annotators": 1,
    }

train = data.load(dataset, "train", limit=images, **options)
val = data.load(dataset, "val", limit=min(images, 2000), **options)
x_train = data.to_float(train.images)  # (N, H, W, C), values from 0 to 1
x_val = data.to_float(val.images)
shape = x_train.shape[1:]
count = len(x_val)  # of pictures in each set that is compared
print(f"{len(x_train)} pictures to train on, {count} held out, each {shape}")

# %% [markdown]
# ## An autoencoder
#
# An autoencoder has two networks. The [encoder](../docs/site/glossary.md#term-encoder) takes a picture of $D = H \cdot W \cdot C$ values and returns $K$ numbers: its **[latent](../docs/site/glossary.md#term-latent-variable)**. The [decoder](../docs/site/glossary.md#term-decoder) takes a latent and returns a picture. They are trained together to give back what went in.
#
# `Conv2D(width, 4, 4)` has a kernel of 4×4 pixels and moves by 4 pixels (its *stride*), so it describes each patch of 4×4 pixels by `width` numbers. `mix` adds a 3×3 convolution, so that neighbouring cells exchange information. The decoder goes back: `DepthToSpaceUp(n, 4)` turns each cell into 4×4 cells of `n` channels (Shi et al., 2016). `silu` is $x / (1 + e^{-x})$, a smooth relative of ReLU. `Rescaling` centres the pixels, and in the decoder moves them back. The encoder's second output, `log_variance`, is for the VAE, which will have **the same networks**.


# %%
def mix(h):
    change = Conv2D(h.shape[-1], 3, padding="same", activation="silu")(h)
    return Add()([h, change])


def build_encoder():
    """A network from pictures (B, H, W, C) to two outputs (B, K)."""
    x = keras.Input(shape)
    h = Rescaling(4.0, offset=-1.6)(x)
    h = Conv2D(width, 4, 4, activation="silu")(h)  # (B, H/4, W/4, width)
    h = mix(h)
    h = Conv2D(2 * width, 2, 2, activation="silu")(h)  # (B, H/8, W/8, 2·width)
    h = mix(h)
    h = Flatten()(h)
    mean = Dense(latent)(h)
    start = keras.initializers.Constant(-3.0)
    log_variance = Dense(
        latent,
        kernel_initializer="zeros",
        bias_initializer=start,
    )(h)
    return keras.Model(x, [mean, log_variance])


def build_decoder():
    """A network from latents (B, K) to pictures (B, H, W, C)."""
    z = keras.Input((latent,))
    cells = (shape[0] // 8, shape[1] // 8, 2 * width)
    h = Dense(math.prod(cells), activation="silu")(z)
    h = Reshape(cells)(h)  # (B, H/8, W/8, 2·width)
    h = mix(h)
    h = DepthToSpaceUp(width, 2, "silu")(h)  # (B, H/4, W/4, width)
    h = mix(h)
    h = DepthToSpaceUp(shape[-1], 4, activation=None)(h)  # (B, H, W, C)
    h = Rescaling(0.25, offset=0.4)(h)
    return keras.Model(z, h)


# %%
def apply(network, x):
    # The answer of a network, as a NumPy array.
    return network.predict(x, batch_size=256, verbose=0)


how = {"batch_size": 64, "epochs": epochs, "verbose": 0, "callbacks": [training.Progress()]}
keras.utils.set_random_seed(seed)
ae_encoder, ae_decoder = build_encoder(), build_decoder()
autoencoder = keras.Model(ae_encoder.input, ae_decoder(ae_encoder.output[0]))
autoencoder.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse")
history = autoencoder.fit(x_train, x_train, **how)

# %% [markdown]
# ## Can it make new pictures?
#
# The decoder turns *any* $K$ numbers into a picture.
#
# > **Predict first.** Draw each number from $\mathcal N(0, 1)$. Will the decoder answer with (a) pictures like the training pictures, or (b) something else?


# %%
rng = np.random.default_rng(seed)
restored = {"autoencoder, restored": apply(autoencoder, x_val)}
z = rng.standard_normal((10, latent))
fig = plots.picture_rows({"held out": x_val} | restored | {"drawn": apply(ae_decoder, z)})
alt = "Three rows of ten pictures. Held out: a disc, square or triangle on faint texture in each. Restored by the autoencoder: soft blobs of like colours in the same places. Drawn: dim grounds with one or several faint smears."
plots.show(fig, alt=alt)

# %% [markdown]
# The answer is (b). The decoder is soft, but from the encoder's latents it paints nearly these colours in these places (second row). What fails is the choice of numbers: nothing in the training said where the latents should lie. The next cell shows where they do lie, in the two coordinates in which they vary most.

# %%
latents = {"autoencoder": apply(ae_encoder, x_train)[0]}  # (N, K)
length = np.median(np.linalg.norm(latents["autoencoder"], axis=1))
print(f"median length of a latent {length:.1f}, of a draw from N(0, I) about {latent**0.5:.1f}")
fig = plots.latent_scatter(latents)
alt = "Dots of the autoencoder's latents in two coordinates. The cloud reaches from about minus eight to eight, and the circle of N(0, I), of radius two, covers a small part in its middle."
plots.show(fig, alt=alt)

# %% [markdown]
# Each dot is the latent of one training picture. The circle holds 86 % of the draws from $\mathcal N(0, I)$, in these two coordinates. In two coordinates the circle looks well filled. But in all 16 together half of the latents are longer than 8.8<!--=ae_length--> in the stored run, and a draw from $\mathcal N(0, I)$ has a length of about $\sqrt{16} = 4$.
#
# A distribution fitted to these latents is tried below. First we build what makes latents lie in a known place *by training*.
#
# ## An encoder that states its uncertainty
#
# An autoencoder's encoder names one point for each picture. Let it name a *region*: for each coordinate $k$ a mean $\mu_k$ and a standard deviation $\sigma_{z,k}$. This is the encoder's [posterior](../docs/site/glossary.md#term-posterior), $q(z \mid x) = \mathcal N(\mu, \operatorname{diag} \sigma_z^2)$. In training, the decoder gets a random point of the region, so it has to answer well everywhere in it.
#
# A standard deviation is positive, and the output of a layer is any number. So the second output gives $\log \sigma_z^2$. (We start it at −3, that is $\sigma_z = 0.22$: little noise at first. Notebook `07` tests it.)
#
# Regions alone are not enough. The error is smallest if they shrink to points. So the loss gets a second term, which grows when a region moves away from $\mathcal N(0, I)$, where we will draw, or becomes narrower than it. It is the [KL divergence](../docs/site/glossary.md#term-KL-divergence) of the region from $\mathcal N(0, I)$, the [prior](../docs/site/glossary.md#term-prior):
#
# $$\mathrm{KL} = \tfrac12 \sum_{k=1}^{K} \big(\mu_k^2 + \sigma_{z,k}^2 - 1 - \log \sigma_{z,k}^2\big).$$
#
# Put in $\mu_k = 0$ and $\sigma_{z,k} = 1$: it is zero. Notebook `04` derives it. Its unit is the [nat](../docs/site/glossary.md#term-nat), and it is *summed* over the coordinates.


# %%
def gaussian_kl(mean, log_variance):
    """KL of q from N(0, I): two arrays (B, K) → (B,), nats per image. Takes log σ²."""
    return 0.5 * ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=-1)


# %% [markdown]
# ## How does a gradient get through a draw?
#
# Training needs to know how the loss changes with $\mu$. The decoder tells how it changes with $z$. But a random generator returns a number, and keeps no record of how it depends on $\mu$.
#
# > **Predict first.** If the gradient stops at the draw, the encoder still learns from the KL, which depends on $\mu$ and $\sigma_z$ directly. What will it learn?
#
# One line mends it. Draw $\varepsilon \sim \mathcal N(0, I)$, which depends on nothing, and *compute* $z = \mu + \sigma_z\,\varepsilon$. The distribution of $z$ is the same, but now $z$ is an ordinary function of $\mu$ and $\sigma_z$, with slopes 1 and $\varepsilon$. This is [reparameterisation](../docs/site/glossary.md#term-reparameterisation) (Kingma and Welling, 2014; Rezende et al., 2014).
#
# The cell asks for the gradient of the squared error by the first weights of the encoder. `value_and_grad(loss, weights)` calls the function `loss` and returns its value and its gradients. `stop_gradient` makes $z$ a constant. (The added zeros are for backends that refuse gradients by weights that do not occur.)


# %%
def reparameterise(mean, log_variance, noise):
    """z = μ + σ_z·ε, all (B, K)."""
    return mean + ops.exp(0.5 * log_variance) * noise


keras.utils.set_random_seed(seed)
encoder, decoder = build_encoder(), build_decoder()
x = ops.convert_to_tensor(x_train[:32])
noise = keras.random.normal((len(x), latent), seed=seed)
first = encoder.trainable_variables[0]  # of the first convolution


def squared_error(raw_draw):
    z = reparameterise(*encoder(x), noise)
    if raw_draw:
        z = ops.stop_gradient(z)
    return ops.sum((decoder(z) - x) ** 2) + ops.sum(0 * first)


# %% tags=["nbval-check-output"]
for raw_draw in (True, False):
    _, (gradient,) = backend.value_and_grad(partial(squared_error, raw_draw), [first])
    reached = bool(ops.any(gradient != 0))
    print(f"raw draw: {raw_draw}; the error reaches the encoder: {reached}")
    assert reached != raw_draw

# %% [markdown]
# With a raw draw, nothing of the error reaches the encoder. It learns from the KL alone, and the KL is smallest at $\mu = 0, \sigma_z = 1$ for *every* picture: latents that say nothing. The loss falls all the same.
#
# There is an older way, the **score-function** estimator (Williams, 1992), which needs no slope of the decoder. It is right on average, but noisy. Exercise 3 at the end measures how noisy.
#
# ## A decoder that states a probability
#
# The KL is in nats. The error needs the same unit, or their sum means nothing. In nats it is $-\log p(x \mid z)$. So the decoder's output has to be read as a distribution. For grey and coloured pixels we take a Gaussian around each value $\hat x_i$ of the output, with one standard deviation $\sigma$ (without index: that of a *pixel*), independent given $z$:
#
# $$-\log p(x \mid z) = \sum_{i=1}^{D} \Big[ \frac{(x_i - \hat x_i)^2}{2\sigma^2} + \log \sigma + \tfrac12 \log 2\pi \Big].$$
#
# It is the squared error, and $\sigma$ says how many nats an error is. Here $\sigma$ is fixed; notebook `06` learns it. The sum runs over all pixels *and* channels. An average over $D = 3072$ values would weigh the KL 3,072 times as much.
#
# Many tutorials put *binary [cross-entropy](../docs/site/glossary.md#term-cross-entropy)* here. It is exact for pixels that are 0 or 1. For grey values it is not $-\log$ of any density (Loaiza-Ganem and Cunningham, 2019); notebook `06` measures what that does.


# %%
def gaussian_nll(x, decoded):
    """−log p(x|z): two arrays (B, H, W, C) → (B,), nats per image."""
    constant = math.log(sigma) + 0.5 * math.log(2 * math.pi)
    return ops.sum(0.5 * ((x - decoded) / sigma) ** 2 + constant, axis=(1, 2, 3))


# %% [markdown]
# With $\sigma = 0.1$, a *perfect* picture of 3,072 values has $3072 \cdot (\log 0.1 + \tfrac12\log 2\pi) = -4251$ nats. (Negative, because a density may exceed 1.) No loss with this $\sigma$ can fall below it.
#
# **Exercise.** By how many nats does it grow if every value of the picture is off by 0.05?

# %%
your_nats = None  # ← your number
true_nats = 3072 * 0.5 * (0.05 / 0.1) ** 2
if your_nats is not None:
    print("your value", your_nats, "true value", true_nats)
    assert abs(your_nats - true_nats) < 0.01, "Only the first part changes, 3,072 times."

# %% [markdown]
# <details><summary>Solution</summary>
#
# $3072 \cdot \tfrac12 (0.05/0.1)^2 = 384$ nats.
#
# </details>
#
# ## One training step by hand
#
# The loss of a picture is $-\log p(x \mid z) + \mathrm{KL}$, with one draw of $z$. On average over draws it is the negative of the *evidence lower bound* ([ELBO](../docs/site/glossary.md#term-ELBO)), which notebook `04` derives. (`beta` multiplies the KL; it is 1.) One step: draw noise, compute the loss, ask for its gradients by all weights, let the optimiser change the weights.


# %%
def terms(encoder, decoder, x, noise):
    """−log p(x|z) and KL, each (B,), nats per image."""
    mean, log_variance = encoder(x)
    z = reparameterise(mean, log_variance, noise)
    return gaussian_nll(x, decoder(z)), gaussian_kl(mean, log_variance)


def train_step(x):
    noise = keras.random.normal((len(x), latent), seed=draws)

    def loss():
        reconstruction, kl = terms(encoder, decoder, x, noise)
        return ops.mean(reconstruction + beta * kl)

    value, gradients = backend.value_and_grad(loss, trainable)
    optimizer.apply(gradients, trainable)
    return float(value)


trainable = encoder.trainable_variables + decoder.trainable_variables
optimizer = keras.optimizers.Adam(learning_rate)
draws = keras.random.SeedGenerator(seed)
trace = []
for start in range(0, len(x_train), 64):
    trace.append(train_step(ops.convert_to_tensor(x_train[start : start + 64])))
print(f"loss {trace[0]:.0f} in step 1, {trace[-1]:.0f} nats per image in step {len(trace)}")

# %% [markdown]
# In the stored run one epoch takes the loss from 776<!--=first_loss--> to −2,388<!--=last_loss--> nats; −4,251 can never be passed, and noise keeps it out of reach.
#
# ## The same as a Keras model
#
# A Keras model brings batches, compilation, progress, evaluation and saving, and asks for two methods. `call` says what the model computes from a batch, here the two terms of each picture. `compute_loss` turns them into the number that is minimised.


# %%
class VAE(keras.Model):
    """The loss is −log p(x|z) + β·KL, in nats per image."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, x):
        noise = keras.random.normal((ops.shape(x)[0], latent), seed=self.draws)
        return terms(self.encoder, self.decoder, x, noise)

    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        reconstruction, kl = y_pred  # what `call` has returned
        return ops.mean(reconstruction + beta * kl)


# %% [markdown]
# Two checks. One epoch of `fit`, with the same first weights, noise and order of pictures, must end where the loop ended, within 2 %. And the VAE of `helpers.models`, which the later notebooks use, must give the same loss.

# %% tags=["nbval-check-output"]
keras.utils.set_random_seed(seed)
by_fit = VAE(build_encoder(), build_decoder())
by_fit.compile(optimizer=keras.optimizers.Adam(learning_rate))
by_fit.fit(x_train, batch_size=64, shuffle=False, verbose=0)
helper = models.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma)

loop = ops.mean(sum(terms(encoder, decoder, x, noise)))
fit = ops.mean(sum(terms(by_fit.encoder, by_fit.decoder, x, noise)))
theirs = ops.mean(sum(helper.terms(x, noise)))
assert abs(fit / loop - 1) < 0.02 and abs(theirs / loop - 1) < 1e-3
print("fit ends where the loop ended; helpers.models.VAE gives the same loss")

# %% [markdown]
# Now the training, as for the autoencoder.

# %%
keras.utils.set_random_seed(seed)
vae = VAE(build_encoder(), build_decoder())
vae.compile(optimizer=keras.optimizers.Adam(learning_rate))
history = vae.fit(x_train, **how)

# %% [markdown]
# This short training is a demonstration. A second VAE stands beside it, the *kept* one: the same networks, trained once for much longer, on new pictures in every step, and with a learned $\sigma$.

# %%
vaes = {"short VAE": vae}
if weights == "kept" and dataset == "shapes":
    vaes["kept VAE"] = models.VAE(build_encoder(), build_decoder(), likelihood="gaussian")
    pretrained.load_weights(vaes["kept VAE"], "vae-shapes32")

decoders = {"autoencoder": ae_decoder}
for name, model in vaes.items():
    decoders[name] = model.decoder
    mean, log_variance = apply(model.encoder, x_val)
    restored[f"{name}, restored"] = apply(model.decoder, mean)
fig = plots.picture_rows({"held out": x_val} | restored)
alt = "Four rows of ten pictures. Held out: discs, squares and triangles on texture. Autoencoder and short VAE restore them as soft blobs that look alike. The kept VAE restores sharper outlines, most corners among them, and no texture."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the root mean square error of a pixel is 0.058<!--=ae_rmse--> (autoencoder), 0.060<!--=vae_rmse--> (short VAE) and 0.038<!--=kept_rmse--> (kept VAE). The two VAEs differ in steps, pictures, learning rate and $\sigma$ (learned: 0.038<!--=kept_sigma-->), so their difference says nothing about one of these alone.
#
# ## Where do the latents lie now?
#
# Draw a latent for every training picture, each from its own region. Together they are draws from the [aggregate posterior](../docs/site/glossary.md#term-aggregate-posterior), the mixture of all regions. (The kept VAE was trained on other pictures of this kind.)
#
# > **Predict first.** If model and encoder were exact, which distribution would the aggregate posterior be? And do the regions of two pictures overlap?

# %%
regions = {}
for name, model in vaes.items():
    mean, log_variance = apply(model.encoder, x_train)
    sigma_z = np.exp(0.5 * log_variance)
    regions[name] = (mean, sigma_z)
    kl = gaussian_kl(ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance))
    print(f"{name}: mean KL {float(ops.mean(kl)):.1f} nats")
    latents[name] = mean + sigma_z * rng.standard_normal(mean.shape)
fig = plots.latent_scatter(latents, regions)
alt = "Three clouds of latents, each in two coordinates, with the circle of N(0, I), radius two. The autoencoder's cloud is the widest, to about eight; that of the short VAE reaches to about five, that of the kept VAE to about four. The black rings of twelve regions are small beside the clouds, in the kept VAE hardly more than points."
plots.show(fig, alt=alt)

# %% [markdown]
# For endlessly many pictures, $\mathcal N(0, I)$, the model's own source of latents. The VAEs came nearer to it than the autoencoder, and did not reach it: in the stored run the standard deviations go up to 2.6<!--=ae_spread_max--> for the autoencoder, 1.6<!--=vae_spread_max--> for the short VAE and 1.2<!--=kept_spread_max--> for the kept one.
#
# The twelve regions shown do not overlap. (Rings: $2\,\sigma_z$, in the two coordinates of largest KL.) Nor could all 8,000 fill $\mathcal N(0, I)$. The short VAE's mean KL of 50.0<!--=vae_kl--> nats has two parts (Hoffman and Johnson, 2016): what a latent tells about *which* of the 8,000 pictures it came from, at most $\log 8000 = 9$ nats; and the KL of their aggregate posterior from $\mathcal N(0, I)$: the rest, at least 41 nats.
#
# ## Nine ways to draw
#
# Each decoder now gets latents from three sources: $\mathcal N(0, I)$; one Gaussian fitted to its latents of the training pictures; a mixture of 60 Gaussians fitted to the same.
#
# > **Predict first.** Which decoder gains most from a fitted source, and which least?

# %%
drawn = {}
for name, z in latents.items():
    parts = max(1, min(60, len(z) // 20))  # fewer where there are few pictures
    mixture = GaussianMixture(parts, tol=0.01, max_iter=300, random_state=seed)
    mixture.fit(z.astype("float64"))
    sources = {
        "N(0, I)": rng.standard_normal((count, latent)),
        "1 Gaussian": rng.multivariate_normal(z.mean(axis=0), np.cov(z.T), count),
        "60 Gaussians": rng.permutation(mixture.sample(count)[0]),
    }
    for source, z_new in sources.items():
        drawn[f"{name}, {source}"] = apply(decoders[name], z_new)

# %% tags=["picture"]
fig = plots.picture_rows({"held out": x_val} | drawn)
alt = "Ten rows of ten pictures. Held out: one disc, square or triangle in each. Three rows for each decoder follow. From N(0, I): faint smears (autoencoder), soft bent blobs (short VAE), sharp shapes of which most are bent or torn (kept VAE). From one Gaussian: full colours and many bent forms. From sixty Gaussians: soft blobs for the autoencoder and the short VAE; squares, triangles and discs, some with round corners, for the kept VAE."
plots.show(fig, alt=alt)

# %% [markdown]
# From $\mathcal N(0, I)$ few draws show what the set shows; the kept VAE's shapes are sharp, but most are bent or torn. One Gaussian mends dim colours. Sixty bring one blob in most pictures, soft from the two short trainings, sharper from the kept VAE.
#
# ### Two numbers, and what they cannot see
#
# Average each picture over cells of 4×4 pixels. The [Fréchet distance](../docs/site/glossary.md#term-Frechet-distance) compares two sets of such coarse pictures by their means and covariances alone, as if both were Gaussian (Dowson and Landau, 1982). In units of the training pictures' spread, 0 is the same mean and covariance; the mean picture alone has 1. The Fréchet inception distance (FID; Heusel et al., 2017) is such a distance, squared, on features of a network.
#
# The second number is the share of pictures that show one whole object, by the rule of notebook `00`.
#
# Numbers need **floors**, values to read them beside: held-out pictures, the restored pictures of each decoder, and a Gaussian fitted to the cell means themselves, painted as tiles without any network.
#
# > **Predict first.** Which has the smallest Fréchet distance: held-out pictures, the kept VAE's best draws, or the painted tiles?


# %%
tiles = metrics.gaussian_tiles(x_train, cells=size // 4, count=count, seed=seed)
sets = {"held out": x_val, "painted tiles": tiles} | restored | drawn
frechet, whole = {}, {}
for name, pictures in sets.items():
    frechet[name] = metrics.frechet_of_cells(x_train, pictures, cells=size // 4)
    if dataset == "shapes":
        is_whole = one_whole_object(pictures[:500].clip(0, 1))
        whole[name] = metrics.confidence_interval(is_whole)  # the share, and ±
fig = plots.interval_panels({"Fréchet distance": frechet, "one whole object": whole})
alt = "Two panels of bars with intervals. Fréchet distance: painted tiles and held-out pictures are lowest, with the kept VAE's draws from sixty Gaussians close behind; draws from N(0, I) are highest, 0.76 for the autoencoder. Share with one whole object: nearly all held-out pictures, all that the kept VAE restores and 0.97 of its draws from sixty Gaussians; a third or less for the two short trainings, none of the tiles."
plots.show(fig, alt=alt)

# %% [markdown]
# The painted tiles, at 0.06<!--=frechet_tiles-->, are as near as held-out pictures, at 0.08<!--=frechet_held_out--> ± 0.01<!--=half_held_out-->, or a little nearer, although none of them shows an object. So a small Fréchet distance does not prove that draws are good; a large one does prove that they are wrong.
#
# In the stored run, with *one* training of each network and 95 % intervals over the drawn pictures (the first 500 for the share):
#
# - From $\mathcal N(0, I)$ the distance is 0.76<!--=frechet_ae--> for the autoencoder, 0.52<!--=frechet_vae--> for the short VAE and 0.44<!--=frechet_kept--> for the kept one. One whole object is on 0<!--=whole_ae*100-->, 0<!--=whole_vae*100--> and 12<!--=whole_kept*100--> % of the pictures.
# - From sixty Gaussians it is 0.13<!--=frechet_ae_mixture-->, 0.14<!--=frechet_vae_mixture--> and 0.09<!--=frechet_kept_mixture-->, about what the restored pictures have. One whole object is on 32<!--=whole_ae_mixture*100--> ± 4<!--=whole_half_ae_mixture*100-->, 18<!--=whole_vae_mixture*100--> ± 3<!--=whole_half_vae_mixture*100--> and 97<!--=whole_kept_mixture*100--> ± 2<!--=whole_half_kept_mixture*100--> %.
#
# By the distance the autoencoder gains most from sixty Gaussians, and the kept VAE least. By whole objects the kept VAE gains most, and the short one least. The restored pictures of the two short trainings are so soft that the rule accepts only 31<!--=whole_ae_restored*100--> and 22<!--=whole_vae_restored*100--> % of them.
#
# One Gaussian gives few whole objects (5<!--=whole_ae_fitted*100-->, 4<!--=whole_vae_fitted*100--> and 26<!--=whole_kept_fitted*100--> %): it has the place and the spread of the latents, and not their form. Sixty follow the form better. The VAE's training, noise and KL together, moves the latents towards a known distribution. One fitted to where they lie mends more, in both kinds of model.
#
# ### So why a VAE?
#
# If new pictures are all that is wanted, an autoencoder with a distribution fitted afterwards is a fair choice (Ghosh et al., 2020; none here had the kept VAE's training). Dai and Wipf (2019) fit one to the latents of a VAE. What the VAE has besides:
#
# - **A probability.** Averaged over draws, its loss with β = 1 is an upper bound of $-\log p(x)$ under one stated model: draw $z$ from $\mathcal N(0, I)$, then $x$ from the decoder. (A fitted source makes another model, with another bound.) A lower loss promises more, but does not prove a higher $\log p(x)$ (`04`).
# - **An uncertainty.** $\sigma_z$ says how exactly a picture determines each coordinate; an unused one shows as $\sigma_z = 1$ (`07`).
# - **A [rate](../docs/site/glossary.md#term-rate) that can be set.** The weight of the KL decides how many nats a latent holds (`06`).
#
# ## What lies between two pictures?
#
# Go in equal steps from the latent of a held-out picture to that of another (**interpolation**). For comparison, mix the pixels of the two.
#
# > **Predict first.** Was the VAE's decoder trained along the line between two pictures? Draws from a region are about $\sqrt K = 4$ of its $\sigma_z$ away from its centre. How far is the middle of the line from the nearest region, in that region's $\sigma_z$?

# %%
mean, sigma_z = regions["short VAE"]  # (N, K) each, of the pictures it was trained on
z_val = apply(vae.encoder, x_val)[0]  # (N, K)

t = np.linspace(0, 1, 10)[:, None]  # (10, 1)
line = z_val[0] + t * (z_val[1] - z_val[0])  # (10, K)
rows = {
    "mixed latents": apply(vae.decoder, line),
    "mixed pixels": x_val[0] + t[..., None, None] * (x_val[1] - x_val[0]),
}
alt = "Two rows of ten pictures. Mixed latents: a soft yellow disc turns green and stretches on its way to a soft blue-green triangle, one object in each picture. Mixed pixels: the disc fades while a triangle appears that overlaps it."
plots.show(plots.picture_rows(rows), alt=alt)

middles = (z_val[:-1] + z_val[1:])[:100] / 2  # of 100 lines
middle_far = np.median(metrics.distance_to_regions(middles, mean, sigma_z))
held_out_far = np.median(metrics.distance_to_regions(z_val, mean, sigma_z))
print(f"to the nearest region: middles {middle_far:.0f}, held-out {held_out_far:.0f} σ_z")

# %% [markdown]
# It was not. In the stored run the middle of such a line is 36<!--=middle_far--> $\sigma_z$ from the nearest of the 8,000 regions that the decoder was trained on (median of 100 lines). But so are held-out pictures, 36<!--=held_out_far-->, and the decoder restores them, perhaps because it is smooth. On this line there is one object at a time, in the mixed pixels two.

# %% tags=["results"]
results = {
    "first_loss": trace[0],
    "last_loss": trace[-1],
    "frechet_tiles": frechet["painted tiles"][0],
    "frechet_held_out": frechet["held out"][0],
    "half_held_out": frechet["held out"][1],
}
ways = {"N(0, I)": "", "1 Gaussian": "_fitted", "60 Gaussians": "_mixture"}
ways["restored"] = "_restored"
for model_name, key in {"autoencoder": "ae", "short VAE": "vae", "kept VAE": "kept"}.items():
    if model_name not in latents:
        continue
    off = restored[f"{model_name}, restored"] - x_val
    results[f"{key}_rmse"] = np.sqrt(np.mean(off**2))
    results[f"{key}_length"] = np.median(np.linalg.norm(latents[model_name], axis=1))
    results[f"{key}_spread_min"] = latents[model_name].std(axis=0).min()
    results[f"{key}_spread_max"] = latents[model_name].std(axis=0).max()
    if model_name in regions:
        region = ops.convert_to_tensor(regions[model_name])
        results[f"{key}_kl"] = float(ops.mean(gaussian_kl(region[0], 2 * ops.log(region[1]))))
    for way, ending in ways.items():
        where = f"{model_name}, {way}"
        results[f"frechet_{key}{ending}"], results[f"half_{key}{ending}"] = frechet[where]
        if whole:
            results[f"whole_{key}{ending}"], results[f"whole_half_{key}{ending}"] = whole[where]
if whole:
    results["whole_held_out"] = whole["held out"][0]
    results["whole_tiles"] = whole["painted tiles"][0]
if "kept VAE" in vaes:
    results["kept_sigma"] = math.exp(vaes["kept VAE"].log_sigma())
results |= {"middle_far": middle_far, "held_out_far": held_out_far}

bands = {"ae_rmse": (0.05, 0.08), "vae_rmse": (0.05, 0.08), "vae_kl": (38, 65)}
bands |= {"frechet_ae": (0.6, 1.5), "frechet_vae": (0.35, 0.75), "last_loss": (-3500, 1000)}
bands = {name: {"default": band} for name, band in bands.items()}
far_off, nearer = results["frechet_ae"], results["frechet_vae"]
headline = f"draws at {nearer:.2f}, those of an autoencoder at {far_off:.2f}"
record(results, bands, headline=headline)

# %% [markdown]
# ## What you saw
#
# - An autoencoder states no distribution of its latents. Draws from $\mathcal N(0, I)$ are shorter than these, and from such draws its decoder paints no whole object.
# - The VAE's training moves the latents towards $\mathcal N(0, I)$. In these runs it did a part of the work. A mixture fitted to the latents did more, for the autoencoder, too.
# - A draw stops the gradient. Written as $\mu + \sigma_z\varepsilon$ the same draw lets it through.
#
# ## Check yourself
#
# <details><summary>1. Why does the encoder give log σ_z² and not σ_z?</summary>
#
# The output of a layer is any real number, and every real number is the logarithm of a positive one.
#
# </details>
#
# <details><summary>2. A VAE trains without an error message, its KL is 0.00, and all restored pictures are the same. Name two possible causes.</summary>
#
# The draw is not reparameterised, so the encoder learns from the KL alone. Or the error is averaged over pixels and the KL is not.
#
# </details>
#
# <details><summary>3. Does a Gaussian fitted to the latents turn an autoencoder into a VAE?</summary>
#
# Its pictures may be as good. But it has no $p(x)$, its encoder states no uncertainty, and nothing limits the nats in its latent.
#
# </details>
#
# <details><summary>4. Two sets have a Fréchet distance of 0. Are their pictures alike?</summary>
#
# Not for sure. Their cells have the same means and covariances; nothing more is compared.
#
# </details>
#
# ## On your own
#
# 1. Set `beta = 0`, then `beta = 1` and `sigma = 0.2`. What happens to the regions and to the draws from $\mathcal N(0, I)$?
#
# 2. The article that notebook `18` reads ties all standard deviations to the mean: $z = \mu + \|\mu\|\,\varepsilon$, so $\sigma_{z,k} = r = \|\mu\|$. Where is the KL of this region smallest, and can it be zero?
#
# <details><summary>Solution</summary>
#
# Its slope $r + K(r - 1/r)$ is zero at $r^2 = K/(K+1)$. There the KL is $\tfrac K2 \log\tfrac{K+1}{K}$, never zero.
#
# </details>
#
# 3. For $f(z) = \sum_k (z_k - 3)^2$ with $K = 8$, $\mu = 0$, $\sigma_z = 1$, draw a million times $2(\varepsilon_1 - 3)$ and $f(\varepsilon)\,\varepsilon_1$. Both estimate the slope of $\mathbb E[f]$ by $\mu_1$.
#
# <details><summary>Solution</summary>
#
# Both have the mean −6. The standard deviations are 2 (reparameterised) and 84 (score function): it takes $7068/4 \approx 1{,}770$ times as many draws for the same error.
#
# </details>
#
# 4. Put `dataset = "fashion_mnist"`, or `"folder"` with a `path`. Which numbers can be compared between two sets?
#
# ## References
#
# - D. P. Kingma and M. Welling. Auto-encoding variational Bayes. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - D. J. Rezende, S. Mohamed and D. Wierstra. Stochastic backpropagation and approximate inference in deep generative models. ICML 2014. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - R. J. Williams. Simple statistical gradient-following algorithms for connectionist reinforcement learning. Machine Learning 8, 229–256, 1992. [doi:10.1007/BF00992696](https://doi.org/10.1007/BF00992696)
# - M. D. Hoffman and M. J. Johnson. ELBO surgery: yet another way to carve up the variational evidence lower bound. Workshop on Advances in Approximate Bayesian Inference, NIPS 2016. [approximateinference.org](http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf)
# - D. C. Dowson and B. V. Landau. The Fréchet distance between multivariate normal distributions. Journal of Multivariate Analysis 12(3), 450–455, 1982. [doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X(82)90077-X)
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter. GANs trained by a two time-scale update rule converge to a local Nash equilibrium. NIPS 2017. [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - P. Ghosh, M. S. M. Sajjadi, A. Vergari, M. Black and B. Schölkopf. From variational to deterministic autoencoders. ICLR 2020. [arXiv:1903.12436](https://arxiv.org/abs/1903.12436)
# - B. Dai and D. Wipf. Diagnosing and enhancing VAE models. ICLR 2019. [arXiv:1903.05789](https://arxiv.org/abs/1903.05789)
# - G. Loaiza-Ganem and J. P. Cunningham. The continuous Bernoulli: fixing a pervasive error in variational autoencoders. NeurIPS 2019. [arXiv:1907.06845](https://arxiv.org/abs/1907.06845)
# - W. Shi et al. Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network. CVPR 2016. [arXiv:1609.05158](https://arxiv.org/abs/1609.05158)
