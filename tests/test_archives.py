"""Archives that are handed in: read as folders are, within limits, or refused by name."""

import io
import os
import tarfile
import warnings
import zipfile

import pytest
from assignments.odd import GIVEN, Work, graded_in, packed, rows_of

from helpers.data.archive import content_digest
from helpers.grading import archives, submission_files

ONE = Work(GIVEN).bytes()

# ---- archives


def _tar(mode, **files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data or b""))
    return stream.getvalue()


def test_a_file_that_is_called_like_a_folder_stops_no_archive(tmp_path):
    files = {"a": b"x", "a/tiny.ipynb": ONE, "a/b": b"", "a/b/c.txt": b""}
    rows = rows_of(
        tmp_path,
        {
            "zip/x.zip": packed(**files),
            "tar/x.tar": _tar("w", **files),
            "back/x.zip": packed(**{"a/tiny.ipynb": ONE, "a": b"x"}),
        },
    )
    assert graded_in(rows) == {"zip", "tar", "back"}
    said = "; ".join(rows["zip", "tiny"].notes)
    assert "a.zip" not in said and "x.zip/again 2/a/tiny.ipynb" in said and "x.zip/a" in said


def test_a_path_that_is_too_long_is_refused_without_a_path_of_this_machine(tmp_path):
    rows = rows_of(tmp_path, {"ann/a.zip": packed(**{"/".join(["d" * 150] * 40) + "/x": b""})})
    assert rows["ann", "unknown"].reason.endswith("a.zip cannot be unpacked: File name too long.")


def test_archives_are_read_as_folders_are(tmp_path):
    inside = packed(**{"tiny.ipynb": ONE, "__MACOSX/._tiny.ipynb": b"x"})
    rows = rows_of(
        tmp_path,
        {
            "zip/homework.zip": inside,
            "tgz/a.tar.gz": _tar("w:gz", **{"deep/er/tiny.ipynb": ONE}),
            "tar/a.TAR": _tar("w", **{"tiny.ipynb": ONE}),
            "xz/a.tar.xz": _tar("w:xz", **{"tiny.ipynb": ONE}),
            "bz/a.tbz2": _tar("w:bz2", **{"tiny.ipynb": ONE}),
            "nested/a.zip": packed(**{"b.zip": inside}),
            "windows/a.zip": packed(**{"deep\\tiny.ipynb": ONE}),
            "up/a.zip": packed(**{"../../../up.ipynb": ONE, "/tiny.ipynb": ONE}),
            "named/tiny.ipynb.zip": inside,
        },
    )
    assert graded_in(rows) == {
        *("zip", "tgz", "tar", "xz", "bz", "nested", "windows", "up", "named")
    }
    assert rows["nested", "tiny"].notes == ["handed in as a.zip/b.zip/tiny.ipynb"]


@pytest.mark.parametrize(
    "name", ["../../up.ipynb", "/../../up.ipynb", "..\\..\\up.ipynb", "a/../../../up.ipynb"]
)
def test_nothing_is_unpacked_outside_of_the_folder(name, tmp_path):
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    for file, data in (("a.zip", packed(**{name: ONE})), ("a.tar", _tar("w", **{name: ONE}))):
        (tmp_path / file).write_bytes(data)
        archives.unpack(tmp_path / file, folder, archives.Budget())
    written = list(tmp_path.rglob("*.ipynb"))
    assert len(written) == 2 and all(folder in p.parents for p in written)


def test_archives_that_cannot_be_read_are_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 2**16)
    monkeypatch.setattr(submission_files, "LARGEST", 2**16)
    monkeypatch.setattr(archives.Budget, "__init__", _small)
    locked = bytearray(packed(**{"tiny.ipynb": ONE}))
    for at in (locked.index(b"PK\3\4") + 6, locked.index(b"PK\1\2") + 8):
        locked[at] |= 1  # says that it is encrypted
    quine = packed(**{"tiny.ipynb": ONE})
    for number in range(5):
        quine = packed(**{f"{number}.zip": quine})
    rows = rows_of(
        tmp_path,
        {
            "seven/tiny.7z": b"7z",
            "rar/homework.rar": b"Rar",
            "damaged/tiny.zip": packed(a=b"b")[:40],
            "text/tiny.zip": b"hello",
            "cut/tiny.tar.gz": _tar("w:gz", **{"tiny.ipynb": ONE})[:60],
            "locked/tiny.zip": bytes(locked),
            "link/a.tar": _tar("w", **{"tiny.ipynb": None}),
            "bomb/tiny.tgz": _tar("w:gz", **{"tiny.ipynb": b"0" * 2**21}),
            "many/tiny.zip": packed(**{f"{n}.ipynb": b"" for n in range(60)}),
            "deep/tiny.zip": quine,
            "none/tiny.zip": packed(),
            "ann/tiny.ipynb": ONE,
        },
    )
    reasons = {student: one.reason for (student, _), one in rows.items()}
    assert graded_in(rows) == {"ann"} and len(reasons) == len(rows) == 12
    for student, words in {
        "seven": "tiny.7z is an archive of a kind that is not read",
        "rar": "homework.rar is an archive of a kind",
        "damaged": "tiny.zip cannot be unpacked",
        "text": "tiny.zip cannot be unpacked",
        "cut": "tiny.tar.gz cannot be unpacked",
        "locked": "it is encrypted",
        "link": "tiny.ipynb in a.tar is a link",
        "bomb": "tiny.tgz is too large",
        "many": "tiny.zip is too large",
        "deep": "lies in 3 archives",
        "none": "empty",
    }.items():
        assert words in reasons[student], f"{student}: {reasons[student]}"


def _small(self, files=50, size=2**20):
    self.files, self.size = min(files, 50), min(size, 2**20)


def test_a_file_in_an_archive_is_as_large_as_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 1000)
    monkeypatch.setattr(submission_files, "LARGEST", 1000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny.ipynb", b"0" * 10**6)
    rows = rows_of(tmp_path, {"ann/a.zip": stream.getvalue()})
    with pytest.raises(submission_files.Refused, match="outputs"):
        submission_files.read(rows["ann", "tiny"].path)
    assert rows["ann", "tiny"].path.stat().st_size == 1001


def test_as_many_files_as_the_budget_has_are_unpacked(tmp_path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.ipynb", "{}")
        archive.writestr("b.ipynb", "{}")
    archives.unpack(path, tmp_path / "all", archives.Budget(2, 2**20))
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == ["a.ipynb", "b.ipynb"]
    with pytest.raises(archives.BadArchive, match=r"two\.zip is too large"):
        archives.unpack(path, tmp_path / "less", archives.Budget(1, 2**20))


def test_two_files_of_one_name_in_an_archive_are_two_attempts(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.writestr("tiny.ipynb", ONE)
    assert "2 files" in rows_of(tmp_path, {"ann/a.zip": stream.getvalue()})["ann", "tiny"].reason


@pytest.mark.parametrize(
    "inside",
    [
        {"ann/tiny.ipynb": ONE, "bob/tiny/tiny.ipynb": ONE},
        {"class/ann/tiny.ipynb": ONE, "class/bob/x.zip": packed(**{"tiny.ipynb": ONE})},
        {"ann_tiny.ipynb": ONE, "bob_tiny.ipynb": ONE},
    ],
)
def test_the_archive_of_a_class_is_a_class(inside, tmp_path):
    (tmp_path / "class.zip").write_bytes(packed(**inside))
    assert {
        s.student for s in submission_files.find(tmp_path / "class.zip", ["tiny"]) if not s.reason
    } == {
        "ann",
        "bob",
    }


def test_what_a_platform_packed_is_a_class_wherever_it_lies(tmp_path):
    flat = packed(**{"lee_1_2_tiny.ipynb": ONE, "ray_3_4_tiny.ipynb": ONE})
    moodle = {f"x/{n}_1_assignsubmission_file_/tiny.ipynb": ONE for n in ("Ann", "Bob")}
    rows = rows_of(tmp_path, {"a.zip": flat, "b.zip": packed(**moodle)})
    assert len(graded_in(rows)) == len(rows) == 4
    files = {"tiny.ipynb": ONE, "run_2024_11_results.csv": b""}
    assert graded_in(rows_of(tmp_path / "own", {"cy.zip": packed(**files)})) == {"cy"}


def test_what_was_unpacked_is_deleted(tmp_path):
    rows = rows_of(tmp_path, {"ann/a.zip": packed(**{"tiny.ipynb": ONE})})
    path = rows["ann", "tiny"].path
    assert path.is_file()
    rows.clear()
    assert not path.exists()


# ---- the digest of a folder


def plain_folder(path):
    (path / "masks").mkdir(parents=True)
    (path / "a.png").write_bytes(b"one")
    (path / "masks" / "a.png").write_bytes(b"two")
    return path


def digest(path):
    return content_digest(path, "", ["*"])


def test_the_digest_of_a_plain_folder_stays_what_it_was(tmp_path):
    found = "1d18b06fe6507c54de90ab1fc429b53ef0736eb51bfd2fafdcb2d8da414a2dd9", 2
    assert digest(plain_folder(tmp_path / "pictures")) == found


def test_what_lies_behind_a_link_counts_and_a_circle_has_an_end(tmp_path):
    pictures = plain_folder(tmp_path / "pictures")
    elsewhere = plain_folder(tmp_path / "elsewhere")
    (elsewhere / "back").symlink_to(pictures)
    (pictures / "linked").symlink_to(elsewhere)
    (pictures / "same").symlink_to(elsewhere / "masks")
    (pictures / "masks" / "up").symlink_to("..")
    (pictures / "itself").symlink_to("itself")
    first, count = digest(pictures)
    assert count == 5
    (elsewhere / "masks" / "a.png").write_bytes(b"three")
    second, _ = digest(pictures)
    (pictures / "same").unlink()
    assert len({first, second, digest(pictures)[0]}) == 3


def test_a_link_to_a_folder_above_is_not_followed_out_of_the_data_set(tmp_path):
    pictures = plain_folder(tmp_path / "home" / "pictures")
    before = digest(pictures)
    (tmp_path / "home" / "diary.txt").write_text("not a picture")
    (pictures / "up").symlink_to(tmp_path / "home")
    assert digest(pictures) == before


def test_names_that_are_not_unicode_have_a_digest(tmp_path):
    pictures = plain_folder(tmp_path / "pictures")
    before = digest(pictures)
    (pictures / os.fsdecode(b"p\xff.png")).write_bytes(b"three")
    found = digest(pictures)
    assert found[1] == 3 and found != before


def test_hidden_files_do_not_change_the_digest(tmp_path):
    pictures = plain_folder(tmp_path / ".own" / "pictures")
    before = digest(pictures)
    assert before[1] == 2
    (pictures / ".DS_Store").write_bytes(b"x")
    (pictures / "masks" / "._a.png").write_bytes(b"x")
    (pictures / ".ipynb_checkpoints").mkdir()
    (pictures / ".ipynb_checkpoints" / "a.png").write_bytes(b"x")
    assert digest(pictures) == before
