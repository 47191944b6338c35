# %% [markdown]
# # Problem set 1: what the KL costs
#
# The loss of a variational autoencoder has a term for what its encoder says: a Kullback–Leibler divergence (KL), in nats. Here you derive it, code it in three ways that must agree, and find the weight that three losses really give it.
#
# **What you'll learn**
#
# - The KL of two Gaussians, and which of its terms people forget.
# - An estimate from random draws is worth nothing without its standard error.
# - A loss has an effective β, whether or not its author chose one.
# - Why a KL is never negative.
#
# **What you'll need.** Notebooks `04` and, for task 4, `05`, pencil and paper, about 75 minutes. NumPy is all you need.
#
# | task | points |
# |---|---|
# | 1 KL to the unit normal | 3 |
# | 2 KL to another Gaussian | 3 |
# | 3 The same from random draws | 4 |
# | 4 Effective β of three losses | 4 |
# | 5 KL of two tables, and why it is not negative | 2 + 4 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests your function and says what to think about. When you hand in, more tests run, on numbers that you do not see. Do not rename or delete cells; you may add cells of your own.

# %% readonly="setup"
import numpy as np

from helpers import checks

# %% [markdown]
# ## Task 1: the KL to the unit normal
#
# An encoder says of one image: its latent lies at $\mathcal N(\mu, \operatorname{diag}\sigma^2)$, with a mean $\mu_k$ and a variance $\sigma_k^2$ for each of $K$ coordinates. Before it saw the image it could have said only $\mathcal N(0, I)$. The KL is
#
# $$\mathrm{KL} = \mathbb E_{z \sim q}\big[\log q(z) - \log p(z)\big], \qquad q = \mathcal N(\mu, \operatorname{diag}\sigma^2), \quad p = \mathcal N(0, I).$$
#
# Derive a formula without an expectation in it. You need only two facts: under $q$, $(z_k - \mu_k)^2/\sigma_k^2$ has mean 1, and $z_k^2$ has mean $\mu_k^2 + \sigma_k^2$.
#
# A network's output may be any real number, so it gives $\log\sigma^2$, the **logarithm of the variance**.


# %% solution="kl_unit"
def kl_unit(mean, log_variance):
    """KL(N(mean, diag σ²) ‖ N(0, I)) in nats, one number an image.

    mean, log_variance: arrays (B, K). log_variance is log σ².
    Returns an array (B,): summed over the K coordinates.
    """
    ### BEGIN SOLUTION
    mean, log_variance = np.asarray(mean), np.asarray(log_variance)
    terms = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)  # (B, K)
    return terms.sum(axis=1)
    ### END SOLUTION


# %% test="kl_unit" points=3
import numpy as np

from helpers import checks

zero = np.zeros((2, 3))
checks.close(
    kl_unit(zero, zero.copy()),
    [0, 0],
    "With mean 0 and log σ² = 0 the encoder says the prior, and that is free. What is σ² then?",
)
checks.close(
    kl_unit(np.array([[1.0, 2.0]]), np.zeros((1, 2))),
    [2.5],
    "Only the means moved, by 1 and by 2: that costs ½μ² each, summed over the coordinates.",
)
checks.close(
    kl_unit(np.zeros((1, 1)), np.log([[0.01]])),
    [1.8075851],
    "σ = 0.1, so σ² = 0.01. Sharpening costs −log σ, which is −½ log σ², and the width gives back.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(918273)
for batch, latent in ((4, 7), (1, 5), (6, 1), (3, 3)):
    mean, log_variance = rng.normal(size=(2, batch, latent)) * [[[1.5]], [[1.2]]]
    sigma = np.sqrt(np.exp(log_variance))
    expected = (-np.log(sigma) - 0.5 + (sigma**2 + mean**2) / 2).sum(axis=1)
    checks.close(
        kl_unit(mean.copy(), log_variance.copy()),
        expected,
        "On other means and variances the KL comes out wrong. Take one coordinate and check term "
        "by term: ½μ², ½σ², −½, −½ log σ².",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: the KL to another Gaussian
#
# The prior need not be $\mathcal N(0, I)$. Let it be $p = \mathcal N(m, \operatorname{diag} s^2)$. Two things change: the distance of the means is measured in the prior's spread, and the spreads enter as a ratio.


# %% solution="kl_diagonal"
def kl_diagonal(mean, log_variance, prior_mean, prior_log_variance):
    """KL(N(mean, diag σ²) ‖ N(prior_mean, diag s²)) in nats, one number an image.

    mean, log_variance: arrays (B, K). prior_mean, prior_log_variance: arrays (K,), the
    same prior for all images. Both log-variances are log σ² and log s².
    Returns an array (B,).
    """
    ### BEGIN SOLUTION
    log_ratio = log_variance - prior_log_variance  # log of σ²/s²
    moved = (mean - prior_mean) ** 2 / np.exp(prior_log_variance)
    return 0.5 * np.sum(moved + np.exp(log_ratio) - 1 - log_ratio, axis=-1)
    ### END SOLUTION


# %% test="kl_diagonal" points=3
import numpy as np

from helpers import checks

mean, log_variance = np.array([[0.3, -1.0], [2.0, 0.5]]), np.array([[0.1, -2.0], [0.7, 0.0]])
checks.close(
    kl_diagonal(mean.copy(), log_variance.copy(), np.zeros(2), np.zeros(2)),
    0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1),
    "With the prior N(0, I) this is task 1 again.",
)
checks.close(
    kl_diagonal(mean[:1].copy(), log_variance[:1].copy(), mean[0], log_variance[0]),
    [0],
    "An encoder that says what the prior says costs nothing, whatever the prior is.",
)
checks.close(
    kl_diagonal(np.array([[3.0]]), np.log([[4.0]]), np.array([1.0]), np.log([4.0])),
    [0.5],
    "The spreads agree (2) and the means differ by 2: one standard deviation of the prior, ½·1².",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(55661)
for batch, latent in ((5, 4), (1, 6), (3, 1), (4, 4)):
    mean, log_variance = rng.normal(size=(2, batch, latent))
    prior_mean, prior_log_variance = rng.normal(size=(2, latent))
    sigma, s = np.exp(0.5 * log_variance), np.exp(0.5 * prior_log_variance)
    expected = np.log(s / sigma) + (sigma**2 + (mean - prior_mean) ** 2) / (2 * s**2) - 0.5
    checks.close(
        kl_diagonal(mean.copy(), log_variance.copy(), prior_mean, prior_log_variance),
        expected.sum(axis=1),
        "On another prior the KL comes out wrong. Which of the two spreads divides the distance "
        "of the means? Which of the two logarithms has the minus?",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: the same from random draws
#
# A formula may be wrong, and an average of draws from the definition is a witness that does not share its mistakes. Draw $z^{(1)}, \dots, z^{(n)}$ from $q$ and average $\log q(z) - \log p(z)$, with $p = \mathcal N(0, I)$. The average is off by chance. How far, its *standard error* says: the standard deviation of the $n$ values, divided by $\sqrt n$.


# %% solution="kl_by_draws"
def kl_by_draws(mean, log_variance, draws, rng):
    """Estimate KL(N(mean, diag σ²) ‖ N(0, I)) of one image from random draws.

    mean, log_variance: arrays (K,). draws: how many. rng: a numpy Generator, the only
    source of randomness (`rng.normal`, `rng.standard_normal`).
    Returns two numbers: the average of log q(z) − log p(z), and its standard error.
    """
    ### BEGIN SOLUTION
    sigma = np.exp(0.5 * log_variance)
    noise = rng.standard_normal((draws, len(mean)))
    z = mean + sigma * noise
    # The −½ log 2π of the two densities cancel.
    log_q = np.sum(-0.5 * noise**2 - np.log(sigma), axis=1)
    log_p = np.sum(-0.5 * z**2, axis=1)
    values = log_q - log_p  # (draws,)
    return values.mean(), values.std(ddof=1) / np.sqrt(draws)
    ### END SOLUTION


# %% test="kl_by_draws_estimate" points=2
import numpy as np

from helpers import checks

mean, log_variance = np.array([1.0, -0.5]), np.array([-1.0, 0.5])
estimate, _ = kl_by_draws(mean, log_variance, 10_000, np.random.default_rng(1))
checks.close(
    estimate,
    0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(),
    "The average is far from the formula. Are the draws from q, with z = μ + σ·ε? Is log q the "
    "density of all K coordinates, a sum?",
    relative=0,
    absolute=0.08,
)
again, _ = kl_by_draws(mean, log_variance, 10_000, np.random.default_rng(1))
other, _ = kl_by_draws(mean, log_variance, 10_000, np.random.default_rng(2))
checks.close(again, float(estimate), "The same rng must give the same draws: use `rng` alone.")
checks.true(other != again, "Another rng gives other draws. Do yours depend on `rng`?")
### BEGIN HIDDEN TESTS
for seed in (31, 32, 33):
    rng = np.random.default_rng(seed)
    mean, log_variance = rng.normal(size=(2, int(rng.integers(3, 9))))
    sigma2 = np.exp(log_variance)
    true = 0.5 * (mean**2 + sigma2 - 1 - log_variance).sum()
    # The variance of one draw: ½(σ² − 1)² from the squares, μ²σ² from the mean.
    spread = np.sqrt((0.5 * (sigma2 - 1) ** 2 + mean**2 * sigma2).sum())
    draws = 20_000
    estimate, _ = kl_by_draws(mean, log_variance, draws, np.random.default_rng(seed))
    checks.close(
        estimate,
        true,
        "On another image the average is off by more than chance allows.",
        relative=0,
        absolute=6 * spread / np.sqrt(draws),
    )
### END HIDDEN TESTS

# %% test="kl_by_draws_error" points=2
import numpy as np

from helpers import checks

mean, log_variance = np.array([1.0, -0.5]), np.array([-1.0, 0.5])
_, few = kl_by_draws(mean, log_variance, 4_000, np.random.default_rng(1))
_, many = kl_by_draws(mean, log_variance, 16_000, np.random.default_rng(1))
checks.close(
    few / many,
    2.0,
    "Four times the draws halve the standard error. Is it divided by √n, once?",
    relative=0.1,
)
### BEGIN HIDDEN TESTS
for seed in (41, 42, 43):
    rng = np.random.default_rng(seed)
    mean, log_variance = rng.normal(size=(2, int(rng.integers(3, 9))))
    sigma2 = np.exp(log_variance)
    spread = np.sqrt((0.5 * (sigma2 - 1) ** 2 + mean**2 * sigma2).sum())
    _, error = kl_by_draws(mean, log_variance, 20_000, np.random.default_rng(seed))
    checks.close(
        error,
        spread / np.sqrt(20_000),
        "The standard error is that of the average of log q(z) − log p(z), one value a draw.",
        relative=0.08,
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: three losses and their β
#
# The objective of a VAE is, for one image,
#
# $$-\log p(x \mid z) + \beta\,\mathrm{KL},$$
#
# with the first term **summed** over all $D = H \cdot W \cdot C$ values and the KL **summed** over the $K$ coordinates. β = 1 is the (negative) evidence lower bound. The losses below each scale the two terms in their own way. Dividing a loss by a constant changes nothing about its optimum, so each of them is, up to a constant, the objective above with some β. Which?
#
# In the first loss the decoder's distribution is a Gaussian with σ = 1, so that $-\log p(x \mid z) = \tfrac12 \sum (x - \hat x)^2$ and a constant. In the other two it is a Bernoulli: $-\log p(x \mid z)$ is the sum of the binary cross-entropies.

# %% readonly="three_losses"
WEIGHT = 0.5  # redrawn from [0.5, 0.25, 2.0, 4.0]


def cross_entropy(x, x_hat):
    return -(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat))  # (H, W, C)


def loss_a(x, x_hat, kl):  # kl: (K,), the KL of each coordinate
    return np.mean((x - x_hat) ** 2) + WEIGHT * np.sum(kl)


def loss_b(x, x_hat, kl):
    return np.sum(np.mean(cross_entropy(x, x_hat), axis=-1)) + np.sum(kl)


def loss_c(x, x_hat, kl):
    return np.sum(cross_entropy(x, x_hat)) + np.mean(kl)


# %% solution="effective_betas"
def effective_betas(height, width, channels, latent):
    """The effective β of loss_a, loss_b and loss_c, three numbers in this order."""
    ### BEGIN SOLUTION
    values = height * width * channels
    return WEIGHT * values / 2, channels, 1 / latent
    ### END SOLUTION


# %% test="beta_a" points=2
import numpy as np

from helpers import checks

checks.close(
    effective_betas(1, 1, 2, 1)[0],
    WEIGHT,
    "Two values: their mean square is the half sum of squares that a Gaussian wants, so β is the "
    "weight that stands before the KL.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(777)
for _ in range(4):
    h, w, c, k = (int(n) for n in rng.integers(2, 40, 4))
    checks.close(
        effective_betas(h, w, c, k)[0],
        WEIGHT * h * w * c / 2,
        "Loss A: by what must the mean square be multiplied to become ½ Σ (x − x̂)²? "
        "The KL is multiplied with it.",
    )
### END HIDDEN TESTS

# %% test="beta_b" points=1
import numpy as np

from helpers import checks

checks.close(
    effective_betas(8, 8, 1, 5)[1],
    1,
    "Loss B on one channel: the mean over one value is the value, and the sum is the true one.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(778)
for _ in range(4):
    h, w, c, k = (int(n) for n in rng.integers(2, 40, 4))
    checks.close(
        effective_betas(h, w, c, k)[1],
        c,
        "Loss B: over which axis is a mean taken where a sum belongs? How long is that axis?",
    )
### END HIDDEN TESTS

# %% test="beta_c" points=1
import numpy as np

from helpers import checks

checks.close(
    effective_betas(8, 8, 3, 1)[2],
    1,
    "Loss C with one latent coordinate: the mean over one value is the value.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(779)
for _ in range(4):
    h, w, c, k = (int(n) for n in rng.integers(2, 40, 4))
    checks.close(
        effective_betas(h, w, c, k)[2],
        1 / k,
        "Loss C: the reconstruction is right, the KL is averaged over the K coordinates. Is each "
        "nat weighted too much or too little?",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: two tables
#
# A KL needs no Gaussians. For two tables of probabilities over the same $n$ outcomes it is $\sum_i q_i \log (q_i / p_i)$. An outcome that $q$ never gives adds nothing. One that $q$ gives and $p$ holds impossible makes the KL infinite.


# %% solution="kl_tables"
def kl_tables(q, p):
    """KL(q ‖ p) in nats of two arrays (n,) of probabilities, each with the sum 1.

    Zeros are allowed: q = 0 adds 0, and p = 0 where q > 0 gives `np.inf`.
    """
    ### BEGIN SOLUTION
    given = q > 0
    if np.any(p[given] == 0):
        return np.inf
    return np.sum(q[given] * np.log(q[given] / p[given]))
    ### END SOLUTION


# %% test="kl_tables" points=2
import numpy as np

from helpers import checks

half = np.array([0.5, 0.5])
checks.close(kl_tables(half, half), 0, "A table against itself costs nothing.")
checks.close(
    kl_tables(np.array([1.0, 0.0]), half),
    np.log(2),
    "To be sure of one of two equal outcomes costs log 2 nats. What does 0 · log 0 count as?",
)
checks.true(
    np.isposinf(checks.array(kl_tables(half, np.array([1.0, 0.0])))),
    "q gives an outcome that p holds impossible. How surprised is p then?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(4242)
for size in (2, 3, 6, 9):
    q, p = rng.dirichlet(np.ones(size), 2)
    if size > 3:
        q[rng.integers(size)] = 0
        q /= q.sum()
    expected = sum(a * (np.log(a) - np.log(b)) for a, b in zip(q, p) if a > 0)
    value = kl_tables(q, p)
    checks.close(
        value, expected, "On other tables the KL comes out wrong. Whose outcomes are averaged?"
    )
both = np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.0, 0.75])
checks.close(
    kl_tables(*both),
    0.5 * np.log(2) + 0.5 * np.log(2 / 3),
    "Both tables hold one outcome impossible.",
)
### END HIDDEN TESTS

# %% [markdown]
# **Why is a KL never negative?** Prove it in a few lines, for tables or for densities. Say where equality holds. Then say in one sentence what would go wrong in a VAE if the KL term could be negative.
#
# *Rubric, 4 points.* 1: the argument starts from the definition and says which distribution the expectation is under. 1: an inequality is named, and used in the right direction. 1: the case of equality, with the reason. 1: the consequence for the loss and for the bound.

# %% [markdown] answer="why_not_negative" points=4
# $-\mathrm{KL}(q\,\|\,p) = \mathbb E_q[\log (p/q)]$. For every $t > 0$, $\log t \le t - 1$, with equality only at $t = 1$. So $-\mathrm{KL} \le \mathbb E_q[p/q - 1] = \sum_{q_i > 0} p_i - 1 \le 0$. Equality needs $p_i/q_i = 1$ wherever $q_i > 0$, so $q = p$. If the term could be negative, the encoder could lower the loss without end, whatever the decoder does, and the ELBO would no longer lie below $\log p(x)$.
