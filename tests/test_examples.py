"""Every script in docs/examples/ runs small, what it shows holds, and it draws its figure."""

import importlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
NEEDS = {
    "adapt_vqe_pool": ("qiskit_aer",),
    "flax_ntk": ("flax", "optax"),
    "hybrid_classifier": ("flax", "optax", "sklearn"),
    "natural_gradient": ("optax",),
    "qaoa_budget": ("optax",),
    "vqe_lih": ("optax",),
}


def adapt_vqe_pool(result):
    """Noisy gradients choose operators that lower the energy as the exact choice does."""
    # Gradients of the same size are chosen by chance: from 3.464 an operator on an outer bond leads to 2.228, one on
    # the inner bond to 2.636, and any operator without a gradient nowhere.
    for name in ("exact", "BellShadow"):
        first, second = result.energy[name]
        assert first < 2.7, name
        assert second < first - 0.5, name
    # Strings of the Neel state are 1, -1 or 0, and those that are not 0 sum up to gradients of 4; measured 0.003.
    (error,) = result.error["BellShadow", 0].values()
    assert error < 0.5


def flax_ntk(result):
    """The limit is approached as 1/sqrt(width), and predicts training."""
    near, far = (result.distance[width].mean() for width in (256, 16))
    # 1/4 is expected for sixteen times the width; measured 0.26, with standard errors of a fifth.
    assert near < far / 2
    start = result.residual[256][0]
    assert max(abs(result.residual[256] - result.predicted[256])) < 0.05 * start
    assert result.predicted[256][-1] < 0.9 * start


def hybrid_classifier(accuracies):
    """Chance is 10 %; measured 85 to 90 % after six epochs."""
    assert set(accuracies) == {"circuit", "no circuit", "one layer more"}
    for name, found in accuracies.items():
        assert found[0, -1] > 0.6, name


def natural_gradient(found):
    """Closer to the ground state than the others from every start, for more gates a step."""
    natural = found["natural"]
    assert (natural.error[:, -1] < 1e-3).all()
    assert natural.error[:, -1].max() < min(found[name].error[:, -1].min() for name in ("plain", "Adam"))
    assert natural.gates[-1] > found["plain"].gates[-1]


def qaoa_budget(found):
    """No run spends more than it may, and each ends near the best that the circuit has."""
    for name, runs in found.items():
        for run in runs:
            assert run.copies[-1] < 1_000_000, name
            assert run.missing[0] > 1, name
            assert run.missing[-1] < 0.2, name


def qnode_gentle_sweep(found):
    """With the same copies GentleSweep is far below where parameter shifts start."""
    gentle = next(training for name, training in found.items() if "Gentle" in name)
    shifts = next(training for name, training in found.items() if "shift" in name)
    assert gentle.copies[-1] == 20 * 4000
    # 48 angles, two shifts, two measurement bases, two shots; and the value that Adam looks at.
    assert shifts.copies[-1] >= 3 * 48 * 2 * 2 * 2
    assert gentle.error[-1] < gentle.error[0] / 2


def vqe_lih(found):
    """Both descents reach chemical accuracy in ten steps, the one with shots for as many copies as it is charged."""
    assert found["exact"].error[-1] < 0.5e-3
    assert found["exact"].copies[-1] == 0
    sampled = found["100 shots"]
    assert sampled.error[0] == pytest.approx(19.76e-3, abs=1e-4)
    # Measured 0.8 mHa: a floor of 0.7 mHa that 24 directions share, and that scatters by a third.
    assert sampled.error[-1] < 2e-3
    assert sampled.copies[-1] == 10 * 100 * 19_652


CHECKS = [adapt_vqe_pool, flax_ntk, hybrid_classifier, natural_gradient, qaoa_budget, qnode_gentle_sweep, vqe_lih]


def test_every_example_has_a_row_and_a_figure():
    scripts = {path.stem for path in EXAMPLES.glob("[!_]*.py")}
    assert {check.__name__ for check in CHECKS} == scripts
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for script in scripts:
        assert (EXAMPLES / f"{script}.png").is_file()
        assert f"{script}.py" in listed
        assert f"{script}.png" in listed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is not run on the QNode's device:UserWarning")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_example_shows_what_it_says(check, monkeypatch, tmp_path):
    for package in NEEDS.get(check.__name__, ()):
        pytest.importorskip(package)
    monkeypatch.syspath_prepend(EXAMPLES)
    script = importlib.import_module(check.__name__)
    assert script.__doc__
    assert check.__name__ in script.__doc__, "how to run it"
    result = script.main(small=True)
    check(result)
    script.figure(result, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
