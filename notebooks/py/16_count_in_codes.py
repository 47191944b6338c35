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
# # Count in codes: a discrete latent, a deeper latent, or a learned prior
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/16_count_in_codes.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/16_count_in_codes.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/16_count_in_codes.ipynb) <!--badges-->
#
# ![Seven rows of twelve pictures. Other real: one clean shape each on textured ground. One level from N(0, I): bent and torn shapes, some grounds in patches. One level from the mixture: discs, squares and triangles on grainy plain ground, some corners round or stretched. VQ-VAE: one soft object each, most of them neither disc nor square nor triangle. VQ-VAE, reconstructions: the shapes of the first row, a little softer and grainy. Two levels from N(0, I): the same torn shapes as with one level. Two levels from the mixture: whole shapes on faintly mottled ground.](../docs/pictures/16.png) <!--picture-->
#
# "A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) is stable, and its pictures are blurred." The VAE behind this sentence has one vector of [latents](../docs/site/glossary.md#term-latent-variable) and draws it from $\mathcal N(0, I)$. Both can be changed. **What happens to the samples and to the bound if the latent is discrete, if it has two levels, or if its [prior](../docs/site/glossary.md#term-prior) is learned?**
#
# **What you'll do**
#
# - Draw from one VAE with two priors, and measure how many [nats](../docs/site/glossary.md#term-nat) the prior loses.
# - Build a VQ-VAE, count its bits, train a prior over its codes; and build a VAE with two levels of latents.
# - Compare all of them with real pictures.
#
# **What you'll learn**
#
# - How rounding is trained, and how bits are counted.
# - What a bound may be compared with, and what not.
#
# **What you'll need**
#
# - The VAE and its [ELBO](../docs/site/glossary.md#term-ELBO) (notebooks `03` and `04`), the [rate](../docs/site/glossary.md#term-rate) (`06`), and when a VAE is trained enough (`07`).
# - Mathematics: conditional probabilities, logarithms, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1.9 GB of memory. Nothing is downloaded.

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
weights = "kept"  # of VQ-VAE and two-level VAE: "kept", trained longer, or "own"
images = 10_000  # pictures for the classifier of the ruler and for the mixtures
scored = 500  # pictures in one set of draws, and in a set of real ones
sets = 4  # sets of draws from each model: the intervals are over sets
whole = 100  # draws of each set that the rule of whole objects looks at
classifier_steps = 750  # training steps of the classifier whose features are the ruler
steps = 150  # training steps of the demonstrations of VQ-VAE and two-level VAE
prior_steps = 1_200  # training steps of the prior over the codes
batch_size = 32  # pictures in a training step
num_codes = 256  # code vectors of the VQ-VAE; kept weights have 256, others are its own
parts = 60  # Gaussians in a mixture that serves as a prior

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**31), weights=["kept", "own"], images=range(64, 50_001),
    scored=range(16, 2001), sets=range(1, 11), whole=range(1, 2001),
    classifier_steps=range(1, 50_001), steps=range(1, 100_001),
    prior_steps=range(1, 100_001), batch_size=range(2, 513),
    num_codes=range(2, 4097), parts=range(1, 200),
)  # fmt: skip
set_up(seed)

import math

import keras
import numpy as np
from keras import ops

from helpers import (
    backend,
    data,
    losses,
    metrics,
    models,
    plots,
    pretrained,
    training,
)
from helpers.data.stream import FreshShapes
from helpers.generative import beside_real, evaluator, mixture_prior, pixelcnn, quantised
from helpers.generative.vq import VectorQuantizer, codebook_usage

plots.use()
to_numpy = ops.convert_to_numpy

# %% [markdown]
# ## Pictures
#
# They are those of notebook `00`: one disc, square or triangle on faint texture. A program draws them, so trainings see new ones in every step.

# %%
OPTIONS = {
    "size": 32,
    "objects": 1,
    "radius": (0.18, 0.25),
    "contrast": (0.25, 0.6),
    "texture": 0.1,
    "noise": 0.02,
    "annotators": 1,
}
train = data.load("shapes", "train", limit=images, seed=seed, **OPTIONS)
x_train = data.to_float(train.images)  # (N, H, W, 3)
kind_train = train.factors["class"] - 1  # 0, 1 or 2: disc, square, triangle
val = data.load("shapes", "val", limit=(sets + 1) * scored, seed=seed, **OPTIONS)
x_val = data.to_float(val.images)
real, others = x_val[:scored], x_val[scored:].reshape(sets, scored, *x_val.shape[1:])
shape = x_train.shape[1:]

# %% [markdown]
# ## A ruler for pictures that nobody took
#
# As in notebook `15`, the last features of a small classifier of the objects are compared between drawn and real pictures:
#
# - **Precision**: the share of draws that lie near a real picture.
# - **Recall**: the share of real pictures that lie near a draw.
# - **Kernel distance** of the two clouds; 0 on average for two sets of real pictures.
# - **Sharpness**: the energy of the gradients of pixels, as a share of that of real pictures.
#
# From notebook `00` comes a rule that looks at pixels: the share of draws with exactly **one whole object**.
#
# A model gives a mean and a standard deviation $\sigma$ for each pixel. An honest draw has both, so noise of $\sigma$, the *grain*, is added to the means. Beside the models stand *other real* pictures, which the ruler has not seen.

# %%
ruler = evaluator.SampleEvaluator(
    x_train, kind_train, real, classifier_steps, batch_size, seed=seed
)
MEASURES = ("precision", "recall", "distance", "whole")
scores = {}  # name of a model → one dictionary of scores for each set of draws
pictures = {}  # name of a model → its first draws
first_means = {}  # name of a model → the means of pixels of its first set


def measure(name, means, sigma=0.0):
    """Scores of sets of draws, given the means of pixels (sets, scored, H, W, 3) and σ."""
    rows, drawn = beside_real.score_sets(ruler, np.asarray(means), sigma, whole, seed)
    scores[name] = rows
    pictures[name] = drawn[0][:12].copy()  # a view would keep all draws in memory
    first_means[name] = means[0]
    print(metrics.score_table({name: rows}, MEASURES))


measure("other real", others)

# %% [markdown]
# ## How long the models learned
#
# Three trained models come with this notebook. By the rule of notebook `07` a model is trained enough only if twice the steps change its ELBO by less than 0.5 %. Against a training with half of the steps,
#
# - the one-level VAE gained 1.0<!--=one_percent--> % (40,000<!--=one_half--> to 80,000<!--=one_steps--> steps),
# - the VQ-VAE 3.8<!--=vqvae_shapes32_percent--> % of $\log p(x \mid \text{codes})$ (12,000<!--=vqvae_shapes32_half--> to 24,000<!--=vqvae_shapes32_steps-->),
# - the VAE with two levels 0.8<!--=vae2_shapes32_percent--> % (8,000<!--=vae2_shapes32_half--> to 16,000<!--=vae2_shapes32_steps-->).
#
# **Not one of these halves was enough.** The last two began with the weights of the first. Each kept model was trained once, and the VAE with two levels has seen more pictures. So a **recorded study** (`benchmarks/latents.py`) has three trainings of each, and a *control*: the one-level VAE with the further steps of the two-level one.
#
# ## One vector, and two ways to draw it
#
# The VAE with one level, `vae-shapes32`, has 16 latents. Its [encoder](../docs/site/glossary.md#term-encoder) gives each picture a [posterior](../docs/site/glossary.md#term-posterior) $q(z \mid x)$. The average of the posteriors of all pictures is the *[aggregate posterior](../docs/site/glossary.md#term-aggregate-posterior)* $q(z)$. Training pulls $q(z)$ towards the [prior](../docs/site/glossary.md#term-prior) $\mathcal N(0, I)$, but in general not all the way. A draw from $\mathcal N(0, I)$ may then lie where the [decoder](../docs/site/glossary.md#term-decoder) was never trained.
#
# How much is lost by that can be counted. The mean [KL](../docs/site/glossary.md#term-KL-divergence) of the posteriors splits into two parts (Hoffman and Johnson, 2016):
#
# $$\mathbb E_x\,\mathrm{KL}\big(q(z|x)\,\|\,p(z)\big) = \underbrace{I_q(x; z)}_{\text{what }z\text{ tells about }x} + \underbrace{\mathrm{KL}\big(q(z)\,\|\,p(z)\big)}_{\text{misfit of the prior}}.$$
#
# (Write $\log \frac{q(z|x)}{p(z)} = \log \frac{q(z|x)}{q(z)} + \log \frac{q(z)}{p(z)}$ and take the mean.) Another prior $p'(z)$ changes the second part alone, and with it the bound. A **mixture of 60 Gaussians**, fitted to one draw of $z$ for each of 10,000 pictures, is such a learned prior (Ghosh and others, 2020). The VampPrior (Tomczak and Welling, 2018) is a mixture, too, learned with the VAE.
#
# > **Predict first.** The rate is about 68 nats. How many of these does the mixture save: about 1, 10 or 50?

# %%
one_level, one_note = pretrained.load("vae-shapes32")
if one_level is None:  # installed without kept weights
    one_level = models.conv_vae(shape, 16, likelihood="gaussian", seed=seed)
sigma_one = math.exp(float(one_level.log_sigma()))
mixture = mixture_prior.fitted_mixture(one_level, x_train, parts, seed)


rng = np.random.default_rng(seed)
z_normal = rng.standard_normal((sets, scored, 16)).astype("float32")
z_mixture = [mixture_prior.draw(mixture, scored, seed + run) for run in range(sets)]
for name, latents in (("one level, N(0, I)", z_normal), ("one level, mixture", z_mixture)):
    means = [one_level.decoder.predict(z, verbose=0) for z in latents]
    measure(name, means, sigma_one)

# %% [markdown]
# Now the bounds. A density is meant for values without gaps, so each byte gets uniform noise between it and the next (Theis and others, 2016).

# %%
x_bound = beside_real.dequantised(val.images[:scored], seed)
noise_u = rng.standard_normal((scored, 16)).astype("float32")  # one draw for each picture
nll, kl = (to_numpy(t) for t in one_level.terms(x_bound, noise_u))
# log q(z|x) − log p'(z) at the same draws
kl_mixture = mixture_prior.kl_to_mixture(one_level, x_bound, mixture, noise_u)
gain = kl - kl_mixture
print(f"the mixture saves {metrics.format_interval(gain, 1)} of {kl.mean():.1f} nats")

# name of a model → log p(x|latents), and the nats that the latents take, (N,) each; σ
bounds = {
    "one level, N(0, I)": (-nll, kl, sigma_one),
    "one level, mixture": (-nll, kl_mixture, sigma_one),
}

# %% [markdown]
# In the stored run the mixture saves 8.9<!--=mixture_gain[0]--> ± 0.4<!--=mixture_gain[1]--> nats of a rate of 68<!--=rate-->: about 10. So the misfit of $\mathcal N(0, I)$ is at least that: the mixture's own is not below 0. And 0.97<!--=one_level_mixture_whole[0]--> of its draws show one whole object, but only 0.08<!--=one_level_normal_whole[0]--> of those from $\mathcal N(0, I)$.
#
# Few nats saved, and nearly all draws mended: how does that fit? A KL asks about the places where $q(z)$ has its mass. Suppose $q(z)$ fills a share $f$ of $\mathcal N(0, I)$ and leaves the rest empty. Then the misfit is $-\log f$ nats: 2.5 for a share of 0.08. So **a misfit of few nats can spoil most draws**. (It is larger here: the filled part may be uneven.)

# %% [markdown]
# ## A latent of whole numbers: VQ-VAE
#
# The **VQ-VAE** (van den Oord and others, 2017) has a *[codebook](../docs/site/glossary.md#term-codebook)*: $M$ vectors that are learned. The encoder gives a grid of vectors, and each is replaced by the nearest vector of the codebook. So the picture is told by whole numbers, its **codes**: which vector, at each place.
#
# The nearest vector is a step function of what the encoder says, and the slope of a step is 0: the encoder would learn nothing. With $z$ the encoder's vector, the **straight-through estimator** has the value of the code vector $e$ and the slope of the identity: $z + \mathrm{stop}(e - z)$, where *stop* lets no slope through. It works while $e$ is near $z$.

# %% tags=["nbval-check-output"]
def quantise(z, codebook):
    """Vectors (B, h, w, d) → the nearest of (M, d), with the slope of the identity."""
    distances = ops.sum((ops.expand_dims(z, -2) - codebook) ** 2, axis=-1)  # (B, h, w, M)
    nearest = ops.take(codebook, ops.argmin(distances, axis=-1), axis=0)  # (B, h, w, d)
    return z + ops.stop_gradient(nearest - z)


rng_small = np.random.default_rng(0)
z = keras.Variable(rng_small.normal(size=(2, 4, 4, 3)).astype("float32"))
layer = VectorQuantizer(5, seed=0)
expected = to_numpy(layer(z + 0.0))
value, (slope,) = backend.value_and_grad(lambda: ops.sum(quantise(z, layer.codebook)), [z])
found = to_numpy(quantise(z, layer.codebook))
assert np.allclose(found, expected, atol=1e-5)
assert np.allclose(to_numpy(slope), 1, atol=1e-5)
print("values as by VectorQuantizer; each slope is 1, that of the identity")

# %% [markdown]
# Three more things make it learn:
#
# - **Commitment**: a term $\beta\,\lVert z - \mathrm{stop}(e)\rVert^2$ in the loss keeps the encoder near its codes.
# - **The codes follow** the vectors that chose them, by a moving average.
# - **Restarts**: a code that nobody chooses is put at a vector of the current batch.
#
# `VectorQuantizer` has all three. Encoder and decoder are those of the VAE above, with a grid of 4×4 places in place of the vector, and two codes out of 256 at each.
#
# > **Predict first.** 32 codes out of 256: how many bits is that, sent plain? The VAE needs about 98 bits. Will the [reconstructions](../docs/site/glossary.md#term-reconstruction) of the VQ-VAE have a smaller or a larger error?
#
# Here is the training in full, for 150 steps: a **demonstration**. What follows is about the kept weights.

# %%
SIGMA = 0.04  # standard deviation of a pixel, for the VQ-VAE


def stream(steps):
    """New pictures, batch by batch."""
    return FreshShapes(batch_size, steps, seed, **OPTIONS)


def adam(learning_rate, steps):
    """Adam; its rate rises for 100 steps, then falls to zero like half a cosine wave."""
    schedule = training.rise_and_fall(learning_rate, steps)
    return keras.optimizers.Adam(schedule, beta_2=0.99)


keras.utils.set_random_seed(seed)
vqvae = quantised.VQVAE(
    shape,
    num_codes=num_codes,
    channels=8,  # numbers in a code vector
    per_place=2,
    sigma=SIGMA,
    commitment=4.0,
    seed=seed,
)
vqvae.compile(adam(0.003, steps), **backend.compile_options(planned=steps))
vqvae.fit(stream(steps), shuffle=False, verbose=0)


def error_of(reconstruction, given=real):
    """Root mean square error of a pixel, of held-out pictures or of others."""
    return float(np.sqrt(np.mean((given - reconstruction) ** 2)))


short_error = error_of(vqvae.predict(real, verbose=0))
print(f"error after {steps} steps: {short_error:.4f}")

# %%
notes = {}


def use_kept(model, name, fits=True):
    """Puts kept weights into a model, unless its own are asked for or its sizes differ."""
    if weights == "kept" and fits:
        notes[name] = pretrained.load_weights(model, name)
        print(f"{name}: kept weights, {notes[name]['steps']:,} steps")
    else:
        print(f"{name}: own weights, {steps} steps")


use_kept(vqvae, "vqvae-shapes32", fits=num_codes == 256)
codes = vqvae.encode_indices(real)  # whole numbers, (N, 4, 8)
use = codebook_usage(codes, num_codes)
vq_error = error_of(vqvae.decode_indices(codes))
print(f"error {vq_error:.4f}; of the VAE with one vector, by its σ: {sigma_one:.4f}")
print({name: round(value, 1) for name, value in use.items()})

known = x_train[:1000]  # σ of the VQ-VAE is its error on pictures for training
sigma_vq = error_of(vqvae.predict(known, verbose=0), known)

# %% [markdown]
# A picture has 32 codes out of 256. Sent plain, as equally likely, they take $32 \cdot \log_2 256 = 256$ bits a picture: an upper bound on the rate. An ideal file that knows how often each code occurs, and nothing else, takes 248<!--=vq_entropy_bits--> bits in the stored run: all codes are in use, nearly equally often.
#
# The error of the VQ-VAE is larger: 0.0412<!--=vq_error-->, and 0.0908<!--=short_vq_error--> after the demonstration. That of the VAE, the $\sigma$ that it learned, is 0.0384<!--=one_level_normal_sigma-->, with fewer bits. (The kept VQ-VAE began with that VAE's weights.) The $\sigma$ of the VQ-VAE is its error on 1,000 pictures for training, 0.0414<!--=VQ_VAE_sigma-->.
#
# ## A prior for the codes
#
# Codes that are drawn by their frequencies alone would not fit together. So a second model learns
#
# $$p(c) = \prod_i p(c_i \mid c_1, \dots, c_{i-1}),$$
#
# each code given those before it in reading order. It is a network of **masked convolutions** (PixelCNN; van den Oord and others, 2016): their kernels see only what comes before.
#
# > **Predict first.** Change one code of the grid, and look at the answers for all places. Which of them may change?

# %%
keras.utils.set_random_seed(seed)
prior = pixelcnn.pixelcnn(vqvae.grid, num_codes, width=64, depth=4)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
options = backend.compile_options(planned=prior_steps)
prior.compile(adam(0.006, prior_steps), cross_entropy, **options)
fresh_codes = quantised.FreshCodes(vqvae, stream(prior_steps))
history = prior.fit(fresh_codes, shuffle=False, verbose=0)

# %% tags=["nbval-check-output"]
grids = np.eye(33, 32, k=-1, dtype="int32")  # zeros; then one grid for each changed code
answers = to_numpy(prior(grids.reshape(33, *vqvae.grid))).reshape(33, 32, -1)
differ = np.abs(answers[1:] - answers[0]).max(axis=-1) > 1e-6  # (changed code, answer)
assert not np.tril(differ).any()  # none at the changed place or before it
print(f"{differ.sum()} of {32 * 31 // 2} pairs of a code and a later answer are joined")

# %% [markdown]
# Only places *after* the changed one. So the product above is a probability. Of the 496 pairs of a code and a later answer, 415<!--=seen_pairs--> are joined. Most others lie in the **blind spot** of stacked masks, at the upper right.
#
# So the VQ-VAE has a bound, too. The codes $c(x)$ that the encoder chooses are one term of a sum of positive terms:
#
# $$\log p(x) = \log \sum_c p(c)\,p(x|c) \;\ge\; \log p(c(x)) + \log p(x \mid c(x)).$$

# %%
code_nats = pixelcnn.code_nll(prior, vqvae.encode_indices(x_bound))  # −log p(c(x)), (N,)
use["prior_bits"] = code_nats.mean() / math.log(2)
print(f"{use['prior_bits']:.0f} bits with the prior")
drawn = [pixelcnn.sample_codes(prior, scored, seed + run) for run in range(sets)]
measure("VQ-VAE", [vqvae.decode_indices(codes) for codes in drawn], sigma_vq)
redrawn = [vqvae.predict(x, verbose=0) for x in others]
measure("VQ-VAE, reconstructions", redrawn, sigma_vq)
nll = vqvae.reconstruction_nll(x_bound, vqvae(x_bound), math.log(sigma_vq))
bounds["VQ-VAE"] = -to_numpy(nll), code_nats, sigma_vq

# %% [markdown]
# The prior brings 256 bits down to 157<!--=vq_prior_bits-->, or 109<!--=VQ_VAE_latents[0]--> nats. It learned for 1,200 steps: a demonstration. Of its draws, 0.31<!--=VQ_VAE_whole[0]--> show one whole object. The *reconstructions* of real pictures tell what the decoder can do where the codes fit together: 0.97<!--=VQ_VAE_reconstructions_whole[0]-->. So most draws fail by the prior. In the study a prior of 4,800 steps has 0.44<!--=study_VQ_VAE_prior_of_4800_steps_whole[0]--> ± 0.06<!--=study_VQ_VAE_prior_of_4800_steps_whole[1]-->.
#
# ## Two levels of latents
#
# A vector $u$ of 16 latents says what the picture shows. A grid $v$ of 8×8 places with 6 numbers each says the details, and *its prior depends on $u$*:
#
# $$p(x, u, v) = \underbrace{\mathcal N(u; 0, I)}_{p(u)}\;\underbrace{\mathcal N\big(v; m(u), s(u)^2\big)}_{p(v|u)}\;p(x \mid u, v).$$
#
# A network gives $m$ and $s$, so the prior $p(v \mid u)$ is learned with everything else. The encoder first says $q(u \mid x)$, and then, for a drawn $u$, $q(v \mid x, u)$ (Sønderby and others, 2016). The bound is that of notebook `04` with the pair $(u, v)$ in the place of $z$, and its KL falls into two:
#
# $$\log p(x) \ge \mathbb E_q\big[\log p(x|u, v)\big] - \mathrm{KL}\big(q(u|x)\,\|\,p(u)\big) - \mathbb E_{q(u|x)}\,\mathrm{KL}\big(q(v|x,u)\,\|\,p(v|u)\big).$$
#
# Write $v = m(u) + s(u) \cdot w$. Then $w$ has the prior $\mathcal N(0, I)$, and a KL does not change if both densities are shifted and stretched alike. So the network says $q(w \mid x, u)$, and the KL of $v$ is the KL of $w$, in the form that you know (Vahdat and Kautz, 2020).
#
# The networks are those of the VAE with one vector and three small ones: for $m$ and $s$, for $q(w \mid x, u)$, and a convolution that adds $v$ to the decoder. Without these three the model *is* the one-level VAE, and training goes on from its kept weights. The weight of the KL rises from 0 to 1 ([warm-up](../docs/site/glossary.md#term-KL-warm-up), notebook `07`). In draws from $\mathcal N(0, I)$, $u$ gets the same numbers as $z$.
#
# One pass by hand, then the training:

# %%
keras.utils.set_random_seed(seed)
two_levels = models.TwoLevelVAE(
    shape,
    latent=16,  # numbers in u
    width=32,
    channels=6,  # numbers in v at each of 8×8 places
    warmup_steps=steps // 4,
    seed=seed,
)
two_levels.start_from(one_level)


def pass_by_hand(x, noise_u, noise_w):
    """log p(x|u, v), the KL of u and the KL of w: nats, (N,) each."""
    part = two_levels.parts  # the five networks
    mean_u, log_variance_u, low = part["bottom_up"](x)
    u = mean_u + ops.exp(0.5 * log_variance_u) * ops.array(noise_u)
    top = part["top_down"](u)  # features that u alone gives, (N, 8, 8, 32)
    m, log_s2 = part["prior"](top)
    mean_w, log_variance_w = part["posterior"]([low, top])
    w = mean_w + ops.exp(0.5 * log_variance_w) * ops.array(noise_w)
    v = m + ops.exp(0.5 * log_s2) * w
    redrawn = part["pixels"]([top, v])
    nll = losses.gaussian_nll(x, redrawn, two_levels.log_sigma())
    kl_u = losses.gaussian_kl(mean_u, log_variance_u)
    kl_w = losses.gaussian_kl(mean_w, log_variance_w)
    return [to_numpy(t) for t in (-nll, kl_u, kl_w)]


noise_w = rng.standard_normal((scored, *two_levels.grid)).astype("float32")
log_likelihood, kl_u, kl_w = pass_by_hand(x_bound, noise_u, noise_w)
noise = np.concatenate([noise_u, noise_w.reshape(scored, -1)], axis=1)
by_model = to_numpy(two_levels.elbo(x_bound, noise))
assert np.allclose(log_likelihood - kl_u - kl_w, by_model, rtol=1e-3)

two_levels.compile(adam(0.002, steps), **backend.compile_options(planned=steps))
history = two_levels.fit(stream(steps), shuffle=False, verbose=0)

# %% [markdown]
# > **Predict first.** Redraw $w$ for a given $u$: what of the picture stays, what changes? And which level costs more nats?

# %%
use_kept(two_levels, "vae2-shapes32")
sigma_two = math.exp(float(two_levels.log_sigma()))
log_likelihood, kl_u, kl_w = pass_by_hand(x_bound, noise_u, noise_w)
print(f"KL of u {kl_u.mean():.0f} nats, KL of v {kl_w.mean():.0f} nats")

few = real[:12]
mean_u = two_levels.encode(few)[0]
rows = {
    "held out": few,
    "one level": one_level.predict(few, verbose=0),
    "VQ-VAE": vqvae.predict(few, verbose=0),
    "two levels": two_levels.predict(few, verbose=0),
    "same u, other w": to_numpy(two_levels.decode_levels(mean_u, noise_w[:12])),
}
fig = plots.picture_rows(rows, count=12)
alt = "Five rows of twelve pictures. Held out: a disc, square or triangle on textured ground. One level: the same objects on plain ground. VQ-VAE: the same objects a little softer, some corners and colours wrong, the broad stripes of the ground faintly back. Two levels: the objects as with one level, the stripes clearer. Same u, other w: the same objects, another mottled pattern on the ground."
plots.show(fig, alt=alt)

# %%
mixture_u = mixture_prior.fitted_mixture(two_levels, x_train, parts, seed)
kl_u_mixture = mixture_prior.kl_to_mixture(two_levels, x_bound, mixture_u, noise_u)
bounds["two levels, N(0, I)"] = log_likelihood, kl_u + kl_w, sigma_two
bounds["two levels, mixture"] = log_likelihood, kl_u_mixture + kl_w, sigma_two

u_mixture = [mixture_prior.draw(mixture_u, scored, seed + run) for run in range(sets)]
for name, latents in (("two levels, N(0, I)", z_normal), ("two levels, mixture", u_mixture)):
    # v is drawn from p(v|u)
    means = [to_numpy(two_levels.sample(scored, seed + i, u)) for i, u in enumerate(latents)]
    measure(name, means, sigma_two)

# %% [markdown]
# In the stored run $u$ costs 65<!--=kl_u--> nats, about as much as $z$ in the one-level VAE, and $v$ costs 158<!--=kl_v--> (in the study's other trainings both together 164<!--=each_two_levels_normal_latents[1]-->). With the same $u$ and another $w$, shape, place and colours stay, and the pattern of the ground changes.
#
# ## The bounds, side by side
#
# Each bound is below *its own model's* $\log p(x)$, by an amount that nobody knows. So the difference of two bounds is no difference of two likelihoods.
#
# All are measured on the same pictures, with one sample of the latents; once with each model's own $\sigma$, and once with that of the one-level VAE, because $\sigma$ alone moves such a number.

# %%
table = beside_real.bounds_beside(bounds, sigma_one, math.prod(shape))
print(beside_real.bounds_table(table))

# %% [markdown]
# In the stored run the second level raises the bound from 5,609<!--=one_level_normal_bound[0]--> to 6,173<!--=two_levels_normal_bound[0]--> nats, and with the same σ, 0.0384<!--=one_level_normal_sigma-->, to 6,019<!--=two_levels_normal_common[0]-->. Part of the texture, which 16 latents leave out, is described, and saves more nats than it takes. In the study the second level gives +400<!--=study_second_level_common[0]--> ± 50<!--=study_second_level_common[1]--> nats beyond the control, at the same σ (*p* = 0.004<!--=study_second_level_common[2]--> after [Holm's correction](../docs/site/glossary.md#term-Holm-s-correction) for seven claims), and the control's further steps alone give −6<!--=study_further_steps_common[0]--> ± 4<!--=study_further_steps_common[1]--> (corrected *p* = 0.15<!--=study_further_steps_common[2]-->). So it is the level, with its weights. The bound of the VQ-VAE is 5,346<!--=VQ_VAE_bound[0]--> nats.
#
# ## The samples, on one ruler
#
# > **Predict first.** Which rows come near *other real*? Does a higher bound go with better samples?

# %%
labels = {"precision": "precision", "recall": "recall", "whole": "one whole object"}
fig = plots.interval_panels(beside_real.intervals(scores, labels), limits=(0, 1.2))
alt = "Bars with intervals for precision, recall and the share with one whole object. Other real: 0.89, 0.91, 0.99. One level: 0.72, 0.81, 0.08 from N(0, I) and 0.84, 0.90, 0.97 from the mixture. VQ-VAE: 0.76, 0.88, 0.31 for draws and 0.90, 0.88, 0.97 for reconstructions. Two levels: 0.74, 0.82, 0.08 from N(0, I) and 0.82, 0.90, 0.96 from the mixture."
plots.show(fig, alt=alt)
print(metrics.score_table(scores, MEASURES))
apart = beside_real.differences(scores, "two levels, mixture", "one level, mixture", MEASURES)
for name, (mean, half) in apart.items():
    print(f"two levels minus one level, with a mixture, {name}: {mean:.2f} ± {half:.2f}")

# %% tags=["picture"]
fig = plots.picture_rows(pictures, count=12)
alt = "Seven rows of twelve pictures. Other real: one clean shape each on textured ground. One level from N(0, I): bent and torn shapes, some grounds in patches. One level from the mixture: discs, squares and triangles on grainy plain ground, some corners round or stretched. VQ-VAE: one soft object each, most of them neither disc nor square nor triangle. VQ-VAE, reconstructions: the shapes of the first row, a little softer and grainy. Two levels from N(0, I): the same torn shapes as with one level. Two levels from the mixture: whole shapes on faintly mottled ground."
plots.show(fig, alt=alt)

# %% [markdown]
# The study (three trainings each):
#
# | draws | precision | recall | [kernel distance](../docs/site/glossary.md#term-kernel-distance) |
# |---|---|---|---|
# | other real | 0.89<!--=study_other_real_precision[0]--> ± 0.02<!--=study_other_real_precision[1]--> | 0.91<!--=study_other_real_recall[0]--> ± 0.02<!--=study_other_real_recall[1]--> | −0.01<!--=study_other_real_distance[0]--> ± 0.02<!--=study_other_real_distance[1]--> |
# | one level, mixture | 0.83<!--=study_one_level_mixture_precision[0]--> ± 0.03<!--=study_one_level_mixture_precision[1]--> | 0.90<!--=study_one_level_mixture_recall[0]--> ± 0.02<!--=study_one_level_mixture_recall[1]--> | 0.05<!--=study_one_level_mixture_distance[0]--> ± 0.05<!--=study_one_level_mixture_distance[1]--> |
# | two levels, mixture | 0.82<!--=study_two_levels_mixture_precision[0]--> ± 0.02<!--=study_two_levels_mixture_precision[1]--> | 0.89<!--=study_two_levels_mixture_recall[0]--> ± 0.04<!--=study_two_levels_mixture_recall[1]--> | 0.06<!--=study_two_levels_mixture_distance[0]--> ± 0.06<!--=study_two_levels_mixture_distance[1]--> |
# | VQ-VAE, prior of 4,800 steps | 0.79<!--=study_VQ_VAE_prior_of_4800_steps_precision[0]--> ± 0.02<!--=study_VQ_VAE_prior_of_4800_steps_precision[1]--> | 0.88<!--=study_VQ_VAE_prior_of_4800_steps_recall[0]--> ± 0.04<!--=study_VQ_VAE_prior_of_4800_steps_recall[1]--> | 0.49<!--=study_VQ_VAE_prior_of_4800_steps_distance[0]--> ± 0.11<!--=study_VQ_VAE_prior_of_4800_steps_distance[1]--> |
#
#
# - By distance both VAEs come near *other real*, the VQ-VAE's draws do not. In precision all stay below it.
# - One and two levels were not told apart: second level minus control is −0.01<!--=study_second_level_precision[0]--> ± 0.04<!--=study_second_level_precision[1]--> in precision, −0.01<!--=study_second_level_recall[0]--> ± 0.05<!--=study_second_level_recall[1]--> in recall and 0.00<!--=study_second_level_whole[0]--> ± 0.02<!--=study_second_level_whole[1]--> in whole objects.
# - From $\mathcal N(0, I)$, both draw few whole objects, and nearly the same torn shapes: the second level did not mend the prior of the first.
#
# Hundreds of nats made no difference that these scores saw; 9 nats of prior change nearly every draw. So **a higher bound does not tell who draws better objects**.
#
# ## Do VAEs blur?
#
# Sharpness counts grain, too. So the next cell looks at means alone. Beside them stand the real pictures, drawn again without their noise and without their texture: a mean that leaves both out can be no sharper. And it measures outlines: the pixels between the colours of ground and object, divided by the root of the object's area.

# %%
def drawn_without(**left_out):
    """The real pictures again, without noise or texture."""
    options = OPTIONS | left_out
    return data.to_float(data.load("shapes", "val", limit=scored, seed=seed, **options).images)


look = {}
clean = drawn_without(noise=0.0, texture=0.0)
beside = {"real": real, "no noise": drawn_without(noise=0.0), "no noise, no texture": clean}
for width in (0.3, 0.5, 0.7):  # standard deviation of a Gaussian blur, in pixels
    beside[f"the same, blurred by {width}"] = beside_real.blurred(clean, width)
for name, model in (("one level", one_level), ("two levels", two_levels)):
    beside[f"{name}, reconstructions"] = model.predict(real, verbose=0)
beside |= first_means

for name, x in beside.items():  # sharpness, and softness of outlines with its half width
    look[name] = beside_real.look(ruler, x, whole)
    print("{:<28} sharpness {:.2f}, softness {:.1f} ± {:.1f}".format(name, *look[name]))

# %% [markdown]
# In the stored run the means of the best samplers have a sharpness of 0.58<!--=look_one_level_mixture[0]--> and 0.60<!--=look_two_levels_mixture[0]-->. Real pictures have 0.81<!--=look_no_noise[0]--> without noise, and 0.73<!--=look_no_noise_no_texture[0]--> without noise and texture. So most of what the means lack is noise and texture; the rest is in the outlines. By sharpness (0.60<!--=look_one_level_reconstructions[0]-->) the reconstructions of one level are like clean pictures blurred by 0.3 pixel (0.59<!--=look_the_same_blurred_by_0p3[0]-->), by the softness of their outlines (3.9<!--=look_one_level_reconstructions[1]-->) like those blurred by 0.5 (3.9<!--=look_the_same_blurred_by_0p5[1]-->). The draws from the mixtures have 3.8<!--=look_one_level_mixture[1]--> and 3.9<!--=look_two_levels_mixture[1]-->. So **reconstructions of these VAEs, and draws from the mixtures, do have blurred outlines, by about half a pixel at most**.
#
# With grain these samplers have 1.28<!--=one_level_mixture_sharpness[0]--> and 1.04<!--=two_levels_mixture_sharpness[0]-->, more than real pictures; in the study the control has 1.30<!--=study_trained_on_mixture_sharpness[0]--> and two levels 1.06<!--=study_two_levels_mixture_sharpness[0]-->, nearer to them. The noise of real pictures has a standard deviation of 0.02, and $\sigma$ is 0.0384<!--=one_level_normal_sigma--> and 0.0302<!--=two_levels_normal_sigma-->: it stands for the texture that the latents leave out as well. **A VAE smooths what its latents cannot say**, and its grain puts noise there.
#
# **Exercise.** A picture has 8×8 places with one code out of 512 at each. In a trained model only 64 of the 512 codes are ever used, all equally often and independently of each other. How many bits a picture does the best file need that knows this?

# %%
your_bits = None  # ← your number
true_bits = 64 * 6
print(f"your value {your_bits}, true value {'?' if your_bits is None else true_bits}")
hint = "A choice among N equally likely codes takes log2 N bits, at each place."
assert your_bits is None or abs(your_bits - true_bits) < 0.5, hint

# %% [markdown]
# <details><summary>Solution</summary>
#
# $64 \cdot \log_2 64 = 384$ bits; sent plain, $64 \cdot \log_2 512 = 576$.
#
# </details>
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
def key_of(name):
    """A name as a part of a key: "one level, N(0, I)" → "one_level_normal"."""
    name = name.replace("N(0, I)", "normal").replace("-", "_").replace(".", "p")
    return name.replace(", ", "_").replace(" ", "_")


results = {"mixture_gain": metrics.confidence_interval(gain), "rate": float(kl.mean())}
results["seen_pairs"] = int(differ.sum())
results["mixture_gain_two"] = metrics.confidence_interval(kl_u - kl_u_mixture)
for name, rows in scores.items():
    for key in ("whole", *beside_real.MEASURES):
        results[f"{key_of(name)}_{key}"] = metrics.confidence_interval([r[key] for r in rows])
    for key in beside_real.MEASURES:
        values = [row["means"][key] for row in rows]
        results[f"{key_of(name)}_means_{key}"] = metrics.confidence_interval(values)
for name, row in table.items():
    results |= {f"{key_of(name)}_{key}": value for key, value in row.items()}
results |= {f"vq_{name}": value for name, value in use.items()}
results |= {"vq_error": vq_error, "short_vq_error": short_error}
results |= {f"two_minus_one_{name}": pair for name, pair in apart.items()}
results |= {f"look_{key_of(name)}": values for name, values in look.items()}
results |= {"kl_u": float(kl_u.mean()), "kl_v": float(kl_w.mean())}
for name, note in notes.items():
    short = name.replace("-", "_")
    enough = note["trained_enough"]
    results |= {f"{short}_steps": note["steps"], f"{short}_percent": enough["percent"]}
    results[f"{short}_half"] = note["half"]["steps"]
if one_note:
    enough = one_note["trained_enough"]
    results |= {"one_percent": enough["percent"], "one_gain": enough["difference_nats"]}
    results |= {"one_steps": one_note["steps"], "one_half": one_note["half"]["steps"]}
if study := data.records.results_of("latents"):  # the recorded study
    for claim, found in study["claims"].items():
        results[f"study_{key_of(claim)}"] = [found[key] for key in ("gain", "half", "p")]
    for row, measured in study["score"].items():
        results |= {f"study_{key_of(row)}_{key}": pair for key, pair in measured.items()}
    for row, measured in study["each"].items():
        results |= {f"each_{key_of(row)}_{key}": values for key, values in measured.items()}
best = results["two_levels_mixture_precision"][0], results["two_levels_mixture_recall"][0]
line = "two levels, mixture: precision {:.2f}, recall {:.2f}".format(*best)
record(results, {"rate": {"default": (40, 100)}}, line)

# %% [markdown]
# ## What you saw
#
# - **A learned prior** changed the bound by 8.9<!--=mixture_gain[0]--> nats, and the share of draws with one whole object from 0.08<!--=one_level_normal_whole[0]--> to 0.97<!--=one_level_mixture_whole[0]-->.
# - **A deeper latent** raised the bound from 5,609<!--=one_level_normal_bound[0]--> to 6,173<!--=two_levels_normal_bound[0]--> nats. Its draws need the mixture as well, and no better precision was seen.
# - **A discrete latent** can be counted: 256 bits sent plain, 157<!--=vq_prior_bits--> with a prior of 1,200 steps, by which most of its draws fail.
# - Reconstructions of both VAEs, and draws from mixtures, have outlines blurred by half a pixel at most, and grain for texture.
# - Another [study](../docs/results.md) trained heads for segments on these latents: no difference was seen.
# - The kept models have the best bounds of the study's three trainings. The pictures are of one easy kind.
#
# ## Check yourself
#
# 1. A mixture takes the place of $\mathcal N(0, I)$, and the bound rises by 5 nats. What has changed in the reconstructions?
#
#    <details><summary>Answer</summary>
#
#    Nothing. Only the KL is smaller.
#
#    </details>
# 2. On the same pictures, the bound of model A is 6,000 nats and that of model B 5,900. Which gives the pictures the higher probability?
#
#    <details><summary>Answer</summary>
#
#    Not known: B's bound may be 200 nats too low.
#
#    </details>
# 3. What does the prior over codes have to do with the bound of a VQ-VAE?
#
#    <details><summary>Answer</summary>
#
#    It gives the codes their probability; a better one lifts the bound.
#
#    </details>
#
# ## On your own
#
# 1. **A prior with one part.** Set `parts = 1`. How many of the saved nats are left, and how many draws show one whole object?
#
#    <details><summary>Hint</summary>
#
#    One Gaussian can only mend mean, spread and correlation.
#
#    </details>
# 2. **A better mixture.** How many more nats do `parts = 150` and `images = 50_000` save?
#
# ## References
#
# - Ghosh, P. and others (2020). From Variational to Deterministic Autoencoders. ICLR. [arXiv:1903.12436](https://arxiv.org/abs/1903.12436)
# - Hoffman, M. D. and Johnson, M. J. (2016). ELBO surgery: yet another way to carve up the variational evidence lower bound. NeurIPS workshop. <http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf>
# - Sønderby, C. K. and others (2016). Ladder Variational Autoencoders. NeurIPS. [arXiv:1602.02282](https://arxiv.org/abs/1602.02282)
# - Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
# - Tomczak, J. M. and Welling, M. (2018). VAE with a VampPrior. AISTATS. [arXiv:1705.07120](https://arxiv.org/abs/1705.07120)
# - Vahdat, A. and Kautz, J. (2020). NVAE: A Deep Hierarchical Variational Autoencoder. NeurIPS. [arXiv:2007.03898](https://arxiv.org/abs/2007.03898)
# - van den Oord, A., Kalchbrenner, N. and Kavukcuoglu, K. (2016). Pixel Recurrent Neural Networks. ICML. [arXiv:1601.06759](https://arxiv.org/abs/1601.06759)
# - van den Oord, A., Vinyals, O. and Kavukcuoglu, K. (2017). Neural Discrete Representation Learning. NeurIPS. [arXiv:1711.00937](https://arxiv.org/abs/1711.00937)
