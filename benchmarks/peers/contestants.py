"""The peers' fastest documented way to a value and gradient, for a `Model`."""

import jax
import jax.numpy as jnp
import numpy as np
from models import Model, Rotation

import qcgrad as qg


def qcgrad_gradient(model: Model, dtype=np.float64):
    """Ours: the adjoint estimator under jit."""
    f = jax.jit(jax.value_and_grad(qg.as_jax(model.objective(), qg.Adjoint())))
    params = jnp.asarray(model.params(), dtype)
    return lambda: jax.block_until_ready(f(params))


def qcgrad_value(model: Model):
    """Ours: the value alone."""
    f = jax.jit(qg.as_jax(model.objective(), qg.Adjoint()))
    params = jnp.asarray(model.params())
    return lambda: jax.block_until_ready(f(params))


def qcgrad_batch(model: Model, batch: int):
    """Ours: a batch of parameter sets."""
    f = jax.jit(jax.vmap(jax.value_and_grad(qg.as_jax(model.objective(), qg.Adjoint()))))
    params = jnp.stack([jnp.asarray(model.params(seed)) for seed in range(batch)])
    return lambda: jax.block_until_ready(f(params))


def pennylane_function(model: Model):
    import pennylane as qml

    def build(params):
        for gate in model.gates:
            if isinstance(gate, Rotation):
                angle = gate.scale * params[gate.param]
                single = {"X": qml.RX, "Y": qml.RY, "Z": qml.RZ, "ZZ": qml.IsingZZ}.get(gate.word)
                if single is None:
                    qml.PauliRot(angle, gate.word, wires=gate.wires)
                else:
                    single(angle, wires=gate.wires)
            else:
                {"h": qml.Hadamard, "x": qml.PauliX, "cnot": qml.CNOT}[gate.name](wires=gate.wires)
        return qml.expval(hamiltonian)

    words = []
    for word, wires, _ in model.terms:
        factors = [getattr(qml, letter)(w) for letter, w in zip(word, wires, strict=True)]
        words.append(qml.prod(*factors) if len(factors) > 1 else factors[0] if factors else qml.Identity(0))
    hamiltonian = qml.Hamiltonian([c for _, _, c in model.terms], words)
    return build


def lightning(model: Model, device: str):
    """lightning.qubit or lightning.kokkos with adjoint differentiation."""
    import autograd
    import pennylane as qml
    from pennylane import numpy as pnp

    qnode = qml.QNode(pennylane_function(model), qml.device(device, wires=model.num_qubits), diff_method="adjoint")
    value_and_gradient = autograd.value_and_grad(qnode)
    params = pnp.array(model.params(), requires_grad=True)
    return lambda: value_and_gradient(params)


def default_qubit(model: Model):
    """default.qubit, backprop under jax.jit."""
    import pennylane as qml

    device = qml.device("default.qubit", wires=model.num_qubits)
    qnode = qml.QNode(pennylane_function(model), device, diff_method="backprop", interface="jax")
    f = jax.jit(jax.value_and_grad(qnode))
    params = jnp.asarray(model.params())
    return lambda: jax.block_until_ready(f(params))


def qulacs(model: Model):
    """Qulacs' backprop; it rotates the other way, so angles and gradients change sign."""
    import qulacs

    n, code = model.num_qubits, {"X": 1, "Y": 2, "Z": 3}
    circuit, driven = qulacs.ParametricQuantumCircuit(n), []
    for gate in model.gates:
        wires = [n - 1 - w for w in gate.wires]
        if isinstance(gate, Rotation):
            driven.append((gate.param, gate.scale))
            if len(wires) == 1:
                getattr(circuit, f"add_parametric_R{gate.word}_gate")(wires[0], 0.0)
            else:
                circuit.add_parametric_multi_Pauli_rotation_gate(wires, [code[c] for c in gate.word], 0.0)
        else:
            getattr(circuit, {"h": "add_H_gate", "x": "add_X_gate", "cnot": "add_CNOT_gate"}[gate.name])(*wires)
    observable = qulacs.Observable(n)
    for word, wires, c in model.terms:
        observable.add_operator(c, " ".join(f"{letter} {n - 1 - w}" for letter, w in zip(word, wires, strict=True)))
    params = model.params()

    def run():
        for k, (param, scale) in enumerate(driven):
            circuit.set_parameter(k, -scale * params[param])
        gradient = np.zeros(model.num_params)
        for slope, (param, scale) in zip(circuit.backprop(observable), driven, strict=True):
            gradient[param] -= scale * slope
        return None, gradient

    return run


def tensorcircuit(model: Model, batch: int | None = None):
    """tensorcircuit-ng under jit, or under jit and vmap for a batch."""
    import tensorcircuit as tc

    backend = tc.set_backend("jax")
    tc.set_dtype("complex128")

    def energy(params):
        circuit = tc.Circuit(model.num_qubits)
        for gate in model.gates:
            if isinstance(gate, Rotation):
                getattr(circuit, f"r{gate.word.lower()}")(*gate.wires, theta=gate.scale * params[gate.param])
            else:
                getattr(circuit, gate.name)(*gate.wires)
        total = 0.0
        for word, wires, c in model.terms:
            on = {letter: [w for k, w in zip(word, wires, strict=True) if k == letter] for letter in "XYZ"}
            total += c * circuit.expectation_ps(x=on["X"], y=on["Y"], z=on["Z"])
        return backend.real(total)

    f = jax.value_and_grad(energy)
    if batch is None:
        f, params = jax.jit(f), jnp.asarray(model.params())
    else:
        f, params = jax.jit(jax.vmap(f)), jnp.stack([jnp.asarray(model.params(seed)) for seed in range(batch)])
    return lambda: jax.block_until_ready(f(params))


def qsim_forward(model: Model):
    """qsim in complex64, gates fused up to 4 qubits: one forward run, the circuit translated beforehand."""
    import cirq
    import qsimcirq

    qubits = cirq.LineQubit.range(model.num_qubits)
    params, circuit = model.params(), cirq.Circuit()
    for gate in model.gates:
        on = [qubits[w] for w in gate.wires]
        if isinstance(gate, Rotation):
            circuit.append(getattr(cirq, f"r{gate.word.lower()}")(gate.scale * params[gate.param])(*on))
        else:
            circuit.append({"h": cirq.H, "x": cirq.X, "cnot": cirq.CNOT}[gate.name](*on))
    simulator = qsimcirq.QSimSimulator(qsimcirq.QSimOptions(max_fused_gate_size=4, cpu_threads=2))
    return lambda: simulator.simulate(circuit)
