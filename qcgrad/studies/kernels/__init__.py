"""Kernel studies: tangent kernels of finite networks against their infinite limit."""

from ._kind import TangentKernels, complex_activations

__all__ = ["TangentKernels", "complex_activations"]
