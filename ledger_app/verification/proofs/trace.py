"""The invariants of every row, asked of the rows alone: a row is what its trace says, and the groups have the rights that the rules give."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from django.contrib.auth.models import Group
from django.db import connection
from django.utils.translation import gettext_lazy

from ledger_app import sql
from ledger_app.base.proofs import Invariant, rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import AuditRow, Book, Identifier, MovedIdentifier, Seal, SealCover
from ledger_app.posting.proofs import posting as posting_proofs
from ledger_app.rights.rules import rights
from ledger_app.traces.queries import links, traces
from ledger_app.traces.rules import traces as rules
from ledger_app.verification import queries as schema

IDENTIFIERS = "ledger_app_identifier"


def rows_are_as_written(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for every row: it is what its last trace says, and what is gone was removed by the program."""
    for table in traces.tables():
        for key in traces.differing(table):
            column = traces.unlike(table, key)
            if column:
                yield _("{table} {key}: {column} is not what was written.").format(table=table.name, key=key, column=column)
            else:
                yield _("{table} {key} is there, and was not written by way of the database's triggers.").format(
                    table=table.name, key=key
                )
        for key in traces.gone(table):
            yield _("{table} {key} was written, and is gone.").format(table=table.name, key=key)
    known = ", ".join(f"'{table.name}'" for table in traces.tables())
    for (name,) in rows(f"SELECT DISTINCT table_name FROM ledger_app_trace WHERE table_name NOT IN ({known})", ()):
        yield _("Traces name the table {name}, which is none of those that are traced.").format(name=name)


def rows_are_as_their_history_says(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for what has a history: each row is what the last row of its history says."""
    for table in traces.historied():
        for key in traces.beside_history(table):
            yield _("{table} {key} is not what the last row of its history says.").format(table=table.name, key=key)


def chain_recomputes(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 10, for the chain over the traces."""
    yield from links.breaches()


def seals_are_covered(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 10, for what a seal covers beside its entries: the head of the chain when it was written."""
    for seal in Seal.objects.filter(book__in=books).select_related("cover__link", "period__book").order_by("book", "number"):
        cover: SealCover | None = getattr(seal, "cover", None)
        before = SealCover.objects.filter(seal=seal.previous_id).first() if seal.previous_id else None
        if cover is None or bytes(cover.digest) != rules.cover(
            seal=bytes(seal.digest),
            previous=bytes(before.digest) if before else b"",
            link_number=cover.link.number,
            link=bytes(cover.link.digest),
        ):
            yield _("The cover of the seal of {period} does not recompute.").format(period=seal.period)


# What gave an identifier to another member: a merge that was carried out, from its member to the one who remains.
MOVES = """
    SELECT moved.identifier_id
      FROM ledger_app_movedidentifier AS moved
      LEFT JOIN ledger_app_merge AS merge ON merge.id = moved.merge_id
     WHERE merge.id IS NULL OR merge.state <> 'done'
        OR moved.from_holder_id <> merge.holder_id OR moved.to_holder_id <> merge.survivor_id
"""
CHANGED = f"""
    SELECT row_id FROM ledger_app_trace WHERE table_name = '{IDENTIFIERS}' AND event = 'U'
     UNION SELECT identifier_id FROM ledger_app_movedidentifier ORDER BY 1
"""


def identifiers_are_where_they_were_given(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for identifiers: each change of hands is a merge's, and each end has its audit row."""
    said = _("The identifier {identifier} changed hands, or ended, without a merge or an audit row that says so.")
    for (key,) in rows(MOVES, ()):
        yield said.format(identifier=f"#{key}")
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        keys = [key for (key,) in cursor.fetchall()]
    for start in range(0, len(keys), sql.LIST_MOST):
        part = keys[start : start + sql.LIST_MOST]
        there = {row.pk: row for row in Identifier.objects.filter(id__in=part)}
        given: dict[int, list[tuple[int, int]]] = {}
        moved = MovedIdentifier.objects.filter(identifier__in=part).order_by("id")
        for key, before, after in moved.values_list("identifier_id", "from_holder_id", "to_holder_id"):
            given.setdefault(key, []).append((before, after))
        for key, said_of in traces.contents_of(IDENTIFIERS, part).items():
            holders = [int(str(each["holder_id"])) for each in said_of]
            hands = [(before, after) for before, after in pairwise(holders) if before != after]
            if hands != given.get(key, []) or (key in there and not _ends_are_told(there[key], said_of)):
                yield said.format(identifier=there.get(key, f"#{key}"))


def _ends_are_told(identifier: Identifier, said_of: Sequence[Mapping[str, str | None]]) -> bool:
    """Whether each span that an identifier came to have, by ending it or by giving it again, is in an audit row of the member who had it."""
    for before, after in pairwise(said_of):
        first, last = after["active_from"], after["active_to"]
        if (before["active_from"], before["active_to"]) == (first, last):
            continue
        actions = ["end_identifier", "give_again"] if before["active_from"] == first else ["give_again"]
        rows_of = AuditRow.objects.filter(
            subject_type="member", subject_id=int(after["holder_id"] or 0), action__in=actions, outcome="done"
        )
        told = {"facts__value": identifier.shown, "facts__from": first or "", "facts__to": last or ""}
        if not rows_of.filter(**told).exists():
            return False
    return True


def rights_are_those_of_the_rules(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8, for groups: what each may do is what the rules say."""
    for group in Group.objects.filter(name__in=rights.ACTIONS).order_by("name"):
        found = {f"{app}.{name}" for app, name in group.permissions.values_list("content_type__app_label", "codename")}
        wanted = rights.of_group(group.name)
        for right in sorted(found - wanted):
            yield _("The group {group} has the right {right}, which the rules do not give it.").format(
                group=group.name, right=right
            )
        for right in sorted(wanted - found):
            yield _("The group {group} lacks the right {right}, which the rules give it.").format(group=group.name, right=right)


def schema_is_that_of_the_code(_books: Sequence[Book]) -> Iterator[str]:
    """Invariant 3, for what the database keeps: triggers and constraints are, to the letter, those that the migrations make."""
    for name in schema.differing():
        yield _("{name} is not what the migrations make; docs/runbooks/verify-found-a-breach.md says what to do.").format(
            name=name
        )


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(2, gettext_lazy("A balance knows the day of its last line."), posting_proofs.balances_know_their_last_day),
    Invariant(3, gettext_lazy("Each row is what was written down of it when it was written."), rows_are_as_written),
    Invariant(3, gettext_lazy("Each posting is what its digest says."), posting_proofs.postings_are_what_they_wrote),
    Invariant(3, gettext_lazy("What each posting came from is there."), posting_proofs.origins_are_there),
    Invariant(
        3, gettext_lazy("Triggers and constraints are those of the migrations."), schema_is_that_of_the_code, note=schema.unseen
    ),
    Invariant(8, gettext_lazy("Each group may do what the rules say."), rights_are_those_of_the_rules),
    Invariant(10, gettext_lazy("The chain over all that was written recomputes."), chain_recomputes),
    Invariant(10, gettext_lazy("What each seal covers recomputes."), seals_are_covered),
    Invariant(11, gettext_lazy("What is left of a lot is due when the lot says."), posting_proofs.lots_are_due_when_they_say),
    Invariant(12, gettext_lazy("Each row is what the last row of its history says."), rows_are_as_their_history_says),
    Invariant(12, gettext_lazy("Each identifier is where it was given."), identifiers_are_where_they_were_given),
)

EXPECTED_TRIGGERS = frozenset(
    {
        "kakutei_posting_of_origin",
        *(
            f"kakutei_{table.partition('_app_')[2]}_no_{change}"
            for table in traces.written_once()
            for change in ("update", "delete")
        ),
        *(f"kakutei_trace_{table.name}_{event}" for table in traces.tables() for event in ("insert", "update", "delete")),
    }
)
