"""Many adjustments at once go the way of a file; anyone who approves it decides all of them, within their limit."""

import io
from pathlib import Path

import pytest

from ingestion_app.formats import toml
from ingestion_app.models import Batch, Finding
from ingestion_app.receiving.operations import receiving
from ingestion_app.sources import operations as sources
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import Refused
from ledger_app.models import Account, Entry
from tests.support import world as worlds

TEXT = (Path(__file__).parents[3] / "ingestion_app/demo/adjustments.toml").read_text(encoding="utf-8")
ROWS = (
    ("1001", 500, "goodwill", "T-1", "2017-01-31", '"Late, and said so"'),
    ("1002", -40, "correction", "T-2", "2017-01-30", "Twice"),
)


@pytest.fixture
def world(db, files_dir):
    world = worlds.build(files_dir)
    caller = world.caller()
    books.open_accounts(book=world.points, openings=[AccountOpening("corrections", "corrections", "expense")], caller=caller)
    for code, account in (("goodwill", "programme.expense"), ("correction", "corrections")):
        reason_codes.keep(code=code, name=code, contra_accounts={"POINTS": account}, caller=world.caller(world.finance))
    limit(world, 1000)
    sources.load(text=TEXT, caller=caller)
    world.applied(worlds.card_file([worlds.Purchase("1002", "31", "s1", "10000")]))
    return world


def limit(world, alone):
    reason_codes.set_limit(
        group="finance", book="POINTS", amount_most=10_000, two_deciders_above=alone, caller=world.caller(world.superuser)
    )


def sent(world, rows=ROWS, sequence=1):
    lines = [f"D,{','.join(map(str, row))}\n" for row in rows]
    total = sum(row[1] for row in rows)
    content = f"H,adjustments,2017-01-31,{sequence}\n{''.join(lines)}T,{len(rows)},{total}\n".encode()
    receipt = receiving.receive(
        stream=io.BytesIO(content),
        name=f"adjustments-2017-01-31-{sequence}.csv",
        source_code="adjustments",
        directory=world.directory,
        caller=world.caller(),
    )
    return world.validate(receipt.batch)


def test_the_entries_say_reason_and_ticket_and_take_the_account_of_the_reason_code(world):
    batch = world.apply(world.approve(sent(world))).batch
    assert batch.state == "applied"
    entries = Entry.objects.filter(reference__startswith="adjustments:").order_by("reference")
    assert [(each.reference, each.description, each.effective_on.isoformat()) for each in entries] == [
        ("adjustments:T-1/1001", "goodwill T-1: Late, and said so", "2017-01-31"),
        ("adjustments:T-2/1002", "correction T-2: Twice", "2017-01-30"),
    ]
    lines = [list(each.lines.order_by("id").values_list("account__code", "amount")) for each in entries]
    assert lines == [
        [("programme.expense", 500), ("points.1001", -500)],
        [("points.1002", 40), ("corrections", -40)],
    ]


def test_whoever_approves_decides_all_of_it_within_the_limit_for_one(world):
    batch = sent(world)
    limit(world, 539)
    with pytest.raises(Refused) as refusal:
        world.approve(batch)
    assert [reason.code for reason in refusal.value.reasons] == ["batch_over_limit"]
    limit(world, 540)
    assert world.approve(batch).state == "approved"


def test_a_reason_code_that_is_not_kept_rejects_the_file(world):
    batch = sent(world, [("1001", 1, "gift", "T-1", "2017-01-31", "x")])
    assert batch.state == "rejected"
    found = Finding.objects.get(batch=batch)
    assert (found.rule, found.facts["account"]) == ("ledger.account_unknown", "contra account of gift")


def later(world):
    user = world.finance
    return Caller(user=user, at=worlds.NOW.replace(hour=12), door="test")


def test_a_reason_code_that_changed_since_the_plan_voids_the_approval(world):
    batch = sent(world)
    reason_codes.keep(code="goodwill", name="x", contra_accounts={"POINTS": "corrections"}, caller=later(world))
    with pytest.raises(Refused, match="reason codes were changed"):
        world.approve(batch)


def test_what_is_applied_is_what_was_approved_whatever_has_changed_since(world):
    batch = world.begin(world.approve(sent(world)))
    reason_codes.keep(code="goodwill", name="x", contra_accounts={"POINTS": "corrections"}, caller=later(world))
    world.apply(Batch.objects.get(pk=batch.pk))
    entry = Entry.objects.get(reference="adjustments:T-1/1001")
    assert list(entry.lines.order_by("id").values_list("account__code", flat=True)) == ["programme.expense", "points.1001"]


def test_an_adjustment_below_the_floor_rejects_the_file(world):
    assert sent(world, [("1003", -1, "correction", "T-3", "2017-01-31", "x")]).state == "rejected"
    assert Account.objects.get(code="points.1003").floor == 0


@pytest.mark.parametrize(
    ("side", "fault"),
    [
        ('{ reason = "amount" }', "identifier"),
        ('{ reason = "reason", role = "points" }', "Give it a role"),
        ("{ }", "Give it a role"),
    ],
)
def test_a_definition_names_the_column_of_the_reason_code(side, fault):
    assert toml.parse(TEXT).adjusted_books == ("POINTS",)
    assert toml.parse(worlds.definition()).adjusted_books == ()
    with pytest.raises(toml.DefinitionInvalid, match=fault):
        toml.parse(TEXT.replace('{ reason = "reason" }', side))
