"""The VAE as an ordinary Keras model: `models.VAE`, `models.dense_vae`, `models.conv_vae`.

`vae` has the model, `inputs` refuses pixels that it cannot learn from, `pair_checks` networks that
are no encoder and decoder, `saving` saves and exports, `first_edition` reads older files. Notebooks
00, 02, 04 to 08 and 10 use it.
"""

from helpers.models import first_edition
from helpers.models.vae import LIKELIHOODS, VAE, conv_vae, dense_vae, next_kl_weight

__all__ = ["LIKELIHOODS", "VAE", "conv_vae", "dense_vae", "next_kl_weight"]

first_edition.register()
