"""The parts of ``generate.py``: what is generated, exported, evaluated and checked."""
