"""Changes of settings: one proposes, another decides, and until then nothing is changed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, OperationalError, transaction

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.base.proofs import Scope
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.models import AuditRow, Profile, SettingChange, User
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import proofs as setting_proofs
from ledger_app.setting_changes import queries as asked
from tests.support import profile_samples
from tests.support.altering import unguarded

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
Said = Mapping[str, Any]
OF_POINTS = ('book = "CARD"', 'book = "PTS"')
FIRST: Mapping[str, Said] = {
    "limit": {"group": "finance", "book": "PTS", "amount_most": 900, "two_deciders_above": 50},
    "reason_code": {"code": "goodwill", "name": "Goodwill", "contra_accounts": {"PTS": "programme"}},
    "template": {"book": "PTS", "role": "points", "category": "liability", "floor": 0},
    "lot_rule": {"book": "PTS", "role": "points", "expiry": "fixed", "fixed_on": "2027-03-31", "breakage": "breakage"},
    "hold_rule": {"book": "PTS", "amount_most": 500, "targets": ["till"]},
    "close_policy": {"book": "PTS", "freeze_after_hours": 96, "controls": ["till"]},
    "profile": {"book": "PTS", "profile": "freee", "text": profile_samples.text("freee", OF_POINTS)},
}
SECOND: Mapping[str, Said] = {
    "limit": {**FIRST["limit"], "amount_most": 9_000, "day_most": 20_000},
    "reason_code": {**FIRST["reason_code"], "contra_accounts": {"PTS": "breakage"}},
    "template": {**FIRST["template"], "floor": None},
    "lot_rule": {"book": "PTS", "role": "points", "expiry": "days", "validity": 30, "breakage": "breakage"},
    "hold_rule": {"book": "PTS", "amount_most": 5_000, "amount_a_day": 9_000, "targets": []},
    "close_policy": {"book": "PTS", "provisional_after_hours": 24, "months_ahead": 2, "controls": []},
    "profile": {**FIRST["profile"], "text": profile_samples.text("freee", OF_POINTS, ("雑損失", "雑費"))},
}
WRONG: Mapping[str, tuple[Said, str]] = {
    "limit": ({**FIRST["limit"], "two_deciders_above": 901}, "limit_invalid"),
    "reason_code": ({**FIRST["reason_code"], "contra_accounts": {"PTS": "nobody"}}, "not_found"),
    "template": ({**FIRST["template"], "floor": 1}, "template_invalid"),
    "lot_rule": ({**FIRST["lot_rule"], "expiry": "never"}, "lot_rule_invalid"),
    "hold_rule": ({**FIRST["hold_rule"], "targets": ["nobody"]}, "not_found"),
    "close_policy": ({**FIRST["close_policy"], "controls": ["nobody"]}, "control_unknown"),
    "profile": ({"text": profile_samples.text("freee")}, "not_found"),
}
KINDS = list(FIRST)


def kept_lines(setting: Any) -> list[int]:
    """Return who made each line of what is kept of a setting: of a profile, each version."""
    if isinstance(setting, Profile):
        return list(setting.versions.values_list("set_by", flat=True))
    return list(setting.history.values_list("history_user", flat=True))


class Office(NamedTuple):
    """Two who may set everything, one of finance, and one who may set nothing."""

    maker: Caller
    checker: Caller
    finance: Caller
    outsider: Caller


@pytest.fixture(name="office")
def _office(db: None) -> Office:
    def caller(name: str, **given: bool) -> Caller:
        user = User.objects.create(username=name, is_staff=True, **given)
        return Caller(user, AT, "admin", request="r", os_user="o", host="h", audit_facts=(("token", "kakutei_ab"),))

    root = Caller(User.objects.get(username=User.SYSTEM), AT, "command")
    book = books.open_book(code="PTS", name="Points", unit="points", exponent=0, time_zone="UTC", caller=root)
    openings = [
        AccountOpening("programme", "programme", "expense"),
        AccountOpening("breakage", "breakage", "income"),
        AccountOpening("till", "till", "liability"),
    ]
    books.open_accounts(book=book, openings=openings, caller=root)
    made = Office(caller("maker", is_superuser=True), caller("checker", is_superuser=True), caller("finance"), caller("outsider"))
    made.finance.user.groups.add(Group.objects.get(name="finance"))
    return made


def propose(kind: str, arguments: Said, caller: Caller) -> SettingChange:
    return setting_changes.propose(kind=kind, arguments=arguments, reason="As agreed.", caller=caller)


def codes(work: Callable[[], object]) -> list[str]:
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


def in_force(kind: str, arguments: Said, office: Office) -> SettingChange:
    return setting_changes.approve(change_id=propose(kind, arguments, office.maker).pk, caller=office.checker)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proposal_changes_nothing_and_an_approval_by_another_puts_it_in_force(office: Office, kind: str) -> None:
    row = propose(kind, FIRST[kind], office.maker)
    assert (row.state, row.before, asked.current(kind, FIRST[kind])) == ("proposed", None, None)
    done = setting_changes.approve(change_id=row.pk, caller=office.checker, note="Seen.")
    assert (done.state, done.decided_by) == ("applied", office.checker.user)
    assert asked.current(kind, FIRST[kind]) == row.after
    later = propose(kind, SECOND[kind], office.maker)
    assert later.before == row.after
    assert asked.current(kind, FIRST[kind]) == row.after
    setting_changes.approve(change_id=later.pk, caller=office.checker)
    assert asked.current(kind, FIRST[kind]) == later.after != row.after


@pytest.mark.parametrize("kind", KINDS)
def test_the_audit_row_and_the_history_of_the_setting_name_both(office: Office, kind: str) -> None:
    row = in_force(kind, FIRST[kind], office)
    setting = asked.row_of(kind, FIRST[kind])
    told = AuditRow.objects.exclude(subject_type="setting").get(subject_id=setting.pk, actor=office.checker.user)
    assert (told.facts["proposed_by"], told.facts["setting_change"]) == ("maker", row.pk)
    # And the token that the decider came by, as each row of the caller does.
    assert (told.os_user, told.host, told.facts["token"]) == ("o", "h", "kakutei_ab")
    assert kept_lines(setting) == [office.checker.user.pk]
    own = AuditRow.objects.filter(subject_type="setting", subject_id=row.pk).order_by("id")
    assert [(each.action, each.actor.username, each.to_state) for each in own] == [
        ("propose", "maker", ""),
        ("approve", "checker", "applied"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_decides_what_they_proposed_superusers_included(office: Office, kind: str) -> None:
    row = propose(kind, FIRST[kind], office.maker)
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.maker)) == ["own_setting_change"]
    assert codes(lambda: setting_changes.reject(change_id=row.pk, reason="No.", caller=office.maker)) == ["own_setting_change"]
    assert asked.current(kind, FIRST[kind]) is None
    assert AuditRow.objects.filter(subject_type="setting", subject_id=row.pk, outcome="refused").count() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_not_set_it_neither_proposes_nor_decides(office: Office, kind: str) -> None:
    system = Caller(User.objects.get(username=User.SYSTEM), AT, "command")
    row = propose(kind, FIRST[kind], office.maker)
    for who in (office.outsider, system, *([office.finance] if kind == "limit" else [])):
        assert codes(lambda who=who: propose(kind, FIRST[kind], who)) == ["not_permitted"]  # type: ignore[misc]
        assert "not_permitted" in codes(lambda who=who: setting_changes.approve(change_id=row.pk, caller=who))  # type: ignore[misc]
        assert "not_permitted" in codes(lambda who=who: setting_changes.reject(change_id=row.pk, reason="No.", caller=who))  # type: ignore[misc]
    assert asked.current(kind, FIRST[kind]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rejected_or_withdrawn_changes_nothing_and_is_decided_no_more(office: Office, kind: str) -> None:
    rejected, withdrawn = (propose(kind, FIRST[kind], office.maker) for _ in range(2))
    assert codes(lambda: setting_changes.reject(change_id=rejected.pk, reason=" ", caller=office.checker)) == ["reason_required"]
    assert setting_changes.reject(change_id=rejected.pk, reason="Too much.", caller=office.checker).state == "rejected"
    assert codes(lambda: setting_changes.withdraw(change_id=withdrawn.pk, caller=office.checker)) == ["not_proposer"]
    assert setting_changes.withdraw(change_id=withdrawn.pk, caller=office.maker).state == "withdrawn"
    for row in (rejected, withdrawn):
        assert codes(lambda row=row: setting_changes.approve(change_id=row.pk, caller=office.checker)) == ["wrong_state"]  # type: ignore[misc]
    assert asked.current(kind, FIRST[kind]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_any_more_what_was_shown_is_refused(office: Office, kind: str) -> None:
    stale = propose(kind, FIRST[kind], office.maker)
    in_force(kind, SECOND[kind], office)
    there = asked.current(kind, FIRST[kind])
    assert codes(lambda: setting_changes.approve(change_id=stale.pk, caller=office.checker)) == ["setting_moved"]
    assert asked.current(kind, FIRST[kind]) == there
    assert setting_changes.reject(change_id=stale.pk, reason="Old.", caller=office.checker).state == "rejected"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_approved_once(office: Office, kind: str) -> None:
    row = in_force(kind, FIRST[kind], office)
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.checker)) == ["wrong_state"]
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.checker, version=1))[0] == "stale"
    assert len(kept_lines(asked.row_of(kind, FIRST[kind]))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_operation_would_refuse_is_not_proposed_and_a_trial_leaves_nothing(office: Office, kind: str) -> None:
    wrong, code = WRONG[kind]
    before = AuditRow.objects.count()
    assert codes(lambda: propose(kind, wrong, office.maker)) == [code]
    assert (SettingChange.objects.count(), AuditRow.objects.count()) == (0, before)
    assert asked.current(kind, FIRST[kind]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_says_already_is_no_change(office: Office, kind: str) -> None:
    in_force(kind, FIRST[kind], office)
    assert codes(lambda: propose(kind, FIRST[kind], office.maker)) == ["setting_unchanged"]


@pytest.mark.parametrize("kind", KINDS)
def test_who_proposed_must_still_be_one_who_may(office: Office, kind: str) -> None:
    row = propose(kind, FIRST[kind], office.maker)
    User.objects.filter(pk=office.maker.user.pk).update(is_superuser=False)
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.checker)) == ["proposer_away"]
    assert asked.current(kind, FIRST[kind]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_not_come_out_as_shown_is_undone(office: Office, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = propose(kind, FIRST[kind], office.maker)
    real = setting_changes.SETTERS[kind]
    moved = {**setting_changes.SETTERS, kind: lambda _said, caller: real(SECOND[kind], caller)}
    monkeypatch.setattr(setting_changes, "SETTERS", moved)
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.checker)) == ["setting_moved"]
    assert (asked.current(kind, FIRST[kind]), SettingChange.objects.get(pk=row.pk).state) == (None, "proposed")


def test_a_reason_is_needed(office: Office) -> None:
    for reason, code in (("  ", "reason_required"), ("x" * 501, "reason_too_long")):
        given: dict[str, Any] = {"kind": "limit", "arguments": FIRST["limit"], "reason": reason, "caller": office.maker}
        assert codes(lambda given=given: setting_changes.propose(**given)) == [code]  # type: ignore[misc]


def test_a_reason_code_that_was_shown_in_another_version_is_stale(office: Office) -> None:
    in_force("reason_code", FIRST["reason_code"], office)
    given: dict[str, Any] = {"arguments": SECOND["reason_code"], "reason": "x", "caller": office.maker}
    assert codes(lambda: setting_changes.propose(kind="reason_code", version=7, **given)) == ["stale"]
    row = setting_changes.propose(kind="reason_code", version=1, **given)
    assert "version" not in row.arguments


@pytest.mark.parametrize("name", ["", "a\x00b", "\ud800", "ｘ", "x" * 300])
def test_an_odd_name_names_nothing(office: Office, name: str) -> None:
    for kind, column in (
        ("limit", "group"),
        ("limit", "book"),
        ("reason_code", "code"),
        ("lot_rule", "role"),
        ("template", "book"),
    ):
        assert codes(lambda kind=kind, column=column: propose(kind, {**FIRST[kind], column: name}, office.maker))  # type: ignore[misc]
    assert SettingChange.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_verification_finds_nothing_of_what_was_done_and_something_of_what_was_not(office: Office) -> None:
    row = in_force("limit", FIRST["limit"], office)
    assert not [breach for invariant in setting_proofs.INVARIANTS for breach in invariant.breaches(Scope([]))]
    SettingChange.objects.filter(pk=propose("template", FIRST["template"], office.maker).pk).update(version=2)
    with unguarded(table="ledger_app_settingchange") as cursor:
        cursor.execute("UPDATE ledger_app_settingchange SET decided_by_id = proposed_by_id WHERE id = %s", [row.pk])
        cursor.execute("UPDATE ledger_app_settingchange SET setting = 'x', kind = 'template' WHERE id = %s", [row.pk])
        found = {invariant.number for invariant in setting_proofs.INVARIANTS if list(invariant.breaches(Scope([])))}
        # MySQL asks every row when its checks are switched on again.
        cursor.execute("UPDATE ledger_app_settingchange SET decided_by_id = %s WHERE id = %s", [row.decided_by_id, row.pk])
    assert found == {8, 9, 12}


@pytest.mark.parametrize("column", ["kind", "setting", "arguments", "before", "after", "digest", "reason", "proposed_by_id"])
def test_what_was_proposed_is_never_rewritten_and_what_was_decided_not_touched(office: Office, column: str) -> None:
    row = propose("limit", FIRST["limit"], office.maker)
    value = {"digest": b"1" * 32, "proposed_by_id": office.finance.user.pk, "kind": "template"}.get(column, "x")
    with pytest.raises((IntegrityError, OperationalError), match="refuses this UPDATE"), transaction.atomic():
        SettingChange.objects.filter(pk=row.pk).update(**{column: value})
    for wrong in ({"state": "proposed"}, {"decided_by": None}):
        done = setting_changes.reject(
            change_id=propose("template", FIRST["template"], office.maker).pk, reason="x", caller=office.checker
        )
        with pytest.raises((IntegrityError, OperationalError), match="refuses this UPDATE"), transaction.atomic():
            SettingChange.objects.filter(pk=done.pk).update(**wrong)
    with pytest.raises((IntegrityError, OperationalError), match="refuses this DELETE"), transaction.atomic():
        SettingChange.objects.filter(pk=row.pk).delete()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_same", [True, False])
def test_what_somebody_else_made_meanwhile_is_no_doing_of_the_decision(
    office: Office, kind: str, is_same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that was not there cannot be locked. Anyone who finds it made leaves it, and says so, even where it says the same."""
    row = propose(kind, FIRST[kind], office.maker)
    real, other = setting_changes.SETTERS[kind], (FIRST if is_same else SECOND)[kind]

    def after_somebody_else(said: Said, caller: Caller) -> bool:
        real(other, office.maker)
        return real(said, caller)

    monkeypatch.setattr(setting_changes, "SETTERS", {**setting_changes.SETTERS, kind: after_somebody_else})
    assert codes(lambda: setting_changes.approve(change_id=row.pk, caller=office.checker)) == ["setting_moved"]
    assert SettingChange.objects.get(pk=row.pk).state == "proposed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_setter_says_whether_it_made_the_setting(office: Office, kind: str) -> None:
    assert [setting_changes.SETTERS[kind](said[kind], office.maker) for said in (FIRST, FIRST, SECOND)] == [True, False, False]
