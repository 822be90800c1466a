"""“Why is my balance 1,234?” A member's spring, and the answer that support reads to her, line by line.

date     what                                                   points   balance
10 Jan   purchases; good until 31 March                          1,500     1,500
 5 Feb   purchases; good until 30 April                            800     2,300
20 Feb   600 are held for an order: nothing is booked                      2,300
22 Feb   the order costs 550; the other 50 are free again         −550     1,750
         January and February are frozen: the sealed balance               1,750
10 Mar   goodwill, proposed by support, approved by two            400     2,150
31 Mar   what is left of January's 1,500: 950                     −950     1,200
 5 Apr   her second card had 300; the two members are merged       300     1,500
12 Apr   a gift                                                   −266     1,234

sealed 1,750 + since (400 − 950 + 300 − 266 = −516) = 1,234
"""

from datetime import date

import pytest

from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.explain.queries import explain, statements
from ledger_app.explain.queries.statements import Span
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Hold, Merge
from ledger_app.points.operations import expiry, holds
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.support import adjusting, lot_samples, samples
from tests.support import ledger_clocks as clocks
from tests.support.lot_samples import at

TWO_MONTHS = RuleGiven(expiry="months", validity=2, breakage="breakage")


@pytest.fixture
def programme(db):
    return lot_samples.open_points(samples.machine_caller(at(2017, 1, 5)), rule=TWO_MONTHS)


def gain(programme, name, points, month, day, *, who="M1"):
    draft = programme.draft(name, points, on=date(2017, month, day), who=who)
    programme.post(draft, at=at(2017, month, day))


def an_order_is_held_and_costs_less(programme):
    wanted = holds.Wanted(
        programme.accounts["M1"].pk, programme.accounts["programme"].pk, 600, "order-1", at(2017, 3, 1), "Order 1"
    )
    hold, _new = holds.place(wanted=wanted, caller=adjusting.person("till-1", "till", at=at(2017, 2, 20)))
    till = adjusting.person("till-1", "till", at=at(2017, 2, 22))
    holds.settle(hold_id=hold.pk, amount=550, effective_on=None, caller=till)


def goodwill_is_proposed_by_one_and_approved_by_two(programme):
    when, code = at(2017, 3, 10), programme.book.code
    first, second = (adjusting.person(f"finance-{number}", "finance", at=when) for number in (1, 2))
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={code: "programme"}, caller=first)
    administrator = adjusting.person("administrator-1", None, is_superuser=True, at=when)
    reason_codes.set_limit(group="finance", book=code, amount_most=1_000, two_deciders_above=300, caller=administrator)
    said = Proposal(
        key="k-1", book=code, account="M1", amount=400, effective_on=date(2017, 3, 10), reason="goodwill", text="A late parcel."
    )
    support = adjusting.person("support-1", "support", at=when)
    row = adjustments.propose(proposal=said, caller=support, expires_at=adjusting.NEVER)
    for name, decider in (("endorse", first), ("approve", second)):
        row.refresh_from_db()
        shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
        adjustments.decide(adjustment_id=row.pk, name=name, caller=decider, digest_shown=shown)


def her_second_card_is_merged_into_the_first(programme):
    when = at(2017, 4, 5)
    gone, stays = (programme.accounts[code].holder_id for code in ("M2", "M1"))
    support, finance = adjusting.person("support-1", "support", at=when), adjusting.person("finance-1", "finance", at=when)
    row = merges.propose(
        merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One person, two cards."), caller=support
    )
    plan = merge_rows.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=when).plan
    merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)


def close(programme, month, *, entries):
    finance = adjusting.person("finance-1", "finance", at=at(2017, 4, 3))
    period = programme.book.periods.get(name=month)
    periods.freeze(period_id=period.pk, controls={"entries": entries}, caller=finance, code_version="test")


@pytest.fixture
def account(programme):
    """Her account after that spring."""
    gain(programme, "purchases-1", 1_500, 1, 10)
    gain(programme, "purchases-2", 800, 2, 5)
    gain(programme, "second-card", 300, 2, 15, who="M2")
    with clocks.stands_at(at(2017, 2, 22)):
        an_order_is_held_and_costs_less(programme)
    with clocks.stands_at(at(2017, 3, 10)):
        goodwill_is_proposed_by_one_and_approved_by_two(programme)
    close(programme, "2017-01", entries=1)
    close(programme, "2017-02", entries=3)
    system = Caller(programme.caller.user, at(2017, 4, 4), "command")
    with clocks.stands_at(system.at):
        expiry.expire(book=programme.book, through=date(2017, 3, 31), caller=system)  # run on 4 April, booked on 31 March
    her_second_card_is_merged_into_the_first(programme)
    gain(programme, "gift", -266, 4, 12)
    return Account.objects.get(book=programme.book, code="M1")


def lines(movements):
    """Return (date, kind of origin, points, balance after) as the member reads them: what she has is positive here, a credit in the books."""
    return [(f"{each.effective_on:%m-%d}", each.origin_kind, -each.amount, -each.running) for each in movements]


def test_the_explanation_adds_up_from_the_last_seal(programme, account):
    explained = explain.account(account, last=50, proves_seal=True)
    assert lines(explained.movements) == [
        ("03-10", "adjustment", 400, 2_150),
        ("03-31", "expiry", -950, 1_200),
        ("04-05", "merge", 300, 1_500),
        ("04-12", "submission", -266, 1_234),
    ]
    sums = explained.sums
    assert explained.seal is not None
    assert sums.opening is not None
    assert sums.moved is not None
    assert sums.closing is not None
    assert (explained.seal.period.name, explained.seal_holds, -sums.opening) == ("2017-02", True, 1_750)
    assert -sums.moved == 400 - 950 + 300 - 266
    assert -sums.closing == -explained.claimed == -explained.found == 1_234
    assert explained.complaints == []
    # What she has, and until when: the rest of February's and of the second card's, and the goodwill.
    assert Hold.objects.get().settled_amount == 550
    assert sum(left for _kind, left, _day in programme.open()) == 1_234
    assert programme.open() == [("free", 534, "2017-04-30"), ("free", 400, "2017-05-31"), ("free", 300, "2017-04-30")]
    assert programme.breaches() == []


def test_the_statement_of_the_spring_closes(account):
    span = Span(account, date(2017, 1, 1), date(2017, 4, 30))
    sums = statements.sums(span)
    movements = list(statements.movements(span, sums.opening))
    assert lines(movements)[:3] == [
        ("01-10", "submission", 1_500, 1_500),
        ("02-05", "submission", 800, 2_300),
        ("02-22", "hold", -550, 1_750),
    ]
    # opening + gained − gone = closing
    assert (-sums.opening, -sums.credit, -sums.debit, -sums.closing) == (0, 3_000, -1_766, 1_234)
    assert 0 + 3_000 - 1_766 == 1_234 == -movements[-1].running
    # The statement of February begins with what January ended with.
    february = statements.sums(Span(account, date(2017, 2, 1), date(2017, 2, 28)))
    assert (-february.opening, -february.closing) == (1_500, 1_750)


def test_what_was_true_on_31_march_depends_on_when_one_asks(account):
    """The expiry is dated on 31 March and was booked on 4 April: on the 1st, nobody knew."""

    def balance(known_at):
        closing = explain.account(account, at=date(2017, 3, 31), known_at=known_at, last=50).sums.closing
        assert closing is not None
        return -closing

    assert balance(at(2017, 4, 1)) == 2_150
    assert balance(at(2017, 4, 4)) == 2_150 - 950
