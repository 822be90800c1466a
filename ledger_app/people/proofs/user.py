"""The invariants of users, asked of the rows alone: their groups and rights are those of the last line of their history, and no password came past it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Book, Trace, User
from ledger_app.traces.queries import traces

USERS = "ledger_app_user"
# What a user has, and what the last line of the history says, in both directions.
BESIDE = """
    SELECT kept.user_id, kept.{column}
      FROM ledger_app_user_{what} AS kept
      LEFT JOIN ledger_app_historicaluser_{what} AS said
        ON said.user_id = kept.user_id AND said.{column} = kept.{column}
       AND said.history_id = (SELECT MAX(line.history_id) FROM ledger_app_historicaluser AS line WHERE line.id = kept.user_id)
     WHERE said.user_id IS NULL
     UNION
    SELECT said.user_id, said.{column}
      FROM ledger_app_historicaluser_{what} AS said
      LEFT JOIN ledger_app_user_{what} AS kept ON kept.user_id = said.user_id AND kept.{column} = said.{column}
     WHERE kept.id IS NULL
       AND said.history_id = (SELECT MAX(line.history_id) FROM ledger_app_historicaluser AS line WHERE line.id = said.user_id)
     ORDER BY 1, 2
"""
HAVING = (("groups", "group_id"), ("user_permissions", "permission_id"))


def users_have_what_their_history_says(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for who is in which group and has which right besides."""
    for what, column in HAVING:
        names = dict(User.objects.values_list("id", "username"))
        for key, other in rows(BESIDE.format(what=what, column=column), ()):
            yield _("The user {user} has other groups or rights than the history says ({what} {number}).").format(
                user=names.get(key, f"#{key}"), what=what, number=other
            )


def passwords_were_set_by_the_program(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for who may be taken for whom: each change of a password has a line of the history, which never has the password."""
    changed = Trace.objects.filter(table_name=USERS, event=Trace.Event.UPDATED).order_by("row_id")
    keys = sorted(set(changed.values_list("row_id", flat=True)))
    for part in sql.parts(keys):
        there = {row.pk: row for row in User.objects.filter(id__in=part)}
        for key, said_of in traces.contents_of(USERS, part).items():
            count = sum(before["password"] != after["password"] for before, after in pairwise(said_of))
            if key in there and count > _lines_of_passwords(there[key]):
                yield _("A password of the user {user} was changed without a line of the history that says so.").format(
                    user=there[key].username
                )


def _lines_of_passwords(user: User) -> int:
    """Count the lines of a history that set a password, and the lines that only hashed it anew."""
    lines = list(user.history.order_by("history_id"))
    had = [_having(line) for line in lines]
    count = 0
    for (before, line), (had_before, has) in zip(pairwise(lines), pairwise(had), strict=True):
        said = (line.history_change_reason or "").startswith("password")
        count += said or (
            had_before == has and not line.diff_against(before, excluded_fields=["groups", "user_permissions"]).changes
        )
    return count


def _having(line: Any) -> Counter[tuple[str, int]]:
    return Counter((what, key) for what, column in HAVING for key in getattr(line, what).values_list(column, flat=True))


INVARIANTS = (
    Invariant(
        8,
        gettext_lazy("Each user is in the groups that the history says, and has no right besides."),
        users_have_what_their_history_says,
    ),
    Invariant(8, gettext_lazy("Each password was set by the program."), passwords_were_set_by_the_program),
)
