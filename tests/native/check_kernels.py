"""Random circuits of every kind of operation on the native engine, against a dense reference.

Run by sanitize.sh; any wrong result ends the program with an exception.
"""

import argparse

import native_ctypes as native
import numpy as np
from check_common import THREADS, apply_pauli, check_close, random_mask
from check_sampling import check_sampling
from native_ctypes import MATRIX, PADDING, PAULI, STATE, VALUE, VALUE_AND_VJP, Circuit, Op

SPECIAL_ANGLES = (np.pi, -np.pi, 2 * np.pi, np.pi / 2)  # where the engine has cases of its own
# H, S and a flip with phases.
SPECIAL_MATRICES = (np.array([[1, 1], [1, -1]]) / np.sqrt(2), np.diag([1, 1j]), np.array([[0, 1j], [1, 0]]))
SWAP = np.eye(4)[[0, 2, 1, 3]]
LARGE_QUBITS = (10, 12, 13, 14, 14)  # several tiles of 12 bits from 13 on


def apply_matrix(bits, matrix, vectors):
    """A matrix on the given bits, the first of them most significant, of each row."""
    num_qubits = vectors.shape[-1].bit_length() - 1
    axes = [num_qubits - bit for bit in bits]  # axis 0 numbers the rows
    front = range(len(bits))
    tensor = np.moveaxis(vectors.reshape(-1, *(2,) * num_qubits), axes, front)
    product = matrix @ tensor.reshape(len(matrix), -1)
    return np.moveaxis(product.reshape(tensor.shape), front, axes).reshape(vectors.shape)


def apply_exponential(op, angles, rows):
    """A Pauli operation on the state (first row) and on its derivatives with respect to the angles (the others)."""
    on = (np.arange(rows.shape[-1]) & op.controls) == op.controls
    t = op.offset + (op.scale * angles[op.slot] if op.slot >= 0 else 0.0)
    rotated = np.cos(t / 2) * rows - 1j * np.sin(t / 2) * apply_pauli(op.x, op.z, rows)
    rows = np.where(on, np.exp(0.5j * t * op.kappa) * rotated, rows)
    if op.slot >= 0:
        generated = apply_pauli(op.x, op.z, rows[0]) - op.kappa * rows[0]
        rows[1 + op.slot] += np.where(on, -0.5j * op.scale * generated, 0)
    return rows


def reference(circuit, observables, angles):
    """State (2^n), values (K) and Jacobian (K, A). Derivatives run forwards: nothing in common with the engine's."""
    rows = np.zeros((1 + circuit.num_angles, 2**circuit.num_qubits), complex)
    rows[0, 0] = 1
    for op in circuit.ops:
        if op.kind == PAULI:
            rows = apply_exponential(op, angles, rows)
        elif op.kind == MATRIX:
            rows = apply_matrix(op.bits, op.matrix, rows)
    psi, derivatives = rows[0], rows[1:]
    images = np.zeros((len(observables), psi.size), complex)
    for image, terms in zip(images, observables, strict=True):
        for x, z, coefficient in terms:
            image += coefficient * apply_pauli(x, z, psi)
    return psi, (images @ psi.conj()).real, 2 * (images @ derivatives.conj().T).real


def random_op(rng, num_qubits, num_angles):
    """One operation, of any kind that the engine treats in its own way."""
    bits = [int(bit) for bit in rng.permutation(num_qubits)]
    some = bits[: rng.integers(1, 5)]
    target, pair = 1 << bits[0], mask_of(bits[:2])
    controls, many_controls = mask_of(bits[1 : rng.integers(1, 4)]), mask_of(some)
    x, z = random_mask(rng, num_qubits), random_mask(rng, num_qubits)
    letter = {"x": rng.integers(2) * target, "z": target} if rng.integers(3) else {"x": target}
    kappa, slot = int(rng.integers(2)), int(rng.integers(num_angles))
    bare = {"slot": slot, "scale": 1.0}
    angle = {"slot": slot, "scale": rng.normal(), "offset": rng.normal()}
    fixed = rng.choice([*SPECIAL_ANGLES, rng.normal()])
    unitary = np.linalg.qr(rng.normal(size=(2, 2 ** len(some), 2 ** len(some))).T @ [1, 1j])[0]
    diagonal = np.diag(np.exp(1j * rng.normal(size=2 ** len(bits[:2]))))
    weighted = [
        (5, Op(**letter, **bare)),
        (4, Op(x=target, controls=controls, kappa=1, offset=np.pi)),  # X, CNOT, Toffoli
        (2, Op(x=x, z=z, **angle)),
        (2, Op(z=pair, **bare)),
        (3, Op(x=x & ~many_controls, z=z & ~many_controls, controls=many_controls, kappa=kappa, **angle)),
        (3, Op(**letter, controls=controls, kappa=kappa, offset=fixed)),
        (1, Op(z=target, kappa=1, **angle)),
        (1, Op(controls=target * rng.integers(2), kappa=kappa, **angle)),  # a global phase or a phase gate
        (3, Op(MATRIX, bits=tuple(some), matrix=unitary)),
        (1, Op(MATRIX, bits=tuple(bits[:1]), matrix=SPECIAL_MATRICES[rng.integers(len(SPECIAL_MATRICES))])),
        (1, Op(MATRIX, bits=tuple(bits[:2]), matrix=diagonal if num_qubits == 1 or kappa else SWAP)),
        (1, Op(PADDING)),
    ]
    weights = np.array([weight for weight, _ in weighted])
    return weighted[rng.choice(len(weighted), p=weights / weights.sum())][1]


def mask_of(bits):
    return sum(1 << bit for bit in bits)


def random_observable(rng, num_qubits):
    """Strings with scattered flips, with equal ones (they share a transform) and diagonal ones; perhaps none."""
    shared = random_mask(rng, num_qubits)
    flips = [random_mask(rng, num_qubits) for _ in range(rng.integers(6))]
    flips += [shared] * int(rng.integers(9)) + [0] * int(rng.integers(4))
    return [(x, random_mask(rng, num_qubits), rng.normal()) for x in flips]


def check_circuit(rng, num_qubits, depth):
    """A random circuit in every configuration; returns the largest errors in double and single precision."""
    num_angles = max(1, depth // 2)  # fewer than operations: several share a slot
    circuit = Circuit(num_qubits, num_angles, [random_op(rng, num_qubits, num_angles) for _ in range(depth)])
    batch, rows, outputs = (int(count) for count in rng.integers(1, 4, size=3))
    observables = [random_observable(rng, num_qubits) for _ in range(outputs)]
    angles = 2 * rng.normal(size=(batch, num_angles))
    cotangents = rng.normal(size=(batch if rng.integers(2) else 1, rows, outputs))
    references = [reference(circuit, observables, setting) for setting in angles]
    states, values, jacobians = (np.stack(part) for part in zip(*references, strict=True))
    case, expected = (circuit, observables, angles, cotangents), (states, values, cotangents @ jacobians)
    worst = [0.0, 0.0]
    for single in (0, 1):
        tolerance = 1e-5 * (1 + depth / 100) if single else 1e-11
        for isa in native.instruction_sets():
            for threads in THREADS:
                native.set_num_threads(threads)
                name = f"{num_qubits} qubits, single={single}, instruction set {isa}, {threads} threads"
                results = [
                    native.run(what, *case, single, isa) for what in (VALUE, STATE, VALUE_AND_VJP, VALUE_AND_VJP)
                ]
                worst[single] = max(worst[single], check_results(name, results, expected, tolerance))
    check_sampling(rng, circuit, states, angles)
    return worst


def check_results(name, results, expected, tolerance):
    """What every entry point returned in one configuration; returns the largest error."""
    value, state, sweep, again = results
    states, values, gradients = expected
    assert all(map(np.array_equal, sweep[:2], again)), f"{name}: not reproducible"
    return max(
        check_close(f"{name}, value", value[0], values, tolerance),
        check_close(f"{name}, state", state[2], states, tolerance),
        check_close(f"{name}, value of the sweep", sweep[0], values, tolerance),
        check_close(f"{name}, gradient", sweep[1], gradients, tolerance),
    )


def check_edge_cases(single, isa):
    """One qubit with no operations or angles, then with one rotation; a sum without terms; NaN; a bad mask."""

    def sweep(circuit, observable, angles):
        return native.run(VALUE_AND_VJP, circuit, [observable], np.array(angles), np.ones((1, 1, 1)), single, isa)[:2]

    z_and_x, rotation = [(0, 1, 1.0), (1, 0, 0.3)], Circuit(1, 1, [Op(x=1, slot=0, scale=1.0)])
    value, gradient = sweep(Circuit(1, 0, []), z_and_x, np.zeros((1, 0)))
    assert value == 1
    assert gradient.shape == (1, 1, 0)
    value, gradient = sweep(rotation, z_and_x, [[0.4]])
    tolerance = 1e-6 if single else 1e-14
    check_close("value of RX", value, np.cos(0.4), tolerance)
    check_close("gradient of RX", gradient, -np.sin(0.4), tolerance)
    assert not any(map(np.any, sweep(rotation, [], [[0.4]]))), "an empty sum is 0, and so is its gradient"
    assert all(map(np.isnan, sweep(rotation, z_and_x, [[np.nan]]))), "NaN must reach the caller"

    ring = [Op(x=1 << (q + 1) % 3, controls=1 << q, kappa=1, offset=np.pi) for q in range(3)]
    axes = [{"x": 1}, {"z": 2}, {"x": 4, "z": 4}]
    layer = [Op(**axis, slot=slot, scale=1.0) for slot, axis in enumerate(axes)]
    entangled = Circuit(3, 3, layer + ring)
    for results in sweep(entangled, [(0, 3, 1.0), (1, 0, 0.5), (6, 4, 0.5)], [[0.1, 0.2, 0.3], [np.nan] * 3]):
        assert np.isfinite(results[0]).all(), "NaN must stay in its batch entry"
        assert np.isnan(results[1]).all(), "NaN must reach the caller"

    try:
        sweep(Circuit(2, 1, [Op(x=8, slot=0, scale=1.0)]), z_and_x, [[0.4]])
    except RuntimeError:
        return
    raise AssertionError("a mask beyond the qubits was accepted")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int, help="random circuits on up to 8 qubits")
    parser.add_argument("seed", type=int)
    parser.add_argument("--large", action="store_true", help="also circuits on up to 14 qubits")
    arguments = parser.parse_args()
    for isa in native.instruction_sets():
        for single in (0, 1):
            check_edge_cases(single, isa)
    rng = np.random.default_rng(arguments.seed)
    errors = [check_circuit(rng, int(rng.integers(1, 9)), int(rng.integers(60))) for _ in range(arguments.cases)]
    if arguments.large:
        errors += [check_circuit(rng, num_qubits, depth=40) for num_qubits in LARGE_QUBITS]
    double, single = np.max(errors, axis=0)
    print(f"{len(errors)} circuits correct: largest error {double:.2g} in double, {single:.2g} in single precision")
    print(f"instruction sets: {native.instruction_sets()}")


if __name__ == "__main__":
    main()
