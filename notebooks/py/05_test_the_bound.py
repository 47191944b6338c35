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
# # Test the bound, and find the wrong loss
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/05_test_the_bound.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/05_test_the_bound.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/05_test_the_bound.ipynb) <!--badges-->
#
# ![Two panels on logarithmic axes, over four combinations of image size and latent size. Left, effective beta of four cross-entropy losses: the mended Keras loss stays at 1; Keras goes from 1 to 3, Foster from 1.6 to 25, and Chollet from 0.5 to 1.5 and then, for 128 coordinates, down to 0.02. Right, sigma squared of three squared-error losses: the sum of squares stays at 0.5, Géron rises from 0.5 to 8, PyTorch-VAE from 0.1 to 1.5.](../docs/pictures/05.png) <!--picture-->
#
# The [ELBO](../docs/site/glossary.md#term-ELBO) is a lower bound on $\log p(x)$. How far below the truth does it end? And which published losses are no ELBO, because a term is scaled wrongly?
#
# **What you'll do**
#
# - Train a linear [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE), and compare its ELBO with the exact $\log p(x)$.
# - See what a *diagonal* $q$ can match, what the direction of the [KL](../docs/site/glossary.md#term-KL-divergence) does, and what a wrong sign does.
# - Measure the weight of the KL in the losses of five published sources.
#
# **What you'll learn**
#
# - On a linear model the bound can reach the truth.
# - A loss that is a weighted sum of a true KL and a known log [likelihood](../docs/site/glossary.md#term-likelihood) has an *[effective β](../docs/site/glossary.md#term-effective-beta)*. Averages can tie it to image size, channels or $K$.
# - A squared error always stands for some noise σ of the pixels.
#
# **What you'll need**
#
# - Notebook `04`: the ELBO, and $\mathrm{KL}(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, 1)) = \tfrac12(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$.
# - From linear algebra: products, transposes, inverses and determinants of matrices.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 45 minutes to read, and 1 GB of memory. No data set: the data are drawn here, because only then is the truth known.

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
seed = 0  # of the data, the first weights and every random draw
images = 400  # images of 4×4 pixels for the linear VAE
latent = 3  # K, latent coordinates of the linear VAE
steps = 1500  # training steps of the linear VAE, each on all images

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), images=range(50, 5001),
    latent=range(3, 7), steps=range(100, 9001),
)  # fmt: skip
set_up(seed)

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from scipy.special import rel_entr
from scipy.stats import norm
from sklearn.decomposition import PCA

from helpers import losses, metrics, plots

plots.use()

# %% [markdown]
# ## A model whose truth is known
#
# For a real [decoder](../docs/site/glossary.md#term-decoder) nobody can compute $\log p(x)$ or the [posterior](../docs/site/glossary.md#term-posterior) $p(z \mid x)$. For a **linear** decoder both are exact:
#
# $$z \sim \mathcal N(0, I), \qquad x = Wz + \sigma\varepsilon, \qquad \varepsilon \sim \mathcal N(0, I).$$
#
# The image $x$ has $D$ pixels, the [latent](../docs/site/glossary.md#term-latent-variable) $z$ has $K$ coordinates. Column $w_k$ of $W$ is the pattern that coordinate $k$ paints, and σ is the noise of a pixel. This is probabilistic principal component analysis (PCA; Tipping and Bishop, 1999). Four facts:
#
# 1. $Wz$ has the covariance (the matrix of mean products of two entries) $WW^\top$, and the noise adds $\sigma^2 I$. So $x$ has the covariance $C = WW^\top + \sigma^2 I$.
# 2. A Gaussian with mean zero and covariance $C$ has $\log p(x) = -\tfrac12\big(D\log 2\pi + \log\det C + x^\top C^{-1}x\big)$.
# 3. The inverse of a covariance is called the *precision*. In one dimension it is 1 divided by the variance.
# 4. The entries of $W^\top W$ are the products $w_j^\top w_k$. If the columns are *orthogonal*, those with $j \neq k$ are zero: $W^\top W$ is diagonal.
#
# **The posterior.** As in notebook `04`, take $\log p(z) + \log p(x \mid z)$ and keep what depends on $z$:
#
# $$-\tfrac12 z^\top z - \frac{\|x - Wz\|^2}{2\sigma^2} = -\tfrac12 z^\top\Big(I + \frac{W^\top W}{\sigma^2}\Big) z + z^\top\frac{W^\top x}{\sigma^2} + \text{const}.$$
#
# A Gaussian with mean $m$ and precision $P$ has the log density $-\tfrac12 z^\top P z + z^\top P m + \text{const}$. Compare the two: $P = I + W^\top W/\sigma^2$ and $m = P^{-1}W^\top x/\sigma^2$.
#
# **The best fit.** Tipping and Bishop proved that in one best $W$ the columns lie along the $K$ directions in which the data vary most (the principal components). If $\lambda_k$ is the variance of the data along direction $k$, column $k$ has the squared length $\lambda_k - \sigma^2$, and $\sigma^2$ is the mean variance along the other directions. scikit-learn's `PCA` computes this fit, and its `score` is the mean $\log p(x)$. No model of this kind can exceed it.
#
# The data are images of 4×4 pixels from such a model, less their mean.

# %%
rng = np.random.default_rng(seed)
patterns = np.linalg.qr(rng.normal(size=(16, latent))).Q  # (D, K), orthogonal columns
true_W = patterns * np.linspace(4.0, 1.5, latent)
x_train = rng.normal(size=(images, latent)) @ true_W.T  # (N, D)
x_train += 0.5 * rng.normal(size=x_train.shape)
x_train = np.float32(x_train - x_train.mean(axis=0))

pca = PCA(n_components=latent)
shrink = np.sqrt((images - 1) / images)  # PCA divides by N − 1, maximum likelihood by N
pca.fit(shrink * np.float64(x_train))
best = pca.score(np.float64(x_train))
print(f"largest possible log p(x): {best:.4f} nats per image")

# %% [markdown]
# ## Does the ELBO reach the truth?
#
# Now the **linear VAE**. Its decoder is $Wz$ with one learned σ. Its [encoder](../docs/site/glossary.md#term-encoder) is linear, too: $\mu = V^\top x$, and one learned $\log\sigma_k^2$ for each coordinate, the same for all images. One linear encoder can serve all images, because $m$ is linear in $x$ and $P$ does not depend on $x$.
# As in nearly every VAE, $q$ is *diagonal*: given the image, its coordinates are independent.
#
# The KL of this $q$ has the formula of notebook `04`. The expected squared error has a formula, too: $\mathbb E_q\|x - Wz\|^2 = \|x - W\mu\|^2 + \sum_k \sigma_k^2 \|w_k\|^2$. (Write $z = \mu + (z - \mu)$. The mixed terms have mean zero, because the coordinates are independent and have the mean μ.)


# %%
class LinearVAE(keras.Model):
    # Signs of the two terms: (1, 1) is the negative ELBO. A section below changes them.
    def __init__(self, signs=(1, 1)):
        super().__init__()
        self.nll_sign, self.kl_sign = signs
        self.W = self.add_weight((16, latent))  # decoder
        self.V = self.add_weight((16, latent))  # encoder
        self.log_variance = self.add_weight((latent,), "zeros")  # of q, log σ_k²
        self.log_sigma = self.add_weight((), "zeros")  # of a pixel, log σ

    def terms(self, x):  # (B, D) → two times (B,), nats per image
        mean = ops.matmul(x, self.V)  # (B, K)
        reconstruction = ops.matmul(mean, ops.transpose(self.W))
        nll = losses.gaussian_nll(x, reconstruction, self.log_sigma)
        column_lengths = ops.norm(self.W, axis=0)  # ‖w_k‖, (K,)
        added = ops.exp(self.log_variance) * column_lengths**2
        nll = nll + 0.5 * ops.sum(added) / ops.exp(2 * self.log_sigma)
        log_variance = ops.zeros_like(mean) + self.log_variance  # (B, K)
        return nll, losses.gaussian_kl(mean, log_variance)

    def call(self, x):
        nll, kl = self.terms(x)
        self.add_loss(ops.mean(self.nll_sign * nll + self.kl_sign * kl))
        return kl


# %% [markdown]
# During the training we compute three numbers: the ELBO, as the model computes it; $\log p(x)$, from fact 2; and the gap, $\mathrm{KL}(q\,\|\,p(z \mid x))$. The gap is $\mathbb E_q[\log q(z)] - \mathbb E_q[\log p(z\mid x)]$. The first mean is $-\tfrac12\sum_k\log\sigma_k^2 - \tfrac K2$, up to a constant. The second, up to the same constant, is $\tfrac12\log\det P - \tfrac12\mathbb E_q[(z-m)^\top P(z-m)]$. And this last mean is $(\mu-m)^\top P(\mu-m)$ plus what the spread adds, $\sum_k P_{kk}\sigma_k^2$: because $q$ is diagonal, only the diagonal of $P$ counts. Together:
#
# $$\text{gap} = \tfrac12\Big((\mu - m)^\top P\,(\mu - m) + \textstyle\sum_k \big(P_{kk}\sigma_k^2 - 1 - \log\sigma_k^2\big) - \log\det P\Big).$$
#
# The helper `metrics.linear_gaussian_gap` computes it and $\log p(x)$. The decomposition $\log p(x) = \text{ELBO} + \text{gap}$ must hold at *every* step; we look at every 25th.
#
# > **Predict first.** The gap can vanish only if a diagonal $q$ can equal the posterior. Will the ELBO reach the largest possible $\log p(x)$, or stop below it?


# %%
def measure(vae):
    # ELBO, log p(x), gap, and smallest gap of any diagonal q (next section), nats per image.
    nll, kl = vae.terms(x_train)
    W, V, log_variance, log_sigma = vae.get_weights()
    mean = x_train @ V
    sigma = np.exp(log_sigma)
    exact = metrics.linear_gaussian_gap(x_train, W, sigma, mean, log_variance)
    elbo = -float(ops.mean(nll + kl))
    return elbo, *exact


keras.utils.set_random_seed(seed)
vae = LinearVAE()
learning_rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
optimizer = keras.optimizers.Adam(learning_rate, beta_2=0.99)
vae.compile(optimizer=optimizer)
copies = np.tile(x_train, (25, 1))  # a batch is one copy of all images, an epoch 25 steps

rows = [measure(vae)]
for _ in range(steps // 25):
    vae.fit(
        copies,
        batch_size=images,
        shuffle=False,
        verbose=0,
    )
    rows.append(measure(vae))
elbo, log_p, gap, smallest_gap = np.array(rows).T

shortfall = best - elbo[-1]
print(f"the ELBO ends {shortfall:.4f} nats below the largest possible log p(x)")
assert np.abs(elbo + gap - log_p).max() < 1e-3, "ELBO + gap must be log p at every step"

# %%
at_step = 25 * np.arange(len(rows))
fig, axis = plt.subplots()
axis.semilogy(at_step, gap, label="gap: log p(x) − ELBO")
axis.semilogy(at_step, smallest_gap, "--", label="smallest gap of any diagonal q")
axis.semilogy(at_step, best - log_p, ":", label="best log p(x) minus log p(x)")
axis.set(
    xlabel="training step",
    ylabel="nats per image",
    ylim=(1e-5, 100),
)
axis.legend()
alt = "Three lines over the training steps, on a logarithmic axis in nats per image. The gap and the distance of log p(x) from its largest possible value fall from about 10 to 0.02 within 200 steps. There they meet the smallest gap of any diagonal q. All three stay near 0.02 until about step 600 and then fall together below a ten-thousandth, the gap with spikes, some far more than ten times as high."
plots.show(fig, alt=alt)

# %% [markdown]
# It reaches it. In the stored run the ELBO starts at −36.26<!--=elbo_first--> [nats](../docs/site/glossary.md#term-nat) per image, 6.95<!--=gap_first--> below the $\log p(x)$ of the untrained model. It ends less than 0.0001 nats from the largest possible value, −16.57<!--=best-->. At every recorded step ELBO and gap add up to $\log p(x)$, to 0.001 nats. The figure shows what is slow: after about 200 steps the gap stays for hundreds of steps near 0.02 nats, the smallest that these decoders allow (in this run; from another start this can be shorter or absent).
#
# ## What can a diagonal $q$ not match?
#
# A diagonal $q$ can equal the posterior only if the posterior's precision $P = I + W^\top W/\sigma^2$ is diagonal, that is, if the columns of the decoder are orthogonal (fact 4). But $\log p(x)$ does not need that. Rotate the columns among themselves, $W \to WR$ with $RR^\top = I$: then $WRR^\top W^\top = WW^\top$, so the covariance of $x$ stays as it was.
#
# How large is the gap of the best diagonal $q$? Its mean is right, $\mu = m$. The slope of the gap by $\sigma_k^2$ is $\tfrac12(P_{kk} - 1/\sigma_k^2)$, so the best variance is $\sigma_k^2 = 1/P_{kk}$. Insert both:
#
# $$\text{smallest gap} = \tfrac12\Big(\textstyle\sum_k \log P_{kk} - \log\det P\Big).$$
#
# This is a KL, so it is never negative, and it is zero only if $P$ is diagonal. Take the best decoder, where $P_{kk} = 1 + (\lambda_k - \sigma^2)/\sigma^2 = \lambda_k/\sigma^2$, and rotate its first two columns by an angle θ. If $a$ and $b$ are their entries of $P$ before, they are $a\cos^2\theta + b\sin^2\theta$ and $a\sin^2\theta + b\cos^2\theta$ after, with the product $ab + (a-b)^2\sin^2\theta\cos^2\theta$. $\det P$ stays the same. So the gap is $\tfrac12\log\big(1 + \tfrac{(a-b)^2}{ab}\sin^2\theta\cos^2\theta\big)$.
#
# > **Predict first.** At which angle is the gap largest? At which angle is it zero again?

# %%
a, b = pca.explained_variance_[:2] / pca.noise_variance_
degrees = np.array([0, 15, 30, 45, 60, 75, 90])
sine_cosine = np.sin(2 * np.radians(degrees)) / 2  # sin θ cos θ
rotation_gap = 0.5 * np.log(1 + (a - b) ** 2 / (a * b) * sine_cosine**2)
print("degrees     ", degrees)
print("smallest gap", rotation_gap.round(3), "nats")

# %% [markdown]
# It is largest at 45 degrees, 0.07<!--=rotation_gap--> nats in the stored run, and zero again at 90, where the two columns have changed places. So two decoders of equal $\log p(x)$ can have different best ELBOs. Among decoders that fit equally well, the ELBO prefers the one whose posterior a diagonal $q$ can match.
#
# This is what was slow in the training: the rest of the gap closed late, as theory says, by turning the columns. While they are not orthogonal, the ELBO gives up some $\log p(x)$ to make the gap smaller, so $\log p(x)$, too, waits below its maximum. And this is why linear VAEs find the principal directions themselves and not only the plane that they span (Lucas and others, 2019). In deep VAEs, Rolínek and others (2019) found it locally: at each $z$, the decoder's slopes along two coordinates tend to be orthogonal.
#
# ## What does the direction of the KL do?
#
# The gap is $\mathrm{KL}(q\,\|\,p)$, with the approximation first.
#
# Take a target $p$ with two bumps, as the posterior of an ambiguous image may have, and fit one Gaussian $q$ to it. $\mathrm{KL}(p\,\|\,q)$ is a mean over the *target*: where the target has mass, $q$ must have some, or $-\log q$ becomes very large. $\mathrm{KL}(q\,\|\,p)$ is a mean over $q$ *itself*: where $q$ has mass, the target must have some. We compute both for many means and spreads, by quadrature.
#
# > **Predict first.** The bumps are at −2 (60 % of the mass) and +2 (40 %), each with σ = 0.5. Where does each direction put the mean of $q$, and how wide is $q$?

# %%
z = np.linspace(-12, 12, 1201)
target = 0.6 * norm.pdf(z, -2, 0.5)
target += 0.4 * norm.pdf(z, 2, 0.5)
means = np.linspace(-3, 3, 61)
sigmas = np.geomspace(0.25, 3.5, 54)
q = norm.pdf(z, means[:, None, None], sigmas[:, None])  # (means, sigmas, z)
q_to_p = np.trapezoid(rel_entr(q, target), z)  # rel_entr(a, b) is a log(a / b)
p_to_q = np.trapezoid(rel_entr(target, q), z)  # (means, sigmas), nats

fig, axis = plt.subplots(figsize=(6.2, 3.5))
axis.fill_between(z, target, color="lightgray", label="target p")
for name, nats in (
    ("KL(q‖p)", q_to_p),
    ("KL(p‖q)", p_to_q),
):
    i, j = np.unravel_index(nats.argmin(), nats.shape)
    print(f"smallest {name}: {nats.min():.3f} nats, mean {means[i]:+.1f}, σ {sigmas[j]:.2f}")
    axis.plot(z, q[i, j], label=f"q of smallest {name}")
axis.set(
    xlabel="z",
    ylabel="density",
    xlim=(-6, 6),
)
axis.legend()
alt = "A grey target with a taller bump at minus 2 and a lower one at plus 2. The Gaussian of smallest KL(q‖p) lies on the taller bump alone and is as narrow as it. The Gaussian of smallest KL(p‖q) is wide and flat, and highest between the bumps, where the target has almost no mass."
plots.show(fig, alt=alt)

# %% [markdown]
# $\mathrm{KL}(q\,\|\,p)$ **seeks a mode** (a peak of the density). It chooses the larger bump, with its spread, and leaves the other out. Its value is $-\log 0.6 = 0.511$ nats, because on that bump $p$ is 0.6 of a Gaussian. $\mathrm{KL}(p\,\|\,q)$ **covers the mass**: it takes the mean and the spread of the whole target.
#
# When the bumps are far apart, a $q$ that is too simple is too *narrow*, and may choose one explanation of an ambiguous image.
#
# ## Does the sign matter?
#
# The recipe of the article that notebook `18` reads gives the objective as $\min\, \mathbb E[\log p(x \mid z)] - \beta\,\mathrm{KL}(q(z \mid x)\,\|\,p(z))$. For β = 1 this is the ELBO, and the ELBO is to be **maximised**. We train the linear VAE with this sign, and also with the wrong sign on the KL alone.
#
# > **Predict first.** Data and first weights are the same as before. Where does each of the two minimisations end?

# %%
curves = {}
for name, signs in (
    ("the recipe", (-1, -1)),
    ("wrong sign on the KL", (1, -1)),
):
    keras.utils.set_random_seed(seed)
    model = LinearVAE(signs)
    optimizer = keras.optimizers.Adam(0.03, beta_2=0.99)
    model.compile(optimizer=optimizer)
    history = model.fit(
        x_train,
        batch_size=images,
        epochs=101,
        verbose=0,
    )
    curves[name] = np.array(history.history["loss"])  # before each step
    values = curves[name][[0, 25, 50, 100]]
    print(f"{name:<21}", *(f"{value:>10.3g}" for value in values))

# %% [markdown]
# The columns are the loss after 0, 25, 50 and 100 steps. In the stored run the recipe stands at −7<!--=runaway--> billion nats per image after 100 steps, and the wrong sign on the KL alone at −2884<!--=kl_alone-->. There is no minimum. Multiply $V$ by $c$ and divide $W$ by $c$: the [reconstruction](../docs/site/glossary.md#term-reconstruction) stays, the KL grows like $c^2$. Both losses hold −KL, so both are **unbounded below**. The loss to be minimised is
#
# $$-\,\mathbb E_q[\log p(x \mid z)] + \mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big).$$
#
# A wrong *scale* does not show itself at all.

# %% [markdown]
# ## An instrument for the weight of the KL
#
# Take a loss $c_r R + c_{\mathrm{KL}}\,\mathrm{KL}$, where $R = -\log p(x \mid z)$ is summed over pixels and channels. Divide by $c_r$, which moves no minimum: $R + \beta\,\mathrm{KL}$ with the [effective β](../docs/site/glossary.md#term-effective-beta) $= c_{\mathrm{KL}}/c_r$. For β = 1 it is the negative ELBO, for another β the loss of a β-VAE, a VAE with another weight of the KL (Higgins and others, 2017).
#
# An instrument can measure this. It needs only a function `loss(x, r, mean, log_variance)` of images, reconstructions and the encoder's answer.
#
# - **The weight of the KL.** Change the encoder's answer alone, and divide the change of the loss by the change of the true KL. The ratio is $c_{\mathrm{KL}}$.
# - **The weight of the reconstruction.** Change the reconstruction alone, and divide by the change of $R$. The ratio is $c_r$.
#
# Here it is by hand, for the loss of the Keras example on images with three channels. The images are binary, because only then is the [cross-entropy](../docs/site/glossary.md#term-cross-entropy) a likelihood. If every true value has the probability 0.9 and not 0.5, $R$ falls by $\log(0.9/0.5)$ for each of the $16\cdot16\cdot3$ values.

# %%
bce = keras.losses.binary_crossentropy  # (B, H, W), a mean over channels


def bce_sum(x, r):
    return ops.mean(ops.sum(bce(x, r), axis=(1, 2)))


def kl_sum(m, v):
    return ops.mean(losses.gaussian_kl(m, v))


def keras_loss(x, r, m, v):
    return bce_sum(x, r) + kl_sum(m, v)


x = np.float32(rng.random((8, 16, 16, 3)) < 0.3)  # binary, (B, H, W, C)
blank = 0 * x + 0.5  # the true value has the probability 0.5
near = 0.1 + 0.8 * x  # here 0.9
zeros = np.zeros((8, 4), "float32")  # mean 0, or log σ² 0, (B, K)

start = keras_loss(x, near, zeros, zeros)
moved = keras_loss(x, near, zeros + 2, zeros)
worse = keras_loss(x, blank, zeros, zeros)
c_kl = float((moved - start) / kl_sum(zeros + 2, zeros))
c_r = float((worse - start) / (16 * 16 * 3 * np.log(0.9 / 0.5)))
print(f"c_KL {c_kl:.3f}, c_r {c_r:.3f}, effective β {c_kl / c_r:.2f}")

# %% [markdown]
# β is 3, because `bce` averages over the three channels. The helper `metrics.effective_beta` does the same with four moves of the encoder's answer: the mean, a narrow spread, a wide spread, and both. If the four ratios differ by more than 1 %, it says **not a KL**. It moves the reconstruction twice and tries two likelihoods: *Bernoulli*, the summed cross-entropy, and *Gaussian*, half the summed squared error, which is $-\log p(x \mid z)$ for σ = 1, up to a constant. If neither gives two equal ratios, to 1 %, it **refuses** the loss.
#
# **An instrument is tested first.** Five losses. The first is right, with β = 7. The next three have a wrong KL term. The fifth has a right KL but an absolute error. The first four are $3(R + 7T)$ with the cross-entropy $R$ and $T = \tfrac12\sum(\mu^2 + a(\sigma^2 - 1) - b\log\sigma^2)$, which is a KL for $a = b = 1$.
#
# > **Predict first.** Which of the faults would an instrument miss that moves the mean alone?


# %% tags=["nbval-check-output"]
def faulty(a, b):
    """The loss with the factors a and b of T."""

    def loss(x, r, m, v):
        term = ops.sum(m**2 + a * (ops.exp(v) - 1) - b * v, axis=1) / 2
        return 3 * (bce_sum(x, r) + 7 * ops.mean(term))

    return loss


def absolute(x, r, m, v):
    return ops.mean(losses.sum_per_image(ops.abs(x - r))) + kl_sum(m, v)


suspects = {
    "no fault": faulty(1, 1),
    "log σ for log σ²": faulty(1, 0.5),
    "spread: wrong sign": faulty(-1, -1),
    "spread: missing": faulty(0, 0),
    "absolute error (L1)": absolute,
}
print("loss                 verdict                         by mean, narrow, wide, both")
for name, suspect in suspects.items():
    found = metrics.effective_beta(suspect, shape=(16, 16, 1), latent=4)
    ratios = [round(ratio, 1) for ratio in found.kl_ratios.values()]
    verdict = found.problem or f"β = {found.beta:.2f}"
    print(f"{name:<20} {verdict:<31} {ratios}")
    assert (found.beta is None) == (name != "no fault")

# %% [markdown]
# The three faults of the spread: their first ratio is $3 \cdot 7 = 21$, like the true KL's. (The moves of the reconstruction find the absolute error.)
#
# **What it cannot see.** It looks at one function at a few places. It does not see how $z$ is drawn, whether the function gets probabilities or [logits](../docs/site/glossary.md#term-logit) (values before the sigmoid), whether β changes during the training or with the batch size (only one term summed over it), or whether the pixels of the data are binary. A wrong KL may pass.
#
# ## Which published losses are scaled wrongly?
#
# Here are losses of five well-known sources. The functions repeat their arithmetic, not their code. `bce` and `mse` of Keras average over the last axis, and `bce_sum` sums what is left over the image. `kl_sum` sums over coordinates, `kl_each` does not. The last two losses are ours: the first one mended, and a plain sum of squares.
#
# > **Predict first.** Which losses change their β with the size of the image, which with $K$?

# %%
mse = keras.losses.mean_squared_error  # (B, H, W), a mean over channels
kl_each = losses.gaussian_kl_elementwise  # (B, K)


def chollet(x, r, m, v):  # Deep Learning with Python, 2nd and 3rd edition
    return bce_sum(x, r) + ops.mean(kl_each(m, v))


def foster(x, r, m, v):  # Generative Deep Learning, 2nd edition
    return 500 * ops.mean(bce(x, r)) + kl_sum(m, v)


def geron(x, r, m, v):  # Hands-On Machine Learning, 3rd edition
    return ops.mean(mse(x, r)) + kl_sum(m, v) / 784


def pytorch_vae(x, r, m, v):  # the repository PyTorch-VAE, in training
    return ops.mean(mse(x, r)) + 0.00025 * kl_sum(m, v)


def keras_mended(x, r, m, v):  # a mean over C channels, times C, is their sum
    return bce_sum(x, r) * x.shape[-1] + kl_sum(m, v)


def sum_of_squares(x, r, m, v):
    return ops.mean(losses.sum_per_image((x - r) ** 2)) + kl_sum(m, v)


# %% tags=["nbval-check-output"]
published = {
    "Keras": keras_loss,
    "Chollet": chollet,
    "Foster": foster,
    "Géron": geron,
    "PyTorch-VAE": pytorch_vae,
    "Keras, mended": keras_mended,
    "sum of squares": sum_of_squares,
}
sizes = [
    ((28, 28, 1), 2),
    ((32, 32, 3), 2),
    ((64, 64, 3), 2),
    ((64, 64, 3), 128),
]  # image, latent
betas = {}
print("                28×28×1  32×32×3  64×64×3  64×64×3, K = 128")
for name, loss in published.items():
    found = [metrics.effective_beta(loss, *size) for size in sizes]
    betas[name] = [each.beta for each in found]
    print(f"{name:<14}", *(f"{beta:>8.3g}" for beta in betas[name]))
steady = [name for name, row in betas.items() if np.allclose(row, row[0], rtol=0.01)]
print("the same at every size:", steady)
assert steady == ["Keras, mended", "sum of squares"]

# %% [markdown]
# With $D = HWC$ values in an image:
#
# - **Keras**: β = $C$, because `bce` averages over channels. For one channel the weight is right, β = 1. (Grey pixels are not binary, so even then the cross-entropy is not a likelihood.)
# - **Chollet**: β = $C/K$, because the KL is averaged over coordinates. For the grey images and $K = 2$ of the book it is 0.5.
# - **Foster**: β = $D/500$, because the reconstruction is averaged over pixels. For the 32×32×1 of the book it is 2.05.
# - **Géron**: β = $D/(2\cdot784)$, for the same reason. For the 28×28×1 of the book it is 0.5.
# - **PyTorch-VAE**: β = $D\cdot0.00025/2$. For its 64×64×3 it is 1.54; in its validation the 0.00025 is 1.
#
# **What does a squared error mean?** For cross-entropies of binary pixels β = 1 is the negative ELBO, and only the mended loss always has it. A squared error is different: a Gaussian decoder with noise σ has $-\log p(x \mid z) = \frac{1}{2\sigma^2}\|x - r\|^2 + \text{const}$, and nobody says that σ must be 1.
#
# **A squared error with weight $w$ per squared unit, $w\|x - r\|^2 + \beta\,\mathrm{KL}$, is β times the negative ELBO of a Gaussian decoder with $\sigma^2 = \beta/(2w)$, up to a constant.** To see it, divide by β and compare $w/\beta$ with $1/(2\sigma^2)$. The instrument takes $w = \tfrac12$ for its unit, so the effective β that it prints *is* this $\sigma^2$.
#
# So Géron's loss at its own size, and the sum of squares at any size, are negative ELBOs with $\sigma^2 = \tfrac12$.

# %% tags=["picture"]
labels = [
    "28×28×1\nK = 2",
    "32×32×3\nK = 2",
    "64×64×3\nK = 2",
    "64×64×3\nK = 128",
]
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for name, row in betas.items():
    squared = name in ("Géron", "PyTorch-VAE", "sum of squares")
    axis = right if squared else left
    axis.semilogy(labels, row, "o-", label=name)
left.set(title="cross-entropy", ylabel="effective β (1 is the ELBO)")
right.set(title="squared error", ylabel="σ² of the decoder")
left.legend()
right.legend()
alt = "Two panels on logarithmic axes, over four combinations of image size and latent size. Left, effective beta of four cross-entropy losses: the mended Keras loss stays at 1; Keras goes from 1 to 3, Foster from 1.6 to 25, and Chollet from 0.5 to 1.5 and then, for 128 coordinates, down to 0.02. Right, sigma squared of three squared-error losses: the sum of squares stays at 0.5, Géron rises from 0.5 to 8, PyTorch-VAE from 0.1 to 1.5."
plots.show(fig, alt=alt)

# %% [markdown]
# Only the two losses that sum keep their β or σ² when the size changes. Foster, Géron and PyTorch-VAE change with the image size, Keras with the channels, Chollet with the channels and $K$. For pixels between 0 and 1, the $\sigma^2 = 1.54$ of PyTorch-VAE says that a pixel is known to ±1.24, which is more than the distance from black to white.
#
# Notebook `06` shows what β does. Choose it where it can be seen: sum over the image, weigh, and then take the mean over the batch.
#
# **Exercise.** The same book by Foster has a second VAE, for faces of 32×32×3: 2000 times the mean squared error, plus the summed KL. With which $\sigma^2$ is it a negative ELBO?

# %%
your_variance = None  # ← your number in place of None
true_variance = 32 * 32 * 3 / 4000
if your_variance is not None:
    print(f"σ²: your value {your_variance}, true value {true_variance:.3f}")
    assert abs(your_variance - true_variance) < 0.01, "β is 1. What is w?"

# %% [markdown]
# <details><summary>Solution</summary>
#
# $w = 2000/D$ with $D = 3072$, so $\sigma^2 = D/4000 = 0.77$.
#
# </details>
#
# ## Results
#
# The numbers of the text.

# %% tags=["results"]
results = {"best": best, "elbo_first": elbo[0], "gap_first": gap[0], "gap_last": gap[-1]}
results |= {"shortfall": shortfall, "rotation_gap": rotation_gap.max()}
results["runaway"] = curves["the recipe"][100] / 1e9
results["kl_alone"] = curves["wrong sign on the KL"][100]
limits = {"shortfall": (-0.001, 0.01), "gap_last": (-0.001, 0.01)}
bands = {key: {"default": ends, "smoke": ends} for key, ends in limits.items()}
record(results, bands, f"linear VAE {abs(shortfall):.4f} nats from the exact maximum of log p")

# %% [markdown]
# ## What you saw
#
# - On the linear model, ELBO plus gap was $\log p(x)$ at every recorded step. In the stored run the ELBO ended less than 0.0001 nats per image from the exact maximum (one seed, 400 images).
# - A diagonal $q$ is exact only for a decoder with orthogonal columns. Training made them so, and the gap closed.
# - With the constants left as printed, none of the five published losses kept its β at all four sizes. For a squared error, this β is the $\sigma^2$ of the decoder.
#
# ## Check yourself
#
# 1. Two linear decoders have the same $WW^\top$ and the same σ. Can their best ELBOs differ?
#
#    <details><summary>Answer</summary>
#
#    Yes, if $q$ is diagonal: the smallest gap depends on the products $w_j^\top w_k$.
#
#    </details>
# 2. A posterior is two equal Gaussian bumps, far from each other. How large is the gap of the best Gaussian $q$?
#
#    <details><summary>Answer</summary>
#
#    $-\log\tfrac12 = 0.69$ nats: it lies on one of the bumps.
#
#    </details>
# 3. Why does a loss with a wrong scale give no alarm?
#
#    <details><summary>Answer</summary>
#
#    It has a minimum, that of a β-VAE, and training goes down to it.
#
#    </details>
# 4. Why does the instrument move the mean and $\log\sigma^2$ separately?
#
#    <details><summary>Answer</summary>
#
#    A term that is wrong only in $\log\sigma^2$ changes with the mean as a true KL does.
#
#    </details>
# 5. A loss is $\|x - r\|^2 + \mathrm{KL}$, summed. Is it a negative ELBO?
#
#    <details><summary>Answer</summary>
#
#    Yes, up to a constant, of a Gaussian decoder with $\sigma^2 = \tfrac12$.
#
#    </details>
#
# ## On your own
#
# 1. **Measure your own.** Write the loss of a VAE as `loss(x, r, mean, log_variance)`, and give it to `metrics.effective_beta` at two image sizes.
#
# ## References
#
# - Chollet, F. (2020). Variational AutoEncoder. *Keras code examples*. <https://keras.io/examples/generative/vae/>
# - Chollet, F. and Watson, M. (2025). *Deep Learning with Python*, 3rd edition. Manning. Notebooks: <https://github.com/fchollet/deep-learning-with-python-notebooks>
# - Foster, D. (2023). *Generative Deep Learning*, 2nd edition. O'Reilly. Notebooks: <https://github.com/davidADSP/Generative_Deep_Learning_2nd_Edition>
# - Géron, A. (2022). *Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow*, 3rd edition. O'Reilly. Notebooks: <https://github.com/ageron/handson-ml3>
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Lucas, J., Tucker, G., Grosse, R. and Norouzi, M. (2019). Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse. NeurIPS. [arXiv:1911.02469](https://arxiv.org/abs/1911.02469)
# - Rolínek, M., Zietlow, D. and Martius, G. (2019). Variational Autoencoders Pursue PCA Directions (by Accident). CVPR. [arXiv:1812.06775](https://arxiv.org/abs/1812.06775)
# - Subramanian, A. K. (2020). PyTorch-VAE. <https://github.com/AntixK/PyTorch-VAE>
# - Tipping, M. E. and Bishop, C. M. (1999). Probabilistic Principal Component Analysis. *JRSS B* 61(3), 611–622. [doi:10.1111/1467-9868.00196](https://doi.org/10.1111/1467-9868.00196)
