"""Long trainings on whole photographs: a VAE on crops without labels, then a head on its encoder.

The same head on a pretrained encoder and on one with fresh weights takes the same labelled steps.
Every training goes through a `checkpoint.ResultStore`, so that a killed run goes on.
"""

import keras
import numpy as np

from helpers import data, metrics, models, pyramids
from helpers.backend import use_xla
from helpers.data.images import read_rgb, resize_image


def train_head(
    photos,
    targets,
    num_classes,
    loss,
    store,
    *,
    pretrain,
    vae_epochs,
    epochs,
    steps,
    learning_rate,
    plan,
    channels=16,
    seed=0,
    crops=None,
    parameters=None,
):
    """Train a head for pixels on random crops, on an encoder with or without a VAE before it.

    Args:
        photos: uint8 `(H, W, 3)`, in a list or one array; those smaller than the crops are left out.
        targets: one `(H, W)` array a photograph: classes, or shares of annotators with
            `share=True` in `crops`.
        num_classes: number of classes, or 1 for edges.
        loss: of the head, a Keras loss that takes logits.
        store: a `checkpoint.ResultStore`.
        pretrain: whether the encoder is pretrained as a VAE's, on crops of `photos`.
        vae_epochs, epochs: of the VAE, and of the head; each training has its own cosine.
        steps: training steps an epoch.
        learning_rate: highest learning rate of both.
        plan: dictionary with `widths`, `depths` and `patches` of `pyramids.pyramid_networks`.
        channels: of the VAE's code.
        seed: of first weights and crops.
        crops: options of `data.Crops`; `crop` is needed.
        parameters: what else the result depends on, JSON values.

    Returns:
        (model, seconds): the network for images of any size (`pyramids.at_size`), and the
        training time of VAE and head together.
    """
    crops = {"seed": seed, "steps": steps, **crops}
    large = [i for i, p in enumerate(photos) if min(np.subtract(p.shape[:2], crops["crop"])) >= 0]
    photos, targets = ([array[i] for i in large] for array in (photos, targets))
    keras.utils.set_random_seed(seed)
    encoder, decoder = pyramids.pyramid_networks((*crops["crop"], 3), channels, **plan)
    key = {**crops, **plan, "channels": channels, "learning_rate": learning_rate}
    key |= {"vae_epochs": vae_epochs}
    key |= {"pretrain": pretrain, **(parameters or {})}

    def fit(name, model, epochs, targets=None, loss=None):
        rise = max(1, epochs * steps // 50)  # steps in which the rate climbs before it falls
        fall = keras.optimizers.schedules.CosineDecay(
            learning_rate / 50,
            max(1, epochs * steps - rise),
            warmup_target=learning_rate,
            warmup_steps=rise,
        )
        adam = keras.optimizers.AdamW(fall, weight_decay=1e-4)
        model.compile(adam, loss, jit_compile=use_xla())
        return store.fit(name, model, data.Crops(photos, targets=targets, **crops), epochs, key)[0]

    seconds = 0.0
    if pretrain and vae_epochs:
        vae = models.VAE(encoder, decoder, likelihood="gaussian", seed=seed)
        seconds += fit("photo-vae", vae, vae_epochs)
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes)
    seconds += fit("photo-head", head, epochs, targets, loss)
    return pyramids.at_size(head, (None, None, 3)), seconds


def class_ious(model, dataset, num_classes, ignore_class=None, multiple=32, mirror=False):
    """IoU of each class over the whole images of a data set: float64 `(C,)`.

    At the size of the masks, one image at a time.

    Args:
        model: for images of any size.
        dataset: with masks.
        num_classes: C.
        ignore_class: label that does not count, or None.
        multiple: as in `pyramids.predict_full_size`.
        mirror: whether the logits are the mean of those of the image and of its mirror image.

    Returns:
        Shares, NaN for a class that is nowhere.
    """
    counts = np.zeros((num_classes, num_classes), "int64")
    outputs = pyramids.predict_full_size(model, dataset.images, multiple)
    if mirror:
        mirrored = (np.asarray(image)[:, ::-1] for image in dataset.images)
        mirrored = pyramids.predict_full_size(model, mirrored, multiple)
        outputs = ((a + b[:, ::-1]) / 2 for a, b in zip(outputs, mirrored, strict=True))
    for mask, logits in zip(dataset.masks, outputs, strict=True):
        predictions = logits.argmax(axis=-1)
        counts += metrics.confusion_matrix(mask, predictions, num_classes, ignore_class)
    return metrics.iou_of_counts(counts)


def label(path, model, multiple=32, side=320):
    """A photograph, at most `side` pixels long, and the network's class of each of its pixels.

    Args:
        path: of an image file; "" takes the cat of scikit-image.
        model: for images of any size.
        multiple: as in `pyramids.predict_full_size`.
        side: longest side in pixels.

    Returns:
        (photo, labels): uint8 `(H, W, 3)` and integers `(H, W)`.
    """
    import skimage.data

    photo = read_rgb(path, upright=True) if path else skimage.data.chelsea()
    scale = min(1.0, side / max(photo.shape[:2]))
    photo = resize_image(photo, tuple(round(scale * length) for length in photo.shape[:2]))
    return photo, next(pyramids.predict_full_size(model, [photo], multiple)).argmax(axis=-1)
