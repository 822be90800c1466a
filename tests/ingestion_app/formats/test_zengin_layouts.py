"""Each ready-made layout of Zengin, in fixed width and as CSV: what a good file says, and what of a bad one is told."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from ingestion_app.formats import toml
from ingestion_app.formats.definition import Cutting, Definition, Kind, RecordType
from tests.support.file_samples import codes, examine
from tests.support.zengin import source

Said = Mapping[str, object]
DAY = {"made_on": "290131", "first_on": "290101", "last_on": "290131"}
OWN = {"own_bank": "0001", "own_branch": "001", "own_account_type": "1", "own_account": "1234567"}
BANK = {"bank": "0005", "branch": "001", "account_type": "1", "account": "7654321"}


def of(name: str, *, amount: str = "amount", roles: str = "") -> Definition:
    key = '"consignor", "customer"' if "transfer" in name else '"own_account", "number"'
    holder = "customer" if "transfer" in name else "remitter"
    day = {"zengin-transfer": "paid_on", "zengin-account": "collected_on"}.get("-".join(name.split("-")[:2]), "booked_on")
    return toml.parse(source(name, key=key, holder=holder, amount=amount, day=day, said="{amount}", ending="lf", roles=roles))


def record(using: Definition, record_type: RecordType | None, said: Said) -> bytes:
    """A record with these values; what is not said is filled up as the standard has it: numbers with zeros, texts with blanks."""
    assert record_type is not None
    assert set(said) <= {column.name for column in record_type.columns}
    is_fixed = using.layout.cutting is Cutting.FIXED
    fields = [] if is_fixed else [record_type.marker or ""]
    for column in record_type.written:
        number = column.kind in {Kind.AMOUNT, Kind.COUNT} or (column.padding is not None and column.padding.character == "0")
        given = said.get(column.name, column.constant)
        text = "0" if given is None and number and not column.optional else "" if given is None else str(given)
        if is_fixed:
            text = text.rjust(column.bytes, "0") if number and text else text.ljust(column.bytes)
        elif column.kind is Kind.UNUSED:
            text = f'"{text}"'
        fields.append(text)
    return ("" if is_fixed else ",").join(fields).encode("cp932") + b"\n"


def file(using: Definition, groups: Sequence[tuple[Said, Sequence[Said], Said]], end: Said) -> bytes:
    layout = using.layout
    records: list[bytes] = []
    for head, rows, trailer in groups:
        records += [record(using, layout.header, head)]
        records += [record(using, layout.data, row) for row in rows]
        records += [record(using, layout.trailer, trailer)]
    return b"".join([*records, record(using, layout.end, end)])


def row(number: int, value: int, side: str = "1", transaction: str = "11", remitter: str = "1001") -> Said:
    return {
        "number": f"{number:08}",
        "booked_on": "290105",
        "side": side,
        "transaction": transaction,
        "value": value,
        "remitter": remitter,
    }


STATEMENT = (
    {**DAY, **OWN, "own_account": "0001234567", "opening_side": "1", "opening_value": 1000},
    [
        row(1, 150),
        row(2, 70, side="2", transaction="14"),
        row(3, 150, transaction="19"),
        row(4, 30, side="2", transaction="19", remitter=""),
    ],
    {"in_count": 2, "in_sum": 180, "out_count": 2, "out_sum": 220, "closing_side": "1", "closing_value": 960, "count": 4},
)
OVERDRAWN = (
    {**DAY, **OWN, "own_account": "0007654321", "opening_side": "2", "opening_value": 50},
    [row(5, 20)],
    {"in_count": 1, "in_sum": 20, "closing_side": "2", "closing_value": 30, "count": 1},
)


@pytest.mark.parametrize("name", ["zengin-statement-200", "zengin-statement-csv"])
def test_a_statement_has_a_group_for_each_account_and_balances_that_hold(name):
    using = of(name, roles='end_lines = "records"')
    content = file(using, [STATEMENT, OVERDRAWN], {"records": 10, "accounts": 2})
    examination, rows, seen = examine(content, using)
    assert codes(seen) == []
    # A correction (19) takes back what its side says.
    assert [(each.key, each.amount, each.holder) for each in rows] == [
        ("0001234567/00000001", 150, "1001"),
        ("0001234567/00000002", -70, "1001"),
        ("0001234567/00000003", -150, "1001"),
        ("0001234567/00000004", 30, "0"),
        ("0007654321/00000005", 20, "1001"),
    ]
    place = using.layout.data.position("booked_on")
    assert {each.values[place] for each in rows} == {date(2017, 1, 5)}
    assert (examination.trailer_count, examination.trailer_sum) == (5, None)


@pytest.mark.parametrize("name", ["zengin-statement-200", "zengin-statement-csv"])
@pytest.mark.parametrize(
    ("head", "trailer", "end", "expected"),
    [
        ({"opening_value": 1001}, {}, {}, ["control.balance_differs"]),
        ({"opening_side": "2"}, {}, {}, ["control.balance_differs"]),
        ({}, {"closing_value": 961}, {}, ["control.balance_differs"]),
        ({}, {"closing_side": "2"}, {}, ["control.balance_differs"]),
        ({}, {"in_sum": 330}, {}, ["control.positive_sum_differs"]),
        ({}, {"in_count": 3}, {}, ["control.positive_count_differs"]),
        ({}, {"out_sum": 70}, {}, ["control.negative_sum_differs"]),
        ({}, {"out_count": 1}, {}, ["control.negative_count_differs"]),
        ({}, {"count": 5}, {}, ["control.count_differs"]),
        ({}, {}, {"accounts": 2}, ["control.end_groups_differs"]),
        ({}, {}, {"records": 8}, ["control.end_lines_differs"]),
        ({"code": "1"}, {}, {}, ["record.constant_differs", "control.balance_differs"]),
        ({"service": "01"}, {}, {}, ["record.constant_differs"]),
        ({"made_on": "010131"}, {}, {}, ["record.date_invalid"]),
    ],
)
def test_whatever_a_statement_says_wrong_is_told(name, head, trailer, end, expected):
    using = of(name, roles='end_lines = "records"')
    of_header, rows, of_trailer = STATEMENT
    group = ({**of_header, **head}, rows, {**of_trailer, **trailer})
    examination, _rows, seen = examine(file(using, [group], {"records": 7, "accounts": 1, **end}), using)
    found = [each for each in codes(seen) if each != "record.header_unread"]
    assert found[: len(expected)] == expected[: len(found)]
    assert found
    assert examination.file_errors


NOTICE = (
    {**DAY, **OWN},
    [
        {"number": "000001", "booked_on": "290105", "value": 150, "remitter": "1001"},
        {"number": "000002", "booked_on": "290106", "value": 150, "remitter": "1001", "taken_back": "1"},
        {"number": "000003", "booked_on": "290106", "value": 20, "taken_back": "0"},
    ],
    {"count": 2, "sum": 170, "taken_back_count": 1, "taken_back_sum": 150},
)


@pytest.mark.parametrize("name", ["zengin-receipt-notice-200", "zengin-receipt-notice-csv"])
def test_a_notice_counts_what_is_taken_back_by_itself(name):
    using = of(name)
    _examination, rows, seen = examine(file(using, [NOTICE], {}), using)
    assert codes(seen) == []
    assert [(each.amount, each.holder) for each in rows] == [(150, "1001"), (-150, "1001"), (20, "0")]
    head, data, trailer = NOTICE
    for wrong in ({"count": 3}, {"sum": 20}, {"taken_back_count": 0}, {"taken_back_sum": 0}):
        _examination, _rows, seen = examine(file(using, [(head, data, {**trailer, **wrong})], {}), using)
        (rule,) = codes(seen)
        assert rule in {"control.by_value_count_differs", "control.by_value_sum_differs"}


@pytest.mark.parametrize("name", ["zengin-transfer-120", "zengin-transfer-csv"])
def test_transfers_are_those_without_edi(name):
    using = of(name)
    head = {"consignor": "0000000001", "paid_on": "0131", **OWN}
    rows = [{**BANK, "amount": 150, "customer": "1001"}, {**BANK, "amount": 50, "customer": "1002", "has_edi": "Y"}]
    trailer = {"count": 2, "sum": 200}
    _examination, found, seen = examine(file(using, [(head, rows, trailer)], {}), using)
    assert codes(seen) == ["record.value_unknown"]
    assert [(each.key, each.amount) for each in found] == [("0000000001/1001", 150)]


@pytest.mark.parametrize("name", ["zengin-transfer-edi-120", "zengin-transfer-edi-csv"])
def test_transfers_with_edi_are_by_themselves(name):
    key, holder = '"consignor", "account", "amount", "@occurrence"', "account"
    said = "{edi}"
    text = source(name, key=key, holder=holder, amount="amount", day="paid_on", said=said, ending="lf")
    using = toml.parse(text)
    head = {"consignor": "0000000001", "paid_on": "0131", **OWN}
    rows = [
        {**BANK, "amount": 150, "edi": "INV-0001 ｶｸﾃｲ", "has_edi": "Y"},
        {**BANK, "amount": 50, "edi": "", "has_edi": "Y"},
        {**BANK, "amount": 20, "edi": "00000010010000001002", "has_edi": "N"},
    ]
    _examination, found, seen = examine(file(using, [(head, rows, {"count": 3, "sum": 220})], {}), using)
    assert codes(seen) == ["record.constant_differs"]
    place = using.layout.data.position("edi")
    assert [(each.holder, each.amount, each.values[place]) for each in found] == [
        ("7654321", 150, "INV-0001 ｶｸﾃｲ"),
        ("7654321", 50, None),
    ]


@pytest.mark.parametrize("name", ["zengin-account-transfer-request-120", "zengin-account-transfer-request-csv"])
def test_a_request_is_no_result(name):
    using = of(name)
    head = {"consignor": "0000000001", "collected_on": "0131", **OWN}
    rows = [{**BANK, "amount": 150, "customer": "1001"}]
    _examination, found, seen = examine(file(using, [(head, rows, {"count": 1, "sum": 150})], {}), using)
    assert codes(seen) == []
    assert [(each.key, each.amount) for each in found] == [("0000000001/1001", 150)]
    settled = {"count": 1, "sum": 150, "settled_count": 1, "settled_sum": 150}
    _examination, _rows, seen = examine(file(using, [(head, rows, settled)], {}), using)
    assert codes(seen) == ["record.constant_differs"] * 2


@pytest.mark.parametrize("name", ["zengin-account-transfer-result-120", "zengin-account-transfer-result-csv"])
def test_what_was_not_settled_posts_nothing(name):
    using = of(name, amount="settled")
    head = {"consignor": "0000000001", "collected_on": "1231", **OWN}
    rows = [{**BANK, "amount": 150, "customer": str(number), "result": result} for number, result in enumerate("0123489")]
    trailer = {"count": 7, "sum": 1050, "settled_count": 1, "settled_sum": 150, "failed_count": 6, "failed_sum": 900}
    _examination, found, seen = examine(file(using, [(head, rows, trailer)], {}), using)
    assert codes(seen) == []
    settled, day = (using.layout.data.position(column) for column in ("settled", "collected_on"))
    assert [each.values[settled] for each in found] == [150, 0, 0, 0, 0, 0, 0]
    assert {each.values[day] for each in found} == {date(2016, 12, 31)}
