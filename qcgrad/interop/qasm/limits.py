"""What one program may ask for; each is looked at before time or memory is spent."""

# Bytes of a file.
MAX_BYTES = 2**28
# Declared qubits.
MAX_QUBITS = 100_000
# Gates after expanding definitions, loops, registers and powers; statements executed count as well.
MAX_GATES = 2_000_000
# Parentheses in parentheses, blocks in blocks, gates calling gates: Python's stack holds a few times as many.
MAX_NESTING = 100
# Operations in one angle that is not affine in an input; they may all be nested, so Python's stack bounds them, too.
MAX_OPERATIONS = 200
# Integers: OpenQASM leaves the width of `int` to the machine.
INTEGER_BITS = 64
