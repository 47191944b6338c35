"""Twenty people who read one picture in three ways."""

import numpy as np

from helpers import data
from helpers.data import ambiguous


def test_twenty_people_read_in_three_ways():
    image = np.full((1, 8, 8, 3), 100, "uint8")
    mask = np.zeros((1, 8, 8), "uint8")
    mask[0, :3, :3], mask[0, 5:, 5:], mask[0, :3, 5:] = 1, 1, 2  # two of one class, apart
    image[0, :3, :3, 0], image[0, 5:, 5:, 2], image[0, :3, 5:, 0] = 150, 150, 120
    pictures = data.Dataset("some", "val", image, masks=mask)
    marks = ambiguous.twenty_annotators(pictures)[0]
    assert marks.shape == (20, 8, 8)
    assert [m.sum() for m in marks] == [27] * 8 + [18] * 7 + [9] * 5
    assert marks[8, 0, 0] and marks[8, 0, 7] and marks[15, 7, 7]
    assert sum(ambiguous.INTERPRETATIONS.values()) == 20
