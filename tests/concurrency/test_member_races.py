"""A merge and a posting that meet on one member: with the locks no point is left behind; without them it is, and verify says so."""

import pytest
from django.contrib.auth.models import Group

from ledger_app.base.operations.audit import Caller
from ledger_app.members.operations import merges as operations
from ledger_app.members.queries import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Holder, Merge, User
from ledger_app.posting.rules import posting
from tests.concurrency.test_ledger_races import Meeting, at_once, breaches, code_of, without_locks
from tests.support import samples

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mariadb]


@pytest.fixture
def ledger():
    return samples.open_ledger(samples.machine_caller())


def caller_of(group):
    user = User.objects.create_user(username=f"{group}-1", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return Caller(user=user, at=samples.AFTER_JANUARY, door="command")


def merge_and_post(ledger, monkeypatch):
    """Merge a member whose account is empty while something is posted to it."""
    gone, stays = (ledger.accounts[f"{name}-receivable"].holder_id for name in ("M1", "M2"))
    merge = operations.propose(
        merge_queries.proposal(holder_id=gone, survivor_id=stays, reason="One."), caller=caller_of("support")
    )
    finance = caller_of("finance")
    shown = digest(merges.facts(Merge.objects.get(pk=merge.pk), user=finance.user, at=finance.at).plan.as_json()).hex()
    meeting = Meeting()
    monkeypatch.setattr(merges, "facts", meeting.after(merges.facts))
    monkeypatch.setattr(posting, "decide", meeting.before(posting.decide))
    return at_once(
        lambda: ledger.post(ledger.draft("r-1", ("M1-receivable", 10), ("sales", -10))),
        lambda: operations.approve(merge_id=merge.pk, digest_shown=shown, caller=finance),
    )


def test_a_merge_and_a_posting_at_once_leave_nothing_behind(ledger, monkeypatch):
    outcomes = [code_of(outcome) for outcome in merge_and_post(ledger, monkeypatch)]
    assert outcomes in (["Posted", "merge_moved"], ["holder_merged", "Merge"])
    assert breaches(ledger) == []


def test_without_locks_a_posting_is_left_behind_and_verify_says_so(ledger, monkeypatch):
    without_locks(monkeypatch)
    assert [code_of(outcome) for outcome in merge_and_post(ledger, monkeypatch)] == ["Posted", "Merge"]
    assert any("is a merged member's" in breach for breach in breaches(ledger))


def test_two_merges_the_other_way_round_at_once_are_one_merge(ledger):
    one, other = (ledger.accounts[f"{name}-receivable"].holder_id for name in ("M1", "M2"))
    support, finance = caller_of("support"), caller_of("finance")
    works = []
    for holder, survivor in ((one, other), (other, one)):
        merge = operations.propose(merge_queries.proposal(holder_id=holder, survivor_id=survivor, reason="One."), caller=support)
        shown = digest(merges.facts(Merge.objects.get(pk=merge.pk), user=finance.user, at=finance.at).plan.as_json()).hex()
        works.append(lambda merge=merge, shown=shown: operations.approve(merge_id=merge.pk, digest_shown=shown, caller=finance))
    outcomes = sorted(code_of(outcome) for outcome in at_once(*works))
    assert outcomes[0] == "Merge"
    assert outcomes[1] in {"merge_cycle", "member_merged"}
    assert Holder.objects.filter(merged_into__isnull=False).count() == 1
    assert breaches(ledger) == []
