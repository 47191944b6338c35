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
# Somebody has to set a few numbers in the loss of a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE): the weight β of the KL term, the standard deviation σ of a pixel, and the likelihood itself. Each can be wrong by a factor of a hundred without an error message. What do β, σ and the likelihood do? And where does the blur of a VAE's pictures come from?
#
# **What you'll do**
#
# - Draw what six VAEs lose over what they send, for six values of β.
# - Find the σ that hides in a squared error, and in a cross-entropy of grey values.
# - Learn σ or set it, and compare five likelihoods in bits.
# - See which part of a picture a VAE leaves out, and what takes its place.
#
# **What you'll learn**
#
# - How rate and distortion depend on β, and what a test with three seeds can say.
# - That β and σ are one setting for a squared error, and how to choose it.
# - Why a likelihood of independent pixels answers with a mean.
#
# **What you'll need**
#
# - What the two terms of the loss are, in nats per image (notebook `04`).
# - Mathematics: the density of a normal distribution, logarithms, mean and variance. One proof needs two inequalities.
# - About 2 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 40 minutes to read, and 1.5 GB of memory. The default pictures are drawn on the spot.

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
import numpy as np
from keras import ops

from helpers import backend, data, losses, metrics, models, networks, plots
from helpers.generative.learned_sigma import WatchSigma

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
    options = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02, "seed": seed}
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
    shape = x_train.shape[1:]
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
# Think of a sender and a receiver. The sender runs the encoder and sends a draw of $z$. The KL term is the length of this message in nats (Hinton and van Camp, 1993, show how to write it so short). It is the **[rate](../docs/site/glossary.md#term-rate)** $R$. The receiver runs the decoder. With $z$ known, $-\log p(x \mid z)$ is still missing before the picture is known. It is the **[distortion](../docs/site/glossary.md#term-distortion)** $\Delta$. The loss is $\Delta + \beta R$ (the β-VAE of Higgins and others, 2017, read in this way by Alemi and others, 2018).
#
# > **Predict first.** Six VAEs differ in nothing but β, which goes from 0.1 to 30. Which one has the highest rate? Which one has the best ELBO, $-(\Delta + R)$, on held-out pictures? And if you draw distortion over rate, what is the slope between two neighbours?
#
# The last question has an answer on paper. Let model $a$ be the best one for $\beta_a$, and model $b$ the best one for a larger $\beta_b$. Then neither would gain by taking the other's place:
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
            mean_picture = ops.clip(vae(x_val[:10]), 0, 1)
            redrawn[f"β = {beta:g}"] = ops.convert_to_numpy(mean_picture)

# %% [markdown]
# The question itself needs longer trainings and several seeds. They were run once, with the parameters in `notebooks/parameters/06.full-shapes.yaml`, and are kept as a record: each of the six β with three seeds, for two lengths of training. The figure draws the record first. Your own run stands beside it.

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
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
rate, distortion = np.moveaxis(recorded, -1, 0)  # (lengths, seeds, β) each
slopes = np.diff(distortion) / -np.diff(rate)
inside = (slopes >= study["betas"][:-1]) & (slopes <= study["betas"][1:])
print("slopes, mean of the seeds:", *np.round(slopes[-1].mean(axis=0), 2))
print("in their bracket:", inside.sum(axis=(1, 2)), "of", inside[0].size)

elbo = -(distortion + rate).mean(axis=1)  # (lengths, β)
print("ELBO, mean of the seeds:", *np.round(elbo[-1], 1))
print("change by twice the steps in %:", *np.round(100 * (elbo[-1] / elbo[0] - 1), 2))

# %% [markdown]
# In the stored run the record shows a rate of 51<!--=study_rate[0]--> nats at β = 0.1 and of 4.0<!--=study_rate[5]--> nats at β = 30: the smaller β, the higher the rate. The best held-out ELBO is that of β = 1, 942.7<!--=study_elbo[2]--> ± 1.0<!--=study_elbo_half[2]--> nats.
#
# **What was tested** is the slope of a straight line between two neighbours, against a bracket whose ends differ by a factor of about three: 5 gaps with 3 seeds each. After the longer training 15<!--=study_inside[1]--> of the 15 slopes lie in their bracket, after the shorter one 15<!--=study_inside[0]-->. The slope of a smooth curve *at* a point was not tested. Twice the steps change no ELBO by more than 0.5<!--=study_change*100--> %, so the record is long enough by the rule of this series (half a per cent). All intervals are over the seeds; the held-out pictures are the same 2,000 for all.
#
# The dotted lines join points of equal ELBO: along each of them $\Delta + R$ is the same, and the next line upwards is worse by 50 nats. The lowest one touches the curve at β = 1. It must, if training works: β = 1 is the weight for which $\Delta + R$ itself is minimised.

# %%
fig = plots.image_grid(list(redrawn.values()), row_labels=list(redrawn))
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
own_distortion = curve[-1, 0, betas.index(1.0), 1]  # your run, β = 1
message = own_distortion + D * math.log(256)
print(f"distortion {own_distortion:.1f} nats, with the widths {message:.1f} nats")
print(f"that is {message / math.log(2):.0f} bits for {D} bytes")

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
w, beta, squares, kl = 50.0, 4.0, 0.18, 7.0  # for a picture of D = 3 values
sigma = math.sqrt(beta / (2 * w))
constant = 3 * math.log(sigma * math.sqrt(2 * math.pi))
negative_elbo = squares / (2 * sigma**2) + kl + constant
assert math.isclose(w * squares + beta * kl, beta * (negative_elbo - constant))
print(f"w = 50, β = 4: β times a negative ELBO with σ = {sigma:.2f}")

weights = {"½ · sum": 0.5, "sum": 1, "mean": 1 / 768, "1000 · mean": 1000 / 768}
for name, w in weights.items():
    print(f"{name:>11} of 768 squares + KL: σ = {math.sqrt(1 / (2 * w)):6.3f}")

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
error = 0.05
best = 0.5 + math.log(error)  # the nats that depend on σ, at σ = error
for sigma in (0.02, 0.05, 0.1, 0.5):
    more = error**2 / (2 * sigma**2) + math.log(sigma) - best
    assert more > -1e-12
    print(f"σ = {sigma:4}: {more:.2f} nats a value more than at the best σ")

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
short, long = WatchSigma(x_train[:1000]), WatchSigma(x_train[:1000])
hasty = new_vae(seed, likelihood="gaussian", sigma=None)
train(hasty, x_train[:3200], 600, learning_rate=0.001, callbacks=[short])
main = new_vae(seed, likelihood="gaussian", sigma=None)
train(main, x_train, main_steps, callbacks=[long])

# %%
fig = plots.sigma_over_steps({"learning rate 0.001": short.rows, "main": long.rows})
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the first VAE ends at σ = 0.064<!--=hasty_sigma-->, while its r.m.s. error is 0.064<!--=hasty_error-->. The second one ends at σ = 0.0500<!--=main_sigma--> with an error of 0.0500<!--=main_error-->.
#
# ## And the cross-entropy of grey values?
#
# Many tutorials take `binary_crossentropy` for grey pixels, with targets such as 0.4. The formula gives a number, because $-x \log p - (1-x) \log (1-p)$ can be computed for every $x$ between 0 and 1. But a density has to integrate to 1 over all values that the data can have.

# %% tags=["nbval-check-output"]
x = np.linspace(0, 1, 10_001)
for p in (0.5, 0.7, 0.9, 0.99):
    integral = np.trapezoid(p**x * (1 - p) ** (1 - x), x)
    assert integral < 0.51
    print(f"p = {p:4}: integral {integral:.3f}, hidden σ {math.sqrt(p * (1 - p)):.2f}")

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
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
print("record: rate in nats, bits, bits with σ replaced")
for name, values in zip(contestants, recorded_choices[-1].mean(axis=0)):
    print(f"{name:<10}", *np.round(values, 3))

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
sharp = np.array([[0.0] * place + [1.0] * (16 - place) for place in range(5, 12)])
mean = sharp.mean(axis=0)  # (16,)
squares = [np.sum((sharp - guess) ** 2, axis=1).mean() for guess in (*sharp, mean)]
times = np.array(squares) / squares[-1]  # the last one is the mean itself
print("sharp guesses, times the error of the mean:", *np.round(times[:-1], 2))
assert abs(times[:-1].mean() - 2) < 1e-12

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
    channels = np.split(pictures, pictures.shape[-1], axis=-1)
    return np.mean([metrics.power_spectrum(channel) for channel in channels], axis=0)


mean, log_variance = main.encode(x_val)
means = ops.convert_to_numpy(main.decode(main.sampling(mean, log_variance)))
main_sigma = math.exp(float(main.log_sigma()))
draws = means + main_sigma * rng.standard_normal(means.shape)
power = {"pictures": spectrum(x_val), "means": spectrum(means), "draws": spectrum(draws)}
fig = plots.power_spectra(power)
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %%
rows = np.clip([x_val[:10], means[:10], draws[:10]], 0, 1)
fig = plots.image_grid(rows, row_labels=["picture", "mean", "draw"])
alt = "To be written when the figure has been seen, later."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the means keep 0.96<!--=means_kept[0]--> of the pictures' power at 1 cycle and 0.05<!--=means_kept[7]--> at 8 cycles.
#
# ## What to set first
#
# 1. **Sum.** The reconstruction term is a sum over height, width and channels, the KL a sum over the latent. Only then comes the mean over the batch.
# 2. **The likelihood follows from the data**, as in the table.
# 3. **σ.** Set it to the r.m.s. error of the batch, or learn it. If you learn it, start it near the error that you expect, and compare it with the r.m.s. error in the end. If they differ, training was too short.
# 4. **β = 1**, unless you want another rate than that of the ELBO. Then say so, and report rate *and* distortion.
# 5. **Length.** Train twice as long. If the held-out ELBO changes by more than half a per cent, the first training was too short to tell what this kind of model can do.
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
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
by_seed = -(distortion + rate)[-1]  # ELBO, (seeds, β)
one = study["betas"].index(1.0)
behind = [metrics.paired_difference(by_seed[:, one], column) for column in by_seed.T]
more_bits = [
    metrics.paired_difference(values[:, 3, 1], values[:, 4, 1]) for values in recorded_choices
]
results = {
    "betas": betas, "steps": steps, "curve": curve, "choices": choices,
    "distortion": own_distortion, "message": message,
    "elbo": -curve[-1, 0].sum(axis=-1).min(), "rate": curve[-1, 0, 0, 0],
    "study_rate": rate[-1].mean(axis=0), "study_distortion": distortion[-1].mean(axis=0),
    "study_elbo": elbo[-1], "study_change": elbo[-1] / elbo[0] - 1,
    "behind": [lead.mean for lead in behind], "behind_half": [lead.half for lead in behind],
    "slopes": slopes[-1].mean(axis=0), "inside": inside.sum(axis=(1, 2)),
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
# - A smaller β gives a higher rate and a lower distortion.
#
# ## Check yourself
#
# 1. Two programs report an ELBO of +950 and of −3,300 nats for one model and the same pictures of 768 values. Can both be right?
#
#    <details><summary>Answer</summary>
#
#    Yes. One measures the density of values in [0, 1], the other the probability of bytes. They differ by $768 \log 256$ = 4,259 nats.
#
#    </details>
# 2. In your run the slope between β = 1 and β = 3 is 0.4. Is the theory wrong?
#
#    <details><summary>Answer</summary>
#
#    No. The two inequalities hold for models that are the best for their β, on the pictures on which both are measured. At least one of the two is not: too few steps, or best on the training pictures only.
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
#    σ has not arrived. Train longer, raise the learning rate, start σ lower, or set it to the r.m.s. error. Do not report 0.06 as a property of the pictures.
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
# 1. **The same minimum twice.** Train VAEs with `sigma=0.1, beta=4.0` and with `sigma=0.2`, for 5,000 steps each. Which of rate, r.m.s. error and ELBO agree?
#
#    <details><summary>Solution</summary>
#
#    βσ² is 0.04 in both, so the losses have the same minimum. Rate and error agree up to the noise of two trainings (Adam hardly notices a factor on the loss). The ELBO does not: it is measured with another σ.
#
#    </details>
# 2. **Is the rate a matter of the latent's width?** Set `latent = 2`, then `latent = 64`, and compare the rates. (`notebooks/sweeps/06.beta-latent.yaml` does it with seeds.)
#
#    <details><summary>Solution</summary>
#
#    The rate is not proportional to $K$. With two coordinates each carries more nats. From some number on, further coordinates change little: one is used only if it lowers the distortion by more than β times its KL.
#
#    </details>
# 3. **Black and white.** Run the notebook with `dataset = "mnist"`. What is the hidden σ of the cross-entropy there, and does the Bernoulli still come out like σ = 0.5?
#
#    <details><summary>Where to look</summary>
#
#    $\sqrt{p(1-p)}$ is small near 0 and 1, where most values of these pictures are. In the figure of the five likelihoods, compare your crosses for the Bernoulli and for σ = 0.5.
#
#    </details>
# 4. **Pictures of your own.** `python -m helpers.runs run 06 -p dataset folder -p path my_pictures` needs no masks. Which σ do they ask for?
#
#    <details><summary>Where to look</summary>
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
