"""What lies in the folders that are searched, besides the accepted files themselves."""

import re

from helpers.data.checksums import ChecksumError, verify_content

# Names that look like a set, and those among them that belong to another one.
LIKE = {
    "bsds500": (r"bsds|^bsr", r"^$"),
    "camvid": (r"camvid|segnet", r"^$"),
    "pets": (r"oxford|pets?\b|^(images|annotations)\b.*tar", r"^$"),
    "mnist": (r"mnist|ubyte|^(train|t10k)-", r"fashion|binarized"),
    "fashion_mnist": (r"fashion|ubyte|^(train|t10k)-", r"^mnist"),
    "binarized_mnist": (r"binarized|\.amat", r"^$"),
}
# What browsers and file managers add to the name of a second copy.
COPY = re.compile(r"^copy of |( ?\(\d+\)|( [-–])? (copy|kopie)| \d+)+(?=\.|$)", re.IGNORECASE)


def unpacked_by_hand(listed, places):
    """A folder of a set that somebody unpacked, with the accepted files in it.

    Args:
        listed: The set's entry in the registry. Its `unpacked` has a `sign`, the path by which
            a folder is known, and the `choices` of accepted content.
        places: The folders to look in, and in their subfolders.

    Returns:
        The folder that holds the set's folder, and the choice; or `None` twice; and what was
        wrong with the folders that have the sign.
    """
    problems = []
    if "unpacked" not in listed:
        return None, None, problems
    sign = listed["unpacked"]["sign"]
    name = sign.split("/")[0]
    roots = [p.parent for p in places if p.name == name]  # HELPERS_DATA may name the set itself
    roots += [r for p in places if p.is_dir() for r in (p, *sorted(p.iterdir())) if r.is_dir()]
    for root in dict.fromkeys(roots):
        if not (root / sign).exists():
            continue
        top = root / name
        for choice in listed["unpacked"]["choices"]:
            try:
                verify_content(top, choice)
            except ChecksumError as error:
                problems.append(str(error))
            else:
                return root, {"label": choice["label"], "files": [{"name": str(top)}]}, problems
    return None, None, list(dict.fromkeys(problems))


def seen(name, listed, own, places):
    """Lines that say of files and folders that look like a set why they are not read.

    Args:
        name: The set.
        listed: Its entry in the registry.
        own: The folder that HELPERS_DATA names, or `None`.
        places: The folders that were searched; the last one is the cache's.
    """
    like, unlike = LIKE.get(name, (re.escape(name), r"^$"))
    entries = [e for choice in listed["archives"] for e in choice["files"]]
    accepted = [n for e in entries for n in (e["name"], *e.get("plain", {}).get("names", ()))]
    in_lower_case = {n.lower(): n for n in accepted}
    lines = []
    for folder in dict.fromkeys([*([own] if own else []), *places]):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            known = in_lower_case.get(COPY.sub("", path.name).lower())
            if path in places and "keep" not in listed:
                continue
            if path.name in accepted and path.is_file() and folder in places:
                continue
            other = re.search(unlike, path.name, re.I)
            if known and path.is_file():
                lines.append(f"{path}: {_mend(path, known, folder, places)}")
            elif known and path.is_dir():
                lines.append(
                    f"{path}: a folder. A file of this name is wanted, perhaps that in it."
                )
            elif re.search(like, path.name, re.I) and not other:
                lines.append(f"{path}: {_why(path, listed, places)}")
            elif folder == own and path.is_dir() and path not in places and not other:
                inside = [p for p in sorted(path.iterdir()) if p.name in accepted and p.is_file()]
                lines += [f"{p}: {_mend(p, p.name, path, places)}" for p in inside]
    return lines


def _mend(path, known, folder, places):
    renamed = f"a second copy? Rename it to {known}" if known != path.name else ""
    moved = f"move it to {places[0]}" if folder not in places else ""
    return f"{' and '.join(words for words in (renamed, moved) if words)}."


def _why(path, listed, places):
    if path.suffix == ".npz":
        return "Keras's file of the same images. Take the original files, as below."
    if not path.is_dir():
        return "this name is not read. The accepted ones are below."
    if "unpacked" in listed:
        sign = listed["unpacked"]["sign"]
        if any((root / sign).exists() for root in (path.parent, path)):
            return "an unpacked folder is read if its files are accepted and no archive is named."
        return f"not the unpacked set that is read: {sign} is not found."
    if listed.get("keep"):
        return "an unpacked folder of this set is not read, only the archives: these are checked."
    return f"files of this set are looked for in {' or '.join(str(p) for p in places)}."
