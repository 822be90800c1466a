"""Receives files: stores bytes, hashes, registers, and nothing else."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from ingestion_app import errors
from ingestion_app.formats.definition import Definition
from ingestion_app.models import Batch, File, Receipt, Source
from ingestion_app.receiving.operations.arriving import NOTHING_SAID, Expected, MaskedStream, expecting, is_masked
from ingestion_app.sources.queries import definitions
from ledger_app import locks
from ledger_app.base.operations import audit, filing, history, refusals, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError, NotFound, NotPermitted, Refused
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.printable import escaped
from ledger_app.rights.queries.rights import rights_of

RIGHT = "ingestion_app.receive_batch"
UNFINISHED_KEPT = timedelta(days=1)
NAME_CHARACTERS = 255
SEQUENCE_MOST = 2**31 - 1  # what the column holds on every database
SEQUENCE = re.compile("[0-9]{1,10}")
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Slot:
    """What a file is for: the business date and the sequence within it."""

    business_date: date
    sequence: int


def receive(
    *,
    stream: BinaryIO,
    name: str,
    source_code: str,
    directory: Path,
    caller: Caller,
    business_date: date | None = None,
    sequence: int | None = None,
    scan: filing.Scan | None = None,
    expected: Expected = NOTHING_SAID,
) -> Receipt:
    """Take a file in and return its receipt: accepted with a batch of its own, or a duplicate that points to the first.

    Where ``business_date`` and ``sequence`` are not given, the name says them, if the source has a pattern for names. The bytes and the
    receipt are kept whatever the outcome, but where ``scan`` finds something in them; card numbers in bytes and name are masked before, and the
    audit row says so.

    Where its sender said what was sent (``expected``) and other bytes came, nothing of them is kept. Where nothing in a file says its day, the same
    bytes for another day are a batch of their own, as of a day without records; validation sees whether their records came before.

    A file that is refused leaves an audit row.

    :raises Refused: not_found (the source), not_permitted, bytes_differ, file_not_clean; slot_unknown and slot_conflict, after the bytes and the receipt were stored
    """
    # A name may hold bytes that are no text; no database keeps those, and a name is only a name.
    name = masked_text(name.encode("utf-8", "backslashreplace").decode())
    given = (business_date, sequence)
    try:
        return _receive(
            stream=expecting(stream, expected),
            name=name,
            source_code=source_code,
            directory=directory,
            caller=caller,
            given=given,
            scan=scan,
        )
    except Refused as refusal:
        refusals.record(what=name, action="receive", reasons=refusal.reasons, caller=caller)
        raise


def refusals_of(receipt: Receipt) -> list[LedgerError]:
    """Return why an arrival became no batch, as it stands now: its sender was told so, and its page tells it."""
    if receipt.outcome == Receipt.Outcome.REFUSED:
        return [errors.SlotUnknown(name=receipt.name, most=SEQUENCE_MOST)]
    if receipt.outcome != Receipt.Outcome.CONFLICT or receipt.first is None:
        return []
    batch = receipt.first.batch
    return [
        errors.SlotConflict(
            source=receipt.source.code,
            business_date=receipt.business_date,
            sequence=receipt.sequence,
            batch=batch.pk,
            state=Batch.State(batch.state).label,
            way=errors.WAYS_TO_THE_SLOT.get(batch.state, errors.WAY_TO_THE_SLOT),
        )
    ]


def _receive(
    *,
    stream: BinaryIO,
    name: str,
    source_code: str,
    directory: Path,
    caller: Caller,
    given: tuple[date | None, int | None],
    scan: filing.Scan | None,
) -> Receipt:
    source = Source.objects.filter(code=source_code).first()
    if source is None:
        raise Refused([NotFound(what=_("source"), name=source_code)])
    if RIGHT not in rights_of(caller.user):
        raise Refused([NotPermitted(user=caller.user.username, right=_("receive"), who=_("Engineers"))])
    filing.forget_unfinished(directory, before=caller.at - UNFINISHED_KEPT)
    definition = definitions.definition_of(definitions.current_version(source))
    arriving = MaskedStream(stream, definition.layout.encoding) if is_masked(definition) else None
    sha256, size = filing.store(arriving or stream, directory, scan=scan)
    slot = _slot(definition, name, *given)
    receipt = transactions.run(
        lambda: _register(
            source=source,
            sha256=sha256,
            size=size,
            name=name,
            slot=slot,
            caller=caller,
            masked_bytes=arriving.count if arriving else 0,
            says_its_day=definition.roles.header_business_date is not None,
        )
    )
    if reasons := refusals_of(receipt):
        raise Refused(reasons)
    return receipt


def _slot(definition: Definition, name: str, business_date: date | None, sequence: int | None) -> Slot | None:
    """Return the slot: what was given, else what the name says; None where that is no slot."""
    if business_date is None or sequence is None:
        pattern = definition.name_pattern
        match: re.Match[str] | None = pattern.fullmatch(name) if pattern else None
        if match is not None:
            business_date = business_date or _date(match["business_date"] or "")
            sequence = _number(match["sequence"] or "") if sequence is None else sequence
        elif sequence is None:
            sequence = 1  # the name numbers nothing: the first, and most often the only, file of its day
    if business_date is None or sequence is None or not 1 <= sequence <= SEQUENCE_MOST:
        return None
    return Slot(business_date, sequence)


def _date(said: str) -> date | None:
    try:
        return date.fromisoformat(said) if DATE.fullmatch(said) else None
    except ValueError:
        return None


def _number(said: str) -> int | None:
    return int(said) if SEQUENCE.fullmatch(said) else None


def _register(
    *,
    source: Source,
    sha256: bytes,
    size: int,
    name: str,
    slot: Slot | None,
    caller: Caller,
    masked_bytes: int,
    says_its_day: bool,
) -> Receipt:
    # Locked, since no unique key holds the same bytes of one day against another arrival. No get_or_create: its savepoint would turn a deadlock into
    # another error.
    file = locks.own_if_there(File.objects.filter(sha256=sha256)) or File.objects.create(
        sha256=sha256, size=size, stored_at=caller.at
    )
    same = _same(source, file, slot, says_its_day=says_its_day)
    outcome, first = _outcome(source, same, slot)
    if slot is None and first is not None and first.business_date is not None and first.sequence is not None:
        slot = Slot(first.business_date, first.sequence)  # the same bytes, whatever they are called now
    receipt = Receipt.objects.create(
        source=source,
        file=file,
        name=escaped(name)[-NAME_CHARACTERS:],
        business_date=slot.business_date if slot else None,
        sequence=slot.sequence if slot else None,
        outcome=outcome,
        first=first,
        received_by=caller.user,
        received_at=caller.at,
        door=caller.door,
        os_user=caller.os_user,
        host=caller.host,
    )
    if outcome == Receipt.Outcome.ACCEPTED and slot is not None:
        batch = Batch(
            source=source,
            source_version=definitions.current_version(source),
            file=file,
            receipt=receipt,
            business_date=slot.business_date,
            sequence=slot.sequence,
            received_by=caller.user,
            # The same bytes may be those of several days; the first batch holds them.
            holds_file=None if Batch.objects.filter(source=source, file=file, holds_file=True).exists() else True,
        )
        history.create(batch, caller=caller, reason="receive")
        facts = {"receipt": receipt.pk, "sha256": sha256.hex(), "bytes": size, "name": receipt.name, "state": batch.state}
        audit.record(
            subject=audit.Subject("batch", batch.pk, str(batch)),
            action="receive",
            caller=caller,
            facts={**facts, **({"masked_bytes": masked_bytes} if masked_bytes else {})},
        )
    return receipt


def _same(source: Source, file: File, slot: Slot | None, *, says_its_day: bool) -> Batch | None:
    """Return the batch that these bytes are in already; where nothing in them says their day, that of this day.

    Only what was withdrawn or reversed frees its bytes: a batch that was rejected can be validated again.
    """
    ended = (Batch.State.WITHDRAWN, Batch.State.REVERSED)
    of_bytes = Batch.objects.filter(source=source, file=file, receipt__isnull=False).exclude(state__in=ended)
    if not says_its_day and slot is not None:
        of_bytes = of_bytes.filter(business_date=slot.business_date)
    return of_bytes.select_related("receipt").order_by("pk").first()


def _outcome(source: Source, same: Batch | None, slot: Slot | None) -> tuple[str, Receipt | None]:
    """Say what the arrival is; unique keys hold the same against another arrival at the same instant."""
    if same is not None:
        return Receipt.Outcome.DUPLICATE, same.receipt
    if slot is None:
        return Receipt.Outcome.REFUSED, None
    of_slot = Batch.objects.filter(
        source=source, business_date=slot.business_date, sequence=slot.sequence, holds_slot=True
    ).select_related("receipt")
    other = of_slot.first()
    return (Receipt.Outcome.CONFLICT, other.receipt) if other else (Receipt.Outcome.ACCEPTED, None)
