"""Links from the first use of a term in a notebook to the glossary: find the missing ones, add them.

python -m authoring glossary 07      # adds them to notebooks/py; then build it with --prose
"""

import re

from authoring.stored_notebook import find_source

PAGE = "../docs/site/glossary.md"
# Words of a notebook and the glossary's entry, in the form of its address. Everyday words of the
# field, such as pixel or mask, are not among them.
TERMS = {
    r"aggregate posterior": "aggregate-posterior",
    r"amortised|amortisation": "amortised-inference",
    r"annotators?": "annotator",
    r"(?<!ariational )(?<!enoising )(?<!eighted )autoencoders?": "autoencoder",
    r"bits per dimension": "bits-per-dimension",
    r"calibrated|calibration": "calibration",
    r"Canny": "Canny-detector",
    r"codebook": "codebook",
    r"cross-entropy": "cross-entropy",
    r"decoders?": "decoder",
    r"denoising autoencoders?": "denoising-autoencoder",
    r"dequantisation": "dequantisation",
    r"discriminator": "discriminator",
    r"distortion": "distortion",
    r"effective β": "effective-beta",
    r"ELBO": "ELBO",
    r"encoders?": "encoder",
    r"entropy": "entropy",
    r"factorised": "factorised-likelihood",
    r"free bits": "free-bits",
    r"Fréchet distance": "Frechet-distance",
    r"energy distance": "generalised-energy-distance",
    r"Holm(?:'s correction)?": "Holm-s-correction",
    r"importance-weighted": "importance-weighted-bound",
    r"IoU": "intersection-over-union-IoU",
    r"kernel distance": "kernel-distance",
    r"KL": "KL-divergence",
    r"latents?": "latent-variable",
    r"likelihood": "likelihood",
    r"linear probes?": "linear-probe",
    r"logits?": "logit",
    r"nats?": "nat",
    r"non-maximum suppression": "non-maximum-suppression",
    r"ODS": "ODS-OIS-AP",
    r"out-of-distribution": "out-of-distribution",
    r"posterior collapse": "posterior-collapse",
    r"posteriors?": "posterior",
    r"pretrain(?:ed|ing)": "pretraining",
    r"prior": "prior",
    r"Probabilistic U-Net": "Probabilistic-U-Net",
    r"random forests?": "random-forest",
    r"(?<!earning )(?<!base )rates?": "rate",
    r"receptive fields?": "receptive-field",
    r"reconstructions?": "reconstruction",
    r"reparameterisation": "reparameterisation",
    r"VAEs?": "variational-autoencoder-VAE",
    r"warm-up": "KL-warm-up",
}
# What is no running text: code, formulas, comments, pictures, links, headings, tags.
SKIPPED = re.compile(
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->|!\[[^\]]*\]\([^)]*\)|<[^>\n]*>"
    r"|\[(?:[^\[\]]|\[[^\]]*\])*\]\([^)]*\)|https?://\S+|^#+ [^\n]*",
    re.DOTALL | re.MULTILINE,
)
BETWEEN = "\n\0\n"  # of two cells
LINKED = re.compile(re.escape(PAGE) + r"#term-([\w-]+)")


def missing(text):
    """Terms whose first use in running text is not preceded by their link to the glossary.

    Args:
        text: the prose of a notebook, one string.

    Returns:
        List of (term, start, end): positions of those first uses, the last one first.
    """
    skipped = [(m.start(), m.end()) for m in SKIPPED.finditer(text)]
    linked = {}
    for match in LINKED.finditer(text):
        linked.setdefault(match[1], match.start())
    taken, found = [], []
    for words, term in sorted(TERMS.items(), key=lambda pair: -len(pair[0])):
        for use in re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])", text):
            place = use.span()
            if any(a < place[1] and place[0] < b for a, b in skipped):
                continue
            if any(a < place[1] and place[0] < b for a, b in taken):
                continue  # a part of a longer term
            if place[0] < linked.get(term, len(text) + 1):
                found.append((term, *place))
                taken.append(place)
            break
        taken += [m.span() for m in re.finditer(rf"(?<![\w-])(?:{words})(?![\w-])", text)]
    return sorted(found, key=lambda one: -one[1])


def add(number):
    """Add the missing links to a notebook's text in `notebooks/py`.

    Args:
        number: "07", or the name of the file.

    Returns:
        The terms, in their order there.

    Raises:
        BadRequest: If there is no such file.
    """
    path = find_source(number)
    cells = re.split(r"(?m)^(?=# %%)", path.read_text("utf-8"))
    prose = [i for i, cell in enumerate(cells) if cell.startswith("# %% [markdown]")]
    first_lines, texts = {}, []
    for i in prose:
        first_lines[i], text = cells[i].split("\n", 1)
        texts.append(re.sub(r"(?m)^# ?", "", text))
    joined = BETWEEN.join(texts)
    found = missing(joined)
    for term, start, end in found:
        joined = f"{joined[:start]}[{joined[start:end]}]({PAGE}#term-{term}){joined[end:]}"
    for i, text in zip(prose, joined.split(BETWEEN), strict=True):
        lines = [f"# {line}".rstrip() if line else "#" for line in text.rstrip("\n").split("\n")]
        end = cells[i][len(cells[i].rstrip("\n")) :]
        cells[i] = "\n".join([first_lines[i], *lines]) + end
    path.write_text("".join(cells), "utf-8")
    return [term for term, *_ in reversed(found)]
