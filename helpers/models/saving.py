"""Saving and exporting of the models that are subclasses of `keras.Model`."""

import keras


class Portable:
    """`save` and `export` that work from the first moment on; before `keras.Model` in the bases.

    The model has `row_shape`, the shape of one row of what it is called with.

    Examples:
        >>> path = os.path.join(tempfile.mkdtemp(), "vae.keras")
        >>> models.dense_vae((4,), latent=1, hidden=3, beta=2.0).save(path)
        >>> keras.models.load_model(path).beta
        2.0
    """

    def save(self, filepath, *arguments, **options):
        """As `keras.Model.save`; refuses HDF5, which keeps no package beside a class's name."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"a {type(self).__name__} does not come back from HDF5: let the name end in "
                f"`.keras`, or keep the weights alone by `save_weights`. Received: {filepath}"
            )
        return super().save(filepath, *arguments, **options)

    def export(self, filepath, *arguments, **options):
        """As `keras.Model.export`; without `input_signature`, for batches of any length."""
        if len(arguments) < 3 and options.get("input_signature") is None:
            # Keras would take the shapes of a first call, which a loaded model had none of.
            shape = (None, *self.row_shape)
            options["input_signature"] = [keras.InputSpec(shape=shape, dtype=self.input_dtype)]
        return super().export(filepath, *arguments, **options)
