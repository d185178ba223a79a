"""Circuits from and to Qiskit, its primitives on our simulators, and our gradients in its algorithms.

Qiskit and the packages around it are loaded when something of them is first used.
"""

import lazy_loader

# What is exported from where says the stub beside this file; a module is imported when something of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
