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
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/05_test_the_bound.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/05_test_the_bound.ipynb) <!--badges-->
#
# ![x](../docs/pictures/05.png) <!--picture-->
#
# The ELBO is a lower bound on $\log p(x)$. How far below the truth does it end? And which published losses are no ELBO, because a term is scaled wrongly? This notebook answers both by measurement: first with a VAE so small that everything about it is known exactly, then with an instrument that reads the weight of the KL off any loss.
#
# **What you'll do**
#
# - Train a linear VAE, and compare its ELBO at each step with the exact $\log p(x)$.
# - See what a *diagonal* posterior can match, and what it cannot.
# - Fit one Gaussian to two bumps in both directions of the KL.
# - Run a published recipe whose sign is the other way round.
# - Build an instrument for the weight of the KL, test it on known faults, and measure five published losses.
#
# **What you'll learn**
#
# - On a linear model the bound can reach the truth, and the ELBO decides among decoders that fit equally well.
# - Every loss of this form has an *effective β*, whether or not its author chose one. Averages make it change with the size of the image or of the latent.
# - A squared error always means some σ of the pixels. What matters is whether it stays the same.
#
# **What you'll need**
#
# - Notebook `04`: the two derivations of the ELBO, and $\mathrm{KL}(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, 1)) = \tfrac12(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$.
# - From linear algebra: products, transposes, inverses and determinants of matrices; what an eigenvector is. The first section recalls the facts that are used.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (notebook `00` measures yours), 35 minutes to read, and 1 GB of memory. No data set: the data are drawn here, because only then is the truth known.

# %% tags=["colab"]
# On Google Colab this installs the helpers; elsewhere it does nothing.
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "vae-segments-edges @ git+https://github.com/vae-segments-edges/vae-segments-edges"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)

# %% tags=["parameters"]
seed = 0  # of the data, the first weights and every random draw
images = 400  # images of 4×4 pixels for the linear VAE
latent = 3  # K, latent coordinates of the linear VAE
steps = 1500  # training steps of the linear VAE, each on all images

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), images=range(50, 5001), latent=range(3, 7), steps=range(100, 9001)
)
set_up(seed)

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from scipy.stats import multivariate_normal, norm

from helpers import losses, plots

plots.use()


# %% [markdown]
# An exercise ends in the small function below. Put your answer where `None` stands and run the cell again. It prints *your value* beside the *true value*, and stops with a hint where they differ.


# %%
def compare(name, yours, true, hint):
    shown = "?" if yours is None else f"{true:.3g}"
    print(f"{name}: your value {yours}, true value {shown}")
    assert yours is None or abs(yours - true) <= 0.01 * abs(true), hint


# %% [markdown]
# ## A model whose truth is known
#
# For a real decoder nobody can compute $\log p(x)$ or $p(z \mid x)$. For a **linear** decoder both are exact:
#
# $$z \sim \mathcal N(0, I), \qquad x = Wz + b + \sigma\varepsilon, \qquad \varepsilon \sim \mathcal N(0, I).$$
#
# The image $x$ has $D$ pixels and the latent $z$ has $K$ coordinates. $W$ has $D$ rows and $K$ columns $w_1, \dots, w_K$: column $w_k$ is the pattern that coordinate $k$ paints. $b$ is the mean image, and σ the noise of a pixel. The model is called probabilistic PCA (Tipping and Bishop, 1999). Five facts about matrices are used.
#
# 1. $Wz$ has the covariance $WW^\top$. Noise of variance $\sigma^2$ in each pixel adds $\sigma^2 I$. So $x$ is Gaussian with mean $b$ and covariance $C = WW^\top + \sigma^2 I$.
# 2. A Gaussian with covariance $C$ has $\log p(x) = -\tfrac12\big(D\log 2\pi + \log\det C + (x-b)^\top C^{-1}(x-b)\big)$. SciPy computes it.
# 3. The inverse of a covariance is called the *precision*. In one dimension it is $1/\text{variance}$: a large precision means that a number is known exactly.
# 4. The entries of $W^\top W$ are the products $w_j^\top w_k$. They are zero for $j \neq k$ if the columns are *orthogonal*, and then $W^\top W$ is diagonal.
# 5. An eigenvector of the covariance of data is a direction, and its eigenvalue is the variance of the data along it.
#
# **The posterior.** As in notebook `04`, take $\log p(z) + \log p(x \mid z)$ and keep what depends on $z$:
#
# $$-\tfrac12 z^\top z - \frac{\|x - b - Wz\|^2}{2\sigma^2} = -\tfrac12 z^\top\Big(I + \frac{W^\top W}{\sigma^2}\Big) z + z^\top\frac{W^\top(x-b)}{\sigma^2} + \text{const}.$$
#
# A Gaussian with mean $m$ and precision $P$ has the log density $-\tfrac12 z^\top P z + z^\top P m + \text{const}$. Compare the two: $P = I + W^\top W/\sigma^2$ and $m = P^{-1}W^\top(x-b)/\sigma^2$.
#
# **The best fit.** Tipping and Bishop proved which parameters have the largest likelihood. $b$ is the mean of the data. The columns of $W$ are the eigenvectors of the $K$ largest eigenvalues $\lambda_k$, each with length $\sqrt{\lambda_k - \sigma^2}$. $\sigma^2$ is the mean of the other eigenvalues. So before the training we know the value that no training can exceed.
#
# The data are images of 4×4 pixels, drawn from such a model with $K$ orthogonal patterns of different strength.


# %%
def log_likelihood(x, W, b, sigma):
    # Exact log p(x) of the linear model, nats per image. x (N, D), W (D, K), b (D,).
    covariance = W @ W.T + sigma**2 * np.eye(len(W))
    return multivariate_normal(b, covariance, allow_singular=True).logpdf(x).mean()


rng = np.random.default_rng(seed)
patterns, _ = np.linalg.qr(rng.normal(size=(16, latent)))  # (D, K), orthogonal columns
true_W = patterns * np.linspace(4.0, 1.5, latent)  # of different strength
z_true = rng.normal(size=(images, latent))
x_train = z_true @ true_W.T + rng.normal(size=16) + 0.5 * rng.normal(size=(images, 16))
x_train = x_train.astype("float32")  # (N, D)

centre = x_train.mean(axis=0, dtype="float64")
covariance = np.cov(x_train.T.astype("float64"), bias=True)  # (D, D)
eigenvalues, eigenvectors = np.linalg.eigh(covariance)  # smallest first
best_sigma = np.sqrt(eigenvalues[:-latent].mean())
lengths = np.sqrt(eigenvalues[-latent:] - best_sigma**2)
best_W = eigenvectors[:, -latent:] * lengths
best = log_likelihood(x_train, best_W, centre, best_sigma)
print(f"largest possible log p(x): {best:.4f} nats per image")


# %% [markdown]
# ## Does the ELBO reach the truth?
#
# Now the **linear VAE**. Its decoder is $Wz + b$ with one learned σ. Its encoder is linear, too: $\mu = V^\top x + c$, and one learned $\log\sigma_k^2$ for each coordinate, the same for all images. One linear encoder can serve all images here, because the posterior mean $m$ is linear in $x$, and its precision $P$ does not depend on $x$.
# As in nearly every VAE, $q$ is *diagonal*: given the image, its coordinates are independent.
#
# Both terms of the ELBO have a formula. The KL is that of notebook `04`. The expected squared error is the error at the mean plus what the spread adds, $\mathbb E_q\|x - Wz - b\|^2 = \|x - W\mu - b\|^2 + \sum_k \sigma_k^2 \|w_k\|^2$: write $z = \mu + (z - \mu)$; the mixed terms have mean zero, because the coordinates are independent and centred at μ. So no draws are needed, and there is no noise.


# %%
class LinearVAE(keras.Model):
    # The two weights are 1 for the negative ELBO; a section below changes their signs.
    def __init__(self, nll_weight=1.0, kl_weight=1.0):
        super().__init__()
        self.nll_weight = nll_weight
        self.kl_weight = kl_weight
        generator = keras.random.SeedGenerator(seed)
        first = keras.initializers.RandomNormal(stddev=0.3, seed=generator)
        self.W = self.add_weight((16, latent), first)  # decoder
        self.V = self.add_weight((16, latent), first)  # encoder
        self.b = self.add_weight((16,), "zeros")
        self.c = self.add_weight((latent,), "zeros")
        self.log_variance = self.add_weight((latent,), "zeros")  # of q, log σ_k²
        self.log_sigma = self.add_weight((), "zeros")  # of a pixel, log σ

    def call(self, x):  # (B, D) → two times (B,), nats per image
        mean = ops.matmul(x, self.V) + self.c  # (B, K)
        reconstruction = ops.matmul(mean, ops.transpose(self.W)) + self.b
        nll = losses.gaussian_nll(x, reconstruction, self.log_sigma)
        lengths = ops.sum(ops.square(self.W), axis=0)  # ‖w_k‖², (K,)
        ratio = ops.exp(self.log_variance - 2 * self.log_sigma)  # σ_k² / σ²
        nll = nll + 0.5 * ops.sum(ratio * lengths)
        kl = losses.gaussian_kl(mean, ops.zeros_like(mean) + self.log_variance)
        return nll, kl

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        nll, kl = y_pred
        return ops.mean(self.nll_weight * nll + self.kl_weight * kl)


# %% [markdown]
# Every 25 steps we compute three numbers in three different ways: the ELBO, as the model computes it for its training; $\log p(x)$, from fact 2; and the gap, $\mathrm{KL}(q\,\|\,p(z \mid x))$. The gap needs a KL between a diagonal Gaussian and one with the full precision $P$.
# It is $\mathbb E_q[\log q(z)]$ minus $\mathbb E_q[\log p(z\mid x)]$. The first is $-\tfrac12\sum_k\log\sigma_k^2 - \tfrac K2$, up to a constant. The second, up to the same constant, is $\tfrac12\log\det P - \tfrac12\mathbb E_q[(z-m)^\top P(z-m)]$, and this last mean is $(\mu-m)^\top P(\mu-m)$ plus what the spread adds, $\sum_k P_{kk}\sigma_k^2$. Together:
#
# $$\text{gap} = \tfrac12\Big((\mu - m)^\top P\,(\mu - m) + \textstyle\sum_k P_{kk}\sigma_k^2 - K - \sum_k\log\sigma_k^2 - \log\det P\Big).$$
#
# For $P = I$ and $m = 0$ this is the formula from notebook `04`. If the decomposition $\log p(x) = \text{ELBO} + \text{gap}$ is right, it must hold at *every* step.
#
# > **Predict first.** The gap can vanish only if a diagonal $q$ can equal the posterior. Will the ELBO reach the largest possible $\log p(x)$, or stop below it?


# %%
def gap_and_truth(weights, x):
    # KL(q ‖ posterior) and exact log p(x), nats per image.
    W, V, b, c, log_variance, log_sigma = (w.astype("float64") for w in weights)
    precision = np.eye(latent) + W.T @ W * np.exp(-2 * log_sigma)  # P
    posterior_mean = (x - b) @ W @ np.linalg.inv(precision) * np.exp(-2 * log_sigma)
    off = x @ V + c - posterior_mean  # μ − m, (N, K)
    gap = np.mean(np.sum(off @ precision * off, axis=1))
    gap += np.sum(np.diag(precision) * np.exp(log_variance)) - latent
    gap -= log_variance.sum() + np.linalg.slogdet(precision)[1]  # slogdet: log det
    return 0.5 * gap, log_likelihood(x, W, b, np.exp(log_sigma))


def largest_cosine(W):
    # Largest |cosine| of the angle between two columns: 0 if all are orthogonal.
    unit = W / np.linalg.norm(W, axis=0)
    return np.abs(unit.T @ unit - np.eye(W.shape[1])).max()


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rows = []

    def on_epoch_begin(self, epoch, logs=None):
        nll, kl = self.model(x_train)
        weights = self.model.get_weights()
        gap, truth = gap_and_truth(weights, x_train)
        self.rows.append([-float(ops.mean(nll + kl)), gap, truth, largest_cosine(weights[0])])

    def on_train_end(self, logs=None):
        self.on_epoch_begin(None)


# %%
vae = LinearVAE()
learning_rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
vae.compile(optimizer=keras.optimizers.Adam(learning_rate, beta_2=0.99))
recorder = Recorder()
copies = np.tile(x_train, (25, 1))  # a batch is one copy of all images, an epoch 25 steps
vae.fit(
    copies, batch_size=images, epochs=steps // 25, shuffle=False, verbose=0, callbacks=[recorder]
)

elbo, gap, log_p, cosine = np.array(recorder.rows).T
at_step = 25 * np.arange(len(elbo))
print(" step      ELBO  +     gap  =   log p")
for i in np.linspace(0, len(elbo) - 1, 7).astype(int):
    print(f"{at_step[i]:>5}  {elbo[i]:8.4f}  {gap[i]:8.4f}  {log_p[i]:8.4f}")
shortfall = best - elbo[-1]
print(f"the ELBO ends {shortfall:.4f} nats below the largest possible log p(x), {best:.4f}")
assert np.abs(elbo + gap - log_p).max() < 1e-3, "ELBO + gap must be log p at every step"

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.5))
left.axhline(best, color="black", linewidth=1, linestyle=":", label="largest possible")
left.plot(at_step, log_p, label="log p(x), exact")
left.plot(at_step, elbo, "--", label="ELBO")
left.fill_between(at_step, elbo, log_p, color=plots.COLOURS["sky"], alpha=0.5, label="gap")
left.set(title="bound and truth", ylabel="nats per image")
left.set(xlim=(0, 200), ylim=(best - 8, best + 1))
left.legend(loc="lower right")
middle.semilogy(at_step, np.maximum(gap, 1e-6))  # below this float32 rounds
middle.set(title="gap", ylabel="nats per image")
right.semilogy(at_step, cosine)
right.set(title="largest |cosine| of two columns", ylabel="cosine")
for axis in (left, middle, right):
    axis.set_xlabel("training step")
plots.show(fig, alt="ALT1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")

# %% [markdown]
# It reaches it. In the stored run the ELBO starts at −60.40<!--=elbo_first--> nats per image, 22.88<!--=gap_first--> below the $\log p(x)$ of the untrained model. It ends 0.0001<!--=shortfall--> nats below the largest possible value, −16.61<!--=best-->. At every recorded step ELBO and gap add up to $\log p(x)$; the cell stops if they differ by 0.001 nats.
#
# Most of the gap closes within 200 steps, while the encoder learns where the posterior mean is. Then about two hundredths of a nat stay open for hundreds of steps. They close when the **columns of the decoder become orthogonal**, as the third panel shows. (How long this takes depends on the optimiser.)
#
# ## Why do the columns become orthogonal?
#
# $\log p(x)$ does not need it. Rotate the columns among themselves, $W \to WR$ with $RR^\top = I$: then $WRR^\top W^\top = WW^\top$, so the covariance of $x$ stays as it was. It is the **diagonal** $q$ that needs it. The posterior has the precision $P = I + W^\top W/\sigma^2$, and a diagonal $q$ can match it only if all products $w_j^\top w_k$ with $j \ne k$ are zero (fact 4).
#
# How large is the gap of the best diagonal $q$? Its mean is right, $\mu = m$. The slope of the gap by $\sigma_k^2$ is $\tfrac12(P_{kk} - 1/\sigma_k^2)$, so the best variance is $\sigma_k^2 = 1/P_{kk}$. Insert this: $\sum_k P_{kk}\sigma_k^2$ is then $K$, and
#
# $$\text{smallest gap} = \tfrac12\Big(\textstyle\sum_k \log P_{kk} - \log\det P\Big).$$
#
# This is a KL, so it is never negative, and it is zero only if $q$ equals the posterior, that is, if $P$ is diagonal. To see it, take the best $W$ and rotate its first two columns by an angle $\theta$.
#
# > **Predict first.** At which angle is the gap largest? At which angle is it zero again?

# %%
angles = np.arange(91)  # degrees
smallest_gaps = []
for angle in np.radians(angles):
    turn = np.eye(latent)
    turn[0, :2] = np.cos(angle), -np.sin(angle)
    turn[1, :2] = np.sin(angle), np.cos(angle)
    W = best_W @ turn
    P = np.eye(latent) + W.T @ W / best_sigma**2
    smallest_gaps.append(0.5 * (np.log(np.diag(P)).sum() - np.linalg.slogdet(P)[1]))
    assert abs(log_likelihood(x_train, W, centre, best_sigma) - best) < 1e-9

fig, axis = plt.subplots(figsize=(5.6, 3.3))
axis.plot(angles, smallest_gaps)
axis.set(xlabel="rotation (degrees)", ylabel="smallest gap (nats per image)")
axis.set_xticks(range(0, 91, 15))
plots.show(fig, alt="ALT2 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")

# %% [markdown]
# It is largest at 45 degrees, 0.12<!--=rotation_gap--> nats in the stored run, and zero at 90, where the two columns have changed places. $\log p(x)$ is the same at all angles (the cell checks it to nine decimals), so the ELBO differs although the models of the data do not. Among decoders that fit equally well, the ELBO prefers the one whose posterior a diagonal $q$ can match.
# This is why linear VAEs find the principal directions themselves and not only the plane that they span (Lucas and others, 2019). Rolínek and others (2019) found the same pressure in deep VAEs.
#
# In a deep VAE the gap has a second source. The same encoder network answers for every image, and may be wrong for some of them although a better diagonal $q$ exists; Cremer and others (2018) call this the *amortisation gap*. Notebook `07` measures it.
#
# **Exercise 1.** Two columns have length $\sigma$ each and the product $w_1^\top w_2 = \sigma^2/2$. Write down $P$ (two by two). What is the smallest gap of a diagonal $q$?

# %%
your_gap = None  # ← your number, in nats
compare("smallest gap", your_gap, 0.5 * np.log(4 / 3.75), "P_kk is 2. Is the ½ there?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $P = \begin{pmatrix}2 & 0.5\\ 0.5 & 2\end{pmatrix}$ has the determinant $4 - 0.25$. So the gap is $\tfrac12(\log 4 - \log 3.75) = 0.0323$ nats.
#
# </details>
#
# ## What does the direction of the KL do?
#
# The gap is $\mathrm{KL}(q\,\|\,p)$, with the approximation first. The derivation gave this order. What does it do to a $q$ that cannot match its target?
#
# Take a target density $p$ with two bumps, as the posterior of an ambiguous image may have, and fit one Gaussian $q$ to it. $\mathrm{KL}(p\,\|\,q)$ is a mean over the *target*: where the target has mass, $q$ must have some, or $-\log q$ becomes very large. $\mathrm{KL}(q\,\|\,p)$ is a mean over $q$ *itself*: where $q$ has mass, the target must have some, but a whole bump may be left out. We compute both on a grid of means and spreads, by quadrature, and take the smallest.
#
# > **Predict first.** The bumps are at −2 (60 % of the mass) and +2 (40 %), each with σ = 0.5. Where does each direction put the mean of $q$, and how wide is $q$?

# %%
z = np.linspace(-12, 12, 1201)
target = 0.6 * norm.pdf(z, -2, 0.5) + 0.4 * norm.pdf(z, 2, 0.5)
means = np.linspace(-3, 3, 61)
sigmas = np.geomspace(0.25, 3.5, 54)
q = norm(means[:, None, None], sigmas[:, None])  # every density is (means, sigmas, z)
divergences = {
    "KL(q‖p)": np.trapezoid(q.pdf(z) * (q.logpdf(z) - np.log(target)), z),
    "KL(p‖q)": np.trapezoid(target * (np.log(target) - q.logpdf(z)), z),
}  # each (means, sigmas), nats

fig, axis = plt.subplots(figsize=(6.2, 3.5))
axis.fill_between(z, target, color="#BBBBBB", label="target p")
for (name, nats), style in zip(divergences.items(), ("-", "--")):
    i, j = np.unravel_index(nats.argmin(), nats.shape)
    print(f"smallest {name}: mean {means[i]:+.1f}, σ {sigmas[j]:.2f}, {nats.min():.3f} nats")
    axis.plot(z, norm.pdf(z, means[i], sigmas[j]), style, label=f"q of smallest {name}")
second = divergences["KL(q‖p)"][means > 0].min()
print(f"smallest KL(q‖p) with a positive mean: {second:.3f} nats")
axis.set(xlabel="z", ylabel="density", xlim=(-6, 6), ylim=(0, 1))
axis.legend(loc="upper right")
plots.show(fig, alt="ALT3 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")

# %% [markdown]
# $\mathrm{KL}(q\,\|\,p)$ **seeks a mode**. It chooses the larger bump, with its spread, and leaves the other out. Its value is 0.511<!--=mode_seeking_nats--> nats, which is $-\log 0.6$: on that bump $p$ is 0.6 of a Gaussian, so $\log(q/p) = -\log 0.6$. On the other bump there is a second minimum, $-\log 0.4 = 0.916$ nats; which one a training finds depends on its start. $\mathrm{KL}(p\,\|\,q)$ **covers the mass**: it takes the mean and the spread of the whole target, and is highest where the target is nearly empty.
#
# For a VAE this means that a $q$ which is too simple tends to be too *narrow*, and that it may choose one explanation of an ambiguous image. In the linear model, $1/P_{kk}$ is at most the true variance $(P^{-1})_{kk}$ (exercise 1 *On your own*).
#
# ## Does the sign matter?
#
# One published text gives the objective as $\min\, \mathbb E[\log p(x \mid z)] - \beta\,\mathrm{KL}(q(z \mid x)\,\|\,p(z))$; notebook `18` reads it. For β = 1 this is the ELBO, and the ELBO is to be **maximised**. We train the linear VAE with this sign, and also with the wrong sign on the KL alone.
#
# > **Predict first.** The data, the optimiser and the first weights are the same as before. Where does each of the two minimisations end?

# %%
signs = {
    "negative ELBO": (1, 1),
    "the recipe": (-1, -1),
    "KL alone": (1, -1),
}  # weights of −log p(x|z) and of the KL
curves = {}
for name, (nll_weight, kl_weight) in signs.items():
    model = LinearVAE(nll_weight, kl_weight)
    learning_rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate, beta_2=0.99))
    history = model.fit(x_train, batch_size=images, epochs=101, verbose=0)
    curves[name] = np.array(history.history["loss"])
    print(f"{name:<14} loss after 0, 25, 50, 100 steps:", curves[name][[0, 25, 50, 100]].round(1))

# %% [markdown]
# Neither ends. In the stored run the recipe stands at −22<!--=runaway--> billion nats per image after 100 steps, and the wrong sign on the KL alone at −1000<!--=kl_alone-->. There is no minimum: $\log p(x \mid z)$ becomes as negative as one likes if the model reconstructs badly and with a small σ, and $-\mathrm{KL}$ if it moves μ far from zero. Each of the two is **unbounded below**. The loss to be minimised is
#
# $$\underbrace{-\,\mathbb E_q[\log p(x \mid z)]}_{\text{reconstruction}} \;+\; \mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big).$$
#
# The KL is never negative, and for binary pixels the first term is not either. (For grey pixels it may be, because a density can be above 1.) A wrong sign shows itself within a hundred steps, since the loss falls without end. A wrong *scale* does not show itself at all.

# %% [markdown]
# ## An instrument for the weight of the KL
#
# Take any loss of the form $w_r R + w_k\,\mathrm{KL}$, where $R = -\log p(x \mid z)$ is summed over pixels and channels. Divide by $w_r$, which moves no minimum: $R + \beta\,\mathrm{KL}$ with the *effective β* $= w_k/w_r$. For β = 1 it is the negative ELBO. For another β it is the loss of a β-VAE (Higgins and others, 2017), whose author may not know it.
#
# The instrument needs no source code, only a function `loss(x, reconstruction, mean, log_variance)`.
#
# **The weight of the KL.** Change the encoder's answer alone, and divide the change of the loss by the change of the true KL. Do it in five ways: with a small and a large mean, with a narrow and a wide spread, and with both moved. If the term is a KL, all five ratios are the same number, $w_k$. If they differ by more than 1 %, the term is **not a KL**.
#
# **The weight of the reconstruction.** Change the reconstruction alone, twice, and divide by the change of $R$. Which $R$? Try both: the summed cross-entropy (Bernoulli pixels), and half the summed squared error, which is $-\log p(x \mid z)$ of Gaussian pixels with σ = 1 up to a constant. For the right one the two ratios agree within 1 %. If neither agrees, the instrument **refuses** the loss. The images are binary, because only then is the cross-entropy a likelihood.


# %%
def agree(ratios):
    return np.ptp(ratios) <= 0.01 * abs(np.mean(ratios))


def kl_weights(loss, x, reconstruction, latent):
    # Change of the loss for each nat of the true KL, moved in five ways.
    zeros = np.zeros((len(x), latent), "float32")  # mean 0 or log σ² 0
    random = np.float32(np.random.default_rng(1).normal(size=zeros.shape))
    moves = {
        "small mean": (random, zeros),
        "large mean": (4 * random, zeros),
        "narrow": (zeros, zeros - 3),
        "wide": (zeros, zeros + 1),
        "both": (random, random),
    }
    start = loss(x, reconstruction, zeros, zeros)
    weights = {}
    for name, (mean, log_variance) in moves.items():
        true_kl = ops.mean(losses.gaussian_kl(mean, log_variance))
        weights[name] = float((loss(x, reconstruction, mean, log_variance) - start) / true_kl)
    return weights


def reconstruction_weights(loss, x, reconstructions, latent):
    # Change of the loss for each nat of two likelihoods, moved in two ways.
    zeros = np.zeros((len(x), latent), "float32")
    values = [float(loss(x, r, zeros, zeros)) for r in reconstructions]
    entropies = [-np.log(np.where(x > 0, r, 1 - r)).sum() / len(x) for r in reconstructions]
    squares = [0.5 * np.square(x - r).sum() / len(x) for r in reconstructions]
    return {
        "Bernoulli": np.diff(values) / np.diff(entropies),
        "Gaussian": np.diff(values) / np.diff(squares),
    }


def effective_beta(loss, shape, latent):
    # The effective β and its likelihood, or None and the reason.
    rng = np.random.default_rng(0)
    x = np.float32(rng.random((8, *shape)) < 0.3)  # binary, (B, H, W, C)
    haze = np.float32(rng.uniform(-0.02, 0.02, x.shape))
    reconstructions = [0.5 + share * (x - 0.5) + haze for share in (0, 0.5, 0.9)]

    w_k = kl_weights(loss, x, reconstructions[-1], latent)
    if not agree(list(w_k.values())):
        return None, "not a KL: " + ", ".join(f"{name} {w:.2f}" for name, w in w_k.items())
    for likelihood, w_r in reconstruction_weights(loss, x, reconstructions, latent).items():
        if agree(w_r):
            return np.mean(list(w_k.values())) / np.mean(w_r), likelihood
    return None, "refused: neither Bernoulli nor Gaussian"


# %% [markdown]
# **An instrument is tested before it is used.** Below are faults that we know, each beside a correct summed cross-entropy, and one loss whose β we set to 7 and hide behind a factor of 3.
#
# > **Predict first.** Some of these faults change only how the loss depends on $\log\sigma^2$. Which ones? An instrument that moves the mean alone would take them for a KL.


# %% tags=["nbval-check-output"]
def cross_entropy(x, r):  # summed, (B,)
    return losses.sum_per_image(-(x * ops.log(r) + (1 - x) * ops.log(1 - r)))


def half_square(m):
    return 0.5 * ops.square(m)


faults = {
    "none, β = 7": lambda m, v: 7 * losses.gaussian_kl_elementwise(m, v),
    "log σ for log σ²": lambda m, v: half_square(m) + 0.5 * (ops.exp(v) - 1 - 0.5 * v),
    "spread: wrong sign": lambda m, v: half_square(m) - 0.5 * (ops.exp(v) - 1 - v),
    "spread: missing": lambda m, v: half_square(m) + 0 * v,
    "KL(p‖q)": lambda m, v: 0.5 * (ops.exp(-v) * (1 + ops.square(m)) - 1 + v),
    "KL subtracted": lambda m, v: -losses.gaussian_kl_elementwise(m, v),
}
said = {}
for name, term in faults.items():

    def loss(x, r, m, v, term=term):
        return 3 * ops.mean(cross_entropy(x, r) + ops.sum(term(m, v), axis=1))

    said[name] = effective_beta(loss, (16, 16, 3), 4)


def absolute_error(x, r, m, v):
    return ops.mean(losses.sum_per_image(ops.abs(x - r)) + losses.gaussian_kl(m, v))


said["absolute error (L1)"] = effective_beta(absolute_error, (16, 16, 3), 4)
for name, (beta, reason) in said.items():
    print(f"{name:<20}", reason if beta is None else f"β = {beta:.3f}, {reason}")
assert abs(said["none, β = 7"][0] - 7) < 0.01
assert [name for name, (beta, _) in said.items() if beta] == ["none, β = 7", "KL subtracted"]

# %% [markdown]
# Three faults look like a KL as long as only the mean moves: their first two ratios are 3.00, which is the hidden factor. The moves of the spread give them away. The subtracted KL is a KL, with β = −1.
#
# **What it cannot see.** It looks at the values of one function at a few places. It does not see how $z$ is drawn, whether the function gets probabilities or logits, whether a β changes during training, what happens to gradients, or whether grey pixels stand where the cross-entropy needs binary ones. A wrong KL that agrees with the right one at the five places would pass.
#
# ## Which published losses are scaled wrongly?
#
# Here are the losses of five well-known sources, and the first of them mended. The functions repeat their arithmetic and not their code. `bce` and `mse` are those of Keras and average over the last axis; `kl` sums over the coordinates, `kl_each` does not.
#
# > **Predict first.** Read each line. Which terms are sums, which are means? The images may be 28×28×1, 32×32×3 or 64×64×3, the latent may have 2 or 128 coordinates. Which β depend on that?

# %%
bce = keras.losses.binary_crossentropy  # (B, H, W), a mean over channels
mse = keras.losses.mean_squared_error
kl = losses.gaussian_kl  # (B,)
kl_each = losses.gaussian_kl_elementwise  # (B, K)


def keras_example(x, r, m, v):
    return ops.mean(ops.sum(bce(x, r), axis=(1, 2)) + kl(m, v))


def chollet(x, r, m, v):  # Deep Learning with Python, 2nd and 3rd edition
    return ops.mean(ops.sum(bce(x, r), axis=(1, 2))) + ops.mean(kl_each(m, v))


def foster(x, r, m, v):  # Generative Deep Learning, 2nd edition, clothes
    return 500 * ops.mean(bce(x, r)) + ops.mean(kl(m, v))


def foster_faces(x, r, m, v):  # the same book, faces
    return 2000 * ops.mean(mse(x, r)) + ops.mean(kl(m, v))


def geron(x, r, m, v):  # Hands-On Machine Learning, 3rd edition
    return ops.mean(mse(x, r)) + ops.mean(kl(m, v)) / 784


def pytorch_vae(x, r, m, v):  # training; its validation has 1 in place of 0.00025
    return ops.mean(mse(x, r)) + 0.00025 * ops.mean(kl(m, v))


def keras_mended(x, r, m, v):  # the mean over C channels, times C, is their sum
    return ops.mean(ops.sum(bce(x, r), axis=(1, 2)) * x.shape[-1] + kl(m, v))


def square_sum(x, r, m, v):
    return ops.mean(losses.sum_per_image(ops.square(x - r)) + kl(m, v))


# %% tags=["nbval-check-output"]
published = {
    "Keras example": keras_example, "Chollet": chollet, "Foster, clothes": foster,
    "Keras, mended": keras_mended, "Foster, faces": foster_faces, "Géron": geron,
    "PyTorch-VAE": pytorch_vae, "sum of squares": square_sum,
}  # fmt: skip
sizes = [((28, 28, 1), 2), ((32, 32, 1), 2), ((32, 32, 3), 2), ((64, 64, 3), 2), ((64, 64, 3), 128)]
labels = [f"{h}×{w}×{c}\nK = {size}" for (h, w, c), size in sizes]
print(" " * 16 + "".join(f"{label.replace(chr(10), ', '):>18}" for label in labels))
betas, likelihoods = {}, {}
for name, loss in published.items():
    measured = [effective_beta(loss, shape, size) for shape, size in sizes]
    betas[name] = np.array([beta for beta, _ in measured])
    likelihoods[name] = measured[0][1]
    print(f"{name:<16}" + "".join(f"{beta:>18.3g}" for beta in betas[name]))
steady = [name for name, row in betas.items() if np.allclose(row, row[0], rtol=0.01)]
print("the same at every size:", steady)
assert steady == ["Keras, mended", "sum of squares"]

# %% [markdown]
# With $D = HWC$ values in an image:
#
# | source | written for | effective β | there | why |
# |---|---|---|---|---|
# | Keras example | 28×28×1 | $C$ | 1 | `bce` averages over channels. For grey images the loss is right; for colour images β is 3 |
# | Chollet | 28×28×1, $K = 2$ | $C/K$ | 0.5 | the KL is averaged over coordinates |
# | Foster, clothes | 32×32×1 | $D/500$ | 2.05 | a mean over pixels; the factor would have to be $D$ |
# | Foster, faces | 32×32×3 | $D/4000$ | 0.77 | the same with a squared error |
# | Géron | 28×28×1 | $D/1568$ | 0.5 | a mean over pixels beside a KL divided by 784 |
# | PyTorch-VAE | 64×64×3 | $D/8000$ | 1.54 | a mean over pixels beside a fixed weight |
#
# In the last one the validation loss has a β that is 4,000 times larger, so its two curves belong to different objectives.
#
# **What does a squared error mean?** For the cross-entropies the case is clear: β = 1 is the negative ELBO, and only the mended loss has it at every size. For a squared error it is not. A Gaussian decoder with noise σ has $-\log p(x \mid z) = \frac{1}{2\sigma^2}\|x - r\|^2 + \text{const}$, and nobody says that σ must be 1.
# **A squared error with weight $w$ per squared unit, $w\|x - r\|^2 + \beta\,\mathrm{KL}$, is β times the negative ELBO of a Gaussian decoder with $\sigma^2 = \beta/(2w)$, up to a constant.** To see it, divide by β and compare $w/\beta$ with $1/(2\sigma^2)$. The instrument takes σ = 1, that is $w = \tfrac12$, so the effective β that it prints *is* this $\sigma^2$.
#
# So Géron's loss at its own size, and `sum of squares` at any size, are proper negative ELBOs with $\sigma^2 = \tfrac12$. What one can ask of such a loss is this: does σ keep its meaning when the size changes?

# %% tags=["picture"]
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharex=True)
for (name, row), marker in zip(betas.items(), "os^D" * 2):
    axis = left if likelihoods[name] == "Bernoulli" else right
    style = "-" if name in steady else "--"
    axis.semilogy(labels, row, marker + style, markersize=7, label=name)
left.axhline(1, color="#888888", linewidth=6, alpha=0.35)
left.set(title="cross-entropy", ylabel="effective β (1 is the ELBO)")
right.set(title="squared error", ylabel="σ² of the decoder")
for axis in (left, right):
    axis.tick_params("x", labelsize=8)
    axis.set_xlabel("image size and latent size")
    axis.legend(fontsize=9)
plots.show(fig, alt="ALT4 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")

# %% [markdown]
# Two lines are level, and both belong to losses that sum. All others change with the size of the image or of the latent, the PyTorch-VAE from $\sigma^2 = 0.1$ to 1.5. If pixels run from 0 to 1, $\sigma^2 = 1.5$ says that a pixel is known to ±1.24, which is more than the distance from black to white.
#
# None of these losses is useless. A weight that was tuned on one data set can serve well there, and to *choose* a β other than 1 can be a good idea; notebook `06` shows what it does. But choose it where it can be seen: sum over the image, weigh, and then take the mean over the batch.
#
# **Exercise 2.** A loss is the mean of the binary cross-entropy over all pixels and channels plus 0.1 times the mean KL over the coordinates. The images are 64×64×3, and $K = 32$. What is its effective β?

# %%
your_beta = None  # ← your number
compare("effective β", your_beta, 64 * 64 * 3 * 0.1 / 32, "Multiply by D to get the sum.")

# %% [markdown]
# **Exercise 3.** Someone trains with the mean squared error over 32×32×3 values plus the summed KL. With which σ is this a negative ELBO?

# %%
your_sigma = None  # ← your number
compare("σ of the decoder", your_sigma, (32 * 32 * 3 / 2) ** 0.5, "What is w here? β is 1.")

# %% [markdown]
# <details><summary>Solutions</summary>
#
# Exercise 2: the sum over $D = 12{,}288$ values is $D$ times the mean, so multiply the loss by $D$. The KL is $0.1/32$ of its sum, so β = $12{,}288 \cdot 0.1/32 = 38.4$.
#
# Exercise 3: $w = 1/D$ and β = 1, so $\sigma^2 = D/2 = 1536$ and σ = 39.2. For pixels between 0 and 1 this decoder says that it knows nothing of any pixel, and a training will hardly use the latent.
#
# </details>
#
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {"best": best, "elbo_first": elbo[0], "gap_first": gap[0], "gap_last": gap[-1]}
results |= {"shortfall": shortfall, "cosine_last": cosine[-1], "rotation_gap": max(smallest_gaps)}
results |= {"mode_seeking_nats": divergences["KL(q‖p)"].min()}
results |= {"runaway": curves["the recipe"][100] / 1e9, "kl_alone": curves["KL alone"][100]}
limits = {"shortfall": (-0.001, 0.01), "gap_last": (-0.001, 0.01)}
bands = {key: {"default": ends, "smoke": ends} for key, ends in limits.items()}
record(results, bands, f"linear VAE {abs(shortfall):.4f} nats from the exact maximum of log p")

# %% [markdown]
# ## What you saw
#
# - On the linear model, ELBO plus $\mathrm{KL}(q\,\|\,p(z \mid x))$ was $\log p(x)$ at every recorded step. In the stored run the ELBO ended 0.0001<!--=shortfall--> nats per image below the exact maximum (one seed, 400 images).
# - A diagonal $q$ is exact only for a decoder with orthogonal columns, and training made them so: the largest cosine of two columns ended at 0.010<!--=cosine_last-->.
# - The KL of a VAE seeks a mode. A $q$ that is too simple tends to be too narrow.
# - With a wrong sign the loss falls without end. With a wrong scale it trains without a sign of trouble, so measure the effective β.
# - Of five published sources, one is an ELBO at every size of a grey image (the Keras example). The weights of the others depend on the size of the image or of the latent. For a squared error, this weight is the $\sigma^2$ of the decoder.
#
# ## Check yourself
#
# 1. Two linear decoders have the same $WW^\top$ and the same σ. Can their best ELBOs differ?
#
#    <details><summary>Answer</summary>
#
#    Yes, if $q$ is diagonal. $\log p(x)$ is the same, but the gap of the best diagonal $q$ depends on the products $w_j^\top w_k$.
#
#    </details>
# 2. A posterior has two equal bumps, far from each other. What does the best Gaussian $q$ of a VAE look like, and how large is the gap?
#
#    <details><summary>Answer</summary>
#
#    It lies on one of the bumps. The gap is $-\log\tfrac12 = 0.69$ nats.
#
#    </details>
# 3. Why does a loss with a wrong scale give no alarm?
#
#    <details><summary>Answer</summary>
#
#    It still has a minimum, and training goes down to it. It is the minimum of a β-VAE.
#
#    </details>
# 4. Why does the instrument move the mean and $\log\sigma^2$ separately?
#
#    <details><summary>Answer</summary>
#
#    A term that is wrong only in $\log\sigma^2$ changes with the mean as a true KL does. Only a move of $\log\sigma^2$ shows the difference.
#
#    </details>
# 5. A loss is $\|x - r\|^2 + \mathrm{KL}$, summed. Is β = 1 right or wrong here?
#
#    <details><summary>Answer</summary>
#
#    Neither. It is the negative ELBO of a Gaussian decoder with $\sigma^2 = \tfrac12$. Whether this σ suits the data is another question; notebook `06` sets it.
#
#    </details>
#
# ## On your own
#
# 1. **Too narrow.** For the decoder rotated by 45°, compare the variances $1/P_{kk}$ of the best diagonal $q$ with the true posterior variances $(P^{-1})_{kk}$.
#
#    <details><summary>Solution</summary>
#
#    Print `1 / np.diag(P)` beside `np.diag(np.linalg.inv(P))` for the `P` of 45°. The first is smaller for the two rotated coordinates and equal for the others.
#
#    </details>
# 2. **A wrong sign on the KL alone.** Print the mean of `nll` and of `kl` after 100 and after 1,000 steps. Which of them would you see in the reconstructions?
#
#    <details><summary>Solution</summary>
#
#    The loss falls because the KL grows. The reconstruction term falls, too: the $\sigma_k$ shrink, and with less noise the decoder does better. So the pictures look fine, and only the loss gives the fault away.
#
#    </details>
# 3. **Measure your own.** Take a VAE from the web, write its loss as `loss(x, r, mean, log_variance)`, and measure it at two image sizes.
# 4. **Deceive the instrument.** Write a term that is no KL and passes all five moves.
#
#    <details><summary>Solution</summary>
#
#    For example a KL whose weight is 1 for $|\mu| < 20$ and 0 beyond. The instrument never looks there.
#
#    </details>
#
# ## References
#
# - Chollet, F. (2020). Variational AutoEncoder. *Keras code examples*. <https://keras.io/examples/generative/vae/>
# - Chollet, F. and Watson, M. (2025). *Deep Learning with Python*, 3rd edition. Manning. Notebooks: <https://github.com/fchollet/deep-learning-with-python-notebooks>
# - Cremer, C., Li, X. and Duvenaud, D. (2018). Inference Suboptimality in Variational Autoencoders. ICML. [arXiv:1801.03558](https://arxiv.org/abs/1801.03558)
# - Foster, D. (2023). *Generative Deep Learning*, 2nd edition. O'Reilly. Notebooks: <https://github.com/davidADSP/Generative_Deep_Learning_2nd_Edition>
# - Géron, A. (2022). *Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow*, 3rd edition. O'Reilly. Notebooks: <https://github.com/ageron/handson-ml3>
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Jordan, M. I., Ghahramani, Z., Jaakkola, T. S. and Saul, L. K. (1999). An Introduction to Variational Methods for Graphical Models. *Machine Learning* 37, 183–233. [doi:10.1023/A:1007665907178](https://doi.org/10.1023/A:1007665907178)
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Lucas, J., Tucker, G., Grosse, R. and Norouzi, M. (2019). Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse. NeurIPS. [arXiv:1911.02469](https://arxiv.org/abs/1911.02469)
# - Rolínek, M., Zietlow, D. and Martius, G. (2019). Variational Autoencoders Pursue PCA Directions (by Accident). CVPR. [arXiv:1812.06775](https://arxiv.org/abs/1812.06775)
# - Subramanian, A. K. (2020). PyTorch-VAE. <https://github.com/AntixK/PyTorch-VAE>
# - Tipping, M. E. and Bishop, C. M. (1999). Probabilistic Principal Component Analysis. *Journal of the Royal Statistical Society B* 61(3), 611–622. [doi:10.1111/1467-9868.00196](https://doi.org/10.1111/1467-9868.00196)
