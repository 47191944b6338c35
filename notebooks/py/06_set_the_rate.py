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
# # Set the rate, and find where the blur comes from
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/06_set_the_rate.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/06_set_the_rate.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/06_set_the_rate.ipynb) <!--badges-->
#
# ![Two panels, distortion over rate for six values of beta, each a falling convex curve. In the record it falls steeply from beta 30 at 4 nats of rate to beta 3 at 15, and is nearly flat from beta 0.3 to beta 0.1 at 50. Dotted lines of slope minus one mark equal ELBO; the lowest one passes through the point of beta 1 and just under its neighbours. Crosses, half as many steps, lie slightly above. Bars are intervals over three seeds; only that of beta 30 is tall. The short run on the right has the same form and lies 35 to 70 nats higher.](../docs/pictures/06.png) <!--picture-->
#
# Somebody has to set a few numbers in the loss of a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE): the weight β of the [KL](../docs/site/glossary.md#term-KL-divergence) term, the standard deviation σ of a pixel, and the [likelihood](../docs/site/glossary.md#term-likelihood) itself. The numbers can be wrong by a factor of a hundred, and the likelihood in kind, without an error message. What do β, σ and the likelihood do? And where does the blur of a VAE's pictures come from?
#
# **What you'll do**
#
# - Draw what six VAEs lose over what they send, for six values of β.
# - Find the σ that hides in a squared error, and in a [cross-entropy](../docs/site/glossary.md#term-cross-entropy) of grey values.
# - Learn σ or set it, and compare five likelihoods in bits.
# - See which part of a picture a VAE leaves out, and what takes its place.
#
# **What you'll learn**
#
# - What a test with three seeds can say about [rate](../docs/site/glossary.md#term-rate) and [distortion](../docs/site/glossary.md#term-distortion).
# - That β and σ are one setting for a squared error, and how to choose it.
# - Why a likelihood of independent pixels answers with a mean.
#
# **What you'll need**
#
# - What the two terms of the loss are, in [nats](../docs/site/glossary.md#term-nat) per image (notebook `04`).
# - Mathematics: logarithms, derivatives, mean, variance, the density of a normal distribution.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 42 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
dataset = "shapes"  # or "mnist", "fashion_mnist", or "folder" for pictures of your own
path = ""  # for "folder": the folder with your pictures; it needs no masks
seed = 0  # of the pictures, the first weights and every random draw
size = 16  # height and width of the pictures, in pixels
images = 20_000  # pictures to train on
val_images = 2000  # held-out pictures: all rates, bits and spectra are measured on them
latent = 16  # K, how many numbers the latent of every VAE here has
width = 64  # units of each hidden layer
steps = [600]  # training steps of each VAE; with two lengths, both are trained
seeds = 1  # trainings of each VAE, with other first weights and other noise
betas = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]  # weights of the KL, in rising order
main_steps = 6000  # training steps of the VAE that the last sections look at

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "mnist", "fashion_mnist", "folder"], path="folder",
    seed=range(2**32), size=range(16, 65), images=range(64, 100_001),
    val_images=range(10, 10_001), latent=range(1, 129), width=range(4, 1025),
    steps={"list_of": range(1, 100_001)}, seeds=range(1, 21),
    betas={"list_of": (0.0, 1000.0)}, main_steps=range(1, 100_001),
)  # fmt: skip
set_up(seed)

import math

import keras
import numpy as np
from keras import ops

from helpers import backend, data, losses, metrics, models, networks, plots
from helpers.generative.learned_sigma import WatchSigma

plots.use()


# %% [markdown]
# The exercises use one small function.


# %%
def compare(name, yours, true, hint):
    # Your value beside the true one; stops with a hint where they differ.
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.4g}'}")
    assert yours is None or abs(yours - true) <= 0.005 * max(1, abs(true)), hint


# %% [markdown]
# ## Pictures, and one small VAE
#
# The pictures are `shapes` of 16×16 pixels with one object each. With `dataset = "folder"` and `path`, the notebook runs on pictures of your own.
#
# Pictures are bytes, 0 to 255, and a Gaussian is a density over real numbers, which could grow without limit on 256 single points. So every byte is replaced by a random number from the interval of width 1/256 that belongs to it: **uniform [dequantisation](../docs/site/glossary.md#term-dequantisation)**.

# %%
options = {}
if dataset == "shapes":
    options = {"objects": 1, "radius": (0.15, 0.25), "seed": seed}
    options |= {"texture": 0.1, "noise": 0.02, "annotators": 1}
if dataset == "folder":
    options = {"path": path}
train_set = data.load(dataset, "train", size=size, limit=images, **options)
val_set = data.load(dataset, "val", size=size, limit=val_images, **options)
rng = np.random.default_rng(seed)


def dequantise(pictures):
    # Bytes → float32 in [0, 1]: a random place inside the interval of each byte.
    return ((pictures + rng.random(pictures.shape)) / 256).astype("float32")


x_train = dequantise(train_set.images)  # (N, H, W, C)
x_val = dequantise(val_set.images)
D = x_train[0].size  # values in one picture, H·W·C
print(f"{len(x_train)} pictures to train on, {len(x_val)} held out, {D} values each")

# %% [markdown]
# One network serves all experiments: two dense layers before the [latent](../docs/site/glossary.md#term-latent-variable) and two behind it. The first layer moves pixels from [0, 1] to a range around zero, and the last one moves them back.
#
# In `train` the learning rate falls to zero along a cosine. Passes over the pictures are whole, so the number of steps is rounded.


# %%
def new_vae(seed, kind=models.VAE, **options):
    """A VAE with fresh weights; the options are those of `models.VAE`."""
    keras.utils.set_random_seed(seed)
    shape = x_train.shape[1:]
    # Inputs are centred; outputs are shifted back only if they are pixels, not logits.
    centre = "input" if options["likelihood"] == "bernoulli" else True
    encoder, decoder = networks.dense_networks(shape, latent, (width, width), "silu", centre)
    return kind(encoder, decoder, seed=seed, **options)


def train(vae, x, steps, learning_rate=0.005, callbacks=()):
    """Fit to the pictures x for about so many steps of 64 pictures."""
    passes = max(1, round(steps * 64 / len(x)))
    total = passes * math.ceil(len(x) / 64)
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, total)
    vae.compile(keras.optimizers.Adam(falling), **backend.compile_options(planned=total))
    vae.fit(x, batch_size=64, epochs=passes, callbacks=list(callbacks), verbose=0)


# %% [markdown]
# ## What does β do?
#
# Think of a sender and a receiver. The sender runs the [encoder](../docs/site/glossary.md#term-encoder) and sends a draw of $z$. A good code spends $-\log p$ nats on a message of probability $p$: rare ones are long. The KL term is the length of the message $z$ in this sense (Hinton and van Camp, 1993, show how it can be so short). It is the **[rate](../docs/site/glossary.md#term-rate)** $R$. The receiver runs the [decoder](../docs/site/glossary.md#term-decoder). With $z$ known, $-\log p(x \mid z)$ is still missing before the picture is known. It is the **[distortion](../docs/site/glossary.md#term-distortion)** $\Delta$. The loss is $\Delta + \beta R$ (the β-VAE of Higgins and others, 2017, read in this way by Alemi and others, 2018).
#
# > **Predict first.** Six VAEs differ in nothing but β, which goes from 0.1 to 30. Which one has the highest rate? Which one has the best [ELBO](../docs/site/glossary.md#term-ELBO), $-(\Delta + R)$, on held-out pictures? And if you draw distortion over rate, what is the slope between two neighbours?
#
# One thing first. $-(\Delta + \beta R)$ is the ELBO minus $(\beta - 1)R$, and $R$ is never negative. So for β > 1 the loss still gives a lower bound of $\log p(x)$, a looser one. For β < 1 it may lie above $\log p(x)$: it need not be a bound. (A β above 1 is often said to give every coordinate a meaning of its own, to *disentangle* them. Locatello and others, 2019, show that without labels no loss alone can.)
#
# The question of the slope has an answer on paper. Let model $a$ be the best one for $\beta_a$, and model $b$ the best one for a larger $\beta_b$. Then $b$ is not better for $\beta_a$, and $a$ is not better for $\beta_b$:
#
# $$\Delta_a + \beta_a R_a \;\le\; \Delta_b + \beta_a R_b, \qquad \Delta_b + \beta_b R_b \;\le\; \Delta_a + \beta_b R_a.$$
#
# The first inequality says $\beta_a (R_a - R_b) \le \Delta_b - \Delta_a$. The second one says $\Delta_b - \Delta_a \le \beta_b (R_a - R_b)$. So
#
# $$\beta_a \;\le\; \frac{\Delta_b - \Delta_a}{R_a - R_b} \;\le\; \beta_b .$$
#
# The fraction is the slope of the straight line between the two models, without its sign. **Between neighbours, one nat of rate saves between $\beta_a$ and $\beta_b$ nats of distortion.** The proof needs that each model is the best for its own β on the pictures where it is measured, and that $R_a > R_b$. A training can miss the first.
#
# The next cell trains the six, with σ fixed at 0.1. This is a short **demonstration**: one seed and about 600 steps.

# %%
shape = (len(steps), seeds, len(betas), 2)
curve = np.empty(shape)  # rate and distortion, nats per picture
redrawn = {"picture": x_val[:10]}
for i, length in enumerate(steps):
    for run in range(seeds):
        for j, beta in enumerate(betas):
            vae = new_vae(seed + run, likelihood="gaussian", sigma=0.1, beta=beta)
            train(vae, x_train, length)
            distortion, rate = vae.terms(x_val)  # (N,) each
            curve[i, run, j] = float(ops.mean(rate)), float(ops.mean(distortion))
            redrawn[f"β = {beta:g}"] = ops.convert_to_numpy(vae(x_val[:10]))

# %% [markdown]
# Longer trainings with several seeds (*the record*) were run once, by the same cells with the parameters of `notebooks/parameters/06.full-rate.yaml`: three seeds, 40,000 pictures, 5,000 and 10,000 steps.

# %%
study = data.records.results_of("06-rate")
if not study:  # while the record is being made, the run is its own record
    study = {"betas": betas, "steps": steps, "curve": curve}
recorded = np.array(study["curve"])  # (lengths, seeds, β, 2)

# %% tags=["picture"]
runs = {"record: 3 seeds, long trainings": (study["betas"], recorded)}
runs["your run: a short demonstration"] = (betas, curve)
alike = dataset == "shapes" and size == 16  # only then are both on one scale
fig = plots.rate_distortion(runs, same_scale=alike)
alt = "Two panels, distortion over rate for six values of beta, each a falling convex curve. In the record it falls steeply from beta 30 at 4 nats of rate to beta 3 at 15, and is nearly flat from beta 0.3 to beta 0.1 at 50. Dotted lines of slope minus one mark equal ELBO; the lowest one passes through the point of beta 1 and just under its neighbours. Crosses, half as many steps, lie slightly above. Bars are intervals over three seeds; only that of beta 30 is tall. The short run on the right has the same form and lies 35 to 70 nats higher."
plots.show(fig, alt=alt)

# %%
rate, distortion = np.moveaxis(recorded, -1, 0)  # (lengths, seeds, β) each
slopes = np.diff(distortion) / -np.diff(rate)  # (lengths, seeds, gaps)
below = study["betas"][:-1]
above = study["betas"][1:]
inside = (slopes >= below) & (slopes <= above)
print("slopes, a row for each seed:")
print(slopes[-1].round(2))
print("in their bracket, for each length:", inside.sum(axis=(1, 2)))

elbo = -(distortion + rate)
print("ELBO, a row for each seed:")
print(elbo[-1].round(1))

# %% [markdown]
# In the stored run, the record says: the smallest β has the highest rate, 50<!--=study_rate[0]--> nats at β = 0.1 against 4<!--=study_rate[5]--> nats at β = 30. β = 1 has the best held-out ELBO, 944.4<!--=study_elbo[2]--> nats. It leads β = 3 by 8.3<!--=behind[3]--> ± 0.9<!--=behind_half[3]--> nats, but the interval of its lead over β = 0.3, 1.7<!--=behind[1]--> ± 1.8<!--=behind_half[1]-->, holds zero (95 %, over the seeds, all on the same 2,000 held-out pictures).
#
# **What was tested** is the slope of a straight line between two neighbours, against a bracket whose ends differ by a factor of three. After both lengths of training, 15<!--=inside[1]--> of 15 slopes (5 gaps, 3 seeds) lie in their bracket. The slope of a curve *at* a point was not tested. Not every model is the best for its β, either: at β = 30 one seed has a lower $\Delta + 30R$ than the others. And twice the steps still change the ELBOs by 3 to 5 nats, 0.3 to 0.6 %, which is more than the lead over β = 0.3.
#
# On each dotted line $\Delta + R$ is the same, and on the next line it is 50 nats more. The lowest line touches the curve at β = 1. It must, if training works: for β = 1 the sum $\Delta + R$ is the loss.

# %%
names = list(redrawn)
fig = plots.image_grid(list(redrawn.values()), row_labels=names, limits=(0, 1))
alt = "Ten held-out pictures above six rows of reconstructions from the short run. With beta from 0.1 to 3 the objects are round soft spots in the right place and mostly in the right colour; squares and triangles have no corners, and the texture is gone. With beta 10 most spots are grey. With beta 30 a weak light spot in the middle is left, the same for all, on a ground of the right colour."
plots.show(fig, alt=alt)

# %% [markdown]
# Your short run: at β = 30, 3 nats name the colour of the ground and no object. Which β is right? For a model of the density, 1, once σ is right (0.1 is not, see below). For another purpose any point of the curve may be. Only a β that comes by accident, from a mean over pixels (see the next sections), is nobody's choice.
#
# ## A message of negative length?
#
# The distortion in the figure is negative. Does the receiver need less than nothing?
#
# A Gaussian has a *density*, and a density may be larger than 1. At its peak, that of σ = 0.1 is $1 / (0.1 \sqrt{2\pi}) \approx 4$, so $-\log p$ is negative there. Only a density times a width is a probability, and the width that belongs to a byte is $1/256$:
#
# $$-\log \text{probability of the byte} \;\approx\; -\log \tfrac{p}{256} \;=\; -\log p + \log 256 .$$
#
# Each of the $D$ values adds $\log 256 = 5.5$ nats, and the message has a positive length.

# %%
own_rates, own_distortions = curve[-1, 0].T  # one for each β
own_distortion = own_distortions.min()  # the lowest one of your run
message = own_distortion + D * math.log(256)
print(f"distortion {own_distortion:.1f} nats, with the widths {message:.1f} nats")
print(f"that is {message / math.log(2):.0f} bits for {D} bytes")

# %% [markdown]
# The constant is the same for all models, and changes no slope and no difference. Constant, distortion and rate together are the length of the whole message. Divided by $D$ and by $\log 2$, it is called **[bits per dimension](../docs/site/glossary.md#term-bits-per-dimension)**, and raw bytes have 8. Only on dequantised pictures is it an upper bound for the length of a lossless code (Theis and others, 2016).
#
# **Exercise 1.** A VAE has a negative ELBO of −1100 nats on dequantised pictures of 16×16×3 values. How many bits per dimension is that?

# %%
your_bits = None  # ← your number
compare("bits", your_bits, 8 - 1100 / (768 * math.log(2)), "Nats to bits, per value, plus 8.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $-1100 / (768 \cdot \ln 2) + 8 = -2.066 + 8 = 5.934$ bits.
#
# </details>
#
# ## β, σ and the scale of the loss
#
# Many programs train with a squared error and a KL, each with some weight. Which σ is that? The negative ELBO of a Gaussian decoder with a fixed σ, for one picture $x$ and its [reconstruction](../docs/site/glossary.md#term-reconstruction) $r$, is
#
# $$\frac{1}{2\sigma^2}\,\|x - r\|^2 \;+\; \mathrm{KL} \;+\; D \log\big(\sigma\sqrt{2\pi}\big).$$
#
# Multiply it by β: the squared error gets the weight $w = \frac{\beta}{2\sigma^2}$, the KL the weight β. Read backwards, this says:
#
# > **A squared error with weight w per squared unit, w·‖x − r‖² + β·KL, is β times the negative ELBO of a Gaussian decoder with σ² = β/(2w), up to a constant.**
#
# Neither a positive factor nor a constant moves a minimum. **For a squared error, β and σ are one setting.** The cell computes the σ of four losses.

# %% tags=["nbval-check-output"]
weights = {"½ · sum": 0.5, "sum": 1, "mean": 1 / 768, "1000 · mean": 1000 / 768}
for name, w in weights.items():
    sigma = math.sqrt(1 / (2 * w))  # β = 1
    assert math.isclose(w, 1 / (2 * sigma**2))
    print(f"{name:>11} of 768 squares + KL: σ = {sigma:6.3f}")

# %% [markdown]
# Pixels go from 0 to 1, and a Gaussian with σ = 0.7 covers all of this range. One with σ = 19.6 says that the picture has nothing to do with what the decoder draws, and its VAE will send next to nothing. With a *mean* of squares, σ also changes with the size of the picture; with a sum it does not.
#
# **Exercise 2.** Somebody trains with σ = 0.1 and β = 4. You want the same minimum with β = 1. Which σ?

# %%
your_sigma = None  # ← your number
compare("σ", your_sigma, 0.2, "The weight w = 1/(2σ²), divided by β, must stay as it was.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# With $w = 1/(2 \cdot 0.1^2) = 50$ and β = 4 the box gives $\sigma^2 = \beta/(2w) = 0.04$: σ = 0.2 with β = 1. The minimum is the same, but not the ELBO: it is that of a model with another σ.
#
# </details>
#
# ## Which σ is right?
#
# Keep the reconstructions fixed. Per value, the negative log-density is $\frac{(x-r)^2}{2\sigma^2} + \log\sigma + \text{const}$. With the mean squared error $e^2$ in place of $(x - r)^2$, its derivative by σ is $-\frac{e^2}{\sigma^3} + \frac1\sigma$. It is zero at $\sigma = e$. **The best σ is the root mean square (r.m.s.) of the error.**
#
# > **Predict first.** The r.m.s. error is 0.05. Which mistake adds more nats, σ = 0.02 or σ = 0.5?

# %% tags=["nbval-check-output"]
error = 0.05
best = 0.5 + math.log(error)  # the nats that depend on σ, at σ = error
for sigma in (0.02, 0.05, 0.1, 0.5):
    more = error**2 / (2 * sigma**2) + math.log(sigma) - best
    assert more > -1e-12
    print(f"σ = {sigma:4}: {more:.2f} nats a value more than at the best σ")

# %% [markdown]
# A σ too wide expects errors that do not occur; one too narrow is surprised by every error that does. Here the wide one adds a little more, 1.81 against 1.71 nats a value; other numbers may have it the other way round.
#
# ### Learn it, or set it?
#
# One can **learn** $\log\sigma$ with all other weights: `models.VAE(..., sigma=None)`. Or one can **set** σ in every batch to the r.m.s. error of that batch (Rybkin and others, 2021). (On held-out pictures σ is set to their own error, one number for 2,000 pictures.)


# %%
class RmsVAE(models.VAE):
    """A VAE whose σ is the r.m.s. error of the batch that it looks at."""

    def reconstruction_nll(self, x, z, training=False):
        reconstruction = self.decode(z, training=training)
        error = ops.subtract(x, reconstruction)  # (B, H, W, C)
        log_sigma = 0.5 * ops.log(ops.mean(ops.square(error)))
        return losses.gaussian_nll(x, reconstruction, log_sigma)


# %% [markdown]
# A learned σ has a trap. Adam moves a weight by about the learning rate in each step at most, however large the gradient is (Kingma and Ba, 2015, section 2.1). In `models.VAE`, σ = 0.01 + s starts at 0.11; log s is learned, and cannot move much further than the sum of the learning rates. If training ends before σ has arrived, the "learned" number is a property of Adam and not of the pictures.
#
# `WatchSigma` notes σ after each pass over the pictures, and the r.m.s. error at a draw of $z$, on 1,000 training pictures. The first VAE gets 600 steps at a learning rate of 0.001, on 3,200 pictures. The second, `main`, is trained longest, at the learning rate of all others, 0.005.


# %%
short, long = WatchSigma(x_train[:1000]), WatchSigma(x_train[:1000])
hasty = new_vae(seed, likelihood="gaussian", sigma=None)
train(hasty, x_train[:3200], 600, learning_rate=0.001, callbacks=[short])
main = new_vae(seed, likelihood="gaussian", sigma=None)
train(main, x_train, main_steps, callbacks=[long])

# %%
fig = plots.sigma_over_steps({"learning rate 0.001": short.rows, "main": long.rows})
alt = "Learned sigma and r.m.s. error over training steps. Left, 600 steps at a low learning rate: the error falls from 0.15 to 0.07, sigma only from 0.11 to 0.09, close above a dotted line that shows how far Adam gets. Right, main: after the first pass, at about 300 steps, both fall on one line and go slowly down to 0.05, far above the dotted line."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the first VAE ends at σ = 0.089<!--=hasty[1]--> with an r.m.s. error of 0.068<!--=hasty[2]-->. σ has not arrived: Adam hardly gets below 0.084<!--=hasty[3]-->. `main` ends at σ = 0.0482<!--=main[1]--> with an error of 0.0485<!--=main[2]-->. Here σ is the error.
#
# ## And the cross-entropy of grey values?
#
# Many tutorials take `binary_crossentropy` for grey pixels. $-x \log p - (1-x) \log (1-p)$ can be computed for every $x$ between 0 and 1. But a density has to integrate to 1 over all values that the data can have.

# %% tags=["nbval-check-output"]
x = np.linspace(0, 1, 10_001)
for p in (0.5, 0.7, 0.9, 0.99):
    integral = np.trapezoid(p**x * (1 - p) ** (1 - x), x)
    assert integral < 0.51
    print(f"p = {p:4}: integral {integral:.3f}, hidden σ {math.sqrt(p * (1 - p)):.2f}")

# %% [markdown]
# The integral is a half or less. So exp(−cross-entropy) is no density. Divided by its integral it becomes one, the *continuous Bernoulli* of Loaiza-Ganem and Cunningham (2019).
#
# For training, the last column matters more. At its minimum, $p = x$, the second derivative of the cross-entropy by $p$ is $\frac{1}{p(1-p)}$. That of $\frac{(x - p)^2}{2\sigma^2}$ is $\frac{1}{\sigma^2}$. So near its minimum **the cross-entropy of a grey value hides a σ of $\sqrt{p(1-p)}$**: 0.5 for a medium grey, and small only near black and white.
#
# ## Five likelihoods, compared
#
# > **Predict first.** Five VAEs differ in the likelihood only: a Gaussian with σ = 0.02, with σ = 0.5, with a learned σ, with σ set to the r.m.s. error, and the Bernoulli (the summed cross-entropy). Order them by rate. Which one has the fewest bits per dimension? Does a learned σ reach the same as one that is set?
#
# All start with the same contrast. The last layer of a Gaussian decoder multiplies by ¼, and the sigmoid behind a Bernoulli's [logits](../docs/site/glossary.md#term-logit) has the slope ¼ at $p = \tfrac12$.
#
# Each VAE is measured twice: with its own σ, and with σ replaced by its r.m.s. error on the held-out pictures. The second number says what the *networks* have learned. For the Bernoulli both marks show the second.


# %%
contestants = {
    "σ = 0.02": {"likelihood": "gaussian", "sigma": 0.02},
    "σ = 0.5": {"likelihood": "gaussian", "sigma": 0.5},
    "Bernoulli": {"likelihood": "bernoulli"},
    "σ learned": {"likelihood": "gaussian", "sigma": None},
    "σ = r.m.s.": {"likelihood": "gaussian", "sigma": 0.1, "kind": RmsVAE},
}  # the 0.1 of the last one is not used
choices = np.empty((len(steps), seeds, len(contestants), 3))
for i, length in enumerate(steps):
    for run in range(seeds):
        for j, options in enumerate(contestants.values()):
            vae = new_vae(seed + run, **options)
            train(vae, x_train, length)
            choices[i, run, j] = metrics.rate_and_bits(vae, x_val)

# %%
recorded_choices = np.array(study.get("choices", choices))
fig = plots.likelihood_choices(list(contestants), recorded_choices, choices)
alt = "Two panels with one row for each of five likelihoods. Left, rate: 59 nats for sigma 0.02, about 40 for the learned sigma and for the r.m.s. error, 5 for sigma 0.5 and for the Bernoulli. Right, bits per dimension: 7.5 for sigma 0.02, 8.4 for sigma 0.5, about 5.7 for learned and r.m.s. Diamonds show the bits with sigma replaced afterwards: 5.7 for sigma 0.02, but still 6.5 for sigma 0.5 and for the Bernoulli. The crosses of the short run are near the points of the record, but for sigma 0.02, which has the most bits there, 9.1."
plots.show(fig, alt=alt)

# %% [markdown]
# Means of three seeds of the record, in the stored run:
#
# - **The rate follows σ**: 58.8<!--=study_choices[1][0][0]--> nats for σ = 0.02, 40<!--=study_choices[1][3][0]--> and 41<!--=study_choices[1][4][0]--> for the learned and the set one, 5.0<!--=study_choices[1][1][0]--> for σ = 0.5, and 5.0<!--=study_choices[1][2][0]--> for the Bernoulli.
# - **A wrong σ adds bits in both directions**: 7.45<!--=study_choices[1][0][1]--> bits for σ = 0.02, 8.35<!--=study_choices[1][1][1]--> for σ = 0.5, which is more than raw bytes have, against 5.69<!--=study_choices[1][3][1]--> for the learned one and 5.68<!--=study_choices[1][4][1]--> for the set one. (In the short run errors are larger, and σ = 0.02 has even 9.1<!--=choices[0][0][0][1]--> bits.)
# - **Too narrow could be repaired, too wide could not.** With σ replaced, the networks of σ = 0.02 reach 5.69<!--=study_choices[1][0][2]--> bits. Those of σ = 0.5 and of the Bernoulli stay at 6.45<!--=study_choices[1][1][2]--> and 6.48<!--=study_choices[1][2][2]-->: 5 nats name too little.
# - **Learned or set**: no difference was seen. Learned minus set is +0.010<!--=more_bits[1]--> ± 0.022<!--=more_bits_half[1]--> bits, an interval that still allows a small difference.
#
# Twice the steps still lower the bits of the learned and the r.m.s. σ by 0.04, about 20 nats, so these are no final numbers. The distance to σ = 0.5 and the Bernoulli is twenty times as large.
#
# ## Where does the blur come from?
#
# One often reads that the latent is too small for detail, or that the KL removes it. That is one part. The decoder's likelihood is **[factorised](../docs/site/glossary.md#term-factorised-likelihood)**: given $z$, all pixels are independent. Suppose $z$ leaves open whether an outline runs here or one pixel further. Such a decoder cannot say "either this sharp picture or that one" (Mathieu and others, 2016, saw the same in predicted videos). A Gaussian one has one value for each pixel, and the best value is the *mean* over everything that is still possible. The mean of sharp pictures is not sharp.
#
# A row of 16 pixels shows it: an edge from dark to light at one of seven places, all equally probable.
#
# > **Predict first.** Guess a row: one of the seven sharp ones, or the mean of all seven. Which guess has the smaller expected squared error, and by which factor?

# %% tags=["nbval-check-output"]
sharp = 1 - np.tri(7, 16, 4)  # (7, 16): from 0 to 1 at place 5, 6, … 11
guesses = np.vstack([sharp, sharp.mean(axis=0)])
errors = [np.sum((sharp - guess) ** 2) for guess in guesses]
times = np.array(errors) / errors[-1]
print("seven sharp guesses, times the error of the mean:", times[:7].round(2))
assert abs(times[:7].mean() - 2) < 1e-12

# %% [markdown]
# The mean has the smallest error. A sharp guess has 1.5 to 2.62 times as much, **on average over the guesses exactly twice** as much: $\mathbb E\|x - x'\|^2 = 2\,\mathbb E\|x - \bar x\|^2$ for independent draws $x, x'$ with the mean $\bar x$. So **a factorised Gaussian answers with the mean of what is possible** (a Laplace one with the median). Here it is a ramp, a blurred edge.
#
# And the detail that $z$ does not name? The model calls it noise, of spread σ, independent from value to value. The pictures that everybody shows are the means of $p(x \mid z)$. True draws are means *plus noise*.
#
# > **Predict first.** Compute the power at each spatial frequency of held-out pictures, of the means, and of true draws from $p(x \mid z)$. Where do the three agree? Can the noise put the missing power back?
#
# A **power spectrum** says how much of a picture varies slowly (1 cycle over the whole picture) and how much fast (8 cycles: neighbours alternate). We compute it for each channel alone.


# %%
def spectrum(pictures):
    # Power at 1, 2, … cycles a picture, for each channel alone, then averaged.
    alone = np.moveaxis(pictures, -1, 0)  # (C, N, H, W)
    return metrics.power_spectrum(alone.reshape(-1, size, size, 1))


z = main.sampling(*main.encode(x_val))  # a draw for each picture, (N, K)
means = ops.convert_to_numpy(main.decode(z))  # of the pixels, (N, H, W, C)
main_sigma = math.exp(float(main.log_sigma()))
draws = means + main_sigma * rng.standard_normal(means.shape)
power = {"pictures": spectrum(x_val), "means": spectrum(means), "draws": spectrum(draws)}
fig = plots.power_spectra(power)
alt = "Left, power over spatial frequency on a logarithmic axis: all three curves begin together at one cycle per picture; the means then fall far below the pictures, and the draws become flat. Right, as a share of the pictures' power: the means keep nearly all at one cycle, under a quarter at three and four, and almost nothing from five on. The draws fall to about a half at three cycles, cross one near five and rise to nearly three at eight."
plots.show(fig, alt=alt)

# %%
rows = [x_val[:10], means[:10], draws[:10]]
fig = plots.image_grid(rows, row_labels=["picture", "mean", "draw"], limits=(0, 1))
alt = "Ten held-out pictures, the means that the decoder gives for a draw of the latent, and draws from its distribution. The means are smooth round spots in the right place and colour, without corners and without texture. The draws are the same spots under coloured grain that is stronger than that of the pictures; no outline comes back."
plots.show(fig, alt=alt)

# %% [markdown]
# At 1 cycle pictures, means and draws agree. In the stored run the means keep 0.96<!--=means_kept[0]--> of the pictures' power there, 0.15<!--=means_kept[2]--> at 3 cycles and 0.01<!--=means_kept[7]--> at 8. The draws have 0.45<!--=draws_kept[2]--> at 3 cycles, too little, and 2.8<!--=draws_kept[7]--> at 8, too much. So the noise cannot put the missing power back. Its total power is right, because σ is the r.m.s. error. But white noise has the same power at every frequency. Most of what is missing lies at 4 cycles or fewer. Horizontally and vertically together, only a quarter of all frequencies are that slow, and get a quarter of the noise. An outline is a change that many pixels make together, and the noise of independent pixels has no outlines.
#
# So the blur has at least two parts, which were not measured apart. Something stays open given $z$: β and σ limit the rate. And something was not learned: our networks are small and trained for seconds. (The `main` of the record had more steps and more pictures, and kept nearly twice as much at 3 cycles.) Whatever is open, a factorised Gaussian answers with a mean. This blur can be small: the kept VAE of `03`, with the same likelihood and a long training on simpler pictures, blurs outlines by about half a pixel at most (`16`) and draws corners.
#
# ## What to set first
#
# 1. **Sum** the reconstruction term over height, width and channels, and the KL over the latent. Only then take the mean over the batch.
# 2. **Take the likelihood that fits the data**, as in the table.
# 3. **Set σ** to the r.m.s. error of the batch, or learn it. Start a learned σ near the error that you expect; compare the two in the end.
# 4. **Take β = 1**, unless you want another rate than that of the ELBO. Then say so, and report rate *and* distortion.
# 5. **Train twice as long.** If the held-out ELBO changes by more than the difference that you want to see, the first training was too short to show it.
#
# | values of the data | likelihood | what is set |
# |---|---|---|
# | 0 or 1 | Bernoulli, from logits | nothing |
# | grey or colour | Gaussian | σ, as in step 3 |
# | bytes, if bits matter | Gaussian on dequantised values, or a distribution over 256 levels (Salimans and others, 2017) | σ, or its scale |
# | class labels, as in masks | categorical, from logits | nothing |
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
one = study["betas"].index(1.0)
behind = [metrics.paired_difference(elbo[-1, :, one], column) for column in elbo[-1].T]
by_length = elbo.mean(axis=1)  # (lengths, β)
kinds = list(contestants)
learned = kinds.index("σ learned")
rms = kinds.index("σ = r.m.s.")
BITS = 1  # the place of the bits, between rate and bits with σ replaced
more_bits = []
for values in recorded_choices:  # (seeds, likelihoods, 3)
    pair = values[:, learned, BITS], values[:, rms, BITS]
    more_bits.append(metrics.paired_difference(*pair))
results = {
    "betas": betas, "steps": steps, "curve": curve, "choices": choices,
    "distortion": own_distortion, "message": message,
    "elbo": -(own_rates + own_distortions).min(), "rate": own_rates[0],
    "study_rate": rate[-1].mean(axis=0), "study_distortion": distortion[-1].mean(axis=0),
    "study_elbo": by_length[-1], "study_change": by_length[-1] / by_length[0] - 1,
    "behind": [lead.mean for lead in behind], "behind_half": [lead.half for lead in behind],
    "slopes": slopes[-1].mean(axis=0),
    "inside": inside.sum(axis=(1, 2)),
    "study_choices": recorded_choices.mean(axis=1),
    "more_bits": [lead.mean for lead in more_bits],
    "more_bits_half": [lead.half for lead in more_bits],
    "hasty": short.rows[-1], "main": long.rows[-1], "main_sigma": main_sigma,
    "means_kept": power["means"] / power["pictures"],
    "draws_kept": power["draws"] / power["pictures"],
}  # fmt: skip
bands = {"main_sigma": {"default": (0.03, 0.08), "smoke": (0.001, 1)}}
record(results, bands, f"learned σ {main_sigma:.4f}")

# %% [markdown]
# ## What you saw
#
# - A smaller β gave a higher rate and a lower distortion. With six β and three seeds, all 15 slopes between neighbours lay between their two β. β = 1 had the best mean ELBO, and was not told apart from 0.3.
# - A density may exceed 1, so a distortion may be negative.
# - For a squared error, β and σ are one setting: σ² = β/(2w). The best σ is the r.m.s. error; a learned one needs time to arrive.
# - The cross-entropy of grey values is no density, and hides a σ of $\sqrt{p(1-p)}$.
# - A factorised Gaussian answers with the mean of what is possible, and its noise has other frequencies than the detail that is missing.
#
# ## Check yourself
#
# 1. Two programs report an ELBO of +950 and of −3,309 nats for one model and the same pictures of 768 values. Can both be right?
#
#    <details><summary>Answer</summary>
#
#    Yes. One measures the density of values in [0, 1], the other the probability of bytes. They differ by $768 \log 256$ = 4,259 nats.
#
#    </details>
# 2. In a run the slope between β = 1 and β = 3 is 0.4. Is the theory wrong?
#
#    <details><summary>Answer</summary>
#
#    No. It holds for models that are the best for their β, on the pictures on which they are measured. At least one of the two is not.
#
#    </details>
# 3. Somebody divides the whole loss, both terms, by the number of pixels. Which σ or β has changed?
#
#    <details><summary>Answer</summary>
#
#    None. A positive factor on the whole loss moves no minimum. Dividing *one* of the two terms changes it.
#
#    </details>
# 4. A learned σ is 0.06 in the end, and the r.m.s. error is 0.045. What do you do?
#
#    <details><summary>Answer</summary>
#
#    σ has not arrived. Train longer, raise the learning rate, or set σ to the r.m.s. error.
#
#    </details>
# 5. Will a latent of twice as many numbers make a VAE's pictures sharp?
#
#    <details><summary>Answer</summary>
#
#    Not by itself. β and σ limit the rate, and further coordinates may stay unused. What the latent does not name is averaged, because the likelihood is factorised.
#
#    </details>
#
# ## On your own
#
# 1. **The same minimum twice.** Train `new_vae(seed, likelihood="gaussian", sigma=0.1, beta=4.0)` and the same with `sigma=0.2, beta=1.0`, 5,000 steps each. Which of rate, r.m.s. error and ELBO agree?
#
#    <details><summary>Solution</summary>
#
#    βσ² is 0.04 in both, so the losses have the same minimum, and rate and error agree up to the noise of two trainings. The ELBO does not: it is measured with another σ.
#
#    </details>
# 2. **Is the rate a matter of the latent's width?** Set `latent = 2`, then `latent = 64`, and compare the rates. (`notebooks/sweeps/06.beta-latent.yaml` does it with seeds.)
#
#    <details><summary>Solution</summary>
#
#    It is not proportional to $K$. From some number on, further coordinates change little: one is used only if it lowers the distortion by more than β times its KL.
#
#    </details>
# 3. **Pictures of your own.** Set `dataset = "folder"` and `path`. No masks are needed. Which σ do they ask for?
#
#    <details><summary>Where to look</summary>
#
#    Compare σ with the r.m.s. error in the end, and look at the row of means. A few hundred photographs are soon learned by heart; notebook `07` shows how to notice.
#
#    </details>
#
# ## References
#
# - Alemi, A. A. and others (2018). Fixing a Broken ELBO. ICML. [arXiv:1711.00464](https://arxiv.org/abs/1711.00464)
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Hinton, G. E. and van Camp, D. (1993). Keeping the neural networks simple by minimizing the description length of the weights. COLT. [doi:10.1145/168304.168306](https://doi.org/10.1145/168304.168306)
# - Kingma, D. P. and Ba, J. (2015). Adam: A Method for Stochastic Optimization. ICLR. [arXiv:1412.6980](https://arxiv.org/abs/1412.6980)
# - Locatello, F. and others (2019). Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations. ICML. [arXiv:1811.12359](https://arxiv.org/abs/1811.12359)
# - Loaiza-Ganem, G. and Cunningham, J. P. (2019). The continuous Bernoulli: fixing a pervasive error in variational autoencoders. NeurIPS. [arXiv:1907.06845](https://arxiv.org/abs/1907.06845)
# - Mathieu, M., Couprie, C. and LeCun, Y. (2016). Deep multi-scale video prediction beyond mean square error. ICLR. [arXiv:1511.05440](https://arxiv.org/abs/1511.05440)
# - Rybkin, O., Daniilidis, K. and Levine, S. (2021). Simple and Effective VAE Training with Calibrated Decoders. ICML. [arXiv:2006.13202](https://arxiv.org/abs/2006.13202)
# - Salimans, T., Karpathy, A., Chen, X. and Kingma, D. P. (2017). PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and Other Modifications. ICLR. [arXiv:1701.05517](https://arxiv.org/abs/1701.05517)
# - Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
