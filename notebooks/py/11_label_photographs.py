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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/11_label_photographs.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/11_label_photographs.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/11_label_photographs.ipynb) <!--badges-->
#
# ![A cat, a cup of coffee and an astronaut. Segments: the whole cat is pet. But the cup, part of its saucer, and the head, the shoulders and pieces of the suit of the astronaut are pet as well, each with a border around it. Edges: thin dark outlines of the eyes, the cup, the saucer, the suit and the rocket; mostly pale lines in the wood and on the forehead of the cat, and some dark ones along its stripes and whiskers.](../docs/pictures/11.png) <!--picture-->
#
# After the small drawn pictures of notebooks `08` to `10`, now come photographs. **How good does a small network get within two hours of training, and how do you train one on pictures of your own?**
#
# **What you'll do**
#
# - Let two kept networks find pets and edges in photographs that they have never seen, or in yours.
# - See how their scores grew in training, and compare them with published ones.
# - Train, score, save and export a network, on drawn pictures or on a folder of your own.
#
# **What you'll learn**
#
# - What a network needs to see thin things and the whole picture at once.
# - What a score on the training photographs tells, and what it does not.
# - Why a table of scores must say what differs between its rows.
#
# **What you'll need**
#
# - The mean [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU): notebook `01`. The [ODS](../docs/site/glossary.md#term-ODS-OIS-AP) of edges: `02`. What a head on features is: `09`.
# - Mathematics: what a 95 % interval is.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

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
dataset = "shapes"  # to learn from: shapes, folder (yours), pets, camvid or bsds500
path = ""  # for "folder": the folder with your pictures, and their masks or edges
task = "segments"  # what to learn: segments (from masks) or edges
seed = 0  # of the first weights and of the crops
steps = 150  # training steps; for pets, camvid and bsds500 we took 8,000 or more
widths = [16, 32, 64]  # channels of the network for segments, at three resolutions
crop = [96, 96]  # height and width of the crops that it learns from, multiples of 8
batch_size = 8  # crops in a step
side = 320  # longest side, in pixels, to which pictures of your own are brought
image_path = ""  # a photograph of yours, or a folder (its first four); "": of scikit-image
out = ""  # folder for the trained network; "" saves it to try, and keeps nothing
cache_dir = ""  # folder in the cache from which a stopped training goes on; "" keeps nothing

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "folder", "pets", "camvid", "bsds500"], path="folder",
    task=["segments", "edges"], seed=range(2**32), steps=range(1, 1_000_001),
    widths={"list_of": range(4, 513)}, crop={"list_of": range(8, 1025, 8)},
    batch_size=range(1, 257), side=range(8, 4097), image_path="pictures",
    out="new folder", cache_dir=str,
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
# ## Three sets of photographs
#
# - **Pets** (Oxford-IIIT Pet; Parkhi and others, 2012): cats and dogs, each with a mask of *pet*, *background* and a *border* between them. Here are three of its 37 breeds: Abyssinian, American bulldog and Bengal; 144 photographs to learn from. All are squeezed to 256×256 pixels, and scored at that size.
# - **BSDS500** (Arbelaez and others, 2011): 500 photographs of animals, people, houses and land. In each, about five people drew the edges that they saw. 200 photographs are the official train split.
# - **CamVid** (Brostow and others, 2009): frames filmed from a car, with eleven classes such as road and sign. 367 frames to learn from.
#
# ## Two networks
#
# A network for photographs has two wishes. To know what a thing *is*, it must see much of the picture: a brown patch may be fur, or a table. To know where the thing *ends*, it must see single pixels.
#
# The **network for segments** computes most of its layers at an eighth of the resolution, where they are cheap. Three parts serve the two wishes:
#
# - Most of its 3×3 convolutions there are *dilated* (Yu and Koltun, 2016): their nine weights lie 2, 4 or 8 places apart. That is 16 to 64 pixels of the photograph, so they see far (notebook `17`).
# - A *global branch* tells every place the mean of the features of the whole picture (Chen and others, 2017).
# - On the way up, the features at a quarter and at half of the resolution are added, so thin things are not lost.
#
# In training a second output classifies the coarse features alone, with a loss of its own. It is meant to make them useful early (Zhao and others, 2017). Afterwards it is thrown away.
#
# The **network for edges** computes at four resolutions, the first the photograph's own; it follows the plan of PiDiNet (Su and others, 2021). Its convolutions are *depthwise separable*: a 3×3 filter for each channel, then a 1×1 convolution over the channels. That needs about eight times fewer weights here. Each resolution gives a map of edges (a *side output*), and the answer is a weighted sum of the four. Each side output has its loss (Xie and Tu, 2015).
#
# Neither has a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE).

# %% tags=["nbval-check-output"]
two_networks = {
    "segments": photo_networks.segmenter(num_classes=3, widths=(16, 32, 64)),
    "edges": photo_networks.edge_network(),
}
for name, network in two_networks.items():
    for sides in ((64, 64), (48, 80)):
        logits = network(np.zeros((1, *sides, 3), "float32"))  # (1, H, W, classes)
        assert logits.shape[1:3] == sides
    print(f"{name}: {network.count_params():,} weights; any size, one logit a class and pixel")

# %% [markdown]
# All their layers are convolutions, poolings or means. None has a weight for a certain place. So they learn from crops, and read photographs of any size.
#
# > **Predict first.** The network for segments learned pet, background and border from 144 photographs of cats and dogs. Below it sees a cat, a cup of coffee and an astronaut. What will it find in the pictures without a pet?

# %% [markdown]
# ## Photographs that they have never seen
#
# `photo-pets` and `photo-bsds500` are kept with the project (`data/weights`). Set `image_path` for a photograph of your own, or a folder of which the first four are taken.
#
# A photograph may be read more than once, mirrored or at another size. Each reading is a *view*, and the answers are averaged.

# %% tags=["picture"]
photos = photo_views.photographs_to_show(image_path)  # 480 pixels at the longer side
pets_network, pets_note = pretrained.required("photo-pets")
edge_network, edge_note = pretrained.required("photo-bsds500")

as_learned = 256 / 480  # the network for segments learned from photographs of 256×256
pets_found = photo_views.probabilities(
    pets_network, photos, MULTIPLE, scales=[as_learned], mirror=True
)  # (H, W, 3) each
edges_found = list(photo_views.edge_maps(edge_network, photos, MULTIPLE))  # (H, W) each

order = [1, 0, 2]  # background first: the first colour is grey
class_maps = [found[..., order].argmax(axis=-1) for found in pets_found]
segment_pictures = [plots.mask_to_rgb(class_map, 3) for class_map in class_maps]
edge_pictures = [1 - found for found in edges_found]

pictures = [photos, segment_pictures, edge_pictures]
fig = plots.image_grid(pictures, row_labels=["photograph", "segments", "edges"], cell=2.6)
plots.class_legend(fig, [pets_note["class_names"][i] for i in order])
alt = "A cat, a cup of coffee and an astronaut. Segments: the whole cat is pet. But the cup, part of its saucer, and the head, the shoulders and pieces of the suit of the astronaut are pet as well, each with a border around it. Edges: thin dark outlines of the eyes, the cup, the saucer, the suit and the rocket; mostly pale lines in the wood and on the forehead of the cat, and some dark ones along its stripes and whiskers."
plots.show(fig, alt=alt)

# %% [markdown]
# The cat is found whole. But there are pets in the other two pictures as well: the cup and part of its saucer, and the head, the shoulders and pieces of the suit of the astronaut. Why these places, we have not measured. The size matters: with `scales=[1.0]` the network reads the photographs at 480 pixels, and calls other places pet.
#
# A network answers in the classes that it was given, and this one was never shown a picture without a pet. Nothing in its answer says "this is no pet". (Notebook `13` asks how a model can notice what it has not seen.)
#
# On the cup and the astronaut edges are mostly outlines of things; on the cat many are stripes and whiskers.
#
# ## Was the training long enough?
#
# Each network was trained by a command (`make train-photographs SET=pets`), for 78<!--=minutes[0]--> and 94<!--=minutes[1]--> minutes on two CPU cores. There is a third one, for CamVid: the plan for segments, 1.5 times as wide, 734,387 weights. It saw 33<!--=gigapixels[2]--> gigapixels in 8.5<!--=card_minutes--> minutes on an NVIDIA H200 (`benchmarks/photographs_on_card.py`).

# %%
camvid_note = pretrained.required("photo-camvid")[1]
curves = {
    "Pets, mean IoU": pets_note,
    "BSDS500, ODS": edge_note,
    "CamVid, mean IoU": camvid_note,
}
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.2))
for axis, (title, note) in zip(axes, curves.items()):
    gigapixels_of_a_step = note["gigapixels"] / note["steps"]
    seen = [point["steps"] * gigapixels_of_a_step for point in note["learning_curve"]]
    val_curve = [point["score"] for point in note["learning_curve"]]
    axis.plot(seen, val_curve, "o-")
    axis.set(title=title, xlabel="gigapixels of crops seen")
axes[0].set_ylabel("score on photographs of val")
alt = "On Pets the score rises from 0.45 to 0.68 over 1.6 gigapixels, falls to 0.65, and then lies between 0.67 and 0.69 up to 3.5. On BSDS500 it rises from 0.68 to 0.73 over 8.4 gigapixels, most of it in the first six, with a small dip at 4.8. On CamVid it rises from 0.62 to 0.74 over 29 gigapixels, with a small dip at 13, and stays there up to 33."
plots.show(fig, alt=alt)

# %% [markdown]
# On Pets the score rises to 0.676<!--=curves[0][5]-->, falls to 0.652<!--=curves[0][6]--> and ends at 0.688<!--=curves[0][-1]-->. On BSDS500 it has 0.716<!--=curves[1][5]--> in the middle and ends at 0.733<!--=curves[1][-1]-->. On CamVid it has 0.702<!--=curves[2][3]--> in the middle and ends at 0.741<!--=curves[2][-1]-->. All points of a curve are scores on the same photographs: 20 of val, for CamVid all 101. A mean IoU on 20 photographs has an interval of about ± 0.06; that of a difference between two points was not kept.
#
# The rule of notebook `07` compares two trainings, one with twice the steps. **One curve cannot apply it:** the learning rate falls along the curve, and a training of half the length would have its own falling learning rate. The rule was not applied. So take the networks as demonstrations: what they reached, not what such networks can reach.
#
# But one *can* score a network on photographs that it *learned from*.
#
# > **Predict first.** The network for Pets learned from 144 photographs, the one for edges from 200, and the one for CamVid from 367 frames. Which of them is much better on its training photographs than on val?

# %%
checks = data.records.results_of("photograph_checks")
print("photographs  measure   learned from   val")
measures = {"pets": "mean IoU", "bsds500": "ODS", "camvid": "mean IoU"}
camvid_val = camvid_note["scores"]["val"]["one view"]
val_scores = {
    "pets": pets_note["scores"]["val"]["one view"]["score"][0],
    "bsds500": edge_note["scores"]["val"]["one view"]["score"][0],
    "camvid": camvid_val["score"][0],
}
for name, val_score in val_scores.items():
    train_score = checks[f"{name}_train"]["score"][0]
    print(f"{name:<12} {measures[name]:<9} {train_score:>12.2f}  {val_score:.2f}")

# %% [markdown]
# **Pets: it overfits.** The network has a mean IoU of 0.87<!--=train_scores[0]--> on the photographs that it learned from, and 0.68<!--=val_scores[0]--> on val. It has learned its 144 photographs, and much of that does not hold for others. In the second half of the training the loss on its crops fell from 0.31<!--=pets_loss[0]--> to 0.21<!--=pets_loss[1]-->, and the score on 20 photographs of val went from 0.652<!--=curves[0][6]--> (one point earlier, 0.676<!--=curves[0][5]-->) to 0.688<!--=curves[0][-1]-->: no harm was seen. But the gap is wide: try more photographs first.
#
# **BSDS500: a smaller gap.** The ODS is 0.82<!--=train_scores[1]--> ± 0.02<!--=edges_train_half--> on 40<!--=train_photographs[1]--> photographs that it learned from, 0.75<!--=val_scores[1]--> ± 0.02<!--=edges_val_half--> on val and 0.77<!--=edges_test[0]--> ± 0.01<!--=edges_test[1]--> on test. Val and test differ as well, and it has learned from neither: some photographs are easier than others. So a part of the gap is probably overfitting; how much, these numbers do not tell.
#
# **CamVid: val is seven seconds.** The network has 0.83<!--=train_scores[2]--> on 41<!--=train_photographs[2]--> of its training frames, 0.74<!--=val_scores[2]--> on val, and 0.62<!--=camvid_test[0]--> ± 0.02<!--=camvid_test[1]--> on test. The gap from train to val is half of that for Pets. From val to test, both new to it, the score falls further. Val is seven seconds of film; train has frames about one second before and after. 171 of the 233 test frames show a new drive. The IoU of fences falls most, from 0.69<!--=camvid_classes[0][7]--> to 0.25<!--=camvid_classes[1][7]-->, then that of bicyclists, from 0.83<!--=camvid_classes[0][10]--> to 0.46<!--=camvid_classes[1][10]-->. Whether the drive is the cause was not measured.
#
# **Exercise.** A photograph of BSDS500 has 321×481 pixels. The edge network needs sides that are multiples of 8, so the photograph is padded. How many pixels does the network read?

# %%
your_pixels = None  # ← your number
padded_sides = [side + -side % MULTIPLE for side in (321, 481)]
true_pixels = np.prod(padded_sides)
print(f"your value {your_pixels}, true value {'?' if your_pixels is None else true_pixels}")
hint = "Each side grows to the next multiple of 8; then multiply. 320 would cut a row off."
assert your_pixels in (None, true_pixels), hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# 321 becomes 328 and 481 becomes 488: 328 · 488 = 160,064 pixels. The answer is cut back to 321×481.
#
# </details>
#
# ## Scores, and what stands beside them
#
# The figure has our scores, with 95 % intervals over photographs, and published ones, by the same measure on the same test split:
#
# - **[Canny](../docs/site/glossary.md#term-Canny-detector)** (1986): steps of brightness, thinned and linked by two thresholds (notebook `02`). Nothing is learned.
# - **Structured Edges** (Dollár and Zitnick, 2015): a [random forest](../docs/site/glossary.md#term-random-forest) that answers with small pieces of edges.
# - **HED** (Xie and Tu, 2015): a large network with side outputs.
# - **PiDiNet** (Su and others, 2021): a small network whose convolutions see differences of pixels; *tiny* is its smallest form.
# - **FC-DenseNet** (Jégou and others, 2017): networks for segments, whose layers read all layers before them. SegNet and classic upsampling, a plain network for comparison, stand in the same paper.
# - **People**: what one person drew, scored against what the others drew. A drawing has one [F](../docs/site/glossary.md#term-ODS-OIS-AP); the ODS of a program is its F at the one threshold that is best for all photographs.
#
# > **Predict first.** People have an F of 0.803. Canny has 0.611. Where is a network with 81,746 weights?

# %%
edge_test = edge_note["scores"]["test"]
pets_test = pets_note["scores"]["test"]
camvid_test = camvid_note["scores"]["test"]
camvid_both = pretrained.required("photo-camvid-trainval")[1]["scores"]["test"]
OURS, OTHERS = "#D55E00", "#999999"
panels = {
    "BSDS500, ODS of edges": {
        "Canny": 0.611,
        "Structured Edges": 0.743,
        "HED, ImageNet weights": 0.788,
        "PiDiNet, 710,000 weights": 0.789,
        "PiDiNet-tiny, 84,477 weights, + VOC": 0.789,
        "people": 0.803,
        "PiDiNet, + VOC": 0.807,
        "ours, 81,746 weights, one view": edge_test["one view"]["score"],
        "ours, three sizes": edge_test["several views"]["score"],
    },
    "Pets, mean IoU of 3 classes": {
        "layout, on val": checks["pets_layout"]["score"],
        "ours, one view": pets_test["one view"]["score"],
        "ours, with the mirror image": pets_test["several views"]["score"],
    },
    "CamVid, mean IoU of 11 classes": {
        "layout, on val": checks["camvid_layout"]["score"],
        "SegNet, ImageNet weights": 0.464,
        "classic upsampling": 0.552,
        "FC-DenseNet56, 1,500,000 weights": 0.589,
        "FC-DenseNet67, 3,500,000 weights": 0.658,
        "FC-DenseNet103, 9,400,000 weights": 0.669,
        "DABNet, 760,000 weights, + val": 0.667,
        "ours, 734,387 weights, one view": camvid_test["one view"]["score"],
        "ours, three sizes, mirrored": camvid_test["several views"]["score"],
        "ours, + val, one view": camvid_both["one view"]["score"],
        "ours, + val, three sizes, mirrored": camvid_both["several views"]["score"],
    },
}

# %%
heights = [len(bars) + 1 for bars in panels.values()]
fig, axes = plt.subplots(3, 1, figsize=(7.0, 8.2), height_ratios=heights, sharex=True)
for axis, (title, bars) in zip(axes, panels.items()):
    for place, (name, value) in enumerate(bars.items()):
        mean, half = value if isinstance(value, list) else (value, None)
        colour = OURS if name.startswith("ours") else OTHERS
        axis.barh(place, mean, 0.7, xerr=half, color=colour, error_kw={"capsize": 3})
        axis.text(0.99, place, f"{mean:.3f}", ha="right", va="center")
    axis.set(title=title, yticks=range(len(bars)), yticklabels=list(bars), xlim=(0, 1))
    axis.invert_yaxis()
alt = "Three panels of bars. BSDS500: ours have 0.774 and 0.783, above Canny, 0.611, and Structured Edges, 0.743, and a little below HED, three rows of PiDiNet and people, 0.788 to 0.807. Pets: ours have 0.686 and 0.700; the layout has 0.375. CamVid: ours have 0.615 to 0.642, above the layout, SegNet, classic upsampling and FC-DenseNet56, 0.167 to 0.589, and below FC-DenseNet67, FC-DenseNet103 and DABNet, 0.658 to 0.669."
plots.show(fig, alt=alt)

# %% [markdown]
# **Edges.** The network has an ODS of 0.774<!--=edges_test[0]--> ± 0.012<!--=edges_test[1]--> from one view, and 0.783<!--=edges_views[0]--> ± 0.012<!--=edges_views[1]--> when its answers for three sizes of a photograph are averaged. It is much nearer to people than to Canny. HED and PiDiNet are ahead of it from one view; their figures are for one view, too. An earlier network of this series had 0.759<!--=edges_vae-->. The new one has another plan, another target, losses on its side outputs, and saw more crops; which of these changes helped was not measured.
#
# **Pets.** The mean IoU is 0.686<!--=pets_test[0]--> ± 0.019<!--=pets_test[1]-->, and 0.700<!--=pets_views[0]--> ± 0.019<!--=pets_views[1]--> with the mirror image. The floor is the *layout* of notebook `08`, the most common class at each place: 0.375<!--=pets_layout-->, scored on val. One class everywhere has 0.197<!--=pets_floor-->. The IoU of the pet is 0.75<!--=pets_classes[0]-->, that of the background 0.86<!--=pets_classes[1]-->, and that of the border 0.45<!--=pets_classes[2]-->.
#
# Is 0.45 for the border bad? On val the border is a band of about 10<!--=border_width[1]--> pixels (in most places 7<!--=border_width[0]--> to 17<!--=border_width[2]-->). The true band, moved by two pixels to a side, has an IoU of 0.79<!--=border_moved[0]--> with itself, and moved outwards by two, 0.70<!--=border_moved[1]-->. So 0.45 is more than a small error of place.
#
# **CamVid.** The mean IoU is 0.615<!--=camvid_test[0]--> ± 0.015<!--=camvid_test[1]-->, and 0.630<!--=camvid_views[0]--> ± 0.016<!--=camvid_views[1]--> from three sizes, also mirrored. A second training, with the 101 frames of val as well, has 0.622<!--=camvid_both_test[0]--> and 0.642<!--=camvid_both_views[0]-->. One training each. The intervals count neighbouring frames, which look alike, as independent, so they are too narrow. One view lies between FC-DenseNet56 and FC-DenseNet67 (0.658), both from train alone. DABNet (Li and Kim, 2019), of our size, has 0.667 from train and val; it saw more. An earlier network had 0.503<!--=camvid_vae-->, also mirrored. Plan and training differ; which change helped was not measured.
#
# What differs between the rows of the figure:
#
# - **First weights.** HED and SegNet start from networks that had learned from ImageNet, a million labelled photographs. PiDiNet and ours start from random weights.
# - **Whose number it is.** HED's 0.788 is that of a [collection](https://github.com/MCG-NKU/plot-edge-pr-curves) of such results, as are those of Canny, Structured Edges and people; the paper has 0.782. PiDiNet's 0.807, and the 0.789 of tiny, are [its authors'](https://github.com/hellozhuo/pidinet); its 0.789 without VOC stands in the tables of later papers.
# - **What it learned from.** On BSDS500 ours learned from the 200 photographs of train, HED and PiDiNet from train and val. "+ VOC" learned from PASCAL VOC as well, thousands of photographs more: with it, tiny reaches the ODS of the large PiDiNet without it.
# - **How much it saw.** PiDiNet without VOC saw about 89 gigapixels (28,800 photographs, turned, mirrored and scaled from the 300, twenty times), ours 8.4<!--=gigapixels[1]--> there.
# - **What is done to the maps.** Ours are thinned by [non-maximum suppression](../docs/site/glossary.md#term-non-maximum-suppression). Roberts and Sobel are left out: published figures differ from our blurred ones by up to .13, and we do not know how others blurred and suppressed (notebook `02`).
# - **The matching program.** Ours is our own. Its scores agree with the official ones on five sample images to 0.0005.
# - **The pictures.** Our Pets are three breeds of the 37 at 256×256, so no published figure stands beside them. Our frames of CamVid were encoded again as JPEG.
#
# And we read test splits more than once, as others may have: [data/README](../data/README.md#looks-at-test-splits) lists our looks.
#
# ## Does a VAE help here?
#
# Notebooks `09` and `10` asked this on drawn pictures. For photographs there is one study, of segments on CamVid, in frames of 192×256. An [encoder](../docs/site/glossary.md#term-encoder) was first trained without labels, and then with labels, together with a *head*: the layers that make classes of its features (notebook `09`). It has six starts: as a VAE's encoder, as a [denoising autoencoder](../docs/site/glossary.md#term-denoising-autoencoder)'s, as a plain [autoencoder](../docs/site/glossary.md#term-autoencoder)'s, from fresh weights, from fresh weights that stay as they are (*frozen*), and as a VAE's whose loss stays on while the head learns (*VAE + term*).
#
# All trainings were short: at most 300 steps without labels and 250 with them, at one learning rate for all. So this is a *demonstration*. The marks are mean IoUs on 101 frames of val, with intervals over five seeds; the choice of frames is not in them.

# %%
controls = data.records.results_of("11-camvid-controls")
camvid = data.records.results_of("11-camvid")
earlier_edges = data.records.results_of("11-bsds500", "photographs_")
starts = [  # in the order of the record
    "fresh weights",
    "fresh weights, frozen",
    "plain autoencoder",
    "denoising",
    "VAE",
    "VAE + term",
]
study = np.array(controls["twins"])  # (6 starts, 2 budgets, mean and half width)
fig, axes = plt.subplots(1, 2, figsize=(8.0, 2.8), sharex=True, sharey=True)
for budget, axis in enumerate(axes):
    means, halves = study[:, budget].T
    axis.errorbar(means, range(len(starts)), xerr=halves, fmt="o", capsize=3)
    axis.set(title=f"{controls['labels'][budget]} labelled frames", xlabel="mean IoU")
axes[0].set_yticks(range(len(starts)), starts)
axes[0].invert_yaxis()
alt = "Marks of six starts. With 18 labelled frames four lie between 0.31 and 0.33 and the VAE with its term at 0.30, with intervals of 0.05 to 0.07 to each side; frozen fresh weights have 0.24. With 367 frames frozen fresh weights have 0.20, the VAE with its term 0.33, fresh weights 0.35, the VAE 0.36, the plain autoencoder 0.37 and denoising 0.38; the intervals of the last four overlap."
plots.show(fig, alt=alt)

# %% [markdown]
# Two contrasts matter: is the VAE better than no first training (fresh weights), and better than another first training (denoising)? Both sides have the same seeds, so the intervals are of differences, seed by seed. Intervals were kept against the highest other start.
#
# | contrast | 18<!--=budgets[0]--> labelled frames | 367<!--=budgets[1]--> labelled frames |
# |---|---|---|
# | VAE − fresh weights | -0.002<!--=vae_fresh[0]--> ± 0.024<!--=gain_half[0]--> | +0.017<!--=vae_fresh[1]-->, no interval |
# | VAE − denoising | +0.005<!--=vae_denoising[0]-->, no interval | -0.018<!--=vae_denoising[1]--> ± 0.040<!--=gain_half[1]--> |
#
# The two contrasts with an interval show no difference, but those intervals are wide (± 0.024<!--=gain_half[0]--> and ± 0.040<!--=gain_half[1]-->). Of the two without an interval nothing can be said. With all frames the denoising autoencoder is the highest, 0.035<!--=lift[1]--> ± 0.033<!--=lift_half[1]--> above fresh weights; but it was chosen as the best of several after the fact, so this is a hint. Frozen fresh weights have the lowest means, lower with more labels: 0.236<!--=frozen[0][0]--> ± 0.021<!--=frozen[0][1]--> with 18<!--=budgets[0]--> frames, 0.204<!--=frozen[1][0]--> ± 0.009<!--=frozen[1][1]--> with 367<!--=budgets[1]-->. Why, was not measured. The VAE + term has the second lowest mean, 0.303<!--=vae_term[0]--> and 0.335<!--=vae_term[1]-->.
#
# Two longer pairs, one seed each, cannot decide it. The earlier network for CamVid has 0.503<!--=camvid_vae--> on test after a VAE, and 0.490<!--=camvid_fresh--> from fresh weights, both with the mirror image; the earlier network for edges has 0.759<!--=edges_vae--> and 0.757<!--=edges_fresh-->.
#
# So nothing here says that the VAE's objective helps a classifier of photographs, nor that it does not.
#
# ## Train one on your own pictures
#
# By default a network for segments learns from 60 drawn pictures of `shapes` for a minute or less. With `dataset = "folder"` it learns from yours: a folder `images/`, and `masks/` or `edges/` with a file of the same name for each ([what such a folder looks like](../docs/own_pictures.md)).

# %%
options = {}
if dataset == "shapes":
    options = {"size": 96, "seed": seed, "limit": 60, **CLEAR}
elif dataset == "pets":
    options = {"size": (256, 256)}
elif dataset == "folder":
    options = {"path": path}
train = data.load(dataset, "train", **options)
val = data.load(dataset, "val", **options)
if dataset == "folder":
    train, val = scaled.at_most(train, side), scaled.at_most(val, side)

targets = train.masks if task == "segments" else train.edges
if targets is None:
    need = "a mask" if task == "segments" else "edges"
    raise ValueError(
        f"This notebook needs {need} for each picture, and {path or dataset} has none."
    )
large = []  # which pictures
for i, picture in enumerate(train.images):
    height, width = picture.shape[:2]
    if height >= crop[0] and width >= crop[-1]:
        large.append(i)
if not large:
    raise ValueError(f"No picture is as large as a crop. Received: crop={crop!r}")
print(f"{len(large)} pictures to learn from, {len(val)} held out")

# %% [markdown]
# A crop is a random piece of a random picture, mirrored at random, shown larger or smaller by a factor of up to 1.6, with other light and colours. So the network hardly ever sees the same crop twice. Crops for edges have factors up to 1.5 and are also turned by 90°, 180° or 270°. (Drawn pictures are as large as a crop and never shown smaller: about half of the crops are whole.)
#
# The loss for segments is the [cross-entropy](../docs/site/glossary.md#term-cross-entropy) of notebook `09`. A class counts by one over the square root of its share of the pixels (for `pets` all pixels count the same). The loss for edges is the balanced one of notebook `10`, and pixels that fewer than 30 % of the [annotators](../docs/site/glossary.md#term-annotator) marked, but some did, count neither as edge nor as background (after Liu and others, 2017). Each output of the training gets a copy of the target (`copies`) and has its share in the loss (`shares`); each step also draws the weights a little towards 0 (`weight_decay`), and a gradient longer than 1 is shortened to 1 (`global_clipnorm`).

# %%
recipe = photo_recipes.RECIPES.get(dataset, photo_recipes.OWN[task])
keras.utils.set_random_seed(seed)
if task == "segments":
    num_classes, void = len(train.class_names), train.ignore_class
    weights = class_weights(train.masks, num_classes, void, power=recipe["balance"])
    loss = PixelCrossEntropy(num_classes, void, weights)
    # Batch normalisation must forget faster in a training of less than 500 steps.
    momentum = 0.9 if steps < 500 else 0.99
    model = photo_networks.segmenter(num_classes, widths, auxiliary=True, momentum=momentum)
else:
    loss = EdgeCrossEntropy(balanced=True, positive=recipe["positive"])
    model = photo_networks.edge_network(sides=True)

# %%
epochs = max(1, steps // 25)  # of equal length: less than 4 % of `steps` may be left over
crops = data.Crops(
    [train.images[i] for i in large],
    crop,
    [targets[i] for i in large],
    steps // epochs,
    batch_size,
    seed,
    copies=len(model.outputs),
    **recipe["crops"],
)
planned = epochs * len(crops)
rate = training.rise_and_fall(recipe["learning_rate"], planned, 1 + planned // 10)
adam = keras.optimizers.AdamW(rate, weight_decay=0.02, global_clipnorm=1.0)
adam.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
losses = [loss] * len(model.outputs)  # the same target for every output
xla = keras.backend.backend() == "jax"  # elsewhere XLA makes these convolutions slower
model.compile(adam, losses, loss_weights=recipe["shares"], jit_compile=xla)

# %%
if cache_dir:  # after each epoch the state is kept, and a stopped training goes on from it
    store = checkpoint.ResultStore(
        cache_dir, dataset=dataset, path=path, task=task, seed=seed, steps=steps,
        widths=widths, crop=crop, batch_size=batch_size, side=side,
    )  # fmt: skip
    store.fit("network", model, crops, epochs)
else:
    model.fit(crops, epochs=epochs, shuffle=False, verbose=0)
network = keras.Model(model.input, model.outputs[0])  # without the outputs of the training

# %% [markdown]
# Now the score on held-out pictures, its interval, and a **floor**, which a network must beat before one says that it learned anything. For segments the floor is the layout (or, if the pictures have several sizes, the most common class everywhere); for edges it is what Sobel scores.
#
# The floor is scored on the *same* pictures. So do not compare it with the ends of the score's interval: on easy pictures both are higher. What decides is the interval of the difference, picture by picture.

# %%
score = own_scores.score_segments if task == "segments" else own_scores.score_edges
scores, answers, by_picture = score(network, train, val, MULTIPLE)
print(scores["line"])
of_shapes = {}
if dataset == "shapes" and task == "segments":
    answer_maps = np.array(answers)  # (N, H, W)
    thing, found = val.masks > 0, answer_maps > 0  # class 0 is the ground
    where_right = (thing & found).sum() / (thing | found).sum()
    what_right = (answer_maps == val.masks)[thing & found].mean()
    of_shapes = {"where_right": where_right, "what_right": what_right}
    print(f"things against the ground: IoU {where_right:.2f}")
    print(f"of the pixels of things that it found, {what_right:.0%} have the right class")

# %% [markdown]
# In the stored run, on drawn pictures, this short training gives a mean IoU of 0.371<!--=own--> ± 0.041<!--=own_half-->; the layout has 0.230<!--=own_floor-->. The difference is 0.141<!--=own_above[0]--> ± 0.040<!--=own_above[1]-->. So it has learned something, and little: a demonstration. The kept networks took 8,000 to 16,000 steps. If the interval of the difference holds zero, you have not shown that the network learned anything: train longer, or label more.
#
# A mean hides what goes wrong. So look at the worst pictures.

# %%
worst = np.argsort(by_picture)[:4]
names = [val.ids[i] if path else f"picture {i}" for i in worst]
fig = plots.worst_pictures(val, answers, worst, task, names)
alt = "Four drawn pictures of two shapes each, their masks, and the answers of the network, with a legend of the classes. The answers cover the shapes nearly to their outlines, but most classes are wrong: the squares and two discs are mostly green, as triangles, one disc is mostly orange, as a square, and the triangles are blue, as discs. Some shapes have a pattern of fine dots in two colours."
plots.show(fig, alt=alt)

# %% [markdown]
# Over all 60 pictures, things against the ground have an IoU of 0.90<!--=where_right-->. Of the pixels of things that it found, 34<!--=what_right*100--> % have the right class; a guess among the three kinds would have about a third. So the network has learned *where* things are, and not yet *what* they are: its classes look like guesses.
#
# The dots probably come from the last layer, a transposed convolution of stride 2. It computes the four pixels of a block of 2×2 with different weights, and after so few steps these need not agree. More steps would be the first thing to try.
#
# The next cell saves two files. `network.keras` is the network for Keras. `export` is a *SavedModel*: it runs with TensorFlow alone, without this project. (On JAX and PyTorch there is no `export`.) Both are read back, and their answers compared with the network's.

# %%
folder = Path(out) if out else Path(tempfile.mkdtemp())
folder.mkdir(parents=True, exist_ok=True)
saved = own_scores.save(network, folder, val.images[0], MULTIPLE)
read_back = keras.models.load_model(folder / "network.keras")
(one_answer,) = photo_views.probabilities(read_back, val.images[:1], MULTIPLE)
print(f"export: {saved['export']}; {one_answer.shape[-1]} classes read back from network.keras")

# %% [markdown]
# The same as one command, with more checks, resumable, and with a way to label whole folders afterwards:
#
# ```
# make own PICTURES=my-folder OUT=my-network
# python -m helpers.experiments.own_network label my-network photographs answers
# ```
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
start_means = dict(zip(starts, study[:, :, 0]))  # (2,) each: one of each budget
measure = "mean_iou" if task == "segments" else "ods"
results = {
    "minutes": [round(note["minutes"]) for note in curves.values()],
    "card_minutes": camvid_note["minutes"],
    "gigapixels": [note["gigapixels"] for note in curves.values()],
    "curves": [[row["score"] for row in note["learning_curve"]] for note in curves.values()],
    "train_scores": [checks[f"{name}_train"]["score"][0] for name in val_scores],
    "val_scores": list(val_scores.values()),
    "train_photographs": [checks[f"{name}_train"]["photographs"] for name in val_scores],
    "border_width": checks["border"]["width"],
    "border_moved": [checks["border"][way] for way in ("moved_aside", "moved_outwards")],
    "camvid_vae": camvid["headline_VAE"],
    "edges_train_half": checks["bsds500_train"]["score"][1],
    "edges_val_half": edge_note["scores"]["val"]["one view"]["score"][1],
    "camvid_fresh": camvid["headline_random"],
    "edges_vae": earlier_edges["vae"][0],
    "edges_fresh": earlier_edges["random"][0],
    "budgets": controls["labels"],
    "vae_fresh": list(start_means["VAE"] - start_means["fresh weights"]),
    "vae_denoising": list(start_means["VAE"] - start_means["denoising"]),
    "vae_term": list(start_means["VAE + term"]),
    "frozen": study[starts.index("fresh weights, frozen")],  # mean and half width
    **{name: controls[name] for name in ("gain_half", "lift", "lift_half")},
    "pets_loss": [pets_note["learning_curve"][i]["loss"] for i in (6, -1)],
    "pets_floor": pets_test["one view"]["floor"],
    "pets_layout": checks["pets_layout"]["score"][0],
    "pets_classes": pets_test["one view"]["classes"],
    "camvid_classes": [camvid_val["classes"], camvid_test["one view"]["classes"]],
    **dict(zip(("own", "own_half"), scores[measure])),
    "own_floor": scores["floor"],
    "own_above": scores["above_floor"],
}
tests = {"edges": edge_test, "pets": pets_test}
tests |= {"camvid": camvid_test, "camvid_both": camvid_both}
for name, found in tests.items():
    results |= {f"{name}_test": found["one view"]["score"]}
    results |= {f"{name}_views": found["several views"]["score"]}
record(results | of_shapes, {}, scores["line"])

# %% [markdown]
# ## What you saw
#
# - A network of 81,746 weights that learned from 200 photographs for 94<!--=minutes[1]--> minutes reaches an ODS of 0.774<!--=edges_test[0]--> on BSDS500. One of 326,387 weights reaches a mean IoU of 0.686<!--=pets_test[0]--> on three breeds of Pets; the layout has 0.375<!--=pets_layout-->. One for CamVid reaches 0.615<!--=camvid_test[0]--> after 8.5<!--=card_minutes--> minutes on an H200. None has a VAE, and whether they were trained enough was not tested.
# - A score on the training photographs tells which way a network fails: the one for Pets overfits, the one for edges probably, too. Val can be too kind: the network for CamVid has 0.74<!--=val_scores[2]--> on val and 0.62<!--=camvid_test[0]--> on test.
# - Rows of a table differ in first weights, in what was learned from, in how much was seen, in size and in what is done to the maps. Without these a comparison says little.
# - A network answers in the classes that it was given, also where none of them is right.
# - A network for your own pictures needs a folder, time, and a look at the worst pictures. The floor is scored on the same pictures, so the interval of the difference decides.
#
# ## Check yourself
#
# 1. Why can a network that learned from crops of 96×96 read a photograph of 481×321?
#
#    <details><summary>Answer</summary>
#
#    All its layers are convolutions, poolings, or means over the whole picture. None has a weight for a certain place.
#
#    </details>
# 2. A network has the same score on training and on held-out pictures, and both are low. Will more labelled pictures help?
#
#    <details><summary>Answer</summary>
#
#    Not much. It underfits: it has not even learned what it was shown. Train longer, or take a larger network. (The network for Pets is the other case: 0.87<!--=train_scores[0]--> against 0.68<!--=val_scores[0]-->.)
#
#    </details>
# 3. Two rows of a table: A 0.789, B 0.759. Name three reasons why A's network need not be the better idea.
#
#    <details><summary>Answer</summary>
#
#    It may have started from ImageNet weights, learned from more pictures (val, another set), been trained longer, have more weights, or be scored from several views. And the interval of either may be ± 0.012.
#
#    </details>
# 4. Your network has 0.62 ± 0.10 and the floor has 0.55 on the same pictures. The difference is 0.07 ± 0.03. What have you shown?
#
#    <details><summary>Answer</summary>
#
#    That it learned something: the interval of the difference does not hold zero. The ± 0.10 is large because some pictures are easy and some are hard, for the network and for the floor alike. In the difference that cancels.
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
# 2. **Edges instead of segments.** Set `task = "edges"` and `steps = 300`, on `shapes`. Is the ODS above Sobel's, by the interval of the difference?
#
#    <details><summary>Hint</summary>
#
#    The printed line has the difference. Its floor is Sobel with the best blur.
#
#    </details>
# 3. **A longer training.** Set `steps` to 300. Is 150 trained enough by a rule like that of notebook `07`: does twice the steps change the score by less than the interval of the difference, and by less than 0.01?
#
#    <details><summary>Hint</summary>
#
#    Keep `by_picture` of each run: `metrics.confidence_interval(by_picture_300 - by_picture_150)` has the difference and half its interval.
#
#    </details>
#
# ## References
#
# - Arbelaez, P., Maire, M., Fowlkes, C. and Malik, J. (2011). Contour detection and hierarchical image segmentation. *IEEE TPAMI* 33(5), 898–916. <https://doi.org/10.1109/TPAMI.2010.161>
# - Brostow, G. J., Fauqueur, J. and Cipolla, R. (2009). Semantic object classes in video: A high-definition ground truth database. *Pattern Recognition Letters* 30(2), 88–97. <https://doi.org/10.1016/j.patrec.2008.04.005>
# - Canny, J. (1986). A computational approach to edge detection. *IEEE TPAMI* 8(6), 679–698. <https://doi.org/10.1109/TPAMI.1986.4767851>
# - Chen, L.-C. and others (2017). Rethinking Atrous Convolution for Semantic Image Segmentation. [arXiv:1706.05587](https://arxiv.org/abs/1706.05587)
# - Dollár, P. and Zitnick, C. L. (2015). Fast edge detection using structured forests. *IEEE TPAMI* 37(8), 1558–1570. <https://doi.org/10.1109/TPAMI.2014.2377715>
# - Jégou, S. and others (2017). The One Hundred Layers Tiramisu: Fully Convolutional DenseNets for Semantic Segmentation. CVPR Workshops. [arXiv:1611.09326](https://arxiv.org/abs/1611.09326)
# - Liu, Y. and others (2017). Richer Convolutional Features for Edge Detection. CVPR. [arXiv:1612.02103](https://arxiv.org/abs/1612.02103)
# - Li, G. and Kim, J. (2019). DABNet: Depth-wise Asymmetric Bottleneck for Real-time Semantic Segmentation. BMVC. <https://doi.org/10.5244/C.33.186>
# - Parkhi, O. M., Vedaldi, A., Zisserman, A. and Jawahar, C. V. (2012). Cats and dogs. CVPR. <https://doi.org/10.1109/CVPR.2012.6248092>
# - Su, Z. and others (2021). Pixel difference networks for efficient edge detection. ICCV. [arXiv:2108.07009](https://arxiv.org/abs/2108.07009)
# - Xie, S. and Tu, Z. (2015). Holistically-nested edge detection. ICCV. [arXiv:1504.06375](https://arxiv.org/abs/1504.06375)
# - Yu, F. and Koltun, V. (2016). Multi-Scale Context Aggregation by Dilated Convolutions. ICLR. [arXiv:1511.07122](https://arxiv.org/abs/1511.07122)
# - Zhao, H. and others (2017). Pyramid Scene Parsing Network. CVPR. [arXiv:1612.01105](https://arxiv.org/abs/1612.01105)
