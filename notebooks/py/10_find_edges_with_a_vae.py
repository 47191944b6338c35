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
# # Find edges with a VAE
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/10_find_edges_with_a_vae.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/10_find_edges_with_a_vae.ipynb) <!--badges-->
#
# ![An astronaut, a cup of coffee and a cat; below them the network's edges, mostly outlines of things, and Canny's, which fill hair, fur and the table's grain with lines as well.](../docs/pictures/10.png) <!--picture-->
#
# A VAE learns to describe pictures without being told anything about them. An edge detector has to know where one thing ends. Does the first help with the second? There is a recipe that says yes: pass each picture through the VAE, and give what comes out to a small classifier of pixels. This notebook follows the recipe, measures it, finds out what goes wrong, and then asks the same VAE in a better way. At the end a network that has seen
# nothing but 200 or 300 photographs draws edges in some that it has never seen.
#
# **What you'll do**
#
# - Train the recipe's classifier on reconstructions, and its twin on the pictures themselves.
# - Give Roberts, Sobel and Canny the same choice, at three levels of noise.
# - Put an edge head on the VAE's inner features, beside heads whose encoder learned something else, or nothing.
# - Watch what class-balanced losses do to probabilities, and build the step that turns a grey band into a line.
# - Read one precision–recall figure with everything in it, and go on to photographs.
#
# **What you'll learn**
#
# - Pixel losses remove edges first. What a VAE draws and what it knows are two things.
# - Features learned without labels can be worth a lot. Whether it is the *VAE* that they owe it to, only twins can tell.
# - An edge probability can be honest or balanced, not both, and a benchmark does not see the difference.
#
# **What you'll need**
#
# - How edges are scored: the second half of notebook `01` (tolerance, one-to-one matching, ODS, OIS, AP). What a VAE is: notebook `03`.
# - About 5 minutes on 2 CPU cores and 2 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # or "bsds500", photographs with the edges that people drew in them
seed = 0  # of the first weights and of every random draw
seeds = 3  # trainings with different first weights, where a claim needs them
size = 64  # side of the pictures in pixels; of bsds500 so much is cut from the middle
images = 1500  # pictures without labels, for the VAE and its twins
labelled = 100  # the first so many of them, whose edges are known to the classifiers
edge_images = 60  # pictures to score on
treatment = "share"  # what a classifier is told of the annotators: share, majority, any, one
tolerance = 0.02  # largest distance of an edge match, as a share of the picture's diagonal
thresholds = 25  # thresholds of the edge benchmark
vae_steps = 700  # training steps of each VAE and autoencoder, 8 pictures each
head_steps = 200  # training steps of each classifier, 16 pictures each
noises = [0.0, 0.1, 0.2]  # standard deviations of the noise added for the classical detectors
headline_epochs = 0  # epochs of the long training on whole photographs; 0 leaves it out
vae_epochs = 10  # epochs of the VAE that goes before it
steps_per_epoch = 100  # training steps an epoch, 8 crops each
crop = 240  # side of the crops in pixels
batch_size = 8  # crops in a step of it
widths = [16, 32, 32, 32]  # channels of each level of the long-trained network
depths = [2, 2, 2, 2]  # convolutions of each level
headline_learning_rate = 0.003  # highest learning rate of the long training
split = "val"  # what the long-trained network is scored on; "test" in a recorded run, once
cache_dir = ""  # folder from which a stopped long training goes on; "" keeps nothing
keep_weights = False  # store the long-trained network with the project
image_path = ""  # a photograph of yours to find edges in; "" takes three of scikit-image's
precision = "float32"  # of the layers; a GPU is faster with "mixed_float16" or "mixed_bfloat16"
xla = False  # whether TensorFlow compiles trainings with XLA; JAX always does

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "bsds500"], seed=range(2**32), seeds=range(1, 21), size=range(32, 257, 8),
    images=range(16, 4001), labelled=range(16, 4001), edge_images=range(2, 1001), thresholds=range(3, 100),
    tolerance=(0.001, 0.1), treatment=["share", "majority", "any", "one"], noises={"list_of": (0.0, 1.0)},
    vae_steps=range(1, 100_001), head_steps=range(1, 100_001), headline_epochs=range(2001), cache_dir=str,
    vae_epochs=range(1, 2001), steps_per_epoch=range(1, 10_001), crop=range(32, 321, 16), image_path="image",
    widths={"list_of": range(4, 257)}, depths={"list_of": range(1, 9)}, headline_learning_rate=(1e-5, 0.1), xla=bool,
    batch_size=range(1, 257), split=["val", "test"], keep_weights=bool,
    precision=["float32", "mixed_float16", "mixed_bfloat16"],
)  # fmt: skip
set_up(seed, precision, xla)

# %%
import math

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy import ndimage

from helpers import data, edges, metrics, models, plots, pyramids
from helpers.backend import compile_options, use_xla
from helpers.edges.scores import score
from helpers.experiments import photo_edges
from helpers.pretrained import load as load_pretrained
from helpers.segmentation import EdgeCrossEntropy, milliseconds
from helpers.training import fit_steps

plots.use()
rng = np.random.default_rng(seed)


# %%
def compare(name, yours, true, hint):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.3g}'}")
    assert yours is None or abs(yours - true) <= 0.01 * abs(true), f"{name} differs. {hint}"


def scored(maps, suppress=True):  # Berkeley benchmark of graded edge maps of the val pictures
    maps = [edges.nms(m, border=0) for m in maps] if suppress else maps
    return edges.benchmark(maps, val.annotations, thresholds, tolerance)


# %% [markdown]
# ## What is given
#
# The pictures are those of notebook `01`: coloured discs, squares and triangles on photographed brick, grass and gravel, and five annotators with habits. Most pictures come without labels; anybody can have those. For a few, the edges are known. We measure on pictures of the *val* split, with the tolerance of 0.02 of the diagonal that `01` explains, and non-maximum suppression before it for every graded map.
#
# The target of every classifier is the **share** of annotators who drew a pixel: 1 where all did, 0.2 where one of five did. With cross-entropy as the loss, the best answer is the probability that an annotator, picked by lot, marks the pixel. (The parameter `treatment` tells the classifiers something else: what the majority drew, what anybody drew, or what one annotator drew. The sweep `10.annotators.yaml` compares the four.)

# %%
options = {"crop": size} if dataset == "bsds500" else {"size": size}
train = data.load(dataset, "train", limit=images, **options)
val = data.load(dataset, "val", limit=edge_images, **options)
known = train.subset(slice(labelled))  # the only ones whose edges may be used
x, held, drawn = map(data.to_float, (train.images, val.images, val.edges))  # (N, H, W, …)
edged = x[:labelled], edges.combine(known.annotations, treatment, seed)[..., None]
taught, share = (np.concatenate([np.rot90(a, k, (1, 2)) for k in range(4)]) for a in edged)
human = edges.human_level(val.annotations, tolerance)
print(f"{len(x)} pictures to learn from, edges known in {len(known)}; {len(held)} to score on")

# %% [markdown]
# ## The recipe
#
# In words: *train a VAE, feed each picture through it, and give the reconstruction to a small convolutional classifier that says edge or no edge.*
#
# Our VAE is a small pyramid (`helpers.pyramids`). Its encoder halves the picture three times and keeps what it finds at each resolution; the code has 8 numbers at each place of a grid with an eighth of the side. The likelihood is Gaussian with σ = 0.08, somewhat above the noise of the pictures. The next cell prepares three ways to come by an encoder, of which this section uses the first: train the VAE; train a **denoising autoencoder** (the same two networks and as many steps, noise added to the input, squared error to the clean picture, no KL); or leave the weights **random**. The last gets one favour: its normalisation layers are shown some pictures, so that its features have the usual scale.


# %%
def networks(run):  # fresh: levels of 1/2, 1/4, 1/8 of the size, and a code of 8 channels
    keras.utils.set_random_seed(run)
    return pyramids.pyramid_networks((size, size, 3), 8, (16, 32, 48), (1, 1, 2))


encoder, decoder = networks(seed)
vae = models.VAE(encoder, decoder, likelihood="gaussian", sigma=0.08, seed=seed)
auto = keras.Model(encoder.input, decoder(encoder.outputs[0]))  # the same two networks, no VAE
auto.compile(keras.optimizers.Adam(), "mse", **compile_options())
noisy = np.clip(x + 0.1 * rng.standard_normal(x.shape, "float32"), 0, 1)


def pretrained(kind, run):
    """Weights of an encoder from seed `run` on, after training on pictures without labels."""
    fresh = models.VAE(*networks(run), likelihood="gaussian", sigma=0.08, seed=run)
    vae.set_weights(fresh.get_weights())
    if kind == "VAE":
        fit_steps(vae, x, vae_steps, 8)
    elif kind == "denoising":
        fit_steps(auto, noisy, vae_steps, 8, y=x)
    else:  # random
        for start in range(0, min(640, len(x)), 32):
            encoder(x[start : start + 32], training=True)
    return encoder.get_weights()


# %%
def redraw(pictures):
    return np.clip(vae.predict(pictures, verbose=0), 0, 1)


starts = {("VAE", seed): pretrained("VAE", seed)}
rate, redrawn = float(keras.ops.mean(vae.terms(held)[1])), redraw(held)
print(f"rate {rate:.0f} nats a picture, squared error {np.mean((redrawn - held) ** 2):.4f}")

# %% [markdown]
# The classifier has three convolutions; each pixel's answer sees 7×7 pixels.
#
# > **Predict first.** Three classifiers: trained and used on pictures; trained and used on reconstructions; trained on pictures and used on reconstructions ("mixed", which is what one gets when the recipe is coded carelessly). Order them by ODS. How far apart are the first two?


# %%
def small_classifier(pictures):  # the recipe's classifier of pixels, trained on `pictures`
    keras.utils.set_random_seed(seed)
    stack = [keras.Input((size, size, 3)), layers.Rescaling(4.0, offset=-2.0)]
    stack += [layers.Conv2D(16, 3, padding="same", activation="relu") for _ in range(2)]
    model = keras.Sequential([*stack, layers.Conv2D(1, 3, padding="same")])
    model.compile(keras.optimizers.Adam(), EdgeCrossEntropy(), jit_compile=use_xla())
    fit_steps(model, pictures, 2 * head_steps, 16, 0.005, y=share)
    return model


def probabilities(model, pictures):  # of an edge at each pixel, (N, H, W), from logits
    return 1 / (1 + np.exp(-model.predict(pictures, verbose=0)[..., 0].astype("float64")))


# %%
on_image, on_redrawn = small_classifier(taught), small_classifier(redraw(taught))
said = {"picture": probabilities(on_image, held), "mixed": probabilities(on_image, redrawn)}
said["reconstruction"] = probabilities(on_redrawn, redrawn)
recipe = {name: scored(maps) for name, maps in said.items()}
print(*(f"{name:<15}{result}" for name, result in recipe.items()), sep="\n")

# %%
rows = [held, redrawn, 1 - said["picture"], 1 - said["reconstruction"], 1 - drawn]
labels = ["picture", "reconstruction", "edges, picture", "edges, rec.", "annotators"]
fig = plots.image_grid([list(row[:7]) for row in rows], row_labels=labels)
alt = "Seven pictures in columns. The reconstructions keep place and colour of the objects as soft blobs; texture and corners are gone. The edges found in the pictures are thin outlines with some marks in the background; those found in the reconstructions are wide, pale bands around the blobs. Annotators drew thin outlines."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the classifier reaches an ODS of 0.603<!--=picture[0]--> on pictures, and 0.429<!--=reconstruction[0]--> where it was trained and used on reconstructions. The recipe loses more than a quarter of what the same classifier finds without it, after a training that the classifier on pictures did not need. The mixed case has 0.498<!--=mixed[0]-->: what looks like an edge in a picture does not look like one in a reconstruction, and a classifier has to be trained on what it will see.
#
# The rows of pictures show the price. The outlines in the fourth row run round the blobs: corners are cut off, neighbours melt into one, and faint objects are gone before the classifier gets a chance. (The grid that shines through the reconstructions is the mark of the 2×2 blocks that the decoder draws in. It fades with longer training.)
#
# Where did the edges go? For every pixel, take its distance to the nearest edge that at least half of the annotators drew, and average the slope (the Sobel magnitude of notebook `01`) over all pixels at the same distance.

# %%
away = np.rint([ndimage.distance_transform_edt(picture < 0.5) for picture in drawn])
fig, axis = plt.subplots(figsize=(5.6, 3.0))
profiles = {}
for name, pictures, style in (("picture", held, "-o"), ("reconstruction", redrawn, "--s")):
    slope = np.stack([edges.gradient_magnitude(p) for p in pictures])
    profiles[name] = [slope[away == d].mean() for d in range(8)]
    axis.plot(range(8), profiles[name], style, label=name)
axis.set(xlabel="distance to the nearest edge (pixels)", ylabel="mean slope", ylim=(0, None))
axis.legend()
alt = "Mean slope over the distance to the nearest edge. In the pictures it is highest at the edge, falls steeply within two pixels and stays level from there. In the reconstructions it starts at about a third of that and falls slowly, over five pixels."
plots.show(fig, alt=alt)

# %% [markdown]
# In a picture the slope at an edge is 2.8<!--=slope_picture[2]--> times as steep as seven pixels away, and after two pixels nothing is left of the difference. In a reconstruction the ratio is 2.5<!--=slope_reconstruction[2]-->. At the edge itself the slope has fallen from 0.155<!--=slope_picture[0]--> to 0.063<!--=slope_reconstruction[0]-->, and the hill is wide: the place of the edge has been averaged over. Texture went too; that is why the ratio did not fall further.
#
# Is the code too small for edges? It carries 547<!--=rate--> nats a picture. Put that beside what an outline costs.
#
# **Exercise 1.** A disc has its centre on one of 64×64 pixels and one of 16 radii, all equally likely. How many nats does it take to name it?

# %%
your_nats = None  # ← your number
compare("nats", your_nats, math.log(64 * 64 * 16), "The logarithm of the number of cases.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# 65,536 equally likely cases cost ln 65,536 = 11.1 nats. Colour, turn and class add some more; two or three objects, fifty or a hundred nats.
#
# </details>
#
# So there is room in the code for every outline, several times over. What is missing is a reason to use it so. The likelihood adds up squared errors over *all* pixels, and the outlines are a few hundred of thousands. To say which way a blade of grass bends pays as well as to say where a disc ends, and an edge that is half a pixel off costs nearly as much as a blurred one. Notebook `06` has the rest of the argument: where the code leaves a place open, the best mean is a ramp. **A pixel loss does not know that edges matter.**
#
# ## Do the classics gain from a reconstruction?
#
# Roberts, Sobel and Canny look at slopes, and suffer from noise. A reconstruction has no noise: the VAE was paid to leave out what it could not foretell. So if the recipe helps anyone, it should help them, and most in noisy pictures. We add Gaussian noise, on top of the little that the pictures have, and give each detector the picture or its reconstruction. (The VAE saw no such noise in training.) Each of the 18 cases gets the blur that suits it best, chosen on training pictures, and non-maximum suppression; Canny keeps a low threshold of 0.4 times the high one.
#
# > **Predict first.** At which level of noise does the reconstruction overtake the picture: for Roberts, which has the least protection against noise? For Canny?

# %%
few, classics, blurs = min(30, labelled), {}, {}
for noise in noises:
    noised = [np.clip(p + rng.normal(0, noise, p.shape), 0, 1) for p in (x[:few], held)]
    versions = {"picture": noised, "reconstruction": list(map(redraw, noised))}
    for version, (tuning, scoring) in versions.items():
        for name in edges.CLASSICS:
            pair, case = (tuning, known.annotations[:few]), (name, version, noise)
            setting = edges.tune_classical(name, *pair, max_distance=tolerance)
            maps = edges.classical_maps(name, scoring, *setting, thresholds)
            blurs[case], classics[case] = setting[0], scored(maps, suppress=False)
            print(*case, f"of noise: blur {setting[0]}, ODS {classics[case].ods:.3f}")

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.4, 3.0), sharey=True)
for axis, name in zip(axes, edges.CLASSICS):
    for version, style in (("picture", "-o"), ("reconstruction", "--s")):
        axis.plot(noises, [classics[name, version, n].ods for n in noises], style, label=version)
    axis.set(title=name, xlabel="noise added (std)", ylabel="ODS", ylim=(0, 1))
axes[0].legend()
alt = "ODS of Roberts, Sobel and Canny over the noise added, on pictures and on reconstructions. In each of the three panels the line of the pictures lies above that of the reconstructions at every level of noise; both fall slowly."
plots.show(fig, alt=alt)

# %% [markdown]
# At no level, for none of the three. Canny on pictures goes from 0.600<!--=canny_picture[0]--> without added noise to 0.570<!--=canny_picture[2]--> at a standard deviation of 0.2, which is a lot of noise; on reconstructions from 0.544<!--=canny_reconstruction[0]--> to 0.517<!--=canny_reconstruction[2]-->. For Roberts the numbers are 0.559<!--=roberts_picture[0]--> and 0.519<!--=roberts_picture[2]--> on pictures, 0.552<!--=roberts_reconstruction[0]--> and 0.500<!--=roberts_reconstruction[2]--> on reconstructions: its two lines come closer and do not cross.
#
# If you predicted a crossing (we did, for Roberts at the strongest noise), here is what was overlooked. The control is not the naked operator but the operator *with its own blur*, and a Gaussian 2<!--=sobel_picture_blur[0]--> pixels wide takes most of the noise out without moving an edge. The VAE does take noise out, which is why its lines are the flatter ones in two of three panels; but it starts lower, because it is a smoother with a large vocabulary and a poor sense of place. Roberts with the right blur is not far behind Sobel, by the way: most of the difference that notebook `01` saw between the two was blur.
#
# ## Ask the encoder, not the decoder
#
# The decoder throws away what its loss does not pay for. But to make its code, the encoder had to look at the picture, at several resolutions. Perhaps the knowledge is there. So put the classifier on the encoder's *inner features*: `pyramids.segmentation_head` starts at the coarsest level and works its way up, adding the features of each finer level as it comes (a U-Net in shape, with the encoder as its left half). Another head gets the code alone, the mean μ of q(z|x). The encoder may be **frozen**, so that only the head learns, or **tuned** along with it.
#
# Now the claim "the VAE helps" needs its twins: the same network, the same labelled pictures, the same steps, but an encoder that starts from the **denoising** autoencoder's weights, or from **random** ones. (To make a few pictures go further, all see them in four turns.) Three seeds each, and for each arm the difference to the first row, seed by seed, with a 95 % interval by Student's t. We say that the VAE helps only if its lead over the *best* twin is positive over the whole interval.
#
# > **Predict first.** With edges known in a hundred pictures: how far do random weights get, frozen and tuned? Does pretraining help when all weights may move anyway? Does it matter whether it was a VAE? And how good is the code alone?

# %%
compiled = {}  # heads of one kind share one compiled model: use it before you train the next


def trained_head(start, parts, how, run, balanced=False):
    """An edge head on an encoder's levels or code, from the encoder's weights `start` on."""
    base, _ = networks(run)
    base.set_weights(start)
    base.trainable = how == "tuned"  # frozen, its normalisation stays as it is, too
    features = pyramids.levels(base) if parts == "levels" else base.outputs[:1]
    fresh = pyramids.segmentation_head(base.input, features, 1)
    model = compiled.setdefault((parts, how, balanced), fresh)
    model.set_weights(fresh.get_weights())
    if not model.compiled:
        loss = EdgeCrossEntropy(balanced)
        model.compile(keras.optimizers.Adam(), loss, **compile_options())
    fit_steps(model, taught, head_steps, 16, 0.01, y=share)
    return model


# %%
kinds = ("VAE", "denoising", "random")
arms = [(kind, "levels", how) for how in ("tuned", "frozen") for kind in kinds]
arms += [("VAE", "code", how) for how in ("tuned", "frozen")]
found, first = {arm: [] for arm in arms}, {}
for run in range(seed, seed + seeds):
    for kind in kinds:
        if (kind, run) not in starts:
            starts[kind, run] = pretrained(kind, run)
    for arm in arms:
        maps = probabilities(trained_head(starts[arm[0], run], *arm[1:], run), held)
        found[arm].append(scored(maps))
        first.setdefault(arm, maps)

# %%
ods = {arm: np.array([result.ods for result in results]) for arm, results in found.items()}
table = {
    a: (*metrics.confidence_interval(v), *metrics.confidence_interval(ods[arms[0]] - v))
    for a, v in ods.items()
}
for arm, row in table.items():
    cells = "ODS {:.3f} ± {:.3f}; first row minus this {:+.3f} ± {:.3f}".format(*row)
    print(f"{' '.join(arm):<25}{cells}")
rivals = [("random", "levels", "tuned")]
rivals += [arm for arm in arms if arm[0] != "VAE" and arm not in rivals]
said, fresh = metrics.verdict(ods, arms[0], rivals), table[rivals[0]][2:]
best, twin, verdict = said["rival"], (said["gain"], said["gain_half"]), said["word"]
print(f"best twin: {' '.join(best)}; verdict: {verdict}")
fig, axis = plt.subplots(figsize=(6.4, 3.2))
plots.intervals(axis, {" ".join(arm): row[:2] for arm, row in table.items()}, "ODS")
alt = "Bars of ODS for eight heads. Heads on all levels whose encoder is tuned stand highest and level with each other. Frozen ones come next, those of the VAE and the denoising autoencoder level and random ones clearly lower. The tuned code is as low as random features, the frozen code far below."
plots.show(fig, alt=alt)

# %% [markdown]
# *Nothing helps*, says the line below the table. With all weights free to move, the head whose encoder came from the VAE reaches an ODS of 0.784<!--=vae_levels_tuned[0]--> ± 0.037<!--=vae_levels_tuned[1]-->, from the denoising autoencoder 0.782<!--=denoising_levels_tuned[0]-->, from random weights 0.777<!--=random_levels_tuned[0]-->. Seed by seed, the VAE's lead over the best of its twins is 0.002<!--=lead--> ± 0.020<!--=lead_half-->. If there is a gain, three seeds cannot see it. (The parameter file `10.full-shapes.yaml` asks with five seeds and longer trainings.)
#
# Frozen, it is another picture. On the VAE's features the head reaches 0.700<!--=vae_levels_frozen[0]-->, on random ones 0.598<!--=random_levels_frozen[0]-->. So training without labels *did* find features that edges can use. But the denoising autoencoder's are as good, 0.697<!--=denoising_levels_frozen[0]-->; whatever was learned, no KL was needed to learn it. And a few hundred steps with labels find better features than either, from any start.
#
# Now compare with the recipe. The same VAE, asked through its decoder, gave 0.429<!--=reconstruction[0]-->; asked through its inner features, and left untouched, 0.700<!--=vae_levels_frozen[0]-->. (The two classifiers differ as well, so not all of it is the features. But random features in the same head get 0.598<!--=random_levels_frozen[0]-->, about as much as the small classifier on pictures.) The code alone gives 0.358<!--=vae_code_frozen[0]-->: it says *what* is there, and *where* only to about an eighth of the side. Tuned, with labels that pay for places, the same channels carry 0.544<!--=vae_code_tuned[0]-->.
#
# ## One pixel in thirty
#
# Count the pixels that at least half of the annotators drew: it is one in about thirty. A classifier that says *no edge* everywhere is right for 97 % of the pixels, and its F is zero. So, it is often argued, the rare class must weigh more. HED (Xie and Tu, 2015) weighs the edge pixels of each picture by the share of the others and the others by the share of edges, so that both sides have the same say; RCF (Liu and others, 2017) leaves out pixels that only a minority drew, and that is `EdgeCrossEntropy(balanced=True)`.
#
# But look at what the plain loss asks for. Its best answer is the probability itself, and if an edge is uncertain by a pixel or two, then the right probability *is* small everywhere. No threshold at 0.5 was ever promised. The balanced loss moves the answer: with weights $w_1$ for edges and $w_0$ for the rest, the best answer $q$ at a place of true probability $p$ has the odds
#
# $$\frac{q}{1-q} = \frac{w_1}{w_0}\,\frac{p}{1-p}, \qquad \frac{w_1}{w_0} = \frac{\text{share of no edge}}{1.1 \cdot \text{share of edges}}.$$
#
# One factor on the odds, the same at every pixel. So it can be undone, which the cell tries as a third row ("mapped back").
#
# > **Predict first.** Plain and balanced, the same head on the same encoder. Who has the better F at threshold 0.5? The better ODS? Whose probabilities can be taken at their word? And does mapping back mend them?

# %%
edge, rest = float(np.mean(known.edges >= 128)), float(np.mean(known.edges == 0))
model = trained_head(starts["VAE", seed], "levels", "tuned", seed, balanced=True)
answers = {"plain": first[arms[0]], "balanced": probabilities(model, held)}
odds = answers["balanced"] / (1 - answers["balanced"]) * 1.1 * edge / rest
answers["mapped back"] = odds / (1 + odds)
print(f"drawn by half of the annotators: {edge:.3f} of the pixels; by nobody: {rest:.3f}")
imbalance = {}
for name, maps in answers.items():
    half = edges.benchmark(maps, val.annotations, [0.5], tolerance).ods
    gap = metrics.expected_calibration_error(maps, drawn)
    imbalance[name] = [half, scored(maps).ods, gap, maps.mean()]
    print(f"{name:<12}", "F at 0.5 {:.3f}, ODS {:.3f}, gap {:.3f}".format(*imbalance[name]))
fig, axis = plt.subplots(figsize=(4.6, 4.0))
plots.reliability(axis, answers, drawn)
axis.set(xlabel="probability that the network says", ylabel="share of annotators")
alt = "Share of annotators over the probability that the network says. The plain network's points lie near the diagonal. The balanced network's points lie far below it: where it says one half, few annotators drew an edge. Mapped back, they come near the diagonal again."
plots.show(fig, alt=alt)

# %% [markdown]
# At threshold 0.5 the plain network has an F of 0.022<!--=plain[0]--> and the balanced one 0.782<!--=balanced[0]-->. Read at that threshold, the plain loss seems to have failed. It has not: with the best threshold it reaches 0.798<!--=plain[1]-->, the balanced one 0.817<!--=balanced[1]-->, one training each, which is less than seeds differ. A benchmark that sweeps the threshold asks for the *order* of the pixels, and one factor on the odds leaves the order alone.
#
# The figure asks for the probabilities themselves. The plain network keeps its word: where it says 0.3, about three annotators in ten drew the pixel; the mean distance is 0.007<!--=plain[2]-->. It never says more than about a half, and rightly so, because it never knows the place to the pixel. The balanced network is off by 0.083<!--=balanced[2]--> on average. Where it says 0.7, hardly one annotator in ten drew an edge. Mapped back by the factor, the distance is 0.009<!--=mapped_back[2]-->. It does not come back all the way: balanced training left out the pixels that a minority drew, and counted a majority as everyone.
#
# So: for a map that is thresholded once, at 0.5 and without a second look, balance. For the benchmark it hardly matters. For anything that uses the probability (several annotators, samples, a decision with costs) take the plain loss, which is proper; notebook `12` does.
#
# **Exercise 2.** At some kind of place, one pixel in ten is an edge. Over all, 3 % of the pixels are edges and 97 % were drawn by nobody. Which probability does a network with the balanced loss (factor 1.1) learn to say there?

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
# A network that does not know an edge's place to the pixel answers with a band, and a benchmark that matches one to one punishes every pixel of the band but one. **Non-maximum suppression** turns the band into a line. It asks each pixel two things: in which direction does the map change here (that is *across* the line), and is there, one step away in that direction or against it, a higher value? If so, the pixel goes.
#
# The direction comes from a small trick. The gradient of the band points up the slope from both sides, so its average over a neighbourhood would cancel to nothing. Its *products* do not cancel: opposite gradients have the same $g_x^2$, $g_y^2$ and $g_x g_y$. Their averages form a 2×2 matrix (the structure tensor), and its main axis is the direction across. A test with bands whose direction we know:


# %%
def suppress(strength):
    """Keeps a pixel if the map is no higher one pixel away across the line; and the direction."""
    gy, gx = np.gradient(strength)
    yy, xx, xy = (ndimage.gaussian_filter(g, 2.0) for g in (gy * gy, gx * gx, gy * gx))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # in which the map changes most hereabouts
    y, x = np.indices(strength.shape)
    sides = [[y + s * np.sin(angle), x + s * np.cos(angle)] for s in (-1, 1)]
    rivals = [ndimage.map_coordinates(strength, s, order=1, mode="nearest") for s in sides]
    return np.where(strength >= np.maximum(*rivals), strength, 0), angle


# %% tags=["nbval-check-output"]
rows, columns = np.indices((41, 41)) - 20
for degrees in (0, 20, 45, 70, 90):
    direction = math.radians(degrees)
    across = columns * math.cos(direction) + rows * math.sin(direction)  # signed distance
    line, angle = suppress(np.exp(-0.5 * (across / 2) ** 2))  # a band of width 2
    inside = (np.hypot(rows, columns) < 14) & (line > 0.1)
    far, turned = np.abs(across[inside]).max(), np.abs(np.sin(angle - direction))[inside].max()
    print(f"across at {degrees:2d}°: {inside.sum()} pixels left, at most {far:.2f} from the line")
    assert far < 0.75 and turned < 0.1

# %% [markdown]
# Five directions, and what is left lies within three quarters of a pixel of the true line. Now a band that a network drew: the picture of the val split with the most edge pixels. The orange strokes point across.

# %%
pick = int(np.argmax(drawn.mean(axis=(1, 2))))
strength = first[arms[0]][pick]
line, angle = suppress(strength)
rows = [held[pick], 1 - strength, 1 - line, 1 - edges.nms(strength, border=0), 1 - drawn[pick]]
labels = ["picture", "graded map", "our ridge", "the helper's", "annotators"]
fig = plots.image_grid([rows], column_labels=labels)
y, x_ = np.nonzero((strength > 0.3) & (np.indices(strength.shape).sum(axis=0) % 3 == 0))
turn, arrows = angle[y, x_], {"pivot": "mid", "headwidth": 1, "headlength": 0}
arrows |= {"scale": 70, "width": 0.0015}
left = size + max(1, round(0.04 * size))  # of the second picture in the grid
fig.axes[0].quiver(x_ + left, y, np.cos(turn), np.sin(turn), angles="xy", color="C1", **arrows)
alt = "One picture; the network's graded map with wide grey bands along the outlines, and short strokes across them; the ridge that our suppression keeps, one pixel wide; that of the helper, nearly the same; and what annotators drew."
plots.show(fig, alt=alt)

# %% [markdown]
# Follow one outline from left to right. The band is a few pixels wide and of uneven strength; its ridge is one pixel wide and keeps the strength. Ours and the helper's (`edges.nms`, the recipe behind most published numbers, which smooths the map first and reads the direction from second derivatives) agree where the band is clear, and differ in the faint parts. What suppression cannot do: it keeps *every* ridge, also the faint ones in the background. To drop those is the threshold's business. Where two outlines meet there is no single direction, and the line may break.
#
# Next, a cut through the strongest edge of this picture, along the stroke.

# %%
row, column = np.unravel_index(np.argmax(line * drawn[pick]), line.shape)
steps, turn = np.linspace(-6, 6, 49), angle[row, column]
ray = [row + steps * np.sin(turn), column + steps * np.cos(turn)]
fig, axis = plt.subplots(figsize=(6, 2.8))
values = {"grey value": held[pick].mean(axis=-1), "network": strength, "annotators": drawn[pick]}
for (name, value), style in zip(values.items(), ("-", "--", ":")):
    axis.plot(steps, ndimage.map_coordinates(value, ray, order=1), style, label=name)
axis.axvline(0, color="black", linewidth=0.8)
axis.set(xlabel="distance across the line (pixels)", ylabel="value", ylim=(0, 1))
axis.legend()
alt = "Three curves along a line across an edge. The grey value steps from one level to another, the network's answer is a smooth peak a few pixels wide over the step, and the annotators' share is a narrow peak at the same place."
plots.show(fig, alt=alt)

# %% [markdown]
# The grey value is a step with noise on it; the network makes a peak of it, a few pixels wide. The width says how sure it is of the place. The peak need not reach 1 even where all annotators agree: with the probability spread over two or three pixels, each gets its part. Suppression only asks where the top is.
#
# ## Whom does the network agree with?
#
# The network was trained on the mean of five annotators, none of whom drew that mean. The *careful* one marks the exact edges, the *unsteady* one the same a pixel away, the *hasty* one overlooks objects that hardly stand out, the *zealous* one adds contours of the texture, and the *outliner* leaves out lines between two objects.
#
# > **Predict first.** Score the network's lines against each of the five alone. Which one does it agree with most, and which one least?

# %%
thin, people = [edges.nms(m, border=0) for m in first[arms[0]]], min(map(len, val.annotations))
alone = [[a[[person]] for a in val.annotations] for person in range(people)]
alone = [edges.benchmark(thin, one, thresholds, tolerance).ods for one in alone]
print("ODS against each annotator:", *(f"{f:.3f}" for f in alone))

# %% [markdown]
# In the stored run the ODS is 0.799<!--=annotators[0]--> against the careful annotator, 0.744<!--=annotators[1]--> against the unsteady, 0.778<!--=annotators[2]--> against the hasty, 0.728<!--=annotators[3]--> against the zealous and 0.808<!--=annotators[4]--> against the outliner. The zealous one marks texture that the network has learned to leave alone, because four of five leave it alone. The unsteady one pays twice for a pixel's shift: it eats up most of the tolerance before the network makes its own error. Careful and outliner are nearly level: edges between two objects are few and hard to see, and who leaves them out is not far from a network that misses them. A network trained on a mean agrees most with whoever is closest to the mean, which need not be the one who is right.
#
# ## Everything in one figure
#
# Each curve is a detector with its threshold swept; the dot is its best F, the ODS. Faint lines join points of equal F.

# %%
finals = {"head, VAE": found[arms[0]][0], "head, random": found["random", "levels", "tuned"][0]}
finals |= {"small, picture": recipe["picture"], "recipe": recipe["reconstruction"]}
finals |= {name: classics[name, "picture", noises[0]] for name in reversed(edges.CLASSICS)}
print(*(f"{name:<15}{result}" for name, result in finals.items()), sep="\n")
fig, axis = plt.subplots(figsize=(5.8, 5.2))
plots.precision_recall(axis, finals, human)
alt = "Precision over recall with faint lines of equal F. The heads on the encoder's features lie highest of the programs, then Canny, Sobel, Roberts and the small classifier on pictures; the recipe on reconstructions lies far below. The square of the annotators is above all of them."
plots.show(fig, alt=alt)

# %%
counts = np.array_split(finals["Canny"].per_image, 3)
thirds = [score(finals["Canny"].thresholds, part).ods for part in counts]
print("Canny on each third of the pictures: ODS", *(f"{value:.3f}" for value in thirds))

# %% [markdown]
# Three groups. The heads on a pyramid, 0.798<!--=head_vae[0]--> after the VAE and 0.802<!--=head_random[0]--> from random weights for this seed, are far ahead: they see a wide neighbourhood, and can know grass when they see it. The small classifier on pictures, with its view of 7×7 pixels, comes out at 0.603<!--=small_picture[0]--> beside Canny's 0.600<!--=canny[0]-->, which was never trained: a learned local filter is a local filter. The recipe, 0.429<!--=recipe[0]-->, is the only learned program behind Roberts. People are at 0.918<!--=human_f-->.
#
# The line below the list has the same Canny on each third of the pictures: 0.56<!--=thirds[0]-->, 0.65<!--=thirds[1]--> and 0.62<!--=thirds[2]-->. Nothing changed but which twenty pictures were drawn. (The first third are the twenty pictures of notebook `01`, and the score is the same as there to a hundredth: it had drawn hard ones.) An ODS from a few dozen pictures is good to a few hundredths; a *comparison* on the same pictures is better than that, because most of the luck is shared.
#
# ## Photographs
#
# Discs on gravel are a toy. BSDS500 has 200 photographs to train on, 100 to choose by and 200 for the test, each with the edges that four to nine people drew. The long training (`headline_epochs`, off by default, because it takes the better part of an hour on two cores) goes like this: random crops of the photographs, turned, mirrored, lighter and darker; a pyramid of five levels trained as a VAE, without labels; then the head, tuned together with the encoder, under the class-balanced loss, since only the order of the pixels counts for the benchmark. Its twin takes the same steps from random weights. Both are scored on whole photographs at native size, with the official tolerance of 0.0075 of the diagonal; so are Roberts, Sobel and Canny, with the blur that was best on 20 *training* photographs. No choice is made on what is scored. A training that was stopped goes on where it was (`cache_dir` names the folder).
#
# > **Predict first.** Canny's published ODS is .611, and people reach .803. Where will a network with fewer than 100,000 weights come out that has seen 300 photographs and nothing else? And how much of it will it owe to the VAE?

# %%
model, long_run = load_pretrained("11-bsds500")[0], {}
if headline_epochs:
    plan = {"widths": widths, "depths": depths, "patches": [2] * len(widths)}
    learning = {"vae_epochs": vae_epochs, "epochs": headline_epochs, "learning_rate": headline_learning_rate}
    model, long_run = photo_edges.train_and_score(
        dataset, split, {**learning, "steps": steps_per_epoch, "seed": seed, "plan": plan}, cache_dir, crop=crop,
        edge_images=None if split == "test" else edge_images, batch_size=batch_size, thresholds=thresholds,
        max_distance=0.0075 if dataset == "bsds500" else tolerance, keep=f"10-{dataset}" if keep_weights else None,
    )  # fmt: skip
print(photo_edges.comparison(long_run))

# %% [markdown]
# The column *recorded* is the run with the parameter file `11.full-bsds500.yaml`, on the test photographs, read once; it is filled where that record is there. Published figures are those of [edge evaluation by MCG-NKU](https://github.com/MCG-NKU/plot-edge-pr-curves) and of the papers, single scale. Four things are not the same for all rows. HED starts from a network trained on the million labelled pictures of ImageNet, ours, like PiDiNet's, from BSDS500 alone. HED's figure is that of the collection; its paper has 0.782. Our rows of Roberts and Sobel have a blur that was chosen on train, and are thinned by non-maximum suppression; the README's table has them without. And the matching program is our own, which agrees with the official one on its five sample images to the fourth digit. A small table hides sizes, too: PiDiNet-tiny reaches 0.789 with fewer than 0.1 million weights, like our network, after training on BSDS500 and PASCAL VOC ([its authors](https://github.com/hellozhuo/pidinet)).
#
# Numbers are one thing, lines another. If a network from such a training is kept with the project, it now draws the edges of three photographs that scikit-image ships, or of your own (`image_path`). It has seen none of them.

# %% tags=["picture"]
photos = photo_edges.photographs_to_show(image_path)
if model:
    canny = edges.classical_maps("Canny", photos, 2.0, edges.steepest("Canny", photos, 2.0))
    learned = photo_edges.edge_maps(model, photos)
    rows = [photos, [1 - m for m in learned], [1 - m for m in canny]]
    fig = plots.image_grid(rows, row_labels=["photograph", "network", "Canny"], cell=2.8)
    alt = "An astronaut, a cup of coffee and a cat; below them the network's edges, mostly outlines of things, and Canny's, which fill hair, fur and the table's grain with lines as well."
    plots.show(fig, alt=alt)
    padded = np.zeros((1, 352, 512, 3), "float32")  # to multiples of 32
    print(f"{milliseconds(model, padded):.0f} ms for a photograph of 321×481")
else:
    print("No network trained on photographs is kept here: set headline_epochs to train one.")

# %% [markdown]
# The next cell records the numbers that this text speaks of.

# %% tags=["results"]
results = {"human_f": human.ods, "rate": rate, "annotators": alone, "edge": edge}
results |= {"gain": fresh[0], "gain_half": fresh[1], "lead": twin[0], "lead_half": twin[1]}
results |= {"verdict": verdict, "best_twin": " ".join(best), "rest": rest, "thirds": thirds}
results |= {name: [r.ods, r.ois, r.ap] for name, r in {**recipe, **finals}.items()}
results |= {f"slope {name}": [p[0], p[7], p[0] / p[7]] for name, p in profiles.items()}
for (name, version, noise), result in classics.items():
    results.setdefault(f"{name}_{version}", []).append(result.ods)
    results.setdefault(f"{name}_{version}_blur", []).append(blurs[name, version, noise])
results |= {"_".join(arm): values for arm, values in table.items()} | imbalance
results |= {f"photographs_{name}": values for name, values in long_run.items()}
results = {name.lower().replace(", ", "_").replace(" ", "_"): v for name, v in results.items()}
bands = {"gain": {"default": (-0.1, 0.2)}, "human_f": {"default": (0.88, 0.95)}}
record(results, bands, f"edges: {table[arms[0]][0]:.2f} ODS with a head on the VAE; {verdict}")

# %% [markdown]
# ## What you saw
#
# - The recipe, edges from the reconstruction, loses what it needs: an ODS of 0.429<!--=reconstruction[0]--> against 0.603<!--=picture[0]--> of the same classifier on the picture. The code has room for every outline; the pixel loss has no reason to spend it there.
# - Roberts, Sobel and Canny never gained from a reconstruction, at no level of noise. A Gaussian blur of the right width is the better denoiser for edges, because it leaves them where they are.
# - The encoder's inner features, frozen, are worth more than random ones (0.700<!--=vae_levels_frozen[0]--> against 0.598<!--=random_levels_frozen[0]-->), and those of a denoising autoencoder as much. Once the encoder may be tuned, the start made no difference that three seeds could see: 0.002<!--=lead--> ± 0.020<!--=lead_half--> against the best twin. This does not support the claim that the VAE helps.
# - Class-balanced losses shift probabilities and hardly change the ODS. The shift can be undone, and where probabilities matter it must be; notebook `12` starts from the plain loss for that reason.
# - Non-maximum suppression needs a direction and one comparison to each side.
#
# ## On your own
#
# 1. **A VAE that knows the noise.** Train the VAE on noisy pictures: in the cell with `pretrained`, replace `fit_steps(vae, x, …)` by `fit_steps(vae, noisy, …)`. Do the classics gain now, at a noise of 0.1?
#
#    <details><summary>What to expect</summary>
#
#    The reconstructions of noisy pictures lose less. They stay far behind the pictures with their own blur: the gap without any noise is the blur of the VAE itself, and it is there for every training set.
#
#    </details>
# 2. **More labels.** Set `labelled = 400`, then 1600, with `head_steps = 600`. What becomes of the lead over random weights?
#
#    <details><summary>What to expect</summary>
#
#    It shrinks. What pretraining found out about pictures can be learned from labels as well, when there are enough; look whether the interval still excludes zero.
#
#    </details>
# 3. **A loss that knows edges.** Reconstruct the picture *and* its two Sobel maps: the decoder gets five channels, the target is `np.concatenate([x, slopes], axis=-1)`. Is the recipe better off?
#
#    <details><summary>Where to look</summary>
#
#    At the profile of slopes over distance first. The loss now pays for steep places, and the code will spend more on them; but the mean of edges that may lie here or there is a ramp in the Sobel maps, too.
#
#    </details>
# 4. **Your own photograph.** Set `image_path`, and compare the network's edges with Canny's. Mark three edges that both miss. What would one have to know to see them?
#
# ## References
#
# - Arbelaez, P., Maire, M., Fowlkes, C. and Malik, J. (2011). Contour detection and hierarchical image segmentation. *IEEE TPAMI* 33(5), 898–916. <https://doi.org/10.1109/TPAMI.2010.161>
# - Canny, J. (1986). A computational approach to edge detection. *IEEE TPAMI* 8(6), 679–698. <https://doi.org/10.1109/TPAMI.1986.4767851>
# - Dollár, P. and Zitnick, C. L. (2015). Fast edge detection using structured forests. *IEEE TPAMI* 37(8), 1558–1570. <https://doi.org/10.1109/TPAMI.2014.2377715>
# - Liu, Y. and others (2017). Richer convolutional features for edge detection. CVPR. [arXiv:1612.02103](https://arxiv.org/abs/1612.02103)
# - Murphy, A. H. and Winkler, R. L. (1977). Reliability of subjective probability forecasts of precipitation and temperature. *Applied Statistics* 26(1), 41–47. <https://doi.org/10.2307/2346866>
# - Su, Z. and others (2021). Pixel difference networks for efficient edge detection. ICCV. [arXiv:2108.07009](https://arxiv.org/abs/2108.07009)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
# - Xie, S. and Tu, Z. (2015). Holistically-nested edge detection. ICCV. [arXiv:1504.06375](https://arxiv.org/abs/1504.06375)
