"""The first line of every notebook: quiet imports, the seed, and what machine this is."""

import contextlib
import logging
import os
import platform
import sys
import warnings

PRECISIONS = ["float32", "mixed_float16", "mixed_bfloat16"]


@contextlib.contextmanager
def quiet():
    """Silence file descriptor 2 for a while.

    TensorFlow's C++ start-up lines go straight to descriptor 2, past `sys.stderr` and past every
    log level. Python's own errors still reach the reader.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(sink)
        os.close(saved)


def set_up(seed, precision="float32", xla=False):
    """Import Keras quietly, seed everything, and print the machine in one line.

    The backend is that of `KERAS_BACKEND`; unset, it is TensorFlow. Two notebooks can share a
    graphics card: TensorFlow grows its memory, JAX does not preallocate.

    Args:
        seed: Integer from 0 to 2³² − 1, for Python, NumPy and the backend.
        precision: Keras's policy for layers: "float32", or "mixed_float16" and "mixed_bfloat16",
            which compute in half precision and keep weights and losses in single.
        xla: Compile training with XLA on TensorFlow, too; see `backend.use_xla`.

    Raises:
        ValueError: If the seed is no such integer, or there is no such precision.
        RuntimeError: If the kernel promises a GPU (`HELPERS_DEVICE=gpu`) and there is none.
    """
    from helpers.runs.rules import check_value

    for rule in (("seed", seed, range(2**32)), ("precision", precision, PRECISIONS)):
        if problem := check_value(*rule):
            raise ValueError(problem)
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ["HELPERS_XLA"] = "1" if xla else "0"
    # A notebook that trains many models compiles many. TensorFlow warns of that, and in a notebook it
    # sets its own log level on its first word, so a filter is what lasts.
    logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in str(record.msg))
    # `float(loss)` is a number to print here, and no step of a gradient.
    warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True")
    with quiet():
        import keras

        keras.utils.set_random_seed(int(seed))
        keras.config.set_dtype_policy(precision)
        device = device_in_use()
    if os.environ.get("HELPERS_DEVICE") == "gpu" and device == "CPU":
        raise RuntimeError(
            "this kernel promises a GPU and computes on the CPU. Choose the kernel vae-cpu, or see "
            "what is missing with: python -m helpers.runs device vae-gpu"
        )
    print(
        f"{keras.backend.backend()} {_backend_version()} on {device} ({cores()} CPU cores) · "
        f"Keras {keras.__version__} · Python {platform.python_version()} · seed {seed}"
    )


def device_in_use():
    """Run a small product and return where it ran: "CPU" or, for example, "GPU:0"."""
    import keras

    product = keras.ops.matmul(keras.ops.ones((8, 8)), keras.ops.ones((8, 8)))
    place = product.device  # TensorFlow: a string; PyTorch and JAX: an object
    if not isinstance(place, str) and hasattr(product, "devices"):
        place = next(iter(product.devices()))
    name = str(place).rsplit("device:", 1)[-1].upper().replace("CUDA", "GPU")
    return "CPU" if name.startswith(("CPU", "TFRT_CPU")) else name


def cores():
    """Return how many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _backend_version():
    import keras

    module = sys.modules.get(keras.backend.backend())
    return getattr(module, "__version__", "")
