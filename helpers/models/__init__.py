"""The VAE as an ordinary Keras model: `models.VAE`, `models.dense_vae`, `models.conv_vae`.

For who trains a VAE or builds one from networks of their own. `vae` has the model, `inputs`
refuses pixels that it cannot learn from, `pair_checks` networks that are no encoder and decoder;
`two_level` has a VAE with two levels of latents; `saving` saves and exports, `resizing` makes a
network for images of another size, `first_edition` reads older files.

Notebooks: 00, 03, 06 to 10, 13, 14 and 16.
"""

from helpers.backend import value_and_grad  # students' notebooks take it from here
from helpers.models import first_edition
from helpers.models.two_level import TwoLevelVAE
from helpers.models.vae import LIKELIHOODS, VAE, conv_vae, dense_vae, next_kl_weight

__all__ = [
    "LIKELIHOODS",
    "VAE",
    "TwoLevelVAE",
    "conv_vae",
    "dense_vae",
    "next_kl_weight",
    "value_and_grad",
]

first_edition.register()
