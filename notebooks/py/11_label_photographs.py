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
# # Label photographs: segments, edges, and a network for your own pictures
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/11_label_photographs.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/11_label_photographs.ipynb) <!--badges-->
#
# ![A cat, a cup of coffee and an astronaut. Segments: nearly the whole cat is pet. But the cup, its spoon, and the head, sleeve and helmet of the astronaut are pet as well, each with a border around it. Edges: thin dark outlines of the eyes, the cup, the saucer, the suit and the rocket, and only pale lines in fur and wood.](../docs/pictures/11.png) <!--picture-->
#
# Notebooks `08` to `10` use small drawn pictures, so that each question can be asked many times. Now come photographs. **How good does a small network get when it learns long enough, and how do you train one on pictures of your own?**
#
# **What you'll do**
#
# - Let two kept networks find pets and edges in photographs that they have never seen, or in yours.
# - See how their scores grew over hours of training, and compare them with published ones.
# - Train, score, save and export a network, on drawn pictures or on a folder of your own.
#
# **What you'll learn**
#
# - What a network needs to see thin things and the whole picture at once.
# - How you notice that a training is too short.
# - Why a table of scores must say what differs between its rows.
#
# **What you'll need**
#
# - The mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU): notebook `01`. The [ODS](../docs/site/glossary.md#term-ODS-OIS-AP) of edges: `02`. What a head on features is: `09`.
# - Mathematics: a logarithm, and what a 95 % interval is.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 34 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # to learn from: shapes, or folder (yours); pets, camvid, bsds500 take hours
path = ""  # for "folder": the folder with your pictures, and their masks or edges
task = "segments"  # what to learn: segments (from masks) or edges
seed = 0  # of the first weights and of the crops
steps = 150  # training steps
widths = [16, 32, 64]  # channels of the network for segments, at three resolutions
crop = [96, 96]  # height and width of the crops that it learns from, multiples of 8
batch_size = 8  # crops in a step
side = 320  # longest side, in pixels, to which pictures of your own are brought
image_path = ""  # a photograph of yours, or a folder of them; "" takes three of scikit-image's
out = ""  # folder for the trained network; "" saves it to try, and keeps nothing
cache_dir = ""  # folder in the cache from which a stopped training goes on; "" keeps nothing

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder", "pets", "camvid", "bsds500"], path="folder",
    task=["segments", "edges"], seed=range(2**32), steps=range(1, 1_000_001),
    widths={"list_of": range(4, 513)}, crop={"list_of": range(8, 1025, 8)},
    batch_size=range(1, 257), side=range(8, 4097), image_path=str, out=str, cache_dir=str,
)  # fmt: skip
set_up(seed)

import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np

from helpers import checkpoint, data, photo_networks, plots, pretrained, training
from helpers.data import scaled
from helpers.data.scenes import CLEAR
from helpers.experiments import own_scores, photo_recipes, photo_views
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy, class_weights

plots.use()
MULTIPLE = photo_networks.MULTIPLE  # the networks read sides that are multiples of 8

# %% [markdown]
# ## Two networks
#
# A network for photographs has two wishes that pull apart. To know what a thing *is*, it must see much of the picture: a brown patch may be fur, or a table. To know where the thing *ends*, it must see single pixels.
#
# The **network for segments** computes most of its layers at an eighth of the resolution, where they are cheap. Three parts serve the two wishes:
#
# - Its 3×3 convolutions are *dilated*: they skip pixels, by 2, 4 and 8, so they see far (notebook `17`).
# - A *global branch* tells every place the mean of the features of the whole picture.
# - On the way up, the features at a quarter and at half of the resolution are added, so thin things are not lost.
#
# In training a second output classifies the coarse features alone, with a loss of its own. It makes them useful early. Afterwards it is thrown away.
#
# The **network for edges** computes at four resolutions, the first the photograph's own. Its convolutions are *depthwise separable*: a 3×3 filter for each channel, then a 1×1 convolution over the channels, which needs about nine times fewer weights. Each resolution gives a map of edges (a *side output*), and the answer is a weighted sum of the four. Each side output has its loss.
#
# Neither has a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE). Whether a VAE helps is a question further down.

# %% tags=["nbval-check-output"]
for name, network in {
    "segments": photo_networks.segmenter(num_classes=3, widths=(16, 32, 64)),
    "edges": photo_networks.edge_network(),
}.items():
    for sides in ((64, 64), (48, 80)):
        answer = network(np.zeros((1, *sides, 3), "float32"))
        assert answer.shape[1:3] == sides
    print(f"{name}: {network.count_params():,} weights; any size, one logit a class and pixel")

# %% [markdown]
# Both are convolutions from the first layer to the last. So they learn from crops, and read photographs of any size.
#
# > **Predict first.** The network for segments learned pet, background and border from 144 photographs of three breeds of cats and dogs. Below it sees a cat, a cup of coffee and an astronaut. What will it find in the pictures without a pet?

# %% [markdown]
# ## Photographs that they have never seen
#
# `photo-pets` and `photo-bsds500` are kept with the project (`data/weights`). Set `image_path` for a photograph of your own, or a folder of them.

# %% tags=["picture"]
photos = photo_views.photographs_to_show(image_path)
pets_network, pets_note = pretrained.load("photo-pets")
edge_network, edge_note = pretrained.load("photo-bsds500")
shares = list(photo_views.probabilities(pets_network, photos, MULTIPLE, mirror=True))
lines = list(photo_views.edge_maps(edge_network, photos, MULTIPLE))

colours = [plots.mask_to_rgb(share.argmax(axis=-1), 3) for share in shares]
rows = [photos, colours, [1 - line for line in lines]]
fig = plots.image_grid(rows, row_labels=["photograph", "segments", "edges"], cell=2.6)
plots.class_legend(fig, pets_note["class_names"])
alt = "A cat, a cup of coffee and an astronaut. Segments: nearly the whole cat is pet. But the cup, its spoon, and the head, sleeve and helmet of the astronaut are pet as well, each with a border around it. Edges: thin dark outlines of the eyes, the cup, the saucer, the suit and the rocket, and only pale lines in fur and wood."
plots.show(fig, alt=alt)

# %% [markdown]
# The cat is found nearly whole. But there are pets in the other two pictures as well: the cup and its spoon, and the head, the sleeve and the helmet of the astronaut. They look like what the network learned: a bright round thing in the middle, before a ground that is none.
#
# A network answers in the classes that it was given, and it was never shown a picture without a pet. Nothing in its answer says "this is no pet". (Notebook `13` asks how a model can notice what it has not seen.)
#
# The edges are mostly outlines of things, and only few of the many small steps of brightness in fur and grain. That is what the network learned from people: which steps they call an edge.
#
# ## How long is long enough?
#
# Both networks were trained by a command for an hour or more (`make train-photographs SET=pets`). Their scores on val photographs were taken now and then.

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.0, 3.2))
kept = {"Pets, mean IoU": pets_note, "BSDS500, ODS": edge_note}
for axis, (title, note) in zip(axes, kept.items()):
    curve = note["learning_curve"]
    pixels = note["gigapixels"] / note["steps"]  # of a step
    axis.plot([row["steps"] * pixels for row in curve], [row["score"] for row in curve], "o-")
    axis.set(title=title, xlabel="gigapixels of crops seen")
axes[0].set_ylabel("score on 20 photographs of val")
alt = "On Pets the score rises from 0.45 to 0.68 over 1.6 gigapixels, and then stays between 0.65 and 0.69 up to 3.5. On BSDS500 it rises from 0.68 to 0.73 over 8.4 gigapixels, most of it in the first half, and still a little at the end."
plots.show(fig, alt=alt)

# %% [markdown]
# On Pets the score rises fast to 0.676<!--=pets_curve[5]-->, after less than half of the training, and then slowly: it ends at 0.688<!--=pets_curve[-1]-->. On BSDS500 it rises to the end, from 0.716<!--=edges_curve[5]--> in the middle to 0.733<!--=edges_curve[-1]-->. So by the rule of notebook `07`, by which twice the steps must change a score by less than 0.01, neither is trained enough. (Both curves come from only 20 photographs, so small ups and downs are chance.) What the text says of these networks is what they reached, not what such networks can reach.
#
# How do you notice that a training is too short, when you have no hours to try? Score the network on the pictures that it *learned from*. A first network for CamVid had a mean IoU of 0.503<!--=camvid_vae--> on the test frames; on its own training frames it had little more. Such a network does not overfit, it *underfits*: more steps help it, and more pictures do not. It had seen 3 gigapixels of crops, and the published network of its size sees about 81.
#
# **Exercise.** A photograph of BSDS500 has 321×481 pixels. The edge network needs sides that are multiples of 8, so the photograph is padded. How many pixels does the network read?

# %%
your_pixels = None  # ← your number
true_pixels = 328 * 488
print(f"your value {your_pixels}, true value {'?' if your_pixels is None else true_pixels}")
assert your_pixels in (None, true_pixels), "Each side becomes the next multiple of 8."

# %% [markdown]
# <details><summary>Solution</summary>
#
# 321 becomes 328 and 481 becomes 488: 328 · 488 = 160,064 pixels. The answer is cut back to 321×481.
#
# </details>
#
# ## Scores, and what stands beside them
#
# > **Predict first.** People who mark edges agree with each other with an F of 0.803. Canny has 0.611. Where is a network with 81,746 weights?
#
# The figure shows our scores (with 95 % intervals over photographs) and published ones, by the same measure on the same test split.

# %%
camvid = data.records.results_of("11-camvid")
edge_test = edge_note["scores"]["test"]
pets_test = pets_note["scores"]["test"]
OURS, THEIRS = "#D55E00", "#999999"
panels = {
    "BSDS500, ODS of edges": {
        "Canny": 0.611,
        "Structured Edges": 0.743,
        "HED (ImageNet weights)": 0.788,
        "PiDiNet, 710,000 weights": 0.789,
        "people": 0.803,
        "ours, one view": edge_test["one view"]["score"],
        "ours, three sizes": edge_test["several views"]["score"],
    },
    "CamVid, mean IoU of 11 classes": {
        "SegNet (ImageNet weights)": 0.464,
        "classic upsampling": 0.552,
        "FC-DenseNet103": 0.669,
        "DABNet (learns from val, too)": 0.667,
        "ours, a first network": [camvid["headline_VAE"], None],
    },
    "Pets, mean IoU of 3 classes": {
        "one class everywhere": pets_test["one view"]["floor"],
        "ours, one view": pets_test["one view"]["score"],
        "ours, with the mirror image": pets_test["several views"]["score"],
    },
}
heights = [len(rows) + 1 for rows in panels.values()]
fig, axes = plt.subplots(3, 1, figsize=(7.0, 6.4), height_ratios=heights, sharex=True)
for axis, (title, rows) in zip(axes, panels.items()):
    for i, (name, value) in enumerate(rows.items()):
        mean, half = value if isinstance(value, list) else (value, None)
        colour = OURS if name.startswith("ours") else THEIRS
        axis.barh(i, mean, 0.7, xerr=half, color=colour, error_kw={"capsize": 3})
        axis.text(0.99, i, f"{mean:.3f}", ha="right", va="center")
    axis.set(title=title, yticks=range(len(rows)), yticklabels=list(rows), xlim=(0, 1))
    axis.invert_yaxis()
alt = "Three panels of bars. BSDS500: ours have 0.774 and 0.783, above Canny, 0.611, and Structured Edges, 0.743, and a little below HED, PiDiNet and people, 0.788 to 0.803. CamVid: ours has 0.503, above SegNet, 0.464, and below three others, 0.552 to 0.669. Pets: ours have 0.686 and 0.700; one class everywhere has 0.197."
plots.show(fig, alt=alt)

# %% [markdown]
# **Edges.** The network has an ODS of 0.774<!--=edges_test[0]--> ± 0.012<!--=edges_test[1]--> from one view, and 0.783<!--=edges_views[0]--> ± 0.012<!--=edges_views[1]--> when its answers for three sizes of a photograph are averaged. It is much nearer to people than to Canny. HED and PiDiNet are ahead of it from one view; their figures are for one view, too.
#
# **Pets.** The mean IoU is 0.686<!--=pets_test[0]--> ± 0.019<!--=pets_test[1]-->, and 0.700<!--=pets_views[0]--> ± 0.019<!--=pets_views[1]--> with the mirror image; one class everywhere has 0.197<!--=pets_floor-->. The IoU of the pet is 0.75<!--=pets_classes[0]-->, that of the background 0.86<!--=pets_classes[1]-->, and that of the thin border 0.45<!--=pets_classes[2]-->: a border that is off by two pixels has lost most of its IoU.
#
# **CamVid.** Ours is the first network, which underfits. The recipe for a longer training is there (`make train-photographs SET=camvid`, about three hours); it has not been run to its end, so there is no better figure yet.
#
# A table of scores says little until you know what differs between its rows. Here:
#
# - **First weights.** HED and SegNet start from networks that had learned from ImageNet, a million labelled photographs. Ours, PiDiNet, FC-DenseNet and DABNet start from nothing.
# - **Whose number it is.** HED's 0.788 is that of a [collection](https://github.com/MCG-NKU/plot-edge-pr-curves) of such results; the paper has 0.782. SegNet's 0.464 stands in the table of Jégou and others (2017), who trained it.
# - **What it learned from.** DABNet's 0.667 learns from train and val together. Our network for edges learned from the 200 photographs of train alone, PiDiNet from train and val.
# - **Size.** PiDiNet-tiny has 0.789 with 84,477 weights, about the size of our network; it learned from BSDS500 *and* PASCAL VOC ([its authors](https://github.com/hellozhuo/pidinet)).
# - **What is done to the maps.** Ours are thinned by [non-maximum suppression](../docs/site/glossary.md#term-non-maximum-suppression). For Roberts and Sobel, published figures differ from ours by up to .13, because we choose a blur and suppress, and others, as far as we know, do not; so they are left out here. (Notebook `02` measures what each step does.)
# - **The matching program.** Ours is our own. It agrees with the official one on its five sample images to four decimals.
# - **The files.** Our frames of CamVid were re-encoded as JPEG. Our Pets are three breeds of the 37, so no published figure stands beside them.
#
# And nobody, ourselves included, read a test split only once: [data/README](../data/README.md#looks-at-test-splits) lists our looks.
#
# ## Does a VAE help here?
#
# Notebooks `09` and `10` asked this on drawn pictures. For photographs there is one study: segments on CamVid, frames of 192×256, five seeds, [encoders](../docs/site/glossary.md#term-encoder) that were first trained as a VAE's, as a [denoising autoencoder](../docs/site/glossary.md#term-denoising-autoencoder)'s, as a plain autoencoder's, or not at all. All trainings were short, so this is a *demonstration*. The marks are mean IoUs on 101 frames of val, with intervals over seeds.

# %%
controls = data.records.results_of("11-camvid-controls")
starts = {"fresh weights": 0, "plain autoencoder": 2, "denoising": 3, "VAE": 4}
fig, axes = plt.subplots(1, 2, figsize=(8.0, 2.4), sharey=True)
for axis, frames, column in zip(axes, controls["labels"], (0, 1)):
    means, halves = np.array([controls["twins"][row][column] for row in starts.values()]).T
    axis.errorbar(means, range(len(starts)), xerr=halves, fmt="o", capsize=3)
    axis.set(title=f"{frames} labelled frames", xlabel="mean IoU")
axes[0].set_yticks(range(len(starts)), list(starts))
axes[0].invert_yaxis()
alt = "Marks of four starts. With 18 labelled frames all lie between 0.31 and 0.33, with intervals of 0.05 to 0.07 to each side. With 367 frames fresh weights are lowest, 0.35, then the VAE, 0.36, the plain autoencoder, 0.37, and denoising, 0.38; their intervals overlap."
plots.show(fig, alt=alt)

# %% [markdown]
# With 18<!--=budgets[0]--> labelled frames the VAE minus fresh weights is -0.002<!--=gain[0]--> ± 0.024<!--=gain_half[0]-->. With all 367<!--=budgets[1]--> frames the denoising autoencoder is the highest, 0.035<!--=lift[1]--> ± 0.033<!--=lift_half[1]--> above fresh weights; but it was chosen as the best of three after the fact, so this is a hint. The VAE minus denoising is -0.018<!--=gain[1]--> ± 0.040<!--=gain_half[1]-->. Two longer trainings, one seed each, say the same: a first network for CamVid has 0.503<!--=camvid_vae--> after a VAE and 0.490<!--=camvid_fresh--> from fresh weights (on val the order was the other way round), and a first network for edges 0.759<!--=edges_vae--> and 0.757<!--=edges_fresh-->.
#
# So nothing here says that the VAE's objective helps a classifier of photographs, and the networks above do without it.
#
# ## Train one on your own pictures
#
# Now the training itself. By default it learns from 60 drawn pictures of `shapes` for a minute or less, to show how it goes. With `dataset = "folder"` it learns from yours: a folder `images/`, and `masks/` or `edges/` with a file of the same name for each ([what such a folder looks like](../docs/own_pictures.md)).

# %%
if dataset == "folder":
    whole = [data.load("folder", split, path=path) for split in ("train", "val")]
    known, held_out = (scaled.at_most(part, side) for part in whole)
else:
    drawn = {"size": 96, "seed": seed, "limit": 60, **CLEAR}
    options = {"shapes": drawn, "pets": {"size": (256, 256)}}
    known, held_out = (
        data.load(dataset, split, **options.get(dataset, {})) for split in ("train", "val")
    )
target = {"segments": "masks", "edges": "edges"}[task]
targets = getattr(known, target)
if targets is None:
    need = {"segments": "a mask", "edges": "edges"}[task]
    where = path or dataset
    raise ValueError(f"This notebook needs {need} for each picture, and {where} has none.")
large = [i for i, x in enumerate(known.images) if (np.array(x.shape[:2]) >= crop).all()]
if not large:
    raise ValueError(f"No picture is as large as a crop. Received: crop={crop!r}")
print(f"{len(large)} pictures to learn from, {len(held_out)} held out")

# %% [markdown]
# A crop is a random piece of a random picture, mirrored at random, scaled by up to 1.6, with other light and colours. So the network never sees the same crop twice, and 60 pictures last longer. Crops for edges are also turned by 90°, 180° or 270°.
#
# The loss for segments is the [cross-entropy](../docs/site/glossary.md#term-cross-entropy) of notebook `09`; a class counts by one over the square root of its share of the pixels. The loss for edges is the balanced one of notebook `10`, and pixels that fewer than 30 % of the [annotators](../docs/site/glossary.md#term-annotator) marked count neither as edge nor as background.

# %%
recipe = photo_recipes.RECIPES.get(dataset, photo_recipes.OWN[task])
keras.utils.set_random_seed(seed)
if task == "segments":
    num_classes, void = len(known.class_names), known.ignore_class
    weights = class_weights(known.masks, num_classes, void, power=recipe["balance"])
    loss = PixelCrossEntropy(num_classes, void, weights)
    momentum = 0.9 if steps < 500 else 0.99  # of batch normalisation
    model = photo_networks.segmenter(num_classes, widths, auxiliary=True, momentum=momentum)
else:
    loss = EdgeCrossEntropy(balanced=True, positive=recipe["positive"])
    model = photo_networks.edge_network(sides=True)

epochs = max(1, steps // 25)  # after each epoch the state is kept
crops = data.Crops(
    [known.images[i] for i in large], crop, [targets[i] for i in large],
    steps // epochs, batch_size, seed, copies=len(model.outputs), **recipe["crops"],
)  # fmt: skip
rate = training.rise_and_fall(recipe["learning_rate"], steps, 1 + steps // 10)
adam = keras.optimizers.AdamW(rate, weight_decay=0.02, global_clipnorm=1.0)
adam.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
losses = [loss] * len(model.outputs)  # the same target for every output
xla = keras.backend.backend() == "jax"  # elsewhere XLA makes these convolutions slower
model.compile(adam, losses, loss_weights=recipe["shares"], jit_compile=xla)

# %%
store = checkpoint.ResultStore(
    cache_dir, dataset=dataset, path=path, task=task, seed=seed, steps=steps, widths=widths,
    crop=crop, batch_size=batch_size, side=side,
)  # fmt: skip
store.fit("network", model, crops, epochs)
network = keras.Model(model.input, model.outputs[0])  # without the outputs of the training

# %% [markdown]
# Now the score on held-out pictures, its interval, and a **floor**: what a network scores that says the same class everywhere, or, for edges, what Sobel scores.

# %%
score = own_scores.score_segments if task == "segments" else own_scores.score_edges
told, answers, by_picture = score(network, known, held_out, MULTIPLE)
print(f"{told['line']}; floor {told['floor']:.3f}")

# %% [markdown]
# In the stored run, on drawn pictures, this short training gives a mean IoU of 0.376<!--=own--> ± 0.042<!--=own_half-->; the floor is 0.200<!--=own_floor-->. So it has learned something, and little: a demonstration. (A training of less than 500 steps needs batch normalisation that forgets faster, so `momentum` is lower.) The kept networks took 8,000 and 16,000 steps. If the floor lies inside your interval, you have not shown that the network learned anything: train longer, or label more.
#
# A mean hides what goes wrong. So look at the worst pictures, not at the best.

# %%
worst = np.argsort(by_picture)[:4]
place = Path(out) if out else Path(tempfile.mkdtemp())
place.mkdir(parents=True, exist_ok=True)
fig = plots.worst_pictures(held_out, answers, worst, task)
alt = "Four drawn pictures of two shapes each, their masks, and the answers of the network. The answers cover the shapes nearly to their outlines, but most classes are wrong: squares and discs are green as triangles, triangles blue as discs."
plots.show(fig, alt=alt)

# %% [markdown]
# The network has learned *where* things are, and not yet *what* they are. In the four worst pictures its outlines are nearly right, and most of its classes are wrong. More steps would be the first thing to try.
#
# Last, the files. `network.keras` is the network for Keras. `export` is a *SavedModel*: it runs with TensorFlow alone, without this project. (On JAX and PyTorch there is none, and the next cell says so.) Both are read back, and their answers compared with the network's. A file that was never read back is a hope.

# %%
saved = own_scores.save(network, place, held_out.images[0], MULTIPLE)
again = keras.models.load_model(place / "network.keras")
(answer,) = photo_views.probabilities(again, [held_out.images[0]], MULTIPLE)
print(f"export: {saved['export']}; {answer.shape[-1]} classes read back from network.keras")

# %% [markdown]
# The same as one command, with more checks, resumable, and with a way to label whole folders afterwards:
#
# ```
# make own PICTURES=my-folder OUT=my-network
# python -m helpers.runs.own_network label my-network photographs answers
# ```
#
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
first_edges = data.records.results_of("11-bsds500", "photographs_")
results = {
    "camvid_vae": camvid["headline_VAE"],
    "camvid_fresh": camvid["headline_random"],
    "edges_vae": first_edges["vae"][0],
    "edges_fresh": first_edges["random"][0],
    "budgets": controls["labels"],
    **{name: controls[name] for name in ("gain", "gain_half", "lift", "lift_half")},
    "edges_test": edge_test["one view"]["score"],
    "edges_views": edge_test["several views"]["score"],
    "pets_curve": [row["score"] for row in pets_note["learning_curve"]],
    "edges_curve": [row["score"] for row in edge_note["learning_curve"]],
    "pets_test": pets_test["one view"]["score"],
    "pets_views": pets_test["several views"]["score"],
    "pets_floor": pets_test["one view"]["floor"],
    "pets_classes": pets_test["one view"]["classes"],
    "own": told["mean_iou" if task == "segments" else "ods"][0],
    "own_half": told["mean_iou" if task == "segments" else "ods"][1],
    "own_floor": told["floor"],
}
record(results, {}, told["line"])

# %% [markdown]
# ## What you saw
#
# - A network of 81,746 weights that learned from 200 photographs for an hour and a half reaches an ODS of 0.774<!--=edges_test[0]--> on BSDS500, and one of 326,387 weights a mean IoU of 0.686<!--=pets_test[0]--> on three breeds of Pets. Neither has a VAE.
# - A score on the training pictures tells whether a network underfits. The first networks here did, and their longer trainings were worth more than any start from a VAE.
# - Rows of a table differ in first weights, in what was learned from, in size and in what is done to the maps. Without these a comparison says little.
# - A network answers in the classes that it was given, also where none of them is right.
# - A network for your own pictures needs a folder, some minutes, and a look at the floor and at its worst pictures.
#
# ## Check yourself
#
# 1. Why can a network that learned from crops of 96×96 read a photograph of 481×321?
#
#    <details><summary>Answer</summary>
#
#    All its layers are convolutions, or means over the whole picture. None has a weight for a certain place.
#
#    </details>
# 2. A network has the same score on training and on held-out pictures, and both are low. Will more labelled pictures help?
#
#    <details><summary>Answer</summary>
#
#    Not much. It underfits: it has not even learned what it was shown. Train longer, or take a larger network.
#
#    </details>
# 3. Two rows of a table: A 0.789, B 0.759. Name three reasons why A's network need not be the better idea.
#
#    <details><summary>Answer</summary>
#
#    It may have started from ImageNet weights, learned from more pictures (val, another set), been trained longer, have more weights, or be scored from several views. And the interval of either may be ± 0.012.
#
#    </details>
# 4. Your network has 0.62 ± 0.10 and the floor is 0.55. What have you shown?
#
#    <details><summary>Answer</summary>
#
#    Not yet that it learned anything: the floor lies inside the interval. Hold out more pictures, and train longer.
#
#    </details>
# 5. Why is the second output of the network for segments thrown away after training?
#
#    <details><summary>Answer</summary>
#
#    It was there for its loss, which made the coarse features useful early. Its own answers are coarser than those of the first output.
#
#    </details>
#
# ## On your own
#
# 1. **Your own photograph.** Set `image_path`. Mark three edges that the network misses. What would one have to know to see them?
#
#    <details><summary>What to expect</summary>
#
#    Often an edge between two things of the same brightness. To see it one must know the things.
#
#    </details>
# 2. **Edges instead of segments.** Set `task = "edges"` and `steps = 300`, on `shapes`. Predict first: will the ODS be above Sobel's?
#
#    <details><summary>Hint</summary>
#
#    Notebook `10` has the answer for a head on 48×48 pixels. The printed floor is Sobel with the best blur.
#
#    </details>
# 3. **A longer training.** Set `steps` to 300 and to 600. Is 150 trained enough by the rule of notebook `07`: does twice the steps change the score by less than its interval, and by less than 0.01?
#
#    <details><summary>Hint</summary>
#
#    Compare on the same pictures, and write down the three scores before you decide.
#
#    </details>
#
# ## References
#
# - Arbelaez, P., Maire, M., Fowlkes, C. and Malik, J. (2011). Contour detection and hierarchical image segmentation. *IEEE TPAMI* 33(5), 898–916. <https://doi.org/10.1109/TPAMI.2010.161>
# - Badrinarayanan, V., Kendall, A. and Cipolla, R. (2017). SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation. *IEEE TPAMI* 39(12), 2481–2495. [arXiv:1511.00561](https://arxiv.org/abs/1511.00561)
# - Canny, J. (1986). A computational approach to edge detection. *IEEE TPAMI* 8(6), 679–698. <https://doi.org/10.1109/TPAMI.1986.4767851>
# - Chen, L.-C. and others (2017). Rethinking Atrous Convolution for Semantic Image Segmentation. [arXiv:1706.05587](https://arxiv.org/abs/1706.05587)
# - Dollár, P. and Zitnick, C. L. (2015). Fast edge detection using structured forests. *IEEE TPAMI* 37(8), 1558–1570. <https://doi.org/10.1109/TPAMI.2014.2377715>
# - Jégou, S. and others (2017). The One Hundred Layers Tiramisu: Fully Convolutional DenseNets for Semantic Segmentation. CVPR Workshops. [arXiv:1611.09326](https://arxiv.org/abs/1611.09326)
# - Li, G., Yun, I., Kim, J. and Kim, J. (2019). DABNet: Depth-wise Asymmetric Bottleneck for Real-time Semantic Segmentation. BMVC. [arXiv:1907.11357](https://arxiv.org/abs/1907.11357)
# - Parkhi, O. M., Vedaldi, A., Zisserman, A. and Jawahar, C. V. (2012). Cats and dogs. CVPR. <https://doi.org/10.1109/CVPR.2012.6248092>
# - Su, Z. and others (2021). Pixel difference networks for efficient edge detection. ICCV. [arXiv:2108.07009](https://arxiv.org/abs/2108.07009)
# - Xie, S. and Tu, Z. (2015). Holistically-nested edge detection. ICCV. [arXiv:1504.06375](https://arxiv.org/abs/1504.06375)
