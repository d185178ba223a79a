"""Importing qcgrad is quiet, light, and changes no setting. Each check runs in a fresh interpreter."""

import importlib
import importlib.metadata
import importlib.resources
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qcgrad

HEAVY = ["pennylane", "qiskit", "stim", "dask", "matplotlib", "typer", "openqasm3", "pydantic", "rich", "scipy.special"]


def python(code, *options):
    """Run code in a new interpreter without the test settings."""
    environment = {k: v for k, v in os.environ.items() if k not in ("JAX_ENABLE_X64", "XLA_FLAGS")}
    return subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=120, env=environment
    )


def test_import_is_clean_when_warnings_are_errors():
    done = python("import qcgrad", "-W", "error")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_package_says_its_version_and_that_it_is_typed():
    assert importlib.metadata.version("qcgrad") == qcgrad.__version__
    assert importlib.resources.files("qcgrad").joinpath("py.typed").is_file()


def test_import_loads_none_of_the_heavy_libraries():
    done = python(f"import sys, qcgrad; print([name for name in {HEAVY} if name in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_what_is_exported_on_first_use_is_all_there():
    """Stubs beside packages say where their names come from; each name is found, and nothing else is."""
    examples = {"estimators": "multi_copy._bell_shadow", "networks": "layers._conv", "interop": "pennylane._importer"}
    for name, module in examples.items():
        package = f"qcgrad.{name}"
        code = f"""
import sys, qcgrad, {package} as package
print("{package}.{module}" in sys.modules)
print(all(getattr(package, name) is not None for name in package.__all__), len(package.__all__) > 10)
print("{package}.{module}" in sys.modules)
"""
        assert python(code, "-W", "error").stdout.split() == ["False", "True", "True", "True"], package


def test_nothing_that_is_exported_on_first_use_is_called_like_a_module_beside_it():
    """Importing the module would put it in the place of the function."""
    for name in ("estimators", "networks", "interop"):
        package = importlib.import_module(f"qcgrad.{name}")
        assert not set(package.__all__) & {path.stem for path in Path(package.__file__).parent.iterdir()}


@pytest.mark.parametrize("setting", ["jax_enable_x64", "jax_numpy_rank_promotion", "jax_numpy_dtype_promotion"])
def test_import_flips_no_setting_of_jax(setting):
    done = python(f"import jax; before = jax.config.{setting}; import qcgrad; print(before == jax.config.{setting})")
    assert done.stdout.strip() == "True"


def test_import_starts_no_device():
    """Choosing the platform is up to the user, after the import."""
    done = python("import qcgrad; from jax._src import xla_bridge; print(xla_bridge.backends_are_initialized())")
    assert done.stdout.strip() == "False"


def test_without_x64_everything_is_float32():
    code = """
import numpy as np, qcgrad as qg
objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "ZI + IX")
for estimator in (qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift(), qg.ParameterShift(shots=100)):
    e = qg.estimate(objective, [0.5, 1.0], estimator, key=0)
    assert e.gradient.dtype == e.variance.dtype == e.value.dtype == np.float32, estimator
    assert e.cost == qg.predict_cost(objective, estimator), estimator
pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI", ["YI"])
assert qg.estimate(pool, [0.5], qg.BellShadow(1000), key=0).gradient.dtype == np.float32
print("done")
"""
    done = python(code, "-W", "error")
    assert (done.stdout.strip(), done.stderr) == ("done", "")


@pytest.mark.parametrize(
    "call",
    [
        "qg.estimate(objective, np.array([0.5]), qg.Adjoint())",
        "qg.as_jax(objective, qg.Adjoint())(np.array([0.5]))",
        "qg.estimate(loss, np.ones(2), qg.Backprop())",
    ],
    ids=["estimate", "as_jax", "loss"],
)
def test_float64_without_x64_is_refused_and_says_how_to_switch_it_on(call):
    code = f"""
import numpy as np, jax.numpy as jnp, qcgrad as qg
objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum(out), (np.eye(2, dtype="f"), 0))
try:
    {call}
except ValueError as error:
    print(error)
"""
    done = python(code)
    assert "float64" in done.stdout
    assert "jax.config.update('jax_enable_x64', True)" in done.stdout
