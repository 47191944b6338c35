"""A VAE whose networks compute in float16 has its loss scaled, and no other has."""

import keras
import pytest

from helpers.models import dense_vae, half_precision


def compiled(policy, optimizer):
    keras.config.set_dtype_policy(policy)
    try:
        model = dense_vae((8, 8, 1), 2, (8,), likelihood="gaussian", sigma=0.003)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(optimizer)
    assert isinstance(model, half_precision.ScaledLoss)
    return model


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_loss_is_scaled_in_float16_alone(policy):
    """With σ = 0.003 a pixel that is off by 0.6 has a slope of 66,667: infinite in float16."""
    optimizer = compiled(policy, keras.optimizers.Adam(1e-3)).optimizer
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    assert isinstance(inner, keras.optimizers.Adam)  # PyTorch has a subclass of its own


def test_an_optimizer_that_scales_is_taken_as_it_is():
    own = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    assert compiled("mixed_float16", own).optimizer is own
    assert isinstance(compiled("float32", "sgd").optimizer, keras.optimizers.SGD)


def test_a_loaded_model_is_compiled_as_it_was(tmp_path):
    model = compiled("mixed_float16", keras.optimizers.Adam(0.5))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer, keras.optimizers.LossScaleOptimizer)
    assert again.optimizer.built and float(again.optimizer.learning_rate) == 0.5
