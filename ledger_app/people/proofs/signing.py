"""The invariants of what is signed in with, asked of the rows alone: each token, second factor, recovery code and identity is what its audit rows say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy

from ledger_app.base.proofs import Invariant
from ledger_app.errors.card_numbers import masked_all, masked_text
from ledger_app.errors.sentences import say as _
from ledger_app.models import AuditRow, Book, Identity, RecoveryCode, SecondFactor, Token, User
from ledger_app.values import fingerprints

Said = dict[str, Any]
# What a token's audit row says of it, by the same name.
AS_SAID = ("operations", "books", "name")


def tokens_are_as_they_were_issued(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for tokens: the user, the operations, the books and the end of each are those of its audit row, and it ended as that row says."""
    said, twice = _said_of_tokens()
    for row in Token.objects.select_related("user", "replaces").order_by("id"):
        wanted = said.pop(row.pk, None)
        if wanted is None:
            yield _("The token {token} of {user} is there, and no audit row says who issued it.").format(
                token=row.prefix, user=row.user.username
            )
            continue
        is_now = _token_is(row)
        differs = [name for name, value in wanted.items() if is_now[name] != value]
        if differs or row.pk in twice:
            yield _("The token {token} of {user} is not what its audit rows say ({differs}).").format(
                token=row.prefix, user=row.user.username, differs=", ".join(differs) or "issued_at"
            )
    for wanted in said.values():
        yield _("The token {token} of {user} was issued, and is gone.").format(token=wanted["prefix"], user=wanted["user"])


def _said_of_tokens() -> tuple[dict[int, Said], set[int]]:
    """Return what the audit rows say of each token, and the numbers of those that they say were issued or ended twice."""
    said: dict[int, Said] = {}
    twice: set[int] = set()
    done = AuditRow.objects.filter(subject_type="token", outcome=AuditRow.Outcome.DONE).order_by("id")
    for row in done.iterator():
        facts = row.facts
        there = said.get(row.subject_id)
        if row.action in {"issue", "replace"}:
            if there is not None:
                twice.add(row.subject_id)
            said[row.subject_id] = _issued(row)
            old = _replaced(row, said)
            if old is not None:
                said[old]["ends_at"] = _instant(facts["old_ends_at"])
        elif row.action == "end" and there is not None:
            if there["ended_at"] is not None:
                twice.add(row.subject_id)
            there |= {"ended_at": row.at, "ended_by": row.actor_id, "ending": facts.get("why", "")}
    return said, twice


def _issued(row: AuditRow) -> Said:
    facts = row.facts
    found: Said = {"prefix": row.subject, "user": facts.get("user"), "issued_by": row.actor_id, "issued_at": row.at}
    found |= {name: facts.get(name) for name in AS_SAID}
    found |= {"ends_at": _instant(facts.get("ends_at")), "replaces": facts.get("replaces", "")}
    found |= {"ended_at": None, "ended_by": None, "ending": ""}
    if row.action == "issue":
        found["replaces_id"] = None
    # Rows that were written before say nothing of these.
    return found | {name: facts[name] for name in ("replaces_id", "key") if name in facts}


def _instant(said: object) -> datetime | None:
    """Return the instant that an audit row tells; None where it tells none, so that what is planted ends no verification."""
    try:
        return datetime.fromisoformat(str(said))
    except ValueError:
        return None


def _replaced(row: AuditRow, said: Mapping[int, Said]) -> int | None:
    """Return the number of the token in whose place another came; by its prefix and its user where the audit row does not tell it."""
    facts = row.facts
    if "old_ends_at" not in facts:
        return None
    if "replaces_id" in facts:
        return facts["replaces_id"] if facts["replaces_id"] in said else None
    found = [
        key
        for key, each in said.items()
        if (each["prefix"], each["user"]) == (facts.get("replaces"), facts.get("user")) and key != row.subject_id
    ]
    return found[-1] if found else None


def _token_is(row: Token) -> Said:
    """Return what a token is, by the names under which its audit rows say it."""
    old = row.replaces
    return {
        "prefix": masked_text(row.prefix),
        **masked_all({"user": row.user.username, **{name: getattr(row, name) for name in AS_SAID}}),
        "issued_by": row.issued_by_id,
        "issued_at": row.issued_at,
        "ends_at": row.ends_at,
        "replaces": masked_text(old.prefix) if old else "",
        "replaces_id": row.replaces_id,
        "key": fingerprints.of(bytes(row.digest)),
        "ended_at": row.ended_at,
        "ended_by": row.ended_by_id,
        "ending": row.ending,
    }


class Factor(NamedTuple):
    """What an audit row says of a second factor; of one that was added before that was kept, no fingerprint."""

    kind: str
    name: str
    added_at: datetime
    content: str


class Codes(NamedTuple):
    """A set of recovery codes: when it was made, which is one time, how many are left, and their fingerprints where they were kept."""

    made_at: frozenset[datetime] = frozenset()
    size: int = 0
    left: Counter[str] | None = None


class Has(NamedTuple):
    """What a user has to sign in with."""

    factors: list[Factor]
    codes: Codes


NOTHING = Codes()
# What a user does for himself: nobody gives somebody else a second factor.
OWN = frozenset({"add_factor", "make_recovery_codes"})
ACTIONS = (*sorted(OWN), "remove_factor", "use_recovery_code", "reset_factors")


def factors_are_those_that_were_added(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for what people sign in with: each second factor and each recovery code is its owner's doing, and none is missing."""
    said = _said_of_people()
    there = _people_have()
    names = dict(User.objects.filter(pk__in=said.keys() | there.keys()).values_list("pk", "username"))
    for key in sorted(said.keys() | there.keys()):
        user = names.get(key, f"#{key}")
        has, wanted = there.get(key, Has([], NOTHING)), said.get(key, Has([], NOTHING))
        missing = list(wanted.factors)
        for factor in has.factors:
            found = next((each for each in missing if each in {factor, factor._replace(content="")}), None)
            if found is None:
                yield _("The second factor {name} of {user} is not one that an audit row says was added.").format(
                    name=factor.name, user=user
                )
            else:
                missing.remove(found)
        for each in missing:
            yield _("The second factor {name} of {user} was added, and is gone or is another.").format(name=each.name, user=user)
        if not _are_same(has.codes, wanted.codes):
            yield _(
                "The user {user} has {count} recovery codes; those that the audit rows say are left are {said}, or are others."
            ).format(user=user, count=has.codes.size, said=wanted.codes.size)


def _are_same(codes: Codes, said: Codes) -> bool:
    is_same = codes.size == said.size and (codes.made_at == said.made_at or not said.size)
    return is_same and (said.left is None or (codes.left or Counter()) == said.left)


def _said_of_people() -> dict[int, Has]:
    """Return what each user has by the audit rows, each change in its order."""
    said: dict[int, Has] = {}
    rows = AuditRow.objects.filter(subject_type="user", action__in=ACTIONS, outcome=AuditRow.Outcome.DONE).order_by("id")
    for row in rows.iterator():
        if row.action in OWN and row.actor_id != row.subject_id:
            continue
        said[row.subject_id] = _after(said.get(row.subject_id, Has([], NOTHING)), row)
    return said


def _after(has: Has, row: AuditRow) -> Has:
    """Return what a user has after what an audit row says was done."""
    facts, (factors, codes) = row.facts, has
    if row.action == "reset_factors":
        return Has([], NOTHING)
    if row.action == "add_factor":
        return has._replace(
            factors=[*factors, Factor(facts.get("kind", ""), facts.get("name", ""), row.at, facts.get("content", ""))]
        )
    if row.action == "remove_factor":
        gone = [each for each in factors if (each.kind, each.name) == (facts.get("kind"), facts.get("name"))]
        exact = [each for each in gone if each.added_at.isoformat() == facts.get("added_at", each.added_at.isoformat())]
        left = list(factors)
        for each in exact[:1]:
            left.remove(each)
        return Has(left, codes if left else NOTHING)
    if row.action == "make_recovery_codes":
        kept = Counter(facts["codes"]) if "codes" in facts else None
        return has._replace(codes=Codes(frozenset({row.at}), facts.get("count", 0), kept))
    kept = None if codes.left is None or "code" not in facts else codes.left - Counter([facts["code"]])
    return has._replace(codes=codes._replace(size=facts.get("left", 0), left=kept))


def _people_have() -> dict[int, Has]:
    """Return what each user has by the rows."""
    found: dict[int, Has] = {}
    for row in SecondFactor.objects.order_by("id"):
        content = fingerprints.of_factor(row.key_name, row.content, row.credential_digest)
        found.setdefault(row.user_id, Has([], NOTHING)).factors.append(
            Factor(row.kind, masked_text(row.name), row.added_at, content)
        )
    for code in RecoveryCode.objects.order_by("id"):
        has = found.get(code.user_id, Has([], NOTHING))
        before = has.codes
        left = (before.left or Counter()) + Counter([fingerprints.of(bytes(code.digest))])
        codes = Codes(before.made_at | {code.made_at}, before.size + 1, left)
        found[code.user_id] = has._replace(codes=codes)
    return found


class Bound(NamedTuple):
    """Whom the provider knows a user as, and by whose doing, since when."""

    issuer: str
    subject: str
    by: int
    at: datetime


def identities_are_those_that_were_bound(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for who signs in by a provider: each identity was bound by its user or by the system, and none is missing."""
    said: dict[int, Bound] = {}
    system = User.objects.get(username=User.SYSTEM).pk
    told = AuditRow.objects.filter(
        subject_type="user", action__in=["bind_identity", "unbind_identity"], outcome=AuditRow.Outcome.DONE
    )
    for row in told.order_by("id").iterator():
        if row.action == "unbind_identity":
            said.pop(row.subject_id, None)
        elif row.actor_id in {row.subject_id, system}:
            said[row.subject_id] = Bound(row.facts.get("issuer", ""), row.facts.get("subject", ""), row.actor_id, row.at)
    there = {
        row.user_id: Bound(masked_text(row.issuer), fingerprints.of(row.subject.encode()), row.bound_by_id, row.bound_at)
        for row in Identity.objects.order_by("id")
    }
    names = dict(User.objects.filter(pk__in=said.keys() | there.keys()).values_list("pk", "username"))
    for key in sorted(said.keys() | there.keys()):
        if said.get(key) != there.get(key):
            yield _("The identity at the provider that {user} is bound to is not what the audit rows say.").format(
                user=names.get(key, f"#{key}")
            )


INVARIANTS = (
    Invariant(
        12,
        gettext_lazy("Each user is bound to the identity at a provider that the audit rows say."),
        identities_are_those_that_were_bound,
    ),
    Invariant(12, gettext_lazy("Each token is what its audit rows say."), tokens_are_as_they_were_issued),
    Invariant(
        12,
        gettext_lazy("Each second factor and recovery code is its owner's, by an audit row."),
        factors_are_those_that_were_added,
    ),
)
