"""Random circuits of every op kind against a dense numpy reference, on every instruction set and thread count."""

import sys

import native_ctypes as nt
import numpy as np


def pauli_apply(n, x, z, psi):
    j = np.arange(2**n)
    sign = 1 - 2 * (np.array([bin(v).count("1") for v in (j & z)]) & 1)
    out = np.empty_like(psi)
    out[j ^ x] = sign * psi * (1j ** (bin(x & z).count("1") % 4))
    return out


def embed(n, bits, u, psi):
    k = len(bits)
    axes = [n - 1 - b for b in bits]
    t = np.moveaxis(psi.reshape((2,) * n), axes, range(k)).reshape(2**k, -1)
    t = (u @ t).reshape((2,) * n)
    return np.moveaxis(t, range(k), axes).reshape(-1)


def ref_state(c, th):
    psi = np.zeros(2**c.n, complex)
    psi[0] = 1
    states = []
    j = np.arange(2**c.n)
    for o in c.ops:
        kind, x, z, ctrl, kappa, slot, scale, offset, wires, off = o
        if kind == 0:
            t = offset + (scale * th[slot] if slot >= 0 else 0)
            on = (j & ctrl) == ctrl
            full = np.exp(0.5j * t * kappa) * (np.cos(t / 2) * psi - 1j * np.sin(t / 2) * pauli_apply(c.n, x, z, psi))
            psi = np.where(on, full, psi)
        elif kind == 1:
            k = len(wires)
            u = np.concatenate([m.ravel() for m in c.mats])[off : off + 4**k].reshape(2**k, 2**k)
            psi = embed(c.n, wires, u, psi)
        states.append(psi)
    return psi, states


def ref_adjoint(c, sums, th, cot):
    psi, _ = ref_state(c, th)
    apply_sum = lambda s: sum((w * pauli_apply(c.n, x, z, psi) for x, z, w in s), np.zeros_like(psi))
    lams = [apply_sum(s) for s in sums]
    vals = np.array([np.vdot(psi, l).real for l in lams])
    j = np.arange(2**c.n)
    grads = []
    for row in cot:
        lam = sum((w * l for w, l in zip(row, lams)), np.zeros_like(psi))
        p, g = psi.copy(), np.zeros(c.num_angles)
        for o in reversed(c.ops):
            kind, x, z, ctrl, kappa, slot, scale, offset, wires, off = o
            if kind == 0:
                t = offset + (scale * th[slot] if slot >= 0 else 0)
                on = (j & ctrl) == ctrl
                if slot >= 0:
                    gp = np.where(on, pauli_apply(c.n, x, z, p) - kappa * p, 0) / 2
                    g[slot] += scale * 2 * np.vdot(lam, gp).imag
                un = lambda v: np.where(
                    on,
                    np.exp(-0.5j * t * kappa) * (np.cos(t / 2) * v + 1j * np.sin(t / 2) * pauli_apply(c.n, x, z, v)),
                    v,
                )
            elif kind == 1:
                k = len(wires)
                u = np.concatenate([m.ravel() for m in c.mats])[off : off + 4**k].reshape(2**k, 2**k).conj().T
                un = lambda v: embed(c.n, wires, u, v)
            else:
                continue
            p, lam = un(p), un(lam)
        grads.append(g)
    return vals, np.array(grads)


def random_unitary(rng, d):
    q, r = np.linalg.qr(rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d)))
    return q * (np.diag(r) / abs(np.diag(r)))


def random_circuit(rng, n, depth, kinds=None):
    c = nt.Circuit(n)
    slots = max(1, depth // 2)
    c.num_angles = slots
    kinds = kinds or ["rot1"] * 5 + [
        "string",
        "string",
        "cnot",
        "cnot",
        "cnot",
        "x",
        "phase",
        "crot",
        "crot",
        "ccrot",
        "const",
        "u1",
        "u2",
        "u3",
        "swap",
        "cz",
        "ccx",
        "pi",
        "diag",
        "gphase",
        "pad",
        "rzz",
        "rzz",
    ]
    full = (1 << n) - 1
    for _ in range(depth):
        k = kinds[rng.integers(len(kinds))]
        qs = list(rng.permutation(n))
        par = dict(slot=int(rng.integers(slots)), scale=float(rng.normal()), offset=float(rng.normal()))
        if k == "rot1":
            c.string({qs[0]: "XYZ"[rng.integers(3)]}, int(rng.integers(slots)))
        elif k == "string":
            c.pauli(int(rng.integers(full + 1)), int(rng.integers(full + 1)), **par)
        elif k == "rzz" and n > 1:
            c.rzz(qs[0], qs[1], int(rng.integers(slots)))
        elif k == "cnot" and n > 1:
            c.cnot(qs[0], qs[1])
        elif k == "cz" and n > 1:
            c.cz(qs[0], qs[1])
        elif k == "ccx" and n > 2:
            c.string({qs[0]: "X"}, ctrl=qs[1:3], kappa=1, offset=np.pi)
        elif k == "x":
            c.string({qs[0]: "XYZ"[rng.integers(3)]}, kappa=1, offset=np.pi)
        elif k == "pi":
            ctrl = qs[1 : 1 + rng.integers(min(n, 3))]
            c.string(
                {qs[0]: "XYZ"[rng.integers(3)]},
                ctrl=ctrl,
                kappa=int(rng.integers(2)),
                offset=float(rng.choice([np.pi, -np.pi, 2 * np.pi, np.pi / 2])),
            )
        elif k == "phase":
            c.string({qs[0]: "Z"}, kappa=1, **par)
        elif k in ("crot", "ccrot") and n > 1:
            w = 1 if k == "crot" else int(rng.integers(1, min(n, 5)))
            ctrl = qs[:w]
            free = full & ~sum(c.bit(q) for q in ctrl)
            c.pauli(
                int(rng.integers(full + 1)) & free,
                int(rng.integers(full + 1)) & free,
                ctrl=sum(c.bit(q) for q in ctrl),
                kappa=int(rng.integers(2)),
                **par,
            )
        elif k == "const":
            c.string({qs[0]: "XYZ"[rng.integers(3)]}, offset=float(rng.normal()))
        elif k == "u1":
            if rng.integers(2):
                c.h(qs[0])
            else:
                c.matrix(
                    qs[:1], [random_unitary(rng, 2), np.diag([1, 1j]), np.array([[0, 1j], [1, 0]])][rng.integers(3)]
                )
        elif k == "u2" and n > 1:
            c.matrix(qs[:2], random_unitary(rng, 4))
        elif k == "u3" and n > 2:
            c.matrix(qs[: int(rng.integers(3, min(n, 5) + 1))], None) if False else c.matrix(
                qs[:3], random_unitary(rng, 8)
            )
        elif k == "swap" and n > 1:
            c.matrix(qs[:2], np.eye(4)[[0, 2, 1, 3]])
        elif k == "diag" and n > 1:
            c.matrix(qs[:2], np.diag(np.exp(1j * rng.normal(size=4))))
        elif k == "gphase":
            c.pauli(0, 0, ctrl=c.bit(qs[0]) if rng.integers(2) else 0, kappa=int(rng.integers(2)), **par)
        elif k == "pad":
            c.ops.append((2, 0, 0, 0, 0, -1, 0.0, 0.0, (), 0))
    return c


def random_sums(rng, n, K):
    full = (1 << n) - 1
    sums = []
    for _ in range(K):
        t = [
            (int(rng.integers(full + 1)), int(rng.integers(full + 1)), float(rng.normal()))
            for _ in range(rng.integers(0, 6))
        ]
        x = int(rng.integers(full + 1))
        t += [(x, int(rng.integers(full + 1)), float(rng.normal())) for _ in range(rng.integers(0, 9))]
        t += [(0, int(rng.integers(full + 1)), float(rng.normal())) for _ in range(rng.integers(0, 4))]
        sums.append(t)
    return sums


def check(name, got, want, tol):
    scale = max(1.0, np.abs(want).max() if np.size(want) else 0)
    err = np.abs(np.asarray(got) - want).max() / scale if np.size(want) else 0.0
    assert np.isfinite(err) and err < tol, f"{name}: error {err:.3g} > {tol}"
    return err


def one_case(rng, n, depth, isas, threads=(1, 2), kinds=None, singles=(0, 1)):
    c = random_circuit(rng, n, depth, kinds)
    K, C, B = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    sums = random_sums(rng, n, K)
    o = nt.Observables(sums)
    th = rng.normal(size=(B, c.num_angles)) * 2
    cot = rng.normal(size=(B if rng.integers(2) else 1, C, K))
    refs = [ref_adjoint(c, sums, th[b], cot[b % len(cot)]) for b in range(B)]
    psis = np.array([ref_state(c, th[b])[0] for b in range(B)])
    vals, grads = np.array([r[0] for r in refs]), np.array([r[1] for r in refs])
    worst = [0.0, 0.0]
    for single in singles:
        tol = 1e-5 * (1 + depth / 100) if single else 1e-11
        for isa in isas:
            for t in threads:
                nt.set_threads(t)
                tag = f"n={n} single={single} isa={isa} threads={t}"
                e = [
                    check(tag + " state", nt.state(c, th, single, isa), psis, tol),
                    check(tag + " value", nt.value(c, o, th, single, isa), vals, tol),
                ]
                v, g = nt.value_and_vjp(c, o, th, cot, single, isa)
                e += [check(tag + " vjp value", v, vals, tol), check(tag + " gradient", g, grads, tol)]
                v2, g2 = nt.value_and_vjp(c, o, th, cot, single, isa)
                assert np.array_equal(v, v2) and np.array_equal(g, g2), tag + " not reproducible"
                worst[single] = max([worst[single]] + e)
    return worst


def edge_cases(isas):
    for isa in isas:
        c = nt.Circuit(1)
        o = nt.Observables([[(0, 1, 1.0), (1, 0, 0.3)]])
        v, g = nt.value_and_vjp(c, o, np.zeros((1, 0)), isa=isa)
        assert np.allclose(v, [[1.0]]) and g.shape == (1, 1, 0)
        c.rx(0, 0)
        v, g = nt.value_and_vjp(c, o, np.array([[0.4]]), isa=isa)
        assert np.allclose([v[0, 0], g[0, 0, 0]], [np.cos(0.4), -np.sin(0.4)])
        v, g = nt.value_and_vjp(c, nt.Observables([[]]), np.array([[0.4]]), isa=isa)
        assert v[0, 0] == 0 and g[0, 0, 0] == 0
        v, g = nt.value_and_vjp(c, o, np.array([[np.nan]]), isa=isa)
        assert np.isnan(v).all() and np.isnan(g).all(), "NaN must reach the caller"
        big = nt.hea(3, 1)
        v, g = nt.value_and_vjp(big, nt.hea_observable(3), np.full((1, 9), np.nan), isa=isa)
        assert np.isnan(v).all() and np.isnan(g).all()
    bad = nt.Circuit(2)
    bad.pauli(8, 0, 0)
    try:
        nt.state(bad, np.zeros((1, 1)))
        raise AssertionError("mask out of range was accepted")
    except RuntimeError:
        pass


def main(cases=60, seed=0, large=True):
    isas = nt.available_isas()
    edge_cases(isas)
    rng = np.random.default_rng(seed)
    worst = [0.0, 0.0]
    for i in range(cases):
        n = int(rng.integers(1, 9))
        w = one_case(rng, n, int(rng.integers(0, 60)), isas)
        worst = [max(a, b) for a, b in zip(worst, w)]
    if large:
        for n in (10, 12, 13, 14, 14):
            w = one_case(rng, n, 40, isas)
            worst = [max(a, b) for a, b in zip(worst, w)]
    print(f"ok: {cases} cases, isas {isas}, worst error double {worst[0]:.2g}, float {worst[1]:.2g}")


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
