"""What is tested only where its library is installed."""

import importlib.util

# Doctests import every module, and these need PyTorch, which the extra `test` does not bring.
collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["qcgrad/interop/torch/_*.py"]
