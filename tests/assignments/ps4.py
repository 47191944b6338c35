"""Submissions to ps4_edges. The first three wrong and two right ones are graded by `make test`."""

from assignments import overwritten, right, without, wrong

NAME = "ps4_edges"

NMS = """
def nms(strength, g_x, g_y):
    h, w = strength.shape
    out = np.zeros_like(strength)
    for y in range(h):
        for x in range(w):
            angle = np.degrees(np.arctan2(g_y[y, x], g_x[y, x])) % 180
            if angle < 22.5 or angle >= 157.5:
                dy, dx = {right}
            elif angle < 67.5:
                dy, dx = {down_right}
            elif angle < 112.5:
                dy, dx = {down}
            else:
                dy, dx = {down_left}
            here = strength[y, x]
            def at(a, b):
                return strength[a, b] if 0 <= a < h and 0 <= b < w else 0
            if {test}:
                out[y, x] = here
    return out
"""
TRUE = {"right": (0, 1), "down_right": (1, 1), "down": (1, 0), "down_left": (1, -1)}
CREST = "here >= at(y + dy, x + dx) and here >= at(y - dy, x - dx)"
LOSS = """
def balanced_loss(logits, edges):
    w = {share}
    return {loss}
"""
STABLE = "np.mean(np.where(edges == 1, w, 1 - w) * np.logaddexp(0, np.where(edges == 1, -logits, logits)))"
ALONG = {"right": (1, 0), "down_right": (1, -1), "down": (0, 1), "down_left": (1, 1)}
F = """
def f_measure(a, b, c, d):
    p, r = (a / b if b else 0.0), (c / d if d else 0.0)
    return 2 * p * r / (p + r) if p + r else 0.0

def ods_ois(counts):
    images, thresholds = counts.shape[:2]
"""

WRONG = {
    "suppressed_along_the_edge": wrong("nms", nms=NMS.format(**ALONG, test=CREST)),
    "dilated_instead_of_one_to_one": wrong(
        "matched_pairs",
        matched_pairs="""
def matched_pairs(found, truth, radius):
    if not len(found) or not len(truth):
        return 0
    distance = np.linalg.norm(found[:, None] - truth[None], axis=-1)
    return int((distance.min(axis=1) <= radius).sum())
""",
    ),
    "mean_of_the_images_scores": wrong(
        "ods ois",
        ods_ois=F
        + """
    f = np.array([[f_measure(*counts[n, t]) for t in range(thresholds)] for n in range(images)])
    return f.mean(axis=0).max(), f.max(axis=1).mean()
""",
    ),
    "axes_swapped": wrong(
        "gradient",
        gradient="def gradient(image):\n    g_x, g_y = np.gradient(image)\n    return g_x, g_y",
    ),
    "difference_without_the_half": wrong(
        "gradient",
        gradient="""
def gradient(image):
    p = np.pad(image, 1, mode="edge")
    return p[1:-1, 2:] - p[1:-1, :-2], p[2:, 1:-1] - p[:-2, 1:-1]
""",
    ),
    "gradient_downhill": wrong(
        "gradient",
        gradient="""
def gradient(image):
    p = np.pad(image, 1, mode="edge")
    return 0.5 * (p[1:-1, 2:] - p[1:-1, :-2]), 0.5 * (p[:-2, 1:-1] - p[2:, 1:-1])
""",
    ),
    "diagonals_swapped": wrong(
        "nms", nms=NMS.format(**{**TRUE, "down_right": (1, -1), "down_left": (1, 1)}, test=CREST)
    ),
    "one_neighbour": wrong("nms", nms=NMS.format(**TRUE, test="here >= at(y + dy, x + dx)")),
    "wraps_around": wrong(
        "nms",
        nms=NMS.format(
            **TRUE,
            test="here >= strength[(y + dy) % h, (x + dx) % w]"
            " and here >= strength[(y - dy) % h, (x - dx) % w]",
        ),
    ),
    "largest_of_all_nine": wrong(
        "nms",
        nms="""
from scipy.ndimage import maximum_filter
def nms(strength, g_x, g_y):
    return np.where(strength >= maximum_filter(strength, 3), strength, 0)
""",
    ),
    "weights_swapped": wrong(
        "balanced_loss balanced_loss_is_stable",
        balanced_loss=LOSS.format(share="np.mean(edges)", loss=STABLE),
    ),
    "not_balanced": wrong(
        "balanced_loss balanced_loss_is_stable",
        balanced_loss=LOSS.format(share="0.5", loss=STABLE),
    ),
    "a_sum_for_a_mean": wrong(
        "balanced_loss balanced_loss_is_stable",
        balanced_loss=LOSS.format(
            share="np.mean(edges == 0)", loss=STABLE.replace("np.mean(np", "np.sum(np")
        ),
    ),
    "overflows": wrong(
        "balanced_loss_is_stable",
        balanced_loss=LOSS.format(
            share="1 - edges.mean()",
            loss="-np.mean(w * edges * np.log(1 / (1 + np.exp(-logits)))"
            " + (1 - w) * (1 - edges) * np.log(1 - 1 / (1 + np.exp(-logits))))",
        ),
    ),
    "clipped": wrong(
        "balanced_loss_is_stable",
        balanced_loss="""
def balanced_loss(logits, edges):
    p = np.clip(1 / (1 + np.exp(-np.clip(logits, -700, 700))), 1e-12, 1 - 1e-12)
    w = 1 - edges.mean()
    return -np.mean(w * edges * np.log(p) + (1 - w) * (1 - edges) * np.log(1 - p))
""",
    ),
    "greedy_matching": wrong(
        "matched_pairs",
        matched_pairs="""
def matched_pairs(found, truth, radius):
    free, pairs = list(range(len(truth))), 0
    for place in found:
        near = [j for j in free if np.linalg.norm(place - truth[j]) <= radius]
        if near:
            free.remove(near[0])
            pairs += 1
    return pairs
""",
    ),
    "square_distance": wrong(
        "matched_pairs",
        matched_pairs="""
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
def matched_pairs(found, truth, radius):
    if not len(found) or not len(truth):
        return 0
    distance = np.abs(found[:, None] - truth[None]).max(-1)
    return int((maximum_bipartite_matching(csr_matrix(distance <= radius)) >= 0).sum())
""",
    ),
    "endless_matching": wrong(
        "matched_pairs",
        matched_pairs="def matched_pairs(found, truth, radius):\n    while True:\n        pass",
    ),
    "ois_is_a_mean": wrong(
        "ois",
        ods_ois=F
        + """
    total = counts.sum(axis=0)
    f = np.array([[f_measure(*counts[n, t]) for t in range(thresholds)] for n in range(images)])
    return max(f_measure(*c) for c in total), f.max(axis=1).mean()
""",
    ),
    "nothing_by_nothing": wrong(
        "ods ois",
        ods_ois="""
def ods_ois(counts):
    def f(c):
        p, r = c[..., 0] / c[..., 1], c[..., 2] / c[..., 3]
        return 2 * p * r / (p + r)
    each = f(counts)
    chosen = sum(counts[n, np.argmax(each[n])] for n in range(len(counts)))
    return f(counts.sum(axis=0)).max(), f(chosen)
""",
    ),
    "hard_coded": wrong(
        "gradient matched_pairs ods ois",
        gradient="def gradient(image):\n    return np.full(image.shape, 3.0), np.zeros(image.shape)",
        matched_pairs="def matched_pairs(found, truth, radius):\n    return {(3, 1): 1, (2, 2): 2}.get((len(found), len(truth)), 0)",
        ods_ois="def ods_ois(counts):\n    return (2 * 9 / 20 * 9 / 11 / (9 / 20 + 9 / 11) if len(counts) > 1 else 0), 9 / 11",
    ),
    "deleted_test": wrong(
        "nms", without("test_nms"), nms="def nms(strength, g_x, g_y):\n    return strength"
    ),
    "changed_test": wrong(
        "nms",
        overwritten("test_nms", "pass"),
        nms="def nms(strength, g_x, g_y):\n    return strength",
    ),
    "forward_differences": wrong(
        "gradient",
        gradient="""
def gradient(image):
    return np.diff(image, axis=1, append=image[:, -1:]), np.diff(image, axis=0, append=image[-1:])
""",
    ),
    "a_sobel_filter": wrong(
        "gradient",
        gradient="""
from scipy.ndimage import sobel
def gradient(image):
    return sobel(image, axis=1) / 8, sobel(image, axis=0) / 8
""",
    ),
    "arctan_of_x_over_y": wrong(
        "nms",
        nms=NMS.format(**TRUE, test=CREST).replace("g_y[y, x], g_x[y, x]", "g_x[y, x], g_y[y, x]"),
    ),
    "angle_cut_not_rounded": wrong(
        "nms",
        nms="""
def nms(strength, g_x, g_y):
    h, w = strength.shape
    p = np.pad(strength, 1)
    sector = (np.degrees(np.arctan2(g_y, g_x)) % 180 // 45).astype(int)
    out = np.zeros_like(strength)
    for y, x in np.ndindex(h, w):
        dy, dx = [(0, 1), (1, 1), (1, 0), (1, -1)][sector[y, x]]
        if strength[y, x] >= max(p[1 + y + dy, 1 + x + dx], p[1 + y - dy, 1 + x - dx]):
            out[y, x] = strength[y, x]
    return out
""",
    ),
    "must_be_stronger": wrong("nms", nms=NMS.format(**TRUE, test=CREST.replace(">=", ">"))),
    "rows_and_columns_of_the_picture_left_out": wrong(
        "nms",
        nms=NMS.format(**TRUE, test=CREST)
        .replace("range(h)", "range(1, h - 1)")
        .replace("range(w)", "range(1, w - 1)"),
    ),
    "suppressed_while_it_looks": wrong(
        "nms",
        nms=NMS.format(**TRUE, test=f"not ({CREST})")
        .replace("np.zeros_like(strength)", "strength")
        .replace("out[y, x] = here", "strength[y, x] = 0"),
    ),
    "ones_for_strengths": wrong(
        "nms", nms=NMS.format(**TRUE, test=CREST).replace("out[y, x] = here", "out[y, x] = 1")
    ),
    "divided_by_the_weights": wrong(
        "balanced_loss balanced_loss_is_stable",
        balanced_loss=LOSS.format(
            share="np.mean(edges == 0)",
            loss=STABLE.replace("np.mean(np", "np.sum(np")
            + " / np.where(edges == 1, w, 1 - w).sum()",
        ),
    ),
    "nearest_first": wrong(
        "matched_pairs",
        matched_pairs="""
def matched_pairs(found, truth, radius):
    pairs, used, taken = 0, set(), set()
    distance = np.array([[np.hypot(*(a - b)) for b in truth] for a in found]).reshape(len(found), len(truth))
    for i, j in zip(*np.unravel_index(np.argsort(distance, axis=None), distance.shape)):
        if distance[i, j] <= radius and i not in used and j not in taken:
            used.add(i), taken.add(j)
            pairs += 1
    return pairs
""",
    ),
    "the_shortest_way_in_all": wrong(
        "matched_pairs",
        matched_pairs="""
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
def matched_pairs(found, truth, radius):
    if not len(found) or not len(truth):
        return 0
    distance = cdist(found, truth)
    return int((distance[linear_sum_assignment(distance)] <= radius).sum())
""",
    ),
    "the_smaller_of_two_counts": wrong(
        "matched_pairs",
        matched_pairs="""
def matched_pairs(found, truth, radius):
    if not len(found) or not len(truth):
        return 0
    near = np.linalg.norm(found[:, None] - truth[None], axis=-1) <= radius
    return int(min(near.any(0).sum(), near.any(1).sum()))
""",
    ),
    "closer_than_the_radius": wrong(
        "matched_pairs",
        matched_pairs="""
from scipy.optimize import linear_sum_assignment
def matched_pairs(found, truth, radius):
    near = np.linalg.norm(found[:, None] - truth[None], axis=-1) < radius
    return int(near[linear_sum_assignment(near, maximize=True)].sum())
""",
    ),
    "one_count_for_both": wrong(
        "ods ois",
        ods_ois=F
        + """
    f = lambda c: f_measure(c[0], c[1], c[0], c[3])
    chosen = [max(one, key=f) for one in counts]
    return max(map(f, counts.sum(axis=0))), f(np.sum(chosen, axis=0))
""",
    ),
    "threshold_of_the_data_set_for_both": wrong(
        "ois",
        ods_ois=F
        + """
    best = max(f_measure(*c) for c in counts.sum(axis=0))
    return best, best
""",
    ),
    "the_last_of_equal_thresholds": wrong(
        "ois",
        ods_ois=F
        + """
    chosen = [max(one[::-1], key=lambda c: f_measure(*c)) for one in counts]
    return max(f_measure(*c) for c in counts.sum(axis=0)), f_measure(*np.sum(chosen, axis=0))
""",
    ),
    "image_chooses_by_precision": wrong(
        "ois",
        ods_ois=F
        + """
    chosen = [max(one, key=lambda c: c[0] / c[1]) for one in counts]
    return max(f_measure(*c) for c in counts.sum(axis=0)), f_measure(*np.sum(chosen, axis=0))
""",
    ),
}

RIGHT = {
    "reference": right(),
    "written_otherwise": right(
        gradient="def gradient(image):\n    g_y, g_x = np.gradient(image)\n    return g_x, g_y",
        nms=NMS.format(**TRUE, test="here >= max(at(y + dy, x + dx), at(y - dy, x - dx))"),
        balanced_loss=LOSS.format(
            share="1 - np.count_nonzero(edges) / edges.size",
            loss="(w * np.logaddexp(0, -logits)[edges == 1].sum()"
            " + (1 - w) * np.logaddexp(0, logits)[edges == 0].sum()) / edges.size",
        ),
        matched_pairs="""
from scipy.optimize import linear_sum_assignment
def matched_pairs(found, truth, radius):
    if len(found) == 0 or len(truth) == 0:
        return 0
    near = (((found[:, None] - truth[None]) ** 2).sum(-1) <= radius**2).astype(float)
    rows, columns = linear_sum_assignment(-near)
    return near[rows, columns].sum()
""",
        ods_ois=F
        + """
    total = counts.sum(axis=0)
    chosen = [max(one, key=lambda c: f_measure(*c)) for one in counts]
    return max(f_measure(*c) for c in total), f_measure(*np.sum(chosen, axis=0))
""",
    ),
    "float32": right(
        gradient="""
from scipy.ndimage import correlate1d
def gradient(image):
    image = image.astype("float32")
    return correlate1d(image, [-0.5, 0, 0.5], axis=1), correlate1d(image, [-0.5, 0, 0.5], axis=0)
""",
        nms="def nms(strength, g_x, g_y):\n    return _nms(*(np.float32(a) for a in (strength, g_x, g_y)))\n"
        + NMS.format(**TRUE, test=CREST).replace("def nms", "def _nms"),
        balanced_loss=LOSS.format(
            share="np.float32(1) - edges.mean(dtype='float32')",
            loss=STABLE.replace("logits", "np.float32(logits)"),
        ),
    ),
    "own_matching": right(
        matched_pairs="""
def matched_pairs(found, truth, radius):
    partner = {}
    def give(i, seen):
        for j, place in enumerate(truth):
            if j in seen or np.hypot(*(found[i] - place)) > radius:
                continue
            seen.add(j)
            if j not in partner or give(partner[j], seen):
                partner[j] = i
                return True
        return False
    return sum(give(i, set()) for i in range(len(found)))
"""
    ),
    "in_place": right(
        nms="""
def nms(strength, g_x, g_y):
    before = np.pad(strength, 1)
    turn = (np.rint(4 * np.angle(g_x + 1j * g_y) / np.pi) % 4).astype(int)
    step = np.array([(0, 1), (1, 1), (1, 0), (1, -1)])[turn]
    y, x = np.indices(strength.shape) + 1
    for sign in (1, -1):
        strength[before[y + sign * step[..., 0], x + sign * step[..., 1]] > before[1:-1, 1:-1]] = 0
    return strength
""",
        gradient="""
def gradient(image):
    g = [np.roll(image, -1, a) - np.roll(image, 1, a) for a in (1, 0)]
    g[0] /= 2
    g[1] /= 2
    return g
""",
        balanced_loss="""
def balanced_loss(logits, edges):
    w = np.mean(edges == 0)
    logits[edges == 1] *= -1
    return np.mean(np.logaddexp(0, logits) * np.where(edges, w, 1 - w))
""",
        ods_ois="""
def ods_ois(counts):
    counts = counts.astype(float)
    f = lambda c: 2 * c[..., 0] * c[..., 2] / np.maximum(c[..., 0] * c[..., 3] + c[..., 2] * c[..., 1], 1e-9)
    best = np.take_along_axis(counts, f(counts).argmax(1)[:, None, None], axis=1)
    return [f(counts.sum(0)).max(), f(best.sum((0, 1)))]
""",
    ),
    "with_a_tree": right(
        matched_pairs="""
from scipy.spatial import cKDTree
from scipy.sparse import lil_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
def matched_pairs(found, truth, radius):
    if not len(found) or not len(truth):
        return 0
    graph = lil_matrix((len(found), len(truth)), dtype=int)
    for i, near in enumerate(cKDTree(found).query_ball_tree(cKDTree(truth), radius)):
        graph[i, near] = 1
    return np.count_nonzero(maximum_bipartite_matching(graph.tocsr(), perm_type="column") != -1)
""",
        gradient="""
def gradient(image):
    g_x, g_y = np.zeros(image.shape), np.zeros(image.shape)
    for y in range(1, len(image) - 1):
        for x in range(1, image.shape[1] - 1):
            g_x[y, x] = (image[y, x + 1] - image[y, x - 1]) / 2
            g_y[y, x] = (image[y + 1, x] - image[y - 1, x]) / 2
    return np.array([g_x, g_y])
""",
    ),
    "scipy": right(
        gradient="""
from scipy.signal import convolve2d
def gradient(image):
    slope = np.array([[0.5, 0, -0.5]])
    return convolve2d(image, slope, mode="same"), convolve2d(image, slope.T, mode="same")
""",
        balanced_loss="""
from scipy.special import log_expit
def balanced_loss(logits, edges):
    w = 1 - edges.sum() / edges.size
    return -(w * edges * log_expit(logits) + (1 - w) * (1 - edges) * log_expit(-logits)).mean()
""",
    ),
    "signs_by_hand": right(
        nms="""
def nms(strength, g_x, g_y):
    p = np.pad(strength, 1)
    h, w = strength.shape
    view = lambda dy, dx: p[1 + dy:1 + dy + h, 1 + dx:1 + dx + w]
    a, b, t = np.abs(g_x), np.abs(g_y), np.tan(np.pi / 8)
    flat, steep, same = b <= t * a, a <= t * b, g_x * g_y > 0
    pairs = [(flat, 0, 1), (steep & ~flat, 1, 0), (~flat & ~steep & same, 1, 1), (~flat & ~steep & ~same, 1, -1)]
    keep = sum(m & (strength >= np.maximum(view(dy, dx), view(-dy, -dx))) for m, dy, dx in pairs)
    return strength * (keep > 0)
""",
        balanced_loss="""
def balanced_loss(logits, edges):
    w = (edges == 0).mean()
    cost = np.maximum(logits, 0) - logits * edges + np.log1p(np.exp(-np.abs(logits)))
    return (cost * (w * edges + (1 - w) * (1 - edges))).mean()
""",
    ),
    "keras_ops": right(
        balanced_loss="""
from keras import ops
def balanced_loss(logits, edges):
    w = 1 - edges.mean()
    weights = np.where(edges, w, 1 - w)
    cost = ops.binary_crossentropy(edges.astype("float32"), logits.astype("float32"), from_logits=True)
    return ops.mean(weights.astype("float32") * cost)
"""
    ),
}
