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
# BADGES <!--badges-->
#
# ![x](../docs/pictures/16.png) <!--picture-->
#
# "A [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) is stable, and its pictures are blurred." The VAE behind this sentence has one vector of latents and draws it from $\mathcal N(0, I)$. Both can be changed. **What happens to the samples and to the bound if the latent is discrete, if it has two levels, or if its [prior](../docs/site/glossary.md#term-prior) is learned?**
#
# **What you'll do**
#
# - Draw from one VAE with two priors, and measure how many [nats](../docs/site/glossary.md#term-nat) the prior loses.
# - Build a VQ-VAE, whose latent is a grid of whole numbers, count its bits, and train a prior over its codes.
# - Build a VAE with two levels of latents.
# - Put all of them on one ruler, beside real pictures.
#
# **What you'll learn**
#
# - Why the slope of a rounding step is 0, and what the straight-through estimator puts in its place.
# - How a picture's bits are counted: plain, by frequencies, by a prior that knows what came before.
# - What a bound may be compared with, and what not.
#
# **What you'll need**
#
# - The VAE and its [ELBO](../docs/site/glossary.md#term-ELBO) (notebooks `03` and `04`), the [rate](../docs/site/glossary.md#term-rate) (`06`), and when a VAE is trained enough (`07`).
# - Mathematics: conditional probabilities, logarithms, and what a 95 % interval is.
# - About 3 minutes to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 40 minutes to read, and 1.5 GB of memory. Nothing is downloaded.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
seed = 0  # of the pictures, the first weights and every random draw
weights = "kept"  # of VQ-VAE, prior and two-level VAE: "kept", trained longer, or "own"
images = 10_000  # pictures for the classifier of the ruler and for the mixtures
scored = 500  # pictures in one set of draws, and in a set of real ones
sets = 4  # sets of draws from each model: the intervals are over sets
whole = 100  # draws of each set that the rule of whole objects looks at
classifier_steps = 750  # training steps of the classifier whose features are the ruler
steps = 150  # training steps of each demonstration
batch_size = 32  # pictures in a training step
num_codes = 256  # code vectors of the VQ-VAE
parts = 60  # Gaussians in a mixture that serves as a prior

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**31), weights=["kept", "own"], images=range(64, 50_001),
    scored=range(16, 2001), sets=range(1, 11), whole=range(1, 2001),
    classifier_steps=range(1, 50_001), steps=range(1, 100_001), batch_size=range(2, 513),
    num_codes=range(2, 4097),
    parts=range(1, 200),
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
from helpers.generative import evaluator, mixture_prior, pixelcnn, quantised
from helpers.generative.vq import VectorQuantizer, codebook_usage
from helpers.generative.whole_objects import one_whole_object

plots.use()

# %% [markdown]
# ## Pictures
#
# They are those of notebook `00`: one disc, square or triangle on faint texture, 32×32 pixels. A program draws them, so trainings see new ones in every step. Set by set we also draw real pictures to compare with.

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
# The ruler is that of notebook `15`. A small classifier learns to name the kinds of objects. Its last features, 64 numbers a picture, are compared between drawn and real pictures:
#
# - **Precision**: the share of draws that lie near a real picture. Do they look real?
# - **Recall**: the share of real pictures that lie near a draw. Is everything real among them?
# - **Kernel distance**: how far the two clouds of features are apart; 0 on average for two sets of real pictures.
# - **Sharpness**: the energy of the gradients of pixels, as a share of that of real pictures.
#
# And from notebook `00` a rule that looks at pixels: the share of draws with exactly **one whole object**.
#
# A model of pixels gives a mean and a standard deviation $\sigma$ for each pixel. An honest draw has both, so we add the noise to the mean. What the models are compared with is *other real*: real pictures that the ruler has not seen. No model can be expected to do better.

# %%
ruler = evaluator.SampleEvaluator(
    x_train, kind_train, real, classifier_steps, batch_size, seed=seed
)
MEASURES = ("precision", "recall", "distance", "sharpness")
scores = {}  # name of a model → one dictionary a set
pictures = {}  # name of a model → its first draws


def measure(name, drawn, sigma=0.0):
    """Scores of sets of draws: means of pixels, (sets, scored, H, W, 3), and their σ."""
    rng = np.random.default_rng(seed)
    noise = sigma * rng.standard_normal(drawn.shape).astype("float32")
    honest = (drawn + noise).clip(0, 1)
    scores[name] = [ruler.evaluate(one) for one in honest]
    for row, one, means in zip(scores[name], honest, drawn):
        row["whole"] = one_whole_object(one[:whole]).mean()
        row["without grain"] = ruler.evaluate(means)
    pictures[name] = honest[0][:12]
    for measure_name in (*MEASURES, "whole"):
        told = metrics.format_interval([row[measure_name] for row in scores[name]], 2)
        print(f"{measure_name:<10} {told}")


measure("other real", others)

# %% [markdown]
# ## One vector, and two ways to draw it
#
# The kept VAE `vae-shapes32` has 16 latents, and learned for 80,000 steps. Its [encoder](../docs/site/glossary.md#term-encoder) gives each picture a [posterior](../docs/site/glossary.md#term-posterior) $q(z \mid x)$. All posteriors together are the *[aggregate posterior](../docs/site/glossary.md#term-aggregate-posterior)* $q(z)$. Training pulls $q(z)$ towards the [prior](../docs/site/glossary.md#term-prior) $\mathcal N(0, I)$ and never brings it all the way. A draw from $\mathcal N(0, I)$ may then lie where no posterior does, and what the [decoder](../docs/site/glossary.md#term-decoder) makes of it was never trained.
#
# How much is lost by that can be counted. The mean [KL](../docs/site/glossary.md#term-KL-divergence) of the posteriors splits into two parts (Hoffman and Johnson, 2016):
#
# $$\mathbb E_x\,\mathrm{KL}\big(q(z|x)\,\|\,p(z)\big) = \underbrace{I_q(x; z)}_{\text{what }z\text{ tells about }x} + \underbrace{\mathrm{KL}\big(q(z)\,\|\,p(z)\big)}_{\text{misfit of the prior}}.$$
#
# (Write $\log \frac{q(z|x)}{p(z)} = \log \frac{q(z|x)}{q(z)} + \log \frac{q(z)}{p(z)}$ and take the mean.) The first part does not depend on the prior. So if another prior $p'(z)$ takes the place of $\mathcal N(0, I)$, the bound changes by the change of the misfit and by nothing else. Encoder and decoder stay as they are. A **mixture of 60 Gaussians**, fitted to one draw of $z$ for each of 10,000 pictures, is such a learned prior (Ghosh and others, 2020).
#
# > **Predict first.** The rate is about 68 nats. How many of these does the mixture save: about 1, 10 or 50?

# %%
one_level, one_note = pretrained.load("vae-shapes32")
if one_level is None:  # installed without kept weights
    one_level = models.conv_vae(shape, 16, likelihood="gaussian", seed=seed)
sigma_one = math.exp(float(one_level.log_sigma()))
u_train = one_level.encoder.predict(x_train, batch_size=500, verbose=0)[0]  # means, (N, 16)
mixture = mixture_prior.fitted_mixture(one_level, x_train, parts, seed)


def draw_mixture(mixture, run):
    """Latents from a mixture, (scored, K), in random order."""
    mixture.random_state = seed + run
    drawn, _ = mixture.sample(scored)  # one Gaussian after the other
    return np.random.default_rng(run).permutation(drawn).astype("float32")


def decode(decoder, latents):
    """Sets of latents → sets of means of pixels, (sets, scored, H, W, 3)."""
    return np.stack([decoder.predict(z, batch_size=500, verbose=0) for z in latents])


rng = np.random.default_rng(seed)
z_normal = rng.standard_normal((sets, scored, u_train.shape[1])).astype("float32")
z_mixture = [draw_mixture(mixture, run) for run in range(sets)]
measure("one level, N(0, I)", decode(one_level.decoder, z_normal), sigma_one)
measure("one level, mixture", decode(one_level.decoder, z_mixture), sigma_one)
spread = u_train.std(axis=0)  # of the means of the posteriors, (16,)
print(f"spread of the 16 means: {spread.min():.2f} to {spread.max():.2f}")

# %% [markdown]
# The bounds are measured on held-out pictures, with one sample of the latents for each picture, for every model alike. A density is meant for values without gaps, so each byte gets uniform noise between it and the next (Theis and others, 2016).

# %%
def dequantised(images):
    """Bytes (N, H, W, 3) → floats in [0, 1] without gaps."""
    noise = np.random.default_rng(seed).random(images.shape)
    return ((images + noise) / 256).astype("float32")


x_bound = dequantised(val.images[:scored])
bounds = {}  # name → (log p(x|latents), minus what the latents take), (N,) nats each


rng = np.random.default_rng(seed)
noise_u = rng.standard_normal((scored, u_train.shape[1])).astype("float32")


def kl_to_mixture(vae, x, mixture):
    """log q(z|x) − log p'(z) at one draw of z for each picture: (N,), nats."""
    mean, log_variance = (ops.convert_to_numpy(t) for t in vae.encode(x))
    z = mean + np.exp(0.5 * log_variance) * noise_u
    log_q = -0.5 * (math.log(2 * math.pi) + log_variance + noise_u**2).sum(axis=1)
    return log_q - mixture.score_samples(z)


nll, kl = (ops.convert_to_numpy(t) for t in one_level.terms(x_bound, noise_u))
kl_mixture = kl_to_mixture(one_level, x_bound, mixture)
bounds["one level, N(0, I)"] = -nll, -kl
bounds["one level, mixture"] = -nll, -kl_mixture
gain = kl - kl_mixture
print(f"the mixture saves {metrics.format_interval(gain, 1)} nats")

# %% [markdown]
# In the stored run the mixture saves 0.0<!--=mixture_gain[0]--> ± 0.0<!--=mixture_gain[1]--> nats of a rate of 0<!--=rate-->: little. (The fit is not perfect, so the true misfit is a little larger.) And yet 0.00<!--=one_level_mixture_whole[0]--> of the draws from the mixture show one whole object, and 0.00<!--=one_level_normal_whole[0]--> of those from $\mathcal N(0, I)$.
#
# Both are right. A KL asks about the places where $q(z)$ has its mass. Suppose $q(z)$ fills only a share $f$ of $\mathcal N(0, I)$ and leaves the rest empty. The misfit is then $-\log f$ nats: 3 nats for one twentieth. So **a prior can be nearly right in nats, and most of its draws can be wrong**. The bound does not see it; only who draws does.

# %% [markdown]
# ## A latent of whole numbers: VQ-VAE
#
# The **VQ-VAE** (van den Oord and others, 2017) has a *[codebook](../docs/site/glossary.md#term-codebook)*: $K$ vectors that are learned. The encoder gives a grid of vectors, and each is replaced by the nearest vector of the codebook. So the picture is told by whole numbers: which vector, at each place. These numbers are its **codes**.
#
# The trouble is the slope. The nearest vector is a step function of what the encoder says, and the slope of a step is 0: the encoder would learn nothing. The **straight-through estimator** puts another slope in its place. Forwards the value of the code vector $e$, backwards the slope of the identity: $z + \mathrm{stop}(e - z)$, where *stop* lets no slope through. It is no true slope; it works because $e$ is near $z$.

# %% tags=["nbval-check-output"]
def quantise(z, codebook):
    """Vectors (B, h, w, d) → the nearest of (K, d), with the slope of the identity."""
    distances = ops.sum((ops.expand_dims(z, -2) - codebook) ** 2, axis=-1)  # (B, h, w, K)
    nearest = ops.take(codebook, ops.argmin(distances, axis=-1), axis=0)  # (B, h, w, d)
    return z + ops.stop_gradient(nearest - z)


rng = np.random.default_rng(0)
z = keras.Variable(rng.normal(size=(2, 4, 4, 3)).astype("float32"))
weight = ops.convert_to_tensor(rng.normal(size=z.shape).astype("float32"))
layer = VectorQuantizer(5, seed=0)  # the layer of helpers
expected = ops.convert_to_numpy(layer(z + 0.0))
found = ops.convert_to_numpy(quantise(z, layer.codebook))


def weighted_sum():
    return ops.sum(quantise(z, layer.codebook) * weight)


_, (slope,) = backend.value_and_grad(weighted_sum, [z])
assert np.allclose(found, expected, atol=1e-5)
assert np.allclose(ops.convert_to_numpy(slope), ops.convert_to_numpy(weight), atol=1e-5)
print("values as by VectorQuantizer, slope that of the identity")

# %% [markdown]
# Three things more make it learn:
#
# - **Commitment**: a term $\beta\,\lVert z - \mathrm{stop}(e)\rVert^2$ in the loss keeps the encoder near its codes.
# - **The codes follow** the vectors that chose them, by a moving average.
# - **Restarts**: a code that nobody chooses is put at a vector of the current batch.
#
# `VectorQuantizer` has all three. Encoder and decoder are those of the VAE above, with a grid of 4×4 places instead of one vector; each place has two codes out of 256.
#
# > **Predict first.** 32 codes out of 256: how many bits is that, sent plain? The VAE needs about 98 bits. Will the [reconstructions](../docs/site/glossary.md#term-reconstruction) of the VQ-VAE have a smaller or a larger error?
#
# Here is the training in full, for 150 steps. It is a **demonstration**; what follows is about the kept weights of the same network.

# %%
SIGMA = 0.04  # standard deviation of a pixel, for the VQ-VAE


def stream(steps, batch=batch_size):
    """New pictures, batch by batch."""
    return FreshShapes(batch, steps, seed, **OPTIONS)


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
    width=32,
    sigma=SIGMA,
    commitment=4.0,
    restart_threshold=0.02,
    seed=seed,
)
vqvae.compile(adam(0.003, steps), **backend.compile_options(planned=steps))
vqvae.fit(stream(steps), shuffle=False, verbose=0)


def error_of(reconstruction):
    """Root mean square error of a pixel of held-out pictures."""
    return float(np.sqrt(np.mean((real - reconstruction) ** 2)))


def vqvae_report(label):
    codes = vqvae.encode_indices(real)  # (N, 4, 8)
    use = codebook_usage(codes, num_codes)
    error = error_of(vqvae.decode_indices(codes))
    told = ", ".join(f"{name} {value:.0f}" for name, value in use.items())
    print(f"{label}: error {error:.4f}, {told}")
    return {**use, "error": error}


short_report = vqvae_report(f"{steps} steps")

# %%
notes = {}


def use_kept(model, name):
    """Puts kept weights into a model, if they are asked for and fit."""
    if weights == "kept" and num_codes == 256:
        notes[name] = pretrained.load_weights(model, name)
        print(f"{name}: kept weights, {notes[name]['steps']:,} steps")
        return True
    print(f"{name}: own weights, {steps} steps")
    return False


use_kept(vqvae, "vqvae-shapes32")
report = vqvae_report("this one")
mean, log_variance = one_level.encode(real)
z = mean + ops.exp(0.5 * log_variance) * noise_u  # what the rate is counted for
one_error = error_of(ops.convert_to_numpy(one_level.decode(z)))
print(f"error of the VAE with one vector, from draws of z: {one_error:.4f}")

# %% [markdown]
# 32 codes out of 256 take $32 \cdot 8 = 256$ bits, sent plain. With an ideal file that knows how often each code occurs it is 0<!--=vq_entropy_bits--> bits in the stored run: nearly all codes are in use (0<!--=vq_dead--> of 256 are not), and nearly equally often. (The *perplexity* is the number of equally frequent codes that would need as many bits: 0<!--=vq_perplexity-->.)
#
# The error of the VQ-VAE is 0.0000<!--=vq_error-->, after 150 steps of the demonstration 0.0000<!--=short_vq_error-->. The VAE has 0.0000<!--=one_error--> with fewer bits. But it was trained for 80,000 steps, and the VQ-VAE went on from its convolutions for only 0<!--=vqvae_shapes32_steps-->. Twice the steps still changed its $\log p(x \mid c)$ by 0.0<!--=vqvae_shapes32_percent--> %: by the rule of notebook `07` it is **not trained enough**. So this VQ-VAE shows how the method works. It does not show how good a VQ-VAE gets.
#
# ## A prior for the codes
#
# To draw a picture one needs codes, and no prior was asked of them in training. Drawn one by one from their frequencies, neighbours would not fit together. So a second model learns
#
# $$p(c) = \prod_i p(c_i \mid c_1, \dots, c_{i-1}),$$
#
# each code given those before it in reading order. It is a network of **masked convolutions** (PixelCNN; van den Oord and others, 2016): their kernels see only what comes before. Every code of the answer is trained at once, and drawing needs one pass for each of the 32 codes.
#
# > **Predict first.** Change one code of the grid, and look at the answers for all places. Which of them may change?

# %%
keras.utils.set_random_seed(seed)
prior = pixelcnn.pixelcnn(vqvae.grid, num_codes, width=64, depth=4)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
prior.compile(adam(0.003, steps), cross_entropy, **backend.compile_options(planned=steps))
prior.fit(quantised.FreshCodes(vqvae, stream(steps)), shuffle=False, verbose=0)

# %% tags=["nbval-check-output"]
codes = np.zeros((1, *vqvae.grid), "int32")
changed = codes.copy()
changed[0, 1, 3] = 1  # second row, fourth code: number 11 in reading order
answers, answers_changed = (ops.convert_to_numpy(prior(c))[0] for c in (codes, changed))
differ = np.abs(answers - answers_changed).max(axis=-1).ravel() > 1e-7  # (32,)
print("first place whose answer changes:", int(np.argmax(differ)))
assert not differ[:12].any() and differ[12]

# %% [markdown]
# Only places *after* the changed one may change. So the product above is a probability, and the VQ-VAE has a bound after all. Of all codes that could lead to a picture, the encoder chooses one, $c(x)$; it is one term of a sum of positive terms:
#
# $$\log p(x) = \log \sum_c p(c)\,p(x|c) \;\ge\; \log p(c(x)) + \log p(x \mid c(x)).$$
#
# The first term, in bits, is also the length of the codes in the best possible file.

# %%
use_kept(prior, "vqvae-shapes32-prior")
sigma_vq = error_of(vqvae.decode_indices(vqvae.encode_indices(real)))
codes = vqvae.encode_indices(x_bound)
code_nats = pixelcnn.code_nll(prior, codes)
report["prior_bits"] = code_nats.mean() / math.log(2)
print({name: round(value, 1) for name, value in report.items() if "bits" in name})
drawn = [vqvae.decode_indices(pixelcnn.sample_codes(prior, scored, run)) for run in range(sets)]
measure("VQ-VAE, prior of codes", np.stack(drawn), sigma_vq)

# %% [markdown]
# The prior brings 256 bits down to 0<!--=vq_prior_bits-->. It, too, is a demonstration in the sense of the rule: twice the steps changed $\log p(c)$ by 0.0<!--=vqvae_shapes32_prior_percent--> %. Of its draws, 0.00<!--=VQ_VAE_prior_of_codes_whole[0]--> show one whole object.
#
# ## Two levels of latents
#
# The third way stays with Gaussians and adds a level. A vector $u$ of 16 latents says what the picture shows. A grid $v$ of 8×8 places with 6 numbers each says the details, and *its prior depends on $u$*:
#
# $$p(x, u, v) = \underbrace{\mathcal N(u; 0, I)}_{p(u)}\;\underbrace{\mathcal N\big(v; m(u), s(u)^2\big)}_{p(v|u)}\;p(x \mid u, v).$$
#
# $m$ and $s$ are the answers of a network. So $p(v \mid u)$ is a prior that is learned, and learned with everything else, not afterwards. The encoder first says $q(u \mid x)$, and then, for a drawn $u$, $q(v \mid x, u)$ (Sønderby and others, 2016). The bound is that of notebook `04` with the pair $(u, v)$ in the place of $z$. The logarithm of a product is a sum, so its KL falls into two:
#
# $$\log p(x) \ge \mathbb E_q\big[\log p(x|u, v)\big] - \mathrm{KL}\big(q(u|x)\,\|\,p(u)\big) - \mathbb E_{q(u|x)}\,\mathrm{KL}\big(q(v|x,u)\,\|\,p(v|u)\big).$$
#
# One trick makes it short. Write $v = m(u) + s(u) \cdot w$. Then $w$ has the prior $\mathcal N(0, I)$, and a KL does not change if both densities are shifted and stretched alike. So the network says $q(w \mid x, u)$, and the KL of $v$ is the KL of $w$, in the form that you know (Vahdat and Kautz, 2020). With numbers:

# %% tags=["nbval-check-output"]
m, s = np.array([[0.5, -1.0]]), np.array([[2.0, 0.3]])  # of p(v|u)
mean_w, std_w = np.array([[0.7, -0.2]]), np.array([[0.4, 0.9]])  # of q(w|x, u)
kl_w = losses.gaussian_kl(mean_w, np.log(std_w**2))
mean_v, std_v = m + s * mean_w, s * std_w
kl_v = losses.gaussian_kl(mean_v, np.log(std_v**2), m, np.log(s**2))
print(f"KL of w {float(kl_w[0]):.4f}, KL of v {float(kl_v[0]):.4f} nats")
assert abs(float(kl_w[0]) - float(kl_v[0])) < 1e-5

# %% [markdown]
# The networks continue those of the VAE with one vector. What is new are three small networks: for $m$ and $s$, for $q(w \mid x, u)$, and one convolution that adds $v$ to the decoder. Without it the model *is* the one-level VAE, so training starts from its kept weights (80,000 steps) and goes on. At first the KL is left out, and its weight rises to 1 ([warm-up](../docs/site/glossary.md#term-KL-warm-up), notebook `07`). In a trial without warm-up $v$ fell silent: its KL went to 2 nats.
#
# Here is one pass by hand, and then the training in plain sight.

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
    u = mean_u + ops.exp(0.5 * log_variance_u) * noise_u
    top = part["top_down"](u)  # features that u alone gives, (N, 8, 8, 32)
    m, log_s2 = part["prior"](top)
    mean_w, log_variance_w = part["posterior"]([low, top])
    w = mean_w + ops.exp(0.5 * log_variance_w) * noise_w
    v = m + ops.exp(0.5 * log_s2) * w
    redrawn = part["pixels"]([top, v])
    nll = losses.gaussian_nll(x, redrawn, two_levels.log_sigma())
    kl_u = losses.gaussian_kl(mean_u, log_variance_u)
    kl_w = losses.gaussian_kl(mean_w, log_variance_w)
    return [ops.convert_to_numpy(t) for t in (-nll, kl_u, kl_w)]


noise_w = rng.standard_normal((scored, *two_levels.grid)).astype("float32")
noise = np.concatenate([noise_u, noise_w.reshape(scored, -1)], axis=1)
by_hand = pass_by_hand(x_bound, noise_u, noise_w)
by_model = ops.convert_to_numpy(two_levels.elbo(x_bound, noise))
assert np.allclose(by_hand[0] - by_hand[1] - by_hand[2], by_model, rtol=1e-3)

two_levels.compile(adam(0.002, steps), **backend.compile_options(planned=steps))
two_levels.fit(stream(steps), shuffle=False, verbose=0)

# %% [markdown]
# > **Predict first.** Redraw $w$ for a given $u$: what of the picture stays, what changes? And which level costs more nats?

# %%
use_kept(two_levels, "vae2-shapes32")
sigma_two = math.exp(float(two_levels.log_sigma()))
likelihood, kl_u, kl_w = pass_by_hand(x_bound, noise_u, noise_w)
mean_u = two_levels.encoder.predict(real, batch_size=500, verbose=0)[0]
w_again = rng.standard_normal((2, 12, *two_levels.grid)).astype("float32")
rows = {
    "held out": real[:12],
    "one level": one_level.predict(real[:12], verbose=0),
    "VQ-VAE": vqvae.decode_indices(vqvae.encode_indices(real[:12])),
    "two levels": two_levels.predict(real[:12], verbose=0),
    "same u, other w": ops.convert_to_numpy(two_levels.decode_levels(mean_u[:12], w_again[0])),
    "once more": ops.convert_to_numpy(two_levels.decode_levels(mean_u[:12], w_again[1])),
}
fig = plots.image_grid([row.clip(0, 1) for row in rows.values()], row_labels=list(rows))
alt = "A provisional description of the rows of pictures here."
plots.show(fig, alt=alt)
print(f"KL of u {kl_u.mean():.0f} nats, KL of v {kl_w.mean():.0f} nats")
print(f"σ {sigma_two:.4f}; with one level {sigma_one:.4f}")

# %%
mixture_u = mixture_prior.fitted_mixture(two_levels, x_train, parts, seed)
kl_u_mixture = kl_to_mixture(two_levels, x_bound, mixture_u)
u_mixture = [draw_mixture(mixture_u, run) for run in range(sets)]
for name, latents in (("two levels, N(0, I)", z_normal), ("two levels, mixture", u_mixture)):
    drawn = [
        two_levels.sample(scored, seed=seed + run, u=u) for run, u in enumerate(latents)
    ]
    measure(name, np.stack([ops.convert_to_numpy(one) for one in drawn]), sigma_two)

# %% [markdown]
# In the stored run $u$ costs 0<!--=kl_u--> nats, as much as in the one-level VAE, and $v$ costs 0<!--=kl_v-->. The rows answer the prediction: with the same $u$ and another $w$, shape, place and colours stay, and the pattern of the ground changes. Nobody told the model to share the work in this way. What concerns the whole picture is cheaper to say once, in $u$; what concerns one place is said there, in $v$. And where nothing of the texture is known, $p(v \mid u)$ draws it: some texture of the right strength, not the right one.
#
# ## The bounds, side by side
#
# Each model has a lower bound of *its own* $\log p(x)$, and each bound is below its model's $\log p(x)$ by an amount that nobody knows. So read the table as "at least so much". It does not say by how much one model is better than another; only if one bound is higher by more than the other can be too low would it say that much.
#
# All bounds are measured on the same held-out pictures, with one sample of the latents. Each is given with the $\sigma$ that its model has, and with one $\sigma$ for all, because $\sigma$ alone moves such a number by hundreds of nats.

# %%
def at_sigma(log_likelihood, sigma, other):
    """log p(x|latents) of Gaussian pixels with another σ, nats, (N,)."""
    values = math.prod(shape)
    norm = math.log(sigma) + 0.5 * math.log(2 * math.pi)
    squares = -2 * sigma**2 * (log_likelihood + values * norm)  # squared error, (N,)
    norm_other = math.log(other) + 0.5 * math.log(2 * math.pi)
    return -values * norm_other - squares / (2 * other**2)


log_likelihood = ops.convert_to_numpy(vqvae.elbo(x_bound))  # with the σ of its training
log_likelihood = at_sigma(log_likelihood, SIGMA, sigma_vq)
bounds["VQ-VAE, prior of codes"] = log_likelihood, -code_nats
bounds["two levels, N(0, I)"] = likelihood, -kl_u - kl_w
bounds["two levels, mixture"] = likelihood, -kl_u_mixture - kl_w
SIGMAS = {"one": sigma_one, "VQ-": sigma_vq, "two": sigma_two}  # by the first letters
COMMON = 0.03

table = {}
for name, (log_likelihood, latents) in bounds.items():
    sigma = SIGMAS[name[:3]]
    bound = log_likelihood + latents
    common = at_sigma(log_likelihood, sigma, COMMON) + latents
    bits = losses.bits_per_dimension(-bound.mean(), math.prod(shape), 256)
    table[name] = {
        "bound": metrics.confidence_interval(bound),
        "latents": metrics.confidence_interval(-latents),
        "common": metrics.confidence_interval(common),
        "sigma": sigma,
        "bits": float(bits),
    }

columns = ["bound, nats", "latents, nats", f"bound, σ = {COMMON}", "own σ", "bits a value"]
cells = {}
for name, row in table.items():
    nats = ["{:.0f} ± {:.0f}".format(*row[key]) for key in ("bound", "latents", "common")]
    cells[name] = [*nats, f"{row['sigma']:.4f}", f"{row['bits']:.3f}"]
print(metrics.format_table(columns, cells, 18))

# %% [markdown]
# In the stored run the second level raises the bound from 0<!--=one_level_normal_bound[0]--> to 0<!--=two_levels_normal_bound[0]--> nats, and at one σ for all from 0<!--=one_level_normal_common[0]--> to 0<!--=two_levels_normal_common[0]-->. The texture, which 16 latents leave out, is now described, and costs less than it saves. The mixture raises the bound by 0.0<!--=mixture_gain_two[0]--> ± 0.0<!--=mixture_gain_two[1]--> nats with two levels, too. (Both VAEs learned for 80,000 steps; the two-level one for 0<!--=vae2_shapes32_steps--> more. The last 40,000 steps of the one-level VAE changed its ELBO by 1.0<!--=one_percent--> %; the last 0<!--=vae2_shapes32_steps*0.5--> of the two-level one by 0.0<!--=vae2_shapes32_percent--> %.)
#
# The bound of the VQ-VAE is 0<!--=VQ_VAE_prior_of_codes_bound[0]--> nats. It is the bound of a model that is not trained enough, so no more is said of it.
#
# ## The samples, on one ruler
#
# > **Predict first.** Which rows come near *other real*? And does a higher bound go with better samples?

# %%
panels = {}
for measure_name in ("precision", "recall", "whole"):
    label = measure_name if measure_name != "whole" else "one whole object"
    panels[label] = {
        name: metrics.confidence_interval([row[measure_name] for row in rows])
        for name, rows in scores.items()
    }
fig = plots.interval_panels(panels, limits=(0, 1.1))
alt = "A provisional description of the intervals here."
plots.show(fig, alt=alt)
for name, rows in scores.items():
    distance = metrics.format_interval([row["distance"] for row in rows], 2)
    print(f"{name:<24} kernel distance {distance}")

# %% tags=["picture"]
fig = plots.image_grid(list(pictures.values()), row_labels=list(pictures))
alt = "A provisional description of the pictures here."
plots.show(fig, alt=alt)

# %% [markdown]
# The pictures are the first draws of each model, with their grain; none was chosen. In the stored run (4 sets of 500 draws of one training each; intervals over the sets):
#
# - *Other real* has a precision of 0.00<!--=other_real_precision[0]--> ± 0.00<!--=other_real_precision[1]-->, a recall of 0.00<!--=other_real_recall[0]--> ± 0.00<!--=other_real_recall[1]-->, and the rule finds one whole object in 0.00<!--=other_real_whole[0]--> of the pictures.
# - **One level.** From $\mathcal N(0, I)$ precision is 0.00<!--=one_level_normal_precision[0]--> ± 0.00<!--=one_level_normal_precision[1]--> and recall 0.00<!--=one_level_normal_recall[0]--> ± 0.00<!--=one_level_normal_recall[1]-->; from the mixture 0.00<!--=one_level_mixture_precision[0]--> ± 0.00<!--=one_level_mixture_precision[1]--> and 0.00<!--=one_level_mixture_recall[0]--> ± 0.00<!--=one_level_mixture_recall[1]-->.
# - **Two levels**, $u$ from a mixture: precision 0.00<!--=two_levels_mixture_precision[0]--> ± 0.00<!--=two_levels_mixture_precision[1]-->, recall 0.00<!--=two_levels_mixture_recall[0]--> ± 0.00<!--=two_levels_mixture_recall[1]-->, one whole object in 0.00<!--=two_levels_mixture_whole[0]-->. From $\mathcal N(0, I)$ it is 0.00<!--=two_levels_normal_whole[0]-->: a second level below does not mend the prior of the first.
# - **VQ-VAE**: precision 0.00<!--=VQ_VAE_prior_of_codes_precision[0]--> ± 0.00<!--=VQ_VAE_prior_of_codes_precision[1]-->, recall 0.00<!--=VQ_VAE_prior_of_codes_recall[0]--> ± 0.00<!--=VQ_VAE_prior_of_codes_recall[1]-->.
#
# SAMPLES-CONCLUSION
#
# ## Do VAEs blur?
#
# The sharpness of a picture is the energy of its gradients, as a share of that of real pictures. Grain counts in it, so it is measured twice: with the grain of $\sigma$, and of the means alone.

# %%
for name, rows in scores.items():
    with_grain = metrics.format_interval([row["sharpness"] for row in rows], 2)
    alone = metrics.format_interval([row["without grain"]["sharpness"] for row in rows], 2)
    print(f"{name:<24} with grain {with_grain}, means alone {alone}")

# %% [markdown]
# BLUR-CONCLUSION
#
# **Exercise 1.** A grid of 8×8 places, one code out of 512 at each: how many bits, sent plain? **Exercise 2.** In a trained model only 64 of the 512 codes are ever used, all equally often. How many bits does the best code need that knows the frequencies?

# %%
your_plain, your_best = None, None  # ← your numbers
for what, yours, true in (("plain", your_plain, 64 * 9), ("best", your_best, 64 * 6)):
    print(f"{what}: your value {yours}, true value {'?' if yours is None else true}")
    hint = "A choice among N equally likely codes takes log2 N bits, at each place."
    assert yours is None or abs(yours - true) < 0.5, hint

# %% [markdown]
# <details><summary>Solutions</summary>
#
# $64 \cdot \log_2 512 = 576$ bits, and $64 \cdot \log_2 64 = 384$ bits. The 448 unused codes are *dead*.
#
# </details>
#
# ## Results
#
# The next cell records the numbers of the text.

# %% tags=["results"]
def key_of(name):
    """A name as a part of a key: "one level, N(0, I)" → "one_level_normal"."""
    name = name.replace("N(0, I)", "normal").replace("-", "_")
    return name.replace(", ", "_").replace(" ", "_")


results = {"mixture_gain": metrics.confidence_interval(gain), "rate": float(kl.mean())}
gain_u = kl_u - kl_u_mixture
results["mixture_gain_two"] = metrics.confidence_interval(gain_u)
for name, rows in scores.items():
    for measure_name in (*MEASURES, "whole"):
        values = [row[measure_name] for row in rows]
        results[f"{key_of(name)}_{measure_name}"] = metrics.confidence_interval(values)
    for measure_name in MEASURES:
        values = [row["without grain"][measure_name] for row in rows]
        results[f"{key_of(name)}_means_{measure_name}"] = metrics.confidence_interval(values)
for name, row in table.items():
    results |= {f"{key_of(name)}_{key}": value for key, value in row.items()}
results |= {f"vq_{name}": value for name, value in report.items()}
results |= {f"short_vq_{name}": value for name, value in short_report.items()}
results |= {"one_error": one_error, "kl_u": float(kl_u.mean()), "kl_v": float(kl_w.mean())}
for name, note in notes.items():
    short = name.replace("-", "_")
    enough = note["trained_enough"]
    results |= {f"{short}_steps": note["steps"], f"{short}_percent": enough["percent"]}
if one_note:
    results["one_percent"] = one_note["trained_enough"]["percent"]
best = results["two_levels_mixture_precision"][0], results["two_levels_mixture_recall"][0]
line = "two levels, mixture: precision {:.2f}, recall {:.2f}".format(*best)
record(results, {"rate": {"default": (40, 100)}}, line)

# %% [markdown]
# ## What you saw
#
# SAW
#
# ## Check yourself
#
# 1. Why can the encoder of a VQ-VAE not learn from the true slope of the rounding?
#
#    <details><summary>Answer</summary>
#
#    The nearest code changes in steps; between two steps nothing changes, so the slope is 0. The straight-through estimator puts the slope of the identity in its place.
#
#    </details>
# 2. A mixture takes the place of $\mathcal N(0, I)$, and the bound rises by 5 nats. What has changed in the reconstructions?
#
#    <details><summary>Answer</summary>
#
#    Nothing. Encoder and decoder are the same; only the misfit of the prior is smaller, and with it the KL.
#
#    </details>
# 3. The bound of model A is 6,000 nats, that of model B 5,900, on the same pictures with the same number of samples. Which model gives the pictures the higher probability?
#
#    <details><summary>Answer</summary>
#
#    That is not known. Each bound lies below its own model's log p(x) by an unknown amount; B's may be 200 nats too low.
#
#    </details>
# 4. What does the prior over codes have to do with the bound of a VQ-VAE?
#
#    <details><summary>Answer</summary>
#
#    Without it the codes have no probability, and there is no bound. A better prior makes the codes shorter and the bound higher by as many nats.
#
#    </details>
# 5. In the two-level VAE, where is the prior that is learned?
#
#    <details><summary>Answer</summary>
#
#    It is $p(v \mid u)$: its mean and its standard deviation are the answers of a network, trained with everything else.
#
#    </details>
#
# ## On your own
#
# 1. **Frequencies alone.** Draw each code of the VQ-VAE by its frequency at its place, without looking at the others, and decode. What do the pictures lack?
#
#    <details><summary>What to expect</summary>
#
#    The places do not know of each other: colours of the ground that differ, and pieces of several objects.
#
#    </details>
# 2. **A prior with one part.** Set `parts = 1`. How many of the saved nats are left, and how many draws show one whole object?
#
#    <details><summary>Hint</summary>
#
#    One Gaussian can only mend mean, spread and correlation of the aggregate posterior.
#
#    </details>
#
# ## References
#
# - Dai, B. and Wipf, D. (2019). Diagnosing and Enhancing VAE Models. ICLR. (A second VAE as the prior of the first.) [arXiv:1903.05789](https://arxiv.org/abs/1903.05789)
# - Ghosh, P. and others (2020). From Variational to Deterministic Autoencoders. ICLR. [arXiv:1903.12436](https://arxiv.org/abs/1903.12436)
# - Hoffman, M. D. and Johnson, M. J. (2016). ELBO surgery: yet another way to carve up the variational evidence lower bound. NeurIPS workshop on advances in approximate Bayesian inference. <http://approximateinference.org/accepted/HoffmanJohnson2016.pdf>
# - Kynkäänniemi, T. and others (2019). Improved Precision and Recall Metric for Assessing Generative Models. NeurIPS. [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - Sønderby, C. K. and others (2016). Ladder Variational Autoencoders. NeurIPS. [arXiv:1602.02282](https://arxiv.org/abs/1602.02282)
# - Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR. [arXiv:1511.01844](https://arxiv.org/abs/1511.01844)
# - Vahdat, A. and Kautz, J. (2020). NVAE: A Deep Hierarchical Variational Autoencoder. NeurIPS. [arXiv:2007.03898](https://arxiv.org/abs/2007.03898)
# - van den Oord, A., Kalchbrenner, N. and Kavukcuoglu, K. (2016). Pixel Recurrent Neural Networks. ICML. [arXiv:1601.06759](https://arxiv.org/abs/1601.06759)
# - van den Oord, A., Vinyals, O. and Kavukcuoglu, K. (2017). Neural Discrete Representation Learning. NeurIPS. [arXiv:1711.00937](https://arxiv.org/abs/1711.00937)
