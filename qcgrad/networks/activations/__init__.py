"""Activation functions: values, Wirtinger derivatives, and dual maps."""
