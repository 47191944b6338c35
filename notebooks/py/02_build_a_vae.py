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
# <!--badges-->
#
# An autoencoder squeezes a picture into a few numbers and restores it. That sounds like a machine for making pictures: throw the first half away, feed the second half with numbers of your own. It does not work, and finding out why leads to every part of a variational autoencoder (VAE), one at a time.
#
# **What you'll do**
#
# - Train a plain autoencoder, ask it for new pictures, and measure how it fails.
# - Build what it lacks: an encoder that says how sure it is, a draw that gradients pass through, a decoder that states a probability, and a loss in nats per image.
# - Write one training step by hand, then the same as a Keras model, and check that the two agree.
# - Look at what you built: reconstructions, new pictures, and what each latent number does.
#
# **What you'll learn**
#
# - A VAE is an autoencoder plus three decisions, and each of them answers a failure that you have seen.
# - Why a random draw stops a gradient, and how one line lets it through.
# - What a VAE is better at than its plain twin, and what it is worse at.
#
# **What you'll need**
#
# - Some Keras (`Dense`, `fit`), and the idea of a mean and a standard deviation. Notebook `01` is no requirement.
# - About 2 minutes on 2 CPU cores and 1.5 GB of memory. The default pictures are drawn on the spot; the other sets are downloaded once.

# %% tags=["colab"]
# written by the build

# %% tags=["parameters"]
dataset = "shapes"  # or "pets", "mnist", "fashion_mnist"
seed = 0  # of the pictures, the first weights and every random draw
images = 4000  # pictures to train on, at most
size = 32  # side of a picture in pixels, a multiple of 4
latent = 12  # K, numbers in a code
width = 512  # units of the hidden layers
epochs = 30  # passes over the pictures, for the autoencoder and for the VAE
batch_size = 64  # pictures in one training step
learning_rate = 0.002  # of Adam, at the start; it falls to zero along half a cosine
beta = 1.0  # weight of the KL in the VAE's loss; 1 is the ELBO

# %%
from helpers.runs import check_parameters, set_up

check_parameters(
    globals(),
    dataset=["shapes", "pets", "mnist", "fashion_mnist"],
    seed=range(2**32),
    images=range(64, 100_001),
    size=[16, 24, 28, 32, 48, 64],
    latent=range(2, 257),
    width=range(8, 4097),
    epochs=range(1, 1001),
    batch_size=range(1, 1025),
    learning_rate=(1e-5, 0.1),
    beta=(0.0, 1000.0),
)
set_up(seed)

import math
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

from helpers import data, losses, models, plots
from helpers.layers import DepthToSpaceUp, PatchDown
from helpers.models import value_and_grad
from helpers.runs import record

plots.use()

# %% [markdown]
# ## The pictures
#
# Small pictures, so that a CPU is enough: from the set `shapes` we ask for one object each, on faint texture. Nothing is said to any network about discs, squares or colours. We keep some pictures aside (*held out*); every number and every picture below is about those.

# %%
easy = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02, "annotators": 1}
options = easy if dataset == "shapes" else {}
loaded = [
    data.load(dataset, split, size=size, limit=limit, seed=seed, **options)
    for split, limit in [("train", images), ("val", min(images, 1000))]
]
train, held_out = (data.to_float(part.images) for part in loaded)
factors = loaded[1].factors
shape = train.shape[1:]  # (H, W, C)
dimensions = math.prod(shape)  # D = H·W·C
print(f"{len(train)} to train on, {len(held_out)} held out, each {shape}: D = {dimensions} numbers")

# %% [markdown]
# ## An autoencoder
#
# Two networks, mouth to mouth. The **encoder** takes a picture of $D$ numbers and returns a code of $K$ numbers. The **decoder** takes $K$ numbers and returns a picture. They are trained together to give back what went in.
#
# Two layers from `helpers` change the resolution. `PatchDown(32, 4)` cuts the picture into patches of 4×4 pixels and describes each by 32 numbers (a convolution whose stride is its kernel). `DepthToSpaceUp(C, 4)` is the way back: every cell is unfolded into 4×4 pixels. Both are a fraction of the cost of the usual strided and transposed convolutions.
# In between, two dense layers look at the whole picture at once. The `Rescaling` moves pixels from [0, 1] to [−2, 2] and back: networks learn faster from numbers that are spread around zero.


# %%
def build_encoder(shape, latent, heads=("code",)):
    """A network `(B, H, W, C)` → one `(B, K)` for each head."""
    image = keras.Input(shape)
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    h = PatchDown(32, 4, activation="silu")(h)  # (B, H/4, W/4, 32)
    h = layers.Flatten()(h)
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    outputs = [layers.Dense(latent, name=name)(h) for name in heads]
    return keras.Model(image, outputs if len(heads) > 1 else outputs[0], name="encoder")


def build_decoder(shape, latent):
    """A network `(B, K)` → `(B, H, W, C)`."""
    code = keras.Input((latent,))
    h = code
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    small = (shape[0] // 4, shape[1] // 4, 32)
    h = layers.Dense(math.prod(small), activation="silu")(h)
    h = layers.Reshape(small)(h)  # (B, H/4, W/4, 32)
    h = DepthToSpaceUp(shape[-1], 4, activation=None)(h)
    return keras.Model(code, layers.Rescaling(0.25, offset=0.5)(h), name="decoder")


# %%
def adam():
    steps = epochs * math.ceil(len(train) / batch_size)
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))


ae_encoder, ae_decoder = build_encoder(shape, latent), build_decoder(shape, latent)
autoencoder = keras.Model(ae_encoder.input, ae_decoder(ae_encoder.output))
autoencoder.compile(optimizer=adam(), loss="mse")

started = time.perf_counter()
autoencoder.fit(train, train, batch_size=batch_size, epochs=epochs, verbose=0)
ae_seconds = time.perf_counter() - started

codes = ae_encoder.predict(held_out, verbose=0)  # (N, K)
restored = ae_decoder.predict(codes, verbose=0)
ae_rmse = float(np.sqrt(np.mean((restored - held_out) ** 2)))
mean_rmse = float(np.sqrt(np.mean((train.mean(axis=0) - held_out) ** 2)))
print(f"typical error of a pixel: {ae_rmse:.3f}; of always showing the mean picture: {mean_rmse:.3f}")

# %% [markdown]
# In the stored run a pixel is off by 0.054<!--=ae_rmse-->, on a scale from 0 to 1. Most of that is texture and noise, which twelve numbers cannot hold.
#
# ## Can it make new pictures?
#
# The decoder turns *any* twelve numbers into a picture. So let us draw twelve numbers and look.
#
# > **Predict first.** Draw the numbers from a standard normal, $\mathcal N(0, 1)$ each. Will the pictures look like (a) the training pictures, (b) mixtures of two or three of them, (c) nothing of the kind? What would you have to know about the codes to be sure?


# %%
def normal(*shape):
    return np.random.default_rng(seed + 1).standard_normal(shape).astype("float32")


def show_rows(rows, alt, count=12):
    rows = {label: np.clip(row[:count], 0, 1) for label, row in rows.items()}
    plots.show(plots.image_grid(list(rows.values()), row_labels=list(rows)), alt=alt)


ae_draws = ae_decoder.predict(normal(1000, latent), verbose=0)
show_rows(
    {"held out": held_out, "restored": restored, "drawn": ae_draws},
    alt="Three rows of pictures. Held out: one coloured object on faint texture each. Restored: the same "
    "objects in the same colours and places, softer. Drawn: smears and ghosts; hardly one has a clear object.",
)

# %% [markdown]
# The decoder is fine: the second row proves it. What fails is our choice of numbers. During training the decoder only ever saw codes that the encoder had made, and nobody told the encoder where to put them. Here is where they lie.

# %%
spread, middle = codes.std(axis=0), codes.mean(axis=0)
correlation = np.abs(np.corrcoef(codes.T) - np.eye(latent)).max()
print(f"spread of a coordinate: {spread.min():.2f} to {spread.max():.2f}      (standard normal: 1)")
print(f"mean of a coordinate:   {middle.min():.2f} to {middle.max():.2f}    (standard normal: 0)")
print(f"largest correlation of two: {correlation:.2f}        (standard normal: 0)")

# %% [markdown]
# In the stored run the codes spread by up to 9.9<!--=ae_spread_max--> where our draws spread by 1, and two coordinates correlate by up to 0.50<!--=ae_correlation-->. Our draws land in a corner of the codes' territory, or beside it.
#
# A picture can be judged by eye; for a comparison we also want a number. Take the 20 directions in which the pictures vary most (their leading principal components), and compare two clouds of pictures by mean and covariance there: the **Fréchet distance** of two Gaussians,
# $\sqrt{\|m_1 - m_2\|^2 + \operatorname{tr}\big(C_1 + C_2 - 2(C_1 C_2)^{1/2}\big)}$. We divide it by the distance of a cloud that is one point, the mean picture. So 0 means the same mean and covariance, and 1 means no better than one picture for ever. It is coarse (a ghost with the right colours costs little), but nobody trained for it, and it treats all contestants alike.


# %%
def principal(pictures, count=20):
    """Mean and leading directions `(count, D)` of a cloud of pictures."""
    flat = pictures.reshape(len(pictures), -1)
    mean = flat.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((flat - mean).T))
    return mean, vectors[:, ::-1][:, :count].T


def frechet(pictures):
    """Distance to the training pictures: 0 the same cloud, 1 the mean picture alone."""
    a, b = ((p.reshape(len(p), -1) - centre) @ directions.T for p in (train, pictures))
    ca, cb = np.cov(a.T), np.cov(b.T)
    # tr (Ca·Cb)^½ is the sum of the roots of the eigenvalues, which are real and ≥ 0.
    cross = np.sqrt(np.clip(np.linalg.eigvals(ca @ cb).real, 0, None)).sum()
    squared = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(ca) + np.trace(cb) - 2 * cross
    return float(np.sqrt(max(squared, 0) / np.trace(ca)))


centre, directions = principal(train)
fitted = np.random.default_rng(seed + 2).multivariate_normal(middle, np.cov(codes.T), 1000)
ae_fitted_draws = ae_decoder.predict(fitted.astype("float32"), verbose=0)
distances = {
    "held out": frechet(held_out),
    "AE, standard normal": frechet(ae_draws),
    "AE, Gaussian fitted to the codes": frechet(ae_fitted_draws),
}
for name, value in distances.items():
    print(f"{name:<34}{value:.2f}")
