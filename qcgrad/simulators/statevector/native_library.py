"""Finding, loading and asking the native engine."""

import ctypes
import hashlib
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
    "qcgrad_sample_shifted": "QcgradSampleShifted",
    "qcgrad_jumps": "QcgradJumps",
}
_MAX_THREADS = 256
# By number (kernels.h): what QCGRAD_INSTRUCTION_SET calls them, and what people do.
_INSTRUCTION_SETS = {"baseline": "baseline", "avx2": "AVX2", "avx512": "AVX-512"}


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL | None:
    """The compiled engine, made known to XLA; None where the package was installed without a compiler.

    Raises:
        ValueError: QCGRAD_INSTRUCTION_SET is unknown, or this processor lacks it.
    """
    folder = Path(__file__).parent
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"_native{suffix}"
        if path.exists():
            library = ctypes.CDLL(str(path))
            _choose_instruction_set(library)
            for name, symbol in _TARGETS.items():
                jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, symbol)), platform="cpu")
            return library
    return None


def instruction_sets(library: ctypes.CDLL) -> list[str]:
    """What QCGRAD_INSTRUCTION_SET may be on this processor, the slowest first."""
    return [name for number, name in enumerate(_INSTRUCTION_SETS) if library.qcgrad_has_instruction_set(number)]


def _choose_instruction_set(library: ctypes.CDLL):
    wanted = os.environ.get("QCGRAD_INSTRUCTION_SET")
    if not wanted:
        return
    available = instruction_sets(library)
    if wanted not in available:
        reason = "this processor lacks it, " if wanted in _INSTRUCTION_SETS else ""
        names = " or ".join(repr(name) for name in available)
        raise ValueError(f"QCGRAD_INSTRUCTION_SET={wanted!r}: {reason}give {names}")
    library.qcgrad_use_instruction_set(list(_INSTRUCTION_SETS).index(wanted))


@lru_cache(maxsize=1)
def warn_of_absence() -> None:
    """Say once what is lost."""
    warnings.warn(
        "qcgrad was installed without its native engine (no working C++ compiler), so simulations run on the JAX path, "
        "several times slower: install a compiler and reinstall, or ask for qcgrad.Statevector(engine='jax')",
        RuntimeWarning,
        stacklevel=2,
    )


def set_num_threads(count: int) -> None:
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


def sources() -> str:
    """A hash of what results come from: the sources that the engine was built from; empty where the JAX path computes.

    Two builds of the same sources agree but for rounding, whatever the compiler and the instruction set; the JAX path
    draws other samples from the same key.
    """
    library = load()
    if library is None:
        return ""
    try:
        library.qcgrad_sources.restype = ctypes.c_char_p
        built_from = library.qcgrad_sources().decode()
    except AttributeError:  # built before engines could say it
        built_from = ""
    # Of an engine that does not say it nothing is known but its bytes.
    return built_from or hashlib.sha256(Path(library._name).read_bytes()).hexdigest()


def describe() -> dict[str, str | int]:
    """Engine, instruction set, threads and devices, as `qcgrad info` shows them."""
    library = load()
    devices = ", ".join(str(device) for device in jax.devices())
    if library is None:
        return {"engine": "JAX (no native engine)", "devices": devices, "threads": os.cpu_count() or 1}
    return {
        "engine": "native",
        "instruction set": list(_INSTRUCTION_SETS.values())[library.qcgrad_instruction_set()],
        "threads": library.qcgrad_num_threads(),
        "devices": devices,
    }
