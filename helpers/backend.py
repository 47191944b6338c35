"""What Keras leaves to the backend: gradients, compiled functions and options for speed.

One door to TensorFlow, JAX and PyTorch, so that nothing else in the package names a backend.
`value_and_grad` differentiates; `compile_function`, `compile_model` and `compile_step` compile what
is written by hand; `compile_options` and `use_xla` are for Keras's own `compile`.
"""

import contextlib
import os

import keras


def value_and_grad(function, variables, state=()):
    """The value of `function()` and its gradient, on any Keras backend.

    Args:
        function: takes nothing, returns a scalar tensor computed from `variables`.
        variables: Keras variables to differentiate by.
        state: other variables that `function` changes, such as those of a
            `SeedGenerator`. JAX loses their changes unless they are named here.

    Returns:
        (value, gradients): a scalar tensor and a list, one gradient per variable.

    Examples:
        >>> w = keras.Variable([1.0, 3.0])
        >>> value, (gradient,) = backend.value_and_grad(lambda: keras.ops.sum(w * w), [w])
        >>> print(float(value), np.asarray(gradient))     # w·w, and 2 w
        10.0 [2. 6.]
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        return value, tape.gradient(value, [v.value for v in variables])
    if backend == "torch":
        import torch

        value = function()
        return value.detach(), list(torch.autograd.grad(value, [v.value for v in variables]))
    import jax

    def stateless(values):
        mapping = [*zip(variables, values), *((v, v.value) for v in state)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            value = function()
        return value, [scope.get_current_value(v) for v in state]

    (value, new_state), gradients = jax.value_and_grad(stateless, has_aux=True)(
        [v.value for v in variables]
    )
    for variable, new in zip(state, new_state):
        variable.assign(new)
    return value, gradients


def compile_function(function):
    """`function` as one graph on TensorFlow, and as it is on JAX and PyTorch.

    For functions of tensors that change no variables but, on TensorFlow, those of generators of
    noise. What trains needs `compile_step`, which compiles on JAX too.

    Args:
        function: takes tensors, returns a tensor or a structure of them. Its Python runs once
            for each kind of argument; a second shape makes the sizes that differ free.

    Returns:
        A function with the arguments of `function`.

    Examples:
        >>> square = backend.compile_function(lambda x: x * x)
        >>> print(np.asarray(square(np.array([2.0, 3.0], "float32"))))
        [4. 9.]
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


def compile_model(model):
    """`model(x, training=False)` as a function of x, by `compile_function`.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(3.0)])
        >>> print(np.asarray(backend.compile_model(model)(np.ones((1, 2)))))
        [[3. 3.]]
    """
    return compile_function(lambda x: model(x, training=False))


def compile_step(step, variables):
    """`step` as one compiled function of tensors, on TensorFlow and JAX; PyTorch runs it as it is.

    A step that calls `value_and_grad` and `optimizer.apply` runs operation by operation
    otherwise, which is several times slower for small networks.

    Args:
        step: takes tensors of fixed shapes and returns a tensor or a structure of them. It may
            change `variables` only.
        variables: every Keras variable that `step` reads or changes: of the networks, of the
            built optimizers and of generators of noise. JAX loses the changes of others and
            reads them as they were at the first call.

    Returns:
        A function with the arguments of `step`.

    Raises:
        ValueError: If a variable occurs in the list more than once.

    Examples:
        >>> weight = keras.Variable(1.0, trainable=False)
        >>> def double(x):
        ...     weight.assign(2.0 * weight)
        ...     return x * weight
        >>> step = backend.compile_step(double, [weight])
        >>> float(step(np.float32(5))), float(step(np.float32(5)))
        (10.0, 20.0)
    """
    variables = list(variables)
    if len({id(v) for v in variables}) < len(variables):
        raise ValueError("`variables` names a variable twice; each may occur once")
    if keras.backend.backend() != "jax":
        return compile_function(step)
    import jax

    @jax.jit
    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))) as scope:
            result = step(*arguments)
        return result, [scope.get_current_value(v) for v in variables]

    def run(*arguments):
        result, values = pure([v.value for v in variables], *arguments)
        for variable, value in zip(variables, values):
            variable.assign(value)
        return result

    return run


def compile_options(steps=10, xla=None, planned=None):
    """Options of a model's `compile` for speed, with the same results.

    For example `model.compile(adam, loss, **compile_options())`. Several steps in one call save
    TensorFlow and JAX the way back to Python between them. Keras refuses more than one on PyTorch,
    which would gain nothing. On TensorFlow, a training that is over within one call runs without a
    graph: to trace one takes longer than ten steps.

    Args:
        steps: training steps in one call.
        xla: what `jit_compile` gets; None takes `use_xla()`.
        planned: steps of the whole training, where known.

    Returns:
        Dictionary of `jit_compile`, `steps_per_execution` and `run_eagerly`.

    Examples:
        >>> options = backend.compile_options(steps=5)
        >>> sorted(options)
        ['jit_compile', 'run_eagerly', 'steps_per_execution']
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.Adam(1e-3), "mse", **options)
    """
    backend = keras.backend.backend()
    xla = use_xla() if xla is None else xla
    if backend == "tensorflow" and planned is not None and planned <= steps and not xla:
        return {"jit_compile": False, "steps_per_execution": 1, "run_eagerly": True}
    together = 1 if backend == "torch" else steps
    return {"jit_compile": xla, "steps_per_execution": together, "run_eagerly": False}


def use_xla():
    """What `compile(jit_compile=…)` gets in this series.

    True on JAX, whose steps otherwise go operation by operation. On TensorFlow, True where
    `set_up(xla=True)` asked for it: XLA takes longer to compile than it saves in a short
    training. False on PyTorch.

    Examples:
        >>> backend.use_xla() in (True, False)
        True
        >>> keras.backend.backend() != "jax" or backend.use_xla()
        True
    """
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "tensorflow" and os.environ.get("HELPERS_XLA") == "1")


def unscaled(optimizer):
    """The optimizer inside one that scales the loss in half precision, or the optimizer itself.

    Examples:
        >>> adam = keras.optimizers.Adam()
        >>> backend.unscaled(keras.optimizers.LossScaleOptimizer(adam)) is adam
        True
        >>> backend.unscaled(adam) is adam
        True
    """
    return getattr(optimizer, "inner_optimizer", optimizer)


@contextlib.contextmanager
def restored_on_error(model):
    """Gives a model its variables back if a call of Keras inside ends in an error, on JAX.

    There `fit` and its kin take the arrays out of the variables, and an error or a stop by hand
    in their middle would leave the model without. Afterwards the variables have the values after
    the last step that was done. On other backends nothing is needed, and nothing is done.

    Args:
        model: a keras.Model.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> before = model.get_weights()
        >>> with contextlib.suppress(ZeroDivisionError), backend.restored_on_error(model):
        ...     1 / 0
        >>> all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
        True
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
