from ._function import TorchFunction as TorchFunction
from ._function import as_torch as as_torch
from ._layer import TorchLayer as TorchLayer
