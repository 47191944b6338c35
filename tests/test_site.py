"""The site's own checks, and what its pages are written from; no Sphinx and no browser here."""

import base64
import hashlib
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
import yaml

from authoring import notebook_cells
from helpers import pretrained
from helpers.runs.notebook_names import FORMER_NOTEBOOKS
from helpers.runs.notebooks import series

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs" / "site"
sys.path.insert(0, str(SITE))

import chapters  # noqa: E402
import docstrings  # noqa: E402
import latents_page  # noqa: E402
import live_vae  # noqa: E402
import pages  # noqa: E402
import questions  # noqa: E402
import redirects  # noqa: E402
import sources  # noqa: E402
import vendor  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = {p.stem: nbformat.read(p, as_version=4) for p in series()}
ALT = "Two bars; the left one is twice as high as the right one."


# ---- checks of built pages


def _site(folder, body="", head="", style=""):
    (folder / "_static").mkdir(exist_ok=True)
    (folder / "_static" / "a.css").write_text(style)
    (folder / "b.png").write_bytes(b"")
    (folder / "other.html").write_text('<html lang="en"><p id="here">x</p></html>')
    page = f'<html lang="en"><head>{head}</head><body>{body}</body></html>'
    (folder / "index.html").write_text(page)
    return pages.check_site(folder)


def test_a_good_page_has_no_problems(tmp_path):
    body = (
        f'<img src="b.png" alt="{ALT}"><a href="other.html#here">x</a><a href="https://a.b/">y</a>'
    )
    head = '<link rel="canonical" href="https://a.b/"><link rel="stylesheet" href="_static/a.css">'
    assert _site(tmp_path, body, head, "@font-face { src: url(c.woff2) }") == []


@pytest.mark.parametrize(
    ("says", "parts"),
    {
        "alt does not tell": {"body": '<img src="b.png">'},
        "alt does not tell what": {"body": '<img src="b.png" alt="a figure">'},
        "without alt": {"body": '<img src="_static/a.css">'},
        "nothing: gone.html": {"body": '<a href="gone.html">x</a>'},
        "no place on its page": {"body": '<a href="other.html#there">x</a>'},
        "out of the site": {"body": '<a href="../up.html">x</a>'},
        "loads https://cdn": {"head": '<script src="https://cdn.net/x.js"></script>'},
        "loads //cdn": {"head": '<link rel="stylesheet" href="//cdn.net/x.css">'},
        "loads https://fonts": {"style": "@import 'https://fonts.net/x.css';"},
    }.items(),
)
def test_a_bad_page_is_found(tmp_path, says, parts):
    (tmp_path / "up.html").write_text("")
    folder = tmp_path / "site"
    folder.mkdir()
    problems = _site(folder, **parts)
    assert len(problems) == 1 and says in problems[0], problems


def test_a_page_that_names_a_folder_of_the_machine_is_found(tmp_path):
    assert _site(tmp_path, "<p>PosixPath('/somewhere/vae/data')</p>") == []
    (problem,) = pages.check_site(tmp_path, "/somewhere/vae")
    assert "names a folder" in problem


# ---- addresses from before


def test_the_page_of_a_former_name_leads_to_the_present_one(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for stem in NOTEBOOKS:
        (tmp_path / "notebooks" / f"{stem}.html").write_text('<html lang="en"></html>')
    written = redirects.write(tmp_path)
    assert {path.stem for path in written} == set(FORMER_NOTEBOOKS)
    assert pages.check_site(tmp_path) == []
    for path in written:
        text, now = path.read_text("utf-8"), f"{FORMER_NOTEBOOKS[path.stem]}.html"
        assert pages.Page(text).links == [now]
        assert f'location.replace("{now}" + location.search + location.hash)' in text
        assert f'content="0; url={now}"' in text
    with pytest.raises(FileExistsError):
        redirects.write(tmp_path)
    for path in {FORMER_NOTEBOOKS[path.stem] for path in written}:
        (tmp_path / "notebooks" / f"{path}.html").unlink()
    problems = pages.check_site(tmp_path)
    assert len(problems) == len(written) and all("a link to nothing" in p for p in problems)


def test_the_site_is_built_with_the_pages_of_former_names():
    text = (ROOT / "docs" / "site" / "build.py").read_text(encoding="utf-8")
    assert (
        text.index("run_sphinx(") < text.index("redirects.write(html)") < text.index("check_site(")
    )


# ---- notebooks as pages


def test_a_page_loads_no_badges_and_hides_the_cell_for_colab():
    slug = notebook_cells.slug()
    for stem, notebook in NOTEBOOKS.items():
        page = sources.page_of(notebook, f"notebooks/{stem}.ipynb", _known())
        prose = "\n".join(c.source for c in page.cells if c.cell_type == "markdown")
        assert "badge" not in prose and f"github/{slug}/blob/main/notebooks/{stem}" in prose
        hidden = [c for c in page.cells if "remove-cell" in c.metadata.get("tags", [])]
        assert ["google.colab" in c.source for c in hidden] == [True]
        assert not any("remove-cell" in c.metadata.get("tags", []) for c in notebook.cells)


def _known():
    return {f"notebooks/{stem}.ipynb" for stem in NOTEBOOKS}


def test_links_to_files_lead_to_the_repository():
    text = "[a](../LICENSE) [b](00_start_here.ipynb#x) [c](https://d.e/f) [g](../data)\n"
    fence = "```\n[h](nowhere.md)\n```\n"
    done = sources.with_links(text + fence, "notebooks/x.ipynb", _known())
    base = sources.repository()
    assert done == (
        f"[a]({base}/blob/main/LICENSE) [b](00_start_here.ipynb#x) [c](https://d.e/f) "
        f"[g]({base}/tree/main/data)\n{fence}"
    )
    with pytest.raises(sources.SiteError, match=r"nowhere\.md"):
        sources.with_links("[h](nowhere.md)", "docs/x.md", _known())


def test_links_to_pages_whose_text_lies_elsewhere_stay_on_the_site():
    text = "[a](site/glossary.md) [b](site/latents.md)"
    assert (
        sources.with_links(text, "docs/x.md", _known()) == "[a](../glossary.md) [b](../latents.md)"
    )
    text = "[a](docs/site/glossary.md) [b](docs/site/glossary.md#term-nat)"
    done = sources.with_links(text, "README.md", _known())
    there = f"{sources.repository()}/blob/main/docs/site/glossary.md#term-nat"
    assert done == f"[a](glossary.md) [b]({there})"
    for place in sources.PLACED:
        assert (sources.ROOT / place).is_file()


def test_a_large_notebook_is_refused(tmp_path):
    path = tmp_path / "07_large.ipynb"
    path.write_bytes(b" " * (sources.MAX_BYTES + 1))
    with pytest.raises(sources.SiteError, match=r"07_large\.ipynb has 3\.0 MB"):
        sources.check_size(path)


# ---- the map and the references


def test_the_map_shows_every_notebook():
    text = chapters.map_of_notebooks(README, NOTEBOOKS)
    for stem in NOTEBOOKS:
        assert f":link: notebooks/{stem}\n" in text
    assert len(chapters.contents(README)) == len(NOTEBOOKS)
    with pytest.raises(sources.SiteError, match="00_start_here"):
        chapters.map_of_notebooks(README.replace("00_start_here", "00_start"), NOTEBOOKS)


def test_a_card_tells_both_minutes_and_the_question_alone():
    text = chapters.map_of_notebooks(README, NOTEBOOKS)
    assert len(re.findall(r"^run \d+ min · read \d+ min", text, re.M)) == len(NOTEBOOKS)
    assert "|" not in text


def test_the_page_of_questions_has_those_of_every_notebook_that_asks():
    titles = chapters.titles(README)
    known = {f"notebooks/{stem}.ipynb" for stem in NOTEBOOKS}
    text = questions.page(NOTEBOOKS, titles, known)
    asking = [s for s, n in NOTEBOOKS.items() if questions.section(n, "Check yourself")]
    assert len(asking) >= 11 and all(f"]({stem}.ipynb)" in text for stem in asking)
    for stem in asking:
        asked = questions.section(NOTEBOOKS[stem], "Check yourself")
        assert asked.count("<details>") >= 1 and asked.splitlines()[0] in text
        assert "## References" not in asked
    assert text.count("<details>") == text.count("</details>")
    with pytest.raises(sources.SiteError, match="does not list"):
        questions.page(NOTEBOOKS, {}, known)
    with pytest.raises(sources.SiteError, match="no notebook asks"):
        questions.page({}, titles, known)


def test_the_page_of_exercises_has_each_with_its_solution():
    titles = chapters.titles(README)
    known = {f"notebooks/{stem}.ipynb" for stem in NOTEBOOKS}
    text = questions.exercises_page(NOTEBOOKS, titles, known)
    asked = sum(
        len(re.findall(r"^\*\*Exercise[ .\d]", cell.source, re.M))
        for notebook in NOTEBOOKS.values()
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    )
    assert asked == text.count("<summary>Solution") == text.count("</details>") > 15
    assert len(re.findall(r"^\*\*Exercise", text, re.M)) == asked
    lonely = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("**Exercise.** And now?")]
    )
    with pytest.raises(sources.SiteError, match=r"no solution follows.*And now"):
        questions.exercises(lonely)


def test_a_page_ends_with_the_question_of_the_next_notebook():
    stems = sorted(NOTEBOOKS)
    line = chapters.next_notebook(README, stems[0])
    assert f"({stems[1]}.ipynb)" in line and line.endswith("?")
    assert chapters.next_notebook(README, stems[-1]) == ""


def test_a_card_tells_what_to_read_before():
    before, memory = chapters.needs(NOTEBOOKS["10_find_edges"])
    assert before == ["02", "03", "06", "07"] and float(memory) > 0


def test_every_work_is_listed_once_with_a_link():
    works = chapters.references(NOTEBOOKS)
    assert len(works) >= 30
    names = [w.links[0][1].lower() for w in works]
    assert len(set(names)) == len(names)
    (kingma,) = [w for w in works if "1312.6114" in str(w.links)]
    assert kingma.links[1][1] == "https://doi.org/10.48550/arXiv.1312.6114"
    assert len(set(kingma.cited_by)) >= 3
    for work in works:
        assert "](" not in work.text and "<http" not in work.text
    surnames = [chapters.surname(w.text) for w in works]
    assert surnames == sorted(surnames)


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("X. [doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X(82)90077-X)", "10.1016/0047-259x(82)90077-x"),
        ("X. <https://doi.org/10.1109/TPAMI.2010.161>", "10.1109/tpami.2010.161"),
        ("X. [arXiv:1411.4038](https://arxiv.org/abs/1411.4038)", "1411.4038"),
        ("X. [a/b](https://a.b/c?id=D)", "https://a.b/c?id=d"),
        ("X, a book.", None),
    ],
)  # fmt: skip
def test_a_work_is_known_by_its_number(item, key):
    assert chapters.identify(item)[0] == key


def test_every_public_module_has_a_page():
    written = chapters.api_pages()
    names = {f"{name}.md" for name, _ in chapters.modules()}
    assert set(written) == names | {"index.md"}
    assert "helpers.losses.md" in names and "helpers.data._shapes_draw.md" not in names
    for name, says in chapters.modules():
        assert says.endswith((".", "`", ":")) or says, name
        assert f"]({name}.md)" in written["index.md"]


def test_the_small_module_comes_first_and_the_machine_rooms_last(monkeypatch):
    names = [name for name, _ in chapters.modules()]
    assert names[:3] == ["helpers", "helpers.layers", "helpers.losses"]
    places = ("checks", "data", "data.crops", "experiments.odd_parts", "runs", "grading.grade")
    order = [names.index(f"helpers.{place}") for place in places]
    assert order == sorted(order)
    index = chapters.api_pages()["index.md"]
    assert index.count("\n- [") == len(names)
    small, topics, rooms = (index.index(f"\n## {title}\n") for title in chapters.PARTS)
    assert small < index.index("- [`helpers.models.vae`]") < topics
    assert (
        topics < index.index("- [`helpers.data.crops`]") < rooms < index.index("- [`helpers.runs`]")
    )
    monkeypatch.setitem(chapters.PARTS, "Topics", chapters.PARTS["Topics"][1:])
    with pytest.raises(sources.SiteError, match=r"no part for helpers\.data"):
        chapters.modules()


def test_examples_on_a_page_keep_their_stars():
    text = ["Of *x.", "", "Examples:", "    >>> f(**o)     # a * b", "    [1 | 2]", "", "More |T|."]
    assert docstrings.plain(text) == [r"Of \*x.", *text[1:6], r"More \|T\|."]


def test_docstrings_keep_their_signs():
    assert docstrings.escaped("  - 2|T| of `a|b`, *x, **strong**") == (
        r"  - 2\|T\| of `a|b`, \*x, **strong**"
    )
    text = [
        "Adds.",
        "",
        "References:",
        "    A (2014). x",
        "    B (2015).",
        "      more",
        "",
        "End.",
    ]
    assert docstrings.listed(text)[3:] == ["    - A (2014). x", "    - B (2015).", "        more", "", "End."]  # fmt: skip


def test_arguments_are_those_of_init():
    class Hidden:
        def __new__(cls, *args, **kwargs):
            return super().__new__(cls)

        def __init__(self, encoder, beta=1.0):
            self.encoder, self.beta = encoder, beta

    assert docstrings.arguments(Hidden) == "(encoder, beta=1.0)"


def test_the_glossary_is_sorted_and_says_what_the_field_says():
    source = (ROOT / "docs" / "site" / "glossary.md").read_text(encoding="utf-8")
    text = chapters.glossary_page(source)
    words = re.findall(r"^(\S.*)\n  ", text, re.M)
    assert words == sorted(words, key=str.lower) and len(set(words)) == len(words) >= 50
    assert {"control", "calibration"} <= set(words) and "twin" not in words
    assert set(re.findall(r"\]\(([^)#:]+)[)#]", text)) <= _known() | {
        "latents.md",
        "data/README.md",
    }
    assert text.count(":::") == 2 and "<a id" not in text


def test_a_glossary_with_something_else_in_it_is_refused():
    entry = '<a id="term-a"></a>**a**: First.'
    page = f"# Glossary\n\nWords.\n\n{entry}\n"
    assert chapters.glossary_page(page) == (
        "# Glossary\n\nWords.\n\n:::{glossary}\na\n  First.\n:::\n"
    )
    with pytest.raises(sources.SiteError, match=r"not a term with its anchor: .Stray words"):
        chapters.glossary_page(f"{page}\nStray words.\n")


# ---- fetched scripts


def _archive(folder, text):
    path = folder / "a.tgz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("package/dist/a.js")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return path


def test_an_archive_is_kept_only_if_it_is_the_one_chosen(tmp_path):
    archive = _archive(tmp_path, b"alert(1)")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    files = {"dist/a.js": "pages/a.js"}
    calls = []

    def pack(name, version, folder):
        calls.append((name, version))
        return archive

    out = tmp_path / "out"
    with pytest.raises(vendor.VendorError, match="not the archive that was chosen"):
        vendor.fetch(out, [("a", "1", "0" * 64, files)], pack)
    assert not out.exists()
    vendor.fetch(out, [("a", "1", digest, files)], pack)
    assert (out / "pages" / "a.js").read_bytes() == b"alert(1)"
    vendor.fetch(out, [("a", "1", digest, files)], pack)  # it is there: nobody is asked
    assert calls == [("a", "1")] * 2


def test_versions_of_scripts_are_exact():
    for name, version, digest, files in vendor.PACKAGES:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version) and len(digest) == 64 and files, name
    settings = (ROOT / "docs" / "site" / "conf.py").read_text(encoding="utf-8")
    kept = {f for *_, files in vendor.PACKAGES for f in files.values()}
    for used in re.findall(r'"vendor/([^"]+)"', settings):
        assert f"pages/{used}" in kept


# ---- the page that runs a VAE


@pytest.fixture(scope="module")
def stored():
    """What the page loads, and what Keras answered."""
    text = (live_vae.FOLDER / "vae.js").read_text(encoding="utf-8")
    expected = json.loads((live_vae.FOLDER / "expected.json").read_text(encoding="utf-8"))
    return json.loads(text.removeprefix("window.VAE = ").removesuffix(";\n")), expected


def test_the_page_loads_little_and_says_what_it_has():
    note = json.loads((live_vae.FOLDER / "note.json").read_text(encoding="utf-8"))
    scripts = [live_vae.FOLDER / "vae.js", *(SITE / "_static").glob("*.js")]
    assert sum(path.stat().st_size for path in scripts) <= live_vae.MAX_BYTES
    assert note["settings"] == {**live_vae.SETTINGS, "head": live_vae.HEAD}
    assert 0.5 < note["head_iou"][0] < 1 and 0 <= note["kl_least"] <= note["kl_most"]


def test_what_the_page_runs_is_the_kept_vae(stored):
    """The weights in the page, and the answers that a browser must give, are those of Keras today."""
    page, expected = stored
    vae, _ = pretrained.load(live_vae.SETTINGS["weights"])
    raw = np.frombuffer(base64.b64decode(page["weights"]), "<f2").astype("float32")
    start = 0
    for name in ("encoder", "decoder"):
        plan, arrays = live_vae.plan_of(getattr(vae, name), start)
        stripped = [
            {k: v for k, v in layer.items() if k not in ("name", "inputs")} for layer in plan
        ]
        known = page["networks"][name]["plan"]
        assert stripped == [
            {k: v for k, v in layer.items() if k not in ("name", "inputs")} for layer in known
        ]
        flat = np.concatenate(arrays)
        np.testing.assert_array_equal(raw[start : start + flat.size], flat)
        start += flat.size
    pictures = [np.frombuffer(base64.b64decode(one), "uint8") for one in page["pictures"][:2]]
    x = np.stack(pictures).reshape(-1, 32, 32, 3).astype("float32") / 255
    mean, log_variance = (keras.ops.convert_to_numpy(one) for one in vae.encode(x))
    for found, name in ((mean, "mean"), (log_variance, "log_variance")):
        np.testing.assert_allclose(found, expected[name], atol=3e-4)
    decoded = vae.decoder.predict(mean, verbose=0).reshape(len(x), -1)
    np.testing.assert_allclose(decoded, expected["decoded"], atol=3e-4)


def test_the_mixture_of_the_page_is_one(stored):
    mixture = stored[0]["mixture"]
    assert sum(mixture["weights"]) == pytest.approx(1, abs=1e-2)
    cholesky = np.array(mixture["cholesky"])
    assert np.allclose(cholesky, np.tril(cholesky)) and (np.diagonal(cholesky, 0, 1, 2) > 0).all()
    assert len(mixture["means"]) == live_vae.SETTINGS["parts"]


def test_the_page_is_filled_from_the_note():
    note = json.loads((live_vae.FOLDER / "note.json").read_text(encoding="utf-8"))
    text = latents_page.fill((SITE / "latents.md").read_text(encoding="utf-8"), note)
    assert "{{" not in text and f"{note['kl_all']} nats" in text
    assert text.count('class="tile"') == latents_page.DRAWS
    with pytest.raises(KeyError):
        latents_page.fill("{{nobody}}", note)


def test_the_files_can_be_made_again(tmp_path):
    head = {**live_vae.HEAD, "pictures": 128, "steps": 2}
    total = live_vae.write(tmp_path, head, held_out=16, learn=200, parts=2)
    assert 0 < total <= live_vae.MAX_BYTES
    assert {path.name for path in tmp_path.iterdir()} == {"vae.js", "expected.json", "note.json"}


def test_a_layer_that_the_page_does_not_have_is_named():
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.MaxPooling2D()])
    with pytest.raises(TypeError, match="no layer of this kind: MaxPooling2D"):
        live_vae.plan_of(model)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(SystemExit, match="make weights NAME=nobody"):
        live_vae.write(tmp_path, weights="nobody")


# ---- what publishes it


def test_the_workflow_runs_the_make_target():
    text = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    runs = [step.get("run") for step in jobs["build"]["steps"]]
    assert "make test-browser" in runs and jobs["publish"]["needs"] == "build"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test-browser: site", makefile, re.M)
