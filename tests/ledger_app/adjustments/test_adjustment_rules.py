"""What a proposal may say, and what holds a decision back, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_app import errors
from ledger_app.adjustments.rules import adjustments as rules
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT, AdjustmentFacts, Limit, Proposal, Shown, ShownBalance, ShownLine
from ledger_app.posting.rules import forms
from ledger_app.rights.rules import rights

AT = datetime(2017, 2, 1, 9, tzinfo=UTC)
FACTS = AdjustmentFacts(
    state="proposed",
    user_name="finance-1",
    rights=frozenset({rules.DECIDE}),
    user_id=2,
    proposed_by=1,
    proposer="support-1",
    book="CARD",
    size=500,
    limit=Limit(most=5000, alone=1000),
    approved_by=frozenset(),
    at=AT,
    expires_at=AT + timedelta(days=1),
    secret_known_to=(),
    digest="d",
    digest_shown="d",
)


def reasons(name, **changes):
    return [each.code for each in ADJUSTMENT.blockers(ADJUSTMENT.transition(name), replace(FACTS, **changes))]


FREE: dict[str, tuple[str, dict[str, Any]]] = {
    "alone": ("approve", {}),
    "up to the very limit": ("approve", {"size": 1000}),
    "the first of two": ("endorse", {"size": 1001}),
    "the second of two": ("approve", {"size": 5000, "state": "endorsed", "approved_by": frozenset({3})}),
    "a rejection above the limit": ("reject", {"size": 9000}),
    "in the last instant": ("approve", {"at": AT + timedelta(days=1)}),
}
HELD: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "one's own": ("approve", {"user_id": 1}, ["own_adjustment"]),
    "one's own as the first of two": ("endorse", {"user_id": 1, "size": 1001}, ["own_adjustment"]),
    "one's own rejected": ("reject", {"user_id": 1}, ["own_adjustment"]),
    "by whose password the proposer set": ("approve", {"secret_known_to": ("support-1",)}, ["secret_of_proposer"]),
    "as the first of two by such a one": ("endorse", {"size": 1001, "secret_known_to": ("support-1",)}, ["secret_of_proposer"]),
    "a second time": ("approve", {"size": 2000, "state": "endorsed", "approved_by": frozenset({2})}, ["decided_before"]),
    "above the limit": ("approve", {"size": 5001}, ["over_limit"]),
    "without a limit": ("approve", {"limit": Limit()}, ["over_limit"]),
    "above what one decides alone": ("approve", {"size": 1001}, ["second_decider_needed"]),
    "the first of two where one suffices": ("endorse", {}, ["one_decider_suffices"]),
    "too late": ("approve", {"at": AT + timedelta(days=1, microseconds=1)}, ["proposal_expired"]),
    "what was not shown": ("approve", {"digest_shown": "e"}, ["preview_moved"]),
    "what the ledger refuses": ("approve", {"refusals": (errors.LineZero(reference="r", account="a"),)}, ["line_zero"]),
    "without the right": ("approve", {"rights": frozenset()}, ["not_permitted"]),
    "what is decided": ("approve", {"state": "rejected", "digest_shown": "e"}, ["wrong_state"]),
    "somebody else's withdrawn": ("withdraw", {"rights": frozenset({rules.PROPOSE})}, ["not_proposer"]),
    "marked too early": ("expire", {"rights": frozenset({rights.EXPIRE})}, ["proposal_not_expired"]),
}


@pytest.mark.parametrize("case", FREE)
def test_what_is_free_has_no_reasons(case):
    name, changes = FREE[case]
    assert reasons(name, **changes) == []


@pytest.mark.parametrize("case", HELD)
def test_what_is_held_back_says_why(case):
    name, changes, expected = HELD[case]
    assert reasons(name, **changes) == expected


def test_of_several_groups_the_widest_limit_counts_and_nobody_decides_alone_what_they_may_not_decide():
    assert rules.widest([Limit(100, 10), Limit(50, 50)]) == Limit(100, 50)
    assert rules.widest([Limit(10, 100)]) == Limit(10, 10)
    assert rules.widest([]) == Limit(0, 0)


@given(st.integers(-(10**17), 10**17))
def test_an_amount_is_read_as_it_is_written(amount):
    assert rules.read_amount(str(amount)) == amount


@given(st.text(max_size=12).filter(lambda text: rules.AMOUNT.fullmatch(text) is None))
def test_whatever_else_is_refused_and_never_guessed(text):
    with pytest.raises(errors.Refused, match="amount_invalid"):
        rules.read_amount(text)


@pytest.mark.parametrize("text", ["12x", "１２", "1.5", "1e3", "+5", "007", "-0", "1_000", "1,000", " 5", "5\n", "٣", ""])
def test_no_other_way_of_writing_an_amount_is_taken(text):
    with pytest.raises(errors.Refused, match="amount_invalid"):
        rules.read_amount(text)


@given(st.text(min_size=1, max_size=500), st.text(max_size=40))
def test_the_description_of_an_entry_is_always_one_that_the_ledger_takes(text, ticket):
    said = Proposal("k", "B", "a", 1, date(2017, 1, 1), "goodwill", text, ticket)
    if not rules.form_refusals(said):
        assert forms.DESCRIPTION.fullmatch(rules.description(reason=said.reason, ticket=ticket, text=text))


SHOWN = Shown(
    adjustment=7,
    version=1,
    book="CARD",
    effective_on="2017-02-01",
    lines=(ShownLine("wallet", -200), ShownLine("sales", 200)),
    balances=(ShownBalance("wallet", 700, 900),),
    lots=(),
    reason="goodwill",
    text="Why.",
    ticket="T-1",
    waives_floor=False,
    attachments=("ab a.txt",),
)


def test_the_digest_covers_all_that_is_shown():
    changes: dict[str, Any] = {
        "adjustment": 8,
        "version": 2,
        "book": "POINTS",
        "effective_on": "2017-02-02",
        "lines": (ShownLine("wallet", -201), ShownLine("sales", 201)),
        "balances": (ShownBalance("wallet", 701, 901),),
        "lots": ("1",),
        "reason": "x",
        "text": "Why?",
        "ticket": "",
        "waives_floor": True,
        "attachments": ("ab b.txt",),
    }
    others = [replace(SHOWN, **{name: value}) for name, value in changes.items()]
    assert len({each.digest() for each in [SHOWN, *others]}) == len(others) + 1
    assert replace(SHOWN).digest() == SHOWN.digest()
