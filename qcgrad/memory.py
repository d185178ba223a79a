"""How much memory there is: what a computation needs is compared with it before anything is allocated."""

import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import TooLarge
from .readable import counted

#: The part of free memory that is used where nobody says how much may be.
SHARE = 0.8


def free_bytes(device: Any = None) -> int:
    """Memory that an accelerator (a `jax.Device`) can still give; for CPUs and None, what the host has left.

    A guess of 8 GiB where the platform does not tell.
    """
    if device is not None and device.platform != "cpu" and (stats := device.memory_stats()):
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return min(_free_on_machine(), _free_in_container())


def allowed_bytes(max_bytes: int | None = None, device: Any = None) -> int:
    """`max_bytes`, or 80 % of the memory that is free now on a device.

    Raises:
        ValueError: max_bytes is no positive number of bytes.
    """
    if max_bytes is None:
        return int(SHARE * free_bytes(device))
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, (int, float)) or not max_bytes >= 1:
        raise ValueError(f"max_bytes is {max_bytes!r}: give a positive number of bytes, or None")
    return int(min(max_bytes, 2**62))


def require(what: str, needed: int, allowed: int, advice: str, error: type[TooLarge] = TooLarge) -> None:
    """Refuse what needs more bytes than are allowed.

    Args:
        what: the subject of the sentence, with its verb: "... takes".
        needed, allowed: bytes.
        advice: what would fit.
        error: the class of the refusal, `StateTooLarge` where a backend has a limit of its own.

    Raises:
        TooLarge: it does not fit.
    """
    if needed > allowed:
        raise error(f"{what} {in_words(needed)} and {in_words(allowed)} are allowed: {advice}")


def require_count(
    what: str,
    count: int,
    needed: Callable[[int], int],
    allowed: int,
    advice: str,
    error: type[TooLarge] = TooLarge,
) -> None:
    """`require` for many equal things, saying how many of them would fit.

    Args:
        what: they, in the plural.
        count: how many there are.
        needed: bytes of any number of them, ascending.
        allowed: bytes.
        advice: how to have fewer.
        error: as for `require`.

    Raises:
        TooLarge: they do not fit.
    """
    if (bytes_of_all := needed(count)) > allowed:
        fit = bisect_right(range(count), allowed, key=needed) - 1
        advice = f"{fit:,} would fit, so {advice}" if fit > 0 else advice
        require(f"{counted(count)} {what} take", bytes_of_all, allowed, advice, error)


def in_words(count: int) -> str:
    """12,345,678 bytes (11.8 MiB)."""
    if count >= 10**18:
        return f"{counted(count)} bytes"
    size, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count:,} bytes" + (f" ({size:.1f} {unit})" if unit != "bytes" else "")


def _free_on_machine() -> int:
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


def _free_in_container() -> int:
    """What the control group of this process leaves, caches of files not counted: they give way."""
    root = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((root / name).read_text()) for name in ("memory.max", "memory.current"))
        lines = (root / "memory.stat").read_text().splitlines()
        caches = next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
    except (OSError, ValueError):  # no such group, or "max"
        return 2**62
    return max(0, limit - used + caches)
