"""Who signs in, out, or tries to, leaves an audit row, which shows no password, and of what is nobody's name only the beginning."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from ledger_app.base.operations.audit import Caller
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, SettingChange, User
from ledger_app.people.operations import people
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker

LONG = "Very-long-pass-77"
MISTYPED = "My-secret-pass-4242"


def rows() -> list[tuple[str, str, str, str]]:
    found = AuditRow.objects.filter(subject_type="login").order_by("id")
    return list(found.values_list("action", "outcome", "actor__username", "subject"))


def test_each_way_in_and_out_leaves_a_row(finance: User, auditor: User, client_of: ClientOf) -> None:
    finance.set_password(LONG)
    finance.save()
    client = Client(REMOTE_ADDR="127.0.0.7")
    login = reverse("admin:login")
    for name, password in ((finance.username, "wrong-one"), (MISTYPED, "x"), ("\x00", "x"), (finance.username, LONG)):
        client.post(login, {"username": name, "password": password, "next": "/admin/"})
    client.post(reverse("admin:logout"))
    told = rows()
    assert [each[:3] for each in told if each[3] == finance.username] == [
        ("log_in", "refused", "system"),
        ("log_in", "done", finance.username),
        ("log_out", "done", finance.username),
    ]
    assert ("log_in", "refused", "system", "My-…") in told
    kept = " ".join(map(str, AuditRow.objects.filter(subject_type="login").values_list("subject", "facts", "reasons", "reason")))
    assert all(secret not in kept for secret in ("wrong-one", "4242", "secret", LONG))
    assert set(AuditRow.objects.filter(subject_type="login").values_list("host", flat=True)) == {"127.0.0.7"}
    # Those who audit look at all of it, narrowed by what was done and whether it was let.
    page = client_of(auditor).get(
        reverse("admin:ledger_app_auditrow_changelist"),
        {"subject_type": "login", "outcome__exact": "refused", "action": "log_in"},
    )
    assert page.status_code == 200
    assert "My-…" in page.content.decode()


def test_passwords_that_are_set_leave_a_row_that_says_whose(client_of: ClientOf, make_user: UserMaker, finance: User) -> None:
    root = make_user("root-1", None, is_superuser=True)
    User.objects.filter(pk=root.pk).update(is_staff=True)
    root.refresh_from_db()
    address = reverse("admin:auth_user_password_change", args=[finance.pk])
    assert client_of(root).post(address, {"password1": LONG, "password2": LONG, "usable_password": "true"}).status_code == 302
    finance.refresh_from_db()
    assert finance.secret_known_to_id == root.pk
    own = {"old_password": LONG, "new_password1": f"{LONG}-8", "new_password2": f"{LONG}-8"}
    assert client_of(finance).post(reverse("admin:password_change"), own).status_code == 302
    finance.refresh_from_db()
    assert finance.check_password(f"{LONG}-8")
    assert not User.objects.filter(secret_known_to__isnull=False).exists()
    told = AuditRow.objects.filter(action="set_password").order_by("id").values_list("actor__username", "facts", "subject")
    assert list(told) == [
        ("root-1", {"own": False, "usable": True}, finance.username),
        (finance.username, {"own": True, "usable": True}, finance.username),
    ]


@pytest.fixture
def two(make_user: UserMaker) -> list[User]:
    made = [make_user(f"root-{number}", None, is_superuser=True) for number in (1, 2)]
    User.objects.filter(is_superuser=True).update(is_staff=True)
    return made


def test_the_form_of_a_user_takes_at_once_and_proposes_what_it_gives(two: list[User], finance: User, client_of: ClientOf) -> None:
    first, second = (client_of(User.objects.get(pk=user.pk)) for user in two)
    address = reverse("admin:ledger_app_user_change", args=[finance.pk])
    support = str(Group.objects.get(name="support").pk)
    form = {"username": "renamed", "first_name": "Fumiko", "is_active": "on", "is_staff": "on", "groups": [support]}
    refused = first.post(address, form, follow=True).content.decode()
    assert "needs a reason" in refused
    assert not SettingChange.objects.exists()
    assert first.post(address, {**form, "reason": "Moves."}).status_code == 302
    finance.refresh_from_db()
    assert (finance.username, finance.first_name, list(finance.groups.all())) == ("finance-1", "Fumiko", [])
    row = SettingChange.objects.get()
    page = second.get(reverse("admin:index")).content.decode()
    assert "Rights to decide" in page
    detail = second.get(reverse("admin:ledger_app_settingchange_change", args=[row.pk])).content.decode()
    assert "May log in" in detail
    step = reverse("admin:ledger_app_settingchange_transition", args=[row.pk, "approve"])
    assert first.post(step, {"version": 1}).status_code == 409
    assert second.post(step, {"version": 1}).status_code == 302
    assert [group.name for group in finance.groups.all()] == ["support"]
    # Nobody for themselves, by the same form.
    own = reverse("admin:ledger_app_user_change", args=[two[0].pk])
    told = first.post(own, {**form, "is_superuser": "on", "reason": "Me."}, follow=True).content.decode()
    assert "cannot give themselves" in told


def test_who_is_added_by_form_has_no_right_yet(two: list[User], client_of: ClientOf) -> None:
    client = client_of(User.objects.get(pk=two[0].pk))
    said = {"username": "sora", "usable_password": "true", "password1": LONG, "password2": LONG}
    assert client.post(reverse("admin:ledger_app_user_add"), said).status_code == 302
    made = User.objects.get(username="sora")
    assert (made.is_staff, made.is_superuser, made.check_password(LONG), made.secret_known_to) == (False, False, True, two[0])
    assert AuditRow.objects.get(action="register").actor == two[0]


def test_of_two_who_add_a_name_at_once_the_second_changes_nothing(
    two: list[User], client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, other = people.keep_user, Caller(two[1], datetime.now(UTC), "admin")

    def after_another(**said: Any) -> Any:
        keep(username="Sora", groups=["support"], password=f"{LONG}-8", reason="Joins.", caller=other)
        return keep(**said)

    monkeypatch.setattr(people, "keep_user", after_another)
    said = {"username": "sora", "usable_password": "true", "password1": LONG, "password2": LONG}
    answer = client_of(User.objects.get(pk=two[0].pk)).post(reverse("admin:ledger_app_user_add"), said, follow=True)
    assert "There is a user Sora already" in answer.content.decode()
    made = User.objects.get(username="Sora")
    assert (made.check_password(f"{LONG}-8"), made.secret_known_to) == (True, two[1])
    assert list(AuditRow.objects.filter(subject_type="user").values_list("action", "actor")) == [("register", two[1].pk)]
    # Nor by whatever else registers.
    with pytest.raises(Refused, match="user_there"):
        keep(username="sora", groups=[], password=LONG, caller=other, is_new=True)


def test_the_shell_makes_the_first_administrators_and_no_third(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", LONG)
    for number in (1, 2):
        call_command("createsuperuser", "--no-input", "--username", f"root-{number}", "--email", "r@example.com", verbosity=0)
    told = AuditRow.objects.filter(action="set_rights").values_list("actor__username", "subject", "facts__alone")
    assert list(told.order_by("id")) == [("system", "root-1", True), ("system", "root-2", True)]
    with pytest.raises(CommandError, match="decide on rights already"):
        call_command("createsuperuser", "--no-input", "--username", "root-3", "--email", "r@example.com", verbosity=0)
    assert not User.objects.filter(username="root-3").exists()
    User.objects.filter(username="root-2").update(secret_known_to=User.objects.get(username="root-1"))
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda _self, _prompt="": f"{LONG}-9")
    call_command("changepassword", "root-2", stdout=StringIO())
    made = User.objects.get(username="root-2")
    # An operator knows it: it is theirs to choose another, and no other user's to decide with.
    assert (made.check_password(f"{LONG}-9"), made.secret_known_to) == (True, User.objects.get(username=User.SYSTEM))
    assert AuditRow.objects.get(action="set_password").os_user
