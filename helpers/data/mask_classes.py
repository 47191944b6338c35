"""Which class a value in a mask file stands for: indices, two values, or ids with gaps."""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from helpers.data.dataset import is_whole

MOST = 64  # more classes than this must be named: a photograph among the masks has 256
SOFT = 0.75  # share of pixels on slopes from which a mask counts as drawn with soft edges


class Classes(NamedTuple):
    """The classes of a set of masks.

    `table[value]` is the class index of a stored value; `stored` has the stored value of each
    class, or is `None` where that is its index.
    """

    names: tuple[str, ...]
    ignore_class: int | None
    table: np.ndarray
    stored: tuple[int, ...] | None

    def told(self, ignore_class):
        """Words for what is stored in another way than the files have it."""
        words = ""
        if self.stored is not None:
            pairs = ", ".join(f"{v} is {i}" for i, v in enumerate(self.stored))
            words = f"; mask values to classes: {pairs}"
        if ignore_class is None and self.ignore_class is not None:
            return f"{words}; {self.ignore_class} is taken as not labelled"
        return (
            words
            if self.ignore_class == ignore_class
            else f"{words}; void {ignore_class} is {self.ignore_class}"
        )


def decide(files, class_names, ignore_class):
    """The classes that the values of all masks of a folder mean.

    Args:
        files: What each mask holds, over all splits.
        class_names: `None`, names in order, or a mapping of stored value to name.
        ignore_class: The stored value of pixels that are not labelled, or `None`.

    Raises:
        ValueError: If the values can be read in more than one way, with what to write.
    """
    _check(class_names, ignore_class)
    found = sorted(set().union(*(f.values for f in files)))
    values = [v for v in found if v != ignore_class]
    if isinstance(class_names, Mapping):
        foreign = [v for v in values if v not in class_names]
        if foreign:
            raise ValueError(
                f"{_where(files, foreign[0])}, which `class_names` and `ignore_class` do not name. "
                f"Received: class_names={dict(class_names)!r}, ignore_class={ignore_class!r}"
            )
        return _in_order(list(class_names), list(class_names.values()), ignore_class)
    class_names = None if class_names is None else tuple(class_names)
    _refuse_palettes(files)
    if values and not _dense(values):
        _refuse_greys(files)
    if len(values) < 2 and len(values) < len(found) and len(class_names or ()) <= 2:
        raise ValueError(
            f"ignore_class={ignore_class} leaves {'one value' if values else 'nothing'} of the values "
            f"{_listed(found)} that the masks hold. Leave `ignore_class` out: two values are two classes. "
            f"If it is right, name what there is: {_mapping(sorted({*values, 0, 1} - {ignore_class})[:2])}."
        )
    if class_names is not None:
        return _named(files, values, class_names, ignore_class)
    if len(values) < 2:
        raise ValueError(
            f"All masks hold one value, {_listed(values)}: there is nothing to tell apart. If more "
            f"classes exist, name them by their values: {_mapping([0, 1])}."
        )
    if len(values) == 2 and ignore_class is None:
        return _in_order(values, None, ignore_class)
    if not _dense(values):
        if (
            ignore_class is None
            and values[-1] == 255
            and _dense(values[:-1])
            and not _mixed(files, ignore_class)
            and not any(f.values == {0, 255} for f in files)  # their objects may be 255
        ):
            warnings.warn(
                f"{_where(files, 255)}, beside {_listed(values[:-1])} in all masks together. It is "
                'taken as "not labelled". To say so, write ignore_class=255; if it is a class, name all '
                f"by their values: {_mapping(values)}.",
                stacklevel=4,
            )
            return _in_order(range(values[-2] + 1), None, 255)
        _refuse_odd_last(files, values, ignore_class)
        if _mixed(files, ignore_class):
            raise ValueError(
                f"The masks hold the values {_listed(values)}.{_mixed(files, ignore_class)} If they are "
                f"classes, name them: {_mapping(values)}."
            )
    _refuse_soft(files, values)
    if max(len(values), _dense(values) * (values[-1] + 1)) > MOST:
        raise ValueError(
            f"The masks hold the values {_listed(values)}, {len(values)} of them. If they are "
            f"classes and not grey levels, name them: {_mapping(values)}."
        )
    if not _dense(values) or (ignore_class is not None and ignore_class < values[-1]):
        return _in_order(values, None, ignore_class)
    return _in_order(range(values[-1] + 1), None, ignore_class)


def _named(files, values, names, ignore_class):
    """Names in order: for the indices 0, 1, 2, ..., or for as many odd values."""
    beyond = [v for v in values if v >= len(names)]
    if not beyond and ignore_class is not None and ignore_class < len(names):
        raise ValueError(
            f"ignore_class={ignore_class} is the index of {names[ignore_class]!r} in `class_names`, too. Name the other "
            f"classes by their values: {_mapping([v for v in range(len(names)) if v != ignore_class])}."
        )
    if not beyond:
        return _in_order(range(len(names)), names, ignore_class)
    index_like = len(values) > 2 and values[-2] < len(names) and values[0] == 0
    if len(values) == len(names) and not index_like:
        return _in_order(values, names, ignore_class)
    advice = f"Name every class by its value: {_mapping(values)}"
    if (
        ignore_class is None
        and len(beyond) == 1
        and len(values) > 2
        and not _mixed(files, ignore_class)
    ):
        advice += f'; or, if {beyond[0]} means "not labelled", write ignore_class={beyond[0]}'
    raise ValueError(
        f"{_where(files, beyond[0])}, but there are {len(names)} classes (0..{len(names) - 1}) and "
        f"ignore_class={ignore_class}. All masks together hold the values {_listed(values)}. {advice}."
        f"{_mixed(files, ignore_class)}"
    )


def _in_order(stored, names, ignore_class):
    """The classes of these stored values, in this order."""
    stored = tuple(int(v) for v in stored)
    names = tuple(f"class {v}" for v in stored) if names is None else tuple(map(str, names))
    table = np.arange(256, dtype=np.uint8)
    table[list(stored)] = np.arange(len(stored))
    if ignore_class is not None and ignore_class not in stored:
        # The index of a class cannot stand for "not labelled".
        table[ignore_class] = ignore_class = 255 if ignore_class < len(stored) else ignore_class
    as_they_are = stored == tuple(range(len(stored)))
    return Classes(names, ignore_class, table, None if as_they_are else stored)


def _refuse_odd_last(files, values, ignore_class):
    """0, 1, 2 and 200: the last may be a class, or stand for "not labelled"."""
    *rest, last = values
    if len(rest) < 2 or not (rest == list(range(len(rest))) or (last == 255 and _dense(rest))):
        return
    choice = f"If {last} is a class, name all by their values: {_mapping(values)}."
    if ignore_class is None and not _mixed(files, ignore_class):
        choice = f'If {last} means "not labelled", write ignore_class={last}. {choice}'
    raise ValueError(
        f"{_where(files, last)}, beside {_listed(rest)} in all masks together. {choice}"
        f"{_mixed(files, ignore_class)}"
    )


def _refuse_palettes(files):
    """A program may store the colours of each file in an order of its own."""
    first = {}
    for file in files:
        for value, colour in file.colours.items():
            other, known = first.setdefault(value, (file, colour))
            if known != colour:
                raise ValueError(
                    f"{_where([file], value)}, with the colour {colour}; in "
                    f"{other.path} this value has the colour {known}. So a value is not the same "
                    "class in all masks. Save them with one palette; or, if the colours do not "
                    f"matter, name the values: {_mapping(sorted(first))}."
                )


def _refuse_greys(files):
    """A file may store greys as positions, and others as they are: 200 as 2, or white as 1."""
    moved = [f for f in files if any(c != (v, v, v) for v, c in f.colours.items())]
    moved = [f for f in moved if all(len(set(c)) == 1 for c in f.colours.values())]
    others = sorted(set().union(*(f.values for f in files if f not in moved)))
    if moved and others:
        value, (grey, *_) = max(moved[0].colours.items())
        raise ValueError(
            f"{moved[0].path}: stores the grey {grey} as the value {value} (one bit a pixel, or a "
            f"palette), and other masks hold the values {_listed(others)}. Save all with 8 bits "
            "and no palette. If the values are right as they are stored, name them: "
            f"{_mapping(sorted({*moved[0].values, *others}))}."
        )


def share_on_slopes(files):
    """The share, of the pixels between the lowest and the highest value, that lie on slopes."""
    return sum(f.slopes for f in files) / max(1, sum(f.between for f in files))


def look_soft(files, values):
    """Whether values in ascending order are greys of soft edges, and no classes."""
    return (not _dense(values) or len(values) > 16) and share_on_slopes(files) >= SOFT


def _refuse_soft(files, values):
    if look_soft(files, values):
        raise ValueError(
            f"{_where(files, values[1])}: the masks hold the values {_listed(values)}, and "
            f"{share_on_slopes(files):.0%} of the pixels between the lowest and the highest lie on "
            "slopes. So they look like masks with soft edges (smoothed, resized, or once saved as "
            "JPEG). Save two values, e.g. 255 where the grey is 128 or more, else 0. If they are "
            f"classes, name them: {_mapping(values)}."
        )


def _dense(values):
    """Whether the values read as indices: at least half of 0, 1, 2, ... occur."""
    return values[-1] + 1 <= 2 * len(values)


def _check(class_names, ignore_class):
    if ignore_class is not None and not _is_value(ignore_class):
        raise ValueError(
            f"`ignore_class` must be a value 0..255 or None. Received: ignore_class={ignore_class!r}"
        )
    if class_names is None:
        return
    ordered = isinstance(class_names, (Mapping, Sequence, np.ndarray))
    if not ordered or isinstance(class_names, (str, bytes)) or not len(class_names):
        raise ValueError(
            "`class_names` must be names in order, or a mapping of mask value to name. "
            f"Received: class_names={class_names!r}"
        )
    names = list(class_names.values() if isinstance(class_names, Mapping) else class_names)
    odd = [n for n in names if not isinstance(n, str) or names.count(n) > 1]
    if odd:
        raise ValueError(
            "The names in `class_names` must be text, and no two alike (values are not joined to "
            f"one class). Received: {odd[0]!r}"
        )
    if not isinstance(class_names, Mapping):
        return
    wrong = [k for k in class_names if not _is_value(k) or k == ignore_class]
    if wrong:
        raise ValueError(
            "The keys of `class_names` must be mask values 0..255, and not `ignore_class`. "
            f"Received: {wrong[0]!r}"
        )


def _is_value(v):
    return is_whole(v) and 0 <= v <= 255


def _where(files, value):
    path = next(f.path for f in files if value in f.values)
    return f"The mask of {path.stem!r} ({path}) has the value {value}"


def _mixed(files, ignore_class):
    """Words for masks of 0/1 beside masks of 0/255: two values each, and not the same ones."""
    held = {f.values - {ignore_class} for f in files} - {frozenset([0])}
    held = sorted(sorted(h) for h in held if not any(h < other for other in held))
    if len(held) < 2 or any(len(h) > 2 for h in held):
        return ""
    one, other = (" and ".join(map(str, h)) for h in (held[0], held[-1]))
    return (
        f" Some masks are stored as {one}, others as {other}: if both mean the same, save them "
        "alike."
    )


def _listed(values):
    values = [str(v) for v in values]
    return ", ".join(values if len(values) <= 8 else [*values[:6], "...", values[-1]])


def _mapping(values):
    shown = ", ".join(f"{v}: 'name {v}'" for v in values[:4])
    return f"class_names={{{shown}{', ...' if len(values) > 4 else ''}}}"
