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
# <!--badges-->
#
# ![x](../docs/pictures/06.png) <!--picture-->
#
# The loss of a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) has a few numbers that somebody has to set: the weight β of the KL term ([β-VAE](../docs/site/glossary.md#term-beta-beta), Higgins and others, 2017), the standard deviation σ of a pixel, the likelihood itself. Each of them can be wrong by a factor of a hundred, and no error message appears. What do β, σ and the likelihood do? And where does the blur of a VAE's pictures come from?
#
# **What you'll do**
#
# - Train six VAEs that differ in β only, and draw what they lose over what they send.
# - Compute the σ that hides in a squared error, and the σ that hides in a cross-entropy of grey values.
# - Learn σ, set σ, and compare five choices of the likelihood in bits per value.
# - Find out which part of a picture a VAE leaves out, and what it puts in its place.
#
# **What you'll learn**
#
# - How rate and distortion depend on β, and what a test with three seeds can say about it.
# - That β and σ are one setting for a squared error, and how to choose it.
# - Why a likelihood of independent pixels answers with a mean.
#
# **What you'll need**
#
# - What the two terms of the loss are, and that they are counted in nats per image (notebook `04`).
# - Mathematics: the density of a normal distribution, logarithms, the mean and the variance of a random variable. One proof needs two inequalities and nothing else.
# - About 2 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 35 minutes to read, and 1.5 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "mnist", "fashion_mnist", or "folder" for pictures of your own
path = ""  # for "folder": the folder with your pictures; it needs no masks
seed = 0  # of the pictures, the first weights and every random draw
size = 16  # height and width of the pictures, in pixels
images = 20_000  # pictures to train on
val_images = 2000  # held-out pictures: every number in the text is measured on them
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
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

from helpers import backend, data, losses, metrics, models, networks, plots, training

plots.use()


# %% [markdown]
# The exercises end in one small function. Where an answer is still `None`, it prints a question mark; where there is an answer, it prints *your value* beside the *true value*.


# %%
def compare(name, yours, true, hint):
    # Your value beside the true one; stops with a hint where they differ.
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.4g}'}")
    assert yours is None or abs(yours - true) <= 0.005 * max(1, abs(true)), hint


# %% [markdown]
# ## Pictures, and one small VAE
#
# The pictures are small, so that a training takes seconds: `shapes` of 16×16 pixels with one object each on faint texture. The parameter `dataset` takes others: `"mnist"`, `"fashion_mnist"`, or `"folder"` with `path` for pictures of your own.
#
# A picture is stored as bytes, 0 to 255. A Gaussian is a density over real numbers. To bring the two together, every byte is replaced by a random real number from the interval of width 1/256 that belongs to it. This is **uniform [dequantisation](../docs/site/glossary.md#term-dequantisation)**, and a later section needs it.

# %%
options = {}
if dataset == "shapes":
    options = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02}
    options |= {"annotators": 1, "seed": seed}
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
# `train` compiles and fits it. The [learning rate](https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay/) falls to zero along a cosine. `fit` makes whole passes over the pictures, so the number of steps is rounded.


# %%
def new_vae(seed, kind=models.VAE, **options):
    """A VAE with fresh weights; the options are those of `models.VAE`."""
    keras.utils.set_random_seed(seed)
    centre = "input" if options["likelihood"] == "bernoulli" else True
    hidden = (width, width)
    encoder, decoder = networks.dense_networks(x_train.shape[1:], latent, hidden, "silu", centre)
    return kind(encoder, decoder, seed=seed, **options)


def train(vae, x, steps, learning_rate=5e-3, callbacks=()):
    """Fit to the pictures x for about so many steps of 64 pictures."""
    passes = max(1, round(steps * 64 / len(x)))
    total = passes * math.ceil(len(x) / 64)
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, total)
    adam = keras.optimizers.Adam(falling)
    vae.compile(adam, **backend.compile_options(planned=total))
    vae.fit(x, batch_size=64, epochs=passes, verbose=0, callbacks=list(callbacks))


# %% [markdown]
# ## What does β do?
#
# Think of a sender and a receiver. The sender runs the encoder and sends a message about the picture: a draw of $z$. The KL term is the length of this message in nats (Hinton and van Camp, 1993, show a way to write it so short). We call it the **[rate](../docs/site/glossary.md#term-rate)** $R$. The receiver runs the decoder. With $z$ known, $-\log p(x \mid z)$ is still missing before the picture itself is known. This is the **[distortion](../docs/site/glossary.md#term-distortion)**, here written $\Delta$. The loss is $\Delta + \beta R$ (Alemi and others, 2018).
#
# > **Predict first.** Six VAEs differ in nothing but β, which goes from 0.1 to 30. Which one has the highest rate? Which one has the best ELBO, $-(\Delta + R)$, on held-out pictures? And if you draw distortion over rate, what is the slope between two neighbours?
#
# The last question has an answer on paper. Let model $a$ be the best one for its weight $\beta_a$, and model $b$ the best one for a larger weight $\beta_b$. Then neither can be improved by taking the other:
#
# $$\Delta_a + \beta_a R_a \;\le\; \Delta_b + \beta_a R_b, \qquad \Delta_b + \beta_b R_b \;\le\; \Delta_a + \beta_b R_a.$$
#
# The first inequality says $\beta_a (R_a - R_b) \le \Delta_b - \Delta_a$. The second one says $\Delta_b - \Delta_a \le \beta_b (R_a - R_b)$. So
#
# $$\beta_a \;\le\; \frac{\Delta_b - \Delta_a}{R_a - R_b} \;\le\; \beta_b .$$
#
# The fraction is the slope of the straight line between the two models, without its sign. **Between neighbours, one nat of rate saves between $\beta_a$ and $\beta_b$ nats of distortion.** The proof needs no formula of a VAE. It needs that each model is the best for its own β, and that is what a training can miss.
#
# The next cell trains the six with a fixed σ of 0.1. With the defaults this is a short **demonstration**: one seed and 600 steps.

# %%
curve = np.empty((len(steps), seeds, len(betas), 2))  # rate and distortion, nats per picture
redrawn = {}
for i, length in enumerate(steps):
    for run in range(seeds):
        for j, beta in enumerate(betas):
            vae = new_vae(seed + run, likelihood="gaussian", sigma=0.1, beta=beta)
            train(vae, x_train, length)
            distortion, rate = vae.terms(x_val)  # nats, (N,) each
            curve[i, run, j] = float(ops.mean(rate)), float(ops.mean(distortion))
            redrawn[beta] = ops.convert_to_numpy(vae(x_val[:10]))

# %% [markdown]
# The question itself needs longer trainings and several seeds. They were run once, with the parameters in `notebooks/parameters/06.full-shapes.yaml`, and are kept as a record: each of the six β with three seeds, for two lengths of training. The figure draws the record first. Your own run stands beside it.

# %%
RECORD = "06-rate"
study = data.records.results_of(RECORD)
if not study:  # while the record is being made, the run is its own record
    study = {"betas": betas, "steps": steps, "curve": curve}  # with β = 1 among them
recorded = np.array(study["curve"])  # (lengths, seeds, β, 2)
study_rate, study_distortion = recorded[-1].mean(axis=0).T


def spread(values):
    # Half width of the 95 % interval over the seeds (axis 0), for each column.
    return [metrics.confidence_interval(column)[1] for column in np.transpose(values)]


# %% tags=["picture"]
own_rate, own_distortion = curve[-1].mean(axis=0).T
panels = {
    "record: 3 seeds, long trainings": (study["betas"], study_rate, study_distortion),
    "your run: a short demonstration": (betas, own_rate, own_distortion),
}
alike = dataset == "shapes" and size == 16  # only then are the two on one scale
fig, axes = plt.subplots(1, 2, figsize=(9.6, 4.2), sharex=alike, sharey=alike)
for axis, (title, (names, rate, distortion)) in zip(axes, panels.items()):
    axis.plot(rate, distortion, "o-")
    for beta, *point in zip(names, rate, distortion):
        axis.annotate(f"β = {beta:g}", point, (6, 6), textcoords="offset points", fontsize=9)
    lowest = np.min(rate + distortion)
    ends = np.array([0, 1.25 * rate.max()])
    for more in range(0, 301, 50):  # nats above the best point
        axis.plot(ends, lowest + more - ends, ":", color="#888888", linewidth=1, zorder=0)
    low, high = distortion.min(), distortion.max()
    axis.set(title=title, xlabel="rate R (nats per picture)", ylim=(low - 20, high + 40))

spans = {"xerr": spread(recorded[-1, :, :, 0]), "yerr": spread(recorded[-1, :, :, 1])}
axes[0].errorbar(study_rate, study_distortion, **spans, fmt="none", ecolor="black")
axes[0].plot(*recorded[0].mean(axis=0).T, "x", color="black", label="half as many steps")
axes[0].set(ylabel="distortion Δ (nats per picture)")
axes[0].legend(loc="upper right")
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
slopes = -np.diff(recorded[..., 1]) / np.diff(recorded[..., 0])  # (lengths, seeds, gaps)
elbo = -recorded.sum(axis=-1)  # nats per picture, (lengths, seeds, β)
j_one = list(study["betas"]).index(1.0)
print(f"record, {study['steps'][-1]} steps; ± is the 95 % interval over the seeds")
for j, beta in enumerate(study["betas"]):
    behind = metrics.paired_difference(elbo[-1, :, j_one], elbo[-1, :, j])
    line = f"β {beta:4g}: ELBO {elbo[-1, :, j].mean():6.1f}, "
    line += f"behind β = 1 by {behind.mean:5.1f} ± {behind.half:3.1f}"
    if j + 1 < len(study["betas"]):
        slope, half = metrics.confidence_interval(slopes[-1, :, j])
        line += f"; slope to the next β {slope:5.2f} ± {half:4.2f}"
    print(line)

below, above = np.array(study["betas"][:-1]), np.array(study["betas"][1:])
inside = (slopes >= below) & (slopes <= above)
print("slopes between the two β, for each length:", inside.sum(axis=(1, 2)), "of", inside[0].size)
change = np.abs(elbo[-1].mean(axis=0) / elbo[0].mean(axis=0) - 1).max()
print(f"largest change of an ELBO from the shorter to the longer training: {change:.2%}")

# %% [markdown]
# In the stored run the record shows a rate of 51<!--=study_rate[0]--> nats at β = 0.1 and of 4.0<!--=study_rate[5]--> nats at β = 30: the smaller β, the higher the rate. The best held-out ELBO is that of β = 1, 942.7<!--=study_elbo[2]--> ± 1.0<!--=study_elbo_half[2]--> nats.
#
# **What was tested** is the slope of a straight line between two neighbours, against a bracket whose ends differ by a factor of about three: 5 gaps with 3 seeds each. After the longer training 15<!--=study_inside[1]--> of the 15 slopes lie in their bracket, after the shorter one 15<!--=study_inside[0]-->. The slope of a smooth curve *at* a point was not tested. Twice the steps change no ELBO by more than 0.5<!--=study_change*100--> %, so the record is long enough by the rule of this series (half a per cent). All intervals are over the seeds; the held-out pictures are the same 2,000 for all.
#
# The dotted lines join points of equal ELBO: along each of them $\Delta + R$ is the same, and the next line upwards is worse by 50 nats. The lowest one touches the curve at β = 1. It must, if training works: β = 1 is the weight for which $\Delta + R$ itself is minimised.

# %%
shown = [betas[0], betas[len(betas) // 2 - 1], betas[-1]]
rows = [x_val[:10]] + [np.clip(redrawn[beta], 0, 1) for beta in shown]
fig = plots.image_grid(rows, row_labels=["picture"] + [f"β = {beta:g}" for beta in shown])
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %% [markdown]
# These are pictures of your short run. A few nats suffice for the place of the object, more of them for its colour, and 600 steps are too few for corners at any β.
#
# So which β is right? For a model of the density, 1. For another purpose every point of the curve is a model that one may choose. What nobody chooses is a β that comes from averaging over pixels by accident; the section after the next one shows which β that is.
#
# ## A message of negative length?
#
# The distortion in the figure is negative, near −970 nats. How can the decoder need less than nothing?
#
# It does not. A Gaussian has a *density*, and a density may be larger than 1. At its peak, a normal density with σ = 0.1 has the value $1 / (0.1 \sqrt{2\pi}) \approx 4$, so $-\log p$ is negative there. A density becomes a probability only when it is multiplied by a width. Our values came from bytes, so the natural width is that of one byte, $1/256$:
#
# $$-\log \text{probability of the byte} \;\approx\; -\log \tfrac{p}{256} \;=\; -\log p + \log 256 .$$
#
# Each of the $D$ values adds $\log 256 = 5.5$ nats, and the message has a positive length.

# %%
added = D * math.log(256)
best = int(np.argmin(own_rate + own_distortion))
message = own_distortion[best] + added
print(f"your run, β = {betas[best]:g}")
print(f"distortion, as a density on [0, 1]: {own_distortion[best]:7.1f} nats")
print(f"the widths add {D} · log 256:      {added:7.1f} nats")
print(f"together {message:.1f} nats, or {message / math.log(2):.0f} bits, for {D} bytes")

# %% [markdown]
# The added constant is the same for all models. It moves the curve up and changes no slope and no difference. So we can leave it out when we compare models on the same pictures. With the constant, and with the rate, the sum is the length of a whole message. Divided by $D$ and by $\log 2$ it is called **[bits per dimension](../docs/site/glossary.md#term-bits-per-dimension)**, and raw bytes have 8. On dequantised pictures it is an upper bound for the average length of a lossless code (Theis and others, 2016). On values that were not dequantised, the number is no code length.
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
# Many programs train with a squared error and a KL, each with some weight. Which σ do they use? The answer is one line of algebra. The negative ELBO of a Gaussian decoder with a fixed σ, for one picture $x$ and its reconstruction $r$, is
#
# $$\frac{1}{2\sigma^2}\,\|x - r\|^2 \;+\; \mathrm{KL} \;+\; D \log\big(\sigma\sqrt{2\pi}\big).$$
#
# Multiply it by β. The first term becomes $\frac{\beta}{2\sigma^2}\|x - r\|^2$, and it has the weight $w$ if $\sigma^2 = \beta/(2w)$. So:
#
# > **A squared error with weight w per squared unit, w·‖x − r‖² + β·KL, is β times the negative ELBO of a Gaussian decoder with σ² = β/(2w), up to a constant.**
#
# A positive factor moves no minimum, and neither does a constant. **For a squared error, β and σ are one setting.** The cell checks the sentence with numbers, and then computes the σ of four losses.

# %% tags=["nbval-check-output"]
x, r, kl = np.array([0.2, 0.9, 0.4]), np.array([0.3, 0.5, 0.5]), 7.0
for w, beta in ((0.5, 1.0), (3.0, 1.0), (50.0, 4.0)):
    sigma = math.sqrt(beta / (2 * w))
    loss = w * np.sum((x - r) ** 2) + beta * kl
    constant = x.size * math.log(sigma * math.sqrt(2 * math.pi))
    negative_elbo = np.sum((x - r) ** 2) / (2 * sigma**2) + kl + constant
    assert math.isclose(loss, beta * (negative_elbo - constant))
    print(f"w = {w:4}, β = {beta}: loss {loss:6.2f}, σ = {sigma:.3f}")

values = 16 * 16 * 3  # the sum over a picture is so many times the mean
weights = {"sum of squares + KL": 1, "½ · sum of squares + KL": 0.5}
weights |= {"mean of squares + KL": 1 / values, "1000 · mean of squares + KL": 1000 / values}
for name, w in weights.items():
    print(f"{name:<28} σ = {math.sqrt(1 / (2 * w)):7.3f}")

# %% [markdown]
# Pixels go from 0 to 1. A Gaussian with σ = 0.7 covers the whole range and more. One with σ = 19.6 says that nothing the decoder draws has to do with the picture. Under such a σ hardly anything about the picture is worth a nat of rate, and a well trained VAE sends next to nothing. The σ of a *mean* of squares also changes with the size of the picture; that of a sum does not.
#
# **Exercise 2.** Somebody trains with σ = 0.1 and β = 4. You want the same minimum with β = 1. Which σ?

# %%
your_sigma = None  # ← your number
compare("σ", your_sigma, 0.2, "The weight w = β/(2σ²), divided by β, must stay as it was.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# Divided by β, the loss is $\frac{1}{2\sigma^2\beta}\|x-r\|^2 + \mathrm{KL}$. Only the product $\beta\sigma^2 = 4 \cdot 0.01 = 0.04$ matters, so σ = 0.2 with β = 1. The minimum is the same, but not the ELBO that you report: it is the ELBO of another model, one with another σ.
#
# </details>
#
# ## Which σ is right?
#
# Keep the reconstructions fixed and ask only for σ. Per value, the negative log-density is $\frac{(x-r)^2}{2\sigma^2} + \log\sigma + \text{const}$. With the mean squared error $e^2$ in place of $(x - r)^2$, its derivative by σ is $-\frac{e^2}{\sigma^3} + \frac1\sigma$. It is zero at $\sigma = e$. **The best σ is the root mean square (r.m.s.) of the error.**
#
# > **Predict first.** The r.m.s. error is 0.05. Which mistake adds more nats, σ = 0.02 or σ = 0.5?

# %% tags=["nbval-check-output"]
def nats_per_value(sigma, error):
    # The part of −log p of one value that depends on σ.
    return error**2 / (2 * sigma**2) + math.log(sigma)


for sigma in (0.02, 0.05, 0.1, 0.5):
    more = nats_per_value(sigma, 0.05) - nats_per_value(0.05, 0.05)
    print(f"σ = {sigma:4}: {more:.2f} nats a value more than the best σ")
assert nats_per_value(0.02, 0.05) < nats_per_value(0.5, 0.05)

# %% [markdown]
# Both mistakes add nats. A σ that is too wide expects errors that do not occur. One that is too narrow is surprised by every error that does. Here the wide one adds a little more, 1.81 against 1.71 nats a value, but this depends on the two numbers.
#
# ### Learn it, or set it?
#
# There are two ways to get this σ. The first is to **learn** $\log\sigma$ with all other weights: `models.VAE(..., sigma=None)`. The second is to **set** σ in every batch to the r.m.s. error of that batch (Rybkin and others, 2021). The next cell is the whole second way.


# %%
class RmsVAE(models.VAE):
    """A VAE whose σ is the r.m.s. error of the batch that it looks at."""

    def reconstruction_nll(self, x, z, training=False):
        reconstruction = self.decode(z, training=training)
        error = ops.subtract(x, reconstruction)  # (B, H, W, C)
        log_sigma = 0.5 * ops.log(ops.mean(ops.square(error)))
        return losses.gaussian_nll(x, reconstruction, log_sigma)


# %% [markdown]
# A learned σ has a trap. Adam moves a weight by about the learning rate in each step at most, however large the gradient is (Kingma and Ba, 2015, section 2.1). Our $\log\sigma$ starts at σ = 0.11, which is a choice of `models.VAE`. After some steps it cannot have moved by much more than the sum of their learning rates. If training ends before σ has arrived, then the "learned" number is a property of Adam and not of the pictures.
#
# **Exercise 3.** log σ starts at log 0.1, and the learning rate is 0.001 in every step. How many steps does Adam need at least, about, to reach σ = 0.05?

# %%
your_steps = None  # ← your number
compare("steps", your_steps, math.log(2) / 0.001, "How far is log 0.05 from log 0.1?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\log 0.1 - \log 0.05 = \log 2 = 0.693$. At 0.001 a step that is 693 steps.
#
# </details>
#
# The next cell watches a learned σ. After each pass over the pictures it notes σ, and the r.m.s. error at a draw of $z$ (not at the mean of $z$: the loss uses draws, too). The first VAE is trained as many programs do it: few steps, a learning rate of 0.001, here on 3,200 pictures. The second one, `main`, is the longest training of this notebook, with the learning rate of all others.


# %%
def rms_error(vae, x):
    """Root mean square of x − r, where r is decoded from a draw of z."""
    mean, log_variance = vae.encode(x)
    reconstruction = vae.decode(vae.sampling(mean, log_variance))
    return float(ops.sqrt(ops.mean(ops.square(ops.subtract(x, reconstruction)))))


class WatchSigma(keras.callbacks.Callback):
    """Notes the steps so far, σ and the r.m.s. error after each pass."""

    def on_train_begin(self, logs=None):
        self.rows = [[0, math.exp(float(self.model.log_sigma())), math.nan]]

    def on_epoch_end(self, epoch, logs=None):
        sigma = math.exp(float(self.model.log_sigma()))
        self.rows.append([int(self.model.steps), sigma, rms_error(self.model, x_train[:1000])])


# %%
short, long = WatchSigma(), WatchSigma()
hasty = new_vae(seed, likelihood="gaussian", sigma=None)
train(hasty, x_train[:3200], 600, learning_rate=0.001, callbacks=[short])
main = new_vae(seed, likelihood="gaussian", sigma=None)
train(main, x_train, main_steps, callbacks=[long])

hasty_sigma, hasty_error = short.rows[-1][1:]
main_sigma, main_error = long.rows[-1][1:]
print(f"600 steps at a low learning rate: σ {hasty_sigma:.4f}, error {hasty_error:.4f}")
print(f"{long.rows[-1][0]} steps: σ {main_sigma:.4f}, error {main_error:.4f}")

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.6), sharey=True)
for axis, watched in zip(axes, (short, long)):
    done, sigma, error = np.array(watched.rows).T
    axis.plot(done, sigma, "o-", label="learned σ")
    axis.plot(done, error, "s--", label="r.m.s. error at a draw of z")
    axis.set(xlabel="training steps")
moved = np.cumsum([0.001 * training.cosine_decay(step / 600) for step in range(600)])
slowest = hasty.sigma_floor + 0.1 * np.exp(-moved)  # σ is a floor of 0.01 plus exp(weight)
axes[0].plot(range(600), slowest, ":", color="black", label="as far as Adam gets")
axes[0].set(ylabel="σ, in units of a pixel", ylim=(0, 0.2))
axes[0].legend()
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the first VAE ends at σ = 0.064<!--=hasty_sigma-->, while its r.m.s. error is 0.064<!--=hasty_error-->. The second one ends at σ = 0.0500<!--=main_sigma--> with an error of 0.0500<!--=main_error-->.
#
# ## And the cross-entropy of grey values?
#
# Many tutorials take `binary_crossentropy` for grey pixels, with targets such as 0.4. The formula gives a number, because $-x \log p - (1-x) \log (1-p)$ can be computed for every $x$ between 0 and 1. But a density has to integrate to 1 over all values that the data can have.

# %% tags=["nbval-check-output"]
grid = np.linspace(0, 1, 10_001)
for p in (0.5, 0.7, 0.9, 0.99):
    mass = np.trapezoid(p**grid * (1 - p) ** (1 - grid), grid)
    assert p == 0.5 or abs(mass - (2 * p - 1) / math.log(p / (1 - p))) < 1e-6
    hidden = math.sqrt(p * (1 - p))
    print(f"p = {p:4}: the integral is {mass:.3f}; the hidden σ is {hidden:.2f}")

# %% [markdown]
# The integral is a half or less. So exp(−cross-entropy) is no density, and its values cannot be compared with one. Divided by its integral it becomes one, the *continuous Bernoulli* of Loaiza-Ganem and Cunningham (2019).
#
# For training, the last column matters more. Near its minimum, which is at $p = x$, the cross-entropy curves like a squared error: its second derivative by $p$ is $\frac{1}{p(1-p)}$ there, and that of $\frac{(x - p)^2}{2\sigma^2}$ is $\frac{1}{\sigma^2}$. So **the cross-entropy of a grey value hides a σ of $\sqrt{p(1-p)}$**: 0.5 for a medium grey, 0.3 at $p$ = 0.9 or 0.1, and small only near black and white.
#
# ## Five likelihoods, compared
#
# > **Predict first.** Five VAEs differ in the likelihood only: a Gaussian with σ = 0.02, with σ = 0.5, with a learned σ, with σ set to the r.m.s. error, and the Bernoulli. Order them by rate. Which one has the fewest bits per dimension? Does a learned σ reach the same as one that is set?
#
# A Bernoulli's decoder gives logits, so it lacks the last layer that moves pixels back to [0, 1]. Around $p = \tfrac12$ the sigmoid has the slope ¼, which is the factor of that layer. So both kinds start with nearly the same pictures: the Gaussian's around 0.4, the Bernoulli's around 0.5.
#
# Each VAE is measured twice. Once with its own σ, and once after a repair: the networks stay, and σ is replaced by their r.m.s. error on the held-out pictures. The second number says what the *networks* have learned. It also gives the Bernoulli a density.


# %%
def bits_with(sigma, error, rate):
    """Bits per dimension of a Gaussian with σ, from the r.m.s. error and the rate."""
    nats = D * (error**2 / (2 * sigma**2) + math.log(sigma * math.sqrt(2 * math.pi)))
    return losses.bits_per_dimension(nats + rate, D, bins=256)


contestants = {
    "σ = 0.02": {"likelihood": "gaussian", "sigma": 0.02},
    "σ = 0.5": {"likelihood": "gaussian", "sigma": 0.5},
    "Bernoulli": {"likelihood": "bernoulli"},
    "σ learned": {"likelihood": "gaussian", "sigma": None},
    "σ = r.m.s.": {"likelihood": "gaussian", "sigma": 0.1, "kind": RmsVAE},  # 0.1: not used
}
RATE, ERROR, SIGMA, BITS, REPAIRED = range(5)  # what is measured of each VAE
choices = np.empty((len(steps), seeds, len(contestants), 5))
for i, length in enumerate(steps):
    for run in range(seeds):
        for j, (name, choice) in enumerate(contestants.items()):
            vae = new_vae(seed + run, **choice)
            train(vae, x_train, length)
            rate = float(ops.mean(vae.terms(x_val)[1]))
            error = rms_error(vae, x_val)
            used = error  # the σ that the VAE itself works with
            if name in ("σ = 0.02", "σ = 0.5", "σ learned"):
                used = math.exp(float(vae.log_sigma()))
            bits = bits_with(used, error, rate), bits_with(error, error, rate)
            choices[i, run, j] = rate, error, used, *bits

# %%
kept = np.array(study.get("choices", choices))  # (lengths, seeds, 5, 5)
fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.4), sharey=True)
place = np.arange(len(contestants))
for axis, what in ((left, RATE), (right, BITS)):
    found = kept[-1, :, :, what]
    axis.errorbar(found.mean(axis=0), place, xerr=spread(found), fmt="o", label="record")
    axis.plot(choices[-1, 0, :, what], place, "x", color="black", label="your run")
repaired = kept[-1, :, :, REPAIRED].mean(axis=0)
right.plot(repaired, place, "D", mfc="none", label="record, σ replaced afterwards")
left.set(xlabel="rate (nats per picture)", xlim=(0, None))
left.set_yticks(place, contestants)
left.invert_yaxis()
right.set(xlabel="bits per dimension")
right.legend(fontsize=9)
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
print(f"record, {study['steps'][-1]} steps  rate (nats)   error       σ    bits  σ replaced")
for j, name in enumerate(contestants):
    rate, error, used, bits, repaired = kept[-1, :, j].mean(axis=0)
    line = f"{name:<18}{rate:8.1f}{error:12.4f}{used:9.4f}"
    line += "    none" if name == "Bernoulli" else f"{bits:8.3f}"
    print(line + f"{repaired:10.3f}")
learned_more = []
for i, length in enumerate(study["steps"]):
    learned, set_to_error = kept[i, :, 3, BITS], kept[i, :, 4, BITS]
    more = metrics.paired_difference(learned, set_to_error)
    learned_more.append([more.mean, more.half])
    print(f"{length} steps: learned − r.m.s. {more.mean:+.4f} ± {more.half:.4f} bits")

# %% [markdown]
# CHOICE
#
# ## Where does the blur come from?
#
# One often reads that the latent is too small for detail, or that the KL removes it. Something else is needed for blur as well. The decoder's likelihood is **[factorised](../docs/site/glossary.md#term-factorised-likelihood)**: given $z$, all pixels are independent. Suppose $z$ leaves something open, for example whether an outline runs here or one pixel further. Such a decoder cannot say "either this sharp picture or that one" (Mathieu and others, 2016, describe the same for the prediction of videos). It can say one value and one spread for each pixel, and the best value is the *mean* over everything that is still possible. The mean of sharp pictures is not sharp.
#
# A row of 16 pixels shows it: an edge from dark to light at one of seven places, all equally probable.
#
# > **Predict first.** Guess a row: one of the seven sharp ones, or the mean of all seven. Which guess has the smaller expected squared error, and by which factor?

# %% tags=["nbval-check-output"]
sharp = (np.arange(16) >= np.arange(5, 12)[:, None]).astype("float64")  # (7, 16)
errors = np.sum((sharp[:, None] - sharp) ** 2, axis=-1).mean(axis=1)  # of each sharp guess
blurred = np.mean(np.sum((sharp - sharp.mean(axis=0)) ** 2, axis=-1))
print(f"the mean of all seven:     {blurred:.3f}")
print(f"the middle one:            {errors[3]:.3f}, {errors[3] / blurred:.2f} times as much")
print(f"the first one:             {errors[0]:.3f}, {errors[0] / blurred:.2f} times as much")
print(f"one of the seven at random {errors.mean():.3f}, {errors.mean() / blurred:.2f} times as much")
assert abs(errors.mean() / blurred - 2) < 1e-12

# %% [markdown]
# The mean has the smallest error. A sharp guess has 1.5 to 2.63 times as much, and **on average over the guesses exactly twice** as much: $\mathbb E\|x - x'\|^2 = 2\,\mathbb E\|x - \bar x\|^2$ for independent draws $x, x'$ with the mean $\bar x$. So a factorised likelihood answers with the mean of what is possible, a ramp here, and a ramp is a blurred edge.
#
# What becomes of the detail that $z$ does not name? The model calls it noise, of spread σ, independent from pixel to pixel and from channel to channel. The pictures that everybody shows are the means of $p(x \mid z)$. The pictures that the model believes in are means *plus noise*.
#
# > **Predict first.** Compute the power at each spatial frequency of held-out pictures, of the means, and of true draws from $p(x \mid z)$. Where do the three agree? Can the noise put the missing power back?
#
# A **power spectrum** says how much of a picture varies slowly (1 cycle over the whole picture) and how much fast (8 cycles: neighbours alternate). We compute it for each channel and average then. If one averaged the channels first, as for a grey picture, then the independent noise would shrink to a third, and the texture, which is the same in all three channels, would not.


# %%
def spectrum(pictures):
    # Power at 1, 2, … cycles a picture, for each channel alone, then averaged.
    channels = range(pictures.shape[-1])
    return np.mean([metrics.power_spectrum(pictures[..., [c]]) for c in channels], axis=0)


mean, log_variance = main.encode(x_val)
means = ops.convert_to_numpy(main.decode(main.sampling(mean, log_variance)))
draws = means + main_sigma * rng.standard_normal(means.shape)
power = {name: spectrum(p) for name, p in
         {"pictures": x_val, "means": means, "draws": draws}.items()}  # fmt: skip
means_kept = power["means"] / power["pictures"]
draws_kept = power["draws"] / power["pictures"]

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6))
cycles = np.arange(1, len(means_kept) + 1)
for (name, values), style in zip(power.items(), ("-", "--", ":")):
    left.semilogy(cycles, values, style, label=name)
right.plot(cycles, means_kept, "o--", color=plots.COLOURS["orange"], label="means")
right.plot(cycles, draws_kept, "s:", color=plots.COLOURS["green"], label="draws")
right.axhline(1, color="black", linewidth=1)
left.set(xlabel="cycles per picture", ylabel="power, one channel")
right.set(xlabel="cycles per picture", ylabel="share of the pictures' power", ylim=(0, None))
for axis in (left, right):
    axis.legend()
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
rows = [x_val[:10], np.clip(means[:10], 0, 1), np.clip(draws[:10], 0, 1)]
fig = plots.image_grid(rows, row_labels=["picture", "mean", "draw"])
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the means keep 0.96<!--=means_kept[0]--> of the pictures' power at 1 cycle and 0.05<!--=means_kept[7]--> at 8 cycles.
#
# ## What to set first
#
# For a VAE of your own, in this order:
#
# 1. **Sum.** The reconstruction term is a sum over height, width and channels, the KL a sum over the latent. Only then take the mean over the batch. A mean over pixels is a σ or a β that nobody chose.
# 2. **The likelihood follows from the data**, as in the table below.
# 3. **σ.** Set it to the r.m.s. error of the batch, or learn it. If you learn it, start it near the error that you expect, and compare it with the r.m.s. error when training ends. If the two differ, training was too short.
# 4. **β = 1**, unless you want another rate than the ELBO's, and then say so. Report rate *and* distortion, so that others can see which point of the curve it is.
# 5. **Length.** Train twice as long. If the held-out ELBO changes by more than half a per cent, the first training was too short to say anything about this kind of model.
#
# | values of the data | likelihood | what is set |
# |---|---|---|
# | 0 or 1 | Bernoulli, from logits | nothing |
# | grey or colour | Gaussian | σ, as in step 3 |
# | bytes, and bits per dimension matter | Gaussian on dequantised values, or a distribution over 256 levels (Salimans and others, 2017) | σ, or the scale |
# | class labels, as in masks | categorical, from logits | nothing |
#
# For pictures of your own, set `dataset = "folder"` and `path`, and read the last column of the choices above on them.
#
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {
    "betas": betas, "steps": steps, "curve": curve, "choices": choices,
    "rate": own_rate[best], "distortion": own_distortion[best], "message": message,
    "elbo": -own_rate[best] - own_distortion[best], "best_beta": betas[best],
    "study_rate": study_rate, "study_distortion": study_distortion,
    "study_elbo": elbo[-1].mean(axis=0), "study_elbo_half": spread(elbo[-1]),
    "study_slope": slopes[-1].mean(axis=0), "study_slope_half": spread(slopes[-1]),
    "study_inside": inside.sum(axis=(1, 2)), "study_change": change,
    "study_choices": kept[-1].mean(axis=0), "study_half": [spread(kept[-1, :, j]) for j in place],
    "learned_more": learned_more, "hasty_sigma": hasty_sigma, "hasty_error": hasty_error,
    "main_sigma": main_sigma, "main_error": main_error,
    "means_kept": means_kept, "draws_kept": draws_kept,
}  # fmt: skip
bands = {"main_sigma": {"default": (0.03, 0.08), "smoke": (0.001, 1)}}
record(results, bands, f"σ {main_sigma:.4f}, r.m.s. error {main_error:.4f}")

# %% [markdown]
# ## What you saw
#
# - A smaller β gives a higher rate and a lower distortion.
#
# ## Check yourself
#
# 1. Two programs report an ELBO of +950 and of −3,300 nats for the same model and the same pictures. Can both be right?
#
#    <details><summary>Answer</summary>
#
#    Yes. One measures the density of values in [0, 1], the other the probability of bytes. The two differ by $D \log 256$, which is 4,259 nats for $D$ = 768.
#
#    </details>
# 2. In your run the slope between β = 1 and β = 3 is 0.4. Is the theory wrong?
#
#    <details><summary>Answer</summary>
#
#    The two inequalities hold for models that are the best for their β. So at least one of the two is not: it was trained for too few steps, or what is best on the training pictures is not best on the held-out ones. (The inequalities need both to be measured on the same pictures.)
#
#    </details>
# 3. Somebody divides the whole loss by the number of pixels, both terms. Which σ or β has changed?
#
#    <details><summary>Answer</summary>
#
#    None. A positive factor on the whole loss moves no minimum. Dividing only *one* of the two terms changes β, or σ.
#
#    </details>
# 4. A learned σ is 0.06 when training ends, and the r.m.s. error of the reconstructions is 0.045. What do you do?
#
#    <details><summary>Answer</summary>
#
#    σ has not arrived. Train longer, raise the learning rate, start σ lower, or set σ to the r.m.s. error. Do not report 0.06 as a property of the pictures.
#
#    </details>
# 5. A VAE's pictures are blurred. Will a latent of twice as many numbers make them sharp?
#
#    <details><summary>Answer</summary>
#
#    Not by itself. The rate is limited by β and σ, and further coordinates may stay unused. What the latent does not name is averaged, because the likelihood is factorised. A smaller σ raises the rate and names more; a likelihood in which pixels depend on each other would not average.
#
#    </details>
#
# ## On your own
#
# 1. **The same minimum twice.** Train `new_vae(seed, likelihood="gaussian", sigma=0.1, beta=4.0)` and `new_vae(seed, likelihood="gaussian", sigma=0.2)`, each with `train(vae, x_train, 5000)`. Predict which of rate, r.m.s. error and ELBO agree.
#
#    <details><summary>Solution</summary>
#
#    βσ² is 0.04 in both, so the losses differ by a factor and a constant and have the same minimum. Rate and error agree up to the noise of two trainings (Adam hardly notices a factor on the loss). The ELBO does not agree: it is measured with another σ.
#
#    </details>
# 2. **Is the rate a matter of the latent's width?** Set `latent = 2`, then `latent = 64`, and compare the rates of the learned σ. Is the rate proportional to $K$?
#
#    <details><summary>Solution</summary>
#
#    No. With two coordinates each carries more nats, and the sum is smaller than with 16. From some number on, further coordinates change little: a coordinate is used only if it lowers the distortion by more than its KL. Beyond that number the rate is a matter of σ and β. `notebooks/sweeps/06.beta-latent.yaml` does it with seeds.
#
#    </details>
# 3. **Blur and rate.** Compute `spectrum` for means of a VAE with σ = 0.02. Predict which frequencies gain most against `main`.
#
#    <details><summary>What to expect</summary>
#
#    The middle ones. More rate names the outline more exactly. The highest frequencies hold mostly the noise that was painted into the pictures, and no rate that is trained here names noise.
#
#    </details>
# 4. **Black and white.** Run the notebook with `dataset = "mnist"`, where most values are near 0 or 1. What is the hidden σ of the cross-entropy there, and does the Bernoulli still come out like σ = 0.5?
#
#    <details><summary>Where to look</summary>
#
#    $\sqrt{p(1-p)}$ is small near 0 and 1. In the figure of the five likelihoods the cross of your run for the Bernoulli moves away from that of σ = 0.5. Still no density: the grey values at the borders of the strokes are not 0 or 1.
#
#    </details>
# 5. **Pictures of your own.** Run `python -m helpers.runs run 06 -p dataset folder -p path my_pictures`. No masks are needed. Which σ do they ask for?
#
#    <details><summary>What to look for</summary>
#
#    Compare σ with the r.m.s. error at the end of the long training, and look at the row of means. A few hundred photographs are soon learned by heart; notebook `07` shows how to notice.
#
#    </details>
#
# ## References
#
# - Alemi, A. A. and others (2018). Fixing a Broken ELBO. ICML. [arXiv:1711.00464](https://arxiv.org/abs/1711.00464)
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Hinton, G. E. and van Camp, D. (1993). Keeping the neural networks simple by minimizing the description length of the weights. COLT. [doi:10.1145/168304.168306](https://doi.org/10.1145/168304.168306)
# - Kingma, D. P. and Ba, J. (2015). Adam: A Method for Stochastic Optimization. ICLR. [arXiv:1412.6980](https://arxiv.org/abs/1412.6980)
# - Loaiza-Ganem, G. and Cunningham, J. P. (2019). The continuous Bernoulli: fixing a pervasive error in variational autoencoders. NeurIPS. [arXiv:1907.06845](https://arxiv.org/abs/1907.06845)
# - Mathieu, M., Couprie, C. and LeCun, Y. (2016). Deep multi-scale video prediction beyond mean square error. ICLR. [arXiv:1511.05440](https://arxiv.org/abs/1511.05440)
# - Rybkin, O., Daniilidis, K. and Levine, S. (2021). Simple and Effective VAE Training with Calibrated Decoders. ICML. [arXiv:2006.13202](https://arxiv.org/abs/2006.13202)
# - Salimans, T., Karpathy, A., Chen, X. and Kingma, D. P. (2017). PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and Other Modifications. ICLR. [arXiv:1701.05517](https://arxiv.org/abs/1701.05517)
# - Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
