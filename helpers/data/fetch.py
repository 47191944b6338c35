"""Finding the files of a data set: a folder of one's own, then the cache, then the network.

Each set has a list of accepted archives in `registry.json`: a file name with its SHA-256 (or
the checksum that was published, where that is an MD5; or, where an archive is made anew on each
download, one SHA-256 over the files inside). Anything else is refused.

Two environment variables:
    HELPERS_DATA: A folder that is searched first. It is only ever read.
    HELPERS_CACHE: Where downloads and unpacked archives go, in place of the user's cache folder.
"""

import hashlib
import json
import os
import time
from importlib import resources
from pathlib import Path

from helpers.data.archive import MARKER, UnsafeArchive, unpack
from helpers.data.checksums import ChecksumError, verify
from helpers.data.seen import seen, unpacked_by_hand

REGISTRY = json.loads(resources.files(__package__).joinpath("registry.json").read_text("utf-8"))


class MissingData(FileNotFoundError):
    """A data set that is not on this machine and could not be downloaded."""


def data_folder():
    """The folder named by `HELPERS_DATA`, or `None` if the variable is unset."""
    value = os.environ.get("HELPERS_DATA")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise MissingData(
            f"The environment variable HELPERS_DATA must name a folder. Received: {value!r}. "
            "Correct it, or unset it to use downloads."
        )
    return folder


def cache_folder():
    """Where downloads and unpacked archives are kept."""
    value = os.environ.get("HELPERS_CACHE")
    if value:
        return Path(value).expanduser()
    import pooch

    return Path(pooch.os_cache("vae-segments-edges"))


def file(name, *wanted):
    """The first of the files `wanted` of a set that can be had, verified.

    Args:
        name: A set of the registry.
        *wanted: File names, the preferred one first.

    Raises:
        MissingData: If none is here and none can be downloaded.
        ChecksumError: If one is here, or was downloaded, that is not an accepted one.
    """
    paths, _, _ = _find(name, _choose(name, wanted))
    return paths[0]


def unpacked(name, archive=None):
    """The folder of an unpacked set, and words for where it came from.

    Archives are unpacked once into the cache. A tar file can only be read from its beginning,
    so single images would else cost the whole archive each time. Where no archive is here, a
    folder that somebody unpacked by hand is read, if the files in it are the accepted ones.

    Args:
        name: `"bsds500"`, `"camvid"` or `"pets"`.
        archive: The file name of one accepted archive; `None` takes the first that is here.

    Raises:
        MissingData, ChecksumError: As `file`.
        UnsafeArchive: If a path in the archive leads out of the folder.
    """
    alternatives = _choose(name, (archive,) if archive else ())
    paths, sums, chosen = _find(name, alternatives, True, by_hand=archive is None)
    source = f"{chosen['label']} ({', '.join(f['name'] for f in chosen['files'])})"
    if not sums:
        return paths[0], source
    target = _target(name, sums)
    if not (target / MARKER).is_file():
        pairs = [(path, entry.get("strip", "")) for path, entry in zip(paths, chosen["files"])]
        marker = {"set": name, "archive": chosen["files"][0]["name"], "sha256": sums}
        unpack(pairs, REGISTRY[name]["keep"], target, marker)
    return target, source


def _choose(name, wanted):
    """The alternatives of a set, or those whose first file is among `wanted`, in its order."""
    archives = REGISTRY[name]["archives"]
    if not wanted:
        return [a for a in archives if not a.get("on_request")]
    by_name = {a["files"][0]["name"]: a for a in archives}
    unknown = [w for w in wanted if w not in by_name]
    if unknown:
        raise ValueError(
            f"Unknown archive of {name!r}; known are {', '.join(sorted(by_name))}. "
            f"Received: archive={unknown[0]!r}"
        )
    return [by_name[w] for w in wanted]


def _find(name, alternatives, allow_unpacked=False, by_hand=False):
    """Find or download one alternative: (paths, SHA-256 sums, the alternative)."""
    folders = _folders(name)
    own = folders[:-1]
    for places in (own, folders):
        for chosen in alternatives:
            paths = [_first(places, entry) for entry in chosen["files"]]
            if all(paths):
                return paths, _verify_all(name, paths, chosen["files"], own), chosen
    if allow_unpacked:
        for chosen in alternatives:
            for marker in sorted((cache_folder() / "unpacked").glob(f"{name}-*/{MARKER}")):
                if json.loads(marker.read_text("utf-8"))["archive"] == chosen["files"][0]["name"]:
                    return [marker.parent], [], chosen
    root, chosen, problems = unpacked_by_hand(REGISTRY[name], own) if by_hand else (None, None, [])
    if root is not None:
        return [root], [], chosen
    refused = bool(problems)
    for chosen in alternatives:
        if not all(entry["urls"] for entry in chosen["files"]):
            continue
        here = [_first(folders, entry) for entry in chosen["files"]]
        paths = []
        for path, entry in zip(here, chosen["files"]):
            if path is None:
                path, words, bad = _download(name, entry)
                problems, refused = problems + words, refused or bad
            if path is None:
                break
            paths.append(path)
        else:
            return paths, _verify_all(name, paths, chosen["files"], own), chosen
    raise (ChecksumError if refused else MissingData)(_how_to(name, alternatives, problems))


def _folders(name):
    """Where files of a set may lie: in one's own folder, and last in the cache."""
    own, inside = data_folder(), REGISTRY[name]["folders"]
    places = [own / sub for sub in inside] if own else []
    if own and any(sub and own.absolute().match(sub) for sub in inside):
        places.append(own)  # HELPERS_DATA names the folder of the set itself
    return [*places, cache_folder() / "downloads" / name]


def _first(folders, entry):
    names = [entry["name"], *entry.get("plain", {}).get("names", ())]
    return next((f / n for n in names for f in folders if (f / n).is_file()), None)


def _target(name, sums):
    key = sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()
    return cache_folder() / "unpacked" / f"{name}-{key[:16]}"


def _verify_all(name, paths, entries, own):
    sums = []
    for path, entry in zip(paths, entries):
        try:
            sums.append(verify(path, entry, trusted=_sums_unpacked(name)))
        except (ChecksumError, UnsafeArchive) as error:
            if path.parent in own:
                where = "The file was left where it is: HELPERS_DATA is only read."
            else:
                where = f"The file was kept aside as {_aside(path, path)}; the next call downloads."
            raise type(error)(f"{error}\n{where}") from None
    return sums


def _sums_unpacked(name):
    markers = (cache_folder() / "unpacked").glob(f"{name}-*/{MARKER}")
    return {s for m in markers for s in json.loads(m.read_text("utf-8"))["sha256"]}


def _aside(path, target):
    aside = target.with_name(target.name + ".corrupt")
    os.replace(path, aside)
    return aside


def _download(name, entry):
    """Try the addresses in turn: (path or None, what went wrong, whether a file was refused)."""
    import pooch

    target = cache_folder() / "downloads" / name / entry["name"]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    for old in target.parent.glob(f"{target.name}.part-*"):  # of a process that was killed
        if time.time() - old.stat().st_mtime > 3600:
            old.unlink(missing_ok=True)
    problems, refused = [], False
    for url in entry["urls"]:
        pooch.get_logger().info("Downloading %s%s", url, _megabytes(entry))
        try:
            pooch.HTTPDownloader(timeout=30)(url, str(part), None)
            verify(part, entry)
            os.replace(part, target)
            return target, problems, refused
        except (ChecksumError, UnsafeArchive) as error:
            refused = True
            problems.append(f"{url}: {error}\n  kept aside as {_aside(part, target)}")
        except (OSError, ValueError) as error:
            problems.append(f"{url}: {error}")
        finally:
            part.unlink(missing_ok=True)
    return None, problems, refused


def _megabytes(entry):
    return f" ({entry['size'] / 1e6:.1f} MB)" if "size" in entry else ""


def _how_to(name, alternatives, problems):
    """What to download, from where, and where to put it."""
    lines = [f"The data set {name!r} is not on this machine and could not be downloaded."]
    lines += ["Looked in:"] + [f"  {folder}" for folder in _folders(name)]
    like = seen(name, REGISTRY[name], data_folder(), _folders(name))
    lines += ["Seen there, but not read:"] + [f"  {s}" for s in like] if like else []
    lines += ["Tried:"] + [f"  {p}" for p in problems] if problems else ["No address to try."]
    lines += ["To mend it, download (any one choice, all of its files):"]
    for i, chosen in enumerate(alternatives, 1):
        lines.append(f"  {i}. {chosen['label']}")
        for entry in chosen["files"]:
            kind = next(k for k in ("sha256", "md5", "content") if k in entry)
            known = entry[kind] if kind != "content" else "checked by the files inside"
            lines.append(f"     save as {entry['name']}{_megabytes(entry)}, {kind}: {known}")
            if "plain" in entry:
                lines.append(f"       or unpacked, as {' or '.join(entry['plain']['names'])}")
            urls = [f"from {url}" for url in entry["urls"]]
            lines += [f"       {u}" for u in urls or ["no public address; for those who have it"]]
    where = cache_folder() / "downloads" / name
    lines.append(
        f"and put it into {where}, or into a folder of your own that the environment variable "
        f"HELPERS_DATA names (subfolders searched there: "
        f"{', '.join(repr(f or '.') for f in REGISTRY[name]['folders'])})."
    )
    return "\n".join(lines)
