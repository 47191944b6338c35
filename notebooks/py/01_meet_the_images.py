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
# # Meet the images, their masks and their edges
#
# <!--badges-->
#
# Before any network is trained, two questions want an answer. What exactly do we ask of a picture when we ask for its *segments* or its *edges*? And when somebody hands in an answer, how do we tell whether it is right?
# Both are harder than they look: people who draw edges disagree, and the most natural score of a segmentation gives 86 % to a program that never looks at the image.
#
# **What you'll do**
#
# - Look at images, class masks and the edges that several annotators drew, and measure how much the annotators disagree.
# - Compute a confusion matrix, the intersection over union and Dice by hand, and watch accuracy mislead.
# - Train a random forest that labels pixels, and find out what it cannot see.
# - Take Roberts, Sobel and Canny apart, score them with the Berkeley benchmark, and break them with texture.
#
# **What you'll learn**
#
# - Splitting an image into regions and naming the class of each pixel are two tasks with two measures.
# - An edge map needs a *tolerant* score; without it one annotator fails another.
# - A gradient operator is no edge detector yet. What Canny adds to it can be measured step by step.
#
# **What you'll need**
#
# - Python and NumPy. No notebook has to be read before this one; no network is trained here.
# - About 2 minutes on 2 CPU cores and 1 GB of memory. The default data set is drawn on the spot; nothing is downloaded.

# %% tags=["colab"]
# filled in by the build

# %% tags=["parameters"]
dataset = "shapes"  # data set: shapes, bsds500 (edges only), camvid or pets (masks only)
seed = 0  # of the forest and of the pixels it is trained on
train_images = 200  # images the forest is trained on
val_images = 60  # images the forest is scored on
pixels_per_image = 100  # pixels drawn from each training image
trees = 30  # trees of the forest
shrink = 1  # the forest works on images shrunk by this factor; scores are at native size
edge_images = 20  # images the edge detectors are scored on
thresholds = 25  # thresholds of the edge benchmark
tolerance = 0.02  # largest distance of an edge match, as a share of the image's diagonal
sigma = 2.0  # width in pixels of Canny's Gaussian

# %%
import json
from pathlib import Path

from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    dataset=["shapes", "bsds500", "camvid", "pets"],
    seed=range(0, 2**32),
    train_images=range(10, 4001),
    val_images=range(6, 1001),
    pixels_per_image=range(10, 5001),
    trees=range(1, 501),
    shrink=range(1, 9),
    edge_images=range(3, 201),
    thresholds=range(5, 100),
    tolerance=(0.001, 0.1),
    sigma=(0.5, 5.0),
)
set_up(seed)

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score

from helpers import data, edges, metrics, plots

plots.use()
rng = np.random.default_rng(seed)


def some(name, split, count):
    """`count` images, evenly spaced: neighbouring frames of a video look alike."""
    whole = data.load(name, split, limit=count if name == "shapes" else None)
    return whole.subset(np.linspace(0, len(whole) - 1, min(count, len(whole))).astype(int))


def compare(name, yours, true, hint):
    """Print your value beside the true one, and stop with a hint where they differ."""
    if yours is None:
        print(f"{name:<26} your value: —  (write one, run the cell again, and see the true value)")
        return
    print(f"{name:<26} your value: {yours:.4g}   true value: {true:.4g}")
    assert abs(yours - true) <= 0.005 * max(1.0, abs(true)), f"{name} differs. {hint}"


# %% [markdown]
# ## What is in the data?
#
# Every data set of the series comes through one door, `data.load(name, split)`, in one structure: `images` as bytes, `masks` with one class index a pixel, `edges`, and `annotations`, which keep each person's drawing apart. What a set does not have is `None`. The default, `shapes`, has everything, because it is drawn by a program that knows the truth:
# discs, squares and triangles over photographs of brick, grass and gravel, in colours that say nothing about the class, with noise.
#
# The real sets have less. BSDS500 has edges drawn by four to nine people and no classes. CamVid, frames filmed from a car, has classes and no drawn edges; so have the pets. When you choose one of them, the sections it cannot serve go on with `shapes`, and the next cell says so.

# %%
segmentation_set = "shapes" if dataset == "bsds500" else dataset
edge_set = dataset if dataset in ("shapes", "bsds500") else "shapes"
if segmentation_set != edge_set:
    print(
        f"{dataset} does not have all we need: masks from {segmentation_set}, edges from {edge_set}"
    )
train = some(segmentation_set, "train", train_images)
val = some(segmentation_set, "val", val_images)
drawn = some(edge_set, "val", edge_images)
classes = len(train.class_names)
print(
    f"segmentation: {len(train)} images to train on, {len(val)} to score, classes {train.class_names}"
)
print(
    f"edges:        {len(drawn)} images, {sum(map(len, drawn.annotations))} drawings by annotators"
)

# %%
shown = data.load("shapes", "val", limit=7)
rows = [shown.images, [plots.mask_to_rgb(m, 4) for m in shown.masks], 255 - shown.edges]
fig = plots.image_grid([list(r) for r in rows], row_labels=["image", "mask", "edges"])
plots.class_legend(fig, shown.class_names)
alt = """Seven small images of one to three coloured discs, squares and triangles over brick, grass and
gravel. Below each its mask, where every shape has the flat colour of its class, and its edges: dark lines
around the shapes, and fainter marks elsewhere, where only some annotators drew something."""
plots.show(fig, alt=alt)

# %% [markdown]
# Three rows, three questions. The image is what a program gets. The **mask** answers *what is here?* for each pixel: background, disc, square or triangle. The **edges** answer *where does one thing end?* Some lines are black and some are grey: the grey value is the share of annotators who marked the pixel.
#
# ## What do people draw?
#
# Five simulated annotators have drawn in each image, and each has a habit that human annotators have too. The *careful* one marks the exact outline. The *unsteady* one draws it one pixel away. The *hasty* one overlooks objects that hardly stand out. The *zealous* one also marks contours of the background's texture. The *outliner* traces the objects together and leaves out the lines between them.
#
# > **Predict first.** The unsteady annotator sees the same edges as the careful one and draws all of them. Count a pixel as agreed when *both* marked it. What share of their pixels do the two agree on: nearly all, a half, a fifth?

# %%
names = ("careful", "unsteady", "hasty", "zealous", "outliner")
pick = int(np.argmax([a[0].sum() * (a[2].sum() < a[0].sum()) for a in shown.annotations]))
row = [shown.images[pick], *(255 * (1 - a) for a in shown.annotations[pick])]
fig = plots.image_grid([row], column_labels=["image", *names])
alt = """One image and the edges that five annotators drew in it. The careful and the unsteady drawing look the
same; the hasty one lacks an object; the zealous one is full of extra marks from the background; the
outliner's lacks a line where one object covers another, if any do."""
plots.show(fig, alt=alt)


# %%
def agreement(annotations, max_distance):
    """F between the drawings of each two people, over all images: (A, A), 1 is full agreement."""
    people = min(map(len, annotations))
    table = np.eye(people)
    for i in range(people):
        for j in set(range(people)) - {i}:
            mine, theirs = [a[i] for a in annotations], [a[j : j + 1] for a in annotations]
            table[i, j] = edges.benchmark(mine, theirs, 1, max_distance, workers=1).ods
    return table


EXACT = 0.001  # share of the diagonal: less than a pixel in every set, so only hits count
exact, tolerant = agreement(drawn.annotations, EXACT), agreement(drawn.annotations, tolerance)
labels = names if edge_set == "shapes" else [f"person {i + 1}" for i in range(len(exact))]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.7), sharey=True)
for axis, table, title in zip(axes, (exact, tolerant), ("same pixel", "within the tolerance")):
    axis.imshow(table, vmin=0, vmax=1, cmap="cividis")
    axis.grid(False)
    axis.set(xticks=range(len(table)), yticks=range(len(table)), yticklabels=labels)
    axis.set_xticklabels(labels, rotation=30, ha="right")
    axis.set_title(f"agreement (F), {title}")
    for (i, j), f in np.ndenumerate(table):
        axis.text(j, i, f"{f:.2f}", ha="center", va="center", color="black" if f > 0.5 else "white")
alt = """Two tables of agreement between five annotators. On the left, where the same pixel must be marked,
careful and unsteady agree on about a fifth. On the right, within the tolerance, they agree fully, while
the zealous annotator's agreement with the others stays below three quarters."""
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the careful and the unsteady annotator agree on 0.20<!--=steady_exact--> of their pixels, though to the eye their drawings are the same. Nobody, human or program, marks an outline to the pixel. Allow a small distance, and their agreement is 1.00<!--=steady_tolerant-->. The disagreements that remain are about *what to draw*: between careful and zealous it is 0.70<!--=zealous_tolerant-->.
#
# That is the first finding about edges: **an edge map is not a black-and-white version of the image to be hit pixel by pixel.** It is a set of places, with an uncertain position, and even its contents are a matter of opinion. A score has to forgive the first and to ask several people about the second. Here is how the usual one does it.
#
# ## When do two edge maps agree?
#
# The **Berkeley benchmark** (Martin, Fowlkes and Malik, 2004) pairs edge pixels of the prediction with edge pixels of an annotator, *one to one*, no farther apart than a tolerance: 0.0075 of the image's diagonal, which is 4.3 pixels in its own images of 481×321. *Precision* is the share of the predicted pixels with a partner, *recall* the share of the annotated ones.
# Their harmonic mean is $F = 2PR/(P + R)$. With several annotators, each is matched apart: a predicted pixel is right if *anyone* drew it; recall counts what *everyone* drew.
#
# Our images are small. On 64×64 pixels 0.0075 of the diagonal is 0.7 pixels, which forgives nothing, so the parameter `tolerance` is 0.02 here: 1.8 pixels, enough for one step in any direction. The scores below can therefore not be compared with published ones; the recorded run on BSDS500 further down can.
#
# A test on a drawing where everything is known: the outline of a square, moved by a few pixels in both directions, on a canvas of 321×481 with the official tolerance of 4.3 pixels.

# %% tags=["nbval-check-output"]
square = np.zeros((321, 481), np.uint8)
square[100:201, 150:251] = 1
square[101:200, 151:250] = 0  # the outline alone: 400 pixels
print("moved by    pixel-exact F   Berkeley F")
for step in (0, 1, 3, 6):
    moved = np.roll(square, (step, step), axis=(0, 1))
    hits = np.sum(moved & square)
    f_exact = 2 * hits / (moved.sum() + square.sum())
    f_berkeley = edges.benchmark([moved], [square[None]], 1, workers=1).ods
    print(f"({step}, {step}) pixels     {f_exact:.3f}           {f_berkeley:.3f}")
    if step in (1, 3):
        assert f_exact < 0.01 and f_berkeley == 1.0
assert f_berkeley < 0.9

# %% [markdown]
# One pixel aside, and the pixel-exact score falls from perfect to nothing: of 400 pixels 2 still meet, where the outlines cross. The Berkeley score does not notice until the distance passes the tolerance, and then falls. **One to one** matters as much as *tolerant*: otherwise a line ten pixels wide would count each of its pixels as right, and the best detector would be a broad brush.
#
# (The pixel-exact F is an old acquaintance under another name. It is the *Dice* overlap of the two sets of pixels; we meet it again below.)
#
# ## Regions, or classes?
#
# "Segmentation" is the name of two tasks, and texts slide from one to the other. **Region segmentation** cuts the image into connected pieces; the pieces have no names, and two discs are two pieces. **Semantic segmentation** gives each pixel a *class* out of a fixed list; two discs are one class. From a class mask the regions follow by taking connected components, as long as no two objects of a class touch; the classes do not follow from the regions at all.

# %%
regions = [ndimage.label(m > 0)[0] for m in shown.masks]
pair = max(range(7), key=lambda i: regions[i].max() - len(np.unique(shown.masks[i])))
row = [shown.images[pair], plots.mask_to_rgb(shown.masks[pair], 4)]
row.append(plots.mask_to_rgb(np.where(regions[pair] > 0, regions[pair] + 3, 0)))
fig = plots.image_grid([row], column_labels=["image", "classes", "regions"])
alt = """An image with several objects. In the middle, its class mask, where objects of one class share a
colour. On the right, its regions, where every connected object has a colour of its own."""
plots.show(fig, alt=alt)

# %% [markdown]
# They need different measures. Rename the regions, and a partition is still the same partition; rename the classes, and every answer is wrong. The *Rand index* asks of each pair of pixels whether they lie in one piece or in two, and never looks at names (adjusted so that a random partition scores 0); *intersection over union*, defined in the next section, does.

# %% tags=["nbval-check-output"]
mask = np.array([[0, 0, 0, 0], [1, 1, 0, 2], [1, 1, 0, 2], [0, 0, 0, 0]])
renamed = np.array([1, 2, 0])[mask]  # background → 1, class 1 → 2, class 2 → 0
same_regions = adjusted_rand_score(mask.ravel(), renamed.ravel())
same_classes = metrics.mean_iou(mask, renamed, 3)
print(
    f"the same pieces under other names: Rand index {same_regions:.1f}, mean IoU {same_classes:.1f}"
)
assert same_regions == 1.0 and same_classes == 0.0

# %% [markdown]
# From here on, segmentation means the semantic task.
#
# ## What counts as right?
#
# The obvious score is **pixel accuracy**, the share of pixels with the right label. Two programs that cannot see will try for it. The first answers with the most common class everywhere. The second, the *layout*, answers at each position with the class that is most common *there* in the training masks: sky above, road below.
#
# > **Predict first.** How high is the accuracy of a program that calls every pixel of `shapes` background? And does the layout improve on it?


# %%
def resized(labels, shape):
    """A label map at another (height, width), by nearest neighbour: labels cannot be averaged."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(shape, labels.shape)
    )
    return labels[np.ix_(rows, columns)]


void = 255 if train.void is None else train.void  # shapes and pets have no void pixels
grid = np.stack([resized(m, (90, 120)) for m in train.masks])  # (N, 90, 120)
counts = np.stack([(grid == c).sum(axis=0) for c in range(classes)])  # (C, 90, 120)
common = int(counts.sum(axis=(1, 2)).argmax())
layout = counts.argmax(axis=0)
answers = {
    "most common class": [np.full(m.shape, common) for m in val.masks],
    "layout": [resized(layout, m.shape) for m in val.masks],
}


# %%
def flat(maps):
    """All pixels of a list of label maps, which may differ in size."""
    return np.concatenate([np.asarray(m).ravel() for m in maps]).astype(int)


def scores(predictions):
    """Pixel accuracy and mean IoU over all pixels that are not void."""
    truth, prediction = flat(val.masks), flat(predictions)
    accuracy = metrics.pixel_accuracy(truth, prediction, void=void)
    return accuracy, metrics.mean_iou(truth, prediction, classes, void=void)


table = {name: scores(predictions) for name, predictions in answers.items()}
print(f"{'':<20}accuracy   mean IoU")
for name, (accuracy, iou) in table.items():
    print(f"{name:<20}{accuracy:8.3f}   {iou:8.3f}")

# %% [markdown]
# In the stored run "everything is background" is right at 0.860<!--=common_accuracy--> of the pixels. It has found no object. The accuracy of any program on these images has to be read against that floor, and the floor is another one in every data set. (On `shapes` the layout is the same program: objects may be anywhere, so the background is the most common class at every position. On street scenes it is a stronger opponent; see the recorded run.)
#
# The **mean IoU** of the same answer is 0.215<!--=common_iou-->. To see why, take a case that fits on a fingernail: 4×4 pixels, three classes, and one pixel that the annotator could not decide. Such pixels are labelled **void**. They are not a class. They are left out, of training and of every score, whatever the program says there.

# %% tags=["nbval-check-output"]
V = 9  # void
truth = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 2], [0, 0, 2, V]])
guess = np.array([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 0, 2], [0, 0, 0, 1]])

confusion = np.zeros((3, 3), int)  # rows: the truth, columns: the guess
for t, g in zip(truth.ravel(), guess.ravel()):
    if t != V:
        confusion[t, g] += 1
hits = np.diag(confusion)
in_truth, in_guess = confusion.sum(axis=1), confusion.sum(axis=0)
iou = hits / (in_truth + in_guess - hits)  # intersection over union
dice = 2 * hits / (in_truth + in_guess)
print(confusion)
print("accuracy", hits.sum() / confusion.sum(), "· mean IoU", iou.mean().round(4))
print("IoU by class ", iou.round(4))
print("Dice by class", dice.round(4))
assert (confusion == metrics.confusion_matrix(truth, guess, 3, void=V)).all()
assert np.allclose(iou, metrics.iou_per_class(truth, guess, 3, void=V))
assert np.isclose(iou.mean(), metrics.mean_iou(truth, guess, 3, void=V))

# %% [markdown]
# The **confusion matrix** counts each pair of truth (row) and guess (column); everything else follows from it. Take class 1. Four pixels are of class 1, four were called so, three are both: the *intersection*. The *union*, pixels that are of class 1 or were called so, has 4 + 4 − 3 = 5. So the **IoU** is 3/5. **Dice** relates the intersection to the mean size of both, 3/4. The two always rank alike, since Dice = 2·IoU/(1 + IoU).
# Averaging over the *classes* gives the rare square the same say as the background: a program that finds no object gets the background's IoU divided by the number of classes. The helper functions agree with the hand count, and from here on they do the counting.
#
# One more choice hides in Dice, and it has caught many a loss function: is it taken **per image**, or over the whole batch as if it were one large image?

# %% tags=["nbval-check-output"]
two = np.zeros((2, 12, 12), int)
two[0, 1:11, 1:11] = 1  # a large object, found
two[1, 5:7, 5:7] = 1  # a small object, overlooked
found = two * np.array([1, 0])[:, None, None]
per_image = metrics.dice(two, found, 1)
over_batch = 2 * np.sum(two & found) / (two.sum() + found.sum())
print(
    "Dice of each image",
    per_image,
    "· mean",
    per_image.mean(),
    "· over the batch",
    over_batch.round(3),
)
assert per_image.tolist() == [1.0, 0.0] and over_batch > 0.98

# %% [markdown]
# One of two objects is missing. Per image, Dice says 0.5; over the batch, 0.98, because the large object drowns the small one. When a text reports Dice, ask which.
#
# **Exercise 1.** An object has 30 pixels. A program marks 50, of which 20 lie on the object. What are IoU and Dice? And a second question: 90 % of all pixels are background, there are 3 classes, and a program answers background everywhere. What is its mean IoU?

# %%
your_iou = None  # ← your number
your_dice = None  # ← your number
your_blind_iou = None  # ← your number
compare("IoU", your_iou, 20 / 60, "The union is 30 + 50 − 20 pixels.")
compare("Dice", your_dice, 40 / 80, "Twice the intersection over the sum of both sizes.")
compare("mean IoU, blind program", your_blind_iou, 0.3, "The other two classes have an IoU of 0.")

# %% [markdown]
# ## What can a forest see?
#
# Now a program that looks. The classical way to label pixels, before networks learned their own features, has two steps: describe each pixel by a list of numbers, then train any classifier on those lists. Ours are the colour of the pixel and, at three scales, the colour of its blurred surroundings, the strength of the gradient, whether it is brighter or darker than its surroundings (the Laplacian), and how much the brightness varies nearby; last, its height in the image. The classifier
# is a **random forest** (Breiman, 2001): many decision trees, each grown on a random resample of the pixels with a random choice of features at each split, which then vote.


# %%
def features(image):
    """Describes every pixel of a uint8 (H, W, 3) image: float32 (H / shrink, W / shrink, F)."""
    height, width = (s // shrink * shrink for s in image.shape[:2])
    blocks = data.to_float(image[:height, :width]).reshape(height // shrink, shrink, -1, shrink, 3)
    x = blocks.mean(axis=(1, 3))
    layers = [x]
    for scale in (1, 2, 4):  # pixels
        smooth = ndimage.gaussian_filter(x, (scale, scale, 0))
        grey, brightness = smooth.mean(axis=-1), x.mean(axis=-1)
        slope = ndimage.gaussian_gradient_magnitude(brightness, scale)
        spot = ndimage.gaussian_laplace(brightness, scale)
        spread = ndimage.gaussian_filter(np.square(brightness), scale) - np.square(grey)
        layers += [smooth, np.stack([slope, spot, spread], axis=-1)]
    layers.append(np.broadcast_to(np.linspace(0, 1, len(x))[:, None, None], (*x.shape[:2], 1)))
    return np.concatenate(layers, axis=-1).astype("float32")


def draw_pixels(image, mask):
    """Features and labels of some random pixels that are not void."""
    described = features(image)
    label = resized(mask, described.shape[:2]).ravel()
    known = np.flatnonzero(label != void)
    chosen = rng.choice(known, min(pixels_per_image, len(known)), replace=False)
    return described.reshape(label.size, -1)[chosen], label[chosen]


# %%
x, y = map(np.concatenate, zip(*map(draw_pixels, train.images, train.masks)))  # (P, F), (P,)
forest = RandomForestClassifier(trees, min_samples_leaf=3, n_jobs=2, random_state=seed).fit(x, y)


def label_pixels(image):
    """The forest's class of every pixel, at the image's own size."""
    described = features(image)
    label = forest.predict(described.reshape(-1, described.shape[-1]))
    return resized(label.reshape(described.shape[:2]), image.shape[:2])


answers["random forest"] = [label_pixels(image) for image in val.images]
table["random forest"] = scores(answers["random forest"])
print(f"trained on {len(x):,} pixels with {x.shape[1]} numbers each")
for name, (accuracy, iou) in table.items():
    print(f"{name:<20}accuracy {accuracy:.3f}   mean IoU {iou:.3f}")

# %% [markdown]
# > **Predict first.** The colours of `shapes` say nothing about the class, and the widest feature sees about eight pixels to each side; objects are 13 to 26 pixels across. Which will the forest confuse more: objects with the background, or one class of objects with another?

# %%
confusion = metrics.confusion_matrix(flat(val.masks), flat(answers["random forest"]), classes, void)
share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
fig, axis = plt.subplots(figsize=(0.55 * classes + 2.6, 0.5 * classes + 1.9))
axis.imshow(share, vmin=0, vmax=1, cmap="cividis")
axis.grid(False)
axis.set(xlabel="the forest says", ylabel="the truth", title="share of each row")
axis.set(xticks=range(classes), yticks=range(classes), yticklabels=train.class_names)
axis.set_xticklabels(train.class_names, rotation=30, ha="right")
for (i, j), s in np.ndenumerate(share):
    axis.text(j, i, f"{s:.2f}", ha="center", va="center", color="black" if s > 0.5 else "white")
alt = """Confusion matrix of the forest. The background's row is nearly all on the diagonal. In the rows of
disc, square and triangle, most pixels are called some object, but they are spread almost evenly over the
three classes of object."""
plots.show(fig, alt=alt)
rest = np.delete(np.arange(classes), common)
seen = confusion[np.ix_(rest, rest)].sum()
found_share, named_share = seen / confusion[rest].sum(), np.diag(confusion)[rest].sum() / seen

# %% [markdown]
# In the stored run the forest notices that a pixel belongs to *some* object at 0.75<!--=found_share--> of the objects' pixels. Of these it names the right class for 0.40<!--=named_share-->, and guessing among three would give 0.33. So its accuracy looks like progress, 0.890<!--=forest_accuracy--> against 0.860<!--=common_accuracy-->, and its mean IoU of 0.350<!--=forest_iou--> tells what it is worth.
#
# The features know colour and texture in a small neighbourhood. Whether something is a disc or a square is written in its *outline*, which no pixel of its inside can see. To use it, a classifier needs a wide view and the shape of things in it; that is what the convolutional networks of notebook `05` bring. Here are the three images that the forest does best, and the three it does worst, by Dice averaged over the classes that occur in the image.


# %%
def image_dice(mask, prediction):
    """Mean Dice over the classes that occur in one image; void pixels are left out."""
    prediction = np.where(mask == void, void, prediction)
    present = np.setdiff1d(np.unique(mask), [void])
    return np.mean([metrics.dice(mask[None], prediction[None], c)[0] for c in present])


dices = np.array(list(map(image_dice, val.masks, answers["random forest"])))
order = np.argsort(-dices)
ends = [*order[:3], *order[-3:]]
rows = [[val.images[i] for i in ends]]
for maps in (val.masks, answers["random forest"]):
    rows.append([plots.mask_to_rgb(maps[i], classes, void) for i in ends])
titles = [f"{dices[i]:.2f}" for i in ends]
fig = plots.image_grid(rows, row_labels=["image", "truth", "forest"], column_labels=titles)
plots.class_legend(fig, train.class_names)
alt = """Six images in columns with truth and prediction below, the mean Dice above. In the three best the
objects are found as patches of mostly the right colour. In the three worst objects are missed, or painted
in patches of several classes at once."""
plots.show(fig, alt=alt)

# %% [markdown]
# Many errors hug the borders, where a pixel's surroundings are half one thing and half another. Annotators are unsure there too, and some data sets therefore declare a band along every border void.
#
# > **Predict first.** The same forest, the same predictions. Declare void every pixel whose 3×3 neighbourhood holds more than one class, and score again. Up or down, and by how much?

# %%
banded = []
for m in val.masks:
    border = ndimage.maximum_filter(m, 3) != ndimage.minimum_filter(m, 3)
    banded.append(np.where(border, void, m))
banded_iou = metrics.mean_iou(flat(banded), flat(answers["random forest"]), classes, void=void)
print(
    f"mean IoU {table['random forest'][1]:.3f}; with a band along the borders void {banded_iou:.3f}"
)

# %% [markdown]
# Nothing got better but the number: 0.350<!--=forest_iou--> became 0.380<!--=banded_iou-->. What is left out is part of the score's definition. Two scores under different void rules cannot be compared.
#
# ## Where does the brightness change?
#
# Edges, then. The oldest idea is to look where brightness changes fast, that is, to estimate the *gradient*. Roberts (1963) takes the two diagonal differences of a block of 2×2 pixels. Sobel and Feldman (1968) take central differences over 3×3 pixels and average each over three lines, weighted 1, 2, 1.
# Both are small filters; scikit-image has them. Both measure the same slope, but not equally well. Noise with standard deviation $s$ in each pixel passes a filter with weights $w$ as $s\sqrt{\sum w^2}$, so divided by the filter's response to a slope of one grey level a pixel, it says how much slope the noise pretends.
#
# > **Predict first.** Which of the two is less disturbed by noise, and by what factor?

# %% tags=["nbval-check-output"]
ROBERTS = np.array([[1.0, 0.0], [0.0, -1.0]])
SOBEL = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


def pretended_slope(weights, direction):
    """Slope that noise of standard deviation 1 pretends, along a direction (dy, dx)."""
    y, x = np.mgrid[: len(weights), : len(weights)]
    ramp = (direction[0] * y + direction[1] * x) / np.hypot(*direction)  # rises by 1 a pixel
    return np.sqrt(np.sum(weights**2)) / abs(np.sum(weights * ramp))


noise_roberts = pretended_slope(ROBERTS, (1, 1))
noise_sobel = pretended_slope(SOBEL, (0, 1))
print(
    f"Roberts {noise_roberts:.3f}, Sobel {noise_sobel:.3f}, ratio {noise_roberts / noise_sobel:.2f}"
)
assert np.isclose(noise_roberts, 1.0) and np.isclose(noise_sobel, np.sqrt(12) / 8)

# %% [markdown]
# Sobel's nine pixels let through less than half the noise of Roberts' four. A wider filter averages over more pixels, and pays with a blunter position: the trade that every edge detector makes somewhere.
#
# **Exercise 2.** Prewitt's filter is Sobel's with the weights 1, 1, 1 in place of 1, 2, 1. What slope does noise pretend to it?

# %%
your_prewitt = None  # ← your number
prewitt = pretended_slope(np.array([[1.0, 0.0, -1.0]] * 3), (0, 1))
compare(
    "Prewitt, pretended slope", your_prewitt, prewitt, "√(sum of squares) over the response, 6."
)

# %% [markdown]
# ## What does Canny add?
#
# A gradient map is no edge map. It is grey and wide, and it does not say where the edge *is*. Canny (1986) goes on from there, in three steps.
#
# 1. **Smooth** with a Gaussian before taking the gradient, as wide as the noise demands. (He derived the filter: the best compromise of little noise and a sharp position is close to a Gaussian's derivative.)
# 2. **Non-maximum suppression** (NMS): keep a pixel only if its gradient is largest *across* the edge, along the gradient's direction. A wide ridge becomes a line.
# 3. **Hysteresis**: two thresholds. Lines that pass the high one somewhere are edges, with all connected pixels that pass the low one. A strong edge survives its weak stretches; weak lines on their own are dropped.
#
# To see what each is worth we score the stages apart. Each stage returns a graded map, so that one can sweep the threshold: for Canny, the value of a pixel is the highest threshold at which it is still an edge (`edges.canny_levels`). With the low threshold equal to the high one (`low=1`), hysteresis is switched off and only smoothing and NMS remain.


# %%
def steepest(width):
    """A slope that only one pixel in a thousand exceeds: it becomes 1 in the graded maps."""
    maps = [edges.gradient_magnitude(i, sigma=width).ravel() for i in drawn.images]
    return float(np.quantile(np.concatenate(maps), 0.999))


raw, smooth = steepest(0.0), steepest(sigma)
fade = 0 if edge_set == "shapes" else 5  # pixels; NMS fades large maps out at the image's border
stages = {
    "Roberts": lambda i: edges.gradient_magnitude(i, "roberts", scale=raw),
    "Sobel": lambda i: edges.gradient_magnitude(i, "sobel", scale=raw),
    "Sobel + NMS": lambda i: edges.nms(edges.gradient_magnitude(i, scale=raw), border=fade),
    "smoothed Sobel": lambda i: edges.gradient_magnitude(i, sigma=sigma, scale=smooth),
    "smoothed + NMS": lambda i: edges.canny_levels(i, sigma, thresholds, low=1.0, scale=smooth),
    "Canny": lambda i: edges.canny_levels(i, sigma, thresholds, scale=smooth),
}
maps = {name: list(map(stage, drawn.images)) for name, stage in stages.items()}

# %%
rows = [
    [drawn.images[i], *(1 - m[i] for m in maps.values()), 255 - drawn.edges[i]] for i in range(3)
]
titles = ["image", *(name.replace(" ", "\n", 1) for name in maps), "annotators"]
fig = plots.image_grid(rows, column_labels=titles)
alt = """Three images, and how six detectors answer. Roberts and Sobel show outlines buried in the grain of
the texture. Smoothing removes the grain and leaves wide grey bands; suppression turns the bands into a net
of thin lines, strong and weak; Canny's hysteresis drops many weak ones. The last column shows what
annotators drew: outlines of the objects, and little else."""
plots.show(fig, alt=alt)

# %% [markdown]
# Read a row from left to right. Roberts and Sobel respond everywhere, because grass and gravel *are* changes of brightness. Smoothing takes the grain away and leaves bands; NMS makes the bands lines; hysteresis clears away weak lines that have no strong part.
#
# ## Which detector wins, and why?
#
# A graded map becomes an edge map at a threshold; a low one finds more edges and more nonsense. So a detector is not a point but a **curve** of precision over recall. Three numbers sum it up (Arbelaez and others, 2011):
#
# - **ODS**, optimal data-set scale: the best F that *one* threshold for all images can reach.
# - **OIS**, optimal image scale: each image may have its own best threshold. The difference tells how well one threshold travels.
# - **AP**, average precision: the area under the curve, as far as the curve reaches.
#
# The benchmark thins each thresholded map to lines one pixel wide before it matches. That spares the wide maps the worst; otherwise a gradient map could not be scored at all.
#
# > **Predict first.** Order the six: Roberts, Sobel, Sobel with NMS, smoothed Sobel, smoothed with NMS, Canny. Which single step brings most? And where will the annotators lie, scored against one another: at 1?

# %%
found = {
    name: edges.benchmark(m, drawn.annotations, thresholds, tolerance) for name, m in maps.items()
}
human = edges.human_level(drawn.annotations, tolerance)
print(f"{'':<18}  ODS    OIS    AP")
for name, result in found.items():
    print(f"{name:<18} {result.ods:.3f}  {result.ois:.3f}  {result.ap:.3f}")
print(f"{'annotators':<18} {human.ods:.3f}")

# %%
fig, axis = plt.subplots(figsize=(5.6, 5.0))
recall, precision = np.meshgrid(np.linspace(0.01, 1, 100), np.linspace(0.01, 1, 100))
f = 2 * precision * recall / (precision + recall)
lines = axis.contour(recall, precision, f, np.arange(0.1, 1, 0.1), colors="#BBBBBB", linewidths=0.8)
axis.clabel(lines, fmt="F %.1f", fontsize=7)
for (name, style), colour in zip(
    {"Roberts": ":", "Sobel": "-.", "smoothed Sobel": "--", "Canny": "-"}.items(),
    plots.COLOURS.values(),
):
    result = found[name]
    some_found = result.recall > 0
    label = f"{name}, ODS {result.ods:.2f}"
    axis.plot(
        result.recall[some_found], result.precision[some_found], style, color=colour, label=label
    )
    axis.plot(result.ods_recall, result.ods_precision, "o", color=colour)
label = f"annotators, F {human.ods:.2f}"
axis.plot(human.ods_recall, human.ods_precision, "s", color="black", markersize=8, label=label)
axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1), aspect="equal")
axis.legend(loc="lower left", fontsize=9)
alt = """Precision over recall with faint lines of equal F. The curve of Roberts lies lowest, Sobel above it,
smoothed Sobel higher, Canny highest, each with a dot at its best F. The square of the annotators lies far above
all of them, near the upper right corner, but not in it."""
plots.show(fig, alt=alt)

# %% [markdown]
# Along each grey line F is the same; the best point of a curve is where it touches the highest one. In the stored run Roberts reaches an ODS of 0.40<!--=roberts_ods-->, Sobel 0.45<!--=sobel_ods-->, Canny 0.55<!--=canny_ods-->, and the annotators among themselves 0.90<!--=human_f-->. No program should be asked for more than the people reach: beyond that it would no longer be finding edges but imitating one person.
#
# Now the steps. From Sobel to smoothed Sobel, the ODS rises by +0.05<!--=gain_smoothing-->; NMS adds +0.02<!--=gain_nms--> to that, and hysteresis +0.03<!--=gain_hysteresis-->. What separates Canny from Sobel is to a large part a matched amount of blur. It is fair to say so, and unfair to print "Sobel" and "Canny" side by side as two detectors of one kind: **Sobel is an ingredient, Canny is a recipe that uses it.** A comparison has to give every operator the same thinning and its own best threshold, as here.
#
# **Exercise 3.** A detector marks 200 pixels in an image, of which 150 are matched to somebody's edges. Four annotators drew 100 pixels each; in all, 240 of these 400 are matched. What is F?

# %%
your_f = None  # ← your number
compare("F", your_f, 2 * 0.75 * 0.6 / (0.75 + 0.6), "Precision is 150/200, recall is 240/400.")

# %% [markdown]
# ## What does texture do to a gradient?
#
# All six detectors answer one question: *how much does the brightness change here?* Annotators answer another: *where does one thing end?* On plain surfaces the answers coincide. The data set can turn the texture of its backgrounds up and down and leave everything else as it is, objects, colours and noise; so we can ask how fast the two questions part.
#
# > **Predict first.** The strength of the texture goes from 0 to 0.5 (the standard deviation of the background's brightness, as a share of its mean). What happens to the ODS of Roberts, Sobel and Canny? To the annotators' F? Does Canny's lead grow or shrink?

# %%
strengths = (0.0, 0.12, 0.25, 0.5)
sweep = {name: [] for name in ("Roberts", "Sobel", "Canny", "annotators")}
for strength in strengths:
    patch = data.load("shapes", "val", limit=max(3, edge_images // 2), texture=strength)
    for name in ("Roberts", "Sobel", "Canny"):
        graded = list(map(stages[name], patch.images))
        result = edges.benchmark(graded, patch.annotations, thresholds, max(tolerance, 0.02))
        sweep[name].append(result.ods)
    sweep["annotators"].append(edges.human_level(patch.annotations, max(tolerance, 0.02)).ods)

# %%
fig, axis = plt.subplots(figsize=(6, 3.6))
styles = zip(sweep.items(), (":o", "-.^", "-s", "--D"), ("blue", "orange", "purple", "black"))
for (name, values), style, colour in styles:
    axis.plot(strengths, values, style, color=plots.COLOURS[colour], label=name)
axis.set(xlabel="strength of the texture (share of the mean brightness)", ylabel="ODS, or human F")
axis.set(ylim=(0, 1), xticks=strengths)
axis.legend(loc="lower left", ncols=2)
alt = """ODS over the strength of the background's texture. On plain backgrounds Canny is close to the annotators,
Roberts and Sobel below. As the texture grows, all three fall steeply, while the line of the annotators hardly
moves."""
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run Canny falls from 0.90<!--=canny_texture[0]--> on plain backgrounds to 0.45<!--=canny_texture[3]--> on the roughest, and Roberts from 0.75<!--=roberts_texture[0]--> to 0.35<!--=roberts_texture[3]-->; the annotators move from 0.92<!--=human_texture[0]--> to 0.90<!--=human_texture[3]-->. Blur removes fine grain, but where a blade of grass or a joint between bricks is as wide and as strong as the edge of an object, no local measure of change can tell them apart.
# What is missing is knowledge: this is grass; a line of this kind ends no thing. It can be *learned* from annotated images, and that is why notebook `06` trains an edge detector.
#
# ## Your run, and recorded runs on photographs
#
# The same notebook, with the parameter files `01.full-bsds500.yaml` and `01.full-camvid.yaml`, was run on real photographs, on images of the *validation* splits; test splits stay closed until something is finished. Their numbers are kept in `data/results`. CamVid is scored at its native size, with the forest working on images shrunk by a factor of two; BSDS500 with the official tolerance.

# %%
ours = {f"common_{k}": v for k, v in zip(("accuracy", "iou"), table["most common class"])}
ours["layout_iou"] = table["layout"][1]
ours |= {f"forest_{k}": v for k, v in zip(("accuracy", "iou"), table["random forest"])}
ours |= {f"{n.lower().replace(' ', '_').replace('_+', '')}_ods": r.ods for n, r in found.items()}
ours |= {"canny_ois": found["Canny"].ois, "canny_ap": found["Canny"].ap, "human_f": human.ods}
for name, keys in {"camvid": list(ours)[:5], "bsds500": list(ours)[5:]}.items():
    path = Path("..", "data", "results", f"01-{name}.json")  # absent if only this file was copied
    recorded = json.loads(path.read_text("utf-8"))["results"] if path.exists() else {}
    print(f"{'':<20}your run   recorded run on {name}, {recorded.get('images', 'not here')}")
    for key in keys:
        print(f"{key:<20}{ours[key]:8.3f}   {recorded.get(key, float('nan')):8.3f}")

# %% [markdown]
# TODO
#
# %% tags=["results"]
pairs = [result.ods for result in found.values()]
record(
    {
        "dataset": dataset,
        "images": f"{len(val)} of {segmentation_set} val, {len(drawn)} of {edge_set} val",
        **ours,
        "forest_dice": dices.mean(),
        "forest_iou_by_class": metrics.iou_per_class(
            flat(val.masks), flat(answers["random forest"]), classes, void
        ),
        "banded_iou": banded_iou,
        "found_share": found_share,
        "named_share": named_share,
        "steady_exact": exact[0, 1],
        "steady_tolerant": tolerant[0, 1],
        "zealous_tolerant": tolerant[0, 3],
        "gain_smoothing": pairs[3] - pairs[1],
        "gain_nms": pairs[4] - pairs[3],
        "gain_hysteresis": pairs[5] - pairs[4],
        **{f"{name.lower()}_texture": values for name, values in sweep.items()},
    },
    bands={},
    headline=f"forest mean IoU {ours['forest_iou']:.2f}; Canny ODS {ours['canny_ods']:.2f}, "
    f"annotators {human.ods:.2f}",
)
