"""Who is bound to an identity at the provider signs in by it, with no more than they had, and nobody else comes in."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from config.doors import callers as doorways
from config.doors.signing import sessions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, Identity, User
from ledger_app.people.operations import factors, identities
from tests.conftest import UserMaker
from tests.support.oidc_provider import CLIENT, SECRET, Provider
from tests.support.page_clocks import Clock
from tests.support.signing_on import BEGIN, LOGIN, is_in, sign_in, told_at, way_back

pytestmark = pytest.mark.django_db
GOOD = "seven-green-otters"
SECOND, AGAIN, OWN = "/admin/login/second/", "/admin/again/", "/admin/single-sign-on/"
BOOKS = "/admin/ledger_app/book/"


@pytest.fixture
def provider(clock: Clock, settings: Any) -> Iterator[Provider]:
    made = Provider()
    settings.KAKUTEI_OIDC_ISSUER = made.issuer
    settings.KAKUTEI_OIDC_CLIENT_ID, settings.KAKUTEI_OIDC_CLIENT_SECRET = CLIENT, SECRET
    yield made
    made.close()


@pytest.fixture
def fumiko(make_user: UserMaker, provider: Provider) -> User:
    user = make_user("fumiko", "finance")
    user.is_staff = True
    user.set_password(GOOD)
    user.save()
    bind(user, provider)
    user.refresh_from_db()
    return user


def system() -> Caller:
    return doorways.from_command(User.objects.get(username=User.SYSTEM))


def bind(user: User, provider: Provider) -> None:
    """Bind a user as an operator does."""
    identities.bind(username=user.username, issuer=provider.issuer, subject=provider.subject, reason="Asked.", caller=system())


def by_password(name: str = "fumiko") -> Client:
    client = Client()
    client.post(LOGIN, {"username": name, "password": GOOD, "next": "/admin/"})
    return client


def refused() -> list[tuple[str, str, str]]:
    """Return of whom each refused sign-in was, who the actor is, and why it was refused."""
    rows = AuditRow.objects.filter(subject_type="login", action="log_in", outcome="refused").order_by("id")
    return [(row.subject, row.actor.username, row.reasons[0]["code"]) for row in rows]


def session_of(client: Client) -> SessionStore:
    return SessionStore(client.cookies["sessionid"].value)


def test_who_is_bound_signs_in_and_goes_on_to_where_they_were_going(fumiko: User, provider: Provider) -> None:
    client = Client()
    page = client.get(LOGIN + "?next=" + BOOKS).content.decode()
    assert "Sign in by 127.0.0.1" in page
    assert sign_in(client, onward=BOOKS)["Location"] == BOOKS
    assert is_in(client)
    assert client.get("/admin/").wsgi_request.user == fumiko
    row = AuditRow.objects.get(subject_type="login", outcome="done")
    assert (row.subject, row.actor, row.action, row.facts) == ("fumiko", fumiko, "log_in", {"provider": provider.issuer})
    # Of the person nothing is asked but who they are; and how long ago they may have shown it.
    (said,) = provider.asked
    assert (said["scope"], said["max_age"], "prompt" in said) == ("openid", "900", False)
    assert provider.requests.count("/realm/token") == 1


def test_nobody_is_made_or_known_by_anything_but_the_subject(fumiko: User, provider: Provider) -> None:
    before = User.objects.count()
    provider.subject = "somebody-else"
    provider.more = {"email": fumiko.email, "email_verified": True, "preferred_username": "fumiko", "groups": ["finance"]}
    client = Client()
    page = told_at(client, sign_in(client))
    assert "no user here is bound to you" in page
    assert not is_in(client)
    assert User.objects.count() == before
    assert refused() == [("?", "system", "identity_unknown")]


def test_an_identity_of_another_provider_is_another(fumiko: User, provider: Provider) -> None:
    Identity.objects.update(issuer=provider.issuer + "/other")
    client = Client()
    assert "no user here is bound to you" in told_at(client, sign_in(client))
    assert not is_in(client)


@pytest.mark.parametrize("how", ["disabled", "not for the pages", "program", "system"])
def test_who_may_not_sign_in_does_not_by_a_provider(how: str, fumiko: User, provider: Provider) -> None:
    if how == "disabled":
        User.objects.filter(pk=fumiko.pk).update(is_active=False)
    elif how == "not for the pages":
        User.objects.filter(pk=fumiko.pk).update(is_staff=False)
    elif how == "program":
        fumiko.groups.set([Group.objects.get(name="machine")])
    else:
        Identity.objects.update(user=User.objects.get(username=User.SYSTEM))
    client = Client()
    page = told_at(client, sign_in(client))
    assert ("may not sign in" if how in {"disabled", "not for the pages"} else "Programs sign in nowhere") in page
    assert not is_in(client)
    assert refused() == [("system" if how == "system" else "fumiko", "system", "sign_on_refused")]


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example", ""])
def test_nobody_is_led_away_from_here(onward: str, fumiko: User, provider: Provider) -> None:
    client = Client()
    assert sign_in(client, onward=onward)["Location"] == "/admin/"
    assert is_in(client)


def test_nobody_is_sent_to_the_provider_by_a_link_of_another_site(fumiko: User, provider: Provider) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(BEGIN, {"next": "/admin/"}).status_code == 403
    assert Client().get(BEGIN)["Location"] == LOGIN
    assert provider.requests == []


def test_without_a_provider_there_is_no_such_way_in(fumiko: User, provider: Provider, settings: Any) -> None:
    client = by_password()
    settings.KAKUTEI_OIDC_ISSUER = ""
    for address in (BEGIN, BEGIN + "back/?code=x&state=y", OWN, OWN + "bind/", OWN + "unbind/", AGAIN + "provider/"):
        assert client.get(address).status_code == client.post(address).status_code == 404, address
    page = Client().get(LOGIN).content.decode()
    assert "Sign in by" not in page
    assert "provider" not in page


def test_a_session_is_worth_what_the_provider_was_shown_and_no_more(
    fumiko: User, provider: Provider, clock: Clock, settings: Any
) -> None:
    """Anyone who finds a screen open does not come in anew by a sign-in at the provider that another made; and has shown nothing again."""
    provider.shown_seconds = 11 * 60
    settings.KAKUTEI_STEP_UP_MINUTES = 10
    client = Client()
    sign_in(client)
    began = int(clock().timestamp()) - 11 * 60
    said = session_of(client)
    assert (said[sessions.BEGAN], said[sessions.SHOWN]) == (began, began)
    assert client.get("/admin/ledger_app/book/?format=csv")["Location"].startswith(AGAIN)
    # A provider that does not ask anew is not believed.
    provider.asks_again, provider.shown_seconds = False, 17 * 60
    other = Client()
    assert "did not ask you anew" in told_at(other, sign_in(other))
    assert not is_in(other)
    # Where nobody does anything it ends as any other, and after as many hours.
    clock.pass_by(minutes=15)
    assert not is_in(client)
    provider.asks_again, provider.shown_seconds = True, 5 * 60
    sign_in(client)
    settings.KAKUTEI_IDLE_MINUTES = 12 * 60
    clock.pass_by(hours=11, minutes=54)
    assert is_in(client)
    clock.pass_by(minutes=1)
    assert not is_in(client)


def test_the_second_factor_of_here_is_asked_unless_that_of_the_provider_counts(
    fumiko: User, provider: Provider, settings: Any
) -> None:
    with_factor(fumiko)
    client = Client()
    provider.more = {"amr": ["pwd", "mfa"], "acr": "gold"}
    assert sign_in(client)["Location"] == SECOND
    assert not is_in(client)
    assert "The provider knows you" in client.get(SECOND).content.decode()
    (code, _other) = factors.make_codes(caller=caller_of(fumiko))[:2]
    assert client.post(SECOND, {"code": code})["Location"] == "/admin/"
    assert is_in(client)
    assert AuditRow.objects.get(subject_type="login").facts == {"provider": provider.issuer}
    for factor, more, is_enough in (
        ([("amr", "mfa")], {"amr": ["pwd", "mfa"]}, True),
        ([("amr", "mfa")], {"amr": ["pwd"]}, False),
        ([("amr", "mfa")], {"amr": "mfa"}, False),
        ([("amr", "mfa")], {"acr": "mfa"}, False),
        ([("acr", "gold"), ("amr", "hwk")], {"acr": "gold"}, True),
        ([("acr", "gold")], {"acr": ["gold"]}, False),
        ([("acr", "gold")], {}, False),
    ):
        settings.KAKUTEI_OIDC_FACTOR, provider.more = factor, more
        other = Client()
        assert sign_in(other)["Location"] == ("/admin/" if is_enough else SECOND), (factor, more)
        assert is_in(other) is is_enough
        assert provider.asked[-1].get("acr_values") == ("gold" if ("acr", "gold") in factor else None)


def test_who_must_have_a_second_factor_sets_one_up_unless_that_of_the_provider_counts(
    fumiko: User, provider: Provider, settings: Any
) -> None:
    settings.KAKUTEI_SECOND_FACTOR = "deciders"
    client = Client()
    sign_in(client)
    assert client.get("/admin/")["Location"] == "/admin/factors/"
    settings.KAKUTEI_OIDC_FACTOR, provider.more = [("amr", "mfa")], {"amr": ["mfa"]}
    other = Client()
    sign_in(other)
    assert is_in(other)
    assert "Your rights need a second factor" not in other.get("/admin/factors/").content.decode()


def test_who_they_are_is_shown_again_to_the_provider(fumiko: User, provider: Provider, clock: Clock, settings: Any) -> None:
    settings.KAKUTEI_STEP_UP_MINUTES = 10
    fumiko.set_unusable_password()
    fumiko.save()
    client = Client()
    sign_in(client)
    clock.pass_by(minutes=11)
    export = BOOKS + "?format=csv"
    asked = client.get(export)["Location"]
    page = client.get(asked).content.decode()
    assert "Show it to 127.0.0.1" in page
    assert 'name="password"' not in page
    # One that asks nobody again is not believed.
    provider.asks_again, provider.shown_seconds = False, 11 * 60
    refusing = sign_in(client, begin=AGAIN + "provider/", onward=export)
    assert "did not ask you anew" in told_at(client, refusing)
    assert client.get(export).status_code == 302
    # Nor is anyone else who sits before it.
    provider.asks_again, provider.subject = True, "somebody-else"
    assert "somebody else than you are" in told_at(client, sign_in(client, begin=AGAIN + "provider/", onward=export))
    assert client.get(export).status_code == 302
    provider.subject = Identity.objects.get().subject
    assert sign_in(client, begin=AGAIN + "provider/", onward=export)["Location"] == export
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    # It is no address that is there; nothing stands before it any more.
    assert client.get(export).status_code == 400
    assert refused() == [("?", "system", "sign_on_refused"), ("fumiko", "system", "sign_on_refused")]


def test_who_has_a_factor_here_shows_that_unless_that_of_the_provider_counts(
    fumiko: User, provider: Provider, clock: Clock, settings: Any
) -> None:
    with_factor(fumiko)
    settings.KAKUTEI_OIDC_FACTOR, provider.more = [("amr", "mfa")], {"amr": ["mfa"]}
    client = Client()
    sign_in(client)
    shown = session_of(client)[sessions.SHOWN]
    clock.pass_by(minutes=2)
    provider.more = {"amr": ["pwd"]}
    assert "did not ask you for a second factor" in told_at(client, sign_in(client, begin=AGAIN + "provider/"))
    assert session_of(client)[sessions.SHOWN] == shown
    settings.KAKUTEI_OIDC_FACTOR = []
    assert client.post(AGAIN + "provider/")["Location"] == AGAIN
    assert "Show it to" not in client.get(AGAIN).content.decode()


def test_a_user_binds_themselves_and_nobody_else(make_user: UserMaker, provider: Provider, clock: Clock) -> None:
    user = make_user("fumiko", "finance")
    user.is_staff = True
    user.set_password(GOOD)
    user.save()
    client, elsewhere = by_password(), by_password()
    assert "You are not bound" in client.get(OWN).content.decode()
    clock.pass_by(minutes=11)
    # Anyone who finds the screen open does not.
    assert client.post(OWN + "bind/")["Location"].startswith(AGAIN)
    client.post(AGAIN, {"password": GOOD, "next": OWN})
    way = way_back(client, begin=OWN + "bind/")
    assert provider.asked[-1]["prompt"] == "login"
    # Not by another's browser, nor by one in which nobody is signed in.
    assert "not asked for by this browser" in told_at(elsewhere, elsewhere.get(way))
    assert Identity.objects.count() == 0
    assert "You are bound" in told_at(client, client.get(way))
    row = Identity.objects.get()
    assert (row.user, row.issuer, row.subject, row.bound_by) == (user, provider.issuer, provider.subject, user)
    assert is_in(client)
    assert not is_in(elsewhere)
    assert sign_in(elsewhere)["Location"] == "/admin/"
    said = AuditRow.objects.get(action="bind_identity")
    assert (said.subject, said.actor, said.facts["issuer"]) == ("fumiko", user, provider.issuer)
    assert provider.subject not in str(said.facts)
    assert "You are unbound" in told_at(client, client.post(OWN + "unbind/"))
    assert Identity.objects.count() == 0
    assert not is_in(elsewhere)


def test_who_changes_their_password_is_unbound_and_stays_signed_in(fumiko: User, provider: Provider) -> None:
    Identity.objects.update(bound_by=fumiko)
    client = by_password()
    said = {"old_password": GOOD, "new_password1": "a-password-of-these-tests", "new_password2": "a-password-of-these-tests"}
    assert client.post("/admin/password_change/", said)["Location"] == "/admin/password_change/done/"
    assert not Identity.objects.exists()
    assert is_in(client)
    other = Client()
    assert "no user here is bound to you" in told_at(other, sign_in(other))


def test_an_identity_is_of_one_user_alone(fumiko: User, make_user: UserMaker, provider: Provider) -> None:
    other = make_user("sora", "support")
    other.is_staff = True
    other.set_password(GOOD)
    other.save()
    client = by_password("sora")
    assert "Another user is bound to this identity" in told_at(client, sign_in(client, begin=OWN + "bind/"))
    assert Identity.objects.get().user == fumiko


def test_an_administrator_unbinds_and_does_not_bind(fumiko: User, make_user: UserMaker, provider: Provider) -> None:
    root = make_user("root-1", "auditor", is_superuser=True)
    bound, boss = Client(), Client()
    sign_in(bound)
    boss.force_login(root)
    form = f"/admin/ledger_app/user/{fumiko.pk}/"
    page = boss.get(form + "change/").content.decode()
    assert provider.issuer in page
    assert provider.subject not in page
    told = boss.post(form + "unbind-identity/", {"reason": "She left."}, follow=True).content.decode()
    assert "fumiko is unbound" in told
    assert not is_in(bound)
    assert "no user here is bound" in told_at(bound, sign_in(bound))
    row = AuditRow.objects.get(action="unbind_identity")
    assert (row.subject, row.actor, row.reason, row.facts["why"]) == ("fumiko", root, "She left.", "taken")
    # Anyone who may not change users is not let near it.
    other = Client()
    other.force_login(make_user("sora", "support"))
    assert other.post(form + "unbind-identity/", {"reason": "x"}).status_code == 403


def test_who_has_no_password_is_not_left_without_a_way_in(fumiko: User, provider: Provider) -> None:
    fumiko.set_unusable_password()
    fumiko.save()
    client = Client()
    sign_in(client)
    assert "could sign in no more" in told_at(client, client.post(OWN + "unbind/"))
    assert Identity.objects.get().user == fumiko
    assert is_in(client)


def test_the_pages_are_in_japanese_too(fumiko: User, provider: Provider) -> None:
    client = Client(headers={"accept-language": "ja"})
    assert "127.0.0.1 でログイン" in client.get(LOGIN).content.decode()
    provider.subject = "somebody-else"
    page = told_at(client, sign_in(client))
    assert provider.asked[-1]["ui_locales"] == "ja"
    assert "結び付けられた利用者" in page


def with_factor(user: User) -> None:
    """Give a user a second factor, whose codes nobody asks here: recovery codes are used in their place."""
    factors.add_app(name="phone", key_name="key", content=b"sealed", step=1, caller=caller_of(user))
    user.refresh_from_db()


def caller_of(user: User) -> Caller:
    return doorways.from_command(user, "admin")
