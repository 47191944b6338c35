# %% [markdown]
# # Problem set 3: label pixels with a VAE's features
#
# A VAE looked at many pictures without labels. Does that help to label pixels? Before the answer comes the craft: a head that leaves the VAE as it is, a loss and a score that know about void, and a comparison that deserves its name.
#
# **What you'll learn**
#
# - What "frozen" means, and how to see that it holds.
# - Void pixels count in no loss and in no score.
# - The mean IoU comes from one table of counts, not from an average over pictures.
# - A claim needs a twin that differs in one thing only, and an interval.
#
# **What you'll need.** Notebooks `08` and `09`, about 100 minutes. Keras in task 1; NumPy in the others.
#
# | task | points |
# |---|---|
# | 1 A head on a frozen encoder | 4 |
# | 2 Cross-entropy with void | 3 |
# | 3 Confusion table and mean IoU | 4 |
# | 4 Read a curve of rate and mean IoU | 2 |
# | 5 Fair twins | 4 + 3 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests your function and says what to think about. When you hand in, more tests run, on numbers that you do not see. Do not rename or delete cells; you may add cells of your own.

# %% readonly="setup"
from helpers.runs import set_up

set_up(0)

import keras
import numpy as np
from keras import layers, ops

from helpers import checks

# %% [markdown]
# ## Task 1: a head on a frozen encoder
#
# `a_trained_encoder` stands for the encoder of a trained VAE. It takes pictures $(B, H, W, C)$ and gives two arrays $(B, H/4, W/4, K)$: the mean $\mu$ and $\log \sigma^2$ of a spatial code, one code a patch of 4×4 pixels.
#
# Write a function that makes a Keras model out of it, from pictures to **logits** $(B, H, W, \text{classes})$. Take the mean as the only feature: not a draw, which at test time only adds noise, and not the picture itself. Training the model must leave the encoder as it is. Any small head will do, such as a 1×1 convolution and a way up by a factor of 4.


# %% readonly="an_encoder"
def a_trained_encoder(height=16, width=16, channels=3, codes=6, seed=0):
    """A stand-in for a trained encoder: pictures → mean and log σ², each (B, H/4, W/4, K)."""
    start = keras.initializers.GlorotUniform(seed)
    picture = keras.Input((height, width, channels))
    hidden = layers.Conv2D(12, 4, 4, activation="tanh", kernel_initializer=start)(picture)
    mean = layers.Conv2D(codes, 1, kernel_initializer=start)(hidden)
    log_variance = layers.Conv2D(codes, 1, kernel_initializer=start)(hidden)
    return keras.Model(picture, [mean, log_variance])


# %% solution="segmenter"
def segmenter(encoder, classes):
    """A model from pictures (B, H, W, C) to logits (B, H, W, classes) on a frozen encoder.

    encoder: a keras.Model that gives [mean, log_variance], each (B, H/4, W/4, K).
    """
    ### BEGIN SOLUTION
    encoder.trainable = False
    picture = keras.Input(encoder.input_shape[1:])
    mean, _ = encoder(picture)
    hidden = layers.Conv2D(16, 1, activation="relu")(mean)
    logits = layers.Conv2DTranspose(classes, 4, 4)(hidden)
    return keras.Model(picture, logits)
    ### END SOLUTION


# %% test="segmenter_gives_logits" points=2
import numpy as np

from helpers import checks

pictures = np.random.default_rng(5).uniform(size=(2, 16, 16, 3)).astype("float32")
model = segmenter(a_trained_encoder(), 4)
first, second = (checks.array(model(pictures)) for _ in range(2))
checks.same(
    np.array(first.shape),
    [2, 16, 16, 4],
    "One logit a class for every pixel of the picture: the code is four times coarser than it.",
)
checks.close(
    first, second, "The same pictures gave two answers. Is the feature the mean, or a draw?"
)
### BEGIN HIDDEN TESTS
for height, width, channels, codes, classes in ((24, 16, 1, 5, 3), (8, 32, 3, 9, 6)):
    keras.utils.set_random_seed(height)
    model = segmenter(a_trained_encoder(height, width, channels, codes, seed=codes), classes)
    pictures = np.random.default_rng(6).normal(size=(3, height, width, channels))
    out = checks.array(model(pictures.astype("float32")))
    checks.same(
        np.array(out.shape),
        [3, height, width, classes],
        "With another size of picture, code or number of classes the shape is wrong.",
    )
    # Trained, so that a head which starts at zero shows its sign too.
    labels = (pictures[..., 0] > 0).astype("int32")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pictures, labels, epochs=3, verbose=0)
    out = checks.array(model(pictures.astype("float32") * 3))
    checks.true(
        out.min() < 0 and np.abs(out.sum(axis=-1) - 1).max() > 1e-3,
        "These are no logits: they are never negative, or sum to 1. No softmax, sigmoid or relu "
        "at the end; the loss does that.",
    )
# An encoder whose mean says nothing: what still differs between pictures came another way.
blind = a_trained_encoder(seed=17)
weights = blind.get_weights()
weights[2:4] = [0 * w for w in weights[2:4]]
blind.set_weights(weights)
model = segmenter(blind, 2)
pictures = np.random.default_rng(8).normal(size=(8, 16, 16, 3)).astype("float32")
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(pictures, (pictures[..., 0] > 0).astype("int32"), epochs=3, verbose=0)
blind.set_weights(weights)  # again: whether it may learn is asked in the next test
checks.true(
    np.ptp(checks.array(model(pictures)), axis=0).max() < 1e-4,
    "With an encoder whose mean is zero, different pictures still get different answers. The head "
    "sees something else: log σ², the picture itself, or an encoder with other weights.",
)
### END HIDDEN TESTS

# %% test="segmenter_is_frozen" points=2
import numpy as np

from helpers import checks

encoder = a_trained_encoder()
before = [np.array(w) for w in encoder.get_weights()]
model = segmenter(encoder, 3)
pictures = np.random.default_rng(7).normal(size=(16, 16, 16, 3)).astype("float32")
labels = (pictures.mean(axis=-1) > 0).astype("int32")
model.compile(
    keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
model.fit(pictures, labels, batch_size=16, epochs=2, verbose=0)
checks.true(
    all(np.array_equal(a, b) for a, b in zip(before, encoder.get_weights())),
    "Two steps of training changed the encoder. Which attribute of a Keras layer says whether "
    "its weights are trained?",
)
### BEGIN HIDDEN TESTS
encoder = a_trained_encoder(seed=11)
before = [np.array(w) for w in encoder.get_weights()]
keras.utils.set_random_seed(12)
model = segmenter(encoder, 2)
pictures = np.random.default_rng(13).normal(size=(8, 16, 16, 3)).astype("float32")
blocks = pictures.reshape(8, 4, 4, 4, 4, 3).mean(axis=(2, 4, 5)) > 0  # one label a patch
labels = np.kron(blocks, np.ones((1, 4, 4))).astype("int32")
model.compile(
    keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
history = model.fit(pictures, labels, batch_size=8, epochs=60, verbose=0).history["loss"]
checks.true(
    all(np.array_equal(a, b) for a, b in zip(before, encoder.get_weights())),
    "Training changed the encoder.",
)
checks.true(
    history[-1] < history[0] - 0.01,
    "The head does not learn: sixty steps on eight pictures left the loss where it was. Is "
    "anything left to train, and does it see the code?",
)
checks.true(
    np.ptp(checks.array(model(pictures)), axis=0).max() > 1e-3,
    "After training, all pictures get the same answer. Does the head see the code at all?",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: cross-entropy with void
#
# With logits $\ell$ and the true class $y_i$ of pixel $i$, the loss is $-\log p_i = -\log \operatorname{softmax}(\ell_i)_{y_i}$, in nats a pixel, averaged over all pixels of the batch that are **not void**. A void pixel has the label `void`, which is no class and may be 255. If every pixel is void, the loss is 0.
#
# Logits of several hundreds occur; the loss must stay finite and right.


# %% solution="void_cross_entropy"
def void_cross_entropy(logits, truth, void):
    """Mean cross-entropy over the pixels that are not void, one number, in nats a pixel.

    logits: (B, H, W, C). truth: integers (B, H, W), classes 0 … C − 1 or `void`.
    """
    ### BEGIN SOLUTION
    counted = truth != void
    logits, truth = logits[counted], truth[counted]  # (n, C), (n,)
    if not len(truth):
        return 0.0
    largest = logits.max(axis=1, keepdims=True)
    log_sum = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
    return np.mean(log_sum - logits[np.arange(len(truth)), truth])
    ### END SOLUTION


# %% test="void_cross_entropy" points=2
import numpy as np

from helpers import checks

truth = np.array([[[0, 1], [255, 2]]])
checks.close(
    void_cross_entropy(np.zeros((1, 2, 2, 4)), truth, 255),
    np.log(4),
    "Equal logits of four classes: every counted pixel costs log 4, however many are void.",
)
logits = np.zeros((1, 2, 2, 4))
logits[0, 1, 0] = [9, 0, 0, 0]  # the void pixel
checks.close(
    void_cross_entropy(logits, truth, 255),
    np.log(4),
    "What the network says about a void pixel must not matter, and it is not divided by either.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(24680)
for batch, height, width, classes, void in ((2, 3, 5, 4, 255), (3, 4, 2, 3, -1), (1, 6, 6, 5, 5)):
    logits = rng.normal(size=(batch, height, width, classes)) * 2
    truth = rng.integers(0, classes, (batch, height, width))
    truth[rng.uniform(size=truth.shape) < 0.3] = void
    truth[0, 0, 0], truth[0, 0, 1] = void, 1
    costs = []
    for place in zip(*np.nonzero(truth != void)):
        p = np.exp(logits[place]) / np.exp(logits[place]).sum()
        costs.append(-np.log(p[truth[place]]))
    checks.close(
        void_cross_entropy(logits.copy(), truth.copy(), void),
        np.mean(costs),
        "On other pixels the loss comes out wrong. It is an average over all counted pixels of "
        "the batch, of minus the log of the probability of the true class.",
    )
### END HIDDEN TESTS

# %% test="void_cross_entropy_is_safe" points=1
import numpy as np

from helpers import checks

sure = np.array([[[[900.0, 0.0], [0.0, 900.0]]]])
checks.close(
    void_cross_entropy(sure, np.array([[[0, 0]]]), 255),
    450,
    "A logit of 900 overflows exp. Subtract the largest logit of a pixel first: the softmax "
    "does not change.",
)
### BEGIN HIDDEN TESTS
checks.close(
    void_cross_entropy(np.ones((1, 2, 2, 3)), np.full((1, 2, 2), 255), 255),
    0,
    "If every pixel is void, nothing is to be learnt, and the loss is 0.",
)
rng = np.random.default_rng(1122)
logits = rng.choice([-700.0, 0.0, 650.0], size=(2, 3, 3, 4)) + rng.normal(size=(2, 3, 3, 4))
truth = rng.integers(0, 4, (2, 3, 3))
log_sum = np.logaddexp.reduce(logits, axis=-1)
right = np.take_along_axis(logits, truth[..., None], axis=-1)[..., 0]
checks.close(
    void_cross_entropy(logits, truth, 255),
    np.mean(log_sum - right),
    "With large logits of both signs the loss must be finite and right.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: the confusion table and the mean IoU
#
# Count pixels into a table of $C \times C$: row the true class, column the class with the largest logit. Void pixels are not counted. From the table of the **whole** data set comes the intersection over union of class $c$: the pixels that are $c$ in both, over the pixels that are $c$ in one or the other. The mean IoU is the mean over the classes that occur in truth or answer at all.


# %% solution="confusion"
def confusion(logits, truth, void):
    """Counts (C, C) of the pixels that are not void: row the truth, column the answer.

    logits: (B, H, W, C). truth: integers (B, H, W).
    """
    ### BEGIN SOLUTION
    classes = logits.shape[-1]
    answer = logits.argmax(axis=-1)
    counted = truth != void
    pairs = classes * truth[counted] + answer[counted]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    ### END SOLUTION


# %% test="confusion" points=2
import numpy as np

from helpers import checks

logits = np.array([[[[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]]])  # answers 0, 1, 0
checks.same(
    confusion(logits, np.array([[[0, 0, 255]]]), 255),
    [[1, 1], [0, 0]],
    "Two pixels count, both truly of class 0; the second was called 1. Rows are the truth, and "
    "the largest logit is sought over the last axis.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(31415)
for batch, height, width, classes, void in ((2, 4, 5, 3, 255), (3, 3, 3, 6, -1), (1, 5, 4, 4, 4)):
    logits = rng.normal(size=(batch, height, width, classes))
    truth = rng.integers(0, classes, (batch, height, width))
    truth[rng.uniform(size=truth.shape) < 0.25] = void
    truth[0, 0, 0] = void
    table = np.zeros((classes, classes))
    for place in zip(*np.nonzero(truth != void)):
        table[truth[place], np.argmax(logits[place])] += 1
    checks.same(
        confusion(logits.copy(), truth.copy(), void),
        table,
        "On other pixels the counts are wrong. Check the axis of the argmax, what is a row, and "
        "that void pixels are nowhere.",
    )
### END HIDDEN TESTS


# %% solution="mean_iou"
def mean_iou(counts):
    """The mean IoU of a table of counts (C, C), one number."""
    ### BEGIN SOLUTION
    both = np.diag(counts).astype(float)
    either = counts.sum(axis=0) + counts.sum(axis=1) - both
    there = either > 0
    return np.mean(both[there] / either[there])
    ### END SOLUTION


# %% test="mean_iou" points=2
import numpy as np

from helpers import checks

checks.close(
    mean_iou(np.array([[2, 2], [1, 5]])),
    (2 / 5 + 5 / 8) / 2,
    "Class 0: 2 pixels in both, 2 + 2 + 1 = 5 in truth or answer. The diagonal is in the row's "
    "sum and in the column's sum.",
)
checks.close(
    mean_iou(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])),
    (3 / 4 + 4 / 5) / 2,
    "The third class occurs nowhere: it is left out of the mean, and is no zero.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(27182)
for classes in (2, 4, 7):
    counts = rng.integers(0, 40, (classes, classes))
    counts[np.diag_indices(classes)] += 10
    if classes == 7:
        counts[5], counts[:, 5], counts[2] = 0, 0, 0
        counts[0, 2] = 3  # class 2 is answered but never true: it counts, with 0
    each = []
    for c in range(classes):
        either = counts[c].sum() + counts[:, c].sum() - counts[c, c]
        each += [counts[c, c] / either] if either else []
    checks.close(
        mean_iou(counts.copy()),
        np.mean(each),
        "On another table the mean IoU is wrong. Rows and columns both belong to the union; a "
        "class that is only answered counts with 0, one that is nowhere does not count.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: read a curve
#
# Somebody trained VAEs of several rates (the KL, in nats an image) and a head on each. `scores[i]` is the mean IoU at `rates[i]` over several seeds, `halves[i]` half the width of its interval. Which smallest rate is not told apart from the best? Answer with the **smallest rate whose interval reaches the best mean**, that is, `scores[i] + halves[i] >= max(scores)`. (The rate bounds what a latent carries. It is not what the labelling needs: a label map can cost far fewer nats.) The rates come in any order.


# %% solution="smallest_rate"
def smallest_rate(rates, scores, halves):
    """The smallest rate whose interval reaches the best mean score."""
    ### BEGIN SOLUTION
    rates, scores, halves = map(np.asarray, (rates, scores, halves))
    return rates[scores + halves >= scores.max()].min()
    ### END SOLUTION


# %% test="smallest_rate" points=2
import numpy as np

from helpers import checks

checks.close(
    smallest_rate(
        np.array([5.0, 20.0, 80.0]), np.array([0.3, 0.58, 0.6]), np.array([0.02, 0.03, 0.02])
    ),
    20,
    "At 20 nats the interval goes up to 0.61 and reaches the best mean, 0.6; at 5 it does not.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(16180)
for n in (4, 6, 9, 12):
    rates, scores = rng.permutation(rng.uniform(1, 200, n)), rng.uniform(0.3, 0.7, n)
    halves = rng.uniform(0.01, 0.2, n)
    fit = [r for r, s, h in zip(rates, scores, halves) if s + h >= scores.max()]
    checks.close(
        smallest_rate(rates.copy(), scores.copy(), halves.copy()),
        min(fit),
        "On another curve another rate is meant. They may come in any order; the smallest rate, "
        "not the first.",
    )
checks.close(
    smallest_rate(
        np.array([90.0, 10.0, 40.0]), np.array([0.375, 0.5, 0.75]), np.array([0.125, 0.25, 0.0])
    ),
    10,
    "An interval that ends exactly at the best mean reaches it.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: fair twins
#
# A run is a dictionary of settings. A twin of the VAE's run is **fair** if it has the same settings with the same values in everything but `"start"`, which says where its first weights come from (`"vae"`, `"random"`, `"autoencoder"` …), and if its start is another one.


# %% solution="fair_twins"
def fair_twins(run, others):
    """The names of the runs in `others`, a dictionary {name: run}, that are fair twins of `run`.

    Returns a list of names, in the order of `others`.
    """

    ### BEGIN SOLUTION
    def rest(settings):
        return {key: value for key, value in settings.items() if key != "start"}

    return [
        name
        for name, other in others.items()
        if rest(other) == rest(run) and other.get("start") != run["start"]
    ]
    ### END SOLUTION


# %% test="fair_twins" points=2
import numpy as np

from helpers import checks

run = {"start": "vae", "steps": 300, "labels": 20}
others = {
    "longer": {"start": "random", "steps": 600, "labels": 20},
    "twin": {"start": "random", "steps": 300, "labels": 20},
    "itself": {"start": "vae", "steps": 300, "labels": 20},
}
names = fair_twins(run, others)
checks.true(
    isinstance(names, list) and names == ["twin"],
    "One run trained for longer, one has the same start: neither tells what the start is worth. "
    f"Yours: {names}",
)
### BEGIN HIDDEN TESTS
run = {"start": "vae", "steps": 250, "labels": 50, "rate": 0.01, "augment": True}
others = {
    "a": {**run, "start": "autoencoder"},
    "b": {**run, "start": "random", "augment": False},
    "c": {k: v for k, v in {**run, "start": "random"}.items() if k != "rate"},
    "d": {**run, "start": "random", "width": 64},
    "e": dict(reversed(list({**run, "start": "random"}.items()))),
    "f": dict(run),
    "g": {**run, "start": "random", "labels": 500},
}
names = list(fair_twins(dict(run), dict(others)))
checks.true(
    names == ["a", "e"],
    "On other runs other twins are fair. A setting that only one of the two has is a difference "
    "too, and the order of the settings is none.",
)
### END HIDDEN TESTS

# %% [markdown]
# Each seed gives a pair: the run from the VAE and its twin, with the same pictures and the same labels. What the seed did to both cancels in the difference. So take the differences first, then their mean $\bar d$ and the half-width $h$ of the interval which, were everything repeated, would hold the true mean in a share `LEVEL` of the repetitions: $h = t_{n-1}\, s/\sqrt n$, with the standard deviation $s$ of the $n$ differences (divided by $n - 1$) and the quantile $t_{n-1}$ of Student's distribution with $n - 1$ degrees of freedom (`scipy.stats.t.ppf`). The interval has two ends, so at a level of 0.95 the quantile is that of 0.975.

# %% readonly="level"
LEVEL = 0.95  # redrawn from [0.95, 0.9, 0.8, 0.99]


# %% solution="paired_gain"
def paired_gain(vae, twin):
    """Mean and half-width of the interval of the gain vae − twin, from scores (n,) by seed."""
    ### BEGIN SOLUTION
    from scipy.stats import t

    gain = np.asarray(vae) - np.asarray(twin)
    half = t.ppf((1 + LEVEL) / 2, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
    return gain.mean(), half
    ### END SOLUTION


# %% test="paired_gain" points=2
import numpy as np

from helpers import checks

gain, half = paired_gain(np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.5, 0.6]))
checks.close(gain, 0.1, "The VAE's score minus its twin's, averaged over the seeds.")
checks.close(half, 0, "Every seed has the same gain: the seeds differ, their gains do not.")
_, half = paired_gain(np.array([0.2, 0.4]), np.array([0.1, 0.1]))
checks.close(
    half,
    0.1 * np.tan(np.pi / 2 * LEVEL),  # one degree of freedom is the Cauchy distribution
    "Two gains, 0.1 and 0.3: s/√n is 0.1, and n − 1 = 1. For a level of 0.95 the quantile is 12.7.",
)
### BEGIN HIDDEN TESTS
from scipy.stats import ttest_rel

rng = np.random.default_rng(66260)
for n in (3, 5, 8):
    base = rng.uniform(0.3, 0.7, n)
    vae, twin = base + rng.normal(0.02, 0.02, n), base + rng.normal(0, 0.02, n)
    gain, half = paired_gain(vae.copy(), twin.copy())
    interval = ttest_rel(vae, twin).confidence_interval(LEVEL)
    hint = "On other scores the gain or its interval is wrong. n seeds, n − 1 degrees of freedom."
    checks.close(gain, (interval.high + interval.low) / 2, hint)
    checks.close(half, (interval.high - interval.low) / 2, hint)
### END HIDDEN TESTS

# %% [markdown]
# **What may be claimed?** With 20 labelled pictures, a head on features of a VAE scores 0.04 mean IoU above the same network from random first weights; the 95 % interval is 0.01 to 0.07, three seeds. The authors write: "The probabilistic latent space helps segmentation."
#
# Say what the measurement supports, which two twins are missing before the sentence may stand, and what you would expect with 2000 labels.
#
# *Rubric, 3 points.* 1: what is supported, with its conditions, and which words of the sentence are not. 1: two twins, and for each what it would rule out. 1: a prediction for 2000 labels with a reason, stated as something to be measured.

# %% [markdown] answer="claim" points=3
# Supported: features pretrained in this way beat random first weights with 20 labels, by 0.01 to 0.07. Not supported: that the KL or the sampling did it. A plain autoencoder (or a denoising one) with the same steps and pictures would show what reconstruction alone gives, and frozen random weights what the architecture alone gives. With 2000 labels I expect the gain to shrink to within the interval of zero, because the head's labels then teach what the pictures taught before.
