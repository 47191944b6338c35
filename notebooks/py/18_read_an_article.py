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
# # Read an article with your hands
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/18_read_an_article.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/18_read_an_article.ipynb) <!--badges-->
#
# ![Ten pictures of one bright spot each. In the second row, from the network trained on its own output, all ten are the same featureless grey. In the third, from the one trained on the pictures, there are blurred spots, roughly on the right side.](../docs/pictures/18.png) <!--picture-->
#
# This series began with an article: a web page in Chinese that sets out to explain variational autoencoders, and to use them for segmentation and for edges. It names the right parts. It has formulas, code, a comparison with GANs and 38 references, and it reads well. Much of it does not hold. How would you notice, without knowing the answers beforehand?
#
# The way of this notebook: **do not argue with a sentence, run it.** Each fault below is a *claim* in our own words, a *test* of a line or two, and *what is right*. The article itself is not reproduced; our copy names no author and no address, so it has no place among the references either. It does not matter who wrote it. Its faults are common ones, and the tests work on any text.
#
# **What you'll do**
#
# - Put formulas into the smallest case in which the truth is known, and send their variables to extremes.
# - Run single lines of code: those that stop with an error, and the more expensive ones that do not.
# - Train a network whose loss falls while it learns nothing.
# - Check a list of references by form, and see what form can and cannot tell.
# - Take a checklist home, after it has been tried on this series.
#
# **What you'll learn**
#
# - Five kinds of test: the smallest case, the limit, the line alone, the count, the look-up.
# - Errors that stop a program are the cheap ones. Most faults in code run, and print numbers.
# - A claim of "better" is no claim before it names a measure, a floor and a twin.
#
# **What you'll need**
#
# - What a VAE, its two terms and the KL are: notebooks `03` and `04`. The rest is explained on the way.
# - About 1 minute on 2 CPU cores and 1 GB of memory. No data set: all data here are made on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
seed = 0  # of the first weights, the pictures and the noise in the one training below
images = 512  # pictures to train on, 16×16 pixels with one bright spot
steps = 600  # training steps of each network, 64 pictures each

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(globals(), seed=range(2**32), images=range(64, 5001), steps=range(10, 20_001))
set_up(seed)

import ast
import builtins

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from scipy.special import rel_entr
from scipy.stats import binom, norm
from sklearn.metrics import mutual_info_score

from helpers import backend, edges, losses, metrics, models, plots, training

plots.use()

# %% [markdown]
# Our list of the article's faults has 85 items and stands in the appendix. Each test below prints the number of the item it belongs to, in brackets, and `show` keeps count of *how* the fault would have come to light: as a wrong statement on paper, as a program that stops, or as a program that runs. `refused` is for lines that must raise an exception. `compare` is for the exercises: put your answer where `None` stands and run the cell again.

# %%
shown = {}


def show(number, text, kind="runs"):
    """Print what the test of item `number` found; count it as "paper", "stops" or "runs"."""
    shown[number] = kind
    print(f"[{number}] {text}")


def refused(number, what, call):
    """Item `number` must raise an exception: print its name and its first words."""
    try:
        call()
    except Exception as error:
        words = " ".join(str(error).split())[:44]
        return show(number, f"{what}: {type(error).__name__}: {words} …", "stops")
    raise AssertionError(f"item {number} no longer raises an exception")


def compare(name, yours, true, hint):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.4g}'}")
    assert yours is None or abs(yours - true) <= 0.005 * abs(true), hint


# %% [markdown]
# ## Mathematics: try the smallest case
#
# A formula about images with thousands of values is hard to doubt. The same formula about *one* number is easy. So take a world in which picture and code are one number each:
#
# $$z \sim \mathcal N(0, 1), \qquad x \mid z \sim \mathcal N(z, 1).$$
#
# Everything in it is known. Adding the two variances gives $x \sim \mathcal N(0, 2)$, and completing the square in $z$ gives the posterior $z \mid x \sim \mathcal N(x/2, 1/2)$. We see the picture $x = 2$. An encoder answers with some $q = \mathcal N(m, s^2)$. Write $E(m, s)$ for the reconstruction error $-\mathbb E_q[\log p(x \mid z)]$ and $\mathrm{KL}(m, s)$ for $\mathrm{KL}(q\,\|\,\mathcal N(0, 1))$; both are one line of code. What does the article say about them?
#
# - **Claim [14].** Minimise $\mathbb E_q[\log p(x \mid z)] - \beta\,\mathrm{KL}$.
# - **Claim [24].** $\mathbb E_q[\log p(x \mid z)]$ is the reconstruction error.
# - **Claim [17].** The encoder $q(z \mid x)$ *is* the posterior $p(z \mid x)$.
# - **Claim [19].** β is a positive parameter; of what, is not said.
#
# > **Predict first.** Send $m$ to 1000 in the objective of claim [14]. What should a quantity that is worth minimising do? And for which β can the objective exceed $\log p(x)$, so that it is no lower bound any more?

# %% tags=["nbval-check-output"]
x, log_p = 2.0, norm.logpdf(2.0, 0, np.sqrt(2))  # the picture, and its exact log p(x)


def normal_kl(m, s, m0=0.0, s0=1.0):
    """KL(N(m, s²)‖N(m0, s0²)), nats."""
    return 0.5 * (((m - m0) / s0) ** 2 + (s / s0) ** 2 - 1) - np.log(s / s0)


def objective(m, s, beta=1.0):
    """E_q[log p(x|z)] − β·KL for q = N(m, s²), nats. β = 1 is the ELBO."""
    return norm.logpdf(x, m, 1) - 0.5 * s**2 - beta * normal_kl(m, s)


away = [objective(m, 1.0) for m in (1.0, 10.0, 100.0, 1000.0)]
show(14, f"objective at m = 1, 10, 100, 1000: {', '.join(f'{v:,.0f}' for v in away)}", "paper")

near, far = (objective(m, 0.1, beta=0) for m in (2.0, 0.0))  # the first term alone
show(24, f"E log p(x|z) is {near:.2f} with z at the picture, {far:.2f} with z far off", "paper")

gap = normal_kl(0.5, 0.8, x / 2, np.sqrt(0.5))
bound = objective(0.5, 0.8)
show(17, f"q = N(0.5, 0.8²): ELBO {bound:.4f} + gap {gap:.4f} = log p(x) {log_p:.4f}", "paper")

best = {b: objective(x / (1 + b), np.sqrt(b / (1 + b)), b) - log_p for b in (0.5, 1, 4)}
above = ", ".join(f"{round(value, 3) + 0.0:+.3f} for β = {b}" for b, value in best.items())
show(19, f"best objective over q, less log p(x): {above}", "paper")
assert np.all(np.diff(away) < 0) and near > far and abs(bound + gap - log_p) < 1e-12
assert best[0.5] > 0 and abs(best[1]) < 1e-12 and best[4] < 0

# %% [markdown]
# **What is right.** [14] The objective of the article has no minimum: it falls like $-m^2$, and whoever minimises it is paid for reconstructing badly with a code far away. It has a *maximum*, which for β = 1 is $\log p(x)$. As a loss the sign turns: minimise $E + \mathrm{KL}$. (Notebook `05` trains a network with the wrong sign and watches it run away.) [24] $\mathbb E_q[\log p(x \mid z)]$ grows as the reconstruction improves, so it is *minus* the error. Both slips come from one word, and a program that obeys it runs.
#
# [17] For any other $q$ a gap opens between the ELBO and $\log p(x)$, and it is $\mathrm{KL}(q\,\|\,p(z \mid x))$. That $q$ as a rule only *approximates* the posterior is why one speaks of a bound. [19] The last line takes the best possible $q$ for three β. (Setting the slopes by $m$ and $s$ to zero gives $m = x/(1+\beta)$, $s^2 = \beta/(1+\beta)$; for β = 1 that is the posterior.) With β < 1 the objective rises above $\log p(x)$: no bound. With β > 1 it stays a lower bound, since a KL is never negative, but one that does not touch $\log p(x)$ here whatever the encoder does. Only β = 1 is the ELBO.
#
# ### Distances that are none
#
# - **Claim [5].** The KL measures the distance of two distributions.
# - **Claim [10].** To learn, minimise $\mathrm{KL}(p_\theta\,\|\,p_d)$, the model $p_\theta$ first and the data $p_d$ second.
#
# A distance is the same both ways, and no detour is shorter than the direct road. For [10] take a data set of ten throws: the value 0 came six times, 1 three times, 2 once, 3 never. The models are binomial distributions of three tries with success probability $\theta$ = 0.01, 0.02, …, 0.99.
#
# > **Predict first.** For how many of the 99 models is $\mathrm{KL}(p_\theta\,\|\,p_d)$ finite?

# %% tags=["nbval-check-output"]
there, back = normal_kl(0, 1, 0, 2), normal_kl(0, 2, 0, 1)
detour, direct = normal_kl(0, 1, 1, 1) + normal_kl(1, 1, 2, 1), normal_kl(0, 1, 2, 1)
show(5, f"there {there:.3f}, back {back:.3f}; direct {direct:.0f}, detour {detour:.0f}", "paper")

counts, theta = np.array([6, 3, 1, 0]), np.arange(1, 100) / 100
data = counts / counts.sum()  # p_d
model = binom.pmf(np.arange(4), 3, theta[:, None])  # (99, 4)
likeliest = theta[np.argmax(np.log(model) @ counts)]
data_first = rel_entr(data, model).sum(axis=1)  # KL(p_d‖p_θ), nats
model_first = rel_entr(model, data).sum(axis=1)  # KL(p_θ‖p_d), nats
same = theta[data_first.argmin()]
show(10, f"KL(model‖data) is finite for {np.isfinite(model_first).sum()} of 99 models", "paper")
print(f"     KL(data‖model) is least at θ = {same:.2f}, the likelihood greatest at {likeliest:.2f}")
assert detour < direct and there != back
assert same == likeliest and not np.isfinite(model_first).any()

# %% [markdown]
# **What is right.** [5] The KL is a *divergence*: asymmetric, and a detour can be shorter. [10] Maximum likelihood minimises $\mathrm{KL}(p_d\,\|\,p_\theta)$, with the frequencies $p_d$ of the data set first; the two agree on the grid. The other order is infinite for every model that allows a value the data set happens not to contain, which here is all of them.
#
# ### What if the KL becomes zero?
#
# - **Claim [6].** By making the KL small, the VAE learns how the data come about.
# - **Claim [22].** In each training step, draw $z$ from $\mathcal N(0, I)$ for each picture, before the encoder is asked.
#
# The world is turned round for this test: pictures are $x \sim \mathcal N(0, 1)$, and the encoder answers $q(z \mid x) = \mathcal N(ax,\, 1 - a^2)$. Over all pictures these codes make up the prior exactly, whatever $a$ is: the variance of $z$ is $a^2 + (1 - a^2) = 1$. The best guess of $x$ from $z$ is $az$, and its mean squared error is $1 - a^2$. The number $a$ is how much the code has to do with the picture.
#
# > **Predict first.** What is the KL, averaged over pictures, for $a = 0$? And what does the decoder draw then?

# %% tags=["nbval-check-output"]
pictures, weights = np.polynomial.hermite_e.hermegauss(20)  # exact averages over x ~ N(0, 1)
weights = weights / weights.sum()
rates = {}
for a in (0.0, 0.5, 0.9, 0.99):
    rates[a] = weights @ normal_kl(a * pictures, np.sqrt(1 - a**2))
    print(f"     a = {a:<4}: KL {rates[a]:.3f} nats, error of the best decoder {1 - a**2:.4f}")
    assert abs(rates[a] + 0.5 * np.log(1 - a**2)) < 1e-12, "it should be −½ log(1 − a²)"
show(6, f"KL {rates[0.0]:.0f} leaves an error of {1.0:.0f}, the variance of the pictures", "paper")
show(22, "z drawn before the encoder is asked is the row a = 0", "paper")

# %% [markdown]
# **What is right.** [6] A KL of zero is *posterior collapse*: the code is noise, and the decoder of least squared error draws the mean picture, always. The KL is not what teaches; it is what the message from encoder to decoder **costs**, $-\tfrac12\log(1 - a^2)$ nats here. The decoder learns through the other term. [22] Drawing from the prior is for *generating*. In training, $z$ comes from $q(z \mid x)$, or the decoder never hears of the picture.
#
# **Exercise 1.** How many nats does it take to bring the squared error down to 0.01 of the variance?

# %%
your_nats = None  # ← your number
compare("nats", your_nats, 0.5 * np.log(100), "Put 1 − a² = 0.01 into the formula for the KL.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $-\tfrac12 \log 0.01 = \tfrac12 \log 100 = 2.303$ nats, or 3.3 bits. Each factor of 10 in the squared error costs $\tfrac12\log 10 = 1.151$ nats per number.
#
# </details>
#
# ## The loss: what is summed, what is averaged, what is a probability?
#
# The article hands the losses `mse`, `categorical_crossentropy` and `binary_crossentropy` to Keras by name. A loss can be asked questions without any network: give it arrays whose answer you know.
#
# - **Claim [21].** `mse` is the reconstruction term, beside a KL in nats. Images are 64×64×3.
# - **Claim [59].** `categorical_crossentropy` goes with a last layer that has no softmax.
# - **Claim [60].** It takes masks as they come from a file: one whole number a pixel.
#
# > **Predict first.** Three classes, scores −1, 2 and −3, and the second class, with the highest score, is the true one. The right loss is about 0.05. What does `categorical_crossentropy` say by default, and which slope does it send back?

# %% tags=["nbval-check-output"]
blank, grey, white = (np.full((1, 64, 64, 3), v, "float32") for v in (0.0, 0.5, 1.0))
nats = [float(losses.gaussian_nll(white, guess, 0.0)[0]) for guess in (blank, grey)]  # σ = 1
squares = [float(ops.mean(ops.square(white - guess))) for guess in (blank, grey)]
ratio = (nats[0] - nats[1]) / (squares[0] - squares[1])
show(21, f"a unit of mse is {ratio:,.0f} nats at σ = 1; mse + KL implies σ = {ratio**0.5:.1f}")

scores, second, answers = keras.Variable([[-1.0, 2.0, -3.0]]), np.float32([[0, 1, 0]]), []
for logits in (False, True):
    loss = keras.losses.CategoricalCrossentropy(from_logits=logits)
    value, slope = backend.value_and_grad(lambda f=loss: f(second, scores), [scores])
    answers += [float(value), float(ops.max(ops.abs(slope[0])))]
show(59, "as probabilities: {:.2f}, slope {:.2f}; as logits: {:.3f}, slope {:.2f}".format(*answers))
assert abs(ratio / 6144 - 1) < 1e-4 and answers[1] == 0 and answers[2] < 0.06

# %% [markdown]
# **What is right.** [21] `mse` averages over $D$ = 12,288 values, where $-\log p(x \mid z)$ of a Gaussian sums them and halves them. The ratio, $D/2$ = 6,144, is the weight of the KL that nobody chose; put differently, mse + KL is the ELBO of a decoder that believes its pixels to be off by 78 times the way from black to white. On that scale the whole difference between the mean picture and a perfect one is the variance of a pixel, at most a quarter of a nat. Hardly anything is worth saying, and the code falls silent. Sum over pixels and channels, and state σ.
#
# [59] By default Keras takes the numbers for probabilities. It divides them by their sum, −2, which turns the signs round, and clips the result to be positive. The true class ends up with the smallest probability that is allowed: a loss of 16 where it should be nearly 0, and no slope to learn from. Nothing is printed. Say `from_logits=True`, or put a softmax at the end.
#
# [60] is refused, as the next cell shows, together with its cure. Pixels that nobody labelled (*void*, often stored as 255) are part of the cure: they must count nowhere.

# %% tags=["nbval-check-output"]
masks, maps = np.array([[[0, 255], [1, 2]]]), np.zeros((1, 2, 2, 3), "float32")  # 255: void
one_hot = keras.losses.CategoricalCrossentropy(from_logits=True)
refused(60, "a mask of whole numbers", lambda: one_hot(masks, maps))
sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
print(f"     sparse, void ignored, all scores equal: {float(sparse(masks, maps)):.4f} = log 3")
assert abs(float(sparse(masks, maps)) - np.log(3)) < 1e-6

# %% [markdown]
# **Exercise 2.** A tutorial adds `mse` and a summed KL for images of 28×28 grey pixels. Which σ does that imply?

# %%
your_sigma = None  # ← your number
compare("σ", your_sigma, np.sqrt(28 * 28 / 2), "The sum over D in one, over 2σ² in the other.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\frac1D\|x-r\|^2 = \frac{1}{2\sigma^2}\|x-r\|^2$ for $\sigma^2 = D/2 = 392$, so σ = 19.8, on pixels that run from 0 to 1. Notebook `05` measures the same for losses of well-known books.
#
# </details>

# %% [markdown]
# ## Code that stops: the cheap faults
#
# Now the code. The first way to test it is to *read the names*: which does it use without ever having made them? That needs no run at all. The two lines in the cell are ours and have the two faults that the article's code has: a module that was never imported [33], a number of classes that nobody set [55].

# %% tags=["nbval-check-output"]
snippet = "size = (8, 8, 3)\nflat = np.prod(size)\nheads = [flat] * num_classes"


def unbound(code):
    """Names that a piece of code reads and never makes."""
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)} | set(dir(builtins))
    return sorted({node.id for node in names} - made)


print("read and never made:", unbound(snippet))
refused(33, "run as it is", lambda: exec(snippet, {}))
refused(55, "with numpy", lambda: exec(snippet, {"np": np}))
assert unbound(snippet) == ["np", "num_classes"]

# %% [markdown]
# A linter does this for whole files (`ruff check --select F821`). Next, single lines: take the smallest piece that can be run alone, and run it. The claims, all of them implicit:
#
# - **[36]** An input layer takes the size of the code as a bare number, **[35]** and can be called in the forward pass like any layer.
# - **[39]** `Dense` takes the product of a shape as NumPy computes it.
# - **[48]** `...` can stand where the data will come.
# - **[34]** A model may keep its shape in an attribute `input_shape`. **[47]** It can be saved.
# - **[58]** A transposed convolution with stride 2 gives a label for each pixel of a 64×64 picture.
# - **[68]** To import `LeakyReLU` and to write `activation='leaky_relu'` is one and the same.
#
# > **Predict first.** One of these eight runs without complaint, although it should not, and one runs and is merely not what it seems. Which two?


# %% tags=["nbval-check-output"]
class Careless(keras.Model):
    """Keeps a shape under a name that belongs to Keras, and tells nobody how to rebuild it."""

    def __init__(self, shape):
        super().__init__()
        self.input_shape = shape
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(x)


ones = np.ones((1, 8), "float32")
refused(36, "shape=8", lambda: layers.InputLayer(shape=8))
refused(35, "called", lambda: layers.InputLayer(shape=(8,))(ones))
refused(39, "units", lambda: layers.Dense(np.prod((8, 8, 3))))
refused(48, "data", lambda: layers.Dense(2)(...))
careless = Careless((64, 64, 3))
shape = tuple(careless(np.ones((1, 5, 5, 7), "float32")).shape)
show(34, f"input_shape says {careless.input_shape}, yet (5, 5, 7) went in: {shape} came out")
refused(47, "saved", careless.get_config)
assert layers.Dense(int(np.prod((8, 8, 3)))).units == 192 and keras.Input((8,)).shape == (None, 8)

# %% tags=["nbval-check-output"]
grow = layers.Conv2DTranspose(3, 2, strides=2, padding="same")
print("     64×64 in,", "{}×{} out".format(*grow.compute_output_shape((None, 64, 64, 128))[1:3]))
labels, answer = np.ones((1, 64, 64, 3)), np.ones((1, 128, 128, 3))
refused(58, "labels", lambda: one_hot(labels, answer))
minus = np.float32([-1.0])
slopes = [float(f(minus)[0]) for f in (keras.activations.get("leaky_relu"), layers.LeakyReLU())]
show(68, "at −1 the string gives {:.1f}, the imported layer {:.1f}".format(*slopes))
assert slopes[0] != slopes[1]

# %% [markdown]
# **What is right.** An input is declared with `keras.Input((8,))`, and not called. A width is `int(np.prod(shape))`: NumPy's integer is not Python's. `...` is an object, not a gap; a placeholder that is meant to be filled should `raise NotImplementedError`. Labels at the picture's resolution need a path that returns to it and no further. A model that Keras shall save has a `get_config`; the models of `helpers` have one.
#
# The two that run: [34] Keras 3 takes the attribute and from then on answers a wrong shape to whoever asks; Keras 2 refused the same line, so it is also a trap for whoever changes versions. Write down which version a text was run with. [68] The string and the layer are two functions, with slopes 0.2 and 0.3 below zero.
#
# Each of the other faults cost an exception and a minute. From here on, nothing stops.
#
# ## Code that runs and is wrong
#
# Suppose all of that has been mended. The network trains, the loss goes down. Four things can be asked without looking at a single result: *what shape has the code, which numbers can influence it, how much can it say, and where does the loss come from?*
#
# - **Claim [37].** An encoder of two dense layers, the last with two units, compresses a 64×64×3 picture to two numbers. **[38]** A dense decoder of 12,288 units gives the picture back.
# - **Claim [40].** The encoder needs one output, the mean. **[41]** The length of the mean serves as the spread: $z = \mu + \|\mu\|\,\varepsilon$. **[42]** It is differentiable.
#
# > **Predict first.** How many numbers has the code? If one pixel of the picture changes, at how many of the 4,096 places does the code change?

# %% tags=["nbval-check-output"]
encoder = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(2)])
picture = np.zeros((1, 64, 64, 3), "float32")
touched = picture.copy()
touched[0, 10, 20] = 1
code, other = (ops.convert_to_numpy(encoder(p)) for p in (picture, touched))
places = int(np.any(code != other, axis=-1).sum())
show(37, f"a code of {code.size:,} numbers; one pixel reaches {places} of {64 * 64:,} places")
print(f"     and {encoder.count_params()} weights, the same at every pixel")
floats = np.prod(layers.Dense(12_288).compute_output_shape((1, 64, 64, 64)))
show(38, f"{floats / 1e6:.1f} million floats, {4 * floats / 1e6:.0f} MB for one picture")
assert places == 1 and code.size == 8192

# %% tags=["nbval-check-output"]
nats = [normal_kl(0.0, s) for s in (0.1, 1e-3, 1e-6)]
show(40, f"KL of a mean with spread 0.1, 1e-3, 1e-6: {', '.join(f'{v:.1f}' for v in nats)} nats")
r, sizes = np.linspace(0.5, 1.5, 10_001), np.array([2, 8, 32])  # r = ‖μ‖ = σ, and K
least = np.array([np.min(0.5 * r**2 + size * normal_kl(0.0, r)) for size in sizes])
show(41, f"least KL of a spread tied to the mean, K = {sizes}: {least.round(3)} nats")
assert np.allclose(least, 0.5 * sizes * np.log1p(1 / sizes))
mean = keras.Variable([0.0, 0.0])
slope = backend.value_and_grad(lambda: ops.sqrt(ops.sum(ops.square(mean))), [mean])[1][0]
show(42, f"slope of the spread at mean 0: {ops.convert_to_numpy(slope).tolist()}")
assert np.isnan(ops.convert_to_numpy(slope)).all()

# %% [markdown]
# **What is right.** [37] `Dense` works on the last axis only. Without `Flatten` it sees each pixel by itself: the "two numbers" are two *per pixel*, 8,192 in all, from one small function of three colour values. Nothing is compressed across space, and no code describes a shape. [38] With a `Dense` of $D$ units at each pixel, the output has $64 \cdot 64 \cdot D$ values. Print the shapes; then flatten, or better, convolve.
#
# [40] Without a spread there is no density $q$ and no KL: as the spread goes to zero, the KL goes to infinity, like $-\log s$. [41] Tied to the mean, it is not learned either. An encoder that has nothing to say still pays $\tfrac K2\log\tfrac{K+1}{K}$ nats, near half a nat, where one with a spread of its own would pay none. And whatever the picture, the mean lies one of its own standard deviations from the origin: no code can be sure and far out at once. [42] At the origin the root has no slope; one step later no weight is a number. A second head for $\log\sigma^2$ mends all three (`03`).
#
# ### A loss that falls while nothing is learned
#
# - **Claim [50].** To train, compute the reconstruction and pass it to `train_on_batch` *as the target*. **[43]** The KL is taken care of.
#
# That the first is one argument in the wrong place is easy to overlook: the call wants the input and the right answer, and receives the input and the network's own answer. Without noise one can say exactly what happens.

# %% tags=["nbval-check-output"]
net = keras.Sequential([keras.Input((8,)), layers.Dense(2), layers.Dense(8)])
batch = np.arange(16, dtype="float32").reshape(2, 8)
own, mse = ops.stop_gradient(net(batch)), keras.losses.MeanSquaredError()  # own: plain numbers
loss, slope = backend.value_and_grad(lambda: mse(own, net(batch)), net.trainable_variables)
steepest = max(float(ops.max(ops.abs(s))) for s in slope)
show(50, f"own output as target, before any training: loss {float(loss):.1f}, slope {steepest:.1f}")
show(43, f"further losses that such a model brings along: {len(net.losses)}")
assert float(loss) == 0 and steepest == 0 and net.losses == []

# %% [markdown]
# A loss of exactly zero from the start might make somebody wonder. But the article's network has noise in it, so its target is *another draw* of its own output, and the loss does not start at zero: it falls.
#
# Two networks, then, with the tied noise of [41], the same first weights and the same data (one bright spot somewhere on 16×16 pixels). One is given its own output as the target, the other the picture. Beside them a floor that needs no network: the *mean picture*, whatever the input.
#
# > **Predict first.** Sketch the loss of the first network over training, and its error to the pictures. Who ends up closer to the pictures: the first network or the mean picture?


# %%
class Tied(keras.Model):
    """Spread tied to the mean; the target is the network's own output, or the picture."""

    def __init__(self, own):
        super().__init__()
        self.own, self.draw = own, keras.random.SeedGenerator(seed)
        self.encoder = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(2)])
        self.decoder = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(256, "sigmoid")])
        self.error = keras.metrics.Mean(name="error")  # to the pictures

    def call(self, x):
        mean = self.encoder(x)  # (B, 2)
        spread = ops.sqrt(ops.sum(ops.square(mean), -1, keepdims=True) + 1e-12)  # else [42]
        return self.decoder(mean + spread * keras.random.normal(ops.shape(mean), seed=self.draw))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        target = ops.stop_gradient(self(x)) if self.own else x
        self.error.update_state(ops.mean(ops.square(y_pred - x)))
        return ops.mean(ops.square(y_pred - target))


# %%
rng = np.random.default_rng(seed)
where, grid = rng.uniform(4, 12, (images, 2, 1)), np.arange(16)
bumps = np.exp(-np.square(grid - where) / 8)  # (N, 2, 16)
spots = (bumps[:, 0, :, None] * bumps[:, 1, None]).reshape(images, 256).astype("float32")
floor = float(np.mean(np.square(spots - spots.mean(axis=0))))  # the mean picture
curves, redrawn, means = {}, {}, {}
for name, own in {"its own output": True, "the pictures": False}.items():
    keras.utils.set_random_seed(seed)
    net = Tied(own)
    first = ops.convert_to_numpy(net.encoder(spots))
    net.compile(keras.optimizers.Adam(2e-3), jit_compile=False)
    epochs, quiet = max(1, steps * 64 // images), {"verbose": 0, "callbacks": [training.Progress()]}
    curves[name] = net.fit(spots, epochs=epochs, batch_size=64, **quiet).history
    redrawn[name] = net.predict(spots[:10], verbose=0)
    means[name] = ops.convert_to_numpy(net.encoder(spots))
mirror, taught = ({k: v[-1] for k, v in curves[name].items()} for name in curves)
length = [np.linalg.norm(m, axis=1).mean() for m in (first, means["its own output"])]
show(52, f"own output: loss {mirror['loss']:.1e}, means of length {length[1]:.3f}")
code = means["the pictures"]
unseen = 0.5 * np.sum(code**2, 1) + 2 * normal_kl(0.0, np.linalg.norm(code, axis=1))
show(51, f"pictures: loss {taught['loss']:.4f}; KL, in no loss, {unseen.mean():.1f} nats")
print(f"     error to them: {mirror['error']:.4f} and {taught['error']:.4f}, floor {floor:.4f}")

# %%
fig, axis = plt.subplots(figsize=(7.4, 3.6))
for (name, history), colour in zip(curves.items(), ("vermillion", "blue")):
    at = np.arange(1, len(history["loss"]) + 1)
    axis.semilogy(at, history["loss"], color=plots.COLOURS[colour], label=f"loss; target {name}")
    axis.semilogy(at, history["error"], "--", color=plots.COLOURS[colour], label="its error")
axis.axhline(floor, color="black", linestyle=":", label="error of the mean picture")
axis.set(xlabel="epoch", ylabel="mean squared error")
axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
alt = "Mean squared errors over training, log axis. With its own output as target the loss falls by several powers of ten while the error to the pictures stays flat, far above the dotted line of the mean picture. With the pictures as target, loss and error are one curve and fall below that line."
plots.show(fig, alt=alt)

# %% tags=["picture"]
rows = [part.reshape(-1, 16, 16) for part in (spots[:10], *redrawn.values())]
fig = plots.image_grid(rows, row_labels=["picture", "target: itself", "target: picture"])
alt = "Ten pictures of one bright spot each. In the second row, from the network trained on its own output, all ten are the same featureless grey. In the third, from the one trained on the pictures, there are blurred spots, roughly on the right side."
plots.show(fig, alt=alt)

# %% [markdown]
# In the stored run the first network brings its loss down to 5.9e-11<!--=own_loss-->, a success by the only number that is printed. Its error to the pictures stands at 0.202<!--=own_error-->, which is 7<!--=own_ratio--> times that of the mean picture. It never saw a picture as an answer. What it did learn is to be deaf to its own noise: two draws agree best when there is no noise, the noise is tied to the mean, so the mean shrinks (from a length of 0.49<!--=lengths[0]--> on average to 0.03<!--=lengths[1]-->), the decoder stops listening, and the output becomes a constant [52].
#
# **What is right.** The target is the picture. With that one change the same network reaches an error of 0.019<!--=right_error-->, against 0.029<!--=floor--> for the mean picture. It is still no VAE [51]: no KL is in its loss [43], and where its codes lie nobody asked; their KL would be 130<!--=unseen_kl--> nats by now. **A loss tells you about the optimiser. An error to the data beside a floor tells you about the model.**
#
# ### The classifier behind the VAE
#
# The article then gives the reconstruction to a small convolutional classifier. Four claims about that step:
#
# - **Claim [62].** Train the classifier on pictures, use it on reconstructions. **[27]** These have a high resolution.
# - **Claim [64].** At inference, draw $z$ as in training.
# - **Claim [66].** Two or three 3×3 convolutions recognise objects and their outlines.
# - **Claim [28].** The VAE's high-level features reach the classifier through the reconstruction.
#
# For [62] and [27] take rows of 16 pixels with a step from dark to light at one of seven places, and a decoder that knows the row only up to the place: its best answer is the mean of the seven. The "classifier" calls a slope above one half an edge, which is perfect on the rows it was made for. For [64] the code decides between two labels by its sign, and the encoder says $\mathcal N(0.3, 0.7^2)$. For [28] pictures are the numbers 0 to 3, the label is odd or even, and the reconstruction keeps whether the number is small or large.
#
# > **Predict first.** How many of the seven edges does the classifier find in the reconstructions? How often do two runs on *one* picture disagree about its label? What share of the variance, and of the label, survives in the last example?

# %% tags=["nbval-check-output"]
steps_at = (np.arange(16) >= np.arange(5, 12)[:, None]).astype("float64")  # seven rows
sharp, soft = (np.abs(np.diff(rows)) for rows in (steps_at, steps_at.mean(0) + 0 * steps_at))
found = [int(np.sum(slope.max(axis=1) > 0.5)) for slope in (sharp, soft)]
show(27, f"steepest slope in the rows {sharp.max():.2f}, in the reconstruction {soft.max():.2f}")
show(62, f"edges found in rows {found[0]} of 7, in reconstructions {found[1]} of 7")
p = norm.cdf(0.3 / 0.7)  # the probability of label 1
show(64, f"two runs on one picture disagree in {200 * p * (1 - p):.0f} % of the cases")
assert found == [7, 0]

# %% tags=["nbval-check-output"]
impulse, seen = np.zeros((1, 15, 15, 1), "float32"), []
impulse[0, 7, 7] = 1
for depth in (2, 3):
    stack = [layers.Conv2D(1, 3, padding="same", kernel_initializer="ones") for _ in range(depth)]
    seen.append(int(ops.sum(keras.Sequential(stack)(impulse) > 0)))
show(66, f"an output sees {seen[0]} or {seen[1]} of the 4,096 pixels of a 64×64 picture")

number = np.arange(4)
label, kept = number % 2, number // 2  # odd or even; small or large
best = np.array([number[kept == k].mean() for k in kept])  # reconstruction in grey values
share = 100 - 100 * np.mean((number - best) ** 2) / number.var()
about = mutual_info_score(label, kept), mutual_info_score(label, number)  # nats
show(28, f"kept: {share:.0f} % of the variance, {about[0]:.3f} of {about[1]:.3f} nats of label")
assert seen == [25, 49] and about[0] < 1e-12

# %% [markdown]
# **What is right.** [62] Train on what you will classify: the slope at the edges has become a seventh, and the threshold was made for the other kind. [27] A reconstruction has as many pixels as the picture and less detail: the mean of steps is a ramp (`06`). [64] At inference use the mean μ, or average the answers over many draws; a label that changes from call to call is noise, not an honest "I do not know" (`12` is about the honest kind). [66] An object fifteen pixels wide does not fit into a view of five or seven. Context needs downsampling, dilation or a U-Net; the papers on all three stand in the article's list of references, and its code has none of them.
#
# [28] is the central one. The reconstruction is computed from the picture; so it cannot contain anything about the label that the picture lacks (the *data-processing inequality*), and may lack what matters. Here it keeps four fifths of the variance and *nothing* of the label. The features are in the encoder. Notebooks `08` and `10` measure both, with twins.

# %% [markdown]
# ## An answer without a measure
#
# The article says *better* of its segments and its edges, without a data set, a baseline or a number [30]. Suppose we fill that in for it. The measures that first come to mind can all be tested on a pencil's worth of pixels.
#
# - **Claim [67].** The loss shows whether the labels are right; if a score is wanted, accuracy will do.
# - **Claim [74].** An edge is a class like any other: the binary cross-entropy, with a threshold at one half, finds it.
# - **Claim [7].** Edge detection is making the picture black and white. **[75]** What comes out of the network is the edge map.
#
# > **Predict first.** A mask has 90 % background and two small objects. Which accuracy, and which mean IoU (the overlap of answer and truth over their union, averaged over classes), has the answer "background everywhere"? And an edge drawn one pixel beside the true one: how good is it?

# %% tags=["nbval-check-output"]
mask = np.zeros((10, 10), int)
mask[0, :7], mask[1, :3] = 1, 2  # 90, 7 and 3 pixels
nothing = np.zeros_like(mask)
overlap = metrics.iou_per_class(mask, nothing, 3)  # of each class
accuracy = metrics.pixel_accuracy(mask, nothing)
show(67, f"background everywhere: accuracy {accuracy:.2f}, mean IoU {overlap.mean():.2f}")

q, rare = np.arange(1, 1000) / 1000, 0.02  # one answer for all pixels; 2 % are edges
plain = -rare * np.log(q) - (1 - rare) * np.log(1 - q)
balanced = -0.5 * np.log(q) - 0.5 * np.log(1 - q)
show(74, f"best answer of the cross-entropy {q[plain.argmin()]}, balanced {q[balanced.argmin()]}")
assert np.allclose(overlap, [0.9, 0, 0]) and q[plain.argmin()] == rare

# %% tags=["nbval-check-output"]
off = np.abs(np.arange(40) - 20)[None].repeat(40, axis=0)  # columns from the true edge
truth, band = (off == 0).astype("float64"), (off <= 2).astype("float64")
beside = np.roll(truth, 1, axis=1)
same = (beside * truth).sum() / beside.sum()
near = edges.benchmark([beside], [truth[None]], [0.5], 0.03).ods  # 1.7 pixels of tolerance
show(7, f"one pixel beside: F {same:.1f} pixel by pixel, {near:.1f} with a tolerance", "paper")
one_to_one = truth.sum() / band.sum()
show(75, f"a band of five pixels: precision {one_to_one:.1f} where each edge counts once")
assert same == 0 and near == 1 and one_to_one == 0.2

# %% [markdown]
# **What is right.** [67] An answer that never looked has an accuracy of 0.90; the mean IoU says 0.30. Put the answer without a look beside every score. [74] With edges in 2 % of the pixels, "no edge anywhere" is right for 98 %. A cross-entropy is least at the true *probability*, and where the place of an edge is uncertain that is small; a threshold of one half was never promised. Weights that balance the classes move the answer and spoil it as a probability (`10`).
#
# [7] Edges are drawn by people, thin, a pixel or two apart from each other: scores allow a distance, and pair pixels one to one. [75] What comes out of a network is a graded band and not yet a line; non-maximum suppression makes lines of it, and the benchmark thins each thresholded map before it matches. Notebook `02` has the official way of scoring, and holds Roberts and Sobel, which are operators, to the same steps as Canny, which is a detector.
#
# ## The neighbours
#
# Claims about other methods are the easiest to write and the least often checked.
#
# - **Claim [79].** A GAN minimises a game. **[80]** It uses no random noise, as a rule.
# - **Claim [83].** It is the VAE whose training does not converge.
# - **Claim [76].** A VAE needs large resources.
#
# The value of the GAN's game is $V = \mathbb E[\log D(x)] + \mathbb E[\log(1 - D(G(z)))]$, where the discriminator $D$ says how sure it is that a picture is real, and $G$ draws pictures from noise $z$. For [83] take the simplest game of all, in which one player lowers and the other raises $\theta\psi$, both by gradient steps. For [76] count multiplications: a dense VAE for MNIST, of 784, 400 and 40 numbers, which reaches 90 nats (notebook `07` says what that means), and one layer of the article's own classifier.
#
# > **Predict first.** Both players minimise $V$. Where does it go? And which costs more, the whole VAE or the one layer?

# %% tags=["nbval-check-output"]
lies = [np.log(d) + np.log(1 - (1 - d)) for d in (0.5, 1e-3, 1e-6)]  # D(real) = d, D(drawn) = 1 − d
show(79, f"both minimise: V = {', '.join(f'{v:.1f}' for v in lies)}, …", "paper")
print(f"     played to the end, with D = 1/2 everywhere: V = −log 4 = {2 * np.log(0.5):.3f}")

noise = np.random.default_rng(0).standard_normal((8, 2))
drawn = [len(np.unique(np.tanh(z @ np.eye(2, 256)), axis=0)) for z in (noise, 0 * noise)]
show(80, f"a generator's 8 pictures: {drawn[0]} different with noise, {drawn[1]} without", "paper")

step = np.array([[1, -0.05], [0.05, 1]])  # both players' step at once, on (θ, ψ)
radius = np.linalg.norm(np.linalg.matrix_power(step, 1000) @ [1, 0])
show(83, f"the simplest game, 1000 steps: distance to its solution 1.0 → {radius:.2f}", "paper")

vae = models.dense_vae((28, 28, 1), latent=40, hidden=(400,), seed=0)
shapes = [tuple(w.shape) for w in vae.trainable_weights if len(w.shape) == 2]
products, layer = sum(a * b for a, b in shapes), 64 * 64 * 9 * 64 * 128  # 3×3, 64 → 128 channels
ratio = layer / products
show(
    76, f"a VAE {products / 1e6:.2f} million products; one layer {ratio:.0f} times as many", "paper"
)
assert radius > 3 and drawn == [8, 1] and products == 675_200 and layer > 400 * products

# %% [markdown]
# **What is right.** [79] If both players minimised, $V$ would fall without end. It is a *minimax* problem: $D$ raises $V$, $G$ lowers it. [80] In a plain GAN noise is the only input of the generator; without it there is one picture. [83] In a game, gradient steps of both players at once can circle, and here they spiral outwards by a factor $\sqrt{1 + 0.05^2}$ a step, although the solution $(0, 0)$ could not be plainer (Mescheder and others, 2018, take such games apart, and show what helps). A VAE has one loss for all its weights. What can go wrong with it has other names, none of which the article mentions: collapse, blur, codes that do not fill the prior, high likelihood for pictures of another kind. [76] For a dense VAE of this size 89.8 nats have been published ([benchmark_VAE](https://github.com/clementchadebec/benchmark_VAE)), and one layer of the article's classifier costs 447 times as many products. Notebook `15` trains a GAN and its relatives beside a VAE.
#
# ## The references: form can refute, it cannot confirm
#
# The list has 38 entries, and the text cites none of them [85]. Two tests need no library card. *Count*: are the entries different from each other? *Arithmetic*: the ICML of 2016 was the 33rd, and there is one each year, so its number is the year minus 1983.
#
# > **Predict first.** Entry [1] names the 29th conference and the year 2013; entry [4] the 33rd and 2016. One of the two papers exists. Which?

# %% tags=["nbval-check-output"]
copies = {1: 1, 2: 1, 3: 5, 4: 1, 5: 4, 6: 4, 7: 1, 8: 1, 9: 4, 10: 4, 11: 4, 12: 4, 13: 4}
verdicts = {"right": [5, 11], "nearly right": [3], "right paper, wrong venue": [1]}
verdicts |= {"real paper, wrong authors, title or pages": [6, 8, 9, 10, 12, 13]}
verdicts |= {"not to be found": [2, 4, 7]}
entries, different = sum(copies.values()), len(copies)
show(85, f"{entries} entries, {different} different ones, {entries - different} copies", "paper")
for verdict, listed in verdicts.items():
    total = sum(copies[n] for n in listed)
    print(f"     {verdict:<42} {len(listed)} of {different}, {total:>2} with copies")
for entry, (ordinal, year) in {1: (29, 2013), 4: (33, 2016)}.items():
    print(f"     entry {entry}: ICML {ordinal}, {year}; consistent: {ordinal == year - 1983}")
assert entries == 38 and sorted(n for v in verdicts.values() for n in v) == sorted(copies)

# %% [markdown]
# [1] is the paper that introduced the VAE, with an impossible conference. [4] is consistent in every part, and we found no such paper. **A wrong form refutes a citation; a right form confirms nothing.** Only the look-up does: open the paper, compare authors, title, venue and pages. That is how the table came about. "Not found" means that a search for the exact title came back with nothing, or with web posts that give it another venue each time. It is not a proof; it is a reason not to cite.
#
# | entry, and its copies | verdict | what can be cited |
# |---|---|---|
# | 1 | right paper, wrong venue and pages | Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. arXiv:1312.6114 |
# | 2 | not found | Perhaps meant: Rezende, D. J., Mohamed, S. and Wierstra, D. (2014). Stochastic Backpropagation and Approximate Inference in Deep Generative Models. ICML, PMLR 32(2), 1278–1286. arXiv:1401.4082 |
# | 3 = 14, 22, 30, 38 | nearly: title and pages are off, 38 breaks off in the middle | Goodfellow, I. and others (2014). Generative Adversarial Nets. NIPS 27, 2672–2680. arXiv:1406.2661 |
# | 4 | not found | Closest in sense: Mohamed, S. and Lakshminarayanan, B. (2016). Learning in Implicit Generative Models. arXiv:1610.03483 |
# | 5 = 16, 24, 32 | right | Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI, LNCS 9351, 234–241. doi:10.1007/978-3-319-24574-4_28 |
# | 6 = 15, 23, 31 | wrong authors, venue and pages; the pages are those of a paper on object detection (Redmon and others, CVPR 2016, arXiv:1506.02640) | Chen, L.-C., Papandreou, G., Kokkinos, I., Murphy, K. and Yuille, A. L. (2018). DeepLab. IEEE TPAMI 40(4), 834–848. arXiv:1606.00915 |
# | 7 | not found; reads like a blend of the next | see entry 8, arXiv:1411.4038 |
# | 8 | right authors, wrong title and pages | Long, J., Shelhamer, E. and Darrell, T. (2015). Fully Convolutional Networks for Semantic Segmentation. CVPR, 3431–3440. arXiv:1411.4038 |
# | 9 = 17, 25, 33 | entry 6 again, with other wrong authors | as entry 6, arXiv:1606.00915 |
# | 10 = 18, 26, 34 | wrong initial, title and pages | Fukushima, K. (1980). Neocognitron: A Self-Organizing Neural Network Model for a Mechanism of Pattern Recognition Unaffected by Shift in Position. Biological Cybernetics 36(4), 193–202. doi:10.1007/BF00344251 |
# | 11 = 19, 27, 35 | right | Canny, J. (1986). A Computational Approach to Edge Detection. IEEE TPAMI 8(6), 679–698. doi:10.1109/TPAMI.1986.4767851 |
# | 12 = 20, 28, 36 | wrong authors and venue | Yu, F. and Koltun, V. (2016). Multi-Scale Context Aggregation by Dilated Convolutions. ICLR. arXiv:1511.07122 |
# | 13 = 21, 29, 37 | the authors are those of another paper (DCGAN, arXiv:1511.06434), wrong year, dead address | Ramesh, A. and others (2021). Zero-Shot Text-to-Image Generation. ICML, PMLR 139, 8821–8831. arXiv:2102.12092 |
#
# What the list lacks is what the text leans on: Roberts and Sobel for their operators, β-VAE for its β, random forests, and the work that its outlook calls future: VAE/GAN (2016), VQ-GAN (2021), the probabilistic U-Net (2018). They stand under *References* below.
#
# ## A checklist for the next article
#
# Take it along. The tests take minutes each.
#
# **Formulas**
#
# 1. *What is minimised, what maximised?* Send each variable to an extreme. A loss must not reward nonsense without end.
# 2. *Which distribution is the expectation over, and does its letter fit?* Write out the one-number case and compute it twice.
# 3. *Which way round is each KL, and between which two?* There are three in a VAE's story: data and model, code and prior, code and posterior.
# 4. *Is a bound called an equality?* Look for the gap and its name.
#
# **Loss**
#
# 5. *Does each term sum or average, and over what?* Double the image size on paper; the terms must keep their balance for a reason you can name.
# 6. *Of which density is the loss the negative log?* What are its σ and its effective β? Are the data of its kind, binary or grey?
# 7. *Probabilities or logits?* Ask the loss one question whose answer you know.
#
# **Code**
#
# 8. *Does it run, on which versions?* Names first, then single lines, then shapes.
# 9. *What is the target in the call that trains?* Where do the data enter as an answer?
# 10. *Does every term of the formula occur in the loss that is differentiated?*
# 11. *How many numbers are in the code, and which inputs can reach one output?*
# 12. *Is inference fed with what training was fed with?* And is it random?
#
# **Claims**
#
# 13. *Better than what, by which measure, on which pictures that nothing was chosen by?* What does an answer without a look score?
# 14. *Is there a twin without the idea, at equal cost, and more than one seed?*
# 15. *What is said about other methods?* Test the sentence on their simplest example.
#
# **References**
#
# 16. *Does each exist, does it say what it is cited for, and is it cited anywhere?*
#
# **Exercise 3.** Three lines from programs that run. Which item of the article's list (use the numbers of the tests above) does each one share?
#
# ```python
# a = model.fit(pictures, model.predict(pictures))
# b = keras.losses.CategoricalCrossentropy()(one_hot, layers.Conv2D(classes, 1)(features))
# c = keras.losses.MeanSquaredError()(pictures, redrawn) + ops.mean(ops.sum(kl, axis=-1))
# ```

# %%
your_items = {"a": None, "b": None, "c": None}  # ← three numbers in brackets from above
for line, item in {"a": 50, "b": 59, "c": 21}.items():
    compare(f"line {line}", your_items[line], item, "Ask questions 9, 7 and 5 of the checklist.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# a is [50]: the target is the network's own output. b is [59]: the layer has no softmax, and the loss expects probabilities. c is [21]: one term is a mean over all values of the picture, the other a sum over the code.
#
# </details>
#
# ### The same checklist, on this series
#
# It would be cheap to stop here. The same sixteen questions, asked of these notebooks, with what remains open:
#
# | question | what the series does | what remains |
# |---|---|---|
# | 1–4 formulas | derived and checked four ways in `04`; the sign, both KLs and the gap measured in `05` | Until item [19] was run, three places of the series said that with any β other than 1 the objective is no bound. For β > 1 that is wrong; all three have been corrected. There will be more of the kind. |
# | 5–6 loss | every term is summed and in nats per image; the effective β is measured by a test | A Gaussian over pixels treats them as independent and puts some probability outside of [0, 1]. Its nats depend on the unit of the pixels. The fixed σ of `03`, `08` and `10` are choices. The classifiers' losses are means over pixels, with no KL beside them, except in the arm *VAE + term* of `08`, where its weight is one more choice. |
# | 7 logits | all classifiers of `helpers` give logits, and their losses say so | Nothing that we know of. |
# | 8 does it run | each notebook is run by the tests, from locked versions, on the CPU | At smoke parameters; the default run is the one that is stored. Only Linux has been tested. |
# | 9–10 targets, terms | one model class, tested against hand computation and on three backends | What a notebook builds in its own cells is held against the helper where both exist, and only read by people elsewhere. |
# | 11–12 code, inference | shapes are written beside the code; predictions use the mean μ | No test looks for an input that reaches an output it should not reach. |
# | 13 measures | held-out pictures, an answer without a look beside the scores, the official edge protocol | The default pictures are synthetic, and so are their annotators. Sizes and training lengths were settled by people who also saw the scores on these held-out pictures; only the recorded runs open a test split, once. |
# | 14 twins, seeds | twins, intervals, a verdict by a rule written first | Often three seeds, and some curves are one training each; the text says where. Three seeds cannot see a small difference, and "no difference seen" is not "none". |
# | 15 neighbours | notebooks `15` and `17` run them | Small, from scratch, at our cost: no statement about what they reach at theirs. |
# | 16 references | each has a DOI, an arXiv number or an address, checked by form | No test opens them, and as this notebook says, form confirms nothing. If one does not say what we cite it for, tell us. |
#
# ## Results
#
# The next cell counts how the faults came to light, and records the numbers that the text above speaks of.

# %% tags=["results"]
kinds = {kind: list(shown.values()).count(kind) for kind in ("paper", "stops", "runs")}
results = {"own_loss": mirror["loss"], "own_error": mirror["error"], "lengths": length}
results |= {"own_ratio": mirror["error"] / floor, "floor": floor, "right_error": taught["error"]}
results |= {"unseen_kl": unseen.mean(), "shown": sorted(shown), "tests": len(shown), **kinds}
bands = {"own_loss": {"default": (0, 1e-3), "smoke": (0, 1)}}
bands |= {"own_ratio": {"default": (2, 20), "smoke": (1, 100)}, "tests": {"default": (25, 85)}}
bands |= {"right_error": {"default": (0.001, 0.9 * floor), "smoke": (0, 1)}}
record(results, bands, f"{len(shown)} faults tested, {kinds['runs']} of them run without a word")

# %% [markdown]
# ## What you saw
#
# - Of the 44<!--=tests--> faults tested in the stored run, 14<!--=paper--> are wrong statements on paper, 9<!--=stops--> stop the program, and 21<!--=runs--> run and print numbers. The second kind is the one people fear; the third is the one that costs.
# - A formula with one word wrong (min for max) rewards nonsense without end, and one number in place of an image is enough to see it.
# - A loss is defined by what it sums, over which density it is a negative log, and what it is given as the answer. A network that is its own teacher brought its loss to 5.9e-11<!--=own_loss--> and kept 7<!--=own_ratio--> times the squared error of the mean picture.
# - A score without its floor, a comparison without its twin and a reference without its look-up say nothing.
# - The same questions, put to this series, leave a remainder. It is written down.
#
# ## On your own
#
# 1. **Only half of the mend.** In the training above, let the second network draw its noise with a *learned* spread (a second head for $\log\sigma^2$) and leave the KL out. Predict what becomes of the spread.
#
#    <details><summary>Solution</summary>
#
#    It shrinks towards zero: noise only hurts the squared error, and nothing pays for it. This is a plain autoencoder with a detour (see [40] for the price that a KL would ask). With the KL in the loss it settles where a little more precision costs as much as it saves.
#
#    </details>
# 2. **A mixed sign.** Minimise $E - \mathrm{KL}$ in the world of one number, over $m$ at $s = 1$. Is there a minimum?
#
#    <details><summary>Solution</summary>
#
#    $E - \mathrm{KL} = \tfrac12(2 - m)^2 - \tfrac12 m^2 + \text{const} = -2m + \text{const}$: a straight line, without end. With a decoder that can shrink what it receives it falls faster still (`05` runs it).
#
#    </details>
# 3. **Another game.** In the test of [83], let the players move in turn: update ψ with the *new* θ. Does the distance grow?
#
#    <details><summary>What to expect</summary>
#
#    No: the path stays near a closed curve around the solution. It does not converge either. Whether a training scheme ends where it should is a question about the scheme, not only about the game.
#
#    </details>
# 4. **The next article.** Take a tutorial that you once learned from, and go through the sixteen questions. Which of its faults would have stopped the program?
#
# ## Appendix: the whole list
#
# All 85 items in the article's order, each in our words. *Where*: "here" is a test in this notebook, a number is the notebook of the series that treats the matter, and a dash means that this line is all there is to say. The article's 13 different references have their own table above.
#
# ### Concepts
#
# | item | the article | right | where |
# |---|---|---|---|
# | 1 | builds the VAE on variational *naive* Bayes | on variational Bayes; naive Bayes is a classifier that treats features as independent | – |
# | 2 | gives as the aim: reconstruct well while generating | the aim is a high $\log p(x)$; reconstruction is one of the two terms of a bound on it | 04 |
# | 3 | lets the encoder turn a picture into random noise | it gives the parameters of $q(z \mid x)$; the noise ε does not depend on $x$ | 03 |
# | 4 | asks for a low-dimensional code | no rule says so; the rate limits what a code carries, and $K$ may exceed $D$ | 04, 06 |
# | 5 | calls the KL a distance | a divergence: asymmetric, no triangle inequality | here, 04 |
# | 6 | lets a small KL teach how data come about | KL zero is collapse; the decoder learns through the likelihood | here, 07 |
# | 7 | calls edge detection a binarisation | thin boundaries, found within a tolerance, on which people differ | here, 01 |
# | 8 | names Roberts, Sobel and Canny as three detectors, without sources | two operators and a detector; compare with the same steps after each | 01 |
# | 9 | defines segmentation as regions, then as classes of pixels | two tasks with two measures | 01 |
#
# ### Mathematics
#
# | item | the article | right | where |
# |---|---|---|---|
# | 10 | minimises $\mathrm{KL}(p_\theta\,\Vert\,p_d)$ | maximum likelihood is $\mathrm{KL}(p_d\,\Vert\,p_\theta)$ | here, 05 |
# | 11 | runs that KL and the one in the loss together | data and model; code and prior; and in the gap, code and posterior | 04 |
# | 12 | wants the model closest to the data | closest by which measure? The likelihood names one | 04 |
# | 13 | calls $z$ itself a Gaussian, and its law a generative model; the law is not written down | $z \sim p(z) = \mathcal N(0, I)$, the prior | 04 |
# | 14 | minimises $\mathbb E[\log p] - \beta\,\mathrm{KL}$ | maximise it, or minimise $-\mathbb E[\log p] + \beta\,\mathrm{KL}$ | here, 05 |
# | 15 | takes the expectation over $z$ under the law of the data | under $q(z \mid x)$ | 04 |
# | 16 | sums over the data and averages over them as well | one of the two | – |
# | 17 | says that $q$ is the posterior | $q$ approximates it; the gap of the bound is their KL | here, 05 |
# | 18 | calls $q$ a generative model | the inference model, or encoder; the generative model is $p(z)\,p(x \mid z)$ | 03 |
# | 19 | leaves β unexplained | 1 is the ELBO; below 1 there is no bound, above 1 a looser one | here, 06 |
# | 20 | derives neither the bound nor the KL | Jensen or the decomposition; $\tfrac12\sum(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$ | 04 |
# | 21 | states no likelihood, and takes `mse` | sum over pixels, with a σ; the mean weighs the KL by $D/(2\sigma^2)$ | here, 05 |
#
# ### The algorithm, and what it is for
#
# | item | the article | right | where |
# |---|---|---|---|
# | 22 | draws $z$ from the prior before it encodes | that is how one generates; training draws from $q(z \mid x)$ | here, 03 |
# | 23 | lets the encoder return $z$ | it returns $\mu$ and $\log\sigma^2$; then $z = \mu + \sigma\varepsilon$ | 03 |
# | 24 | calls $\mathbb E[\log p(x \mid z)]$ the error | minus it is | here, 04 |
# | 25 | minimises it, and says nothing of gradients through a draw | maximise; the reparameterised draw lets the gradient through | 03, 05 |
# | 26 | trains until convergence | stop by a bound on held-out pictures | 07 |
# | 27 | says four times that the decoder's pictures have a high resolution | as many pixels as the picture, and less detail | here, 06, 10 |
# | 28 | promises high-level features and passes on pixels | the features are in the encoder | here, 08 |
# | 29 | the same for edges | a pixel loss gives up edges first | 10 |
# | 30 | says *better*, without data, baseline or measure | twins, seeds, intervals | 08, 10 |
# | 31 | takes edges for an ordinary class | rare, uncertain, several annotators | 10, 12 |
# | 32 | says that it combines with traditional methods; the code does not | a forest and three classical detectors, run | 08, 10 |
#
# ### Code: the models
#
# | item | the article | right | where |
# |---|---|---|---|
# | 33 | uses `np` without importing it | read the names | here |
# | 34 | keeps a shape as `input_shape` | Keras 2 refuses, Keras 3 takes it and is misled | here |
# | 35 | calls an input layer in the forward pass | declare inputs; do not call them | here |
# | 36 | gives it a number for a shape: the first exception of the code under Keras 3 | a shape is a tuple | here |
# | 37 | has no `Flatten`: a code at each pixel | flatten, or convolve | here |
# | 38 | has no way back to the picture's shape: $D$ values at each pixel | print shapes; reshape | here |
# | 39 | gives `Dense` a NumPy integer | `int(…)` | here |
# | 40 | has no head for the spread | mean and $\log\sigma^2$ | here, 03 |
# | 41 | takes the length of the mean as the spread | a spread of its own for each coordinate | here, 03 |
# | 42 | takes a root that has no slope at zero | predict $\log\sigma^2$; no root is needed | here, 03 |
# | 43 | leaves the KL out of the model | `add_loss`, or a loss of one's own | here, 03 |
# | 44 | announces a generative model; nothing is ever generated | decode draws from the prior | 00, 03 |
# | 45 | pairs a sigmoid with `mse` | a Bernoulli with logits, or a Gaussian with a free mean | 03 |
# | 46 | has 64 hidden units and two numbers for 12,288 values | convolutions and a spatial code | 08, 10 |
# | 47 | calls the decoder's output shape its input shape, and cannot be saved | plain names and a `get_config` | here |
#
# ### Code: the training
#
# | item | the article | right | where |
# |---|---|---|---|
# | 48 | has `...` for data and loss: there is no data set | a placeholder should raise | here |
# | 49 | assigns a loss that nothing uses | what is differentiated is what counts | 03 |
# | 50 | trains on its own output | the target is the picture | here |
# | 51 | would be a noisy autoencoder even then | the KL makes it a VAE | here, 03 |
# | 52 | compares two draws of its noise: best without any | one draw against the picture | here |
# | 53 | runs the networks twice a step, outside of the compiled step | one pass, inside of `fit` | 03 |
# | 54 | repeats one placeholder: no shuffling, validation, seed or scaling | all four | 03, 07 |
#
# ### Code: segmentation
#
# | item | the article | right | where |
# |---|---|---|---|
# | 55 | never sets the number of classes | read the names | here |
# | 56 | keeps `input_shape` again | as 34 | – |
# | 57 | takes two arguments that do nothing | leave them out | – |
# | 58 | doubles the size on the way to the labels | one label a pixel | here |
# | 59 | has scores where the loss expects probabilities | `from_logits=True` | here, 08 |
# | 60 | has a loss for one-hot masks, and no word on void | a sparse loss that ignores void | here, 08 |
# | 61 | trains on its own answers; no mask ever enters | as 50 | 08 |
# | 62 | trains on pictures, predicts on reconstructions | the same input in both | here |
# | 63 | assigns a loss that nothing uses | as 49 | – |
# | 64 | draws $z$ at inference | the mean, or an average over draws | here, 12 |
# | 65 | does not say whether the VAE is frozen; it gets no gradient | say so, and try both | 08, 10 |
# | 66 | sees 5×5 pixels | downsampling, skips, dilation | here, 08, 17 |
# | 67 | has no score | mean IoU beside the answer without a look | here, 01, 08 |
#
# ### Code: edges
#
# | item | the article | right | where |
# |---|---|---|---|
# | 68 | imports a layer and uses a string of nearly its name | two functions with two slopes | here |
# | 69 | keeps `input_shape` once more | as 34 | – |
# | 70 | takes a `latent_dim` that does nothing | as 57 | – |
# | 71 | has placeholders for the data | as 48 | – |
# | 72 | trains on its own answers; no edge ever enters | as 50 | 10 |
# | 73 | trains on one input, predicts on another | as 62 | 10 |
# | 74 | takes a plain cross-entropy for a rare class, and a threshold nobody set | honest or balanced; the threshold by a benchmark | here, 10 |
# | 75 | has no thinning, no scales, no score | suppression, thinning, matching, ODS and OIS | here, 10 |
#
# ### Outlook and comparison
#
# | item | the article | right | where |
# |---|---|---|---|
# | 76 | says that a VAE needs large resources | count: some need very little | here, 07 |
# | 77 | calls VAE with GAN future work | VAE/GAN 2016, VQ-GAN 2021 | 15 |
# | 78 | calls VAEs for segmentation future work | the probabilistic U-Net, 2018 | 12 |
# | 79 | says that a GAN minimises a game | a minimax problem | here, 15 |
# | 80 | says that a GAN has no random noise, as a rule | noise is a generator's only input | here, 15 |
# | 81 | gives a VAE an encoder, a decoder and a generator | the decoder is the generator | 00, 15 |
# | 82 | finds the VAE's structure the more complex one | two networks each | 15 |
# | 83 | finds the VAE's training unstable | games may fail to converge; a VAE fails by collapse, blur, unfilled priors and misleading likelihoods | here, 12, 15 |
# | 84 | blames the code for the blur | a likelihood of independent pixels, at a limited rate; deep hierarchical VAEs draw sharply (NVAE, VDVAE) | 06 |
# | 85 | cites nothing in its text; 25 of 38 entries are copies | cite where you claim | here |
#
# ## References
#
# - Breiman, L. (2001). Random forests. *Machine Learning* 45(1), 5–32. [doi:10.1023/A:1010933404324](https://doi.org/10.1023/A:1010933404324)
# - Canny, J. (1986). A computational approach to edge detection. *IEEE TPAMI* 8(6), 679–698. [doi:10.1109/TPAMI.1986.4767851](https://doi.org/10.1109/TPAMI.1986.4767851)
# - Child, R. (2021). Very Deep VAEs Generalize Autoregressive Models and Can Outperform Them on Images. ICLR. [arXiv:2011.10650](https://arxiv.org/abs/2011.10650)
# - Cover, T. M. and Thomas, J. A. (2006). *Elements of Information Theory*, 2nd edition, section 2.8 (data-processing inequality). Wiley. [doi:10.1002/047174882X](https://doi.org/10.1002/047174882X)
# - Esser, P., Rombach, R. and Ommer, B. (2021). Taming Transformers for High-Resolution Image Synthesis (VQ-GAN). CVPR. [arXiv:2012.09841](https://arxiv.org/abs/2012.09841)
# - Goodfellow, I. and others (2014). Generative Adversarial Nets. NIPS 27, 2672–2680. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Kohl, S. and others (2018). A Probabilistic U-Net for Segmentation of Ambiguous Images. NeurIPS. [arXiv:1806.05034](https://arxiv.org/abs/1806.05034)
# - Larsen, A. B. L. and others (2016). Autoencoding beyond pixels using a learned similarity metric (VAE/GAN). ICML. [arXiv:1512.09300](https://arxiv.org/abs/1512.09300)
# - Mescheder, L., Geiger, A. and Nowozin, S. (2018). Which Training Methods for GANs do actually Converge? ICML. [arXiv:1801.04406](https://arxiv.org/abs/1801.04406)
# - Roberts, L. G. (1963). *Machine perception of three-dimensional solids*. PhD thesis, Massachusetts Institute of Technology. <https://hdl.handle.net/1721.1/11589>
# - Sobel, I. and Feldman, G. (2015). An isotropic 3×3 image gradient operator (the talk of 1968, written down). [doi:10.13140/RG.2.1.1912.4965](https://doi.org/10.13140/RG.2.1.1912.4965)
# - Vahdat, A. and Kautz, J. (2020). NVAE: A Deep Hierarchical Variational Autoencoder. NeurIPS. [arXiv:2007.03898](https://arxiv.org/abs/2007.03898)
# - The papers in the table of references carry their numbers there; among them Ronneberger and others (2015), [doi:10.1007/978-3-319-24574-4_28](https://doi.org/10.1007/978-3-319-24574-4_28), and Long and others (2015), [arXiv:1411.4038](https://arxiv.org/abs/1411.4038).
