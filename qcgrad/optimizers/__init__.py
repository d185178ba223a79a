"""Optimisers that read variances and ask for shots, rules that say when to stop, and the loop of both."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
