# %% [markdown]
# # Problem set 4: find edges, and count them fairly
#
# An edge detector gives every pixel a strength. Between that and a score lie four steps, and each of them can flatter a detector. Here you write all four.
#
# **What you'll learn**
#
# - A gradient has a direction, and the edge runs across it.
# - Why a loss for edges weighs the two classes, and how to write it so that it never overflows.
# - Why found and true edge pixels are matched one to one.
# - What the two scores ODS and OIS choose, and when.
#
# **What you'll need.** Notebooks `02` and `10`, about 90 minutes. NumPy; SciPy where you like.
#
# | task | points |
# |---|---|
# | 1 Gradient | 3 |
# | 2 Non-maximum suppression | 4 |
# | 3 Class-balanced loss | 3 |
# | 4 Matching within a tolerance | 4 |
# | 5 ODS and OIS | 3 |
# | 6 A score that can be cheated | 3 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests your function and says what to think about. When you hand in, more tests run, on numbers that you do not see. Do not rename or delete cells; you may add cells of your own.

# %% readonly="setup"
import numpy as np

from helpers import checks

# %% [markdown]
# ## Task 1: the gradient
#
# A picture is an array `image[y, x]`: the first index counts rows, downwards, the second counts columns, to the right. The *central difference* estimates the slope at a pixel from its two neighbours, which are two pixels apart:
#
# $$g_x[y, x] = \tfrac12\big(I[y, x+1] - I[y, x-1]\big), \qquad g_y[y, x] = \tfrac12\big(I[y+1, x] - I[y-1, x]\big).$$
#
# The outermost rows and columns lack a neighbour. Put there what you like; only the inside is tested.


# %% solution="gradient"
def gradient(image):
    """The central differences of an image (H, W): two arrays (H, W), g_x first."""
    ### BEGIN SOLUTION
    padded = np.pad(image, 1, mode="edge")
    g_x = 0.5 * (padded[1:-1, 2:] - padded[1:-1, :-2])
    g_y = 0.5 * (padded[2:, 1:-1] - padded[:-2, 1:-1])
    return g_x, g_y
    ### END SOLUTION


# %% test="gradient" points=3
import numpy as np

from helpers import checks

ramp = np.tile(3.0 * np.arange(6.0), (5, 1))  # brighter by 3 a column, to the right
g_x, g_y = gradient(ramp.copy())
inside = (slice(1, -1), slice(1, -1))
checks.true(
    np.abs(checks.array(g_y)[inside]).max() < 1e-6,
    "Every column of this picture has one value, so nothing changes downwards. Which index of "
    "`image[y, x]` is the row?",
)
checks.close(
    checks.array(g_x)[inside],
    np.full((3, 4), 3.0),
    "This picture grows by 3 a column. The two neighbours are two columns apart.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(60601)
for height, width in ((5, 7), (8, 4), (6, 6)):
    image = rng.normal(size=(height, width))
    g_x, g_y = gradient(image.copy())
    right, left = image[1:-1, 2:], image[1:-1, :-2]
    below, above = image[2:, 1:-1], image[:-2, 1:-1]
    hint = "On another picture the differences come out wrong. Bright on the right is positive."
    checks.close(checks.array(g_x)[inside], (right - left) / 2, hint)
    hint = "On another picture g_y comes out wrong. Bright below is positive: y counts downwards."
    checks.close(checks.array(g_y)[inside], (below - above) / 2, hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: non-maximum suppression
#
# A blurred border is strong in several pixels side by side. *Non-maximum suppression* (NMS) keeps the crest: a pixel survives if it is at least as strong as its two neighbours **across** the edge, that is, along the gradient. Round the direction of the gradient to the nearest of four:
#
# | gradient points | neighbours of `[y, x]` |
# |---|---|
# | left or right (within 22.5°) | `[y, x-1]`, `[y, x+1]` |
# | up or down | `[y-1, x]`, `[y+1, x]` |
# | diagonally, $g_x$ and $g_y$ of one sign | `[y-1, x-1]`, `[y+1, x+1]` |
# | diagonally, of two signs | `[y-1, x+1]`, `[y+1, x-1]` |
#
# Neighbours outside the picture count as 0. Look from one pixel to the next only; nothing is interpolated.


# %% solution="nms"
def nms(strength, g_x, g_y):
    """Keep the crests of an edge map.

    strength, g_x, g_y: arrays (H, W), strength ≥ 0.
    Returns an array (H, W): the strength where it survives, 0 elsewhere.
    """
    ### BEGIN SOLUTION
    height, width = strength.shape
    padded = np.pad(strength, 1)
    sector = np.round(np.arctan2(g_y, g_x) / (np.pi / 4)).astype(int) % 4
    kept = np.zeros_like(strength)
    for number, (dy, dx) in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):
        ahead = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        behind = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        crest = (sector == number) & (strength >= ahead) & (strength >= behind)
        kept[crest] = strength[crest]
    return kept
    ### END SOLUTION


# %% test="nms" points=4
import numpy as np

from helpers import checks

line = np.tile([0.1, 0.5, 0.9, 0.4, 0.2], (4, 1))  # an upright border, blurred
kept = nms(line.copy(), np.ones((4, 5)), np.zeros((4, 5)))
checks.close(
    kept,
    np.tile([0, 0, 0.9, 0, 0], (4, 1)),
    "An upright border: the gradient points to the right, so a pixel is compared with its left "
    "and right neighbours. Along the border nothing should vanish.",
)
checks.close(
    nms(line.T.copy(), np.zeros((5, 4)), np.ones((5, 4))),
    np.tile([0, 0, 0.9, 0, 0], (4, 1)).T,
    "The same border, lying. Which neighbours lie across it now?",
)
corner = np.array([[0.9, 0.2, 0.8], [0.2, 0.5, 0.2], [0.1, 0.2, 0.3]])
checks.close(
    checks.array(nms(corner.copy(), np.ones((3, 3)), -np.ones((3, 3))))[1, 1],
    0.0,
    "g_x > 0 and g_y < 0: the gradient points to the right and up. The pixel up right is stronger.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(80808)
for height, width in ((6, 9), (7, 5), (10, 10)):
    strength = rng.uniform(0.05, 1, size=(height, width))
    # Angles away from the borders between the sectors, so that rounding decides nothing.
    sector = rng.integers(0, 8, size=(height, width))
    angle = sector * np.pi / 4 + rng.uniform(-0.37, 0.37, size=(height, width))
    length = rng.uniform(0.2, 3, size=(height, width))
    expected = np.zeros_like(strength)
    for y in range(height):
        for x in range(width):
            dy, dx = [(0, 1), (1, 1), (1, 0), (1, -1)][sector[y, x] % 4]
            both = [(y + dy, x + dx), (y - dy, x - dx)]
            inside = [strength[p] for p in both if 0 <= p[0] < height and 0 <= p[1] < width]
            if strength[y, x] >= max(inside, default=0):
                expected[y, x] = strength[y, x]
    checks.close(
        nms(strength.copy(), length * np.cos(angle), length * np.sin(angle)),
        expected,
        "On another map other pixels survive. Compare with both neighbours, along the gradient; "
        "y counts downwards; outside the picture the strength is 0, it does not wrap around.",
    )
plateau = np.tile([0.25, 0.5, 0.5, 0.25], (3, 1))
checks.close(
    nms(plateau.copy(), np.ones((3, 4)), np.zeros((3, 4))),
    np.tile([0, 0.5, 0.5, 0], (3, 1)),
    "Two neighbours are equally strong. Each is at least as strong as the other, so both survive.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: a class-balanced loss
#
# Two pixels in a hundred are edges. A network that says *no edge* everywhere has a small cross-entropy, so the loss of the HED detector weighs each class by the share of the *other*. With $e_i \in \{0, 1\}$ for an edge, $\ell_i$ the network's logit, $p_i = 1/(1 + e^{-\ell_i})$ and $w$ the share of pixels that are **no** edge:
#
# $$L = -\frac1n \sum_{i=1}^{n} \big[\, w\, e_i \log p_i + (1 - w)\,(1 - e_i) \log(1 - p_i) \,\big].$$
#
# A logit of ±50 is nothing unusual. Then $p$ rounds to 0 or 1 and a logarithm to $-\infty$: use $-\log p = \log(1 + e^{-\ell})$ and a function for $\log(e^a + e^b)$.


# %% solution="balanced_loss"
def balanced_loss(logits, edges):
    """The class-balanced cross-entropy of an edge map, one number.

    logits: array (H, W). edges: array (H, W) of 0 and 1.
    """
    ### BEGIN SOLUTION
    share = np.mean(edges == 0)  # w
    positive = np.logaddexp(0, -logits)  # −log p
    negative = np.logaddexp(0, logits)  # −log (1 − p)
    return np.mean(np.where(edges == 1, share * positive, (1 - share) * negative))
    ### END SOLUTION


# %% test="balanced_loss" points=2
import numpy as np

from helpers import checks

edges = np.array([[1, 0], [0, 0]])
checks.close(
    balanced_loss(np.zeros((2, 2)), edges.copy()),
    (0.75 + 3 * 0.25) * np.log(2) / 4,
    "One edge of four pixels, p = ½ everywhere: the edge weighs ¾, each other pixel ¼, and the "
    "sum is divided by the number of pixels.",
)
sure = np.where(edges == 1, 3.0, -3.0)
checks.true(
    balanced_loss(sure.copy(), edges.copy()) < balanced_loss(-sure, edges.copy()),
    "Right logits must cost less than wrong ones. Which logarithm belongs to the edges?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1357)
for height, width, share in ((6, 8, 0.1), (9, 5, 0.3), (4, 4, 0.6)):
    edges = (rng.uniform(size=(height, width)) < share).astype(int)
    edges[0, 0], edges[0, 1] = 1, 0
    logits = 2 * rng.normal(size=(height, width))
    p, w = 1 / (1 + np.exp(-logits)), 1 - edges.mean()
    expected = -np.mean(w * edges * np.log(p) + (1 - w) * (1 - edges) * np.log(1 - p))
    checks.close(
        balanced_loss(logits.copy(), edges.copy()),
        expected,
        "On another map the loss comes out wrong. The rare class weighs more: the share of the "
        "pixels that are no edge is the weight of the edges.",
    )
### END HIDDEN TESTS

# %% test="balanced_loss_is_stable" points=1
import numpy as np

from helpers import checks

edges = np.array([[1, 0], [0, 0]])
checks.close(
    balanced_loss(np.full((2, 2), 800.0), edges),
    3 * 0.25 * 800 / 4,
    "At a logit of 800 the sigmoid is 1 to the last digit. What is log(1 + e^800), nearly?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(2468)
edges = (rng.uniform(size=(5, 5)) < 0.4).astype(int)
logits = rng.choice([-900.0, -60.0, 70.0, 850.0], size=(5, 5))
w = 1 - edges.mean()
costs = np.where(edges == 1, w * np.maximum(0, -logits), (1 - w) * np.maximum(0, logits))
checks.close(
    balanced_loss(logits, edges),
    costs.mean(),
    "With large logits of both signs the loss must be finite and right.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: matching within a tolerance
#
# A found edge pixel may lie beside the true one and still be right. But one true pixel must not excuse ten found ones. So found and true pixels are matched **one to one**: each is in one pair at most, the two of a pair are at most `radius` apart (Euclidean distance), and there are as many pairs as possible.
#
# Taking for each found pixel the nearest free one is not enough: it may take away the only partner of another. SciPy has `scipy.sparse.csgraph.maximum_bipartite_matching` and `scipy.optimize.linear_sum_assignment`.


# %% solution="matched_pairs"
def matched_pairs(found, truth, radius):
    """The largest number of pairs of found and true pixels.

    found: array (n, 2) of places y, x. truth: array (m, 2). Either may be empty.
    Returns a whole number.
    """
    ### BEGIN SOLUTION
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not len(found) or not len(truth):
        return 0
    distance = np.linalg.norm(found[:, None] - truth[None], axis=-1)  # (n, m)
    partner = maximum_bipartite_matching(csr_matrix(distance <= radius))
    return int(np.sum(partner >= 0))
    ### END SOLUTION


# %% test="matched_pairs" points=4
import numpy as np

from helpers import checks

beside = np.array([[0, 0], [0, 1], [0, 2]])
checks.same(
    matched_pairs(beside.copy(), np.array([[0, 1]]), 1),
    1,
    "Three found pixels lie within reach of one true pixel. It can excuse one of them.",
)
checks.same(
    matched_pairs(np.array([[0, 1], [0, 0]]), np.array([[0, 0], [0, 2]]), 1),
    2,
    "The first found pixel reaches both true ones, the second only one. Both can have a partner, "
    "if the first leaves it to the second.",
)
checks.same(
    matched_pairs(np.array([[0, 0]]), np.array([[1, 1]]), 1),
    0,
    "One row and one column apart is √2, more than 1.",
)
checks.same(
    matched_pairs(np.zeros((0, 2), int), beside, 2), 0, "Nothing found: there are no pairs."
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(97531)
for n, m, size, radius in ((9, 8, 6, 1.5), (14, 12, 7, 1.0), (6, 15, 8, 2.0), (12, 12, 5, 1.0)):
    places = np.stack(np.divmod(np.arange(size * size), size), axis=1)
    found, truth = (rng.permutation(places)[:k] for k in (n, m))
    near = ((found[:, None] - truth[None]) ** 2).sum(-1) <= radius**2 + 1e-9
    partner = [-1] * m

    def reach(i, seen):
        for j in np.flatnonzero(near[i]):
            if j not in seen:
                seen.add(j)
                if partner[j] < 0 or reach(partner[j], seen):
                    partner[j] = i
                    return True
        return False

    most = sum(reach(i, set()) for i in range(n))
    checks.same(
        matched_pairs(found.copy(), truth.copy(), radius),
        most,
        "On other pixels the number of pairs is wrong. One partner each, a distance of exactly "
        "the radius is allowed, and there must be no way to make more pairs.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: ODS and OIS
#
# A detector's map is cut at $T$ thresholds. For $N$ images, `counts[n, t]` holds four whole numbers: found pixels that have a partner, found pixels, true pixels that have a partner, true pixels. Precision is the first over the second, recall the third over the fourth, and $F = 2PR/(P + R)$. Where a denominator is 0, the value is 0.
#
# - **ODS** (optimal dataset scale): one threshold for all images. Add the counts of all images, take $F$ at each threshold, keep the largest.
# - **OIS** (optimal image scale): a threshold for each image, the one with the largest $F$ of that image (the first, if there are several). Then add the chosen counts of all images, and take $F$ once.


# %% solution="ods_ois"
def ods_ois(counts):
    """ODS and OIS of counts (N, T, 4), two numbers."""

    ### BEGIN SOLUTION
    def ratio(a, b):
        return np.divide(a, b, out=np.zeros(np.shape(a)), where=np.asarray(b) > 0)

    def f_measure(c):  # (…, 4) → (…)
        precision, recall = ratio(c[..., 0], c[..., 1]), ratio(c[..., 2], c[..., 3])
        return ratio(2 * precision * recall, precision + recall)

    ods = f_measure(counts.sum(axis=0)).max()
    best = f_measure(counts).argmax(axis=1)
    ois = f_measure(counts[np.arange(len(counts)), best].sum(axis=0))
    return float(ods), float(ois)
    ### END SOLUTION


# %% test="ods" points=2
import numpy as np

from helpers import checks

counts = np.array([[[8, 10, 8, 10], [2, 2, 2, 10]], [[1, 10, 1, 1], [1, 1, 1, 1]]])
checks.close(
    ods_ois(counts.copy())[0],
    2 * (9 / 20) * (9 / 11) / (9 / 20 + 9 / 11),
    "Add the counts of the two images first, threshold by threshold; then one F a threshold.",
)
checks.close(
    ods_ois(np.array([[[0, 0, 0, 5], [0, 3, 0, 5]]]))[0],
    0,
    "Nothing found, or nothing right: precision and recall are 0, and so is F, not 0/0.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(8642)
for images, thresholds in ((3, 4), (5, 7), (2, 5)):
    truth = rng.integers(5, 60, (images, 1)) * np.ones((1, thresholds), int)
    found = rng.integers(1, 80, (images, thresholds))
    right = np.minimum(found, truth) * rng.uniform(0.1, 1, found.shape)
    counts = np.stack([right.astype(int), found, (right * 0.9).astype(int), truth], axis=-1)
    total = counts.sum(axis=0)
    f = [2 * a / b * c / d / (a / b + c / d) if a and c else 0 for a, b, c, d in total.tolist()]
    checks.close(
        ods_ois(counts.copy())[0],
        max(f),
        "On other counts the ODS is wrong. It is an F of sums, not an average of F's.",
    )
### END HIDDEN TESTS

# %% test="ois" points=1
import numpy as np

from helpers import checks

counts = np.array([[[8, 10, 8, 10], [2, 2, 2, 10]], [[1, 10, 1, 1], [1, 1, 1, 1]]])
checks.close(
    ods_ois(counts.copy())[1],
    9 / 11,
    "The first image chooses the first threshold, the second the second: 9 of 11, both ways.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(9753)
for images, thresholds in ((4, 4), (6, 5), (3, 8)):
    truth = rng.integers(5, 60, (images, 1)) * np.ones((1, thresholds), int)
    found = rng.integers(1, 80, (images, thresholds))
    right = np.minimum(found, truth) * rng.uniform(0.1, 1, found.shape)
    counts = np.stack([right.astype(int), found, (right * 0.8).astype(int), truth], axis=-1)

    def f_of(row):
        a, b, c, d = (float(v) for v in row)
        return 2 * (a / b) * (c / d) / (a / b + c / d) if a and c else 0.0

    chosen = sum(max(one, key=f_of) for one in counts)
    checks.close(
        ods_ois(counts.copy())[1],
        f_of(chosen),
        "On other counts the OIS is wrong. Each image chooses by its own F; then counts are added.",
    )
tied = np.array([[[2, 4, 2, 8], [4, 16, 4, 8]], [[1, 1, 1, 1], [1, 1, 1, 1]]])
checks.close(
    ods_ois(tied.copy())[1],
    3 / 7,
    "Both thresholds of the first image are equally good: the first counts.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: a score that can be cheated
#
# Somebody spares the matching: they *dilate* the true edges by the radius and call a found pixel right if it lies on the dilated edge. Precision is the share of right ones; recall is computed the same way, with the found pixels dilated.
#
# What map would you hand in to profit from that score, and what would it get under one-to-one matching? Which of the two numbers, precision or recall, hides the cheat? Why does one-to-one matching need thin maps, and what does NMS have to do with it?
#
# *Rubric, 3 points.* 1: the map, and why this score likes it. 1: what happens to its pixels, and to which number, under one-to-one matching. 1: what follows for an honest detector whose borders are blurred.

# %% [markdown] answer="cheat" points=3
# Paint a band of width 2·radius + 1 along every border of which I am fairly sure. Each pixel of it lies on the dilated truth, so the precision is 1, and the recall cannot fall by painting more. With one-to-one matching a true pixel takes one partner of the band's width, and the others are false: the precision falls to about one in 2·radius + 1. An honest detector with blurred borders would lose in the same way, so maps are thinned to lines before the counting. NMS does it and keeps the crest. (The Berkeley benchmark also thins every thresholded map itself: for its score, NMS decides where the line runs, not how wide it is. See notebook `10`.)
