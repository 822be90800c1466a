"""What a program or a person signs in with is held against its audit rows: with the application's own rights nobody makes it somebody else's unnamed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_app.base import proofs
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, Book, RecoveryCode, SecondFactor, Token, User
from ledger_app.people.operations import factors
from ledger_app.people.proofs import signing as signing_proofs
from ledger_app.rights.operations import tokens
from tests.support.holders_of_tokens import AT, HOLDS, by, person

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(days=1)


def breaches() -> list[str]:
    return [said for invariant in signing_proofs.INVARIANTS for said in invariant.breaches(proofs.Scope([]))]


def issue(user: User, caller: Caller, **said: Any) -> Token:
    given = {"name": "till 1", "operations": HOLDS, "books": ["A"], "ends_at": AT + timedelta(days=30), "days_most": 30, **said}
    return tokens.issue(username=user.username, caller=caller, **given).token


class World:
    """A till with a token that follows another, one that was ended and one that goes on; two people with what they sign in with."""

    def __init__(self) -> None:
        for code in ("A", "B"):
            Book.objects.create(code=code, name=code, unit="points", exponent=0, time_zone="UTC")
        self.root = person("root-1", is_superuser=True)
        self.till, self.finance = person("till-1", "till"), person("finance-1", "finance", is_staff=True)
        self.support = person("support-1", "support", is_staff=True)
        self.first = issue(self.till, by(self.root))
        life = {"old_ends_at": LATER, "ends_at": AT + timedelta(days=60), "days_most": 90}
        self.second = tokens.replace(token_id=self.first.pk, **life, caller=by(self.root)).token  # type: ignore[arg-type]
        self.ended = issue(self.till, by(self.root), name="till 2", operations=None, books=None)
        tokens.end(token_id=self.ended.pk, caller=by(self.root, LATER))
        app = {"key_name": "key", "step": 1}
        factors.add_app(name="phone", content=b"sealed", **app, caller=by(self.finance))  # type: ignore[arg-type]
        factors.add_app(name="phone", content=b"other", **app, caller=by(self.finance, LATER))  # type: ignore[arg-type]
        factors.add_passkey(name="key", credential_digest=bytes(32), content=b"public", step=1, caller=by(self.finance))
        self.codes = factors.make_codes(caller=by(self.finance))
        factors.use_code(said=self.codes[0], caller=by(self.finance, LATER))
        factors.add_app(name="tablet", content=b"sealed", **app, caller=by(self.support))  # type: ignore[arg-type]
        factors.make_codes(caller=by(self.support))


@pytest.fixture
def world() -> World:
    return World()


def test_what_the_program_did_is_no_breach(world: World) -> None:
    assert breaches() == []
    factors.remove(factor_id=SecondFactor.objects.get(content=b"sealed", user=world.finance).pk, caller=by(world.finance))
    assert breaches() == []
    factors.make_codes(caller=by(world.finance))
    for factor in SecondFactor.objects.filter(user=world.finance):
        factors.remove(factor_id=factor.pk, caller=by(world.finance))
    factors.reset(username="support-1", reason="Lost.", caller=by(world.root))
    factors.add_app(name="new", key_name="key", content=b"x", step=1, caller=by(world.support))
    assert breaches() == []
    # With all codes used none is left.
    for code in factors.make_codes(caller=by(world.support)):
        assert factors.use_code(said=code, caller=by(world.support))
    assert breaches() == []


CHANGES: dict[str, Callable[[World], dict[str, Any]]] = {
    "user": lambda world: {"user": world.finance},
    "name": lambda _world: {"name": "another"},
    "prefix": lambda _world: {"prefix": "kakutei_00000000"},
    "operations": lambda _world: {"operations": None},
    "books": lambda _world: {"books": ["A", "B"]},
    "ends_at": lambda _world: {"ends_at": datetime(2031, 1, 1, tzinfo=UTC)},
    "issued_by": lambda world: {"issued_by": world.finance},
    "issued_at": lambda _world: {"issued_at": AT - timedelta(days=1)},
    "replaces_id": lambda world: {"replaces": world.ended},
    "ended_at": lambda world: {"ended_at": LATER, "ended_by": world.root, "ending": "revoked"},
    "key": lambda _world: {"digest": b"1" * 32},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_token_that_was_made_another_is_named(world: World, what: str) -> None:
    Token.objects.filter(pk=world.second.pk).update(**CHANGES[what](world))
    (breach,) = breaches()
    assert "is not what its audit rows say" in breach
    assert what in breach


def test_a_token_that_was_replaced_ends_when_that_was_said(world: World) -> None:
    Token.objects.filter(pk=world.first.pk).update(ends_at=AT + timedelta(days=30))
    (breach,) = breaches()
    assert "(ends_at)" in breach


def test_a_token_that_was_ended_does_not_come_back(world: World) -> None:
    Token.objects.filter(pk=world.ended.pk).update(ended_at=None, ended_by=None, ending="")
    (breach,) = breaches()
    assert "ended_at" in breach


def test_the_token_of_a_till_that_became_one_of_finance_for_everything_is_named(world: World) -> None:
    Token.objects.filter(pk=world.second.pk).update(
        user=world.finance, operations=None, books=None, ends_at=datetime(2031, 1, 1, tzinfo=UTC)
    )
    (breach,) = breaches()
    assert "(user, operations, books, ends_at)" in breach


def test_a_token_without_an_audit_row_and_one_that_is_gone_are_named(world: World) -> None:
    gone = world.second
    Token.objects.filter(pk=gone.pk).delete()
    (breach,) = breaches()
    assert breach == f"The token {gone.prefix} of till-1 was issued, and is gone."
    gone.pk = None
    gone.save(force_insert=True)
    assert sorted(breaches()) == [
        f"The token {gone.prefix} of till-1 is there, and no audit row says who issued it.",
        f"The token {gone.prefix} of till-1 was issued, and is gone.",
    ]


def test_what_was_issued_before_its_audit_row_told_all_is_held_against_what_that_tells(world: World) -> None:
    """No row of theirs is written anew: of tokens and factors that are older, what was told then is asked for."""
    new = {"replaces_id", "key", "content", "added_at", "codes", "code"}
    rows = [(row.pk, {name: value for name, value in row.facts.items() if name not in new}) for row in AuditRow.objects.all()]
    objects = AuditRow.objects.in_bulk([key for key, _facts in rows])
    said = [objects[key] for key, _facts in rows]
    for row, (_key, facts) in zip(said, rows, strict=True):
        row.facts = facts
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(signing_proofs, "AuditRow", _Kept(said))
        assert breaches() == []
        Token.objects.filter(pk=world.second.pk).update(user=world.finance)
        SecondFactor.objects.filter(name="key").update(user=world.support)
        assert len(breaches()) == 3


class _Kept:
    """Audit rows as they were written before, which the database lets nobody change."""

    Outcome = AuditRow.Outcome

    def __init__(self, rows: list[AuditRow]) -> None:
        self.objects, self._rows = self, rows

    def filter(self, *, subject_type: str, outcome: str, action__in: Any = None) -> "_Kept":
        found = [row for row in self._rows if (row.subject_type, row.outcome) == (subject_type, outcome)]
        return _Kept([row for row in found if action__in is None or row.action in action__in])

    def order_by(self, _key: str) -> "_Kept":
        return _Kept(sorted(self._rows, key=lambda row: row.pk))

    def iterator(self) -> list[AuditRow]:
        return self._rows


FACTORS: dict[str, Callable[[World], dict[str, Any]]] = {
    "owner": lambda world: {"user": world.support},
    "name": lambda _world: {"name": "another"},
    "added_at": lambda _world: {"added_at": AT + timedelta(days=2)},
    "content": lambda _world: {"content": b"mine"},
    "credential": lambda _world: {"credential_digest": b"1" * 32},
    "kind": lambda _world: {"kind": "app", "credential_digest": None, "key_name": "key"},
}


@pytest.mark.parametrize("what", FACTORS)
def test_a_second_factor_that_was_made_another_is_named(world: World, what: str) -> None:
    SecondFactor.objects.filter(name="key").update(**FACTORS[what](world))
    found = breaches()
    assert any("is not one that an audit row says was added" in breach for breach in found)
    assert "The second factor key of finance-1 was added, and is gone or is another." in found


def test_a_second_factor_that_nobody_added_and_one_that_is_gone_are_named(world: World) -> None:
    row = SecondFactor.objects.get(name="tablet")
    SecondFactor.objects.filter(pk=row.pk).delete()
    assert breaches() == ["The second factor tablet of support-1 was added, and is gone or is another."]
    row.user = world.root
    row.pk = None
    row.save(force_insert=True)
    assert "The second factor tablet of root-1 is not one that an audit row says was added." in breaches()


def test_a_second_factor_that_somebody_else_s_audit_row_gives_is_named(world: World) -> None:
    """A user's own is added by that user: a row of another's proves nothing."""
    facts = {"kind": "app", "name": "planted"}
    who = {"subject_type": "user", "subject_id": world.support.pk, "subject": "support-1", "actor": world.root, "at": AT}
    AuditRow.objects.create(**who, action="add_factor", outcome="done", facts=facts, door="admin")
    SecondFactor.objects.create(user=world.support, kind="app", name="planted", key_name="key", content=b"x", added_at=AT)
    assert breaches() == ["The second factor planted of support-1 is not one that an audit row says was added."]


@pytest.mark.parametrize("what", ["one gone", "one more", "another", "another's", "another day"])
def test_recovery_codes_that_were_made_others_are_named(world: World, what: str) -> None:
    rows = RecoveryCode.objects.filter(user=world.finance).order_by("id")
    (row, *_others) = rows
    if what == "one gone":
        row.delete()
    elif what == "one more":
        RecoveryCode.objects.create(user=world.finance, digest=b"1" * 32, made_at=AT)
    elif what == "another":
        RecoveryCode.objects.filter(pk=row.pk).update(digest=b"1" * 32)
    elif what == "another's":
        RecoveryCode.objects.filter(pk=row.pk).update(user=world.support)
    else:
        RecoveryCode.objects.filter(pk=row.pk).update(made_at=LATER)
    found = breaches()
    assert found[0].startswith("The user finance-1 has")
    assert len(found) == (2 if what == "another's" else 1)


def test_no_audit_row_tells_what_is_signed_in_with(world: World) -> None:
    said = str(list(AuditRow.objects.values()))
    digests = [*Token.objects.values_list("digest", flat=True), *RecoveryCode.objects.values_list("digest", flat=True)]
    assert not [digest for digest in digests if bytes(digest).hex()[:16] in said]
    assert not [code for code in world.codes if code in said]


@pytest.mark.parametrize("action", ["issue", "replace", "end", *signing_proofs.ACTIONS])
def test_an_audit_row_that_says_nothing_ends_no_verification(world: World, action: str) -> None:
    """Anyone who plants one is named, where it says something else than the program did."""
    is_token = action in {"issue", "replace", "end"}
    subject = ("token", world.second.pk) if is_token else ("user", world.finance.pk)
    row = AuditRow(subject_type=subject[0], subject_id=subject[1], subject="x", actor=world.finance, at=LATER, door="admin")
    row.action, row.outcome = action, "done"
    row.save(force_insert=True)
    assert (breaches() == []) is (action == "remove_factor")
