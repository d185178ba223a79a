"""Layers: one description of a finite and of an infinitely wide network."""
