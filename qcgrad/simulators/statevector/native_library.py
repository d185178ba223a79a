"""Finding, loading and asking the native engine."""

import ctypes
import importlib.machinery
import os
import warnings
from functools import lru_cache
from pathlib import Path

import jax
import numpy as np

_TARGETS = {
    "qcgrad_value": "QcgradValue",
    "qcgrad_value_and_vjp": "QcgradValueAndVjp",
    "qcgrad_state": "QcgradState",
    "qcgrad_sample": "QcgradSample",
}
_MAX_THREADS = 256
_INSTRUCTION_SETS = ("baseline", "AVX2", "AVX-512")


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL | None:
    """The compiled engine, made known to XLA; None where the package was installed without a compiler."""
    folder = Path(__file__).parent
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"_native{suffix}"
        if path.exists():
            library = ctypes.CDLL(str(path))
            for name, symbol in _TARGETS.items():
                jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, symbol)), platform="cpu")
            return library
    return None


@lru_cache(maxsize=1)
def warn_of_absence():
    """Say once what is lost."""
    warnings.warn(
        "qcgrad was installed without its native engine (no working C++ compiler), so simulations run on the JAX path, "
        "several times slower: install a compiler and reinstall, or ask for qcgrad.Statevector(engine='jax')",
        RuntimeWarning,
        stacklevel=2,
    )


def set_num_threads(count: int):
    """Use this many threads in native calls from now on (default: QCGRAD_NUM_THREADS, else all processors).

    Results are bitwise reproducible for a fixed number of threads; another number changes the order of some sums
    and so the last bits. The JAX path is not affected: XLA has threads of its own.

    Args:
        count: number of threads; more than 256 count as 256.

    Raises:
        ValueError: a count that is no positive integer.

    Example:
        >>> import qcgrad as qg
        >>> qg.set_num_threads(0)
        Traceback (most recent call last):
        ...
        ValueError: count=0: give a positive number of threads
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ValueError(f"count={count!r}: give a positive number of threads")
    library = load()
    if library is not None:
        library.qcgrad_set_num_threads(min(int(count), _MAX_THREADS))


def describe() -> dict[str, str | int]:
    """Engine, instruction set, threads and devices, as `qcgrad info` shows them."""
    library = load()
    devices = ", ".join(str(device) for device in jax.devices())
    if library is None:
        return {"engine": "JAX (no native engine)", "devices": devices, "threads": os.cpu_count() or 1}
    return {
        "engine": "native",
        "instruction set": _INSTRUCTION_SETS[library.qcgrad_best_instruction_set()],
        "threads": library.qcgrad_num_threads(),
        "devices": devices,
    }
