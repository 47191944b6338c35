"""Flaws drawn on pictures by a seeded program, with the pixels that they cover, for detectors to find.

Scratches, blots and foreign objects, one on each picture, over what is there. Their size is a share
of the picture's side. What is drawn is no object that `shapes` has.
"""

import numpy as np

KINDS = ("scratch", "blot", "foreign")
DAMAGE = 3000  # beside the seed, so that no flaw depends on how the pictures were drawn


def damage(images, seed=0, contrast=(0.1, 0.3), noise=0.03):
    """Draw one flaw on each picture.

    Scratches (thin bows, lighter or darker) and blots (irregular, tinted) change what is below by
    one amount in all their pixels, as a scratch or a drop of ink does: texture and noise stay. A
    foreign object (a ring or a cross) is opaque, with a colour and noise of its own. The
    kinds take turns. The first flaws do not depend on how many pictures follow.

    Args:
        images: uint8 `(N, H, W, 3)`, sides of 16 pixels or more; they are not changed.
        seed: an integer from 0.
        contrast: least and greatest change, the root mean square over red, green and blue, in
            [0, 1]; of a foreign object, its distance from the mean colour that it hides. Where
            no colour is that far off, the change is smaller.
        noise: standard deviation of the noise on foreign objects, in [0, 1].

    Returns:
        (damaged, masks, kinds): uint8 `(N, H, W, 3)`; uint8 `(N, H, W)`, 1 where half of a pixel or
        more is covered; index in `KINDS`, `(N,)`.

    Raises:
        ValueError: If the images are not uint8 colour pictures of 16 pixels or more.

    Examples:
        >>> grey = np.full((3, 32, 32, 3), 128, "uint8")
        >>> damaged, masks, kinds = data.damage.damage(grey, seed=0)
        >>> [data.damage.KINDS[k] for k in kinds], bool((damaged[masks == 0] == 128).mean() > 0.8)
        (['scratch', 'blot', 'foreign'], True)
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            f"`images` must be uint8 (N, H, W, 3). Received: {images.dtype} {images.shape}"
        )
    if min(images.shape[1:3]) < 16:
        raise ValueError(f"sides must be 16 pixels or more. Received: {images.shape[1:3]}")
    damaged, masks = np.empty_like(images), np.empty(images.shape[:3], "uint8")
    kinds = np.arange(len(images)) % len(KINDS)
    for i, (image, kind) in enumerate(zip(images, kinds)):
        rng = np.random.default_rng([int(seed), DAMAGE, i])
        cover = _OUTLINES[kind](rng, *image.shape[:2])  # (H, W), share of each pixel
        cover = cover / cover.max()  # a thin flaw may cover no pixel to the full
        flawed = _paint(rng, image / 255, cover, KINDS[kind], contrast, noise)
        damaged[i] = np.rint(255 * flawed.clip(0, 1))
        masks[i] = cover >= 0.5
    return damaged, masks, kinds


def _paint(rng, image, cover, kind, contrast, noise):
    """The picture in [0, 1] with the flaw on it."""
    direction = np.ones(3) if kind == "scratch" else rng.normal(size=3)
    direction /= np.sqrt(np.mean(direction**2))
    away = rng.choice([-1, 1]) * direction * rng.uniform(*contrast)
    inside = image[cover >= 0.5]
    # Of a change and its opposite, the one that leaves [0, 1] less; the first one if both stay.
    lost = [np.abs(inside + s * away - (inside + s * away).clip(0, 1)).mean() for s in (1, -1)]
    away = away if lost[0] <= lost[1] else -away
    if kind != "foreign":
        return image + cover[..., None] * away
    paint = inside.mean(axis=0) + away + rng.normal(0, noise, image.shape)
    return image + cover[..., None] * (paint - image)


def _place(rng, height, width, reach):
    """Row and column of a centre that lies `reach` pixels inside the border."""
    return rng.uniform(reach, height - 1 - reach), rng.uniform(reach, width - 1 - reach)


def _offsets(height, width, y, x):
    """Rows and columns of all pixels, counted from a point: (H, W) each."""
    rows, columns = np.mgrid[:height, :width].astype("float64")
    return rows - y, columns - x


def _scratch(rng, height, width):
    """A bow of a third to two thirds of the side, one to two pixels of 32 wide."""
    side = min(height, width)
    half, turn = rng.uniform(0.17, 0.33) * side, rng.uniform(0, np.pi)
    y, x = _place(rng, height, width, 0.35 * side)
    along = np.linspace(-1, 1, 65)
    bend = rng.uniform(-0.35, 0.35) * half * (1 - along**2)
    line_y = y + half * along * np.sin(turn) + bend * np.cos(turn)
    line_x = x + half * along * np.cos(turn) - bend * np.sin(turn)
    rows, columns = _offsets(height, width, 0, 0)
    gaps = np.hypot(rows[..., None] - line_y, columns[..., None] - line_x)  # (H, W, 65)
    return _covered(gaps.min(axis=-1) - rng.uniform(0.5, 1.0) * side / 32)


def _blot(rng, height, width):
    """A disc of a twentieth to a tenth of the side in radius, with a wavy outline."""
    radius = rng.uniform(0.06, 0.11) * min(height, width)
    dy, dx = _offsets(height, width, *_place(rng, height, width, 1.5 * radius))
    angle = np.arctan2(dy, dx)
    waves = sum(
        rng.uniform(0, 0.25) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3)
    )
    return _covered(np.hypot(dy, dx) - radius * (1 + waves))


def _foreign(rng, height, width):
    """A ring or a cross."""
    reach = rng.uniform(0.1, 0.15) * min(height, width)
    thick = 0.3 * reach
    dy, dx = _offsets(height, width, *_place(rng, height, width, 1.2 * reach))
    if rng.random() < 0.5:
        return _covered(np.abs(np.hypot(dy, dx) - (reach - thick)) - thick)
    turn = rng.uniform(0, np.pi / 2)
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    bars = [np.maximum(np.abs(a) - reach, np.abs(b) - thick) for a, b in ((u, v), (v, u))]
    return _covered(np.minimum(*bars))


def _covered(distance):
    """Share of each pixel that lies inside an outline, from the signed distance of its centre."""
    return np.clip(0.5 - distance, 0, 1)


_OUTLINES = (_scratch, _blot, _foreign)
