"""Whether a folder lies on a device that this system encrypts, as far as the system tells."""

import os
from pathlib import Path
from typing import Final

SYSTEM: Final = Path("/sys/dev/block")
# How device-mapper calls what dm-crypt, and so LUKS, made.
CRYPT: Final = "CRYPT-"
DEPTH_MOST: Final = 8


def is_encrypted(folder: Path, *, system: Path = SYSTEM) -> bool | None:
    """Return whether what is written into a folder, or into the nearest one above it that is there, is encrypted; None where nothing tells.

    What lies on a network, in a container's layers or on several devices at once is not told.
    """
    try:
        number = next(each for each in (folder, *folder.parents) if each.exists()).stat().st_dev
        device = system / f"{os.major(number)}:{os.minor(number)}"
        return _is_crypt(device, DEPTH_MOST) if device.exists() else None
    except OSError:
        return None


def _is_crypt(device: Path, depth: int) -> bool:
    """Look at a device, and where it is none of dm-crypt's at those it rests on, all of which have to be.

    :raises OSError: they rest on others without an end
    """
    if not depth:
        raise OSError
    mapped = device / "dm" / "uuid"
    if mapped.exists() and mapped.read_text(encoding="ascii", errors="replace").startswith(CRYPT):
        return True
    # What a partition rests on stands with the whole.
    whole = device.resolve().parent if (device / "partition").exists() else device
    below = list((whole / "slaves").iterdir()) if (whole / "slaves").is_dir() else []
    return bool(below) and all(_is_crypt(each, depth - 1) for each in below)
