"""One-to-one matching of predicted edge pixels to annotated ones.

The Berkeley benchmark lets a predicted pixel explain one annotated pixel, and
only within a small distance. Among all ways to pair the pixels it takes the
cheapest, where a pair costs its distance and a pixel left alone costs a
hundred times the largest distance. In effect: as many pairs as possible, and
among those the smallest total distance.

The number of pairs alone fixes recall, but not precision: a predicted pixel
counts as right when *any* annotator explains it, so it matters which pixels
are paired. Hence the distances have to break the ties.

SciPy solves the assignment. Two things make it quick and change no result:
the pixels fall into connected components that share no possible pair, each
solved apart; and a component that was solved for the threshold before is not
solved again.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

# The official code turns distances into whole hundredths of a pixel, and takes
# a hundred times the largest distance for a pixel left alone.
UNITS_PER_PIXEL = 100
ALONE = 100

# Small components are solved together, up to about this many rows: a call of
# the solver has its price, and so has a table of rows × columns.
BATCH_ROWS = 200


class Matcher:
    """Pairs predicted pixels with the annotated pixels of one image.

    Built once for an image and used for all its thresholds. The annotators
    are blocks of one large problem that share no possible pair.

    Args:
        annotations: (A, H, W), boolean, one map per annotator.
        radius: largest distance of a pair, in pixels.
    """

    def __init__(self, annotations, radius):
        self.annotators, height, width = annotations.shape
        self.pixels = height * width
        self.alone = np.ceil(ALONE * radius * UNITS_PER_PIXEL)
        self.graph = possible_pairs(annotations, radius)
        self.degree = np.diff(self.graph.indptr)
        # Of the threshold before: each row's component (-1: not there), how many
        # rows each component has, and which rows found a partner.
        self.last_label = np.full(self.graph.shape[0], -1)
        self.last_size = np.zeros(1, int)
        self.last_paired = np.zeros(self.graph.shape[0], bool)

    def match(self, pixels):
        """Pairs the given pixels with each annotator's.

        Args:
            pixels: (P,) flat indices of the predicted edge pixels.

        Returns:
            Boolean (A, P): whether each predicted pixel has a partner among
            each annotator's pixels. Its sum is also the number of annotated
            pixels that have one.
        """
        rows = (np.arange(self.annotators)[:, None] * self.pixels + pixels).ravel()
        near = rows[self.degree[rows] > 0]
        paired = np.zeros(self.graph.shape[0], bool)
        if not len(near):
            return paired[rows].reshape(self.annotators, -1)
        label = components(self.graph[near])
        size = np.bincount(label)
        known = self._seen_before(near, label, size)[label]
        paired[near[known]] = self.last_paired[near[known]]
        new = near[~known]
        paired[new] = assign(self.graph[new], label[~known], self.alone) >= 0

        self.last_label[:] = -1
        self.last_label[near] = label
        self.last_size, self.last_paired = size, paired
        return paired[rows].reshape(self.annotators, -1)

    def _seen_before(self, rows, label, size):
        """Whether each component has the very rows of one at the last threshold."""
        before = self.last_label[rows]
        lowest, highest = np.full(len(size), len(rows)), np.full(len(size), -1)
        np.minimum.at(lowest, label, before)
        np.maximum.at(highest, label, before)
        return (lowest == highest) & (lowest >= 0) & (self.last_size[highest] == size)


def possible_pairs(annotations, radius):
    """Every pixel's possible partners among the annotated pixels.

    Args:
        annotations: (A, H, W), boolean.
        radius: largest distance of a pair, in pixels.

    Returns:
        Sparse (A · H · W, M), M annotated pixels over all annotators. Entry
        (a·H·W + p, j) is the distance from pixel p to annotated pixel j of
        annotator a, in hundredths of a pixel.
    """
    count, height, width = annotations.shape
    owner, y, x = np.nonzero(annotations)
    reach = int(np.ceil(radius))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    within = dy * dy + dx * dx <= radius * radius
    dy, dx = dy[within], dx[within]
    cost = np.rint(np.hypot(dy, dx) * UNITS_PER_PIXEL)

    py, px = y[:, None] + dy, x[:, None] + dx  # (M, steps)
    inside = (py >= 0) & (py < height) & (px >= 0) & (px < width)
    row = ((owner[:, None] * height + py) * width + px)[inside]
    column = np.broadcast_to(np.arange(len(y))[:, None], inside.shape)[inside]
    cost = np.broadcast_to(cost, inside.shape)[inside]
    return csr_array((cost, (row, column)), shape=(count * height * width, len(y)))


def components(graph):
    """Numbers the groups of rows that can want the same columns, int (R,)."""
    rows, columns = graph.shape
    own = np.repeat(np.arange(rows), np.diff(graph.indptr))
    links = csr_array(
        (np.ones(len(own)), (own, rows + graph.indices)), shape=(rows + columns, rows + columns)
    )
    label = connected_components(links, directed=False)[1][:rows]
    return np.unique(label, return_inverse=True)[1]


def assign(graph, label, alone):
    """Cheapest one-to-one pairing of rows and columns.

    Args:
        graph: sparse (R, C) of costs of the possible pairs, zero included.
        label: int (R,), the connected component of each row.
        alone: cost of a row without a partner.

    Returns:
        int (R,): each row's column, or -1.
    """
    partner = np.full(graph.shape[0], -1)
    for rows in _batches(label):
        block = graph[rows]
        columns, index = np.unique(block.indices, return_inverse=True)
        # One more per pair: the solver takes no zeros. Pairing all rows, some of
        # them with nobody, keeps the constant the same for every solution.
        block = csr_array((block.data + 1, index, block.indptr), (len(rows), len(columns)))
        # Each vertex of the side that has to be paired gets a stand-in for "nobody".
        # The smaller side leaves fewer alone, which is what takes the solver's time.
        if len(rows) <= len(columns):
            row, column = _solve(block, alone + 1)
        else:
            column, row = _solve(block.T.tocsr(), alone + 1)
        partner[rows[row]] = columns[column]
    return partner


def _solve(graph, alone):
    """Pairs of the cheapest matching; each row may stay alone at that price."""
    rows, columns = graph.shape
    # Column `columns + i` is row i's own "nobody", put at the end of the row. Written out, because
    # the sparse constructors take longer than the solver on small graphs.
    ends = graph.indptr[1:]
    costs = np.insert(graph.data, ends, float(alone))
    wants = np.insert(graph.indices, ends, columns + np.arange(rows, dtype=graph.indices.dtype))
    starts = graph.indptr + np.arange(rows + 1, dtype=graph.indptr.dtype)
    full = csr_array((costs, wants, starts), (rows, columns + rows))
    row, column = min_weight_full_bipartite_matching(full)
    real = column < columns
    return row[real], column[real]


def _batches(label):
    """Row indices, component after component, small ones put together."""
    order = np.argsort(label, kind="stable")
    ends = np.flatnonzero(np.diff(label[order], append=-1)) + 1
    start = 0
    for position, end in enumerate(ends):
        following = ends[position + 1] if position + 1 < len(ends) else None
        if following is None or following - start > BATCH_ROWS:
            yield order[start:end]
            start = end
