"""A second prior for a trained VAE: a mixture of Gaussians, fitted to where its posteriors lie.

`fitted_mixture` fits it, `mixture_latents` also draws from it; `draw` draws from one that is there,
and `kl_to_mixture` says how far posteriors are from it.
"""

import numpy as np


def mixture_latents(vae, images, n, parts=60, seed=0):
    """Latents from a mixture of Gaussians that is fitted to a VAE's aggregate posterior.

    The aggregate posterior is the mixture of the posteriors of all pictures. It is represented by
    one draw of z for each picture. The Gaussians have full covariances
    (`sklearn.mixture.GaussianMixture`), so `images` should be many times `parts`·K.

    Args:
        vae: `models.VAE` with a vector latent, K values.
        images: `(N, H, W, C)`, values in [0, 1], that the mixture is fitted to.
        n: how many latents to draw.
        parts: number of Gaussians.
        seed: of the draws from the posteriors, of the fit and of the draws from the mixture.

    Returns:
        float32 `(n, K)`, in random order.

    Examples:
        >>> from helpers.generative import mixture_prior
        >>> vae = models.dense_vae((4,), latent=2, hidden=3, seed=0)
        >>> x = np.random.default_rng(0).random((50, 4), "float32")
        >>> mixture_prior.mixture_latents(vae, x, 7, parts=2).shape
        (7, 2)

    References:
        Ghosh et al. (2020). https://arxiv.org/abs/1903.12436
        Dai and Wipf (2019). https://arxiv.org/abs/1903.05789
    """
    rng = np.random.default_rng(seed)
    mixture = fitted_mixture(vae, images, parts, seed, rng)
    drawn, _ = mixture.sample(n)  # (n, K), one Gaussian after the other
    return rng.permutation(drawn).astype("float32")


def fitted_mixture(vae, images, parts=60, seed=0, rng=None):
    """The mixture of `mixture_latents`, a `sklearn.mixture.GaussianMixture` over K values.

    Args:
        vae, images, parts, seed: as there.
        rng: a NumPy generator for the draws from the posteriors, in place of one from `seed`.
    """
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(seed) if rng is None else rng
    mean, log_variance = vae.encoder.predict(images, batch_size=500, verbose=0)  # (N, K)
    z = mean + np.exp(0.5 * log_variance) * rng.standard_normal(mean.shape)
    return GaussianMixture(parts, tol=0.01, reg_covar=1e-3, random_state=seed).fit(z)


def draw(mixture, n, seed=0):
    """Latents from a mixture: float32 `(n, K)`, in random order.

    Args:
        mixture: by `fitted_mixture`.
        n: how many.
        seed: of the draws and of their order.
    """
    mixture.random_state = seed
    drawn, _ = mixture.sample(n)  # one Gaussian after the other
    return np.random.default_rng(seed).permutation(drawn).astype("float32")


def kl_to_mixture(vae, x, mixture, noise):
    """log q(z|x) − log p(z) at one draw of z, where p is a mixture: an estimate of the KL.

    Args:
        vae: `models.VAE` with a vector latent.
        x: images `(N, H, W, C)`.
        mixture: `sklearn.mixture.GaussianMixture` over the latents.
        noise: ε of the draws, `(N, K)`.

    Returns:
        float64 `(N,)`, nats.
    """
    mean, log_variance = vae.encoder.predict(x, batch_size=500, verbose=0)  # (N, K)
    z = mean + np.exp(0.5 * log_variance) * noise
    log_q = -0.5 * (np.log(2 * np.pi) + log_variance + noise**2).sum(axis=1)
    return log_q - mixture.score_samples(z)
