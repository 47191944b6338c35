"""Names of notebooks: former ones are refused with the present one, and old runs are read.

Executed notebooks, links and parameter files keep the names that they were made with. A name counts
as a former one only where the series has the new name and has no notebook of the old one. The site
sends the pages of former names to those of the present ones.
"""

FORMER_NOTEBOOKS = {
    "02_build_a_vae": "03_build_a_vae",
    "03_derive_the_kl": "04_derive_the_kl",
    "04_train_it_well": "07_train_it_well",
    "05_segment_with_a_vae": "08_segment_reconstructions",
    "08_segment_with_a_vae": "08_segment_reconstructions",
    "06_find_edges_with_a_vae": "10_find_edges",
    "10_find_edges_with_a_vae": "10_find_edges",
    "07_say_how_sure_you_are": "12_draw_several_answers",
    "12_say_how_sure_you_are": "12_draw_several_answers",
    "08_meet_the_generative_neighbours": "15_meet_gans",
    "15_meet_the_generative_neighbours": "15_meet_gans",
    "09_meet_the_supervised_neighbours": "17_compare_segmenters",
    "17_meet_the_supervised_neighbours": "17_compare_segmenters",
    "10_read_an_article": "18_read_an_article",
    "01_meet_the_images": "01_score_segments",
}


def present_notebook(name, known):
    """What a notebook is called now, or None if `name` is no former name among the `known`.

    Args:
        name: such as "00_start_here"; or a number alone, "00".
        known: names of the notebooks of today. A number that one of them has is no former one.
    """
    return FORMER_NOTEBOOKS.get(_former(name, known))


def gone(name, known):
    """The sentence that refuses a former name or number; None if `name` is none of them."""
    old = _former(name, known)
    if old is None:
        return None
    now = FORMER_NOTEBOOKS[old]
    told = f"it is called {now}" if name == old else f"the old {old} is {now}"
    return f"There is no notebook {name} now; {told}."


def _former(name, known):
    """The former notebook that is meant by a name or a number, or None."""
    if any(now == name or now.startswith(f"{name}_") for now in known):
        return None
    meant = [old for old in FORMER_NOTEBOOKS if name in (old, old[:2])]
    meant = [old for old in meant if FORMER_NOTEBOOKS[old] in known]
    return meant[0] if len(meant) == 1 else None


def present_run(name, known):
    """The name of a run, `NOTEBOOK__what__was__changed`, with its notebook's name of today."""
    notebook, *rest = name.split("__")
    return "__".join([present_notebook(notebook, known) or notebook, *rest])


def present_file(path):
    """What a parameter file or a sweep is now that is not there under its former number.

    Returns:
        The path of a file beside it, with the present number, or None.
    """
    names = FORMER_NOTEBOOKS.items()
    numbers = {old[:2]: new[:2] for old, new in names if old[:2] != new[:2]}
    now = path.with_name(f"{numbers.get(path.name[:2])}{path.name[2:]}")
    return now if path.name[2:3] == "." and now.is_file() else None
