"""Where the course lies, and the settings that nbgrader gets."""

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"


def default_root():
    """Return the folder of the course: HELPERS_COURSE, or notebooks/assignments."""
    return Path(os.environ.get("HELPERS_COURSE", HERE))


def configure(config, root):
    """Fill nbgrader's configuration for the course in `root`.

    `notebooks/assignments/nbgrader_config.py` calls this, so that nbgrader's own commands and
    its page in JupyterLab work with the same settings as `make grade`.

    Args:
        config: What `get_config()` returns, or an empty `traitlets.config.Config`.
        root: Folder of the course.
    """
    config.CourseDirectory.root = str(Path(root).resolve())
    config.CourseDirectory.course_id = "vae-course"
    config.IncludeHeaderFooter.header = ""
    config.ClearSolutions.code_stub = {
        "python": "# Your code here, in place of the next line.\n"
        'raise NotImplementedError("no answer yet: write your code in place of this line, '
        'run the cell, and then the test below it")'
    }
    config.ClearSolutions.text_stub = "*Your answer here, in place of this line.*"
    config.Autograde.autograde_preprocessors = [
        "helpers.grading.preprocessors.ExecuteApart",
        "nbgrader.preprocessors.IgnorePattern",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.ClearMetadataPreprocessor.enabled = False
    config.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "helpers.grading.preprocessors.HideTests",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
    config.ExecuteApart.timeout = int(os.environ.get("GRADE_CELL_SECONDS", 30))
    config.ExecuteApart.total = int(os.environ.get("GRADE_TOTAL_SECONDS", 300))
    config.ExecuteApart.command = os.environ.get("GRADE_IN", "")
    return config


def api(root):
    """Return nbgrader's programming interface for the course in `root`."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    _find_alembic()
    return NbGraderAPI(config=configure(Config(), root))


def or_interrupt(done):
    """Return what nbgrader's programming interface returned, unless somebody pressed Ctrl-C.

    nbgrader takes the signal for one more failure of a submission.

    Args:
        done: Has `success`, and perhaps a `log` and an `error`, a traceback.

    Raises:
        KeyboardInterrupt: If that is why it failed.
    """
    log, error = done.get("log") or "", (done.get("error") or "").strip()
    # Further lines of an entry are indented, so a student's text cannot look like this one.
    canceled = re.search(r"^\[ERROR\] Canceled$", log, flags=re.M)
    if not done["success"] and (canceled or error.splitlines()[-1:] == ["KeyboardInterrupt"]):
        raise KeyboardInterrupt
    return done


def gradebook(root):
    """Return nbgrader's gradebook of the course, to be used in a `with`."""
    from nbgrader.api import Gradebook

    _find_alembic()
    return Gradebook(f"sqlite:///{Path(root).resolve() / 'gradebook.db'}", "vae-course")


def assignment_texts(folder=None):
    """Return `{name: path}` of the assignments that the repository has."""
    folder = Path(folder) if folder else HERE / "py"
    return {path.stem: path for path in sorted(folder.glob("*.py"))}


def _find_alembic():
    """Let nbgrader start `alembic`, which makes a gradebook, by name: it lies beside Python."""
    here = str(Path(sys.executable).parent)
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
