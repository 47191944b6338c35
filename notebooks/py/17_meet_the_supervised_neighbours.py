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
# # Meet the supervised neighbours
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/17_meet_the_supervised_neighbours.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/17_meet_the_supervised_neighbours.ipynb) <!--badges-->
#
# ![Eight pictures with their masks, and for each network its answer and a map of its errors. The CNN finds the objects and paints each in several classes; the FCN paints one class with a rounded outline; U-Net and DeepLab follow the outlines, with single errors along them.](../docs/pictures/17.png) <!--picture-->
#
# A VAE for segmentation does not stand alone in its street. Next door live networks that never heard of a latent code: the plain convolutional network, the fully convolutional network (FCN), the U-Net, the DeepLab family. Each was an answer to what its predecessor could not do. This notebook builds the four at the same size, finds out what each can *see*, predicts from that what each will get wrong, and measures it. Then it lends them what a VAE has learned without labels, and asks who gains.
#
# **What you'll do**
#
# - Derive how far one output of a network can see, and hold the result to gradients.
# - Build four segmenters with the same number of weights and train them for the same number of steps.
# - Take one idea out of a network, or put one in, with everything else untouched: dilation, and the skip connection.
# - Pretrain the body of a network as a VAE, with twins beside it, for few labels and for many.
#
# **What you'll learn**
#
# - Which class an object has is a matter of the view; where it ends is a matter of the resolution. They fail separately.
# - The field that the layers allow and the field that the weights use are two things.
# - Equal weights are not equal work, and neither is equal time. A table has to say which one it holds equal.
#
# **What you'll need**
#
# - What a convolution does, and what mean IoU and boundary IoU are (`01`, `08`). What it means to pretrain as a VAE (`08`).
# - About 5 minutes on 2 CPU cores and 2 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # data set: shapes, camvid or pets
seed = 0  # of the pictures, the first weights and every random draw
size = [32, 32]  # height and width of the pictures, multiples of 8
images = 1200  # pictures to pretrain on, without labels
val_images = 300  # held-out pictures that all scores are of
labels = [20, 400]  # label budgets: how many of the training pictures have masks
seeds = 3  # trainings of each kind, with other weights and other labelled pictures
steps = 300  # training steps with labels
pretraining_steps = 200  # training steps without
batch_size = 16  # pictures in a training step
learning_rate = 0.01  # highest learning rate with labels; without, a third of it
cnn_width = 28  # channels of the plain network's four convolutions
fcn_widths = [16, 24, 32]  # channels of the FCN's levels, finest first
unet_widths = [12, 16, 24]  # channels of the U-Net's levels, finest first
deeplab_width = 22  # channels of the dilated network
pretrained_networks = ["FCN", "U-Net"]  # the networks that a VAE is lent to
frozen = False  # two more starts: bodies that stay as they are, random and of the VAE
cache_dir = ""  # folder in the cache where scores are kept, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "camvid", "pets"], seed=range(2**32), batch_size=range(1, 257),
    size={"list_of": range(16, 513, 8)}, images=range(20, 10_001), val_images=range(8, 4001),
    labels={"list_of": range(2, 10_001)}, seeds=range(1, 21), steps=range(1, 50_001),
    pretraining_steps=range(1, 50_001), learning_rate=(1e-5, 0.1), cnn_width=range(2, 257),
    fcn_widths={"list_of": range(2, 257)}, unet_widths={"list_of": range(2, 257)},
    deeplab_width=range(2, 257), frozen=bool,
    cache_dir=str, pretrained_networks={"list_of": ["CNN", "FCN", "U-Net", "DeepLab"]},
)  # fmt: skip
set_up(seed)

# %%
import functools
import itertools
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

from helpers import data, metrics, plots, segmentation
from helpers.layers import DepthToSpaceUp

plots.use()

# %% [markdown]
# ## The pictures
#
# The default pictures are those of notebook `08`: one or two objects on a photographed texture, 32×32 pixels. Disc, square and triangle have the same colours and the same sizes, so the class of an object is in its outline and nowhere else. That suits us here. Whoever wants to know the class of a pixel in the middle of an object has to look as far as the object's border.

# %%
options = {"objects": (1, 2), "radius": (0.18, 0.25), "contrast": (0.25, 0.6), "texture": 0.15}
options = {"seed": seed, "noise": 0.03, "annotators": 1, **options} if dataset == "shapes" else {}
frame, answers = size[0] if dataset == "shapes" else tuple(size), {}  # by name, of held pictures
train = data.load(dataset, "train", limit=images, size=frame, **options)
val = data.load(dataset, "val", limit=val_images, size=frame, **options)
x, held = data.to_float(train.images), data.to_float(val.images)
masks, truth, classes, void = train.masks, val.masks, len(train.class_names), train.ignore_class
counts = np.stack([(masks == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
common = counts.sum(axis=(1, 2)).argmax()
floor = metrics.mean_iou(truth, np.broadcast_to(counts.argmax(0), truth.shape), classes, void)


def gallery(names, picks, alt):
    said = {name: answers[name][picks] for name in names}
    fig = plots.segmentation_gallery(val.images[picks], truth[picks], said, val.class_names, void)
    if dataset != "camvid":  # whose pictures are not ours to show
        plots.show(fig, alt=alt)


alt = "Eight small pictures with one or two objects each, and below them the masks: discs, squares and triangles in a colour for each class on a grey ground."
gallery([], np.arange(8), alt)
print(f"the most common class at each position, without a look: mean IoU {floor:.3f}")

# %% [markdown]
# ## How far can one output see?
#
# Take one output of a network and ask which pixels of the picture can change it. They are its **field of view** (receptive field). Two numbers are enough to follow it through a stack of layers: $r$, the side of the field, and $j$, by how many pixels of the picture the fields of two neighbouring outputs are apart. A pixel of the picture sees itself: $r = 1$, $j = 1$.
#
# Now put a layer on top, with a kernel of side $k$, stride $s$ and dilation $d$ (its taps lie $d$ apart). One output reads $k$ inputs. The first and the last of them are $(k-1)\,d$ inputs apart, which is $(k-1)\,d\,j$ pixels, and each of them sees $r$ pixels. Neighbouring outputs are $s$ inputs apart. So
#
# $$r \leftarrow r + (k-1)\,d\,j, \qquad j \leftarrow s\,j.$$
#
# A layer that enlarges by $f$ divides $j$ by $f$. If it unfolds or repeats, $r$ stays; if it interpolates between two inputs, one more $j$ is seen. Where branches meet, the widest counts.
#
# > **Predict first.** Four stacks: (a) four 3×3 convolutions; (b) ten of them; (c) four, with dilations 1, 2, 4 and 8; (d) three times a 2×2 patch of stride 2 followed by a 3×3 convolution. Our objects are up to 16 pixels wide. Which stacks can see a whole one? Do (a) and (c) differ in their number of weights?


# %%
def view(*stack):
    """Side of the field and step between neighbours, in pixels; a layer is (k, s, d)."""
    r, j = 1, 1
    for kernel, stride, dilation in stack:
        r, j = r + (kernel - 1) * dilation * j, j * stride
    return r, j


stacks = {"(a) four 3×3": [(3, 1, 1)] * 4, "(b) ten 3×3": [(3, 1, 1)] * 10}
stacks["(c) dilations 1 2 4 8"] = [(3, 1, d) for d in (1, 2, 4, 8)]
stacks["(d) three times 2×2 / 2, 3×3"] = [(2, 2, 1), (3, 1, 1)] * 3
for name, stack in stacks.items():
    print(f"{name:<30} field {view(*stack)[0]:>2}, step {view(*stack)[1]}")

# %% [markdown]
# Plain convolutions creep: two pixels a layer. Striding multiplies, because after each stride a step is worth twice as many pixels; the price is that outputs lie 8 pixels apart at the end. Dilation reaches as far with the steps left at one pixel and not one weight more: (a) and (c) have the same kernels.
#
# Hence a plan for the rest. A network that sees too little will find objects and guess their class. A network with large steps will know the class and blur the outline. The history of these networks can be told as the attempt to have both.
#
# ## Four neighbours
#
# All four are built from the same three pieces: a 3×3 convolution with batch normalisation and ReLU, a patch convolution that halves the resolution, and its counterpart that unfolds channels to double it. (The originals pool the maximum and use transposed convolutions. With kernel equal to stride the map is of the same kind and the field the same, and ours are faster on a CPU.) Each function gives two things, the *features* in the middle and the *logits* at the end. The features are where the VAE will come in.
#
# **The plain CNN.** Convolutions at full resolution, then a score for each class. Local detectors shared by all places, stacked so that later ones see more: that is Fukushima's Neocognitron of 1980, which learned without a gradient. As a labeller of pixels it has perfect resolution and a narrow view.


# %%
def normal(h):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))


def block(h, width, dilation=1):
    conv = layers.Conv2D(width, 3, padding="same", dilation_rate=dilation, use_bias=False)
    return normal(conv(h))


def halved(h, width):
    return normal(layers.Conv2D(width, 2, 2)(h))  # (B, H, W, c) → (B, H/2, W/2, width)


def score(h):
    return layers.Conv2D(classes, 1)(h)  # a logit for each class


def centred(image):
    return layers.Rescaling(4.0, offset=-2.0)(image)


def cnn(image, dilations=(1, 1, 1, 1), width=cnn_width):
    h = centred(image)
    for dilation in dilations:
        h = block(h, width, dilation)
    return h, score(h)


# %% [markdown]
# **The FCN** (Long and others, 2015). A network for classification shrinks its input until one vector is left. Long and others noticed that its dense layers are convolutions in disguise: slide them, and there is a score at every place of a small grid. Then enlarge the scores. The view is wide, the resolution is lost. Ours is the plainest variant, scores on a grid 8 times coarser, enlarged in one go. (The paper goes on to add scores from finer levels, "FCN-16s" and "FCN-8s": the first step towards the next neighbour.)


# %%
def fcn(image):
    h = centred(image)
    for width in fcn_widths:
        h = block(halved(h, width), width)
    enlarge = layers.UpSampling2D(2 ** len(fcn_widths), interpolation="bilinear")
    return h, enlarge(score(h))


# %% [markdown]
# **The U-Net** (Ronneberger and others, 2015). Down as before, and up again step by step. On the way up, each level gets the features of the same resolution from the way down laid beside its own. What the small grid knows about *what* meets what the large one still knows about *where*. (Our pictures are small, so the first level is at half the resolution, as in the rest of this series. The head of notebook `08` is this network with a sum in place of the concatenation.)


# %%
def unet(image, skips=True):
    h, passed = centred(image), []
    for width in unet_widths:
        h = block(halved(h, width), width)
        passed.append(h)
    features = h
    for width, finer in zip(unet_widths[-2::-1], passed[-2::-1]):
        h = normal(DepthToSpaceUp(width, 2, None)(h))  # twice the resolution
        h = block(layers.Concatenate()([h, finer if skips else h]), width)
    return features, DepthToSpaceUp(classes, 2, None)(h)


# %% [markdown]
# **DeepLab** (Chen and others, 2017), after Yu and Koltun (2016). Shrink less, and get the view by dilation: the taps of a 3×3 kernel move apart, the number of weights stays. The last step is **atrous spatial pyramid pooling**, the same features read at several dilations side by side, because objects come in several sizes. Scores are enlarged by the little that was lost.


# %%
from helpers import checkpoint, training
from helpers.experiments import pretraining


def deeplab(image, dilations=(1, 2), rates=(1, 2, 4)):
    h = halved(centred(image), deeplab_width)
    for dilation in dilations:
        h = block(h, deeplab_width, dilation)
    sides = [block(h, deeplab_width, rate) for rate in rates]
    return h, layers.UpSampling2D(2, interpolation="bilinear")(score(layers.Add()(sides)))


builders = {"CNN": cnn, "FCN": fcn, "U-Net": unet, "DeepLab": deeplab}


def built(build, run=seed):
    """A network with fresh weights from the seed `run`."""
    keras.utils.set_random_seed(run)
    image = keras.Input((*size, 3))
    return keras.Model(image, build(image)[1])


fresh = {name: built(build) for name, build in builders.items()}
weights = {name: model.count_params() for name, model in fresh.items()}
work = {name: segmentation.multiply_adds(model) / 1e6 for name, model in fresh.items()}
for name in fresh:
    print(f"{name:<8}{weights[name]:>7} weights {work[name]:>6.1f} million multiply–adds")
spread = max(weights.values()) / min(weights.values()) - 1
print(f"the largest has {spread:.1%} more weights than the smallest")

# %% [markdown]
# Equal weights, unequal work. At full resolution each weight is used 1024 times a picture, on a small grid a few dozen times. So whoever compares networks "of the same size" has held one thing equal and let another run. We hold the weights equal, within 5 %, and the number of training steps. Time comes last, in a table of its own.
#
# The next cell is the check of everything so far. Is the recurrence right? A pixel lies in the field if and only if the output's **gradient** with respect to it can be other than zero. So `segmentation.receptive_field` gives a network positive weights (no ReLU shuts, no two paths cancel), takes the gradient of one output after another in the middle of a larger picture, and counts how far it reaches. It knows nothing of the recurrence, so the two can be held to each other.

# %% tags=["nbval-check-output"]
middle, fields = (size[0] // 2, size[1] // 2), {}
for name, model in fresh.items():
    fields[name] = segmentation.receptive_field(model)[0]
    print(f"{name:<8} sees {fields[name]:>2} pixels along a side")
assert fields["CNN"] == view(*stacks["(a) four 3×3"])[0]
assert fields["FCN"] == view(*stacks["(d) three times 2×2 / 2, 3×3"])[0] + 8  # bilinear: + j

# %% [markdown]
# The CNN sees 9 pixels along a side, too few for an object that is up to 16 wide. The other three see all of it. (For the U-Net, the recurrence in words is not quite enough: where the resolution doubles, two neighbours may read one or two cells of the coarser grid, so the field depends on the position by a few pixels. The helper takes the widest.)
#
# **Exercise 1.** DeepLab begins with a 2×2 patch of stride 2. Then come 3×3 convolutions with dilations 1 and 2, one with dilation 4 (the widest of those side by side), and bilinear enlargement by 2. Compute its field by hand, in pixels. **Exercise 2.** You may add one 3×3 convolution to the CNN, with any dilation. Which dilation gives it a field of 31?

# %%
your_field, your_dilation = None, None  # ← your numbers
for name, yours, true in (("field", your_field, 32), ("dilation", your_dilation, 11)):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else true}")
    assert yours in (None, true), "2, then 2·1·2, 2·2·2, 2·4·2, and one step; (31 − 9) / 2."

# %% [markdown]
# <details><summary>Solutions</summary>
#
# The patch: r = 2, j = 2. The three convolutions: 2 + 4 + 8 + 16 = 30. Bilinear enlargement reads one more input, j = 2: 32 pixels. For the second: 9 + 2d = 31, so d = 11. The nine windows of 9×9 that it reads lie 11 pixels apart, so strips of two pixels between them stay unseen; the section on holes comes back to that.
#
# </details>
#
# ## What will each get wrong?
#
# Two kinds of error, measured apart. Let the *gap* of a pixel be its distance to the nearest pixel of another class. **Inside** are the pixels of objects with a gap above 2: whoever is wrong there has missed the object or its name. **Near** are all pixels with a gap of 2 or less, on both sides of an outline. The boundary IoU (`08`) asks for the outline in its own way.
#
# > **Predict first.** Four networks, 400 masks. Who is worst inside? Who is worst near the outline? Who wins by mean IoU: the U-Net, whose skips know where, or DeepLab, which hardly gave the resolution away? Write an order down for each of the three.
#
# Every training in this notebook uses `training.train` of notebook `08`: Adam from a fresh state, a rate that falls along a cosine, few pictures repeated until the steps are done. First weights and labelled pictures depend on the seed alone, so two networks meet the same masks.


# %%
loss, runs = segmentation.PixelCrossEntropy(classes, void), range(seed, seed + seeds)
builds, fixed = dict(builders), {"batch_size": batch_size, "learning_rate": learning_rate}


@functools.cache
def start(name, run):
    model = built(builds[name], run)
    return model, model.get_weights()


def taught(budget, run):  # the pictures whose masks are known, and the masks
    some = np.random.default_rng([seed, run]).permutation(len(x))[:budget]
    return x[some], masks[some]


def fitted(name, run=seed, budget=labels[-1], count=steps):
    """A network trained from fresh weights; it belongs to the next call, too."""
    model = start(name, seed)[0]  # one for all runs: to compile it takes as long as to train it
    model.set_weights(start(name, run)[1])
    return training.train(model, *taught(budget, run), loss, steps=count, **fixed, seed=run)


# %%
known, gap = truth != void, metrics.outline_gap(truth)
inside, near = known & (truth != common) & (gap > 2), known & (gap <= 2)


def judged(answer):
    """Mean IoU, boundary IoU, and the shares of wrong pixels inside objects and near outlines."""
    two = metrics.label_map_scores(truth, answer, classes, void)[[1, 3]]
    return [*two, *((answer != truth)[part].mean() for part in (inside, near))]


def label(model):
    parts = (model(held[i : i + 100], training=False) for i in range(0, len(held), 100))
    return np.concatenate([keras.ops.convert_to_numpy(p).argmax(axis=-1) for p in parts])


def trial(name, arm, budget, run):
    twin = family(name) if arm != "random" else None
    model = twin.train(arm, *taught(budget, run), run) if twin else fitted(name, run, budget)
    if (arm, budget, run) == ("random", labels[-1], seed):  # these are looked at below
        answers[name], trained[name] = label(model), model.get_weights()
    return judged(label(model))


# %%
trained, found = {}, {}
plan = [size, images, val_images, batch_size, learning_rate, steps, pretraining_steps, 8, 0.05]
plan += [seed, weights, work, fields]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, plan=plan)


def scored(*key):
    """What `judged` says of one training; none is done twice."""
    if key not in found:
        compute = functools.partial(trial, *key)
        live = key[1:] == ("random", labels[-1], seed)
        found[key] = compute() if live else store.result("17", compute, key=key)
    return found[key]


def scores(name, arm, budget):  # (seeds, 4)
    return np.array([scored(name, arm, budget, run) for run in runs])


# %%
KINDS = "mean IoU", "boundary IoU", "wrong inside", "wrong near"
alone = {
    name: [metrics.confidence_interval(c) for c in scores(name, "random", labels[-1]).T]
    for name in fresh
}
for name, columns in alone.items():
    print(f"{name:<8}", *(f"{kind} {m:.2f} ± {h:.2f}  " for kind, (m, h) in zip(KINDS, columns)))


# %% tags=["picture"]
alt = "Eight pictures with their masks, and for each network its answer and a map of its errors. The CNN finds the objects and paints each in several classes; the FCN paints one class with a rounded outline; U-Net and DeepLab follow the outlines, with single errors along them."
gallery(fresh, np.arange(8), alt)

# %%
fig, axis = plt.subplots(figsize=(6.4, 3.4))
for (name, answer), style in zip(answers.items(), ("o-", "s--", "^-.", "D:")):
    part, at = known & (truth != common), np.minimum(np.rint(gap), 7)
    curve = [(answer != truth)[part & (at == d)].mean() for d in range(1, 8)]
    axis.plot(range(1, 8), curve, style, label=name)
axis.set(xlabel="pixels to the outline (7: or more)", ylabel="share of wrong", ylim=(0, None))
axis.legend()
deep = np.bincount(truth[part & (at == 7)]) / (part & (at == 7)).sum()  # classes of the deepest
alt = "Share of wrong pixels inside objects over the distance to the outline, a curve for each network. The CNN's stays high for the first pixels and falls only deep inside; those of the other three drop within two pixels of the outline and then lie nearly level, the FCN's from the highest start, DeepLab's lowest."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, inside the objects the CNN is wrong at 0.63<!--=wrong_inside[0]--> of the pixels, the FCN at 0.42<!--=wrong_inside[1]-->, the U-Net at 0.31<!--=wrong_inside[2]--> and DeepLab at 0.21<!--=wrong_inside[3]-->. Near the outlines the shares are 0.33<!--=wrong_near[0]-->, 0.37<!--=wrong_near[1]-->, 0.22<!--=wrong_near[2]--> and 0.19<!--=wrong_near[3]-->. Two kinds of error, two different losers.
#
# The CNN knows where the objects are. Its boundary IoU, 0.31<!--=boundary_iou[0]-->, is above the FCN's 0.23<!--=boundary_iou[1]-->, while by mean IoU it is the other way round, 0.38<!--=mean_iou[0]--> and 0.48<!--=mean_iou[1]-->. Look at its row in the figure: the shapes are right, and the colours change from the rim of an object to its middle. Each pixel guesses from what it sees in a 9×9 window, and away from the outline that window is all of one colour.
#
# The curve has a surprise: the CNN's errors fall steeply at the right end. It has found a shortcut. Where an outline is 7 pixels away or more, 0.85<!--=deep--> of the pixels belong to discs, because no other shape of this size is so deep. "No outline in sight, so it is a disc" is a good guess there, and the blue middles in its row are that guess, made everywhere.
#
# The FCN paints an object in one or two classes, as a blob, because between two of its scores lie 8 pixels. The U-Net (0.60<!--=mean_iou[2]--> ± 0.14<!--=mean_iou_half[2]-->) and DeepLab (0.68<!--=mean_iou[3]--> ± 0.08<!--=mean_iou_half[3]-->) have both, view and resolution, and their means are ahead of the other two. Which of these two is the better one, a handful of seeds does not settle.
#
# ## One idea at a time
#
# Four networks differ in many things at once, so the table cannot say *why*. Two of the ideas can be tested alone, because they come without weights of their own:
#
# - **the view**: the CNN with dilations 1, 2, 4 and 8 in place of 1, 1, 1 and 1. Same weights, same work, same resolution; the field grows from 9 to 31 pixels.
# - **the skip**: the U-Net whose skips are cut. What used to come over from the way down is replaced by a copy of what comes from below. Same weights, same work, same field.
#
# And a third: the CNN with dilations 4, 4, 4 and 4. Its field is 33 pixels, wider still.
#
# > **Predict first.** For each of the three: which of the four numbers moves, in which direction? The field of the third is the widest; is it the best? (Our own guess, before the run: the third gains nothing.)
# %%
changes = {"CNN, dilated": ("CNN", lambda image: cnn(image, (1, 2, 4, 8)))}
changes["CNN, holes"] = "CNN", lambda image: cnn(image, (4, 4, 4, 4))
changes["U-Net, no skips"] = "U-Net", lambda image: unet(image, skips=False)
effect = {}
for name, (whole, build) in changes.items():
    builds[name] = build
    after, before = scores(name, "random", labels[-1]), scores(whole, "random", labels[-1])
    effect[name] = [metrics.confidence_interval(column) for column in (after - before).T]
    assert built(build).count_params() == weights[whole]
    print(f"{name:<16}", *(f"{k} {m:+.2f} ± {h:.2f}  " for k, (m, h) in zip(KINDS, effect[name])))

# %% [markdown]
# In the stored run the dilations change the mean IoU of the CNN by +0.22<!--=cnn__dilated[0]--> ± 0.06<!--=cnn__dilated_half[0]--> and its errors inside objects by −0.31<!--=cnn__dilated[2]--> ± 0.02<!--=cnn__dilated_half[2]-->. Nothing but the view has changed, so it was the view. Cutting the skips changes the boundary IoU of the U-Net by −0.14<!--=u_net__no_skips[1]--> ± 0.12<!--=u_net__no_skips_half[1]-->, its errors near outlines by +0.10<!--=u_net__no_skips[3]--> ± 0.11<!--=u_net__no_skips_half[3]--> and its errors inside by +0.09<!--=u_net__no_skips[2]--> ± 0.27<!--=u_net__no_skips_half[2]-->. With three seeds the U-Net's intervals are wide; the record of five is in the README.
#
# Our guess about the third was wrong. Its mean IoU changes by +0.18<!--=cnn__holes[0]--> ± 0.02<!--=cnn__holes_half[0]--> against the narrow CNN. On these pictures the view is worth so much that a view with something missing still pays. What is missing from it, two sections on.
#
# ## The field that is allowed, and the field that is used
#
# The field says what *can* change an output. How much does each pixel change it? Luo and others (2016) took the gradient of an output with respect to the picture and averaged its size over pictures: the **effective field**. In a fresh network many more paths lead from the middle of the field to the output than from its rim, so the gradient piles up in the middle like a bell. Training moves it.
#
# > **Predict first.** For each network: does training widen the effective field or narrow it? Which network uses the least of what it is allowed?

# %%
pick = np.flatnonzero((truth[:, *middle] != common) & known[:, *middle])[:64]
maps, sides = [], []
for name, model in fresh.items():
    three = [
        segmentation.receptive_field_mask(model, middle),
        segmentation.effective_receptive_field(model, held[pick], middle),
    ]
    model.set_weights(trained[name])
    three.append(segmentation.effective_receptive_field(model, held[pick], middle))
    maps.append([np.sqrt(one / one.max()) for one in three])
    sides.append([segmentation.side_holding(one, middle) for one in three[1:]])
heads = [f"{n}: {fields[n]}, {a}, {b}" for n, (a, b) in zip(fresh, sides)]
options = {"row_labels": ["can be seen", "fresh", "trained"], "cmap": "cividis", "cell": 1.7}
fig = plots.image_grid(list(zip(*maps)), column_labels=heads, **options)
alt = "Three rows of four maps. First row: the field of the output in the middle, a small square for the CNN and nearly the whole picture for the others. Second row: gradients of fresh networks, bright in the middle and faint at the rim, in blocks where the resolution changes. Third row: gradients after training, spread over more of the field."
plots.show(fig, alt=alt)

# %% [markdown]
# (Above each column: the side of the field, then the sides of the smallest squares that hold 90 % of the gradient, fresh and trained. Brightness is the square root of the gradient.)
#
# In the stored run 90 % of a fresh CNN's gradient lies in a square of 9<!--=used_fresh[0]--> pixels, of the FCN's in one of 29<!--=used_fresh[1]-->, of the U-Net's 17<!--=used_fresh[2]-->, of DeepLab's 29<!--=used_fresh[3]-->. After the training the sides are 7<!--=used_trained[0]-->, 29<!--=used_trained[1]-->, 29<!--=used_trained[2]--> and 29<!--=used_trained[3]-->. (The pictures end at 32.)
#
# The U-Net is the one to watch. Fresh, it hardly uses what comes from below: the bright square in the middle is the view of its finest level, which the skip carries straight to the output. The way through the coarse levels is open, and the layers allow 52<!--=field[2]--> pixels, but only training makes the network take it. For the CNN there is nothing to win at the rim of a window that does not reach the outline, so its weight gathers in the middle. The field that the layers allow is an upper bound; which part of it is used is the network's answer to the task.
#
# ## Holes
#
# The side of a field says how far it reaches. It does not say what is read within it; the mask of the field does.

# %% tags=["nbval-check-output"]
seen = {}
for dilations in ((1, 1, 1, 1), (1, 2, 4, 8), (4, 4, 4, 4)):
    image = keras.Input((48, 48, 3))
    model = keras.Model(image, cnn(image, dilations, 4)[1])
    seen[dilations] = segmentation.receptive_field_mask(model, (24, 24))
    side, filled = segmentation.receptive_field(model)[0], int(seen[dilations].sum())
    print(f"dilations {dilations}: a field of {side}×{side}, {filled} pixels of it read")
assert [int(m.sum()) for m in seen.values()] == [9**2, 31**2, 9**2]
fig = plots.image_grid([list(seen.values())], column_labels=[str(d) for d in seen], cell=2.4)
alt = "Three fields of view, white on black. Dilations of 1 give a small full square, 1 2 4 8 a large full square, and 4 4 4 4 a grid of 81 single pixels, four apart, as wide as the large square."
plots.show(fig, alt=alt)

# %% [markdown]
# This is the **gridding artefact** (Wang and others, 2018). Four convolutions with the same dilation of 4 read one pixel in sixteen. An output and its neighbour share *no* pixel at all: the network is sixteen networks, each on its own coarse grid, and nothing makes their answers agree. Dilations that grow, starting from 1, leave no hole, because each layer fills the gaps of the next.
#
# Disagreement can be counted. Take two neighbouring pixels inside one object: how often do they get different labels?

# %%
rough = {name: metrics.speckle(truth, answer, inside) for name, answer in answers.items()}
print(*(f"{name:<16}{share:.2f}" for name, share in rough.items()), sep="\n")
alt = "The same eight pictures for the three changed networks. The CNN with dilations 1 2 4 8 paints patches; with dilations 4 4 4 4 the patches are sprinkled with single pixels of other classes, at equal distances; the U-Net without skips paints rounded blobs with a regular pattern of dots."
gallery(changes, np.arange(8), alt)

# %% [markdown]
# In the stored run 0.19<!--=rough[4]--> of such pairs are torn apart by the CNN with growing dilations and 0.30<!--=rough[5]--> by the one with holes; for the plain CNN it is 0.06<!--=rough[0]-->. At full resolution nothing smooths the answers, so a wide view tears them in either case, and holes tear them more: single pixels at equal distances, that no object can have. The U-Net without skips, 0.20<!--=rough[6]-->, shows a grid of another origin. Its last layer unfolds 2×2 pixels from one cell, and the four values of a class need not agree.
#
# Our DeepLab is safe from the first kind, because its dilations are 1 and 2, then 1, 2 and 4 side by side. A deep network that repeats one dilation many times is not.
#
# ## Equal time
#
# So far all took the same number of steps. Now all get the same *time*: as many steps as fit into the processor time that the U-Net needs for its own. One training each, from the first seed: a look, not a verdict.


# %%
def timed(name, count):  # processor time, so that other programs do not count
    start = time.process_time()
    model = fitted(name, count=count)
    return (time.process_time() - start) / count, judged(label(model))


pace = {name: timed(name, max(2, steps // 5))[0] for name in fresh}  # seconds a step
budget = {name: max(1, round(steps * pace["U-Net"] / pace[name])) for name in fresh}
equal_time = {name: timed(name, budget[name])[1] for name in fresh}
answering = {name: segmentation.milliseconds(model, held[:64], 20) for name, model in fresh.items()}
for name, (iou, *_) in equal_time.items():
    print(f"{name:<8}{1000 * pace[name]:5.1f} ms a step, {budget[name]:4} steps: IoU {iou:.2f}")

# %% [markdown]
# In the stored run a training step takes 42<!--=pace_ms[0]--> ms of processor time for the CNN, 18<!--=pace_ms[1]--> for the FCN, 25<!--=pace_ms[2]--> for the U-Net and 25<!--=pace_ms[3]--> for DeepLab. In equal time the mean IoU comes out at 0.37<!--=equal_time[0]-->, 0.54<!--=equal_time[1]-->, 0.57<!--=equal_time[2]--> and 0.65<!--=equal_time[3]-->. The CNN does 22.6<!--=work[0]--> million multiply–adds for a picture and the FCN 1.3<!--=work[1]-->, but a step does not differ by that factor: in networks as small as these much of a step goes into starting operations. So equal weights, equal work and equal time are three contests, and the third depends on the machine.
#
# Resolution is what costs. This is the quarrel behind all these networks: who can afford the full grid needs no way back up, and who cannot has to buy the outline in some other way.
#
# ## Lend them a VAE
#
# Now the question of this series. The body of each network, from the picture to its features, is an encoder in all but name: end it in a mean and a log-variance (`pretraining.with_code`), give it a decoder, and it is a VAE. Pretrain that on all the pictures, without a mask; then train the whole network on the masks of a few, or of many. The starts are
#
# - *random*: fresh weights, as above;
# - *denoising*: the same body and decoder pretrained as a denoising autoencoder, no KL, for as many steps;
# - *VAE*: pretrained with the ELBO;
# - *VAE + term*: the same, and the VAE's loss stays on as a regulariser beside the cross-entropy.
#
# By default two of the four get one, the FCN and the U-Net; all four are in the recorded run (`pretrained_networks` is the parameter; `frozen` adds two starts whose body stays as it is).
#
# The **rule**, written before the run. For each label budget, average each arm's mean IoU over the networks, seed by seed. "The VAE helps" if the 95 % interval of *VAE* minus its best twin lies above 0. If not, but the best pretrained arm is above *random* in that sense, "pretraining helps". Else "nothing helps". The same rule for each network alone is shown as well; each such row has one chance in forty of a false alarm, so the average decides.
#
# > **Predict first.** Which network gains most from a pretrained body, and which least? Think of where its weights lie: in the body, or behind it. And of what a VAE does with features at full resolution.


# %%
joined = functools.partial(pretraining.joint, loss=loss, weight=0.03, sigma=0.05, seed=seed)


@functools.cache
def family(name):  # the twins of a network: encoder, decoder and head from several starts
    new = functools.partial(
        pretraining.network, builds[name], (*size, 3), 8
    )  # a code of 8 channels
    before, after = (
        {"steps": n, "learning_rate": r} for n, r in ((pretraining_steps, learning_rate / 3), (steps, learning_rate))
    )
    return pretraining.PretrainingComparison(
        new, joined, loss, x, 0.05, before, batch_size=batch_size, **after
    )


# %%
arms = ["random", "denoising", "VAE", "VAE + term"]
arms += ["random, frozen", "VAE, frozen"] if frozen else []
ious = {}  # (name, budget) → arm → a mean IoU for each seed
for name, run, arm, number in itertools.product(pretrained_networks, runs, arms, labels):
    value = scored(name, arm, number, run)[0]
    ious.setdefault((name, number), {}).setdefault(arm, []).append(value)

# %%
rivals = ["random", *(a for a in arms[1:] if not a.startswith("VAE"))]
mean = {n: {a: np.mean([ious[m, n][a] for m in pretrained_networks], axis=0) for a in arms} for n in labels}
verdicts = {n: metrics.verdict(mean[n], "VAE", rivals) for n in labels}
line = "{word}; VAE − {rival} {gain:+.3f} ± {gain_half:.3f}; {best} − random {lift:+.3f} ± {lift_half:.3f}"
for number, name in itertools.product(labels, [None, *pretrained_networks]):
    v = metrics.verdict(ious[name, number], "VAE", rivals) if name else verdicts[number]
    print(f"{number:>4} labels, {name or 'mean of all'}: {line.format(**v)}")

# %%
table = {k: {a: metrics.confidence_interval(v) for a, v in row.items()} for k, row in ious.items()}
recorded = data.records.scores_by_network(f"17-{dataset}")
fig = plots.scores_by_network(table, pretrained_networks, labels, recorded, verdicts)
alt = "Mean IoU with intervals, a panel for each label budget, the FCN beside the U-Net, a marker for each start. With few labels all lie low; with many they lie higher, the U-Net above the FCN. Within a network the intervals of the starts overlap."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run, with 20<!--=labels[0]--> masks and averaged over the networks, the VAE minus its best twin is +0.00<!--=gain[0]--> ± 0.01<!--=gain_half[0]-->; with 400<!--=labels[1]--> it is −0.01<!--=gain[1]--> ± 0.15<!--=gain_half[1]-->. The best pretrained start minus fresh weights is +0.00<!--=lift[0]--> ± 0.01<!--=lift_half[0]--> with the few masks and +0.04<!--=lift[1]--> ± 0.05<!--=lift_half[1]--> with the many.
#
# The word of the rule stands above each panel. With 400 masks the intervals are wider than any difference between the starts: what a start does is small beside what the luck of the first weights does. With 20 masks the starts lie within two hundredths of each other, and none is clearly above the plain CNN that had twenty times the masks, 0.38<!--=mean_iou[0]-->. Three seeds cannot see hundredths. The panels below yours, where they are drawn, are the recorded run: five seeds and all four networks. Its word is *nothing helps* for either budget, with narrower intervals.
#
# It is no surprise that the VAE has so little to lend here. What the networks lack after a short training with few masks is a reason to tell a corner from an arc. A reconstruction error hardly asks for it, with or without a KL (`08` counts the pixels at stake: about a dozen for an object).
#
# ## The worst
#
# Means hide their members. These are the eight held-out pictures on which the four networks, trained alone, do worst on average.

# %%
each = {n: metrics.iou_per_image(truth, answers[n], classes, void) for n in fresh}
alt = "The eight pictures with the lowest IoU averaged over the four networks: picture, truth, answers and errors. Most objects are found by every network, and most are painted in a wrong class or in several; some faint ones are missed in part."
gallery(fresh, np.argsort(np.mean(list(each.values()), axis=0))[:8], alt)
best = np.bincount(np.argmax(list(each.values()), axis=0), minlength=len(each))
print("number of pictures each network is best on:", dict(zip(each, best.tolist())))

# %% [markdown]
# In the stored run the CNN is the best of the four on 18<!--=best_on[0]--> pictures, the FCN on 78<!--=best_on[1]-->, the U-Net on 99<!--=best_on[2]--> and DeepLab on 105<!--=best_on[3]--> of the held-out ones. To be ahead in the mean is far from being ahead everywhere. In the worst pictures the objects are mostly found. It is the name that is wrong, often a different wrong name from each network, and often two names in one object: none of the four has a notion of an *object*, only of pixels and what surrounds them.
#
# ## All in one table
#
# Inference times are for one picture in a batch of 64, the network compiled. Scores are those with the largest label budget, each network from fresh weights and after the VAE.

# %%
final, rows = {}, {}
for name, arm in [(n, a) for n in builders for a in ("random", "VAE") if a != "VAE" or n in pretrained_networks]:
    final[name, arm] = [metrics.confidence_interval(c) for c in scores(name, arm, labels[-1]).T[:2]]
    pairs = (f"{m:.2f} ± {h:.2f}" for m, h in final[name, arm])
    what = fields[name], weights[name], f"{work[name]:.1f}", f"{answering[name]:.2f}"
    rows[f"{name}, {arm}"] = [*what, *pairs]
columns = "field", "weights", "10⁶ m–a", "ms/picture", "mean IoU", "boundary IoU"
print(metrics.format_table(columns, rows, 13, corner="network, start"))

# %% [markdown]
# The next cell records the numbers that the text speaks of.

# %% tags=["results"]
results = {"rough": list(rough.values()), "deep": deep.max(), "floor": floor, "seeds": seeds}
results |= {"labels": labels, "networks": pretrained_networks, "best_on": best}
results |= {"arms": arms, "weights": list(weights.values()), "work": list(work.values())}
results |= {"field": list(fields.values()), "used_fresh": [a for a, _ in sides]}
results |= {"used_trained": [b for _, b in sides], "pace_ms": [1000 * p for p in pace.values()]}
results |= {"answering_ms": list(answering.values()), "equal_time_steps": list(budget.values())}
results |= {"equal_time": [row[0] for row in equal_time.values()], "spread": spread}
pairs = {kind: [alone[n][i] for n in builders] for i, kind in enumerate(KINDS)} | effect
pairs |= {f"{n} {i}": [table[n, b][a] for a in arms] for n in pretrained_networks for i, b in enumerate(labels)}
for name, rows in pairs.items():
    name = name.lower().translate(str.maketrans(" ,-", "___"))
    results |= {name: [m for m, _ in rows], f"{name}_half": [h for _, h in rows]}
results |= {"table": [[[table[n, b][a] for a in arms] for b in labels] for n in pretrained_networks]}
results |= {k: [v[k] for v in verdicts.values()] for k in verdicts[labels[0]]}
limits = {"spread": {"default": (0.0, 0.05)}, "floor": {"default": (0.15, 0.3)}}
record(results, limits, ", ".join(f"{n} {alone[n][0][0]:.2f}" for n in builders) + " mean IoU")

# %% [markdown]
# ## What you saw
#
# - A field of view can be computed from the layers, and gradients agree with it: 9<!--=field[0]--> pixels for the plain CNN, 44<!--=field[1]-->, 52<!--=field[2]--> and 32<!--=field[3]--> for the others. How much of it the weights use is another matter.
# - What and where fail separately. The narrow CNN is wrong inside objects (0.63<!--=wrong_inside[0]--> of the pixels), the coarse FCN near their outlines (0.37<!--=wrong_near[1]-->). U-Net and DeepLab mend the one without giving up the other.
# - One idea at a time, at equal weights: growing dilations change the CNN's mean IoU by +0.22<!--=cnn__dilated[0]-->, and without skips the U-Net's boundary IoU changes by −0.14<!--=u_net__no_skips[1]-->. Equal dilations in a row leave holes, and torn answers; they still beat a narrow view.
# - Equal weights, equal steps and equal time are three different contests. The work of these four differs by a factor of more than ten.
# - Whether the VAE helped any of them was put to a rule that was written first; the cell speaks the word.
#
# ## On your own
#
# 1. **FCN-16s.** Add a score from the next finer level of the FCN to the enlarged coarse scores, then enlarge by 4. Which of the four numbers moves first?
#
#    <details><summary>What to expect</summary>
#
#    The errors near outlines. Scores that are added are a skip connection with as many channels as there are classes; the U-Net's has all the features.
#
#    </details>
# 2. **See everything.** Give DeepLab a branch with `layers.GlobalAveragePooling2D(keepdims=True)` and a 1×1 convolution, added to the side branches (Chen and others, 2017b). What does `segmentation.receptive_field` say? Does the effective field agree?
#
#    <details><summary>Hint</summary>
#
#    The field is infinite: every output depends on every pixel. The gradient of a mean over 256 positions is small at each of them. What the branch can tell is what is in the picture as a whole; with one or two objects a picture that is worth something, and it says nothing of where.
#
#    </details>
# 3. **The VAE of a CNN.** The body of the CNN stays at full resolution, and its code is read off in one patch of 8×8. Look at what that VAE reconstructs, beside the FCN's. Which of the two bodies had a reason to learn about outlines?
#
#    <details><summary>Hint</summary>
#
#    `family("CNN").pretrained("VAE", seed)` trains it, and `family("CNN").vae.predict(held[:8])` draws. All the shrinking happens in one layer behind the body, which is thrown away when the labels come.
#
#    </details>
# 4. **Photographs.** `python -m helpers.runs run 17 -f notebooks/parameters/17.full-camvid.yaml` repeats everything on street scenes at reduced size. There a class has a colour and a place. Does the narrow CNN still fail inside?
#
# ## References
#
# - Araujo, A., Norris, W. and Sim, J. (2019). Computing Receptive Fields of Convolutional Neural Networks. *Distill*. <https://doi.org/10.23915/distill.00021>
# - Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2017). DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully Connected CRFs. *IEEE TPAMI*. [arXiv:1606.00915](https://arxiv.org/abs/1606.00915)
# - Chen, L.-C., Papandreou, G., Schroff, F. and Adam, H. (2017b). Rethinking Atrous Convolution for Semantic Image Segmentation. [arXiv:1706.05587](https://arxiv.org/abs/1706.05587)
# - Cheng, B. and others (2021). Boundary IoU: Improving Object-Centric Image Segmentation Evaluation. CVPR. [arXiv:2103.16562](https://arxiv.org/abs/2103.16562)
# - Fukushima, K. (1980). Neocognitron: A self-organizing neural network model for a mechanism of pattern recognition unaffected by shift in position. *Biological Cybernetics* 36, 193–202. <https://doi.org/10.1007/BF00344251>
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Long, J., Shelhamer, E. and Darrell, T. (2015). Fully Convolutional Networks for Semantic Segmentation. CVPR. [arXiv:1411.4038](https://arxiv.org/abs/1411.4038)
# - Luo, W., Li, Y., Urtasun, R. and Zemel, R. (2016). Understanding the Effective Receptive Field in Deep Convolutional Neural Networks. NeurIPS. [arXiv:1701.04128](https://arxiv.org/abs/1701.04128)
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
# - Wang, P. and others (2018). Understanding Convolution for Semantic Segmentation. WACV. [arXiv:1702.08502](https://arxiv.org/abs/1702.08502)
# - Yu, F. and Koltun, V. (2016). Multi-Scale Context Aggregation by Dilated Convolutions. ICLR. [arXiv:1511.07122](https://arxiv.org/abs/1511.07122)
