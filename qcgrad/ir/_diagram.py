"""Circuits as text."""

from collections.abc import Sequence

from .gates import Gate

# How each wire of a gate is drawn; controls are dots. Gates not listed show their name on every wire.
_SYMBOLS = {
    "cx": "●X", "cy": "●Y", "cz": "●●", "ch": "●H", "swap": "xx", "ccx": "●●X", "ccz": "●●●", "cswap": "●xx",
}  # fmt: skip
_CONTROLLED = {"crx": "RX", "cry": "RY", "crz": "RZ", "cp": "P", "csx": "SX"}
_PAIRS = {"rxx": "XX", "ryy": "YY", "rzz": "ZZ", "rzx": "ZX"}


def draw(num_qubits: int, gates: Sequence[Gate], width: int = 118) -> str:
    """The circuit as lines of text, gates packed to the left and folded at `width` columns."""
    columns: list[list[Gate]] = []
    free = [0] * num_qubits
    for gate in gates:
        if not gate.wires:
            continue
        low, high = min(gate.wires), max(gate.wires)
        column = max(free[low : high + 1])
        if column == len(columns):
            columns.append([])
        columns[column].append(gate)
        free[low : high + 1] = [column + 1] * (high + 1 - low)
    blocks, lines = [], _margin(num_qubits)
    for column in columns:
        drawn = _column(num_qubits, column)
        if len(lines[0]) + len(drawn[0]) > width and len(lines[0]) > len(_margin(num_qubits)[0]):
            blocks.append(lines)
            lines = _margin(num_qubits)
        lines = [a + b for a, b in zip(lines, drawn, strict=True)]
    blocks.append(lines)
    return "\n\n".join("\n".join(line.rstrip() if i % 2 else line + "─" for i, line in enumerate(b)) for b in blocks)


def _margin(num_qubits):
    pad = len(str(num_qubits - 1))
    rows = [f"q{q:<{pad}}: ─" for q in range(num_qubits)]
    lines = []
    for row in rows:
        lines += [row, " " * len(row)]
    return lines[:-1]


def _column(num_qubits, gates):
    """2n-1 lines: wires on the even ones, connections on the odd ones."""
    cells = ["─"] * num_qubits
    links = [" "] * num_qubits
    for gate in gates:
        for wire, symbol in zip(gate.wires, _symbols(gate), strict=True):
            cells[wire] = symbol
        low, high = min(gate.wires), max(gate.wires)
        for wire in range(low, high):
            links[wire] = "│"
            if wire > low and wire not in gate.wires:
                cells[wire] = "┼"
    width = max(map(len, cells)) + 1
    lines = []
    for cell, link in zip(cells, links, strict=True):
        lines += [cell.ljust(width, "─"), link.ljust(width)]
    return lines[:-1]


def _symbols(gate: Gate) -> list[str]:
    count = len(gate.wires)
    if gate.name in _SYMBOLS:
        return list(_SYMBOLS[gate.name])
    if gate.name in _CONTROLLED:
        return ["●"] * (count - 1) + [_CONTROLLED[gate.name] + _argument(gate)]
    if gate.name in _PAIRS or gate.name == "pauli_rot":
        letters = _PAIRS.get(gate.name) or gate.detail
        names = [f"R{letter}" if letter != "I" else "─" for letter in letters]
        names[-1] += _argument(gate)
        return names
    name = {"evolution": "EXP", "unitary": "U"}.get(gate.name, gate.name.upper())
    return [name] * (count - 1) + [name + _argument(gate)]


def _argument(gate: Gate) -> str:
    if gate.param is None:
        has_angle = gate.offset or gate.name.startswith(("r", "p", "cr", "cp", "evolution"))
        return f"({gate.offset:.4g})" if has_angle else ""
    factor = {1.0: "", -1.0: "-"}.get(gate.scale, f"{gate.scale:.4g}·")
    shift = f" {'-' if gate.offset < 0 else '+'} {abs(gate.offset):.4g}" if gate.offset else ""
    return f"({factor}θ{gate.param}{shift})"
