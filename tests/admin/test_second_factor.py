"""Anyone who has a second factor signs in with it, anyone who decides may have to have one, and nobody stays out for ever."""

import json
import re
from io import StringIO
from typing import Any

import pyotp
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config.doors import callers as doorways
from config.doors import telling
from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, FailedTry, RecoveryCode, SecondFactor, User
from ledger_app.people.operations import factors as operations
from ledger_app.people.rules import factors as rules
from ledger_app.rights.rules import rights
from tests.conftest import UserMaker
from tests.support import soft_key
from tests.support.page_clocks import Clock

GOOD = "seven-green-otters"
LOGIN, SECOND, OWN = "/admin/login/", "/admin/login/second/", "/admin/factors/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def fumiko(make_user: UserMaker) -> User:
    return with_password(make_user("fumiko", "finance"))


@pytest.fixture
def root(make_user: UserMaker) -> User:
    return with_password(make_user("root-1", None, is_superuser=True))


def with_password(user: User) -> User:
    user.is_staff = True
    user.set_password(GOOD)
    user.save()
    return user


def sign_in(client: Client, name: str = "fumiko", onward: str = "/admin/") -> Any:
    return client.post(LOGIN, {"username": name, "password": GOOD, "next": onward})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def add_app(client: Client) -> tuple[pyotp.TOTP, list[str]]:
    """Add an app by the pages; return what the app would show, and the recovery codes."""
    page = client.get(OWN + "app/").content.decode()
    assert "<svg" in page
    assert "style=" not in page
    totp = pyotp.TOTP(re.findall(r'typed-secret">([A-Z2-7 ]+)<', page)[0].replace(" ", ""))
    said = {"sealed": re.findall(r'name="sealed" value="([^"]+)"', page)[0], "name": "phone", "code": totp.at(doorways.now())}
    wrong = client.post(OWN + "app/", {**said, "code": "000000"})
    assert "This is no code of now" in wrong.content.decode()
    answer = client.post(OWN + "app/", said)
    return totp, re.findall(r'typed-secret">([a-z0-9-]{19})<', answer.content.decode())


def test_an_app_is_added_and_then_asked_for_and_its_code_counts_once(fumiko: User, clock: Clock) -> None:
    client, elsewhere = Client(), Client()
    assert sign_in(client)["Location"] == sign_in(elsewhere)["Location"] == "/admin/"
    totp, codes = add_app(client)
    assert len(codes) == rules.CODES_GIVEN
    assert is_in(client)
    # Anyone who was signed in elsewhere with the password alone is not any more.
    assert not is_in(elsewhere)
    kept = SecondFactor.objects.get()
    assert totp.byte_secret() not in bytes(kept.content)
    clock.pass_by(seconds=31)
    first, second = Client(), Client()
    for each in (first, second):
        assert sign_in(each, onward="/admin/ledger_app/book/")["Location"] == SECOND
        assert not is_in(each)
        assert each.get(SECOND).status_code == 200
    code = totp.at(clock())
    assert first.post(SECOND, {"code": code})["Location"] == "/admin/ledger_app/book/"
    assert is_in(first)
    again = second.post(SECOND, {"code": code})
    assert "was used already" in again.content.decode()
    assert not is_in(second)
    assert [*AuditRow.objects.exclude(subject_type="login").order_by("id").values_list("action", "actor__username")] == [
        ("add_factor", "fumiko"),
        ("make_recovery_codes", "fumiko"),
    ]


def test_wrong_codes_lock_out_like_wrong_passwords_and_too_many_end_the_app(fumiko: User, clock: Clock, settings: Any) -> None:
    client = Client()
    sign_in(client)
    totp, _codes = add_app(client)
    clock.pass_by(seconds=31)
    thief = Client()
    sign_in(thief)
    answers = [thief.post(SECOND, {"code": "12345x"}).status_code for _try in range(settings.KAKUTEI_LOGIN_FAILURES)]
    assert answers == [200] * (settings.KAKUTEI_LOGIN_FAILURES - 1) + [429]
    assert thief.post(SECOND, {"code": totp.at(clock())}).status_code == 429
    assert sign_in(Client()).status_code == 429
    # From elsewhere she signs in, until there were too many tries of all.
    home = Client(REMOTE_ADDR="127.0.0.12")
    sign_in(home)
    SecondFactor.objects.update(failures=rules.FAILURES_MOST)
    refused = home.post(SECOND, {"code": totp.at(clock())})
    assert "taken no more" in refused.content.decode()
    assert not is_in(home)


def test_a_recovery_code_counts_once(fumiko: User, clock: Clock) -> None:
    client = Client()
    sign_in(client)
    _totp, codes = add_app(client)
    for expected in (True, False):
        other = Client()
        sign_in(other)
        other.post(SECOND, {"code": f" {codes[0].upper()} "})
        assert is_in(other) == expected
    assert RecoveryCode.objects.count() == rules.CODES_GIVEN - 1
    facts = AuditRow.objects.get(action="use_recovery_code").facts
    assert facts["left"] == rules.CODES_GIVEN - 1
    assert facts["code"] in AuditRow.objects.get(action="make_recovery_codes").facts["codes"]
    client.post(OWN + "codes/")
    other = Client()
    sign_in(other)
    other.post(SECOND, {"code": codes[1]})
    assert not is_in(other)


def test_the_second_step_is_bound_to_the_first(fumiko: User, clock: Clock) -> None:
    client = Client()
    sign_in(client)
    totp, _codes = add_app(client)
    assert Client().get(SECOND)["Location"] == LOGIN
    late, changed, disabled = Client(), Client(), Client()
    for each in (late, changed, disabled):
        sign_in(each)
    clock.pass_by(minutes=5, seconds=1)
    assert late.post(SECOND, {"code": totp.at(clock())})["Location"] == LOGIN
    assert "took too long" in late.get(LOGIN).content.decode()
    clock.pass_by(minutes=-5)
    fumiko.refresh_from_db()
    fumiko.set_password("eight-blue-otters")
    fumiko.save()
    assert changed.post(SECOND, {"code": totp.at(clock())})["Location"] == LOGIN
    fumiko.is_active = False
    fumiko.save()
    assert disabled.post(SECOND, {"code": totp.at(clock())})["Location"] == LOGIN


def test_a_passkey_is_made_and_shown(fumiko: User, clock: Clock) -> None:
    client = Client(HTTP_HOST="localhost")
    sign_in(client)
    key = soft_key.SoftKey("localhost")

    def asked(page: Any) -> Any:
        return json.loads(re.findall(r'data-options="([^"]+)"', page.content.decode())[0].replace("&quot;", '"'))["publicKey"]

    made = key.make(asked(client.get(OWN + "passkey/")), origin="http://localhost")
    elsewhere = key.make(asked(client.get(OWN + "passkey/")), origin="http://localhost:9")
    assert "made no passkey" in client.post(OWN + "passkey/", {"name": "key", "answer": elsewhere}).content.decode()
    # The first was an answer to a question that is not asked any more.
    assert "made no passkey" in client.post(OWN + "passkey/", {"name": "key", "answer": made}).content.decode()
    made = key.make(asked(client.get(OWN + "passkey/")), origin="http://localhost")
    assert client.post(OWN + "passkey/", {"name": "key", "answer": made}).status_code == 200
    other = Client(HTTP_HOST="localhost")
    sign_in(other)
    for junk in ("{", "[]", "{}", json.dumps({"id": 1, "rawId": [], "response": None})):
        other.get(SECOND)
        assert other.post(SECOND, {"answer": junk}).status_code == 200
        AuditRow.objects.exists()
        FailedTry.objects.all().delete()
    answer = key.show(asked(other.get(SECOND)), origin="http://localhost")
    assert other.post(SECOND, {"answer": answer})["Location"] == "/admin/"
    assert is_in(other)
    # A copy of the key counts behind.
    copy = Client(HTTP_HOST="localhost")
    sign_in(copy)
    key.count = 0
    copy.post(SECOND, {"answer": key.show(asked(copy.get(SECOND)), origin="http://localhost")})
    assert not is_in(copy)


@pytest.mark.anywhere
def test_whoever_decides_sets_one_up_first_where_that_is_asked(
    fumiko: User, root: User, make_user: UserMaker, clock: Clock, settings: Any
) -> None:
    settings.KAKUTEI_SECOND_FACTOR = "deciders"
    with_password(make_user("sato", "support"))
    for name in ("fumiko", "root-1"):
        client = Client()
        sign_in(client, name)
        assert client.get("/admin/ledger_app/book/")["Location"] == OWN
        assert client.post("/admin/search/", {"q": "1"})["Location"] == OWN
        assert "Your rights need a second factor" in client.get(OWN).content.decode()
        refused = client.get("/api/v1/books/")
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
        add_app(client)
        assert is_in(client)
        assert client.get("/api/v1/books/").status_code == 200
    support = Client()
    sign_in(support, "sato")
    assert is_in(support)
    settings.KAKUTEI_SECOND_FACTOR = "everyone"
    assert support.get("/admin/")["Location"] == OWN


def test_another_resets_what_was_lost_and_nobody_their_own(fumiko: User, root: User, clock: Clock) -> None:
    client, admin, support = Client(), Client(), Client()
    sign_in(client)
    add_app(client)
    support.force_login(fumiko)
    admin.force_login(root)
    address = reverse("admin:ledger_app_user_reset_factors", args=[fumiko.pk])
    assert support.post(address, {"reason": "lost"}).status_code in {302, 403}
    assert SecondFactor.objects.exists()
    assert "phone" in admin.get(reverse("admin:ledger_app_user_change", args=[fumiko.pk])).content.decode()
    assert admin.get(address).status_code == 200
    assert admin.post(address, {"reason": ""}).status_code == 200
    assert admin.post(address, {"reason": "She lost her phone."}).status_code == 302
    row = AuditRow.objects.get(action="reset_factors")
    assert (row.actor, row.subject_id, row.reason) == (root, fumiko.pk, "She lost her phone.")
    assert not is_in(client)
    assert sign_in(Client())["Location"] == "/admin/"
    add_app(admin)
    mine = reverse("admin:ledger_app_user_reset_factors", args=[root.pk])
    assert "own_factors" in admin.post(mine, {"reason": "x"}).content.decode()
    told = StringIO()
    call_command("reset_factors", "root-1", "--reason", "Lost.", "--json", stdout=told)
    assert json.loads(told.getvalue()) == {"user": "root-1", "reset": True}
    assert AuditRow.objects.filter(action="reset_factors", actor__username=User.SYSTEM).exists()


def test_one_is_removed_and_with_the_last_the_codes_go(fumiko: User, clock: Clock) -> None:
    client = Client()
    sign_in(client)
    add_app(client)
    address = reverse("admin:factors_remove", args=[SecondFactor.objects.get().pk])
    clock.pass_by(minutes=11)
    assert client.post(address)["Location"].startswith("/admin/again/?next=")
    clock.pass_by(minutes=-11)
    assert client.get(address).status_code == 200
    assert client.post(address)["Location"] == OWN
    assert is_in(client)
    assert not RecoveryCode.objects.exists()
    assert client.post(address)["Location"] == OWN  # it was done already


def test_an_unknown_key_opens_nothing_and_a_row_of_another_user_neither(
    fumiko: User, root: User, clock: Clock, settings: Any
) -> None:
    client = Client()
    sign_in(client)
    totp, _codes = add_app(client)
    SecondFactor.objects.update(user=root)
    thief = Client()
    sign_in(thief, "root-1")
    clock.pass_by(seconds=31)
    thief.post(SECOND, {"code": totp.at(clock())})
    assert not is_in(thief)
    SecondFactor.objects.update(user=fumiko)
    settings.KAKUTEI_FACTOR_KEYS = {"other": b"1" * 32}
    other = Client()
    sign_in(other)
    other.post(SECOND, {"code": totp.at(clock())})
    assert not is_in(other)


@pytest.mark.anywhere
def test_every_right_to_decide_is_among_those_that_may_need_a_second_factor() -> None:
    rights_of = {each.right for machine in telling.MACHINES.values() for each in machine.transitions if each.decides}
    # Of a change of a setting its kind says which right it needs besides.
    assert rights_of - {"ledger_app.view_settingchange"} <= rights.DECIDING
    assert {"ledger_app.change_user", "ledger_app.give_token"} <= rights.DECIDING


def test_no_more_than_anybody_needs(fumiko: User, clock: Clock) -> None:
    caller = Caller(fumiko, clock(), "test")
    for number in range(rules.FACTORS_MOST):
        operations.add_app(name=f"{number}", key_name="k", content=b"x", step=0, caller=caller)
    with pytest.raises(errors.Refused) as refused:
        operations.add_app(name="more", key_name="k", content=b"x", step=0, caller=caller)
    assert [each.code for each in refused.value.reasons] == ["factors_full"]
