"""An account at any day, as known at any instant: against a model in memory, and told where a stored figure differs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_app.close.operations import periods
from ledger_app.explain.queries import explain, statements
from ledger_app.explain.queries.statements import Movement, Position, Span
from ledger_app.models import Balance, Entry, Posting
from ledger_app.posting.queries import origins
from tests.support import samples
from tests.support.reversing import reverse_entry

START = datetime(2017, 2, 1, 9, tzinfo=UTC)
FIRST = date(2017, 1, 1)


def explained(ledger, code="cash", **asked):
    account = explain.find_account(ledger.book.code, code)
    assert account is not None
    return explain.account(account, **{"last": 50, **asked})


def post(ledger, number, amount, on, at, lane=0):
    ledger.post(ledger.draft(f"r-{number}", ("settlement", amount), ("cash", -amount), on=on), at=at, lane=lane)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(
        st.tuples(st.integers(1, 900), st.integers(0, 88), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=12
    ),
    first=st.integers(0, 88),
    length=st.integers(0, 88),
    known=st.integers(-1, 21),
    limit=st.integers(1, 5),
)
def test_a_day_a_statement_and_an_instant_agree_with_a_model(db, history, first, length, known, limit):
    code = f"B{Posting.objects.count()}"
    ledger = samples.open_ledger(samples.machine_caller(), code=code)
    model = []
    for number, (amount, day, hour, lane) in enumerate(history):
        on, at = FIRST + timedelta(days=day), START + timedelta(hours=hour)
        post(ledger, number, amount, on, at, lane)
        model.append((on, number, amount, at))
    first_on, last_on = FIRST + timedelta(days=first), FIRST + timedelta(days=first + length)
    known_at = START + timedelta(hours=known)
    known_rows = sorted(row[:3] for row in model if row[3] <= known_at)
    before = sum(amount for on, _number, amount in known_rows if on < first_on)
    within = [row for row in known_rows if first_on <= row[0] <= last_on]
    span = Span(ledger.accounts["settlement"], first_on, last_on, known_at)

    sums = statements.sums(span)
    assert (sums.opening, sums.closing, sums.line_count) == (before, before + sum(row[2] for row in within), len(within))
    assert (sums.total, sums.total_count) == (sum(row[2] for row in model), len(model))
    told = [(each.effective_on, int(each.reference[2:]), each.amount) for each in statements.movements(span, sums.opening)]
    assert told == within
    paged: list[Movement] = []
    backwards: list[Movement] = []
    after: Position | None = None
    while page := statements.page(span, after=after, limit=limit):
        paged, after = paged + page, page[-1].position
    last = statements.last_page(span, limit)
    while last:
        backwards, last = last + backwards, statements.page(span, before=last[0].position, limit=limit)
    assert paged == backwards == list(statements.movements(span, sums.opening))
    assert not paged or paged[-1].running == sums.closing
    whole = explained(ledger, "settlement", at=last_on, known_at=known_at)
    assert whole.sums.closing == sum(amount for on, _number, amount in known_rows if on <= last_on)
    assert whole.complaints == []


@pytest.fixture
def sealed(ledger, checker):
    """Two sales in January, which is frozen, and one in February."""
    ledger.sell("r-1", 100)
    ledger.sell("r-2", 50, on=date(2017, 1, 20))
    periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"entries": 2}, caller=checker, code_version="test")
    ledger.sell("r-3", 7, on=date(2017, 2, 3))
    return ledger


def test_a_balance_is_the_last_sealed_one_and_the_entries_since(sealed):
    found = explained(sealed)
    assert (found.seal.period.name, found.seal_holds) == ("2017-01", None)
    assert (found.sums.opening, found.sums.closing) == (150, 157)
    assert [each.reference for each in found.movements] == ["r-3"]
    assert explained(sealed, proves_seal=True).seal_holds is True
    assert found.complaints == []


def test_before_the_seal_it_is_not_rested_upon(sealed, checker):
    within = explained(sealed, at=date(2017, 1, 15))
    assert (within.seal, within.sums.closing, within.sums.dated_later) == (None, 100, 57)
    unknown = explained(sealed, known_at=checker.at - timedelta(seconds=1))
    assert (unknown.seal, unknown.sums.closing, unknown.sums.posted_later_count) == (None, 0, 3)


def test_the_statement_of_a_span_begins_where_the_last_one_ended(sealed):
    january = statements.sums(Span(sealed.accounts["cash"], date(2017, 1, 1), date(2017, 1, 31)))
    february = statements.sums(Span(sealed.accounts["cash"], date(2017, 2, 1), date(2017, 2, 28)))
    assert (january.closing, february.opening, february.closing) == (150, 150, 157)


def test_a_reversal_on_a_later_day_is_marked(sealed, checker):
    entry = Entry.objects.get(reference="r-1")
    reverse_entry(entry_id=entry.pk, effective_on=date(2017, 2, 1), reason="Twice.", caller=checker)
    reverse_entry(entry_id=Entry.objects.get(reference="r-3").pk, effective_on=date(2017, 2, 3), reason="No.", caller=checker)
    marked = {each.reverses: each.is_prior_period for each in explained(sealed).movements if each.reverses}
    assert marked == {"r-1": True, "r-3": False}


def test_a_claim_that_differs_is_said(sealed):
    Balance.objects.filter(account=sealed.accounts["cash"]).update(amount=158)
    assert [each.code for each in explained(sealed).complaints] == ["balances_differ"]


@pytest.mark.parametrize(
    ("table", "statement", "codes"),
    [
        ("line", "UPDATE ledger_app_line SET balance_after = 1 WHERE balance_after = 157", {"chain_differs"}),
        ("line", "UPDATE ledger_app_line SET amount = 8 WHERE amount = 7", {"balances_differ", "chain_differs", "entry_differs"}),
        ("entry", "UPDATE ledger_app_entry SET description = 'x' WHERE reference = 'r-3'", {"entry_differs"}),
        ("entry", "UPDATE ledger_app_entry SET description = 'x' WHERE reference = 'r-1'", {"seal_not_recomputed"}),
        (
            "entry",
            "UPDATE ledger_app_entry SET effective_on = '2017-02-05' WHERE reference = 'r-1'",
            {"entry_differs", "seal_not_recomputed"},
        ),
    ],
)
def test_whatever_is_stored_and_does_not_recompute_is_said(sealed, tamper, table, statement, codes):
    tamper(table, statement)
    assert {each.code for each in explained(sealed, proves_seal=True).complaints} == codes


def test_every_kind_of_origin_is_told(ledger, checker):
    # The others are taken by the database from what is there alone; each is told of where it is tested.
    kinds = {"chunk", "submission", "reversal"}
    ledger.post(ledger.draft("of-chunk", ("cash", 1), ("sales", -1)), by_chunk=True)
    ledger.post(ledger.draft("of-request", ("cash", 1), ("sales", -1)))
    reverse_entry(
        entry_id=Entry.objects.get(reference="of-request").pk, effective_on=date(2017, 1, 10), reason="No.", caller=checker
    )
    told = origins.of(Entry.objects.values_list("id", flat=True))
    assert {each.kind for each in told.values()} == kinds
    assert all(each.sentence for each in told.values())


def test_more_entries_need_no_more_statements(ledger, checker):
    def cost():
        with CaptureQueriesContext(connection) as made:
            found = explained(ledger)
            origins.of(each.entry_id for each in found.movements)
        return len(made)

    ledger.sell("r-1", 1)
    reverse_entry(entry_id=Entry.objects.get().pk, effective_on=date(2017, 1, 10), reason="No.", caller=checker)
    before = cost()
    for number in range(2, 12):
        ledger.sell(f"r-{number}", number)
    reverse_entry(entry_id=Entry.objects.get(reference="r-3").pk, effective_on=date(2017, 1, 10), reason="No.", caller=checker)
    assert cost() == before


def test_a_place_that_is_beyond_everything_gives_an_empty_page(sealed):
    assert statements.page(Span(sealed.accounts["cash"]), after=Position(date(2030, 1, 1), 1), limit=5) == []
