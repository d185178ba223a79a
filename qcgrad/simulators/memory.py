"""How much memory there is."""

import os
from typing import Any


def free_bytes(device: Any = None) -> int:
    """Memory that an accelerator (a `jax.Device`) can still give; for CPUs and None, what the host has left.

    A guess of 8 GiB where the platform does not tell.
    """
    if device is not None and device.platform != "cpu" and (stats := device.memory_stats()):
        return stats["bytes_limit"] - stats["bytes_in_use"]
    try:
        with open("/proc/meminfo") as lines:
            available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 8 << 30


def allowed_bytes(device: Any = None) -> int:
    """What a simulation may take: 80 % of what is free."""
    return int(0.8 * free_bytes(device))
