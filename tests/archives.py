"""Small archives made on the spot, for the tests of helpers.data."""

import hashlib
import io
import stat
import tarfile
import zipfile


def zipped(files, links=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in files.items():
            z.writestr(zipfile.ZipInfo(name), content)
        for name, target in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            z.writestr(info, target)
    return out.getvalue()


def tarred(files, links=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            t.addfile(info)
    return out.getvalue()


def sha(content):
    return hashlib.sha256(content).hexdigest()


def entry(content, *urls, name="tiny.zip", **more):
    return {"name": name, "sha256": sha(content), "urls": list(urls), "strip": "root/", **more}


def use_empty_cache(tmp_path, monkeypatch):
    """Sets up an empty cache, and no folder of one's own; returns the cache's path."""
    monkeypatch.delenv("HELPERS_DATA", raising=False)
    monkeypatch.setenv("HELPERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
