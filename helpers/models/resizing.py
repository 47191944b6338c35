"""A convolutional model again, for images of another size; `pyramids.at_size` is the door to it."""

import keras
from keras import layers


def resized(model, image_shape):
    """A copy with fresh weights, for images of another shape."""
    if any(isinstance(layer, (layers.Flatten, layers.Reshape)) for layer in model.layers):
        raise ValueError(
            f"{model.name} has a vector in its middle, so it knows one size of image only: "
            f"{model.input_shape[1:]}. Received: image_shape={image_shape}"
        )

    def clone(layer):
        if isinstance(layer, keras.Model):  # a network used as a layer takes what comes
            return resized(layer, (*(None for _ in layer.input_shape[1:-1]), layer.input_shape[-1]))
        return layer.__class__.from_config(layer.get_config())

    outputs = model.outputs if len(model.outputs) > 1 else model.outputs[0]
    bare = keras.Model(model.inputs[0], outputs, name=model.name)  # without its optimizer
    image = keras.Input(image_shape)
    try:
        return keras.models.clone_model(bare, input_tensors=image, clone_function=clone)
    except ValueError as error:  # ways that meet again have lost different rests
        raise ValueError(
            f"{model.name} cannot take images of shape {image_shape}: height and width must be "
            f"multiples of what its patches shrink them by. ({error})"
        ) from error


def check_patches(model, image_shape):
    """Refuses a size of which a patch convolution would leave out the last rows or columns."""
    for layer in model.layers:
        patch = getattr(layer, "strides", (1, 1))
        if not isinstance(layer, layers.Conv2D) or layer.kernel_size != patch:
            continue
        if any(side is not None and side % p for side, p in zip(layer.input.shape[1:3], patch)):
            raise ValueError(
                f"{model.name} cuts its maps of shape {tuple(layer.input.shape[1:])} into patches of "
                f"{patch}: height and width of the images must be multiples of what all patches "
                f"shrink them by. Received: image_shape={tuple(image_shape)}"
            )
