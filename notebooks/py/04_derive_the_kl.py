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
# # Derive the KL, and find the wrong loss
#
# [![Open in Colab](../docs/badges/colab.svg)](https://colab.research.google.com/github/vae-segments-edges/vae-segments-edges/blob/main/notebooks/04_derive_the_kl.ipynb) [![Open in Binder](../docs/badges/binder.svg)](https://mybinder.org/v2/gh/vae-segments-edges/vae-segments-edges/main?urlpath=lab/tree/notebooks/04_derive_the_kl.ipynb) <!--badges-->
#
# ![Effective beta of the six losses at five combinations of image and latent size, on a logarithmic axis. Only loss\_e stays on the line at 1. The others lie between 0.1 and 1.6 for the smallest image and drift with its size, up to about 25; loss\_b drops to about 0.02 when the latent grows from 2 to 128.](../docs/pictures/04.png) <!--picture-->
#
# Why does a VAE's loss have two terms, why these two, and what happens if one of them is scaled wrongly? Well-known tutorials disagree about the scale, and their pictures do not tell which one is right. After this notebook you can read a VAE loss, say what it optimises, and test that by measurement.
#
# **What you'll do**
#
# - Derive the evidence lower bound (ELBO) twice, and see what each derivation tells that the other hides.
# - Derive the KL term of a Gaussian by hand, and let four witnesses check it: algebra, quadrature, Monte Carlo and automatic differentiation.
# - Train a linear VAE, for which *everything* is known exactly, and watch the gap between the bound and the truth close.
# - Run a published recipe that has its sign the other way round, and hunt for the scaling mistakes in five published losses.
#
# **What you'll learn**
#
# - The gap between the ELBO and $\log p(x)$ is itself a KL, and you can compute it.
# - Nats are counted per image: terms are summed over pixels and over latent coordinates, never averaged.
# - A loss has an *effective β*, whether or not its author chose one; a few function calls are enough to measure it.
#
# **What you'll need**
#
# - Notebook `03`, or a rough idea of what the encoder and the decoder of a VAE do. From mathematics: what an expectation is, and the density of a Gaussian.
# - About 1 minute on 2 CPU cores and 1 GB of memory. No data set: all data here are made on the spot, because only then is the truth known.

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
steps = 1500  # training steps of the linear VAE, full batch

# %%
from helpers.runs import check_parameters, record, set_up

check_parameters(
    globals(), seed=range(2**32), images=range(50, 5001), latent=range(3, 7), steps=range(100, 9001)
)
set_up(seed)

import keras
import matplotlib.pyplot as plt
import numpy as np
import sympy
from keras import ops
from scipy.stats import multivariate_normal, norm

from helpers import backend, losses, plots, progress
from helpers.backend import value_and_grad

plots.use()


# %% [markdown]
# The exercises all end in the same small function. Put your answer where `None` stands and run the cell again: it prints *your value* beside the *true value*, and stops with a hint where they differ.


# %%
def compare(name, yours, true, hint):
    print(f"{name}: your value {yours}, true value {'?' if yours is None else f'{true:.3g}'}")
    assert yours is None or abs(yours - true) <= 0.005 * max(1, abs(true)), hint


# %% [markdown]
# ## Why not compute $\log p(x)$ and be done?
#
# A VAE tells a story of how an image came about. First a latent vector $z$ of $K$ numbers was drawn from the *prior*, $p(z) = \mathcal N(0, I)$. Then the decoder turned it into a distribution over images, $p(x \mid z)$, and the image was drawn from that.
# To fit such a model to data is to make the data probable: maximise $\log p(x)$, the *evidence*. (Logarithms here are natural, and their unit is the *nat*: 1 nat is $1/\ln 2 = 1.44$ bits.) But the image does not come with its $z$, so every $z$ that could have made it counts:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, \mathrm dz = \mathbb E_{z \sim p(z)}\big[p(x \mid z)\big].$$
#
# The right-hand side is an average, and averages can be estimated: draw many $z$ from the prior, decode each, and take the mean of $p(x \mid z)$. Below is a model for which the integral has an exact answer: a *linear* decoder, $x = Wz + \text{noise}$ with a matrix $W$ and noise of standard deviation $\sigma$ in every pixel, makes $x$ Gaussian with covariance $WW^\top + \sigma^2 I$.
# The image has $D$ = 14×14 = 196 pixels, the latent $K$ = 10 coordinates.
#
# > **Predict first.** How many draws from the prior bring the estimate to within one nat of the truth: twenty, a thousand, twenty thousand?


# %%
def log_likelihood(x, W, b, sigma):
    # Exact mean log p(x) of the linear model, nats per image. x (N, D), W (D, K), b (D,).
    covariance = W @ W.T + sigma**2 * np.eye(len(W))
    return multivariate_normal(b, covariance, allow_singular=True).logpdf(x).mean()


rng = np.random.default_rng(seed)
W, sigma = 0.2 * rng.normal(size=(196, 10)), 0.3  # (D, K)
x = W @ rng.normal(size=10) + sigma * rng.normal(size=196)  # one image, (D,)
truth = log_likelihood(x, W, np.zeros(196), sigma)
print(f"exact log p(x) = {truth:.1f} nats")
z = rng.normal(size=(20_000, 10))  # from the prior
log_p = norm.logpdf(x, z @ W.T, sigma).sum(axis=1)  # log p(x|z), (20000,)
prior_errors = []
for draws in (20, 1_000, 20_000):
    prior_errors.append(np.logaddexp.reduce(log_p[:draws]) - np.log(draws) - truth)
    print(f"{draws:>6,} draws from the prior: off by {prior_errors[-1]:7.1f} nats")

# %% [markdown]
# In the stored run twenty draws are off by −205.3<!--=prior_errors[0]--> nats, a thousand by −129.0<!--=prior_errors[1]-->, and twenty thousand still by −62.1<!--=prior_errors[2]-->. The reason is that nearly every $z$ from the prior decodes to *some other* image and contributes nothing; the average hangs on the few
# draws that happen to land near the right place. The number of draws that it takes grows exponentially with $K$, and training would need the estimate anew for every image at every step.
#
# If only somebody told us, for each image, where to look. That somebody is the encoder, $q(z \mid x)$: a distribution that says where the image probably came from. The rest of this notebook is about the price of asking it.
#
# ## Two derivations of one bound
#
# Fix one image $x$, and let $q(z)$ be short for $q(z \mid x)$: any density at all that is positive where the prior is.
#
# **First derivation: Jensen.** Multiply and divide inside the integral by $q$; nothing changes. The integral is now an average over $q$ instead of over the prior:
#
# $$\log p(x) = \log \int q(z)\,\frac{p(x, z)}{q(z)}\,\mathrm dz = \log \mathbb E_{q}\!\left[\frac{p(x, z)}{q(z)}\right].$$
#
# The logarithm curves downward. For such a function, the value at an average is at least the average of the values (a chord lies below the arc): this is Jensen's inequality. So
#
# $$\log p(x) \;\ge\; \mathbb E_{q}\!\left[\log \frac{p(x, z)}{q(z)}\right] \;=:\; \mathrm{ELBO}.$$
#
# Short, and it tells that the ELBO is a lower **bound**: whatever $q$ we use, we never claim more than the truth. It does not tell how much is lost.
#
# **Second derivation: the decomposition.** This one uses no inequality.
#
# 1. $\log p(x)$ does not depend on $z$, so its average over any $q(z)$ is itself: $\log p(x) = \mathbb E_q[\log p(x)]$.
# 2. By the definition of a conditional density, $p(x, z) = p(z \mid x)\,p(x)$, so $p(x) = p(x, z)/p(z \mid x)$ for *every* $z$. Put that in: $\log p(x) = \mathbb E_q\big[\log \tfrac{p(x, z)}{p(z \mid x)}\big]$.
# 3. Multiply and divide by $q(z)$ inside the logarithm, and split the logarithm of the product into a sum:
#
# $$\log p(x) = \underbrace{\mathbb E_q\!\left[\log \frac{p(x, z)}{q(z)}\right]}_{\text{ELBO}} + \underbrace{\mathbb E_q\!\left[\log \frac{q(z)}{p(z \mid x)}\right]}_{\mathrm{KL}(q(z)\,\|\,p(z \mid x))}.$$
#
# The second term is by definition the Kullback–Leibler divergence from $q$ to the true posterior. It is never negative, again by Jensen: for any two densities $q$ and $r$, $-\mathrm{KL}(q\,\|\,r) = \mathbb E_q[\log \tfrac rq] \le \log \mathbb E_q[\tfrac rq] = \log \int r(z)\,\mathrm dz = \log 1 = 0$. Equality needs a ratio $r/q$ that does not vary, that is, $q = r$. So the ELBO is a bound, and now
# **what it loses is named**: how far the encoder is from the true posterior. The bound is tight when, and only when, the encoder is right.
#
# **The form that is trained.** One more step: $p(x, z) = p(x \mid z)\,p(z)$, and the logarithm of the product splits:
#
# $$\mathrm{ELBO} = \mathbb E_q\big[\log p(x \mid z)\big] + \mathbb E_q\!\left[\log\frac{p(z)}{q(z)}\right] = \underbrace{\mathbb E_q\big[\log p(x \mid z)\big]}_{\text{reconstruction, as a log probability}} - \;\mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big).$$
#
# There are two KLs in this story, and texts run them together. The one in the *loss* compares the encoder with the **prior**; it costs, and it is not supposed to be zero (if it were, the code would say nothing about the image). The one in the *gap* compares the encoder with the **posterior**; zero is what we wish for.
#
# All of this holds for any densities, so it holds for tables. Here $z$ has three values, and every symbol above is one number.

# %% tags=["nbval-check-output"]
prior, likelihood, q = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.02], [0.2, 0.7, 0.1]])
evidence = np.log(np.sum(prior * likelihood))  # log p(x)
posterior = prior * likelihood / np.sum(prior * likelihood)  # p(z|x)
elbo = np.sum(q * np.log(likelihood)) - np.sum(q * np.log(q / prior))
gap = np.sum(q * np.log(q / posterior))
print(f"log p(x) {evidence:.6f} = ELBO {elbo:.6f} + gap {gap:.6f} nats")
assert abs(evidence - elbo - gap) < 1e-14


# %% [markdown]
# Change `q` to any three positive numbers that sum to one: the ELBO and the gap move, their sum does not. Training the *encoder* moves $q$ and so shifts the border between the two terms. Training the *decoder* moves $\log p(x)$ itself. One loss does both.
#
# ## What does the KL cost, and per what?
#
# The encoder of a VAE says, for every image, *where* in the latent space it believes the image came from: a mean $\mu$ and a spread $\sigma$ for each of $K$ coordinates. Before it saw the image it could only have said $\mathcal N(0, 1)$. The KL term is the price, in nats, of having changed its mind.
#
# > **Predict first.** An encoder is certain of one coordinate ($\mu = 0$, $\sigma = 0.1$) and knows nothing of another ($\mu = 0$, $\sigma = 1$). Which one costs more? Which one can the decoder use? Write down a number for the first.
#
# Start from the definition and put both densities in; the $2\pi$ cancel:
#
# $$\mathrm{KL} = \mathbb E_q\big[\log q(z) - \log p(z)\big] = \mathbb E_q\!\left[-\log\sigma - \frac{(z-\mu)^2}{2\sigma^2} + \frac{z^2}{2}\right].$$
#
# Under $q$, $(z-\mu)/\sigma$ is a standard normal, whose square has mean 1: the middle term contributes $-\tfrac12$. And $\mathbb E_q[z^2] = \mu^2 + \sigma^2$, variance plus squared mean. That is all the integration there is:
#
# $$\mathrm{KL} = \underbrace{\tfrac12\mu^2}_{\text{moved}} + \underbrace{\tfrac12\sigma^2}_{\text{spread}} \underbrace{-\,\tfrac12}_{\text{allowed}} \underbrace{-\,\log\sigma}_{\text{sharpened}}.$$
#
# Four terms, four meanings: how far the belief moved, how wide it is, the width that the prior already has, and the price of being more precise than the prior. To be easy to read, the function below takes $\sigma$. The helper takes $\log\sigma^2$, as an encoder's head gives it, because any real number is a valid $\log\sigma^2$; the cell holds the two against each other.


# %%
def kl_terms(mean, sigma):
    # KL(N(mean, σ²) ‖ N(0, 1)) as four terms, in nats: moved, spread, allowed, sharpened.
    return np.array([0.5 * mean**2, 0.5 * sigma**2, -0.5, 0 - np.log(sigma)])


def kl_by_hand(mean, sigma):
    return kl_terms(mean, sigma).sum()  # nats, one coordinate


# %% tags=["nbval-check-output"]
beliefs = {"certain": (0, 0.1), "ignorant": (0, 1), "far away": (2, 1), "too wide": (0, 3)}
print("                  moved spread allowed sharpened  KL in nats")
for name, (mean, sigma) in beliefs.items():
    parts = "{:7.3f}{:7.3f}{:8.3f}{:10.3f}".format(*kl_terms(mean, sigma))
    helper = losses.gaussian_kl(np.float32([[mean]]), np.float32([[2 * np.log(sigma)]]))
    print(f"{name:<9} ({mean}, {sigma:<3}){parts}{kl_by_hand(mean, sigma):12.3f}")
    assert abs(float(helper[0]) - kl_by_hand(mean, sigma)) < 1e-5

# %% [markdown]
# To be certain to a tenth costs 1.8 nats (2.6 bits). To know nothing is free, and useless: the decoder receives the same $\mathcal N(0,1)$ whatever the image was. So the KL is what the *message* from encoder to decoder costs; averaged over the data set it is an upper limit on the information about the image that $z$ carries.
# Its slopes say how the KL pushes an encoder. $\partial\mathrm{KL}/\partial\mu = \mu$ is a spring to the origin. $\partial\mathrm{KL}/\partial\log\sigma = \sigma^2 - 1$ is lopsided: sharpening by a factor $e$ costs at most 1 nat, while the push against a spread that is too wide has no limit.

# %%
means, log_sigmas = np.linspace(-3, 3, 241), np.linspace(-3.2, 1.3, 241)
kl_surface = 0.5 * (means**2 + np.exp(2 * log_sigmas[:, None]) - 1) - log_sigmas[:, None]
fig, axis = plt.subplots(figsize=(6.6, 4.2))
levels = [0, 0.1, 0.5, 1, 2, 3, 4, 6, 8, 12]
axis.contourf(means, log_sigmas, kl_surface, levels, cmap="cividis_r", extend="max")
lines = axis.contour(means, log_sigmas, kl_surface, levels[1:7], colors="black", linewidths=0.7)
axis.clabel(lines, fontsize=8, fmt="%g")
for name, (mean, sigma) in beliefs.items():
    axis.plot(mean, np.log(sigma), "o", color="white", markeredgecolor="black", markersize=8)
    axis.text(mean - 0.15, np.log(sigma) - 0.3, name, ha="right", backgroundcolor="#FFFFFFB0")
axis.set(xlabel="mean μ (prior standard deviations)", ylabel="log σ", title="KL in nats")
alt = "The KL over mean and log sigma as contour lines: a bowl whose lowest point, zero nats, lies at mean 0 and sigma 1, where the ignorant coordinate sits. It rises slowly and evenly as sigma shrinks towards the certain coordinate, and ever faster as sigma grows towards the coordinate that is too wide, or as the mean moves to the one far away."
plots.show(fig, alt=alt)

# %% [markdown]
# **Exercise 1.** An encoder says $\mu = 1$, $\sigma = 0.5$. What does that cost, in nats? Work it out with pencil and paper from the four terms, then write it in place of `None`.

# %%
your_nats = None  # ← your number
compare("KL of N(1, 0.5²), nats", your_nats, kl_by_hand(1, 0.5), "Fourth term: log σ², or log σ?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $\tfrac12 \cdot 1 + \tfrac12 \cdot 0.25 - \tfrac12 - \log 0.5 = 0.5 + 0.125 - 0.5 + 0.693 = 0.818$ nats. Being twice as sharp as the prior costs $\log 2$; the narrower spread gives a little back; moving by one standard deviation costs half a nat.
#
# </details>
#
# ## Four witnesses
#
# A derivation on paper can hold a slip that survives ten readings. So let others testify, who share as little as possible with it. The first is **sympy**, which does the integral with symbols instead of using our two shortcuts about means of squares.

# %% tags=["nbval-check-output"]
mu, z = sympy.symbols("mu z", real=True)
s = sympy.symbols("sigma", positive=True)
q = sympy.exp(-((z - mu) ** 2) / (2 * s**2)) / (sympy.sqrt(2 * sympy.pi) * s)
p = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
log_ratio = sympy.expand(sympy.expand_log(sympy.log(q) - sympy.log(p), force=True))
integral = sympy.integrate(q * log_ratio, (z, -sympy.oo, sympy.oo))
print("sympy integrates to", sympy.simplify(integral))
assert sympy.simplify(integral - (mu**2 + s**2 - 1 - 2 * sympy.log(s)) / 2) == 0


# %% [markdown]
# The second is **quadrature**: put the definition $\int q(z)\,[\log q(z) - \log p(z)]\,\mathrm dz$ on a fine grid and add up, in double precision. (For a smooth function that has died away at both ends, this trapezoidal sum converges faster than any power of the spacing; Trefethen and Weideman, 2014.) The third is **Monte Carlo**:
# draw $z$ from $q$, average $\log q(z) - \log p(z)$. An average of random numbers comes with its own error bar, the standard error, which is the standard deviation of one draw divided by the square root of their number; the difference to the truth should be a few of those, and no more than four.


# %%
def quadrature_kl(mean, sigma, prior_mean=0.0, prior_sigma=1.0):
    # ∫ q (log q − log p) dz of two Gaussians, in nats, 14 standard deviations to each side.
    z = np.linspace(mean - 14 * sigma, mean + 14 * sigma, 2001)
    q, p = norm(mean, sigma), norm(prior_mean, prior_sigma)
    return np.trapezoid(q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), z)


# %% tags=["nbval-check-output"]
cases = [(1.0, 0.5), (-0.7, 1.3), (0.3, 0.1), (2.0, 0.2)]  # μ, σ
for mean, sigma in cases:
    exact = kl_by_hand(mean, sigma)
    agrees = bool(abs(quadrature_kl(mean, sigma) / exact - 1) <= 1e-10)
    print(f"KL(N({mean}, {sigma}²) ‖ N(0, 1)) = {exact:.8f} nats; quadrature to 1e-10: {agrees}")
    assert agrees

(mean, sigma), draws = cases[0], 400_000
z = np.random.default_rng(seed).normal(mean, sigma, draws)
values = norm.logpdf(z, mean, sigma) - norm.logpdf(z)  # log q − log p
exact, standard_error = kl_by_hand(mean, sigma), values.std() / np.sqrt(draws)
mc_difference = abs(values.mean() - exact) / standard_error  # in standard errors
print("Monte Carlo within 4 standard errors:", bool(mc_difference <= 4))
assert mc_difference <= 4 and standard_error <= 0.002 * exact


# %% [markdown]
# In the stored run the average lies 0.8<!--=mc_difference--> standard errors from the exact value, and one standard error is 0.14<!--=mc_percent--> % of it. Why does a VAE use the formula when it could draw samples? Because the formula has no error bar at all; noise in the loss is noise in the gradient.
#
# The fourth witness checks what training uses: the **gradient**. We write the definition on a fixed grid with `keras.ops` (this grid does not move with $\mu$ and $\sigma$, so the derivative really goes through both densities), and let the backend differentiate it. Nothing in that computation knows our formula. Its slopes must be $\mu$ and $\sigma^2 - 1$.


# %%
def slopes(mean, sigma):
    # Slopes of the KL by μ and log σ: automatic differentiation of the definition.
    mu, log_sigma = keras.Variable(mean), keras.Variable(np.log(sigma).astype("float32"))
    z = ops.linspace(-14.0, 14.0, 6001)

    def definition():
        log_q = -0.5 * ops.square((z - mu) * ops.exp(-log_sigma)) - log_sigma
        ratio = log_q + 0.5 * ops.square(z)  # log q − log p; the 2π cancel
        return ops.sum(ops.exp(log_q) * ratio) * (28 / 6000 / np.sqrt(2 * np.pi))

    return np.array([float(g) for g in value_and_grad(definition, [mu, log_sigma])[1]])


# %% tags=["nbval-check-output"]
for mean, sigma in cases:
    true = np.array([mean, sigma**2 - 1])
    agrees = bool(np.abs(slopes(mean, sigma) / true - 1).max() <= 1e-5)
    print(f"slope by μ {true[0]:+.4f}, by log σ {true[1]:+.4f}; autodiff to 1e-5: {agrees}")
    assert agrees

# %% [markdown]
# ## Sum or mean?
#
# The KL of $K$ independent coordinates is the *sum* of their KLs: $\log q$ and $\log p$ are sums over coordinates, and an average of sums is the sum of averages. The same holds for $\log p(x \mid z)$ over pixels, when the decoder treats pixels as independent given $z$. So the derivation leaves no freedom: **sum over pixels and channels, sum over latent
# coordinates, and only then the mean over the images of the batch**. The unit is nats per image.
#
# Still, a mean over coordinates looks harmless: it is a constant factor, and a factor on the whole loss moves no minimum. A factor on *one of two* terms does.
#
# > **Predict first.** Take the certain and the ignorant coordinate from above, and add 18 more ignorant ones, which carry no information and which the decoder ignores. What happens to the sum of the KL? What happens to its mean?

# %% tags=["nbval-check-output"]
for extra in (0, 18, 198):
    nats = np.array([kl_by_hand(0, sigma) for sigma in [0.1, 1] + extra * [1]])
    print(f"{2 + extra:>3} coordinates: sum {nats.sum():.3f} nats, mean {nats.mean():.4f}")

grey = np.random.default_rng(0).random((5, 8, 8, 1)).astype("float32")
one, three = (losses.gaussian_nll(g, 0.5 + 0 * g, -1.0) for g in (grey, grey.repeat(3, axis=-1)))
print(f"three equal channels cost {float(three[0] / one[0]):.3f} times one")
assert np.allclose(ops.convert_to_numpy(three / one), 3, rtol=1e-5)

# %% [markdown]
# The information is the same, 1.808 nats; the sum says so at any width. The mean makes the same message 10 and 100 times cheaper, because coordinates were added that nobody uses. For pixels it is the same: three equal channels cost three times one, since $p(x \mid z)$ counts each as a measurement of its own. A loss with a mean over $K$ is a loss with a KL weight of $1/K$, chosen by nobody; and a mean over $D$ pixels next to a summed KL is a KL weight of $D$. A widened latent or a larger
# photograph then silently changes the model that is trained.
#
# ## What if the prior is not standard?
#
# Sometimes we want to compare two encoders with each other, or to use a prior with its own mean $m$ and spread $s$. No new integral is needed. A KL does not care about units: move and rescale $z$, $z' = (z - m)/s$, and both densities change by the same factor $s$, which cancels in $\log(q/p)$. In the new unit the prior *is* standard, and $q$ has mean $(\mu - m)/s$ and
# spread $\sigma/s$. Put these into the old formula:
#
# $$\mathrm{KL}\big(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(m, s^2)\big) = \tfrac12\left(\frac{(\mu - m)^2}{s^2} + \frac{\sigma^2}{s^2} - 1 - \log\frac{\sigma^2}{s^2}\right).$$

# %% tags=["nbval-check-output"]
for mean, sigma, m, s in [(1.0, 0.5, -1.0, 2.0), (0.3, 1.5, 0.5, 0.4)]:
    nats = kl_by_hand((mean - m) / s, sigma / s)
    pair = np.float32([[[mean]], [[2 * np.log(sigma)]]])  # takes log σ²
    helper = float(losses.gaussian_kl(*pair, m, 2 * np.log(s))[0])
    print(f"KL(N({mean}, {sigma}²) ‖ N({m}, {s}²)) = {nats:.6f} nats")
    assert abs(nats / quadrature_kl(mean, sigma, m, s) - 1) < 1e-10
    assert abs(nats / helper - 1) < 1e-5
there, back = quadrature_kl(0, 1, 0, 2), quadrature_kl(0, 2, 0, 1)
print(f"KL(N(0,1) ‖ N(0,4)) = {there:.3f}, KL(N(0,4) ‖ N(0,1)) = {back:.3f} nats")

# %% [markdown]
# The last line is a warning: the two directions differ. The KL is a *divergence*, not a distance; which density stands first is part of its meaning, and a section below shows what it means.
#
# **Exercise 2.** Without code: $\mathrm{KL}\big(\mathcal N(1, 0.5^2)\,\|\,\mathcal N(2, 0.25^2)\big)$. First find the mean and the spread of $q$ in the unit of $p$.

# %%
your_nats = None  # ← your number
compare("KL to N(2, 0.25²), nats", your_nats, quadrature_kl(1, 0.5, 2, 0.25), "Here σ/s is 2.")

# %% [markdown]
# <details><summary>Solution</summary>
#
# In units of $p$, $q$ sits at $(1-2)/0.25 = -4$ with a spread of $0.5/0.25 = 2$: $\tfrac12(16 + 4 - 1 - \log 4) = 8.807$ nats. It is more than ten times the price of Exercise 1: $p$ is narrow, and $q$ lies four of its standard deviations away.
#
# </details>
#
# ## Is the gap really that KL?
#
# For a real decoder nobody can compute $\log p(x)$ or $p(z \mid x)$, so nobody can check the decomposition. For a **linear** decoder both are exact. The model
#
# $$z \sim \mathcal N(0, I_K), \qquad x = Wz + b + \sigma\varepsilon, \qquad \varepsilon \sim \mathcal N(0, I_D)$$
#
# is known as probabilistic PCA (Tipping and Bishop, 1999). $W$ has $D$ rows and $K$ columns $w_1, \dots, w_K$; $b$ is the mean image. Everything in it is Gaussian:
#
# - $\log p(x)$: the function `log_likelihood` above.
# - The posterior: $\mathcal N\big(P^{-1}W^\top(x-b)/\sigma^2,\; P^{-1}\big)$ with the precision $P = I + W^\top W/\sigma^2$. (Add up the exponents of $p(z)$ and $p(x \mid z)$ and complete the square in $z$: $P$ is what stands in front of the square.)
# - The best possible fit: $b$ is the mean of the data, $\sigma^2$ the mean of the $D-K$ smallest eigenvalues of their covariance, and $w_k$ the eigenvector of the $k$-th largest eigenvalue $\lambda_k$, scaled to the length $\sqrt{\lambda_k - \sigma^2}$. No training run can beat its likelihood on these data.
#
# So we know the finish line before the race. The data are small images of 4×4 pixels ($D = 16$), made by such a model from $K$ patterns of different strength.

# %%
rng = np.random.default_rng(seed)
patterns = np.linalg.qr(rng.normal(size=(16, latent)))[0]  # (D, K), orthogonal columns
loadings = patterns * np.linspace(4.0, 1.5, latent)  # of different strength
x = rng.normal(size=(images, latent)) @ loadings.T + rng.normal(size=16)
x = (x + 0.5 * rng.normal(size=(images, 16))).astype("float32")  # (N, D)

centre = x.mean(axis=0, dtype="float64")
values, vectors = np.linalg.eigh(np.cov(x.T.astype("float64"), bias=True))  # smallest first
best_sigma = np.sqrt(values[:-latent].mean())
best_W = vectors[:, -latent:] * np.sqrt(values[-latent:] - best_sigma**2)
best = log_likelihood(x, best_W, centre, best_sigma)


# %% [markdown]
# Now the contestant: a **linear VAE**. Its decoder is $Wz + b$ with one learned $\sigma$; its encoder is linear as well, $\mu = V^\top x + c$ with weights $V$ and $c$, and one learned $\log\sigma^2_k$ per coordinate, the same for all images. Like every ordinary VAE it has a *diagonal* $q$: the coordinates are independent given the image. Both terms of its ELBO have a closed form. The KL is ours; and
# the expected squared error splits into the error at the mean plus what the spread adds, $\mathbb E_q\|x - Wz - b\|^2 = \|x - W\mu - b\|^2 + \sum_k \sigma_k^2 \|w_k\|^2$ (the cross term has mean zero). No sampling, so no noise: what we see is the objective itself.


# %%
class LinearVAE(keras.Model):
    # Linear encoder and decoder, the ELBO in closed form; sign=-1 turns the objective round.
    def __init__(self, sign=1.0):
        super().__init__()
        self.sign = sign
        first = keras.initializers.RandomNormal(stddev=0.3, seed=keras.random.SeedGenerator(seed))
        self.W = self.add_weight((16, latent), first)  # decoder
        self.V = self.add_weight((16, latent), first)  # encoder
        self.b = self.add_weight((16,), "zeros")
        self.c = self.add_weight((latent,), "zeros")
        self.log_variance = self.add_weight((latent,), "zeros")  # of q, log σ²
        self.log_sigma = self.add_weight((), "zeros")  # of the pixels, log σ

    def call(self, x):  # (B, D) → two times (B,), nats per image
        mean = ops.matmul(x, self.V) + self.c  # (B, K)
        nll = losses.gaussian_nll(x, mean @ ops.transpose(self.W) + self.b, self.log_sigma)
        lengths = ops.sum(ops.square(self.W), axis=0)  # (K,)
        nll = nll + 0.5 * ops.sum(ops.exp(self.log_variance - 2 * self.log_sigma) * lengths)
        return nll, losses.gaussian_kl(mean, ops.zeros_like(mean) + self.log_variance)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.sign * ops.mean(y_pred[0] + y_pred[1])


# %% [markdown]
# Three quantities are recorded during training, by three separate routes: the ELBO, as the model computes it for its own training; $\log p(x)$, from the covariance of the model; and the gap, as $\mathrm{KL}(q\,\|\,p(z \mid x))$ between two Gaussians of which one has a full covariance. With $m$ for the mean of the posterior and $P$ for its precision,
#
# $$\mathrm{KL} = \tfrac12\Big(\textstyle\sum_k P_{kk}\sigma_k^2 + (\mu - m)^\top P\,(\mu - m) - K - \sum_k\log\sigma_k^2 - \log\det P\Big),$$
#
# averaged over the images. It is the formula from above, term by term: spread, moved, allowed, sharpened. If the decomposition is right, the second is the sum of the other two at *every* step, not only at the end.
#
# > **Predict first.** The gap can vanish only if a diagonal $q$ can be the exact posterior. Will the ELBO reach the exact maximum, or stop short of it?


# %%
def snapshot(model, x):
    # ELBO, exact log p, KL(q ‖ posterior) in nats per image; largest |cosine| of two columns.
    nll, kl = model(x)
    W, V, b, c, log_s2, log_sigma = (w.astype("float64") for w in model.get_weights())
    precision = np.eye(latent) + W.T @ W * np.exp(-2 * log_sigma)  # P
    off = x @ V + c - (x - b) @ W @ np.linalg.inv(precision) * np.exp(-2 * log_sigma)  # μ − m
    moved = np.mean(np.sum(off @ precision * off, axis=1))
    spread = np.diag(precision) @ np.exp(log_s2) - latent
    gap = 0.5 * (moved + spread - log_s2.sum() - np.linalg.slogdet(precision)[1])
    unit = W / np.linalg.norm(W, axis=0)
    cosine = np.abs(unit.T @ unit - np.eye(latent)).max()
    return -float(ops.mean(nll + kl)), log_likelihood(x, W, b, np.exp(log_sigma)), gap, cosine


def train(model, x, count, every):
    # `count` full-batch steps of Adam; snapshots before them and after each `every`, as 4 rows.
    rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
    model.compile(
        keras.optimizers.Adam(rate, beta_2=0.99), **backend.compile_options(every, xla="auto")
    )
    history, copies = [snapshot(model, x)], np.tile(x, (every, 1))
    # `every` copies, one copy a batch: `every` full-batch steps. `track` shows the time left.
    for _ in progress.track(range(count // every), "training"):
        model.fit(copies, batch_size=len(x), shuffle=False, verbose=0)
        history.append(snapshot(model, x))
    return np.array(history).T


# %%
elbo, log_p, gap, cosine = train(LinearVAE(), x, steps, every=25)
at = 25 * np.arange(len(elbo))
print(" step      ELBO  +     gap  =   log p    largest |cosine|")
for i in np.linspace(0, len(at) - 1, 8).astype(int):
    print(f"{at[i]:>5}  {elbo[i]:8.4f}  {gap[i]:8.4f}  {log_p[i]:8.4f}    {cosine[i]:.4f}")
shortfall = best - elbo[-1]
print(f"the ELBO ends {shortfall:.4f} nats below the exact maximum of log p, {best:.4f}")
assert np.abs(elbo + gap - log_p).max() < 1e-3, "ELBO + gap must be log p at every step"

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.7))
left.axhline(best, color="black", linewidth=1, linestyle=":", label="exact maximum of log p")
left.plot(at, log_p, label="log p of the model, exact")
left.plot(at, elbo, "--", label="ELBO")
left.fill_between(at, elbo, log_p, color=plots.COLOURS["sky"], alpha=0.5, label="gap")
left.set(xlabel="training step", ylabel="nats per image", xlim=(0, 200), ylim=(best - 8, best + 1))
left.legend(loc="lower right")
# Below a millionth of a nat the curve would show the rounding of float32, not the model.
right.semilogy(at, np.maximum(gap, 1e-6), label="gap (nats per image)")
right.semilogy(at, cosine, "--", label="largest |cosine| of two columns")
right.set(xlabel="training step", ylabel="nats per image, or cosine")
right.legend()
alt = "Left, nats per image over the first training steps: the ELBO starts below the exact log likelihood of the model, both rise, and the shaded gap between them closes until both lie on the exact maximum. Right, on a logarithmic axis: after a fast fall the gap stays near two hundredths of a nat, with small spikes, for hundreds of steps, while the largest cosine between two columns stays near 0.2; then both fall together."
plots.show(fig, alt=alt)


# %% [markdown]
# In the stored run the ELBO starts at −60.40<!--=elbo_first--> nats per image, 22.88<!--=gap_first--> below the $\log p(x)$ of the untrained model, and ends 0.0001<!--=shortfall--> nats below the exact maximum of −16.61<!--=best-->. At every recorded step the ELBO and the gap add up to $\log p(x)$; the cell stops if they are 0.001 nat apart.
#
# Look at the right-hand picture. Most of the gap closes fast, while the encoder learns where the posterior mean is. Then, for hundreds of steps, nothing seems to happen: about two hundredths of a nat stay open, and $\log p(x)$ stands about as far below its own maximum. The rest closes only as the **columns of the decoder turn orthogonal**. (How long that takes is a matter of the optimiser; that they must turn is not.)
#
# Why should the decoder care? Nothing in $\log p(x)$ does: rotate the columns among themselves ($W \to WR$ with a rotation $R$), and $WW^\top$, the covariance of $x$, stays as it is. It is the **diagonal** $q$
# that cares. The exact posterior has the precision $P = I + W^\top W/\sigma^2$, and its off-diagonal entries are the products $w_j^\top w_k$. A diagonal $q$ can match it only where they vanish.
#
# How large is the gap for the best diagonal $q$? Set the mean right, so that "moved" is zero. The slope by $\sigma_k^2$ is $\tfrac12(P_{kk} - 1/\sigma_k^2)$, zero at $\sigma_k^2 = 1/P_{kk}$; then the spread term is exactly $K$, which cancels the $-K$:
#
# $$\text{gap} = \tfrac12\Big(\textstyle\sum_k \log P_{kk} - \log\det P\Big) \ge 0, \quad\text{zero only for a diagonal } P.$$
#
# (That a positive matrix has a determinant of at most the product of its diagonal is Hadamard's inequality.) To see it, take the best $W$, and rotate its first two columns by an angle $\theta$.
#
# > **Predict first.** At which angle is the gap largest, and at which does it return to zero?


# %%
def diagonal_gap(W, sigma):
    # The gap of the best diagonal q for a linear decoder, nats per image. W (D, K).
    precision = np.eye(W.shape[1]) + W.T @ W / sigma**2
    return 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])


angles, gaps, turn = np.arange(91), [], np.eye(latent)
for angle in np.radians(angles):
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    gaps.append(diagonal_gap(best_W @ turn, best_sigma))
    assert abs(log_likelihood(x, best_W @ turn, centre, best_sigma) - best) < 1e-9
fig, axis = plt.subplots(figsize=(5.6, 3.3))
axis.plot(angles, gaps)
axis.set(xlabel="rotation (degrees)", ylabel="gap (nats per image)", xticks=range(0, 91, 15))
alt = "The gap of the best diagonal q over the angle by which two columns of the decoder are rotated: zero at 0 degrees, rising to one maximum at 45 degrees, and back to zero at 90 degrees."
plots.show(fig, alt=alt)

# %% [markdown]
# The same model of the data, the same $\log p(x)$ (the cell asserts it to nine decimals), and up to 0.12<!--=rotation_gap--> nats of difference in the ELBO. So the bound is more than a bound: among decoders that fit equally well it *chooses* the one whose posterior a diagonal $q$ can match. For linear VAEs this is why they find the principal directions
# themselves and not merely their span (Lucas and others, 2019). Rolínek and others (2019) trace the same pressure in deep ones.
#
# **Exercise 3.** Two columns have length $\sigma$ each and a product $w_1^\top w_2 = \sigma^2/2$. Write down $P$ (two by two), and the gap of the best diagonal $q$.

# %%
your_gap = None  # ← your number
compare("gap, nats", your_gap, 0.5 * np.log(4 / 3.75), "Each P_kk is 2. Did you halve the logs?")

# %% [markdown]
# <details><summary>Solution</summary>
#
# $P = \begin{pmatrix}2 & 0.5\\ 0.5 & 2\end{pmatrix}$, so the gap is $\tfrac12(\log 4 - \log 3.75) = 0.0323$ nats.
#
# </details>
#
# ## Which way round?
#
# The gap is $\mathrm{KL}(q\,\|\,p)$ with the approximation first. That order was not a choice; the derivation produced it. What does it do to a $q$ that cannot match its target?
#
# Take a target with two bumps, as the posterior of an ambiguous image might be, and fit one Gaussian to it, in both directions. $\mathrm{KL}(p\,\|\,q)$ averages over the *target*: wherever the target has mass, $q$ must have some, or $-\log q$ explodes. For a Gaussian $q$, setting its slopes to zero says that the mean and the variance of $q$ are those of $p$.
# $\mathrm{KL}(q\,\|\,p)$ averages over *$q$ itself*: wherever $q$ has mass, the target must have some; a whole bump may be ignored, at a price that stays finite. It has no formula here, so we try many means and spreads on a grid, by quadrature.
#
# > **Predict first.** The bumps are at −2 (60 % of the mass) and +2 (40 %), each with $\sigma = 0.5$. Where does each direction put the mean of $q$, and how wide is it? And what does it cost, roughly, to pretend that 40 % of the mass does not exist?

# %%
z = np.linspace(-12, 12, 1201)
target = 0.6 * norm.pdf(z, -2, 0.5) + 0.4 * norm.pdf(z, 2, 0.5)
means, sigmas = np.linspace(-3, 3, 61), np.geomspace(0.25, 3.5, 54)
q = norm(means[:, None, None], sigmas[:, None])  # densities of shape (means, sigmas, z)
q_to_p = np.trapezoid(q.pdf(z) * (q.logpdf(z) - np.log(target)), z)  # (means, sigmas), nats
p_to_q = np.trapezoid(target * (np.log(target) - q.logpdf(z)), z)
fig, axis = plt.subplots(figsize=(6.2, 3.5))
axis.fill_between(z, target, color="#BBBBBB", label="target p, two bumps")
for name, cost, style in [("KL(q‖p)", q_to_p, "-"), ("KL(p‖q)", p_to_q, "--")]:
    i, j = np.unravel_index(cost.argmin(), cost.shape)
    print(f"least {name}: mean {means[i]:+.1f}, σ {sigmas[j]:.2f}, {cost.min():.3f} nats")
    axis.plot(z, norm.pdf(z, means[i], sigmas[j]), style, label=f"q of least {name}")
print(f"least KL(q‖p) on the right-hand bump: {q_to_p[means > 0].min():.3f} nats")
axis.set(xlabel="z", ylabel="density", xlim=(-6, 6), ylim=(0, 1))
axis.legend(loc="upper right")
alt = "A grey target with a taller bump at minus 2 and a lower one at plus 2. The Gaussian of least KL(q‖p) sits on the taller bump alone and is as narrow as it. The Gaussian of least KL(p‖q) is wide and flat, and highest between the bumps, where the target has almost no mass."
plots.show(fig, alt=alt)

# %% [markdown]
# $\mathrm{KL}(q\,\|\,p)$ **seeks a mode**: it sits on the larger bump and pays 0.511<!--=mode_seeking_nats--> nats, which is $-\log 0.6$ (on that bump $p$ is 0.6 of a Gaussian, and $\log(q/p) = -\log 0.6$ all over it). $\mathrm{KL}(p\,\|\,q)$ **covers the mass**: it matches the target's mean and standard deviation, and is highest where the target is nearly empty. There is a second valley at +2, of $-\log 0.4 = 0.916$ nats: which bump a gradient descent finds depends on where it starts.
#
# For a VAE this means three things. A $q$ that is too simple tends to be too *narrow*: it reports more certainty about $z$ than there is (in the linear model, $1/P_{kk}$ is never more than the true variance $(P^{-1})_{kk}$). An ambiguous image tends to get *one* of its explanations. And maximum likelihood itself is the other direction, $\mathrm{KL}(p_{\text{data}}\,\|\,p_\theta)$, taken over
# images ($p_{\text{data}}$ is where they come from, $p_\theta$ the model with its weights $\theta$): it covers, which is one reason why a VAE rather paints an average than leaves an image out.
#
# ## Does the sign matter?
#
# One published recipe gives the objective as
#
# $$\min_{\theta,\phi}\; \mathbb E\big[\log p_\theta(x \mid z)\big] - \beta\,\mathrm{KL}\big(q_\phi(z \mid x)\,\|\,p(z)\big).$$
#
# Here $\theta$ are the weights of the decoder, $\phi$ those of the encoder, and β weighs the KL. For β = 1 this is the ELBO, and the ELBO is to be **maximised**. It looks like a slip of one word. People who implement what they read get a program that runs.
#
# > **Predict first.** The same linear VAE, the same data, optimiser and first weights; only the sign is turned. Where does the minimisation end?

# %%
runaway = train(LinearVAE(sign=-1.0), x, 100, every=5)[0]
print("objective at steps 0, 10, 25, 50, 100:", runaway[[0, 2, 5, 10, 20]].round(1).tolist())
assert np.all(np.diff(runaway) < 0), "with this sign every stretch of training lowers the ELBO"
fig, axis = plt.subplots(figsize=(6.2, 3.4))
axis.plot(at[:5], elbo[:5], label="maximised: the ELBO, as derived")
axis.plot(5 * np.arange(21), runaway, "--", label="minimised: the recipe")
axis.set_yscale("symlog", linthresh=100)
axis.set(xlabel="training step", ylabel="ELBO (nats per image, symlog)")
axis.legend(loc="upper right", bbox_to_anchor=(1, 0.85))
alt = "The ELBO over 100 training steps. Maximised, it rises a little and stays between minus 100 and 0. Minimised, it falls by power of ten after power of ten and does not level off."
plots.show(fig, alt=alt)

# %% [markdown]
# It does not end. In the stored run the objective stands at −22<!--=runaway--> billion nats per image after 100 steps, and would go on falling. There is no minimum to find: $\log p(x \mid z)$ can be made as negative as you like by reconstructing badly with great confidence ($\sigma \to 0$, or $W \to \infty$), and $-\mathrm{KL}$ by moving the code far away. Each of the two
# terms alone is **unbounded below**. As a loss, to be minimised, the right expression is
#
# $$\underbrace{-\,\mathbb E_q[\log p(x \mid z)]}_{\text{reconstruction}} \;+\; \mathrm{KL}\big(q(z \mid x)\,\|\,p(z)\big),$$
#
# with a plus: both terms are prices. (The KL is never negative. Nor is the first term for binary pixels; for grey ones it can be, because a density can exceed 1.) A sign error of the *whole* loss shows itself within seconds. A sign error of the KL alone does so too (try it: *On your own*). A scale error raises no alarm, and that is the last topic.
#
# ## Find the wrong loss
#
# Six losses follow. **Five carry scaling choices that have been published** in a well-known library's example page (used on colour images, for which it was not written), in three textbooks and in a much-starred repository; **one is right**. Each was rewritten here from the arithmetic alone, so that only the scale is theirs. Each takes images `x`, reconstructions `r` (probabilities for the cross-entropies, plain values for the squared errors), and the encoder's mean `m` and $\log\sigma^2$ `v`, and returns the number to be minimised. `kl` sums over coordinates, `kl_each` does not; `bce` and `mse` are those of Keras.
#
# > **Predict first.** Read them, and give each its *effective β*: the weight of the KL once the reconstruction is the true sum over pixels and channels. The images are 28×28×1, 32×32×3 or 64×64×3; does it depend on that?

# %%
bce, mse = keras.losses.binary_crossentropy, keras.losses.mean_squared_error
kl, kl_each = losses.gaussian_kl, losses.gaussian_kl_elementwise  # (B,) and (B, K)
suspects = {
    "loss_a": lambda x, r, m, v: ops.mean(ops.sum(bce(x, r), (1, 2)) + kl(m, v)),
    "loss_b": lambda x, r, m, v: ops.mean(ops.sum(bce(x, r), (1, 2))) + ops.mean(kl_each(m, v)),
    "loss_c": lambda x, r, m, v: 500 * ops.mean(bce(x, r)) + ops.mean(kl(m, v)),
    "loss_d": lambda x, r, m, v: ops.mean(mse(x, r)) + ops.mean(kl(m, v)) / 784,
    "loss_e": lambda x, r, m, v: ops.mean(ops.sum(bce(x, r), (1, 2)) * x.shape[-1] + kl(m, v)),
    "loss_f": lambda x, r, m, v: ops.mean(mse(x, r)) + 0.00025 * ops.mean(kl(m, v)),
}


# %% [markdown]
# Reading is one way to know; **measuring** is better, because it needs no source code and works on any loss you meet. Every such loss is $w_r \cdot R + w_k \cdot \mathrm{KL}$, where $R$ is a true reconstruction term: the summed cross-entropy, or half the summed squared error, which is $-\log p(x \mid z)$ of a Gaussian with $\sigma = 1$ up to a constant. So:
#
# 1. Change only the encoder's output, and divide the change of the loss by the change of the true KL: that is $w_k$.
# 2. Change only the reconstruction, and divide by the change of $R$: that is $w_r$. Do it twice. If the cross-entropy is the right $R$, both ratios agree; if not, try the squared error. The loss tells which likelihood it uses.
# 3. Effective β $= w_k / w_r$.


# %%
def effective_beta(loss, shape, latent):
    # Measure β of loss(x, r, mean, log σ²) on images of this shape: (β, its likelihood).
    rng = np.random.default_rng(0)
    x = (rng.random((8, *shape)) < 0.3).astype("float32")  # binary, so that BCE is a likelihood
    haze = rng.uniform(-0.02, 0.02, x.shape).astype("float32")
    r = [0.5 + a * (x - 0.5) + haze for a in (0.0, 0.5, 0.9)]  # blank, vague, nearly right
    mean = 4 * rng.normal(size=(8, latent)).astype("float32")
    still = np.zeros_like(mean)  # mean 0, or log σ² = 0
    per_kl = float(loss(x, r[2], mean, still) - loss(x, r[2], still, still))
    per_kl = per_kl / float(ops.mean(kl(mean, still)))  # w_k
    changes = np.diff([float(loss(x, v, still, still)) for v in r])
    entropies = [-np.log(np.where(x > 0, v, 1 - v)).sum() / 8 for v in r]
    squares = [0.5 * np.square(x - v).sum() / 8 for v in r]
    ratios = {"Bernoulli": changes / np.diff(entropies), "Gaussian": changes / np.diff(squares)}
    kind = min(ratios, key=lambda k: abs(ratios[k][0] / ratios[k][1] - 1))
    return per_kl / ratios[kind].mean(), kind


# %% [markdown]
# An instrument is tested before it is used. Here is a loss whose β we set ourselves, to 7, and hide behind a common factor of 3:


# %% tags=["nbval-check-output"]
def known(x, r, m, v):
    return 3 * ops.mean(losses.gaussian_nll(x, r, 0.0) + 7 * kl(m, v))


measured, kind = effective_beta(known, (16, 16, 3), 4)
print(f"set to 7, measured {measured:.3g}, {kind} likelihood")
assert abs(measured / 7 - 1) < 2e-3 and kind == "Gaussian"

# %% [markdown]
# **Exercise 4.** Give the effective β of each loss for images of 64×64×3 and a latent of $K = 128$. Guess first and write the guesses down; the answers stand further down the page. And the question that matters: **which one is right?**
#
# **Exercise 5.** The book of `loss_c` has a second notebook, for faces: there the reconstruction is 2000 times the *mean squared error*, on 32×32×3 images, beside the same summed KL. What is its effective β? Pencil and paper are enough; the solution is folded below the next cell.

# %%
your_beta = dict.fromkeys(suspects)  # ← for example your_beta["loss_a"] = 1.0, on lines below
for name, loss in suspects.items():
    true, _ = effective_beta(loss, (64, 64, 3), 128)
    compare(name, your_beta[name], true, "Which axes are summed, which averaged? Which R?")

# %% [markdown]
# <details><summary>Solutions to Exercises 4 and 5 (open after you have measured)</summary>
#
# With $D = HWC$ values per image, and the sizes for which they were published:
#
# - `loss_a`: β = C, so **3.0** on colour images. The cross-entropy of Keras averages over the *last* axis. On the one-channel digits it was written for, the last axis has length 1 and the loss is right; put colour images in, and the reconstruction is divided by three. (The example page of a well-known library.)
# - `loss_b`: β = C/K, so **1/K** on grey images: 0.5 for the two coordinates of the book, 0.0234 here. The mean runs over the coordinates as well as over the batch. (A textbook on deep learning, two editions.)
# - `loss_c`: β = D/500, so **2.05** for the 32×32×1 of the book, 24.6 here. A mean over pixels, and a factor set by hand to mend it; it would have to be $D$. (A textbook on generative models.) The faces of Exercise 5: half the summed squared error is $D/2$ times the mean squared error, so β = D/(2·2000) = **0.77**.
# - `loss_d`: β = D/(2·784), so **0.5** for the 28×28 of the book, 7.84 here. The division by 784 does mend the mean over the pixels of that image; what is missing is the half of the Gaussian. (A textbook on machine learning.)
# - `loss_e`: β = **1**, at any size. It is `loss_a`, cured: the mean over C channels, times C, is their sum.
# - `loss_f`: β = D·0.00025/2, so **1.54** at 64×64×3. (A collection of VAEs that many projects start from.) Its validation uses a weight of 1 in place of 0.00025, so that β there is 4000 times larger: the two curves in its log belong to different objectives.
#
# One more thing the weights do not tell: on grey values the cross-entropy is no likelihood at all, whatever stands before it. That is why the instrument measures with binary pixels.
#
# For squared errors there is another reading. $\frac{1}{2\sigma^2}\|x-r\|^2 + \mathrm{KL}$ has the same minima as $\frac12\|x-r\|^2 + \sigma^2\,\mathrm{KL}$: with a *fixed* σ, an effective β is a σ² that nobody chose. A β of 1.54 says that a pixel is known to ±1.24 of its unit, which is more than the whole way from black to white if that is 1.
#
# </details>
#
# None of these losses is useless: a weight that was tuned on one data set can serve well on that data set. What they lack is a meaning that survives a change of data. The last measurement shows it: the same six functions, at five combinations of image and latent size.

# %% tags=["nbval-check-output"]
sizes = [((28, 28, 1), 2), ((32, 32, 1), 2), ((32, 32, 3), 2), ((64, 64, 3), 2), ((64, 64, 3), 128)]
labels = [f"{'×'.join(map(str, shape))}, K={size}" for shape, size in sizes]
print(" " * 6 + "".join(f"{label:>17}" for label in labels))
table = {}
for name, loss in suspects.items():
    table[name] = np.array([effective_beta(loss, *setting)[0] for setting in sizes])
    print(name + "".join(f"{beta:>17.3g}" for beta in table[name]))
ones = [name for name, row in table.items() if np.allclose(row, 1, rtol=2e-3)]
print("β = 1 at every size:", ones)
assert ones == ["loss_e"]

# %% tags=["picture"]
fig, axis = plt.subplots(figsize=(7.6, 4.0))
axis.axhline(1, color="#888888", linewidth=6, alpha=0.35)
for (name, row), marker in zip(table.items(), "os^Dv*"):
    axis.plot([t.replace(", ", "\n") for t in labels], row, marker + "-", markersize=8, label=name)
axis.set(yscale="log", ylabel="effective β (1 is the ELBO)", xlabel="image size and latent size")
axis.legend(ncols=2, loc="upper left")
alt = "Effective beta of the six losses at five combinations of image and latent size, on a logarithmic axis. Only loss_e stays on the line at 1. The others lie between 0.1 and 1.6 for the smallest image and drift with its size, up to about 25; loss_b drops to about 0.02 when the latent grows from 2 to 128."
plots.show(fig, alt=alt)

# %% [markdown]
# One function stays at 1. The others are β-VAEs (Higgins and others, 2017) whose β is set by the size of the image or of the latent. To *choose* a β other than 1 can be a good idea, and notebook `07` draws the curve of what it buys. But choose it where it can be seen: sum, weigh, then take the mean.
#
# ## Results
#
# The next cell records the numbers that the text above speaks of.

# %% tags=["results"]
results = {"prior_errors": prior_errors, "mc_difference": mc_difference, "best": best}
results |= {"mc_percent": 100 * standard_error / exact, "mode_seeking_nats": q_to_p.min()}
results |= {"elbo_first": elbo[0], "gap_first": gap[0], "gap_last": gap[-1], "shortfall": shortfall}
results |= {"cosine_last": cosine[-1], "rotation_gap": max(gaps), "runaway": runaway[-1] / 1e9}
limits = {"shortfall": (-0.001, 0.01), "gap_last": (-0.001, 0.01), "mc_percent": (0, 0.2)}
bands = {key: {"default": ends, "smoke": ends} for key, ends in limits.items()}
record(results, bands, f"linear VAE {abs(shortfall):.4f} nats from the exact maximum of log p")

# %% [markdown]
# ## What you saw
#
# - $\log p(x)$ is an average over a space too large to search; the encoder says where to look. The price of its help is $\mathrm{KL}(q\,\|\,p(z\mid x))$, and on a linear model ELBO plus price is $\log p(x)$ at every recorded step of training.
# - The KL to a standard normal is $\tfrac12(\mu^2 + \sigma^2 - 1 - \log\sigma^2)$ per coordinate. Sympy, quadrature, Monte Carlo and autodiff agree with it, each for its own reason.
# - A diagonal $q$ is exact only for a decoder with orthogonal columns, and training turned them so: in the stored run the largest cosine of two columns ends at 0.010<!--=cosine_last-->, and the ELBO 0.0001<!--=shortfall--> nats per image below the exact maximum.
# - The KL of a VAE is the mode-seeking one. A sign error of the whole loss runs away at once; a scale error trains without complaint, and is found by measuring the effective β.
#
# ## On your own
#
# 1. **Only half a sign error.** Change `compute_loss` so that only the KL has the wrong sign. Predict what $\mu$ and $\sigma_k$ do, then train.
#
#    <details><summary>Solution</summary>
#
#    The loss is then reconstruction − KL. Sending the code far away makes the KL as large as you like: $\mu$ grows through $V$, and shrinking $W$ by the same factor keeps the reconstruction as it was. The $\sigma_k$ shrink, since both terms now reward it: the KL grows and the reconstruction has less noise. So this too is unbounded below: the loss falls past any number, while the reconstruction gets better and hides it.
#
#    </details>
# 2. **One draw from the right place.** In the first experiment, draw $z$ from the exact posterior instead of the prior, and average $p(x, z)/q(z)$. How many draws do you need now?
#
#    <details><summary>Solution</summary>
#
#    One. If $q(z) = p(z \mid x)$, then $p(x, z)/q(z) = p(x)$ for every $z$: an average of equal numbers. With an imperfect $q$ a few dozen draws do much; this is the importance-weighted bound of notebook `07`.
#
#    </details>
# 3. **Too narrow.** For the decoder rotated by 45°, compare the variances $1/P_{kk}$ of the best diagonal $q$ with the true posterior variances $(P^{-1})_{kk}$.
#
#    <details><summary>Solution</summary>
#
#    `turn[:2, :2] = np.array([[1, -1], [1, 1]]) / 2**0.5` and `W = best_W @ turn`; then `P = np.eye(latent) + W.T @ W / best_sigma**2`, and `1 / np.diag(P)` beside `np.diag(np.linalg.inv(P))`. The first is smaller for the two rotated coordinates and equal for the others. The mode-seeking KL prefers too narrow to too wide.
#
#    </details>
# 4. **Measure your own.** Take a VAE from the web or from your own disk, put its loss into the form `loss(x, r, mean, log_variance)`, and measure its β at two image sizes.
#
# ## References
#
# - Kingma, D. P. and Welling, M. (2014). Auto-Encoding Variational Bayes. ICLR. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Rezende, D. J., Mohamed, S. and Wierstra, D. (2014). Stochastic Backpropagation and Approximate Inference in Deep Generative Models. ICML. [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - Kullback, S. and Leibler, R. A. (1951). On Information and Sufficiency. *Annals of Mathematical Statistics* 22(1), 79–86. [doi:10.1214/aoms/1177729694](https://doi.org/10.1214/aoms/1177729694)
# - Tipping, M. E. and Bishop, C. M. (1999). Probabilistic Principal Component Analysis. *Journal of the Royal Statistical Society B* 61(3), 611–622. [doi:10.1111/1467-9868.00196](https://doi.org/10.1111/1467-9868.00196)
# - Lucas, J., Tucker, G., Grosse, R. and Norouzi, M. (2019). Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse. NeurIPS. [arXiv:1911.02469](https://arxiv.org/abs/1911.02469)
# - Rolínek, M., Zietlow, D. and Martius, G. (2019). Variational Autoencoders Pursue PCA Directions (by Accident). CVPR. [arXiv:1812.06775](https://arxiv.org/abs/1812.06775)
# - Higgins, I. and others (2017). β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework. ICLR. [openreview.net/forum?id=Sy2fzU9gl](https://openreview.net/forum?id=Sy2fzU9gl)
# - Trefethen, L. N. and Weideman, J. A. C. (2014). The Exponentially Convergent Trapezoidal Rule. *SIAM Review* 56(3), 385–458. [doi:10.1137/130932132](https://doi.org/10.1137/130932132)
