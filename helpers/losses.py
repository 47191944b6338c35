"""The loss contract: every term in nats per image, summed, never averaged.

For an image of D = H·W·C values and a latent of K values:

* a reconstruction term is −log p(x|z), summed over all D values,
* a KL term is summed over all K values (all positions of a spatial latent),
* only then is the mean over the batch taken.

Averaging over D or K instead multiplies the weight of the KL by D or divides it
by K; the model that such a loss trains is a β-VAE with a β that nobody chose.

Two conventions of the field meet here, and mixing them up is a common fault:
the KL takes **log σ²** (what an encoder's head gives), the Gaussian likelihood
takes **log σ** (one learned scalar, as a rule).
"""

import math

import keras
from keras import ops

LOG_2PI = math.log(2.0 * math.pi)


def sum_per_image(values):
    """Sum over every axis but the first: `(B, …)` → `(B,)`.

    Examples:
        >>> print(np.asarray(losses.sum_per_image(np.ones((2, 3, 3, 1)))))
        [9. 9.]
    """
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)


def gaussian_kl_elementwise(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    """KL(q‖p) of each coordinate of two diagonal Gaussians, in nats.

    Args:
        mean: means of q, shape `(B, …)`.
        log_variance: **log σ²** of q (not log σ), the shape of `mean`.
        prior_mean: mean of p, a number or anything that broadcasts to `mean`.
        prior_log_variance: **log σ²** of p, likewise.

    Returns:
        A tensor of the shape of `mean`, each value ≥ 0 up to rounding.

    Raises:
        ValueError: if `mean` and `log_variance` differ in shape.

    Examples:
        >>> mean, log_variance = np.array([[1.0, 0.0]]), np.zeros((1, 2))
        >>> print(np.asarray(losses.gaussian_kl_elementwise(mean, log_variance)))     # μ² / 2
        [[0.5 0. ]]

    References:
        Kingma and Welling (2014), appendix B. https://arxiv.org/abs/1312.6114
    """
    mean = _not_half(mean)
    log_variance = ops.cast(log_variance, mean.dtype)
    _same_shape("mean", mean, "log_variance", log_variance)
    # PyTorch's tensors do not mix with NumPy's arrays.
    prior_mean, prior_log_variance = (
        ops.convert_to_tensor(value, mean.dtype) for value in (prior_mean, prior_log_variance)
    )
    log_ratio = log_variance - prior_log_variance
    shift = ops.square(mean - prior_mean) * ops.exp(-prior_log_variance)
    # expm1 keeps the digits that exp(r) − 1 − r loses when q is close to p.
    return 0.5 * (ops.expm1(log_ratio) - log_ratio + shift)


def gaussian_kl(mean, log_variance, prior_mean=0.0, prior_log_variance=0.0):
    """KL(q‖p) of two diagonal Gaussians, in nats per image, summed over the latent.

    With the default prior N(0, I) this is −½ Σ (1 + log σ² − μ² − σ²).

    Args:
        mean: means of q, shape `(B, K)` or `(B, h, w, c)`.
        log_variance: **log σ²** of q, the same shape. (`gaussian_nll` takes log σ.)
        prior_mean: mean of p, a number or anything that broadcasts to `mean`.
        prior_log_variance: **log σ²** of p, likewise.

    Returns:
        Shape `(B,)`, nats per image.

    Raises:
        ValueError: if `mean` and `log_variance` differ in shape.

    Examples:
        >>> mean, log_variance = np.array([[1.0, 0.0], [1.0, 1.0]]), np.zeros((2, 2))
        >>> print(np.asarray(losses.gaussian_kl(mean, log_variance)))     # a half for each μ of 1
        [0.5 1. ]
        >>> print(np.asarray(losses.gaussian_kl(mean, log_variance, prior_mean=mean)))     # q is p
        [0. 0.]

    References:
        Kingma and Welling (2014), appendix B. https://arxiv.org/abs/1312.6114
    """
    return sum_per_image(
        gaussian_kl_elementwise(mean, log_variance, prior_mean, prior_log_variance)
    )


def bernoulli_nll(x, logits):
    """−log p(x|z) under independent Bernoulli pixels, in nats per image.

    Args:
        x: data in {0, 1}, shape `(B, …)`. With grey values in between the number is
            still a cross-entropy, but no longer the negative log of a probability.
        logits: log-odds of a one, the same shape. No sigmoid before it.

    Returns:
        Shape `(B,)`, nats per image, summed over height, width and channels.

    Raises:
        ValueError: if `x` and `logits` differ in shape.

    Examples:
        >>> x = np.ones((1, 2, 2, 1))
        >>> logits = np.zeros((1, 2, 2, 1))     # each pixel is 1 with a probability of 1/2
        >>> round(float(losses.bernoulli_nll(x, logits)[0] / np.log(2)), 4)     # one bit a pixel
        4.0
    """
    logits = _not_half(logits)
    x = ops.convert_to_tensor(x, logits.dtype)
    _same_shape("x", x, "logits", logits)
    return sum_per_image(ops.binary_crossentropy(x, logits, from_logits=True))


def categorical_nll(x, logits):
    """−log p(x|z) of label maps, one class for each pixel, in nats per image.

    Args:
        x: one channel for each class, 1 for the class of the pixel and 0 for the others, shape
            `(B, …, C)`. A pixel that is 0 in all channels is not known, and adds nothing.
        logits: the same shape. No softmax before it.

    Returns:
        Shape `(B,)`, nats per image, summed over all pixels.

    Raises:
        ValueError: if `x` and `logits` differ in shape.

    Examples:
        >>> x = np.eye(4)[[[0, 1], [2, 3]]][None]     # one map of 2×2 pixels and 4 classes
        >>> logits = np.zeros((1, 2, 2, 4))     # each class has a probability of 1/4
        >>> round(float(losses.categorical_nll(x, logits)[0] / np.log(2)), 4)     # two bits a pixel
        8.0
        >>> x[0, 0] = 0     # the upper two pixels are not known
        >>> round(float(losses.categorical_nll(x, logits)[0] / np.log(2)), 4)
        4.0
    """
    logits = _not_half(logits)
    x = ops.convert_to_tensor(x, logits.dtype)
    _same_shape("x", x, "logits", logits)
    return sum_per_image(-x * ops.log_softmax(logits, axis=-1))


def gaussian_nll(x, mean, log_sigma):
    """−log p(x|z) under independent Gaussian pixels, in nats per image.

    Args:
        x: data, shape `(B, …)`.
        mean: the decoder's output, the same shape.
        log_sigma: **log σ** (not log σ²), a number or anything that broadcasts to `x`.
            (`gaussian_kl` takes log σ².)

    Returns:
        Shape `(B,)`, nats per image, with the ½ log 2π of each value. It is the log of a
        density: it may be negative, and its size depends on the unit of `x`.

    Raises:
        ValueError: if `x` and `mean` differ in shape.

    Examples:
        >>> x = np.zeros((1, 2, 2, 1))
        >>> float(losses.gaussian_nll(x, x + 1, 0.0)[0] - losses.gaussian_nll(x, x, 0.0)[0])     # 4 · ½
        2.0
        >>> bool(losses.gaussian_nll(x, x, np.log(0.1))[0] < 0)     # a density may be above 1
        True
    """
    mean = _not_half(mean)
    x = ops.convert_to_tensor(x, mean.dtype)
    _same_shape("x", x, "mean", mean)
    log_sigma = ops.convert_to_tensor(log_sigma, mean.dtype)
    standardised = (x - mean) * ops.exp(-log_sigma)
    return sum_per_image(0.5 * (LOG_2PI + ops.square(standardised)) + log_sigma)


def free_bits(kl_elementwise, minimum):
    """Sum over latent coordinates of max(minimum, batch mean of that coordinate's KL).

    A coordinate that costs less than `minimum` gets no gradient from the KL, so nothing
    pushes it the last step into collapse.

    Args:
        kl_elementwise: from `gaussian_kl_elementwise`, shape `(B, …)`, nats.
        minimum: nats that each coordinate may use free of charge, ≥ 0.

    Returns:
        A scalar, nats per image. Equals the mean KL where `minimum` is 0.

    Raises:
        ValueError: if `minimum` is negative.

    Examples:
        >>> kl = np.array([[0.0, 3.0], [0.2, 5.0]])     # two images, two coordinates: means 0.1 and 4
        >>> round(float(losses.free_bits(kl, 0.5)), 4)
        4.5

    References:
        Kingma et al. (2016), section 4 and appendix C.8. https://arxiv.org/abs/1606.04934
    """
    if minimum < 0:
        raise ValueError(
            f"`minimum` is a number of nats and cannot be negative. Received: {minimum}"
        )
    return ops.sum(ops.maximum(ops.mean(kl_elementwise, axis=0), minimum))


def vae_loss(reconstruction, kl_elementwise, beta=1.0, minimum=0.0):
    """What a VAE minimises: mean reconstruction + β·KL, in nats per image.

    Args:
        reconstruction: −log p(x|z), shape `(B,)`, nats per image.
        kl_elementwise: shape `(B, …)`, nats per latent coordinate.
        beta: weight of the KL. 1 is the negative ELBO; below 1 the result is
            no longer a bound on −log p(x), above 1 it is a looser one.
        minimum: free bits, nats per coordinate (see `free_bits`). 0 switches them off.

    Returns:
        A scalar, nats per image.

    Examples:
        >>> reconstruction = np.array([10.0, 20.0])     # mean 15
        >>> kl = np.array([[1.0, 2.0], [3.0, 4.0]])     # 3 and 7 nats, mean 5
        >>> [float(losses.vae_loss(reconstruction, kl, beta)) for beta in (0.0, 1.0, 4.0)]
        [15.0, 20.0, 35.0]

    References:
        Higgins et al. (2017), β-VAE. https://openreview.net/forum?id=Sy2fzU9gl
    """
    # free_bits(…, 0) is the plain sum too; this spares its detour over the batch mean.
    kl = free_bits(kl_elementwise, minimum) if minimum else ops.mean(sum_per_image(kl_elementwise))
    return ops.mean(reconstruction) + beta * kl


def bits_per_dimension(nats, dimensions, bins=None):
    """Nats per image → bits per dimension.

    Args:
        nats: negative log-likelihood, nats per image.
        dimensions: D = H·W·C.
        bins: None for discrete data (Bernoulli). For a density, how many levels of a byte lie
            in an interval of length 1 (`byte_levels`): log2(bins) is added, the width of a level
            in bits. The result is a code length only after uniform dequantisation.

    Returns:
        nats / (D ln 2) (+ log2 bins), in bits per dimension.

    Examples:
        >>> nats = 12 * np.log(2)     # 12 bits
        >>> round(float(losses.bits_per_dimension(nats, dimensions=12)), 4)
        1.0
        >>> round(float(losses.bits_per_dimension(nats, dimensions=12, bins=256)), 4)
        9.0
    """
    bits = nats / (dimensions * math.log(2.0))
    return bits if bins is None else bits + math.log2(bins)


def byte_levels(value_range):
    """How many of a byte's 256 levels lie in an interval of length 1, if all lie in a range.

    Args:
        value_range: (lowest, highest) value of a pixel, or None where there is no range.

    Returns:
        A number, or None.

    Examples:
        >>> losses.byte_levels((0, 1)), losses.byte_levels((-1, 1)), losses.byte_levels(None)
        (256.0, 128.0, None)
    """
    return None if value_range is None else 256 / (value_range[1] - value_range[0])


def _not_half(values):
    """A tensor; half precision becomes single, because a sum of nats over an image overflows it."""
    values = ops.convert_to_tensor(values)
    half = keras.backend.standardize_dtype(values.dtype) in ("float16", "bfloat16")
    return ops.cast(values, "float32") if half else values


def _same_shape(name_a, a, name_b, b):
    # Broadcasting here would turn a wrong shape into a wrong number without a word.
    if tuple(a.shape) != tuple(b.shape):
        raise ValueError(
            f"`{name_a}` and `{name_b}` must have the same shape. "
            f"Received: {name_a}.shape={tuple(a.shape)}, {name_b}.shape={tuple(b.shape)}"
        )
