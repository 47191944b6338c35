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
# BADGES <!--badges-->
#
# ![PICTURE](../docs/pictures/15.png) <!--picture-->
#
# "GANs draw sharp pictures; VAEs blur." One reads this in many places, mostly without a number. Here a VAE, a GAN and a cross of both share one decoder network, and one ruler measures their new pictures. **What do a GAN and a VAE-GAN do better than a VAE, and what can they not be asked?**
#
# **What you'll do**
#
# - Make a ruler for pictures that have no original, and test it on faults that you know.
# - Write the game of two networks that a GAN is, train it for half a minute, and go on with kept weights of the same network.
# - Draw from VAE, GAN and VAE-GAN, each with the priors that it can have, and count whole objects.
# - Ask each model how probable a picture is, and where it lies among the latents.
#
# **What you'll learn**
#
# - What the generator of a GAN minimises, and what keeps its training stable.
# - Why one number for the quality of samples hides two.
# - Which questions a GAN has no answer to, and what diffusion, flows and autoregressive models answer.
#
# **What you'll need**
#
# - The VAE, its two priors (notebook `03`) and the bounds $L_k$ (`07`).
# - Mathematics: densities, logarithms, the slope of a function.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 40 minutes to read, and 2 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
seed = 0  # of the pictures, the first weights and every random draw
images = 8000  # pictures for the classifier and for the fitted priors
classifier_steps = 500  # training steps of the classifier whose features are the ruler
draws = 2000  # pictures that each model draws
blocks = 8  # parts that these are cut into, for intervals
steps = 300  # training steps of the GAN that is trained here
batch_size = 32  # pictures in each of them
learning_rate = 0.002  # of both players
r1_weight = 0.1  # of the penalty on steep discriminators
noise = 0.05  # standard deviation of the noise on all that the discriminator sees
parts = 60  # Gaussians in a fitted prior
weights = "kept"  # the long-trained GAN; "own": the one that is trained here

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(),
    seed=range(2**32),
    images=range(64, 50_001),
    classifier_steps=range(1, 50_001),
    draws=range(32, 10_001),
    blocks=range(2, 101),
    steps=range(1, 100_001),
    batch_size=range(2, 513),
    learning_rate=(1e-5, 0.1),
    r1_weight=(0.0, 1000.0),
    noise=(0.0, 1.0),
    parts=range(1, 501),
    weights=["kept", "own"],
)
set_up(seed)

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage
from scipy.special import logsumexp
from scipy.stats import norm

from helpers import backend, data, metrics, models, networks, plots, pretrained
from helpers.data.stream import FreshShapes
from helpers.generative import evaluator, gan, mixture_prior, whole_objects
from helpers.layers import residual_conv

plots.use()
rng = np.random.default_rng(seed)
latent = 16  # K, of the kept models

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
# A new picture has no original, so no pixel can be called wrong. Two *sets* can be compared: many drawn pictures and many real ones. The usual rulers take the features of a network that was trained on a million photographs (Heusel and others, 2017). Here a small classifier learns to tell disc, square and triangle, and its last 64 features describe a picture. The ruler sees what this classifier sees, so its numbers compare with no others.
#
# - **Kernel distance.** How alike are pictures within each set, less how alike are they across? It is the squared maximum mean discrepancy with the kernel $(a \cdot b / F + 1)^3$ of $F$ features (Bińkowski and others, 2018). The estimate has no bias: two sets from one source score 0 on average. Larger is worse.
# - **[Precision and recall](../docs/site/glossary.md#term-precision-and-recall)** (Kynkäänniemi and others, 2019). Put a ball around each real picture, up to its third nearest real neighbour. The share of drawn pictures in some ball is the precision: *do they look real?* Now put the balls around the drawn ones. The share of real pictures in them is the recall: *is all that is real among them?*
#
# Both sets are cut into 8 blocks. Each block of draws is compared with a block of real pictures of its own, and the intervals (95 %) say how far chance goes, in the draws and in the real pictures. They do not say what another training would give.

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


def blocks_of(pictures):
    size = draws // blocks
    starts = range(0, min(len(pictures), draws) - size + 1, size)
    return [pictures[start : start + size] for start in starts]


def compare(pictures):
    """(mean, half width) of distance, precision and recall over blocks."""
    pairs = zip(blocks_of(x_real), blocks_of(pictures))
    rows = [sample_evaluator.compare(real, drawn) for real, drawn in pairs]
    return {m: metrics.confidence_interval([row[m] for row in rows]) for m in rows[0]}


# %% [markdown]
# ### Which modes are there?
#
# A generator has *collapsed* if whole groups of pictures, its modes, are missing. The features above may not see that, so modes are counted directly. The rule of notebook `00` finds the largest region that differs from the ground, and which shape fits it best. Three kinds and four quarters of the picture, by the region's centre, make twelve modes.
#
# **The rule:** a mode is *missing* if its share among the draws is below a quarter of its share among real pictures. A generator has *collapsed* if two or more modes are missing. We fixed this rule after short trials of it on real pictures, and before the kept models were scored.

# %%
KINDS = ["disc", "square", "triangle"]


def mode_shares(pictures):
    """Shares of the twelve modes among the first 500 pictures, (12,)."""
    counts = np.zeros((3, 2, 2))
    for picture in pictures[:500]:
        found = whole_objects.outline(picture)
        rows, columns = np.nonzero(found["mask"])
        if len(rows):  # else the picture has one colour
            kind = KINDS.index(found["kind"])
            counts[kind, int(rows.mean() > 15.5), int(columns.mean() > 15.5)] += 1
    return counts.ravel() / min(500, len(pictures))


real_shares = mode_shares(x_real)


def missing_modes(pictures):
    return int(np.sum(mode_shares(pictures) < real_shares / 4))


# %% [markdown]
# ### Faults that we know
#
# Before a model is measured, the ruler gets real pictures with a fault that we chose, by degrees: three, two and one of the kinds are left; all places, and only the left half; and pictures that are blurred. No picture occurs twice. (A generator never repeats a picture exactly. And where every picture has a copy, the balls have no size, and the recall is 0 whatever is missing.)
#
# > **Predict first.** Which fault lowers precision, and which recall? Will this ruler, which learned to name *kinds*, see that all objects lie in the left half?

# %%
centres = []  # column of each object's centre
for picture in x_other:
    rows, columns = np.nonzero(whole_objects.outline(picture)["mask"])
    centres.append(columns.mean() if len(columns) else 0)
left = np.array(centres) < 15.5

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
# FAULTS TEXT
#
# ## A game with two players
#
# A VAE says how probable a picture is, and is trained to say it well. A **[GAN](../docs/site/glossary.md)** (Goodfellow and others, 2014) drops that. A *generator* $G$ turns noise $z$ into a picture. A *discriminator* $D$ gets real and generated pictures, and says with which probability a picture is real. $D$ wants
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
# Half the sum of the two KLs is the **Jensen–Shannon divergence**, JSD: 0 where $p$ and $q$ agree, and $\log 2$ where they never overlap. So against a perfect discriminator the generator minimises $2\,\mathrm{JSD} - \log 4$.
#
# Two normal densities with means 0 and $a$ show it. The integrals are sums over a fine grid.
#
# > **Predict first.** Let the two move apart: $a = 0, 1, 2, 4, 8$. Does the divergence keep growing? What would its slope at $a = 8$ teach a generator?

# %% tags=["nbval-check-output"]
width = 0.001
line = np.arange(-40, 48, width)


def log_densities(a):
    return norm.logpdf(line), norm.logpdf(line, a)


def value_of_game(a, scale=1.0):
    log_p, log_q = log_densities(a)
    logit = scale * (log_p - log_q)  # of D; scale 1 is the best D
    log_d, log_not_d = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    return np.sum(np.exp(log_p) * log_d + np.exp(log_q) * log_not_d) * width


print(" a   V at D*   2 JSD - log 4   V at another D")
for a in (0, 1, 2, 4, 8):
    p, q = np.exp(log_densities(a))
    by_divergence = 2 * gan.jensen_shannon_divergence(p, q, width) - np.log(4)
    best, other = value_of_game(a), value_of_game(a, scale=0.5)
    print(f"{a:2}{best:10.4f}{by_divergence:16.4f}{other:17.4f}")
    assert abs(best - by_divergence) < 1e-9
    assert other <= best

# %% [markdown]
# The first two columns agree, and another $D$ gets less or the same. From $a = 4$ to $a = 8$ the value hardly moves. Once two densities do not overlap, a perfect discriminator is always right, and twice as far away is no worse. A generator that has only begun is far away, so the slope of this game teaches it next to nothing.
#
# ### The loss that is used, and what it minimises
#
# In practice the generator minimises $-\log D(G(z))$ instead, the **non-saturating** loss. By the logit $\ell$ of $D$, the slope of $\log(1-D)$ is $-D$: next to nothing where $D$ is sure. The slope of $-\log D$ is $D - 1$: it is strongest there.
#
# What does this loss minimise, against the best $D$? Arjovsky and Bottou (2017, theorem 2.5) found that its gradient is that of $\mathrm{KL}(q\,\|\,p) - 2\,\mathrm{JSD}(p, q)$. The divergence of the original game comes in with a *minus*. The next cell tests this for the two normals at $a = 2$: the slope of the loss with $D^*$ held fixed, and the slopes of both divergences.

# %% tags=["nbval-check-output"]
a, h = 2.0, 1e-4
log_p, log_q = log_densities(a)
log_d_best = log_p - np.logaddexp(log_p, log_q)  # log D*, as it is at a
change_of_q = (norm.pdf(line, a + h) - norm.pdf(line, a - h)) / (2 * h)
slope_of_loss = np.sum(change_of_q * -log_d_best) * width


def kl_and_jsd(a):
    log_p, log_q = log_densities(a)
    kl = np.sum(np.exp(log_q) * (log_q - log_p)) * width
    return np.array([kl, gan.jensen_shannon_divergence(*np.exp((log_p, log_q)), width)])


slope_of_kl, slope_of_jsd = (kl_and_jsd(a + h) - kl_and_jsd(a - h)) / (2 * h)
print(f"non-saturating loss {slope_of_loss:.4f}")
print(f"KL(q||p) - 2 JSD    {slope_of_kl - 2 * slope_of_jsd:.4f}")
print(f"2 JSD               {2 * slope_of_jsd:.4f}")
assert abs(slope_of_loss - (slope_of_kl - 2 * slope_of_jsd)) < 1e-5

# %% [markdown]
# So the words "a GAN minimises the Jensen–Shannon divergence" hold for the game on paper, with a perfect discriminator, and not for the loss that is used. $\mathrm{KL}(q\,\|\,p)$ is large where the generator draws what is not real. It takes little notice of real pictures that are never drawn. That is one reason why GANs lose modes.
#
# **Exercise 1.** At some $x$ the real density is three times that of the generator. What does the perfect discriminator say? **Exercise 2.** A generator has become perfect. What is $V(D^*, G)$, in nats?

# %%
your_answer, your_value = None, None  # ← your numbers
for what, yours, true in (("D*", your_answer, 0.75), ("V", your_value, -np.log(4))):
    print(f"{what}: your value {yours}, true value {'?' if yours is None else round(true, 3)}")
    assert yours is None or abs(yours - true) < 0.001, "Put p = 3q, and then p = q, into D*."

# %% [markdown]
# <details><summary>Solutions</summary>
#
# $3q / (3q + q) = 0.75$. A perfect generator has $p = q$, so $D^* = \tfrac12$ everywhere and $V = 2 \log\tfrac12 = -1.386$ nats. The discriminator's *loss*, $-V$, is then 1.386. A discriminator that has learned nothing has the same loss. So its loss does not tell how good the pictures are.
#
# </details>
#
# ## Two networks, and what keeps them stable
#
# The generator is the **decoder** of the kept VAE, layer for layer, with fresh weights. The discriminator has about as many.

# %%
keras.utils.set_random_seed(seed)
_, generator = networks.conv_networks((32, 32, 3), latent, width=32, centre=True)


def build_discriminator(width=32):
    image = keras.Input((32, 32, 3))
    h = layers.Rescaling(4.0, offset=-1.6)(image)
    h = layers.Conv2D(width, 6, 4, padding="same", activation="silu")(h)
    features = residual_conv(h, width)  # (B, 8, 8, 32), for the VAE-GAN
    h = layers.Conv2D(2 * width, 4, 2, padding="same", activation="silu")(features)
    h = residual_conv(h, 2 * width)  # (B, 4, 4, 64)
    logits = layers.Dense(1)(layers.Flatten()(h))
    return keras.Model(image, [logits, features])


discriminator = build_discriminator()
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
# The kept GAN was trained by `helpers.generative.gan`. Is that the same step? Both get the same weights, the same pictures and the same noise, and must have the same losses.

# %% tags=["nbval-check-output"]
theirs = [keras.models.clone_model(network) for network in (generator, discriminator)]
for copy, network in zip(theirs, (generator, discriminator)):
    copy.set_weights(network.get_weights())
players = [gan.player(theirs[1]), gan.player(theirs[0])]
their_seeds = keras.random.SeedGenerator(seed)
their_step = gan.gan_step(*theirs, players, their_seeds, batch_size, r1_weight, noise)
(real,) = FreshShapes(batch_size, 1, seed, **picture_options)[0]
for _, adam in players:
    adam.learning_rate = learning_rate
ours = ops.convert_to_numpy(train_step(ops.convert_to_tensor(real)))
by_helper = ops.convert_to_numpy(their_step(ops.convert_to_tensor(real)))
assert np.allclose(ours, by_helper, rtol=1e-3)
print("the losses of this step and of the helper's agree")

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
# Half a minute is a **demonstration**. The project keeps weights of the same two networks after a longer training, with the same step (`make weights NAME=gan-shapes32`). The next cell takes them, and says from which training the figure comes.
#
# ## The same decoder, trained in three ways
#
# Larsen and others (2016) cross the two models. A VAE-GAN keeps the encoder and the KL of the VAE. But the error of a reconstruction $\hat x$ is not measured in pixels. It is measured in features $f$ of the discriminator, which learns what tells real from generated. The game goes on beside it, for the decoder:
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
# TRAINING TEXT
#
# ### The same choice of prior
#
# Notebook `03` drew from a VAE in two ways: from $\mathcal N(0, I)$, and from a mixture of 60 Gaussians fitted to its [aggregate posterior](../docs/site/glossary.md#term-aggregate-posterior), the latents of all pictures together. Whoever has an encoder has this choice, so the VAE-GAN gets it, too. A GAN has no encoder; $\mathcal N(0, I)$ is what it was trained on.

# %%
mixtures = {}
for name, vae in vaes.items():
    mixtures[name] = mixture_prior.fitted_mixture(vae, x_train, parts, seed)
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
alt = "ALT to be written after looking at the figure."
plots.show(plots.picture_rows(rows, count=12), alt=alt)

# %%
scores = {"other real ones": known["other real ones"], "blurred": known["blurred"]}
scores |= {name: compare(pictures) for name, pictures in drawn.items()}
missing = known_missing | {name: missing_modes(pictures) for name, pictures in drawn.items()}
print_scores(scores, missing)

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
alt = "ALT to be written after looking at the figure."
plots.show(plots.interval_panels(panels), alt=alt)

# %% [markdown]
# RESULT TEXT
#
# ## How probable is this picture?
#
# Give each model a real picture and ask for $\log p(x)$.
#
# **The VAE answers with a bound.** $L_{50}$ averages 50 weights $p(x \mid z)\,p(z)/q(z \mid x)$ inside the logarithm (Burda and others, 2016; notebook `07`). The prior $p(z)$ is a part of the model. With the mixture in its place the same decoder is *another* model, with another bound.
#
# **The VAE-GAN can be made to answer.** It has an encoder and a decoder, and if we add a Gaussian of its own root mean square error to each pixel, there is a density. But nothing in its training made that density large.
#
# **The GAN has no answer.** Its pictures lie on a sheet of 16 dimensions, folded into a space of 3,072. Almost every real picture lies beside the sheet. There the density is 0 and its logarithm $-\infty$. The noise of the training blurs the sheet, but a number that one gets so measures the noise. The discriminator does not help: at its best it is a ratio of two densities and knows neither, and after training it is not at its best.
#
# > **Predict first.** Does the fitted mixture raise or lower the VAE's bound? Is the VAE-GAN's bound above or below the VAE's?


# %%
def bound(vae, x, log_prior, k=50):
    """L_k of each picture, in nats, (N,)."""
    mean, log_variance = vae.encoder.predict(x, verbose=0)  # (N, K)
    epsilon = rng.standard_normal((k, *mean.shape))  # (k, N, K)
    z = mean + np.exp(0.5 * log_variance) * epsilon
    log_q = norm.logpdf(epsilon).sum(-1) - 0.5 * log_variance.sum(-1)  # (k, N)

    flat = z.reshape(-1, latent).astype("float32")
    decoded = vae.decoder.predict(flat, batch_size=500, verbose=0).reshape(k, *x.shape)
    sigma = np.exp(float(vae.log_sigma()))
    error = np.square(x - decoded).sum((2, 3, 4))  # (k, N)
    log_likelihood = -error / (2 * sigma**2) - x[0].size * np.log(sigma * np.sqrt(2 * np.pi))

    log_weights = log_likelihood + log_prior(flat).reshape(k, -1) - log_q
    return logsumexp(log_weights, axis=0) - np.log(k)


def standard_normal(z):
    return norm.logpdf(z).sum(-1)


x_asked = x_real[:100]
bounds = {}
for name, vae in vaes.items():
    bounds[f"{name}, N(0, I)"] = bound(vae, x_asked, standard_normal)
    bounds[f"{name}, mixture"] = bound(vae, x_asked, mixtures[name].score_samples)
for name, values in bounds.items():
    print(f"{name:20} L_50 = {metrics.format_interval(values, 0)} nats")
gain = metrics.paired_difference(bounds["VAE, mixture"], bounds["VAE, N(0, I)"])
check = metrics.iwae_bound(vaes["VAE"], x_asked, 50, seed=seed)
print(f"mixture minus N(0, I), VAE: {gain.mean:.1f} ± {gain.half:.1f} nats")
print(f"metrics.iwae_bound, other noise: {check.mean():.0f} nats")

# %% [markdown]
# BOUND TEXT
#
# ## Where does this picture lie?
#
# An encoder says where a picture lies among the latents; this is what the classifiers of notebooks `09` and `10` read. A GAN has a way from $z$ to pictures and none back. (One can search, picture by picture, for the $z$ whose picture is nearest. Donahue and others, 2017, and Dumoulin and others, 2017, train an encoder as a third player.)
#
# > **Predict first.** Who restores a given picture with the smaller error in pixels, the VAE or the VAE-GAN?

# %%
restored, errors = {}, {}
for name, vae in vaes.items():
    restored[name] = vae.predict(x_real[:500], batch_size=250, verbose=0)
    squares = np.square(x_real[:500] - restored[name]).mean((1, 2, 3))  # (N,)
    errors[name] = float(np.sqrt(squares.mean()))
    print(f"{name}: root mean square error of a pixel {errors[name]:.3f}")
rows = {"held out": x_real} | {f"restored, {name}": x for name, x in restored.items()}
alt = "ALT to be written after looking at the figure."
plots.show(plots.picture_rows(rows, count=12), alt=alt)

# %% [markdown]
# RESTORED TEXT
#
# ## What can be asked of which model?
#
# The last four rows are not measured here. They are told from the papers named in them.
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
# Is the blur a property of VAEs? Not of all: VAEs with many levels of latents draw sharp photographs (Child, 2021). Nor do GANs have the best samples any more: on photographs, diffusion models overtook them (Dhariwal and Nichol, 2021). So choose by the question that you must be able to ask.

# %% tags=["results"]
results = {
    "accuracy": 100 * accuracy,
    "last_losses": trace[-50:].mean(axis=0),
    "sigma": {name: np.exp(float(vae.log_sigma())) for name, vae in vaes.items()}["VAE"],
    "gain": [gain.mean, gain.half],
}
names = {"GAN": "gan", "VAE, N(0, I)": "vae", "VAE, mixture": "vae_mixture"}
names |= {"VAE-GAN, N(0, I)": "vaegan", "VAE-GAN, mixture": "vaegan_mixture"}
names |= {name: name.replace(" ", "_") for name in faults}
for name, key in names.items():
    row = (known | scores)[name]
    for measure, value in row.items():
        results[f"{key}_{measure}"] = value
    results[f"{key}_missing"] = missing[name]
    if name in whole:
        results[f"{key}_whole"] = whole[name]
    if name in bounds:
        results[f"{key}_bound"] = metrics.confidence_interval(bounds[name])
for name, note in notes.items():
    key = name.lower().replace("-", "")
    results[f"{key}_minutes"] = note["minutes"]
    results[f"{key}_error"] = errors.get(name, 0.0)
for key in ("gan", "vaegan"):
    note = notes["GAN" if key == "gan" else "VAE-GAN"]
    results[f"{key}_lengths"] = [note["half"]["distance"][0], note["distance"][0]]
    results[f"{key}_change"] = 100 * note["trained_enough"]["share"]
share = 100 * whole["GAN"][0]
record(results, {"accuracy": {"default": (80, 100)}}, f"GAN: one whole object in {share:.0f} %")
