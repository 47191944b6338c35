"""From logits to class maps: a network that diverged has no answer."""

import numpy as np
import pytest

from helpers import segmentation


def test_the_class_with_the_highest_logit_at_each_pixel():
    logits = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    found = segmentation.class_map(logits)
    assert found.shape == (2, 4, 6)
    assert (
        np.take_along_axis(logits, found[..., None], axis=-1)[..., 0] == logits.max(axis=-1)
    ).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_one_pixel_that_is_no_number_is_refused(bad):
    logits = np.zeros((2, 4, 4, 3), dtype="float32")
    logits[1, 2, 3, 0] = bad
    with pytest.raises(
        FloatingPointError, match=r"1 of 96 outputs .* diverged; lower its learning"
    ):
        segmentation.class_map(logits)
