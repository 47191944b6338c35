"""Maps of odd pixels: which setting each map has, and the study of several seeds.

Notebook 13 makes such maps from one training of each model. `benchmarks/strange_parts.py` trains a
VAE and its rivals with several seeds and scores their maps. Here is how a map chooses its setting,
which trainings belong to the study, and what is said of them: means and contrasts that were named
beforehand, with 95 % intervals over pictures and over seeds.
"""

import numpy as np

from helpers import losses
from helpers.data.damage import KINDS
from helpers.metrics import average_precision_by_image, contrasts, crossed_interval

RUNS = 3  # seeds of the first weights, of the pictures in training and of the noise on them
TRAINED = ("VAE", "autoencoder", "denoising")
CONTRASTS = (
    ("VAE: residual", "denoising: residual"),
    ("VAE: residual", "autoencoder: residual"),
    ("VAE: restored, L1", "autoencoder: restored, L1"),
)

WIDTHS = (0, 0.5, 1, 2)  # of the Gaussian that smooths a map, in pixels; 0 does not


def smooth(maps, width):
    """Maps `(N, H, W)` after a Gaussian of this width in pixels; 0 leaves them as they are."""
    from scipy import ndimage

    return ndimage.gaussian_filter(maps, (0, width, width))


def choose(map_of, settings, x, masks):
    """The setting and the width with the best pixel AP on pictures that are not reported on.

    Args:
        map_of: function of (pictures, setting) → maps `(N, H, W)`, larger where it is stranger.
        settings: to choose from; with the `WIDTHS`, all methods should have the same number.
        x, masks: pictures `(N, H, W, C)`, and 1 on their odd pixels, `(N, H, W)`.

    Returns:
        (setting, width); of equal ones the first.
    """
    from sklearn.metrics import average_precision_score

    found = {}
    for setting in settings:
        maps = map_of(x, setting)
        for width in WIDTHS:
            ap = average_precision_score(np.ravel(masks), smooth(maps, width).ravel())
            found[setting, width] = ap
    return max(found, key=found.get)


def best_maps(methods, tuning_x, tuning_masks, x):
    """The map of each method, with the settings that it chose on other pictures.

    Args:
        methods: dictionary from a name to (function, settings), see `choose`.
        tuning_x, tuning_masks: what each chooses on.
        x: pictures `(N, H, W, C)`.

    Returns:
        (maps, chosen): dictionaries from the names to smoothed maps `(N, H, W)`, and to
        (setting, width).
    """
    maps, chosen = {}, {}
    for name, (map_of, settings) in methods.items():
        setting, width = chosen[name] = choose(map_of, settings, tuning_x, tuning_masks)
        maps[name] = smooth(map_of(x, setting), width)
    return maps, chosen


def scores_by_kind(maps, masks, flaws=None):
    """The AP of each map by picture, for all pictures and for those with one kind of flaw.

    Args:
        maps: dictionary from a name to `(N, H, W)`.
        masks: 1 on odd pixels, `(N, H, W)`.
        flaws: the kind of each picture's flaw, `(N,)`, as in `damage.KINDS`; None leaves kinds out.

    Returns:
        Dictionary from "all flaws" and the kinds to dictionaries from the names to jackknife
        values, see `metrics.average_precision_by_image`. Their floor differs: it is the share of
        odd pixels.
    """
    parts = {"all flaws": slice(None)}
    if flaws is not None:
        parts |= {kind: np.asarray(flaws) == k for k, kind in enumerate(KINDS)}
    return {
        title: {n: average_precision_by_image(one[part], masks[part]) for n, one in maps.items()}
        for title, part in parts.items()
    }


def without_draw(vae):
    """The two networks of a VAE as an autoencoder: no draw and no KL.

    Args:
        vae: a `models.VAE` with Gaussian pixels; its weights are those of the autoencoder.

    Returns:
        (model, loss) for `compile`: the loss is −log p(x|z) in nats, as the VAE has it.
    """
    import keras

    def gaussian_loss(x, mean):
        return losses.gaussian_nll(x, mean, vae.log_sigma())

    return keras.Model(vae.encoder.input, vae.decoder(vae.encoder.outputs[0])), gaussian_loss


def key_of(name):
    """A name as a key of results: "VAE: restored, L1" becomes "vae_restored_l1"."""
    for mark in ":,−":
        name = name.replace(mark, "")
    return name.lower().replace(" ", "_")


def study(point, steps, store):
    """Run the study, or read what a store has of it, and sum it up.

    Args:
        point: function of (kind, steps, run) → a dictionary from the name of a map to its AP and
            AUPRO by picture, `(2, N)`. The kinds are those of `TRAINED`, with `RUNS` seeds each,
            and once for half the steps.
        steps: of the trainings.
        store: a `checkpoint.ResultStore`.

    Returns:
        See `summary`.
    """

    def stored(*key):
        return store.result("maps", lambda: point(*key), key=list(key))

    whole, half = {}, {}
    for kind in TRAINED:
        half |= stored(kind, steps // 2, 0)
        points = [stored(kind, steps, run) for run in range(RUNS)]
        whole |= {name: [one[name] for one in points] for name in points[0]}
    return {"steps": steps, "runs": RUNS} | summary(whole, half)


def summary(whole, half):
    """What the study says, as lists of numbers.

    Args:
        whole: dictionary from the name of a map to its scores, `(seeds, 2, N)`: AP and AUPRO.
        half: the same for half the steps and the first seed, `(2, N)`.

    Returns:
        Dictionary with `names`, and pairs of a mean and half the width of its interval, with
        `key_of` each map: `ap_MAP` and `aupro_MAP`; and `longer_MAP`, the AP that the second half
        of the steps adds. `contrasts` has a row for each of the `CONTRASTS`: the difference of AP,
        half the width of its interval, and its p-value after Holm's correction.
    """
    whole = {name: np.asarray(values, "float64") for name, values in whole.items()}
    told = {"names": list(whole)}
    for name, values in whole.items():
        told[f"ap_{key_of(name)}"] = crossed_interval(values[:, 0])
        told[f"aupro_{key_of(name)}"] = crossed_interval(values[:, 1])
    for name, values in half.items():
        gain = whole[name][:1, 0] - np.asarray(values, "float64")[:1]
        told[f"longer_{key_of(name)}"] = crossed_interval(gain)
    leads = {pair: whole[pair[0]][:, 0] - whole[pair[1]][:, 0] for pair in CONTRASTS}
    rows = contrasts(leads).values()
    told["contrasts"] = [(row["gain"], row["half"], row["p"]) for row in rows]
    return told
