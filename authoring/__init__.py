"""What the authors of the series do with its text: `python -m authoring build 07`, or `make build`.

Stored notebooks are made from `notebooks/py`, with their cover pictures and the numbers that their
prose cites; the Markdown pages get theirs. Nobody needs this to read, run or rerun a notebook.
"""
