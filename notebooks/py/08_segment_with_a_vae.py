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
# # Segment with a VAE, and measure what the VAE brought
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/08_segment_with_a_vae.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/08_segment_with_a_vae.ipynb) <!--badges-->
#
# ![Four best and four worst pictures with truth, prediction and a map of errors. In the best only single pixels at outlines are wrong. In the worst an object has the wrong class or is labelled with two classes at once.](../docs/pictures/08.png) <!--picture-->
#
# Here is a recipe that one finds in many texts: train a VAE on pictures, pass each picture through it, and let a small convolutional network label the pixels of the *reconstruction*. The VAE, so the argument goes, has kept what matters and dropped the noise. Does the label map get better? And if it does not, is there another way to use what a VAE has learned?
#
# **What you'll do**
#
# - Follow the recipe, and put the same classifier on the picture itself beside it.
# - Turn the rate of the VAE from a few bits to many hundred, and watch the label map follow.
# - Build heads that read the encoder's and the decoder's features, and a model with two outputs whose VAE goes on learning while the head does.
# - Give the VAE fair opponents, with few labels and with many, and let the code write the verdict.
#
# **What you'll learn**
#
# - What is not in the reconstruction cannot be labelled, and the VAE never asked what the labels need.
# - A skip connection around the code is right for the head and would be fatal for the VAE.
# - "Pretraining helped" and "the VAE helped" are two claims; it takes a twin to tell them apart.
#
# **What you'll need**
#
# - What rate and reconstruction mean (`04` or `06`), and what the mean IoU is (`01`).
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
size = [32, 32]  # height and width of the pictures in every section but the one on photographs
images = 1200  # pictures to train on
val_images = 300  # held-out pictures that all scores are of
widths = [24, 32, 48]  # channels of the network's levels, finest first
depths = [1, 1, 2]  # its 3×3 convolutions at each level
patches = [2, 2, 2]  # by how much each level shrinks the one before
channels = 8  # of the VAE's spatial code, at the coarsest level
batch_size = 16  # pictures in a training step
learning_rate = 0.01  # highest learning rate; a VAE takes a third of it
sigma = 0.05  # standard deviation of a pixel under the Gaussian likelihood of a VAE
vae_steps = 600  # training steps of a VAE
pretraining_steps = 300  # of each twin that is pretrained
steps = 375  # training steps of a classifier
vectors = [2, 16]  # numbers in the vector codes of the rate curve
grids = [2, 16]  # channels of its spatial codes; the last is used one level finer as well
labels = [20, 400]  # label budgets: how many of the training pictures have masks
head_steps = 200  # training steps of a twin's head
seeds = 3  # trainings of each twin, with other weights and other labelled pictures
term_weight = 0.03  # weight of the VAE's loss per pixel beside the head's
balance = 0.5  # class weights are frequencies to the power of minus this; 0 for none
headline_epochs = 0  # epochs of the head on whole photographs; 0 leaves that training out
vae_epochs = 10  # epochs of the VAE before it
steps_per_epoch = 100  # training steps in each of these epochs
crop = [192, 192]  # height and width of the random crops it trains on
headline_learning_rate = 0.003  # its highest learning rate
split = "val"  # photographs to score on: "val", or once, for the record, "test"
weights_out = ""  # name under which to keep its weights; empty for not at all
image_path = ""  # a photograph of your own to segment
cache_dir = ""  # folder in the cache where long trainings are kept, to go on after a stop
precision = "float32"  # of the layers; a GPU is faster with "mixed_float16" or "mixed_bfloat16"
xla = False  # whether TensorFlow compiles trainings with XLA; JAX always does

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "camvid", "pets"], seed=range(2**32), batch_size=range(1, 257),
    size={"list_of": range(16, 1025)}, images=range(20, 10_001), val_images=range(8, 4001),
    widths={"list_of": range(4, 513)}, depths={"list_of": range(1, 9)}, patches={"list_of": [2, 4]},
    channels=range(1, 257), learning_rate=(1e-5, 0.1), sigma=(0.001, 1.0), vae_steps=range(1, 50_001),
    pretraining_steps=range(1, 50_001), steps=range(1, 50_001), head_steps=range(1, 50_001), cache_dir=str,
    vectors={"list_of": range(1, 1025)}, grids={"list_of": range(1, 257)}, seeds=range(1, 21),
    labels={"list_of": range(2, 10_001)}, term_weight=(0.0, 10.0), balance=(0.0, 1.0), image_path="image",
    headline_epochs=range(10_001), vae_epochs=range(10_001), steps_per_epoch=range(1, 10_001),
    headline_learning_rate=(1e-5, 0.1), crop={"list_of": range(16, 1025)}, split=["val", "test"], weights_out=str,
    precision=["float32", "mixed_float16", "mixed_bfloat16"], xla=bool,
)  # fmt: skip
set_up(seed, precision, xla)

import functools
import itertools
import math
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

from helpers import data, losses, metrics, models, plots, pyramids, segmentation
from helpers.layers import DepthToSpaceUp, GaussianSampling

plots.use()

# %% [markdown]
# ## Pictures, masks, and two scores without a look
#
# The default pictures are `shapes` at 32×32 with one or two objects. Their colours say nothing about their class; disc, square and triangle differ in outline only. So a program that labels them has to find an object *and* see its outline. All scores are the **mean IoU** of notebook `01`, over all held-out pixels that are not void. Two answers need no look at the picture: the most common class everywhere, and the *layout*, the class that is most common at each position.

# %%
options = {"objects": (1, 2), "radius": (0.18, 0.25), "contrast": (0.25, 0.6), "texture": 0.15}
options = {"seed": seed, "noise": 0.03, "annotators": 1, **options} if dataset == "shapes" else {}
frame = size[0] if dataset == "shapes" else tuple(size)
train = data.load(dataset, "train", limit=images, size=frame, **options)
val = data.load(dataset, "val", limit=val_images, size=frame, **options)
x, held = data.to_float(train.images), data.to_float(val.images)
masks, truth, classes, void = train.masks, val.masks, len(train.class_names), train.ignore_class


def score(answer):
    """Mean IoU of label maps (N, H, W) over all held-out pixels that are not void."""
    return metrics.mean_iou(truth, answer, classes, void)


counts = np.stack([(masks == c).sum(axis=0) for c in range(classes)])  # (C, H, W)
scores = {"most common class": score(np.full(truth.shape, counts.sum(axis=(1, 2)).argmax()))}
scores["layout"] = score(np.broadcast_to(counts.argmax(axis=0), truth.shape))

# %% [markdown]
# Four small functions serve every experiment below. `pair` gives an encoder and a decoder with fresh weights. They are those of `helpers.pyramids`: at each *level* a patch convolution shrinks the picture and 3×3 convolutions look around, so that the encoder holds features at several resolutions, and the VAE's code lies at the coarsest. `learn` trains whatever it is given for the same number of batches at the same falling rate.


# %%
from helpers import checkpoint, pretrained, training
from helpers.experiments import photo_training, pretraining


def pair(seed, code=channels, depth=None):
    """Encoder and decoder with fresh weights; the code lies at the last of `depth` levels."""
    keras.utils.set_random_seed(seed)
    plan = widths[:depth], depths[:depth], patches[:depth]
    return pyramids.pyramid_networks((*size, 3), code, *plan)


def run(model, x):
    return model.predict(x, batch_size=batch_size, verbose=0)


def name_pixels(model, x):
    return run(model, x).argmax(axis=-1)


options = {"batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
learn = functools.partial(training.train, steps=steps, **options)  # (model, x, y, loss) → the model

# %% [markdown]
# ## The recipe
#
# First the VAE: a Gaussian likelihood with a fixed σ of 0.05, about the strength of the noise and the texture, and a spatial code. It never sees a mask. The cell prints its rate, the KL, in nats and bits.
#
# To have a measure for that number, the cell also counts the bits of a **mask**. Send a mask pixel by pixel, row by row. The receiver already knows the neighbours to the left, above, and between these two; an ideal code spends $-\log_2 p(\text{pixel} \mid \text{three neighbours})$ bits on each pixel, with the frequencies of the held-out masks. Most pixels cost next to nothing, because inside an area the neighbours agree.


# %%
def new_vae(*code):
    """A VAE trained on all the pictures, without a mask; `code` and `depth` as for `pair`."""
    vae = models.VAE(*pair(seed, *code), likelihood="gaussian", sigma=sigma, seed=seed)
    return learn(vae, x, steps=vae_steps, learning_rate=learning_rate / 3)


def rate_bits(vae):
    return metrics.kl_per_dimension(vae, held, batch_size).sum() / math.log(2)


vae = new_vae()
vae_weights, redrawn, held_redrawn = vae.get_weights(), run(vae, x), run(vae, held)
bits, needed = rate_bits(vae), metrics.label_bits(truth, classes)
print(f"rate {bits * math.log(2):.0f} nats = {bits:.0f} bits a picture")
print(f"a mask needs {needed:.0f} bits, without a code {math.prod(size) * math.log2(classes):.0f}")

# %% [markdown]
# The classifier comes in two sizes. The *narrow* one is what the recipe asks for: three 3×3 convolutions at full resolution. Each output sees 7×7 pixels. The *wide* one is a small U-Net (Ronneberger and others, 2015): the same kind of pyramid as the encoder, and a way back up that adds the finer features on its way. Its view covers the whole picture. Each is trained twice from the same first weights, once on the pictures and once on their reconstructions, and scored on what it was trained for.
#
# > **Predict first.** Four scores: narrow and wide, on the picture and on the reconstruction. The cell above says how many bits the code has and how many a mask needs. Is the reconstruction as good as the picture? Better, because the noise is gone? Write an order down. The two blind answers are the floor: what do they score?


# %%
def normal(h):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))


def narrow():
    image = keras.Input((*size, 3))
    h = normal(layers.Conv2D(24, 3, padding="same")(image))
    h = normal(layers.Conv2D(24, 3, padding="same")(h))
    return keras.Model(image, layers.Conv2D(classes, 3, padding="same")(h))


def wide():
    encoder, _ = pair(seed)
    return pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), classes)


cross_entropy, answers = segmentation.PixelCrossEntropy(classes, void), {}
for name, build in {"narrow": narrow, "wide": wide}.items():
    keras.utils.set_random_seed(seed)
    reader = build()
    first = reader.get_weights()
    for source, ours, theirs in (("picture", x, held), ("reconstruction", redrawn, held_redrawn)):
        reader.set_weights(first)
        answers[f"{name}, {source}"] = name_pixels(
            learn(reader, ours, masks, cross_entropy), theirs
        )
scores |= {name: score(answer) for name, answer in answers.items()}

# %% [markdown]
# The recipe is often said to go with traditional methods too. So a random forest joins the table, as in notebook `01`: scikit-image describes every pixel by colour, gradient and curvature at several scales, and the forest votes. It gets the picture, the reconstruction, or the features of the VAE's encoder, each level enlarged to full size.


# %%
lender, known = keras.Model(vae.encoder.input, pyramids.levels(vae.encoder)), slice(100)
rows = {"picture": (x, held), "reconstruction": (redrawn, held_redrawn)}
rows = {name: map(segmentation.pixel_features, (a[known], b)) for name, (a, b) in rows.items()}
rows["VAE features"] = (segmentation.enlarged_each(run(lender, a), size) for a in (x[known], held))
for name, (ours, theirs) in rows.items():
    answer = segmentation.forest_labels(ours, masks[known], theirs, void, 150, seed=seed)
    scores[f"forest, {name}"] = score(answer)
for name, value in scores.items():
    print(f"{name:<24}mean IoU {value:.3f}")


# %%
def coloured(maps):
    return plots.mask_to_rgb(maps, classes, void)


rows = [val.images[:8], np.clip(held_redrawn[:8], 0, 1), coloured(truth[:8])]
rows += [coloured(answers[f"wide, {source}"][:8]) for source in ("picture", "reconstruction")]
fig = plots.image_grid(rows, row_labels=["picture", "redrawn", "truth", "from picture", "recipe"])
plots.class_legend(fig, val.class_names)
alt = "Eight pictures above their reconstructions, the true masks, and two rows of predictions. The reconstructions show soft blobs in the right places, without corners. Labelled from the picture, most objects have the right class and outline; labelled from the reconstruction, round patches in the right places often have the wrong class, or two at once."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the code carries 294<!--=rate_bits--> bits and a mask needs 165<!--=mask_bits-->. And yet the wide classifier reaches a mean IoU of 0.81<!--=wide_picture--> on the pictures and 0.54<!--=wide_reconstruction--> on the reconstructions. The layout, without a look, has 0.24<!--=layout-->. The recipe did not clean the picture for the classifier; it took a good part of the answer away. Three reasons:
#
# - **Nothing can be gained on the way.** The reconstruction is computed from the picture, so whatever it says about the mask, the picture says too (the data-processing inequality). A classifier that has learned enough can only lose by it. What a detour *can* do is make things easier for a weak reader, and that was the hope.
# - **The rate was spent on something else.** The ELBO pays for nats of pixels. The colour of the ground decides about all the pixels, that of an object about a hundred, and whether an outline has corners about a dozen. The class is in the corners.
# - **Blur.** A code that is unsure of an outline makes the decoder draw the mean of the outlines it may be (`06`). The mean of a disc, a square and a triangle of one size is a round blob in the right place. Look at the second row of the figure.
#
# Now the weak readers. The narrow classifier has 0.39<!--=narrow_picture--> and 0.36<!--=narrow_reconstruction-->, the forest 0.46<!--=forest_picture--> and 0.45<!--=forest_reconstruction-->: they lose little, because they had little to lose. A reader that sees 7×7 pixels, or blurs of a few pixels, cannot see the outline of an object fifteen pixels wide. It finds objects and guesses their class, and for finding objects a blob is as good as a picture. It is not better, either: on these pictures the hope for the weak reader is not borne out. The encoder's features give the forest 0.38<!--=forest_VAE_features-->. So the recipe as it stands in texts is held back twice, by its input and by its receptive field, and the second hides the first.
#
# ## How many bits until the label map is good?
#
# One VAE is one point. The same recipe at other **rates**: codes of a few numbers, larger spatial codes, and spatial codes one level finer, each with its own classifier. Beside the curve stand its floor (the layout), its ceiling (the same classifier on the picture), and an **oracle**: the true mask, shrunk to a grid of $g \times g$ labels by majority vote and enlarged again, at the bits which that grid costs under the code from above. The oracle is what a sender could do who knows that masks are wanted.
#
# > **Predict first.** At how many bits does the recipe reach half of what lies between floor and ceiling? Where does the oracle get with the same bits?

# %%
plans = [((k,), None) for k in vectors] + [(c, None) for c in grids]
curve = [(bits, scores["wide, reconstruction"])]
for code, depth in [*plans, (grids[-1], -1)]:  # -1: without the coarsest level
    sender = new_vae(code, depth)
    reader.set_weights(first)
    said = name_pixels(learn(reader, run(sender, x), masks), run(sender, held))
    curve.append((rate_bits(sender), score(said)))
curve = np.array(sorted(curve))
cells = [metrics.grid_labels(truth, g, classes) for g in (4, 8, 16)]
oracle = [(metrics.label_bits(c, classes), score(segmentation.enlarged([c], size))) for c in cells]

# %%
fig, axis = plt.subplots(figsize=(8.6, 4))
axis.semilogx(*curve.T, "o-", label="the recipe: label the reconstruction")
axis.semilogx(*np.transpose(oracle), "s--", label="oracle: the true mask on 4×4, 8×8, 16×16 labels")
axis.axhline(scores["wide, picture"], color="k", linestyle="-.", label="label the picture")
axis.axhline(scores["layout"], color="k", linestyle=":", label="layout, without a look")
axis.axvline(needed, color="0.6", linestyle=":", label="bits of a mask")
axis.set(xlabel="rate (bits per picture)", ylabel="mean IoU", xlim=(4, 2000), ylim=(0, 1))
axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
alt = "Mean IoU over the rate in bits on a log axis. The recipe starts near the dotted floor and rises slowly; even with more bits than a mask needs it stays below the dash-dotted line of the classifier that sees the picture. The oracle's three squares lie far above it at far fewer bits."
plots.show(fig, alt=alt)
print(*(f"{b:.0f} bits: mean IoU {value:.3f}" for b, value in curve), sep="\n")

# %% [markdown]
# In the stored run the recipe climbs from 0.29<!--=curve_iou[0]--> at 24<!--=curve_bits[0]--> bits to 0.73<!--=curve_iou[5]--> at 920<!--=curve_bits[5]-->; the classifier of the picture has 0.81<!--=wide_picture-->. More rate helps, as it must: in the limit the reconstruction *is* the picture. But then the VAE in front of the classifier does nothing any more. The recipe works as far as it is undone.
#
# Now compare with the oracle. A grid of 4×4 labels costs 13<!--=oracle_bits[0]--> bits and reaches 0.62<!--=oracle_iou[0]-->; one of 8×8 costs 31<!--=oracle_bits[1]--> bits and reaches 0.78<!--=oracle_iou[1]-->. The code of the first VAE spends 294<!--=rate_bits--> bits, and its reader gets 0.54<!--=wide_reconstruction-->. The oracle is no model, for it was told the mask. It shows how little information a good label map is. **What the recipe lacks is not bits; it is a reason to spend them on the mask.** A loss that asks for pixels buys pixels. (The variational information bottleneck of Alemi and others, 2017, trains a code whose decoder names the *label* instead.)
#
# ## Heads that read what the VAE knows
#
# The reconstruction is the last thing a VAE makes, and the poorest: it passed through the code and became pixels again. On the way lie better things to read. The encoder's levels are computed *before* the code, at every resolution; the code's mean μ is what the KL paid for; the decoder's levels know how the code unfolds in space. Each can carry a **head**, a small network from features to labels.
#
# A head goes from coarse to fine. It takes the coarsest features, doubles their resolution (a 1×1 convolution and depth-to-space), adds the next finer features, mixes with a 3×3 convolution, and so on; a last step unfolds to the size of the picture.


# %%
def head(image, features, num_classes):
    """From features of one or several resolutions, finest first, to logits (B, H, W, outputs)."""
    h = features[-1]
    for skip in features[-2::-1]:  # from coarse to fine
        while h.shape[1] < skip.shape[1]:
            h = normal(DepthToSpaceUp(skip.shape[-1], 2, None)(h))
        mix = layers.Conv2D(skip.shape[-1], 3, padding="same", use_bias=False)
        h = normal(mix(layers.Add()([h, skip])))
    far = image.shape[1] > 4 * h.shape[1]  # one unfolding of that size would draw squares
    while far and image.shape[1] > 2 * h.shape[1]:
        h = normal(DepthToSpaceUp(min(h.shape[-1], 32), 2, None)(h))
    return keras.Model(image, DepthToSpaceUp(num_classes, image.shape[1] // h.shape[1], None)(h))


# %% tags=["nbval-check-output"]
levels = pyramids.levels(vae.encoder)
for features in (levels, levels[1:], [vae.encoder.outputs[0]]):
    ours, theirs = (
        build(vae.encoder.input, features, 3) for build in (head, pyramids.segmentation_head)
    )
    theirs.set_weights(ours.get_weights())  # fails unless all shapes agree
    assert ops.max(ops.abs(ours(x[:4]) - theirs(x[:4]))) < 1e-4
print("own head and helpers.pyramids.segmentation_head: the same network")

# %% [markdown]
# Why may the head have skip connections *around* the code, when the VAE may not? If the decoder could see the encoder's finest level, it would copy the picture from there. The code would then save nothing and cost KL, so the best code would be empty: rate 0, posterior collapse, by design. The head has no KL to save and nothing to copy, because the labels are not in its input. It may look wherever it likes.
#
# > **Predict first.** Three places to read (μ, the encoder's levels, the decoder's levels), each with the VAE frozen and with the VAE's weights trained along. Order the six. Which of them can beat the classifier that was trained on the picture from fresh weights?

# %%
end = keras.Model(vae.decoder.input, vae.decoder.layers[-3].output)(vae.encoder.outputs[0])
places = {"code": vae.encoder.outputs[:1], "encoder": levels, "decoder": [end]}
for name, features in places.items():
    for kind in ("tuned", "frozen"):  # in this order the VAE ends as it began
        vae.set_weights(vae_weights)
        vae.encoder.trainable = vae.decoder.trainable = kind == "tuned"
        keras.utils.set_random_seed(seed)
        mixed = layers.Conv2D(widths[-1], 3, padding="same")(features[-1])
        model = head(vae.encoder.input, [*features[:-1], normal(mixed)], classes)
        learn(model, x, masks, cross_entropy)
        scores[f"{name}, {kind}"] = score(name_pixels(model, held))

# %% [markdown]
# In the fine-tuned rows nothing holds the VAE to its old task; after a few hundred steps its decoder may no longer fit its encoder. The alternative is a model with **two outputs**, labels and picture, whose loss is the head's plus the VAE's, so that the VAE's term stays as a regulariser:
#
# $$\text{cross-entropy per pixel} \;+\; \frac{w}{HW}\big(-\log p(x \mid z) + \mathrm{KL}\big).$$
#
# The first two terms compare an output with a target, and Keras's `compile` has a place for them. The KL compares nothing; a layer adds it with `add_loss`. Mind the scale: Keras takes what `add_loss` is given as it is, while it divides an `activity_regularizer` by the batch size. The *mean* over the batch is therefore ours to take, in the layer.


# %%
weight = term_weight / math.prod(size)  # of nats per picture, beside nats per pixel


class Rate(layers.Layer):
    """Passes μ on, and adds the KL to the loss: mean over the batch, times the weight."""

    def call(self, mean, log_variance):
        self.add_loss(weight * ops.mean(losses.gaussian_kl(mean, log_variance)))
        return mean


def joined(encoder, decoder, head):
    """A model of labels and picture, and its two losses; it shares the layers of all three."""
    mean, log_variance = encoder.outputs
    z = GaussianSampling(seed)(Rate()(mean, log_variance), log_variance)
    model = keras.Model(encoder.input, {"labels": head.output, "picture": decoder(z)})

    def distortion(x, drawn):
        return weight * losses.gaussian_nll(x, drawn, math.log(sigma))

    return model, {"labels": cross_entropy, "picture": distortion}


# %%
def network(seed):
    """Encoder, decoder, and a head on all levels of the encoder, with fresh weights."""
    encoder, decoder = pair(seed)
    return encoder, decoder, head(encoder.input, pyramids.levels(encoder), classes)


encoder, decoder, reader = network(seed)
encoder.set_weights(vae.encoder.get_weights())
decoder.set_weights(vae.decoder.get_weights())
joint, two_losses = joined(encoder, decoder, reader)
learn(joint, x, {"labels": masks, "picture": x}, two_losses)
scores["encoder, with the VAE term"] = score(name_pixels(reader, held))
for name in [*list(scores)[-7:], "wide, picture"]:
    print(f"{name:<28}mean IoU {scores[name]:.3f}")

# %% [markdown]
# In the stored run the code μ gives 0.41<!--=code_frozen--> frozen and 0.68<!--=code_tuned--> tuned, the encoder's levels 0.54<!--=encoder_frozen--> and 0.78<!--=encoder_tuned-->, the decoder's last level 0.36<!--=decoder_frozen--> and 0.70<!--=decoder_tuned-->, and the model with two outputs 0.69<!--=encoder_with_the_VAE_term-->. The same number of steps from fresh weights, on the picture, gave 0.81<!--=wide_picture-->.
#
# Read the frozen rows first: they tell what a *small* head finds in a VAE that never saw a mask. The encoder's levels stand before the bottleneck, so they still hold what the code dropped, and they are the best of the three. But no frozen row comes above the recipe's 0.54<!--=wide_reconstruction-->, although its reconstruction is computed from the code. There a whole U-Net did the reading, here a few layers. What is in a code, and what a small reader finds there, are two things, as in the probes of `07`.
#
# Tuned, each place gains much, because now the labels decide what the layers keep; and the encoder's levels, whose skips lead around the bottleneck, end highest. The model with two outputs has to serve two masters in the same number of steps, and pays for it. Nothing here beats fresh weights, in one run with one seed and all the labels. Is that bad luck? Would few labels change it? A table with one run of each cannot say.
#
# ## Did the VAE help? Ask its twins
#
# A head on a fine-tuned VAE scores well. That proves nothing yet: so might the same network from any other start. The claim "the VAE helps" needs **twins**, alike in network, head, labelled pictures, steps and rate, and different in one thing each:
#
# - *random*: fresh weights, no pretraining;
# - *random, frozen*: the encoder keeps its fresh weights, only the head learns;
# - *autoencoder*: pretrained for as many steps on the squared error, no noise, no KL;
# - *denoising*: the same, with noise on its input, the clean picture as the target;
# - *VAE*: pretrained with the ELBO; this is the arm that the claim is about;
# - *VAE + term*: the same, and the VAE's loss stays on while the head learns.
#
# Pretraining sees all pictures and no mask; the head sees the masks of a few. Few labels are where pretraining has the best chance: the encoder has met thousands of pictures before it meets the first mask. Each training is repeated with other first weights and other labelled pictures. Arms share both, so their difference is taken seed by seed and its interval is narrower than those of the two scores.
#
# > **Predict first.** With the fewest labels, which arm wins? Does the VAE beat the plain autoencoder? And what remains of the differences with the most labels?


# %%
before = {"steps": pretraining_steps, "learning_rate": learning_rate / 3}
family = pretraining.PretrainingComparison(
    network, joined, cross_entropy, x, sigma, before, steps=head_steps, **options
)


def twin(run, budget, arm):
    """Mean IoU of one arm, trained on the masks of `budget` pictures."""
    some = np.random.default_rng([seed, run]).permutation(len(x))[:budget]
    return score(name_pixels(family.train(arm, x[some], masks[some], run), held))


plan = [size, images, val_images, widths, depths, patches, channels, sigma, term_weight]
store = checkpoint.ResultStore(
    cache_dir, dataset=dataset, plan=[*plan, options, pretraining_steps, head_steps]
)
found = {budget: {arm: [] for arm in pretraining.INITIALISATIONS} for budget in labels}
for key in itertools.product(range(seed, seed + seeds), labels, pretraining.INITIALISATIONS):
    value = store.result("twin", functools.partial(twin, *key), key=key)
    found[key[1]][key[2]].append(value)

# %%
table = {
    a: [metrics.confidence_interval(found[b][a]) for b in labels]
    for a in pretraining.INITIALISATIONS
}  # mean, half width
fig = plots.label_efficiency(
    labels, table, data.records.label_efficiency(f"08-{dataset}"), scores["layout"]
)
alt = "Mean IoU over the number of labelled pictures for six starts, with intervals: on the left your run, on the right the recorded one with more budgets. All rise with the labels and lie close together; the frozen random encoder stays low."
plots.show(fig, alt=alt)

# %% [markdown]
# Now the verdict, by a rule that was fixed before the run. "The VAE helps" only if the interval of its difference to the *best* twin lies above 0. If it does not, but the best pretrained arm is above *random* in the same sense, then "pretraining helps". Else "nothing helps".


# %%
verdicts = [metrics.verdict(found[budget]) for budget in labels]
line = "{word}; VAE − {rival} {gain:+.3f} ± {gain_half:.3f}; {best} − random {lift:+.3f} ± {lift_half:.3f}"
for budget, v in zip(labels, verdicts):
    print(f"{budget} labels:", line.format(**v))

# %% [markdown]
# In the stored run, with 20<!--=labels[0]--> masks, *random* reaches 0.38<!--=twin_random[0]-->, *random, frozen* 0.34<!--=twin_random_frozen[0]-->, the autoencoder 0.39<!--=twin_autoencoder[0]-->, the denoising one 0.39<!--=twin_denoising[0]-->, the VAE 0.39<!--=twin_VAE[0]-->, and with its term kept 0.40<!--=twin_VAE_term[0]-->. The VAE minus its best twin is −0.008<!--=gain[0]--> ± 0.018<!--=gain_half[0]-->; with 400<!--=labels[1]--> masks it is −0.043<!--=gain[1]--> ± 0.226<!--=gain_half[1]-->.
#
# So the code's word is **pretraining helps** with the few labels, by a hair, and the credit is not the VAE's: the denoising autoencoder is 0.012<!--=lift[0]--> ± 0.011<!--=lift_half[0]--> above *random*. With the many it is **nothing helps**: the intervals of three seeds are far wider than the differences. What does cost something is *freezing* random features; learning them is worth it, from any start. Why does seeing more than a thousand pictures without masks buy so little here? Because a network that describes pixels has no reason to tell a disc from a square in a form that a head finds in a few steps. Those who report a gain from generative pretraining with few labels mostly used far larger models and pictures of one kind, such as faces, where parts have fixed places.
#
# Three things keep this honest. The rival is the *best* twin, not the first one that comes to mind; against *random* alone a pretrained network often looks good, and the credit may belong to any pretraining. The rule was written before the run. And three seeds are few: Student's factor for three is 4.3, so only large effects show. The recorded run, with five seeds, longer trainings and four budgets, is drawn beside yours. Its words are the same: with 20 masks *pretraining helps*, and the best start is the plain autoencoder; with 60, 240 and 1,200 *nothing helps*.
#
# ## Which loss, and which score?
#
# So far the loss was the **cross-entropy** from logits: $-\log p$ of the true class, averaged over the pixels that are not void. It counts pixels, as accuracy does, and rare classes hardly matter to it. Two remedies are common. **Class weights** count a pixel of class $c$ by $f_c^{-a}$, with $f_c$ the share of the class. **Dice** turns the score of notebook `01` into a loss, with probabilities in place of hard labels. It must be taken over the pixels of *one* picture, axes 1 and 2; two lines show what the batch axis would do.

# %%
t = np.stack([np.ones((8, 8)), np.eye(8)])  # the class: all of one picture, a line in the other
p = t * np.array([1, 0])[:, None, None]  # the line is overlooked
for axes in ((1, 2), (0, 1, 2)):
    print(f"axes {axes}: Dice", (2 * (p * t).sum(axes) / (p.sum(axes) + t.sum(axes))).round(3))

# %%
weights = np.maximum(counts.sum(axis=(1, 2)) / counts.sum(), 1e-3) ** -balance
weighted = segmentation.PixelCrossEntropy(classes, void, weights)
said = {"cross-entropy": answers["wide, picture"]}
for name, loss in {"weights": weighted, "Dice": segmentation.SoftDice(classes, void)}.items():
    said[name] = name_pixels(learn(wide(), x, masks, loss), held)
five = {
    name: metrics.label_map_scores(truth, answer, classes, void) for name, answer in said.items()
}
shares = metrics.confusion_shares(truth, answers["wide, picture"], classes, void)
fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.4 + 0.15 * classes))
plots.heatmap(
    left, list(five.values()), five, metrics.LABEL_MAP_SCORES, "three losses, five scores"
)
plots.heatmap(right, shares, val.class_names, val.class_names, "cross-entropy, rows: truth")
alt = "Two tables in colour. Left: three losses in rows and five scores in columns; cross-entropy and class weights are alike, and Dice is far below them in all but accuracy. Right: the confusion matrix of the first loss, mostly on its diagonal."
plots.show(fig, alt=alt)

# %% [markdown]
# The cell before says it in one line: per picture, the overlooked object counts one half of the mean; over the batch the score hardly notices it.
#
# In the stored run the cross-entropy has a mean IoU of 0.81<!--=loss_cross_entropy[1]-->, the class weights 0.81<!--=loss_weights[1]-->, Dice 0.20<!--=loss_Dice[1]-->; by accuracy they have 0.96<!--=loss_cross_entropy[0]-->, 0.96<!--=loss_weights[0]--> and 0.79<!--=loss_Dice[0]-->. Dice alone went wrong: its row says that the answer is background nearly everywhere. In a picture with one object, three of the four classes are right to claim so little, two of them because they are absent, and the loss pays for each. From fresh weights that is a hollow which a short training does not leave. Cross-entropy has no such hollow, which is why the two are mostly added. Accuracy hardly notices the failure.
#
# Two scores ask for what the mean IoU forgives. **Dice per picture** counts a small picture's object as much as a large one's, and a class that is neither there nor claimed counts as right. The **boundary IoU** (Cheng and others, 2021) compares only bands along the outlines: 0.60<!--=loss_cross_entropy[3]--> where the mean IoU says 0.81<!--=loss_cross_entropy[1]-->. The confusion matrix says which classes are taken for which. A loss and a score that are alike tend to favour each other, so choose the score first, by what the label map is for, and then the loss.
#
# ## The best, and the worst
#
# A mean hides its members. Here are the held-out pictures on which the classifier of the pictures (cross-entropy) does best and worst, by the IoU of each picture, averaged over the classes that occur in it. In the last row the wrong pixels are dark.

# %% tags=["picture"]
answer = answers["wide, picture"]
each = metrics.iou_per_image(truth, answer, classes, void)
ends, right = np.argsort(each)[[-1, -2, -3, -4, 3, 2, 1, 0]], (answer == truth) | (truth == void)
rows = [val.images[ends], coloured(truth[ends]), coloured(answer[ends]), right[ends]]
names, titles = ["picture", "truth", "prediction", "errors"], [f"{each[i]:.2f}" for i in ends]
fig = plots.image_grid(rows, row_labels=names, column_labels=titles)
plots.class_legend(fig, val.class_names)
alt = "Four best and four worst pictures with truth, prediction and a map of errors. In the best only single pixels at outlines are wrong. In the worst an object has the wrong class or is labelled with two classes at once."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the failures are of two kinds. Either an object is found and its class is wrong, as a whole or in one half, or an object that is hardly brighter than its ground is missed. The outline, where the forest of notebook `01` failed, is a small part of the loss by now.
#
# **Exercise 1.** A mask of 32×32 pixels with 4 classes, sent without any code: how many bits? **Exercise 2.** A 3×3 convolution follows on a 3×3 convolution follows on a 2×2 patch convolution. How many pixels of the picture, along one side, does one output see?

# %%
your_bits, your_view = None, None  # ← your numbers
for name, yours, true in (("bits", your_bits, 2048), ("view", your_view, 10)):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else true}")
    assert yours in (None, true), "Two bits name one of four. A patch is two pixels wide."

# %% [markdown]
# <details><summary>Solutions</summary>
#
# 32 · 32 · 2 = 2048 bits. Two 3×3 convolutions see 5 positions along a side, each of which is a patch of 2 pixels: 10 pixels. A convolution after a patch reaches twice as far as one before it; that is how the wide classifier gets its view.
#
# </details>
#
# ## Photographs
#
# Everything above ran on small pictures so that it could run often. The section that follows is one long training on whole photographs, and is left out by default (`headline_epochs = 0`). The VAE is pretrained on random crops of the training photographs, without labels; the head on its encoder's levels is then trained with them. A twin starts from fresh weights and takes the same steps with labels. Because all layers are convolutions, the network that learned on crops reads a photograph of any size; scores are at native size, void left out, and each answer is the mean of the answers for the photograph and for its mirror image.


# %%
headline, shape = {}, {"widths": widths, "depths": depths, "patches": patches}
if headline_epochs:
    photos, scored = data.load(dataset, "train"), data.load(dataset, split)
    for arm in ("random", "VAE"):
        whole, seconds = photo_training.train_head(
            # A store of its own: what the twins depend on shall not throw away these hours.
            photos.images, photos.masks, classes, weighted, checkpoint.ResultStore(cache_dir, dataset=dataset),
            vae_epochs=vae_epochs, epochs=headline_epochs, steps=steps_per_epoch, seed=seed, plan=shape,
            learning_rate=headline_learning_rate, channels=channels, parameters={"balance": balance}, pretrain=arm == "VAE",
            crops={"crop": crop, "batch_size": batch_size, "scale": 1.4, "light": 0.1},
        )  # fmt: skip
        ious = photo_training.class_ious(whole, scored, classes, void, math.prod(patches), True)
        headline |= {f"headline_{arm}": np.nanmean(ious), f"headline_{arm}_classes": list(ious)}
        headline |= {f"headline_{arm}_seconds": seconds, "parameters": whole.count_params()}
        print(f"{arm}: mean IoU {np.nanmean(ious):.3f} on {split}, {seconds:.0f} s", ious.round(3))
    if weights_out:
        about = {"classes": val.class_names, "dataset": dataset, "licence": scored.licence}
        about |= {"scored_on": split, "scores": list(ious), "seed": seed, "balance": balance}
        pretrained.save(whole, weights_out, **shape, num_classes=classes, **about)

# %% [markdown]
# Notebook `11` has this training to itself; its parameter files `11.full-camvid.yaml` and `11.full-pets.yaml` hold the settings of such runs. The first is on record, in `data/results` and in the README's table, beside its twin from fresh weights and beside published rows. The recorded run has scored CamVid's test split twice: the mirror image joined after the first time, because it had helped on the val split, with either start.
#
# On CamVid the rule was asked too: sixty short trainings, five seeds. With 18 labelled frames the word is *nothing helps*; with all 367 it is *pretraining helps*, and the best start is the denoising autoencoder. The VAE does not stand out there either. The figures are in the README's table.
#
# The next cell shows the trained network a photograph: a cat from scikit-image that it has never seen, or, with the parameter `image_path`, one of yours. Without a long training, and without kept weights, it says so.

# %%
mine = {"multiple": math.prod(patches), "classes": val.class_names}
model, note = (whole, mine) if headline_epochs else pretrained.load("08-pets")
if model is None:
    print("the kept weights 08-pets are not here, and no photographs were trained on")
else:
    photo, said = photo_training.label(image_path, model, note["multiple"])
    fig = plots.image_grid([[photo, plots.mask_to_rgb(said)]], cell=4.0)
    plots.class_legend(fig, note["classes"])
    alt = "A photograph beside the class that the network gives to each of its pixels."
    plots.show(fig, alt=alt)

# %% [markdown]
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {re.sub(r"\W+", "_", name): value for name, value in scores.items()} | headline
results |= {
    "rate_bits": bits,
    "mask_bits": needed,
    "labels": labels,
    "arms": pretraining.INITIALISATIONS,
}
results |= {"curve_bits": curve[:, 0], "curve_iou": curve[:, 1], "twins": list(table.values())}
results |= {"oracle_bits": [b for b, _ in oracle], "oracle_iou": [v for _, v in oracle]}
results |= {f"twin_{re.sub(r'[^A-Za-z]+', '_', a)}": [m for m, _ in table[a]] for a in table}
results |= {"seeds": seeds} | {key: [v[key] for v in verdicts] for key in verdicts[0]}
results |= {f"loss_{name.replace('-', '_')}": row for name, row in five.items()}
limits = {"wide_picture": {"default": (0.6, 1.0)}, "layout": {"default": (0.15, 0.3)}}
line = "recipe {wide_reconstruction:.2f}, on the picture {wide_picture:.2f}; ".format(**results)
record(results, limits, line + verdicts[0]["word"])

# %% [markdown]
# ## What you saw
#
# - The recipe labels what the VAE draws, and the VAE draws what pays in nats of pixels: 0.54<!--=wide_reconstruction--> against 0.81<!--=wide_picture--> on the picture itself.
# - More rate brings the recipe back towards the picture. An oracle needs 31<!--=oracle_bits[1]--> bits for a map of 0.78<!--=oracle_iou[1]-->: bits were never the trouble, their use was.
# - Heads read best from the encoder's levels, around the bottleneck, by skip connections that the VAE itself must not have. Even so, the VAE itself led over none of its twins by more than its interval.
# - With two outputs the VAE stays on as a regulariser; the KL goes in by `add_loss`, and its mean over the batch is ours to take.
# - A claim about the VAE is a claim about its twins. The rule of the verdict was written first, and the code, not the author, spoke the word.
# - Class weights changed little; Dice alone did not leave the answer "all background" in so short a training. Which score is right depends on what the map is for.
#
# ## On your own
#
# 1. **All the pictures for the regulariser.** *VAE + term* sees only the labelled pictures. Give the model with two outputs all of them, and count only the labelled ones in the cross-entropy (a mask that is void everywhere counts nowhere). Predict whether 20 labels gain more from it than 400.
#
#    <details><summary>What to expect</summary>
#
#    That is semi-supervised learning with a VAE (Kingma and others, 2014). The few labels have most to gain, because their regulariser saw the least; whether the gain beats a plain autoencoder's is a matter for twins again.
#
#    </details>
# 2. **A VAE for masks.** Train the recipe's VAE on *masks* (one channel a class, Bernoulli) in place of pictures. At what rate does its reconstruction reach the oracle's 8×8 grid?
#
#    <details><summary>Hint</summary>
#
#    Now the loss asks for the right thing, and a few dozen bits go far: place, size, class. It is no classifier yet, for it needs the mask as its input. A network that predicts its code from the picture makes it one; with a draw from the code for each of several opinions, that is the probabilistic U-Net.
#
#    </details>
# 3. **Your own photograph.** Run with `-p image_path my_cat.jpg`. Where does it fail: at the outline, at things that are no pets, or everywhere?
#
#    <details><summary>Hint</summary>
#
#    The network knows only pets, close and in the middle. A picture without any pet has no right answer among its three classes except background, and it was never shown one.
#
#    </details>
#
# ## References
#
# - Alemi, A. A., Fischer, I., Dillon, J. V. and Murphy, K. (2017). Deep Variational Information Bottleneck. ICLR. [arXiv:1612.00410](https://arxiv.org/abs/1612.00410)
# - Cheng, B. and others (2021). Boundary IoU: Improving Object-Centric Image Segmentation Evaluation. CVPR. [arXiv:2103.16562](https://arxiv.org/abs/2103.16562)
# - Kingma, D. P., Rezende, D. J., Mohamed, S. and Welling, M. (2014). Semi-Supervised Learning with Deep Generative Models. NeurIPS. [arXiv:1406.5298](https://arxiv.org/abs/1406.5298)
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Kohl, S. and others (2018). A Probabilistic U-Net for Segmentation of Ambiguous Images. NeurIPS. [arXiv:1806.05034](https://arxiv.org/abs/1806.05034)
# - Long, J., Shelhamer, E. and Darrell, T. (2015). Fully Convolutional Networks for Semantic Segmentation. CVPR. [arXiv:1411.4038](https://arxiv.org/abs/1411.4038)
# - Milletari, F., Navab, N. and Ahmadi, S.-A. (2016). V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation. 3DV. [arXiv:1606.04797](https://arxiv.org/abs/1606.04797)
# - Parkhi, O. M., Vedaldi, A., Zisserman, A. and Jawahar, C. V. (2012). Cats and dogs. CVPR. <https://doi.org/10.1109/CVPR.2012.6248092>
# - Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Vincent, P., Larochelle, H., Bengio, Y. and Manzagol, P.-A. (2008). Extracting and composing robust features with denoising autoencoders. ICML. <https://doi.org/10.1145/1390156.1390294>
