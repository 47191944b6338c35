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
# # Find edges, from pictures and from a VAE
#
# BADGES <!--badges-->
#
# ![Cover.](../docs/pictures/10.png) <!--picture-->
#
# A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) learns to describe pictures, and nobody tells it anything about them. An edge detector has to know where one thing ends. **Does a VAE help to find edges?** There are two ways to ask for help: look for the edges in what the VAE *draws*, or in what its encoder *computes* on the way.
#
# **What you'll do**
#
# - Look for edges in the [reconstructions](../docs/site/glossary.md#term-reconstruction) of VAEs at three rates, and in the pictures themselves.
# - Give Roberts, Sobel and Canny the same choice, at three levels of noise.
# - Put an edge head on encoders that learned different things, or nothing.
# - Measure what a class-balanced loss does, and what suppression does.
#
# **What you'll learn**
#
# - What a reconstruction does to edges, and what a classifier learns from blurred ones.
# - Which controls the sentence "the VAE helps" needs.
# - Why a good edge map need not be a good probability.
#
# **What you'll need**
#
# - How edges are scored: notebook `02`. What a VAE is: notebook `03`. What its rate and σ are: notebook `06`.
# - Mathematics: logarithms, gradients of a function of two variables, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 38 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "folder": pictures of your own, and the edges that people drew in them
path = ""  # for "folder": the folder with your pictures and their edges
weights = "kept"  # of the VAEs of the recipe: "kept", trained longer, or "own", the short one
seed = 0  # of the pictures, the first weights and every random draw
seeds = 1  # trainings of each head, from other first weights
size = 48  # height and width of the pictures, in pixels
images = 100  # pictures with known edges, for the classifiers and heads
val_images = 100  # held-out pictures: all scores are measured on them
vae_steps = 400  # training steps of your short VAE, and of the encoders of the heads
head_steps = 300  # training steps of each classifier and each head
study_steps = 0  # of the recorded study's VAEs, the shorter length; 0 leaves the study out
cache_dir = ""  # folder in the cache where the study keeps its points, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder"], path="folder", weights=["kept", "own"],
    seed=range(2**32), seeds=range(1, 21), size=range(32, 257, 8), images=range(8, 4001),
    val_images=range(2, 1001), vae_steps=range(1, 100_001), head_steps=range(1, 100_001),
    study_steps=range(0, 100_001), cache_dir=str,
)  # fmt: skip
set_up(seed)

import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy import ndimage

from helpers import backend, checkpoint, data, edges, losses, metrics, models, plots
from helpers import pretrained, pyramids
from helpers.data.stream import FreshShapes
from helpers.segmentation import EdgeCrossEntropy

plots.use()
study = data.records.results_of("10-edges")  # the recorded study, where there is one


# %%
def compare(name, yours, true, hint):
    # Your value beside the true one; stops with a hint where they differ.
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.3g}'}")
    assert yours is None or abs(yours - true) <= 0.01 * abs(true), hint


# %% [markdown]
# ## Pictures, people and a fair set of thresholds
#
# The pictures are `shapes`: discs, squares and triangles on photographed brick, grass and gravel, here with 48×48 pixels. Five simulated [annotators](../docs/site/glossary.md#term-annotator) drew edges in each (notebook `02`). In 100 training pictures the edges are known. Scores are those of 100 held-out pictures. (Their textures are cut from the same three photographs as those of the training pictures, so nothing below is about textures that were never seen.)
#
# What a classifier is told of a pixel is the **share** of annotators who drew it: 1 where all five did, 0.2 where one did. With cross-entropy as the loss, the best answer is then the probability that an annotator, chosen at random, marks the pixel.

# %%
options = {"size": (size, size), "path": path}
if dataset == "shapes":
    options = {"size": size, "seed": seed}
train_set = data.load(dataset, "train", limit=images, **options)
val_set = data.load(dataset, "val", limit=val_images, **options)
if train_set.annotations is None:
    raise ValueError(f"This notebook needs edges for each picture, and {path!r} has no edges.")

x_train = data.to_float(train_set.images)  # (N, H, W, 3)
x_val = data.to_float(val_set.images)
share_train = edges.combine(train_set.annotations)[..., None]  # (N, H, W, 1)
share_val = edges.combine(val_set.annotations)  # (N, H, W)
people = min(len(drawn) for drawn in val_set.annotations)
print(f"{len(x_train)} pictures with known edges, {len(x_val)} held out, {people} people each")

# %% [markdown]
# The score is the [ODS](../docs/site/glossary.md#term-ODS-OIS-AP) of notebook `02`: the best F over all thresholds, one threshold for all pictures. A drawn pixel and a found pixel match if they are at most 0.02 of the diagonal apart, 1.4 pixels here.
#
# *Which* thresholds is a question. The official benchmark takes 99 at equal distances, from 0.01 to 0.99. The program `evaluate` takes 49 **quantiles** of the map's own values instead, the same for all pictures of a detector.
#
# > **Predict first.** Divide every value of an edge map by 20. No pixel changes its rank. What happens to the ODS with 99 thresholds at equal distances? With quantiles?

# %%
TOLERANCE = 0.02  # largest distance of a match, as a share of the diagonal
QUANTILES = np.arange(1, 50) / 50


def suppress(maps):
    """Non-maximum suppression of every map, as in notebook 02."""
    return [edges.nms(one, border=0) for one in maps]


def evaluate(maps, annotations=val_set.annotations):
    """The Berkeley benchmark of suppressed maps, with quantiles as thresholds."""
    values = np.concatenate([one[one > 0] for one in maps])
    thresholds = np.unique(np.quantile(values, QUANTILES))
    return edges.benchmark(maps, annotations, thresholds, TOLERANCE)


# %%
sobel = [edges.gradient_magnitude(x, "sobel", sigma=1.0, scale=0.4) for x in x_val]
for name, divisor in (("Sobel", 1), ("Sobel / 20", 20)):
    maps = suppress([one / divisor for one in sobel])
    linear = edges.benchmark(maps, val_set.annotations, 99, TOLERANCE)
    quantiles = evaluate(maps)
    print(f"{name:<10} 99 thresholds {linear.ods:.3f}, quantiles {quantiles.ods:.3f}")

# %% [markdown]
# ANSWER0
#
# Two more numbers frame everything below: the score of a map of random numbers, and of the annotators, each against the others.

# %%
random_maps = np.random.default_rng(seed).random(share_val.shape)
floor = evaluate(suppress(random_maps))
human = edges.human_level(val_set.annotations, TOLERANCE) if people > 1 else None
print(f"random numbers: ODS {floor.ods:.3f}")
if human is not None:
    print(f"one annotator against the others: F {human.ods:.3f}")

# %% [markdown]
# The ODS is no mean over pictures, so its interval needs one step more. `edges.ods_by_image` leaves out one picture after the other (the *jackknife*, Efron and Tibshirani, 1993) and gives each picture a score such that the mean of these scores is the ODS. Intervals are 95 %, and differences of two detectors are *paired*, picture by picture.
#
# ## The recipe: edges of a reconstruction
#
# In words: *train a VAE, pass each picture through it, and let a small convolutional network say for each pixel of the reconstruction whether it is an edge.*
#
# Our VAE halves the picture twice. Its [latent](../docs/site/glossary.md#term-latent-variable) is a grid of 12×12 places with 8 numbers each. The likelihood is Gaussian. Its σ sets the **[rate](../docs/site/glossary.md#term-rate)** (notebook `06`): 0.2, 0.1 or 0.05, which is the noise of the pictures. The VAE sees new pictures in every step, and no edges.

# %%
shape = x_train.shape[1:]
SIGMAS = {"low": 0.2, "middle": 0.1, "high": 0.05}  # by the rate that they lead to
STREAM = {"batch_size": 8, "size": size}


def new_vae(sigma, run=0):
    """A VAE with fresh weights."""
    keras.utils.set_random_seed(seed + run)
    encoder, decoder = pyramids.pyramid_networks(
        shape, latent=8, widths=(16, 32, 48), depths=(1, 1, 2), patches=(2, 2, 1)
    )
    return models.VAE(encoder, decoder, "gaussian", sigma, seed=seed + run)


def optimizer(learning_rate, steps):
    """Adam; the learning rate falls to zero in the form of half a cosine wave."""
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))


def train_vae(vae, steps, run=0):
    vae.compile(optimizer(0.003, steps), **backend.compile_options(planned=steps))
    if dataset == "shapes":
        stream = FreshShapes(steps_per_epoch=steps, seed=seed + run, **STREAM)
        vae.fit(stream, shuffle=False, verbose=0)  # new pictures in every step
    else:
        epochs = math.ceil(8 * steps / len(x_train))
        vae.fit(x_train, batch_size=8, epochs=epochs, verbose=0)


# %% [markdown]
# Your VAE trains for 400 steps: a **demonstration**. The project keeps three VAEs of the same network, one for each σ, after 1,500 and after 3,000 steps. With `weights = "own"`, or where they are missing, your short one takes their place.

# %%
short = new_vae(SIGMAS["high"])
train_vae(short, vae_steps)

vaes = {}
if dataset == "shapes" and size == 48 and weights == "kept":
    for rate in SIGMAS:
        for length, suffix in (("half", "-half"), ("whole", "")):
            kept, note = pretrained.load(f"edges48-{rate}{suffix}")
            if kept is not None:
                vaes[rate, length] = kept
if not vaes:
    vaes["high", "whole"] = short


# %%
def reconstruct(vae, x):
    """Encode, draw z from q(z | x), decode."""
    mean, log_variance = vae.encoder.predict(x, verbose=0)
    noise = np.random.default_rng(seed).normal(size=mean.shape).astype("float32")
    z = mean + np.exp(log_variance / 2) * noise
    return vae.decoder.predict(z, verbose=0).clip(0, 1)  # (N, H, W, 3)


def rate_of(vae, x):
    """The KL of each picture in nats, (N,)."""
    return ops.convert_to_numpy(losses.gaussian_kl(*vae.encoder.predict(x, verbose=0)))


rates = {key: float(rate_of(vae, x_val).mean()) for key, vae in vaes.items()}
r_val = {key: reconstruct(vae, x_val) for key, vae in vaes.items()}
for key, r in r_val.items():
    error = np.sqrt(np.mean((r - x_val) ** 2))
    print(f"{' '.join(key):<14} rate {rates[key]:5.0f} nats, r.m.s. error {error:.3f}")

# %%
pictures = {"picture": x_val, "short": reconstruct(short, x_val[:8])}
for (rate, length), r in r_val.items():
    if length == "whole":
        pictures[f"{rate} rate"] = r
fig = plots.image_grid([r[:8] for r in pictures.values()], row_labels=list(pictures))
alt = "A figure that still waits for its description, of reconstructions., ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER1
#
# The classifier has three convolutions; each of its answers sees 7×7 pixels (its [receptive field](../docs/site/glossary.md#term-receptive-field)).
#
# > **Predict first.** Three cases for each rate: trained and used on pictures; trained and used on reconstructions; trained on pictures and used on reconstructions ("mixed", which happens when the recipe is coded without care). Order them by ODS. Does the order depend on the rate?


# %%
def train_classifier(x, run=0):
    """Three 3×3 convolutions with fresh weights, trained on pictures x and the shares."""
    keras.utils.set_random_seed(seed + run)
    stack = [keras.Input(shape), layers.Rescaling(4.0, offset=-2.0)]
    stack += [layers.Conv2D(16, 3, padding="same", activation="relu") for _ in range(2)]
    classifier = keras.Sequential([*stack, layers.Conv2D(1, 3, padding="same")])
    epochs = math.ceil(16 * head_steps / len(x))
    steps = epochs * math.ceil(len(x) / 16)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    adam = optimizer(0.005, steps)
    classifier.compile(adam, loss, **backend.compile_options(planned=steps))
    classifier.fit(x, share_train, batch_size=16, epochs=epochs, verbose=0)
    return classifier


def probabilities(classifier, x):
    """Of an edge at each pixel, (N, H, W)."""
    logits = classifier.predict(x, verbose=0)[..., 0].astype("float64")
    return 1 / (1 + np.exp(-logits))


# %%
on_pictures = train_classifier(x_train)
answers = {"picture": probabilities(on_pictures, x_val)}  # (N, H, W) each
for key, vae in vaes.items():
    on_reconstructions = train_classifier(reconstruct(vae, x_train))
    answers["recipe", *key] = probabilities(on_reconstructions, r_val[key])
    answers["mixed", *key] = probabilities(on_pictures, r_val[key])

# %%
recipe = {key: evaluate(suppress(maps)) for key, maps in answers.items()}
by_picture = {key: edges.ods_by_image(result) for key, result in recipe.items()}  # (N,) each


def paired(one, other):
    """ODS of one minus the other, and half of its interval over pictures."""
    return metrics.confidence_interval(by_picture[one] - by_picture[other])


print("picture ODS {:.3f} ± {:.3f}".format(*metrics.confidence_interval(by_picture["picture"])))
print("recipe, minus the picture, and mixed minus recipe:")
for key in vaes:
    own = recipe["recipe", *key].ods
    lost = paired(("recipe", *key), "picture")
    gain = paired(("mixed", *key), ("recipe", *key))
    print(f"{' '.join(key):<14} {own:.3f}", end="   ")
    print("{:+.3f} ± {:.3f}   {:+.3f} ± {:.3f}".format(*lost, *gain))

# %%
lengths = {}  # twice the steps: change of the recipe's ODS
for rate in SIGMAS:
    if (rate, "half") in vaes:
        both = [("recipe", rate, length) for length in ("whole", "half")]
        lengths[rate] = paired(*both)
        print("{:<7} twice the steps {:+.3f} ± {:.3f}".format(rate, *lengths[rate]))

# %% [markdown]
# ANSWER2

# %%
shown = ("high", "whole")
rows = [x_val[:8], r_val[shown][:8], 1 - answers["picture"][:8]]
rows += [1 - answers[case, *shown][:8] for case in ("recipe", "mixed")]
rows += [1 - share_val[:8]]
labels = ["picture", "reconstr.", "edges, picture", "edges, recipe", "edges, mixed", "annotators"]
fig = plots.image_grid(rows, row_labels=labels)
alt = "A figure that still waits for its description, of edges, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# Where did the edges go? Take for every pixel its distance to the nearest edge that at least half of the annotators drew, and average over all pixels at the same distance: on the left the slope (Sobel) of pictures and reconstructions, on the right what the classifiers answer.

# %%
away = np.rint([ndimage.distance_transform_edt(drawn < 0.5) for drawn in share_val])


def profile(maps):
    """Mean of the maps at distance 0, 1, … 7 from the nearest edge, (8,)."""
    return np.array([np.asarray(maps)[away == d].mean() for d in range(8)])


slopes = {"picture": profile([edges.gradient_magnitude(x) for x in x_val])}
bands = {"picture": profile(answers["picture"])}
for rate in SIGMAS:
    if (rate, "whole") in vaes:
        r = r_val[rate, "whole"]
        slopes[f"{rate} rate"] = profile([edges.gradient_magnitude(x) for x in r])
for case in ("recipe", "mixed"):
    bands[f"{case}, high rate"] = profile(answers[case, *shown])

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.2))
for axis, curves in zip(axes, (slopes, bands)):
    for (name, values), style in zip(curves.items(), ("-o", "--s", "-.^", ":D")):
        axis.plot(range(8), values, style, label=name)
    axis.set(xlabel="distance to the nearest edge (pixels)", ylim=(0, None))
    axis.legend()
axes[0].set_ylabel("mean slope")
axes[1].set_ylabel("mean probability")
alt = "A figure that still waits for its description, of profiles, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER3
#
# **Exercise 1.** A disc has its centre on one of 48×48 pixels and one of 16 radii, all equally probable. How many nats name it?

# %%
your_nats = None  # ← your number
compare("nats", your_nats, math.log(48 * 48 * 16), "The logarithm of the number of cases.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# There are 36,864 equally probable cases, and ln 36,864 = 10.5 nats.
#
# </details>
#
# ANSWER4
#
# ## Do the classical detectors gain from a reconstruction?
#
# Roberts, Sobel and Canny look at slopes, and noise makes slopes. A reconstruction has little noise. So if the recipe helps a detector, it should help these three, and most in noisy pictures. We add Gaussian noise and give each detector the picture or its reconstruction (high rate; this VAE saw no such noise in training). Each case has the blur that was best for it on 20 *training* pictures, out of 1, 2 and 3 pixels, and suppression; Canny keeps a low threshold of 0.4 times the high one.
#
# > **Predict first.** At which level of noise is the reconstruction better than the picture: for Roberts, which has the least protection against noise? For Canny?

# %%
NOISES = [0.0, 0.1, 0.2]  # standard deviations
classics, blurs = {}, {}
for noise in NOISES:
    rng = np.random.default_rng(seed)
    noisy_few = (x_train[:20] + rng.normal(0, noise, x_train[:20].shape)).clip(0, 1)
    noisy_val = (x_val + rng.normal(0, noise, x_val.shape)).clip(0, 1)
    sources = {"picture": (noisy_few, noisy_val)}
    sources["reconstruction"] = [reconstruct(vaes[shown], x) for x in (noisy_few, noisy_val)]
    for source, (few, many) in sources.items():
        for name in edges.CLASSICS:
            known = train_set.annotations[:20]
            blur, scale = edges.tune_classical(name, few, known, (1, 2, 3), 19, TOLERANCE)
            maps = list(edges.classical_maps(name, many, blur, scale, 49))
            result = edges.benchmark(maps, val_set.annotations, 49, TOLERANCE)
            classics[name, source, noise] = result
            blurs[name, source, noise] = blur
            by_picture[name, source, noise] = edges.ods_by_image(result)

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.4, 3.0), sharey=True)
gaps = {}
for axis, name in zip(axes, edges.CLASSICS):
    for source, style in (("picture", "-o"), ("reconstruction", "--s")):
        scores = [classics[name, source, noise].ods for noise in NOISES]
        axis.plot(NOISES, scores, style, label=source)
    axis.set(title=name, xlabel="noise added (std)", ylabel="ODS", ylim=(0, 1))
    for noise in NOISES:
        gaps[name, noise] = paired((name, "picture", noise), (name, "reconstruction", noise))
        print("{:<8} noise {:.1f}: picture − reconstruction ".format(name, noise), end="")
        print("{:+.3f} ± {:.3f}".format(*gaps[name, noise]))
axes[0].legend(loc="lower left")
alt = "A figure that still waits for its description, of classics, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER5
#
# ## Ask the encoder, not the decoder
#
# The decoder answers in pixels. But to make its latent, the encoder looked at the picture at several resolutions. So put a classifier on the encoder's **inner features**: `pyramids.segmentation_head` starts at the coarsest level and adds the features of each finer one, like the right half of a U-Net. The encoder is **frozen**, so that only the head learns, or **tuned** along with it.
#
# The sentence "the VAE helps" needs [controls](../docs/site/glossary.md#term-control): the same network, the same labelled pictures and the same steps, but
#
# - an encoder with **fresh** weights. Frozen, its batch normalisation is first shown 200 pictures, so that its features have the usual scale;
# - the encoder of a **[denoising](../docs/site/glossary.md#term-denoising-autoencoder) autoencoder** (Vincent and others, 2008): the same two networks and steps, noise added to the input, squared error to the clean picture, no KL.
#
# Two contrasts are named before anything is measured. *Pretraining helps* is VAE − fresh. *The VAE's objective helps* is VAE − denoising.


# %%
class NoisyShapes(FreshShapes):
    """New pictures in every step: with noise as the input, without it as the target."""

    def __getitem__(self, index):
        (x,) = super().__getitem__(index)
        rng = np.random.default_rng([self.seed, self.epoch, index])
        noisy = (x + rng.normal(0, 0.1, x.shape)).clip(0, 1)
        return noisy.astype("float32"), x


def train_denoising(vae, steps, run=0):
    """The two networks of a VAE as a denoising autoencoder: no draw, no KL."""
    autoencoder = keras.Model(vae.encoder.input, vae.decoder(vae.encoder.outputs[0]))
    adam = optimizer(0.003, steps)
    autoencoder.compile(adam, "mse", **backend.compile_options(planned=steps))
    if dataset == "shapes":
        stream = NoisyShapes(steps_per_epoch=steps, seed=seed + run, **STREAM)
        autoencoder.fit(stream, shuffle=False, verbose=0)
    else:
        noise = np.random.default_rng(seed).normal(0, 0.1, x_train.shape)
        noisy = (x_train + noise).clip(0, 1).astype("float32")
        epochs = math.ceil(8 * steps / len(x_train))
        autoencoder.fit(noisy, x_train, batch_size=8, epochs=epochs, verbose=0)


def new_encoder(kind, steps, run=0):
    """An encoder after so many steps as part of a VAE or a denoising autoencoder, or fresh."""
    vae = new_vae(SIGMAS["high"], run)
    if kind == "VAE":
        train_vae(vae, steps, run)
    elif kind == "denoising":
        train_denoising(vae, steps, run)
    else:
        for start in range(0, 200, 25):  # batch normalisation learns the usual scale
            vae.encoder(np.take(x_train, range(start, start + 25), 0, mode="wrap"), training=True)
    return vae.encoder


# %%
def train_head(encoder, tuned, run=0, balanced=False):
    """A head on all levels of the encoder, trained on the pictures with known edges."""
    keras.utils.set_random_seed(seed + run)
    encoder.trainable = tuned
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 1)
    epochs = math.ceil(16 * head_steps / len(x_train))
    steps = epochs * math.ceil(len(x_train) / 16)
    adam = optimizer(0.01, steps)
    loss = EdgeCrossEntropy(balanced)  # not balanced: plain cross-entropy, as above
    head.compile(adam, loss, **backend.compile_options(planned=steps))
    head.fit(x_train, share_train, batch_size=16, epochs=epochs, verbose=0)
    return head


def heads(kind, steps, run):
    """Edge maps of two heads on an encoder, which is first frozen and then tuned."""
    encoder = new_encoder(kind, steps, run)
    maps = {}
    for how in ("frozen", "tuned"):  # in this order: the second training changes the encoder
        head = train_head(encoder, how == "tuned", run)
        maps[how] = probabilities(head, x_val)
    return maps


# %% [markdown]
# > **Predict first.** Order the six: frozen and tuned, on fresh, denoising and VAE encoders. Where is pretraining most useful? Does it matter that it was a VAE?

# %%
KINDS = ("VAE", "denoising", "fresh")
head_scores = {}  # (seeds, N) each
head_results, head_maps = {}, {}  # of the first seed
for kind in KINDS:
    for run in range(seeds):
        for how, maps in heads(kind, vae_steps, run).items():
            result = evaluate(suppress(maps))
            head_scores.setdefault((kind, how), []).append(edges.ods_by_image(result))
            head_results.setdefault((kind, how), result)
            head_maps.setdefault((kind, how), maps)

# %%
CONTRASTS = [(one, how) for how in ("frozen", "tuned") for one in ("fresh", "denoising")]


def leads(scores):
    """VAE minus each control: mean and half of an interval over pictures and seeds."""
    found = {}
    for control, how in CONTRASTS:
        difference = np.subtract(scores["VAE", how], scores[control, how])  # (seeds, N)
        found[f"VAE − {control}, {how}"] = metrics.crossed_interval(difference)
    return found


head_ods = {key: metrics.crossed_interval(scores) for key, scores in head_scores.items()}
for key, (mean, half) in head_ods.items():
    print(f"{', '.join(key):<18} ODS {mean:.3f} ± {half:.3f}")
own_leads = leads(head_scores)

# %%
fig, axis = plt.subplots(figsize=(6.4, 2.6))
if study:
    recorded = dict(zip(own_leads, np.transpose([study["lead"], study["lead_half"]])))
    plots.differences(axis, recorded, "recorded study", "#D55E00", shift=-0.15)
plots.differences(axis, own_leads, "your run: a demonstration", shift=0.15)
axis.set_xlabel("difference of ODS")
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
alt = "A figure that still waits for its description, of leads, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER6
#
# The next cell runs in a longer study only (`study_steps` is 0 here): the three rates and the heads, each after `study_steps` and after twice as many steps. Each point is kept as it comes.


# %%
def recipe_point(rate, steps):
    """The recipe on a VAE of your own: its rate, and scores by picture of recipe and mixed."""
    vae = new_vae(SIGMAS[rate])
    train_vae(vae, steps)
    r = reconstruct(vae, x_val)
    own = probabilities(train_classifier(reconstruct(vae, x_train)), r)
    maps = {"recipe": own, "mixed": probabilities(on_pictures, r)}
    scores = {name: edges.ods_by_image(evaluate(suppress(m))) for name, m in maps.items()}
    return {"rate": rate_of(vae, x_val).mean(), **scores}


def heads_point(kind, steps, run):
    """Scores by picture of the frozen and of the tuned head, (N,) each."""
    maps = heads(kind, steps, run)
    return {how: edges.ods_by_image(evaluate(suppress(m))) for how, m in maps.items()}


plan = [seed, size, images, val_images, head_steps]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)
found = {}
if study_steps:
    for factor in (2, 1):  # the longer trainings first
        for run in range(seeds):
            for kind in KINDS:
                key = [kind, factor * study_steps * (kind != "fresh"), run]
                found[kind, factor, run] = store.result(
                    "heads", lambda: heads_point(*key), key=key
                )
        for rate in SIGMAS:
            key = [rate, factor * study_steps]
            found[rate, factor] = store.result("recipe", lambda: recipe_point(*key), key=key)


def study_results():
    """What the record keeps: means and intervals at both lengths, and what twice the steps do."""
    kept = {}
    for factor in (1, 2) if found else ():
        scores = {}  # (seeds, N) each
        for kind in KINDS:
            for how in ("frozen", "tuned"):
                scores[kind, how] = [found[kind, factor, run][how] for run in range(seeds)]
                ods = metrics.crossed_interval(scores[kind, how])
                kept[f"study_{kind}_{how}_{factor}"] = ods
        name = "" if factor == 2 else "_short"
        kept["lead" + name], kept["lead_half" + name] = np.transpose(list(leads(scores).values()))
        for rate in SIGMAS:
            point = found[rate, factor]
            mixed = np.subtract(point["mixed"], point["recipe"])
            kept[f"study_{rate}_{factor}"] = [point["rate"], np.mean(point["recipe"])]
            kept[f"study_mixed_{rate}_{factor}"] = metrics.confidence_interval(mixed)
    for rate in SIGMAS if found else ():
        change = np.subtract(found[rate, 2]["recipe"], found[rate, 1]["recipe"])
        kept[f"study_length_{rate}"] = metrics.confidence_interval(change)
    for kind in ("VAE", "denoising") if found else ():
        for how in ("frozen", "tuned"):
            pairs = [[found[kind, factor, run][how] for run in range(seeds)] for factor in (2, 1)]
            change = metrics.crossed_interval(np.subtract(*pairs))
            kept[f"study_length_{kind}_{how}"] = change
    return kept


# %% [markdown]
# ## Few pixels are edges
#
# Count the pixels that at least half of the annotators drew. A classifier that says *no edge* everywhere is right for nearly all pixels, and its F is zero. So, it is often argued, the rare class must weigh more. HED (Xie and Tu, 2015) weighs the edge pixels of each picture by the share of the others, and the others by the share of edges; RCF (Liu and others, 2017) leaves out pixels that only a minority drew. `EdgeCrossEntropy(balanced=True)` does both.
#
# The plain loss asks for the probability $p$ itself. Where the place of an edge is uncertain by a pixel or two, the right probability *is* small everywhere. With weights $w_1$ for edges and $w_0$ for the rest, the best answer $q$ has other odds:
#
# $$\frac{q}{1-q} = \frac{w_1}{w_0}\,\frac{p}{1-p}, \qquad \frac{w_1}{w_0} = \frac{\text{share of no edge}}{1.1 \cdot \text{share of edges}}.$$
#
# The shares are those **of each picture**, so the factor differs from picture to picture. A network does not know the shares of a new picture, and learns something in between.

# %%
edge_share = (share_train >= 0.5).mean(axis=(1, 2, 3))  # (N,)
rest_share = (share_train == 0).mean(axis=(1, 2, 3))
factors = rest_share / (1.1 * np.maximum(edge_share, 1 / share_train[0].size))
typical = float(np.median(factors))
print(f"drawn by half of the annotators: {edge_share.mean():.3f} of the pixels")
print(f"w₁/w₀: {factors.min():.0f} to {factors.max():.0f}, median {typical:.0f}")

# %% [markdown]
# > **Predict first.** Plain and balanced, the same head on an encoder that started from fresh weights. Which has the better F at threshold 0.5? The better ODS? And if we divide the odds of the balanced one by the median factor ("mapped back"), is it a probability again?

# %%
plain = head_maps["fresh", "tuned"]
encoder = new_encoder("fresh", 0)
balanced = probabilities(train_head(encoder, True, balanced=True), x_val)
balanced = balanced.clip(1e-9, 1 - 1e-9)
odds = balanced / (1 - balanced) / typical
loss_maps = {"plain": plain, "balanced": balanced, "mapped back": odds / (1 + odds)}
near = away <= 2  # pixels at most 2 from an edge that half of the annotators drew

imbalance = {}
for name, maps in loss_maps.items():
    result = evaluate(suppress(maps))
    by_picture[name] = edges.ods_by_image(result)
    half = edges.benchmark(maps, val_set.annotations, [0.5], TOLERANCE).ods
    everywhere = metrics.expected_calibration_error(maps, share_val)
    close = metrics.expected_calibration_error(maps[near], share_val[near])
    imbalance[name] = [half, result.ods, everywhere, close, float(maps.max())]
    print(f"{name:<12} F at 0.5 {half:.3f}, ODS {result.ods:.3f}, ", end="")
    print(f"calibration error {everywhere:.3f} everywhere, {close:.3f} near edges")
balanced_gain = paired("balanced", "plain")
print("balanced − plain: ODS {:+.3f} ± {:.3f}".format(*balanced_gain))

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.8, 4.0))
plots.reliability(axes[0], loss_maps, share_val)
plots.reliability(axes[1], {name: m[near] for name, m in loss_maps.items()}, share_val[near])
for axis, title in zip(axes, ("all pixels", "at most 2 pixels from an edge")):
    axis.set(title=title, xlabel="probability that the network says")
axes[0].set_ylabel("share of annotators")
alt = "A figure that still waits for its description, of reliability, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER7
#
# **Exercise 2.** At some kind of place, one pixel in ten is an edge. In all pictures alike, 3 % of the pixels are edges and 97 % were drawn by nobody. Which probability does a network with the balanced loss (factor 1.1) learn to say there?

# %%
your_answer = None  # ← your number
compare("probability", your_answer, 0.766, "Odds of 1 to 9, times the factor w₁/w₀.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# The odds are 1 to 9; the factor is 0.97/(1.1 · 0.03) = 29.4. So the network says odds of 3.27, a probability of 0.77, where nine of ten pixels are no edge.
#
# </details>
#
# ## From a band to a line
#
# A network that does not know an edge's place to the pixel answers with a band. **[Non-maximum suppression](../docs/site/glossary.md#term-non-maximum-suppression)** makes a line of it. It asks each pixel: in which direction does the map change here (that is *across* the line)? Is there a higher value one step away in that direction, or against it? If so, the pixel goes.
#
# The gradient of a band points up the slope from both sides, so its average over a neighbourhood is nearly nothing. Its *products* do not cancel: opposite gradients have the same $g_x^2$, $g_y^2$ and $g_x g_y$. Their averages form a 2×2 matrix, the **structure tensor**, and its main axis is the direction across. We test it on bands whose direction we know.


# %%
def ridge(strength):
    """Keeps a pixel if the map is no higher one pixel away across the line; and the direction."""
    gy, gx = np.gradient(strength)
    yy, xx, xy = (ndimage.gaussian_filter(g, 2.0) for g in (gy * gy, gx * gx, gy * gx))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # in which the map changes most
    y, x = np.indices(strength.shape)
    kept = np.ones(strength.shape, bool)
    for step in (-1, 1):
        place = [y + step * np.sin(angle), x + step * np.cos(angle)]
        kept &= strength >= ndimage.map_coordinates(strength, place, order=1, mode="nearest")
    return np.where(kept, strength, 0), angle


# %% tags=["nbval-check-output"]
down, right = np.indices((41, 41)) - 20
for degrees in (0, 20, 45, 70, 90):
    direction = math.radians(degrees)
    across = right * math.cos(direction) + down * math.sin(direction)  # signed distance
    line, angle = ridge(np.exp(-0.5 * (across / 2) ** 2))  # a band of width 2
    inside = (np.hypot(down, right) < 14) & (line > 0.1)
    far = np.abs(across[inside]).max()
    print(f"across at {degrees:2d}°: {inside.sum()} pixels left, at most {far:.2f} from the line")
    assert far < 0.75

# %% [markdown]
# What is left lies within three quarters of a pixel of the true line. What does suppression do for the *score*? The benchmark matches one to one, so one might think that every pixel of a wide band but one is an error.
#
# > **Predict first.** A straight line that one person drew, and a detector that answers with a band of 3, 5 or 9 pixels around it, without suppression. What are precision and F?

# %% tags=["nbval-check-output"]
truth = np.zeros((1, 1, 64, 64), "uint8")
truth[..., 32, 8:56] = 1
for width in (1, 3, 5, 9):
    band = np.zeros((1, 64, 64))
    band[:, 32 - width // 2 : 33 + width // 2, 8:56] = 1
    result = edges.benchmark(band, truth[0][None], [0.5], TOLERANCE)
    print(f"band of {width}: precision {result.ods_precision:.3f}, F {result.ods:.3f}")
    assert result.ods_precision == 1

# %% [markdown]
# The precision is 1 for every width: the benchmark **thins** each thresholded map to lines of one pixel before it matches. Only the ends of the line are lost. So suppression is not there to spare the width. It decides *where* the line runs: at a low threshold a band is wide and lopsided, or joins its neighbour, and thinning then finds the middle of what is above the threshold, while suppression finds the crest. How much is that on real maps?

# %%
lines = suppress(plain)
for name, maps in {"suppressed": lines, "thinned only": list(plain)}.items():
    by_picture[name] = edges.ods_by_image(evaluate(maps))
suppression = paired("suppressed", "thinned only")
print("suppressed − thinned only: ODS {:+.3f} ± {:.3f}".format(*suppression))

# %%
pick = int(np.argmax(share_val.mean(axis=(1, 2))))  # the picture with the most edge pixels
strength = plain[pick]
line, angle = ridge(strength)
top_fifth = strength > np.quantile(strength, 0.8)
pictures = [x_val[pick], 1 - strength, ~top_fifth, 1 - line]
pictures += [1 - edges.nms(strength, border=0), 1 - share_val[pick]]
labels = ["picture", "graded map", "top fifth of it", "our ridge", "the helper's", "annotators"]
fig = plots.image_grid([pictures], column_labels=labels)
alt = "A figure that still waits for its description, of band and line, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER8
#
# ## Whom does the network agree with?
#
# The head learned from the mean of five annotators, none of whom drew that mean. The *careful* one marks the exact edges, the *unsteady* one the same a pixel away, the *hasty* one overlooks objects that hardly stand out, the *zealous* one adds contours of the texture, and the *outliner* leaves out lines between two objects.
#
# > **Predict first.** Score the network's lines against each of the five alone. With which one does it agree most, and with which one least?

# %%
agreement = []  # ODS and half of its interval, for each annotator
for person in range(people):
    alone = [drawn[[person]] for drawn in val_set.annotations]  # (1, H, W) each
    result = evaluate(lines, alone)
    agreement.append(metrics.confidence_interval(edges.ods_by_image(result)))
    print("annotator {}: ODS {:.3f} ± {:.3f}".format(person + 1, *agreement[-1]))

# %% [markdown]
# ANSWER9
#
# ## Everything in one figure
#
# Each curve is a detector with its threshold swept; the dot is its best F, the ODS. Faint lines join points of equal F.

# %% tags=["picture"]
finals = {"head, fresh": head_results["fresh", "tuned"]}
finals |= {"classifier, picture": recipe["picture"], "recipe": recipe["recipe", *shown]}
finals |= {name: classics[name, "picture", 0.0] for name in reversed(edges.CLASSICS)}
finals["random numbers"] = floor
fig, axis = plt.subplots(figsize=(6.2, 5.6))
plots.precision_recall(axis, finals, human)
alt = "A figure that still waits for its description, of precision recall, ALT."
plots.show(fig, alt=alt)

# %% [markdown]
# ANSWER10

# %% tags=["results"]
results = {"floor": floor.ods, "human": human.ods if human else 0.0, "rates": list(rates.values())}
results |= {"picture": metrics.confidence_interval(by_picture["picture"])}
for key in vaes:
    name = "_".join(key)
    results[f"recipe_{name}"] = recipe["recipe", *key].ods
    results[f"mixed_{name}"] = recipe["mixed", *key].ods
    results[f"lost_{name}"] = paired(("recipe", *key), "picture")
    results[f"mixed_gain_{name}"] = paired(("mixed", *key), ("recipe", *key))
results |= {f"length_{rate}": change for rate, change in lengths.items()}
results |= {f"slope_{name}".replace(" ", "_"): values for name, values in slopes.items()}
for name, values in bands.items():
    results["band_" + name.replace(", ", "_").replace(" ", "_")] = values / values.max()
for name in edges.CLASSICS:
    for source in ("picture", "reconstruction"):
        cases = [(name, source, noise) for noise in NOISES]
        results[f"{name}_{source}"] = [classics[case].ods for case in cases]
        results[f"{name}_{source}_blur"] = [blurs[case] for case in cases]
    results[f"{name}_gap"] = np.transpose([gaps[name, noise] for noise in NOISES])
results |= {"head_" + "_".join(key): interval for key, interval in head_ods.items()}
results["own_lead"], results["own_lead_half"] = np.transpose(list(own_leads.values()))
results |= {f"loss_{name}".replace(" ", "_"): values for name, values in imbalance.items()}
results |= {"edge_share": edge_share.mean(), "balanced_gain": balanced_gain}
results |= {"factors": [factors.min(), typical, factors.max()], "suppression": suppression}
results["agreement"], results["agreement_half"] = np.transpose(agreement)
results |= study_results()
record(results, {}, f"ODS {recipe['picture'].ods:.2f} from pictures")

# %% [markdown]
# ## What you saw
#
# SUMMARY
#
# ## Check yourself
#
# QUESTIONS
#
# ## On your own
#
# OWN
#
# ## References
#
# REFS
