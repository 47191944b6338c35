"""helpers.data.fetch: what is accepted, what is refused, and what is left behind. No network."""

import functools
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from archives import entry, sha, tarred, use_empty_cache, zipped

from helpers import data
from helpers.data import archive, fetch

FILES = {"root/keep/a.txt": b"one", "root/keep/b/c.txt": b"two", "root/other/d.txt": b"three"}


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    return use_empty_cache(tmp_path, monkeypatch)


@pytest.fixture
def server(tmp_path):
    """A local server: files put into `server.folder` are at `server.url`."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    )
    httpd.asked, httpd.folder = [], folder
    httpd.url = f"http://127.0.0.1:{httpd.server_port}"
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()


def register(monkeypatch, *archives, name="tiny"):
    """Puts a set into the registry; an archive is a label and entries of files."""
    entry = {
        "title": "Tiny",
        "licence": "none",
        "folders": ["", "tiny"],
        "keep": ["keep/"],
        "archives": [{"label": f"choice {i}", "files": a} for i, a in enumerate(archives)],
    }
    monkeypatch.setitem(fetch.REGISTRY, name, entry)
    return entry


def tree(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# --- downloading ------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_download_verify_unpack(empty_cache, server, monkeypatch, pack):
    content = pack(FILES)
    (server.folder / "t").write_bytes(content)
    register(monkeypatch, [entry(content, f"{server.url}/t")])
    folder, source = fetch.unpacked("tiny")
    assert (folder / "keep/b/c.txt").read_bytes() == b"two"
    assert tree(folder) == ["SOURCE.json", "keep/a.txt", "keep/b/c.txt"]  # only what is kept
    assert source == "choice 0 (tiny.zip)"
    assert json.loads((folder / "SOURCE.json").read_text())["sha256"] == [sha(content)]
    assert fetch.unpacked("tiny") == (folder, source)
    assert server.asked == ["/t"]  # the second call asked nobody
    (empty_cache / "downloads/tiny/tiny.zip").unlink()
    assert fetch.unpacked("tiny") == (folder, source)  # unpacked once is enough


def test_next_address_is_tried(empty_cache, server, monkeypatch):
    content = zipped(FILES)
    (server.folder / "good").write_bytes(content)
    (server.folder / "page").write_bytes(b"<html>moved</html>")
    urls = [f"{server.url}/absent", f"{server.url}/page", f"{server.url}/good"]
    register(monkeypatch, [entry(content, *urls)])
    assert fetch.file("tiny", "tiny.zip").read_bytes() == content
    assert server.asked == ["/absent", "/page", "/good"]


def test_next_choice_is_tried(empty_cache, server, monkeypatch):
    content = zipped(FILES)
    (server.folder / "good").write_bytes(content)
    first = entry(b"gone", f"{server.url}/absent", name="first.zip")
    register(monkeypatch, [first], [entry(content, f"{server.url}/good")])
    assert fetch.unpacked("tiny")[1] == "choice 1 (tiny.zip)"


def test_a_set_of_two_archives(empty_cache, server, monkeypatch):
    one, two = zipped({"keep/a": b"1"}), tarred({"keep/b": b"2"})
    for name, content in (("one", one), ("two", two)):
        (server.folder / name).write_bytes(content)
    pair = [entry(c, f"{server.url}/{n}", name=n) for n, c in (("one", one), ("two", two))]
    register(monkeypatch, pair)
    assert tree(fetch.unpacked("tiny")[0]) == ["SOURCE.json", "keep/a", "keep/b"]


def test_damaged_download_is_refused_and_kept_aside(empty_cache, server, monkeypatch):
    content = zipped(FILES)
    (server.folder / "t").write_bytes(content[:-9])
    register(monkeypatch, [entry(content, f"{server.url}/t")])
    with pytest.raises(data.ChecksumError) as error:
        fetch.unpacked("tiny")
    words = str(error.value)
    assert sha(content) in words and sha(content[:-9]) in words
    aside = empty_cache / "downloads/tiny/tiny.zip.corrupt"
    assert str(aside) in words and aside.read_bytes() == content[:-9]
    assert tree(empty_cache) == ["downloads/tiny/tiny.zip.corrupt"]  # nothing else was left
    (server.folder / "t").write_bytes(content)
    assert fetch.unpacked("tiny")[0].is_dir()  # and the next call mends it


def test_no_network_and_no_file_says_what_to_do(empty_cache, monkeypatch):
    content = zipped(FILES)
    url = "http://127.0.0.1:9/tiny.zip"  # the port where nobody listens
    register(monkeypatch, [entry(content, url, size=2_500_000)])
    with pytest.raises(data.MissingData) as error:
        fetch.unpacked("tiny")
    words = str(error.value)
    assert "'tiny' is not on this machine" in words
    assert f"from {url}" in words and "tiny.zip (2.5 MB)" in words and sha(content) in words
    assert str(empty_cache / "downloads/tiny") in words and "HELPERS_DATA" in words
    assert tree(empty_cache) == []


def test_real_sets_say_where_to_get_them(empty_cache, monkeypatch):
    for archive_ in fetch.REGISTRY["bsds500"]["archives"]:
        for file in archive_["files"]:
            monkeypatch.setitem(file, "urls", [])
    with pytest.raises(data.MissingData, match=r"BSR_bsds500.tgz \(70.8 MB\)"):
        data.load("bsds500")


# --- files that are already here --------------------------------------------------------------


def test_own_folder_comes_first_and_is_only_read(empty_cache, tmp_path, monkeypatch):
    content = zipped(FILES)
    own = tmp_path / "own"
    (own / "tiny").mkdir(parents=True)
    (own / "tiny/tiny.zip").write_bytes(content)
    register(monkeypatch, [entry(content, "http://127.0.0.1:9/x")])
    monkeypatch.setenv("HELPERS_DATA", str(own))
    own.chmod(0o555)
    assert fetch.file("tiny", "tiny.zip") == own / "tiny/tiny.zip"
    assert (fetch.unpacked("tiny")[0] / "keep/a.txt").is_file()
    assert tree(own) == ["tiny/tiny.zip"]


def test_damaged_file_in_own_folder_stays_where_it_is(empty_cache, tmp_path, monkeypatch):
    register(monkeypatch, [entry(b"right", "http://127.0.0.1:9/x")])
    monkeypatch.setenv("HELPERS_DATA", str(tmp_path))
    (tmp_path / "tiny.zip").write_bytes(b"wrong")
    with pytest.raises(data.ChecksumError, match="left where it is") as error:
        fetch.file("tiny", "tiny.zip")
    assert sha(b"wrong") in str(error.value) and sha(b"right") in str(error.value)
    assert (tmp_path / "tiny.zip").read_bytes() == b"wrong"


def test_damaged_file_in_the_cache_is_kept_aside(empty_cache, monkeypatch):
    register(monkeypatch, [entry(b"right")])
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    (place / "tiny.zip").write_bytes(b"wrong")
    with pytest.raises(data.ChecksumError, match=r"kept aside as .*tiny.zip.corrupt"):
        fetch.file("tiny", "tiny.zip")
    assert tree(place) == ["tiny.zip.corrupt"]


def test_right_bytes_under_another_name_are_not_looked_at(empty_cache, tmp_path, monkeypatch):
    register(monkeypatch, [entry(b"right")])
    monkeypatch.setenv("HELPERS_DATA", str(tmp_path))
    (tmp_path / "other.zip").write_bytes(b"right")
    with pytest.raises(data.MissingData):
        fetch.file("tiny", "tiny.zip")


def test_own_folder_must_exist(monkeypatch):
    monkeypatch.setenv("HELPERS_DATA", "/no/such/folder")
    with pytest.raises(data.MissingData, match=r"must name a folder. Received: '/no/such/folder'"):
        data.load("mnist")


def test_unknown_archive_lists_the_known_ones(empty_cache):
    with pytest.raises(ValueError, match=r"CamVid.zip.*Received: archive='mine.zip'"):
        data.load("camvid", archive="mine.zip")


def test_md5_where_no_more_was_published(empty_cache, monkeypatch):
    right = {"name": "t", "md5": hashlib.md5(b"right").hexdigest(), "urls": []}
    register(monkeypatch, [right])
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    (place / "t").write_bytes(b"right")
    assert fetch.file("tiny", "t") == place / "t"
    (place / "t").write_bytes(b"wrong")
    with pytest.raises(data.ChecksumError, match="MD5 found"):
        fetch.file("tiny", "t")


# --- archives that are made anew on each download ---------------------------------------------


def by_content(files, name="tiny.zip", **more):
    lines = sorted((n.removeprefix("root/"), sha(c)) for n, c in files.items() if "/keep/" in n)
    text = "".join(f"{digest}  {path}\n" for path, digest in lines)
    content = [{"files": ["keep/*"], "count": len(lines), "sha256": sha(text.encode())}]
    return {"name": name, "strip": "root/", "content": content, "urls": [], **more}


def test_content_counts_and_packing_does_not(empty_cache, monkeypatch):
    register(monkeypatch, [by_content(FILES)])
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    for pack in (zipped, tarred):
        (place / "tiny.zip").write_bytes(pack(FILES))
        folder, _ = fetch.unpacked("tiny")
        assert (folder / "keep/a.txt").read_bytes() == b"one"
    assert len(list((empty_cache / "unpacked").iterdir())) == 2


@pytest.mark.parametrize(
    "bad",
    [
        zipped(FILES | {"root/keep/a.txt": b"One"}),
        zipped(FILES | {"root/keep/more.txt": b"more"}),
        zipped({k: v for k, v in FILES.items() if "a.txt" not in k}),
        b"<html>not an archive</html>",
        zipped(FILES)[:-20],
        tarred(FILES)[:100],
    ],
    ids=["changed", "one more", "one less", "no archive", "cut zip", "cut tar"],
)
def test_other_content_is_refused(empty_cache, monkeypatch, bad):
    right = by_content(FILES)
    register(monkeypatch, [right])
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    (place / "tiny.zip").write_bytes(bad)
    with pytest.raises(data.ChecksumError, match=right["content"][0]["sha256"]):
        fetch.unpacked("tiny")
    assert tree(empty_cache) == ["downloads/tiny/tiny.zip.corrupt"]


def test_content_digest_is_what_sha256sum_prints(tmp_path):
    (tmp_path / "t").write_bytes(zipped({"r/b": b"2", "r/a": b"1", "r/c": b"3"}))
    text = f"{sha(b'1')}  a\n{sha(b'2')}  b\n"
    assert archive.content_digest(tmp_path / "t", "r/", ["a", "b"]) == (sha(text.encode()), 2)


# --- unpacking --------------------------------------------------------------------------------

CLIMBING = {
    "parent": zipped({"root/keep/a": b"1", "../evil": b"x"}),
    "deep": zipped({"root/keep/../../../evil": b"x"}),
    "absolute": zipped({"/tmp/evil": b"x"}),
    "windows": zipped({"..\\evil": b"x"}),
    "drive": zipped({"C:/evil": b"x"}),
    "zip link": zipped({"root/keep/a": b"1"}, links=[("root/keep/l", "../../../evil")]),
    "zip absolute link": zipped({"root/keep/a": b"1"}, links=[("root/keep/l", "/etc/passwd")]),
    "tar parent": tarred({"root/keep/a": b"1", "../evil": b"x"}),
    "tar link": tarred({"root/keep/a": b"1"}, links=[("root/keep/l", "../../../evil")]),
    "tar absolute link": tarred({"root/keep/a": b"1"}, links=[("root/keep/l", "/etc/passwd")]),
}


@pytest.mark.parametrize("kind", CLIMBING)
def test_paths_that_climb_out_are_refused(empty_cache, tmp_path, monkeypatch, kind):
    register(monkeypatch, [entry(CLIMBING[kind])])  # even with an accepted checksum
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    (place / "tiny.zip").write_bytes(CLIMBING[kind])
    with pytest.raises(archive.UnsafeArchive, match="leads out of the folder"):
        fetch.unpacked("tiny")
    assert tree(tmp_path) == ["cache/downloads/tiny/tiny.zip"]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_links_inside_are_passed_over(empty_cache, monkeypatch, pack):
    content = pack({"root/keep/a": b"1"}, links=[("root/keep/l", "a"), ("root/keep/m", "../a")])
    register(monkeypatch, [entry(content)])
    place = empty_cache / "downloads/tiny"
    place.mkdir(parents=True)
    (place / "tiny.zip").write_bytes(content)
    assert tree(fetch.unpacked("tiny")[0]) == ["SOURCE.json", "keep/a"]


def test_interrupted_unpacking_leaves_nothing(empty_cache, tmp_path, monkeypatch):
    (tmp_path / "t.zip").write_bytes(zipped(FILES))
    write = archive._write

    def stop_at_second(path, content):
        if path.name == "c.txt":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(archive, "_write", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        archive.unpack([(tmp_path / "t.zip", "root/")], ["keep/"], empty_cache / "there", {})
    assert list(empty_cache.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from helpers.data import archive
write = archive._write
def die(path, content):
    if path.name == "c.txt":
        os._exit(9)
    write(path, content)
archive._write = die
archive.unpack([(Path(sys.argv[1]), "root/")], ["keep/"], Path(sys.argv[2]), {})
"""


def test_killed_unpacking_is_not_taken_for_complete(empty_cache, tmp_path, monkeypatch):
    content = zipped(FILES)
    own = tmp_path / "own"
    own.mkdir()
    (own / "tiny.zip").write_bytes(content)
    register(monkeypatch, [entry(content)])
    monkeypatch.setenv("HELPERS_DATA", str(own))
    target = empty_cache / "unpacked" / f"tiny-{sha(content)[:16]}"
    run = subprocess.run([sys.executable, "-c", KILLED, own / "tiny.zip", target])
    assert run.returncode == 9
    (left,) = target.parent.iterdir()  # the half: hidden, under another name
    assert left.name.startswith(".tiny") and tree(left) == ["keep/a.txt"]
    folder, _ = fetch.unpacked("tiny")
    assert folder == target and tree(folder) == ["SOURCE.json", "keep/a.txt", "keep/b/c.txt"]
    os.utime(left, (0, 0))  # once it is old it is cleared by the next unpacking
    archive._remove_stale(target)
    assert list(target.parent.iterdir()) == [target]


def test_two_at_once(empty_cache, tmp_path, monkeypatch):
    (tmp_path / "t.zip").write_bytes(zipped(FILES))
    target, rename = empty_cache / "there", os.rename

    def other_was_first(source, destination):
        destination.mkdir()
        (destination / archive.MARKER).write_text("{}")
        rename(source, destination)

    monkeypatch.setattr(archive.os, "rename", other_was_first)
    archive.unpack([(tmp_path / "t.zip", "root/")], ["keep/"], target, {"me": 1})
    assert (target / archive.MARKER).read_text() == "{}"
    assert list(empty_cache.iterdir()) == [target]


# --- the registry -----------------------------------------------------------------------------


def test_registry_and_readme_agree():
    readme = (Path(__file__).parents[1] / "data/README.md").read_text("utf-8")
    for name, listed in fetch.REGISTRY.items():
        assert f"`{name}`" in readme
        for chosen in listed["archives"]:
            for file in chosen["files"]:
                assert file["name"] in readme
                sums = [file.get("sha256"), file.get("md5")]
                sums += [part["sha256"] for part in file.get("content", [])]
                assert any(sums) and all(s in readme for s in sums if s), file["name"]
                for url in file["urls"]:
                    assert url in readme, url
    known = json.dumps(fetch.REGISTRY)
    for found in set(re.findall(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b", readme)):
        assert found in known, f"data/README.md has a checksum that the registry lacks: {found}"


def test_no_accepted_file_lacks_a_checksum():
    for listed in fetch.REGISTRY.values():
        for chosen in listed["archives"]:
            for file in chosen["files"]:
                assert sum(k in file for k in ("sha256", "md5", "content")) == 1


def test_the_folders_that_are_searched_are_told(empty_cache, monkeypatch):
    register(monkeypatch, [entry(b"x")])
    with pytest.raises(FileNotFoundError, match=r"subfolders searched there: '\.', 'tiny'\)"):
        fetch.unpacked("tiny")


def test_what_comes_on_request_is_not_taken_unasked(empty_cache, server, monkeypatch):
    contents = {"all": zipped({"keep/a": b"all"}), "some": zipped({"keep/a": b"some"})}
    for name, content in contents.items():
        (server.folder / name).write_bytes(content)
    files = [[entry(c, f"{server.url}/{n}", name=f"{n}.zip")] for n, c in contents.items()]
    register(monkeypatch, *files)["archives"][0]["on_request"] = True
    assert (fetch.unpacked("tiny")[0] / "keep/a").read_bytes() == b"some"
    assert (fetch.unpacked("tiny", "all.zip")[0] / "keep/a").read_bytes() == b"all"
