"""Anyone who changes who may do what leaves a word of it: who, what, and by which door. No key of a token is shown again, or logged."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from ledger_app.models import User
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker

LONG = "Very-long-pass-77"


@pytest.fixture
def root(make_user: UserMaker) -> User:
    return make_user("root-1", None, is_superuser=True)


@pytest.fixture
def client(root: User, client_of: ClientOf) -> Client:
    root.is_staff = True
    root.save()
    return client_of(root)


def newest_history(user: User) -> Any:
    return User.history.filter(id=user.pk).order_by("-history_id").first()


def test_a_group_given_by_form_stands_in_the_history_with_its_name_and_who_gave_it(
    client: Client, root: User, support: User
) -> None:
    groups = [str(Group.objects.get(name=name).pk) for name in ("support", "finance")]
    form = {"username": support.username, "is_active": "on", "is_staff": "on", "groups": groups}
    assert client.post(reverse("admin:ledger_app_user_change", args=[support.pk]), form).status_code == 302
    assert newest_history(support).history_user == root
    page = client.get(reverse("admin:ledger_app_user_history", args=[support.pk])).content.decode()
    assert "finance" in page.split("<main")[-1]


def test_auditors_look_at_users_groups_and_their_history_and_at_no_password(
    client: Client, auditor: User, finance: User, client_of: ClientOf
) -> None:
    finance.set_password(LONG)
    finance.save()
    support = str(Group.objects.get(name="support").pk)
    form = {"is_active": "on", "is_staff": "on", "groups": [support]}
    client.post(reverse("admin:ledger_app_user_change", args=[finance.pk]), form)
    looking = client_of(auditor)
    group = Group.objects.get(name="support")
    pages = {
        "list": reverse("admin:ledger_app_user_changelist"),
        "user": reverse("admin:ledger_app_user_change", args=[finance.pk]),
        "history": reverse("admin:ledger_app_user_history", args=[finance.pk]),
        "groups": reverse("admin:auth_group_changelist"),
        "group": reverse("admin:auth_group_change", args=[group.pk]),
    }
    shown = {name: looking.get(address) for name, address in pages.items()}
    assert {name: answer.status_code for name, answer in shown.items()} == dict.fromkeys(pages, 200)
    assert all("support" in shown[name].content.decode().split("<main")[-1].lower() for name in ("history", "group"))
    assert all(finance.username in shown[name].content.decode() for name in ("list", "user", "history", "group"))
    # Not even the beginning of how it is kept.
    hashed = finance.password.split("$")
    assert not any(part[:6] in shown["user"].content.decode() for part in (hashed[0], hashed[2], hashed[3]))
    assert looking.post(pages["user"], {**form, "reason": "x"}).status_code == 403


def test_a_right_given_past_every_group_stands_in_the_history(support: User) -> None:
    support.user_permissions.add(Permission.objects.get(codename="decide_adjustment"))
    line = newest_history(support)
    assert [each.permission.codename for each in line.user_permissions.all()] == ["decide_adjustment"]
    assert "@" in line.history_change_reason  # nobody is signed in: the account of the operating system


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_groups_are_looked_at_and_not_changed(client: Client, page: str) -> None:
    group = Group.objects.get(name="auditor")
    before = set(group.permissions.all())
    may = Permission.objects.get(codename="decide_adjustment")
    address = reverse(f"admin:auth_group_{page}", args=[] if page == "add" else [group.pk])
    data = {"name": "auditor", "permissions": [str(may.pk)], "post": "yes"}
    assert client.post(address, data).status_code == 403
    assert set(Group.objects.get(name="auditor").permissions.all()) == before


def test_a_group_shows_its_rights_and_who_is_in_it(client: Client, finance: User) -> None:
    page = client.get(reverse("admin:auth_group_change", args=[Group.objects.get(name="finance").pk])).content.decode()
    assert "ledger_app.freeze_period" in page
    assert finance.username in page
    assert client.get(reverse("admin:auth_group_changelist")).status_code == 200


def test_a_password_is_told_as_set_by_whoever_set_it_and_never_shown(client: Client, root: User, finance: User) -> None:
    address = reverse("admin:auth_user_password_change", args=[finance.pk])
    assert client.post(address, {"password1": LONG, "password2": LONG, "usable_password": "true"}).status_code == 302
    line = newest_history(finance)
    assert (line.history_user, line.history_change_reason) == (root, "password")
    finance.refresh_from_db()
    assert finance.check_password(LONG)


def test_ones_own_password_is_told_as_ones_own(client_of: ClientOf, finance: User) -> None:
    finance.set_password(LONG)
    finance.save()
    client = client_of(finance)
    new = f"{LONG}-8"
    client.post(reverse("admin:password_change"), {"old_password": LONG, "new_password1": new, "new_password2": new})
    line = newest_history(finance)
    assert (line.history_user, line.history_change_reason) == (finance, "password")


def test_a_login_writes_no_line_of_the_history(finance: User) -> None:
    finance.set_password(LONG)
    finance.save()
    last = newest_history(finance).history_id
    Client().post(reverse("admin:login"), {"username": finance.username, "password": LONG, "next": "/admin/"})
    finance.refresh_from_db()
    assert finance.last_login is not None
    assert newest_history(finance).history_id == last
