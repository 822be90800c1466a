"""Files as senders write them, each from its bytes to frozen entries that show the bytes of their line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion_app.batches.queries import record_proofs
from ingestion_app.models import Batch, Record
from ingestion_app.sources import operations as sources
from ingestion_app.status.queries import explain
from ingestion_app.validating.queries import finding_lines
from ingestion_app.verification.proofs import proofs
from ledger_app.base.operations import filing
from ledger_app.models import Book, Entry
from tests.support import definitions
from tests.support.definitions import COLUMNS, DELIMITED, NO_CONTROLS, POSTING, ROLES
from tests.support.world import World

pytestmark = pytest.mark.django_db

STATEMENT = (
    "# Statement of the till, made for 2017-01-31\n"
    '"金額";"会員番号";"日付";"伝票";"摘要"\n'
    "150;1001;2017-01-05;s1;\n"
    '"-50";1002;2017-01-06;s2;"returned; ""broken"""\n'
    "99;1001;2017-01-31;s3;None\n"
    '0;1003;2017-01-31;s4;"two\nlines"'
).encode("cp932")


def statement() -> str:
    columns = """
  { name = "member", heading = "会員番号", kind = "identifier" },
  { name = "slip", heading = "伝票", kind = "identifier", width = 20 },
  { name = "memo", heading = "摘要", kind = "text", optional = true, joins_lines = true },
  { name = "amount", heading = "金額", kind = "amount", minimum = -1000000 },
  { name = "sold_on", heading = "日付", kind = "date", format = "YYYY-MM-DD" },
"""
    layout = DELIMITED.replace('","', '";"').replace("utf-8", "cp932")
    more = 'comment = "#"\nheader_row = "any order"\nfinal_ending = "optional"\nquoted_newlines = true\n'
    return definitions.text(layout, more_layout=more, columns=columns, posting=POSTING.replace("{slip}", "{slip}: {memo}"))


ROWS_WITH_A_TRAILER = definitions.text(
    types='[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }]\n',
    roles=ROLES + 'trailer_count = "count"\n',
    columns=COLUMNS,
)
ROWS = b"1001,31,s1,150,2017-01-05\n1002,31,s2,-50,2017-01-06\n1001,31,s3,99,2017-01-31\nT,3\n"

DEMO = Path(__file__).parents[3] / "ingestion_app/demo"


def sample(name: str) -> str:
    """A sample of the demonstration's folder, as the source of this world."""
    read = (DEMO / f"{name}.toml").read_text(encoding="utf-8")
    return read.replace(f'code = "{name}"', 'code = "till"').replace(f"'{name}-", "'till-").replace(".txt'", ".csv'")


BANK = (
    "みなと銀行\r\n普通 1234567\r\n"
    "お取引日,摘要,お引出し,お預入れ,残高,依頼人コード\r\n"
    '2017/1/5,カイヒ,,"1,234.50","9,999.00",0001001\r\n'
    "2017/1/31,,50.00,0.00,-,1002\r\n"
    '2017/1/5,カイヒ,,"1,234.50","9,999.00",0001001\r\n'
    "2017/1/5,カイヒ,,0.07,,1001"
).encode("cp932")
BANK_LINES = BANK.split(b"\r\n")

TRANSFERS = "".join(
    [
        f"1290131{'':53}",
        f"20000001001{'ﾔﾏﾀﾞ ﾀﾛｳ':15}290105{150:010}000000001{'':9}",
        f"20000001002{'ｽｽﾞｷ':15}290106{50:010}100000002{'ﾓﾄﾞｼ':9}",
        f"8{2:06}{100:012}{'':41}",
        f"9{'':59}",
        "\x1a",
    ]
).encode("cp932")

WIDE = "\ufeff" + "1001,31,s1,150,2017-01-05,《A》\n1002,31,s2,-50,2017-01-06,\n1001,31,s3,99,2017-01-31,ઊ\n"
WIDE_ROWS = WIDE[1:].splitlines()


def wide(encoding: str) -> tuple[str, bytes, dict[str, bytes], list[tuple[str, int]]]:
    columns = COLUMNS + '{ name = "memo", kind = "text", optional = true },'
    text = definitions.text(
        DELIMITED.replace("utf-8", encoding), columns=columns, posting=POSTING.replace("{slip}", "{slip} {memo}")
    )
    raw = {f"s{number}": row.encode(encoding) for number, row in enumerate(WIDE_ROWS, start=1)}
    return text, WIDE.encode(encoding), raw, [("Slip s1 《A》", 150), ("Slip s2 ", -50), ("Slip s3 ઊ", 99)]


WEB_SHOP = (
    '{"type":"opened","day":"2017-01-31","by":{"program":"shop"}}\n'
    '{"type":"order","id":100000001,"at":"2017-01-05T10:00:00.000+09:00","customer":{"id":"1001","note":"高島屋"},'
    '"lines":[{"gross":150.0,"sku":"A"},{"gross":0}],"is_refund":false}\n'
    '{"is_refund": true, "lines": [{"gross": 50}], "customer": {"id": "1002", "note": null}, "at": "2017-01-06T10:00:00.000+09:00", '
    '"id": 100000002, "type": "order"}\n'
    '{"type":"order","id":100000003,"at":"2017-01-31T10:00:00.000+09:00","customer":{"id":"1001","note":"\\u7d19"},'
    '"lines":[{"gross":99}],"is_refund":false}\n'
    '{"type":"closed","totals":{"orders":3,"sold":249,"refunded":50,"hash":6}}\n'
).encode()
ORDERS = WEB_SHOP.split(b"\n")

# Definition, file, the bytes of each record in the ledger, what the entries say.
FILES: dict[str, tuple[str, bytes, dict[str, bytes], list[tuple[str, int]]]] = {
    "a statement in cp932": (
        statement(),
        STATEMENT,
        {
            "s1": b"150;1001;2017-01-05;s1;",
            "s2": b'"-50";1002;2017-01-06;s2;"returned; ""broken"""',
            "s3": b"99;1001;2017-01-31;s3;None",
        },
        [("Slip s1: ", 150), ('Slip s2: returned; "broken"', -50), ("Slip s3: None", 99)],
    ),
    "rows and a trailer": (
        ROWS_WITH_A_TRAILER,
        ROWS,
        {"s1": ROWS.split(b"\n")[0], "s2": ROWS.split(b"\n")[1], "s3": ROWS.split(b"\n")[2]},
        [("Slip s1", 150), ("Slip s2", -50), ("Slip s3", 99)],
    ),
    "transfers in fixed width without line endings": (
        sample("transfers").replace("reiwa", "heisei"),
        TRANSFERS,
        {"00000001/2017-01-05": TRANSFERS[60:120], "00000002/2017-01-06": TRANSFERS[120:180]},
        [("Transfer 00000001 ", -150), ("Transfer 00000002 ﾓﾄﾞｼ", 50)],
    ),
    "a web shop's orders as JSON Lines": (
        sample("web-shop").replace("jsonl", "csv"),
        WEB_SHOP,
        {f"10000000{number}": ORDERS[number] for number in (1, 2, 3)},
        [("Order 100000001 高島屋", 150), ("Order 100000002 ", -50), ("Order 100000003 紙", 99)],
    ),
    "rows in UTF-16LE": wide("utf-16-le"),
    "rows in UTF-16BE": wide("utf-16-be"),
    "a bank's statement with two columns of amounts": (
        sample("bank-statement"),
        BANK,
        {
            "1001/2017-01-05/123450/1": BANK_LINES[3],
            "1001/2017-01-05/123450/2": BANK_LINES[5],
            "1001/2017-01-05/7/1": BANK_LINES[6],
            "1002/2017-01-31/-5000/1": BANK_LINES[4],
        },
        [("Payment of 2017-01-05", amount) for amount in (-123450, -123450, -7)] + [("Payment of 2017-01-31", 5000)],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_goes_from_its_bytes_to_frozen_entries_that_show_their_line(world: World, name: str) -> None:
    text, content, raw, posted = FILES[name]
    sources.load(text=text, caller=world.caller())
    batch = world.freeze(world.applied(content))
    assert batch.state == "frozen"

    entries = list(Entry.objects.filter(book__code="CARD").order_by("reference"))
    assert [(each.description, _debit(each)) for each in entries] == posted
    path = filing.path_of(world.directory, bytes(batch.file.sha256))
    for entry in entries:
        record = Record.objects.get(batch=batch, key=entry.reference.removeprefix("till:"))
        assert filing.piece(path, record.offset, record.length) == raw[record.key]
        told = explain.line(batch, record.line)
        assert [each.pk for each in told.entries] == [entry.pk]
        assert record.line == _line(name, content, record.offset)
    assert breaches(proofs.records_reconcile) == []
    assert breaches(record_proofs.records_are_those_that_were_written) == []


def _line(name: str, content: bytes, offset: int) -> int:
    if "fixed" in name:
        return offset // 60 + 1
    before = content[:offset]
    return (before.decode("utf-16").count("\n") if "UTF-16" in name else before.count(b"\n")) + 1


def digests(batch: Batch) -> list[bytes]:
    return [bytes(chunk.records_digest or b"") for chunk in batch.chunks.order_by("number")]


def _debit(entry: Entry) -> int:
    """What the entry puts on the member's account: positive where it is debited."""
    return entry.lines.get(account__role="receivable").amount


def breaches(proof: Callable[..., Any]) -> list[str]:
    return list(proof(list(Book.objects.all())))


def test_no_value_is_not_the_text_none(world: World) -> None:
    text, content, *_rest = FILES["a statement in cp932"]
    sources.load(text=text, caller=world.caller())
    batch = world.validated(content)
    values = {record.key: record.values or [] for record in Record.objects.filter(batch=batch)}
    assert values["s1"][2] is None
    assert values["s3"][2] == "None"
    assert values["s4"][2] == "two lines"
    other = world.receipt(content.replace(b"s3;None", b"s3;"), name="till-2017-01-31-2.csv").batch
    world.withdraw(batch)
    first, second = (Batch.objects.get(pk=each.pk) for each in (batch, world.validate(other)))
    assert digests(first) != digests(second)


def test_that_nothing_controls_a_file_is_said_by_commands(world: World, command: Any, settings: Any) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    sources.load(text=definitions.text(roles=ROLES + NO_CONTROLS), caller=world.caller())
    batch = world.validated(b"1001,31,s1,150,2017-01-05\n")
    assert batch.finding_counts == {"control.none": 1}
    assert command("validate", batch.pk).data["controls"] == []
    assert command("status", batch.pk).data["controls"] == []
    sources.load(text=ROWS_WITH_A_TRAILER, caller=world.caller())
    other = world.validated(ROWS.replace(b"s1", b"s9"), name="till-2017-01-31-2.csv")
    assert command("validate", other.pk).data["controls"] == ["count"]
    assert other.finding_counts == {}


def test_a_line_that_has_no_ending_is_explained_by_its_own_bytes(world: World, command: Any, settings: Any) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    text, content, *_rest = FILES["transfers in fixed width without line endings"]
    sources.load(text=text, caller=world.caller())
    batch = world.validated(content)
    for number, kind in ((1, "header"), (3, "data"), (4, "trailer")):
        said = command("explain", f"{batch.pk}:{number}").data
        assert (said["raw_hex"], said["type"]) == (content[(number - 1) * 60 : number * 60].hex(), kind)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_line_in_utf_16_is_explained_by_its_own_bytes(world: World, command: Any, settings: Any, encoding: str) -> None:
    settings.KAKUTEI_FILES_DIR = str(world.directory)
    text, content, raw, _posted = wide(encoding)
    sources.load(text=text, caller=world.caller())
    batch = world.validate(world.receive(content + "D,1,《\n".encode(encoding)))
    assert batch.state == "rejected"
    for number, expected in ((1, raw["s1"]), (3, raw["s3"]), (4, "D,1,《".encode(encoding))):
        said = command("explain", f"{batch.pk}:{number}").data
        assert (said["raw_hex"], said["raw"]) == (expected.hex(), expected.decode(encoding))
    (found,) = [row for row in finding_lines.each(batch) if row["line"] == 4]
    assert found["bytes"] == "D,1,《"


def test_numbers_that_only_some_records_have_are_counted_as_they_are(world: World) -> None:
    columns = COLUMNS + '{ name = "pieces", kind = "count", optional = true },'
    sources.load(text=definitions.text(columns=columns), caller=world.caller())
    batch = world.validated(b"1001,31,s1,150,2017-01-05,\n1002,31,s2,50,2017-01-06,7\n1001,31,s3,99,2017-01-31,12\n")
    assert list(Record.objects.filter(batch=batch).order_by("line").values_list("values__5", flat=True)) == [None, 7, 12]
