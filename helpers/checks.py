"""What the tests of the assignments call: an answer is right, or a sentence says what to think about.

Any way to write a right answer passes: NumPy or a tensor of any Keras backend, float32 or
float64, a number or an array of no axes. The message comes first, then the two values.
"""

import math

import numpy as np


def close(yours, true, hint, *, relative=2e-4, absolute=2e-5):
    """Pass if `yours` has the shape and, up to rounding, the values of `true`.

    Args:
        yours: The student's answer.
        true: What it should be.
        hint: A sentence that says what to think about, not what to type.
        relative: Allowed relative difference. The default leaves room for float32.
        absolute: Allowed difference where `true` is near zero.

    Raises:
        NotImplementedError: If `yours` is None or `...`: there is no answer yet.
        AssertionError: With the hint, if the answer is wrong.

    Examples:
        >>> checks.close(np.float32(0.1) + 0.2, 0.3, "Add the two terms.")     # right up to rounding
        >>> checks.close(1.0, 0.5, "Is the ½ before the sum there?")
        Traceback (most recent call last):
            ...
        AssertionError: Is the ½ before the sum there?
          Your value is 1; it should be 0.5.
    """
    yours, true = array(yours, hint), np.asarray(true, dtype="float64")
    if yours.shape != true.shape:
        raise AssertionError(
            f"{hint}\n  The shape is {yours.shape}; a right answer here has {true.shape}."
        )
    if not np.all(np.isfinite(yours)):
        raise AssertionError(f"{hint}\n  Some values are not finite: {_short(yours)}")
    off = np.abs(yours - true) - (absolute + relative * np.abs(true))
    if true.size and off.max() > 0:
        worst = np.unravel_index(np.argmax(off), true.shape)
        place = f" at index {tuple(int(i) for i in worst)}" if true.shape else ""
        raise AssertionError(
            f"{hint}\n  Your value{place} is {yours[worst]:.6g}; it should be {true[worst]:.6g}."
        )


def same(yours, true, hint):
    """Pass if `yours` equals `true`: whole numbers, truth values, labels, or arrays of them.

    Examples:
        >>> checks.same(" Encoder", "encoder", "Which network gives q(z|x)?")     # capitals do not count
        >>> checks.same([0, 1, 1], [0, 1, 2], "Count the classes from 0.")
        Traceback (most recent call last):
            ...
        AssertionError: Count the classes from 0.
          1 of 3 values differ.
          ...
    """
    if _missing(yours):
        raise NotImplementedError("There is no answer here yet.")
    if isinstance(true, str):
        if not isinstance(yours, str) or yours.strip().lower() != true.lower():
            raise AssertionError(f"{hint}\n  Your answer: {yours!r}")
        return
    yours, true = array(yours, hint), np.asarray(true, dtype="float64")
    if yours.shape != true.shape:
        raise AssertionError(
            f"{hint}\n  The shape is {yours.shape}; a right answer here has {true.shape}."
        )
    if not np.array_equal(yours, true):
        raise AssertionError(
            f"{hint}\n  {int((yours != true).sum())} of {true.size} values differ.\n"
            f"  Yours: {_short(yours)}\n  Right: {_short(true)}"
        )


def true(statement, hint):
    """Pass if the statement holds; of a tensor or array, every value of it, and there must be one.

    Examples:
        >>> checks.true(2 > 1, "Which bound is larger?")
        >>> checks.true(2 < 1, "Which bound is larger?")
        Traceback (most recent call last):
            ...
        AssertionError: Which bound is larger?
    """
    if _missing(statement):
        raise NotImplementedError("There is no answer here yet.")
    statement = np.asarray(statement)
    if not (statement.size and statement.all()):
        raise AssertionError(hint)


def array(values, hint="An array of numbers is wanted."):
    """Return `values`, whatever made them, as an array of float64.

    Examples:
        >>> checks.array(keras.ops.ones((2,)))
        array([1., 1.])
    """
    if _missing(values):
        raise NotImplementedError("There is no answer here yet.")
    if hasattr(values, "detach"):  # a PyTorch tensor that still has its gradient
        values = values.detach().cpu()
    try:
        return np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"{hint}\n  The answer is no array of numbers but {type(values).__name__}: {error}"
        ) from None


def _missing(values):
    return values is None or values is Ellipsis or values is NotImplemented


def _short(values):
    text = np.array2string(values, precision=4, threshold=12, edgeitems=3)
    return text if math.prod(values.shape) < 200 else text.replace("\n", " ")
