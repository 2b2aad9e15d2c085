"""The C library's allocator: freed memory goes back to the system."""

from __future__ import annotations

import ctypes

__all__ = ["give_memory_back"]

# These numbers are from malloc.h, where the second is M_ARENA_MAX. An allocation of at least the
# threshold has pages of its own, which are freed with it.
M_MMAP_THRESHOLD = -3
M_ARENAS = -8
# glibc raises its threshold to the largest allocation that was freed, so after a few large
# responses all others would stay in the heap.
MMAP_BYTES = 1024 * 1024
# One for the event loop, and one for the threads that read the store.
ARENAS = 2


def give_memory_back() -> bool:
    """
    Let the process shrink again after large responses.

    Returns:
        False where the C library is not glibc and has no such options.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_BYTES) and mallopt(M_ARENAS, ARENAS))
