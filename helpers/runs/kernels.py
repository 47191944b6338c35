"""The project's Jupyter kernels: which there are, and on which device each truly computes.

`vae-cpu` and `vae-gpu` run TensorFlow, `vae-jax` and `vae-torch` the other two Keras backends
where they are installed, on whatever device these find. A kernel that promises a GPU says so in
its environment (`HELPERS_DEVICE=gpu`), and `set_up` and the tests hold it to that.
"""

import functools
import importlib.util
import json
import sys

from helpers.runs.notebooks import check_kernel

SHARED = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    # A card would multiply single precision with three digits (TF32): then the ELBO of one VAE
    # differs from the CPU's in the third or fourth digit. See data/results/gpu_kernels.json.
    "NVIDIA_TF32_OVERRIDE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
}
# Name → what is shown, the Keras backend, and further environment.
KERNELS = {
    "vae-cpu": ("VAE (CPU)", "tensorflow", {"CUDA_VISIBLE_DEVICES": ""}),
    "vae-gpu": ("VAE (GPU)", "tensorflow", {"HELPERS_DEVICE": "gpu"}),
    "vae-jax": ("VAE (JAX)", "jax", {}),
    "vae-torch": ("VAE (PyTorch)", "torch", {}),
}

PROBE = """
import glob, json, os, traceback
from helpers.runs.setup import device_in_use, quiet
facts = {"promised": os.environ.get("HELPERS_DEVICE"), "nodes": len(glob.glob("/dev/nvidia[0-9]*")),
         "hidden": os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")}
try:
    with quiet():
        import keras
        facts["device"], facts["backend"] = device_in_use(), keras.backend.backend()
except Exception as error:
    facts["error"] = f"{type(error).__name__}: {error}"
print("PROBE" + json.dumps(facts))
"""


def register(prefix=sys.prefix):
    """Write the kernelspecs of all kernels whose backend is installed; return their names."""
    from ipykernel.kernelspec import install

    names = []
    for name, (title, backend, more) in KERNELS.items():
        if importlib.util.find_spec(backend) is None:
            continue
        env = {"KERAS_BACKEND": backend, **SHARED, **more}
        install(prefix=prefix, kernel_name=name, display_name=title, env=env)
        names.append(name)
    return names


@functools.lru_cache(maxsize=8)
def probe(kernel, timeout=180):
    """Start a kernel and ask it where it computes.

    Returns:
        Dictionary with "device" ("CPU", "GPU:0", …) and "backend", or "error"; "promised" is
        "gpu" for a kernel that is to have one.

    Raises:
        BadRequest: if there is no kernel of that name.
    """
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name=check_kernel(kernel), startup_timeout=timeout)
    said = []
    try:

        def listen(message):
            said.append(message["content"].get("text", ""))

        client.execute_interactive(PROBE, timeout=timeout, allow_stdin=False, output_hook=listen)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    facts = [line[5:] for line in "".join(said).splitlines() if line.startswith("PROBE")]
    return json.loads(facts[0]) if facts else {"error": "".join(said)[-300:], "promised": None}


def why_no_gpu(kernel):
    """None if the kernel computes on a GPU, else one sentence that says why it does not."""
    return reason(kernel, probe(kernel))


def reason(kernel, facts):
    """The sentence for what `probe` found; see `why_no_gpu`."""
    if facts.get("device", "CPU") != "CPU":
        return None
    if "error" in facts:
        return f"kernel {kernel}: {facts['error']}"
    if facts["hidden"]:
        return f"kernel {kernel}: CUDA_VISIBLE_DEVICES hides every GPU"
    if not facts["nodes"]:
        return f"kernel {kernel}: this machine has no NVIDIA GPU (no /dev/nvidia0)"
    return (
        f"kernel {kernel}: {facts['backend']} sees no GPU although the machine has one; are its "
        "CUDA libraries installed? See the extras `gpu`, `jax` and `torch` in pyproject.toml"
    )


def broken_promise(kernel):
    """Why a kernel that promises a GPU has none, or None; a kernel that promises none keeps it."""
    facts = probe(kernel)
    return reason(kernel, facts) if facts["promised"] == "gpu" or "error" in facts else None
