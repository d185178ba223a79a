"""ctypes access to the engine's C entry points, for tests and benchmarks only."""

import ctypes as ct
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = ct.CDLL(os.environ["QCGRAD_LIB"])  # the library that sanitize.sh built
P = ct.c_void_p


class _Circuit(ct.Structure):
    _fields_ = [
        ("num_qubits", ct.c_int32),
        ("max_wires", ct.c_int32),
        ("num_ops", ct.c_int64),
        ("num_angles", ct.c_int64),
        ("matrices_size", ct.c_int64),
        ("kind", P),
        ("x", P),
        ("z", P),
        ("ctrl", P),
        ("kappa", P),
        ("slot", P),
        ("scale", P),
        ("offset", P),
        ("wires", P),
        ("matrix_offset", P),
        ("matrices", P),
    ]


class _Observables(ct.Structure):
    _fields_ = [
        ("num_observables", ct.c_int64),
        ("num_terms", ct.c_int64),
        ("x", P),
        ("z", P),
        ("coefficient", P),
        ("offsets", P),
    ]


LIB.qcgrad_run.argtypes = [
    P,
    P,
    ct.c_int,
    ct.c_int,
    ct.c_int,
    ct.c_int64,
    P,
    ct.c_int64,
    ct.c_int64,
    P,
    P,
    P,
    P,
    ct.c_char_p,
    ct.c_int,
]


class Circuit:
    """Builds an op table; masks are over amplitude-index bits, qubit q is bit n-1-q."""

    def __init__(self, n):
        self.n, self.ops, self.mats, self.num_angles, self._c = n, [], [], 0, None

    def bit(self, q):
        return 1 << (self.n - 1 - q)

    def pauli(self, x, z, slot=-1, scale=1.0, offset=0.0, ctrl=0, kappa=0):
        self.ops.append((0, x, z, ctrl, kappa, slot, scale, offset, (), 0))
        self.num_angles = max(self.num_angles, slot + 1)
        self._c = None

    def string(self, paulis, slot=-1, scale=1.0, offset=0.0, ctrl=(), kappa=0):
        """paulis: {qubit: 'X'|'Y'|'Z'}."""
        x = sum(self.bit(q) for q, p in paulis.items() if p in "XY")
        z = sum(self.bit(q) for q, p in paulis.items() if p in "YZ")
        self.pauli(x, z, slot, scale, offset, sum(self.bit(q) for q in ctrl), kappa)

    def rx(self, q, slot, **k):
        self.string({q: "X"}, slot, **k)

    def ry(self, q, slot, **k):
        self.string({q: "Y"}, slot, **k)

    def rz(self, q, slot, **k):
        self.string({q: "Z"}, slot, **k)

    def rzz(self, a, b, slot, **k):
        self.string({a: "Z", b: "Z"}, slot, **k)

    def cnot(self, c, t):
        self.string({t: "X"}, ctrl=(c,), kappa=1, offset=np.pi)

    def cz(self, c, t):
        self.string({t: "Z"}, ctrl=(c,), kappa=1, offset=np.pi)

    def matrix(self, qubits, u):
        u = np.ascontiguousarray(u, np.complex128)
        self.ops.append(
            (1, 0, 0, 0, 0, -1, 0.0, 0.0, tuple(self.n - 1 - q for q in qubits), sum(m.size for m in self.mats))
        )
        self.mats.append(u)
        self._c = None

    def h(self, q):
        self.matrix([q], np.array([[1, 1], [1, -1]]) / np.sqrt(2))

    def c_struct(self):
        if self._c is not None:
            return self._c
        k = max([len(o[8]) for o in self.ops] + [1])
        col = lambda i, t: np.array([o[i] for o in self.ops], t)
        self.arrays = a = dict(
            kind=col(0, np.int32),
            x=col(1, np.int64),
            z=col(2, np.int64),
            ctrl=col(3, np.int64),
            kappa=col(4, np.int32),
            slot=col(5, np.int32),
            scale=col(6, np.float64),
            offset=col(7, np.float64),
            wires=np.array([list(o[8]) + [-1] * (k - len(o[8])) for o in self.ops], np.int32).reshape(-1),
            matrix_offset=col(9, np.int64),
            matrices=np.concatenate([m.ravel() for m in self.mats]) if self.mats else np.zeros(0, np.complex128),
        )
        self._c = _Circuit(
            self.n,
            k,
            len(self.ops),
            self.num_angles,
            a["matrices"].size,
            *[
                a[f].ctypes.data
                for f in (
                    "kind",
                    "x",
                    "z",
                    "ctrl",
                    "kappa",
                    "slot",
                    "scale",
                    "offset",
                    "wires",
                    "matrix_offset",
                    "matrices",
                )
            ],
        )
        return self._c


class Observables:
    """sums: list of observables, each a list of (x, z, coefficient)."""

    def __init__(self, sums):
        self.sums = sums
        flat = [t for s in sums for t in s]
        self.x, self.z = np.array([t[0] for t in flat], np.int64), np.array([t[1] for t in flat], np.int64)
        self.c = np.array([t[2] for t in flat], np.float64)
        self.o = np.cumsum([0] + [len(s) for s in sums]).astype(np.int64)
        self._c = _Observables(
            len(sums), len(flat), self.x.ctypes.data, self.z.ctypes.data, self.c.ctypes.data, self.o.ctypes.data
        )


def _run(c, o, single, isa, what, angles, cot=None):
    angles = np.ascontiguousarray(np.atleast_2d(angles), np.float64)
    b, k = angles.shape[0], len(o.sums) if o else 0
    rows = cot.shape[-2] if cot is not None else 0
    cot = None if cot is None else np.ascontiguousarray(cot, np.float64).reshape(-1, rows, k)
    values, grads = np.full((b, k), 7e77), np.full((b, rows, c.num_angles), 7e77)
    state = np.zeros((b, 2**c.n), np.complex64 if single else np.complex128) if what == 2 else None
    msg = ct.create_string_buffer(200)
    rc = LIB.qcgrad_run(
        ct.byref(c.c_struct()),
        ct.byref(o._c) if o else None,
        single,
        isa,
        what,
        b,
        angles.ctypes.data,
        cot.shape[0] if cot is not None else 1,
        rows,
        cot.ctypes.data if cot is not None else None,
        values.ctypes.data,
        grads.ctypes.data,
        state.ctypes.data if state is not None else None,
        msg,
        200,
    )
    if rc:
        raise RuntimeError(f"status {rc}: {msg.value.decode()}")
    return state if what == 2 else (values if what == 0 else (values, grads))


def value(c, o, angles, single=0, isa=-1):
    return _run(c, o, single, isa, 0, angles)


def value_and_vjp(c, o, angles, cot=None, single=0, isa=-1):
    return _run(c, o, single, isa, 1, angles, np.ones((1, 1, len(o.sums))) if cot is None else cot)


def state(c, angles, single=0, isa=-1):
    return _run(c, None, single, isa, 2, angles)


def set_threads(n):
    LIB.qcgrad_set_num_threads(n)


def describe(c, o=None, single=0):
    buf = ct.create_string_buffer(20000)
    LIB.qcgrad_describe(ct.byref(c.c_struct()), ct.byref(o._c) if o else None, single, buf, 20000)
    return buf.value.decode()


def available_isas():
    return [i for i in range(3) if LIB.qcgrad_has_instruction_set(i)]


def hea(n, layers):
    c, s = Circuit(n), 0
    for _ in range(layers):
        for q in range(n):
            c.rz(q, s)
            c.ry(q, s + 1)
            c.rz(q, s + 2)
            s += 3
        for q in range(n):
            c.cnot(q, (q + 1) % n)
    return c


def hea_observable(n):
    b = lambda q: 1 << (n - 1 - q)
    return Observables([[(0, b(q) | b(q + 1), 1.0) for q in range(n - 1)] + [(b(q), 0, 0.5) for q in range(n)]])
