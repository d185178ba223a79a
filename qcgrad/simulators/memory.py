"""How much memory there is."""

import os


def free_bytes() -> int:
    """Memory that can be had without swapping; a guess of 8 GiB where the platform does not tell."""
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


def allowed_bytes() -> int:
    """What a simulation may take: 80 % of what is free."""
    return int(0.8 * free_bytes())
