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
# # Meet the generative neighbours
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/15_meet_the_generative_neighbours.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/15_meet_the_generative_neighbours.ipynb) <!--badges-->
#
# ![Five rows of twelve pictures. Real ones: a clean shape on texture. VAE: dull soft spots. GAN and VAE-GAN: bright spots in coarse coloured grain, the VAE-GAN's with more contrast. VQ-VAE: smooth bright patches with ragged outlines. No model draws a clean shape.](../docs/pictures/15.png) <!--picture-->
#
# "GANs draw sharp pictures and are hard to train; VAEs are stable and blur." One reads this sentence in many places, mostly without a number. Here both are built from the same network, trained on the same pictures for the same number of steps, and measured with the same ruler. Two relatives join: one that crosses the two, and one whose code is made of whole numbers.
#
# **What you'll do**
#
# - Make a ruler for pictures that nobody took, and try it on faults that you know.
# - Build a GAN from scratch, and find out on paper and by quadrature what its game measures.
# - Train VAE, GAN, VAE-GAN and VQ-VAE from several first weights each, and let rules that were written first say who leads and which run has collapsed.
# - Send a picture as sixty-four whole numbers, count the bits, and let a segmentation head read them.
#
# **What you'll learn**
#
# - A GAN can be sampled and nothing else: it has no likelihood and no code. What can be asked of a model matters as much as how it scores.
# - One number for "quality" hides two: do the samples look real, and is everything real among them?
# - Blur is what a likelihood of pixels pays for, and sharpness is what a discriminator pays for. Neither is the truth about the data.
#
# **What you'll need**
#
# - The VAE and its loss (`03`); what rate and nats mean (`04`).
# - About 5 minutes on 2 CPU cores and 2 GB of memory. The default pictures are drawn on the spot.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
dataset = "shapes"  # data set: shapes or fashion_mnist
seed = 0  # of the pictures, the first weights and every random draw
images = 4000  # pictures to train on
scored = 500  # pictures that each model draws, and real ones they are compared with
classifier_steps = 750  # training steps of the classifier whose features are the ruler
width = 32  # channels of the finest level of encoder and decoder
latent = 16  # numbers in the code of VAE and VAE-GAN, and in the noise of the GAN
batch_size = 32  # pictures in a training step
steps = 850  # training steps of VAE, GAN and VAE-GAN
learning_rate = 0.002  # highest learning rate of everything but the two players
player_learning_rates = [0.001, 0.001]  # highest learning rates of generator and discriminator
sigma = 0.05  # standard deviation of a pixel under the Gaussian likelihood
feature_weight = 1.0  # of the squared error in the discriminator's features, in VAE-GAN
adversarial_weight = 30.0  # of the game beside it, for the decoder
seeds = 3  # trainings of each model, with other first weights
num_codes = 128  # code vectors of the VQ-VAE
channels = 8  # numbers in each of them
commitment = 4.0  # weight of the encoder's distance to its codes, in nats
grid_beta = 4.0  # weight of the KL of the VQ-VAE's twin, to bring it to the same rate
code_steps = 400  # training steps of the VQ-VAE and of its twin
prior_steps = 300  # training steps of the prior over its codes
labels = 400  # pictures with masks for the heads
head_steps = 200  # training steps of a head
cache_dir = ""  # folder in the cache where finished trainings are kept, to go on after a stop

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), dataset=["shapes", "fashion_mnist"], seed=range(2**32), images=range(64, 50_001),
    scored=range(16, 5001), classifier_steps=range(1, 50_001), width=range(4, 257),
    latent=range(1, 1025), batch_size=range(2, 513), steps=range(1, 100_001), learning_rate=(1e-5, 0.1),
    player_learning_rates={"list_of": (1e-6, 0.1)}, sigma=(0.001, 1.0), feature_weight=(0.0, 1e4),
    adversarial_weight=(0.0, 1e4), grid_beta=(0.0, 100.0),
    seeds=range(1, 21), num_codes=range(2, 4097), channels=range(1, 257),
    commitment=(0.0, 1000.0), code_steps=range(1, 50_001), prior_steps=range(1, 50_001),
    labels=range(2, 10_001), head_steps=range(1, 50_001), cache_dir=str,
)  # fmt: skip
set_up(seed)

import functools
import math
import time

import keras
import numpy as np
from keras import layers, ops

from helpers import backend, data, losses, metrics, models, networks, plots
from helpers.generative import gan

plots.use()

# %% [markdown]
# ## Pictures that somebody took
#
# The default pictures are those of notebook `08` with one object each: a disc, a square or a triangle over a texture, with a little noise. A model that has learned to draw them should draw all three, at any place, in any colour. These are the real ones.

# %%
options = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6), "texture": 0.15}
options = {"seed": seed, "noise": 0.03, "annotators": 1, **options} if dataset == "shapes" else {}
train = data.load(dataset, "train", limit=images, size=32, **options)
val = data.load(dataset, "val", limit=2 * scored, size=32, **options)
x_train, x_val = data.to_float(train.images), data.to_float(val.images)
factor = "class" if dataset == "shapes" else "label"
y_train, y_val = (s.factors[factor] - (dataset == "shapes") for s in (train, val))
shape = x_train.shape[1:]
alt = "Two rows of real pictures: one object each, a disc, a square or a triangle, in many colours, at many places, over faint textures of grass, gravel and brick."
plots.show(plots.image_grid(val.images[:24], rows=2), alt=alt)

# %% [markdown]
# ## A ruler for pictures that nobody took
#
# How good is a picture that has no original? No pixel can be called wrong. What can be compared are two *crowds*: five hundred drawn pictures and five hundred real ones. Are they alike in what a network notices?
#
# The usual rulers take the features of a large network that was trained on a million photographs. Here nothing is downloaded: a small classifier learns to tell the kinds of objects apart, and its last features, one number for each of 64 channels, describe a picture. Each feature counts in units of its own spread over the training pictures. So the ruler sees what *this* classifier sees, and its numbers compare with no others. Three questions are asked of the features:
#
# - **Kernel distance.** The squared maximum mean discrepancy with the kernel $k(a, b) = (a \cdot b / F + 1)^3$: how alike are pictures within each crowd, less how alike across? It is estimated without bias (Bińkowski and others, 2018), so two crowds from one source score 0 on average, sometimes a little below. Larger is worse.
# - **Precision and recall** (Kynkäänniemi and others, 2019). Draw a ball around each real picture, up to its third nearest real neighbour. The share of drawn pictures inside some ball is the precision: *do they look real?* Now put the balls around the drawn pictures; the share of real ones inside is the recall: *is everything real among them?*
# - **Variety and sharpness.** How much do pictures differ from each other, when each is shrunk to 4×4 means so that blur and noise hardly count? And how much energy have the gradients of their pixels? Both as a share of what real pictures have.


# %%
from helpers import checkpoint, training
from helpers.generative import evaluator, samples, vqvae

sample_evaluator = evaluator.SampleEvaluator(
    x_train, y_train, x_val[:scored], classifier_steps, batch_size, seed=seed
)
accuracy = sample_evaluator.accuracy(x_val, y_val)
print(f"the classifier names {accuracy:.0%} of the held-out pictures rightly")

# %% [markdown]
# A ruler that has never been held against anything known is a rumour. So before any model is measured, it gets real pictures with a fault that we chose. Its floor is the other half of the held-out pictures: real ones, that no distance should find fault with.
#
# > **Predict first.** Six faults: blur, added noise, only one kind of object, ten pictures again and again, the mean picture, pure noise. Which lose precision, which lose recall, and which lose both?


# %%
METRICS, other = evaluator.METRICS, x_val[scored:]
crowds = {"other half": other} | samples.corruptions(other, y_val[scored:], seed)
known = {name: sample_evaluator.evaluate(pictures) for name, pictures in crowds.items()}
print(metrics.score_table({name: [row] for name, row in known.items()}, METRICS))


# %%
def show_rows(rows, alt):
    """Twelve pictures of each row."""
    pictures = [np.asarray(row[:12], getattr(row, "dtype", "uint8")) for row in rows.values()]
    plots.show(plots.image_grid(pictures, row_labels=list(rows)), alt=alt)


alt = "Seven rows of twelve pictures: real ones, the same blurred, with noise, discs only, ten pictures that repeat, a grey mean picture with a light middle, and coloured noise."
show_rows(crowds, alt)

# %% [markdown]
# In the stored run the classifier names 97<!--=accuracy--> % of held-out pictures rightly, and the ruler reads as follows.
#
# - **The other half** of the real pictures has the distance −0.02<!--=other_half[0]-->, precision 0.87<!--=other_half[1]--> and recall 0.90<!--=other_half[2]-->. No generator can hope for more, and it is not 1: five hundred balls do not cover every real picture. (An estimate without bias of something that is 0 must be able to fall below it.)
# - **Ten pictures again and again** keep a precision of 0.90<!--=ten_pictures[1]--> and have a recall of 0.00<!--=ten_pictures[2]-->. This is *mode collapse*: each picture is fine, and nearly everything is missing. *One class* keeps its precision as well and loses much of its recall, 0.30<!--=one_class[2]-->.
# - **Blur** costs little precision, 0.80<!--=blurred[1]-->, and much recall, 0.33<!--=blurred[2]-->. To this classifier a soft disc is still a disc, so soft pictures lie among the real ones; but they crowd together, and their small balls reach few others.
# - **Noise** is "sharper" than the truth, 4.5<!--=noisy[4]-->. Sharpness alone is no praise.
# - **The mean picture and pure noise** lie so far off that no ball reaches them.
# - **The kernel distance** finds every fault, and mixes them all: 0.8<!--=ten_pictures[0]--> for ten pictures, 1.7<!--=blurred[0]--> for blur, 5.7<!--=one_class[0]--> for one class, 8.6<!--=mean_picture[0]--> for the mean picture. It is lenient with ten pictures, whose features happen to have nearly the right mean and spread.
#
# Two rules are written down now, before any model is trained:
#
# - **Collapsed.** A training counts as collapsed if its samples' variety is below one tenth: it draws nearly one picture again and again. (A training that diverges draws black pictures and counts, too.) Partial collapse is a matter of degree, and the recall is there for it.
# - **Ahead.** One model is ahead of another on a measure only if the 95 % interval of their difference, seed by seed, does not hold 0.
#
# Rules need trials as well. A first draft of the first one asked for half the variance of the *features*. Tried on short trainings, it cried collapse over a VAE whose pictures were soft and dull, and all different. So it now looks at coarse means, and asks whether there is any variety to speak of.


# %%
def collapsed(row):
    return bool(row["variety"] < 0.1)


# %% [markdown]
# ## A game with two players
#
# A VAE says how probable a picture is, and is trained to say it well. A **GAN** (Goodfellow and others, 2014) drops that. A *generator* $G$ turns noise $z$ into a picture, and a *discriminator* $D$ gets real and drawn ones and says with which probability a picture is real. $D$ wants
#
# $$V(D, G) = \mathbb E_{x \sim p}\big[\log D(x)\big] + \mathbb E_{z}\big[\log(1 - D(G(z)))\big]$$
#
# large, and $G$ wants it small. What does the generator minimise, if its opponent plays as well as can be? Write $q$ for the density of $G$'s pictures. Then $V = \int p \log D + q \log(1 - D)\,dx$, and $D$ may choose its value at each $x$ by itself. The slope there is $p/D - q/(1-D)$, which is 0 at
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)}.$$
#
# (It is a maximum, since both logarithms are concave.) Put it back, and call the middle $m = (p+q)/2$. Each fraction is half of a ratio to $m$, so each logarithm gives up a $\log 2$:
#
# $$\begin{aligned} V(D^*, G) &= \mathbb E_p\Big[\log \tfrac{p}{2m}\Big] + \mathbb E_q\Big[\log\tfrac{q}{2m}\Big] \\ &= \mathrm{KL}(p\,\|\,m) + \mathrm{KL}(q\,\|\,m) - \log 4 \\ &= 2\,\mathrm{JSD}(p, q) - \log 4. \end{aligned}$$
#
# Against a perfect opponent the generator minimises the **Jensen–Shannon divergence** between its pictures and the real ones: 0 where they agree, $\log 2$ where they never overlap. No algebra should be believed unseen. Two normal densities, $a$ apart, have $\log p - \log q = a(a/2 - x)$, which is the logit of $D^*$; the integrals are sums on a fine grid.
#
# > **Predict first.** Let the two move apart: $a = 0, 1, 2, 4, 8$. Does the divergence grow in proportion? What would its slope at $a = 8$ teach a generator?


# %% tags=["nbval-check-output"]
line = np.linspace(-40, 48, 88_001)


def value_of_game(p, q, logit):
    log_d, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    return np.sum(p * log_d + q * log_rest) * 0.001


print(" a   V at D*   2 JSD - log 4   V at a timid D   V at a bold D")
for a in (0, 1, 2, 4, 8):
    p, q = (np.exp(-0.5 * (line - m) ** 2) / math.sqrt(2 * math.pi) for m in (0, a))
    best, timid, bold = (value_of_game(p, q, s * a * (a / 2 - line)) for s in (1, 0.5, 2))
    by_divergence = 2 * gan.jensen_shannon_divergence(p, q, 0.001) - math.log(4)
    print(f"{a:>2}{best:>10.4f}{by_divergence:>16.4f}{timid:>17.4f}{bold:>16.4f}")
    assert abs(best - by_divergence) < 1e-9 and max(timid, bold) <= best

# %% [markdown]
# The two columns agree to the last digit, and any other $D$ gets less. But see how the value flattens: from $a = 4$ to $a = 8$ it hardly moves. Once two densities do not overlap, a perfect opponent is always right, and being twice as far away is no worse. Young generators are far away. Their slope is what the next cell prints, for a picture that the discriminator takes for drawn ($D = 0.01$), doubts ($0.5$), or takes for real ($0.99$).


# %% tags=["nbval-check-output"]
d = np.array([0.01, 0.5, 0.99], "float32")
logit = keras.Variable(np.log(d / (1 - d)))
zero_sum = backend.value_and_grad(lambda: -ops.sum(ops.softplus(logit)), [logit])[1][0]
non_saturating = backend.value_and_grad(lambda: ops.sum(ops.softplus(-logit)), [logit])[1][0]
for name, slope, true in (("log(1 - D)", zero_sum, -d), ("-log D", non_saturating, d - 1)):
    print(f"D = {d}: slope of {name:<10}", ops.convert_to_numpy(slope).round(2))
    assert np.allclose(ops.convert_to_numpy(slope), true, atol=1e-5)

# %% [markdown]
# By the logit $\ell$ of $D$, the slope of $\log(1 - D)$ is $-D$: caught at 0.01, the generator is told next to nothing. The **non-saturating** loss $-\log D$ has the slope $D - 1$ instead. It pulls in the same direction and is strongest where the generator is worst, and it is what people train with. The price: two losses that are not the negative of each other are no zero-sum game any more, and the divergence above is its compass and not its loss.
#
# **Exercise 1.** At some $x$ the real density is three times that of the generator. What does the perfect discriminator say? **Exercise 2.** A generator has become perfect. What is $V(D^*, G)$, in nats?

# %%
your_answer, your_value = None, None  # ← your numbers
for what, yours, true in (("D*", your_answer, 0.75), ("V", your_value, -math.log(4))):
    print(f"{what}: your value {yours}, true value {'?' if yours is None else round(true, 3)}")
    assert yours is None or abs(yours - true) < 0.001, "Put p = 3q, and then p = q, into D*."

# %% [markdown]
# <details><summary>Solutions</summary>
#
# $3q / (3q + q) = 0.75$. A perfect generator has $p = q$, so $D^* = \tfrac12$ everywhere and $V = 2 \log\tfrac12 = -1.386$ nats; the discriminator's *loss*, $-V$, is then 1.386. A discriminator's loss near 1.386 can also mean that it has learned nothing. The loss of one player never tells how good the other is.
#
# </details>
#
# ## A GAN, and a VAE of the same size
#
# Both models share one network: the VAE's **decoder is the GAN's generator**, layer for layer. They get the same pictures, the same batches in the same order, and the same number of steps. A step of the two is not the same work (a GAN has a discriminator, a VAE an encoder), so the seconds are printed as well.
#
# The discriminator is a plain stack of three convolutions that returns its logit and, for later, the features of its second layer.


# %%
def build_autoencoder(seed):
    # Encoder and decoder with fresh weights; the code is a vector.
    keras.utils.set_random_seed(seed)
    return networks.conv_networks(shape, latent, width, centre=True)


def build_discriminator():
    # Pictures `(B, H, W, C)` → logit `(B, 1)` and features `(B, H/4, W/4, 48)`.
    image = keras.Input(shape)
    found = [layers.Rescaling(4.0, offset=-2.0)(image)]
    for filters in (24, 48, 96):
        h = layers.Conv2D(filters, 4, 2, padding="same")(found[-1])
        found.append(layers.LeakyReLU(0.2)(h))
    return keras.Model(image, [layers.Dense(1)(layers.Flatten()(found[3])), found[2]])


encoder, decoder, discriminator = *build_autoencoder(seed), build_discriminator()
nets = {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}
print({name: net.count_params() for name, net in nets.items()})

# %% [markdown]
# One step by hand: the discriminator moves down the slope of its loss, then the generator down its own. `value_and_grad` is the same function on TensorFlow, JAX and PyTorch; its third argument names what else is read. `seed_generator` is the source of the noise.

# %%
all_variables = [v for net in nets.values() for v in net.variables]
seed_generator = keras.random.SeedGenerator(seed)


def descend(loss, variables, adam):
    # The loss as it was, after one step down its slope by `variables`.
    trained = {id(v) for v in variables}
    rest = [v for v in all_variables if id(v) not in trained]
    value, gradients = backend.value_and_grad(loss, variables, rest)
    adam.apply(gradients, variables)
    return value


# %%
# A player: the weights of its networks, and an optimizer of its own for them.
discriminator_player, generator_player = gan.player(discriminator), gan.player(decoder)


def discriminator_loss(real, fake):
    # -V from logits: real ones shall be called real, drawn ones drawn.
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def gan_step(real):
    z = keras.random.normal((batch_size, latent), seed=seed_generator)

    def loss_of_discriminator():
        return discriminator_loss(discriminator(real)[0], discriminator(decoder(z))[0])

    def loss_of_generator():  # the non-saturating loss
        return ops.mean(ops.softplus(-discriminator(decoder(z))[0]))

    return ops.stack(
        [
            descend(loss_of_discriminator, *discriminator_player),
            descend(loss_of_generator, *generator_player),
        ]
    )


# %% tags=["nbval-check-output"]
drawn = decoder(np.ones((8, latent), "float32"))
real, fake = discriminator(x_train[:8])[0], discriminator(drawn)[0]
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
by_keras = cross_entropy(ops.ones_like(real), real) + cross_entropy(ops.zeros_like(fake), fake)
assert abs(float(discriminator_loss(real, fake)) - float(by_keras)) < 1e-5
print("own loss and the binary cross-entropy of keras.losses: the same")

# %% [markdown]
# The loop around the step is short, and `gan.AdversarialTrainer` has it: for each batch one step. It turns the step into one compiled function, because operation by operation it would be several times slower, and lets the learning rates fall along a cosine, as the VAE's does.


# %%
players = [discriminator_player, generator_player]
gan_trainer = gan.AdversarialTrainer(
    gan_step, players, player_learning_rates, nets.values(), seed_generator
)


def reset_weights(run):
    # Gives all three networks the first weights of a run.
    for net, fresh in zip(nets.values(), (*build_autoencoder(run), build_discriminator())):
        net.set_weights(fresh.get_weights())
    return run


def sample(run):
    z = keras.random.normal((scored, latent), seed=run)
    return decoder.predict(z, batch_size=250, verbose=0)


def walk(run):
    # Twelve pictures on the way from one draw of the noise to another, all as probable.
    a, b = np.random.default_rng(run).standard_normal((2, latent), "float32")
    return decoder.predict(samples.slerp(a, b, 12), verbose=0)


def report(pictures, **more):
    # What is kept of a training: scores, the first pictures as bytes, what else is given.
    pictures = {"pictures": pictures} | {k: v for k, v in more.items() if np.ndim(v) == 4}
    first = {k: samples.as_bytes(v[:12]) for k, v in pictures.items()}
    return sample_evaluator.evaluate(pictures["pictures"]) | more | first


def train_gan(run):
    trace, seconds = gan_trainer.fit(x_train, batch_size, steps, reset_weights(run))
    return report(sample(run), walk=walk(run), seconds=seconds, last=trace[-50:].mean(axis=0))


# %%
vae = models.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma, seed=seed)


def rms(redrawn):
    # Root mean square error of the reconstructions of the first held-out pictures.
    return float(np.sqrt(np.mean((x_val[: len(redrawn)] - redrawn) ** 2)))


def reconstructions():
    # What encoder and decoder make of held-out pictures, and the KL in nats.
    terms = vae.evaluate(x_val[:scored], batch_size=250, verbose=0, return_dict=True)
    redrawn = vae.predict(x_val[:scored], batch_size=250, verbose=0)
    return {"redrawn": redrawn, "error": rms(redrawn), "rate": terms["kl"], "elbo": -terms["loss"]}


def train_vae(run):
    reset_weights(run)
    begin = time.perf_counter()
    options = {"steps": steps, "batch_size": batch_size, "learning_rate": learning_rate}
    training.train(vae, x_train, **options, seed=run)
    more, drawn = {"seconds": time.perf_counter() - begin, "walk": walk(run)}, sample(run)
    grain = sigma * np.random.default_rng(run).standard_normal(drawn.shape, "float32")
    bound = metrics.iwae_bound(vae, x_val[:100], 50, batch_size=5000, seed=run).mean()
    grain = sample_evaluator.evaluate(drawn + grain)
    return report(drawn, grain=grain, bound=bound, **more, **reconstructions())


# %% [markdown]
# Why does `samples.slerp` go along $a \cos t + b \sin t$, and not along the straight line from $a$ to $b$? Noise of 16 dimensions lies near a shell of radius 4. Half-way along a straight line the radius has dropped by a factor of $\sqrt2$, to where hardly any noise of the training was; along the arc every point has the law of the noise itself.
#
# > **Predict first.** Which is ahead in precision, which in recall, which in kernel distance? Of three GANs from other first weights, how many collapse? And which of the two takes longer for a step?

# %%
plan = [images, scored, classifier_steps, width, latent, batch_size, steps, learning_rate, player_learning_rates, sigma]
store = checkpoint.ResultStore(cache_dir, dataset=dataset, seed=seed, plan=plan)
runs, found = range(seed, seed + seeds), {}


def train_all(name, train_one, **parameters):
    # Trains a model from each of the first weights, or reads what was kept.
    one = {run: functools.partial(train_one, run) for run in runs}
    found[name] = [store.result(name, one[run], run=run, **parameters) for run in runs]
    print(metrics.score_table({name: found[name]}, (*METRICS, "seconds")))
    print(f"collapsed: {sum(map(collapsed, found[name]))} of {seeds}")


train_all("VAE", train_vae)
train_all("GAN", train_gan)

# %%
rows = {"real": val.images[:12], "VAE": found["VAE"][0]["pictures"]}
rows |= {f"GAN, run {i}": row["pictures"] for i, row in zip(runs, found["GAN"])}
rows |= {f"{name}, a walk": found[name][0]["walk"] for name in ("VAE", "GAN")}
alt = "Rows of twelve pictures. Real ones; the VAE's, soft blobs of colour on smooth ground; those of each GAN, with contrast, grain and bright objects without a shape; and two walks, on which the pictures change step by step."
show_rows(rows, alt)

# %% [markdown]
# In the stored run the kernel distance is 7.71<!--=VAE_distance_mean[0]--> ± 1.58<!--=VAE_distance_mean[1]--> for the VAE and 1.98<!--=GAN_distance_mean[0]--> ± 0.70<!--=GAN_distance_mean[1]--> for the GAN, and by the rule from above the GAN is ahead. It is ahead in recall as well, and in precision there is no lead. In precision they are 0.59<!--=VAE_precision_mean[0]--> ± 0.07<!--=VAE_precision_mean[1]--> and 0.62<!--=GAN_precision_mean[0]--> ± 0.03<!--=GAN_precision_mean[1]-->, in recall 0.04<!--=VAE_recall_mean[0]--> ± 0.11<!--=VAE_recall_mean[1]--> and 0.37<!--=GAN_recall_mean[0]--> ± 0.12<!--=GAN_recall_mean[1]-->. Three trainings make wide intervals, and in your run a lead may be missing; the table at the end lets the code say where they suffice for one.
#
# A training took 14<!--=VAE_seconds_mean[0]--> ± 3<!--=VAE_seconds_mean[1]--> seconds for the VAE and 24<!--=GAN_seconds_mean[0]--> ± 0<!--=GAN_seconds_mean[1]--> for the GAN. Seconds depend on the machine. Read the ratio and no more: the GAN trains two networks in every step.
#
# Look at the rows before believing a number. Neither model draws a triangle. The VAE draws soft spots in muted colours. The GAN's pictures have contrast and grain, and objects without a shape. That is what the two are after so few steps: the parameter file `15.full-shapes.yaml` takes 2,000.
#
# **The sharp one is too sharp.** The gradients of the GAN's pictures have 1.37<!--=GAN_sharpness_mean[0]--> times the energy of real ones, the VAE's 0.05<!--=VAE_sharpness_mean[0]--> times. The truth is 1, and the row *noisy* has shown that passing it is no achievement.
#
# **Does the VAE lack grain?** Its likelihood is a Gaussian around what the decoder paints, so an honest draw has noise of σ = 0.05 on every pixel, which everybody leaves out. With it the distance is 7.17<!--=grain[0]-->, the precision 0.51<!--=grain[1]--> and the recall 0.04<!--=grain[2]-->. So grain is not what is missing.
#
# **Then why are its draws so dull?** Not because its decoder could do no better: it redraws a given picture in its true colours, as the next figure shows. The trouble is the place. The mean KL of a crowd of pictures, 68<!--=VAE_rate_mean[0]--> nats, has two parts: $I(x; z)$, what a code tells about which picture it came from, and $\mathrm{KL}(q(z)\,\|\,p(z))$, how far the crowd of all codes lies from the prior. To tell 500 held-out pictures apart takes at most $\log 500 = 6.2$ nats. All the rest is distance from $\mathcal N(0, I)$: each picture sits in a tiny ball, and the balls together fill next to nothing of the prior. A draw from the prior lands between them, where the decoder was never trained and paints a compromise. The variety says so as well: 0.27<!--=VAE_variety_mean[0]--> of the real one, and for the GAN 0.94<!--=GAN_variety_mean[0]-->. The GAN has no such gap, because it is trained on the very draws that are scored.
#
# **Stability.** The rule counts 0<!--=GAN_collapsed--> collapsed trainings of the GAN and 0<!--=VAE_collapsed--> of the VAE. But the spread is a finding, too: the recall of the three GANs is 0.32<!--=GAN_recall[0]-->, 0.37<!--=GAN_recall[1]--> and 0.42<!--=GAN_recall[2]-->, and they differ in nothing but their first weights. In the trials for this notebook a generator and a discriminator at half the rate, or a discriminator at a third of it, did far worse than these. No such search was needed for the VAE. Nor does a GAN's own loss tell how good it is. In the last fifty steps the three discriminators lose 0.65<!--=critic_loss[0]-->, 0.71<!--=critic_loss[1]--> and 0.65<!--=critic_loss[2]--> nats: the first and the third alike, although one generator reaches a recall of 0.32<!--=GAN_recall[0]--> and the other of 0.42<!--=GAN_recall[2]-->. One thing such a loss does say. No discriminator gets more than $V(D^*, G)$, so the divergence is at least $\tfrac12(\log 4 - \text{loss})$: for all three about half of the $\log 2$ of crowds that never overlap, as estimated on pictures that the discriminator was trained on.
#
# ## What can be asked of each
#
# Give both models a real picture and ask: how probable is it? The VAE answers with a bound. Fifty importance samples make the bound tighter than the ELBO (`metrics.iwae_bound`; Burda and others, 2016): in the stored run $\log p(x) \ge$ 2754<!--=VAE_bound_mean[0]--> nats per picture. They are nats of a density of $D = 3072$ values, so the size of the number depends on the unit of a pixel, and only differences mean anything.
#
# The GAN has no answer, and no patience will find one. Its pictures lie on a sheet of 16 dimensions, folded into a space of 3,072; almost every real picture lies beside the sheet, where the density of the GAN is 0 and its logarithm $-\infty$. One may blur the sheet by a noise chosen afterwards, but then the number measures the noise. The discriminator does not help: it is a ratio of two densities and knows neither, and after training it is far from the perfect one.
#
# There is no code either. A VAE's encoder says where a picture lies in the latent space, which is what the heads of `08` and `10` read. A GAN has a way from noise to pictures and none back. (One can search for the noise whose picture comes nearest, picture by picture; Dumoulin and others, 2017, and Donahue and others, 2017, train an encoder as a third player.) So before any score is compared, the list of what each can be asked differs; the last table keeps a cell for each, filled or not.

# %% [markdown]
# ## Across the two: VAE-GAN
#
# If pixels are the wrong place to measure an error, measure it elsewhere. Larsen and others (2016) take the discriminator's features $f$, which learn anyway what tells real from drawn, and put their squared error in the place of the pixels' likelihood:
#
# $$\underbrace{w\,\lVert f(x) - f(\hat x)\rVert^2 + \mathrm{KL}}_{\text{encoder and decoder}} \;+\; \underbrace{-\,g \log D(G(z))}_{\text{decoder only}}.$$
#
# > **Predict first.** Who redraws a given picture with the smaller error in pixels, the VAE or the VAE-GAN? And whose draws will the hybrid's resemble, the VAE's or the GAN's?
#
# The discriminator plays on, against the reconstructions and the draws. The encoder must not be rewarded for fooling it, and is not: the last term draws its own $z$. (Larsen and others let the decoder's term see the reconstructions as well.)


# %%
vae_player = gan.player(encoder, decoder)


def vae_gan_step(real):
    noise, z = (
        keras.random.normal((batch_size, latent), seed=seed_generator) for _ in range(2)
    )

    def decode():
        mean, log_variance = encoder(real)
        redrawn = decoder(mean + ops.exp(0.5 * log_variance) * noise)
        return redrawn, decoder(z), losses.gaussian_kl(mean, log_variance)

    def loss_of_discriminator():
        fakes = ops.concatenate([discriminator(fake)[0] for fake in decode()[:2]])
        return discriminator_loss(discriminator(real)[0], fakes)

    def loss_of_vae():
        redrawn, drawn, kl = decode()
        difference = discriminator(real)[1] - discriminator(redrawn)[1]
        feature_error = ops.sum(ops.square(difference), axis=(1, 2, 3))
        adversarial = ops.mean(ops.softplus(-discriminator(drawn)[0]))
        return ops.mean(feature_weight * feature_error + kl) + adversarial_weight * adversarial

    return ops.stack(
        [
            descend(loss_of_discriminator, *discriminator_player),
            descend(loss_of_vae, *vae_player),
        ]
    )


players = [discriminator_player, vae_player]
vae_gan_trainer = gan.AdversarialTrainer(
    vae_gan_step, players, player_learning_rates, nets.values(), seed_generator
)


# %%
def train_vae_gan(run):
    _, seconds = vae_gan_trainer.fit(x_train, batch_size, steps, reset_weights(run))
    return report(sample(run), walk=walk(run), seconds=seconds, **reconstructions())


train_all("VAE-GAN", train_vae_gan, weights=[feature_weight, adversarial_weight])
rows = {"real": val.images[:12]}
for what, key in (("redrawn", "redrawn"), ("drawn", "pictures")):
    rows |= {f"{name}, {what}": found[name][0][key] for name in ("VAE", "VAE-GAN")}
alt = "Rows of twelve pictures. Real ones; the VAE's reconstructions, right in place and colour and round where there were corners; those of the VAE-GAN, with more grain and less exact colours; and pictures that both have drawn."
show_rows(rows, alt)

# %% [markdown]
# In the stored run the root mean square error of a redrawn picture is 0.111<!--=VAE_GAN_error_mean[0]--> for the VAE-GAN and 0.078<!--=VAE_error_mean[0]--> for the VAE. That is no surprise, since only one of them was asked for pixels. The code of the VAE-GAN costs 25<!--=VAE_GAN_rate_mean[0]--> nats, that of the VAE 68<!--=VAE_rate_mean[0]-->: how many nats an error is worth is set by `feature_weight`, which is a choice and has no unit of the data.
#
# Its draws have a kernel distance of 1.69<!--=VAE_GAN_distance_mean[0]--> ± 0.54<!--=VAE_GAN_distance_mean[1]-->, near to the GAN's and far from the VAE's, a recall of 0.36<!--=VAE_GAN_recall_mean[0]--> ± 0.31<!--=VAE_GAN_recall_mean[1]-->, and a sharpness of 1.91<!--=VAE_GAN_sharpness_mean[0]-->. So what the cross inherits is clear: from the VAE an encoder, and with it a way to redraw a given picture; from the GAN draws that a discriminator was trained on, and their grain. The hope was for more, for corners in the reconstructions. They are not there. Features of a discriminator that finds drawn pictures by their grain reward grain.
#
# ## A code of whole numbers: VQ-VAE
#
# A VAE's code is a cloud, and its price is the KL. The **VQ-VAE** (van den Oord and others, 2017) has a *codebook* of $K$ vectors. The encoder gives a grid of vectors, each is replaced by the nearest code vector, and the decoder sees only those. What is sent are their numbers: a grid of $H \times W$ whole numbers costs $HW \log_2 K$ bits as sent plain, and fewer with a code that knows which numbers are common. (The first stage of DALL·E, Ramesh and others, 2021, is a relative: a grid of 32×32 numbers out of 8,192, learned with a softened choice.)
#
# The trouble is the slope. The nearest code is a step function of the encoder's output, and the slope of a step is 0. The **straight-through** estimator pretends: forwards the code vector, backwards the identity. In code it is one line, $z + \mathrm{stop}(q - z)$.


# %% tags=["nbval-check-output"]
from helpers.generative.vq import VectorQuantizer, codebook_usage


def quantise(z, codebook):
    # Vectors `(B, h, w, d)` → the nearest of `(K, d)`, with the slope of the identity.
    distances = ops.sum(ops.square(ops.expand_dims(z, -2) - codebook), axis=-1)  # (B, h, w, K)
    nearest = ops.take(codebook, ops.argmin(distances, axis=-1), axis=0)
    return z + ops.stop_gradient(nearest - z)


rng = np.random.default_rng(0)
z = keras.Variable(rng.normal(size=(2, 4, 4, 3)).astype("float32"))
layer = VectorQuantizer(5, seed=0)
expected = layer(z + 0.0)
pull = ops.convert_to_tensor(rng.normal(size=z.shape).astype("float32"))
slope = backend.value_and_grad(lambda: ops.sum(quantise(z, layer.codebook) * pull), [z])[1][0]
output = quantise(z, layer.codebook)
for what, a, b in (
    ("output, helpers.generative.vq", output, expected),
    ("slope, identity", slope, pull),
):
    assert np.allclose(*map(ops.convert_to_numpy, (a, b)), atol=1e-5)
    print(what, "the same")

# %% [markdown]
# Three things more make it learn, and `VectorQuantizer` has them. The **commitment** $\beta\lVert z - \mathrm{stop}(q)\rVert^2$ keeps the encoder near its codes, or it would run from them. The **codes follow** the vectors that chose them, by a moving average. And codes that nobody chooses are **restarted**: put at a vector of the current batch. Without that, a code that starts far from the data never gets a vector to follow.
#
# The networks are new as well, since a grid needs others than a vector: 64 channels, and one code for each patch of 4×4 pixels. They take 400 steps, and the prior over the codes takes 300 more.
#
# > **Predict first.** 128 codes on a grid of 8×8: how many bits as sent plain? How many of the 128 codes are in use after training, with restarts and without?


# %%
plans = {"batch_size": batch_size, "learning_rate": learning_rate, "steps": code_steps, "beta": grid_beta}
outputs = None if val.masks is None else len(val.class_names)
for threshold in (0.0, 0.05):
    codebook_options = num_codes, channels, sigma, commitment, threshold
    vq_vae = vqvae.VQVAE(shape, *codebook_options, num_classes=outputs, **plans)
    vq_vae.reset_weights(seed).train("VQ-VAE", x_train, seed)
    use = codebook_usage(vq_vae.encode_indices(x_val[:scored]), num_codes)
    print(f"restart_threshold {threshold}: " + ", ".join(f"{k} {v:.0f}" for k, v in use.items()))

# %% [markdown]
# As sent plain the grid costs $64 \cdot 7 = 448$ bits. Read the two lines of the cell: without restarts, some codes are never chosen (dead); with it, the codes in use are more, and used more evenly (the **perplexity** is the number of codes that would have the same entropy if all were equally common). An ideal code that knows the frequencies of the numbers saves little on 448 bits then. What saves more is to know the neighbours, and that is the next step.
#
# ### A prior for the codes
#
# To draw a new picture one needs a new grid of codes, and no law $\mathcal N(0, I)$ was ever asked of them. Draw each position by itself, and the decoder paints a patchwork. So a second model learns $p(\text{codes}) = \prod_i p(c_i \mid c_{<i})$, each code given those before it in reading order: convolutions whose kernels are masked to see only what lies above and to the left (van den Oord and others, 2016). It draws in 64 passes, one for each position.
#
# With it the VQ-VAE has a likelihood after all. Among all the codes that may lead to a picture, the one that its encoder chooses is one term of a sum of positive terms, so
#
# $$\log p(x) \;\ge\; \log p(c(x)) + \log p(x \mid c(x)),$$
#
# with the same Gaussian pixels as the VAE's: nats that compare with the VAE's bound.
#
# ### What a head gains from the codes
#
# Sixty-four whole numbers are also a description of the picture. How much of the mask is in them? A small head reads the grid, from a frozen encoder, and names the pixels; its score is the mean IoU (`01`, `08`). Its twins get the same head, labels and steps:
#
# - *vectors*: the VQ-VAE's encoder output before it is rounded to codes; the difference is what rounding costs;
# - *VAE*: the mean of a VAE with the same encoder and decoder, whose grid is a cloud of Gaussians, and whose KL counts fourfold (`grid_beta`) so that its rate comes near that of the codes;
# - *fresh*: the same encoder as it was before any training.
#
# > **Predict first.** Order the four. Does whoever has the better kernel distance have the better head?


# %%
def heads_of(run, *features):
    # Mean IoU of heads on the grid as it is now; nothing for a set without masks.
    some = np.random.default_rng([seed, run]).permutation(len(x_train))[:labels]
    options = {"steps": head_steps, "batch_size": 16, "learning_rate": 0.01}
    scores = []
    for name in features if outputs else ():
        labelled = x_train[some], train.masks[some]
        predictions = vq_vae.train_head(name, *labelled, x_val[:scored], run, **options)
        scores.append(metrics.mean_iou(val.masks[:scored], predictions, outputs))
    return scores


def train_vq_vae(run):
    vq_vae.reset_weights(run)
    heads, begin = heads_of(run, "vectors"), time.perf_counter()
    vq_vae.train("VQ-VAE", x_train, run)
    vq_vae.train_prior(x_train, run, prior_steps)
    seconds = time.perf_counter() - begin
    indices, drawn = vq_vae.encode_indices(x_val[:scored]), vq_vae.sample(scored, run)
    bound = vq_vae.bound(x_val[:100])
    use = codebook_usage(indices, num_codes)
    use["prior_bits"] = vq_vae.prior_nll(indices).mean() / math.log(2)
    redrawn, heads = vq_vae.decode_indices(indices), heads + heads_of(run, "vectors", "codes")
    vq_vae.reset_weights(run).train("VAE", x_train, run)
    use["cloud_error"] = rms(vq_vae.vae.predict(x_val[:scored], batch_size=250, verbose=0))
    use["cloud_bits"] = metrics.kl_per_dimension(vq_vae.vae, x_val[:scored]).sum() / math.log(2)
    heads += heads_of(run, "vectors")
    more = {"use": use, "heads": heads, "seconds": seconds, "bound": bound.mean()}
    return report(drawn, redrawn=redrawn, error=rms(redrawn), **more)


# %%
vq_vae_plan = [num_codes, channels, commitment, plans, prior_steps, labels, head_steps]
train_all("VQ-VAE", train_vq_vae, plan=vq_vae_plan)
use = {k: np.mean([row["use"][k] for row in found["VQ-VAE"]]) for k in found["VQ-VAE"][0]["use"]}
print(", ".join(f"{k} {v:.3g}" for k, v in use.items()))
heads = np.transpose([row["heads"] for row in found["VQ-VAE"]])  # (4, seeds), or empty
for name, scores in zip(("fresh", "vectors", "codes", "VAE"), heads):
    both = [metrics.format_interval(h, 3) for h in (scores, heads[2] - scores)]
    print(f"head on {name:<8} mean IoU {both[0]}; codes minus it {both[1]}")
rows = {"real": val.images[:12], "redrawn": found["VQ-VAE"][0]["redrawn"]}
rows |= {f"drawn, run {i}": row["pictures"] for i, row in zip(runs, found["VQ-VAE"])}
alt = "Rows of twelve pictures. Real ones; the VQ-VAE's reconstructions, softer, with corners kept; and pictures drawn by the prior of each run: bright patches on mixed grounds that only partly fit together."
show_rows(rows, alt)

# %% [markdown]
# In the stored run the grid costs 448<!--=plain_bits--> bits as sent plain, 430<!--=entropy_bits--> with the frequencies of the numbers, and 253<!--=prior_bits--> with the prior that knows what came before. The reconstructions have an error of 0.070<!--=VQ_VAE_error_mean[0]--> and show corners: a code with a place for each part of the picture keeps outlines that a vector of sixteen numbers does not. Is that a merit of whole numbers? No: the VAE with the same two networks, and a cloud at each place of the grid in the place of a code, has an error of 0.066<!--=cloud_error--> at 413<!--=cloud_bits--> bits. It is the grid that keeps outlines. With restarts, nearly every code is in use: 0.3<!--=dead--> of the 128 are dead on average, and the perplexity is 106<!--=perplexity-->.
#
# The draws have a kernel distance of 2.18<!--=VQ_VAE_distance_mean[0]--> ± 0.43<!--=VQ_VAE_distance_mean[1]--> and a recall of 0.57<!--=VQ_VAE_recall_mean[0]--> ± 0.24<!--=VQ_VAE_recall_mean[1]-->. Their faults are of another kind: the parts are well painted and fit together badly, for the prior sees only so far. The bound on $\log p(x)$, 3294<!--=VQ_VAE_bound_mean[0]--> ± 222<!--=VQ_VAE_bound_mean[1]--> nats, stands beside 2754<!--=VAE_bound_mean[0]--> ± 496<!--=VAE_bound_mean[1]--> of the VAE. Both are lower bounds of the same quantity, so they may be compared; but the networks differ, so the gap does not say that whole numbers did it.
#
# **The heads.** The codes give a mean IoU of 0.37<!--=heads[2][0]-->, the vectors before rounding 0.37<!--=heads[1][0]-->, the VAE's grid 0.38<!--=heads[3][0]-->, and the encoder without any training 0.34<!--=heads[0][0]-->. Seed by seed, the codes differ from the vectors by −0.006<!--=codes_minus[1][0]--> ± 0.012<!--=codes_minus[1][1]--> and from the VAE by −0.012<!--=codes_minus[3][0]--> ± 0.025<!--=codes_minus[3][1]-->. These intervals hold 0 and allow no claim: rounding to whole numbers costs a head nothing that three trainings could show. From the untrained encoder they differ by 0.023<!--=codes_minus[0][0]--> ± 0.013<!--=codes_minus[0][1]-->. That is a gain, and a small one: most of what the head reads, it reads from random features as well, the lesson of `08` again. Nor is a code that draws well one that reads well: the draws of the two kinds lie far apart, and the heads do not.
#
# ## One table
#
# First the rule: for each pair of models and each of three measures, the name of whoever is ahead.


# %%
MODELS, ahead = tuple(found), metrics.pairwise_leads(found, METRICS[:3])
print(metrics.format_table(METRICS[:3], ahead, 11))

# %% [markdown]
# In the stored run all three neighbours are ahead of the VAE in kernel distance, and the GAN and the VQ-VAE in recall. In precision there is no lead. Among the three there is one lead, that of the VQ-VAE over the GAN in recall. Do not lean on each of them. These are eighteen comparisons at 95 %, of which about one is wrong by chance, and with three seeds an interval can be narrow by luck.
#
# Now everything in one table. The head of the column *VAE* is that of the twin on the grid; a vector of sixteen numbers has no place for each part of the picture. An empty cell would hide something, so each question that a model cannot answer says so, and the last row collects what no effort computes. For VAE and VQ-VAE that is $p(x)$ itself: there is a bound, and the integral or sum behind it has too many terms. The VAE-GAN has an encoder and still no density, because an error in features is no likelihood of a picture.


# %%
def cells(key, why="", digits=2):
    rows = [[row.get(key) for row in rows] for rows in found.values()]
    return [why if None in row else metrics.format_interval(row, digits) for row in rows]


code_heads = [metrics.format_interval(h, 2) for h in heads] or ["no masks"] * 4
table = {
    "sampled": ["z ~ N(0, I)", "z ~ N(0, I)", "z ~ N(0, I)", "codes, by a prior"],
    "optimised": ["ELBO", "a game", "features and a game", "pixels and codes"],
    "kernel distance": cells("distance"), "precision": cells("precision"), "recall": cells("recall"),
    "sharpness": cells("sharpness"), "log p(x) ≥, nats": cells("bound", "no density", 0),
    "error, redrawn": cells("error", "no encoder", 3),
    "head, mean IoU": [code_heads[3], "no code", "not on a grid", code_heads[2]],
    "collapsed": [f"{sum(map(collapsed, found[m]))} of {seeds}" for m in MODELS], "seconds": cells("seconds", digits=0),
    "not computable": ["log p(x) exactly", "log p(x), code of x", "log p(x)", "log p(x) exactly"],
}  # fmt: skip
print(metrics.format_table(MODELS, table, 21))

# %% tags=["picture"]
rows = {"real": val.images[:12]} | {name: found[name][0]["pictures"] for name in MODELS}
alt = "Five rows of twelve pictures. Real ones: a clean shape on texture. VAE: dull soft spots. GAN and VAE-GAN: bright spots in coarse coloured grain, the VAE-GAN's with more contrast. VQ-VAE: smooth bright patches with ragged outlines. No model draws a clean shape."
show_rows(rows, alt)

# %% [markdown]
# Each row has its own fault: too soft, too coarse in grain, too ragged. The numbers say the same, if one takes more than one of them: precision hardly tells the three neighbours apart, sharpness tells them apart at once, on both sides of the truth, and the best kernel distances belong to pictures in which nobody would recognise a square. The ruler sees what a small classifier needs. So look at pictures and numbers, and at the known faults beside them, which the next figure does.

# %%
alt = "Precision over recall in two panels, your run and the recorded one: one mark a training, four kinds of marks for four models. Crosses in the first show real pictures with known faults, the other half of the real pictures at the upper right; the models lie to its left and below. In the recorded run the VAE is on the left and lower than the others, the VQ-VAE farthest to the right; GAN and VAE-GAN overlap between them."
recorded = data.records.precision_recall(f"15-{dataset}", MODELS)
plots.show(plots.precision_recall_map(found, known, recorded), alt=alt)

# %% [markdown]
# The VAE's trainings lie together at the left: a third of the draws pass for real, and they stand for few of the real ones. GAN and VAE-GAN are scattered, run by run, and the VQ-VAE's trainings have one precision and more recall. All stay far from *other half*, which is what a perfect model would reach.
#
# The recorded run, on the right, has five sets of first weights and 2,000 steps, and its leads are clear. All three neighbours are ahead of the VAE in all three measures. The VQ-VAE is ahead of both players of games in distance and recall, and so is the GAN of the VAE-GAN, whose marks lie among its own in the figure. No training collapsed. The heads say something that three trainings could not: seed by seed, the codes are behind their own vectors before rounding, and behind the VAE's grid, by about a hundredth of mean IoU each. Rounding costs a head a little after all.
#
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {"accuracy": 100 * accuracy, "critic_loss": [r["last"][0] for r in found["GAN"]]}
results |= {n.replace(" ", "_"): [row[m] for m in METRICS] for n, row in known.items()}
for name, rows in found.items():
    key = name.replace("-", "_")
    results |= {f"{key}_{m}": [row[m] for row in rows] for m in ("precision", "recall", "distance")}
    for value in (*METRICS, "seconds", "bound", "error", "rate"):
        numbers = [row[value] for row in rows if value in row]
        results |= {f"{key}_{value}_mean": metrics.confidence_interval(numbers)} if numbers else {}
    results[f"{key}_collapsed"] = sum(map(collapsed, rows))
results |= use | {
    "heads": [metrics.confidence_interval(h) for h in heads],
    "ahead": list(ahead.values()),
}
results["codes_minus"] = [metrics.confidence_interval(heads[2] - h) for h in heads]
results["grain"] = [np.mean([row["grain"][m] for row in found["VAE"]]) for m in METRICS]
line = "kernel distance: " + ", ".join(f"{n} {cells('distance')[i]}" for i, n in enumerate(MODELS))
record(results, {"accuracy": {"default": (80, 100)}}, line)

# %% [markdown]
# ## What you saw
#
# - A ruler is tried on known faults first. Precision and recall tell *not real* from *not all*; one distance mixes them; sharpness alone rewards noise.
# - Against a perfect opponent the generator's game is the Jensen–Shannon divergence, to the last digit of the quadrature. Real opponents are not perfect, and the loss that is used is not that game.
# - With one network and the same steps, the GAN's draws were ahead of the VAE's in kernel distance, 1.98<!--=GAN_distance_mean[0]--> against 7.71<!--=VAE_distance_mean[0]-->. The VAE's draws are dull where its reconstructions are not: the prior asks for places that no picture taught.
# - The VAE says how probable a picture is, and where it lies in the code. The GAN can do neither, and no score makes up for a question that cannot be asked.
# - VAE-GAN has an encoder and the GAN's grain, and pays for it in pixels. VQ-VAE has a code whose bits can be counted, needs a second model to be drawn from, and has a likelihood after all.
# - A head on the codes gained 0.02<!--=codes_minus[0][0]--> of mean IoU over random features, and rounding the vectors to whole numbers cost it nothing that three trainings could show, and about a hundredth in the five of the recorded run.
#
# ## On your own
#
# 1. **The zero-sum game.** Train the generator on $\log(1 - D)$ itself (`loss_of_generator` returns the mean of $-\mathrm{softplus}(\ell)$). Predict the first hundred steps.
#
#    <details><summary>What to expect</summary>
#
#    As soon as the discriminator is sure, the slope is next to nothing, and the pictures hardly change from step to step. With a slow discriminator (`player_learning_rates = [0.001, 0.0001]`) it works better: an opponent that is never sure leaves a slope.
#
#    </details>
# 2. **Make it collapse.** Find `player_learning_rates` with which the rule calls a run collapsed. Is it precision or recall that goes first? Look at `kinds`, the shares of disc, square and triangle by the classifier's word.
#
#    <details><summary>Hint</summary>
#
#    A generator that is much faster than its opponent runs after whatever fools the opponent now, with all its pictures at once; the opponent learns that place, and the crowd moves on. Try `[0.005, 0.0002]`.
#
#    </details>
# 3. **An average of generators.** Keep a moving average of the generator's weights (0.99 of the past) during `fit`, and draw from that. Which measure gains?
#
#    <details><summary>Hint</summary>
#
#    Players circle around each other; the average lies nearer to the middle of the circle (Yazıcı and others, 2019). With rates that fall to 0, as here, the circle is small at the end and so is the gain.
#
#    </details>
# 4. **Another ruler.** Train the ruler to name the *texture* behind the object (`factors["texture"]`) and measure the same samples again. Does the order of the models stay?
#
#    <details><summary>What to expect</summary>
#
#    A ruler sees what its task needs. One that names textures is strict with a VAE, whose grounds are smooth, and indifferent to corners. That holds for rulers trained on a million photographs as well.
#
#    </details>
#
# ## References
#
# - Bińkowski, M., Sutherland, D. J., Arbel, M. and Gretton, A. (2018). Demystifying MMD GANs. ICLR. [arXiv:1801.01401](https://arxiv.org/abs/1801.01401)
# - Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance Weighted Autoencoders. ICLR. [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - Dhariwal, P. and others (2020). Jukebox: A Generative Model for Music. (Codes that are restarted.) [arXiv:2005.00341](https://arxiv.org/abs/2005.00341)
# - Donahue, J., Krähenbühl, P. and Darrell, T. (2017). Adversarial Feature Learning. ICLR. [arXiv:1605.09782](https://arxiv.org/abs/1605.09782)
# - Dumoulin, V. and others (2017). Adversarially Learned Inference. ICLR. [arXiv:1606.00704](https://arxiv.org/abs/1606.00704)
# - Goodfellow, I. and others (2014). Generative Adversarial Networks. NeurIPS. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - Gretton, A. and others (2012). A Kernel Two-Sample Test. JMLR 13. <https://jmlr.org/papers/v13/gretton12a.html>
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Kynkäänniemi, T., Karras, T., Laine, S., Lehtinen, J. and Aila, T. (2019). Improved Precision and Recall Metric for Assessing Generative Models. NeurIPS. [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - Larsen, A. B. L., Sønderby, S. K., Larochelle, H. and Winther, O. (2016). Autoencoding beyond pixels using a learned similarity metric. ICML. [arXiv:1512.09300](https://arxiv.org/abs/1512.09300)
# - Ramesh, A. and others (2021). Zero-Shot Text-to-Image Generation. ICML. [arXiv:2102.12092](https://arxiv.org/abs/2102.12092)
# - van den Oord, A., Kalchbrenner, N. and Kavukcuoglu, K. (2016). Pixel Recurrent Neural Networks. ICML. [arXiv:1601.06759](https://arxiv.org/abs/1601.06759)
# - van den Oord, A., Vinyals, O. and Kavukcuoglu, K. (2017). Neural Discrete Representation Learning. NeurIPS. [arXiv:1711.00937](https://arxiv.org/abs/1711.00937)
# - Yazıcı, Y. and others (2019). The Unusual Effectiveness of Averaging in GAN Training. ICLR. [arXiv:1806.04498](https://arxiv.org/abs/1806.04498)
