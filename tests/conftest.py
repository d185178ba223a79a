"""Strict numerics for every test: 64-bit, no implicit promotion of ranks, fixed hypothesis seeds."""

import os
from pathlib import Path

# Tests compile many small programs once and run them once: optimizing them takes most of the time.
# It changes no result beyond rounding.
_FAST_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FAST_COMPILE}".strip()
# Threads on small matrices wait more than they compute, most of all beside the suite's other processes: the
# eigenvalues of 128 x 128 take a tenth of the time on one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Tests never open a window.
os.environ.setdefault("MPLBACKEND", "Agg")

# Most of the time goes into compiling: processes of the suite, those that tests start, and later runs share programs.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import gc  # noqa: E402

import jax  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")

# A process of the suite keeps gigabytes of compiled programs: to walk through them all less often saves a few percent.
gc.set_threshold(50_000, 20, 20)

# derandomize: the same examples in every run, so a failure is never luck.
settings.register_profile("qcgrad", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("qcgrad")

_LARGE = 3 << 30


@pytest.fixture(autouse=True, scope="module")
def _few_programs_are_held():
    """Programs of other files are dropped before they fill the memory; those on disk load fast."""
    yield
    statm = Path("/proc/self/statm")
    if statm.exists() and int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") > _LARGE:
        jax.clear_caches()
