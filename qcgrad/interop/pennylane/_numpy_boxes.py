"""Boxes of autograd that NumPy's own functions understand: `numpy.sin(x)` is as good as `autograd.numpy.sin(x)`.

Autograd sees what goes through its copy of NumPy, and NumPy itself knows nothing of boxes. NumPy has protocols for
that, which autograd predates.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np

_lock = threading.RLock()


@contextmanager
def known_to_numpy() -> Iterator[None]:
    """In this block, the boxes that autograd makes are such boxes."""
    from autograd.tracer import Box

    with _lock:
        # Other threads that trace meanwhile get these too, which do all that the others do.
        before = dict(Box.type_mappings)
        Box.type_mappings.update({value: partial(_made, make) for value, make in before.items()})
        try:
            yield
        finally:
            Box.type_mappings.update(before)


def _made(make, *arguments):
    from autograd.numpy.numpy_boxes import ArrayBox

    # PennyLane makes boxes of its tensors by a function, which looks at them first.
    box = make(*arguments)
    return _kind()(*arguments) if type(box) is ArrayBox else box


@lru_cache
def _kind() -> type:
    import autograd.numpy as anp
    import autograd.scipy.special as special
    from autograd.numpy.numpy_boxes import ArrayBox

    class NumPyBox(ArrayBox):
        __slots__ = ()
        __module__ = ArrayBox.__module__  # by which PennyLane knows whose it is

        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            found = _found(ufunc.__name__, anp, special)
            return NotImplemented if found is None or method != "__call__" else found(*inputs, **options)

        def __array_function__(self, function, types, inputs, options):
            place = getattr(anp, function.__module__.removeprefix("numpy."), anp)
            found = _found(function.__name__, place, anp)
            return NotImplemented if found is None else found(*inputs, **options)

        def __getattr__(self, name):
            # What NumPy calls for each entry of an array of objects, which numpy.array([x[0], x[1]]) is.
            found = _found(name, anp) if isinstance(getattr(np, name, None), np.ufunc) else None
            if found is None:
                raise AttributeError(f"arrays of autograd have no attribute {name!r}")
            return partial(found, self)

    NumPyBox.register(NumPyBox)  # which makes it a box in autograd's eyes
    return NumPyBox


def _found(name: str, *modules: ModuleType) -> Callable[..., Any] | None:
    return next((getattr(module, name) for module in modules if hasattr(module, name)), None)
