"""QNodes and tapes of PennyLane, gradients and a device for it; PennyLane is loaded when something is used."""

import lazy_loader

# What is exported from where says the stub beside this file; a module is imported when something of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
