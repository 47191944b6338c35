"""Figures of rate, distortion, σ and spectra of VAEs, and of what their reconstructions are good for.

Each returns the figure, for `plots.show`.
"""

from itertools import cycle

import numpy as np

from helpers.metrics import confidence_interval


def rate_distortion(panels, same_scale=True):
    """Distortion over rate, one panel a run, with dotted lines of equal ELBO 50 nats apart.

    The lowest dotted line goes through the model with the best ELBO. Of several trainings the
    means are drawn, with 95 % intervals over the seeds. Of several lengths the last is the curve,
    the first is drawn as crosses.

    Args:
        panels: dictionary from a title to (betas, values): `(B,)` and `(lengths, seeds, B, 2)`,
            rate and distortion in nats per image.
        same_scale: whether the panels share their axes.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(
        1, len(panels), figsize=(9.6, 4.2), sharex=same_scale, sharey=same_scale, squeeze=False
    )
    ends = []
    for axis, (title, (betas, values)) in zip(axes[0], panels.items()):
        values = np.asarray(values, "float64")
        rate, distortion = values[-1].mean(axis=0).T
        spread = [_half_widths(values[-1, :, :, part]) for part in (0, 1)]
        axis.errorbar(rate, distortion, spread[1], spread[0], fmt="o-", ecolor="black")
        for beta, *point in zip(betas, rate, distortion):
            place = {"textcoords": "offset points", "fontsize": 9}
            axis.annotate(f"β = {beta:g}", point, (6, 6), **place)
        if len(values) > 1:
            shorter = values[0].mean(axis=0).T
            axis.plot(*shorter, "x", color="black", label="half as many steps")
            axis.legend(loc="upper right")
        best, right = np.min(rate + distortion), 1.25 * rate.max()
        for total in np.arange(best, distortion.max() + right, 50):
            axis.plot([0, right], [total, total - right], ":", color="#888888", linewidth=1)
        axis.set(title=title, xlabel="rate R (nats per picture)")
        ends.append([right, distortion.min(), distortion.max()])
    if same_scale:
        right, low, high = np.array(ends).T
        ends = [[right.max(), low.min(), high.max()]] * len(panels)
    for axis, (right, low, high) in zip(axes[0], ends):
        margin = 0.1 * (high - low)
        axis.set(xlim=(-1, right), ylim=(low - margin, high + 2 * margin))
    axes[0, 0].set(ylabel="distortion Δ (nats per picture)")
    return fig


def sigma_over_steps(runs):
    """A learned σ and the r.m.s. error over the steps of a training, one panel a run.

    Args:
        runs: dictionary from a title to the rows of a `WatchSigma`, `(N, 4)`.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(runs), figsize=(9.6, 3.4), sharey=True, squeeze=False)
    for axis, (title, rows) in zip(axes[0], runs.items()):
        steps, sigma, error, least = np.asarray(rows, "float64").T
        axis.plot(steps, sigma, "o-", label="learned σ")
        axis.plot(steps, error, "s--", label="r.m.s. error at a draw of z")
        axis.plot(steps, least, ":", color="black", label="as far as Adam gets, about")
        axis.set(title=title, xlabel="training steps")
    axes[0, 0].set(ylabel="σ and error, unit of a pixel", ylim=(0, 0.2))
    axes[0, -1].legend()
    return fig


def likelihood_choices(names, recorded, own):
    """Rate and bits per dimension of VAEs that differ in their likelihood.

    Of several lengths of training the last is drawn.

    Args:
        names: of the VAEs, N.
        recorded, own: what `metrics.rate_and_bits` returned, `(lengths, seeds, N, 3)`.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.2), sharey=True)
    recorded, own = np.asarray(recorded)[-1], np.asarray(own)[-1].mean(axis=0)
    place = np.arange(len(names))
    for part, axis in enumerate(axes):
        values = recorded[..., part]
        half = _half_widths(values)
        axis.errorbar(values.mean(axis=0), place, xerr=half, fmt="o", label="record")
        axis.plot(own[:, part], place, "x", color="black", label="your run")
    replaced = recorded[..., 2].mean(axis=0)
    axes[1].plot(replaced, place, "D", mfc="none", ms=9, label="record, σ replaced afterwards")
    axes[0].set(xlabel="rate (nats per picture)", xlim=(0, None))
    axes[0].set_yticks(place, names)
    axes[0].invert_yaxis()
    axes[1].set(xlabel="bits per dimension")
    axes[1].legend(fontsize=9)
    return fig


def power_spectra(power):
    """Power spectra, and each as a share of the first.

    Args:
        power: dictionary from a name to the power at 1, 2, … cycles a picture, `(F,)`.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.4))
    first = next(iter(power.values()))
    cycles = np.arange(1, len(first) + 1)
    for (name, values), style in zip(power.items(), cycle(("o-", "s--", "D:", "^-."))):
        axes[0].semilogy(cycles, values, style, label=name)
        axes[1].plot(cycles, values / first, style, label=name)
    axes[0].set(xlabel="cycles per picture", ylabel="power of one channel")
    axes[1].set(xlabel="cycles per picture", ylabel=f"share of the {next(iter(power))}' power")
    axes[1].set(ylim=(0, None))
    axes[0].legend()
    return fig


def reconstruction_lengths(study):
    """Mean IoU of labelled reconstructions, and the rate, over the training steps of the VAE.

    Args:
        study: dictionary with `length_curve`, `picture` and `layout`; see
            `experiments.reconstructions.summary`.
    """
    import matplotlib.pyplot as plt

    steps, iou, half, rate = np.transpose(study["length_curve"])
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6))
    left.errorbar(steps, iou, half, fmt="o-", capsize=3, label="label the reconstruction")
    left.axhline(study["picture"][0], color="k", linestyle="-.", label="label the picture")
    left.axhline(study["layout"], color="k", linestyle=":", label="layout, without a look")
    left.set(ylabel="mean IoU", ylim=(0, 1))
    left.legend(loc="lower right", fontsize=9)
    right.plot(steps, rate, "o-")
    right.set(ylabel="rate (bits per picture)", ylim=(0, 1.2 * rate.max()))
    for axis in (left, right):
        axis.set(xscale="log", xlabel="training steps of the VAE")
        axis.set_xticks(steps, [f"{s:,.0f}" for s in steps], fontsize=8)
        axis.minorticks_off()
    return fig


def reconstruction_rates(study, codes):
    """Mean IoU of labelled reconstructions over the rate, one curve a grid, beside codes of masks.

    Args:
        study: dictionary with `rates`, `picture` and `layout`; see
            `experiments.reconstructions.summary`. Each point has its number of channels beside it.
        codes: dictionary from the name of a code to its points `[(bits, mean IoU), …]`.
    """
    import matplotlib.pyplot as plt

    fig, axis = plt.subplots(figsize=(9.6, 4.4))
    grids = sorted({row[0] for row in study["rates"]})
    for g, style in zip(grids, cycle(("o-", "s--"))):
        rows = sorted((row for row in study["rates"] if row[0] == g), key=lambda row: row[2])
        _, channels, rate, iou, half = np.transpose(rows)
        name = f"reconstruction, {g:.0f}×{g:.0f} places"
        (line, *_) = axis.errorbar(rate, iou, half, fmt=style, capsize=3, label=name)
        # Two points at nearly one rate have their numbers side by side.
        close = np.diff(np.log(rate), append=np.inf) < 0.03
        for c, x, y, near in zip(channels, rate, iou, close):
            place = {"textcoords": "offset points", "color": line.get_color(), "fontsize": 8}
            side = ("right", -3) if near else ("left", 1)
            axis.annotate(f"{c:.0f}", (x, y), (side[1], -14), ha=side[0], **place)
    for (name, points), style in zip(codes.items(), cycle(("D:", "kx", "k+"))):
        if points:
            axis.plot(*np.transpose(points), style, label=f"code: {name}")
    axis.axhline(study["picture"][0], color="k", linestyle="-.", label="label the picture")
    axis.axhline(study["layout"], color="k", linestyle=":", label="layout, without a look")
    axis.set(xscale="log", xlabel="rate, or length of a code (bits per picture)")
    ticks = [5, 10, 20, 50, 100, 200, 500]
    axis.set_xticks(ticks, ticks)
    axis.minorticks_off()
    axis.set(ylabel="mean IoU", ylim=(0, 1.05))
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return fig


def _half_widths(values):
    """Half widths of the 95 % intervals over the first axis: `(seeds, N)` → N numbers."""
    return [confidence_interval(column)[1] if len(column) > 1 else 0.0 for column in values.T]
