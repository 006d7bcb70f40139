"""How much memory malloc has given out, that of libcrypto included."""

from __future__ import annotations

import ctypes
import gc


class _MallInfo(ctypes.Structure):
    _fields_ = [
        *((f"unused{number}", ctypes.c_size_t) for number in range(4)),
        ("hblkhd", ctypes.c_size_t),
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


def allocated() -> int | None:
    """Bytes that malloc has given out and not got back, libcrypto's among them; ``None`` where libc cannot tell."""
    gc.collect()
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2  # glibc 2.33
    except (AttributeError, OSError, TypeError):
        return None
    mallinfo.restype = _MallInfo
    info = mallinfo()
    return int(info.uordblks + info.hblkhd)
