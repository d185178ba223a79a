"""Measurements and resets that change no expectation value: those at the end, and those of fresh qubits."""

from collections.abc import Callable, Sequence

from ...errors import ImportRefused
from ..instructions._instruction import Instruction


def without_ends(
    instructions: Sequence[Instruction], name: Callable[[int], str]
) -> tuple[list[Instruction], tuple[str, ...]]:
    """The unitary part of a program whose instructions "measure" and "reset" (on one wire each) stand at its ends.

    A measurement behind which nothing happens to its qubit is replaced by the observable; a reset in front of which
    nothing happened finds |0>.

    Args:
        instructions: in order.
        name: how messages call a wire.

    Returns:
        The other instructions, and notes on what was left out.

    Raises:
        ImportRefused: a gate behind a measurement of its qubit, or a reset of a qubit that is not fresh.
    """
    kept: list[Instruction] = []
    used: set[int] = set()
    measured: dict[int, None] = {}
    fresh = 0
    for instruction in instructions:
        if instruction.name == "measure":
            measured.update(dict.fromkeys(instruction.wires))
            continue
        for wire in instruction.wires:
            if wire in measured:
                what = "it is reset" if instruction.name == "reset" else f"gate {instruction.name} acts on it"
                raise ImportRefused(
                    f"a measurement inside of the circuit: {name(wire)} is measured before {what}; only final "
                    "measurements can be left out, the observable replaces them"
                )
        if instruction.name != "reset":
            kept.append(instruction)
            used.update(instruction.wires)
        elif (wire := instruction.wires[0]) in used:
            raise ImportRefused(
                f"a reset inside of the circuit: gates act on {name(wire)} before it, so it is not unitary; only "
                "qubits that are still |0> can be reset"
            )
        else:
            fresh += 1
    notes = []
    if measured:
        notes.append(f"final measurements of {_listed(name, measured)} left out: the observable replaces them")
    if fresh:
        notes.append(f"{fresh} reset(s) of fresh qubits left out: they are |0> already")
    return kept, tuple(notes)


def refuse_inside(instructions: Sequence[Instruction], what: str) -> None:
    """Refuse measurements and resets where only gates can stand.

    Args:
        instructions: the gates.
        what: where they stand, for the message.
    """
    for instruction in instructions:
        if instruction.name in ("measure", "reset"):
            raise ImportRefused(f"a {instruction.name} inside of {what}: only gates can be controlled or inverted")


def _listed(name, wires) -> str:
    names = [name(wire) for wire in wires]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
