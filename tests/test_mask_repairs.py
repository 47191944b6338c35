"""Repairs of label maps that need no latent, and the segmenter whose answers are repaired."""

import numpy as np
import pytest

from helpers.data import mask_damage, scenes
from helpers.experiments import mask_repairs

MASKS = scenes.label_maps(scenes.sample(40, 3, 32, (1, 2), (0.18, 0.25)), 32)


def damaged(kind):
    return mask_damage.KINDS[kind](MASKS, np.random.default_rng(1))


def test_the_matrix_finds_the_flips_that_were_drawn():
    matrix = mask_repairs.confusion(MASKS, damaged("flips"))
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    np.testing.assert_allclose(np.diag(matrix), 0.7, atol=0.03)
    np.testing.assert_allclose(matrix[~np.eye(4, dtype=bool)], 0.1, atol=0.03)


def test_evidence_says_nothing_in_a_hole_and_t_elsewhere():
    hole, matrix = damaged("hole, told"), np.arange(16.0).reshape(4, 4)
    seen = mask_repairs.evidence(hole, matrix)
    lost = hole.sum(axis=-1) == 0
    assert lost.any() and (seen[lost] == 1).all()
    np.testing.assert_array_equal(seen[~lost], matrix.T[MASKS[~lost]])


@pytest.mark.parametrize(
    ("repair", "settings"), [(mask_repairs.majority, (3, 2)), (mask_repairs.smoother, (8, 1))]
)
def test_a_filter_mends_most_flips_and_keeps_a_map_without_damage(repair, settings):
    noisy = damaged("flips")
    matrix = mask_repairs.confusion(MASKS, noisy)
    wrong = np.mean(noisy.argmax(axis=-1) != MASKS)
    assert np.mean(repair(noisy, matrix, *settings).argmax(axis=-1) != MASKS) < 0.25 * wrong
    clean = repair(mask_damage.one_hot(MASKS), matrix, *settings)
    assert np.mean(clean.argmax(axis=-1) != MASKS) < 0.03
    np.testing.assert_allclose(clean.sum(axis=-1), 1, atol=1e-5)


def test_what_is_not_known_has_no_vote():
    lost = np.zeros((1, 9, 9, 4), "float32")
    lost[0, :, 5:, 2] = 1
    assert (mask_repairs.majority(lost, None, 3, 8).argmax(axis=-1) == 2).all()
    once = mask_repairs.majority(lost, None, 3, 1).argmax(axis=-1)
    assert (once[0, :, :4] == 0).all()


def test_seen_once_more_keeps_known_pixels_of_a_told_hole_and_no_flip():
    hole = damaged("hole, told")
    matrix = mask_repairs.confusion(MASKS, hole)
    known = hole.sum(axis=-1) > 0
    voted = mask_repairs.majority(hole, None, 7, 4)
    answer = mask_repairs.answer_of(voted, hole, matrix, once_more=True)
    np.testing.assert_array_equal(answer[known], MASKS[known])
    without = mask_repairs.answer_of(voted, hole, matrix, once_more=False)
    np.testing.assert_array_equal(answer[~known], without[~known])
    assert np.mean(without[known] != MASKS[known]) > 0.01
    noisy = damaged("flips")
    matrix = mask_repairs.confusion(MASKS, noisy)
    voted = mask_repairs.majority(noisy, None, 3, 2)
    both = [mask_repairs.answer_of(voted, noisy, matrix, flag) for flag in (False, True)]
    np.testing.assert_array_equal(*both)


def test_nearly_sure_is_a_probability_of_99_percent():
    sure = mask_repairs.nearly_sure(MASKS, 4)
    np.testing.assert_allclose(sure.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(sure.max(axis=-1), 0.99)
    np.testing.assert_array_equal(sure.argmax(axis=-1), MASKS)
    assert mask_repairs.nearly_sure((MASKS > 0).astype(int), 2).shape == (40, 32, 32, 2)


@pytest.mark.parametrize("kind", mask_damage.KINDS)
def test_the_most_likely_map_is_that_of_the_sum_written_out(kind, monkeypatch):
    monkeypatch.setattr(mask_repairs, "PART", 7)  # 40 maps in six parts
    rng = np.random.default_rng(2)
    seen = mask_damage.KINDS[kind](MASKS[:5], rng)
    matrix = mask_repairs.confusion(MASKS[:5], seen)
    candidates = MASKS[rng.permutation(40)]
    expected = []
    for one in seen:
        log_likelihood = np.zeros(40)
        for m, candidate in enumerate(candidates):
            for i, j in np.argwhere(one.sum(axis=-1) > 0):
                log_likelihood[m] += np.log(matrix[candidate[i, j], one[i, j].argmax()])
        expected.append(candidates[log_likelihood.argmax()])
    found = mask_repairs.most_likely(candidates, seen, matrix).argmax(axis=-1)
    np.testing.assert_array_equal(found, expected)
    if kind != "hole, not told":  # a lost object can be another map
        np.testing.assert_array_equal(found, MASKS[:5])


def test_the_small_segmenter_learns_its_pictures_and_repeats_itself():
    images = (MASKS[:10, ..., None] > 0).astype("float32").repeat(3, axis=-1)
    answers = []
    for _ in range(2):
        network = mask_repairs.small_segmenter(images, MASKS[:10] > 0, 2, steps=40, seed=0)
        answers.append(network.predict(images, verbose=0))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)
    assert np.mean(answers[0].argmax(axis=-1) == (MASKS[:10] > 0)) > 0.9
