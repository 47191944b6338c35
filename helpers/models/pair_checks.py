"""Whether two networks make a VAE: shapes, inputs, outputs and the end of the decoder.

Refused here, at construction, is what Keras would meet in the middle of `fit`, or not at all.
"""

import keras

# What moves or copies values, so that an activation before it is still the end of a decoder.
MOVING = {
    "ActivityRegularization", "Cast", "Cropping2D", "Dropout", "ExpandDims", "Flatten", "GetItem",
    "Identity", "Permute", "Reshape", "Squeeze", "Transpose", "UpSampling2D", "ZeroPadding2D",
}  # fmt: skip

BENDING = {
    "Clip", "ELU", "HardSigmoid", "HardTanh", "LeakyReLU", "PReLU", "ReLU", "Relu", "Relu6",
    "Sigmoid", "Silu", "Softmax", "Softplus", "Tanh",
}  # fmt: skip


def check_pair(encoder, decoder, gives=1, raw=False):
    """Refuses networks that are no encoder and decoder of one VAE.

    Args:
        encoder: image → mean and log σ², of one shape.
        decoder: latent → as many numbers for each value of the image as `gives`.
        gives: 1 for a mean or a logit, 2 for a mean and a spread.
        raw: whether the numbers must cover the whole line, as logits do: then the decoder may
            not end in an activation.

    Raises:
        ValueError: if inputs, outputs or shapes are others, or the decoder ends in an activation.

    Examples:
        >>> encoder, decoder = networks.dense_networks((8, 8, 1), latent=2)
        >>> models.pair_checks.check_pair(encoder, decoder)
        >>> _, other = networks.dense_networks((8, 8, 1), latent=3)
        >>> models.pair_checks.check_pair(encoder, other)
        Traceback (most recent call last):
            ...
        ValueError: the decoder must take what the encoder gives, (None, 2). Received: ... (None, 3)
    """
    for name, net in (("encoder", encoder), ("decoder", decoder)):
        if not getattr(net, "inputs", None) or not getattr(net, "outputs", None):
            raise ValueError(
                f"the {name} must be a keras.Model(inputs, outputs), or a Sequential that starts "
                f"with keras.Input. Received: {type(net).__name__}"
            )
        if len(net.inputs) != 1:
            raise ValueError(
                f"the {name} must have one input: this VAE has no condition beside the image. "
                f"Received: {len(net.inputs)} inputs"
            )
    if len(encoder.outputs) != 2:
        raise ValueError(
            "the encoder must return two outputs, mean and log σ²; the VAE draws z itself. Of "
            "[mean, log σ², z] take keras.Model(encoder.input, encoder.outputs[:2]). "
            f"Received: {len(encoder.outputs)} output(s)"
        )
    for name, net, kinds, wanted in (
        ("encoder", encoder, (list, tuple), "a list, [mean, log σ²]"),
        ("decoder", decoder, (), "one tensor"),
    ):
        output = getattr(net, "output", None)  # a Sequential has none, and returns one tensor
        if isinstance(output, (list, tuple, dict)) and not isinstance(output, kinds):
            raise ValueError(
                f"the {name} must return {wanted}. Received: a {type(output).__name__}"
            )
    image, (mean, variance) = tuple(encoder.inputs[0].shape), (t.shape for t in encoder.outputs)
    if None in image[1:] or None in mean[1:]:
        raise ValueError(
            "the size of images and latent must be known: build the networks on crops of one "
            f"size. Received: {image} → {tuple(mean)}"
        )
    if tuple(mean)[1:] != tuple(variance)[1:]:
        raise ValueError(
            "the encoder must return mean and log σ² of one shape. "
            f"Received: {tuple(mean)} and {tuple(variance)}"
        )
    if tuple(decoder.inputs[0].shape)[1:] != tuple(mean)[1:]:
        raise ValueError(
            f"the decoder must take what the encoder gives, {tuple(mean)}. "
            f"Received: decoder input {tuple(decoder.inputs[0].shape)}"
        )
    wanted, got = (*image[:-1], gives * image[-1]), [tuple(t.shape) for t in decoder.outputs]
    if [shape[1:] for shape in got] != [wanted[1:]]:
        each = "one number" if gives == 1 else "a mean and a spread"
        raise ValueError(
            f"the decoder must give {each} for each value of the image, {wanted}. "
            f"Received: {', '.join(map(str, got))}"
        )
    end = _activation(decoder.outputs[0]) if raw else None
    if end is not None:
        raise ValueError(
            "the decoder must not end in an activation: its numbers are logits, and the loss "
            "applies the sigmoid. Leave the activation out (of a decoder that is trained, too), "
            f"or take likelihood='gaussian' for means. Received: a decoder that ends in {end}"
        )


def _activation(tensor):
    """The name of the activation that a symbolic tensor comes out of, or None."""
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        return None
    operation = history.operation
    if getattr(operation, "outputs", None):  # a network used as a layer
        return _activation(operation.outputs[history.tensor_index])
    kind = type(operation).__name__
    if kind in MOVING:
        sources = operation._inbound_nodes[history.node_index].input_tensors
        return _activation(sources[0])
    function = getattr(getattr(operation, "layer", operation), "activation", None)
    if function is not None and function is not keras.activations.linear:
        return getattr(function, "__name__", None) or type(function).__name__
    return kind if kind in BENDING else None
