"""Users are registered by the API as by the page and the command: what gives a right takes two, and no password is sent or told."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from rest_framework.test import APIClient

from ledger_app.models import AuditRow, SettingChange, User
from tests.api.conftest import ClientOf, is_problem
from tests.support.world import World

USERS = "/api/v1/users/"
NEW = {"username": "till-9", "groups": ["till"], "reason": "The till of shop 9."}


@pytest.fixture
def second(world: World) -> User:
    """A second administrator, so that nobody is alone; and a third, so that one of the two may be changed."""
    User.objects.create(username="administrator-3", is_staff=True, is_superuser=True)
    return User.objects.create(username="administrator-2", is_staff=True, is_superuser=True)


@pytest.fixture
def root(world: World, client_of: ClientOf) -> APIClient:
    return client_of(world.superuser)


def test_a_user_is_registered_and_another_gives_the_groups(root: APIClient, second: User, client_of: ClientOf) -> None:
    made = root.post(USERS, NEW)
    user = User.objects.get(username="till-9")
    assert (made.status_code, made["Location"]) == (201, f"http://testserver{USERS}{user.pk}/")
    said = made.json()
    proposed = SettingChange.objects.get()
    assert said == {
        "id": user.pk,
        "username": "till-9",
        "groups": [],
        "is_superuser": False,
        "is_staff": False,
        "is_active": True,
        "changed": True,
        "proposed": proposed.pk,
    }
    assert not user.has_usable_password()
    assert AuditRow.objects.get(action="register").door == "api"
    approve = f"/api/v1/setting-changes/{proposed.pk}/transitions/approve/"
    assert is_problem(root.post(approve, {"version": 1}), 409, "own_setting_change")
    assert client_of(second).post(approve, {"version": 1}).status_code == 200
    assert root.get(f"{USERS}{user.pk}/").json()["groups"] == ["till"]
    assert "till-9" in [each["username"] for each in root.get(USERS, {"page_size": 1000}).json()["results"]]


def test_the_same_asked_again_changes_and_proposes_nothing(root: APIClient, second: User) -> None:
    first = root.post(USERS, NEW)
    rows = AuditRow.objects.filter(outcome="done").count()
    again = root.post(USERS, NEW)
    assert (again.status_code, again.json()) == (200, {**first.json(), "changed": False})
    assert (SettingChange.objects.count(), AuditRow.objects.filter(outcome="done").count()) == (1, rows)
    # Under another spelling of the name it is the same user, and something else is another proposal.
    assert root.post(USERS, NEW | {"username": "TILL-9"}).json()["proposed"] == first.json()["proposed"]
    other = root.post(USERS, NEW | {"groups": ["machine"]})
    assert other.json()["proposed"] not in {None, first.json()["proposed"]}
    assert User.objects.filter(username__iexact="till-9").count() == 1


def test_a_proposal_that_rests_on_what_the_user_had_is_not_taken_for_the_same(root: APIClient, second: User) -> None:
    first = root.post(USERS, NEW).json()["proposed"]
    root.post(USERS, {"username": "till-9", "groups": [], "is_active": False})
    anew = root.post(USERS, NEW | {"is_active": True})
    assert anew.json()["proposed"] != first


def test_what_is_taken_away_is_so_at_once(root: APIClient, second: User, world: World) -> None:
    said = root.post(USERS, {"username": world.support.username, "groups": []})
    assert (said.status_code, said.json()["groups"], said.json()["changed"], said.json()["proposed"]) == (200, [], True, None)


def test_who_is_alone_gives_at_once_and_by_no_token(root: APIClient, world: World, client_of: ClientOf) -> None:
    made = root.post(USERS, NEW)
    assert (made.status_code, made.json()["groups"], made.json()["proposed"]) == (201, ["till"], None)
    program = keeper()
    # Two decide on rights now, and a token is neither of them.
    taken = client_of(program).post(USERS, {"username": "till-9", "groups": []})
    assert is_problem(taken, 409, "decided_by_program")
    User.objects.filter(pk=world.superuser.pk).update(is_superuser=False)
    assert is_problem(client_of(program).post(USERS, NEW | {"username": "till-10"}), 409, "decided_by_program")
    assert not User.objects.filter(username="till-10").exists()


def keeper() -> User:
    """A user with the right to say who may do what who is no superuser, and so may have a token."""
    user = User.objects.create(username="keeper-1")
    names = ("change_user", "view_user", "view_group", "view_settingchange")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def test_a_token_registers_and_proposes(world: World, second: User, client_of: ClientOf) -> None:
    made = client_of(keeper()).post(USERS, NEW)
    assert (made.status_code, made.json()["groups"]) == (201, [])
    assert SettingChange.objects.get().proposed_by.username == "keeper-1"


@pytest.mark.parametrize("who", ["engineer", "finance", "support"])
def test_nobody_else_registers_users(world: World, client_of: ClientOf, who: str) -> None:
    client = client_of(getattr(world, who))
    before = User.objects.count()
    for body in (NEW, {"username": "x", "groups": []}):
        assert client.post(USERS, body).status_code == 403
    assert client.get(USERS).status_code == 403
    assert User.objects.count() == before


def test_an_auditor_looks_and_registers_nobody(world: World, client_of: ClientOf) -> None:
    auditor = User.objects.create(username="auditor-9")
    auditor.groups.set(Group.objects.filter(name="auditor"))
    client = client_of(auditor)
    assert client.get(USERS).status_code == 200
    assert is_problem(client.post(USERS, NEW), 403, "not_permitted")


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"groups": ["nobody"]}, 404, "not_found"),
        ({"username": "a b"}, 409, "name_invalid"),
        ({"reason": ""}, 409, "reason_required"),
        ({"password": "a-password-of-these-tests"}, 400, "shape_invalid"),
        ({"groups": None}, 400, "shape_invalid"),
    ],
)
def test_what_is_wrong_is_refused_and_nobody_is_registered(
    root: APIClient, second: User, wrong: dict[str, Any], status: int, code: str
) -> None:
    before = User.objects.count()
    assert is_problem(root.post(USERS, NEW | wrong), status, code)
    assert (User.objects.count(), SettingChange.objects.count()) == (before, 0)


def test_no_answer_has_a_password(root: APIClient, second: User) -> None:
    User.objects.filter(username="administrator-2").update(password="a-password-of-these-tests")
    for shown in (root.post(USERS, NEW), root.get(USERS, {"page_size": 1000}), root.get(f"{USERS}{second.pk}/")):
        assert "password" not in shown.content.decode()
        assert "a-password-of-these-tests" not in shown.content.decode()
