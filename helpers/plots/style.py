"""The style of all figures, colours for every kind of colour vision, and alternative text.

Every figure of the series ends in `show(fig, alt="...")`. Nothing here imports matplotlib until a
function needs it.

References:
    Okabe, M. & Ito, K. (2008). Color Universal Design. https://jfly.uni-koeln.de/color/
"""

import html
import io
import re
import sys

# Okabe and Ito's palette, by name; lines and bars take them in this order.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "vermillion": "#D55E00",
    "black": "#000000",
    "yellow": "#F0E442",
}

# Class 0 is the background. CamVid needs eleven; any two are apart for every kind of colour vision.
CLASS_COLOURS = (
    "#D9D9D9", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#D55E00", "#F0E442", "#332288", "#661100", "#9933FF", "#000000",
)  # fmt: skip

VOID_COLOUR = "#FFFFFF"

DPI = 144  # drawn at 144, shown at 96 dots an inch: sharp on dense screens, small as stored

STYLE = {
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "axes.spines.right": False, "axes.spines.top": False, "axes.titlelocation": "left",
    "figure.constrained_layout.use": True, "figure.dpi": 96, "figure.figsize": (6.4, 3.6),
    "font.family": "DejaVu Sans", "font.size": 10, "axes.titlesize": 11, "axes.labelsize": 11,
    "image.cmap": "gray", "image.interpolation": "nearest", "savefig.dpi": DPI,
    "legend.frameon": False, "lines.linewidth": 1.8,
}  # fmt: skip

SUMMARY = "<summary>Describe this figure</summary>"

DETAILS = '<details class="figure-description">'


def use():
    """Set the style of the series for every figure drawn from here on."""
    import matplotlib as mpl

    mpl.rcParams.update(STYLE)
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=list(COLOURS.values()))


def show(fig, alt):
    """Display a figure with alternative text, and close it.

    The picture carries `alt` in its output metadata, from where nbconvert and our site write it
    into `<img alt>`. JupyterLab does not read that metadata, so a folded "Describe this figure"
    follows, which every reader can open.

    Args:
        fig: A matplotlib figure.
        alt: What is seen, in a sentence or two: the finding, not the kind of drawing.

    Raises:
        ValueError: If `alt` is missing, shorter than 25 characters, or starts with "figure of".
    """
    import matplotlib.pyplot as plt

    alt = check_alt(alt)
    buffer = io.BytesIO()
    # A white face, because dark themes would swallow black labels.
    look = {"dpi": DPI, "bbox_inches": "tight", "pad_inches": 0.06, "facecolor": "white"}
    kwargs = {"metadata": {"Software": None}, "pil_kwargs": {"optimize": True}}
    fig.savefig(buffer, format="png", **look, **kwargs)
    plt.close(fig)
    module = sys.modules.get("IPython")
    if module is None or module.get_ipython() is None:  # a plain script: nothing to display on
        return
    from IPython.display import display

    png = buffer.getvalue()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    size = {"width": round(width * 96 / DPI), "height": round(height * 96 / DPI)}
    data = {"image/png": png, "text/plain": f"Figure. {alt}"}
    display(data, metadata={"image/png": {"alt": alt, **size}}, raw=True)
    folded = f"{DETAILS}{SUMMARY}<p>{html.escape(alt)}</p></details>"
    display({"text/html": folded, "text/plain": alt}, raw=True)


def check_alt(alt):
    """Return the alternative text with its spaces tidied; raises a ValueError as `show` does."""
    text = " ".join(alt.split()) if isinstance(alt, str) else ""
    wrong = None
    if len(text) < 25:
        wrong = "alt must tell in a sentence or two (25 characters or more) what the figure shows"
    elif re.match(r"(an?|the)?\s*(figure|image|picture|photo) (of|showing)\b", text, re.I):
        wrong = "alt must start with what is seen; that it is an image, a screen reader says itself"
    if wrong:
        raise ValueError(f"{wrong}. Received: alt={alt!r}")
    return text
