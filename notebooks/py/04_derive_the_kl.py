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
# # Derive the KL: why two terms, and why a sum?
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/04_derive_the_kl.ipynb) [![Open in Kaggle](../docs/badges/kaggle.svg)](https://kaggle.com/kernels/welcome?src=https://github.com/vae-segments-edges/vae-segments-edges/blob/main/notebooks/04_derive_the_kl.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/04_derive_the_kl.ipynb) <!--badges-->
#
# ![Contour lines of the KL over mean and log sigma. The smallest ring, 0.1 nats, surrounds the uninformed answer at mean 0 and log sigma 0. The certain answer lies far below it, just inside the line of 2 nats; the shifted answer lies on the right of it, on the line of 2 nats; the answer that is too wide lies above it, about half as far as the certain one lies below, just inside the line of 3 nats. Upwards the lines are close together, downwards they are far apart.](../docs/pictures/04.png) <!--picture-->
#
# The loss of a [VAE](../docs/site/glossary.md#term-variational-autoencoder-VAE) has two terms: a [reconstruction](../docs/site/glossary.md#term-reconstruction) term and a [KL](../docs/site/glossary.md#term-KL-divergence) term. Why these two? Where does the formula of the second one come from? And why are both *summed* over an image and not averaged?
#
# **What you'll do**
#
# - See why $\log p(x)$ cannot be computed by drawing [latents](../docs/site/glossary.md#term-latent-variable) at random.
# - Derive the [evidence lower bound](../docs/site/glossary.md#term-ELBO) (ELBO) twice.
# - Derive the KL of a Gaussian by hand, and let four methods check it: algebra, quadrature, Monte Carlo and automatic differentiation (the computer applies the chain rule).
# - Compare the formula with an estimate from a random draw, for the value of the loss and for its gradient.
#
# **What you'll learn**
#
# - The gap between the ELBO and $\log p(x)$ is itself a KL.
# - Nats are counted per image: terms are summed over pixels and over latent coordinates.
# - A loss without noise can have a gradient with noise.
#
# **What you'll need**
#
# - Notebook `03`, or a rough idea of what the [encoder](../docs/site/glossary.md#term-encoder) and the [decoder](../docs/site/glossary.md#term-decoder) of a VAE do.
# - From mathematics: logarithms, derivatives, and integrals as areas. From probability: the density of a Gaussian, variance, the expectation $\mathbb E$ (the mean of a random quantity; the mean of a sum is the sum of the means), and conditional densities, $p(x, z) = p(x \mid z)\,p(z)$. No linear algebra.
# - About 1 minute to run on 2 CPU cores at 150 GF/s (billion operations a second; notebook `00` explains it and measures yours), 44 minutes to read, and 1 GB of memory. No data set: the data are drawn here, because only then is the truth known.

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
seed = 0  # of the image and of every random draw
stripes = 10  # K, stripes of an image and latent coordinates
pixels = 20  # pixels of a stripe
brightness = 0.6  # of a stripe, for each unit of its latent coordinate
noise = 0.3  # standard deviation of the noise of a pixel
draws = 400_000  # of the Monte Carlo check

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), stripes=range(2, 31), pixels=range(2, 101),
    brightness=(0.01, 10.0), noise=(0.01, 10.0), draws=range(10_000, 5_000_001),
)  # fmt: skip
set_up(seed)

import keras
import matplotlib.pyplot as plt
import numpy as np
import sympy
from keras import ops
from scipy.special import logsumexp
from scipy.stats import norm

from helpers import losses, plots
from helpers.backend import value_and_grad

plots.use()


# %% [markdown]
# In an exercise, put your answer where `None` stands and run the cell again. It stops with a hint where yours differs from the *true value*.


# %%
def compare(name, yours, true, hint):
    if yours is None:
        print(f"{name}: no answer yet")
        return
    print(f"{name}: your value {yours}, true value {true:.3f}")
    assert abs(yours - true) < 0.005, hint


# %% [markdown]
# ## Why not compute $\log p(x)$?
#
# A VAE is a model of how an image $x$ comes about. First a [latent](../docs/site/glossary.md#term-latent-variable) $z$ of $K$ numbers is drawn from the [prior](../docs/site/glossary.md#term-prior) $p(z) = \mathcal N(0, I)$: independent normal numbers with mean 0 and variance 1. Then the decoder turns $z$ into a distribution over images, $p(x \mid z)$, and the image is drawn from that.
# A good model gives a high density to the images that we have. So we want a large $\log p(x)$. The density $p(x)$ is called the *evidence*. Logarithms are natural here, and their unit is the [nat](../docs/site/glossary.md#term-nat); 1 nat is 1.44 bits.
#
# An image does not come with its $z$. Every $z$ could have made it, so all of them count:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, \mathrm dz = \mathbb E_{z \sim p(z)}\big[p(x \mid z)\big].$$
#
# This expectation can be estimated: draw many $z$ from the prior, decode each one, and take the mean of $p(x \mid z)$.
#
# To check the estimate we need a decoder whose truth is known. Ours paints $K = 10$ stripes of 20 pixels. Stripe $k$ has the brightness $a z_k$ with $a = 0.6$, and each pixel gets noise with the standard deviation $s = 0.3$. So the image has $D = 200$ pixels, $x_{kj} = a z_k + s\,\varepsilon_{kj}$.
#
# **Its [posterior](../docs/site/glossary.md#term-posterior).** Take the logarithm of $p(x \mid z)\,p(z)$ and keep only what depends on $z_k$:
#
# $$-\tfrac12 z_k^2 - \sum_j \frac{(x_{kj} - a z_k)^2}{2s^2} \;=\; -\tfrac12 \underbrace{\Big(1 + \frac{20\,a^2}{s^2}\Big)}_{P} z_k^2 + \underbrace{\frac{a\sum_j x_{kj}}{s^2}}_{B}\, z_k + \text{const}.$$
#
# A Gaussian with mean $m$ and variance $v$ has the log density $-\tfrac{1}{2v}z^2 + \tfrac mv z + \text{const}$. Compare the two: $v = 1/P$ and $m = B/P$. So the posterior $p(z \mid x)$ is Gaussian and known, coordinate by coordinate.
#
# **Its evidence.** By the definition of a conditional density, $p(x, z) = p(z \mid x)\,p(x)$. So $p(x) = p(x \mid z)\,p(z) / p(z \mid x)$, and *any* $z$ gives the same answer. The cell tries two.

# %%
rng = np.random.default_rng(seed)
z_true = rng.normal(size=stripes)  # (K,)
x = brightness * z_true[:, None] + noise * rng.normal(size=(stripes, pixels))  # (K, pixels)

precision = 1 + pixels * brightness**2 / noise**2  # P
posterior_mean = brightness * x.sum(axis=1) / noise**2 / precision  # (K,)
posterior_sigma = precision**-0.5  # the same for every coordinate


def log_likelihood(z):
    # log p(x|z) in nats. z (N, K) → (N,)
    painted = brightness * z[:, :, None]  # (N, K, 1), the same for all pixels of a stripe
    return norm.logpdf(x, painted, noise).sum(axis=(1, 2))


for z in (np.zeros(stripes), z_true):  # any two latents
    log_prior = norm.logpdf(z).sum()
    log_posterior = norm.logpdf(z, posterior_mean, posterior_sigma).sum()
    truth = log_likelihood(z[None])[0] + log_prior - log_posterior
    print(f"exact log p(x) = {truth:.6f} nats")

# %%
fig, axis = plt.subplots(figsize=(4.6, 2.6))
axis.imshow(x)
axis.set_xticks([0, 5, 10, 15])
axis.set_xlabel("pixel of the stripe")
axis.set_ylabel("stripe k")
axis.grid(False)
alt = "Ten horizontal stripes of twenty noisy grey pixels each. Stripe 6 is the brightest, stripes 9 and 8 are the darkest."
plots.show(fig, alt=alt)

# %% [markdown]
# A density such as $e^{-800}$ is smaller than any number that the computer holds. `logsumexp` takes the logarithm of a sum of such numbers without computing them.
#
# > **Predict first.** How many draws from the prior bring the estimate of $\log p(x)$ to within one nat: twenty, a thousand, twenty thousand, or more?

# %%
z = rng.normal(size=(20_000, stripes))  # from the prior
log_p = log_likelihood(z)  # (20000,)
prior_errors = []
for count in (20, 1_000, 20_000):
    estimate = logsumexp(log_p[:count]) - np.log(count)  # log of the mean of p(x|z)
    prior_errors.append(estimate - truth)
    print(f"{count:>6,} draws from the prior: off by {prior_errors[-1]:7.1f} nats")

# %% [markdown]
# More. In the stored run twenty draws are off by −327.5<!--=prior_errors[0]--> nats, a thousand by −52.6<!--=prior_errors[1]-->, and twenty thousand still by −22.2<!--=prior_errors[2]-->. Nearly every $z$ from the prior paints *another* image and adds next to nothing to the mean.
# The number of draws that is needed grows like $e^{\mathrm{KL}}$, where KL is the divergence of the posterior from the prior (Chatterjee and Diaconis, 2018).
#
# The encoder says, for each image, where to look. Its answer $q(z \mid x)$ is a distribution over the latents from which the image may have come.
#
# ## Two derivations of one bound
#
# Fix one image $x$, and write $q(z)$ for $q(z \mid x)$. It may be any density that is positive everywhere.
#
# **First derivation: Jensen's inequality.** Multiply and divide by $q$ inside the integral; nothing changes. But now it is an expectation under $q$:
#
# $$\log p(x) = \log \int q(z)\,\frac{p(x, z)}{q(z)}\,\mathrm dz = \log \mathbb E_{q}\!\left[\frac{p(x, z)}{q(z)}\right].$$
#
# The logarithm curves downward, so a straight line between two of its points runs below it. Therefore the logarithm of a mean is at least the mean of the logarithms. This is Jensen's inequality:
#
# $$\log p(x) \;\ge\; \mathbb E_{q}\!\left[\log \frac{p(x, z)}{q(z)}\right] \;=:\; \mathrm{ELBO}.$$
#
# So the ELBO is a lower **bound**: with any $q$, it is never above the truth. This derivation does not show how far below.
#
# **Second derivation: the decomposition.** It uses no inequality.
#
# 1. $\log p(x)$ does not depend on $z$, so its mean over any $q(z)$ is itself: $\log p(x) = \mathbb E_q[\log p(x)]$.
# 2. For *every* $z$, $p(x) = p(x, z)/p(z \mid x)$, as the cell above used. Insert it: $\log p(x) = \mathbb E_q\big[\log \tfrac{p(x, z)}{p(z \mid x)}\big]$.
# 3. Multiply and divide by $q(z)$ inside the logarithm. The logarithm of a product is a sum of logarithms, and the mean of a sum is the sum of the means:
#
# $$\log p(x) = \underbrace{\mathbb E_q\!\left[\log \frac{p(x, z)}{q(z)}\right]}_{\text{ELBO}} + \underbrace{\mathbb E_q\!\left[\log \frac{q(z)}{p(z \mid x)}\right]}_{\mathrm{KL}(q(z)\,\|\,p(z \mid x))}.$$
#
# The second term is by definition the [Kullback–Leibler divergence](../docs/site/glossary.md#term-KL-divergence) from $q$ to the true posterior. It is never negative, again by Jensen: for two densities $q$ and $r$, $-\mathrm{KL}(q\,\|\,r) = \mathbb E_q[\log \tfrac rq] \le \log \mathbb E_q[\tfrac rq] = \log \int r(z)\,\mathrm dz = \log 1 = 0$. It is zero only if the ratio $r/q$ is the same everywhere, that is, if $q = r$.
# So the ELBO is a bound, and **the gap has a name**: it is the KL from $q$ to the true posterior. The bound and this decomposition are older than VAEs (Neal and Hinton, 1998; Jordan and others, 1999).
#
# **The form that is trained.** Use $p(x, z) = p(x \mid z)\,p(z)$, and split the logarithm of the product once more:
#
# $$\mathrm{ELBO} = \mathbb E_q\big[\log p(x \mid z)\big] + \mathbb E_q\!\left[\log\frac{p(z)}{q(z)}\right] = \underbrace{\mathbb E_q\big[\log p(x \mid z)\big]}_{\text{reconstruction}} - \;\mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big).$$
#
# These are the two terms; the loss is $-\mathrm{ELBO}$. There are **two different KLs**. The KL *in the loss* compares the encoder's answer with the **prior**. It should not be zero: then $z$ would say nothing about the image. The KL *in the gap* compares the encoder's answer with the **posterior**, and zero is what we want.
#
# All of this holds for tables, too. Below, $z$ has three values.

# %% tags=["nbval-check-output"]
prior = np.array([0.5, 0.3, 0.2])  # p(z)
likelihood = np.array([0.1, 0.6, 0.02])  # p(x|z) of one image x
q = np.array([0.2, 0.7, 0.1])  # the encoder's answer

joint = prior * likelihood  # p(x, z)
evidence = joint.sum()  # p(x)
posterior = joint / evidence  # p(z|x)
elbo = np.sum(q * np.log(joint / q))
gap = np.sum(q * np.log(q / posterior))
print(f"log p(x) {np.log(evidence):.6f} = ELBO {elbo:.6f} + gap {gap:.6f} nats")
assert abs(np.log(evidence) - elbo - gap) < 1e-14

# %% [markdown]
# Change `q` to any three positive numbers that sum to one. The ELBO and the gap change, their sum does not. So training the *encoder* does not change $\log p(x)$. Training the *decoder* changes $\log p(x)$, and also the posterior and with it the gap.
#
# **Exercise 1.** What is the largest ELBO that any `q` can reach for this table?

# %%
your_elbo = None  # ← your number, in nats
compare("largest ELBO", your_elbo, np.log(evidence), "How small can the gap become?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# The gap is zero for `q = posterior`. Then the ELBO is $\log p(x) = \log(0.5\cdot 0.1 + 0.3 \cdot 0.6 + 0.2 \cdot 0.02) = \log 0.234 = -1.452$ nats.
#
# </details>
#
# ## What does the KL in the loss measure?
#
# For one image and one latent coordinate, the encoder of a VAE gives a mean $\mu$ and a standard deviation $\sigma$: $q = \mathcal N(\mu, \sigma^2)$. Without the image the answer would be the prior, $p = \mathcal N(0, 1)$. The KL tells, in nats, how far the answer lies from it.
#
# > **Predict first.** For one coordinate the encoder answers $\mu = 0$, $\sigma = 0.1$; for another $\mu = 0$, $\sigma = 1$. Which one has the larger KL? Which one can the decoder use? Write down a number for the first.
#
# The log density of a Gaussian is $\log q(z) = -\tfrac12\log 2\pi - \log\sigma - \tfrac{(z-\mu)^2}{2\sigma^2}$, and that of the prior is $\log p(z) = -\tfrac12\log 2\pi - \tfrac{z^2}{2}$. In the difference the $2\pi$ cancel:
#
# $$\mathrm{KL} = \mathbb E_q\big[\log q(z) - \log p(z)\big] = -\log\sigma - \mathbb E_q\!\left[\frac{(z-\mu)^2}{2\sigma^2}\right] + \mathbb E_q\!\left[\frac{z^2}{2}\right].$$
#
# - $\mathbb E_q[(z-\mu)^2]$ is the variance $\sigma^2$ of $z$, by definition. So the middle term is $-\tfrac12$.
# - $\mathbb E_q[z^2] = \mu^2 + \sigma^2$. To see it, write $z = \mu + (z - \mu)$ and square: $\mu^2 + 2\mu(z-\mu) + (z-\mu)^2$. The product in the middle has mean zero, and the last square has mean $\sigma^2$.
#
# Put both in:
#
# $$\mathrm{KL} = \underbrace{\tfrac12\mu^2}_{\text{mean}} + \underbrace{\tfrac12\big(\sigma^2 - 1 - \log\sigma^2\big)}_{\text{spread}}.$$
#
# The first part grows when the mean leaves zero. The second part is zero for $\sigma = 1$ and positive for any other spread. The function below takes $\sigma$. An encoder gives $\log\sigma^2$, because every real number is a valid one. The helper `losses.gaussian_kl` takes that, and the cell compares the two.


# %% tags=["nbval-check-output"]
def kl_by_hand(mean, sigma):
    # KL(N(mean, σ²) ‖ N(0, 1)) in nats, one coordinate.
    return 0.5 * mean**2 + 0.5 * (sigma**2 - 1 - np.log(sigma**2))


answers = {
    "certain": (0, 0.1),
    "uninformed": (0, 1),
    "shifted": (2, 1),
    "too wide": (0, 3),
}  # μ, σ
for name, (mean, sigma) in answers.items():
    nats = kl_by_hand(mean, sigma)
    helper = losses.gaussian_kl([[float(mean)]], [[2 * np.log(sigma)]])
    print(f"{name:<10}  μ = {mean}, σ = {sigma:<3}  {nats:.3f} nats")
    assert abs(float(helper[0]) - nats) < 1e-5

# %% [markdown]
# The certain coordinate has the larger KL: 1.808 nats, or 2.6 bits. The uninformed one has a KL of zero. If it answers $\mathcal N(0, 1)$ for every image, the decoder receives only noise from it. A large KL alone does not prove that $z$ is useful: the same narrow answer for all images has 1.8 nats, too, and says nothing. The mean of the KL over the data is called the [rate](../docs/site/glossary.md#term-rate), and it is an upper limit for the information about the image that $z$ carries (Alemi and others, 2018).
#
# The next figure shows the KL for all $\mu$ and $\sigma$. The slopes are $\partial\mathrm{KL}/\partial\mu = \mu$ and, because $\log\sigma^2 = 2\log\sigma$, $\partial\mathrm{KL}/\partial\log\sigma = \sigma^2 - 1$. The first pulls every mean to zero. The second pulls every spread to 1, but with unequal strength: it is never below $-1$ for a small $\sigma$, and it grows without limit for a large one.

# %% tags=["picture"]
means = np.linspace(-3, 3, 241)
log_sigmas = np.linspace(-3.2, 1.3, 241)
surface = kl_by_hand(means, np.exp(log_sigmas[:, None]))  # (log σ, μ)

fig, axis = plt.subplots(figsize=(6.6, 4.2))
levels = [0.1, 0.5, 1, 2, 3, 4, 6, 8, 12]
lines = axis.contour(means, log_sigmas, surface, levels)
places = [(-np.sqrt(2 * level), 0) for level in levels[:6]]
axis.clabel(lines, fmt="%g", manual=places)
for (name, (mean, sigma)), marker in zip(answers.items(), "os^D"):
    axis.plot(mean, np.log(sigma), marker, color="black", label=name)
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
axis.set(xlabel="mean μ", ylabel="log σ", title="KL in nats")
alt = "Contour lines of the KL over mean and log sigma. The smallest ring, 0.1 nats, surrounds the uninformed answer at mean 0 and log sigma 0. The certain answer lies far below it, just inside the line of 2 nats; the shifted answer lies on the right of it, on the line of 2 nats; the answer that is too wide lies above it, about half as far as the certain one lies below, just inside the line of 3 nats. Upwards the lines are close together, downwards they are far apart."
plots.show(fig, alt=alt)

# %% [markdown]
# **Exercise 2.** An encoder answers $\mu = 1$, $\sigma = 0.5$. How many nats is that, by pencil and paper?

# %%
your_nats = None  # ← your number
compare("KL of N(1, 0.5²), nats", your_nats, kl_by_hand(1, 0.5), "Is it log σ², or log σ?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\tfrac12 \cdot 1 + \tfrac12(0.25 - 1 - \log 0.25) = 0.5 + \tfrac12(0.25 - 1 + 1.386) = 0.818$ nats.
#
# </details>
#
# **Back to the first experiment.** The posterior of the stripes is a known Gaussian, so we can now say how many draws from the prior it needs.

# %%
posterior_kl = kl_by_hand(posterior_mean, posterior_sigma).sum()
print(f"KL(posterior ‖ prior) = {posterior_kl:.1f} nats")
print(f"about {np.exp(posterior_kl):.0e} draws")

# %% [markdown]
# In the stored run it is 20.0<!--=posterior_kl--> nats, so of the order of $e^{20}$, or $5\cdot10^8$, draws for one image. Even then an attempt is only sometimes within one nat.
#
# ## Do four other methods agree?
#
# We check the formula by methods that share as little as possible with its derivation. The first is **algebra by machine**: sympy does the whole integral with symbols.

# %% tags=["nbval-check-output"]
z = sympy.Symbol("z", real=True)
mu = sympy.Symbol("mu", real=True)
sigma = sympy.Symbol("sigma", positive=True)
log_q = -((z - mu) ** 2) / (2 * sigma**2) - sympy.log(sigma)
log_p = -(z**2) / 2  # both without −½ log 2π, which cancels
density = sympy.exp(log_q) / sympy.sqrt(2 * sympy.pi)  # q(z)
integrand = sympy.expand(density * (log_q - log_p))
integral = sympy.simplify(sympy.integrate(integrand, (z, -sympy.oo, sympy.oo)))
print("sympy integrates to", integral)
assert sympy.simplify(integral - (mu**2 + sigma**2 - 1) / 2 + sympy.log(sigma)) == 0


# %% [markdown]
# The second is **quadrature**: compute $q(z)\,[\log q(z) - \log p(z)]$ on a fine grid and add up the areas of the trapezoids below it. For a smooth function that is practically zero at both ends this sum is very exact (Trefethen and Weideman, 2014).
#
# The third is **Monte Carlo**: draw $z$ from $q$, and average $\log q(z) - \log p(z)$. The mean of $n$ random numbers is itself random. Its standard deviation, the *standard error*, is that of one draw divided by $\sqrt n$. A difference from the truth of more than four standard errors is a failure.


# %% tags=["nbval-check-output"]
def quadrature_kl(mean, sigma, prior_mean=0.0, prior_sigma=1.0):
    # ∫ q (log q − log p) dz of two Gaussians, in nats.
    z = np.linspace(mean - 14 * sigma, mean + 14 * sigma, 2001)
    q = norm(mean, sigma)
    p = norm(prior_mean, prior_sigma)
    return np.trapezoid(q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), z)


cases = [
    (1.0, 0.5),
    (-0.7, 1.3),
    (0.3, 0.1),
    (2.0, 0.2),
]  # μ, σ
for mean, sigma in cases:
    exact = kl_by_hand(mean, sigma)
    print(f"μ = {mean:4.1f}, σ = {sigma}: {exact:.8f} nats by the formula")
    assert abs(quadrature_kl(mean, sigma) / exact - 1) <= 1e-10, "quadrature differs"
print("quadrature agrees to ten digits")

# %%
mean, sigma = cases[0]
z = rng.normal(mean, sigma, size=draws)  # from q
values = norm.logpdf(z, mean, sigma) - norm.logpdf(z)  # log q − log p, (draws,)
standard_error = values.std() / np.sqrt(draws)
exact = kl_by_hand(mean, sigma)
mc_difference = abs(values.mean() - exact) / standard_error
print(f"Monte Carlo {values.mean():.4f} ± {standard_error:.4f} nats, exact {exact:.4f}")
assert mc_difference <= 4


# %% [markdown]
# In the stored run the mean lies 0.3<!--=mc_difference--> standard errors from the exact value, and one standard error is 0.14<!--=mc_percent--> % of it.
#
# The fourth method checks what training uses, the **gradient**. We write the definition of the KL as a sum over a fixed grid, and let the backend differentiate this sum. The slopes should be $\mu$ and $\sigma^2 - 1$.


# %% tags=["nbval-check-output"]
def slopes(mean, sigma):
    # Slopes of the KL by μ and by log σ: automatic differentiation of the definition.
    mu = keras.Variable(mean)
    log_sigma = keras.Variable(float(np.log(sigma)))
    width = 1 / 32  # of a cell of the grid: single precision holds its multiples exactly
    z = ops.convert_to_tensor(np.arange(-14, 14, width, dtype="float32"))

    def definition():
        standardised = (z - mu) * ops.exp(-log_sigma)
        log_q = -0.5 * standardised**2 - log_sigma
        q = ops.exp(log_q) / np.sqrt(2 * np.pi)
        return width * ops.sum(q * (log_q + 0.5 * z**2))

    _, gradients = value_and_grad(definition, [mu, log_sigma])
    return np.array([float(g) for g in gradients])


for mean, sigma in cases:
    print(f"by the formula: slope by μ {mean:+.2f}, by log σ {sigma**2 - 1:+.2f}")
    assert np.allclose(slopes(mean, sigma), [mean, sigma**2 - 1], rtol=1e-5)
print("automatic differentiation agrees to five digits")

# %% [markdown]
# All four agree with the formula: algebra for all $\mu$ and $\sigma$, quadrature and slopes at four points, Monte Carlo at one.
#
# **What if the prior is not standard?** Let it have the mean $m_0$ and the spread $s_0$. Measure $z$ in units of the prior, $z' = (z - m_0)/s_0$. Both densities change by the same factor $s_0$, and in the ratio $q/p$ it cancels. In the new unit the prior *is* standard, and $q$ has the mean $(\mu - m_0)/s_0$ and the spread $\sigma/s_0$. Insert these.

# %% tags=["nbval-check-output"]
there = kl_by_hand(0 / 2, 1 / 2)  # q = N(0, 1²), p = N(0, 2²)
back = kl_by_hand(0, 2)  # q = N(0, 2²), p = N(0, 1²)
print(f"KL(N(0, 1²) ‖ N(0, 2²)) = {there:.3f} nats")
print(f"KL(N(0, 2²) ‖ N(0, 1²)) = {back:.3f} nats")
assert abs(there / quadrature_kl(0, 1, 0, 2) - 1) < 1e-10

# %% [markdown]
# The two Gaussians change places, and the KL changes. So it is a *divergence* and not a distance. Notebook `05` shows what the order does.
#
# ## Sum or mean?
#
# An encoder gives $K$ coordinates, independent of each other given the image. The density of independent numbers is a product, so $\log q$ and $\log p$ are sums over coordinates, and the mean of a sum is the sum of the means: **the KL of $K$ coordinates is the sum of their KLs**. In the same way $\log p(x \mid z)$ is a sum over pixels and channels (the colours of a pixel), if the decoder treats them as independent given $z$.
#
# So the derivation leaves no choice: sum over pixels and channels, sum over coordinates, and only then take the mean over the images of the batch (the images of one training step). The unit is nats per image.
#
# A constant factor on a loss moves no minimum. But a mean over coordinates puts a factor on *one of two* terms.
#
# > **Predict first.** Take the certain and the uninformed coordinate from above. Add 18 more uninformed ones, which say nothing about the image. What happens to the sum of the KL? What happens to the mean?

# %% tags=["nbval-check-output"]
for added in (0, 18, 198):
    kl_each = kl_by_hand(0, np.array([0.1, 1.0] + added * [1.0]))  # (K,)
    print(f"K = {len(kl_each):>3}: sum {kl_each.sum():.3f}, mean {kl_each.mean():.4f} nats")
    assert abs(kl_each.sum() - kl_by_hand(0, 0.1)) < 1e-9

# %% [markdown]
# The sum stays at 1.808 nats, because the added coordinates have a KL of zero. The mean falls to a tenth and to a hundredth, because the same sum is divided by a larger $K$.
#
# So a mean over $K$ coordinates gives the KL the weight $1/K$. And a mean over $D$ pixels beside a summed KL multiplies the weight of the KL by $D$, up to a common factor. Nobody chose these weights, and they change with the size of the latent or of the images. Notebook `05` measures which published losses do this.
#
# ## Formula or sample?
#
# For a deep decoder the reconstruction term has no formula. It is estimated with one draw, $z = \mu + \sigma\varepsilon$ with $\varepsilon$ from $\mathcal N(0, 1)$ ([reparameterisation](../docs/site/glossary.md#term-reparameterisation); Kingma and Welling, 2014). The KL could be estimated with the same draw, by $\log q(z) - \log p(z)$. Is the *loss* less noisy with the formula? And its *gradient*?
#
# We compare three ways to compute the loss from one draw. Let $g$ be the slope of $-\log p(x \mid z)$ by $z_1$. When $\mu_1$ moves, $z_1$ moves with it by the same amount, so $g$ is also the slope by $\mu_1$.
#
# - **formula**: $-\log p(x \mid z) + \mathrm{KL}$. The slope by $\mu_1$ is $g + \mu_1$.
# - **sample**: $-\log p(x \mid z) + \log q(z) - \log p(z)$. Here $\log q(z) = -\tfrac12\varepsilon^2 - \log\sigma + \text{const}$ does not change with $\mu_1$, and $-\log p(z)$ has the slope $z_1$. Together $g + z_1$.
# - **path**: the same value as *sample*, but the $\mu$ and $\sigma$ inside $\log q(z)$ are treated as constants. They act only along the path through $z$ (Roeder, Wu and Duvenaud, 2017). Then $\log q(z)$ has the slope $-(z_1-\mu_1)/\sigma_1^2 = -\varepsilon_1/\sigma_1$. Together $g + z_1 - \varepsilon_1/\sigma_1$.
#
# All three slopes have the same mean, because $z_1$ has the mean $\mu_1$ and $\varepsilon_1$ has the mean zero.
#
# In the cell the encoder's answer goes in small steps from the prior to the exact posterior of the striped image. The mean and $\log\sigma$ move evenly. At each step we take 2,000 draws and measure the standard deviation of the loss and of its slope.
#
# > **Predict first.** With the exact posterior, which of the three has the least noise in the loss? Which in the gradient?

# %%
epsilon = rng.normal(size=(2_000, stripes))  # (N, K)


def noise_of_estimates(mean, sigma):
    # Standard deviation over draws of the loss and of its slope by μ₁, (2, 3 estimates).
    z = mean + sigma * epsilon  # (N, K)
    nll = -log_likelihood(z)  # (N,)
    log_q = norm.logpdf(z, mean, sigma).sum(axis=1)
    log_p = norm.logpdf(z).sum(axis=1)
    formula = nll + kl_by_hand(mean, sigma).sum()
    sample = nll + log_q - log_p

    errors = x[0] - brightness * z[:, :1]  # of the first stripe, (N, pixels)
    g = -brightness * errors.sum(axis=1) / noise**2  # (N,)
    gradients = [
        g + mean[0],
        g + z[:, 0],
        g + z[:, 0] - epsilon[:, 0] / sigma,
    ]
    path = sample  # the same value, with another slope
    return np.std([formula, sample, path], axis=1), np.std(gradients, axis=1)


ways = np.linspace(0, 1, 51)  # 0 is the prior, 1 the exact posterior
spread = []
for way in ways:
    mean = way * posterior_mean
    spread.append(noise_of_estimates(mean, posterior_sigma**way))
spread = np.array(spread)  # (ways, loss or slope, estimate)
print("with the exact posterior, standard deviation for formula, sample and path:")
print("loss ", spread[-1, 0].round(3), "nats")
print("slope", spread[-1, 1].round(3))

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.2, 3.6))
for i, name in enumerate(("formula", "sample", "path")):
    style = ("-", "--", ":")[i]
    axes[0].semilogy(ways, spread[:, 0, i], style, label=name)
    axes[1].semilogy(ways, spread[:, 1, i], style, label=name)
axes[0].set(title="loss", ylabel="standard deviation (nats)")
axes[1].set(title="slope of the loss by μ₁", ylabel="standard deviation")
for axis in axes:
    axis.set(xlabel="encoder's answer: 0 prior, 1 posterior", ylim=(0.5, 500))
axes[0].legend()
alt = "Standard deviations on logarithmic axes, while the encoder's answer goes from the prior to the posterior. Left, of the loss: all three estimates fall together from about 270 nats; near the posterior, formula ends at about 2 nats, sample and path run off below 0.5. Right, of the slope by the first mean: formula and sample fall together from about 80 to 9; path leaves them before half way and runs off the bottom."
plots.show(fig, alt=alt)

# %% [markdown]
# With the exact posterior, *sample* and *path* have no noise in the loss at all, and *formula* has 2.26<!--=noise[0][0]--> nats in the stored run. The reason is the second derivation: $\log p(x, z) - \log q(z)$ is then $\log p(x)$ for every $z$. The reconstruction term goes up when $\log q - \log p$ goes down, so their sum is quiet. The formula replaces $\log q - \log p$ by a constant; then the noise of the reconstruction term stays.
#
# The gradient is another matter. There *path* has no noise (0.00<!--=noise[1][2]-->), but *sample*, whose loss has none either, is as noisy as *formula*: 9.26<!--=noise[1][1]--> against 9.15<!--=noise[1][0]-->. **A loss without noise can have a gradient with noise.** It is the noise of $\varepsilon_1/\sigma_1$, the part by which *sample* and *path* differ.
#
# At the start all three are nearly the same, because there the reconstruction term makes nearly all of the noise. While the encoder's answer is far from the posterior, the formula is hardly noisier. It has one advantage: for a coordinate that the decoder ignores, its slope is $\mu$, without any noise. But it is not the quietest choice near the exact posterior.
#
# This was one image, one slope of many, and a decoder whose posterior the encoder can match. A real VAE's encoder seldom does.
#
# ## Results
#
# The numbers of the text.

# %% tags=["results"]
results = {"prior_errors": prior_errors, "posterior_kl": posterior_kl}
results["mc_difference"] = mc_difference
results["mc_percent"] = 100 * standard_error / exact
results["noise"] = spread[-1].tolist()  # loss and slope, of formula, sample and path
bands = {
    "mc_percent": {"default": (0, 0.2), "smoke": (0, 1)},
    "mc_difference": {"default": (0, 4), "smoke": (0, 4)},
}
record(results, bands, f"Monte Carlo {mc_difference:.2f} standard errors from the KL's formula")

# %% [markdown]
# ## What you saw
#
# - $\log p(x)$ is a mean over all latents. For one image of ten stripes, 20,000 draws from the prior missed it by 22.2<!--=prior_errors[2]*-1--> nats in the stored run. The encoder says where to look.
# - The ELBO lies below $\log p(x)$ by exactly $\mathrm{KL}(q\,\|\,p(z\mid x))$. This is a different KL from the one in the loss, $\mathrm{KL}(q\,\|\,p(z))$.
# - The KL to a standard normal is $\tfrac12(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$ for each coordinate.
# - Both terms are sums, over pixels and over coordinates. A mean over one of them changes the weight of the KL without a word.
# - Near the exact posterior, a sampled KL cancels the noise of the reconstruction term: in the loss, and along the path also in the gradient.
#
# ## Check yourself
#
# 1. Why does the ELBO use $q(z \mid x)$, if $p(x)$ is defined without it?
#
#    <details><summary>Answer</summary>
#
#    Nearly no draw from the prior fits the image. $q$ draws where the image may have come from. What this costs is the gap.
#
#    </details>
# 2. Two VAEs have the same ELBO on the same images. Do they have the same $\log p(x)$?
#
#    <details><summary>Answer</summary>
#
#    Not necessarily. $\log p(x)$ is the ELBO plus the gap, and the gaps may differ.
#
#    </details>
# 3. The KL in the loss is zero for every image. Is this a good sign?
#
#    <details><summary>Answer</summary>
#
#    No. The encoder's answer is then the prior, and $z$ says nothing about the image. This is [posterior collapse](../docs/site/glossary.md#term-posterior-collapse).
#
#    </details>
# 4. Someone doubles the number of latent coordinates and averages the KL over them. The new coordinates stay unused. What happens to the weight of the KL?
#
#    <details><summary>Answer</summary>
#
#    It is halved, although nobody chose this.
#
#    </details>
# 5. Your loss hardly varies between two draws for the same image. Does this mean that the gradient has little noise?
#
#    <details><summary>Answer</summary>
#
#    No. With the exact posterior the loss of *sample* was the same for every draw, and its gradient was as noisy as the formula's.
#
#    </details>
#
# ## On your own
#
# 1. **One draw from the right place.** In the first experiment, draw $z$ from the exact posterior and not from the prior, and average $p(x, z)/q(z)$. How many draws do you need now?
#
#    <details><summary>Solution</summary>
#
#    One. If $q(z) = p(z \mid x)$, then $p(x, z)/q(z) = p(x)$ for every $z$. With an imperfect $q$ one averages several draws; this is the [importance-weighted](../docs/site/glossary.md#term-importance-weighted-bound) bound of notebook `07`.
#
#    </details>
# 2. **A coordinate that the decoder ignores.** Its loss is the KL alone. Work out the gradient by $\mu$ of one draw for *formula*, *sample* and *path*.
#
#    <details><summary>Solution</summary>
#
#    *Formula*: $\mu$, without noise. *Sample*: $\log q(z) = -\tfrac12\varepsilon^2 - \log\sigma + \text{const}$ does not change with $\mu$, and $-\log p(z) = \tfrac12 z^2$ gives $z$, with the standard deviation $\sigma$. *Path*: $z - \varepsilon/\sigma$, which is zero if $\mu = 0$ and $\sigma = 1$.
#
#    </details>
#
# ## References
#
# - Alemi, A. A. and others (2018). Fixing a Broken ELBO. ICML. [arXiv:1711.00464](https://arxiv.org/abs/1711.00464)
# - Chatterjee, S. and Diaconis, P. (2018). The sample size required in importance sampling. *Annals of Applied Probability* 28(2), 1099–1135. [doi:10.1214/17-AAP1326](https://doi.org/10.1214/17-AAP1326)
# - Jordan, M. I., Ghahramani, Z., Jaakkola, T. S. and Saul, L. K. (1999). An Introduction to Variational Methods for Graphical Models. *Machine Learning* 37, 183–233. [doi:10.1023/A:1007665907178](https://doi.org/10.1023/A:1007665907178)
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Neal, R. M. and Hinton, G. E. (1998). A View of the EM Algorithm that Justifies Incremental, Sparse, and Other Variants. In *Learning in Graphical Models*, 355–368. [doi:10.1007/978-94-011-5014-9_12](https://doi.org/10.1007/978-94-011-5014-9_12)
# - Roeder, G., Wu, Y. and Duvenaud, D. (2017). Sticking the Landing: Simple, Lower-Variance Gradient Estimators for Variational Inference. NeurIPS. [arXiv:1703.09194](https://arxiv.org/abs/1703.09194)
# - Trefethen, L. N. and Weideman, J. A. C. (2014). The Exponentially Convergent Trapezoidal Rule. *SIAM Review* 56(3), 385–458. [doi:10.1137/130932132](https://doi.org/10.1137/130932132)
