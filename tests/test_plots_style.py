"""Alternative text is required and travels; colours are told apart by every eye."""

import subprocess
import sys

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import plots

ALT = "A line rises from the lower left to the upper right."


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


@pytest.mark.parametrize("alt", ["", None, 3, "A line.", "  too   short      to  tell     "])
def test_short_alt_is_refused(alt):
    with pytest.raises(ValueError, match="alt must tell in a sentence"):
        plots.show(plt.figure(), alt=alt)


@pytest.mark.parametrize(
    "start", ["Figure of ", "An image of ", "the picture showing ", "A photo of "]
)
def test_alt_that_says_it_is_an_image_is_refused(start):
    with pytest.raises(ValueError, match="must start with what is seen"):
        plots.show(plt.figure(), alt=start + ALT)


def test_alt_is_tidied():
    assert plots.check_alt("A figure skater\n   draws a circle on the ice.") == (
        "A figure skater draws a circle on the ice."
    )


def test_show_closes_the_figure_also_in_a_script():
    figure = plt.figure()
    plots.show(figure, alt=ALT)
    assert not plt.fignum_exists(figure.number)


def test_show_in_a_shell_displays_the_picture_and_its_description():
    code = f"""
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
from helpers import plots
plots.use()
figure, axes = plt.subplots()
with capture_output() as out:
    plots.show(figure, alt={ALT[:-1] + " & <up>."!r})
picture, folded = out.outputs
print(sorted(picture.data), picture.metadata["image/png"])
print(picture.data["image/png"][:4] == b"\\x89PNG", folded.data["text/html"])
print(folded.data["text/plain"], plt.get_fignums())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kinds, html, plain = done.stdout.splitlines()
    assert kinds.startswith("['image/png', 'text/plain'] {'alt': 'A line rises")
    assert "'width': 6" in kinds and "'height': 3" in kinds  # 6.4 by 3.6 inches at 96 an inch
    assert html == (
        'True <details class="figure-description"><summary>Describe this figure</summary>'
        f"<p>{ALT[:-1]} &amp; &lt;up&gt;.</p></details>"
    )
    assert plain == f"{ALT[:-1]} & <up>. []"


def test_import_does_not_import_matplotlib():
    code = "import sys, helpers.plots; print('matplotlib' in sys.modules, 'IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


# How linear RGB looks without one cone type: Machado et al. (2009), doi:10.1109/TVCG.2009.113.
EYES = {
    "all cones": np.eye(3),
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def _seen(colours, eye):
    """CIE L*a*b* of hexadecimal colours, `(N, 3)`: a distance of 2.3 is just noticed."""
    from skimage.color import rgb2lab

    rgb = np.array([tuple(bytes.fromhex(c[1:])) for c in colours]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    there = np.clip(linear @ np.transpose(EYES[eye]), 0, 1)
    return rgb2lab(np.where(there <= 0.0031308, there * 12.92, 1.055 * there ** (1 / 2.4) - 0.055))


def _closest(seen):
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    return gaps[np.triu_indices(len(seen), 1)].min()


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_told_apart_by_every_eye(eye):
    assert _closest(_seen(plots.CLASS_COLOURS, eye)) > 15
    assert _closest(_seen(tuple(plots.COLOURS.values()), eye)) > 15


def test_the_first_colours_are_told_apart_in_grey():
    """Prints in grey keep the four classes of `shapes`, and three lines; more lines need dashes."""
    for colours in (plots.CLASS_COLOURS[:4], tuple(plots.COLOURS.values())[:3]):
        assert _closest(_seen(colours, "all cones")[:, :1]) > 10


def test_use_sets_the_style():
    with matplotlib.rc_context():
        plots.use()
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert cycle == list(plots.COLOURS.values()) and not plt.rcParams["axes.spines.top"]
