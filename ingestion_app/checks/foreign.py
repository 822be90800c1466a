"""Tells by its first bytes that a file is something else than the text its layout says: packed, or in another encoding.

One cause is named once. Without this a wrong encoding would be told line by line, or, worse, be read as other text without a word.
"""

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

from ingestion_app.formats.fault import Fault

HEAD_BYTES = 1 << 16

# How files of other kinds begin, the longest beginnings first.
BEGINNINGS = {
    b"-----BEGIN PGP": "PGP",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Excel/Word 97",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\xfd7zXZ\x00": "xz",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip (xlsx)",
    b"PK\x05\x06": "zip",
    b"%PDF-": "PDF",
    b"\x1f\x8b": "gzip",
    b"\x1f\x9d": "compress (.Z)",
    b"BZh": "bzip2",
}

_HIGH = re.compile(rb"[\x80-\xff]+")
_SHIFTS_OF_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\([BJI])")
_EBCDIC_SIGNS = frozenset((0x15, 0x25, 0x0D, 0x40, 0x4B, 0x60, 0x6B))  # line ends, space, full stop, hyphen, comma
_EBCDIC_SMALL = frozenset((*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA)))
_EBCDIC_ZERO, _EBCDIC_SPACE = 0xF0, 0x40
# What stands below the space of EBCDIC, but for ends of lines, tabulators and the shifts to characters of two bytes.
_BELOW_EBCDIC = re.compile(rb"[\x00-\x04\x06-\x0c\x10-\x14\x16-\x24\x26-\x3f]")
_KANA_OR_KANJI = re.compile("[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]")
_KANA_ROWS_OF_EUC = (0xA4, 0xA5)
# Runs of even length come by chance, too, in half-width katakana: once in two. As many in a row do not.
_RUNS_LEAST = 8


def recognise(head: bytes, encoding: str) -> Fault | None:
    """Return what a file is whose first bytes are ``head``, where it is not text in ``encoding``; None where nothing speaks for that.

    ``head`` is the whole file or its first HEAD_BYTES. ``file.encoding_doubtful`` is a warning; after the others nothing can be read.
    """
    packed = next((name for mark, name in BEGINNINGS.items() if head.startswith(mark)), None)
    if packed is not None:
        return Fault("file.not_text", {"found": packed, "encoding": encoding})
    shifted = None if encoding == "iso-2022-jp" else _shifted(head)
    foreign = _wide(head) or shifted or _ebcdic(head) or _other_bytes(head, encoding)
    if foreign is not None:
        return Fault("file.encoding_foreign", {"found": foreign, "encoding": encoding})
    if b"\r" in head and b"\n" not in head:
        return Fault("file.cr_endings", {})
    if encoding == "cp932" and _is_likely_euc(head):
        return Fault("file.encoding_doubtful", {"found": "EUC-JP", "encoding": encoding})
    return None


def recognise_wide(head: bytes, encoding: str) -> Fault | None:
    """Return the same of an encoding of two bytes a character; ``head`` is what stands behind the mark."""
    packed = next((name for mark, name in BEGINNINGS.items() if head.startswith(mark)), None)
    if packed is not None:
        return Fault("file.not_text", {"found": packed, "encoding": encoding})
    found = _wide(head)
    if found is None and b"\0" not in head:
        found = _of_one_byte(head)
    if found is not None and found != encoding.upper().replace("UTF-16-", "UTF-16"):
        return Fault("file.encoding_foreign", {"found": found, "encoding": encoding})
    text = head.decode(encoding, "replace")
    return Fault("file.cr_endings", {}) if "\r" in text and "\n" not in text else None


def _of_one_byte(head: bytes) -> str | None:
    """Return the encoding in which bytes are text, none of which has the ends of lines that one of two bytes a character has."""
    if b"\n" not in head:
        return _ebcdic(head)
    if (shifted := _shifted(head)) is not None:
        return shifted
    return ("ASCII" if head.isascii() else None) or _other_bytes(head, "ascii")


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: every second, or three of four bytes of ASCII text are NUL, and always the same ones."""
    if len(head) < 4:
        return None
    quarter = len(head) // 4
    nul = [head[place : quarter * 4 : 4].count(0) for place in range(4)]
    for name, filled in (("UTF-32LE", (0,)), ("UTF-32BE", (3,)), ("UTF-16LE", (0, 2)), ("UTF-16BE", (1, 3))):
        # Letters beyond ASCII have no NUL, so that fewer than all may be.
        if all((count * 10 < quarter) if place in filled else (count * 10 > quarter * 4) for place, count in enumerate(nul)):
            return name
    return None


def _shifted(head: bytes) -> str | None:
    return "ISO-2022-JP" if _SHIFTS_OF_ISO_2022_JP.search(head) and not _HIGH.search(head) else None


def _ebcdic(head: bytes) -> str | None:
    """Text in EBCDIC: digits and capital letters lie from C1 to F9, the space at 40, and no line feed of ASCII stands anywhere."""
    if len(head) < 8 or b"\n" in head:
        return None
    first = head[:4096]
    letters = sum(0xC1 <= byte <= 0xF9 or byte in _EBCDIC_SIGNS for byte in first)
    if letters * 5 > len(first) * 4 and b"," not in first:
        return "EBCDIC"
    # Small letters and signs lie between, as bytes of other encodings do; but there no digit and no space of ASCII is.
    letters += sum(byte in _EBCDIC_SMALL for byte in first)
    told = sum(byte >= _EBCDIC_ZERO or byte == _EBCDIC_SPACE for byte in first)
    is_bare = not _BELOW_EBCDIC.search(first)
    return "EBCDIC" if is_bare and letters * 2 > len(first) and told * 10 > len(first) else None


class _Encoding(NamedTuple):
    """An encoding that senders use for Japanese, as Python and as people call it."""

    codec: str
    name: str


_OTHERS = (_Encoding("utf-8", "UTF-8"), _Encoding("euc_jp", "EUC-JP"), _Encoding("cp932", "cp932 (Shift_JIS)"))


def _other_bytes(head: bytes, encoding: str) -> str | None:
    """Return the encoding in which all of ``head`` is Japanese text, where it is not text in the layout's own, or plainly UTF-8 read as cp932."""
    if not _HIGH.search(head):
        return None
    own, whole = _reader(encoding)(head), len(head) < HEAD_BYTES
    if own is not None and not (encoding == "cp932" and _is_utf8(head)):
        return None
    if own is None and encoding == "utf-8" and _is_mostly_utf8(head):
        return None  # UTF-8 with some bytes that are damaged: told line by line
    for codec, name in _OTHERS:
        text = _reader(codec, whole=whole)(head) if codec != encoding.replace("-jp", "_jp") else None
        if text is not None and len(_KANA_OR_KANJI.findall(text)) > 1:
            return name
    return None


def _reader(codec: str, *, whole: bool = False) -> Callable[[bytes], str | None]:
    """Return a function from bytes to their text, or None where they are not all of ``codec``; the last character may be cut unless ``whole``."""

    def read(head: bytes) -> str | None:
        try:
            return codecs.getincrementaldecoder(codec)().decode(head, final=whole)
        except UnicodeDecodeError:
            return None

    return read


def _is_utf8(head: bytes) -> bool:
    """Whether the text is UTF-8 with kana or kanji of three bytes: no text in cp932 is so by chance."""
    text = _reader("utf-8")(head)
    return text is not None and _KANA_OR_KANJI.search(text) is not None


def _is_mostly_utf8(head: bytes) -> bool:
    """Whether at least half of the bytes beyond ASCII stand in letters of UTF-8."""
    high = sum(len(run) for run in _HIGH.findall(head))
    return 3 * len(_KANA_OR_KANJI.findall(head.decode("utf-8", "ignore"))) * 2 >= high


def _is_likely_euc(head: bytes) -> bool:
    """Whether text that cp932 reads as nothing but half-width katakana is more likely kana and kanji in EUC-JP."""
    runs = _HIGH.findall(head)
    if not runs or any(len(run) % 2 or not all(0xA1 <= byte <= 0xFE for byte in run) for run in runs):
        return False
    if _reader("euc_jp")(head) is None:
        return False
    leads = [byte for run in runs for byte in run[::2]]
    return len(runs) >= _RUNS_LEAST or sum(lead in _KANA_ROWS_OF_EUC for lead in leads) * 4 >= len(leads)
