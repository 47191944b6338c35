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
# # Train it well, and know that you did
#
# <!--badges-->
#
# The loss falls and the pictures look plausible. Is the VAE good? Could it be twice as good with one number changed? And which of its numbers would tell? A VAE has four or five knobs, and each of them can be wrong by a factor of a hundred without an error message. This notebook turns them one at a time, with a control beside each, and reads the effect
# on pictures that training never saw.
#
# **What you'll do**
#
# - Trade rate for distortion with β, and see six trained models line up on one curve.
# - Compare likelihoods, and find out which of them are likelihoods.
# - Provoke posterior collapse, measure it, and try two remedies against a control.
# - Hold a trained VAE to a tighter bound than the one it was trained with, and catch another one learning its pictures by heart.
# - Explain the blur, time six ways to train, and ask what the hidden numbers know beyond pixels.
#
# **What you'll learn**
#
# - β, σ and the scale of the loss are one knob with three names.
# - Collapse has two causes. Warm-up helps against one of them, and nothing that keeps the objective helps against the other.
# - A VAE is judged by held-out nats, and its features by a probe with controls. The two need not agree.
#
# **What you'll need**
#
# - What the two terms of the loss are and that they are counted in nats per image: notebook `03`, or its first half.
# - About 4 minutes on 2 CPU cores and 1.5 GB of memory. The default pictures are drawn on the spot; the other sets are downloaded once.

# %% tags=["colab"]
# written by the build

# %% tags=["parameters"]
dataset = "shapes"  # or "binarized_mnist", "mnist", "fashion_mnist"
seed = 0  # of the pictures, the first weights and every random draw
size = 16  # side of the shapes in pixels; the other sets keep their 28×28
images = 4000  # pictures to train on
val_images = 2000  # held-out pictures: one half to choose by, the other half to report
latent = 32  # K, hidden numbers of every VAE here
steps = 600  # training steps of each small VAE
seeds = 3  # trainings with different first weights, where a claim needs them
betas = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]  # weights of the KL for the rate–distortion curve
main_net = "dense"  # the VAE of the section on bounds: "dense", or "conv" for patch convolutions
main_width = 512  # its hidden units (dense) or channels (conv)
main_batch = 64  # its batch size
main_seconds = 20.0  # its training time, compilation and validation included
samples = 50  # importance samples of the tightest bound
use_test = False  # report the bounds on the test split; for a recorded run, once
speed_seconds = 6.0  # training time of each way in the section on speed

# %%
from helpers.runs import check_parameters, set_up

check_parameters(
    globals(), dataset=["shapes", "binarized_mnist", "mnist", "fashion_mnist"], seed=range(2**32),
    size=[16, 24, 32], images=range(256, 50_001), val_images=range(100, 10_001),
    latent=range(2, 129), steps=range(10, 50_001), seeds=range(1, 21),
    betas={"list_of": (0.0, 1000.0)}, main_net=["dense", "conv"], main_width=range(4, 2049),
    main_batch=range(8, 513), main_seconds=(0.1, 3600.0), samples=range(2, 5001), use_test=bool,
    speed_seconds=(0.1, 600.0),
)  # fmt: skip
set_up(seed)

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import stats

from helpers import data, losses, metrics, models, plots, training
from helpers.layers import DepthToSpaceUp, PatchDown
from helpers.training import cosine_share

plots.use()

# %% [markdown]
# ## What every experiment shares
#
# Small pictures, so that a training takes seconds and we can afford many: `shapes` at 16×16 with one object each, on faint texture. (The parameter `dataset` takes digits and clothes instead.) Held-out pictures come in two halves. One half may be looked at while we decide something, such as when to stop; the other half is only for
# reporting. The test split stays closed: it is for one recorded run at the very end.

# %%
options = {"objects": 1, "radius": (0.15, 0.25), "texture": 0.1, "noise": 0.02, "annotators": 1}
options = {"size": size, **options} if dataset == "shapes" else {}
with_labels = {"labels": True} if dataset == "binarized_mnist" else {}
labelled = data.load(dataset, "train", limit=1000, seed=seed, **options, **with_labels)
held_set = data.load(dataset, "val", limit=val_images, seed=seed, **options, **with_labels)
held_set = held_set.subset(slice(val_images // 2, None))
x = data.to_float(data.load(dataset, "train", limit=images, seed=seed, **options).images)
val = data.to_float(data.load(dataset, "val", limit=val_images, seed=seed, **options).images)
choose, held = val[: val_images // 2], val[val_images // 2 :]
shape, D = x.shape[1:], math.prod(x.shape[1:])
print(f"{len(x)} to train on, {len(choose)} to choose by, {len(held)} to report; D = {D}")

# %% [markdown]
# One small network serves nearly all experiments: two dense layers on either side of $K$ hidden numbers. Two details in it are worth a line each, because leaving them out costs more than any knob below repairs.
#
# - **Centre the pixels.** `Rescaling(4, -2)` moves values from [0, 1] to [−2, 2]. Networks learn faster from numbers spread around zero. The section on speed takes this line out and measures.
# - **Start with a quiet encoder.** The bias of $\log\sigma^2$ starts at −3, so that the first codes reach the decoder with a noise of 0.22 instead of 1. A decoder that hears mostly noise learns to ignore its input.


# %%
def small_vae(seed, shape=shape, width=256, centred=True, **options):
    """Two dense layers each way; options are those of `models.VAE`."""
    keras.utils.set_random_seed(seed)
    image, z = keras.Input(shape), keras.Input((latent,))
    h = layers.Rescaling(4.0, offset=-2.0)(image) if centred else image
    h = layers.Flatten()(h)
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    quiet = keras.initializers.Constant(-3.0)
    heads = [layers.Dense(latent)(h), layers.Dense(latent, bias_initializer=quiet)(h)]
    h = z
    for _ in range(2):
        h = layers.Dense(width, activation="silu")(h)
    h = layers.Reshape(shape)(layers.Dense(math.prod(shape))(h))
    if options["likelihood"] == "gaussian" and centred:
        h = layers.Rescaling(0.25, offset=0.5)(h)  # back to pixel values; logits stay as they are
    return models.VAE(keras.Model(image, heads), keras.Model(z, h), seed=seed, **options)


compiled = {}  # small VAEs by their options: to compile one takes longer than 100 steps of it


def trained(seed, x, length=1, validation=None, **options):
    """A small VAE after `length` times `steps` steps of 64 pictures, and the history of its fit.

    Options that were met before get their compiled model back, with fresh weights and a fresh
    Adam. So use a model before you ask for the next one.
    """
    fresh = small_vae(seed, x.shape[1:], **options)
    vae = compiled.setdefault(f"{x.shape[1:]} {options}", fresh)
    if vae is fresh:
        vae.compile(keras.optimizers.Adam(), jit_compile=False, steps_per_execution=10)
    else:
        vae.set_weights(fresh.get_weights())
        for state in vae.optimizer.variables:
            state.assign(ops.zeros_like(state))
    epochs = max(1, round(length * steps * 64 / len(x)))
    fall = keras.callbacks.LearningRateScheduler(lambda e: 2e-3 * cosine_share(e / epochs))
    fit = {"batch_size": 64, "epochs": epochs, "callbacks": [fall], "verbose": 0}
    return vae, vae.fit(x, validation_data=validation, **fit).history


def terms(vae, x):
    """Distortion and rate: −log p(x|z) and the KL, mean over the images, nats."""
    return [float(ops.mean(term)) for term in vae.terms(x)]


def redraw(vae, x):
    """Reconstructions from the posterior mean, `(B, H, W, C)`."""
    return ops.convert_to_numpy(vae.decode(vae.encode(x)[0]))


# %% [markdown]
# Grey and coloured pixels get a Gaussian likelihood, at first with a fixed σ of 0.1: the decoder says "this value, give or take a tenth of the way from black to white". Binary pixels (`binarized_mnist`) get a Bernoulli.

# %%
grey = dataset != "binarized_mnist"
plain = {"likelihood": "gaussian", "sigma": 0.1} if grey else {"likelihood": "bernoulli"}

# %% [markdown]
# ## What does β buy?
#
# Think of the VAE as a sender and a receiver. The encoder sends a message about the picture; the KL is its length, the **rate**, in nats. The decoder then needs $-\log p(x \mid z)$ more nats to pin the picture down, the **distortion**. The loss is distortion + β · rate. So β is a price: what one nat of message must save in distortion to be worth sending.
#
# That has a consequence that can be tested. If every model is the best for its own β, then at that model one more nat of rate saves exactly β nats of distortion. Draw distortion over rate for several β: the points must lie on one falling curve, and the slope of the curve at each point is −β. (Alemi and others, 2018, read VAEs this way.)
#
# > **Predict first.** Six VAEs, β from 0.1 to 30, otherwise twins. The negative ELBO is distortion + rate, whatever β was in training. Which β has the best ELBO on held-out pictures? Which has the best reconstructions? Do the six lie on one curve after 600 steps each?

# %%
curve, redrawn = [], []
for beta in betas:
    vae, _ = trained(seed, x, beta=beta, **plain)
    curve.append(terms(vae, held))
    redrawn.append(redraw(vae, held[:10]))
distortion, rate = np.array(curve).T
print("   β   distortion     rate  negative ELBO (nats)   slope to the next point")
slopes = -np.diff(distortion) / np.diff(rate)
for i, beta in enumerate(betas):
    slope = f"{slopes[i]:12.2f}" if i < len(slopes) else ""
    print(f"{beta:5.1f}{distortion[i]:12.1f}{rate[i]:9.1f}{distortion[i] + rate[i]:15.1f}{slope:>24}")
best_beta = betas[int(np.argmin(distortion + rate))]

# %%
fig, axis = plt.subplots(figsize=(7.2, 4.2))
axis.plot(rate, distortion, "o-")
for beta, r, d in zip(betas, rate, distortion):
    axis.annotate(f"β = {beta:g}", (r, d), (7, 6), textcoords="offset points")
low, high = axis.get_ylim()
for total in np.linspace(low, high + rate.max(), 9)[1:]:
    axis.plot([0, rate.max() * 1.1], [total, total - rate.max() * 1.1], ":", color="#888888", lw=1)
axis.set(ylim=(low, high), xlim=(-2, rate.max() * 1.1))
axis.set(xlabel="rate: KL (nats per image)", ylabel="distortion: −log p(x|z) (nats per image)")
alt = "Distortion over rate for six values of beta: one smooth curve that falls steeply at first and then flattens. The largest beta sits at the upper left with almost no rate, the smallest at the lower right. Dotted diagonals of equal ELBO cross the plane; the points near beta one lie on the lowest of them."
plots.show(fig, alt=alt)

# %%
chosen = sorted({0, betas.index(best_beta), len(betas) - 1})
fig = plots.image_grid(
    [held[:10], *(np.clip(redrawn[i], 0, 1) for i in chosen)],
    row_labels=["picture", *(f"β = {betas[i]:g}" for i in chosen)],
)
alt = "Held-out pictures above their reconstructions. With the smallest beta and with the best one, the shapes come back in place and colour, a little soft. With the largest beta only a blurred ground colour is left and the shapes are gone or are faint shadows."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the rate falls from 100<!--=rates[0]--> nats at the smallest β to 1<!--=rates[5]--> at the largest, and β = 1.0<!--=best_beta--> has the best held-out ELBO. The dotted diagonals join points of equal ELBO: they have slope −1, and a curve whose slope at β is −β touches the lowest of them where β = 1. That is why β = 1 is *the* ELBO, and another β is another point of the same trade.
#
# The last column of the table is the test. Between two neighbours the slope should lie between their two β. Where it does not, the models are not yet the best for their β: 600 steps do not finish the job, least of all where β is small and the last fine details are worth learning.
#
# So which β is right? For a density model, 1. For anything else the curve is a menu: a classifier that needs the place of an object may be content with a few nats. What is *not* a choice is a β that came in by averaging over pixels; that point on the menu was ordered by the image size.
#
# ## β, σ, and the scale of the loss: one knob
#
# Write the loss of a Gaussian decoder with fixed σ:
#
# $$\frac{1}{2\sigma^2}\,\|x - r\|^2 \;+\; \beta\,\mathrm{KL} \;+\; \text{const.}$$
#
# Multiply by $2\sigma^2$; a positive factor moves no minimum. What remains is $\|x-r\|^2 + 2\beta\sigma^2\,\mathrm{KL}$. Only the product $\beta\sigma^2$ matters for the weights that training looks for. So every squared-error loss *has* a σ, whether or not its author chose one. The next cell works out which, for losses that one meets in the wild.

# %% tags=["nbval-check-output"]
pixels = 16 * 16 * 3  # per-image sum of squares = pixels · mean of squares
implied = {  # name: weight of the summed squared error, where the KL has weight 1
    "½ · sum of squares + KL": 0.5,
    "sum of squares + KL": 1.0,
    "mean of squares + KL": 1.0 / pixels,
    "mean of squares + 0.001 · KL": 1000.0 / pixels,
    "Gaussian with σ = 0.1": 0.5 / 0.1**2,
}
for name, weight in implied.items():
    print(f"{name:<30} σ = {math.sqrt(0.5 / weight):7.3f}")
assert abs(math.sqrt(0.5 / implied["sum of squares + KL"]) - 0.7071) < 1e-4

# %% [markdown]
# Pixels run from 0 to 1. A σ of 0.7 says that the decoder is hardly ever wrong by less than half the grey scale, and a σ of 19.6 says that nothing it draws has to do with the picture. Those VAEs will not use their code, and they are right not to: under such noise there is nothing worth sending.
#
# **Exercise 1.** One paper trains with σ = 0.1 and β = 4. You want the same minimum with β = 1. Which σ?

# %%
your_sigma = None  # ← your number
print(f"your value {your_sigma}, true value {'?' if your_sigma is None else 0.1 * math.sqrt(4)}")
assert your_sigma is None or abs(your_sigma - 0.2) < 1e-6, "Keep the product β·σ² as it was."

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\beta\sigma^2 = 4 \cdot 0.01 = 0.04$, so σ = 0.2. The minimum is the same; the *values* are not: with σ = 0.1 and β = 4 the loss is no bound on $\log p(x)$, with σ = 0.2 and β = 1 it is one, of another model.
#
# </details>
#
# ### And the cross-entropy on grey values?
#
# Many tutorials use a Bernoulli for grey pixels: `binary_crossentropy` with targets like 0.4. The formula runs, because $-x\log p - (1-x)\log(1-p)$ can be computed for any $x$. But a density has to integrate to 1 over what the data can be, here over $x$ from 0 to 1.

# %% tags=["nbval-check-output"]
grid = np.linspace(0, 1, 10_001)
for p in (0.5, 0.7, 0.9, 0.99):
    mass = np.trapezoid(p**grid * (1 - p) ** (1 - grid), grid)
    exact = 0.5 if p == 0.5 else (2 * p - 1) / math.log(p / (1 - p))
    lost = -pixels * math.log(mass)
    print(f"p = {p:4.2f}: a pixel's mass {mass:.3f}; lost in {pixels} pixels: {lost:6.1f} nats")
    assert abs(mass - exact) < 1e-6
curvature = 1 / (0.5 * 0.5)  # of −x·log p − (1−x)·log(1−p) in p, at x = p = 0.5
print(f"near p = 0.5 it bends like a Gaussian with σ = {math.sqrt(1 / curvature):.2f}")

# %% [markdown]
# The mass is a half or less, so the "likelihood" of a 768-pixel picture misses more than 500 nats. Its values cannot be compared with any density, and there are no bits per dimension. (Divide by the mass and it becomes one, the *continuous Bernoulli* of Loaiza-Ganem and Cunningham, 2019.) The last line matters more for training: around mid-grey the cross-entropy curves like a squared error with σ = 0.5. Whoever picks it for grey
# pictures picks a σ near one half.
#
# > **Predict first.** Four VAEs, twins but for the likelihood: Gaussian with σ = 0.02, with σ = 0.5, with one learned σ, and the Bernoulli. Order them by rate. Which has the fewest bits per dimension? The noise that was painted into the pictures has a standard deviation of 0.02, and the texture comes on top: what will the learned σ be?
#
# For bits per dimension, the 256 levels of a byte are spread out evenly first (*uniform dequantisation*: add a uniform number of one level's width). Then a density gives an upper bound on the bits that a lossless code for the bytes needs, and raw bytes cost 8. (Theis and others, 2016.)

# %%
greys, greys_held = x, held  # this section needs values between 0 and 1
if not grey:
    drawn = [data.load("shapes", s, size=16, limit=1000, seed=seed) for s in ("train", "val")]
    greys, greys_held = (data.to_float(part.images) for part in drawn)
contestants = {"σ = 0.02": {"sigma": 0.02}, "σ = 0.5": {"sigma": 0.5}, "σ learned": {"sigma": None}}
contestants = {k: {"likelihood": "gaussian", **v} for k, v in contestants.items()}
contestants["Bernoulli"] = {"likelihood": "bernoulli"}
level = np.random.default_rng(seed).random(greys_held.shape)  # where in its level a pixel lies
spread = ((greys_held * 255 + level) / 256).astype("float32")
likelihoods = {}
print("             rate (nats)   error of the mean   bits per dimension")
for name, choice in contestants.items():
    vae, _ = trained(seed, greys, **choice)
    nats, kl = terms(vae, spread)
    error = float(np.sqrt(np.mean(np.square(redraw(vae, greys_held) - greys_held))))
    bits = losses.bits_per_dimension(nats + kl, greys[0].size, bins=256)
    likelihoods[name] = {"rate": kl, "error": error, "bits": bits}
    shown = f"{bits:.2f}" if choice["likelihood"] == "gaussian" else "no density"
    print(f"{name:<12}{kl:10.1f}{error:20.4f}{shown:>21}")
    if name == "σ learned":
        learned_sigma = math.exp(float(vae.log_sigma()))
print(f"learned σ = {learned_sigma:.4f}")

# %% [markdown]
# In the stored run the wide σ sends 10<!--=rate_wide--> nats and the narrow one 100<!--=rate_narrow-->: the small σ makes every wrong pixel expensive, so it pays to send much. The Bernoulli sends 3<!--=rate_bernoulli--> nats, much like σ = 0.5, as its curvature foretold. The learned σ stands at 0.050<!--=learned_sigma--> when training ends, and its code is the shortest:
# 6.00<!--=bits_learned--> bits per dimension against 6.00<!--=bits_wide--> for σ = 0.5 and 6.00<!--=bits_narrow--> for σ = 0.02.
#
# Why does learning σ work at all? At fixed pictures, $\frac{1}{2\sigma^2}\|x-r\|^2 + D\log\sigma$ has its minimum where σ² is the mean squared error. A decoder that draws badly gets a wide σ, hence a weak pull on the reconstruction; as it draws better, σ follows down and the pull grows: a schedule that nobody has to set. It has one trap, and this run is in it: σ is one weight
# among many and Adam moves each weight by about the learning rate, so in a short training it lags behind the error. (Rybkin and others, 2021, set it to the root mean squared error directly. And a decoder that can fit exactly would send σ to zero; `models.VAE` has a floor for that.)
#
# **Exercise 2.** A VAE has a negative ELBO of −1100 nats on dequantised pictures of 16×16×3. How many bits per dimension is that?

# %%
your_bits = None  # ← your number
true_bits = losses.bits_per_dimension(-1100, 768, bins=256)
print(f"your value {your_bits}, true value {'?' if your_bits is None else round(true_bits, 3)}")
assert your_bits is None or abs(your_bits - true_bits) < 0.01, "Nats to bits, per value, plus 8."

# %% [markdown]
# <details><summary>Solution</summary>
#
# $-1100 / (768 \cdot \ln 2) + 8 = -2.066 + 8 = 5.934$ bits. The 8 are the width of a grey level, $\log_2 256$: a density on [0, 1] is 256 times as high as a probability for a level.
#
# </details>
#
# ## When the code falls silent
#
# *Posterior collapse*: for some coordinate, or for all, the encoder answers $\mathcal N(0, 1)$ whatever the picture is. Its KL is zero, the decoder learns to do without it, and then nothing rewards the encoder for starting to speak. Two measures tell:
#
# - the **KL of each coordinate**, averaged over pictures. We call a coordinate *used* if it carries more than 0.1 nats;
# - **active units** (Burda and others, 2016): coordinates whose mean $\mu_k$ varies over the pictures with a variance above 0.01.
#
# There are two reasons for a silent coordinate, and they call for different answers. **It may be the optimum.** For a linear VAE this is exact (Lucas and others, 2019; notebook `03` has the model): a principal direction of the data is worth a coordinate only if its variance exceeds σ². **Or training may not get there.** At first the decoder cannot use the code,
# the KL pushes at full weight, and the encoder gives up before the two have found each other.
#
# To tell them apart we count the directions whose variance exceeds σ². For this section σ is 0.5, the one that hides in the cross-entropy of grey values.

# %%
collapsing = plain | ({"sigma": 0.5} if grey else {"beta": 10.0})
centred = x.reshape(len(x), -1) - x.mean(axis=0).ravel()
variances = np.linalg.svd(centred[:2000], compute_uv=False) ** 2 / min(len(x), 2000)
worth_it = int((variances > 0.25).sum())
print("largest variances:", *np.round(variances[:8], 2))
print(f"{worth_it} directions have a variance above 0.5² = 0.25")

# %% [markdown]
# **Exercise 3.** How many directions would a linear VAE keep at σ = 1, which is the loss "½ · sum of squares + KL"? Read it off the line above.

# %%
your_count = None  # ← your number
true_count = int((variances > 1.0**2).sum())
print(f"your value {your_count}, true value {'?' if your_count is None else true_count}")
assert your_count in (None, true_count), "Compare variances with σ², here 1."

# %% [markdown]
# Two remedies are in every toolbox. **KL warm-up** (Bowman and others, 2016): the weight of the KL climbs from 0 to its value during the first half of training, so that the decoder learns to use the code before the code costs anything. **Free bits** (Kingma and others, 2016): each coordinate may spend a fixed allowance, here 0.25 nats, at no charge; below it the KL has no gradient. The control gets the same network, the same steps and neither.
# A fourth row trains the control three times as long, because a slow training and a stuck one look alike at the end of a short one.
#
# > **Predict first.** Which recipe uses the most coordinates? Which has the best held-out ELBO? Need that be the same recipe?


# %%
def interval(values):
    """Mean, and half the width of its 95 % interval (Student's t); 0 for a single value."""
    n = len(values)
    width = stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n) if n > 1 else 0.0
    return float(np.mean(values)), float(width)


recipes = {"control": {}, "warm-up": {"warmup_steps": steps // 2}, "free bits": {"free_bits": 0.25}}
recipes["3 × longer"] = {"length": 3}
collapse = {}
for name, recipe in recipes.items():
    rows, spectra = [], []
    for run in range(seeds):
        vae, _ = trained(seed + run, x, **collapsing, **recipe)
        spectra.append(np.sort(metrics.kl_per_dimension(vae, held))[::-1])
        used = (spectra[-1] > 0.1).sum()
        rows.append([used, metrics.active_units(vae, held), spectra[-1].sum(), sum(terms(vae, held))])
    collapse[name] = {"rows": np.array(rows, "float64").T, "spectrum": np.mean(spectra, axis=0)}

# %%
print(f"mean ± half of the 95 % interval over {seeds} first weights; K = {latent}")
print("                used (> 0.1 nats)   active units      rate (nats)    negative ELBO (nats)")
for name, result in collapse.items():
    text = [f"{m:8.1f} ± {w:4.1f}" for m, w in map(interval, result["rows"][:3])]
    mean, width = interval(result["rows"][3])
    print(f"{name:<14}" + "   ".join(text) + f"{mean:16.2f} ± {width:.2f}")
paired = {name: interval(collapse["control"]["rows"][3] - collapse[name]["rows"][3])
          for name in collapse if name != "control"}  # fmt: skip
for name, (mean, width) in paired.items():
    print(f"{name}: ELBO {mean:+.2f} ± {width:.2f} nats against the control")

# %%
fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.9), sharey=True)
for axis, (name, result), colour in zip(axes, collapse.items(), plots.COLOURS.values()):
    axis.bar(np.arange(1, latent + 1), result["spectrum"], color=colour)
    axis.axhline(0.1, color="black", linewidth=0.8, linestyle=":")
    axis.set(title=name, xlabel="coordinate, sorted", yscale="symlog")
    axis.set_yscale("symlog", linthresh=0.1, linscale=0.6)
axes[0].set(ylabel="KL (nats per image)")
alt = "Bars of the KL of each coordinate, sorted, for four recipes. The control has a few tall bars and a long tail below the dotted line at 0.1 nats. With warm-up one or two more bars stand above the line. With free bits every coordinate stands at about 0.25 nats, and only a few are higher. The longer control looks like warm-up."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the control uses 5.0<!--=used_control--> of its coordinates, with warm-up 6.0<!--=used_warmup-->, with free bits 32.0<!--=used_free_bits-->. The ELBO tells another story: warm-up gains +1.00<!--=gain_warmup--> ± 0.10<!--=gain_warmup_width--> nats over the control, free bits −2.00<!--=gain_free_bits--> ± 0.10<!--=gain_free_bits_width-->, and training three times as long +1.00<!--=gain_longer--> ± 0.10<!--=gain_longer_width-->.
#
# Three things follow.
#
# 1. **Here the control was slow, not stuck.** Given three times the steps it gets where warm-up got in one. On this problem warm-up buys time. On deeper decoders, and with text, it can decide between speech and silence (Bowman and others).
# 2. **Free bits changed the objective, and got what they paid for.** Every coordinate spends its allowance, because it is free; the pictures gain less than the messages cost, so the bound on $\log p(x)$ gets *worse*. If you want features that say something, that may be a fair price. If you want a density model, it is a loss. A count of used coordinates cannot tell the two apart.
# 3. **Most of the silence was right.** Under σ = 0.5 about nine directions are worth a coordinate in the linear count, three of them hardly. No remedy should bring back the others; what would bring them back is the right σ. In the section before, the learned one used all it had. First fix the scale, then reach for remedies.
#
# One more warning, from the table: *active units* says 32 for a control whose code is nearly silent. In a short training the means still carry a trace of their first random weights, and a threshold of 0.01 counts traces. Look at the nats.
#
# ## How good is it, in nats?
#
# The ELBO lies below $\log p(x)$ by the KL between the encoder and the true posterior (notebook `03`). A low ELBO may mean a poor decoder or a poor encoder, and with one number we cannot tell. The **importance-weighted bound** can: draw $k$ codes from the encoder instead of one, and average the *probabilities* instead of their logarithms:
#
# $$L_k = \mathbb E\left[\log \frac1k \sum_{i=1}^k \frac{p(x, z_i)}{q(z_i \mid x)}\right], \qquad L_1 = \mathrm{ELBO} \;\le\; L_5 \;\le\; L_{50} \;\le\; \dots \;\le\; \log p(x).$$
#
# Why do they rise? A mean of five weights is less scattered than one weight, and the logarithm punishes scatter (Jensen once more). With ever more draws the mean settles on $p(x)$. (Burda and others, 2016.) A small example, where all is known: weights $w$ that are $e^{s\varepsilon - s^2/2}$ with a standard normal ε, so that their mean is exactly 1 and the truth is $\log 1 = 0$.

# %% tags=["nbval-check-output"]
weights = 1.0 * np.random.default_rng(0).standard_normal((200_000, 50)) - 0.5  # log w, s = 1
bounds = [(np.logaddexp.reduce(weights[:, :k], axis=1) - np.log(k)).mean() for k in (1, 5, 50)]
print("truth 0;", ", ".join(f"L_{k} = {v:.2f}" for k, v in zip((1, 5, 50), bounds)), "nats")
assert bounds[0] < bounds[1] < bounds[2] < 0 and abs(bounds[0] + 0.5) < 0.005

# %% [markdown]
# Now a VAE that is trained with more care: wider, for as long as `main_seconds` allows, with a learned σ. The learning rate follows the clock down to zero (`training.TimeBudget`), and after each epoch the negative ELBO is read on the half of the held-out pictures that we may choose by; the best weights are kept. On `binarized_mnist` the parameter file `04.full-binarized_mnist.yaml` turns this very cell into the recipe of
# `benchmarks/mnist_nll.py`.

# %%
likelihood = {"likelihood": "gaussian", "sigma": None} if grey else {"likelihood": "bernoulli"}
if main_net == "conv":
    main = models.conv_vae(shape, latent=latent, width=main_width, seed=seed, **likelihood)
else:
    main = small_vae(seed, width=main_width, **likelihood)
main.compile(keras.optimizers.Adam(), jit_compile=False, steps_per_execution=10)
budget = training.TimeBudget(main_seconds, 2e-3)
keep_best = keras.callbacks.EarlyStopping(
    "val_loss", patience=10**6, mode="min", restore_best_weights=True
)
main.fit(
    x, validation_data=(choose,), batch_size=main_batch, validation_batch_size=1000,
    epochs=10**6, callbacks=[keep_best, budget], verbose=0,
)  # fmt: skip
print(f"{len(budget.history)} epochs in {budget.history[-1]['seconds']:.0f} s")

# %% [markdown]
# The bounds, on the pictures that nothing was chosen by. (With `use_test`, on the test split.)

# %%
final = data.to_float(data.load(dataset, "test", seed=seed, **options).images) if use_test else held
ks = [k for k in (1, 2, 5, 10, 20) if k < samples] + [samples]
each = {k: metrics.iwae_bound(main, final, k, batch_size=4000, seed=seed) for k in ks}
bound = {k: float(values.mean()) for k, values in each.items()}
main_distortion, main_rate = terms(main, held)
for k in ks:
    print(f"L_{k:<4} = {bound[k]:10.2f} nats per image; −L in bits per dimension "
          f"{losses.bits_per_dimension(-bound[k], D, 256 if grey else None):.3f}")  # fmt: skip
assert np.all(np.diff(list(bound.values())) > 0), "the bound must rise with k"

# %% [markdown]
# In the stored run the negative ELBO is −1000.0<!--=main_negative_elbo--> nats, and the bound with 50 samples is higher by 10.0<!--=bound_gain--> nats. So at least that much of the distance between the ELBO and $\log p(x)$ is the encoder's fault, not the decoder's. Models are compared by one and the same $L_k$; a paper's $L_{5000}$ beside your ELBO is no comparison.
#
# ### Learning by heart
#
# How would we notice a VAE that memorises? Train the small one on 200 pictures, as many steps as before, and read both curves.
#
# > **Predict first.** Sketch two pairs of curves over training: negative ELBO on training and on held-out pictures, for 4000 pictures and for 200. Where is the best moment to stop?

# %%
_, history = trained(seed, x[:200], validation=(choose,), **likelihood)
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.4, 3.4))
seconds = [row["seconds"] for row in budget.history]
left.plot(seconds, [row["loss"] for row in budget.history], label="training")
left.plot(seconds, [row["val_loss"] for row in budget.history], "--", label="held out")
left.set(xlabel="seconds", ylabel="negative ELBO (nats)", title=f"{len(x)} pictures")
middle.plot(history["loss"], label="training")
middle.plot(history["val_loss"], "--", label="held out")
middle.set(xlabel="epoch", title="200 pictures")
for axis, tail in ((left, [r["val_loss"] for r in budget.history]), (middle, history["loss"])):
    axis.set_ylim(min(tail) - 30, np.quantile(tail, 0.9) + 150)
    axis.legend(loc="upper right")
right.plot(ks, [bound[k] for k in ks], "o-", color=plots.COLOURS["green"])
right.set(xscale="log", xlabel="k, draws per picture", ylabel="$L_k$ (nats)", title="the bound rises")
right.set_xticks(ks, [str(k) for k in ks])
alt = "Left: for all pictures the training and held-out curves fall together. Middle: for 200 pictures the training curve keeps falling while the held-out curve turns and stays far above it. Right: the importance-weighted bound rises with the number of draws, fast at first and slower later."
plots.show(fig, alt=alt)
gap_few = history["val_loss"][-1] - history["loss"][-1]
gap_all = budget.history[-1]["val_loss"] - budget.history[-1]["loss"]

# %% [markdown]
# With 4000 pictures the two curves end 10<!--=gap_all--> nats apart, with 200 pictures 300<!--=gap_few--> nats. The training curve of the second looks better than the first one's for every reason except the one that counts. An ELBO without the words *held out* is a report about the optimiser.
#
# ## Why is it blurred?
#
# It is often said that the code is too small for detail, or that the KL squeezes detail out. Part of the answer lies elsewhere. The decoder's likelihood treats pixels as **independent given z**. When the code leaves something open (is the outline here, or one pixel further?), such a decoder cannot say "either this sharp picture or that one". It can only name one value per pixel and a spread, and the best value per pixel is the *mean* over all that is possible. The mean of sharp pictures is not sharp.
#
# A row of 16 pixels shows it: an edge from dark to light at one of seven places, all equally likely.

# %% tags=["nbval-check-output"]
rows = (np.arange(16) >= np.arange(5, 12)[:, None]).astype("float64")  # seven sharp pictures
mean_row = rows.mean(axis=0)
for name, guess in (("the sharpest in the middle", rows[3]), ("the mean of all seven", mean_row)):
    error = np.mean(np.sum((rows - guess) ** 2, axis=1))
    print(f"{name:<28} expected squared error {error:.4f}")
one_of_them = np.mean([np.sum((a - b) ** 2) for a in rows for b in rows])
print(f"{'one of the seven, by lot':<28} expected squared error {one_of_them:.4f}")
ratio = one_of_them / np.mean(np.sum((rows - mean_row) ** 2, axis=1))
print(f"by lot / mean = {ratio:.3f}")
assert abs(ratio - 2) < 1e-12

# %% [markdown]
# A sharp guess that is plausible costs exactly twice the squared error of the blurred mean: $\mathbb E\|x - x'\|^2 = 2\,\mathbb E\|x - \bar x\|^2$ for independent draws. The likelihood prefers the ramp, and a ramp is what a blurred edge is. A larger code would name the place and leave less open; a decoder whose pixels depend on each other could draw one of the seven.
#
# What happens to the detail that $z$ does not name? The model calls it noise, of spread σ, independent from pixel to pixel. So the *pictures* that this model believes in are not the smooth means that everybody shows: they are means plus noise.
#
# > **Predict first.** Take the power spectrum of held-out pictures, of their reconstructions (means), and of true draws from $p(x \mid z)$. Where do the three agree, and where do they part?


# %%
def power(images):
    """Mean power by spatial frequency: cycles per picture, 1 to half the side."""
    flat = images.mean(axis=-1)
    flat = flat - flat.mean(axis=(1, 2), keepdims=True)
    spectrum = (np.abs(np.fft.fft2(flat)) ** 2).mean(axis=0) / flat[0].size
    f = np.fft.fftfreq(flat.shape[1]) * flat.shape[1]
    ring = np.round(np.hypot(f[:, None], f[None])).astype(int).ravel()
    total = np.bincount(ring, spectrum.ravel()) / np.bincount(ring)
    return total[1 : flat.shape[1] // 2 + 1]


means = redraw(main, held)
draw = np.random.default_rng(seed)
if grey:
    main_sigma = math.exp(float(main.log_sigma()))
    drawn = means + main_sigma * draw.standard_normal(means.shape)
else:
    drawn = (draw.random(means.shape) < means).astype("float32")
spectra = {"pictures": power(held), "means of p(x|z)": power(means), "draws from p(x|z)": power(drawn)}
kept = float(spectra["means of p(x|z)"][-1] / spectra["pictures"][-1])

# %%
fig, axis = plt.subplots(figsize=(6.4, 3.6))
for (name, values), style in zip(spectra.items(), ("-", "--", ":")):
    axis.semilogy(np.arange(1, len(values) + 1), values, style, label=name)
axis.set(xlabel="spatial frequency (cycles per picture)", ylabel="power")
axis.legend()
alt = "Power over spatial frequency on a logarithmic axis. All three curves agree at low frequencies. The curve of the means drops far below that of the pictures as frequency grows. The curve of the draws bends away from the means and flattens out near the level of the pictures."
plots.show(fig, alt=alt)
fig = plots.image_grid(
    [held[:10], np.clip(means[:10], 0, 1), np.clip(drawn[:10], 0, 1)],
    row_labels=["picture", "mean", "draw"],
)
alt = "Held-out pictures, the means that the decoder gives for them, and draws from its distribution. The means are smooth. The draws have as much fine structure as the pictures, but it is noise without form: no edge becomes sharper."
plots.show(fig, alt=alt)

# %% [markdown]
# The reconstructions carry the slow variation and lose the fast one: at the highest frequency 0.10<!--=kept--> of the pictures' power is left in the stored run. The draws put the *amount* back, in the only form that independent pixels know, white noise, which has no edges. A true edge is fast variation in step over many pixels, and just that is what a factorised likelihood cannot express. So a deeper look at an edge through the reconstruction is a look at something the model was never paid to keep.
# That matters for the notebooks that follow.
#
# ## What makes training fast?
#
# Everybody has advice: larger batches, XLA, fewer parameters, other convolutions. We give each way the same seconds, *compilation counted*, and look at two numbers: pictures per second, and the held-out ELBO that the seconds bought. The second is the one you want; the first is how you get it, as a rule.
#
# Six ways. The dense network with batches of 64, our default; with batches of 512; compiled by XLA (`jit_compile=True`), which fuses operations and takes its time to do so; and without the centring of the pixels. Then two convolutional networks with the same channels, down by two and up by two twice: with 4×4 kernels at stride 2 and transposed convolutions, as usual, or with 2×2 patches that do not overlap, and depth-to-space on the way up.
#
# > **Predict first.** Order the six by pictures per second, and then by ELBO. Does the same one win?


# %%
def conv_net(patches, channels=(32, 64)):
    """Halve twice and double twice: by patches, or by 4×4 kernels at stride 2."""
    keras.utils.set_random_seed(seed)
    image, z = keras.Input(shape), keras.Input((latent,))
    usual = {"kernel_size": 4, "strides": 2, "padding": "same"}

    def down(n):
        return PatchDown(n, 2, "silu") if patches else layers.Conv2D(n, activation="silu", **usual)

    def up(n, act):
        return DepthToSpaceUp(n, 2, act) if patches else layers.Conv2DTranspose(n, activation=act, **usual)

    h = down(channels[1])(down(channels[0])(layers.Rescaling(4.0, offset=-2.0)(image)))
    small = h.shape[1:]
    h = layers.Flatten()(h)
    heads = [layers.Dense(latent)(h), layers.Dense(latent, bias_initializer=keras.initializers.Constant(-3.0))(h)]
    h = layers.Reshape(small)(layers.Dense(math.prod(small), activation="silu")(z))
    h = up(shape[-1], None)(up(channels[0], "silu")(h))
    h = layers.Rescaling(0.25, offset=0.5)(h) if grey else h
    return models.VAE(keras.Model(image, heads), keras.Model(z, h), seed=seed, **plain)


ways = {
    "dense, batch 64": (lambda: small_vae(seed, **plain), 64, False),
    "dense, batch 512": (lambda: small_vae(seed, **plain), 512, False),
    "dense, XLA": (lambda: small_vae(seed, **plain), 64, True),
    "dense, not centred": (lambda: small_vae(seed, centred=False, **plain), 64, False),
    "4×4, stride 2": (lambda: conv_net(patches=False), 64, False),
    "2×2 patches": (lambda: conv_net(patches=True), 64, False),
}

# %%
speed = {}
print("                       pictures/s   first epoch (s)   negative ELBO (nats)")
for name, (build, batch, xla) in ways.items():
    vae = build()
    vae.compile(keras.optimizers.Adam(), jit_compile=xla, steps_per_execution=10)
    clock = training.TimeBudget(speed_seconds, 2e-3)
    vae.fit(x, batch_size=batch, epochs=10**6, callbacks=[clock], verbose=0)
    per_second = int(vae.steps) * batch / clock.elapsed()
    first = clock.history[0]["seconds"]
    speed[name] = {"rate": per_second, "first": first, "nats": sum(terms(vae, held))}
    print(f"{name:<20}{per_second:13,.0f}{first:18.1f}{speed[name]['nats']:23.1f}")
reference = speed["4×4, stride 2"]["rate"]
print({name: f"{row['rate'] / reference:.1f} ×" for name, row in speed.items()})
fastest = max(speed, key=lambda name: speed[name]["rate"])
best_way = min(speed, key=lambda name: speed[name]["nats"])
print(f"most pictures a second: {fastest}; best ELBO: {best_way}")

# %% [markdown]
# In the stored run the patches pass 2.0<!--=patch_speed_ratio--> times as many pictures per second through the same channels as the overlapping kernels do, and the dense network with batches of 64 passes 5.0<!--=dense_speed_ratio--> times as many. Batches of 512 raise that to 10.0<!--=batch_speed_ratio--> times. These ratios depend on the machine, on what else it does, and on the size of the pictures; the order of the first two does not, as a rule.
#
# Look at the ELBO column before you decide. Large batches pass more pictures but take fewer steps, and early in training it is steps that count. XLA first spends seconds on compiling; whether it earns them back depends on how long you train. And the pixels that were not centred cost nats at the same speed, for a change of one line. The notebook `02` and all later ones use patches for that reason, with dense layers in the middle.
#
# ## What do the hidden numbers know?
#
# Reconstruction says that the code *contains* a fact. It does not say that a simple reader could *find* it there. A **linear probe** asks that: freeze the encoder, take μ as features, and fit a linear model to known facts about the pictures, which the VAE never saw. For `shapes` these are the place, the radius and the colour of the object (ridge regression; scored by R², the explained share of the variance on held-out pictures) and its class, disc, square or triangle
# (logistic regression; scored by accuracy). For digits and clothes there is only the class.
#
# A score alone means little, for a linear probe on *any* $K$ numbers gets something. Three controls: **PCA** with the same number of components, the **same encoder untrained**, and a **plain autoencoder** (the same two networks, trained for as many steps on the squared error or cross-entropy alone, no noise, no KL). Labels are scarce in practice, so the classifier is fitted twice: with 100 labels, balanced, and with all 1000.
#
# > **Predict first.** Which facts can a linear probe read off the principal components? Where can a VAE do better, and where can it not? Does the KL term help or hurt, compared with the plain autoencoder?


# %%
label = {"shapes": "class", "fashion_mnist": "label"}.get(dataset, "digit")
facts = ["x", "y", "radius", "red", "green", "blue"] if dataset == "shapes" else []


def probe(features, held_features):
    """Held-out scores of linear probes: mean R² of `facts`, accuracy with 100 and 1000 labels."""
    scaler = StandardScaler().fit(features)
    a, b = scaler.transform(features), scaler.transform(held_features)
    r2 = [Ridge(1.0).fit(a, labelled.factors[f]).score(b, held_set.factors[f]) for f in facts]
    classes, truth = labelled.factors[label], held_set.factors[label]
    per_class = 100 // len(np.unique(classes))
    few = np.concatenate([np.flatnonzero(classes == c)[:per_class] for c in np.unique(classes)])
    fits = [LogisticRegression(max_iter=2000).fit(a[i], classes[i]) for i in (few, slice(None))]
    return [float(np.mean(r2)) if facts else 0.0, *(fit.score(b, truth) for fit in fits)], r2


# %%
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

probed = data.to_float(labelled.images)
pca = PCA(latent, random_state=seed).fit(x.reshape(len(x), -1))
codes = {"PCA": [[pca.transform(part.reshape(len(part), -1)) for part in (probed, held)]]}
codes |= {"untrained": [], "autoencoder": [], "VAE": []}
for run in range(seeds):
    for name in ("untrained", "autoencoder", "VAE"):
        vae = small_vae(seed + run, **likelihood)
        if name == "VAE":
            vae, _ = trained(seed + run, x, **likelihood)
        if name == "autoencoder":
            twin = keras.Model(vae.encoder.inputs, vae.decoder(vae.encoder.outputs[0]))
            error = "mse" if grey else keras.losses.BinaryCrossentropy(from_logits=True)
            twin.compile(keras.optimizers.Adam(1e-3), loss=error, jit_compile=False)
            twin.fit(x, x, batch_size=64, epochs=max(1, round(steps * 64 / len(x))), verbose=0)
        codes[name].append([metrics.posterior(vae, part)[0] for part in (probed, held)])
codes["longer VAE"] = [[metrics.posterior(main, part)[0] for part in (probed, held)]]

# %%
scores, each_fact = {}, {}
print("                 mean R² of facts     accuracy, 100 labels   accuracy, 1000 labels")
for name, runs in codes.items():
    results = [probe(*pair) for pair in runs]
    scores[name] = [interval(column) for column in zip(*(r[0] for r in results))]
    each_fact[name] = np.mean([r[1] for r in results], axis=0)
    print(f"{name:<13}" + "".join(f"{m:15.3f} ± {w:5.3f}" for m, w in scores[name]))
chance = np.mean(held_set.factors[label] == stats.mode(labelled.factors[label]).mode)
print(f"always the most frequent class: {chance:.3f}")
