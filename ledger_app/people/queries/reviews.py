"""Who has which right, since when, and who gave it: what a review of access looks through, and how the last one stands."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.apps import apps

from ledger_app.models import AccessReview, SettingChange, Token, User
from ledger_app.rights.queries import granting
from ledger_app.rights.queries import tokens as token_rows
from ledger_app.rights.rules import rights

FORM = "kakutei-grants-1"
ADMINISTRATOR, PAGES, TOKEN, NONE = "administrator", "pages", "token", "none"
FLAGS: Mapping[str, str] = {"is_superuser": ADMINISTRATOR, "is_staff": PAGES}


class Grant(NamedTuple):
    """One right that a user has: a group by its name, everything (``administrator``), the pages of the admin (``pages``), a token by ``token:`` and the beginning of its key, or one right past every group by its code.

    ``given_by`` is who gave it, as a user or, at the shell, the account of the operating system; ``decided_by`` who decided that, nothing where nobody
    did: then it was given by one ``alone``. ``since`` is None where nothing tells. ``last_login`` is of a token when it was last used.
    """

    user: str
    is_active: bool
    grant: str
    since: datetime | None
    given_by: str
    decided_by: str
    last_login: datetime | None
    conflicts: tuple[str, ...]  # pairs of rights that the user holds both of, as first+second
    token: Token | None = None

    @property
    def is_alone(self) -> bool:
        """Whether nobody decided it; what needs no decision is never said to be."""
        return not self.decided_by and self.token is None and self.grant not in {NONE, PAGES}


class Standing(NamedTuple):
    """How the review stands: the grants now with their digest, the last review and until when it is good.

    ``own_left`` is what of the last review its signer had given alone, and nobody else has signed off since in the same state.
    """

    grants: list[Grant]
    digest: str
    last: AccessReview | None
    due_at: datetime
    is_overdue: bool
    has_moved: bool
    own_left: list[list[str]]
    deciders: frozenset[str]

    @property
    def is_due(self) -> bool:
        """Whether somebody has to look."""
        return self.is_overdue or bool(self.own_left)


def due(*, at: datetime) -> datetime | None:
    """Return since when somebody has to look; None where nobody has."""
    last = _last()
    due_at = _due_at(last, at)
    return due_at if due_at <= at else last.signed_at if last is not None and _own_left(last) else None


def _last() -> AccessReview | None:
    return AccessReview.objects.select_related("signed_by").order_by("-id").first()


def _due_at(last: AccessReview | None, at: datetime) -> datetime:
    """Return when a review is due: half a year after the last, or after the first user."""
    first = User.objects.exclude(username=User.SYSTEM).order_by("date_joined").values_list("date_joined", flat=True)
    return (last.signed_at if last is not None else first.first() or at) + timedelta(days=rights.REVIEW_DAYS)


def standing(*, at: datetime) -> Standing:
    """Return how the review stands at an instant."""
    found = grants(at=at)
    state = digest(found)
    last = _last()
    due_at = _due_at(last, at)
    return Standing(
        grants=found,
        digest=state,
        last=last,
        due_at=due_at,
        is_overdue=due_at <= at,
        has_moved=last is not None and bytes(last.digest).hex() != state,
        own_left=_own_left(last),
        deciders=granting.deciders(),
    )


def digest(found: Iterable[Grant]) -> str:
    """Return the SHA-256, in hexadecimal, of a state of the grants: all but when somebody last logged in."""
    said = [[each.user, each.is_active, each.grant, _instant(each.since), each.given_by, each.decided_by] for each in found]
    return hashlib.sha256(f"{FORM}\n{json.dumps(said, ensure_ascii=True, separators=(',', ':'))}".encode()).hexdigest()


def grants(*, at: datetime) -> list[Grant]:
    """Return every grant of everybody but the system, by user and grant, in a number of statements that depends on nobody."""
    given, tokens = _given(), _tokens(at)
    found: list[Grant] = []
    users = User.objects.exclude(username=User.SYSTEM).order_by("username")
    for user in users.prefetch_related("groups", "user_permissions__content_type"):
        told = given.get(user.pk, {})
        pairs = tuple(f"{one}+{other}" for one, other, _says in rights.conflicts_of(_rights(user)))
        of_user = tokens.get(user.pk, [])
        for grant in sorted(grants_of(user)) or ([] if of_user else [NONE]):
            since, given_by, decided_by = told.get(grant, (None, "", ""))
            found.append(Grant(user.username, user.is_active, grant, since, given_by, decided_by, user.last_login, pairs))
        found += [_of_token(user, row, pairs) for row in of_user]
    return found


def grants_of(user: User) -> set[str]:
    """Return the grants that a user has but for tokens; groups and rights are read beforehand."""
    there = {group.name for group in user.groups.all()}
    there |= {f"{each.content_type.app_label}.{each.codename}" for each in user.user_permissions.all()}
    return there | {name for flag, name in FLAGS.items() if getattr(user, flag)}


def _rights(user: User) -> set[str]:
    """Return what a user may do, disabled or not; of an administrator nothing, who may do everything and is told as such."""
    if user.is_superuser:
        return set()
    there = {f"{each.content_type.app_label}.{each.codename}" for each in user.user_permissions.all()}
    for group in user.groups.all():
        there |= set(rights.ACTIONS.get(group.name, ()))
    return there


def _own_left(last: AccessReview | None) -> list[list[str]]:
    if last is None:
        return []
    left = {tuple(each) for each in last.own}
    for other in AccessReview.objects.filter(digest=bytes(last.digest)).exclude(signed_by=last.signed_by):
        left &= {tuple(each) for each in other.own}
    return [list(each) for each in sorted(left)]


Told = tuple[datetime | None, str, str]  # since, given by, decided by


def _given() -> dict[int, dict[str, Told]]:
    """Return since when, and by whom, each user has had each grant without a break, as the history tells."""
    proposals = {
        (row.arguments["user"], row.decided_at, row.decided_by_id): row
        for row in SettingChange.objects.filter(kind="rights", state="applied").select_related("proposed_by", "decided_by")
    }
    found: dict[int, dict[str, Told]] = defaultdict(dict)
    for line, names in _lines():
        told = found[line["id"]]
        row = proposals.get((line["username"], line["history_date"], line["history_user"]))
        who = line["history_user__username"] or (line["history_change_reason"] or "")
        by = (row.proposed_by.username, row.decided_by.username) if row is not None and row.decided_by is not None else (who, "")
        for gone in told.keys() - names:
            del told[gone]
        for new in names - told.keys():
            told[new] = (line["history_date"], *by)
    return found


def _lines() -> Iterator[tuple[dict[str, Any], set[str]]]:
    """Yield each line of the history of users in its order, with the grants that it tells of."""
    of_line: dict[int, set[str]] = defaultdict(set)
    groups = apps.get_model("ledger_app", "HistoricalUser_groups").objects.values_list("history_id", "group__name")
    for history, name in groups.iterator():
        of_line[history].add(name or "?")
    codes = ("history_id", "permission__content_type__app_label", "permission__codename")
    for history, app, codename in apps.get_model("ledger_app", "HistoricalUser_user_permissions").objects.values_list(*codes):
        of_line[history].add(f"{app}.{codename}")
    columns = ("id", "username", "history_id", "history_date", "history_user", "history_user__username", "history_change_reason")
    for line in User.history.order_by("id", "history_id").values(*columns, *FLAGS).iterator():
        yield line, of_line[line["history_id"]] | {name for flag, name in FLAGS.items() if line[flag]}


def _tokens(at: datetime) -> Mapping[int, Sequence[Token]]:
    """Return the tokens that are good, by user, in their order."""
    found: dict[int, list[Token]] = defaultdict(list)
    for row in token_rows.live(at).select_related("issued_by").order_by("id"):
        found[row.user_id].append(row)
    return found


def _of_token(user: User, row: Token, pairs: tuple[str, ...]) -> Grant:
    grant, by = f"{TOKEN}:{row.prefix}", row.issued_by.username
    return Grant(user.username, user.is_active, grant, row.issued_at, by, "", row.last_used_at, pairs, row)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
