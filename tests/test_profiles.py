"""helpers.edges.profiles: distances to the edges that people drew, and means over them."""

import numpy as np

from helpers import edges


def test_distances_and_means():
    share = np.zeros((2, 5, 9))
    share[0, :, 2] = 0.6  # the second picture has no edge
    away = edges.distance_to_edges(share)
    np.testing.assert_array_equal(away[0, 0], [2, 1, 0, 1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(away[1], np.hypot(5, 9))
    profile = edges.edge_profile(away, away, reach=8)
    np.testing.assert_array_equal(profile, [0, 1, 2, 3, 4, 5, 6, 0])  # nobody is at 7


def test_classical_detectors_on_noisy_pictures():
    rng = np.random.default_rng(0)
    x = np.zeros((3, 24, 24, 3))
    x[:, :, 12:] = 0.6
    drawn = np.zeros((1, 24, 24), "uint8")
    drawn[0, :, 12] = 1
    known = scored = x + rng.normal(0, 0.01, x.shape), [drawn] * 3
    found, blurs = edges.noise_comparison(
        [0.0, 0.3], lambda x: rng.random(x.shape), known, scored, 0.05
    )
    assert set(found) == set(blurs) == set(edges.CLASSICS)
    for name in edges.CLASSICS:
        picture, redrawn = (found[name][source] for source in ("picture", "reconstruction"))
        assert len(picture) == len(redrawn) == 2 and picture[0].ods > 0.9
        assert redrawn[0].ods < 0.5 and set(blurs[name]["picture"]) <= {1.0, 2.0, 3.0}
