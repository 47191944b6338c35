"""What a model needs to learn in half precision."""

import keras


class ScaledLoss:
    """A model in float32 whose loss is scaled where layers of it compute in float16.

    Gradients below 6e-8 are 0 there, and those above 65,504 infinite. Keras scales the loss of a
    model whose own precision is "mixed_float16", and leaves out a step with infinite gradients.
    A model that sums its nats in float32 is none of these.
    """

    def compile(self, optimizer="rmsprop", *args, auto_scale_loss=True, **options):
        optimizer = keras.optimizers.get(optimizer)
        scales = not optimizer or isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        half = any(layer.compute_dtype == "float16" for layer in self._flatten_layers())
        if half and auto_scale_loss and not scales:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(optimizer, *args, auto_scale_loss=auto_scale_loss, **options)

    def compile_from_config(self, config):
        # Keras compiles no loaded model whose `compile` is not its own. The optimizer scales
        # already, or was not to.
        self.compile(**keras.saving.deserialize_keras_object(config), auto_scale_loss=False)
        if self.optimizer:
            self.optimizer.build(self.trainable_variables)
