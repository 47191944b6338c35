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
# # Say how sure you are
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/12_say_how_sure_you_are.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/12_say_how_sure_you_are.ipynb) <!--badges-->
#
# ![Four pictures with discs, squares and triangles. Beside each the marks of four people: all pieces twice, only the warm ones, only the cold ones. Then four samples of the network: some mark every piece, some only the warm ones, some are grey. Their mean is grey; the spread is grey on all pieces; the error of the mean is faint, darkest on outlines.](../docs/pictures/12.png) <!--picture-->
#
# Ask five people to mark the edges in a photograph and you get five drawings. None of them is wrong. A network that must answer with one map has no way to say "either this or that"; the best it can do is to mark everything a little. This notebook gives a network a latent that *chooses*, and then asks, with the measures made for the purpose and against twins that were given the same chances, what has been gained.
#
# **What you'll do**
#
# - Train a conditional VAE of masks: a prior that looks at the picture, a posterior that looks at the annotation too.
# - Compare it with one map, dropout and an ensemble of equal size, in nats, in distances between sets, and in kept promises.
# - Ask the same of edges that several people drew.
# - Ask a VAE whether it has ever seen such a picture, watch it give the wrong answer, and mend the question.
#
# **What you'll learn**
#
# - Why a single map must be the average, and what that costs.
# - A set of answers is judged by more than its mean, and each measure can be pleased in a way you did not intend.
# - Calibrated, useful and novel are three kinds of "sure". A model can have one without the others.
#
# **What you'll need**
#
# - What a VAE is (`03`), its KL (`04`), and heads on an encoder (`08`, `10`).
# - About 5 minutes on 2 CPU cores and 1.6 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # pictures of the section on edges; or "bsds500", with 4 to 9 people's edges
in_distribution = "shapes"  # pictures that the last section knows; or "fashion_mnist", strangers: mnist
seed = 0  # of the first weights and of every random draw
seeds = 3  # runs on masks, each with first weights and a VAE of its own
edge_seeds = 3  # the same on edges
size = 40  # side of the pictures in pixels
crop = 96  # side of the piece that is cut from the middle of photographs
images = 1000  # pictures without annotations, for the VAE
labelled = 360  # the first so many of them, which were annotated
tuning = 40  # the next so many, on which each method chooses its threshold
val_images = 60  # pictures to score on
latent = 4  # length of the code z that chooses
vae_steps = 200  # training steps of each VAE, 8 pictures each
steps = 320  # training steps of each head, 16 pictures each
baseline_methods = ["dropout"]  # of the latent on masks, beside one map; also "ensemble"
edge_baseline_methods = ["dropout"]  # the same on edges
samples = 20  # maps that each method gives of a picture
draws = 32  # z's for the bound on the likelihood of an annotation
best_of = 11  # edge maps of a picture among which the best is looked for
ods_images = 16  # pictures on which that is done
thresholds = 15  # thresholds of the edge benchmark
tolerance = 0.03  # largest distance of an edge match, as a share of the picture's diagonal
dilate_pixels = 1.0  # pixels by which lines are widened before two drawings are compared
ood_vae_steps = 500  # training steps of the VAE in the last section, 32 pictures each
ood_images = 200  # pictures of each kind to tell apart
regret_images = 40  # of these, as many as get a posterior of their own
split = "val"  # what is scored; "test" in a recorded run, once
cache_dir = ""  # folder from which a stopped run goes on; "" keeps nothing

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "bsds500"], in_distribution=["shapes", "fashion_mnist"],
    seed=range(2**32), seeds=range(1, 21), edge_seeds=range(1, 21), size=range(32, 257, 8), crop=range(32, 321, 8),
    images=range(16, 60_001), labelled=range(8, 4001), tuning=range(2, 1001), val_images=range(4, 1001),
    latent=range(1, 65), vae_steps=range(1, 100_001), steps=range(1, 100_001), cache_dir=str,
    samples=range(6, 101), draws=range(1, 10_001), best_of=range(1, 51), dilate_pixels=(0.0, 5.0),
    ods_images=range(1, 1001), thresholds=range(3, 100), tolerance=(0.001, 0.1),
    ood_vae_steps=range(1, 100_001), ood_images=range(10, 10_001), regret_images=range(4, 201),
    split=["val", "test"], baseline_methods={"list_of": ["dropout", "ensemble"]},
    edge_baseline_methods={"list_of": ["dropout", "ensemble"]},
)  # fmt: skip
set_up(seed)

# %%
import math
import os

import matplotlib.pyplot as plt
import numpy as np
from keras import ops

from helpers import data, losses, metrics, plots, training
from helpers.checkpoint import ResultStore
from helpers.data.ambiguous import INTERPRETATIONS, twenty_annotators, with_all_interpretations
from helpers.uncertainty import baselines, evaluation, methods

plots.use()


# %%
def compare(name, yours, true, hint):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.3g}'}")
    assert yours is None or abs(yours - true) <= 0.01 * abs(true) + 1e-9, f"{name} differs. {hint}"


# %% [markdown]
# ## Twenty people, three readings
#
# First a case where we know everything about the disagreement, because we made it. Two or three shapes lie on a ground. Twenty people are asked to "mark the pieces", and the question can be understood in three ways: eight mark *everything*, seven only what is *warm* (more red than blue), five only what is *cold*. Whoever has understood the question in one way marks accordingly, exactly, and without a doubt.
#
# Each picture of the training set comes with these twenty annotations, and in each of the four turns of a picture the networks see one of them, drawn by lot. Nothing tells them that there are three readings.

# %%
drawing = {"size": size, "objects": (2, 3), "radius": (0.15, 0.25), "texture": 0.15}
train = data.load("shapes", "train", limit=images, **drawing)
val = data.load("shapes", split, limit=val_images, **drawing)
more = data.load("shapes", split, limit=4 * val_images, **drawing)
pair = with_all_interpretations(train), with_all_interpretations(more, val_images)
masks = evaluation.make_task("masks", *pair, labelled, tuning, twenty_annotators)
x = data.to_float(train.images)
print(INTERPRETATIONS, f"{len(masks.train_images)} pictures to learn from, {len(masks.val_images)} to score on")

# %% [markdown]
# The next cell trains what this notebook is about, a VAE and a head with a latent on its encoder, and shows what it can do. How it works comes after.

# %% tags=["picture"]
options = {"latent": latent, "vae_steps": vae_steps, "steps": steps}
trainer = methods.UncertaintyMethods(x, **options)
predict_samples = trainer.train(
    "latent", *baselines.training_rows(masks.train_images, masks.train_annotations, seed), seed
)
unet, sampled_maps = trainer.probabilistic_unet(), predict_samples(masks.val_images, samples)
learned = unet.get_weights()


def sheet(task, maps, pick, people):
    """Pictures, four annotators, four samples, the mean, the spread and the error."""
    rows = []
    for i in pick:
        mean, share = maps[i].mean(axis=0, dtype="float64"), np.mean(task.val_annotations[i], axis=0)
        spread_ = 2 * maps[i].std(axis=0, dtype="float64")
        drawn = [1.0 - task.val_annotations[i][p] for p in people]
        sampled = [1 - maps[i][s].astype("float64") for s in range(4)]
        rows.append([task.val_images[i], *drawn, *sampled, 1 - mean, 1 - spread_, 1 - abs(mean - share)])
    names = ["picture", *(f"person {p + 1}" for p in people), *(f"sample {s}" for s in range(1, 5))]
    fig = plots.image_grid(rows, column_labels=[*names, "mean", "spread", "error"], cell=0.86)
    fig.axes[0].tick_params(labelsize=7)
    return fig


fig = sheet(masks, sampled_maps, range(4), [0, 5, 9, 18])
alt = "Four pictures with discs, squares and triangles. Beside each the marks of four people: all pieces twice, only the warm ones, only the cold ones. Then four samples of the network: some mark every piece, some only the warm ones, some are grey. Their mean is grey; the spread is grey on all pieces; the error of the mean is faint, darkest on outlines."
plots.show(fig, alt=alt)

# %% [markdown]
# Black is marked. The samples differ. In the first row the third marks everything, the second leaves out the cold disc, and the fourth comes near to *only cold*. Most are near a decision, some remain grey, above all where a colour lies between warm and cold. Nobody told the network which readings there are, and it has not found all three equally well: *only cold*, five people in twenty, is nowhere among these samples without a grey rest. The mean of all samples is grey. The *spread* (twice the standard deviation of the samples) is dark where they contradict each other, and the *error* is the distance between their mean and the share of the twenty people.
#
# ## The average is what a single map must give
#
# Let one map say a probability $q$ at a pixel which a share $p$ of the people marks. Its cross-entropy is $-p\log q-(1-p)\log(1-q)$, with the derivative $(q-p)/(q(1-q))$: negative below $p$, positive above it. So $q=p$ is the only minimum. A loss with this property is called *proper*: one cannot do better than to say the truth about each pixel. (The squared error is proper as well.) **A proper loss on single pixels asks for the average, and the average of drawings is in general no drawing.**
#
# What does it cost? Take the pixels as independent, as the single map has to. If two readings are equally likely and differ in $n$ pixels, the best map says ½ on all of them and pays $n\ln 2$ nats for an annotation. One who knows that there are two readings pays once, $\ln 2$, for which of them it is.
#
# **Exercise 1.** Two readings, half of the people each; they differ in 300 pixels. How many nats does the best single map pay per annotation *more* than one who knows the two readings?

# %%
your_nats = None  # ← your number
compare("nats", your_nats, 299 * math.log(2), "Both pay ln 2, one of them for every pixel.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# 300 ln 2 − ln 2 = 207.3 nats. The pixels are not independent; after the first has told which reading it is, the other 299 tell nothing new.
#
# </details>
#
# For our pictures the two numbers can be computed: the entropy of the readings, and the price of the perfect average.

# %%
counts = [metrics.unique_annotations(people)[1] / 20 for people in masks.val_annotations]
floor = float(np.mean([-(p * np.log(p)).sum() for p in counts]))
average = np.mean([metrics.pixelwise_nll(a.mean(axis=0), a).mean() for a in masks.val_annotations])
print(f"who knows the readings: {floor:.2f} nats; the perfect average: {average:.0f} nats")

# %% [markdown]
# In the stored run, the least possible is 1.08<!--=floor--> nats per annotation: the entropy of eight, seven and five in twenty, the same for every picture, because each holds warm and cold pieces. A single map that knows every pixel's share exactly pays 296<!--=average-->. No training can bring one map below the second number. Anything between the two is there for a model that can choose.
#
# ## A latent that chooses
#
# So let the pixels of an annotation $y$ be independent only once a code $z$ is known, and let $z$ say which reading it is:
#
# $$p(y\mid x)=\int p(y\mid x,z)\,p(z\mid x)\,dz.$$
#
# This is the VAE of notebook `03` with a picture $x$ as a condition everywhere. The prior is no longer $\mathcal N(0,1)$. It looks at the picture, since that may tell which readings there are. The bound is derived as before, with Jensen's inequality and a posterior $q$ that may look at the annotation too:
#
# $$\log p(y\mid x)\;\ge\;\mathbb E_{q(z\mid x,y)}\log p(y\mid x,z)\;-\;\mathrm{KL}\big(q(z\mid x,y)\,\|\,p(z\mid x)\big).$$
#
# In training, $q$ sees the answer and puts it into $z$, as far as the KL makes that worth its price. In use there is no answer, and $z$ comes from the prior. The KL is what makes the second work: it punishes every $z$ that the prior would not have given. Both are diagonal Gaussians, so it has a closed form. For one coordinate, with $q=\mathcal N(\mu,\sigma^2)$ and $p=\mathcal N(m,s^2)$,
#
# $$\mathbb E_q\Big[\log\tfrac{s}{\sigma}-\tfrac{(z-\mu)^2}{2\sigma^2}+\tfrac{(z-m)^2}{2s^2}\Big]=\log\tfrac{s}{\sigma}-\tfrac12+\tfrac{\sigma^2+(\mu-m)^2}{2s^2}.$$
#
# The middle fraction has mean ½ as in notebook `04`. The last one has the mean of $(z-m)^2=(z-\mu)^2+2(z-\mu)(\mu-m)+(\mu-m)^2$ above it, and the term in the middle averages to zero. With $m=0$ and $s=1$ it is the old formula. The cell checks it against numerical integration and against the helper.


# %%
def kl_between(mean, log_variance, prior_mean, prior_log_variance):
    """KL(q ‖ p) of one coordinate of two Gaussians, in nats."""
    ratio = log_variance - prior_log_variance
    shift = (mean - prior_mean) ** 2 * np.exp(-prior_log_variance)
    return 0.5 * (np.exp(ratio) + shift - 1 - ratio)


# %% tags=["nbval-check-output"]
z = np.linspace(-30, 30, 600_001)
cases = (0.0, 1.0, 0.0, 1.0), (1.0, 0.5, 0.0, 1.0), (1.0, 0.5, 2.0, 0.5), (0.0, 2.0, 1.0, 0.7)
for mu, sigma, m, s in cases:
    log_q, log_p = (
        -0.5 * ((z - a) / b) ** 2 - math.log(b) - 0.5 * losses.LOG_2PI
        for a, b in ((mu, sigma), (m, s))
    )
    summed = float(np.trapezoid(np.exp(log_q) * (log_q - log_p), z))
    ours = kl_between(mu, 2 * math.log(sigma), m, 2 * math.log(s))
    four = [np.full((1, 1), v) for v in (mu, 2 * math.log(sigma), m, 2 * math.log(s))]
    theirs = ops.convert_to_numpy(losses.gaussian_kl(*four)).item()
    print(f"N({mu}, {sigma}²) from N({m}, {s}²): {ours:.4f} nats")
    assert abs(ours - summed) < 1e-8 and abs(ours - theirs) < 1e-6

# %% [markdown]
# Now the loss, as one would write it. `unet.compute_features` gives the features of the encoder, from fine to coarse and back as in notebook `10`; prior and posterior average the coarsest ones over the picture and end in two small dense layers; `unet.decode` adds z to the features of every pixel and mixes them in two layers. That is the idea of the Probabilistic U-Net (Kohl and others, 2018), on the encoder of a VAE. The cell writes the bound out and compares it with what `fit` has minimised.


# %%
def negative_bound(image, drawn, noise):
    """−log p(y|x, z) and KL, each (B,), nats per annotation, for z = μ + σ·noise."""
    features, coarsest = unet.compute_features(image)
    m, log_s2 = map(ops.convert_to_numpy, unet.prior(coarsest))
    posterior = unet.posterior([features, ops.convert_to_tensor(drawn)])
    mu, log_sigma2 = map(ops.convert_to_numpy, posterior)
    z = ops.convert_to_tensor(mu + np.exp(0.5 * log_sigma2) * noise)
    nats = losses.bernoulli_nll(drawn, unet.decode(features, z))  # summed over the pixels
    return ops.convert_to_numpy(nats), kl_between(mu, log_sigma2, m, log_s2).sum(axis=-1)


first = np.array([a[0] for a in masks.val_annotations], "float32")[..., None]  # one person of each picture
noise = np.random.default_rng(seed).standard_normal((len(first), latent)).astype("float32")
ours = negative_bound(masks.val_images, first, noise)
helper = map(ops.convert_to_numpy, unet.terms(masks.val_images, first, noise=noise))
for mine, other in zip(ours, helper):
    other = other.sum(axis=-1) if other.ndim > 1 else other
    assert np.allclose(mine, other, rtol=1e-4, atol=1e-3), "the helper has another bound"
kl = ops.convert_to_numpy(unet.terms(masks.val_images, first)[1])  # (N, K)
print("KL of each coordinate of z, nats:", *(f"{v:.2f}" for v in kl.mean(axis=0)))

# %% [markdown]
# To say which of three readings it is takes about one nat. The posterior pays 7.6<!--=kl--> nats on average in the stored run: it also tells what the picture leaves unclear, such as whether a purple piece counts as warm.
#
# A walk along z shows what was learned. The coordinate with the largest KL goes from left to right through what the prior holds possible; the others stay at the prior's mean.


# %%
def walk(i, values):
    """Maps of picture i with the strongest coordinate of z at so many prior deviations."""
    features, coarsest = unet.compute_features(masks.val_images[i : i + 1])
    mean, log_variance = map(ops.convert_to_numpy, unet.prior(coarsest))
    z = np.repeat(mean[:, None], len(values), axis=1)  # (1, S, K)
    strong = int(np.argmax(kl.mean(axis=0)))
    z[0, :, strong] += np.exp(0.5 * log_variance[0, strong]) * np.asarray(values)
    logits = unet.decode(features, ops.convert_to_tensor(z.astype("float32")))
    return ops.convert_to_numpy(ops.sigmoid(logits))[0, ..., 0]


deviations = np.linspace(-2.5, 2.5, 9)
rows = [[masks.val_images[i], *(1 - walk(i, deviations))] for i in range(3)]
fig = plots.image_grid(
    rows, column_labels=["picture", *(f"{v:+.1f}" for v in deviations)], cell=0.9
)
alt = "Three pictures, and beside each the map for nine values of one coordinate of z. On the left only the cold pieces are black, in the middle all of them, on the right only the warm ones; on the way a piece is grey, or a checked pattern."
plots.show(fig, alt=alt)

# %% [markdown]
# To the left only the cold pieces are marked, in the middle all of them, to the right only the warm ones. One straight line holds the three readings in a row, and *everything* lies between the other two, because it shares its pieces with both. On the way from one to the next a piece is grey: samples from there are the undecided ones.
#
# In JupyterLab the next cell has sliders. It shows nothing when the notebook is run by a program.

# %% tags=["nbval-skip"]
if not os.environ.get("HELPERS_PROFILE"):
    from ipywidgets import FloatSlider, IntSlider, interact

    def slide(picture, z):
        unet.set_weights(learned)  # later sections train it on edges
        row = [masks.val_images[picture], 1 - walk(picture, [z])[0]]
        plots.show(plots.image_grid([row], cell=2.4), alt=f"Picture {picture} and its map at {z}.")

    side = FloatSlider(0, min=-3, max=3, step=0.25)
    interact(slide, picture=IntSlider(0, 0, len(masks.val_images) - 1), z=side)

# %% [markdown]
# ## How far apart are two sets of drawings?
#
# To compare samples with annotators we need a distance between *sets*. Let $d$ be 1 − IoU, zero for the same mask, one for masks that do not touch. The **generalised energy distance** of samples $S$ and annotations $Y$ is
#
# $$2\,\mathbb E\,d(S,Y)-\mathbb E\,d(S,S')-\mathbb E\,d(Y,Y').$$
#
# The first term asks that samples look like annotations. Alone it would be smallest for a model that always says what is nearest to everybody. The second term gives that back: samples that differ among each other are rewarded, and the reward balances exactly when they differ as much as the annotators do, in the third term. Székely and Rizzo showed for which $d$ the sum is never negative. For ours there is a short proof. Number the pixels in a random order, and call $f(A)$ the first pixel of $A$. Two masks have the same first pixel exactly if the first pixel of their union lies in both, so $\Pr[f(A)=f(B)]$ is their IoU (an empty mask has "none" for its first). Write $p_i$ and $q_i$ for the share of samples and of annotations whose first pixel is $i$. Then $\mathbb E\,d(S,Y)=1-\mathbb E\sum_i p_iq_i$, the other two terms likewise, and the sum is
#
# $$\mathbb E\sum_i (p_i-q_i)^2\;\ge\;0,$$
#
# the mean over all orders. It is zero only if both sets follow one law: the first pixels in all orders tell how often a mask avoids any given set of pixels, and that tells everything about it.
#
# **Exercise 2.** Half of the people mark A, half mark B; A and B do not touch and are equally large. What is the energy distance of a model that always says A? Of one that always says A ∪ B? Of one that tosses a coin? (As the helper does, count pairs $S,S'$ of two *different* samples, and for $Y,Y'$ the same person may come twice.)

# %%
your_distances = None  # ← three numbers
for name, yours, true in zip(("A", "A ∪ B", "coin"), your_distances or [None] * 3, (0.5, 0.5, 0)):
    compare(name, yours, true, "Three terms each; see how much two maps overlap.")

# %% tags=["nbval-check-output"]
A, B = np.zeros((2, 4, 4), int)
A[:, :2], B[:, 2:] = 1, 1  # left half and right half
people, coin = np.stack([A, B] * 10), np.stack([A, B] * 500)
said = {"A": A[None], "A and B": (A | B)[None], "coin": coin}
for name, maps in said.items():
    ged, matched = (
        metrics.generalised_energy_distance(maps, people),
        metrics.hungarian_matched_iou(maps, people),
    )
    print(f"{name:<8} energy distance {ged:.3f}, matched IoU {matched:.3f}")
assert math.isclose(metrics.generalised_energy_distance(A[None], people), 0.5)
assert abs(metrics.generalised_energy_distance(coin, people)) < 1e-3

# %% [markdown]
# <details><summary>Solution</summary>
#
# Always A: $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. A ∪ B overlaps with each by one half, so $d=\tfrac12$ and again $2\cdot\tfrac12-0-\tfrac12=\tfrac12$. The coin: $2\cdot\tfrac12-\tfrac12-\tfrac12=0$.
#
# </details>
#
# The energy distance can be pleased in a way that nobody intends. Maps of noise that touch nothing, neither the annotations nor each other, have $2\cdot1-1-\mathbb E\,d(Y,Y')$. If every single map is farther than ½ from the annotators on average, noise is *nearer* to them by this measure. That happens with thin lines. So we put a second measure beside it, which asks each sample to be good for something: the **matched IoU** pairs samples and annotators one to one so that the sum of the IoUs is largest (the Hungarian method, `scipy.optimize.linear_sum_assignment`).
#
# Both need binary maps. Every method cuts its maps at the threshold that gives the smallest energy distance on the same 40 pictures of the training set, from which no head has learned.
#
# ## Twins with the same freedom
#
# All heads here are trained with the plain cross-entropy, which is proper; notebook `10` shows what balancing the classes does to a probability. The claim is: *a latent that chooses describes the annotators better*; in tables and figures it is the *probabilistic U-Net*. Its twins sit on the same encoder and get the same pictures and steps:
#
# - **one map** (in tables and figures: *deterministic*): the deterministic net, trained on the share of annotators, which spares it the lots that the latent sees;
# - **dropout** (*MC dropout*): the same net, with a fifth of the channels left out at random in use as in training (Gal and Ghahramani, 2016), so that it gives another map each time;
# - **ensemble** (*deep ensemble*): five nets of a fifth of the weights each, with other first weights and other orders of the pictures (Lakshminarayanan and others, 2017). It takes as long to train as all others together, so only the recorded run has it; `baseline_methods` brings it into yours.
#
# Six measures, which tables and figures call NLL, GED, matched IoU, Brier skill, ECE and AURC. **nll**: −log p of a held-out annotator, in nats. For one map it is exact. For the latent it is importance-sampled with the posterior, $-\log\frac1S\sum_s p(y\mid x,z_s)\,p(z_s\mid x)/q(z_s\mid x,y)$: a bound, on average too high, never too low. Dropout and ensemble may choose between the mixture of their maps and the map of their means, whichever is better. **ged** and **matched** as above. And over the pixels no farther than 5 from any mark (far from all marks everybody is right): the **skill** in Brier score over the base rate, the calibration **gap** (expected calibration error), and the **risk** under selective answers, of which more below.
#
# Two bars were set before: against *one map*, 5 % fewer nats and an energy distance 15 % lower. And a rule, before the run: on a measure the latent is *better* than its twins if the difference to the best of them, seed by seed, is on the better side of zero over the whole 95 % interval, *worse* if on the other side, and otherwise *level*.
#
# > **Predict first.** In which of the six measures does the latent beat all its twins? In which can it not, even with perfect training? (Three of the six look at the mean of the maps only.) Who comes second in nats, dropout or the ensemble?

# %%
mask_methods = ["one map", *baseline_methods, "latent"]
labels = methods.METHOD_LABELS
runs = list(range(seed, seed + seeds))
about = {"size": size, "images": images, "labelled": labelled, "tuning": tuning, "held": val_images}
about |= {"split": split, "samples": samples, "draws": draws, **options}
store = ResultStore(cache_dir, **about)
table, mask_maps = evaluation.run_experiment(trainer, masks, mask_methods, runs, store, samples, draws)
verdicts = evaluation.compare_methods(table)
print(evaluation.format_report(table, verdicts))
print("weights:", *(f"{labels[m]} {n:,};" for m, n in trainer.count_params().items()))

# %%
rows = [
    [1 - one.astype("float64") for i in range(2) for one in mask_maps[m][i][:5]]
    for m in mask_methods
]
names = [f"{k}" for _ in range(2) for k in range(1, 6)]
fig = plots.image_grid(rows, row_labels=[labels[m] for m in mask_methods], column_labels=names)
alt = "Five maps of each of three methods, for two pictures side by side. Deterministic repeats the same grey shapes. MC dropout varies their grey a little. The maps of the probabilistic U-Net go from black to nearly white, other pieces from map to map."
plots.show(fig, alt=alt)

# %% [markdown]
# The same numbers as a picture, with the recorded run below where there is one. The dotted line is the price of the perfect average.

# %%
drawn = {key: evaluation.METRIC_LABELS[key] for key in ("nll", "ged", "matched")}
tables = {"your run": evaluation.mean_scores(table)}
tables["recorded run"] = evaluation.recorded_scores("12-shapes", "masks")
fig = plots.scores_by_method(tables, drawn, methods.METHODS, labels)
for axis in fig.axes[::3]:
    axis.axvline(average, color="k", linestyle=":")
print(evaluation.format_record("12-shapes", "masks"))
alt = "Three panels, a method on each line, and the same of the recorded run below. In NLL the probabilistic U-Net lies far to the left of the dotted line, all others to the right of it. In GED the probabilistic U-Net is lowest, deterministic highest. In matched IoU the probabilistic U-Net is highest, with a wide interval; in the recorded run that interval holds deterministic and MC dropout, and the deep ensemble is lower."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, one map pays 345<!--=masks_one_map_nll[0]--> nats for an annotation, dropout 329<!--=masks_dropout_nll[0]-->, and the latent 155<!--=masks_latent_nll[0]--> ± 40<!--=masks_latent_nll[1]-->. That is −55<!--=masks_nll_gain[2]--> percent against one map, where the bar asked for 5, and it is below the 296<!--=average--> nats of the *perfect* average: no training of a single map gets there. It is also far above 1.08<!--=floor-->. The rest is not disagreement of people but lack of knowledge: where exactly an outline runs, whether a purple piece counts as warm, and samples that remained grey. To choose a reading is worth more than a hundred nats; to see well would be worth another hundred.
#
# The energy distance falls from 0.28<!--=masks_one_map_ged[0]--> to 0.13<!--=masks_latent_ged[0]-->, by −55<!--=masks_ged_gain[2]--> percent, where the bar asked for 15; dropout is between them with 0.25<!--=masks_dropout_ged[0]-->. The matched IoU gains little: 0.69<!--=masks_latent_matched[0]--> ± 0.03<!--=masks_latent_matched[1]--> for the latent, 0.65<!--=masks_one_map_matched[0]--> for one map. A grey map that is cut at a low threshold marks everything. That is the right partner for eight of the twenty people, and a fair one for the seven who mark most of it.
#
# Now the other three measures, which look at nothing but the *mean* of the maps. By the rule the latent is worse in all three: skill 0.45<!--=masks_latent_skill[0]--> against 0.50<!--=masks_one_map_skill[0]-->, gap 0.051<!--=masks_latent_gap[0]--> against 0.007<!--=masks_one_map_gap[0]-->, risk 0.058<!--=masks_latent_risk[0]--> against 0.050<!--=masks_one_map_risk[0]-->. That is the answer to the second question of the prediction. One map is trained on the mean and on nothing else. The latent pays twice: it must fit the readings as well, and its mean is one of twenty samples. A share counted among twenty is off by up to $\sqrt{0.25/20}=0.11$ by chance alone.
#
# The recorded run, below yours, has five seeds, longer trainings and the ensemble, and its words are firmer: better in nats and in energy distance than every twin, level in matched IoU, worse in the three that look at the mean. Five nets pay in nats what dropout pays. Each has other first weights, but all were taught the same average, and none of them chooses. In energy distance they come second, since five nets differ more than one net with noise; their matched IoU is the lowest of all.
#
# So the two are good for different things. Who needs one probability for a pixel asks one map. Who needs drawings that somebody could have made asks the latent. (To classify with a latent, take the mean over many draws, as here. A single draw is one opinion.)

# %% [markdown]
# ## Are the promises kept?
#
# A *calibrated* model keeps its word on average: of all pixels where it says 0.7, seven in ten are marked. The figure on the left draws what happened over what was said, for pixels near a mark; on the right is another question, that of *selective* answers: order the pixels by how sure the model is, answer only the surest share (the coverage), and count how often an annotator disagrees with the answers (the risk). A map that knows where it is wrong has a curve that stays low for long.

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.9))
plots.colour_by_method(axes, mask_methods, methods.METHODS)
pooled = {m: evaluation.pooled_predictions(mask_maps[m], masks.val_annotations) for m in mask_methods}
plots.reliability(axes[0], {labels[m]: p for m, (p, _, _) in pooled.items()}, pooled["latent"][1])
axes[0].set(xlabel="probability that the mean map says", ylabel="share of people")
for m, style in zip(mask_methods, ("-", "--", ":", "-.")):
    p, share, wrong = pooled[m]
    axes[1].plot(*metrics.risk_coverage(p * (1 - p), wrong), style, label=labels[m])
best = np.minimum(share, 1 - share)
axes[1].plot(*metrics.risk_coverage(best, best), color="k", linewidth=0.9, label="least possible")
axes[1].set(xlabel="coverage", ylabel="share who disagree", xlim=(0, 1), ylim=(0, None))
axes[1].legend(fontsize=9, loc="upper left")
alt = "Left, share of people over what the mean maps say: deterministic and MC dropout lie near the diagonal, the probabilistic U-Net above it for small values and below it for large ones. Right, share who disagree over coverage: all curves stay near zero up to two fifths of the pixels and then rise, that of the probabilistic U-Net highest at the end; the least possible runs below them."
plots.show(fig, alt=alt)

# %% [markdown]
# One map and dropout keep their word. The latent's mean is too sure of itself on both sides: where it says little, more people mark the pixel than it says, and where it says much, fewer. A mean of few samples must look like that, since what chance has added to it is not found in the people.
#
# On the right, the surest two fifths of the pixels are nearly free of contradiction: the ground a few pixels from any piece. After that every curve rises, and so does the black one, which belongs to somebody who knows every share exactly. Where people contradict each other, no answer pleases all of them. That part of the risk belongs to the question and no training takes it away; the distance of a curve from the black line belongs to the model. (The two are often called *aleatoric* and *epistemic*.)
#
# ## Edges that several people drew
#
# Now the edges. `shapes` has five simulated annotators with habits (notebook `02`): one careful, one unsteady, one hasty, one zealous, one who leaves out lines between objects. If all five differ, who knows them pays at most ln 5 nats for which of them it is, and for the unsteady one ln 8 more for the direction: 2.0 nats on average. (`dataset = "bsds500"` takes photographs with four to nine people's edges instead.) Lines are widened by one pixel to each side before two drawings are compared.
#
# A second latent joins, a lighter one, the **pixel latent** (after Kendall and Gal, 2017; *Gaussian logits* in tables and figures). Each pixel has a log-odds $u$ of its own, with $q(u\mid x)=\mathcal N(m(x),s^2(x))$, a prior $\mathcal N(b,2^2)$ around the base rate $b$, and the ELBO as its loss; all it takes is a second output channel. Think about what it can do before it is run. Its noise is independent from pixel to pixel, so when $u$ is integrated out, the pixels of one annotation are independent again: in nats it cannot do better than a perfect single map. But its samples differ.
#
# One more measure, often reported for models with several answers: **best** (*best-of-k ODS*), the ODS when for each picture the best of 11 maps is taken. Whoever takes the best has looked at the answer, so the number says little alone. It needs a twin with as many choices. A single map gets 11 versions of itself, its powers from ¼ to 4, each of which shifts the common threshold for that picture; dropout gets 11 draws, the ensemble its members, their mean, and the means without one.
#
# > **Predict first.** For masks, readings differ in hundreds of pixels. For edges, people differ in the place of a line by a pixel, and in whether it is worth a line. Does the latent gain more or less than it did? And which method's samples will be nearest to the annotators in energy distance?

# %%
crowd, scored = train, val
if dataset != "shapes":
    crowd = data.load(dataset, "train", crop=crop, limit=images)
    scored = data.load(dataset, split, crop=crop, limit=val_images)
best = ods_images, best_of, thresholds, tolerance
edges = evaluation.make_task("edges", crowd, scored, labelled, tuning, dilation=dilate_pixels, ods=best)
edge_trainer = (
    trainer if crowd is train else methods.UncertaintyMethods(data.to_float(crowd.images), **options)
)
edge_methods = ["one map", *edge_baseline_methods, "pixel latent", "latent"]
edge_store = ResultStore(cache_dir, **about, dataset=dataset, crop=crop, wide=dilate_pixels, ods=best)
asked = edges, edge_methods, range(seed, seed + edge_seeds), edge_store, samples, draws
edge_table, edge_maps = evaluation.run_experiment(edge_trainer, *asked)
edge_verdicts = evaluation.compare_methods(edge_table)
print(evaluation.format_report(edge_table, edge_verdicts))

# %%
fig = sheet(edges, edge_maps["latent"], range(4), range(4))
alt = "Four pictures, the edges that four people drew, and four samples of the probabilistic U-Net, which look alike: grey lines along the outlines, weaker between touching objects. Their mean looks like each of them, the spread is hardly visible, and the error follows the drawn lines."
plots.show(fig, alt=alt)

# %%
tables = {"your run": evaluation.mean_scores(edge_table)}
for name in ("12-shapes", "12-bsds500"):
    tables[f"recorded run, {name[3:]}"] = evaluation.recorded_scores(name, "edges")
    print(evaluation.format_record(name, "edges"), end="\n\n")
drawn = {key: evaluation.METRIC_LABELS[key] for key in ("nll", "ged", "best")}
fig = plots.scores_by_method(tables, drawn, methods.METHODS, labels)
alt = "NLL, GED and best-of-k ODS, a row of panels for each run. In your run and in the recorded one on shapes the probabilistic U-Net is lowest in NLL, Gaussian logits far the highest; Gaussian logits are lowest in GED, MC dropout next, deterministic highest; MC dropout has the highest best-of-k ODS. In the recorded run on bsds500 MC dropout and the deep ensemble are lowest in NLL, and Gaussian logits are again highest in NLL and lowest in GED."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, one map pays 198<!--=edges_one_map_nll[0]--> nats, dropout 195<!--=edges_dropout_nll[0]-->, the latent 188<!--=edges_latent_nll[0]--> ± 20<!--=edges_latent_nll[1]--> and the pixel latent 265<!--=edges_pixel_latent_nll[0]-->. By the rule the latent is better than its twins in skill, by +0.034<!--=edges_skill_gain[0]--> ± 0.027<!--=edges_skill_gain[1]-->, and by a hair in risk, and level with them in everything else. Against one map alone the bars were −5 and −15 percent; the changes are −4.99<!--=edges_nll_gain[2]--> and −14<!--=edges_ged_gain[2]--> percent. So neither bar is met, the first by a hair, but three runs are too few to be sure of either: the latent's energy distance varies by ± 0.12<!--=edges_latent_ged[1]-->. The gain is much smaller than for masks, and the figure of samples shows why: they hardly differ. People agree about nearly every line here, and where the unsteady one is a pixel off, a head that mixes the features of each pixel for itself can move a line only if it holds a feature for every direction.
#
# The pixel latent did what its formula allows. In nats it is the worst. Its energy distance, 0.30<!--=edges_pixel_latent_ged[0]-->, has the lowest mean of all, and its matched IoU, 0.41<!--=edges_pixel_latent_matched[0]-->, is the lowest by far: samples speckled pixel by pixel, far from every drawing and far from one another. This is the trap from above, walked into. Whoever reports an energy distance alone could have sold these maps as the best.
#
# In best-of-eleven, dropout reaches an ODS of 0.93<!--=edges_dropout_best[0]-->, the latent 0.91<!--=edges_latent_best[0]-->, and one map with eleven thresholds 0.85<!--=edges_one_map_best[0]-->: level with the best twin.
#
# The recorded run on shapes has five seeds, longer trainings and an ensemble among the twins, and its words are firmer. The latent is better than every twin in nats, and than one map by more than the 5 percent that were asked. It is better in skill, gap and risk. But it is worse than dropout in energy distance and in best-of-eleven, although dropout's maps differ by chance and not by choice. For edges the two kinds of measure disagree, and which one counts depends on what the samples are for.
#
# The recorded run on BSDS500 (80 pieces of the test pictures, five runs, and only a hundred training steps for each head) is below yours. There nobody has learned much: the skill over the base rate is zero in every method, near the marks. The latent is worse in nats than dropout and the ensemble and level in the other measures, and again the pixel latent has both the smallest energy distance and the smallest matched IoU. What longer trainings would say is open.
#
# ## Has it ever seen such a picture?
#
# Calibration is a promise about pictures like those of the training. About others the model promises nothing, and it would be good to know which are which. A VAE gives a likelihood; so a picture that it finds unlikely should be a stranger. The idea is old and obvious, and wrong in a way that was noticed late (Nalisnick and others, 2019a).
#
# We train a VAE on textured shapes, with a decoder that says for each pixel how sure it is of it (a mean and a σ, not below 0.01). Strangers are *flat* shapes, without texture, with the same noise; and *clean* ones, without texture and without noise. The score is −ELBO; large should mean strange. The measure is AUROC: how often a stranger gets the higher score when one of each kind is drawn; ½ is guessing, below ½ is worse than guessing.
#
# > **Predict first.** AUROC of the raw score for clean pictures: nearer 1, ½ or 0?

# %%
from helpers.uncertainty import ood

if in_distribution == "shapes":
    plain = {"size": 32, "objects": (1, 2)}
    kinds = {"clean": {"texture": "flat", "noise": 0.0}, "flat": {"texture": "flat"}}
    seen = data.load("shapes", "train", limit=3000, **plain)
    others = {
        k: data.load("shapes", split, limit=ood_images, seed=9, **plain, **v)
        for k, v in kinds.items()
    }
else:
    plain = {}
    seen = data.load(in_distribution, "train", limit=20_000)
    others = {"mnist": data.load("mnist", split, limit=ood_images)}
usual = data.to_float(data.load(in_distribution, split, limit=ood_images, **plain).images)
others = {k: data.to_float(v.images) for k, v in others.items()}
seen = data.to_float(seen.images)
vae = ood.heteroscedastic_vae(seen.shape[1:], 32, seed=seed)
training.train(vae, seen, steps=ood_vae_steps, batch_size=32, learning_rate=0.002, seed=seed)
nats = {k: ood.negative_elbo(vae, v) for k, v in {"usual": usual, **others}.items()}
print(*(f"{k}: {v.mean():.0f} nats;" for k, v in nats.items()))

# %% [markdown]
# Three repairs have been proposed for such failures, and one easier question.
#
# - **untypical** (Nalisnick and others, 2019b): too likely is as strange as too unlikely. The score is the distance of −ELBO from its mean over training pictures.
# - **ten of a kind**: the same for the mean over ten pictures that come from one source. This is the easier question. Means of ten vary less than single pictures do, by $\sqrt{10}$.
# - **minus png** (Serrà and others, 2020): a picture may be cheap because it is simple. So take off what a general code pays for it, the length of its PNG file in nats.
# - **regret** (Xiao, Yan and Amit, 2020): how many nats are gained if the posterior of this one picture is fitted to it, the decoder unchanged? An encoder has learned to serve familiar pictures; a strange one should gain more.
#
# The bar, set before: one of them reaches an AUROC of 0.90.
#
# > **Predict first.** One of the three repairs relies on the strangers being simple, one on the encoder being at a loss with them. The flat pictures keep their noise. Which repair will be helpless there?

# %%
level, kinds = ood.negative_elbo(vae, seen[:500]), {"usual": usual, **others}
own = ood.likelihood_regret(
    vae, np.concatenate([v[:regret_images] for v in kinds.values()]), 60, seed=seed
)
scores = {
    kind: {
        "raw": nats[kind],
        "untypical": ood.typicality(nats[kind], level),
        "ten of a kind": ood.typicality(ood.batch_means(nats[kind]), level),
        "minus png": ood.input_complexity(nats[kind], pictures),
        "regret": regret,
    }
    for (kind, pictures), regret in zip(kinds.items(), np.split(own, len(kinds)))
}
auroc = {
    kind: {name: ood.auroc(scores["usual"][name], v) for name, v in scores[kind].items()}
    for kind in others
}
for kind, found in auroc.items():
    print(f"{kind:<6}", *(f"{name} {v:.3f};" for name, v in found.items()))

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.2))
for axis, name in zip(axes, ("raw", "minus png")):
    for kind, found in scores.items():
        axis.hist(found[name], 30, histtype="stepfilled", alpha=0.6, label=kind)
axes[0].set(xlabel="−ELBO, nats per picture", ylabel="pictures", title="raw")
axes[1].set(xlabel="−ELBO minus length as PNG, nats", title="minus png")
axes[0].locator_params(axis="x", nbins=5)
axes[0].legend()
alt = "Two histograms of usual, clean and flat pictures. Left, by −ELBO, the strangers lie to the left of the usual ones: they are more likely than what was trained on. Right, after the length as a PNG file is taken off, the clean ones lie far to the right, and the flat ones overlap with the usual ones, a little to their left."
plots.show(fig, alt=alt)

# %%
rows = {f"{kind}, your run": found for kind, found in auroc.items()}
rows["digits, recorded run"] = data.records.auroc_by_score("12-fashion_mnist", "mnist")
rows = {kind: found for kind, found in rows.items() if found}
names = list(next(iter(auroc.values())))
fig, axis = plt.subplots(figsize=(7, 0.55 * len(rows) + 1))
plots.heatmap(axis, [[found[n] for n in names] for found in rows.values()], list(rows), names)
alt = "A table of AUROC. Raw is far below one half for clean and flat pictures and near it for the recorded digits. Ten of a kind is 1.00 for both kinds of shapes. Minus png is 1.00 for clean pictures and digits and low for flat ones. Regret is high for the digits only."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the raw score has it the wrong way round: AUROC 0.07<!--=novel_clean_raw--> for clean pictures and 0.20<!--=novel_flat_raw--> for flat ones. A usual picture costs −3,031<!--=nats_usual--> nats, a flat one −3,557<!--=nats_flat-->, a clean one −4,111<!--=nats_clean-->. The model has never seen a picture without texture, and finds it likelier than most of the kind that it was trained on. Nothing is broken. Texture is what costs nats, and a density says how much probability there is *at* a picture, not how much there is among pictures of its kind. The densest point of a Gaussian in a thousand dimensions is its mean, where hardly any draw ever falls.
#
# And the repairs? Without its noise a picture is simple, and *minus png* finds every clean one: 1.00<!--=novel_clean_minus_png-->. The flat ones keep their noise, which no code can shorten, and it is helpless: 0.27<!--=novel_flat_minus_png-->. The *regret* stays below ½ for both, 0.33<!--=novel_clean_regret--> and 0.16<!--=novel_flat_regret-->: flat pictures are easy for this encoder too, so there is little to regret. Distrust that column most. It is one training, and in a trial with other first weights the regret came near the bar for clean pictures and stood at guessing for flat ones, while no other score moved by much more than a tenth. *Untypical* is on the right side, 0.87<!--=novel_clean_untypical--> and 0.66<!--=novel_flat_untypical-->, but for single pictures below the bar; asked of ten of a kind it separates both from the usual ones, 1.00<!--=novel_clean_ten_of_a_kind--> and 1.00<!--=novel_flat_ten_of_a_kind-->. So the bar is met for clean pictures by one repair, for flat ones only in the easier question, and for single flat pictures by none.
#
# The last row is the recorded run: a VAE of Fashion-MNIST, and digits as strangers. There the raw score is little better than guessing, typicality does not help, and *regret* and *minus png* meet the bar. Which repair works depends on how the strangers are strange. Choose it after seeing them, and you have measured your choice, not your model.

# %% tags=["results"]
results = {"floor": floor, "average": average, "kl": float(kl.mean(axis=0).sum())}
for task, rows, words in (("masks", table, verdicts), ("edges", edge_table, edge_verdicts)):
    for method, found in evaluation.mean_scores(rows).items():
        results |= {f"{task} {method} {key}": pair for key, pair in found.items()}
    for key, v in words.items():
        results[f"{task} {key}"] = [v["word"], v["baseline"]]
        results[f"{task} {key} gain"] = [v["gain"], v["half"], v["percent"]]
results |= {f"novel {k} {name}": v for k, found in auroc.items() for name, v in found.items()}
results |= {f"nats {k}": np.mean(v) for k, v in nats.items()}
results |= {f"{key}_percent": verdicts[key]["percent"] for key in ("nll", "ged")}
results |= {f"weights {method}": n for method, n in trainer.count_params().items()}
results = {name.lower().replace(" ", "_"): v for name, v in results.items()}
bands = {"floor": {"default": (0.7, 1.1)}, "nll_percent": {"default": (-80, -5)}}
latent_nats, one_nats = results["masks_latent_nll"][0], results["masks_one_map_nll"][0]
said = f"a latent that chooses: {latent_nats:.0f} nats an annotation; one map: {one_nats:.0f}"
record(results, bands, said)

# %% [markdown]
# ## What you saw
#
# - A proper loss on single pixels asks for the average: 296<!--=average--> nats is the least it can pay here, and one map pays 345<!--=masks_one_map_nll[0]-->. A latent that chooses pays 155<!--=masks_latent_nll[0]-->, by an estimate that can only be too high on average, and halves the energy distance. Dropout stays above the price of the average, and in the recorded run five nets together do too.
# - For one probability a pixel the latent is the worse choice: skill, calibration and risk are those of a mean of samples, and one map is trained on the mean.
# - For edges, where people differ by a pixel, the same latent gains little: a few nats and no energy distance in the recorded run on shapes, and nothing in the one on photographs.
# - Each measure alone can be pleased: noise has a small energy distance, a low threshold a fair matched IoU, and a best-of-eleven needs a twin with eleven choices.
# - A VAE's likelihood calls simple strangers familiar. Each repair mends the strangers it was thought out for, and the regret hangs on the first weights as well.
#
# ## On your own
#
# 1. **A latent of one number.** `python -m helpers.runs run 12 -p latent 1`. Three readings and one coordinate: in which order do they lie on the line, and what does the model draw between two of them?
#
#    <details><summary>What to expect</summary>
#
#    One line can hold three readings one after the other, and "everything" fits between the other two: from there a model can fade out the warm pieces on one side and the cold ones on the other. Between two readings it draws a grey one. The more of the prior's mass lies there, the more samples are grey.
#
#    </details>
# 2. **A posterior that may not pay.** Set `beta=0` in `probabilistic_unet.probabilistic_unet_head` and train. The reconstruction becomes better. What happens to the samples, and which of the two numbers in the bound tells you?
#
#    <details><summary>Hint</summary>
#
#    Nothing keeps the posterior where the prior is. It goes off, the KL grows without a limit, and a draw from the prior lands where the decoder has never been.
#
#    </details>
# 3. **A general code of your own.** Replace the PNG by `zlib.compress` of the raw bytes, or by the entropy of the histogram of neighbouring differences. Which strangers does each of them see?
# 4. **Photographs.** `python -m helpers.runs run 12 -f notebooks/parameters/12.full-bsds500.yaml` asks the section on edges of photographs with four to nine people's drawings.
#
# ## References
#
# - Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. *Monthly Weather Review* 78(1), 1–3. <https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2>
# - Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance Weighted Autoencoders. ICLR. [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - Gal, Y. and Ghahramani, Z. (2016). Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep Learning. ICML. [arXiv:1506.02142](https://arxiv.org/abs/1506.02142)
# - Geifman, Y. and El-Yaniv, R. (2017). Selective Classification for Deep Neural Networks. NeurIPS. [arXiv:1705.08500](https://arxiv.org/abs/1705.08500)
# - Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On Calibration of Modern Neural Networks. ICML. [arXiv:1706.04599](https://arxiv.org/abs/1706.04599)
# - Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic (ROC) curve. *Radiology* 143(1), 29–36. <https://doi.org/10.1148/radiology.143.1.7063747>
# - Kendall, A. and Gal, Y. (2017). What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision? NeurIPS. [arXiv:1703.04977](https://arxiv.org/abs/1703.04977)
# - Kohl, S. and others (2018). A Probabilistic U-Net for Segmentation of Ambiguous Images. NeurIPS. [arXiv:1806.05034](https://arxiv.org/abs/1806.05034)
# - Kohl, S. and others (2019). A Hierarchical Probabilistic U-Net for Modeling Multi-Scale Ambiguities. [arXiv:1905.13077](https://arxiv.org/abs/1905.13077)
# - Kuhn, H. W. (1955). The Hungarian method for the assignment problem. *Naval Research Logistics Quarterly* 2, 83–97. <https://doi.org/10.1002/nav.3800020109>
# - Lakshminarayanan, B., Pritzel, A. and Blundell, C. (2017). Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles. NeurIPS. [arXiv:1612.01474](https://arxiv.org/abs/1612.01474)
# - Nalisnick, E. and others (2019a). Do Deep Generative Models Know What They Don't Know? ICLR. [arXiv:1810.09136](https://arxiv.org/abs/1810.09136)
# - Nalisnick, E. and others (2019b). Detecting Out-of-Distribution Inputs to Deep Generative Models Using Typicality. [arXiv:1906.02994](https://arxiv.org/abs/1906.02994)
# - Serrà, J. and others (2020). Input complexity and out-of-distribution detection with likelihood-based generative models. ICLR. [arXiv:1909.11480](https://arxiv.org/abs/1909.11480)
# - Sohn, K., Lee, H. and Yan, X. (2015). Learning Structured Output Representation using Deep Conditional Generative Models. NeurIPS. <https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html>
# - Székely, G. J. and Rizzo, M. L. (2013). Energy statistics: A class of statistics based on distances. *Journal of Statistical Planning and Inference* 143(8), 1249–1272. <https://doi.org/10.1016/j.jspi.2013.03.018>
# - Xiao, Z., Yan, Q. and Amit, Y. (2020). Likelihood Regret: An Out-of-Distribution Detection Score For Variational Auto-encoder. NeurIPS. [arXiv:2003.02977](https://arxiv.org/abs/2003.02977)
