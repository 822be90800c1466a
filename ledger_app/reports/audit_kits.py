"""The audit kit of a frozen period: a folder with all that an auditor takes home, and the program that recomputes it (docs/audit-kit.md).

The kit is whole or not there, and is offered only after its own program, which shares no code with what writes it, has read it back and agreed.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.base.rules import tables
from ledger_app.books.rules.periods import PERIOD
from ledger_app.close.operations import audit_kits as handing
from ledger_app.close.queries import audit_kits as rows
from ledger_app.close.rules import ROWS_MOST
from ledger_app.errors import closing
from ledger_app.models import Period, Seal
from ledger_app.posting.queries import journal
from ledger_app.reports import kit_program
from ledger_app.reports.files import MODE

FORM = "kakutei-kit-1"
PROGRAM, README, SUMMARY = "verify.py", "README.txt", "kit.json"
FOLDER_MODE = 0o750
ENTRIES = ("date", "reference", "turn", "description", "reverses", "digest", "lines", "posting")
LINES = ("date", "reference", "turn", "line", "account", "role", "category", "amount")
COLUMNS = {
    "seals.csv": rows.SEALS,
    "trial_balance.csv": rows.TRIAL_BALANCE,
    "entries.csv": ENTRIES,
    "lines.csv": LINES,
    "balances.csv": rows.BALANCES,
    "postings.csv": rows.POSTINGS,
    "batches.csv": rows.BATCHES,
    "decisions.csv": rows.DECISIONS,
}
ROW_DIGEST = "row_digest"
# Files that are in a zip all have this time: the same kit is the same bytes.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Kit:
    """What was written: of which seal, how many rows each file has, and the SHA-256 of kit.json, which says all the rest."""

    seal: Seal
    path: Path
    rows: dict[str, int]
    digest: str


class _Sheet:
    """A CSV in which each row has a digest over its cells and the row before, so that the first row that differs can be found."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begin with the names of the columns."""
        self._file = (folder / name).open("x", encoding="utf-8", newline="\n")
        self.columns, self.rows = (*COLUMNS[name], ROW_DIGEST), 0
        self._file.write(f"{tables.csv_line(self.columns)}\n")
        self.head = _digest(name, self.columns)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Bring the file onto the disk."""
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())

    def write(self, row: Iterable[tables.Cell]) -> None:
        """Add a row."""
        cells = tuple(row)
        self.head = _digest(self.head, map(tables.written, cells))
        self.rows += 1
        self._file.write(f"{tables.csv_line((*cells, self.head))}\n")


def write(*, period: Period, path: Path, caller: Caller) -> Kit:
    """Write the kit of a period as the folder ``path``, in the place of a kit that is there, and keep that it was handed out.

    :raises errors.Refused: not_permitted, kit_not_sealed; seal_differs, where what was written does not recompute
    :raises OSError: the folder cannot be written, or something else than a kit is there
    """
    handing.allow(period=period, caller=caller)
    if path.exists() and not _is_kit(path):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
    with _made(period, path.parent, f".{path.name}-") as kit:
        _hand_out(kit, period, caller)
        _put_in_place(kit.path, path)
    return Kit(kit.seal, path, kit.rows, kit.digest)


def write_zip(*, period: Period, file: IO[bytes], caller: Caller) -> Kit:
    """Write the kit of a period as a zip to somebody who waits, and keep that it was handed out.

    :raises errors.Refused: not_permitted, kit_not_sealed, kit_too_large, seal_differs
    """
    handing.allow(period=period, caller=caller)
    seal = _seal_of(period)
    if (large := too_large(seal)) is not None:
        raise errors.Refused([large])
    with tempfile.TemporaryDirectory() as folder, _made(period, Path(folder), "kit-") as kit:
        name = f"{period.book.code}-{period.name}"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(kit.path.iterdir()):
                info = zipfile.ZipInfo(f"{name}/{path.name}", ZIP_TIME)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, MODE << 16
                with path.open("rb") as source, packed.open(info, "w") as target:
                    shutil.copyfileobj(source, target)
        _hand_out(kit, period, caller)
    return kit


def too_large(seal: Seal) -> errors.LedgerError | None:
    """Return why the kit of a period is not made while somebody waits; None where it is."""
    return closing.KitTooLarge(period=str(seal.period), most=ROWS_MOST) if rows.reads_more(seal, ROWS_MOST) else None


def _put_in_place(made: Path, path: Path) -> None:
    """Give a folder its name. What had the name is gone only when the other has it."""
    if not path.exists():
        made.rename(path)
        return
    older = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    path.rename(older / "kit")
    try:
        made.rename(path)
    except OSError:
        (older / "kit").rename(path)
        raise
    finally:
        shutil.rmtree(older)


def _hand_out(kit: Kit, period: Period, caller: Caller) -> None:
    facts = {"kit": kit.digest, "seal": bytes(kit.seal.digest).hex()}
    handing.hand_out(period=period, caller=caller, facts=facts)


def _is_kit(path: Path) -> bool:
    """Whether a folder is empty or has nothing but what is in a kit: nobody's notes are taken away."""
    return path.is_dir() and {each.name for each in path.iterdir()} <= {*COLUMNS, PROGRAM, README, SUMMARY}


def _seal_of(period: Period) -> Seal:
    seal = Seal.objects.filter(period=period).select_related("book", "period").first()
    if seal is None:
        raise errors.Refused([closing.KitNotSealed(period=str(period), state=PERIOD.states[period.state])])
    return seal


@contextmanager
def _made(period: Period, parent: Path, prefix: str) -> Iterator[Kit]:
    """Give a kit that agrees, in a folder of its own that is gone afterwards unless it was given another name."""
    path = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        with snapshot():
            kit = _filled(Period.objects.select_related("book").get(pk=period.pk), path)
        for each in path.iterdir():
            each.chmod(MODE)
        path.chmod(FOLDER_MODE)
        findings = kit_program.Kit(path).check()
        if findings.count:
            raise errors.Refused([errors.SealDiffers(period=str(period), what="; ".join(findings.told[:3]))])
        yield kit
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _filled(period: Period, path: Path) -> Kit:
    seal = _seal_of(period)
    with ExitStack() as stack:
        sheets = {name: stack.enter_context(_Sheet(path, name)) for name in COLUMNS}
        for name, found in (("seals.csv", rows.seals(seal)), ("trial_balance.csv", rows.trial_balances(seal))):
            _write_all(sheets[name], found)
        _write_entries(period, sheets["entries.csv"].write, sheets["lines.csv"].write)
        _write_all(sheets["balances.csv"], rows.balances(period))
        _write_decisions(period, sheets)
    texts = {PROGRAM: Path(kit_program.__file__), README: Path(__file__).with_name("kit_readme.txt")}
    for name, source in texts.items():
        (path / name).write_bytes(source.read_bytes())
    book = period.book
    said: dict[str, Any] = {
        "form": FORM,
        "book": book.code,
        "unit": book.unit,
        "exponent": book.exponent,
        "time_zone": book.time_zone,
        "period": period.name,
        "starts_on": period.starts_on.isoformat(),
        "ends_on": period.ends_on.isoformat(),
        "seal": bytes(seal.digest).hex(),
        "files": {name: {"columns": sheet.columns, "rows": sheet.rows, "head": sheet.head} for name, sheet in sheets.items()},
        "sha256": {name: kit_program.file_digest(path / name) for name in (*COLUMNS, *texts)},
    }
    summary = json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"
    (path / SUMMARY).write_bytes(summary)
    counts = {name.removesuffix(".csv"): sheet.rows for name, sheet in sheets.items()}
    return Kit(seal, path, counts, hashlib.sha256(summary).hexdigest())


def _write_all(sheet: _Sheet, found: Iterable[rows.Row]) -> None:
    for row in found:
        sheet.write(row)


def _write_entries(period: Period, entries: Callable[[rows.Row], None], lines: Callable[[rows.Row], None]) -> None:
    for block in journal.blocks(period):
        for entry in block:
            place = (entry.effective_on.isoformat(), entry.reference, entry.turn)
            said = (entry.description, entry.reverses, entry.digest.hex(), len(entry.lines), entry.posting)
            entries((*place, *said))
            for number, line in enumerate(entry.lines, start=1):
                lines((*place, number, line.account, line.role, line.category, line.amount))


def _write_decisions(period: Period, sheets: dict[str, _Sheet]) -> None:
    """Write the postings of a period, the batches that they came from, and what was decided before: of the period itself first."""
    frozen = rows.frozen_by(period)
    until = frozen.pk if frozen else 0
    _write_all(sheets["decisions.csv"], rows.decisions([("period", period.pk)], until=until))
    told: set[rows.Subject] = set()
    for page in rows.postings_of(period):
        _write_all(sheets["postings.csv"], (came.row for came in page))
        new = {came.subject for came in page if came.subject is not None} - told
        # Of batches many postings come; whatever else was decided was posted once.
        batches = {subject for subject in new if subject[0] == rows.BATCH}
        told |= batches
        _write_all(sheets["batches.csv"], rows.batches(sorted(number for _type, number in batches)))
        _write_all(sheets["decisions.csv"], rows.decisions(sorted(new), until=until))


def _digest(before: str, cells: Iterable[str]) -> str:
    """Return the digest of a row: of the one before, and of each cell with its length in bytes before it."""
    said = [cell.encode() for cell in cells]
    return hashlib.sha256(b"".join([before.encode(), b"\n", *(b"%d:%s\n" % (len(cell), cell) for cell in said)])).hexdigest()
