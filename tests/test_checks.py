"""The checks that students read: any right answer passes, a wrong one is explained."""

import numpy as np
import pytest

from helpers import checks


def test_checks_take_any_right_answer_and_explain_a_wrong_one():
    checks.close(1.0 + 1e-5, 1, "hint")
    checks.close([1, 2], (1.0, 2.0), "hint")
    checks.same(3.0, 3, "hint")
    checks.same(" Useful ", "useful", "hint")
    for call in (
        lambda: checks.close(1.1, 1, "think"),
        lambda: checks.close([1.0], 1, "think"),
        lambda: checks.close(float("nan"), 1, "think"),
        lambda: checks.close("no", 1, "think"),
        lambda: checks.same([1, 2], [1, 3], "think"),
        lambda: checks.true(False, "think"),
    ):
        with pytest.raises(AssertionError, match="think"):
            call()
    for nothing in (None, ..., NotImplemented):
        with pytest.raises(NotImplementedError):
            checks.close(nothing, 1, "think")


def test_an_empty_answer_is_no_truth():
    with pytest.raises(AssertionError, match="as many"):
        checks.true(np.array([]), "As many as there are rows? There are not as many.")
