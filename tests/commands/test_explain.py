"""explain: from a number back to the bytes that came in, and from the bytes on to the numbers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger_app.base.operations import filing
from ledger_app.models import Balance, Entry
from tests.commands.conftest import Run
from tests.support import lot_samples, samples
from tests.support.reversing import reverse_entry
from tests.support.world import DAY, NAME, PURCHASES, Purchase, World, card_file

FIRST = PURCHASES[0].line().rstrip(b"\n")


def test_an_account_is_recomputed_and_its_lines_lead_to_the_file(world: World, run: Run) -> None:
    batch = world.applied()
    data = run("explain", "CARD/receivable.1001", "--json").data
    assert (data["balance"], data["recomputed"], data["line_count"]) == (249, 249, 2)
    assert data["member_numbers"] == ["1001"]
    assert data["differing_stripes"] == data["differs"] == []
    assert [(line["reference"], line["amount"], line["origin"]["batch"], line["origin"]["line"]) for line in data["lines"]] == [
        ("till:s3", 99, batch.pk, 4),
        ("till:s1", 150, batch.pk, 2),
    ]
    said = run("explain", "CARD/receivable.1001").out
    assert "2.49 USD" in said
    assert f"← Batch {batch.pk}, line 4 of {NAME}" in said


def test_the_last_lines_of_a_striped_account_come_from_all_stripes(world: World, run: Run) -> None:
    world.applied()
    whole = run("explain", "CARD/settlement.31", "--json").data
    assert sum(line["amount"] for line in whole["lines"]) == whole["balance"] == whole["recomputed"] == -12845
    for most in range(1, 5):
        assert run("explain", "CARD/settlement.31", "--last", most, "--json").data["lines"] == whole["lines"][:most]


def test_a_claim_that_differs_is_said_and_is_status_1(world: World, run: Run) -> None:
    world.applied()
    Balance.objects.filter(account__code="receivable.1001").update(amount=250)
    ended = run("explain", "CARD/receivable.1001", "--json")
    assert ended.status == 1
    assert (ended.data["balance"], ended.data["recomputed"]) == (250, 249)
    assert ended.data["differing_stripes"] == [{"stripe": 0, "claimed": [250, 2], "found": [249, 2]}]
    assert [reason["code"] for reason in ended.data["differs"]] == ["balances_differ"]
    assert "DIFFERS" in run("explain", "CARD/receivable.1001").out


def test_an_account_without_lines_is_explained(world: World, run: Run) -> None:
    data = run("explain", "CARD/receivable.1001", "--json").data
    assert (data["balance"], data["recomputed"], data["lines"]) == (0, 0, [])


def test_an_entry_leads_to_its_bytes_and_its_approver(world: World, run: Run) -> None:
    batch = world.applied()
    data = run("explain", "CARD/till:s1", "--json").data
    assert [(line["account"], line["amount"]) for line in data["lines"]] == [("receivable.1001", 150), ("settlement.31", -150)]
    assert data["digest_holds"] is True
    origin = data["origin"]
    assert (origin["line"], origin["offset"], origin["raw"]) == (2, card_file().index(FIRST), FIRST.decode())
    assert (origin["batch"]["number"], origin["batch"]["file_name"], origin["batch"]["sha256"]) == (
        batch.pk,
        NAME,
        str(batch.file),
    )
    assert (origin["batch"]["received_by"], origin["batch"]["approved_by"]) == ("erika", "fumiko")
    assert run("explain", data["entry"], "--json").data == data
    assert FIRST.decode() in run("explain", data["entry"]).out


def test_a_reversal_and_what_it_reverses_name_each_other(world: World, run: Run) -> None:
    world.applied()
    entry = Entry.objects.get(reference="till:s1", book=world.card)
    reverse_entry(entry_id=entry.pk, effective_on=DAY, reason="Bought by another.", caller=world.caller(world.finance))
    data = run("explain", f"CARD/reversal:{entry.pk}", "--json").data
    assert (data["reverses"], data["reason"], data["posted_by"]) == ("till:s1", "Bought by another.", "fumiko")
    assert (data["origin"]["kind"], data["origin"]["number"]) == ("reversal", entry.pk)
    assert run("explain", entry.pk, "--json").data["reversed_by"] == f"reversal:{entry.pk}"
    lines = run("explain", "CARD/receivable.1001", "--json").data["lines"]
    assert {name: lines[0]["origin"][name] for name in ("kind", "number", "batch", "line")} == {
        "kind": "reversal",
        "number": entry.pk,
        "batch": None,
        "line": None,
    }


def test_a_reversed_batch_is_named_from_both_sides(world: World, run: Run) -> None:
    original = world.applied()
    reversal = world.reversed(original)
    entry = Entry.objects.get(reference="till:s1", book=world.card)
    undone = run("explain", entry.pk, "--json").data
    assert (undone["reversed_by"], undone["reversed_by_batch"]) == (f"reversal:{entry.pk}", reversal.pk)
    assert undone["origin"]["batch"]["state"] == "reversed"
    undoing = run("explain", f"CARD/reversal:{entry.pk}", "--json").data
    assert (undoing["reverses"], undoing["reversed_by_batch"]) == ("till:s1", None)
    assert {name: undoing["origin"]["batch"][name] for name in ("number", "reverses", "file_name", "received_at")} == {
        "number": reversal.pk,
        "reverses": original.pk,
        "file_name": None,
        "received_at": None,
    }
    assert f"Reverses batch {original.pk}; proposed by erika; approved by fumiko" in run("explain", entry.pk).out
    lines = run("explain", "CARD/receivable.1001", "--json").data["lines"]
    assert [(line["origin"]["batch"], line["origin"]["line"]) for line in lines] == [
        (reversal.pk, None),
        (reversal.pk, None),
        (original.pk, 4),
        (original.pk, 2),
    ]
    assert f"← Batch {reversal.pk}, which reverses batch {original.pk}" in run("explain", "CARD/receivable.1001").out


def test_a_line_leads_to_its_entries_in_every_book(world: World, run: Run) -> None:
    batch = world.applied()
    data = run("explain", f"{batch.pk}:2", "--json").data
    assert (data["raw"], bytes.fromhex(data["raw_hex"]), data["length"]) == (FIRST.decode(), FIRST, len(FIRST))
    assert (data["type"], data["status"], data["chunk_state"], data["key"]) == ("data", "planned", "applied", "s1")
    assert data["values"]["amount"] == 150
    assert data["values"]["member"] == "1001"
    assert [(entry["book"], entry["reference"]) for entry in data["entries"]] == [("CARD", "till:s1"), ("POINTS", "till:s1")]


def test_lines_that_are_no_records_are_explained(world: World, run: Run) -> None:
    batch = world.applied()
    last = len(PURCHASES) + 3
    told = {number: run("explain", f"{batch.pk}:{number}", "--json").data for number in (1, last - 1, last)}
    assert {number: (data["type"], data["status"]) for number, data in told.items()} == {
        1: ("header", None),
        last - 1: ("trailer", None),
        last: ("end", None),
    }
    assert told[1]["raw"] == "H,till,2017-01-31,1"


def test_a_record_without_effect_says_so(world: World, run: Run) -> None:
    batch = world.applied()
    data = run("explain", f"{batch.pk}:6", "--json").data
    assert (data["status"], data["entries"], data["chunk"]) == ("no_effect", [], None)
    assert [finding["rule"] for finding in data["findings"]] == ["record.zero_amount"]


def test_a_rejected_line_is_shown_with_its_findings(world: World, run: Run) -> None:
    batch = world.validate(world.receive(card_file([Purchase(amount="1e3"), b"D,\xff\xfe\n"], count=2, total=1)))
    assert batch.state == "rejected"
    data = run("explain", f"{batch.pk}:2", "--json").data
    assert data["findings"][0]["rule"] == "record.amount_invalid"
    assert data["findings"][0]["remedy"]
    undecodable = run("explain", f"{batch.pk}:3", "--json").data
    assert (undecodable["raw"], bytes.fromhex(undecodable["raw_hex"])) == (None, b"D,\xff\xfe")
    assert "442cfffe" in run("explain", f"{batch.pk}:3").out


def test_a_batch_that_is_only_received_shows_its_bytes(world: World, run: Run) -> None:
    data = run("explain", f"{world.receive().pk}:2", "--json").data
    assert (data["raw"], data["status"], data["batch"]["state"]) == (FIRST.decode(), None, "received")


@pytest.mark.parametrize("subject", ["{}:2", "CARD/till:s1"])
def test_stored_bytes_that_were_changed_are_not_believed(world: World, run: Run, subject: str) -> None:
    batch = world.applied()
    path = filing.path_of(world.directory, bytes(batch.file.sha256))
    path.chmod(0o640)
    path.write_bytes(card_file().replace(b"150", b"151"))
    ended = run("explain", subject.format(batch.pk), "--json")
    assert ended.status == 1
    assert [reason["code"] for reason in ended.data["differs"]] == ["file_damaged"]
    assert ended.data.get("raw", ended.data.get("origin", {}).get("raw")) is None
    path.unlink()
    ended = run("explain", subject.format(batch.pk), "--json")
    assert [reason["code"] for reason in ended.data["differs"]] == ["file_missing"]


@pytest.mark.parametrize("subject", ["CARD/nothing", "NONE/receivable.1001", "999999", "999999:1", "{}:99"])
def test_what_is_not_there_is_refused(world: World, run: Run, subject: str) -> None:
    ended = run("explain", subject.format(world.receive().pk), "--json")
    assert ended.status == 1
    assert [reason["code"] for reason in ended.data["refused"]] == ["not_found"]


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("１:2",), ("/x",), ("CARD/",), ("CARD/x", "--last", "0")])
def test_wrong_usage_is_status_2(world: World, run: Run, arguments: tuple[str, ...]) -> None:
    assert run("explain", *arguments).status == 2


def test_more_lines_need_no_more_statements(world: World, run: Run) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as made:
            run("explain", "CARD/receivable.1001", "--last", 100)
        return len(made)

    world.applied()
    before = statements()
    more = [Purchase(slip=f"more-{number}") for number in range(20)]
    world.applied(card_file(more, sequence=2), name="till-2017-01-31-2.csv")
    assert statements() == before


def test_lots_are_told_of_an_account_and_of_an_entry(db, run):
    points = lot_samples.open_points(samples.machine_caller())
    points.gain("granted", 100)
    points.gain("spent", -30)
    (left,) = run("explain", "POINTS/M1", "--json").data["open_lots"]
    assert (left["granted_by"], left["due_on"], left["amount"], left["remaining"]) == ("granted", "2017-01-30", 100, 70)
    assert "granted on 2017-01-10, last day 2017-01-30: 70 points of 100 points left" in run("explain", "POINTS/M1").out
    (taken,) = run("explain", "POINTS/spent", "--json").data["lots"]
    assert (taken["lot"], taken["amount"]) == (left["lot"], -30)
    assert f"#{left['lot']}" in run("explain", "POINTS/spent").out
