"""Simulation of noise by pure states, one for each run of a circuit."""

from .backend import Trajectories as Trajectories
