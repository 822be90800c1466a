"""Who may do what: given by two, taken at once, and by one alone only where there is no other. Each way round it is tried."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, SettingChange, User
from ledger_app.people.operations import people
from ledger_app.people.operations.people import Kept
from ledger_app.rights.queries import granting
from ledger_app.setting_changes import operations as setting_changes

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
PASSWORD = "a-password-of-these-tests"


def caller(name: str) -> Caller:
    return Caller(User.objects.get(username=name), AT, "admin")


def administrators(count: int) -> list[Caller]:
    names = [f"root-{number}" for number in range(1, count + 1)]
    for name in names:
        User.objects.create(username=name, is_staff=True, is_superuser=True)
    return [caller(name) for name in names]


def keep(by: Caller, name: str, *groups: str, reason: str = "Joins.", **flags: bool) -> Kept:
    return people.keep_user(username=name, groups=groups, reason=reason, caller=by, flags=flags)


def codes(work: Callable[[], object]) -> list[str]:
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


def rights(name: str) -> tuple[list[str], bool, bool, bool]:
    said = granting.current(User.objects.get(username=name))
    return said["groups"], said["is_superuser"], said["is_staff"], said["is_active"]


NONE: tuple[list[str], bool, bool, bool] = ([], False, False, True)


@pytest.mark.django_db
def test_who_is_alone_gives_at_once_and_the_row_says_so() -> None:
    (root,) = administrators(1)
    kept = keep(root, "fumiko", "finance", reason="")
    assert (kept.proposed, kept.is_changed) == (None, True)
    assert rights("fumiko") == (["finance"], False, True, True)
    row = AuditRow.objects.get(action="set_rights")
    assert (row.actor, row.facts["alone"], row.facts["groups"]) == (root.user, True, [[], ["finance"]])
    assert codes(
        lambda: setting_changes.propose(kind="rights", arguments=said("fumiko", "auditor"), reason="x", caller=root)
    ) == ["nobody_else_decides"]


def said(name: str, *groups: str, **flags: bool) -> dict[str, object]:
    return {"user": name, "groups": list(groups), **flags}


@pytest.mark.django_db
def test_of_two_one_proposes_and_the_other_decides() -> None:
    first, second, third = administrators(3)
    kept = people.keep_user(username="fumiko", groups=["finance"], password=PASSWORD, reason="Joins.", caller=first)
    assert kept.proposed is not None
    assert rights("fumiko") == NONE
    row = kept.proposed
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=first)) == ["own_setting_change"]
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=Caller(second.user, AT, "api", is_program=True))) == [
        "decided_by_program"
    ]
    setting_changes.approve(change_id=row.pk, caller=second)
    assert rights("fumiko") == (["finance"], False, True, True)
    told = AuditRow.objects.get(action="set_rights")
    assert (told.actor, told.facts["proposed_by"], "alone" in told.facts) == (second.user, "root-1", False)
    # Twice, and by a third: once decided it stays.
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=third)) == ["wrong_state"]
    line = User.history.filter(username="fumiko").order_by("-history_id").first()
    assert (line.history_user, line.history_date) == (second.user, AT)


@pytest.mark.django_db
def test_what_is_given_needs_a_reason_and_nothing_happens_without() -> None:
    first, *_others = administrators(2)
    assert codes(lambda: keep(first, "sora", "support", reason=" ")) == ["reason_required"]
    assert not User.objects.filter(username="sora").exists()


@pytest.mark.django_db
def test_what_is_taken_is_taken_at_once_and_the_rest_waits() -> None:
    first, second = administrators(2)
    row = keep(first, "sora", "support").proposed
    assert row is not None
    setting_changes.approve(change_id=row.pk, caller=second)
    kept = keep(first, "sora", "finance", reason="Moves.")
    assert rights("sora")[0] == []
    assert kept.proposed is not None
    assert kept.proposed.before is not None
    assert (kept.proposed.before["groups"], kept.proposed.after["groups"]) == ([], ["finance"])
    off = keep(second, "sora", is_active=False, reason="")
    assert (off.proposed, rights("sora")[3]) == (None, False)
    # What was shown is not there any more: it is proposed anew.
    assert codes(lambda: setting_changes.approve(change_id=kept.proposed.pk, caller=second)) == ["setting_moved"]  # type: ignore[union-attr]
    back = keep(first, "sora", is_active=True, reason="Is back.")
    assert (back.proposed is not None, rights("sora")[3]) == (True, False)
    only_taken = {"kind": "rights", "arguments": said("root-2", is_superuser=False), "reason": "x"}
    assert "nothing_given" in codes(lambda: setting_changes.propose(**only_taken, caller=first))  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_nobody_gives_themselves_a_right(count: int) -> None:
    first, *others = administrators(count)
    assert codes(lambda: keep(first, "root-1", "finance", is_superuser=True)) == ["own_rights"]
    assert "own_rights" in codes(
        lambda: setting_changes.propose(kind="rights", arguments=said("root-1", "finance"), reason="x", caller=first)
    )
    if others:
        row = keep(others[0], "root-1", "finance").proposed
        assert row is not None
        assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=first)) == ["own_rights"]
        setting_changes.approve(change_id=row.pk, caller=others[1])
    # Taking one's own is nobody else's business.
    keep(first, "root-1", is_superuser=True)
    assert rights("root-1")[0] == []


@pytest.mark.django_db
def test_who_may_not_gives_and_takes_nothing() -> None:
    first, _second = administrators(2)
    User.objects.create(username="outsider")
    outsider = caller("outsider")
    for work in (
        lambda: keep(outsider, "outsider", "finance"),
        lambda: keep(outsider, "root-1"),
        lambda: people.register(username="puppet", password=PASSWORD, group="finance", caller=outsider),
        lambda: people.set_password(username="root-1", password=PASSWORD, caller=outsider),
        lambda: setting_changes.propose(kind="rights", arguments=said("outsider", "finance"), reason="x", caller=outsider),
    ):
        assert codes(work) == ["not_permitted"]
    assert codes(lambda: keep(first, User.SYSTEM, "finance")) == ["definition_conflict"]
    system = caller(User.SYSTEM)
    assert codes(lambda: people.register(username="puppet", password=PASSWORD, group="finance", caller=system)) == [
        "rights_by_two"
    ]
    assert not User.objects.filter(username="puppet").exists()


@pytest.mark.django_db
def test_nothing_is_decided_with_rights_that_are_gone() -> None:
    first, second, third = administrators(3)
    row = keep(first, "sora", "support").proposed
    assert row is not None
    keep(third, "root-1", is_superuser=False)
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=second)) == ["proposer_away"]
    # The decider came in before the right was taken: the row is asked, not the memory.
    other = keep(second, "sora", "support").proposed
    assert other is not None
    third.user.get_all_permissions()
    keep(second, "root-3", is_superuser=False)
    assert "not_permitted" in codes(lambda: setting_changes.approve(change_id=other.pk, caller=third))
    assert rights("sora") == NONE


@pytest.mark.django_db
def test_who_made_themselves_alone_gives_nothing_alone() -> None:
    first, _second = administrators(2)
    keep(first, "root-2", is_active=False, is_superuser=True)
    assert codes(lambda: keep(first, "puppet", "finance")) == ["alone_by_own_act"]
    assert codes(lambda: keep(first, "root-2", is_active=True)) == ["alone_by_own_act"]
    assert codes(lambda: keep(first, "root-1", is_superuser=False)) == ["last_administrator"]
    # An operator's new administrator makes two of them again.
    User.objects.create(username="root-3", is_superuser=True)
    row = keep(first, "root-2", is_active=True).proposed
    assert row is not None
    setting_changes.approve(change_id=row.pk, caller=caller("root-3"))
    assert User.objects.get(username="root-2").decider_ended_by is None


@pytest.mark.django_db
def test_who_set_a_password_cannot_have_its_user_decide() -> None:
    first, second, _third = administrators(3)
    people.keep_user(username="sora", groups=[], caller=first)
    made = keep(first, "sora", is_superuser=True).proposed
    assert made is not None
    setting_changes.approve(change_id=made.pk, caller=second)
    # As it may stand on a row from before it was asked.
    User.objects.filter(username="sora").update(secret_known_to=first.user)
    row = keep(first, "nobu", "support").proposed
    assert row is not None
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=caller("sora"))) == ["secret_of_proposer"]
    # Nor can anybody but the user, or an operator, set it from now on.
    for work in (
        lambda: people.set_password(username="SORA", password=PASSWORD, caller=second),
        lambda: people.set_password(username="sora", password=None, caller=second),
        lambda: people.keep_user(username="sora", groups=[], password=f"{PASSWORD}-9", caller=second),
    ):
        assert codes(work) == ["password_of_decider"]
    people.set_password(username="sora", password=f"{PASSWORD}-8", caller=caller("sora"))
    assert setting_changes.approve(change_id=row.pk, caller=caller("sora")).state == SettingChange.State.APPLIED
    people.tell_password(username="Sora", caller=caller(User.SYSTEM))
    facts = AuditRow.objects.filter(action="set_password").order_by("id").values_list("facts", flat=True)
    assert [each["own"] for each in facts] == [True, False]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_who_set_a_password_makes_no_decider_of_its_user(count: int) -> None:
    """By one alone, by a proposal, and where the password is set between the proposal and its approval."""
    first, *others = administrators(count)
    keep(first, "sora")
    people.set_password(username="sora", password=PASSWORD, caller=first)
    given: dict[str, Any] = {"groups": [], "flags": {"is_superuser": True}, "reason": "x", "caller": first}
    for work in (
        lambda: people.keep_user(username="sora", **given),
        # In one step, of somebody who is there and of somebody new.
        lambda: people.keep_user(username="sora", password=f"{PASSWORD}-7", **given),
        lambda: people.keep_user(username="nobu", password=PASSWORD, **given),
    ):
        assert codes(work) == ["secret_of_decider"]
    assert not User.objects.filter(username="nobu").exists()
    people.set_password(username="sora", password=f"{PASSWORD}-8", caller=caller("sora"))
    row = people.keep_user(username="sora", **given).proposed
    assert (row is None) == (not others)
    if row is not None:
        people.set_password(username="sora", password=PASSWORD, caller=others[1])
        assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=others[0])) == ["secret_of_decider"]
        # An operator at the shell, whom no user knows, is another way on.
        people.tell_password(username="sora", caller=caller(User.SYSTEM))
        setting_changes.approve(change_id=row.pk, caller=others[0])
    assert rights("sora")[1]
    # What is taken is taken whatever is known.
    User.objects.filter(username="sora").update(secret_known_to=first.user)
    keep(first, "sora", is_superuser=False)
    assert not rights("sora")[1]


@pytest.mark.django_db
def test_a_name_in_another_form_is_nobody_else() -> None:
    first, second = administrators(2)
    for work in (
        lambda: keep(first, "ROOT-1", "finance"),
        lambda: setting_changes.propose(kind="rights", arguments=said("Root-1", "finance"), reason="x", caller=first),
    ):
        assert "own_rights" in codes(work)
    assert codes(lambda: keep(first, "SYSTEM", "finance")) == ["definition_conflict"]
    keep(first, "sora")
    row = setting_changes.propose(kind="rights", arguments=said("SORA", "support"), reason="Joins.", caller=first)
    assert (row.setting, row.arguments["user"]) == ("sora", "sora")
    setting_changes.approve(change_id=row.pk, caller=second)
    assert rights("sora")[0] == ["support"]


@pytest.mark.django_db
def test_a_password_that_is_saved_brings_no_old_right_back() -> None:
    first, _second = administrators(2)
    stale = User.objects.get(username="root-2")
    keep(first, "root-2", is_active=False, is_superuser=False)
    stale.set_password(PASSWORD)
    stale.email = "root-2@example.com"
    stale.save()
    assert rights("root-2")[1:] == (False, True, False)
    # What was changed along with it is not dropped either.
    assert User.objects.get(username="root-2").email == "root-2@example.com"
