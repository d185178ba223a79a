"""Joint measurements of several copies, simulated without storing the copies."""
