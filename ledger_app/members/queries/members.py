"""Finds members by any identifier, whole or by its beginning, among tens of millions: by ranges of indexes, and no table is counted."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.books.queries import identifiers as kept
from ledger_app.errors import members
from ledger_app.members.queries import merges
from ledger_app.models import AuditRow, Holder, Identifier, MovedIdentifier
from ledger_app.values import identifiers
from ledger_app.values.identifiers import KINDS

PAGE = 50
# After every character that an identifier or a name can have.
LAST_CHARACTER = "\U0010ffff"


class By(StrEnum):
    """How a member is looked for."""

    EXACT = "exact"  # by a whole identifier
    LAST_FOUR = "last_four"  # of a card number
    PREFIX = "prefix"  # by the beginning of a member number
    NAME = "name"  # by the beginning of a name


class Match(NamedTuple):
    """A member that was found, by what: ``value`` is the identifier or the name as it is shown."""

    holder_id: int
    kind: str  # of the identifier; empty for a name
    value: str


class Found(NamedTuple):
    """A page of matches; ``after`` leads to the next, and is empty on the last."""

    by: By
    matches: list[Match]
    after: str


def search(text: str, *, by: By | None = None, after: str = "", most: int = PAGE) -> Found:
    """Return who is found by ``text``: by ``by``, or else by the first of the ways that finds anybody, a whole identifier before all.

    Each way reads as many rows of an index as it returns. ``after`` is what the page before gave out.

    :raises errors.Refused: search_too_short, card_key_missing
    """
    term = identifiers.plain(text)
    if by is not None:
        return _WAYS[by](term, after, most)
    ways = [By.EXACT]
    if identifiers.LAST_FOUR.fullmatch(term):
        ways.append(By.LAST_FOUR)
    if not identifiers.card_digits(term):
        ways += [By.PREFIX, By.NAME] if len(term) >= identifiers.PREFIX_LEAST else []
    found = Found(By.EXACT, [], "")
    for way in ways:
        found = _WAYS[way](term, "", most)
        if found.matches:
            break
    return found


def _exact(term: str, _after: str, _most: int) -> Found:
    if identifiers.card_digits(term):
        if not kept.card_keys():
            raise errors.Refused([members.CardKeyMissing()])
        kinds = [Identifier.CARD_NUMBER]
    else:
        kinds = [kind for kind, each in KINDS.items() if not each.is_secret]
    matches = []
    for kind in kinds:
        found = kept.find(kind, [term])
        matches += [Match(known.holder_id, kind, identifiers.shown(kind, term, term[-4:])) for known in found.values()]
    return Found(By.EXACT, matches, "")


def _last_four(term: str, after: str, most: int) -> Found:
    match = identifiers.LAST_FOUR.fullmatch(term)
    if match is None:
        return Found(By.LAST_FOUR, [], "")
    rows = Identifier.objects.filter(last_four=match[1]).order_by("id")
    if after:
        rows = rows.filter(id__gt=_number(after))
    page = list(rows[: most + 1])
    matches = [Match(row.holder_id, row.kind, row.shown) for row in page[:most]]
    return Found(By.LAST_FOUR, matches, str(page[most - 1].pk) if len(page) > most else "")


def _prefix(term: str, after: str, most: int) -> Found:
    _long_enough(term)
    # A range of the unique index: LIKE would be by the rules of a collation, and on SQLite without the index.
    rows = Identifier.objects.filter(kind=Identifier.MEMBER_NUMBER, value__gte=term, value__lt=term + LAST_CHARACTER)
    if after:
        rows = rows.filter(value__gt=after)
    page = list(rows.order_by("value")[: most + 1].values_list("holder_id", "kind", "value"))
    return Found(By.PREFIX, [Match(*row) for row in page[:most]], page[most - 1][2] if len(page) > most else "")


def _name(term: str, after: str, most: int) -> Found:
    _long_enough(term)
    rows = Holder.objects.filter(name__gte=term, name__lt=term + LAST_CHARACTER)
    if after:
        key, _separator, name = after.partition(":")
        rows = rows.filter(name__gte=name).exclude(name=name, id__lte=_number(key))
    page = list(rows.order_by("name", "id")[: most + 1].values_list("id", "name"))
    after = f"{page[most - 1][0]}:{page[most - 1][1]}" if len(page) > most else ""
    return Found(By.NAME, [Match(key, "", name) for key, name in page[:most]], after)


_WAYS = {By.EXACT: _exact, By.LAST_FOUR: _last_four, By.PREFIX: _prefix, By.NAME: _name}


def _long_enough(term: str) -> None:
    if len(term) < identifiers.PREFIX_LEAST:
        raise errors.Refused([members.SearchTooShort(least=identifiers.PREFIX_LEAST)])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise errors.Refused([errors.NotFound(what=_("page"), name=text[:20])])
    return int(text)


class MemberShown(NamedTuple):
    """A member as a list shows it: numbers, name, and who remains where it was merged."""

    id: int
    name: str
    member_numbers: list[str]
    remains: int


def numbers_own_first(holder: Holder | None = None) -> QuerySet[Identifier]:
    """Return member numbers such that the first of a member is what the member is called.

    None that another member brought by a merge, where there is another; of those that an undoing gave back, the one that was moved least often: the
    others had come to the member before. ``holder`` is a member whose numbers went to who remains: those are returned.
    """
    numbers = Identifier.objects.filter(kind=Identifier.MEMBER_NUMBER)
    if holder is not None:
        numbers = numbers.filter(moves__from_holder=holder)
    moves = MovedIdentifier.objects.filter(identifier=OuterRef("pk")).order_by()
    came = moves.filter(to_holder=OuterRef("holder") if holder is None else holder, merge__undoes__isnull=True)
    often = moves.values("identifier").annotate(often=Count("*")).values("often")
    return numbers.alias(has_come=Exists(came), often=Coalesce(Subquery(often), 0)).order_by("has_come", "often", "id")


def numbers_of(holder_ids: Collection[int]) -> dict[int, str]:
    """Return the number that each of these members is called by; one who has none is left out."""
    found: dict[int, str] = {}
    for part in sql.parts(sorted(holder_ids)):
        for holder_id, value in numbers_own_first().filter(holder_id__in=part).values_list("holder_id", "value"):
            found.setdefault(holder_id, value)
    return found


def shown(holder_ids: Iterable[int]) -> dict[int, MemberShown]:
    """Return what a list shows of these members, in a number of statements that does not depend on how many they are."""
    ids = sorted(set(holder_ids))
    numbers: dict[int, list[str]] = {key: [] for key in ids}
    rows = numbers_own_first().filter(holder_id__in=ids)
    for key, value in rows.values_list("holder_id", "value"):
        numbers[key].append(value)
    remains = merges.survivors(ids)
    names = Holder.objects.filter(id__in=ids).values_list("id", "name")
    return {key: MemberShown(key, name, numbers[key], remains[key]) for key, name in names}


def trail(holder_id: int, most: int) -> Sequence[AuditRow]:
    """Return what was done with a member, and what was refused, the latest first."""
    rows = AuditRow.objects.filter(subject_type="member", subject_id=holder_id).select_related("actor")
    return list(rows.order_by("-id")[:most])
