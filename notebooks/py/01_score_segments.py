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
# # Score segments: what is a good mask?
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/01_score_segments.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/01_score_segments.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/01_score_segments.ipynb) <!--badges-->
#
# ![Six pictures in columns with mask and prediction below and the mean Dice above. In the three best the object is found, as a patch of mostly the right colour with specks of other classes. In the three worst whole objects are missed, or painted in the colours of other classes.](../docs/pictures/01.png) <!--picture-->
#
# A program gives each pixel of a picture a class: background, disc, square, triangle. **Is its answer good?** Before any network is trained, we need a score. The most natural one, the share of right pixels, gives 84<!--=common_accuracy*100--> % to a program that never looks at the picture (in the stored run). So we look for a better one, and then use it on a program that does look.
#
# **What you'll do**
#
# - Look at pictures and masks, and tell three kinds of segmentation apart.
# - Compute two scores of overlap, [IoU](../docs/site/glossary.md#term-intersection-over-union-IoU) and Dice, by hand.
# - Score two programs that do not look at the picture.
# - Train a [random forest](../docs/site/glossary.md#term-random-forest) that labels pixels, and find out what it cannot see.
#
# **What you'll learn**
#
# - Why accuracy misleads, and what the mean IoU does better.
# - Which errors the IoU hardly notices, and how the boundary IoU shows them.
# - Why every score needs a floor and an interval beside it.
#
# **What you'll need**
#
# - Python and NumPy. No notebook has to be read before this one.
# - Mathematics: shares, means, and what a 95 % interval is: in 95 of 100 such cases it holds the true value.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1 GB of memory. Nothing is downloaded.

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
dataset = "shapes"  # or "camvid", "pets", or "folder": pictures and masks of your own
path = ""  # for "folder": the folder with your pictures and their masks
seed = 0  # of the forest and of the pixels it is trained on
train_images = 200  # pictures the forest is trained on
val_images = 60  # held-out pictures: all scores are measured on them
pixels_per_image = 100  # pixels drawn from each training picture
trees = 30  # trees of the forest
shrink = 1  # the forest works on pictures shrunk by this factor; scores are at native size

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "camvid", "pets", "folder"], path="folder",
    seed=range(2**32), train_images=range(10, 4001), val_images=range(6, 1001),
    pixels_per_image=range(10, 5001), trees=range(1, 501), shrink=range(1, 9),
)  # fmt: skip
set_up(seed)

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage
from skimage.measure import label as connected
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score

from helpers import data, metrics, plots
from helpers.data.images import resize_image, resize_indices

plots.use()
rng = np.random.default_rng(seed)

# %% [markdown]
# ## Pictures and masks
#
# Every data set of the series has one door, `data.load(name, split)`, and one structure: `images` as bytes, and `masks` with the number of a class for each pixel. The *train* [split](../docs/site/glossary.md#term-split) is for learning. The *val* split is held out: nothing learns from it, and scores are measured on it. A third one, *test*, stays closed here.
#
# The default set is `shapes`. A program draws it, so the true mask of each picture is known: discs, squares and triangles on photographs of brick, grass and gravel, in colours that say nothing about the class. (All splits cut their textures from the same three photographs.)


# %%
def some(split, count):
    """`count` pictures, evenly spaced: neighbouring frames of a video look alike."""
    options = {"path": path} if dataset == "folder" else {}
    limit = count if dataset == "shapes" else None
    whole = data.load(dataset, split, limit=limit, **options)
    if whole.masks is None:
        raise ValueError(f"This notebook needs a mask for each picture; {path!r} has no masks.")
    return whole.subset(np.linspace(0, len(whole) - 1, min(count, len(whole))).astype(int))


train = some("train", train_images)
val = some("val", val_images)
classes = len(val.class_names)
void = 255 if val.ignore_class is None else val.ignore_class  # pixels that do not count
print(f"{len(train)} + {len(val)} pictures of {dataset}; {', '.join(val.class_names)}")

# %% [markdown]
# ## Three kinds of segmentation
#
# To *segment* a picture means to cut it into parts. Three kinds have classes or objects in their answers:
#
# - **Semantic segmentation**: the class of each pixel. Two discs are one class.
# - **Instance segmentation**: the pixels of each object. Two discs are two objects. The background has no answer.
# - **Panoptic segmentation** (Kirillov and others, 2019): both. Each pixel has a class, and pixels of objects also have the number of their object.
#
# A fourth, older kind cuts a picture into connected **regions** without names.

# %%
shown = data.load("shapes", "val", limit=7)
pieces = [connected(mask, connectivity=1) for mask in shown.masks]  # connected parts, numbered
rows = [
    list(shown.images),
    [plots.mask_to_rgb(mask) for mask in shown.masks],
    [plots.mask_to_rgb(piece + 4 * (piece > 0)) for piece in pieces],
]
fig = plots.image_grid(rows, row_labels=["picture", "classes", "pieces"])
plots.class_legend(fig, shown.class_names)
alt = "Seven small pictures of one to three coloured discs, squares and triangles on brick, grass and gravel. Below each its mask, where every shape has the flat colour of its class; and its connected pieces, each in a colour of its own."
plots.show(fig, alt=alt)

# %% [markdown]
# The second row is the **[mask](../docs/site/glossary.md#term-mask)**: a colour for each class. In the third row each connected piece has a colour of its own, which is not that of a class. Look at the sixth picture: two triangles overlap, and the mask makes one piece of them. In the third, the second piece of the triangle is one pixel. From classes one cannot always get back to objects.
#
# So the kinds need different scores. Give the pieces other names, and it is still the same cut. Give the classes other names, and every answer is wrong. The next cell shows it with the *adjusted Rand index* (Hubert and Arabie, 1985): it asks for each pair of pixels whether they lie in one piece or in two, and is 1 for the same cut and 0 on average for a random one.

# %% tags=["nbval-check-output"]
mask = np.array([[0, 0, 0, 0], [1, 1, 0, 2], [1, 1, 0, 2], [0, 0, 0, 0]])
renamed = np.array([1, 2, 0])[mask]  # background → 1, class 1 → 2, class 2 → 0
same_cut = adjusted_rand_score(mask.flat, renamed.flat)
same_class = np.mean(mask == renamed)
print(f"other names: Rand index {same_cut:.1f}, pixels of the right class {same_class:.1f}")
assert same_cut == 1.0 and same_class == 0.0

# %% [markdown]
# From here on, segmentation means the semantic kind.
#
# ### Masks that people drew
#
# In photographs nobody knows the true mask. People draw it. Here are four photographs of the set Oxford-IIIT Pet (Parkhi and others, 2012) and the masks that people drew for them: pet, background, and between them a border that they left open. (This picture comes from a run with `dataset = "pets"`, which downloads the set.)
#
# ![Four photographs with their masks below. Two cats of the breed Abyssinian, one on a red cloth and one with its mouth wide open; a Bengal cat behind a flower; the head of a bulldog in a car. In the masks the animal is light grey, the ground blue, and a border between them orange.](../docs/pictures/01-pets.png)
#
# *Abyssinian_103, Abyssinian_155, Bengal_154 and american_bulldog_158* of Oxford-IIIT Pet, [CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/).

# %%
if dataset == "pets":
    four = val.subset(np.linspace(0, len(val) - 1, 4).astype(int))
    rows = [four.images, [plots.mask_to_rgb(mask, classes) for mask in four.masks]]
    fig = plots.image_grid(rows, row_labels=["photograph", "mask"], column_labels=four.ids)
    plots.class_legend(fig, four.class_names)
    alt = "Four photographs of cats and dogs, and below them their masks of three colours."
    plots.show(fig, alt=alt)

# %% [markdown]
# ## What counts as right?
#
# The obvious score is **pixel accuracy**: the share of pixels with the right class. Two programs that do not look at the picture are its test. The first answers with the most common class everywhere. The second, the **layout**, answers at each position with the class that is most common *there* in the training masks.
#
# > **Predict first.** On `shapes`, how high is the accuracy of a program that calls every pixel background? Is the layout better?

# %%
# Masks are resized by nearest neighbour: classes have no mean.
stack = np.stack([resize_indices(mask, (90, 120)) for mask in train.masks])  # (N, 90, 120)
counts = np.stack([(stack == c).sum(axis=0) for c in range(classes)])  # (C, 90, 120)
common = int(counts.sum(axis=(1, 2)).argmax())
layout = counts.argmax(axis=0).astype("uint8")
answers = {
    "common": [np.full(mask.shape, common) for mask in val.masks],
    "layout": [resize_indices(layout, mask.shape) for mask in val.masks],
}


# %% [markdown]
# A score of 60 pictures would be a little different on 60 others. So each score gets a 95 % **interval over pictures**. For the accuracy, the mean over pictures, it is the usual interval of a mean. The other score that is printed, the *mean IoU*, comes next. It is no mean over pictures. `metrics.mean_iou_by_image` asks how much the pixels of each picture change it (the *infinitesimal jackknife*, Efron and Tibshirani, 1993) and gives each picture a number. The mean of these numbers is the mean IoU, and their spread gives the interval.


# %%
def accuracies(answer):
    pairs = zip(val.masks, answer)
    return np.array([metrics.pixel_accuracy(mask, labels, void) for mask, labels in pairs])


def score(answer):
    """Accuracy and mean IoU over all held-out pictures, each with half its interval."""
    accuracy = accuracies(answer)  # (N,)
    iou = metrics.mean_iou_by_image(val.masks, answer, classes, void)  # (N,)
    return metrics.confidence_interval(accuracy), metrics.confidence_interval(iou)


scores = {}
for name, answer in answers.items():
    accuracy, iou = score(answer)
    scores[name] = accuracy, iou
    print("{:<7} accuracy {:.3f} ± {:.3f}".format(name, *accuracy), end="   ")
    print("mean IoU {:.3f} ± {:.3f}".format(*iou))

# %% [markdown]
# In the stored run "everything is background" is right for 0.837<!--=common_accuracy--> ± 0.022<!--=common_accuracy_half--> of the pixels, and it has found no object. So an accuracy must be read beside this **floor**, and every data set has its own. On `shapes` the layout is the same program: objects may lie anywhere, so background is the most common class at every position.
#
# ## IoU and Dice, by hand
#
# The **mean IoU** of the same answer is 0.209<!--=common_iou-->. To see why, take a case that can be counted by hand: 4×4 pixels, three classes, and one pixel that the person could not decide. Such pixels are **void**. Void is no class: these pixels are left out, of training and of every score.

# %% tags=["nbval-check-output"]
truth = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 2], [0, 0, 2, 9]])  # 9 is void
guess = np.array([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 0, 2], [0, 0, 0, 1]])
confusion = np.zeros((3, 3), int)  # rows: the truth, columns: the guess
for t, g in zip(truth.flat, guess.flat):
    if t != 9:
        confusion[t, g] += 1
hits = np.diag(confusion)
sizes = confusion.sum(axis=1) + confusion.sum(axis=0)  # in the truth, plus in the guess
iou = hits / (sizes - hits)
dice = 2 * hits / sizes
print(confusion, "rows: truth, columns: guess")
print("IoU of each class ", iou.round(4), "mean", iou.mean().round(4))
print("Dice of each class", dice.round(4))
assert (confusion == metrics.confusion_matrix(truth, guess, 3, ignore_class=9)).all()
assert np.isclose(iou.mean(), metrics.mean_iou(truth, guess, 3, ignore_class=9))

# %% [markdown]
# The **confusion matrix** counts each pair of truth (row) and guess (column). Take class 1. Four pixels are of class 1, four were called so, three are both: the *intersection*. The *union*, pixels that are of class 1 or were called so, has 4 + 4 − 3 = 5. So the **[IoU](../docs/site/glossary.md#term-intersection-over-union-IoU)**, intersection over union, is 3/5. **Dice** divides the intersection by the mean of the two sizes: 3/4. For one class the two always give the same order, since Dice = 2·IoU/(1 + IoU).
#
# The **mean IoU** averages over *classes*, so a rare class counts as much as the background. A program that finds no object gets the IoU of the background, divided by the number of classes.
#
# ### Per picture, or all together?
#
# A score can be taken of each picture and averaged, or of all pictures as if they were one. It makes a difference.

# %% tags=["nbval-check-output"]
two = np.zeros((2, 12, 12), int)
two[0, 1:11, 1:11] = 1  # a large object
two[1, 5:7, 5:7] = 1  # a small one in the other picture
found = two.copy()
found[1] = 0  # the small one is overlooked
per_picture = metrics.dice(two, found, 1)
together = metrics.dice(two[None], found[None], 1)[0]
print(f"Dice per picture {per_picture}, mean {per_picture.mean()}; together {together:.2f}")
assert per_picture.tolist() == [1.0, 0.0] and together > 0.98

# %% [markdown]
# One of two objects is missing. Per picture, Dice says 0.5. All together it says 0.98, because the large object has nearly all the pixels. So ask of every score which of the two it is. Below, the mean IoU is of all pixels together, as usual.
#
# **Exercise 1.** An object has 30 pixels. A program marks 50, of which 20 lie on the object. What are IoU and Dice? And: 90 % of all pixels are background, there are 3 classes, and a program answers background everywhere. What is its mean IoU?

# %%
your_iou, your_dice, your_common_iou = None, None, None  # ← your three numbers
for name, yours, true, hint in (
    ("IoU", your_iou, 20 / 60, "The union has 30 + 50 − 20 pixels."),
    ("Dice", your_dice, 40 / 80, "Twice the intersection over the sum of both sizes."),
    ("mean IoU", your_common_iou, 0.3, "The other two classes have an IoU of 0."),
):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else round(true, 3)}")
    assert yours is None or abs(yours - true) < 0.005, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# The union has 30 + 50 − 20 = 60 pixels, so IoU = 20/60 = 0.333 and Dice = 2·20/(30 + 50) = 0.5. The program that answers background has an IoU of 0.9 there (90 of 100 pixels are in both, all 100 in the union) and of 0 for the other two: 0.9/3 = 0.3.
#
# </details>
#
# ## A program that looks
#
# The classical way to label pixels has two steps: describe each pixel by a list of numbers, its [features](../docs/site/glossary.md#term-feature), and train a *classifier* on these lists, a program that learns from examples which class goes with a list. Ours begin with the colour of the pixel and its height in the picture. At each of three scales (blurs of different width) come the colour of the surroundings, how fast the brightness changes, whether the pixel is brighter or darker than its surroundings, and how much the brightness varies nearby.
#
# Our classifier is a **[random forest](../docs/site/glossary.md#term-random-forest)** (Breiman, 2001). A *decision tree* asks yes/no questions about the features, one after the other, and ends at a class. A forest is many trees, each trained on a random choice of pixels and features, which vote.


# %%
def features(image):
    """Describes every pixel of a uint8 (H, W, 3) picture: (H / shrink, W / shrink, F)."""
    x = data.to_float(resize_image(image, tuple(side // shrink for side in image.shape[:2])))
    grey = x.mean(axis=-1)
    height = np.broadcast_to(np.linspace(0, 1, len(x))[:, None, None], (*grey.shape, 1))
    parts = [x, height]
    for scale in (1, 2, 4):  # pixels
        smooth = ndimage.gaussian_filter(x, (scale, scale, 0))
        slope = ndimage.gaussian_gradient_magnitude(grey, scale)
        spot = ndimage.gaussian_laplace(grey, scale)
        spread = ndimage.gaussian_filter(grey**2, scale) - smooth.mean(axis=-1) ** 2
        parts += [smooth, np.stack([slope, spot, spread], axis=-1)]
    return np.concatenate(parts, axis=-1)


x_train, y_train = [], []
for image, mask in zip(train.images, train.masks):
    x = features(image)
    y = resize_indices(mask, x.shape[:2]).ravel()
    known = np.flatnonzero(y != void)
    chosen = rng.choice(known, min(pixels_per_image, len(known)), replace=False)
    x_train.append(x.reshape(y.size, -1)[chosen])
    y_train.append(y[chosen])
forest = RandomForestClassifier(trees, min_samples_leaf=3, n_jobs=2, random_state=seed)
forest = forest.fit(np.concatenate(x_train), np.concatenate(y_train))

# %%
answers["forest"] = []
for image in val.images:
    x = features(image)
    y = forest.predict(x.reshape(-1, x.shape[-1])).reshape(x.shape[:2])
    answers["forest"].append(resize_indices(y, image.shape[:2]))

# %% [markdown]
# > **Predict first.** The widest feature sees about ten pixels to each side; discs are 14 to 28 pixels wide, and the colour says nothing about the class. What will the forest confuse more: objects with background, or one class of objects with another?

# %%
forest_accuracy, forest_iou = score(answers["forest"])
scores["forest"] = forest_accuracy, forest_iou
print("accuracy {:.3f} ± {:.3f}".format(*forest_accuracy), end="   ")
print("mean IoU {:.3f} ± {:.3f}".format(*forest_iou))
more = accuracies(answers["forest"]) - accuracies(answers["common"])
gain = metrics.confidence_interval(more)

truth = np.concatenate([np.ravel(mask) for mask in val.masks])
forest_says = np.concatenate([np.ravel(answer) for answer in answers["forest"]])
confusion = metrics.confusion_matrix(truth, forest_says, classes, void)
share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
fig, axis = plt.subplots(figsize=(0.55 * classes + 2.6, 0.5 * classes + 1.9))
plots.heatmap(axis, share, val.class_names, val.class_names, "share of each row")
axis.set(xlabel="the forest says", ylabel="the truth", aspect="equal")
alt = "Confusion matrix of the forest. The background's row is nearly all on the diagonal. In the rows of disc, square and triangle, most pixels are called some object, but they are spread over the three classes of objects."
plots.show(fig, alt=alt)


# %%
def found_and_named(chosen):
    """Share of objects' pixels that are called some object, and of these, the right one."""
    pairs = [(val.masks[i], answers["forest"][i]) for i in chosen]
    table = sum(metrics.confusion_matrix(m, a, classes, void) for m, a in pairs)
    objects = np.delete(np.arange(classes), common)
    seen = table[np.ix_(objects, objects)].sum()
    right = np.diag(table)[objects].sum()
    return np.array([seen / max(table[objects].sum(), 1), right / max(seen, 1)])


every = np.arange(len(val))
found_share, named_share = found_and_named(every)
again = [found_and_named(rng.choice(every, len(every))) for _ in range(200)]  # (200, 2)
found_range, named_range = np.percentile(again, [2.5, 97.5], axis=0).T
print(f"called some object: {found_share:.2f}, between {found_range.round(2)}")
print(f"of these, the right one: {named_share:.2f}, between {named_range.round(2)}")

# %% [markdown]
# (The two intervals in brackets come from the *bootstrap*: draw as many pictures again, with repetition, and score them, 200 times. 95 % of the scores lie in between.)
#
# In the stored run the forest calls 0.72<!--=found_share--> of the objects' pixels *some* object (0.64<!--=found_range[0]--> to 0.77<!--=found_range[1]-->). Of these it names the right class for 0.34<!--=named_share--> (0.28<!--=named_range[0]--> to 0.39<!--=named_range[1]-->), and guessing among three gives 0.33. It knows *that* something is there, and not *what*: classes of objects are confused most. The mean IoU of 0.345<!--=forest_iou--> ± 0.027<!--=forest_iou_half--> shows this. The accuracy, 0.856<!--=forest_accuracy--> ± 0.020<!--=forest_accuracy_half-->, exceeds the floor, 0.837<!--=common_accuracy-->, by 0.019<!--=accuracy_gain[0]--> ± 0.013<!--=accuracy_gain[1]--> (picture by picture).
#
# The features know colour and texture in a small neighbourhood. Whether something is a disc or a square shows in the *shape* of its outline, and every feature of the surroundings mixes all directions into one number, so the shape is lost. A convolutional network, which learns its own features, can keep it (notebook `08`).
#
# ## The best, the worst, and the outline
#
# Here are the three pictures with the best Dice and the three with the worst, averaged over the classes that occur.


# %%
def dice_of(mask, answer):
    """Mean Dice over the classes that occur in one picture; void pixels are left out."""
    answer = np.where(mask == void, void, answer)
    present = np.setdiff1d(np.unique(mask), [void])
    return np.mean([metrics.dice(mask[None], answer[None], c)[0] for c in present])


dices = np.array([dice_of(m, a) for m, a in zip(val.masks, answers["forest"])])  # (N,)
order = np.argsort(-dices)
ends = [*order[:3], *order[3:][-3:]]  # no picture twice

# %% tags=["picture"]
rows = [[val.images[i] for i in ends]]
for maps in (val.masks, answers["forest"]):
    rows.append([plots.mask_to_rgb(maps[i], classes, void) for i in ends])
titles = [f"Dice {dices[i]:.2f}" for i in ends]
fig = plots.image_grid(rows, row_labels=["picture", "mask", "forest"], column_labels=titles)
plots.class_legend(fig, val.class_names)
alt = "Six pictures in columns with mask and prediction below and the mean Dice above. In the three best the object is found, as a patch of mostly the right colour with specks of other classes. In the three worst whole objects are missed, or painted in the colours of other classes."
plots.show(fig, alt=alt)

# %% [markdown]
# In these six, objects with a strong colour or much light are found, most dull ones missed. In the best three the class happens to be right: they are the best of sixty. The best three have one object each: there the background, which is nearly always right, is one of two classes. With several kinds it is one of three or four. A mean over classes depends on how many there are.
#
# **What the IoU forgives.** A large object with a ragged outline keeps a high IoU, because most of its pixels lie inside. The **boundary IoU** (Cheng and others, 2021) compares only bands along the inner side of the outlines.
#
# > **Predict first.** Take the true masks themselves, shrunk to 16×16 and enlarged again. Their outlines become stairs; inside the objects every class is still right. How high are their mean IoU and their mean boundary IoU?

# %%
coarse = []
for mask in val.masks:
    small = resize_indices(mask, tuple(max(1, side // 4) for side in mask.shape))
    coarse.append(resize_indices(small, mask.shape))
coarse_iou = metrics.mean_iou(truth, np.concatenate([c.ravel() for c in coarse]), classes, void)
coarse_boundary = np.nanmean(metrics.boundary_iou(val.masks, coarse, classes, void))
forest_boundary = np.nanmean(
    metrics.boundary_iou(val.masks, answers["forest"], classes, void)
)
print(f"coarse truth: mean IoU {coarse_iou:.2f}, boundary IoU {coarse_boundary:.2f}")
print(f"forest: mean IoU {forest_iou[0]:.2f}, boundary IoU {forest_boundary:.2f}")

# %% [markdown]
# In the stored run the coarse masks have a mean IoU of 0.85<!--=coarse_iou--> and a boundary IoU of 0.52<!--=coarse_boundary-->. The forest has 0.34<!--=forest_iou--> and 0.22<!--=forest_boundary-->. So choose the score by what the mask is for: to measure how much of a street is car, or to cut along a car's outline.
#
# **What is left out counts, too.** People are unsure along outlines, and some data sets declare a band along every border void.
#
# > **Predict first.** Same forest, same answers. Declare every pixel void whose 3×3 neighbourhood holds more than one class. Does the score rise or fall?

# %%
border = [ndimage.maximum_filter(m, 3) != ndimage.minimum_filter(m, 3) for m in val.masks]
in_band = np.concatenate([np.ravel(b) for b in border])
banded_iou = metrics.mean_iou(np.where(in_band, void, truth), forest_says, classes, void)
print(f"mean IoU {forest_iou[0]:.3f}; with a void band along borders {banded_iou:.3f}")

# %% [markdown]
# It rises, from 0.345<!--=forest_iou--> to 0.355<!--=banded_iou-->, and nothing but the number got better. Two scores under different void rules cannot be compared. The gain is small here, because the forest's errors are mostly not at borders.
#
# ## A recorded run on street scenes
#
# An earlier version of this notebook was run on CamVid (Brostow and others, 2009): frames filmed from a car, with eleven classes (`01.full-camvid.yaml`: 101 frames of *val*, shrunk by 2 for the forest, and more training pictures, pixels and trees than here). Its numbers are kept in `data/results`.
#
# > **Predict first.** On street scenes, is the forest better or worse than on `shapes`? How far does the layout get?

# %%
recorded = data.records.results_of("01-camvid")
print("                      here    CamVid")
for name in ("common", "layout", "forest"):
    for what, (value, _) in zip(("accuracy", "iou"), scores[name]):
        other = recorded.get(f"{name}_{what}", float("nan"))
        print(f"{name + ', ' + what:<18}{value:8.3f}  {other:8.3f}")

# %% [markdown]
# On CamVid no class fills the picture, so "the most common class" is right for less than a third of the pixels. The layout has six times its mean IoU without a look at the picture: the sky is above, the road below. The forest nearly doubles that: there colour and texture do tell classes apart. Both scores are lower there than on `shapes`, but eleven classes and four cannot be compared directly: which set is harder depends on score and floor. Against the layout it gains 0.14 in mean IoU on both. (The recorded run has no intervals: neighbouring frames of a film are not independent pictures.)

# %% tags=["results"]
results = {"images": f"{len(val)} of {dataset} val", "accuracy_gain": gain}
for name, pairs in scores.items():
    for what, (value, half) in zip(("accuracy", "iou"), pairs):
        results |= {f"{name}_{what}": value, f"{name}_{what}_half": half}
results |= {"forest_dice": dices.mean(), "banded_iou": banded_iou}
results |= {"found_share": found_share, "found_range": found_range}
results |= {"named_share": named_share, "named_range": named_range}
results |= {"coarse_iou": coarse_iou, "coarse_boundary": coarse_boundary}
results["forest_boundary"] = forest_boundary
bands_of = {"forest_iou": (0.3, 0.4), "found_share": (0.6, 0.9), "named_share": (0.2, 0.5)}
limits = {key: {"default": span} for key, span in bands_of.items()}
record(results, limits, headline="forest: mean IoU {forest_iou:.2f}".format(**results))

# %% [markdown]
# ## What you saw
#
# - Accuracy mostly counts background: 0.837<!--=common_accuracy--> for a program that does not look. The mean IoU gives every class the same weight; the same program has only 0.209<!--=common_iou-->.
# - A random forest on local colour and texture finds objects, and was not seen to name them better than a guess: a mean IoU of 0.345<!--=forest_iou--> ± 0.027<!--=forest_iou_half-->.
# - A score says little alone. Beside it belong its floor, and an interval over pictures.
# - The IoU forgives ragged outlines; the boundary IoU does not. Which pixels are void is part of the score.
#
# Notebook `02` asks the same questions of edges.
#
# ## Check yourself
#
# 1. A text reports a pixel accuracy of 95 %. What do you ask first?
#
#    <details><summary>Answer</summary>
#
#    What the most common class everywhere would have: the floor.
#
#    </details>
# 2. Why can the mean IoU of a perfect finder of objects be low?
#
#    <details><summary>Answer</summary>
#
#    It may give the objects the wrong class. Each wrong name lowers two classes' IoU.
#
#    </details>
# 3. Two discs touch. Which kind of segmentation tells that they are two?
#
#    <details><summary>Answer</summary>
#
#    Instance or panoptic segmentation. In the semantic kind they are one area of one class.
#
#    </details>
# 4. Method A has a mean IoU of 0.345 ± 0.020, B has 0.355 ± 0.020, on the same pictures. Is B better?
#
#    <details><summary>Answer</summary>
#
#    That cannot be said from the two intervals. Take the difference picture by picture, and look at its interval.
#
#    </details>
#
# ## On your own
#
# 1. Give `RandomForestClassifier` the argument `class_weight="balanced"`. What happens to accuracy, to `found_share`, to the mean IoU? Predict all three.
#
#    <details><summary>What to expect</summary>
#
#    More of the objects' pixels are found, more background is called an object, and accuracy falls. The mean IoU falls too: the classes of the additional pixels are still guessed, and every wrong guess enlarges a union.
#
#    </details>
# 2. Run with `dataset = "folder"` and the `path` of pictures and masks of your own. What is the floor there?
#
# ## References
#
# - Breiman, L. (2001). Random forests. *Machine Learning* 45(1), 5–32. <https://doi.org/10.1023/A:1010933404324>
# - Brostow, G. J., Fauqueur, J. and Cipolla, R. (2009). Semantic object classes in video: a high-definition ground truth database. *Pattern Recognition Letters* 30(2), 88–97. <https://doi.org/10.1016/j.patrec.2008.04.005>
# - Cheng, B. and others (2021). Boundary IoU: Improving Object-Centric Image Segmentation Evaluation. CVPR. [arXiv:2103.16562](https://arxiv.org/abs/2103.16562)
# - Efron, B. and Tibshirani, R. J. (1993). *An Introduction to the Bootstrap*. Chapman and Hall. <https://doi.org/10.1201/9780429246593>
# - Hubert, L. and Arabie, P. (1985). Comparing partitions. *Journal of Classification* 2(1), 193–218. <https://doi.org/10.1007/BF01908075>
# - Kirillov, A. and others (2019). Panoptic Segmentation. CVPR. [arXiv:1801.00868](https://arxiv.org/abs/1801.00868)
# - Parkhi, O. M., Vedaldi, A., Zisserman, A. and Jawahar, C. V. (2012). Cats and dogs. CVPR. <https://doi.org/10.1109/CVPR.2012.6248092>
