"""Tokens: to whom, for what and for how long; followed without a gap; gone when they are to be. No row has a key."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.models import AuditRow, Book, Token, User
from ledger_app.people.operations import people
from ledger_app.rights.operations import tokens
from ledger_app.rights.queries import tokens as asked
from ledger_app.rights.queries.rights import as_now, is_program, of_program, programs, rights_of
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.values import tokens as rules
from tests.support.holders_of_tokens import AT, HOLDS, by, person

pytestmark = pytest.mark.django_db
PASSWORD = "a-password-of-these-tests"


def system() -> Caller:
    return by(User.objects.get(username=User.SYSTEM))


def issue(username: str, caller: Caller, **said: Any) -> tokens.Issued:
    given = {"name": "program", "operations": None, "books": None, "ends_at": AT + timedelta(days=30), "days_most": 30, **said}
    return tokens.issue(username=username, caller=caller, **given)


def codes(work: Callable[[], object]) -> list[str]:
    with pytest.raises(errors.Refused) as refused:
        work()
    return [reason.code for reason in refused.value.reasons]


@pytest.fixture
def root() -> User:
    return person("root-1", is_superuser=True)


@pytest.fixture
def till() -> User:
    return person("till-1", "till")


@pytest.mark.anywhere
def test_what_has_not_the_form_of_a_key_is_asked_of_no_database() -> None:
    key = rules.new_key()
    assert rules.is_like_key(key.text)
    assert (key.prefix, len(key.digest)) == (key.text[: rules.PREFIX_MOST], 32)
    for wrong in ("", "x", key.text[:-1], f"{key.text}0", key.text.upper(), f" {key.text}", key.text.removeprefix(rules.MARK)):
        assert not rules.is_like_key(wrong)


def test_a_key_is_told_once_and_kept_nowhere(root: User, till: User) -> None:
    made = issue("till-1", by(root))
    assert asked.of_key(made.key, at=AT) == made.token
    again = issue("till-1", by(root))
    assert (again.token, again.key) == (made.token, "")
    row = AuditRow.objects.get(subject_type="token")
    assert (row.action, row.actor, row.subject, row.facts["user"]) == ("issue", root, made.token.prefix, "till-1")
    secret = made.key.removeprefix(made.token.prefix)
    kept = str([list(model.objects.values()) for model in (AuditRow, Token)])
    assert secret not in kept
    # Another name is another token; the same name for something else is none.
    assert issue("till-1", by(root), name="till 2").key
    assert codes(lambda: issue("till-1", by(root), operations=HOLDS)) == ["definition_conflict"]


def test_for_whom_for_what_and_for_how_long(root: User, till: User) -> None:
    fumiko, second = person("fumiko", "finance"), person("root-2", is_superuser=True)
    assert issue("fumiko", by(fumiko), operations=["ledger_app.decide_adjustment"]).key
    assert issue("fumiko", system(), name="by an operator").key
    refused = {
        "of another": (lambda: issue("fumiko", by(root), name="x"), "token_of_person"),
        "of one's own as administrator": (lambda: issue("root-1", by(root)), "token_of_administrator"),
        "of an administrator at the shell": (lambda: issue("root-2", system()), "token_of_administrator"),
        "by who may not": (lambda: issue("till-1", by(fumiko)), "token_of_person"),
        "of the system": (lambda: issue("system", system()), "not_found"),
        "of nobody": (lambda: issue("nobody", by(root)), "not_found"),
        "what the user may not": (
            lambda: issue("till-1", by(root), operations=["ledger_app.decide_merge"]),
            "operation_beyond_rights",
        ),
        "looking is no operation": (
            lambda: issue("till-1", by(root), operations=["ledger_app.view_hold"]),
            "operation_beyond_rights",
        ),
        "no such book": (lambda: issue("till-1", by(root), books=["GONE"]), "token_book_unknown"),
        "no book at all": (lambda: issue("till-1", by(root), books=[]), "token_without_book"),
        "too long": (lambda: issue("till-1", by(root), ends_at=AT + timedelta(days=31)), "token_life_bounded"),
        "over already": (lambda: issue("till-1", by(root), ends_at=AT), "token_life_bounded"),
        "without a name": (lambda: issue("till-1", by(root), name=" "), "label_invalid"),
    }
    for case, (work, code) in refused.items():
        assert code in codes(work), case
    assert Token.objects.count() == 2
    assert second.tokens.count() == 0


def test_who_is_a_person_besides_is_no_program(root: User) -> None:
    """Anyone who posts as a program and decides as a person has a key that an administrator alone must not hold."""
    both, all_programs = person("fumiko", "finance", "machine"), person("machine-1", "machine", "till")
    person("nobody-yet")
    assert codes(lambda: issue("fumiko", by(root))) == ["token_of_person"]
    assert codes(lambda: issue("nobody-yet", by(root))) == ["token_of_person"]
    assert issue("machine-1", by(root)).key
    assert list(programs()) == [all_programs]
    assert [(is_program(user), "ledger_app.post_entry" in of_program(user)) for user in (both, all_programs, root)] == [
        (False, False),
        (True, True),
        (False, False),
    ]


def test_one_follows_another_without_a_gap(root: User, till: User) -> None:
    first = issue("till-1", by(root), operations=HOLDS)
    life: dict[str, Any] = {"ends_at": AT + timedelta(days=40), "days_most": 40}
    old_ends_at = AT + timedelta(days=7)
    for wrong in (AT - timedelta(seconds=1), AT + timedelta(days=31)):
        assert codes(lambda at=wrong: tokens.replace(token_id=first.token.pk, old_ends_at=at, **life, caller=by(root))) == [  # type: ignore[misc]
            "token_overlap_bounded"
        ]
    second = tokens.replace(token_id=first.token.pk, old_ends_at=old_ends_at, **life, caller=by(root))
    assert (second.token.operations, second.token.name, second.token.replaces) == (HOLDS, "program", first.token)
    just_before = old_ends_at - timedelta(seconds=1)
    assert all(asked.of_key(each.key, at=just_before) for each in (first, second))
    assert [asked.of_key(each.key, at=old_ends_at) for each in (first, second)] == [None, second.token]
    again = tokens.replace(token_id=first.token.pk, old_ends_at=old_ends_at, **life, caller=by(root))
    assert (again.token, again.key) == (second.token, "")
    assert AuditRow.objects.get(action="replace").facts["replaces"] == first.token.prefix
    tokens.end(token_id=second.token.pk, caller=by(root))
    # The old one is good yet, and what replaced it is not: no token that opens nothing is the answer, and another can be issued.
    assert asked.of_key(first.key, at=AT) is not None
    assert codes(lambda: tokens.replace(token_id=first.token.pk, old_ends_at=AT, **life, caller=by(root))) == [
        "token_replacement_ended"
    ]
    assert asked.of_key(issue("till-1", by(root), operations=HOLDS).key, at=AT) is not None
    late = by(root, old_ends_at)
    assert codes(lambda: tokens.replace(token_id=first.token.pk, old_ends_at=old_ends_at, **life, caller=late)) == ["token_ended"]
    assert codes(lambda: tokens.replace(token_id=second.token.pk, old_ends_at=AT, **life, caller=by(root))) == ["token_ended"]


def test_its_owner_or_an_administrator_ends_it(root: User) -> None:
    fumiko, sora = person("fumiko", "finance"), person("sora", "support")
    one, other = issue("fumiko", by(fumiko)), issue("fumiko", by(fumiko), name="other")
    assert codes(lambda: tokens.end(token_id=one.token.pk, caller=by(sora))) == ["not_permitted"]
    assert tokens.end(token_id=one.token.pk, caller=by(fumiko))
    assert not tokens.end(token_id=one.token.pk, caller=by(root))
    assert tokens.end(token_id=other.token.pk, caller=by(root))
    assert [asked.of_key(each.key, at=AT) for each in (one, other)] == [None, None]
    told = AuditRow.objects.filter(action="end").order_by("id").values_list("actor__username", "facts__why")
    assert list(told) == [("fumiko", "revoked"), ("root-1", "revoked")]
    assert codes(lambda: tokens.end(token_id=0, caller=by(root))) == ["not_found"]


def test_what_ends_the_trust_in_a_user_ends_the_tokens(root: User) -> None:
    second = by(person("root-2", is_superuser=True))
    made = {}
    for name in ("chosen", "changed", "leaves", "rises"):
        user = person(name, "finance")
        made[name] = [issue(name, by(user), name=called) for called in ("one", "two")]
    people.set_password(username="chosen", password=PASSWORD, caller=by(User.objects.get(username="chosen")))
    people.tell_password(username="changed", caller=system())
    people.keep_user(username="leaves", groups=["finance"], flags={"is_active": False}, caller=by(root))
    kept = people.keep_user(username="rises", groups=["finance"], flags={"is_superuser": True}, reason="x", caller=by(root))
    assert asked.of_key(made["rises"][0].key, at=AT) is not None
    # Rights by two: nothing is given before the second has decided.
    person("root-3", is_superuser=True)
    assert kept.proposed is not None
    setting_changes.approve(change_id=kept.proposed.pk, caller=second)
    assert [asked.of_key(each.key, at=AT) for pair in made.values() for each in pair] == [None] * 8
    why = set(Token.objects.values_list("user__username", "ending"))
    assert why == {("chosen", "password"), ("changed", "password"), ("leaves", "disabled"), ("rises", "administrator")}
    assert AuditRow.objects.filter(action="end").count() == 8
    # Whatever the row says: who may not log in, or may do everything, is opened nothing by a token that nobody ended.
    Token.objects.update(ended_at=None, ended_by=None, ending="")
    assert asked.of_key(made["leaves"][0].key, at=AT) is None
    assert asked.of_key(made["rises"][0].key, at=AT) is None


def test_a_token_narrows_what_its_user_may_do_and_follows_it(till: User) -> None:
    book = Book.objects.create(code="B", name="B", unit="points", exponent=0, time_zone="UTC")
    made = issue("till-1", system(), operations=HOLDS, books=[book.code])
    token = asked.of_key(made.key, at=AT)
    assert token is not None
    user = token.user
    asked.narrow(user, token)
    has = rights_of(user)
    assert rules.acts(has) == HOLDS
    assert has - set(HOLDS) == {right for right in rights_of(till) if ".view_" in right}
    assert user.only_books == frozenset({"B"})
    assert not user.has_perm("ledger_app.release_hold")
    assert till.has_perm("ledger_app.release_hold")
    assert rights_of(as_now(user)) == has
    # What the user loses, the token loses; what the user is given, the token is not for.
    till.groups.set(Group.objects.filter(name="finance"))
    asked.narrow(fresh := User.objects.get(pk=till.pk), token)
    assert rules.acts(rights_of(fresh)) == ["ledger_app.settle_hold"]


def test_last_use_is_kept_once_a_minute(till: User) -> None:
    made = issue("till-1", system())

    def used(seconds: int) -> datetime | None:
        tokens.used(token_id=made.token.pk, at=AT + timedelta(seconds=seconds))
        return Token.objects.get().last_used_at

    assert [used(each) for each in (0, 59, 60)] == [AT, AT, AT + timedelta(seconds=60)]
    assert not AuditRow.objects.filter(subject_type="token").exclude(action="issue").exists()
