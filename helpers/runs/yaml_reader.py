"""Read YAML as it is written: a word without quotes stays a text until somebody asks what it means.

PyYAML follows YAML 1.1, which reads `010` as 8, `1:30` as 90, `yes` as True and `1e-3` as a text,
and which of two equal keys takes the last. So only its syntax is used here. What a text means is
said in `helpers.runs.values`, for files and for the command line alike.
"""


class Plain(str):
    """A text that stood without quotes, so that it may mean a number, a bool or None."""

    __slots__ = ()


def read(text):
    """Read one YAML document.

    Returns:
        Texts in lists and dictionaries; those without quotes are `Plain`. None for an empty text.

    Raises:
        ValueError: Says what is wrong, as the end of a sentence that starts with the file's name.
    """
    node = _compose(text)
    return None if node is None else _value(node, ())


def read_whole(text):
    """As `read`, for a text that is one list, mapping or quoted text to its very end."""
    node = _compose(text)
    if node is None or node.end_mark.index != len(text):
        raise ValueError("has something behind its value")
    return _value(node, ())


def _compose(text):
    import yaml

    try:
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if getattr(event, "tag", None):
                where = _line(event)
                raise ValueError(f"has a tag, {event.tag!r}; write the value without it ({where})")
        return yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"is not YAML: {' '.join(str(error).split())}") from None


def _value(node, above):
    """What a node of PyYAML's holds; `above` are the nodes that hold this one."""
    if any(node is other for other in above):
        raise ValueError(f"holds itself ({_line(node)})")
    if node.id == "scalar":
        return _whole(node) if node.style else Plain(node.value)
    above = (*above, node)
    if node.id == "sequence":
        return [_value(item, above) for item in node.value]
    found, shared = {}, {}
    for key, item in node.value:
        if key.id != "scalar":
            raise ValueError(f"has a key that is no name ({_line(key)})")
        name = _whole(key)
        if key.value == "<<" and not key.style:
            if shared:
                raise ValueError(f"gives '<<' twice ({_line(key)})")
            shared = _shared(item, above)
        elif name in found:
            raise ValueError(f"gives {name!r} twice ({_line(key)})")
        else:
            found[name] = _value(item, above)
    return {**shared, **found}


def _whole(node):
    """A text in quotes, in which JSON may write one character as two halves, `"\\ud83d\\ude00"`."""
    try:
        return node.value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError(f"has half a character ({_line(node)})") from None


def _shared(node, above):
    """What `<<: *name` brings in; of several mappings, the first that has a key gives it."""
    value = _value(node, above)
    mappings = value if isinstance(value, list) else [value]
    if not all(isinstance(mapping, dict) for mapping in mappings):
        raise ValueError(f"has a '<<' that brings in no mapping ({_line(node)})")
    return {key: item for mapping in reversed(mappings) for key, item in mapping.items()}


def _line(node):
    return f"line {node.start_mark.line + 1}"
