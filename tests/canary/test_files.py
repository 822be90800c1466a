"""A card number, and the code beside it, in files: masked as it arrives, found when the file is looked at, or the file is not taken."""

import io
import zipfile
import zlib
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion_app.models import Finding, Receipt
from ledger_app import errors
from ledger_app.adjustments.operations import attachments
from ledger_app.models import AuditRow
from tests.canary.conftest import BESIDE, CARD, WRITINGS, Canary, found_in
from tests.support import world as worlds
from tests.support.world import Purchase, World


def workbook(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, "<x/>")
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{text}</t></si></sst>")
    return packed.getvalue()


def document(text: str) -> bytes:
    packed = zlib.compress(f"BT ({text}) Tj ET".encode())
    return b"%PDF-1.4\n1 0 obj <<>> stream\n" + packed + b"\nendstream endobj\n%%EOF\n"


def test_a_file_is_masked_as_it_arrives_and_what_was_masked_is_found(world: World, canary: Canary) -> None:
    encodings = cycle(["utf-8", "cp932"])
    for number, text in enumerate(WRITINGS, 1):
        for column in ("member", "shop", "slip"):
            purchase = Purchase(**{column: text})
            line = f"D,{','.join(purchase)}\n".encode(next(encodings))
            content = worlds.card_file([line], count=1, total=150, sequence=number)
            name = f"till-2017-01-31-{number}.csv"
            receipt = world.receipt(content, name=name)
            assert receipt.file.size == len(content)
            batch = world.validate(receipt.batch)
            assert Finding.objects.filter(batch=batch, severity="error").exists(), (text, column)
            world.withdraw(batch)
    assert Finding.objects.filter(rule="record.card_number").exists()
    assert AuditRow.objects.filter(action="receive", facts__has_key="masked_bytes").exists()
    assert canary.hits() == []


def test_the_name_of_a_file_is_masked(world: World, canary: Canary, tmp_path: Path) -> None:
    for number, text in enumerate(WRITINGS, 1):
        slot: dict[str, Any] = {"business_date": worlds.DAY, "sequence": number}
        content = worlds.card_file([Purchase(slip=f"n{number}")], sequence=number)
        world.receipt(content, name=f"a {text} b.csv", **slot)
        with suppress(errors.Refused):
            world.receipt(content + b"\n", name=f"{text}.csv")
    assert Receipt.objects.filter(name__contains="***").exists()
    path = tmp_path / f"till {CARD} {BESIDE}.csv"
    path.write_bytes(worlds.card_file([Purchase(slip="m1")], sequence=40))
    with suppress(SystemExit):
        call_command("receive", path, "--source", "till", "--business-date", "2017-01-31", "--sequence", "40")
    assert canary.hits() == []


def test_nothing_is_attached_with_one_in_it_or_in_its_name(world: World, canary: Canary, make_user: Any) -> None:
    caller = world.caller(world.support)
    taken: dict[str, Any] = {"directory": world.directory / "attachments", "bytes_most": 100_000, "caller": caller}
    for text in WRITINGS:
        files = {
            f"{text}.txt": b"fine",
            "a.txt": text.encode(),
            "b.csv": f"a,{text},c".encode("cp932"),
            "c.xlsx": workbook(text),
            "d.pdf": document(text),
        }
        for name, content in files.items():
            with pytest.raises(errors.Refused, match=r"card_number_in_file|attachment_name_invalid") as refused:
                attachments.take_in(stream=io.BytesIO(content), name=name, **taken)
            assert not found_in(str(refused.value))
    assert attachments.take_in(stream=io.BytesIO(workbook("fine")), name="fine.xlsx", **taken).size
    assert canary.hits() == []


def test_lists_and_definitions_with_one_in_them_are_refused(
    world: World, canary: Canary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (CARD, f"Sato {BESIDE}"):
        said = {
            ("register_members",): f"member_number,name,card_tokens,card_numbers\n9001,{text},,\n",
            ("register_members", "again"): f"member_number,name,card_tokens,card_numbers\n{text},Sato,{text},\n",
            ("open_accounts",): f"code,role,category\n{text},{text},asset\n",
            ("load_source",): worlds.definition().replace("Purchase at shop", f"Purchase {text} at shop"),
        }
        for (command, *_), content in said.items():
            path = tmp_path / "given"
            path.write_text(content)
            more = ["CARD"] if command == "open_accounts" else []
            with suppress(SystemExit, CommandError):
                call_command(command, *more, path) if command != "open_accounts" else call_command(command, "CARD", path)
    printed = capsys.readouterr()
    assert not found_in(printed.out + printed.err)
    assert canary.hits() == []
