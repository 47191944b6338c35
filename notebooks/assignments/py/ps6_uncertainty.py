# %% [markdown]
# # Problem set 6: score several answers, and strange pixels
#
# A model draws several masks of one picture, because people disagree about it. Another model gives every pixel a number that says how strange it is. Here you write the measures for both, and then you look for answers that get a good number and say nothing.
#
# **What you'll learn**
#
# - Why the log-likelihood of several maps is the logarithm of a mean, and how it is computed when every term rounds to zero.
# - Why a draw must not be compared with itself.
# - What a calibration error, an AUROC and an average precision each see, and what they do not see.
# - Why a threshold is chosen on other pictures than those that are scored.
#
# **What you'll need.** Notebooks `12` and `13`, about 90 minutes. NumPy is all you need; SciPy where you like.
#
# | task | points |
# |---|---|
# | 1 log p of people's masks | 4 |
# | 2 Energy distance | 3 |
# | 3 Calibration error | 3 |
# | 4 AUROC and average precision | 4 |
# | 5 A threshold from other pictures | 2 |
# | 6 Answers that cheat | 4 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests your function and says what to think about. When you hand in, more tests run, on numbers that you do not see. Do not rename or delete cells; you may add cells of your own.

# %% readonly="setup"
import numpy as np

from helpers import checks

# %% [markdown]
# ## Task 1: how likely are the people's masks?
#
# Some people marked one picture. A mask $y$ is an array of 0 and 1. A *map* $q$ says for each pixel $i$ with which probability it is marked, and given the map, the pixels are independent:
#
# $$\log p(y \mid q) = \sum_i \big[\, y_i \log q_i + (1 - y_i) \log (1 - q_i) \,\big], \qquad 0 < q_i < 1.$$
#
# It is **summed** over the pixels of a mask, in nats, and then **averaged** over the people.


# %% solution="log_p_one_map"
def log_p_one_map(q, masks):
    """Mean of log p(mask | q) over the people, one number, in nats.

    q: array (H, W) of probabilities. masks: array (A, H, W) of 0 and 1, one for each person.
    """
    ### BEGIN SOLUTION
    log_p = np.where(masks == 1, np.log(q), np.log1p(-q))  # (A, H, W)
    return log_p.sum(axis=(1, 2)).mean()
    ### END SOLUTION


# %% test="log_p_one_map" points=1
import numpy as np

from helpers import checks

half = np.full((2, 2), 0.5)
checks.close(
    log_p_one_map(half.copy(), np.array([[[1, 0], [0, 1]]])),
    -4 * np.log(2),
    "Four pixels, each with probability ½. What does one of them cost, and are the four added up?",
)
q = np.array([[0.9, 0.2]])
checks.close(
    log_p_one_map(q.copy(), np.array([[[1, 0]], [[0, 0]]])),
    (np.log(0.9) + np.log(0.8) + np.log(0.1) + np.log(0.8)) / 2,
    "Two people. Where a person did not mark, which probability did the map give to that? "
    "The sum goes over pixels, the mean over people.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(71717)
for people, height, width in ((3, 4, 5), (1, 6, 2), (7, 3, 3)):
    q = rng.uniform(0.03, 0.97, size=(height, width))
    masks = (rng.uniform(size=(people, height, width)) < q).astype(int)
    each = [sum(np.log(p if y else 1 - p) for p, y in zip(q.flat, m.flat)) for m in masks]
    checks.close(
        log_p_one_map(q.copy(), masks.copy()),
        sum(each) / people,
        "On another map the number comes out wrong. Add over the pixels of a mask, average over "
        "the people, in nats; a logarithm of a probability is negative.",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Several maps.** A model with a latent draws $S$ maps. Each mask *as a whole* comes from one of them, and all are equally likely:
#
# $$\log p(y) = \log \frac1S \sum_{s=1}^{S} p(y \mid q_s).$$
#
# A picture has a thousand pixels or more, so $p(y \mid q_s)$ may be $e^{-2000}$. A computer rounds that to 0, and the logarithm of 0 is $-\infty$. Take the largest exponent $m$ out of the sum first: $\log \sum_s e^{a_s} = m + \log \sum_s e^{a_s - m}$ with $m = \max_s a_s$. Then the largest term is 1.


# %% solution="log_p_sampled"
def log_p_sampled(maps, masks):
    """Mean of log p(mask) over the people, where each mask comes from one of the maps.

    maps: array (S, H, W) of probabilities. masks: array (A, H, W) of 0 and 1.
    Returns one number, in nats.
    """
    ### BEGIN SOLUTION
    marked = masks[None] == 1  # (1, A, H, W)
    log_p = np.where(marked, np.log(maps)[:, None], np.log1p(-maps)[:, None])  # (S, A, H, W)
    log_p = log_p.sum(axis=(2, 3))  # (S, A)
    largest = log_p.max(axis=0)
    return np.mean(largest + np.log(np.mean(np.exp(log_p - largest), axis=0)))
    ### END SOLUTION


# %% test="log_p_sampled" points=2
import numpy as np

from helpers import checks

left = np.array([[1, 1, 0, 0]])
right = 1 - left
maps = np.array([0.1 + 0.8 * left, 0.1 + 0.8 * right])  # two readings, fairly sure of each
checks.close(
    log_p_sampled(maps.copy(), np.array([left, right])),
    np.log((0.9**4 + 0.1**4) / 2),
    "Each mask as a whole comes from one of the two maps. Average the two probabilities of the "
    "mask; the logarithm comes after. The mean of the two maps is grey and knows no reading.",
)
q = np.array([[0.9, 0.2]])
checks.close(
    log_p_sampled(np.array([q, q, q]), np.array([[[1, 0]], [[0, 0]]])),
    (np.log(0.9) + np.log(0.8) + np.log(0.1) + np.log(0.8)) / 2,
    "Three times the same map says what one map says. By what is the sum over maps divided?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(80386)
for samples, people, height, width in ((3, 5, 3, 4), (5, 2, 2, 6), (4, 4, 3, 3), (1, 3, 4, 2)):
    maps = rng.uniform(0.05, 0.95, size=(samples, height, width))
    masks = rng.integers(0, 2, size=(people, height, width))
    logs = []
    for mask in masks:
        products = [np.prod([p if y else 1 - p for p, y in zip(q.flat, mask.flat)]) for q in maps]
        logs.append(np.log(sum(products) / samples))
    checks.close(
        log_p_sampled(maps.copy(), masks.copy()),
        np.mean(logs),
        "On other maps the number comes out wrong. For each person: one probability for each map, "
        "their mean, its logarithm. Over which axis runs which mean?",
    )
### END HIDDEN TESTS

# %% test="log_p_sampled_is_stable" points=1
import numpy as np

from helpers import checks

maps = np.stack([np.full((40, 25), 0.1), np.full((40, 25), 0.3)])
checks.close(
    log_p_sampled(maps.copy(), np.ones((1, 40, 25), int)),
    1000 * np.log(0.3) - np.log(2),
    "A thousand pixels: both probabilities round to 0 if they are computed as such. Which of the "
    "two terms counts, and can it be taken out of the sum before `exp`?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(6174)
for samples, people in ((6, 3), (2, 5)):
    maps = rng.uniform(0.02, 0.98, size=(samples, 60, 44))
    maps[-1] = 0.5  # the maps differ by hundreds of nats
    masks = rng.integers(0, 2, size=(people, 60, 44))
    masks[0] = maps[-2] > 0.5
    log_p = np.where(masks[:, None] == 1, np.log(maps), np.log(1 - maps)).sum(axis=(2, 3))
    checks.close(
        log_p_sampled(maps.copy(), masks.copy()),
        np.mean(np.logaddexp.reduce(log_p, axis=1) - np.log(samples)),
        "On large masks the number must be finite and right. Each person has a largest term of "
        "their own.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: how far apart are two sets of masks?
#
# The *IoU* of two masks (intersection over union) is the number of pixels that both have, divided by the number that at least one of them has. Their distance $d$ is 1 − IoU: 0 if they are the same, 1 if they share no pixel. Two *empty* masks are the same.


# %% solution="distances"
def distances(a, b):
    """1 − IoU of each mask of one set and each mask of another.

    a: array (S, H, W) of 0 and 1. b: array (A, H, W) of 0 and 1.
    Returns an array (S, A). Two empty masks have the distance 0.
    """
    ### BEGIN SOLUTION
    a, b = a[:, None] == 1, b[None] == 1
    both = (a & b).sum(axis=(2, 3))
    union = (a | b).sum(axis=(2, 3))
    return np.where(union > 0, 1 - both / np.maximum(union, 1), 0.0)
    ### END SOLUTION


# %% test="distances" points=1
import numpy as np

from helpers import checks

one = np.array([[1, 1, 0, 0]])
more = np.array([[1, 1, 1, 0]])
other = np.array([[0, 0, 0, 1]])
empty = np.zeros((1, 4), int)
checks.close(
    distances(np.array([one, other]), np.array([one, more, other])),
    [[0, 1 / 3, 1], [1, 1, 0]],
    "Of the pixels that at least one of the two masks has, which share do both have?",
)
checks.close(
    distances(np.array([empty]), np.array([one, empty])),
    [[1, 0]],
    "Two people who mark nothing agree. What does 0/0 give in your formula?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1905)
for n, m, height, width in ((3, 5, 4, 4), (6, 2, 3, 7), (1, 4, 5, 5)):
    a = (rng.uniform(size=(n, height, width)) < 0.5).astype(int)
    b = (rng.uniform(size=(m, height, width)) < 0.3).astype(int)
    a[-1], b[0] = 0, 0
    expected = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            ours, theirs = set(np.flatnonzero(a[i])), set(np.flatnonzero(b[j]))
            if ours | theirs:
                expected[i, j] = 1 - len(ours & theirs) / len(ours | theirs)
    checks.close(
        distances(a.copy(), b.copy()),
        expected,
        "On other masks a distance is wrong. A row for each mask of the first set; the share is "
        "taken of the union; nothing and nothing agree.",
    )
### END HIDDEN TESTS

# %% [markdown]
# The *energy distance* of the draws and the people is
#
# $$2\,\mathbb E\, d(S, Y) - \mathbb E\, d(S, S') - \mathbb E\, d(Y, Y'),$$
#
# where $S$ and $S'$ are draws, and $Y$ and $Y'$ people's masks.
#
# The draws stand for a model that could give many more. So $S$ and $S'$ are two **different** draws: no draw is paired with itself. Two different draws may hold the same mask, and that pair counts. The people are all there are. So $Y$ and $Y'$ are any two of them, and may be the same person. A single draw stands for a model that always gives this mask: then the middle term is 0.


# %% solution="energy_distance"
def energy_distance(draws, people):
    """Energy distance of the draws (S, H, W) and the people's masks (A, H, W), one number."""
    ### BEGIN SOLUTION
    between = distances(draws, people).mean()
    among_people = distances(people, people).mean()
    n = len(draws)
    among_draws = distances(draws, draws).sum() / max(1, n * (n - 1))  # the diagonal is 0
    return 2 * between - among_draws - among_people
    ### END SOLUTION


# %% test="energy_distance" points=2
import numpy as np

from helpers import checks

A = np.array([[1, 1, 0, 0]])
B = 1 - A
crowd = np.array([A, B])  # half of them mark A, half mark B
checks.close(
    energy_distance(np.array([A]), crowd.copy()),
    0.5,
    "Always A: it is right for half of the people. What does a single draw say of E d(S, S')?",
)
checks.close(
    energy_distance(np.array([A | B] * 5), crowd.copy()),
    0.5,
    "Always A and B together: five draws that are the same have no distance from each other.",
)
pairs = [energy_distance(np.array([a, b]), crowd.copy()) for a in (A, B) for b in (A, B)]
checks.close(
    np.mean([checks.array(pair) for pair in pairs], axis=0),
    0,
    "A coin that gives A or B follows the people exactly. Two draws of it are AA, AB, BA or BB, "
    "equally often. On average over the four, the distance should be 0. If yours is too large, "
    "which pairs are in E d(S, S')?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(27182)
for n, m, size in ((4, 6, 4), (2, 3, 5), (7, 2, 3), (1, 5, 4)):
    draws = (rng.uniform(size=(n, size, size)) < 0.5).astype(int)
    people = (rng.uniform(size=(m, size, size)) < 0.4).astype(int)
    draws[:, 0, 0] = people[:, 1, 1] = 1  # no mask is empty
    draws[-1] = draws[0]

    def d(a, b):
        return 1 - np.sum(a * b) / np.sum(np.maximum(a, b))

    between = np.mean([d(s, y) for s in draws for y in people])
    different = [d(draws[i], draws[j]) for i in range(n) for j in range(n) if i != j]
    among_draws = np.mean(different) if different else 0.0
    among_people = np.mean([d(y, z) for y in people for z in people])
    checks.close(
        energy_distance(draws.copy(), people.copy()),
        2 * between - among_draws - among_people,
        "On other masks the distance is wrong. No draw with itself; two draws that look alike are "
        "a pair all the same; a person with themself is a pair, because the people are all there "
        "are.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3: is 70 % true in 70 % of the cases?
#
# Pixels are sorted by their probability into bins of equal width. Bin $k = 0, 1, \dots, K - 1$ holds $k/K \le p < (k+1)/K$; a pixel with $p = 1$ belongs to the last bin. In a bin with $n_k$ pixels, let $\bar p_k$ be the mean probability and $\bar y_k$ the share of marked pixels. The *calibration error* of $n$ pixels is
#
# $$\sum_k \frac{n_k}{n}\, \big|\bar p_k - \bar y_k\big|.$$
#
# A bin without pixels adds nothing.


# %% solution="calibration_error"
def calibration_error(p, y, bins):
    """The calibration error, one number.

    p: array of probabilities, any shape; 0 and 1 may occur. y: array of 0 and 1, same shape.
    bins: how many bins of equal width.
    """
    ### BEGIN SOLUTION
    number = np.minimum((p * bins).astype(int), bins - 1)  # the bin of each pixel
    error = 0.0
    for k in range(bins):
        inside = number == k
        if inside.any():
            error += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return error
    ### END SOLUTION


# %% test="calibration_error" points=2
import numpy as np

from helpers import checks

p = np.array([[0.2, 0.2, 0.2, 0.2, 0.2], [0.2, 0.2, 0.2, 0.9, 0.9]])
y = np.array([[1, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
checks.close(
    calibration_error(p[:1].copy(), y[:1].copy(), 1),
    0.2,
    "One bin: 0.2 was said, and 2 of 5 pixels are marked.",
)
checks.close(
    calibration_error(p.copy(), y.copy(), 2),
    0.8 * 0.05 + 0.2 * 0.4,
    "Eight pixels say 0.2, and a quarter of them is marked. Two say 0.9, and half of them is. "
    "Does a bin with eight pixels weigh as much as one with two?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(31337)
for shape, bins, power in (((300,), 8, 1.0), ((20, 15), 5, 2.0), ((2, 12, 10), 3, 0.5)):
    p = rng.uniform(0.001, 0.999, size=shape)
    y = (rng.uniform(size=shape) < p**power).astype(int)
    expected = 0.0
    for k in range(bins):
        inside = [(a, b) for a, b in zip(p.flat, y.flat) if k / bins <= a < (k + 1) / bins]
        expected += abs(sum(a - b for a, b in inside)) / p.size
    checks.close(
        calibration_error(p.copy(), y.copy(), bins),
        expected,
        "On other pixels the error is wrong. In each bin: the distance of two means, without its "
        "sign, weighed by the share of pixels that are in the bin.",
    )
### END HIDDEN TESTS

# %% test="calibration_error_at_the_ends" points=1
import numpy as np

from helpers import checks

checks.close(
    calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), np.array([1, 0, 0, 0]), 10),
    0.25,
    "Two pixels say 1, and one of them is marked. Which bin are they in? Eight bins are empty, "
    "and an empty bin adds nothing.",
)
checks.close(
    calibration_error(np.array([0.5, 0.25]), np.array([0, 1]), 2),
    0.625,
    "Two bins, 0 ≤ p < ½ and ½ ≤ p ≤ 1: in which of them is p = ½?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(55440)
for bins, levels in ((4, [0.0, 0.25, 0.5, 0.75, 1.0]), (8, [0.0, 0.25, 0.875, 1.0]), (16, [1.0])):
    p = rng.choice(levels, size=60)
    y = (rng.uniform(size=60) < 0.3 + 0.4 * p).astype(int)
    expected = 0.0
    for k in range(bins):
        last = k == bins - 1
        inside = [
            (a, b) for a, b in zip(p, y) if k / bins <= a < (k + 1) / bins or (last and a == 1)
        ]
        expected += abs(sum(a - b for a, b in inside)) / p.size
    checks.close(
        calibration_error(p.copy(), y.copy(), bins),
        expected,
        "Probabilities that lie on the border of a bin: each belongs to the bin that begins "
        "there, and p = 1 to the last one. Empty bins add nothing.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: does the order tell?
#
# A score says how strange a picture is; larger is stranger. The *AUROC* asks about pairs: one usual picture and one strange one. In which share of all pairs has the strange one the larger score? A pair with equal scores counts one half.
#
# With many scores you need not look at all pairs. Put all scores in one order and number them 1, 2, 3, …; equal scores share the mean of their numbers. These are the *ranks*. With $N$ usual and $M$ strange pictures, and $R$ the sum of the ranks of the strange ones,
#
# $$\mathrm{AUROC} = \frac{R - M(M+1)/2}{N M}.$$
#
# (`scipy.stats.rankdata` gives such ranks.)


# %% solution="auroc"
def auroc(usual, strange):
    """The share of pairs in which the strange picture has the larger score; ties count half.

    usual: array (N,). strange: array (M,).
    """
    ### BEGIN SOLUTION
    scores = np.concatenate([usual, strange])
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]  # equal scores share their mean rank
    m = len(strange)
    return (ranks[len(usual) :].sum() - m * (m + 1) / 2) / (len(usual) * m)
    ### END SOLUTION


# %% test="auroc" points=2
import numpy as np

from helpers import checks

checks.close(
    auroc(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0])),
    5 / 6,
    "Six pairs. In five of them the strange picture has the larger score; 3 is below 4.",
)
checks.close(
    auroc(np.array([1.0, 2.0, 2.0]), np.array([2.0, 2.0])),
    2 / 3,
    "Four of the six pairs are equal, and each counts one half.",
)
checks.close(
    auroc(np.full(4, 0.3), np.full(3, 0.3)),
    0.5,
    "A score that is the same for all pictures tells nothing: ½, whatever their order.",
)
checks.close(
    auroc(np.array([3.0, 5.0]), np.array([1.0, 2.0, 4.0])),
    1 / 6,
    "Here the usual pictures have the larger scores: the wrong way round, and below one half.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(14142)
for n, m, levels in ((7, 4, 0), (5, 9, 4), (12, 12, 3), (1, 6, 0)):
    usual = rng.integers(0, levels, n) / 4 if levels else rng.normal(size=n)
    strange = rng.integers(0, levels, m) / 4 + 0.25 if levels else rng.normal(size=m) + 0.7
    wins = [float(s > u) + 0.5 * float(s == u) for s in strange for u in usual]
    checks.close(
        auroc(usual.copy(), strange.copy()),
        sum(wins) / (n * m),
        "On other scores the share is wrong. Every strange picture is paired with every usual "
        "one. What do your ranks say where scores are equal?",
    )
### END HIDDEN TESTS

# %% [markdown]
# **Average precision.** Now every *pixel* has a score, and few pixels are odd. Mark the pixels with a score of at least $t$. *Precision* is the share of odd pixels among the marked ones, *recall* the share of the odd pixels that are marked. Let $t$ fall through the **different** values of the scores, $t_1 > t_2 > \dots$, with the precisions $P_k$ and the recalls $R_k$, and $R_0 = 0$:
#
# $$\mathrm{AP} = \sum_k (R_k - R_{k-1})\, P_k.$$
#
# Pixels with equal scores pass the threshold together: they are one step, in whatever order they stand.


# %% solution="average_precision"
def average_precision(scores, odd):
    """Average precision of all pixels together, one number.

    scores: array (N, H, W), larger is stranger. odd: array (N, H, W) of 0 and 1, at least one 1.
    """
    ### BEGIN SOLUTION
    _, place = np.unique(-scores.ravel(), return_inverse=True)  # 0 for the largest score
    marked = np.cumsum(np.bincount(place))  # pixels at or above each threshold
    found = np.cumsum(np.bincount(place, weights=odd.ravel()))  # odd ones among them
    recall = found / found[-1]
    return np.sum(np.diff(recall, prepend=0) * found / marked)
    ### END SOLUTION


# %% test="average_precision" points=2
import numpy as np

from helpers import checks

scores = np.array([[[4.0, 3.0], [2.0, 1.0]]])
checks.close(
    average_precision(scores.copy(), np.array([[[1, 0], [1, 0]]])),
    (1 + 2 / 3) / 2,
    "The first odd pixel is found with precision 1, the second with precision ⅔. Each brings half "
    "of the recall.",
)
for odd in ([[[1, 0], [0, 0]]], [[[0, 0], [0, 1]]]):
    checks.close(
        average_precision(np.full((1, 2, 2), 7.0), np.array(odd)),
        0.25,
        "All scores are equal, so all pixels are marked at once, and a quarter of them is odd. "
        "Does it matter in your code where the odd pixel stands?",
    )
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(16180)
for pictures, size, levels in ((2, 5, 0), (3, 4, 6), (4, 6, 3), (1, 7, 12)):
    odd = (rng.uniform(size=(pictures, size, size)) < 0.25).astype(int)
    odd[0, 0, 0] = 1
    scores = rng.normal(size=odd.shape) + odd
    if levels:
        scores = np.clip(np.round(levels * (scores + 2) / 5), 0, levels) / 4
    expected, before = 0.0, 0.0
    for t in sorted(set(scores.flat), reverse=True):
        hits = int(odd[scores >= t].sum())
        recall = hits / odd.sum()
        expected += (recall - before) * hits / int((scores >= t).sum())
        before = recall
    checks.close(
        average_precision(scores.copy(), odd.copy()),
        expected,
        "On other maps the average is wrong. All pixels of all pictures in one order, from the "
        "largest score; equal scores are one step; a precision counts by the recall it brings.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5: a threshold from other pictures
#
# In use, a map needs a threshold: a pixel is marked if its score is **at least** $t$. To mark a usual pixel costs 1, to miss an odd one costs `MISS`. The cost is divided by the number of pixels.
#
# Which of some thresholds is the best depends on the pictures. Who chooses it on the pictures whose cost is reported has looked at the answers: the test set *leaks*. So there are two sets of pictures, one to choose on and one to report.

# %% readonly="miss"
MISS = 4  # redrawn from [2, 3, 4, 5, 8]


# %% solution="chosen_threshold"
def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):
    """The threshold that is chosen, and the cost that is reported for it.

    scores, odd: arrays (N, H, W), the pictures to choose on; odd holds 0 and 1.
    test_scores, test_odd: arrays (M, H, W), the pictures that are reported.
    thresholds: array (T,), in any order; of equally good ones, the first in the array is chosen.
    Returns two numbers: the threshold, and its cost per pixel on the test pictures.
    """

    ### BEGIN SOLUTION
    def cost(some, truth, t):
        marked = some >= t
        return np.mean(marked & (truth == 0)) + MISS * np.mean(~marked & (truth == 1))

    best = thresholds[np.argmin([cost(scores, odd, t) for t in thresholds])]
    return best, cost(test_scores, test_odd, best)
    ### END SOLUTION


# %% test="chosen_threshold" points=1
import numpy as np

from helpers import checks

scores, odd = np.array([[[0.2, 0.4, 0.6, 0.8]]]), np.array([[[0, 0, 1, 1]]])
test_scores, test_odd = np.array([[[0.4, 0.6, 0.6, 0.8]]]), np.array([[[1, 0, 0, 1]]])
thresholds = np.array([0.25, 0.5, 0.75])
checks.close(
    chosen_threshold(*(a.copy() for a in (scores, odd, test_scores, test_odd, thresholds)))[0],
    0.5,
    "On the pictures to choose on, 0.5 makes no mistake. Which pictures may the choice look at?",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(23601)
thresholds = np.arange(-64, 129) / 32
for pictures, tests, shift in ((3, 2, 0.75), (2, 4, -0.75), (4, 3, 1.0)):
    odd = (rng.uniform(size=(pictures, 6, 6)) < 0.2).astype(int)
    test_odd = (rng.uniform(size=(tests, 6, 6)) < 0.2).astype(int)
    odd[0, 0, :2] = test_odd[0, 0, :2] = 1, 0
    scores = rng.normal(size=odd.shape) / 2 + 1.5 * odd
    test_scores = rng.normal(size=test_odd.shape) / 2 + 1.5 * test_odd + shift
    costs = []
    for t in thresholds:
        alarms = int(((scores >= t) & (odd == 0)).sum())
        costs.append(alarms + MISS * int(((scores < t) & (odd == 1)).sum()))
    for turn in (1, -1):
        turned = thresholds[::turn]
        given = [a.copy() for a in (scores, odd, test_scores, test_odd, turned)]
        checks.close(
            chosen_threshold(*given)[0],
            turned[costs[::turn].index(min(costs))],
            "On other pictures another threshold should be chosen. Look only at the pictures to "
            "choose on; an odd pixel that is missed costs `MISS`; of equal costs the first in "
            "the array counts, in whatever order the thresholds are.",
        )
### END HIDDEN TESTS

# %% test="reported_cost" points=1
import numpy as np

from helpers import checks

scores, odd = np.array([[[0.2, 0.4, 0.6, 0.8]]]), np.array([[[0, 0, 1, 1]]])
test_scores, test_odd = np.array([[[0.4, 0.6, 0.6, 0.8]]]), np.array([[[1, 0, 0, 1]]])
thresholds = np.array([0.25, 0.5, 0.75])
checks.close(
    chosen_threshold(*(a.copy() for a in (scores, odd, test_scores, test_odd, thresholds)))[1],
    (2 + MISS) / 4,
    "With 0.5, the test pictures have two false alarms and one odd pixel that is missed. That the "
    "other thresholds would be better there, nobody may know before the report.",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(11213)
thresholds = np.arange(-4, 9) / 2
for pictures, tests, shift in ((3, 2, 0.5), (2, 4, -0.75), (4, 3, 0.75)):
    odd = (rng.uniform(size=(pictures, 5, 7)) < 0.2).astype(int)
    test_odd = (rng.uniform(size=(tests, 5, 7)) < 0.2).astype(int)
    odd[0, 0, :2] = test_odd[0, 0, :2] = 1, 0
    scores = np.round(4 * (rng.normal(size=odd.shape) / 2 + 1.5 * odd)) / 4
    test_scores = np.round(4 * (rng.normal(size=test_odd.shape) / 2 + 1.5 * test_odd + shift)) / 4
    costs = []
    for t in thresholds:
        alarms = int(((scores >= t) & (odd == 0)).sum())
        costs.append(alarms + MISS * int(((scores < t) & (odd == 1)).sum()))
    t = thresholds[costs.index(min(costs))]
    alarms = int(((test_scores >= t) & (test_odd == 0)).sum())
    missed = int(((test_scores < t) & (test_odd == 1)).sum())
    given = [a.copy() for a in (scores, odd, test_scores, test_odd, thresholds)]
    checks.close(
        chosen_threshold(*given)[1],
        (alarms + MISS * missed) / test_odd.size,
        "On other pictures the cost is wrong. Take the threshold as it was chosen and the test "
        "scores as they are; a score that equals the threshold is marked; divide by the number of "
        "test pixels.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6: answers that cheat
#
# Twenty people marked one picture, and read the question in three ways. Below are four sets of twenty maps that could be a model's answer:
#
# - **the people**: for each person a map that is nearly sure of this person's mask.
# - **one mask**: always the same map, nearly sure that both regions are marked, and nothing else.
# - **the average**: always the share of the people at each pixel, kept between 0.02 and 0.98.
# - **one number**: always the same number at every pixel, the share of all pixels that are marked.

# %% readonly="answers"
warm, cold = np.zeros((2, 12, 12), int)
warm[2:6, 1:7] = 1  # 24 pixels
cold[7:11, 7:11] = 1  # 16 pixels
people = np.array([warm + cold] * 8 + [warm] * 7 + [cold] * 5)  # (20, 12, 12)

share = people.mean(axis=0)
answers = {
    "the people": 0.02 + 0.96 * people,
    "one mask": np.array([0.02 + 0.96 * (warm + cold)] * 20),
    "the average": np.array([share.clip(0.02, 0.98)] * 20),
    "one number": np.full(people.shape, people.mean()),
}  # each (20, 12, 12)


def measures(maps):
    """Four numbers for twenty maps (20, 12, 12), with your functions.

    They must not change their arguments.
    """
    cut = (maps >= 0.5).astype(int)
    mean = np.broadcast_to(maps.mean(axis=0), people.shape)  # the mean map, for each person
    return [
        log_p_sampled(maps, people),
        2 * distances(cut, people).mean(),  # the first term of the energy distance alone
        energy_distance(cut, people),
        calibration_error(mean, people, 10),
    ]


# %% [markdown]
# **An experiment.** `measures` gives log p of the people's masks, the first term of the energy distance alone, $2\,\mathbb E\,d(S, Y)$, the whole energy distance, and the calibration error of the mean of the maps. Print them for the four answers, in a cell of your own.
#
# **Then write.** Give the table. Which answer is the best by each measure? Which measures can be won by an answer that does not know the three readings? Say why. Last, take *the average*. Somebody reports only its AUROC over all pixels of all twenty masks: those that the person marked are the strange ones, the others the usual ones. Somebody else reports only its calibration error. Name for each a change of the map that this measure does not punish and the other does, and measure it.
#
# *Rubric, 4 points.* 1: a table with numbers of your own for all four answers and four measures. 1: who wins the first term alone, who wins the whole energy distance, and which part makes the difference. 1: who wins the calibration error, what this measure does not look at, and whether log p can be won in that way. 1: the two changes, with numbers and reasons.

# %% [markdown] answer="cheats" points=4
# ```python
# for name, maps in answers.items():
#     log_p, first, whole, error = measures(maps)
#     print(f"| {name} | {log_p:.2f} | {first:.3f} | {whole:.3f} | {error:.3f} |")
#
# average = answers["the average"]
# changed = {"as it is": average, "squared": average**2, "one number": answers["one number"]}
# for name, q in changed.items():
#     order = auroc(q[people == 0], q[people == 1])
#     print(f"| {name} | {order:.3f} | {calibration_error(q, people, 10):.3f} |")
# ```
#
# | answer | log p (nats) | first term | energy distance | calibration error |
# |---|---|---|---|---|
# | the people | −3.99 | 0.814 | −0.021 | 0.017 |
# | one mask | −48.05 | 0.580 | 0.173 | 0.089 |
# | the average | −25.96 | 0.580 | 0.173 | 0.014 |
# | one number | −71.50 | 2.000 | 1.593 | 0.000 |
#
# *The first term alone* is won by one mask, and by the average, which is the same mask when it is cut: a mask between the readings is on average nearer to the people than the readings are to each other. The middle term takes that away. It is 0 for a mask that never changes, and the people's answer, whose draws differ, wins the whole distance. (It is a little below 0: each person is drawn once, so two different draws agree less often than $Y$ and $Y'$, who may be one person.)
#
# *The calibration error* is won by one number. It says 19.7 % everywhere, and 19.7 % of all pixels are marked: a single bin, without any error. The measure asks what is true on average where a number was said. It does not ask whether the map tells pixels apart, or which pixels are marked together. (The average has an error only because it is kept 0.02 away from 0 and 1.) *log p* cannot be won like that: on average over the people, no answer has a larger one than the people's own probabilities of whole masks.
#
# | the average | AUROC | calibration error |
# |---|---|---|
# | as it is | 0.956 | 0.014 |
# | squared | 0.956 | 0.057 |
# | one number | 0.500 | 0.000 |
#
# Squaring keeps the order of the pixels, and the AUROC depends on nothing else; but the numbers no longer come true. One number in place of the map does come true, and there is no order left. So both are reported.
