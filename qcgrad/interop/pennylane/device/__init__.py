"""The device `qcgrad.statevector`: tapes of PennyLane on the native engine."""
