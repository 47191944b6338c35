"""The pictures on `docs/results.md` are those of today's records, and its rows stay short."""

import io
import json
import re
from pathlib import Path

import pytest
from notebook_checks import _alike
from PIL import Image

from authoring import study_plots
from helpers.data import records

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / study_plots.PAGE).read_text("utf-8")


def _stored(name):
    return study_plots.path_of(name).read_bytes()


@pytest.mark.parametrize("name", study_plots.STUDIES)
def test_a_picture_shows_its_record_as_it_is_today(name):
    stored = _stored(name)
    assert len(stored) <= 100_000
    assert Image.open(io.BytesIO(stored)).text[study_plots.DRAWN] == study_plots.values_of(name)
    drawn = study_plots.picture_of(name)
    assert _alike(stored, drawn), "python -m authoring plots"
    assert PAGE.count(study_plots.line(name)) == 1, "python -m authoring plots"


@pytest.mark.parametrize("name", study_plots.STUDIES)
def test_a_changed_record_is_noticed(name, tmp_path, monkeypatch):
    values, alt = study_plots.values_of(name), study_plots.alt_of(name)

    def larger(value):
        if isinstance(value, dict):
            return {key: larger(item) for key, item in value.items()}
        if isinstance(value, list):
            return [larger(item) for item in value]
        return value if isinstance(value, (str, bool, int)) or value is None else 1.2 * value

    for path in records.RESULTS.glob("*.json"):
        record = json.loads(path.read_text("utf-8"))
        record["results"] = larger(record["results"])
        (tmp_path / path.name).write_text(json.dumps(record), "utf-8")
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    assert study_plots.values_of(name) != values and study_plots.alt_of(name) != alt


def test_every_picture_of_the_page_is_of_a_study():
    shown = re.findall(r"^!\[.{25,}\]\(pictures/(\S+)\.png\)$", PAGE, re.M)
    assert sorted(shown) == sorted(study_plots.STUDIES) == sorted(set(shown))
    assert PAGE.count("](pictures/") == len(shown)
    assert study_plots.filled(PAGE.replace("![", "![old ")) == PAGE == study_plots.filled(PAGE)


def test_a_difference_of_nearly_zero_has_no_sign():
    told = [study_plots._signed(value) for value in (-0.102, 0.038, -0.002, 0.0)]
    assert told == ["−0.10", "+0.04", "0.00", "0.00"]


def test_no_row_of_the_results_is_long():
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"<!--.*?-->", "", PAGE, flags=re.S))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 40
    words = {row[:60]: len(re.findall(r"\S*\w\S*", row)) for row in rows}
    assert {row: count for row, count in words.items() if count > 120} == {}
