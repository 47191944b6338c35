"""Figures of recorded studies for `docs/results.md`: drawn from `data/results`, stored as pictures.

    python -m authoring plots        # writes docs/pictures/09-labels.png and the others

A picture has the name of its record. It carries the values that were drawn as text, and its
alternative text on the page is made from them, too, so a test can tell when a record has changed.
"""

import io
import json
import re

import numpy as np

from authoring import cover
from helpers import plots
from helpers.data.records import results_of
from helpers.runs.notebooks import notebooks_folder

PAGE = "docs/results.md"
DRAWN = "drawn"  # the name of the values in the PNG's text
CONTRASTS = (
    "warm-up − control",
    "twice as long − control",
    "warm-up − twice as long",
    "free bits − control",
)
STARTS = ("fresh", "denoising", "VAE", "VAE, frozen", "fresh, frozen")
MAPS = ("latent", "best single map", "dropout", "one map")
KINDS = ("flips", "hole, told", "hole, not told", "points", "few labels")
RIVALS = {"smoother": "#0072B2", "DAE": "#D55E00", "drawn masks": "#009E73"}
# Measures of segmenters: the label of the axis, and its end.
ERRORS = {
    "iou": ("mean IoU", 1.2),
    "outline_error": ("share of wrong outlines", 0.4),
    "torn": ("share of torn pairs", 0.5),
}


def _key(*words):
    return "_".join(words).replace(",", "").replace(" ", "_")


# ---- what is drawn of a record


def _of_07():
    study = results_of("07-shapes")
    return dict(zip(CONTRASTS, zip(study["gain"], study["gain_half"])))


def _of_08():
    study = results_of("08-rates")
    return {name: study[name] for name in ("rates", "picture", "layout")}


def _of_09():
    study = results_of("09-labels")
    arms = {start: study[_key("score", start)] for start in STARTS}
    return {"labels": study["labels"], "floor": study["floor"], "arms": arms}


def _of_12():
    study = results_of("12-answers")
    return {
        task: {name: study[_key(task, name, "nll")] for name in MAPS} for task in ("masks", "edges")
    }


def _of_14():
    found = {}
    for title, name in (("shapes", "14-masks"), ("cats and dogs", "14-pets")):
        study = results_of(name)
        found[title] = {
            rival: {kind: study[_key("ahead", kind, "VAE_search", rival)][:2] for kind in KINDS}
            for rival in RIVALS
        }
    return found


def _of_segmenters():
    study = results_of("segmenters")
    return {measure: dict(zip(study["names"], study[measure])) for measure in ERRORS}


# ---- how it is drawn, and what is seen


def _draw_07(values):
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 2.4))
    plots.differences(axis, values)
    axis.set(xlabel="difference of the held-out ELBO (nats), 5 seeds")
    return figure


def _tell_07(values):
    (warm, twice, both, free), halves = np.transpose(list(values.values()))
    holds = "holds" if abs(both) < halves[2] else "does not hold"
    return (
        f"Four differences of the held-out ELBO with intervals. Warm-up lies {warm:.2f} nats and twice "
        f"the steps {twice:.2f} above the control; the interval of warm-up minus twice the steps, "
        f"around {both:.2f}, {holds} zero. Free bits lie at {_signed(free)}."
    )


def _draw_08(values):
    figure = plots.reconstruction_rates(values, {})
    rates = [row[2] for row in values["rates"]]
    limits = (0.8 * min(rates), 1.2 * max(rates))
    figure.axes[0].set(xlim=limits, xlabel="rate (bits per picture); at the points: channels")
    return figure


def _tell_08(values):
    told = []
    for grid in (4, 8):
        rows = sorted((row for row in values["rates"] if row[0] == grid), key=lambda row: row[2])
        first, last = rows[0], rows[-1]
        told.append(
            f"With {grid}×{grid} places it goes from {first[3]:.2f} at {first[2]:.0f} bits to "
            f"{last[3]:.2f} at {last[2]:.0f}."
        )
    return (
        "Mean IoU of labelled reconstructions over the rate of the VAE, on a logarithmic axis, one "
        f"curve for each of two grids of latents. {' '.join(told)} The picture itself is a "
        f"line at {values['picture'][0]:.2f}, an answer without a look one at {values['layout']:.2f}."
    )


def _draw_09(values):
    return plots.label_efficiency(
        values["labels"], values["arms"], values["floor"], title="starts of one network"
    )


def _tell_09(values):
    ends = {name: np.asarray(scores)[[0, -1], 0] for name, scores in values["arms"].items()}
    tuned = np.array([ends[name] for name in STARTS[:3]])
    few, many = values["labels"][0], values["labels"][-1]
    low, high = tuned[:, 0].min(), tuned[:, 0].max()
    frozen = ", ".join(f"{n} from {ends[n][0]:.2f} to {ends[n][1]:.2f}" for n in STARTS[3:])
    return (
        f"Mean IoU over {few:,} to {many:,} pictures with a mask, one line for each start, with "
        "intervals. Fresh weights, denoising and VAE, all tuned: "
        f"{low:.2f} to {high:.2f} with the fewest masks, {tuned[:, 1].min():.2f} to "
        f"{tuned[:, 1].max():.2f} with the most. Frozen: {frozen}. Without a look: a dotted line "
        f"at {values['floor']:.2f}."
    )


def _draw_12(values):
    panels = {f"−log p of one person's {task} (nats)": rows for task, rows in values.items()}
    return plots.interval_panels(panels, limits=(0, 280))


def _tell_12(values):
    told = [
        f"{task}: " + ", ".join(f"{name} {mean:.0f}" for name, (mean, _) in rows.items())
        for task, rows in values.items()
    ]
    best = [min(rows, key=lambda name: rows[name][0]) for rows in values.values()]
    return (
        "Two panels of bars with intervals: −log p in nats, shorter is better. "
        f"{'; '.join(told)}. The best of the four: {best[0]} for masks, {best[1]} for edges."
    )


def _draw_14(values):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(values), figsize=(9.6, 3.6), sharex=True, sharey=True)
    for axis, (title, rivals) in zip(axes, values.items()):
        for i, (rival, rows) in enumerate(rivals.items()):
            colour, shift = RIVALS[rival], 0.2 * (i - 1)
            plots.differences(axis, rows, f"− {rival}", colour, shift)
        axis.set(title=title, xlabel="mean IoU, search − control")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _tell_14(values):
    told = []
    for title, rivals in values.items():
        parts = [
            f"minus {rival} " + ", ".join(_signed(mean) for mean, _ in rows.values())
            for rival, rows in rivals.items()
        ]
        told.append(f"{title}: {'; '.join(parts)}")
    return (
        "Two panels of differences with intervals: the search in the latent minus three controls, "
        f"for five kinds of damage ({'; '.join(KINDS)}). {'. '.join(told)}."
    )


def _draw_segmenters(values):
    panels = {ERRORS[measure][0]: rows for measure, rows in values.items()}
    return plots.interval_panels(panels, limits={label: (0, end) for label, end in ERRORS.values()})


def _tell_segmenters(values):
    told = [
        f"{ERRORS[measure][0]}: "
        + "; ".join(f"{name} {mean:.2f}" for name, (mean, _) in rows.items())
        for measure, rows in values.items()
    ]
    return f"Three panels of bars with intervals for eight segmenters. {'. '.join(told)}."


def _signed(value):
    return f"{round(value, 2) or 0.0:+.2f}".replace("-", "−").replace("+0.00", "0.00")


STUDIES = {
    "07-shapes": (_of_07, _draw_07, _tell_07),
    "08-rates": (_of_08, _draw_08, _tell_08),
    "09-labels": (_of_09, _draw_09, _tell_09),
    "12-answers": (_of_12, _draw_12, _tell_12),
    "14-masks": (_of_14, _draw_14, _tell_14),
    "segmenters": (_of_segmenters, _draw_segmenters, _tell_segmenters),
}


# ---- pictures and page


def values_of(name):
    """What the picture of a study shows, as text: the values of its record, to five digits."""
    of, _, _ = STUDIES[name]
    rounded = json.loads(json.dumps(of()), parse_float=lambda text: float(f"{float(text):.5g}"))
    return json.dumps(rounded, ensure_ascii=False)


def alt_of(name):
    """The alternative text of a picture, told from the values."""
    of, _, tell = STUDIES[name]
    return plots.check_alt(tell(of()))


def picture_of(name):
    """The picture of a study as a PNG, drawn from its record as it is today."""
    import matplotlib.pyplot as plt
    from PIL.PngImagePlugin import PngInfo

    of, draw, _ = STUDIES[name]
    plots.use()
    figure, file = draw(of()), io.BytesIO()
    figure.savefig(file, dpi=144, bbox_inches="tight", pad_inches=0.06, facecolor="white")
    plt.close(figure)
    info = PngInfo()
    info.add_itxt(DRAWN, values_of(name))
    return cover.smaller(file.getvalue(), info)


def path_of(name):
    """Where the picture of a study lies: `docs/pictures/NAME.png`."""
    return notebooks_folder().parent / "docs" / "pictures" / f"{name}.png"


def line(name):
    """The line of the page that shows the picture."""
    return f"![{alt_of(name)}](pictures/{name}.png)"


def filled(text):
    """Return the page with today's alternative texts."""
    for name in STUDIES:
        shown = re.compile(rf"^!\[.*\]\(pictures/{re.escape(name)}\.png\)$", re.M)
        text = shown.sub(lambda _, name=name: line(name), text)
    return text


def write():
    """Draw all pictures and fill the page; the names of the studies."""
    for name in STUDIES:
        path_of(name).write_bytes(picture_of(name))
    page = notebooks_folder().parent / PAGE
    page.write_text(filled(page.read_text("utf-8")), "utf-8")
    return list(STUDIES)
