"""Whatever is wrong with a file ends in a stored finding: the batch is rejected, the ledger untouched, the bytes kept."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion_app.models import Attempt, Chunk, Finding, Record
from ingestion_app.receiving.operations import receiving
from ingestion_app.sources import operations as sources
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, Period
from tests.support.world import DAY, NAME, PURCHASES, Purchase, World, card_file, codes, definition, found, ledger

pytestmark = pytest.mark.django_db

FIRST = PURCHASES[0]
GOOD = card_file()


def with_amount(text: str, total: int = 0) -> bytes:
    return card_file([FIRST._replace(amount=text).line()], total=total)


def with_time(text: str) -> bytes:
    return card_file([FIRST._replace(bought_at=text)])


UNREADABLE_AMOUNT = ["control.sum_unverifiable", "record.amount_invalid"]

# what is wrong: the bytes, and the rules of the errors that are found
BAD: dict[str, tuple[bytes, list[str]]] = {
    "an empty file": (b"", ["file.empty"]),
    "one line ending": (b"\n", ["file.end_missing", "file.header_missing", "file.trailer_missing", "line.blank"]),
    "no header": (GOOD.split(b"\n", 1)[1], ["file.header_missing"]),
    "the header of another day": (card_file(day=DAY.replace(day=30)), ["control.header_business_date_differs"]),
    "the header of another sequence": (card_file(sequence=2), ["control.header_sequence_differs"]),
    "the header of another source": (GOOD.replace(b"H,till", b"H,card"), ["record.constant_differs"]),
    "no trailer": (GOOD[: GOOD.index(b"T,")] + b"E\n", ["file.trailer_missing", "line.out_of_order"]),
    "no trailer and no end": (GOOD[: GOOD.index(b"T,")], ["file.end_missing", "file.trailer_missing"]),
    "no end": (card_file(end=b""), ["file.end_missing"]),
    "a count too low": (card_file(count=len(PURCHASES) - 1), ["control.count_differs"]),
    "a count too high": (card_file(count=len(PURCHASES) + 1), ["control.count_differs"]),
    "a sum one too low": (card_file(total=14643), ["control.sum_differs"]),
    "a sum of the other sign": (card_file(total=-14644), ["control.sum_differs"]),
    "a sum beyond any amount": (card_file(total=10**19), ["record.amount_out_of_range"]),
    "a record after the end": (card_file(end=b"E\n" + FIRST.line()), ["line.after_end"]),
    "a record after the trailer": (card_file(end=FIRST.line() + b"E\n"), ["line.out_of_order"]),
    "a second file appended": (GOOD + GOOD, ["line.after_end"]),
    "a record cut off": (
        GOOD[: GOOD.index(b"s3")],
        [
            "file.end_missing",
            "file.trailer_missing",
            "line.cut_off",
        ],
    ),
    "an amount cut off": (
        card_file([FIRST], end=b"")[: -len(b"T,1,150\n")][:-28],
        [
            "file.end_missing",
            "file.trailer_missing",
            "line.cut_off",
        ],
    ),
    "the trailer cut off": (card_file(end=b"")[:-2], ["file.end_missing", "line.cut_off"]),
    "the end cut off": (GOOD[:-1], ["line.cut_off"]),
    "another encoding": (
        card_file([FIRST, "D,１００１,31,s9,5,2017-01-05T10:00:00Z\n".encode("cp932")], total=150),
        [
            "control.sum_unverifiable",
            "line.undecodable",
        ],
    ),
    "UTF-16": (GOOD.decode().encode("utf-16"), ["file.byte_order_mark"]),
    "a byte-order mark": (b"\xef\xbb\xbf" + GOOD, ["file.byte_order_mark"]),
    "a NUL byte": (
        card_file([FIRST, b"D,1002,31,s\x00,5,2017-01-05T10:00:00Z\n"], total=155),
        [
            "control.sum_unverifiable",
            "line.nul_byte",
        ],
    ),
    "NUL bytes only": (
        bytes(4096),
        [
            "file.end_missing",
            "file.header_missing",
            "file.trailer_missing",
            "line.cut_off",
            "line.unknown_type",
        ],
    ),
    "CRLF and LF mixed": (GOOD.replace(b"s2,250,2017-01-05T10:00:00Z\n", b"s2,250,2017-01-05T10:00:00Z\r\n"), ["line.ending"]),
    "CRLF throughout": (GOOD.replace(b"\n", b"\r\n"), ["line.ending"]),
    "a quote that never closes": (
        card_file([FIRST, b'D,"1002,31,s9,5,2017-01-05T10:00:00Z\n'], total=155),
        [
            "control.sum_unverifiable",
            "line.unbalanced_quotes",
        ],
    ),
    "a quote inside a field": (
        card_file([FIRST, b'D,10"02,31,s9,5,2017-01-05T10:00:00Z\n'], total=155),
        [
            "control.sum_unverifiable",
            "line.unbalanced_quotes",
        ],
    ),
    "a field too many": (
        card_file([FIRST, b"D,1002,31,s9,5,2017-01-05T10:00:00Z,x\n"], total=155),
        [
            "control.sum_unverifiable",
            "line.field_count",
        ],
    ),
    "a field too few": (card_file([FIRST, b"D,1002,31,s9,5\n"], total=155), ["control.sum_unverifiable", "line.field_count"]),
    "a line too long": (
        card_file([FIRST, FIRST._replace(slip="s" * 300).line()], total=300),
        [
            "control.sum_unverifiable",
            "line.too_long",
        ],
    ),
    "a record of no known type": (card_file([FIRST, b"X,1\n"], count=1), ["line.unknown_type"]),
    "an empty line": (card_file([FIRST, b"\n"], count=1), ["line.blank"]),
    "the amount 1e3": (with_amount("1e3"), UNREADABLE_AMOUNT),
    "the amount １２３": (with_amount("１２３"), UNREADABLE_AMOUNT),
    "the amount -0": (with_amount("-0"), UNREADABLE_AMOUNT),
    "the amount NaN": (with_amount("NaN"), UNREADABLE_AMOUNT),
    "the amount ' 12'": (with_amount(" 12"), UNREADABLE_AMOUNT),
    "the amount 1_000": (with_amount("1_000"), UNREADABLE_AMOUNT),
    "the amount 0012": (with_amount("0012"), UNREADABLE_AMOUNT),
    "the amount +12": (with_amount("+12"), UNREADABLE_AMOUNT),
    "the amount 12.00": (with_amount("12.00"), UNREADABLE_AMOUNT),
    "the amount 1,000": (card_file([FIRST, b'D,1002,31,s9,"1,000",2017-01-05T10:00:00Z\n'], total=150), UNREADABLE_AMOUNT),
    "no amount": (with_amount(""), UNREADABLE_AMOUNT),
    "an amount of 20 digits": (with_amount("9" * 20), ["control.sum_unverifiable", "record.amount_out_of_range"]),
    "an amount of 150 digits": (with_amount("9" * 150), ["control.sum_unverifiable", "record.amount_out_of_range"]),
    "30 February": (with_time("2017-02-30T10:00:00Z"), ["record.instant_invalid"]),
    "29 February of no leap year": (with_time("2017-02-29T10:00:00Z"), ["record.instant_invalid"]),
    "a thirteenth month": (with_time("2017-13-01T10:00:00Z"), ["record.instant_invalid"]),
    "a 25th hour": (with_time("2017-01-05T24:00:00Z"), ["record.instant_invalid"]),
    "a leap second": (with_time("2016-12-31T23:59:60Z"), ["record.instant_invalid"]),
    "the year 0000": (with_time("0000-01-01T00:00:00Z"), ["record.instant_invalid"]),
    "a time without zone": (with_time("2017-01-05T10:00:00"), ["record.instant_invalid"]),
    "a member with a blank": (card_file([FIRST._replace(member="10 01")]), ["record.identifier_invalid"]),
    "an unknown member": (card_file([FIRST._replace(member="9999")]), ["ledger.holder_unknown"]),
    "a known member and an unknown one": (
        card_file([FIRST, FIRST._replace(member="9999", slip="s2")]),
        ["ledger.holder_unknown"],
    ),
    "a shop without an account": (card_file([FIRST._replace(shop="99")]), ["ledger.account_unknown"]),
    "a key twice, the same content": (card_file([FIRST, FIRST]), ["record.duplicate_same"]),
    "a key twice, another amount": (card_file([FIRST, FIRST._replace(amount="151")]), ["record.duplicate_differs"]),
    "a key twice, another member": (card_file([FIRST, FIRST._replace(member="1002")]), ["record.duplicate_differs"]),
    "a day before any period": (with_time("2016-12-31T23:59:59Z"), ["ledger.period_missing"]),
    "a day after every period": (with_time("2017-03-01T00:00:00Z"), ["ledger.period_missing"]),
    "points taken that are not there": (card_file([FIRST._replace(amount="-500")]), ["ledger.floor_broken"]),
    "a sum beyond the database's integers": (
        card_file([FIRST._replace(slip=f"s{number}", amount=str(10**15)) for number in range(9300)], total=0),
        ["control.sum_beyond_range", "control.sum_differs"],
    ),
    "amounts beyond the database's integers that cancel out": (
        card_file(
            [FIRST._replace(slip=f"p{number}", amount=str(10**15)) for number in range(4600)]
            + [FIRST._replace(slip=f"n{number}", amount=str(-(10**15))) for number in range(4600)]
        ),
        ["control.sum_beyond_range"],
    ),
}


def test_the_good_file_is_good(world: World) -> None:
    """Without it, the table below would prove nothing."""
    assert found(world.validated(GOOD)) == []


@pytest.mark.parametrize(("content", "rules"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_rejected_with_findings(world: World, content: bytes, rules: list[str]) -> None:
    before = ledger()
    batch = world.validate(world.receive(content))

    assert (batch.state, found(batch)) == ("rejected", rules)
    assert ledger() == before
    assert world.kept(content)
    assert not Chunk.objects.filter(batch=batch).exists()
    assert not Record.objects.filter(batch=batch).exists()
    assert (batch.plan_digest, batch.approved_by, batch.totals) == (None, None, {})
    assert [*Attempt.objects.filter(batch=batch).values_list("outcome", flat=True)] == ["done"]
    row = AuditRow.objects.get(subject_type="batch", subject_id=batch.pk, action="reject")
    assert (row.from_state, row.to_state, row.outcome, row.facts["findings"]) == (
        "received",
        "rejected",
        "done",
        batch.finding_counts,
    )
    for finding in Finding.objects.filter(batch=batch):
        assert bytes(finding.raw) in content

    # And no later step takes it.
    for step in (world.approve, world.apply):
        with pytest.raises(Refused) as refused:
            step(batch)
        assert "wrong_state" in codes(refused.value.reasons)
    assert ledger() == before


@pytest.mark.parametrize(("content", "rules"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_ends_commands_with_status_3(
    world: World, tmp_path: Path, command: Callable[..., Any], content: bytes, rules: list[str]
) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    before = ledger()
    received = command("receive", path, "--source", "till")
    assert (received.status, received.data["outcome"], received.data["bytes"]) == (0, "accepted", len(content))
    number = received.data["batch"]

    validated = command("validate", number)
    assert (validated.status, validated.data["state"]) == (3, "rejected")
    assert set(rules) <= set(validated.data["findings"])
    for rule in rules:
        assert rule in validated.complaint
    assert command("approve", number, "--user", world.finance.username).status == 1
    assert command("apply", number).status == 1
    # Run again, all of it finds the same.
    ingested = command("ingest", path, "--source", "till", "--user", world.finance.username)
    assert (ingested.status, ingested.data["state"], ingested.data["batch"]) == (3, "rejected", number)
    assert ledger() == before
    assert world.kept(content)


def test_a_batch_dated_in_a_frozen_period_is_rejected(world: World, command: Callable[..., Any]) -> None:
    # Frozen for the test by a raw statement: how a period is frozen is another test's matter.
    Period.objects.filter(book=world.points, name="2017-01").update(state="frozen")
    before = ledger()
    batch = world.receive()

    said = command("validate", batch.pk)

    assert (said.status, said.data["state"]) == (3, "rejected")
    assert found(batch) == ["ledger.period_frozen"]
    assert {finding.facts["book"] for finding in Finding.objects.filter(batch=batch, severity="error")} == {"POINTS"}
    assert ledger() == before


def test_a_period_that_is_provisional_takes_no_batch(world: World) -> None:
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    before = ledger()

    batch = world.validate(world.receive())

    # Posting refuses such records, so that a plan with them could never be carried out.
    assert (batch.state, found(batch)) == ("rejected", ["ledger.period_provisional"])
    assert ledger() == before


def test_findings_of_one_rule_are_kept_up_to_a_bound_and_all_are_counted(world: World) -> None:
    records = [Purchase(member="9999", slip=f"s{number}") for number in range(1200)]
    batch = world.validate(world.receive(card_file(records)))
    assert batch.finding_counts == {"ledger.holder_unknown": 1200}
    assert Finding.objects.filter(batch=batch).count() == 1000


def test_the_same_bytes_under_another_source_are_a_warning_that_names_the_batch(world: World) -> None:
    first = world.validated()
    sources.load(text=definition().replace('code = "till"', 'code = "other-till"'), caller=world.caller())
    receipt = receiving.receive(
        stream=io.BytesIO(card_file()),
        name="other-till-2017-01-31-1.csv",
        source_code="other-till",
        directory=world.directory,
        caller=world.caller(),
        business_date=DAY,
        sequence=1,
    )
    second = world.validate(receipt.batch)
    (finding,) = Finding.objects.filter(batch=second, rule="file.received_elsewhere")
    assert (finding.severity, finding.facts) == ("warning", {"source": "till", "batch": first.pk, "state": "validated"})
    world.withdraw(first)
    again = world.validate(second)
    assert not Finding.objects.filter(batch=again, rule="file.received_elsewhere").exists()
