"""The plan keeps what it decided, and its digest covers it: no time is compared, and nothing is read again when it is applied."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, Record
from ingestion_app.sources import operations as sources
from ingestion_app.verification.proofs import proofs
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import Refused
from ledger_app.models import Account, AuditRow, Line
from tests.ingestion_app.deciding.test_batches_of_adjustments import TEXT, limit, sent
from tests.support import world as worlds
from tests.support.world import NOW, World, codes

pytestmark = pytest.mark.django_db

# When a change says that it was made: before the validation, at the same instant, after it, and far away on a clock that is wrong.
TIMES = [timedelta(days=-400), timedelta(seconds=-1), timedelta(0), timedelta(seconds=1), timedelta(days=400)]


@pytest.fixture
def world(db, files_dir) -> World:
    world = worlds.build(files_dir)
    openings = [AccountOpening("corrections", "corrections", "expense"), AccountOpening("gifts", "gifts", "expense")]
    books.open_accounts(book=world.points, openings=openings, caller=world.caller())
    for code, account in (("goodwill", "programme.expense"), ("correction", "corrections"), ("gift", "gifts")):
        keep(world, code, account, timedelta(days=-1))
    limit(world, 1000)
    sources.load(text=TEXT, caller=world.caller())
    world.applied(worlds.card_file([worlds.Purchase("1002", "31", "s1", "10000")]))
    return world


def keep(world: World, code: str, account: str, after: timedelta, **more) -> None:
    caller = Caller(world.finance, NOW + after, "test")
    reason_codes.keep(code=code, name=more.pop("name", code), contra_accounts={"POINTS": account}, caller=caller, **more)


def posted_to(code: str) -> int:
    return Line.objects.filter(account__code=code, entry__reference__startswith="adjustments:").count()


def refused(call) -> list[str]:
    with pytest.raises(Refused) as refusal:
        call()
    return codes(refusal.value.reasons)


@pytest.mark.parametrize("after", TIMES)
def test_a_change_between_validation_and_approval_is_seen_whatever_time_it_bears(world, after):
    batch = sent(world)
    keep(world, "goodwill", "gifts", after)
    assert refused(lambda: world.approve(batch)) == ["plan_moved"]
    assert posted_to("gifts") == 0


@pytest.mark.parametrize("after", TIMES)
@pytest.mark.parametrize("moment", ["approved", "begun"])
def test_a_change_after_the_approval_never_posts_to_an_account_that_nobody_saw(world, after, moment):
    batch = world.approve(sent(world))
    if moment == "begun":
        world.begin(batch)
    keep(world, "goodwill", "gifts", after)
    with suppress(Refused):
        world.apply(batch)
    assert posted_to("gifts") == 0
    assert posted_to("programme.expense") == (1 if moment == "begun" else 0)


@pytest.mark.parametrize("after", TIMES)
def test_what_the_plan_does_not_name_voids_nothing(world, after):
    batch = sent(world)
    keep(world, "gift", "corrections", after)
    keep(world, "gift", "gifts", after, is_active=False)
    keep(world, "goodwill", "programme.expense", after, name="Another name")
    done = world.apply(world.approve(batch)).batch
    assert done.state == "applied"
    assert (posted_to("programme.expense"), posted_to("corrections")) == (1, 1)


def test_a_reason_code_that_is_out_of_use_and_one_that_is_changed_and_back(world):
    batch = sent(world)
    keep(world, "goodwill", "programme.expense", timedelta(0), is_active=False)
    assert refused(lambda: world.approve(batch)) == ["plan_moved"]
    keep(world, "goodwill", "programme.expense", timedelta(seconds=1))
    assert world.approve(batch).state == "approved", "it is what was planned with"


def test_the_digest_covers_the_accounts(world):
    batch = world.approve(sent(world))
    gifts = [Account.objects.get(code="gifts").pk, "gifts"]
    changes: list[Any] = [{"POINTS": {**batch.contra_accounts["POINTS"], "goodwill": gifts}}, {"POINTS": {}}, None]
    for changed in changes:
        Batch.objects.filter(pk=batch.pk).update(contra_accounts=changed)
        assert batches.rows_digest(Batch.objects.get(pk=batch.pk)) != batches.hexadecimal(batch.approved_digest)
    assert "plan_damaged" in refused(lambda: world.apply(batch))


def test_only_what_the_file_names_is_kept_and_by_its_number(world):
    batch = sent(world)
    ids = dict(Account.objects.values_list("code", "id"))
    assert batch.contra_accounts == {
        "POINTS": {
            "correction": [ids["corrections"], "corrections"],
            "goodwill": [ids["programme.expense"], "programme.expense"],
        }
    }
    assert (
        world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv").contra_accounts
        is None
    )


def test_no_audit_row_and_no_history_is_read_for_it(world):
    batch = sent(world)
    table = AuditRow._meta.db_table
    with CaptureQueriesContext(connection) as asked:
        world.apply(world.approve(batch))
    reads = [each["sql"] for each in asked if each["sql"].startswith("SELECT")]
    assert [sql for sql in reads if table in sql or "_historical" in sql] == []
    assert posted_to("programme.expense") == 1


def newer(world: World) -> None:
    world.load(chunk_records=4)


def test_a_newer_version_of_the_source_is_said_and_asked_of_the_approver(world):
    batch = world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv")
    newer(world)
    with pytest.raises(Refused) as refusal:
        world.approve(batch)
    (reason,) = refusal.value.reasons
    assert (reason.code, reason.facts["planned"], reason.facts["newest"]) == ("source_version_newer", 1, 2)
    assert f"validate {batch.pk} --again" in reason.sentence
    assert "version 1" in reason.sentence
    assert "version 2" in reason.sentence


@pytest.mark.parametrize(("known", "passes"), [(2, True), (1, False), (3, False)])
def test_whoever_knows_of_the_newest_version_may_approve(world, known, passes):
    batch = world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv")
    newer(world)

    def approve() -> Batch:
        shown = batches.hexadecimal(batch.plan_digest)
        return deciding.approve(
            batch_id=batch.pk, digest_shown=shown, caller=world.caller(world.finance), acknowledged_version=known
        )

    if passes:
        assert world.apply(approve()).batch.state == "applied"
        assert AuditRow.objects.get(subject_id=batch.pk, action="approve", outcome="done").facts["source_version"] == 2
    else:
        assert refused(approve) == ["source_version_newer"]


def test_validated_again_it_is_under_the_newest_version_and_asks_nothing(world):
    batch = world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv")
    newer(world)
    again = world.validate(batch)
    assert again.source_version.number == 2
    assert world.apply(world.approve(again)).batch.state == "applied"


@pytest.mark.parametrize(
    "changed",
    [
        {"totals": {"CARD": [9, 18, 1]}},
        {"record_count": 9},
        {"record_sum": 1},
        {"records_digest": bytes(32)},
        {"number": 99},
    ],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize("state", ["validated", "approved"])
def test_a_chunk_of_a_plan_that_waits_is_named_where_somebody_else_has_changed_it(world, changed, state):
    batch = world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv")
    if state == "approved":
        world.approve(batch)
    books_of = [world.card, world.points]
    assert list(proofs.approvals_cover_plans(books_of)) == []
    Chunk.objects.filter(batch=batch).update(**changed)
    assert len(list(proofs.approvals_cover_plans(books_of))) in {1, 2}


def test_a_chunk_of_a_plan_that_waits_does_not_go_unnamed(world):
    batch = world.validated(worlds.card_file([worlds.Purchase(slip="z")], sequence=3), name="till-2017-01-31-3.csv")
    Record.objects.filter(batch=batch).update(status="set_aside", chunk=None)
    Chunk.objects.filter(batch=batch).delete()
    assert len(list(proofs.approvals_cover_plans([world.card, world.points]))) == 1
