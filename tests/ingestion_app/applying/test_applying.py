"""A plan is applied once, chunk by chunk, or stops with its reasons; nothing else ever reaches the ledger."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from ingestion_app.applying.operations import chunks
from ingestion_app.deciding.queries import batches
from ingestion_app.models import Batch, Chunk, Finding, Record
from ingestion_app.sources import operations as sources
from ledger_app.base.operations import bulk
from ledger_app.errors import Refused, TryAgain, WrittenDiffers
from ledger_app.members.operations import members
from ledger_app.members.queries import merges
from ledger_app.models import Account, AuditRow, Entry, Holder, Identifier, Line, Period, Posting, RedirectedEntry
from ledger_app.posting.operations import entries
from ledger_app.verification.operations import verification
from tests.support import world as worlds
from tests.support.world import FIXED, NAME, NOW, World, card_file, clock, codes, ledger, set_account, work

pytestmark = pytest.mark.django_db

MEMBERS = [FIXED._replace(member=str(1001 + number), slip=f"s{number}", amount=str(100 + number)) for number in range(6)]
TWO_A_CHUNK = card_file([each for each in MEMBERS for each in (each, each._replace(slip=f"{each.slip}b"))])


def states(batch: Batch) -> list[str]:
    return [*Chunk.objects.filter(batch=batch).order_by("number").values_list("state", flat=True)]


def refused_and_untouched(world: World, batch: Batch, *expected: str) -> None:
    before = ledger(), work(batch.pk)
    with pytest.raises(Refused) as refused:
        world.apply(batch)
    assert codes(refused.value.reasons) == [*expected]
    assert (ledger(), work(batch.pk)) == before


def test_applying_posts_exactly_the_plan(world: World) -> None:
    batch = world.approved()
    done = world.apply(batch)

    assert (done.batch.state, done.stopped, done.skipped) == ("applied", {}, 0)
    assert done.applied == batch.chunks.count() == states(batch).count("applied")
    assert Entry.objects.filter(book=world.card).count() == 7
    assert Entry.objects.filter(book=world.points).count() == 6
    assert Line.objects.count() == 26
    balances = {code: sum(account.balances.values_list("amount", flat=True)) for code, account in accounts().items()}
    assert balances["receivable.1001"] == 249
    assert balances["settlement.31"] == -(150 + 250 + 12345 + 100)
    assert balances["settlement.32"] == -(99 + 1000 + 700)
    assert balances["points.1004"] == -123
    assert balances["programme.expense"] == 144
    entry = Entry.objects.get(book=world.card, reference="till:s3")
    assert (entry.description, entry.posting.posted_by, entry.posting.reason) == (
        "Purchase at shop 32, slip s3",
        world.engineer,
        str(batch),
    )
    assert breaches(world) == []


def accounts() -> dict[str, Account]:
    return {account.code: account for account in Account.objects.all()}


def breaches(world: World) -> list[str]:
    verified = verification.verify(books=[world.card, world.points], at=NOW, now=clock)
    return [breach for result in verified.results for breach in result["breaches"]]


def test_applying_again_does_nothing(world: World) -> None:
    batch = world.applied()
    before = ledger(), work(batch.pk)
    rows = AuditRow.objects.count()
    done = world.apply(batch)
    assert (done.applied, done.skipped, done.stopped) == (0, batch.chunks.count(), {})
    assert (ledger(), work(batch.pk), AuditRow.objects.count()) == (*before, rows)


def test_a_chunk_that_is_refused_stops_and_the_others_go_on(world: World) -> None:
    batch = world.approved(TWO_A_CHUNK)
    assert len(states(batch)) == 6
    set_account("points.1003", "suspended")
    Batch.objects.filter(pk=batch.pk).update(state="applying")  # the account was closed after applying began

    done = world.apply(batch)

    assert (done.batch.state, done.applied, [*done.stopped]) == ("applying", 5, [2])
    assert states(batch) == ["applied", "applied", "stopped", "applied", "applied", "applied"]
    stopped = Chunk.objects.get(batch=batch, number=2)
    assert codes(stopped.reasons) == ["account_not_open", "account_not_open"]
    assert stopped.reasons[0]["facts"]["account"] == "points.1003"
    # Neither book has anything of it.
    assert not Line.objects.filter(account__code__in=["receivable.1003", "points.1003"]).exists()
    assert batch.attempts.get(step="apply").outcome == "refused"

    before = ledger()
    assert world.apply(batch).applied == 0
    assert ledger() == before

    set_account("points.1003", "open")
    done = world.apply(batch)
    assert (done.batch.state, done.applied, done.skipped, done.stopped) == ("applied", 1, 5, {})
    assert Chunk.objects.get(batch=batch, number=2).reasons == []


def test_an_account_made_from_a_value_that_was_closed_stops_its_chunks(world: World) -> None:
    batch = world.approved()
    set_account("settlement.32", "suspended")
    done = world.apply(batch)
    assert (done.batch.state, {code for reasons in done.stopped.values() for code in codes(reasons)}) == (
        "applying",
        {"account_not_open"},
    )
    set_account("settlement.32", "open")
    assert world.apply(batch).batch.state == "applied"


def test_an_account_that_went_away_stops_its_chunk_with_the_line(world: World) -> None:
    batch = world.approved(TWO_A_CHUNK)
    Account.objects.filter(code="receivable.1001").update(role="other")
    done = world.apply(batch)
    assert [*done.stopped] == [0]
    assert codes(done.stopped[0]) == ["account_away", "account_away"]
    assert [reason.facts["line"] for reason in done.stopped[0]] == [2, 3]


def test_a_member_merged_while_applying_stops_the_chunk_where_the_source_has_that(world: World) -> None:
    world.load(merged="stop")
    batch = world.approved(TWO_A_CHUNK)
    Batch.objects.filter(pk=batch.pk).update(state="applying")
    gone, stays = (Identifier.objects.get(value=number).holder for number in ("1001", "1002"))
    Holder.objects.filter(pk=gone.pk).update(merged_into=stays)
    done = world.apply(batch)
    assert set(codes(done.stopped[0])) == {"holder_merged"}
    assert [*done.stopped] == [0]


def merge(number: str, into: str) -> tuple[Holder, Holder]:
    gone, stays = (Identifier.objects.get(value=each).holder for each in (number, into))
    Holder.objects.filter(pk=gone.pk).update(merged_into=stays)
    return gone, stays


def test_records_of_a_member_merged_since_go_to_whoever_remains_and_the_entries_say_so(world: World) -> None:
    batch = world.approved(TWO_A_CHUNK)
    gone, stays = merge("1001", "1002")
    assert world.apply(batch).batch.state == "applied"
    receivable = {
        account: Account.objects.get(code=f"receivable.{account}").balances.get().amount for account in ("1001", "1002")
    }
    assert receivable == {"1001": 0, "1002": 2 * 100 + 2 * 101}
    redirected = RedirectedEntry.objects.order_by("entry__book__code", "entry__reference")
    assert {(row.named, row.holder) for row in redirected} == {(gone, stays)}
    assert [(row.entry.book.code, row.entry.reference) for row in redirected] == [
        (book, f"till:{slip}") for book in ("CARD", "POINTS") for slip in ("s0", "s0b")
    ]


def test_the_same_record_in_a_later_file_is_known_again_after_a_redirect(world: World) -> None:
    batch = world.approved(card_file([FIXED]))
    merge("1001", "1002")
    world.apply(batch)
    again = world.validate(world.receive(card_file([FIXED], sequence=2), name="till-2017-01-31-2.csv"))
    assert set(again.finding_counts) >= {"ledger.reference_exists_same"}
    assert "ledger.reference_exists_differs" not in again.finding_counts


@pytest.mark.parametrize(("draftings", "outcome"), [(3, "applied"), (1, "applying")], ids=["made again", "control"])
def test_a_merge_between_the_drafts_and_the_locks_has_the_drafts_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch, draftings: int, outcome: str
) -> None:
    batch = world.approved(card_file([FIXED]))
    merge("1001", "1002")
    survivors, seen = merges.survivors, []

    def as_before_the_merge(holder_ids: Any) -> dict[int, int]:
        seen.append(holder_ids)
        return {key: key for key in holder_ids} if len(seen) == 1 else survivors(holder_ids)

    monkeypatch.setattr(merges, "survivors", as_before_the_merge)
    monkeypatch.setattr(chunks, "DRAFTINGS_MOST", draftings)
    assert world.apply(batch).batch.state == outcome
    assert RedirectedEntry.objects.count() == {"applied": 2, "applying": 0}[outcome]


def test_card_numbers_of_a_file_name_members_and_are_kept_nowhere(world: World) -> None:
    card, unknown = "4111111111111111", "5500005555555559"
    holder = Identifier.objects.get(value="1001").holder
    members.add_identifier(
        holder_id=holder.pk, kind="card_number", value=card, reason="New card.", caller=world.caller(world.support)
    )
    sources.load(
        text=worlds.definition(set_aside=1).replace('kind = "member_number"', 'kind = "card_number"'), caller=world.caller()
    )
    batch = world.validated(card_file([FIXED._replace(member=card), FIXED._replace(member=unknown, slip="s2")]))
    assert batch.finding_counts == {"ledger.holder_unknown": 1}
    assert world.apply(world.approve(batch)).batch.state == "applied"
    assert Account.objects.get(code="receivable.1001").balances.get().amount == 150
    kept = Record.objects.get(batch=batch, line=2).values
    assert kept is not None
    assert kept[0] == "************1111"
    with connection.cursor() as cursor:
        for table in ("record", "finding", "chunk", "batch"):
            cursor.execute(f"SELECT * FROM ingestion_app_{table}")
            held = repr(cursor.fetchall())
            assert card not in held
            assert unknown not in held
    finding = Finding.objects.get(batch=batch)
    assert (finding.facts["identifier"], b"************5559" in bytes(finding.raw)) == ("************5559", True)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (lambda: Period.objects.filter(name="2017-01").update(state="provisional"), ("plan_moved", "plan_moved")),
        (lambda: Period.objects.filter(name="2017-01", book__code="POINTS").update(state="frozen"), ("plan_moved",)),
        (lambda: set_account("receivable.1001", "suspended"), ("plan_moved",)),
    ],
    ids=["provisional", "frozen", "closed"],
)
def test_what_moved_after_the_approval_refuses_the_whole(
    world: World, what: Callable[[], object], expected: tuple[str, ...]
) -> None:
    batch = world.approved()
    what()
    refused_and_untouched(world, batch, *expected)


def test_what_a_plan_rests_on_and_has_moved_is_told_in_the_readers_language(world: World) -> None:
    batch = world.approved()
    set_account("receivable.1001", "suspended")
    with translation.override("ja"), pytest.raises(Refused):
        world.apply(batch)
    for language in ("en", "ja"):
        with translation.override(language):
            (reason,) = AuditRow.objects.filter(outcome="refused").latest("id").reasons
            said = translation.gettext("account {account} in book {book} is {state}")
            what = said.format(account="receivable.1001", book="CARD", state=translation.gettext("Suspended"))
            assert what in reason["sentence"]
            assert reason["facts"]["what"] == what


def test_a_period_frozen_in_between_stops_every_chunk_that_is_left(world: World) -> None:
    batch = world.approved(TWO_A_CHUNK)
    set_account("receivable.1001", "open")
    original = chunks.apply_chunk
    seen: list[int] = []

    def freeze_after_two(**given: Any) -> Any:
        if len(seen) == 2:
            Period.objects.filter(book=world.points, name="2017-01").update(state="frozen")
        seen.append(given["leased"].chunk_id)
        return original(**given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunks, "apply_chunk", freeze_after_two)
        done = world.apply(batch)
    assert (done.applied, sorted(done.stopped)) == (2, [2, 3, 4, 5])
    assert {code for reasons in done.stopped.values() for code in codes(reasons)} == {"period_frozen"}
    assert Entry.objects.count() == 8


def test_what_another_posted_meanwhile_under_the_same_references_stops_the_chunk(world: World) -> None:
    """Two batches hold the same record, and both are applied at once: anyone who comes second posts nothing of that chunk, and says why."""
    # Where files are held against earlier ones, the second is refused when it is validated.
    sources.load(text=worlds.definition() + "\n[shape]\noff = true\n", caller=world.caller())
    first = world.approved(card_file([FIXED]))
    # With another record in it: a file of nothing but records that came before is refused when it is validated.
    held = [FIXED, FIXED._replace(slip="another")]
    second = world.begin(world.approved(card_file(held, sequence=2), name="till-2017-01-31-2.csv"))
    world.apply(first)
    before = ledger()
    done = world.apply(second)
    assert done.batch.state == "applying"
    assert codes(done.stopped[0]) == ["record_posted", "record_posted", "chunk_differs"]  # one in each book
    assert done.stopped[0][0].facts == {"line": 2, "key": "s1", "book": "CARD", "batch": first.pk}
    assert ledger() == before


@pytest.mark.parametrize("state", ["received", "validated"])
def test_what_is_not_approved_is_not_applied(world: World, state: str) -> None:
    batch = world.receive() if state == "received" else world.validated()
    refused_and_untouched(world, batch, "wrong_state")
    assert AuditRow.objects.filter(subject_id=batch.pk, action="apply", outcome="refused").count() == 1


@pytest.mark.parametrize("role", ["finance", "support"])
def test_applying_needs_the_right(world: World, role: str) -> None:
    batch = world.approved()
    with pytest.raises(Refused) as refused:
        world.apply(batch, user=getattr(world, role))
    assert codes(refused.value.reasons) == ["not_permitted"]
    assert batch.attempts.filter(step="apply").count() == 0


def test_a_database_that_stays_busy_leaves_the_batch_to_be_applied_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = world.approved()
    before = ledger()

    def busy(**_given: Any) -> None:
        raise TryAgain(cause="busy (1205)")

    with monkeypatch.context() as patched:
        patched.setattr(entries, "post", busy)
        with pytest.raises(TryAgain):
            world.apply(batch)
    batch.refresh_from_db()
    assert (batch.state, ledger() == before, set(states(batch))) == ("applying", True, {"pending"})
    assert codes(batch.attempts.get(step="apply").reasons) == ["try_again"]
    assert world.apply(batch).batch.state == "applied"


def test_what_is_missing_at_the_end_is_told_and_not_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that marks a chunk applied without its entries is caught by the recount."""
    batch = world.approved(TWO_A_CHUNK)
    Chunk.objects.filter(batch=batch, number=1).update(state="applied", applied_at=world.caller().at)
    with pytest.raises(Refused) as refused:
        world.apply(batch)
    assert set(codes(refused.value.reasons)) == {"recount_differs"}
    batch.refresh_from_db()
    assert batch.state == "applying"


def test_a_chunk_whose_rows_are_not_what_was_planned_is_not_committed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that is lost on its way to the tables, and told as written, is missed in the transaction that would commit the rest."""
    batch = world.approved(TWO_A_CHUNK)
    insert = bulk.insert_all

    def all_but_one(what: str, table: str, columns: Any, rows: Any) -> None:
        lost = 1 if what == "entries" else 2
        insert(what, table, columns, rows[:-lost])

    before = ledger()
    with monkeypatch.context() as patched:
        patched.setattr(bulk, "insert_all", all_but_one)
        patched.setattr(entries, "_assert_written", lambda *_given: None)
        with pytest.raises(WrittenDiffers) as differs:
            world.apply(batch)
    assert differs.value.facts == {"what": "entries of chunk 0 in book POINTS", "planned": 2, "found": 1}
    assert (ledger() == before, set(states(batch))) == (True, {"pending"})
    assert codes(batch.attempts.get(step="apply").reasons) == ["written_differs"]
    assert world.apply(batch).batch.state == "applied"


def test_each_posting_is_counted_once_in_an_attempt_by_whoever_applied_it_or_at_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = world.approved(TWO_A_CHUNK)
    count, counted = batches.change_of, list[int]()

    def noted(posting_id: int) -> batches.Change:
        counted.append(posting_id)
        return count(posting_id)

    monkeypatch.setattr(batches, "change_of", noted)
    set_account("points.1003", "suspended")
    Batch.objects.filter(pk=batch.pk).update(state="applying")  # the account was closed after applying began
    assert world.apply(batch).applied == 5
    earlier = [*Posting.objects.order_by("id").values_list("id", flat=True)]
    assert counted == earlier
    set_account("points.1003", "open")
    counted.clear()
    assert world.apply(batch).batch.state == "applied"
    last = Posting.objects.latest("id").pk
    assert counted == [last, *earlier]


def test_every_chunk_in_its_own_transaction_takes_a_bounded_number_of_statements(
    world: World, django_assert_max_num_queries: Any
) -> None:
    """Twice the records of a chunk take not one statement more."""

    def statements(records: int, name: str, sequence: int) -> int:
        world.load(chunk_records=1000)
        held = [FIXED._replace(slip=f"{sequence}q{number}", amount="100") for number in range(records)]
        batch = world.approved(card_file(held, sequence=sequence), name=name)
        with django_assert_max_num_queries(1000) as counted:
            assert world.apply(batch).batch.state == "applied"
        return len(counted)

    assert statements(50, NAME, 1) == statements(100, "till-2017-01-31-2.csv", 2)
