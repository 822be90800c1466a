"""A user is bound to one identity, by themselves or by an operator; nobody else gives anybody a way in."""

from typing import Any

import pytest

from ledger_app import errors
from ledger_app.base import proofs
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, Book, Identity, User
from ledger_app.people.operations import identities, people
from ledger_app.people.proofs import signing as signing_proofs
from ledger_app.values import fingerprints
from tests.support.holders_of_tokens import by, person

pytestmark = pytest.mark.django_db
ISSUER, SUBJECT = "https://login.example", "a1b2"
GOOD = "a-password-of-these-tests"


class World:
    """Two who sign in, an administrator, a program and the system."""

    def __init__(self) -> None:
        self.finance = person("finance-1", "finance", is_staff=True)
        self.support = person("support-1", "support", is_staff=True)
        self.root = person("root-1", is_superuser=True, is_staff=True)
        self.till = person("till-1", "till")
        self.system = User.objects.get(username=User.SYSTEM)
        for user in (self.finance, self.support):
            user.set_password(GOOD)
            user.save()


@pytest.fixture
def world() -> World:
    return World()


def bind(user: User, caller: Caller, **said: str) -> bool:
    return identities.bind(username=user.username, caller=caller, **{"issuer": ISSUER, "subject": SUBJECT, **said})


def codes(call: Any) -> list[str]:
    """Return what a call is refused for."""
    with pytest.raises(errors.Refused) as refused:
        call()
    return [reason.code for reason in refused.value.reasons]


def breaches() -> list[str]:
    return [said for invariant in signing_proofs.INVARIANTS for said in invariant.breaches(proofs.Scope(Book.objects.none()))]


def test_one_binds_oneself_and_an_operator_anybody(world: World) -> None:
    generation = world.finance.session_generation
    assert bind(world.finance, by(world.finance)) is True
    assert bind(world.finance, by(world.finance)) is False
    row = AuditRow.objects.get(action="bind_identity")
    assert row.facts == {"issuer": ISSUER, "subject": fingerprints.of(SUBJECT.encode())}
    world.finance.refresh_from_db()
    # Anyone who is signed in elsewhere is not any more, once.
    assert world.finance.session_generation == generation + 1
    assert bind(world.support, by(world.system), subject="c3", reason="Asked.") is True
    assert breaches() == []


@pytest.mark.parametrize("who", ["root", "support"])
def test_nobody_binds_somebody_else_administrators_included(who: str, world: World) -> None:
    """Anyone who chose the subject could sign in as the user, and be both people of a decision."""
    assert codes(lambda: bind(world.finance, by(getattr(world, who)))) == ["not_permitted"]
    assert not Identity.objects.exists()


def test_what_is_no_identity_of_a_person_is_refused(world: World) -> None:
    system = by(world.system)
    for subject in ("", " ", "a b", "a ", "é", "x" * 256, "a\n"):
        assert codes(lambda subject=subject: bind(world.finance, system, subject=subject)) == ["identity_invalid"], subject
    assert codes(lambda: bind(world.till, system)) == ["identity_of_program"]
    assert codes(lambda: bind(User(username="nobody"), system)) == ["not_found"]
    assert codes(lambda: bind(world.system, system)) == ["not_found"]
    assert bind(world.finance, system, subject="x" * 255)
    assert codes(lambda: bind(world.finance, system)) == ["identity_bound"]
    assert codes(lambda: bind(world.finance, system, issuer=ISSUER + "/other", subject="x" * 255)) == ["identity_bound"]
    assert codes(lambda: bind(world.support, system, subject="x" * 255)) == ["identity_known"]
    # Case makes another of it; so does another provider.
    assert bind(world.support, system, subject="X" * 255)
    assert bind(world.root, system, issuer=ISSUER + "/other", subject="x" * 255)
    assert Identity.objects.count() == 3
    assert breaches() == []


@pytest.mark.parametrize("who", ["finance", "root", "system"])
def test_one_unbinds_oneself_and_administrators_and_operators_anybody(who: str, world: World) -> None:
    bind(world.finance, by(world.system))
    world.finance.refresh_from_db()
    generation = world.finance.session_generation
    caller = by(getattr(world, who))
    assert identities.unbind(username="finance-1", caller=caller, reason="Left.") is True
    assert identities.unbind(username="finance-1", caller=caller, reason="Left.") is False
    world.finance.refresh_from_db()
    assert world.finance.session_generation == generation + 1
    row = AuditRow.objects.get(action="unbind_identity")
    assert (row.actor.username, row.reason, row.facts["why"]) == (
        caller.user.username,
        "Left.",
        "own" if who == "finance" else "taken",
    )
    assert breaches() == []
    assert bind(world.support, by(world.support))


def test_others_unbind_nobody_and_who_has_no_password_keeps_the_way_in(world: World) -> None:
    bind(world.finance, by(world.system))
    assert codes(lambda: identities.unbind(username="finance-1", caller=by(world.support))) == ["not_permitted"]
    assert codes(lambda: identities.unbind(username="nobody", caller=by(world.root))) == ["not_found"]
    world.finance.set_unusable_password()
    world.finance.save()
    assert codes(lambda: identities.unbind(username="finance-1", caller=by(world.finance))) == ["identity_only_way"]
    assert identities.unbind(username="finance-1", caller=by(world.root))


@pytest.mark.parametrize("by_whom", ["finance", "root", "shell"])
@pytest.mark.parametrize("is_own", [True, False])
def test_a_password_that_is_changed_ends_what_its_user_bound_and_nothing_else(by_whom: str, is_own: bool, world: World) -> None:
    """Anyone who knew the password may have bound themselves; what an operator bound nobody did with a password."""
    bind(world.finance, by(world.finance if is_own else world.system))
    if by_whom == "shell":
        people.tell_password(username="finance-1", caller=by(world.system))
    else:
        people.set_password(username="finance-1", password=GOOD, caller=by(getattr(world, by_whom)))
    assert Identity.objects.exists() is not is_own
    ended = AuditRow.objects.filter(action="unbind_identity").values_list("facts__why", flat=True)
    assert list(ended) == (["password"] if is_own else [])
    assert breaches() == []


def test_what_came_past_the_program_is_named(world: World) -> None:
    bind(world.finance, by(world.finance))
    told = "The identity at the provider that finance-1 is bound to is not what the audit rows say."
    row = Identity.objects.get()
    for changed in (
        {"subject": "evil"},
        {"issuer": "https://evil.example"},
        {"bound_by": world.root},
        {"bound_at": by(world.root).at.replace(year=2001)},
    ):
        Identity.objects.filter(pk=row.pk).update(**changed)
        assert breaches() == [told], changed
        row.save()
        assert breaches() == []
    Identity.objects.filter(pk=row.pk).update(user=world.support)
    assert breaches() == [told, told.replace("finance-1", "support-1")]
    Identity.objects.all().delete()
    assert breaches() == [told]
    # An audit row that somebody else left makes nobody a way in.
    row.save(force_insert=True)
    planted = Identity(user=world.support, issuer=ISSUER, subject="c3", bound_by=world.root, bound_at=row.bound_at)
    planted.save(force_insert=True)
    transactions.run(lambda: identities._record(planted, "bind_identity", by(world.root), {}, ""))
    assert breaches() == [told.replace("finance-1", "support-1")]
