"""What may be attached to a proposal: kinds by the ending of the name, each told by its bytes."""

import codecs
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

from ledger_app import errors
from ledger_app.errors import adjusting, card_numbers, members
from ledger_app.errors.printable import escaped, unseen

NAME_MOST = 120  # characters
# No path, and nothing that begins as what is hidden does.
NAME = re.compile(r"[^./\\][^/\\]*")
_OTHER_MARKS = (b"%PDF-", b"PK\x03\x04", b"<!DOCTYPE", b"<html", b"<svg", b"<?xml")
XLSX_PARTS = {"[Content_Types].xml", "xl/workbook.xml"}
PART_BYTES_MOST = 20_000_000  # that are looked at of a packed part
ENTRIES_MOST = 10_000  # of an archive's directory


class Kind(NamedTuple):
    """A kind of file: its media type, and what tells whether bytes are of it."""

    media_type: str
    holds: Callable[[bytes], bool]


class StoredFile(NamedTuple):
    """A file that was checked and whose bytes are kept under their SHA-256."""

    name: str
    media_type: str
    size: int
    sha256: bytes


def _is_text(content: bytes) -> bool:
    """Text in UTF-8 or cp932, without control characters other than tabs and line ends, and not the beginning of another kind."""
    if content.startswith(_OTHER_MARKS) or re.search(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]", content):
        return False
    return any(_decodes(content, encoding) for encoding in ("utf-8", "cp932"))


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        codecs.decode(content, encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_workbook(content: bytes) -> bool:
    """An archive that has the parts of a workbook, and no macros."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError):  # a RuntimeError: an archive newer than the library knows
        return False
    return len(names) <= ENTRIES_MOST and set(names) >= XLSX_PARTS and not any(name.endswith("vbaProject.bin") for name in names)


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]


def _is_png(content: bytes) -> bool:
    return content.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in content[-16:]


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content[-64:]


_JPEG = Kind("image/jpeg", _is_jpeg)
KINDS: Mapping[str, Kind] = {
    "csv": Kind("text/csv", _is_text),
    "jpeg": _JPEG,
    "jpg": _JPEG,
    "pdf": Kind("application/pdf", _is_pdf),
    "png": Kind("image/png", _is_png),
    "txt": Kind("text/plain", _is_text),
    "xlsx": Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _is_workbook),
}


def _parts(ending: str, content: bytes) -> Iterator[bytes]:
    """Yield what of a file can be read as text: of a workbook its parts, of a document what it is made of. Pictures are not read."""
    if ending in {"csv", "txt"}:
        yield content
    elif ending == "xlsx":
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for part in archive.infolist():
                if part.filename.endswith((".xml", ".rels", ".txt")):
                    with archive.open(part) as stream:
                        yield stream.read(PART_BYTES_MOST)
    elif ending == "pdf":
        yield content
        for found in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(found[1], PART_BYTES_MOST)


def ending_of(name: str) -> str:
    """Return the ending of a name in lower case, without its dot; empty where it has none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def refusals(name: str, content: bytes, *, bytes_most: int) -> list[errors.LedgerError]:
    """Return why a file is not taken. ``content`` may be cut one byte past ``bytes_most``."""
    shown = escaped(name[:NAME_MOST])
    if len(name) > NAME_MOST or NAME.fullmatch(name) is None or unseen(name):
        return [adjusting.AttachmentNameInvalid(name=shown, most=NAME_MOST)]
    if ending_of(name) not in KINDS:
        return [adjusting.AttachmentKindUnknown(name=shown, known=", ".join(KINDS))]
    if not content:
        return [adjusting.AttachmentEmpty(name=shown)]
    if len(content) > bytes_most:
        return [adjusting.AttachmentTooLarge(name=shown, most=bytes_most)]
    if not KINDS[ending_of(name)].holds(content):
        return [adjusting.AttachmentNotWhatItSays(name=shown, kind=ending_of(name))]
    if card_numbers.holds(name) or any(card_numbers.masked(part) != part for part in _parts(ending_of(name), content)):
        return [members.CardNumberInFile()]
    return []


def set_refusals(files: Sequence[StoredFile], *, count_most: int) -> list[errors.LedgerError]:
    """Return why these files together are not taken by one proposal."""
    found: list[errors.LedgerError] = []
    if len(files) > count_most:
        found.append(adjusting.AttachmentsTooMany(count=len(files), most=count_most))
    names = [file.name for file in files]
    return found + [adjusting.AttachmentTwice(name=name) for name in sorted({name for name in names if names.count(name) > 1})]
