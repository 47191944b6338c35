"""Print the ELBO of a small VAE with given weights and noise, on the backend of KERAS_BACKEND."""

import json

import keras
import numpy as np

from helpers import losses, models, networks, pyramids


def filled(vae):
    """Give every variable values that depend on nothing but its place and shape."""
    rng = np.random.default_rng(0)
    for net in (vae.encoder, vae.decoder):
        weights = [rng.normal(0, 0.1, w.shape) for w in net.get_weights()]
        # Variances of batch normalisation are positive, as every value then is.
        net.set_weights([np.abs(w) + 0.05 if w.ndim == 1 else w for w in weights])


def main():
    rng = np.random.default_rng(1)
    found = {"backend": keras.backend.backend()}
    x = rng.random((4, 16, 16, 3), "float32")
    pairs = {
        "dense": networks.dense_networks((16, 16, 3), 5),
        "pyramid": pyramids.pyramid_networks((16, 16, 3), 4, (8, 8), (1, 1), (2, 2)),
    }
    for name, pair in pairs.items():
        for likelihood in ("bernoulli", "gaussian"):
            vae = models.VAE(*pair, likelihood=likelihood)
            noise = rng.standard_normal((4, *vae.encoder.outputs[0].shape[1:]), "float32")
            filled(vae)
            elbo = keras.ops.convert_to_numpy(vae.elbo(x, noise))
            mean, log_variance = vae.encode(x)
            kl = keras.ops.convert_to_numpy(losses.gaussian_kl(mean, log_variance))
            found[f"{name}, {likelihood}"] = elbo.tolist()
            found[f"{name}, {likelihood}, KL"] = kl.tolist()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
