"""What Keras leaves of a model on JAX when one of its loops ends in an error.

The loops take the values out of the variables while they run, and put them back at the end of an
epoch. An error in between, such as a batch that is refused, would leave a model without weights.
"""

import contextlib

import keras


@contextlib.contextmanager
def restored(model):
    """Gives a model its variables back if what runs inside ends in an error.

    They have the values after the last step that was done. On other backends nothing is needed.

    Args:
        model: a keras.Model.
    """
    if keras.backend.backend() != "jax":
        yield
        return
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *model.metrics_variables]
    variables += optimizer.variables if optimizer is not None else []
    before = [(variable, variable._value) for variable in variables]
    try:
        yield
    except BaseException:
        model.jax_state_sync()  # writes what the last step gave, where there was a step
        model._jax_state = None
        for variable, value in before:
            if variable._value is None:
                variable._value = value
        raise
