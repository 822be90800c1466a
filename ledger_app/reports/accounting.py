"""Exports a period by a profile: made from proved entries, read back by other code, and handed over once; or a draft that says so."""

import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.accounting.operations import handing_over
from ledger_app.accounting.queries import exporting, profiles
from ledger_app.accounting.rules.profiles import Definition
from ledger_app.accounting.rules.slips import Head, Slips
from ledger_app.accounting.rules.targets import TARGETS
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.history import Kept
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.errors import exporting as export_errors
from ledger_app.models import Export, Period, Profile, ProfileVersion, Seal
from ledger_app.reports import accounting_files, read_back
from ledger_app.reports.exports import Blocks, proved
from ledger_app.reports.files import refuse_irregular, replacing, replacing_bytes
from ledger_app.reports.scope import Scope

FORM = "kakutei-export-1"
DRAFT = "draft-"
MANIFEST = ".manifest.json"
SEAL_DIGITS = 8
LINES_MOST = 100_000  # of a file that is made while somebody waits


class Written(NamedTuple):
    """What was written: the file's name and its manifest. ``export`` is None of a draft; ``is_new`` where it was handed over now."""

    path: Path
    manifest: dict[str, Any]
    export: Export | None
    is_new: bool = False


class Content(NamedTuple):
    """What is in a file, and what it was made from."""

    basis: "_Basis"
    manifest: dict[str, Any]


class _Basis(NamedTuple):
    """What a file is made from: read at one moment."""

    period: Period
    version: ProfileVersion
    definition: Definition
    seal: Seal | None
    there: Export | None
    first_slip: int
    fiscal_year: int


def export(*, period: Period, profile: Profile, path: Path, caller: Caller) -> Written:
    """Write a period to ``path`` by a profile, and the manifest beside it.

    Of a frozen period the file is final, and handed over by that; of any other it is a draft, and its name begins with ``draft-``.
    A period that was handed over is made again by the version that it was handed over by, and is the same to the byte.

    :raises errors.Refused: not_permitted; file_not_regular; account_unmapped, row_unfit, slip_too_long, slips_spent, fiscal_year_spanned; entry_differs, unbalanced, seal_differs;
        read_back_differs, export_differs
    :raises OSError: where the file cannot be written
    """
    handing_over.check_right(caller)
    refuse_irregular(path)
    is_frozen = Period.objects.get(pk=period.pk).state == Period.State.FROZEN
    path = path if is_frozen else path.with_name(f"{DRAFT}{path.name}")
    with replacing_bytes(path) as file:
        basis, manifest = write(period=period, profile=profile, file=file)
        # Frozen meanwhile: the name says draft, and the content has to say the same.
        if (basis.seal is not None) != is_frozen:
            raise errors.TryAgain(cause=_("the period was frozen meanwhile"))
        kept = handing_over.record(made=_made(basis, manifest), caller=caller) if is_frozen else None
    with replacing(path.with_name(path.name + MANIFEST)) as text:
        text.write(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return Written(path, manifest, kept.row if kept else None, is_new=kept is not None and kept.is_new)


def hand_over(*, period: Period, profile: Profile, file: BinaryIO, caller: Caller) -> Kept[Export]:
    """Write a frozen period to an open file for somebody who waits, and hand it over by that; return what was written down, and whether it is new.

    :raises errors.Refused: as ``export``; period_not_frozen, export_too_large
    """
    content = write(period=period, profile=profile, file=file, lines_most=LINES_MOST)
    return handing_over.record(made=_made(*content), caller=caller)


def write(*, period: Period, profile: Profile, file: BinaryIO, lines_most: int | None = None) -> Content:
    """Write a period to an open file, read it back, and return what it was made from and its manifest. Nothing is handed over by this.

    :raises errors.Refused: as ``export``, but for the right; export_too_large, where it has more lines than ``lines_most``
    """
    with snapshot():
        basis = _basis(period, profile)
        scope = Scope(basis.period, basis.seal)
        slips = Slips(basis.definition, _head(basis), basis.first_slip)
        digest, size = hashlib.sha256(), 0
        target = TARGETS[basis.definition.target]
        for line in accounting_files.lines(target, slips.of(_within(scope, lines_most)), is_draft=basis.seal is None):
            content = line.encode(basis.definition.encoding)
            digest.update(content)
            size += file.write(content)
        file.flush()
        totals = _compared_with_ledger(basis, slips, file)
    manifest = {
        "form": FORM,
        "book": basis.period.book.code,
        "period": basis.period.name,
        "profile": profile.name,
        "version": basis.version.number,
        "profile_sha256": bytes(basis.version.digest).hex(),
        "target": basis.definition.target,
        "encoding": basis.definition.encoding,
        "final": basis.seal is not None,
        "seal": bytes(basis.seal.digest).hex() if basis.seal else None,
        "fiscal_year": basis.fiscal_year,
        "first_slip": basis.first_slip,
        "next_slip": slips.next_slip,
        "entries": scope.entry_count,
        "lines": scope.line_count,
        "rows": slips.row_count,
        "bytes": size,
        "sha256": digest.hexdigest(),
        "accounts": [
            {"account": key[0], "sub_account": key[1], "department": key[2], "debit": debit, "credit": credit_}
            for key, (debit, credit_) in sorted(totals.items())
        ],
    }
    if basis.there is not None:
        handing_over.check_same(basis.there, digest.digest())
    return Content(basis, manifest)


def _basis(period: Period, profile: Profile) -> _Basis:
    period = Period.objects.select_related("book").get(pk=period.pk)
    seal = Seal.objects.filter(period=period).first()
    there = exporting.of_period(profile, period)
    version = there.version if there is not None else profiles.newest(profile)
    definition = profiles.definition(version)
    year = definition.fiscal_year(period.starts_on)
    if definition.fiscal_year(period.ends_on) != year:
        raise errors.Refused([export_errors.YearSpanned(period=str(period), profile=profile.name)])
    first_slip = there.first_slip if there is not None else exporting.next_slip(profile, definition.year_of(period.starts_on))
    return _Basis(period, version, definition, seal, there, first_slip, year)


def _head(basis: _Basis) -> Head:
    book, name = basis.period.book.code, basis.period.name
    memo = f"Kakutei {book} {name}"
    if basis.seal is None:
        return Head(book, name, memo, mark=f"【{accounting_files.DRAFT}】")
    return Head(book, name, f"{memo} {bytes(basis.seal.digest).hex()[:SEAL_DIGITS]}")


def _within(scope: Scope, most: int | None) -> Blocks:
    """Yield the proved blocks of a period, as far as somebody waits for them."""
    if most is not None and scope.seal is not None and scope.seal.line_count > most:
        raise errors.Refused([export_errors.ExportTooLarge(period=str(scope.period), most=most)])
    for block in proved(scope):
        if most is not None and scope.line_count > most:
            raise errors.Refused([export_errors.ExportTooLarge(period=str(scope.period), most=most)])
        yield block


def _compared_with_ledger(basis: _Basis, slips: Slips, file: BinaryIO) -> read_back.Totals:
    """Read the file back, and hold its totals against what the database adds up, and that against the seal's trial balance; return the totals."""
    file.seek(0)
    expected = read_back.Expected(
        target=basis.definition.target,
        encoding=basis.definition.encoding,
        first_on=basis.period.starts_on,
        last_on=basis.period.ends_on,
        tax_classes=basis.definition.tax_classes,
        first_slip=basis.first_slip,
        next_slip=slips.next_slip,
        rows=slips.row_count,
    )
    found = read_back.read(file, expected)
    file.seek(0, 2)
    ledger, by_role = exporting.totals(basis.period, basis.definition)
    read_back.compare(found, ledger)
    if basis.seal is not None and (sealed := exporting.sealed(basis.seal)) != by_role:
        differs = ", ".join(
            " ".join(key) for key in sorted(sealed.keys() | by_role.keys()) if sealed.get(key) != by_role.get(key)
        )
        raise errors.Refused([errors.SealDiffers(period=str(basis.period), what=differs)])
    return found


def _made(basis: _Basis, manifest: dict[str, Any]) -> handing_over.Made:
    """Return what is to be written down of a file.

    :raises errors.Refused: period_not_frozen
    """
    if basis.seal is None:
        raise errors.Refused([handing_over.not_frozen(basis.period)])
    return handing_over.Made(
        version=basis.version,
        period=basis.period,
        seal=basis.seal,
        fiscal_year=basis.fiscal_year,
        first_slip=basis.first_slip,
        next_slip=manifest["next_slip"],
        row_count=manifest["rows"],
        sha256=bytes.fromhex(manifest["sha256"]),
        manifest=manifest,
    )
