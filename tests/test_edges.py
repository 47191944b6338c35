"""The Berkeley benchmark: official values, a brute-force twin, invariances, bad input."""

import io
import subprocess
import sys
import tarfile
import warnings
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.sparse import csr_array

from helpers import edges
from helpers.edges import berkeley, finished_images, matching
from helpers.edges.scores import average_precision, best_blend

ROOT = "BSR/bench/data/"
SAMPLES = ("2018", "3063", "5096", "6046", "8068")
# test_2/eval_bdry_thr.txt: threshold, recall, precision, F.
OFFICIAL_CURVE = [
    (0.166667, 0.602360, 0.848723, 0.704628),
    (0.333333, 0.443249, 0.926853, 0.599702),
    (0.500000, 0.383339, 0.967137, 0.549053),
    (0.666667, 0.380404, 0.986264, 0.549042),
    (0.833333, 0.274124, 0.996101, 0.429932),
]
# test_2/eval_bdry_img.txt: threshold, recall, precision, F of each image at its best.
OFFICIAL_IMAGES = [
    (0.166667, 0.645900, 0.887464, 0.747654),
    (0.666667, 0.596991, 1.000000, 0.747645),
    (0.166667, 0.471811, 0.994419, 0.639978),
    (0.166667, 0.477429, 0.939163, 0.633046),
    (0.166667, 0.870320, 0.810371, 0.839276),
]


def wavy(height=48, width=64, row=20, bend=4):
    """A thin 8-connected line across the image, boolean (H, W)."""
    line = np.zeros((height, width), bool)
    x = np.arange(4, width - 4)
    line[np.rint(row + bend * np.sin(x / 9)).astype(int), x] = True
    return edges.thin(line)


def counts(prediction, annotations, **options):
    return edges.benchmark([prediction], [annotations], **options).per_image[0]


# The official numbers.


@pytest.fixture(scope="module")
def official(request):
    folder = request.getfixturevalue("real_data")
    from PIL import Image

    predictions, annotations = [], []
    with tarfile.open(f"{folder}/BSDS500.tgz") as archive:
        wanted = {}
        for member in archive:  # one pass: seeking back in a .tgz unpacks it anew
            if member.name.startswith((ROOT + "png/", ROOT + "groundTruth/")):
                wanted[member.name] = archive.extractfile(member).read()
    for name in SAMPLES:
        predictions.append(np.array(Image.open(io.BytesIO(wanted[f"{ROOT}png/{name}.png"]))) / 255)
        people = loadmat(io.BytesIO(wanted[f"{ROOT}groundTruth/{name}.mat"]))["groundTruth"][0]
        annotations.append(np.stack([person["Boundaries"][0, 0] for person in people]))
    return edges.benchmark(predictions, annotations, thresholds=5, workers=1)


def test_official_scores_of_the_five_samples(official):
    assert official.ods == pytest.approx(0.704628, abs=0.0005)
    assert official.ois == pytest.approx(0.708698, abs=0.0005)
    assert official.ap == pytest.approx(0.307627, abs=0.0005)
    assert official.ods_threshold == pytest.approx(1 / 6)


def test_official_curve_of_the_five_samples(official):
    ours = np.stack([official.thresholds, official.recall, official.precision, official.f], 1)
    np.testing.assert_allclose(ours, OFFICIAL_CURVE, atol=0.0006)


def test_official_scores_of_each_sample(official):
    np.testing.assert_allclose(official.image_scores(), OFFICIAL_IMAGES, atol=0.0015)
    assert official.image_scores()[:, 3] == pytest.approx(
        [row[3] for row in OFFICIAL_IMAGES], abs=0.0006
    )


# Matching.


def cheapest_by_hand(cost, alone):
    """All ways to pair rows with columns (inf: cannot be paired); small arrays only."""
    rows, columns = cost.shape
    padded = np.hstack([cost, np.full((rows, rows), alone)])
    choices = permutations(range(columns + rows), rows)
    return min(sum(padded[r, c] for r, c in enumerate(choice)) for choice in choices)


@pytest.mark.parametrize("seed", range(12))
def test_assignment_against_all_possible_ones(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 5, 2)
    cost = np.where(rng.random((rows, columns)) < 0.6, rng.integers(0, 9, (rows, columns)), np.inf)
    cost[np.isinf(cost).all(axis=1), 0] = 3  # every row has a possible partner
    cost[0, 0] = 0
    row, column = np.nonzero(np.isfinite(cost))
    graph = csr_array((cost[row, column], (row, column)), shape=cost.shape)
    partner = matching.assign(graph, matching.components(graph), alone=20)

    paired = partner >= 0
    assert len(set(partner[paired])) == paired.sum()  # one to one
    total = cost[np.flatnonzero(paired), partner[paired]].sum() + 20 * (~paired).sum()
    assert total == cheapest_by_hand(cost, 20)


@pytest.mark.parametrize("seed", range(12))
def test_a_pair_that_costs_more_than_staying_alone_is_none(seed):
    rng = np.random.default_rng(seed)
    cost = 9 * rng.random(rng.integers(1, 5, 2))
    alone = rng.uniform(1, 6)
    row, column = np.indices(cost.shape).reshape(2, -1)
    graph = csr_array((cost.ravel(), (row, column)), shape=cost.shape)
    partner = matching.assign(graph, np.zeros(len(cost), int), alone)
    paired = partner >= 0
    total = cost[np.flatnonzero(paired), partner[paired]].sum() + alone * (~paired).sum()
    assert total == pytest.approx(cheapest_by_hand(cost, alone))


@pytest.mark.parametrize("seed", range(4))
def test_components_and_batches_equal_the_whole_problem(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    people = rng.random((2, 24, 24)) < 0.10
    pixels = np.flatnonzero(rng.random((24, 24)) < 0.12)
    graph = matching.possible_pairs(people, 2.3)
    rows = np.concatenate([pixels, pixels + 24 * 24])
    rows = rows[np.diff(graph.indptr)[rows] > 0]
    part = graph[rows]

    def price(partner):
        chosen = partner >= 0
        return part[np.flatnonzero(chosen), partner[chosen]].sum() + 9999 * (~chosen).sum()

    label = matching.components(part)
    assert label.max() > 5
    whole = matching.assign(part, np.zeros(len(rows), int), 9999)
    assert price(matching.assign(part, label, 9999)) == price(whole)
    monkeypatch.setattr(matching, "BATCH_ROWS", 1)
    apart = matching.assign(part, label, 9999)
    assert price(apart) == price(whole)
    assert (apart >= 0).sum() == (whole >= 0).sum()


def test_thresholds_in_a_row_equal_each_threshold_alone():
    rng = np.random.default_rng(0)
    people = np.stack([wavy(), wavy(row=22), wavy(row=35)])
    soft = np.clip(0.6 * people.mean(0) + 0.5 * rng.random(people.shape[1:]), 0, 1)
    steps = np.linspace(0.05, 0.95, 40)
    together = counts(soft, people, thresholds=steps)
    apart = [counts(soft, people, thresholds=[step])[0] for step in steps]
    # Ties between equally cheap matchings may fall either way: recall is exact.
    np.testing.assert_array_equal(together[:, [0, 1, 3]], np.array(apart)[:, [0, 1, 3]])
    assert np.abs(together[:, 2] - np.array(apart)[:, 2]).max() <= 2


def test_as_many_pairs_as_possible_come_before_short_ones():
    # In one row: predicted at 10 and 13, annotated at 8 and 10. The pair (10, 10) at
    # distance 0 would leave 13 alone (13 to 8 is too far).
    prediction, person = np.zeros((1, 40)), np.zeros((1, 1, 40))
    prediction[0, [10, 13]], person[0, 0, [8, 10]] = 1, 1
    assert counts(prediction, person, thresholds=1, max_distance=3.2 / 40.02).tolist() == [
        [2, 2, 2, 2]
    ]


def test_a_pixel_alone_costs_a_hundred_times_the_largest_distance():
    # In hundredths of a pixel, rounded up, as the official code has it.
    assert matching.Matcher(np.ones((1, 2, 2), bool), 1.23456).alone == 12346


def test_distance_breaks_ties_for_precision():
    # Annotator 1 at 10, predicted at 10 and 12; annotator 2 at 12. By distance each
    # predicted pixel explains "its own" annotator, so both count.
    prediction, people = np.zeros((1, 40)), np.zeros((2, 1, 40))
    prediction[0, [10, 12]] = 1
    people[0, 0, 10] = people[1, 0, 12] = 1
    found = counts(prediction, people, thresholds=1, max_distance=3.2 / 40.02)
    assert found.tolist() == [[2, 2, 2, 2]]


@pytest.mark.parametrize(
    ("radius", "partners"), [(0.9, 1), (1, 5), (1.5, 9), (2, 13), (2.5, 21), (3, 29)]
)
def test_the_tolerance_is_a_disc(radius, partners):
    person = np.zeros((1, 9, 11), bool)
    person[0, 4, 5] = True
    graph = matching.possible_pairs(person, radius).tocoo()
    y, x = np.divmod(graph.row, 11)
    away = np.hypot(y - 4, x - 5)
    assert len(away) == partners and away.max() <= radius
    np.testing.assert_array_equal(graph.data, np.rint(100 * away))


def test_a_corner_is_farther_away_than_a_side():
    person, straight, corner = (np.zeros((24, 32)) for _ in range(3))
    person[12, 12] = straight[12, 15] = corner[15, 15] = 1
    pixels = 3.1 / np.hypot(24, 32)
    assert counts(straight, person[None], thresholds=1, max_distance=pixels).tolist() == [[1] * 4]
    assert counts(corner, person[None], thresholds=1, max_distance=pixels).tolist() == [
        [0, 1, 0, 1]
    ]


def test_a_pixel_takes_the_partner_of_one_that_is_gone():
    # Annotated at 10; predicted weakly at 10 and strongly at 12. At the second threshold the
    # pixel at 12 is what is left of a component, and 10 is free for it.
    prediction, person = np.zeros((1, 40)), np.zeros((1, 1, 40))
    prediction[0, [10, 12]], person[0, 0, 10] = (0.3, 0.8), 1
    found = counts(prediction, person, thresholds=[0.2, 0.5], max_distance=3.2 / 40.02)
    assert found.tolist() == [[1, 1, 1, 2], [1, 1, 1, 1]]


def test_a_wide_line_cannot_match_two():
    two = np.zeros((1, 32, 40), np.uint8)
    two[0, [14, 16], 5:35] = 1
    wide = np.zeros((32, 40))
    wide[14:17, 5:35] = 1
    result = edges.benchmark([wide], [two], thresholds=1, max_distance=0.06)
    matched, total, right, predicted = result.per_image[0, 0]
    assert matched == right == predicted <= 30 and total == 60
    # Without thinning the two outer rows would be found whole.
    assert matching.Matcher(two.astype(bool), 3.0).match(np.flatnonzero(wide)).sum() == 60


# Invariances.


def test_a_perfect_thin_map_scores_one():
    line = wavy()
    result = edges.benchmark([line.astype(float)] * 2, [line[None]] * 2)
    assert result.ods == result.ois == 1.0
    assert result.ap == 0.0  # one point on the curve, as the official code has it
    assert (result.image_scores()[:, 1:] == 1).all()


def test_a_graded_perfect_map_has_an_area():
    line = wavy()
    graded = line * np.linspace(0.02, 1, line.shape[1])
    result = edges.benchmark([graded], [line[None]])
    assert result.ods == pytest.approx(1.0, abs=0.01)
    assert result.ap > 0.9


def test_an_empty_map_scores_zero():
    result = edges.benchmark([np.zeros((48, 64))], [wavy()[None]])
    assert (result.ods, result.ois, result.ap) == (0.0, 0.0, 0.0)
    assert not result.per_image[0, :, [0, 2, 3]].any()


def test_an_empty_annotation_costs_precision_only():
    line = wavy()
    people = np.stack([line, np.zeros_like(line)])
    assert counts(line * 1.0, people, thresholds=1).tolist() == [[line.sum()] * 4]
    assert counts(line * 1.0, people[1:], thresholds=1).tolist() == [[0, 0, 0, line.sum()]]


def test_a_small_shift_changes_nothing():
    people = np.stack([wavy(), wavy(row=21)])
    soft = wavy() * 0.7
    tolerance = 0.05  # 4 pixels
    still = edges.benchmark([soft], [people], max_distance=tolerance)
    for shift in ((2, 0), (0, 3), (-2, -2)):
        moved = edges.benchmark([np.roll(soft, shift, (0, 1))], [people], max_distance=tolerance)
        np.testing.assert_array_equal(moved.per_image, still.per_image)
    far = edges.benchmark([np.roll(soft, 9, 0)], [people], max_distance=tolerance)
    assert far.ods < 0.5 * still.ods


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.transpose])
def test_turning_both_changes_nothing(turn):
    people = np.stack([wavy(), wavy(row=24, bend=6)])
    soft = np.clip(wavy(bend=5) * 0.8 + wavy(row=40) * 0.3, 0, 1)
    still = counts(soft, people)
    turned = counts(turn(soft), np.stack([turn(person) for person in people]))
    # Recall is exact; which of two equally near pixels is paired may differ.
    np.testing.assert_array_equal(turned[:, [0, 1, 3]], still[:, [0, 1, 3]])
    assert np.abs(turned[:, 2] - still[:, 2]).max() <= 1


def test_order_of_images_and_annotators_does_not_matter():
    people = np.stack([wavy(), wavy(row=24), wavy(row=30)])
    maps = [wavy(row=21) * 0.6, wavy(row=29) * 0.4]
    first = edges.benchmark(maps, [people] * 2)
    second = edges.benchmark(maps[::-1], [people[::-1]] * 2)
    np.testing.assert_array_equal(second.per_image[::-1], first.per_image)
    assert second.ods == first.ods and second.ap == first.ap


# Scores.


def test_scores_by_hand():
    per_image = np.array(
        [[[8, 10, 4, 10], [4, 10, 4, 4]], [[6, 10, 6, 10], [1, 10, 1, 1]]]
    )  # (N=2, T=2, 4)
    result = edges.scores.score(np.array([0.3, 0.6]), per_image)
    np.testing.assert_allclose(result.recall, [14 / 20, 5 / 20])
    np.testing.assert_allclose(result.precision, [10 / 20, 5 / 5])
    # Best per image: F .571 (second threshold) and .6 (first); counts 10 of 20, 10 of 14.
    assert result.ois_recall == 10 / 20 and result.ois_precision == 10 / 14
    assert result.ois == pytest.approx(2 * 10 / (20 + 14))
    r, p = 0.7 + (0.25 - 0.7) * np.linspace(0, 1, 100), 0.5 + 0.5 * np.linspace(0, 1, 100)
    f = 2 * r * p / (r + p)
    assert result.ods == pytest.approx(f.max()) and f.max() > f[0]
    assert 0.3 < result.ods_threshold < 0.6


def test_scores_of_next_to_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing out of nothing is divided
        one = edges.scores.score(np.array([0.5]), np.array([[[1, 1, 1, 1]], [[0, 0, 0, 0]]]))
        none = edges.scores.score(np.array([0.5]), np.zeros((2, 1, 4), int))
    assert (one.ods, one.ois, one.f.tolist()) == (1.0, 1.0, [1.0])
    assert one.image_scores().tolist() == [[0.5, 1, 1, 1], [0.5, 0, 0, 0]]
    assert (none.ods, none.ois, none.f.tolist()) == (0.0, 0.0, [0.0])
    recall, precision = edges.scores.recall_precision([[1, 1, 1, 1], [1, 2, 3, 4]])
    assert recall.tolist() == [1, 0.5] and precision.tolist() == [1, 0.75]
    assert edges.scores.f_measure(0.0, 1.0) == 0 and edges.scores.f_measure(1, 0.5) == 1 / 1.5


def test_a_result_prints_its_scores_and_cannot_be_changed():
    per_image = np.array([[[8, 10, 4, 10], [4, 10, 4, 4]], [[6, 10, 6, 10], [1, 10, 1, 1]]])
    result = edges.scores.score(np.array([0.3, 0.6]), per_image)
    np.testing.assert_allclose(result.f, [2 * 0.7 * 0.5 / 1.2, 2 * 0.25 * 1 / 1.25])
    numbers = [getattr(result, name) for name in ("ods", "ois", "ap", "ods_threshold")]
    numbers += [result.ods_recall, result.ods_precision, result.ois_recall, result.ois_precision]
    assert [type(number) for number in numbers] == [float] * 8
    assert str(result) == (
        f"ODS {result.ods:.4f} (threshold {result.ods_threshold:.3f}, precision "
        f"{result.ods_precision:.4f}, recall {result.ods_recall:.4f}), OIS 0.5882, "
        f"AP {result.ap:.4f}, 2 images"
    )
    with pytest.raises(AttributeError):
        result.ods = 1.0


def test_average_precision_by_hand():
    # Precision 1 at recall .25, .5 at .75: 51 grid points, mean .75 of them, over 100.
    assert average_precision(np.array([0.75, 0.25]), np.array([0.5, 1.0])) == pytest.approx(
        51 * 0.75 / 100
    )
    assert average_precision(np.array([0.4, 0.4]), np.array([1.0, 1.0])) == 0.0


def test_best_blend_of_a_single_threshold():
    assert best_blend([0.5], np.array([0.5]), np.array([1.0])) == (0.5, 0.5, 1.0, 2 / 3)


def test_human_level():
    line, other = wavy(), wavy(row=40)
    same = edges.human_level([np.stack([line, line, line])])
    assert same.ods == 1.0 and same.thresholds.tolist() == [0.5]
    # Two who agree and one who does not: recall 2 · (n of 2n) + 0 of 2n, precision 2n of 3n.
    result = edges.human_level([np.stack([line, line, other])] * 2, max_distance=0.02)
    n, m = line.sum(), other.sum()
    assert result.per_image.tolist() == [[[2 * n, 4 * n + 2 * m, 2 * n, 2 * n + m]]] * 2


# Running: thresholds, processes, checkpoint, generators.


def test_thresholds():
    np.testing.assert_allclose(berkeley.check_thresholds(99), np.arange(1, 100) / 100)
    np.testing.assert_allclose(berkeley.check_thresholds(1), [0.5])
    np.testing.assert_allclose(berkeley.check_thresholds(2), [1 / 3, 2 / 3])
    assert berkeley.check_thresholds([0.5, 1]).tolist() == [0.5, 1]
    # The last bit of the official steps: 85/255 is below the second of five.
    assert berkeley.check_thresholds(5)[1] > 85 / 255
    for bad in (0, 2.5, [0.5, 0.2], [0.0, 0.5], [0.5, 1.1], [], [[0.5]]):
        with pytest.raises(ValueError, match="thresholds"):
            edges.benchmark([], [], thresholds=bad)


def some_images(number=4):
    rng = np.random.default_rng(1)
    people = [np.stack([wavy(), wavy(row=20 + k)]) for k in range(number)]
    maps = [np.clip(wavy() * 0.5 + 0.6 * rng.random((48, 64)), 0, 1) for _ in people]
    return maps, people


def test_processes_give_the_same_counts():
    maps, people = some_images()
    alone = edges.benchmark(maps, people, 9, workers=1)
    shared = edges.benchmark((m for m in maps), (p for p in people), 9, workers=2)
    np.testing.assert_array_equal(shared.per_image, alone.per_image)
    assert shared.ods == alone.ods


def test_images_are_drawn_in_waves_for_several_processes(monkeypatch):
    class Here:
        """Stands for joblib's pool: computes in this process, when a result is asked for."""

        def __init__(self, n_jobs, return_as):
            assert (n_jobs, return_as) == (2, "generator_unordered")

        def __enter__(self):
            return lambda calls: (function(*args) for function, args, _ in calls)

        def __exit__(self, *_):
            pass

    drawn, at_work = [], []
    monkeypatch.setattr("joblib.Parallel", Here)
    real = berkeley.image_counts
    monkeypatch.setattr(berkeley, "image_counts", lambda *a: at_work.append(len(drawn)) or real(*a))
    maps, people = some_images(1)
    stream = (drawn.append(k) or maps[0] for k in range(20))
    result = edges.benchmark(stream, people * 20, 1, workers=2)
    assert len(result.per_image) == 20
    assert at_work == [16] * 16 + [20] * 4  # eight for each process, and then the rest


def test_the_smallest_image_has_one_pixel():
    assert edges.benchmark([[[1.0]]], [[[[1]]]], 1).ods == 1
    assert edges.benchmark([[[0.0]]], [[[[1]]]], 1).ods == 0


def test_a_killed_evaluation_goes_on(tmp_path, monkeypatch):
    maps, people = some_images()
    path = tmp_path / "new" / "folder.jsonl"
    whole = edges.benchmark(maps, people, 9)

    def killed():
        yield from maps[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        edges.benchmark(killed(), people, 9, workers=1, checkpoint=path)
    assert len(path.read_text().splitlines()) == 2
    with path.open("a") as file:
        file.write('{"image": 2, "key": "half a li')

    calls = []
    real = berkeley.image_counts
    monkeypatch.setattr(berkeley, "image_counts", lambda *a: calls.append(1) or real(*a))
    again = edges.benchmark(maps, people, 9, workers=1, checkpoint=path)
    np.testing.assert_array_equal(again.per_image, whole.per_image)
    assert len(calls) == 2
    edges.benchmark(maps, people, 9, workers=1, checkpoint=path)
    assert len(calls) == 2
    # Another prediction or setting is not taken from the file.
    edges.benchmark([maps[0] * 0.9, *maps[1:]], people, 9, workers=1, checkpoint=path)
    assert len(calls) == 3
    edges.benchmark(maps, people, 9, max_distance=0.02, workers=1, checkpoint=path)
    assert len(calls) == 7


def test_counts_of_other_code_are_made_again(tmp_path, monkeypatch):
    maps, people = some_images(2)
    calls, real = [], berkeley.image_counts
    monkeypatch.setattr(berkeley, "image_counts", lambda *a: calls.append(1) or real(*a))
    for times, version in enumerate(("one", "one", "two"), start=1):
        monkeypatch.setattr(finished_images, "code_version", lambda: version)  # noqa: B023
        edges.benchmark(maps, people, 9, workers=1, checkpoint=tmp_path / "lines.jsonl")
        assert len(calls) == {1: 2, 2: 2, 3: 4}[times]


def test_the_code_that_counts_and_its_libraries_are_in_the_version(monkeypatch):
    finished_images.code_version.cache_clear()
    here = finished_images.code_version()
    for name in ("unchanged", "libraries"):  # `test_versions` changes each module that counts
        with monkeypatch.context() as patch:
            patch.setattr(finished_images.code_versions, name, lambda names: "other")
            finished_images.code_version.cache_clear()
            assert finished_images.code_version() != here
    finished_images.code_version.cache_clear()


def test_the_bar_counts_every_image(tmp_path, monkeypatch):
    class Bar:
        def __init__(self, total, what, unit, shown):
            self.told, self.count = (total, what, unit, shown), 0
            bars.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self):
            self.count += 1

    bars = []
    monkeypatch.setattr(berkeley, "drawn", Bar)
    maps, people = some_images(3)
    edges.benchmark(maps, people, 3, workers=1, checkpoint=tmp_path / "some.jsonl")
    edges.benchmark(iter(maps), people, 3, checkpoint=tmp_path / "some.jsonl", progress=True)
    edges.benchmark(maps, iter(people), 3, progress=False)
    edges.benchmark(iter(maps), iter(people), 3)
    edges.human_level(people, progress=True)
    assert [bar.told for bar in bars] == [
        (total, "edge benchmark", "image", shown)
        for total, shown in [(3, None), (3, True), (3, False), (None, None), (6, True)]
    ]
    assert [bar.count for bar in bars] == [3, 3, 3, 3, 6]  # those of the checkpoint, too


def test_without_options_the_benchmark_is_that_of_bsds500():
    maps, people = some_images(1)
    maps[0] = np.round(maps[0], 2)  # 99 thresholds tell these values apart
    plain = counts(maps[0], people[0])
    wanted = counts(maps[0], people[0], thresholds=99, max_distance=0.0075, nms=False)
    np.testing.assert_array_equal(plain, wanted)
    two = np.zeros((2, 200, 200))
    two[0, 100, :], two[1, 102, :] = 1, 1  # 0.0075 of the diagonal are 2.1 pixels
    assert edges.human_level([two]).ods == 1
    two[1] = np.roll(two[1], 1, axis=0)
    assert edges.human_level([two]).ods == 0


def test_after_the_first_seconds_other_processes_help(monkeypatch):
    maps, people = some_images(5)
    alone = edges.benchmark(maps, people, 3, workers=1)
    log, real = [], berkeley.image_counts
    monkeypatch.setattr(berkeley, "image_counts", lambda *a: log.append("image") or real(*a))
    monkeypatch.setattr(berkeley, "_cores", lambda: log.append("cores") or 1)
    seconds = iter(np.arange(0, 99, 2.5))  # looked at before the first image and after each
    monkeypatch.setattr(berkeley, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    np.testing.assert_array_equal(edges.benchmark(maps, people, 3).per_image, alone.per_image)
    # More than five seconds are over after the third image.
    assert log == ["image"] * 3 + ["cores"] + ["image"] * 2


def test_as_many_processes_as_cores_that_may_be_used(monkeypatch):
    monkeypatch.setattr(berkeley.os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    monkeypatch.setattr(berkeley.os, "cpu_count", lambda: 8)
    assert berkeley._cores() == 3
    monkeypatch.delattr(berkeley.os, "sched_getaffinity")  # there is none on a Mac
    assert berkeley._cores() == 8
    monkeypatch.setattr(berkeley.os, "cpu_count", lambda: None)
    assert berkeley._cores() == 1


def test_a_foreign_file_is_no_checkpoint(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n")
    with pytest.raises(ValueError, match=r"notes\.txt is not a checkpoint"):
        edges.benchmark(*some_images(1), checkpoint=path)
    assert path.read_text() == "shopping list\n"


# Bad input names the image.


def bad(change):
    maps, people = some_images(3)
    change(maps, people)
    return maps, people


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, p: m.pop(), "Image 2 has annotations but no prediction"),
        (lambda m, p: p.pop(), "Image 2 has a prediction but no annotations"),
        (lambda m, p: m.__setitem__(1, m[1][:-1]), r"Image 1: .*\(48, 64\).*\(47, 64\)"),
        (lambda m, p: m.__setitem__(1, m[1][..., None]), r"Image 1: .*shape=\(48, 64, 1\)"),
        (lambda m, p: m.__setitem__(1, m[1] * 255), "Image 1: .*divide 8-bit values by 255"),
        (lambda m, p: m.__setitem__(1, m[1] - 0.9), r"Image 1: .*\[0, 1\]"),
        (lambda m, p: m.__setitem__(1, m[1] * 0 + 1.5), r"Image 1: .*values from 1\.5 to 1\.5"),
        (lambda m, p: m[1].__setitem__((3, 3), np.nan), "Image 1: .*NaN"),
        (lambda m, p: m.__setitem__(1, m[1].astype(str)), "Image 1: .*numbers"),
        (lambda m, p: p.__setitem__(1, p[1][:0]), "Image 1 has no annotator"),
        (lambda m, p: p.__setitem__(1, []), "Image 1 has no annotator"),
        (lambda m, p: p.__setitem__(1, 1), "Image 1 has no annotator"),
        (lambda m, p: p.__setitem__(1, p[1][0]), r"Image 1: .*\(A, H, W\).*\(48, 64\)"),
        (lambda m, p: p.__setitem__(1, p[1] * 0.5), "Image 1: .*0 or 1"),
    ],
)
def test_bad_input_names_the_image(change, message):
    with pytest.raises(ValueError, match=message):
        edges.benchmark(*bad(change), thresholds=3)


def test_other_bad_input():
    with pytest.raises(ValueError, match="no image"):
        edges.benchmark([], [])
    with pytest.raises(ValueError, match=r"max_distance=4\.3"):
        edges.benchmark(*some_images(1), max_distance=4.3)
    for share in (0, 1):
        with pytest.raises(ValueError, match=f"max_distance={share}"):
            edges.benchmark(*some_images(1), max_distance=share)
    with pytest.raises(ValueError, match=r"workers=1\.5"):
        edges.benchmark(*some_images(1), workers=1.5)
    with pytest.raises(ValueError, match="workers=0"):
        edges.benchmark(*some_images(1), workers=0)
    with pytest.raises(ValueError, match="Image 0 has a single annotator"):
        edges.human_level([wavy()[None]])


# Thinning, suppression, detectors.


@pytest.mark.parametrize("seed", range(6))
def test_thin_equals_scikit_image(seed):
    from scipy.ndimage import gaussian_filter
    from skimage.morphology import thin

    rng = np.random.default_rng(seed)
    blobs = gaussian_filter(rng.standard_normal((60, 70)), seed * 0.6) > 0
    np.testing.assert_array_equal(edges.thin(blobs), thin(blobs))


def test_thin_by_hand():
    bar = np.zeros((7, 12), bool)
    bar[2:5, 2:10] = True
    thinned = edges.thin(bar)
    assert not (thinned & ~bar).any()
    assert (thinned.sum(axis=0) <= 1).all() and thinned[3, 3:9].all()
    np.testing.assert_array_equal(edges.thin(thinned), thinned)
    assert edges.thin(np.ones((1, 1))).all() and not edges.thin(np.zeros((3, 3))).any()
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        edges.thin(np.zeros((2, 2, 1)))


@pytest.mark.parametrize("degrees", [0, 25, 45, 70, 90, 120, 155])
def test_suppression_keeps_the_ridge(degrees):
    y, x = np.mgrid[:60, :60] - 29.5
    angle = np.deg2rad(degrees)
    across = x * np.cos(angle) + y * np.sin(angle)
    ridge = 0.9 * np.exp(-0.5 * (across / 2.5) ** 2)
    kept = edges.nms(ridge) > 0.05
    inside = np.hypot(x, y) < 22
    assert np.abs(across[kept & inside]).max() < 1.1
    # The line is whole: along it the kept pixels follow each other at one diagonal or less.
    along = np.sort((-x * np.sin(angle) + y * np.cos(angle))[kept & inside])
    assert along[0] < -20 and along[-1] > 20 and np.diff(along).max() < 1.5


def test_suppression_options():
    rng = np.random.default_rng(0)
    soft = rng.random((40, 30)).astype(np.float32)
    out = edges.nms(soft)
    assert out.dtype == np.float32 and out.min() == 0 and out.max() <= 1
    assert not out[0].any() and not out[:, -1].any()  # the border fades to 0
    plain = edges.nms(soft, smooth=0, border=0)
    assert np.isin(plain, np.append(soft, 0)).all()
    flat = edges.nms(np.full((20, 20), 0.5), border=0)
    np.testing.assert_allclose(flat, 0.5, rtol=1e-5)  # a plateau has no rival
    wide = edges.nms(soft, tolerance=2.0, border=0)
    assert (wide > 0).sum() > (edges.nms(soft, border=0) > 0).sum()
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        edges.nms(soft[None])


def test_suppression_without_options_is_the_recipe_of_the_toolbox():
    soft = np.random.default_rng(0).random((30, 40)).astype("float32")
    wanted = edges.nms(soft, smooth=1, orientation_smooth=4, radius=1, border=5, tolerance=1.01)
    np.testing.assert_array_equal(edges.nms(soft), wanted)
    for option in [
        {"smooth": 2},
        {"orientation_smooth": 3},
        {"radius": 2},
        {"border": 4},
        {"border": 6},
        {"tolerance": 1.02},
        {"tolerance": 1.005},
    ]:
        assert (edges.nms(soft, **option) != wanted).any()


def test_suppression_fades_out_at_the_border():
    rise = np.array([0, 0.5, 1, 1, 0.5, 0])
    for height, border, fall in [
        (5, 2, [0, 0.5, 1, 0.5, 0]),
        (4, 9, [0, 0.5, 0.5, 0]),
        (2, 1, [0, 0]),
    ]:
        ramp = rise if height > 2 else np.array([0, 1, 1, 1, 1, 0])
        found = edges.nms(np.full((height, 6), 0.8), border=border)
        np.testing.assert_allclose(found, 0.8 * np.outer(fall, ramp), rtol=1e-6)
        found = edges.nms(np.full((6, height), 0.8), border=border)
        np.testing.assert_allclose(found, 0.8 * np.outer(ramp, fall), rtol=1e-6)
    with pytest.raises(ValueError, match=r"at least 2×2. Received: shape=\(1, 6\)"):
        edges.nms(np.ones((1, 6)))
    with pytest.raises(ValueError, match=r"\(H, W\). Received: shape=\(6,\)"):
        edges.nms(np.ones(6))


@pytest.mark.parametrize(
    ("profile", "options", "kept"),
    [
        ([0.5, 0.8, 0.6, 0.3], {}, [0, 0.8, 0, 0]),
        ([0.6, 0.2, 0.9, 0.1], {}, [0.6, 0, 0.9, 0]),
        ([0.6, 0.2, 0.9, 0.1], {"radius": 2}, [0, 0, 0.9, 0]),
        ([0.1, 0.9, 0.2, 0.6], {}, [0, 0.9, 0, 0.6]),
        ([0.1, 0.9, 0.2, 0.6], {"radius": 2}, [0, 0.9, 0, 0]),
        ([0.3, 0.8, 0.805, 0.3], {}, [0, 0.8, 0.805, 0]),  # as good as equal
        ([0.3, 0.8, 0.82, 0.3], {}, [0, 0, 0.82, 0]),
        ([0.3, 0.8, 0.82, 0.3], {"tolerance": 1.1}, [0, 0.8, 0.82, 0]),
    ],
)
@pytest.mark.parametrize("turn", [False, True])
def test_suppression_of_an_edge_by_hand(profile, options, kept, turn):
    # The same across the whole image; upright, or lying.
    image = np.tile(np.pad(profile, 6), (16, 1))
    expected = np.tile(np.pad(kept, 6), (16, 1))
    if turn:
        image, expected = image.T, expected.T
    found = edges.nms(image, smooth=0, border=0, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_suppression_smooths_with_a_triangle():
    dot = np.zeros((15, 15))
    dot[7, 7] = 1
    # 1, 2, 1 over 4 on both axes, and 1, 2, 3, 2, 1 over 9: the height of the summit.
    assert edges.nms(dot, border=0).max() == pytest.approx(1 / 4)
    assert edges.nms(dot, smooth=2, border=0).max() == pytest.approx(1 / 9)
    corner = np.zeros((15, 15))
    corner[0, 0] = 1
    # Mirrored at the border, the outermost pixel counts twice: (1 + 2) / 4 on both axes.
    assert edges.nms(corner.tolist(), border=0).max() == pytest.approx(9 / 16)


def test_suppression_inside_the_benchmark():
    maps, people = some_images(2)
    inside = edges.benchmark(maps, people, 9, nms=True)
    outside = edges.benchmark([edges.nms(m) for m in maps], people, 9)
    np.testing.assert_array_equal(inside.per_image, outside.per_image)


@pytest.mark.parametrize("operator", ["sobel", "roberts"])
def test_gradient_magnitude(operator):
    step = np.zeros((20, 20))
    step[:, 10:] = 0.5
    found = edges.gradient_magnitude(step, operator)
    assert found.argmax(axis=1)[1:-1].tolist() == [found[5].argmax()] * 18
    assert abs(found[5].argmax() - 9.5) <= 1 and found[5, :8].max() == 0
    image = edges.gradient_magnitude(step, operator, scale="image")
    assert image.max() == 1.0
    np.testing.assert_allclose(image, found / found.max())
    np.testing.assert_allclose(
        edges.gradient_magnitude(step, operator, scale=0.1), np.clip(found / 0.1, 0, 1)
    )
    # Grey values in three channels or in 8 bits are the same picture.
    grey = np.rint(step * 255).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    np.testing.assert_allclose(
        edges.gradient_magnitude(rgb, operator, sigma=1),
        edges.gradient_magnitude(grey / 255, operator, sigma=1),
        atol=1e-9,
    )
    board = (np.indices((16, 16)).sum(0) % 2).astype(float)
    assert edges.gradient_magnitude(board, operator).max() <= 1


def test_grey_values_and_blur_are_those_of_the_libraries():
    from scipy.ndimage import gaussian_filter
    from skimage import color, filters

    rgb = np.random.default_rng(0).random((20, 24, 3))
    grey = color.rgb2gray(rgb)
    for operator, function in (("sobel", filters.sobel), ("roberts", filters.roberts)):
        np.testing.assert_allclose(edges.gradient_magnitude(rgb, operator), function(grey))
    blurred = filters.sobel(gaussian_filter(grey, 1.5, mode="nearest"))
    for image in (rgb, grey, grey[..., None], grey.tolist()):
        np.testing.assert_allclose(edges.gradient_magnitude(image, sigma=1.5), blurred)
    with pytest.raises(ValueError, match=r"uint8 or hold floats.* values from 0\.0 to 1\.00001"):
        edges.gradient_magnitude(np.eye(8) * 1.00001)
    with pytest.raises(ValueError, match="uint8 or hold floats"):
        edges.gradient_magnitude(np.eye(8) * (1 + 1.5e-6))
    with pytest.raises(ValueError, match=r"uint8 or hold floats.* values from -0\.1 to 1\.0"):
        edges.gradient_magnitude(1.1 * np.eye(8) - 0.1)
    assert edges.gradient_magnitude(np.eye(8) * (1 + 1e-6)).max() <= 1  # rounding is let pass
    assert edges.gradient_magnitude(np.zeros((8, 1))).shape == (8, 1)
    assert not edges.gradient_magnitude(np.zeros((8, 8)), scale="image").any()


def test_canny_levels_without_options():
    image = np.random.default_rng(0).random((24, 32))
    wanted = edges.canny_levels(image, 1.0, 99, low=0.4, scale=1.0)
    np.testing.assert_array_equal(edges.canny_levels(image), wanted)
    assert wanted.any()
    for option in [{"sigma": 1.2}, {"thresholds": 98}, {"low": 0.8}, {"scale": 0.9}]:
        assert (edges.canny_levels(image, **option) != wanted).any()
    np.testing.assert_array_equal(
        edges.canny_levels(image, low=1) > 0, edges.canny_levels(image, low=0.999) > 0
    )
    with pytest.raises(ValueError, match=r"low=1\.1"):
        edges.canny_levels(image, low=1.1)


def test_canny_levels_equal_canny():
    from scipy.ndimage import gaussian_filter
    from skimage.feature import canny

    rng = np.random.default_rng(3)
    image = gaussian_filter(rng.random((64, 80)), 1.5)
    image = (image - image.min()) / np.ptp(image)
    steps = np.linspace(0.01, 0.2, 12)
    levels = edges.canny_levels(image, sigma=1.2, thresholds=steps)
    sizes = []
    for step in steps:
        high = step * 4 * np.sqrt(2)
        expected = canny(image, 1.2, low_threshold=0.4 * high, high_threshold=high)
        np.testing.assert_array_equal(levels >= step, expected)
        sizes.append(expected.sum())
    assert sizes[0] > 2 * sizes[-1] > 0
    tenth = edges.canny_levels(image, sigma=1.2, thresholds=steps * 5, scale=0.2)
    np.testing.assert_allclose(tenth, levels * 5)


def test_bad_images_for_the_detectors():
    grey = np.zeros((8, 8))
    with pytest.raises(ValueError, match="operator='prewitt'"):
        edges.gradient_magnitude(grey, "prewitt")
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        edges.gradient_magnitude(np.zeros((8, 8, 2)))
    with pytest.raises(ValueError, match=r"values from 0\.0 to 255\.0"):
        edges.canny_levels(np.eye(8) * 255)
    with pytest.raises(ValueError, match="scale=0"):
        edges.gradient_magnitude(grey, scale=0)
    with pytest.raises(ValueError, match="scale='max'"):
        edges.gradient_magnitude(grey, scale="max")
    with pytest.raises(ValueError, match="low=0"):
        edges.canny_levels(grey, low=0)
    assert not edges.canny_levels(grey).any()


def test_import_is_light():
    code = (
        "import sys, helpers.edges; heavy = {'keras', 'matplotlib', 'skimage', 'sklearn', 'joblib'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# One target from several annotators ------------------------------------------------------


def test_annotators_are_combined_by_hand():
    drawn = [np.array([[[1, 1, 0, 0]], [[1, 0, 1, 0]], [[1, 0, 0, 0]], [[1, 0, 1, 0]]], "uint8")]
    expected = {
        "share": [1, 0.25, 0.5, 0],
        "majority": [1, 0, 1, 0],
        "any": [1, 1, 1, 0],
    }
    for treatment, values in expected.items():
        target = edges.combine(drawn, treatment)
        assert target.dtype == np.float32
        np.testing.assert_array_equal(target, [[values]])
    np.testing.assert_array_equal(edges.combine(drawn), [[expected["share"]]])
    lots = [edges.combine(drawn * 20, "one", *seed) for seed in ((), (0,), (1,))]
    assert (lots[0] == lots[1]).all() and (lots[0] != lots[2]).any()
    np.testing.assert_array_equal(edges.combine([drawn[0].tolist()]), [[expected["share"]]])
    thirds = edges.combine([np.array([[[1]], [[0]], [[0]]], "float16")])
    assert thirds == np.float32(1 / 3)  # counted in double precision
    picked = {edges.combine(drawn, "one", seed).tobytes() for seed in range(20)}
    assert picked == {layer.astype("float32").tobytes() for layer in drawn[0]}
    assert (edges.combine(drawn, "one", 3) == edges.combine(drawn, "one", 3)).all()


def test_annotators_that_cannot_be_combined():
    with pytest.raises(ValueError, match=r"`treatment` must be one of .* Received: 'mean'"):
        edges.combine([np.zeros((1, 2, 2))], "mean")
    with pytest.raises(ValueError, match=r"image 0: .* Received: shape \(2, 2\)"):
        edges.combine([np.zeros((2, 2))])
    with pytest.raises(ValueError, match=r"image 1: .* Received: shape \(0, 2, 2\)"):
        edges.combine([np.zeros((1, 2, 2)), np.zeros((0, 2, 2))])
    for treatment in ("share", "majority", "any", "one"):  # a PNG holds 0 and 255
        with pytest.raises(ValueError, match=r"image 1: .* 0 or 1, .* values from 0 to 255"):
            edges.combine([np.ones((1, 2, 2), bool), np.diag([0, 255])[None]], treatment)
    for value in (0.5, -1, np.nan):
        with pytest.raises(ValueError, match="image 0: annotations must be 0 or 1"):
            edges.combine([np.full((1, 2, 2), value)])
