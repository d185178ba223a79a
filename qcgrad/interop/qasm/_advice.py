"""Statements that are understood and not supported, with what to do instead."""

ADVICE = {
    "while": "while: control flow that depends on measured bits is not supported",
    "switch": "switch: control flow is not supported; write the gates out",
    "break": "break: only loops that run to their end are supported",
    "continue": "continue: only loops that run to their end are supported",
    "return": "return: only subroutines that return nothing are supported",
    "end": "end: delete what follows instead",
    "else": "else without an if before it",
    "cal": "cal: calibrations are not supported; delete them",
    "defcal": "defcal: calibrations are not supported; delete them",
    "defcalgrammar": "defcalgrammar: calibrations are not supported; delete them",
    "delay": "delay: timing is not supported; delete it",
    "box": "box: timing is not supported; write its gates alone",
    "extern": "extern: external functions are not supported",
    "pragma": "pragma: not supported; delete it",
    "#": "pragma: not supported; delete it",
    "array": "array: arrays are not supported; write a set {a, b, ...} in the loop itself",
    "OPENQASM": "the version must be stated once, before everything else",
}
