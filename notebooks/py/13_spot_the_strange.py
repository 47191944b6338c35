# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Spot the strange: whole pictures, and parts of them
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/13_spot_the_strange.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/13_spot_the_strange.ipynb) <!--badges-->
#
# ![Nine damaged pictures, their flaws in black, and four maps, dark where strange. The median filter has broad dark spots, at flaws and at corners. Short denoising draws outlines and whole objects. The residual of the VAE is dark at most flaws and grey at outlines; the restoration with L1 is alike, with a lighter ground. A faint drop beside a disc is seen by the restoration only.](../docs/pictures/13.png) <!--picture-->
#
# A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) learns what pictures of one kind look like. Then somebody shows it another kind, or a picture of the right kind with a scratch on it. **Does a VAE know an image, or a part of one, that it has not seen?** Pictures without a flaw are plentiful, and nobody has pictures of every flaw.
#
# **What you'll do**
#
# - Score whole pictures by their −[ELBO](../docs/site/glossary.md#term-ELBO), see how this fails, and try four repairs.
# - Draw flaws on pictures, and look for them with seven maps: four that ask a VAE, and three that do not.
# - Choose every map's settings on other pictures, with the same number of tries.
#
# **What you'll learn**
#
# - Why a picture that the VAE finds likely may be [out of distribution](../docs/site/glossary.md#term-out-of-distribution).
# - How a VAE can *restore* a picture, and why that needs a penalty.
# - How maps of flaws are scored, and why they need a floor and controls.
#
# **What you'll need**
#
# - What a VAE, its ELBO and its [KL](../docs/site/glossary.md#term-KL-divergence) are (notebooks `03` and `04`), and when it is trained enough (`07`).
# - Mathematics: gradients, logarithms, relative frequencies, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "folder": pictures of your own, in good/ and bad/
path = ""  # for "folder": the folder with good/ and bad/, and masks/ if you have them
weights = "kept"  # of the VAE: "kept", trained longer, or "own", the short one
seed = 0  # of the pictures, the first weights and every random draw
size = 32  # height and width of the pictures, in pixels
images = 1000  # pictures without a flaw, for PCA; of your own, for all trainings
val_images = 100  # held-out pictures of each kind: all scores are measured on them
tuning_images = 40  # other pictures, on which each map chooses its settings
steps = 200  # training steps of the short VAE and of the denoising autoencoder
iterations = 30  # steps of each restoration
study_steps = 0  # training steps in the recorded study; 0 leaves the study out
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**31), size=range(16, 257, 8), images=range(8, 4001),
    val_images=range(10, 1001), tuning_images=range(3, 1001), steps=range(1, 100_001),
    iterations=range(1, 1001), study_steps=range(0, 100_001), cache_dir=str,
)  # fmt: skip
set_up(seed)

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from scipy import ndimage
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score

from helpers import (
    backend,
    checkpoint,
    data,
    losses,
    metrics,
    models,
    plots,
    pretrained,
    pyramids,
    training,
)
from helpers.data import damage, good_and_bad, scenes
from helpers.data.coarse_noise import CoarseNoise
from helpers.data.stream import FreshShapes, Unlabelled
from helpers.experiments import odd_parts
from helpers.uncertainty import ood

plots.use()
study = data.records.results_of("13-strange")  # the recorded study of this notebook

# %% [markdown]
# ## Pictures, and strangers
#
# Usual pictures are those of notebook `08`: `shapes` of 32×32 pixels, one or two objects on textured ground, with noise (a standard deviation of 0.03). Four kinds of strangers:
#
# - **flat**: no texture; the noise stays.
# - **clean**: neither texture nor noise.
# - **noisy**: twice the noise.
# - **damaged**: usual pictures with a flaw each, drawn by `damage.damage`: a *scratch* (a thin bow), a *blot* (a tinted drop) or a *foreign object* (a ring or a cross). We know which pixels are odd.


# %%
def shapes_pictures(split, count, offset, **changes):
    """Pictures of `shapes` as bytes, (N, H, W, 3); another offset draws other pictures."""
    options = {"size": size, **scenes.CLEAR, **changes}
    return data.load("shapes", split, limit=count, seed=seed + offset, **options).images


if dataset == "shapes":
    train = data.to_float(shapes_pictures("train", images, 0))  # (N, H, W, 3)
    usual = data.to_float(shapes_pictures("val", val_images, 0))
    bad, masks, kinds = damage.damage(shapes_pictures("val", val_images, 1), seed)
    strangers = {
        "flat": shapes_pictures("val", val_images, 2, texture=0),
        "clean": shapes_pictures("val", val_images, 2, texture=0, noise=0.0),
        "noisy": shapes_pictures("val", val_images, 2, noise=0.06),
        "damaged": bad,
    }
    strangers = {name: data.to_float(x) for name, x in strangers.items()}
    to_tune = shapes_pictures("train", tuning_images, 1)
else:
    own = good_and_bad.load(path, (size, size), limit=images)
    train, usual = own.train, own.test
    strangers, masks = {"bad": own.bad[:val_images]}, own.masks
    to_tune = np.rint(255 * own.val[:tuning_images]).astype("uint8")
odd = list(strangers.values())[-1]  # the pictures in which we look for flaws
shape = train.shape[1:]

# %%
rows = {"usual": usual[:10]} | {name: x[:10] for name, x in strangers.items()}
if masks is not None:
    rows["odd pixels"] = 1.0 - masks[:10]
fig = plots.image_grid(list(rows.values()), row_labels=list(rows))
alt = "Six rows of ten pictures. Usual: one or two coloured shapes on brick, grass or gravel. Flat: plain grounds with faint noise. Clean: the same shapes without noise. Noisy: the same shapes on texture with strong noise. Damaged: on each a dark bow, a small tinted drop or a cross. Last row: the pixels of these flaws in black."
plots.show(fig, alt=alt)

# %% [markdown]
# ## The VAE
#
# It is the VAE of notebook `08`: the [latent](../docs/site/glossary.md#term-latent-variable) is a grid of 4×4 places with 8 numbers each, and pixels are Gaussian with $\sigma = 0.05$. It sees new pictures in every step. Here is the training in full, for 200 steps; it is a **demonstration**. What follows is about the one that the project keeps, after 12,000 steps.

# %%
SIGMA = 0.05  # standard deviation of a pixel


def new_vae(run=0):
    """A VAE with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(
        shape,
        latent=8,
        widths=(24, 32, 48),
        depths=(1, 1, 2),
        patches=(2, 2, 2),
        batch_norm=False,
    )
    return models.VAE(encoder, decoder, "gaussian", SIGMA, seed=seed + run)


def fit(model, pictures, loss=None):
    """Adam; its rate rises for 100 steps, then falls to zero like half a cosine wave."""
    schedule = training.rise_and_fall(0.005, len(pictures))
    adam = keras.optimizers.Adam(schedule, beta_2=0.99)
    model.compile(adam, loss, **backend.compile_options(planned=len(pictures)))
    model.fit(pictures, shuffle=False, verbose=0)


def train_vae(steps, run=0):
    vae = new_vae(run)
    fit(vae, clean_pictures(steps, run))
    return vae


def clean_pictures(steps, run):
    """Batches of 16: fresh `shapes`, or your own pictures without a flaw."""
    if dataset == "shapes":
        return FreshShapes(16, steps, seed + run, size=size, **scenes.CLEAR)
    return Unlabelled(train, steps, 16, seed + run)


# %%
short_vae = train_vae(steps)
vae, note = short_vae, {}
if weights == "kept" and dataset == "shapes" and size == 32:
    vae = new_vae()
    note = pretrained.load_weights(vae, "grid-4x4x8")

# %% [markdown]
# ## Is this picture of the right kind?
#
# A VAE gives a lower bound on $\log p(x)$, the ELBO. A picture that it finds unlikely should be a stranger. So take **−ELBO** as the score; large should mean strange. The measure is the **AUROC**: how often a stranger has the higher score if one of each kind is drawn (Hanley and McNeil, 1982). ½ is guessing, and below ½ is worse than guessing. Intervals are 95 %, over pictures of both kinds (DeLong and others, 1988).
#
# A small example, by hand:

# %% tags=["nbval-check-output"]
few_usual, few_strange = [1.0, 2.0, 4.0], [3.0, 5.0]
wins = [strange > ordinary for strange in few_strange for ordinary in few_usual]
print(f"AUROC {np.mean(wins):.3f}, {sum(wins)} of {len(wins)} pairs")
assert abs(np.mean(wins) - ood.auroc(few_usual, few_strange)) < 1e-9

# %% [markdown]
# > **Predict first.** For each of the four kinds: is the AUROC nearer 1, ½ or 0?

# %%
everything = {"usual": usual, **strangers}
nats = {name: ood.negative_elbo(vae, x) for name, x in everything.items()}
for name, values in nats.items():
    auroc, half = ood.auroc_interval(nats["usual"], values)
    print(f"{name:<8} −ELBO {values.mean():6.0f} nats, AUROC {auroc:.2f} ± {half:.2f}")

# %%
fig, axis = plt.subplots(figsize=(7, 2.8))
together = np.concatenate(list(nats.values()))
bins = np.linspace(together.min(), np.quantile(together, 0.99), 40)
axis.hist(list(nats.values()), bins, histtype="step", linewidth=2, label=list(nats))
axis.set(xlabel="−ELBO (nats per picture)", ylabel="pictures")
axis.legend()
alt = "Histograms of minus ELBO for five kinds of pictures, from −6,000 to −2,200 nats. From left to right: clean, flat, usual, damaged, noisy. Flat ones overlap with the left half of the usual ones, damaged ones with the usual ones and to their right; noisy ones lie apart."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run (100 pictures of each kind) the AUROC is 0.20<!--=auroc_flat_elbo[0]--> ± 0.06<!--=auroc_flat_elbo[1]--> for flat, 0.05<!--=auroc_clean_elbo[0]--> ± 0.04<!--=auroc_clean_elbo[1]--> for clean, 1.00<!--=auroc_noisy_elbo[0]--> for noisy and 0.70<!--=auroc_damaged_elbo[0]--> ± 0.07<!--=auroc_damaged_elbo[1]--> for damaged pictures. So −ELBO finds the noisy ones. It has flat and clean pictures **the wrong way round**: the mean −ELBO is −4,777<!--=nats_usual--> [nats](../docs/site/glossary.md#term-nat) of usual, −5,118<!--=nats_flat--> of flat and −5,659<!--=nats_clean--> of clean pictures. The VAE has never seen a picture without texture, and finds it likelier than most of the usual ones. (Nalisnick and others, 2019a, found this with photographs.) A flaw costs some hundred nats, but usual pictures differ by as much.
#
# Nothing is broken. Texture and noise cannot be foretold, so they cost nats. A density says how much probability there is *at* a picture, not how much there is among pictures of its kind. (The densest point of a Gaussian in a thousand dimensions is its mean; no draw is near it.)
#
# ## Four repairs
#
# - **Untypical** (Nalisnick and others, 2019b): too likely is as strange as too unlikely. The score is the distance of −ELBO from its mean over usual pictures.
# - **Ten of a kind**: the same, for the mean of ten pictures from one source. An easier question: such a mean varies less, by $\sqrt{10}$.
# - **Minus PNG** (Serrà and others, 2020): a picture may be likely because it is simple. So take off its length as a PNG file, in nats.
# - **Regret** (Xiao and others, 2020): how many nats are gained if $q(z \mid x)$ is fitted to this one picture, with the [decoder](../docs/site/glossary.md#term-decoder) as it is? A stranger should gain more.
#
# > **Predict first.** Which repair relies on strangers being simple, and will not see the flat pictures, which keep their noise? Which one do you trust with the damaged pictures?

# %%
level = ood.negative_elbo(vae, train[:300])
regrets = {}  # nats, of the first 40 pictures of each kind
for name, x in everything.items():
    regrets[name] = ood.likelihood_regret(vae, x[:40], iterations, seed=seed)


def whole_scores(name, x):
    """Each score of pictures; larger is stranger."""
    found = {"−ELBO": nats[name], "untypical": ood.typicality(nats[name], level)}
    if len(x) >= 20:
        found["ten of a kind"] = ood.typicality(ood.batch_means(nats[name]), level)
    found["minus PNG"] = ood.input_complexity(nats[name], x)
    found["regret"] = regrets[name]
    return found


whole = {name: whole_scores(name, x) for name, x in everything.items()}
aurocs = {name: {} for name in strangers}  # AUROC and half the width of its interval
for name in strangers:
    for score, values in whole["usual"].items():
        if score in whole[name]:
            aurocs[name][score] = ood.auroc_interval(values, whole[name][score])

# %%
columns = list(next(iter(aurocs.values())))
table = [[found[s][0] for s in columns] for found in aurocs.values()]
fig, axis = plt.subplots(figsize=(7, 0.5 * len(table) + 1.2))
plots.heatmap(axis, table, list(aurocs), columns)
alt = "A table of AUROC. Minus ELBO: flat 0.20, clean 0.05, noisy 1.00, damaged 0.70. Untypical: 0.74, 0.97, 1.00, 0.60. Ten of a kind: 0.95 or more for all. Minus PNG: 0.29, 1.00, 0.54, 0.75. Regret: 0.31, 0.28, 0.61, 0.72."
plots.show(fig, alt=alt)

# %% [markdown]
# Intervals are at most ± 0.12<!--=widest-->, over pictures. Each repair mends some kinds:
#
# - *Untypical* turns the clean pictures round, 0.97<!--=auroc_clean_untypical[0]-->, and keeps the noisy ones; flat ones are at 0.74<!--=auroc_flat_untypical[0]-->. *Ten of a kind* reaches 0.95<!--=auroc_flat_ten_of_a_kind[0]--> or more for all four kinds, but it is asked about groups.
# - *Minus PNG* finds clean pictures, 1.00<!--=auroc_clean_minus_png[0]-->. Flat ones keep their noise, which no code can shorten: 0.29<!--=auroc_flat_minus_png[0]-->. And for noisy ones it undoes what −ELBO had right, 0.54<!--=auroc_noisy_minus_png[0]-->: their files are long.
# - *Regret* (40 pictures of each kind) has flat and clean ones the wrong way round, too: 0.31<!--=auroc_flat_regret[0]--> and 0.28<!--=auroc_clean_regret[0]-->. They are easy for this [encoder](../docs/site/glossary.md#term-encoder).
#
# For single *damaged* pictures the best of the scores has 0.75<!--=best_damaged-->. Which repair works depends on how the strangers are strange. Whoever chooses it afterwards has measured the choice.
#
# ## Where is it strange?
#
# A flaw covers few pixels. So we ask for a **map**: a number for each pixel, larger where it is stranger. There are three families; Baur and others (2021) compare many.
#
# **Residuals.** The difference of the picture and a version of it without the flaw, $|x - r|$, averaged over the three colours. What is $r$? The [reconstruction](../docs/site/glossary.md#term-reconstruction) of the VAE, if the VAE cannot draw flaws. Or, without a VAE: a *median filter* of the picture; its projection on the principal components of usual pictures (*PCA*); the answer of a *[denoising autoencoder](../docs/site/glossary.md#term-denoising-autoencoder)*.
#
# **Gradients.** How fast does the KL rise with each pixel, $|\partial\,\mathrm{KL} / \partial x|$? It may be multiplied by the residual (Zimmerer and others, 2019).
#
# **Restorations.** The encoder sees the flaw, too, and it spoils $z$. So do not take its answer: *search* for a picture $x'$ that the VAE finds likely, and that differs little from $x$ (with TV: You and others, 2019, and Chen and others, 2020; with L1: Dehaene and others, 2020):
#
# $$\min_{x'}\; -\mathrm{ELBO}(x') + \lambda\, T(x' - x), \qquad T(d) = \sum |d| \;\text{ (L1)} \quad\text{or}\quad T(d) = \sum |\nabla d| \;\text{ (total variation, TV)}.$$
#
# The map is $|x - x'|$. Without the second term, $x'$ may become another picture altogether. A square, $\sum d^2$, would punish one large change more than many small ones; the L1 norm does not. (For $-\mathrm{ELBO}(x')$ we take $z$ at the mean of $q$.)
#
# > **Predict first.** Order five maps: median filter, PCA, denoising, residual of the VAE, restoration of the VAE. For which of the three flaws is the median filter hard to beat?

# %% [markdown]
# The maps that ask no VAE come first.


# %%
def mean_abs(difference):
    return np.abs(difference).mean(axis=-1)  # (N, H, W, 3) → (N, H, W)


def median_map(x, window):
    return mean_abs(x - ndimage.median_filter(x, (1, window, window, 1)))


def pca_map(x, components):
    pca = PCA(min(components, len(train) - 1), random_state=seed)
    pca.fit(train.reshape(len(train), -1))
    r = pca.inverse_transform(pca.transform(x.reshape(len(x), -1)))
    return mean_abs(x - r.reshape(x.shape))


def train_denoiser(steps, run=0):
    """The two networks of the VAE without a draw and without a KL, and the squared error."""
    networks = new_vae(run)
    r = networks.decoder(networks.encoder.outputs[0])
    denoiser = keras.Model(networks.encoder.input, r)
    fit(denoiser, CoarseNoise(clean_pictures(steps, run)), "mse")
    return denoiser


def redrawn_map(model):
    """The residual after a model has redrawn the picture so many times."""

    def map_of(x, passes):
        r = x
        for _ in range(passes):
            r = model.predict(r.clip(0, 1), batch_size=100, verbose=0)
        return mean_abs(x - r)

    return map_of


# %% [markdown]
# Its noise is coarse, as Kascenas and others (2022) advise: against single noisy pixels, an autoencoder learns only to smooth.
#
# And the maps that ask the VAE. `minimise` is Adam on an array in place of weights.


# %%
def minimise(objective, start):
    """Adam on one array; the objective is a sum over pictures, so each goes its own way."""
    variable = keras.Variable(start)
    adam = keras.optimizers.Adam(0.02)
    adam.build([variable])
    for _ in range(iterations):
        _, gradients = backend.value_and_grad(
            lambda: objective(ops.convert_to_tensor(variable)), [variable]
        )
        adam.apply_gradients(zip(gradients, [variable]))
    return ops.convert_to_numpy(variable)


def negative_elbo(vae, x):
    """The sum over pictures, with z at the mean of q and without constants."""
    mean, log_variance = vae.encode(x)
    squares = ops.sum(ops.square(x - vae.decode(mean))) / (2 * SIGMA**2)
    return squares + ops.sum(losses.gaussian_kl(mean, log_variance))


def l1(d):
    return ops.sum(ops.abs(d))


def total_variation(d):
    return l1(d[:, 1:] - d[:, :-1]) + l1(d[:, :, 1:] - d[:, :, :-1])


def restored_map(vae, tie):
    def map_of(x, weight):
        restored = minimise(lambda y: negative_elbo(vae, y) + weight * tie(y - x), x)
        return mean_abs(x - restored)

    return map_of


# %%
def gradient_map(vae):
    """The gradient of the KL, times the residual to some power (0 leaves it out)."""

    def map_of(x, power):
        picture = keras.Variable(x)

        def kl():
            return ops.sum(losses.gaussian_kl(*vae.encode(ops.convert_to_tensor(picture))))

        _, (gradient,) = backend.value_and_grad(kl, [picture])
        residual = redrawn_map(vae)(x, 1)
        return mean_abs(ops.convert_to_numpy(gradient)) * residual**power

    return map_of


# %% [markdown]
# ## The same chances for all
#
# Each map has one setting with three values, and is smoothed by a Gaussian of four widths (0, 0.5, 1 or 2 pixels): **twelve candidates each**. `odd_parts.best_maps` chooses the best one by its AP on *other* pictures, with flaws drawn by another seed. (No setting of the trainings was tuned for flaws.) The scores are:
#
# - **AP**, average precision: the area under precision over recall of odd pixels, by scikit-learn. Random numbers have the share of odd pixels.
# - **AUPRO** (Bergmann and others, 2021): at each threshold, the share of each flaw that is found, averaged over flaws, so that small ones count as much as large ones; over the share of usual pixels that are marked, up to 0.3. Random numbers have 0.15.
#
# Neither is a mean over pictures, so intervals come from the jackknife, as in notebook `08`.

# %%
def methods_of(vae):
    """The maps that ask a VAE, with the three values of their settings."""
    return {
        "VAE: residual": (redrawn_map(vae), (1, 2, 4)),
        "VAE: gradient": (gradient_map(vae), (0, 1, 2)),
        "VAE: restored, L1": (restored_map(vae, l1), (1, 3, 10)),
        "VAE: restored, TV": (restored_map(vae, total_variation), (3, 10, 30)),
    }


tuning_bad, tuning_masks, _ = damage.damage(to_tune, seed + 1)
tuning_x = data.to_float(tuning_bad)
denoiser = train_denoiser(steps)
methods = {"median filter": (median_map, (3, 5, 7)), "PCA": (pca_map, (8, 32, 128))}
methods["denoising, short"] = (redrawn_map(denoiser), (1, 2, 4))
methods["VAE, short: residual"] = (redrawn_map(short_vae), (1, 2, 4))
methods |= methods_of(vae)

# %%
def by_picture(maps):
    """AP and AUPRO of each picture, (2, N); their means are those of all pictures."""
    ap = metrics.average_precision_by_image(maps, masks)
    return np.stack([ap, metrics.aupro_by_image(maps, masks)])


maps, chosen = odd_parts.best_maps(methods, tuning_x, tuning_masks, odd)
maps["random numbers"] = np.random.default_rng(seed).random(odd.shape[:3])
for name, (setting, width) in chosen.items():
    print(f"{name:<21} setting {setting}, width {width}")
scores = {}  # (2, N) each
if masks is not None:
    scores = {name: by_picture(one) for name, one in maps.items()}
    panels = {"AP": {}, "AUPRO": {}}
    for name, (ap, aupro) in scores.items():
        panels["AP"][name] = metrics.confidence_interval(ap)
        panels["AUPRO"][name] = metrics.confidence_interval(aupro)
    fig = plots.interval_panels(panels, limits=(0, 1.1))
    alt = "Bars with intervals. AP: the two restorations and the residual of the VAE about 0.5, its gradient 0.39, the median filter 0.28, and PCA, short denoising and the residual of the short VAE about 0.1, above random numbers at 0.03. AUPRO has a similar order, from 0.14 for random numbers to 0.90 for the L1 restoration."
    plots.show(fig, alt=alt)

# %% tags=["picture"]
shown = ["median filter", "denoising, short", "VAE: residual", "VAE: restored, L1"]
rows = {"picture": odd[:9]}
if masks is not None:
    rows["odd pixels"] = 1.0 - masks[:9]
for name in shown:
    rows[name] = 1 - (maps[name][:9] / np.quantile(maps[name], 0.995)).clip(0, 1)
fig = plots.image_grid(list(rows.values()), row_labels=list(rows))
alt = "Nine damaged pictures, their flaws in black, and four maps, dark where strange. The median filter has broad dark spots, at flaws and at corners. Short denoising draws outlines and whole objects. The residual of the VAE is dark at most flaws and grey at outlines; the restoration with L1 is alike, with a lighter ground. A faint drop beside a disc is seen by the restoration only."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run (100 pictures, one training each, the VAE after 12,000 steps) random numbers have an AP of 0.03<!--=floor-->. The restoration with the L1 norm has the highest AP, 0.52<!--=vae_restored_l1_ap[0]--> ± 0.09<!--=vae_restored_l1_ap[1]-->. With TV it is 0.50<!--=vae_restored_tv_ap[0]-->, and the residual of the VAE, which needs no search, has 0.49<!--=vae_residual_ap[0]-->. Paired by picture, L1 is +0.03<!--=own_lead_vae_restored_tv[0]--> ± 0.04<!--=own_lead_vae_restored_tv[1]--> and +0.03<!--=own_lead_vae_residual[0]--> ± 0.04<!--=own_lead_vae_residual[1]--> ahead: no difference was seen. The median filter is behind by 0.24<!--=own_lead_median_filter[0]--> ± 0.09<!--=own_lead_median_filter[1]-->. The gradient has 0.39<!--=vae_gradient_ap[0]-->, the median filter 0.28<!--=median_filter_ap[0]--> and PCA 0.11<!--=pca_ap[0]-->. (Some maps chose the last value of their setting, PCA and the median filter among them; a wider choice may help them.)
#
# **How long the VAE was trained counts most**: after 200 steps its residual has 0.12<!--=vae_short_residual_ap[0]--> ± 0.03<!--=vae_short_residual_ap[1]-->, less than the median filter. A VAE that blurs outlines marks outlines. And the one of 12,000<!--=kept_steps--> steps still learns: its last doubling raised the ELBO by 2.6<!--=kept_percent--> %.
#
# The median filter is best with foreign objects, 0.33<!--=median_filter_foreign-->, and scratches, 0.33<!--=median_filter_scratch-->, and poor with blots, 0.18<!--=median_filter_blot-->: a window that is larger than a blot also removes corners. The L1 restoration has 0.43<!--=vae_restored_l1_foreign-->, 0.48<!--=vae_restored_l1_scratch--> and 0.71<!--=vae_restored_l1_blot-->.
#
# ## Three seeds, equal training
# The denoising autoencoder had 200 steps: AP 0.08<!--=denoising_short_ap[0]--> ± 0.02<!--=denoising_short_ap[1]-->, to be compared with the *short* VAE's residual and with nothing else. A study trains both for the same number of steps on the same pictures, with three seeds; everything else is as above. Its intervals cover seeds and pictures. Three contrasts were named beforehand, all for the L1 restoration: minus the residual of the same VAE, minus denoising, and minus the median filter.


# %%
def study_point(kind, steps, run):
    """AP and AUPRO by picture, (2, N), of the maps that one training gives."""
    if kind == "VAE":
        trained = methods_of(train_vae(steps, run))
    elif kind == "denoising":
        trained = {"denoising": (redrawn_map(train_denoiser(steps, run)), (1, 2, 4))}
    else:
        trained = {name: methods[name] for name in ("median filter", "PCA")}
    found, _ = odd_parts.best_maps(trained, tuning_x, tuning_masks, odd)
    return {name: by_picture(one) for name, one in found.items()}


summary = {}  # of the study, where it is run: means and halves of intervals
plan = [dataset, path, seed, size, images, val_images, tuning_images, iterations]
store = checkpoint.ResultStore(cache_dir, plan=plan)
if study_steps:
    summary = odd_parts.study(study_point, study_steps, store)
shown_study = summary or study

# %%
if shown_study:
    panels = odd_parts.ap_and_aupro(shown_study)
    fig = plots.interval_panels(panels, limits=(0, 1.1))
    alt = "Bars with intervals for AP and for AUPRO of the maps of the recorded study."
    plots.show(fig, alt=alt)

# %% [markdown]
# `python -m helpers.runs run 13 -f notebooks/parameters/13.full-shapes.yaml` runs it, in some minutes of one core; the figure shows it where it is recorded. Until then nothing is said here about who is ahead, the VAE or the denoising autoencoder.
#
# **Exercise.** 2.5 % of all pixels are odd. At some threshold a map marks 80 % of them, and 5 % of the usual ones. What is its precision?

# %%
your_precision = None  # ← your number
odd_marked, usual_marked = 0.025 * 0.80, 0.975 * 0.05
precision = odd_marked / (odd_marked + usual_marked)
shown_precision = "?" if your_precision is None else f"{precision:.3f}"
print(f"precision: your value {your_precision}, true value {shown_precision}")
hint = "Of all marked pixels, which share is odd? Count per 1,000 pixels."
assert your_precision is None or abs(your_precision - precision) < 0.005, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# Of 1,000 pixels 25 are odd and 20 of them are marked, beside 48.75 usual ones: 20 / 68.75 = 0.291.
#
# </details>
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
results = {f"nats_{name}": values.mean() for name, values in nats.items()}
for name, found in aurocs.items():
    results |= {f"auroc_{name}_{odd_parts.key_of(s)}": pair for s, pair in found.items()}
results["widest"] = max(half for found in aurocs.values() for _, half in found.values())
if "damaged" in aurocs:
    singles = [v for s, (v, _) in aurocs["damaged"].items() if s != "ten of a kind"]
    results["best_damaged"] = max(singles)
for name, (ap, aupro) in scores.items():
    results[f"{odd_parts.key_of(name)}_ap"] = metrics.confidence_interval(ap)
    results[f"{odd_parts.key_of(name)}_aupro"] = metrics.confidence_interval(aupro)
    if dataset == "shapes":
        for k, kind in enumerate(damage.KINDS):
            pixels = masks[kinds == k].ravel(), maps[name][kinds == k].ravel()
            results[f"{odd_parts.key_of(name)}_{kind}"] = average_precision_score(*pixels)
results |= summary
for rival in ("VAE: residual", "VAE: restored, TV", "median filter"):
    if scores:
        lead = scores[odd_parts.BEST][0] - scores[rival][0]
        results[f"own_lead_{odd_parts.key_of(rival)}"] = metrics.confidence_interval(lead)
if masks is not None:
    results["floor"] = masks.mean()
if note:
    results |= {"kept_steps": note["steps"], "kept_percent": note["trained_enough"]["percent"]}
results |= {f"study_{key}": value for key, value in study.items() if "study" not in key}
bands = {"widest": {"default": (0.0, 0.3)}}
line = "flaws found by a restoration: AP {:.2f}, random numbers {:.2f}"
restored_ap, _ = results.get("vae_restored_l1_ap", (math.nan, math.nan))
record(results, bands, line.format(restored_ap, results.get("floor", math.nan)))

# %% [markdown]
# ## What you saw
#
# - **Does a VAE know an image that it has not seen? Not by its −ELBO**: the AUROC was 0.05<!--=auroc_clean_elbo[0]--> for clean and 1.00<!--=auroc_noisy_elbo[0]--> for noisy pictures. Each repair mended some strangers and failed for others.
# - **Does it know a part? Better**: an AP of 0.52<!--=vae_restored_l1_ap[0]--> for a restoration and 0.49<!--=vae_residual_ap[0]--> for the residual, where random numbers have 0.03<!--=floor-->, a median filter 0.28<!--=median_filter_ap[0]--> and PCA 0.11<!--=pca_ap[0]-->.
# - After 200 steps the VAE was behind the median filter. A comparison with denoising needs equal training.
# - All flaws were drawn by one program.
#
# ## Check yourself
#
# 1. A VAE gives a photograph of a grey wall a higher ELBO than any picture that it was trained on. Is the VAE wrong?
#
#    <details><summary>Answer</summary>
#
#    No. A simple picture may be the densest point, and practically never be drawn.
#
#    </details>
# 2. A text reports a pixel AP of 0.30. Is that good?
#
#    <details><summary>Answer</summary>
#
#    That depends on what random numbers and a median filter get.
#
#    </details>
# 3. A VAE with a larger latent reconstructs better. Are its residual maps better?
#
#    <details><summary>Answer</summary>
#
#    Not if it can draw the flaw as well: then the residual is gone.
#
#    </details>
# 4. Somebody chooses the smoothing of each map on the pictures that are reported. Which maps gain by that?
#
#    <details><summary>Answer</summary>
#
#    All seem better than they are, most those with the most settings.
#
#    </details>
# 5. Why does the restoration have a term that ties $x'$ to $x$?
#
#    <details><summary>Answer</summary>
#
#    Without it, the search ends at some picture that the VAE finds likely, whatever $x$ was.
#
#    </details>
#
# ## On your own
#
# 1. **Pictures of your own.** Set `dataset = "folder"` and `path` to a folder with `good/` (pictures without a flaw, the more the better) and `bad/` (pictures to inspect). With `masks/` (for each bad picture a file of the same name, 0 where usual) they are scored. Settings are chosen on good pictures with drawn flaws.
#
#    <details><summary>Where to look</summary>
#
#    Look at the residuals of *good* pictures first: what is bright there will hide flaws.
#
#    </details>
#
# ## References
#
# - Baur, C. and others (2021). Autoencoders for unsupervised anomaly segmentation in brain MR images: A comparative study. *Medical Image Analysis* 69, 101952. [arXiv:2004.03271](https://arxiv.org/abs/2004.03271)
# - Bergmann, P. and others (2021). The MVTec Anomaly Detection Dataset: A Comprehensive Real-World Dataset for Unsupervised Anomaly Detection. *International Journal of Computer Vision* 129, 1038–1059. [doi:10.1007/s11263-020-01400-4](https://doi.org/10.1007/s11263-020-01400-4)
# - Chen, X. and others (2020). Unsupervised lesion detection via image restoration with a normative [prior](../docs/site/glossary.md#term-prior). *Medical Image Analysis* 64, 101713; the longer version of You and others (2019), MIDL. [arXiv:2005.00031](https://arxiv.org/abs/2005.00031)
# - Dehaene, D. and others (2020). Iterative energy-based projection on a normal data manifold for anomaly localization. ICLR. [arXiv:2002.03734](https://arxiv.org/abs/2002.03734)
# - DeLong, E. R. and others (1988). Comparing the areas under two or more correlated receiver operating characteristic curves. *Biometrics* 44(3), 837–845. [doi:10.2307/2531595](https://doi.org/10.2307/2531595)
# - Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic (ROC) curve. *Radiology* 143(1), 29–36. [doi:10.1148/radiology.143.1.7063747](https://doi.org/10.1148/radiology.143.1.7063747)
# - Kascenas, A. and others (2022). Denoising Autoencoders for Unsupervised Anomaly Detection in Brain MRI. MIDL. <https://proceedings.mlr.press/v172/kascenas22a.html>
# - Nalisnick, E. and others (2019a). Do Deep Generative Models Know What They Don't Know? ICLR. [arXiv:1810.09136](https://arxiv.org/abs/1810.09136)
# - Nalisnick, E. and others (2019b). Detecting Out-of-Distribution Inputs to Deep Generative Models Using Typicality. [arXiv:1906.02994](https://arxiv.org/abs/1906.02994)
# - Serrà, J. and others (2020). Input complexity and out-of-distribution detection with likelihood-based generative models. ICLR. [arXiv:1909.11480](https://arxiv.org/abs/1909.11480)
# - Xiao, Z. and others (2020). Likelihood Regret: An Out-of-Distribution Detection Score For Variational Auto-encoder. NeurIPS. [arXiv:2003.02977](https://arxiv.org/abs/2003.02977)
# - Zimmerer, D. and others (2019). Unsupervised Anomaly Localization using Variational Auto-Encoders. MICCAI. [arXiv:1907.02796](https://arxiv.org/abs/1907.02796)
