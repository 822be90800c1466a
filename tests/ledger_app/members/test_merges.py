"""Members that become one: what moves, what is refused, and what undoing it does."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction

from ledger_app.admin.accounts import member_number
from ledger_app.base import proofs
from ledger_app.books.operations import accounts as account_operations
from ledger_app.books.operations import books
from ledger_app.errors import Refused
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, AuditRow, Balance, Entry, Holder, Identifier, Line, Merge, MovedIdentifier, Period
from tests.support import samples

CARD = "4111111111111111"


@pytest.fixture
def support_caller(support, caller_of):
    return caller_of(support, at=samples.AFTER_JANUARY)


@pytest.fixture
def finance_caller(finance, caller_of):
    return caller_of(finance, at=samples.AFTER_JANUARY)


@pytest.fixture
def members(ledger):
    """M1 and M2 have receivables of 70 and 30; M3 has points, and M1 has points too."""
    book = ledger.book.code
    opening = books.AccountOpening
    books.open_members(
        openings=[
            books.MemberOpening(
                "M3", ((book, opening("M3-points", "points", "liability", floor=0)),), name="M3", card_numbers=(CARD,)
            )
        ],
        caller=ledger.caller,
    )
    m1 = Account.objects.get(code="M1-receivable").holder
    ledger.accounts.update({account.code: account for account in Account.objects.all()})
    ledger.post(
        ledger.draft("r1", ("M1-receivable", 70), ("sales", -70)),
        ledger.draft("r2", ("M2-receivable", 30), ("sales", -30)),
        ledger.draft("r3", ("cash", 50), ("M3-points", -50)),
    )
    found = {account.code[:2]: account.holder for account in Account.objects.filter(holder__isnull=False)}
    assert found["M1"] == m1
    return found


def total(holder, role):
    return sum(Balance.objects.filter(account__holder=holder, account__role=role).values_list("amount", flat=True))


def propose(members, caller, gone="M1", stays="M2", **more):
    return merges.propose(
        queries.proposal(holder_id=members[gone].pk, survivor_id=members[stays].pk, reason="One person.", **more), caller=caller
    )


def shown(merge, caller):
    return digest(queries.facts(Merge.objects.get(pk=merge.pk), user=caller.user, at=caller.at).plan.as_json()).hex()


def approve(merge, caller, digest_shown=None):
    return merges.approve(merge_id=merge.pk, digest_shown=digest_shown or shown(merge, caller), caller=caller)


def refused(work):
    with pytest.raises(Refused) as caught:
        work()
    return [reason.code for reason in caught.value.reasons]


def breaches(ledger):
    return [breach for invariant in proofs.invariants() for breach in invariant.breaches(proofs.Scope([ledger.book]))]


def test_points_and_identifiers_move_and_the_member_points_to_who_remains(ledger, members, support_caller, finance_caller):
    merge = approve(propose(members, support_caller), finance_caller)
    gone, stays = (Holder.objects.get(pk=members[name].pk) for name in ("M1", "M2"))
    assert (merge.state, gone.merged_into) == ("done", stays)
    assert (total(gone, "receivable"), total(stays, "receivable")) == (0, 100)
    entry = Entry.objects.get(posting__origin_kind="merge", posting__origin_id=merge.pk)
    assert (entry.reference, entry.effective_on) == (f"merge:{merge.pk}:receivable", date(2017, 2, 1))
    assert sorted(entry.lines.values_list("account__code", "amount")) == [("M1-receivable", -70), ("M2-receivable", 70)]
    assert set(stays.identifiers.values_list("value", flat=True)) == {"CARD-M1", "CARD-M2"}
    moved = MovedIdentifier.objects.get(merge=merge)
    assert (moved.identifier.value, moved.from_holder, moved.to_holder) == ("CARD-M1", gone, stays)
    assert breaches(ledger) == []


def test_an_account_that_the_member_who_remains_lacks_is_opened(ledger, members, support_caller, finance_caller):
    merge = approve(propose(members, support_caller, "M3", "M1"), finance_caller)
    opened = Account.objects.get(holder=members["M1"], role="points")
    assert (opened.code, opened.category, opened.floor, total(members["M1"], "points")) == (
        f"M3-points.m{merge.pk}",
        "liability",
        0,
        -50,
    )
    assert Identifier.objects.get(kind="card_number").holder == members["M1"]
    assert breaches(ledger) == []


def test_merges_chain_and_never_close_a_circle(ledger, members, support_caller, finance_caller):
    approve(propose(members, support_caller, "M1", "M2"), finance_caller)
    approve(propose(members, support_caller, "M2", "M3"), finance_caller)
    m1, m2, m3 = (members[name].pk for name in ("M1", "M2", "M3"))
    assert queries.survivors([m1, m2, m3]) == {m1: m3, m2: m3, m3: m3}
    assert refused(lambda: propose(members, support_caller, "M3", "M1")) == ["merge_cycle"]
    assert refused(lambda: propose(members, support_caller, "M1", "M3")) == ["member_merged"]
    assert breaches(ledger) == []
    assert AuditRow.objects.filter(action="propose_merge", outcome="refused").count() == 2


def test_the_same_point_cannot_be_proposed_twice_nor_a_member_merged_into_itself(members, support_caller):
    propose(members, support_caller)
    assert refused(lambda: propose(members, support_caller, "M1", "M3")) == ["merge_open"]
    assert refused(lambda: propose(members, support_caller, "M2", "M2")) == ["merge_into_itself"]
    assert refused(
        lambda: merges.propose(queries.proposal(holder_id=members["M1"].pk, survivor_id=10**9, reason="x"), caller=support_caller)
    ) == ["not_found"]


def test_nobody_decides_their_own_superusers_included(members, make_user, caller_of, support_caller):
    root = caller_of(make_user("root", "finance", is_superuser=True), at=samples.AFTER_JANUARY)
    merge = propose(members, root)
    assert refused(lambda: approve(merge, root)) == ["merge_decided_by_proposer"]
    assert refused(lambda: merges.end(merge_id=merge.pk, name="reject", reason="No.", caller=root)) == [
        "merge_decided_by_proposer"
    ]
    assert refused(lambda: approve(merge, support_caller)) == ["not_permitted"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Merge.objects.filter(pk=merge.pk).update(
            state="done", decided_by=root.user, decided_at=root.at, decided_digest=merge.digest, decided_preview={}
        )


def test_a_decision_is_bound_to_what_was_shown(ledger, members, support_caller, finance_caller):
    merge = propose(members, support_caller)
    before = shown(merge, finance_caller)
    ledger.post(ledger.draft("r9", ("M1-receivable", 1), ("sales", -1)))
    assert refused(lambda: approve(merge, finance_caller, before)) == ["merge_moved"]
    assert refused(lambda: approve(merge, finance_caller, "no digest")) == ["merge_moved"]
    assert approve(merge, finance_caller).state == "done"
    assert refused(lambda: approve(merge, finance_caller, before))[0] == "wrong_state"


def test_a_rejected_or_withdrawn_proposal_moves_nothing_and_frees_the_member(ledger, members, support_caller, finance_caller):
    rejected = propose(members, support_caller)
    merges.end(merge_id=rejected.pk, name="reject", reason="Two people.", caller=finance_caller)
    withdrawn = propose(members, support_caller)
    merges.end(merge_id=withdrawn.pk, name="withdraw", reason="Mistyped.", caller=support_caller)
    assert refused(lambda: merges.end(merge_id=withdrawn.pk, name="reject", reason="x", caller=finance_caller)) == ["wrong_state"]
    assert refused(
        lambda: merges.end(merge_id=propose(members, support_caller).pk, name="reject", reason="", caller=finance_caller)
    ) == ["reason_required"]
    assert total(members["M1"], "receivable") == 70
    assert breaches(ledger) == []


def test_what_the_accounts_refuse_is_named_before_anything_moves(ledger, members, support_caller, finance_caller):
    Account.objects.filter(code="M2-receivable").update(category="expense")
    assert refused(lambda: propose(members, support_caller)) == ["merge_accounts_differ"]
    Account.objects.filter(code="M2-receivable").update(category="asset")
    account_operations.change(
        account_id=ledger.accounts["M2-receivable"].pk, name="suspend", reason="Looked into.", caller=support_caller
    )
    assert refused(lambda: propose(members, support_caller)) == ["merge_account_not_open"]
    account_operations.change(
        account_id=ledger.accounts["M2-receivable"].pk, name="reopen", reason="Fine.", caller=finance_caller
    )
    Account.objects.filter(code="M3-points").update(floor=10)
    assert refused(lambda: propose(members, support_caller, "M3", "M1")) == ["merge_floor_broken"]
    Period.objects.update(state="frozen")
    assert refused(lambda: propose(members, support_caller)) == ["merge_period_not_open"]
    assert Line.objects.filter(entry__posting__origin_kind="merge").count() == 0


def test_undoing_opens_a_new_member_and_rewrites_nothing(ledger, members, support_caller, finance_caller):
    merge = approve(propose(members, support_caller), finance_caller)
    undoing = merges.propose(queries.undoing(merge_id=merge.pk, reason="Two people after all."), caller=support_caller)
    assert refused(lambda: merges.propose(queries.undoing(merge_id=merge.pk, reason="Again."), caller=support_caller)) == [
        "merge_open"
    ]
    undoing = approve(undoing, finance_caller)
    gone, new = Holder.objects.get(pk=members["M1"].pk), undoing.survivor
    assert gone.merged_into == members["M2"]
    assert new.name == gone.name != members["M2"].name
    assert (total(new, "receivable"), total(members["M2"], "receivable")) == (70, 30)
    assert Identifier.objects.get(value="CARD-M1").holder == new
    # What still names the old member goes to the new one.
    assert queries.survivors([gone.pk]) == {gone.pk: new.pk}
    assert refused(lambda: merges.propose(queries.undoing(merge_id=undoing.pk, reason="x"), caller=support_caller)) == [
        "merge_not_done"
    ]
    assert breaches(ledger) == []


def test_undoing_gives_back_what_is_stated_and_no_more_than_there_is(ledger, members, support_caller, finance_caller):
    merge = approve(propose(members, support_caller, "M3", "M1"), finance_caller)
    book = ledger.book.code

    def undo(*amounts):
        return merges.propose(queries.undoing(merge_id=merge.pk, reason="x", amounts=amounts), caller=support_caller)

    assert refused(lambda: undo((book, "points", 51))) == ["merge_amount_beyond"]
    assert refused(lambda: undo((book, "receivable", 1))) == ["merge_amount_invalid"]
    assert refused(lambda: undo((book, "points", 1), (book, "points", 1))) == ["merge_amount_invalid"]
    assert refused(lambda: undo((book, "points", 0))) == ["merge_amount_invalid"]
    undone = approve(undo((book, "points", 20)), finance_caller)
    assert (total(undone.survivor, "points"), total(members["M1"], "points")) == (-20, -30)
    assert breaches(ledger) == []


def test_undoing_gives_away_nothing_that_the_merge_did_not_move(ledger, members, support_caller, finance_caller):
    merge = approve(propose(members, support_caller), finance_caller)
    # M2 has 100 now, of which 70 came.
    for amount in (71, 100, 99_999):
        wanted = queries.undoing(merge_id=merge.pk, reason="x", amounts=[(ledger.book.code, "receivable", amount)])
        assert refused(partial(merges.propose, wanted, caller=support_caller)) == ["merge_amount_beyond"]


@pytest.mark.parametrize(
    "what", ["away", "other", "itself", "into merged", "deleted", "merge changed", "merge deleted", "move changed"]
)
def test_the_database_refuses_what_the_code_refuses(members, support_caller, finance_caller, what):
    merge = approve(propose(members, support_caller), finance_caller)
    holders = Holder.objects.filter(pk=members["M1"].pk)
    third = Holder.objects.filter(pk=members["M3"].pk)
    attempts = {
        "away": lambda: holders.update(merged_into=None),
        "other": lambda: holders.update(merged_into=members["M3"]),
        "itself": lambda: third.update(merged_into=members["M3"]),
        "into merged": lambda: third.update(merged_into=members["M1"]),
        "deleted": lambda: Holder.objects.filter(pk=Holder.objects.create(opened_at=finance_caller.at).pk).delete(),
        "merge changed": lambda: Merge.objects.filter(pk=merge.pk).update(reason="Other."),
        "merge deleted": lambda: Merge.objects.filter(pk=merge.pk)._raw_delete("default"),
        "move changed": lambda: MovedIdentifier.objects.update(to_holder=members["M3"]),
    }
    with pytest.raises(DatabaseError), transaction.atomic():
        attempts[what]()


@pytest.mark.parametrize(
    "changed",
    [{"undoes": 1}, {"amounts": [["POINTS", "points", 1]]}, {"effective_on": date(2017, 1, 9)}, {"preview": {"moves": []}}],
    ids=lambda changed: next(iter(changed)),
)
def test_what_was_proposed_never_changes(members, support_caller, changed):
    merge = propose(members, support_caller)
    given = {name: merge.pk if name == "undoes" else value for name, value in changed.items()}
    with pytest.raises(DatabaseError), transaction.atomic():
        Merge.objects.filter(pk=merge.pk).update(**given)


def test_a_merge_begins_as_a_proposal_and_is_withdrawn_by_its_proposer_alone(
    members, support_caller, finance_caller, make_user, caller_of
):
    merge = propose(members, support_caller)
    other = caller_of(make_user("support-2", "support"))
    assert refused(lambda: merges.end(merge_id=merge.pk, name="withdraw", reason="x", caller=other)) == ["not_proposer"]
    merge.pk, merge.state, merge.holds_holder = None, "withdrawn", None
    with pytest.raises(DatabaseError), transaction.atomic():
        merge.save()


def test_verify_names_a_merge_that_nobody_recorded_and_a_balance_left_behind(ledger, members):
    Holder.objects.filter(pk=members["M1"].pk).update(merged_into=members["M2"])
    found = breaches(ledger)
    assert any("its merge says" in breach for breach in found)
    assert any("M1-receivable is a merged member's" in breach for breach in found)


def test_a_decision_covers_the_day_of_the_entries(members, support_caller, finance_caller):
    merge = propose(members, support_caller)
    seen = shown(merge, finance_caller)
    morning = replace(finance_caller, at=finance_caller.at + timedelta(days=1))
    assert refused(lambda: approve(merge, morning, seen)) == ["merge_moved"]
    approve(merge, morning)
    posted = Entry.objects.get(posting__origin_kind="merge").effective_on.isoformat()
    decided = Merge.objects.get(pk=merge.pk).decided_preview
    assert decided is not None
    assert decided["days"] == {"CARD": posted}


def test_a_member_is_called_by_a_number_of_its_own_wherever_the_numbers_went(members, support_caller, finance_caller):
    approve(propose(members, support_caller), finance_caller)
    merge = approve(propose(members, support_caller, "M2", "M3"), finance_caller)
    assert [member_number(Holder.objects.get(pk=members[name].pk)) for name in ("M1", "M2", "M3")] == ["CARD-M1", "CARD-M2", "M3"]
    undoing = merges.propose(queries.undoing(merge_id=merge.pk, reason="Two people after all."), caller=support_caller)
    assert member_number(approve(undoing, finance_caller).survivor) == "CARD-M2"
    assert member_number(Holder.objects.get(pk=members["M3"].pk)) == "M3"
