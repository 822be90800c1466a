"""Anyone who tries too often is told when to try again, and nobody is locked out by what another does elsewhere."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils import timezone
from rest_framework.settings import api_settings

from config.doors import callers as doorways
from config.doors.api.sessions import HeaderSessionAuthentication
from config.doors.api.tokens import TokenAuthentication
from config.doors.signing import lockouts
from ledger_app.models import AuditRow, FailedTry, User
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker
from tests.support.page_clocks import Clock

GOOD = "seven-green-otters"
LOGIN = "/admin/login/"
# What was not told what it is for answers its own machine alone.
HERE, THERE = "127.0.0.11", "127.0.0.12"


@pytest.fixture
def fumiko(make_user: UserMaker) -> User:
    user = make_user("fumiko", "finance")
    user.set_password(GOOD)
    user.save()
    return user


def attempt(name: str, password: str, address: str = HERE, **more: Any) -> Any:
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": password, "next": "/admin/"}, **more)


def lock_out(settings: Any, name: str = "fumiko", address: str = HERE) -> Any:
    answers = [attempt(name, f"wrong-{number}", address) for number in range(settings.KAKUTEI_LOGIN_FAILURES)]
    assert [answer.status_code for answer in answers[:-1]] == [200] * (settings.KAKUTEI_LOGIN_FAILURES - 1)
    return answers[-1]


@pytest.mark.django_db
def test_the_name_is_locked_from_the_address_and_from_no_other_and_no_other_name_is(
    fumiko: User, support: User, settings: Any
) -> None:
    support.set_password(GOOD)
    support.save()
    last = lock_out(settings)
    for answer in (last, attempt("fumiko", GOOD), attempt("\uff26UMIKO", GOOD)):
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= settings.KAKUTEI_LOCKOUT_MINUTES * 60
        assert "Try again after 20" in answer.content.decode()
    assert attempt("fumiko", GOOD, THERE).status_code == 302
    assert attempt(support.username, GOOD).status_code == 302


@pytest.mark.anywhere
@pytest.mark.django_db
def test_a_name_that_is_no_users_is_answered_alike_and_is_kept_nowhere(fumiko: User, settings: Any, caplog: Any) -> None:
    known, unknown = lock_out(settings), lock_out(settings, "my-secret-pass")
    assert unknown.status_code == known.status_code
    assert [len(each.content) - each.content.count(b"my-secret-pass") * 8 for each in (known, unknown)]
    kept = [str(row) for row in AccessAttempt.objects.values()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT facts, subject FROM ledger_app_auditrow")
        kept += map(str, cursor.fetchall())
    for secret in ("my-secret-pass", "wrong-0"):
        assert not any(secret in text for text in (*kept, caplog.text))


@pytest.mark.anywhere
@pytest.mark.django_db
def test_success_begins_anew_and_a_try_while_locked_out_moves_nothing(fumiko: User, settings: Any) -> None:
    for _turn in range(3):
        for _number in range(settings.KAKUTEI_LOGIN_FAILURES - 1):
            attempt("fumiko", "wrong")
        assert attempt("fumiko", GOOD).status_code == 302
    lock_out(settings)
    (before,) = AccessAttempt.objects.values_list("attempt_time", "failures_since_start")
    attempt("fumiko", "wrong")
    assert [before] == [*AccessAttempt.objects.values_list("attempt_time", "failures_since_start")]
    AccessAttempt.objects.update(attempt_time=before[0] - settings.AXES_COOLOFF_TIME * 2)
    assert attempt("fumiko", GOOD).status_code == 302


@pytest.mark.anywhere
@pytest.mark.django_db
def test_an_address_comes_from_as_many_proxies_as_are_said_to_be_there(fumiko: User, settings: Any) -> None:
    def address(proxies: int, *forwarded: str) -> str:
        settings.KAKUTEI_PROXIES = proxies
        headers: Any = {"HTTP_X_FORWARDED_FOR": ", ".join(forwarded)} if forwarded else {}
        return doorways.address_of(RequestFactory().get("/", REMOTE_ADDR=HERE, **headers))

    assert address(0, "203.0.113.9") == HERE
    assert address(1, "203.0.113.9", THERE) == THERE
    assert address(2, "203.0.113.9", THERE, "192.0.2.3") == THERE
    assert (address(2, THERE), address(1), address(1, "nobody")) == (HERE, HERE, "")
    assert address(1, "::ffff:192.0.2.3") == "192.0.2.3"
    settings.KAKUTEI_PROXIES = 0
    # Anyone who writes another address each time is counted where they are.
    for number in range(settings.KAKUTEI_LOGIN_FAILURES):
        attempt("fumiko", "wrong", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert attempt("fumiko", GOOD).status_code == 429


@pytest.mark.anywhere
@pytest.mark.django_db
def test_whoever_has_a_network_is_counted_as_one(fumiko: User, settings: Any) -> None:
    settings.KAKUTEI_PROXIES = 1
    answers = [
        attempt("fumiko", "wrong", HTTP_X_FORWARDED_FOR=f"2001:db8:1:2::{number}").status_code
        for number in range(1, settings.KAKUTEI_LOGIN_FAILURES + 1)
    ]
    assert answers[-1] == 429
    assert attempt("fumiko", GOOD, HTTP_X_FORWARDED_FOR="2001:db8:1:2:3::9").status_code == 429
    assert attempt("fumiko", GOOD, HTTP_X_FORWARDED_FOR="2001:db8:1:3::9").status_code == 302


@pytest.mark.parametrize("address", ["::1", "::", "::9", "100::", "100::1", "fe80::1%eth0", "127.0.0.1", "0.0.0.0"])
def test_no_address_is_taken_for_none(address: str) -> None:
    assert lockouts.counted_address(RequestFactory().get("/", REMOTE_ADDR=address)) != FailedTry.NO_ADDRESS


@pytest.mark.anywhere
@pytest.mark.django_db
@pytest.mark.parametrize(
    "tried", [{"REMOTE_ADDR": ""}, {"HTTP_X_FORWARDED_FOR": "nobody"}], ids=["a socket", "no header of a proxy"]
)
def test_no_address_is_counted_as_one(fumiko: User, settings: Any, tried: Any) -> None:
    """As over a socket of the file system: by one row, no matter who is first, and apart from all addresses."""
    lock_out(settings)
    settings.KAKUTEI_PROXIES = 1
    # Two of one key cannot be made, however many are first at once.
    key = {"username": "x", "ip_address": lockouts.counted_address(RequestFactory().get("/", **tried)), "user_agent": ""}
    FailedTry.objects.create(**key, failures_since_start=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        FailedTry.objects.create(**key, failures_since_start=1)
    client = Client(**tried)
    said = {"username": "fumiko", "password": "wrong", "next": "/admin/"}
    statuses = [client.post(LOGIN, said).status_code for _turn in range(settings.KAKUTEI_LOGIN_FAILURES)]
    assert statuses == [200] * (settings.KAKUTEI_LOGIN_FAILURES - 1) + [429]
    assert sorted(row.address for row in FailedTry.objects.filter(username="fumiko")) == ["", HERE]
    FailedTry.objects.filter(ip_address=FailedTry.NO_ADDRESS).delete()
    # Who comes in from nowhere lets nobody elsewhere try again.
    assert client.post(LOGIN, {**said, "password": GOOD}).status_code == 302
    lockouts.succeeded(RequestFactory().get("/", **tried), "fumiko")
    assert attempt("fumiko", GOOD).status_code == 429


@pytest.mark.django_db
def test_an_administrator_sees_who_is_locked_out_and_lets_them_in_again(
    fumiko: User, root: User, finance: User, settings: Any, client_of: ClientOf
) -> None:
    lock_out(settings)
    lock_out(settings, "nobody-of-that-name", THERE)
    (row,) = AuditRow.objects.filter(action="lock_out")
    assert (row.subject_id, row.actor.username, row.facts["address"]) == (fumiko.pk, User.SYSTEM, HERE)
    admin, other = client_of(root), client_of(finance)
    page = admin.get(reverse("admin:ledger_app_failedtry_changelist")).content.decode()
    assert HERE in page
    assert "nobody-of-that-name" not in page
    tries = AccessAttempt.objects.get(username="fumiko")
    address = reverse("admin:ledger_app_failedtry_release", args=[tries.pk])
    assert admin.get(reverse("admin:ledger_app_failedtry_change", args=[tries.pk])).status_code == 200
    assert [other.get(address).status_code, other.post(address).status_code] == [403, 403]
    assert attempt("fumiko", GOOD).status_code == 429
    assert admin.get(address).status_code == 200
    assert admin.post(address).status_code == 302
    assert attempt("fumiko", GOOD).status_code == 302
    assert AuditRow.objects.filter(action="release_lock_out", actor=root, subject_id=fumiko.pk).count() == 1
    assert admin.post(address).status_code == 302  # it was done already


@pytest.mark.anywhere
@pytest.mark.django_db
def test_the_command_lists_lock_outs_and_releases_them(fumiko: User, root: User, finance: User, settings: Any) -> None:
    def said(*arguments: str) -> Any:
        told = StringIO()
        call_command("lockouts", *arguments, "--json", stdout=told)
        return json.loads(told.getvalue())

    lock_out(settings)
    (listed,) = said()["lockouts"]
    assert (listed["user"], listed["address"], listed["failures"]) == ("fumiko", HERE, settings.KAKUTEI_LOGIN_FAILURES)
    with pytest.raises((SystemExit, CommandError)):
        call_command("lockouts", "--release", "fumiko", "--user", finance.username, stdout=StringIO(), stderr=StringIO())
    assert said("--release", "FUMIKO", "--user", root.username)["released"] == 1
    assert said() == {"lockouts": []}
    assert attempt("fumiko", GOOD).status_code == 302


@pytest.mark.anywhere
def test_no_address_of_the_api_takes_a_password() -> None:
    kinds: set[Any] = {TokenAuthentication, HeaderSessionAuthentication}
    assert set(api_settings.DEFAULT_AUTHENTICATION_CLASSES) == kinds
    views = [getattr(pattern.callback, "cls", None) for _prefix, pattern in _patterns(get_resolver())]
    asked = [view for view in views if view is not None and hasattr(view, "authentication_classes")]
    assert len(asked) > 20
    assert all(set(view.authentication_classes) <= kinds for view in asked)


def _patterns(resolver: Any, prefix: str = "") -> Any:
    for each in resolver.url_patterns:
        if hasattr(each, "url_patterns"):
            yield from _patterns(each, prefix + str(each.pattern))
        else:
            yield prefix, each


@pytest.mark.django_db
def test_hosts_whose_clocks_differ_lock_out_for_the_same_time(fumiko: User, settings: Any, clock: Clock) -> None:
    """The clock of the doors stands on another day than this host's: what is counted, told and let go is counted by it."""
    answer = lock_out(settings)
    assert answer["Retry-After"] == str(settings.KAKUTEI_LOCKOUT_MINUTES * 60)
    assert set(AccessAttempt.objects.values_list("attempt_time", flat=True)) == {clock.at}
    clock.pass_by(minutes=settings.KAKUTEI_LOCKOUT_MINUTES - 1)
    locked = attempt("fumiko", GOOD)
    assert (locked.status_code, locked["Retry-After"]) == (429, "60")
    clock.pass_by(minutes=1, seconds=1)
    assert attempt("fumiko", GOOD).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [-48, 48])
def test_who_signs_in_or_out_on_a_host_whose_clock_is_wrong_lets_nobody_try_again(
    fumiko: User, support: User, settings: Any, clock: Clock, hours: int
) -> None:
    """By whichever way: by a provider nobody is asked before they are in."""
    clock.at = timezone.now() + timedelta(hours=hours)
    lock_out(settings)
    other = Client()
    other.force_login(support)
    other.post("/admin/logout/")
    assert attempt("fumiko", GOOD).status_code == 429
    assert AccessAttempt.objects.count() == 1
