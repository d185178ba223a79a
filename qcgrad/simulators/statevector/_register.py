"""Where the amplitudes live: all of them in one array, or a part of them on each device.

Everything that touches amplitudes goes through a register, so each algorithm is written once. A register knows
which basis states it holds (`indices`), moves amplitudes (`flip`, `exchange`) and adds up over all of them
(`total`, `ends`). Masks and wires are traced data: another circuit is never another program.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float, Int, PyTree

from ...array_types import Array

Held = Complex[jax.Array, "..."]
"""The amplitudes that a register holds here."""

Bits = Int[Array, "..."]
"""Basis states, masks of qubits or their positions."""

Layouts = Int[np.ndarray, "S k"]
"""For each step the bit positions that change places with the front."""

Routes = PyTree[Int[Array, "..."]]
"""How amplitudes are exchanged, in the form that a register has for it."""

AXIS = "amplitudes"


@dataclass(frozen=True)
class WholeRegister:
    """All 2^n amplitudes in one array.

    Attributes:
        num_qubits: n.
    """

    num_qubits: int

    @property
    def local_qubits(self) -> int:
        """The least significant qubits, those that one device tells apart."""
        return self.num_qubits

    def indices(self, dtype: np.dtype) -> Bits:
        """Basis states of the amplitudes held here."""
        return lax.iota(dtype, 2**self.num_qubits)

    def flip(self, psi: Held, mask: Bits) -> Held:
        """psi[j ^ mask]."""
        return psi[self.indices(mask.dtype) ^ mask]

    def plan_routes(self, *layouts: Layouts) -> Routes:
        """Where the bits of an index go when layouts (S, k) are applied one after another: (S, n), NumPy."""
        images = np.broadcast_to(1 << np.arange(self.num_qubits), (len(layouts[0]), self.num_qubits))
        for wires in reversed(layouts):
            images = swap_bits(images, wires.T[:, :, None], self.num_qubits)
        return images

    def tables(self, routes: Routes) -> Routes:
        """Planned routes as `exchange` takes them: an exchange of bits is linear over XOR, so two tables of
        2^(n/2) entries hold all of it."""
        low = self.num_qubits // 2
        return _combinations(routes[:, low:]), _combinations(routes[:, :low])

    def exchange(self, psi: Held, route: Routes) -> Held:
        """psi[s1(s2(...(j)))] for the layouts s1, s2, ... of a route, in one gather."""
        high, low = route
        return psi[(high[:, None] ^ low[None]).ravel()]

    def total(self, values: PyTree) -> PyTree:
        """The sum over devices."""
        return values

    def ends(self, weight: Float[Array, ""]) -> Float[Array, "D"]:
        """Sums of `weight` up to and including each device's, in the order of basis states (D,)."""
        return weight[None]

    def position(self) -> int:
        """This device's place in that order."""
        return 0


@dataclass(frozen=True)
class ShardedRegister:
    """A part of the amplitudes, inside `jax.shard_map` over the axis `AXIS`.

    The log2(D) most significant qubits choose the device: index = device * 2^local_qubits + place.

    Attributes:
        num_qubits: n.
        devices: D, a power of two.
    """

    num_qubits: int
    devices: int

    @property
    def local_qubits(self) -> int:
        """The least significant qubits, those that one device tells apart."""
        return self.num_qubits - self.devices.bit_length() + 1

    def indices(self, dtype: np.dtype) -> Bits:
        """Basis states of the amplitudes held here."""
        first = self.position().astype(dtype) << self.local_qubits
        return first | lax.iota(dtype, 2**self.local_qubits)

    def flip(self, psi: Held, mask: Bits) -> Held:
        """psi[j ^ mask]: whole parts change places with the device that differs in the mask's top bits."""
        places = lax.iota(mask.dtype, 2**self.local_qubits)
        received = lax.switch(mask >> self.local_qubits, [partial(self._from, h) for h in range(self.devices)], psi)
        return received[places ^ (mask & (2**self.local_qubits - 1))]

    def plan_routes(self, *layouts: Layouts) -> Routes:
        """For each layout where the local bits go (S, local_qubits), and for each qubit that chooses devices the
        local bit that it changes places with, or -1 (S, log2 D); NumPy."""
        front = self.local_qubits - 1 - np.arange(layouts[0].shape[1])
        local = WholeRegister(self.local_qubits)
        routes = []
        for wires in layouts:
            within = local.plan_routes(np.where(wires < self.local_qubits, wires, front))
            chooses = wires[:, None] == np.arange(self.local_qubits, self.num_qubits)[None, :, None]
            routes.append((within, np.where(chooses.any(axis=2), front[chooses.argmax(axis=2)], -1)))
        return routes

    def tables(self, routes: Routes) -> Routes:
        """Planned routes as `exchange` takes them."""
        return [(WholeRegister(self.local_qubits).tables(within), partners) for within, partners in routes]

    def exchange(self, psi: Held, route: Routes) -> Held:
        """psi[s1(s2(...(j)))]; each qubit that chooses devices costs half of the part, sent and received."""
        for within, partners in route:
            psi = WholeRegister(self.local_qubits).exchange(psi, within)
            for bit in range(self.devices.bit_length() - 1):
                swap = partial(self._exchange_devices, bit, partners[bit])
                psi = lax.cond(partners[bit] < 0, lambda psi: psi, swap, psi)
        return psi

    def _exchange_devices(self, bit, partner, psi):
        """Exchange a bit of the device's position with the local bit `partner`."""
        # Amplitudes whose local bit differs from this device's bit belong to the other device: half of them.
        leaving = (1 - ((self.position() >> bit) & 1)).astype(partner.dtype)
        below = (1 << partner) - 1
        half, places = (lax.iota(partner.dtype, 2 ** (self.local_qubits - less)) for less in (1, 0))
        sent = psi[((half & ~below) << 1) | (leaving << partner) | (half & below)]
        received = self._from(1 << bit, sent)[((places >> 1) & ~below) | (places & below)]
        return jnp.where((places >> partner) & 1 == leaving, received, psi)

    def _from(self, offset, part):
        """The same array of the device whose position differs by XOR with `offset`."""
        return lax.ppermute(part, AXIS, [(i, i ^ offset) for i in range(self.devices)]) if offset else part

    def total(self, values: PyTree) -> PyTree:
        """The sum over devices, known to all of them."""
        return lax.psum(values, AXIS)

    def ends(self, weight: Float[Array, ""]) -> Float[Array, "D"]:
        """Sums of `weight` up to and including each device's, in the order of basis states (D,)."""
        return jnp.cumsum(lax.all_gather(weight, AXIS))

    def position(self) -> Int[Array, ""]:
        """This device's place in that order."""
        return lax.axis_index(AXIS)


@dataclass(frozen=True)
class BlockRegister:
    """The columns of many small matrices side by side, arrays (number, 4^k): the walk acts on all at once.

    An index is column * 2^k + basis state; masks are (number, 1), one for each matrix.

    Attributes:
        number: of matrices.
        num_qubits: k of each.
    """

    number: int
    num_qubits: int

    def indices(self, dtype: np.dtype) -> Bits:
        """Positions within each matrix (1, 4^k)."""
        return lax.iota(dtype, 4**self.num_qubits)[None]

    def flip(self, psi: Held, mask: Bits) -> Held:
        """psi[j ^ mask], in each matrix by its own mask."""
        start = lax.iota(mask.dtype, self.number)[:, None] << 2 * self.num_qubits
        return psi.ravel()[(start | self.indices(mask.dtype)) ^ mask]


Register = WholeRegister | ShardedRegister


def swap_bits(
    index: Int[np.ndarray, "..."], wires: Int[np.ndarray, "k ..."], local_qubits: int
) -> Int[np.ndarray, "..."]:
    """Exchange the bit positions `wires` with the front: bit wires[i] with bit local_qubits - 1 - i.

    The pairs are disjoint or trivial, so this is its own inverse.
    """
    for place, wire in enumerate(wires):
        front = local_qubits - 1 - place
        differs = ((index >> wire) ^ (index >> front)) & 1
        index = index ^ (differs << wire) ^ (differs << front)
    return index


def _combinations(images):
    """(S, 2^m): the sum of the images (S, m) of every subset of m bits."""
    count = images.shape[1]
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    return images @ bits.T.astype(images.dtype)


def initial_state(register: Register, dtype: np.dtype) -> Held:
    """|0...0>."""
    return jnp.zeros(2**register.local_qubits, dtype).at[0].set(register.position() == 0)
