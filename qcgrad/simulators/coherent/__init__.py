"""Circuits that run a preparation many times, simulated by the distribution of what they read."""
