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
# # Meet GANs
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/15_meet_gans.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/15_meet_gans.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/15_meet_gans.ipynb) <!--badges-->
#
# ![Seven rows of twelve pictures. Held out: one sharp disc, square or triangle on faint texture. GAN after 300 steps: soft coloured spots in grain. Kept GAN: one object in each, in strong colours and with grain, most of them discs and squares with uneven outlines. VAE from N(0, I): bent, torn or missing shapes on smooth grounds, some of square patches. VAE from the mixture: one disc, square or triangle in each, on plain ground. VAE-GAN from N(0, I): the same forms as the VAE, some of them rounder, some still torn. VAE-GAN from the mixture: one object in each, with a little grain, corners less sharp than those of the VAE.](../docs/pictures/15.png) <!--picture-->
#
# "GANs draw sharp pictures; [VAEs](../docs/site/glossary.md#term-variational-autoencoder-VAE) blur." One reads this in many places, mostly without a number. Here a VAE, a GAN and a cross of both share one [decoder](../docs/site/glossary.md#term-decoder) network, and one ruler measures their new pictures. **What do a GAN and a VAE-GAN do better than a VAE, and what can they not be asked?**
#
# **What you'll do**
#
# - Make a ruler for pictures that have no original, and test it on faults that you know.
# - Write the game of two networks that a GAN is, and train it for half a minute.
# - Draw from long-trained models, each with the priors that it can have.
#
# **What you'll learn**
#
# - What the generator of a GAN minimises, and what keeps its training stable.
# - Which questions a GAN has no answer to.
#
# **What you'll need**
#
# - The VAE, its two priors (notebook `03`) and the bounds $L_k$ (`07`).
# - Mathematics: densities, logarithms, the slope of a function.
# - About 2 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 2 GB of memory. Nothing is downloaded.

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
seed = 0  # of the pictures, the first weights and every random draw
images = 6000  # pictures for the classifier and for the fitted priors
classifier_steps = 400  # training steps of the classifier whose features are the ruler
draws = 1200  # pictures that each model draws
steps = 300  # training steps of the GAN that is trained here
batch_size = 32  # pictures in each of them
learning_rate = 0.002  # of both players
r1_weight = 0.1  # of the penalty on steep discriminators
noise = 0.05  # standard deviation of the noise on all that the discriminator sees
weights = "kept"  # the long-trained GAN; "own": the one that is trained here

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    seed=range(2**32),
    images=range(64, 50_001),
    classifier_steps=range(1, 50_001),
    draws=range(32, 10_001),
    steps=range(1, 100_001),
    batch_size=range(2, 513),
    learning_rate=(1e-5, 0.1),
    r1_weight=(0.0, 1000.0),
    noise=(0.0, 1.0),
    weights=["kept", "own"],
)
set_up(seed)

import keras
import numpy as np
from keras import ops
from scipy import ndimage
from scipy.stats import norm

from helpers import backend, data, metrics, models, networks, plots, pretrained
from helpers.data.stream import FreshShapes
from helpers.generative import evaluator, gan, mixture_prior, whole_objects

plots.use()
rng = np.random.default_rng(seed)
latent = 16  # K, of the kept models
blocks = 6  # parts that all pictures are cut into, for intervals

# %% [markdown]
# ## The pictures
#
# They are those of notebook `00`: one disc, square or triangle of one colour, on faint texture, in 32×32 pixels. A program draws them, so a training can have new ones at every step.

# %%
picture_options = {
    "size": 32,
    "objects": 1,
    "radius": (0.18, 0.25),  # of the object, as a share of the side
    "contrast": (0.25, 0.6),
    "texture": 0.1,
    "noise": 0.02,
    "annotators": 1,
}
train = data.load("shapes", "train", limit=images, seed=seed, **picture_options)
val = data.load("shapes", "val", limit=3 * draws, seed=seed, **picture_options)
x_train = data.to_float(train.images)  # (N, H, W, 3)
x_val = data.to_float(val.images)
kind_train = train.factors["class"] - 1  # 0 disc, 1 square, 2 triangle
kind_val = val.factors["class"] - 1

x_real, x_other = x_val[:draws], x_val[draws:]  # what all is compared with, and a second set
kind_other = kind_val[draws:]

# %% [markdown]
# ## A ruler for pictures without an original
#
# A new picture has no original, so no pixel can be called wrong. Two *sets* can be compared: many drawn pictures and many real ones. Usually the features of a network for photographs are compared (Heusel and others, 2017). Here a small classifier learns to tell disc, square and triangle, and its last 64 features describe a picture. The ruler sees what this classifier sees, so its numbers compare with no others.
#
# - **Kernel distance.** How alike are pictures within each set, less how alike across, by the kernel $(a \cdot b / F + 1)^3$ of $F$ features (Bińkowski and others, 2018)? The estimate has no bias: two sets from one source score 0 on average. Larger is worse.
# - **[Precision and recall](../docs/site/glossary.md#term-precision-and-recall)** (Kynkäänniemi and others, 2019). Put a ball around each real picture, up to its third nearest real neighbour. The share of drawn pictures in some ball is the precision: *do they look real?* Now put the balls around the drawn ones. The share of real pictures in them is the recall: *is all that is real among them?*
#
# Both sets are cut into 6 blocks. Each block of draws is compared with a block of real pictures of its own, and the intervals (95 %) say how far chance goes, in the draws and in the real pictures. They say nothing of another training.

# %%
fit = slice(4000)
sample_evaluator = evaluator.SampleEvaluator(
    x_train[fit],
    kind_train[fit],
    x_real[:500],
    steps=classifier_steps,
    seed=seed,
)
accuracy = sample_evaluator.accuracy(x_real, kind_val[:draws])
print(f"the classifier names {accuracy:.0%} of the held-out pictures correctly")


def compare(pictures):
    """(mean, half width) of distance, precision and recall, over blocks."""
    by_block = sample_evaluator.compare(x_real, pictures, blocks)
    return {m: metrics.confidence_interval(scores) for m, scores in by_block.items()}


# %% [markdown]
# ### Which modes are there?
#
# A generator has *collapsed* if whole groups of pictures, its modes, are missing. `whole_objects.modes` finds the largest region that differs from the ground, the shape that fits it best, and the quarter of the picture where its centre lies: twelve modes.
#
# **The rule:** a mode is *missing* if its share among the draws is below a quarter of its share among real pictures. A generator has *collapsed* if two or more modes are missing. (It was fixed after trials on real pictures, before the kept models were scored.)

# %%
def mode_shares(pictures):
    modes = whole_objects.modes(pictures[:500])  # (N,), 0 to 11
    return np.bincount(modes[modes >= 0], minlength=12) / len(modes)


real_shares = mode_shares(x_real)


def missing_modes(pictures):
    return int(np.sum(mode_shares(pictures) < real_shares / 4))


# %% [markdown]
# ### Faults that we know
#
# Before a model is measured, the ruler gets real pictures with a fault that we chose, by degrees: three, two and one of the kinds are left; all places, and only the left half; and pictures that are blurred.
#
# > **Predict first.** Which fault lowers precision, and which recall? Will this ruler, which learned to name *kinds*, see that all objects lie in the left half?

# %%
left = whole_objects.modes(x_other) % 2 == 0  # the object's centre, by the same rule
faults = {
    "other real ones": x_other,
    "two kinds": x_other[kind_other < 2],
    "one kind": x_other[kind_other < 1],
    "left half": x_other[left],
    "blurred": ndimage.gaussian_filter(x_other[:draws], (0, 1.5, 1.5, 0)),
}
known = {name: compare(pictures) for name, pictures in faults.items()}
known_missing = {name: missing_modes(pictures) for name, pictures in faults.items()}


# %%
def print_scores(scores, missing):
    print(f"{'':22}{'distance':>14}{'precision':>14}{'recall':>14}{'missing':>9}")
    for name, row in scores.items():
        cells = [f"{mean:.2f} ± {half:.2f}" for mean, half in row.values()]
        print(f"{name:22}" + "".join(f"{c:>14}" for c in cells) + f"{missing[name]:>6} / 12")


print_scores(known, known_missing)

# %% [markdown]
# In the stored run the classifier names 83<!--=accuracy--> % of held-out pictures correctly.
#
# - **Other real pictures** have the distance −0.02<!--=other_real_ones_distance[0]--> ± 0.02<!--=other_real_ones_distance[1]-->, the precision 0.92<!--=other_real_ones_precision[0]--> and the recall 0.90<!--=other_real_ones_recall[0]-->. A perfect model would reach this, but it is not a ceiling (Naeem and others, 2020).
# - **Missing kinds** lower the recall, to 0.73<!--=two_kinds_recall[0]--> with two kinds and 0.49<!--=one_kind_recall[0]--> with one. The precision stays, at 0.92<!--=two_kinds_precision[0]--> and 0.92<!--=one_kind_precision[0]-->: what is there looks real.
# - **The left half alone** is not seen: distance 0.02<!--=left_half_distance[0]--> ± 0.05<!--=left_half_distance[1]-->, recall 0.87<!--=left_half_recall[0]--> ± 0.03<!--=left_half_recall[1]-->. A network that learns to name kinds takes no notice of the place. A ruler sees what its task needs.
# - **Blur** lowers the recall, to 0.46<!--=blurred_recall[0]-->, and not the precision, 0.92<!--=blurred_precision[0]-->.
# - **The count of modes** sees what was taken: 4<!--=two_kinds_missing--> of 12 with two kinds, 8<!--=one_kind_missing--> with one, 6<!--=left_half_missing--> with the left half, and 0<!--=other_real_ones_missing--> for other real pictures. So the rule finds a collapse when half of the modes are gone. It sees these groups and no others: half of the colours could be missing.
#
# ## A game with two players
#
# A VAE says how probable a picture is, and is trained to say it well. A **GAN** (Goodfellow and others, 2014) drops that. A *generator* $G$ turns noise $z$ into a picture. A *[discriminator](../docs/site/glossary.md#term-discriminator)* $D$ gets real and generated pictures, and says with which probability a picture is real. $D$ wants
#
# $$V(D, G) = \mathbb E_{x \sim p}\big[\log D(x)\big] + \mathbb E_{z}\big[\log(1 - D(G(z)))\big]$$
#
# to be large, and $G$ wants it to be small. What does the generator minimise if the discriminator is as good as can be? Write $q$ for the density of $G$'s pictures. Then $V = \int p \log D + q \log(1 - D)\,dx$, and $D$ may choose its value at each $x$ separately. The slope by $D$ is $p/D - q/(1-D)$. It is zero at
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)},$$
#
# and this is a maximum, because both logarithms are concave. Insert $D^*$, and write $m = (p+q)/2$ for the middle of the two densities:
#
# $$V(D^*, G) = \mathbb E_p\Big[\log \tfrac{p}{2m}\Big] + \mathbb E_q\Big[\log\tfrac{q}{2m}\Big] = \mathrm{KL}(p\,\|\,m) + \mathrm{KL}(q\,\|\,m) - \log 4 .$$
#
# Half that sum is the **Jensen–Shannon divergence**, JSD: 0 where $p$ and $q$ agree, and $\log 2$ where they never overlap. So against a perfect discriminator the generator minimises $2\,\mathrm{JSD} - \log 4$.
#
# Two normal densities with means 0 and $a$ show it, with sums over a fine grid.
#
# > **Predict first.** Let the two move apart: $a = 0, 1, 2, 4, 8$. Does the divergence keep growing? What would its slope at $a = 8$ teach a generator?

# %% tags=["nbval-check-output"]
width = 0.001
line = np.arange(-40, 48, width)


def log_densities(a):
    return norm.logpdf(line), norm.logpdf(line, a)


def value_of_game(a):
    log_p, log_q = log_densities(a)
    log_sum = np.logaddexp(log_p, log_q)
    log_d, log_not_d = log_p - log_sum, log_q - log_sum  # of the best D
    return np.sum(np.exp(log_p) * log_d + np.exp(log_q) * log_not_d) * width


print(" a   V at D*   2 JSD - log 4")
for a in (0, 1, 2, 4, 8):
    p, q = np.exp(log_densities(a))
    by_divergence = 2 * gan.jensen_shannon_divergence(p, q, width) - np.log(4)
    best = value_of_game(a)
    print(f"{a:2}{best:10.4f}{by_divergence:16.4f}")
    assert abs(best - by_divergence) < 1e-9

# %% [markdown]
# The two columns agree. From $a = 4$ to $a = 8$ the value hardly moves. Once two densities do not overlap, a perfect discriminator is always right, and twice as far away is no worse. So its slope teaches a generator that has only begun next to nothing.
#
# ### The loss that is used, and what it minimises
#
# In practice the generator minimises $-\log D(G(z))$ instead, the **non-saturating** loss. By the logit $\ell$ of $D$, the slope of $\log(1-D)$ is $-D$: next to nothing where $D$ is sure. The slope of $-\log D$ is $D - 1$: it is strongest there.
#
# What does this loss minimise, against the best $D$? Arjovsky and Bottou (2017, theorem 2.5) found that its gradient is that of $\mathrm{KL}(q\,\|\,p) - 2\,\mathrm{JSD}(p, q)$. The JSD comes in with a *minus*. (*On your own* 2 tests it.)
#
# So "a GAN minimises the Jensen–Shannon divergence" holds for the game on paper, and not for the loss that is used. $\mathrm{KL}(q\,\|\,p)$ is large where the generator draws what is not real. It takes little notice of real pictures that are never drawn. That is one reason why GANs lose modes.
#
# **Exercise 1.** At some $x$ the real density is three times that of the generator. What does the perfect discriminator say? **Exercise 2.** A generator has become perfect. What is $V(D^*, G)$, in [nats](../docs/site/glossary.md#term-nat)?

# %%
your_answer, your_value = None, None  # ← your numbers
for what, yours, true in (("D*", your_answer, 0.75), ("V", your_value, -np.log(4))):
    print(f"{what}: your value {yours}, true value {'?' if yours is None else round(true, 3)}")
    assert yours is None or abs(yours - true) < 0.001, "Put p = 3q, and then p = q, into D*."

# %% [markdown]
# <details><summary>Solutions</summary>
#
# $3q / (3q + q) = 0.75$. A perfect generator has $p = q$, so $D^* = \tfrac12$ everywhere and $V = 2 \log\tfrac12 = -1.386$ nats. The discriminator's *loss*, $-V$, is then 1.386. So has a discriminator that has learned nothing.
#
# </details>
#
# ## Two networks, and what keeps them stable
#
# The generator is the **decoder** of the kept VAE, layer for layer, with fresh weights. The discriminator is a small convolutional network that returns a logit and, for later, its features of 8×8 places.

# %%
keras.utils.set_random_seed(seed)
_, generator = networks.conv_networks((32, 32, 3), latent, width=32, centre=True)

discriminator = gan.build_discriminator((32, 32, 3))  # → logits and features
print(f"{generator.count_params():,} and {discriminator.count_params():,} weights")

# %% [markdown]
# A bare game of two networks often goes wrong: the discriminator becomes sure, its slopes become steep, and the generator runs after them. Three additions are in common use, and all three are in the next cell.
#
# - **A penalty on steep discriminators**, R1 (Mescheder and others, 2018): the mean square of the slope of the logit at *real* pictures. That slope can be had without a second derivative. A small nudge of the picture by noise of standard deviation $s$ changes the logit by $s$ times the slope in that direction, and the mean square over all directions is the whole squared slope (Lin and others, 2025).
# - **Noise on all that the discriminator sees**, real and generated (Sønderby and others, 2017; Arjovsky and Bottou, 2017). Generated pictures lie on a thin sheet: 16 numbers make 3,072. With noise the two densities overlap.
# - **An average of the generator's weights** over the last steps draws the pictures (Yazıcı and others, 2019), because the players circle around each other. Keras's optimisers keep such an average (`use_ema`).


# %%
def build_adam(network, **average):
    adam = keras.optimizers.Adam(learning_rate, beta_1=0.0, beta_2=0.99, **average)
    adam.build(network.trainable_variables)
    return adam


discriminator_adam = build_adam(discriminator)
generator_adam = build_adam(generator, use_ema=True, ema_momentum=0.99)
seed_generator = keras.random.SeedGenerator(seed)


def normal(*shape):
    return keras.random.normal(shape, seed=seed_generator)


def descend(loss, network, adam, opponent):
    """One step of one player down the slope of its loss; the opponent is only read."""
    variables = network.trainable_variables
    value, gradients = backend.value_and_grad(loss, variables, opponent.variables)
    adam.apply(gradients, variables)
    return value


# %% [markdown]
# Now one step of the game: first the discriminator moves, then the generator. Losses are written with logits: $-\log D = \mathrm{softplus}(-\ell)$ and $-\log(1-D) = \mathrm{softplus}(\ell)$.


# %%
def train_step(real):
    z = normal(batch_size, latent)
    real = real + noise * normal(*real.shape)
    fake = generator(z) + noise * normal(*real.shape)
    nudged = real + gan.NUDGE * normal(*real.shape)
    grain = noise * normal(*real.shape)

    def loss_of_discriminator():
        logits, _ = discriminator(ops.concatenate([real, fake, nudged]))
        logit_real, logit_fake, logit_nudged = ops.split(logits, 3)
        game = ops.mean(ops.softplus(-logit_real)) + ops.mean(ops.softplus(logit_fake))
        slope = (logit_nudged - logit_real) / gan.NUDGE
        return game + 0.5 * r1_weight * ops.mean(ops.square(slope))

    def loss_of_generator():
        logits, _ = discriminator(generator(z) + grain)
        return ops.mean(ops.softplus(-logits))

    d = descend(loss_of_discriminator, discriminator, discriminator_adam, generator)
    g = descend(loss_of_generator, generator, generator_adam, discriminator)
    return ops.stack([d, g])


# %% [markdown]
# The training is the loop itself. `compile_step` turns the step into one compiled function; the learning rate stays as it is.

# %%
variables = [*generator.variables, *discriminator.variables]
variables += [*generator_adam.variables, *discriminator_adam.variables]
step = backend.compile_step(train_step, [*variables, seed_generator.state])
stream = FreshShapes(batch_size, steps, seed, **picture_options)

trace = []
for i in range(steps):
    (real,) = stream[i]  # (B, H, W, 3), new pictures
    trace.append(ops.convert_to_numpy(step(ops.convert_to_tensor(real))))
trace = np.array(trace)  # (steps, 2)
generator_adam.finalize_variable_values(generator.trainable_variables)  # the average
print("losses of the last 50 steps:", trace[-50:].mean(axis=0).round(2))

# %% [markdown]
# Half a minute is a **demonstration**. The project keeps weights of the same networks after a longer training with the same step (`make weights NAME=gan-shapes32`).
#
# ## The same decoder, trained in three ways
#
# Larsen and others (2016) cross the two models. A VAE-GAN keeps the [encoder](../docs/site/glossary.md#term-encoder) and the [KL](../docs/site/glossary.md#term-KL-divergence) of the VAE. But the error of a [reconstruction](../docs/site/glossary.md#term-reconstruction) $\hat x$ is not measured in pixels. It is measured in features $f$ of the discriminator, which learns what tells real from generated. The game goes on beside it, for the decoder:
#
# $$\underbrace{\mathrm{KL} + \tfrac w2\,\lVert f(x) - f(\hat x)\rVert^2}_{\text{encoder and decoder}} \;\underbrace{-\; g \log D(G(z))}_{\text{decoder only}}, \qquad z \sim \mathcal N(0, I).$$
#
# The decoder of the VAE-GAN is thus trained on the very draws from $\mathcal N(0, I)$ that it will be asked for; that of a VAE is not. Our kept VAE-GAN starts from the weights of the kept VAE, so what differs between the two is what the game has changed.

# %%
kept_generator = networks.conv_networks((32, 32, 3), latent, width=32, centre=True)[1]
gan_note = pretrained.load_weights(kept_generator, "gan-shapes32")
vaes, notes = {}, {"GAN": gan_note}
for name, file in {"VAE": "vae-shapes32", "VAE-GAN": "vaegan-shapes32"}.items():
    vaes[name] = models.conv_vae((32, 32, 3), latent, width=32, likelihood="gaussian")
    notes[name] = pretrained.load_weights(vaes[name], file)

for name, note in notes.items():
    pictures = note["steps"] * note["parameters"]["batch_size"]
    enough = "yes" if note["trained_enough"]["verdict"] else "no"
    print(f"{name:8}{note['steps']:7,} steps, {pictures:9,} pictures; trained enough: {enough}")

# %% [markdown]
# The three were not trained alike, as the printed numbers say: the VAE saw 40 times as many pictures as the GAN. The settings of the GAN come from two short trials, the $w$ and $g$ of the VAE-GAN from two as well. So three trained models are compared here, *one training each*, and not three methods at equal cost. Another seed may give another result.
#
# Are they trained enough? For samples, the rule of this series is that twice the steps change the kernel distance by less than a tenth. The GAN's went from 2.68<!--=GAN_lengths[0]--> at half of its steps to 0.50<!--=GAN_lengths[1]-->, and the VAE-GAN's from 0.34<!--=VAEGAN_lengths[0]--> to 0.25<!--=VAEGAN_lengths[1]-->. By the rule they are not, and the VAE is not by its own (0.5 % of the [ELBO](../docs/site/glossary.md#term-ELBO)). No sentence below says what such models can do at their best.
#
# ### The same choice of prior
#
# Notebook `03` drew from a VAE in two ways: from $\mathcal N(0, I)$, and from a mixture of 60 Gaussians fitted to its [aggregate posterior](../docs/site/glossary.md#term-aggregate-posterior), the latents of all pictures together. Whoever has an encoder has this choice, so the VAE-GAN gets it, too. A GAN has no encoder; $\mathcal N(0, I)$ is what it was trained on.

# %%
mixtures = {}
for name, vae in vaes.items():
    mixtures[name] = mixture_prior.fitted_mixture(vae, x_train, min(60, images // 50), seed)
    mean, log_variance = vae.encoder.predict(x_train, batch_size=500, verbose=0)
    z = mean + np.exp(0.5 * log_variance) * rng.standard_normal(mean.shape)  # (N, K)
    spread = z.std(axis=0)
    correlation = np.abs(np.corrcoef(z.T) - np.eye(latent)).max()
    print(f"{name}: deviations {spread.min():.2f} to {spread.max():.2f}, ", end="")
    print(f"largest correlation {correlation:.2f}")

# %%
z_normal = rng.standard_normal((draws, latent)).astype("float32")


def decode(decoder, z):
    return decoder.predict(z, batch_size=500, verbose=0).clip(0, 1)


trained_here = decode(generator, z_normal)
drawn = {"GAN": trained_here if weights == "own" else decode(kept_generator, z_normal)}
for name, vae in vaes.items():
    z_fitted = rng.permutation(mixtures[name].sample(draws)[0]).astype("float32")
    drawn[f"{name}, N(0, I)"] = decode(vae.decoder, z_normal)
    drawn[f"{name}, mixture"] = decode(vae.decoder, z_fitted)

# %% [markdown]
# > **Predict first.** Which of the five rows will look most like the real one? Which will have the highest recall? And whose draws from $\mathcal N(0, I)$ are better, the VAE's or the VAE-GAN's?

# %% tags=["picture"]
label = "trained here" if weights == "own" else "kept weights"
rows = {"held out": x_real, f"GAN, {steps}\nsteps here": trained_here}
rows |= {f"{name},\n{label}" if name == "GAN" else name: x for name, x in drawn.items()}
alt = "Seven rows of twelve pictures. Held out: one sharp disc, square or triangle on faint texture. GAN after 300 steps: soft coloured spots in grain. Kept GAN: one object in each, in strong colours and with grain, most of them discs and squares with uneven outlines. VAE from N(0, I): bent, torn or missing shapes on smooth grounds, some of square patches. VAE from the mixture: one disc, square or triangle in each, on plain ground. VAE-GAN from N(0, I): the same forms as the VAE, some of them rounder, some still torn. VAE-GAN from the mixture: one object in each, with a little grain, corners less sharp than those of the VAE."
plots.show(plots.picture_rows(rows, count=12), alt=alt)

# %%
scores = {"other real ones": known["other real ones"], "blurred": known["blurred"]}
scores |= {name: compare(pictures) for name, pictures in drawn.items()}
missing = known_missing | {name: missing_modes(pictures) for name, pictures in drawn.items()}
print_scores(scores, missing)
kinds = {n: mode_shares(x).reshape(3, 4).sum(axis=1) for n, x in drawn.items()}
print("discs, squares, triangles of the GAN:", kinds["GAN"].round(2))

# %%
whole = {}
for name, pictures in ({"other real ones": x_other} | drawn).items():
    is_whole = whole_objects.one_whole_object(pictures[:500])
    whole[name] = metrics.confidence_interval(is_whole)  # share and half width
panels = {
    "one whole object": whole,
    "precision": {name: scores[name]["precision"] for name in whole},
    "recall": {name: scores[name]["recall"] for name in whole},
}
alt = "Three panels of bars with intervals for six sets: other real pictures, GAN, VAE and VAE-GAN with two priors each. One whole object: real 0.99, VAE from the mixture 0.97, VAE-GAN from the mixture 0.95, GAN 0.82, VAE-GAN from N(0, I) 0.28, VAE from N(0, I) 0.11. Precision: the GAN is highest, 0.96, the VAE from N(0, I) lowest, 0.65. Recall: real pictures are highest, 0.90, the GAN lowest, 0.75."
plots.show(plots.interval_panels(panels), alt=alt)

# %% [markdown]
# **The [prior](../docs/site/glossary.md#term-prior) matters more than the model.** From $\mathcal N(0, I)$, one whole object is on 11<!--=VAE_whole[0]*100--> ± 3<!--=VAE_whole[1]*100--> % of the VAE's draws. From the mixture, the same decoder shows it on 97<!--=VAE_mixture_whole[0]*100--> ± 2<!--=VAE_mixture_whole[1]*100--> %. The latents of all pictures are not $\mathcal N(0, I)$: above, their deviations are not 1 (notebook `03`).
#
# **The GAN draws best from $\mathcal N(0, I)$**: 82<!--=GAN_whole[0]*100--> ± 3<!--=GAN_whole[1]*100--> % have one whole object, with contrast and grain that no VAE draws. Its precision of 0.96<!--=GAN_precision[0]--> is the highest, and its recall of 0.75<!--=GAN_recall[0]--> the lowest. The modes say why: 3<!--=GAN_missing--> of 12 are missing, so **by our rule it has collapsed in part**. Discs are 63<!--=GAN_kinds[0]*100--> %, squares 28<!--=GAN_kinds[1]*100--> % and triangles 9<!--=GAN_kinds[2]*100--> % of its draws. The VAE misses 3<!--=VAE_missing--> modes from there as well.
#
# **The game mends draws from $\mathcal N(0, I)$.** From there the kernel distance is 1.65<!--=VAE_distance[0]--> ± 0.41<!--=VAE_distance[1]--> for the VAE and 0.25<!--=VAEGAN_distance[0]--> ± 0.12<!--=VAEGAN_distance[1]--> for the VAE-GAN that starts from it; the precision rises from 0.65<!--=VAE_precision[0]--> to 0.86<!--=VAEGAN_precision[0]-->, and whole objects from 11<!--=VAE_whole[0]*100--> to 28<!--=VAEGAN_whole[0]*100--> %. With the mixture no gain was seen: 0.43<!--=VAE_mixture_distance[0]--> ± 0.33<!--=VAE_mixture_distance[1]--> against 0.29<!--=VAEGAN_mixture_distance[0]--> ± 0.16<!--=VAEGAN_mixture_distance[1]-->, and 97<!--=VAE_mixture_whole[0]*100--> against 95<!--=VAEGAN_mixture_whole[0]*100--> ± 2<!--=VAEGAN_mixture_whole[1]*100--> % whole objects.
#
# ## How probable is this picture?
#
# **The VAE answers with a bound.** $L_{50}$ averages 50 weights $p(x \mid z)\,p(z)/q(z \mid x)$ inside the logarithm (Burda and others, 2016; notebook `07`). The [prior](../docs/site/glossary.md#term-prior) $p(z)$ is a part of the model. With the mixture in its place the same decoder is *another* model, with another bound.
#
# **The VAE-GAN can be made to answer.** It has an encoder and a decoder, and if we add a Gaussian of its own root mean square error to each pixel, there is a density.
#
# **The GAN has no answer.** Its pictures lie on a sheet of 16 dimensions, folded into a space of 3,072. Almost every real picture lies beside the sheet. There the density is 0 and its logarithm $-\infty$. A noise on it gives a number, and the number measures the noise. The discriminator does not help: at its best it knows the ratio of two densities, and neither of them.
#
# > **Predict first.** Does the fitted mixture raise or lower the VAE's bound? Is the VAE-GAN's bound above or below the VAE's?


# %%
def standard_normal(z):
    return norm.logpdf(z).sum(axis=1)


x_asked = x_real[:100]
bounds = {}
for name, vae in vaes.items():
    priors = {"N(0, I)": standard_normal, "mixture": mixtures[name].score_samples}
    for prior, log_prior in priors.items():
        found = mixture_prior.bound(vae, x_asked, log_prior, k=50, seed=seed)
        bounds[f"{name}, {prior}"] = found  # (N,)
        print(f"{name:8} {prior:8} L_50 = {metrics.format_interval(found, 0)} nats")
gain = metrics.paired_difference(bounds["VAE, mixture"], bounds["VAE, N(0, I)"])
print(f"mixture minus N(0, I), VAE: {gain.mean:.1f} ± {gain.half:.1f} nats")

# %% [markdown]
# In the stored run, on 100 pictures, the mixture raises the VAE's bound by 8.2<!--=gain[0]--> ± 0.9<!--=gain[1]--> [nats](../docs/site/glossary.md#term-nat), from 5,625<!--=VAE_bound[0]--> to 5,633<!--=VAE_mixture_bound[0]--> nats. That is little: nearly all of the bound is about pixels *given* a good latent. Good bounds and good draws are two things (Theis and others, 2016).
#
# The VAE-GAN's bound is 5,037<!--=VAEGAN_bound[0]--> nats, or 5,045<!--=VAEGAN_mixture_bound[0]--> with the mixture. Each of the four numbers is a lower bound of *its own* model's $\log p(x)$, all with $k = 50$. How far below, we do not know, so their order does not prove the order of the likelihoods.
#
# ## Where does this picture lie?
#
# An encoder says where a picture lies among the latents; the classifiers of notebooks `09` and `10` read this. A GAN has a way from $z$ to pictures and none back.
#
# > **Predict first.** Who restores a given picture with the smaller error in pixels, the VAE or the VAE-GAN?

# %%
errors = {}
for name, vae in vaes.items():
    restored = vae.predict(x_real[:500], batch_size=250, verbose=0)
    errors[name] = np.sqrt(np.mean((x_real[:500] - restored) ** 2))
    print(f"{name}: root mean square error of a pixel {errors[name]:.3f}")

# %% [markdown]
# The VAE: 0.038<!--=VAE_error--> against 0.047<!--=VAEGAN_error-->. It was trained for this error. The VAE-GAN draws grain, but not the grain of *this* picture, so pixels are further off.
#
# ## What can be asked of which model?
#
# The last four rows follow the papers named there.
#
# | model | $\log p(x)$ of a picture | latent of a picture | new picture in one pass | |
# |---|---|---|---|---|
# | VAE | a lower bound | yes, from the encoder | yes | Kingma and Welling (2014) |
# | GAN | no | no; a search | yes | Goodfellow and others (2014) |
# | VAE-GAN | not trained for | yes, from the encoder | yes | Larsen and others (2016) |
# | VQ-VAE | a lower bound, with a learned prior | yes, whole numbers | no: its prior takes one number after the other | van den Oord and others (2017) |
# | normalising flow | exact | yes, as large as the picture | yes | Dinh and others (2017) |
# | autoregressive | exact | no | no: one value after the other | van den Oord and others (2016) |
# | diffusion | a lower bound | noise as large as the picture | no: many passes | Ho and others (2020) |
#
# Not every VAE blurs: with many levels of latents they draw sharp photographs (Child, 2021). And on photographs diffusion models have overtaken GANs (Dhariwal and Nichol, 2021).

# %% tags=["results"]
results = {"accuracy": 100 * accuracy, "gain": [gain.mean, gain.half]}
results["last_losses"] = trace[-50:].mean(axis=0)
results["GAN_kinds"] = kinds["GAN"]
for name, row in (known | scores).items():
    key = name.replace(", N(0, I)", "").replace(", ", "_").replace("-", "").replace(" ", "_")
    results |= {f"{key}_{measure}": value for measure, value in row.items()}
    results[f"{key}_missing"] = missing[name]
    if name in whole:
        results[f"{key}_whole"] = whole[name]
    if name in bounds:
        results[f"{key}_bound"] = metrics.confidence_interval(bounds[name])
for name, note in notes.items():
    key = name.replace("-", "")
    results[f"{key}_error"] = errors.get(name, 0)
    change = note["trained_enough"]
    results[f"{key}_lengths"] = [change.get("half", 0), change.get("whole", 0)]
headline = f"GAN: one whole object in {whole['GAN'][0]:.0%} of the draws"
record(results, {"accuracy": {"default": (60, 100)}}, headline)

# %% [markdown]
# ## What you saw
#
# - A ruler is tested on known faults first. Precision and recall tell *not real* from *not all*, as far as their features see. Missing modes are best counted.
# - On paper, against a perfect discriminator, a generator minimises the Jensen–Shannon divergence. The loss that is used has another slope.
# - From $\mathcal N(0, I)$, a GAN of the same decoder drew one whole object far more often than the VAE, 82<!--=GAN_whole[0]*100--> against 11<!--=VAE_whole[0]*100--> %, and lost most of the triangles. With a fitted prior the VAE reached 97<!--=VAE_mixture_whole[0]*100--> %.
# - A game beside the VAE mended its draws from $\mathcal N(0, I)$ and raised the error of its reconstructions. With the fitted prior no gain was seen.
# - All this is one training each, none of them trained enough by the rules of this series.
# - A VAE bounds how probable a picture is, and says where it lies among the latents. A GAN can do neither.
#
# ## Check yourself
#
# <details><summary>1. A generator draws perfect discs at every place, in every colour, and nothing else. What happens to precision and to recall?</summary>
#
# The precision stays: each disc lies among real discs. The recall falls, because no draw lies near a square or a triangle.
#
# </details>
#
# <details><summary>2. The discriminator's loss is 1.386 nats, that is log 4. Is the generator perfect?</summary>
#
# Perhaps. A discriminator that answers ½ everywhere has this loss, because the generator is perfect or because the discriminator has learned nothing.
#
# </details>
#
# <details><summary>3. Why does a GAN have no log p(x) of a real picture, even a bad one?</summary>
#
# Its pictures fill a sheet of 16 dimensions in a space of 3,072. Beside the sheet the density is 0, and nearly every real picture is beside it.
#
# </details>
#
# <details><summary>4. The bound of model A is 5,700 nats, that of model B 5,600 nats, on the same pictures with the same k. Which model gives the pictures the higher probability?</summary>
#
# One cannot tell. Each number is a lower bound of its own model's log p(x), and the two gaps are not known.
#
# </details>
#
# <details><summary>5. A VAE is drawn from N(0, I), another model from a prior fitted to its latents, and the second draws better. Is it the better model?</summary>
#
# That cannot be said until the VAE gets a fitted prior, too.
#
# </details>
#
# ## On your own
#
# 1. **Without a stabiliser.** Over several values of `seed`, set `weights = "own"` and train with `r1_weight = 0.0`, then with `noise = 0.0`, and with neither. Which measure changes most?
#
# 2. **The other loss.** For the two normals at $a = 2$, compute the slope by $a$ of $\mathbb E_q[-\log D^*]$ with $D^*$ held fixed, and the slopes of $\mathrm{KL}(q\,\|\,p)$ and of the JSD.
#
# <details><summary>Solution</summary>
#
# With `h = 1e-4`, `change = (norm.pdf(line, a + h) - norm.pdf(line, a - h)) / (2 * h)` is the slope of $q$; its sum with $-\log D^*$ is 1.550. The KL is $a^2/2$, with the slope 2, and twice the JSD has the slope 0.450: $2 - 0.450 = 1.550$.
#
# </details>
#
# ## References
#
# - M. Arjovsky and L. Bottou. Towards principled methods for training generative adversarial networks. ICLR 2017. [arXiv:1701.04862](https://arxiv.org/abs/1701.04862)
# - M. Bińkowski et al. Demystifying MMD GANs. ICLR 2018. [arXiv:1801.01401](https://arxiv.org/abs/1801.01401)
# - Y. Burda et al. Importance weighted autoencoders. ICLR 2016. [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - R. Child. Very deep VAEs generalize autoregressive models and can outperform them on images. ICLR 2021. [arXiv:2011.10650](https://arxiv.org/abs/2011.10650)
# - P. Dhariwal and A. Nichol. Diffusion models beat GANs on image synthesis. NeurIPS 2021. [arXiv:2105.05233](https://arxiv.org/abs/2105.05233)
# - L. Dinh et al. Density estimation using Real NVP. ICLR 2017. [arXiv:1605.08803](https://arxiv.org/abs/1605.08803)
# - I. Goodfellow et al. Generative adversarial nets. NIPS 2014. [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - M. Heusel et al. GANs trained by a two time-scale update rule converge to a local Nash equilibrium. NIPS 2017. [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - J. Ho et al. Denoising diffusion probabilistic models. NeurIPS 2020. [arXiv:2006.11239](https://arxiv.org/abs/2006.11239)
# - D. P. Kingma and M. Welling. Auto-encoding variational Bayes. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - T. Kynkäänniemi et al. Improved precision and recall metric for assessing generative models. NeurIPS 2019. [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - A. B. L. Larsen et al. Autoencoding beyond pixels using a learned similarity metric. ICML 2016. [arXiv:1512.09300](https://arxiv.org/abs/1512.09300)
# - S. Lin et al. Diffusion adversarial post-training for one-step video generation. ICML 2025. [arXiv:2501.08316](https://arxiv.org/abs/2501.08316)
# - L. Mescheder et al. Which training methods for GANs do actually converge? ICML 2018. [arXiv:1801.04406](https://arxiv.org/abs/1801.04406)
# - M. F. Naeem et al. Reliable fidelity and diversity metrics for generative models. ICML 2020. [arXiv:2002.09797](https://arxiv.org/abs/2002.09797)
# - L. Theis, A. van den Oord and M. Bethge. A note on the evaluation of generative models. ICLR 2016. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
# - A. van den Oord et al. Pixel recurrent neural networks. ICML 2016. [arXiv:1601.06759](https://arxiv.org/abs/1601.06759)
# - A. van den Oord et al. Neural discrete representation learning. NIPS 2017. [arXiv:1711.00937](https://arxiv.org/abs/1711.00937)
# - Y. Yazıcı et al. The unusual effectiveness of averaging in GAN training. ICLR 2019. [arXiv:1806.04498](https://arxiv.org/abs/1806.04498)
