"""Asked for a second time, an operation says that it is done already, or refuses by name; it never passes over in silence what it did not do."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.accounting.operations import profiles
from ledger_app.adjustments.operations import reason_codes
from ledger_app.books.operations import accounts, books
from ledger_app.close.operations import periods, policies
from ledger_app.erasures.operations import erasures, names
from ledger_app.members.operations import members, merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import AuditRow, DeadLetter, Entry, Event, Holder
from ledger_app.people.operations import people
from ledger_app.points.operations import hold_rules, holds, lot_rules
from ledger_app.programs.operations import webhooks
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_queries
from ledger_app.setting_changes import operations as setting_changes
from tests.support import adjusting, kept, lot_samples, profile_samples, samples
from tests.support.lot_samples import at
from tests.support.operations import public
from tests.support.said_twice import COUNTED, PARTS

pytestmark = pytest.mark.django_db
ALREADY = "already"


@kept.fixture
def desk(_folder):
    return adjusting.build()


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller(), code="HOLDS")
    found.gain("g-1", 100, on=date(2017, 1, 5))
    return found


def of_adjustment(name):
    def work(desk, _points):
        row = desk.propose()
        who = desk.proposer if name == "withdraw" else desk.decider
        shown = desk.shown(row)
        return lambda: desk.decide(row, name, who=who, digest_shown=shown, version=None)

    return work


def identifier(desk):
    return {"holder_id": desk.ledger.accounts["M1-receivable"].holder_id, "kind": "card_token", "value": "t-1", "reason": "x"}


def merge_row(desk):
    gone, stays = (desk.ledger.accounts[f"{name}-receivable"].holder_id for name in ("M1", "M2"))
    return merges.propose(merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One person."), caller=desk.proposer)


def reversal_row(desk):
    desk.ledger.sell("s-1", 5)
    return reversals.propose(entry_id=Entry.objects.get(reference="s-1").pk, reason="Twice.", caller=desk.proposer)


def merged(desk, _points):
    row = merge_row(desk)
    plan = merge_queries.facts(row, user=desk.decider.user, at=desk.decider.at).plan
    shown = digest(plan.as_json()).hex()
    return lambda: merges.approve(merge_id=row.pk, digest_shown=shown, caller=desk.decider)


def reversed_(desk, _points):
    row = reversal_row(desk)
    shown = reversal_queries.preview(row.entry).digest
    return lambda: reversals.approve(reversal_id=row.pk, digest_shown=shown, caller=desk.decider)


def of_setting(name):
    def make(desk, _points):
        said = {"code": "gifts", "name": "Gifts", "contra_accounts": {}}
        row = setting_changes.propose(kind="reason_code", arguments=said, reason="x", caller=desk.decider)
        given = {"change_id": row.pk, "caller": desk.decider if name == "withdraw" else desk.second}
        given |= {"reason": "x"} if name == "reject" else {}
        return lambda: getattr(setting_changes, name)(**given)

    return make


def of_erasure(name):
    def make(desk, _points):
        holder_id = identifier(desk)["holder_id"]
        row = erasures.propose(holder_id=holder_id, reason="Asked.", ticket="P-1", caller=desk.proposer)[0]
        given = {"erasure_id": row.pk, "caller": desk.proposer if name == "withdraw" else desk.decider}
        if name == "approve":
            return lambda: erasures.approve(**given, directory=Path("nowhere"))
        return lambda: erasures.end(**given, name=name, reason="x")

    return make


def asked_erasure(desk, _points):
    holder_id = identifier(desk)["holder_id"]
    return lambda: erasures.propose(holder_id=holder_id, reason="Asked.", ticket="P-1", caller=desk.proposer)


def corrected(desk, _points):
    holder_id = identifier(desk)["holder_id"]
    given = {"shown": Holder.objects.get(pk=holder_id).name, "name": "Sato", "reason": "A slip."}
    return lambda: names.correct(holder_id=holder_id, **given, caller=desk.proposer)


def proposed_merge(desk, _points):
    return lambda: merge_row(desk)


def proposed_reversal(desk, _points):
    desk.ledger.sell("s-1", 5)
    entry = Entry.objects.get(reference="s-1")
    return lambda: reversals.propose(entry_id=entry.pk, reason="Twice.", caller=desk.proposer)


def ended_merge(desk, _points):
    row = merge_row(desk)
    return lambda: merges.end(merge_id=row.pk, name="reject", reason="x", caller=desk.decider)


def rejected_reversal(desk, _points):
    row = reversal_row(desk)
    return lambda: reversals.reject(reversal_id=row.pk, reason="x", caller=desk.decider)


def withdrawn_reversal(desk, _points):
    row = reversal_row(desk)
    return lambda: reversals.withdraw(reversal_id=row.pk, caller=desk.proposer)


def held(desk, points):
    till = adjusting.person("till-1", "till", at=at(2017, 1, 10))
    wanted = holds.Wanted(
        points.accounts["M1"].pk, points.accounts["programme"].pk, 20, "order-1", datetime(2017, 1, 12, tzinfo=UTC), ""
    )
    return till, wanted


def placed(desk, points):
    till, wanted = held(desk, points)
    return lambda: holds.place(wanted=wanted, caller=till)


def released(desk, points):
    till, wanted = held(desk, points)
    hold, _new = holds.place(wanted=wanted, caller=till)
    return lambda: holds.release(hold_id=hold.pk, reason="x", caller=till)


def ended(desk, _points):
    row = members.add_identifier(**identifier(desk), caller=desk.proposer)
    return lambda: members.end_identifier(identifier_id=row.pk, active_to=date(2017, 1, 9), reason="x", caller=desk.proposer)


HERE: dict[str, Any] = {"hosts": ["receiver.example"], "may_be_here": False}


def kept_webhook(desk, _points):
    who = samples.machine_caller()
    given = webhooks.Given("shop", "https://receiver.example/")
    return lambda: webhooks.keep(given=given, caller=who, **HERE)


def of_webhook(name, **said):
    def work(desk, points):
        row, _changed = kept_webhook(desk, points)()
        who = samples.machine_caller()
        return lambda: getattr(webhooks, name)(webhook_id=row.pk, version=1, caller=who, **said)

    return work


def dead_letter(desk, points):
    row, _changed = kept_webhook(desk, points)()
    event = Event.objects.earliest("id")
    letter = DeadLetter.objects.create(webhook=row, event=event, tries=1, why="timeout", at=samples.AFTER_JANUARY)
    who = samples.machine_caller()
    return lambda: webhooks.send_again(letter_id=letter.pk, caller=who)


def calls(function, **said):
    return lambda desk, _points: lambda: function(**said, caller=desk.ledger.caller)


# Operation → what makes the call, and what it answers the second time: refusals by their codes, or that it is done already.
TWICE = {
    "adjustments.decide approve": (of_adjustment("approve"), "wrong_state"),
    "adjustments.decide reject": (of_adjustment("reject"), "wrong_state"),
    "adjustments.decide withdraw": (of_adjustment("withdraw"), "wrong_state"),
    "adjustments.propose": (lambda desk, _p: lambda: desk.propose(key="k-same"), ALREADY),
    "merges.approve": (merged, "wrong_state"),
    "merges.propose": (proposed_merge, "merge_open"),
    "merges.end": (ended_merge, "wrong_state"),
    "reversals.approve": (reversed_, "wrong_state"),
    "reversals.propose": (proposed_reversal, "entry_reversal_open"),
    "reversals.reject": (rejected_reversal, "wrong_state"),
    "reversals.withdraw": (withdrawn_reversal, "wrong_state"),
    "erasures.approve": (of_erasure("approve"), "wrong_state"),
    "erasures.end reject": (of_erasure("reject"), "wrong_state"),
    "erasures.end withdraw": (of_erasure("withdraw"), "wrong_state"),
    "erasures.propose": (asked_erasure, ALREADY),
    "names.correct": (corrected, "name_moved"),
    "setting_changes.approve": (of_setting("approve"), "wrong_state"),
    "setting_changes.reject": (of_setting("reject"), "wrong_state"),
    "setting_changes.withdraw": (of_setting("withdraw"), "wrong_state"),
    "accounts.change": (
        lambda desk, _p: (
            lambda: accounts.change(account_id=desk.ledger.accounts["cash"].pk, name="suspend", reason="x", caller=desk.decider)
        ),
        "wrong_state",
    ),
    "periods.change": (
        lambda desk, _p: (
            lambda: periods.change(period_id=desk.ledger.periods["2017-01"].pk, name="provisional", caller=desk.decider)
        ),
        "wrong_state",
    ),
    "periods.freeze": (
        lambda desk, _p: (
            lambda: periods.freeze(
                period_id=desk.ledger.periods["2017-01"].pk, controls={"entries": 1}, caller=desk.decider, code_version="t"
            )
        ),
        "wrong_state",
    ),
    "members.add_identifier": (
        lambda desk, _p: lambda: members.add_identifier(**identifier(desk), caller=desk.proposer),
        ALREADY,
    ),
    "members.end_identifier": (ended, ALREADY),
    "holds.place": (placed, ALREADY),
    "holds.release": (released, "wrong_state"),
    "books.keep_book": (calls(books.keep_book, code="K", name="K", unit="JPY", exponent=0, time_zone="UTC"), ALREADY),
    "books.open_book": (calls(books.open_book, code="N", name="N", unit="JPY", exponent=0, time_zone="UTC"), ALREADY),
    "people.register": (calls(people.register, username="u-9", password="only-for-this-test", group="support"), ALREADY),
    "reason_codes.keep": (
        lambda desk, _p: lambda: reason_codes.keep(code="x", name="X", contra_accounts={"CARD": "sales"}, caller=desk.decider),
        ALREADY,
    ),
    "reason_codes.set_limit": (
        lambda desk, _p: (
            lambda: reason_codes.set_limit(
                group="support", book="CARD", amount_most=5, two_deciders_above=1, caller=desk.administrator
            )
        ),
        ALREADY,
    ),
    "webhooks.keep": (kept_webhook, ALREADY),
    "webhooks.rotate": (of_webhook("rotate"), "stale"),
    "webhooks.replay": (of_webhook("replay", after=0), "stale"),
    "webhooks.send_again": (dead_letter, ALREADY),
    "hold_rules.set_rule": (
        lambda desk, points: (
            lambda: hold_rules.set_rule(book=points.book, given=hold_rules.HoldRuleGiven(amount_most=7), caller=desk.decider)
        ),
        ALREADY,
    ),
    "policies.set_policy": (
        lambda desk, points: (
            lambda: policies.set_policy(book=points.book, given=policies.PolicyGiven(months_ahead=1), caller=desk.decider)
        ),
        ALREADY,
    ),
    "profiles.load": (
        lambda desk, _p: lambda: profiles.load(text=profile_samples.text("yayoi"), caller=desk.decider),
        ALREADY,
    ),
    "lot_rules.set_rule": (
        lambda desk, points: (
            lambda: lot_rules.set_rule(book=points.book, role="bonus", given=lot_samples.SEVEN, caller=desk.decider)
        ),
        ALREADY,
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_second_time_is_answered(desk, points, name):
    make, expected = TWICE[name]
    call = make(desk, points)
    first = call()
    done = AuditRow.objects.filter(outcome="done").count()
    if expected == ALREADY:
        second = call()
        # The same thing, or the count or word that says that nothing is new; and nothing was written down as done.
        if isinstance(first, tuple):
            assert second in {(first[0], *[False] * (len(first) - 1)), (first[0], "already")}
        else:
            assert second in {first, False}
    else:
        with pytest.raises(errors.Refused) as refused:
            call()
        assert expected in [reason.code for reason in refused.value.reasons]
    assert AuditRow.objects.filter(outcome="done").count() == done


def test_every_operation_is_asked_twice_or_says_how_much_it_did():
    asked = {name.partition(" ")[0] for name in TWICE}
    assert public() - PARTS == asked | COUNTED.keys()
