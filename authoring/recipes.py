"""What `make weights` trains: a recipe for each model that comes with the project, but the GANs.

A recipe names pictures (or label maps), a builder of `helpers.pretrained` with its arguments, steps,
batch size, learning rate and seed. `weights` trains them.
"""

from helpers.data import mask_damage
from helpers.data.scenes import CLEAR

RECIPES = {
    "vae-shapes32": {
        "pictures": {
            "size": 32,
            "objects": 1,
            "radius": [0.18, 0.25],
            "contrast": [0.25, 0.6],
            "texture": 0.1,
            "noise": 0.02,
            "annotators": 1,
        },
        "builder": "conv_vae",
        "arguments": {
            "image_shape": [32, 32, 3],
            "latent": 16,
            "width": 32,
            "likelihood": "gaussian",
        },
        "steps": 80000,  # and 40,000 for the control
        "batch_size": 64,
        "learning_rate": 4e-3,  # falls to 0 along half a cosine
        "seed": 0,
    },
}
FAST = {"learning_rate": 1e-2, "rising_steps": 100, "beta_2": 0.99}  # of the grid VAEs
# The pictures of notebook 08, with lists as JSON has them.
SCENES = {"size": 32} | {k: list(v) if isinstance(v, tuple) else v for k, v in CLEAR.items()}


def _grid_recipe(patches, channels):
    """A VAE of notebook 08: a grid of 32 / ∏ patches places a side, with so many channels."""
    return {
        "pictures": SCENES,
        "builder": "grid_vae",
        "arguments": {
            "image_shape": [32, 32, 3],
            "latent": channels,
            "widths": [24, 32, 48],
            "depths": [1, 1, 2],
            "patches": patches,
            "batch_norm": False,
            "likelihood": "gaussian",
            "sigma": 0.05,
        },
        "steps": 12000,  # and 6,000 for the control
        "batch_size": 16,
        **FAST,
        "learning_rate": 5e-3,  # at 1e-2 a latent of one channel diverges
        "seed": 0,
    }


RECIPES["grid-4x4x1"] = _grid_recipe([2, 2, 2], 1)
RECIPES["grid-4x4x8"] = _grid_recipe([2, 2, 2], 8)
RECIPES["grid-8x8x4"] = _grid_recipe([2, 2, 1], 4)
RECIPES["masks-shapes32"] = {  # the VAE of label maps of notebook 14
    "masks": {key: SCENES[key] for key in ("size", "objects", "radius")},
    "builder": "conv_vae",
    "arguments": {
        "image_shape": [32, 32, mask_damage.CLASSES],
        "latent": 32,
        "width": 16,
        "likelihood": "categorical",
    },
    "steps": 24000,
    "batch_size": 32,
    **FAST,
    "learning_rate": 5e-3,
    "seed": 0,
}
# The same networks as a denoising autoencoder: it sees damaged maps, without noise and KL.
RECIPES["masks-denoising"] = RECIPES["masks-shapes32"] | {"damage": "any_of_them"}
# The same networks without a draw and without a KL, for notebook 13. The first one has to take
# coarse noise off its input, the second one sees the picture itself.
RECIPES["denoising-4x4x8"] = RECIPES["grid-4x4x8"] | {"coarse_noise": {"sigma": 0.2, "side": 2}}
RECIPES["autoencoder-4x4x8"] = RECIPES["grid-4x4x8"] | {"coarse_noise": {"sigma": 0.0}}

EDGE_SIGMAS = {"edges48-low": 0.2, "edges48-middle": 0.1, "edges48-high": 0.05}  # name to σ
RECIPES |= {
    name: {
        "pictures": {"size": 48},  # of notebook 10: `shapes` as it is, in 48×48 pixels
        "builder": "grid_vae",
        "arguments": {
            "image_shape": [48, 48, 3],
            "latent": 8,
            "widths": [16, 32, 48],
            "depths": [1, 1, 2],
            "patches": [2, 2, 1],
            "batch_norm": False,
            "likelihood": "gaussian",
            "sigma": sigma,
        },
        "steps": 6000,  # and 3,000; of the high rate these are kept as well
        "keep_half": name == "edges48-high",
        "batch_size": 8,
        **FAST,
        "seed": 0,
    }
    for name, sigma in EDGE_SIGMAS.items()
}

# Notebook 16: the pictures of `vae-shapes32`, and its networks, with other latents.
RECIPES["vae2-shapes32"] = {
    "pictures": RECIPES["vae-shapes32"]["pictures"],
    "builder": "two_level_vae",
    "arguments": {
        "image_shape": [32, 32, 3],
        "latent": 16,
        "width": 32,
        "channels": 6,
        "warmup_steps": 500,
    },
    "start_from": "vae-shapes32",
    "steps": 16000,  # and 8,000 for the control
    "batch_size": 32,
    **FAST,
    "learning_rate": 2e-3,
    "seed": 0,
}
RECIPES["vqvae-shapes32"] = {
    "pictures": RECIPES["vae-shapes32"]["pictures"],
    "builder": "vqvae",
    "arguments": {"image_shape": [32, 32, 3], "num_codes": 256, "channels": 8, "per_place": 2},
    "start_from": "vae-shapes32",
    "steps": 24000,
    "batch_size": 32,
    **FAST,
    "learning_rate": 3e-3,
    "seed": 0,
}
