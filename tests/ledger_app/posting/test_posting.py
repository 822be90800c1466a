"""What may be posted: each refusal, in its order, and the plan."""

import hashlib
import json
from datetime import date
from typing import Any

import pytest
from django.utils import translation

from ledger_app import errors
from ledger_app.errors.stored import stored, translated
from ledger_app.errors.units import Unit
from ledger_app.posting.rules import forms, objections, posting
from ledger_app.posting.rules.drafts import Basis, Draft, KnownEntry, LockedBook, Reversed
from ledger_app.values import sides
from ledger_app.values.balances import BALANCE_MOST, balance_id
from ledger_app.values.locked import LockedAccount, LockedPeriod
from ledger_app.values.most import AMOUNT_MOST

ON = date(2017, 1, 10)
PERIODS = (
    LockedPeriod("2016-12", date(2016, 12, 1), date(2016, 12, 31), "frozen"),
    LockedPeriod("2017-01", date(2017, 1, 1), date(2017, 1, 31), "open"),
    LockedPeriod("2017-02", date(2017, 2, 1), date(2017, 2, 28), "provisional"),
)
CASH, SALES, WALLET, CLOSED, MERGED, FOREIGN, STRIPED, PURSE = range(1, 9)


def basis(**changes):
    accounts = {
        CASH: LockedAccount("cash", 1, "asset", None, 1, "open", None),
        SALES: LockedAccount("sales", 1, "income", None, 1, "open", None),
        WALLET: LockedAccount("wallet", 1, "liability", 0, 1, "open", None),
        CLOSED: LockedAccount("closed", 1, "asset", None, 1, "closed", None),
        MERGED: LockedAccount("merged", 1, "asset", None, 1, "open", 7),
        FOREIGN: LockedAccount("foreign", 2, "asset", None, 1, "open", None),
        STRIPED: LockedAccount("striped", 1, "liability", None, 4, "open", None),
        PURSE: LockedAccount("purse", 1, "asset", 0, 1, "open", None),
    }
    balances = {balance_id(key, stripe): (0, 0) for key, row in accounts.items() for stripe in range(row.stripes)}
    content: dict[str, Any] = {"books": {1: LockedBook("CARD", PERIODS)}, "accounts": accounts, "balances": balances, "known": {}}
    return Basis(**content | changes)


def draft(reference="r-1", lines=((CASH, 100), (SALES, -100)), *, on=ON, description="", book=1, reverses=None):
    return Draft(book, on, reference, description, tuple(lines), reverses)


def codes(*drafts, by_hand=True, **changes):
    refusals, _plan = posting.decide(drafts, basis=basis(**changes), lane=0, by_hand=by_hand)
    return [refusal.code for refusal in refusals]


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (draft(book=9), "book_unknown"),
        (draft(""), "reference_invalid"),
        (draft("a b"), "reference_invalid"),
        (draft("é"), "reference_invalid"),
        (draft("line\n"), "reference_invalid"),
        (draft("x" * 101), "reference_invalid"),
        (draft(description="x" * 201), "description_invalid"),
        (draft(description="two\nlines"), "description_invalid"),
        (draft(description="nul\x00"), "description_invalid"),
        (draft(description="next line\x85"), "description_invalid"),
        (draft(description="half \ud83d"), "description_invalid"),
        (draft(lines=[(CASH, 100), (SALES, -100), (CASH, 0)]), "line_zero"),
        (draft(lines=[(CASH, 10**15 + 1), (SALES, -(10**15)), (SALES, -1)]), "amount_out_of_range"),
        (draft(lines=[(CASH, 100), (SALES, -99)]), "unbalanced"),
        (draft(lines=[(99, 100), (SALES, -100)]), "account_unknown"),
        (draft(on=date(2015, 1, 1)), "period_missing"),
        (draft(on=date(2016, 12, 31)), "period_frozen"),
        (draft(lines=[(FOREIGN, 100), (SALES, -100)]), "account_in_other_book"),
        (draft(lines=[(CLOSED, 100), (SALES, -100)]), "account_not_open"),
        (draft(lines=[(MERGED, 100), (SALES, -100)]), "holder_merged"),
        (draft(lines=[(WALLET, 1), (CASH, -1)]), "floor_broken"),
        (draft(lines=[(PURSE, -1), (CASH, 1)]), "floor_broken"),
    ],
)
def test_each_refusal_has_its_code(refused, expected):
    assert codes(refused) == [expected]


def test_a_refusal_calls_the_state_of_an_account_as_its_reader_does():
    refusals, _ = posting.decide([draft(lines=[(CLOSED, 100), (SALES, -100)])], basis=basis(), lane=0, by_hand=True)
    assert "is Closed" in refusals[0].sentence
    with translation.override("ja"):
        assert "閉鎖" in refusals[0].sentence


def test_an_entry_needs_two_lines():
    assert codes(draft(lines=[])) == ["lines_too_few"]
    assert codes(draft(lines=[(CASH, 100)])) == ["lines_too_few", "unbalanced"]


def test_a_provisional_period_takes_corrections_by_hand_only():
    late = draft(on=date(2017, 2, 1))
    assert codes(late, by_hand=False) == ["period_provisional"]
    assert codes(late, by_hand=True) == []


def test_the_limits_themselves_are_within():
    most = AMOUNT_MOST
    assert codes(draft("x" * 100, [(CASH, most), (SALES, -most)], description="あ" * 200)) == []


def test_a_balance_never_leaves_the_range_that_is_kept_exactly():
    full = basis().balances | {balance_id(CASH, 0): (BALANCE_MOST, 3)}
    assert codes(draft(lines=[(CASH, 1), (SALES, -1)]), balances=full) == ["amount_out_of_range"]


def test_all_refusals_of_a_draft_come_in_the_documented_order():
    malformed = draft("", [(99, 0), (SALES, 10**16)], description="\t")
    assert codes(malformed) == [
        "reference_invalid",
        "description_invalid",
        "line_zero",
        "amount_out_of_range",
        "unbalanced",
        "account_unknown",
    ]
    everything = draft(
        "r-1",
        [(FOREIGN, 100), (CLOSED, -50), (MERGED, -49), (WALLET, 1), (CASH, -2)],
        on=date(2016, 12, 1),
        reverses=Reversed(5, "r-5"),
    )
    assert codes(everything, reversed_by={5: "r-6"}, reversals=frozenset({5})) == [
        "already_reversed",
        "reversal_of_reversal",
        "period_frozen",
        "account_in_other_book",
        "account_not_open",
        "holder_merged",
        "floor_broken",
    ]


def test_every_refusal_of_posting_is_in_the_order_once():
    assert len(set(posting.ORDER)) == len(posting.ORDER)


def test_all_refusals_of_all_drafts_are_collected():
    assert codes(draft("a", [(CASH, 1)]), draft("b"), draft("c", on=date(2016, 12, 5))) == [
        "lines_too_few",
        "unbalanced",
        "period_frozen",
    ]


def test_a_plan_gives_each_line_its_sequence_and_the_balance_after_it():
    refusals, plan = posting.decide(
        [draft("a"), draft("b", [(CASH, 30), (CASH, -10), (SALES, -20)])],
        basis=basis(balances=basis().balances | {balance_id(CASH, 0): (7, 3)}),
        lane=0,
        by_hand=True,
    )
    assert refusals == []
    cash = [(line.sequence, line.amount, line.balance_after) for line in plan.lines if line.account_id == CASH]
    assert cash == [(4, 100, 107), (5, 30, 137), (6, -10, 127)]
    assert plan.balances == {balance_id(CASH, 0): (127, 6, 3, 120), balance_id(SALES, 0): (-120, 2, 2, -120)}
    assert len(plan.lines) == 5


@pytest.mark.parametrize("lane", [0, 1, 3, 4, 63])
def test_a_lane_picks_one_stripe_of_a_striped_account(lane):
    refusals, plan = posting.decide([draft(lines=[(CASH, 5), (STRIPED, -5)])], basis=basis(), lane=lane, by_hand=True)
    assert [line.stripe for line in plan.lines] == [0, lane % 4]
    assert refusals == []


def test_a_floor_is_asked_after_each_line_in_the_natural_direction():
    down_and_up = draft(lines=[(WALLET, 10), (WALLET, -10), (CASH, 5), (SALES, -5)])
    assert codes(down_and_up) == ["floor_broken"]
    up_and_down = draft(lines=[(WALLET, -10), (WALLET, 10), (CASH, 5), (SALES, -5)])
    assert codes(up_and_down) == []


def test_an_account_below_its_floor_may_rise_towards_it():
    low = basis().balances | {balance_id(WALLET, 0): (50, 1)}
    assert codes(draft(lines=[(WALLET, -10), (CASH, 10)]), balances=low) == []


def test_the_same_draft_twice_in_one_call_is_one_entry():
    refusals, plan = posting.decide([draft(), draft()], basis=basis(), lane=0, by_hand=True)
    assert refusals == []
    assert len(plan.entries) == 1


def test_one_reference_with_two_contents_in_one_call_names_what_differs():
    refusals, _ = posting.decide([draft(), draft(description="other", on=date(2017, 1, 11))], basis=basis(), lane=0, by_hand=True)
    assert [refusal.code for refusal in refusals] == ["reference_conflict"]
    assert str(refusals[0].facts["differs"]) == "date (2017-01-10 ≠ 2017-01-11), description ( ≠ other)"


def test_one_reference_may_stand_in_two_books():
    other = {1: LockedBook("CARD", PERIODS), 2: LockedBook("POINTS", PERIODS)}
    accounts = basis().accounts | {9: LockedAccount("sink", 2, "asset", None, 1, "open", None)}
    balances = basis().balances | {balance_id(9, 0): (0, 0)}
    second = draft(book=2, lines=[(FOREIGN, 1), (9, -1)])
    assert codes(draft(), second, books=other, accounts=accounts, balances=balances) == []


def known(on=ON, description="", lines=(("cash", 100), ("sales", -100)), reverses=""):
    fingerprint = forms.digest(
        book="CARD", effective_on=on, reference="r-1", description=description, reverses=reverses, lines=lines
    )
    content = {"date": on.isoformat(), "description": description, "reverses": reverses, "lines": [list(line) for line in lines]}
    return {(1, "r-1"): KnownEntry(77, fingerprint, content)}


def test_a_replay_is_planned_as_nothing():
    refusals, plan = posting.decide([draft()], basis=basis(known=known()), lane=0, by_hand=True)
    assert (refusals, plan.entries, plan.balances, plan.replayed) == ([], [], {}, {(1, "r-1"): 77})


def test_a_replay_is_answered_even_where_the_period_is_frozen_by_now():
    old = date(2016, 12, 5)
    assert codes(draft(on=old), known=known(on=old)) == []


@pytest.mark.parametrize(
    ("there", "named"),
    [
        (known(on=date(2017, 1, 11)), {"date"}),
        (known(description="x"), {"description"}),
        (known(lines=(("cash", 99), ("sales", -99))), {"cash", "sales"}),
        (known(lines=(("sales", -100), ("cash", 100))), {"the order of the lines"}),
        (known(lines=(("cash", 60), ("sales", -100), ("cash", 40))), {"cash"}),
        (known(reverses="r-0"), {"reverses"}),
        (
            known(on=date(2017, 1, 11), description="x", reverses="r-0", lines=()),
            {"date", "description", "reverses", "cash", "sales"},
        ),
    ],
)
def test_a_conflict_names_each_field_that_differs(there, named):
    refusals, _ = posting.decide([draft()], basis=basis(known=there), lane=0, by_hand=True)
    assert [refusal.code for refusal in refusals] == ["reference_conflict"]
    assert {str(part).split(" (")[0] for part in refusals[0].facts["differs"]} == named


def test_a_conflict_tells_amounts_in_the_unit_of_its_book_and_no_more_lines_than_can_be_read():
    refusals, _ = posting.decide([draft()], basis=basis(known=known(lines=(("cash", 99), ("sales", -99)))), lane=0, by_hand=True)
    refusals[0].keep_unit(Unit("JPY", 2))
    assert "cash (0.99 JPY ≠ 1.00 JPY), sales (\u22120.99 JPY ≠ \u22121.00 JPY)" in refusals[0].sentence
    kept = json.loads(json.dumps(stored(refusals[0])))
    assert translated(kept)["sentence"] == refusals[0].sentence
    with translation.override("ja"):
        assert translated(kept)["sentence"] == refusals[0].sentence != kept["sentence"]
    many = known(lines=tuple((f"a-{number}", number) for number in range(1, 500)))
    refusals, _ = posting.decide([draft()], basis=basis(known=many), lane=0, by_hand=True)
    assert len(refusals[0].facts["differs"]) == objections.LINES_NAMED + 1
    assert "491 more lines" in str(refusals[0].facts["differs"])


def test_an_entry_reversed_on_another_date_is_told_so():
    again = draft(reverses=Reversed(5, "r-5"))
    there = known(on=date(2017, 1, 11), reverses="r-5")
    assert codes(again, known=there, reversed_by={5: "r-1"}) == ["reference_conflict", "already_reversed"]


def test_every_sentence_of_a_refusal_can_be_said():
    refusals, _ = posting.decide([draft("{0}%s", [(99, 0)]), draft(book=3)], basis=basis(), lane=0, by_hand=True)
    assert all(refusal.sentence and refusal.as_dict()["code"] == refusal.code for refusal in refusals)
    assert "{0}%s" in errors.Refused(refusals).sentence


def test_the_natural_direction_of_each_category():
    assert [sides.natural(category, 5) for category in ("asset", "expense", "liability", "equity", "income")] == [
        5,
        5,
        -5,
        -5,
        -5,
    ]


def test_the_digest_is_over_the_documented_text():
    text = "kakutei-entry-1\nCARD\n2017-01-10\nr-1\n説明\n\ncash 100\nsales -100\n"
    given = forms.digest(
        book="CARD", effective_on=ON, reference="r-1", description="説明", reverses="", lines=[("cash", 100), ("sales", -100)]
    )
    assert given == hashlib.sha256(text.encode()).digest()
