"""What a model needs to learn in half precision."""

import keras


class ScaledLoss:
    """A model of an encoder and a decoder whose loss is scaled where they compute in float16.

    Gradients below 6e-8 are 0 there, and those above 65,504 infinite. Keras scales the loss of a
    model whose own precision is "mixed_float16", and leaves out a step with infinite gradients.
    A VAE sums its nats in float32, so Keras would not.
    """

    def compile(self, optimizer="rmsprop", *args, **options):
        optimizer = keras.optimizers.get(optimizer)
        parts = [*self.encoder.layers, *self.decoder.layers]
        half = any(layer.compute_dtype == "float16" for layer in parts)
        if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(optimizer, *args, **options)

    def compile_from_config(self, config):
        # Keras compiles no loaded model whose `compile` is not its own.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)
