"""One-to-one matching of predicted edge pixels to annotated ones.

The Berkeley benchmark lets a predicted pixel explain one annotated pixel and
the other way round, and only within a small distance. Among all ways to pair
the pixels it takes one with the smallest cost, where leaving a pixel alone
costs far more than any distance. That is a matching with *as many pairs as
possible*, and among those one with the *smallest total distance*.

The number of pairs alone fixes recall, but not precision: a predicted pixel
counts as right when *any* annotator explains it, so it matters which pixels
are paired. Hence the distances have to break the ties.

Both halves are library calls on sparse graphs. The Dulmage–Mendelsohn split
stands between them: once one largest matching is known, it tells which side
of the graph every largest matching uses up, so the second step can ask for a
*full* matching of that side and needs no made-up partners for lonely pixels.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import (
    breadth_first_order,
    connected_components,
    maximum_bipartite_matching,
    min_weight_full_bipartite_matching,
)

# The official code turns distances into whole numbers of hundredths of a pixel.
UNITS_PER_PIXEL = 100

# Components are solved together up to about this many rows: SciPy's solver
# takes time rows × columns for bookkeeping, a Python call takes its own time.
BATCH_ROWS = 400


class Candidates:
    """Every pixel's possible partners among the annotated pixels of one image.

    Built once for an image and used for all its thresholds. Annotators are
    blocks of one large problem that share no edge.

    Args:
        annotations: (A, H, W), boolean, one map per annotator.
        radius: largest distance of a pair, in pixels.

    Attributes:
        graph: sparse (A · H · W, M), M annotated pixels over all annotators.
            Entry (a·H·W + p, j): the cost of pairing pixel p with annotated
            pixel j of annotator a, in hundredths of a pixel, plus one (zero
            would read as "no edge", and a constant per pair changes nothing).
    """

    def __init__(self, annotations, radius):
        count, height, width = annotations.shape
        self.annotators, self.pixels = count, height * width
        owner, y, x = np.nonzero(annotations)
        self.total = len(y)
        dy, dx = _disc(radius)
        cost = np.rint(np.hypot(dy, dx) * UNITS_PER_PIXEL) + 1.0

        py, px = y[:, None] + dy, x[:, None] + dx  # (M, offsets)
        inside = (py >= 0) & (py < height) & (px >= 0) & (px < width)
        row = (owner[:, None] * self.pixels + py * width + px)[inside]
        column = np.broadcast_to(np.arange(self.total)[:, None], inside.shape)[inside]
        cost = np.broadcast_to(cost, inside.shape)[inside]
        shape = (count * self.pixels, self.total)
        self.graph = csr_array((cost, (row, column)), shape=shape)

    def match(self, pixels):
        """Pairs the given pixels with each annotator's.

        Args:
            pixels: (P,) flat indices of the predicted edge pixels.

        Returns:
            `(paired, explained)`: boolean (A, P), whether each predicted pixel
            has a partner with each annotator, and the number of annotated
            pixels with a partner, over all annotators.
        """
        rows = (np.arange(self.annotators)[:, None] * self.pixels + pixels).ravel()
        degree = np.diff(self.graph.indptr)[rows]
        near = np.flatnonzero(degree)
        paired = np.zeros(len(rows), bool)
        if len(near):
            partner = assign(self.graph[rows[near]])
            paired[near] = partner >= 0
        return paired.reshape(self.annotators, -1), int(paired.sum())


def assign(graph):
    """Largest one-to-one matching with the smallest total cost.

    Args:
        graph: sparse (R, C) of positive costs; a missing entry cannot be paired.

    Returns:
        int (R,): each row's column, or -1.

    References:
        Dulmage and Mendelsohn, Coverings of bipartite graphs, Canadian Journal
        of Mathematics 10, 1958, https://doi.org/10.4153/CJM-1958-052-0
    """
    first = maximum_bipartite_matching(graph, perm_type="column")
    # Rows that some largest matching leaves alone. All their columns are used
    # up by every largest matching; every other row is, too.
    spare = _spare_rows(graph, first)
    used = np.zeros(graph.shape[1], bool)
    used[graph[spare].indices] = True

    partner = np.full(graph.shape[0], -1)
    tight = ~spare
    if tight.any():  # these rows are all paired, with columns not in `used`
        columns = np.flatnonzero(~used)
        rows = np.flatnonzero(tight)
        row, column = _full(graph[rows][:, columns])
        partner[rows[row]] = columns[column]
    if used.any():  # these columns are all paired, with rows in `spare`
        columns = np.flatnonzero(used)
        rows = np.flatnonzero(spare)
        column, row = _full(graph[rows][:, columns].T.tocsr())
        partner[rows[row]] = columns[column]
    return partner


def _spare_rows(graph, partner):
    """Rows reached from an unpaired row along alternating paths, boolean (R,)."""
    rows = graph.shape[0]
    alone = np.flatnonzero(partner < 0)
    if not len(alone):
        return np.zeros(rows, bool)
    owner = np.full(graph.shape[1], -1)
    matched = np.flatnonzero(partner >= 0)
    owner[partner[matched]] = matched
    # Row r leads to row s when r could take the column s has. Node `rows` is a
    # source that leads to all unpaired rows. An unpaired column leads nowhere;
    # its entry points back to its own row.
    own_row = np.repeat(np.arange(rows), np.diff(graph.indptr))
    target = owner[graph.indices]
    target = np.where(target < 0, own_row, target)
    indices = np.concatenate([target, alone])
    indptr = np.append(graph.indptr, len(indices))
    shape = (rows + 1, rows + 1)
    steps = csr_array((np.ones(len(indices)), indices, indptr), shape=shape)
    reached = breadth_first_order(steps, rows, return_predecessors=False)
    spare = np.zeros(rows + 1, bool)
    spare[reached] = True
    return spare[:rows]


def _full(graph):
    """Cheapest matching that pairs every row, solved in batches of components.

    Returns:
        `(rows, columns)`, int arrays of one entry per row.
    """
    rows, columns = graph.shape
    if rows <= BATCH_ROWS:
        return min_weight_full_bipartite_matching(graph)
    row_batch, column_batch = _batches(graph)
    # Put rows and columns of a batch side by side, then cut the diagonal blocks.
    row_order = np.argsort(row_batch, kind="stable")
    column_order = np.argsort(column_batch, kind="stable")
    sorted_graph = graph[row_order]
    position = np.empty(columns, np.int64)
    position[column_order] = np.arange(columns)
    column_of = position[sorted_graph.indices]
    batches = np.arange(row_batch.max() + 2)
    row_cut = np.searchsorted(row_batch[row_order], batches)
    column_cut = np.searchsorted(column_batch[column_order], batches)
    found_rows, found_columns = [], []
    for r0, r1, c0, c1 in zip(row_cut, row_cut[1:], column_cut, column_cut[1:]):
        e0, e1 = sorted_graph.indptr[r0], sorted_graph.indptr[r1]
        block = csr_array(
            (sorted_graph.data[e0:e1], column_of[e0:e1] - c0, sorted_graph.indptr[r0 : r1 + 1] - e0),
            shape=(r1 - r0, c1 - c0),
        )
        row, column = min_weight_full_bipartite_matching(block)
        found_rows.append(row_order[r0 + row])
        found_columns.append(column_order[c0 + column])
    return np.concatenate(found_rows), np.concatenate(found_columns)


def _batches(graph):
    """Groups connected components: a batch number per row and per column."""
    rows, columns = graph.shape
    own_row = np.repeat(np.arange(rows), np.diff(graph.indptr))
    nodes = rows + columns
    links = csr_array((graph.data, (own_row, rows + graph.indices)), shape=(nodes, nodes))
    count, label = connected_components(links, directed=False)
    size = np.bincount(label[:rows], minlength=count)
    batch = np.cumsum(size) // BATCH_ROWS
    # A column that nobody can take has a component of its own: any batch will do.
    batch = np.unique(batch, return_inverse=True)[1]
    occupied = np.unique(batch[label[:rows]])
    batch = np.minimum(np.searchsorted(occupied, batch), len(occupied) - 1)
    return batch[label[:rows]], batch[label[rows:]]


def _disc(radius):
    """All whole-pixel steps (dy, dx) of length at most `radius`."""
    reach = int(np.ceil(radius))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    within = dy * dy + dx * dx <= radius * radius
    return dy[within], dx[within]
