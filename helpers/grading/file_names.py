"""What a name tells: whose a file is, and which assignment it answers."""

import hashlib
import os
import re
import unicodedata

from helpers.grading import archives

# A browser or a mail program adds the second ending.
NOTEBOOK = re.compile(r"(.*?)((?:\.ipynb)+)(\.json|\.txt)?", flags=re.I | re.S)

# What learning platforms make of the file `tiny.ipynb`, where they put all files into one folder.
# Canvas: name, perhaps LATE, number of the student, number of the submission; `-1` at the end for
# the second attempt. Moodle: name, number, and what the student handed in.
CANVAS = [
    re.compile(rf"({name})_(?:LATE_)?({number})_\d+_(.+)", flags=re.S)
    # A name or a file may have numbers of its own, so there are two ways to read some names.
    for name, number in ((".+?", r"\d+"), (".+", r"\d+"), ("anon", r"\w+?"))
]
MOODLE = re.compile(r"(?P<name>.+?_\d+_assignsubmission_(?:file|onlinetext)_)(?P<file>.*)", re.S)
COPY = re.compile(r"\b(?:cop(?:y|ie|ia)|kopie|duplicate)", flags=re.I)


def notebook_stem(name):
    """Return a notebook's name without its endings, or None if no ending says notebook."""
    found = NOTEBOOK.fullmatch(name)
    return found and found[1]


def assignment_of(stem, assignments):
    """Return the assignment of this name, in whatever case, or None."""
    return {_folded(name): name for name in assignments}.get(_folded(stem))


def _folded(text):
    return unicodedata.normalize("NFC", text).strip().casefold()


def by_platform(name, assignments):
    """Return student and file name that a platform's name for a file tells, or None."""
    if found := MOODLE.fullmatch(name):
        return of_files(found["name"]), found["file"]
    ways = [found.groups() for pattern in CANVAS if (found := pattern.fullmatch(name))]
    ways = [(f"{who.removesuffix('_LATE')}_{n}", _attempt(f, assignments)) for who, n, f in ways]
    fit = [way for way in ways if assignment_of(notebook_stem(way[1]) or "", assignments)]
    return (fit or ways or [None])[0]


def of_files(home):
    """Return the folder of a student's files, also for that of the text typed into Moodle."""
    return re.sub(r"(_\d+_assignsubmission_)onlinetext(_?)$", r"\1file\2", home)


def by_person(name, assignments):
    """Return student and file name of `ann_tiny.ipynb` or `tiny_ann.zip`, or None."""
    stem = notebook_stem(name)
    if stem is None and archives.kind(name):
        inner = archives.stem(name)
        stem = notebook_stem(inner) or inner
    if stem is None or COPY.search(stem) or assignment_of(stem, assignments):
        return None
    for assignment in sorted(assignments, key=len, reverse=True):
        word = re.escape(assignment)
        for pattern in (rf"(.+?)[ _-]+{word}", rf"{word}[ _-]+(.+)"):
            found = re.fullmatch(pattern, stem.strip(), flags=re.I | re.S)
            if found and re.search(r"[^\W\d]", found[1]):
                return found[1], assignment + name[len(stem) :]
    return None


def _attempt(file, assignments):
    """Return `tiny.ipynb` for `tiny-1.ipynb`, as Canvas calls a second attempt."""
    stem, dot, endings = file.partition(".")
    plain = re.sub(r"-\d+$", "", stem)
    if assignment_of(stem, assignments) or not assignment_of(plain, assignments):
        return file
    return plain + dot + endings


def students(homes):
    """Return `{home: (student, remark)}`: students differ, whatever their folders are called.

    Of folders that would get one name, only that which needs no change keeps it. The others get
    letters that come from the folder's name alone, so that a student is called the same in every
    grading.
    """
    alike = {}
    for home in sorted(homes):
        # Without case, because some systems see no difference.
        alike.setdefault(_plain(home).casefold(), []).append(home)
    called = {}
    for group in alike.values():
        keeps = group[0] if len(group) == 1 else next((h for h in group if h == _plain(h)), None)
        for home in group:
            student, remark = _plain(home), ""
            if home != keeps:
                student = f"{student}-{_letters(home)}"
                remark = f"another student is called {_plain(home)}, too; this is {home}"
            called[home] = student, remark
    return dict(sorted(called.items()))


def _plain(name):
    """Return letters, digits, `.`, `_`, `@` and `-` of a name, short enough for a file."""
    text = re.sub(r"[^\w.@-]+", "_", unicodedata.normalize("NFC", name)).strip("._") or "student"
    return text if len(text.encode()) <= 150 else f"{text[:40]}-{_letters(name)}"


def _letters(name):
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:6]


def folder_name(stem, assignments):
    """Return a name for what answers no assignment, fit for a folder and no assignment's own."""
    text = re.sub(r"[^\w.@() -]+", "_", stem)[:40].strip(". ") or "unknown"
    return f"{text}_" if assignment_of(text, assignments) else text


def shown(text):
    """Return a text that can be written to any file: no control characters, no broken ones."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]+", " ", text)
