"""Puts entries together as the slips of an accounting program: each line against another, summed by day or entry by entry. Pure.

Each row has both sides and one amount, so that each is balanced by itself, and a slip of them too, whatever an importer takes apart. The side that an amount stands
on is that of the ledger's line: nothing is negative, and what is taken back stands with its sides swapped.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.accounting.rules.profiles import DAILY, AccountRule, Charts, Definition, Side
from ledger_app.accounting.rules.targets import PARTS, TARGETS, day_unfit, text_unfit
from ledger_app.errors import exporting
from ledger_app.errors.words import Phrase, phrase

TOLD_MOST = 20


class Row(NamedTuple):
    """One row of a file: both sides, and one amount in yen."""

    on: date
    slip: int
    debit: Side
    credit: Side
    yen: int
    summary: str
    memo: str


Pair = tuple[AccountRule, AccountRule, int]  # debit, credit, amount in minor units of the book


class Head(NamedTuple):
    """What all rows of a file have in common: ``memo`` finds them again where they were imported; ``mark`` says on each that it is of a draft."""

    book: str
    period: str
    memo: str
    mark: str = ""


def pairs(sides: Sequence[tuple[AccountRule, int]]) -> Iterator[Pair]:
    """Yield the sides of a balanced entry, as (rule, signed amount), one against another in their order: each amount in full, and nothing else."""
    debits = iter([(rule, amount) for rule, amount in sides if amount > 0])
    credit, left = None, 0
    credits_ = iter([(rule, -amount) for rule, amount in sides if amount < 0])
    for debit, amount in debits:
        open_amount = amount
        while open_amount:
            if not left:
                credit, left = next(credits_)
            taken = min(open_amount, left)
            assert credit is not None  # noqa: S101 - as there is something left of it
            yield debit, credit, taken
            open_amount, left = open_amount - taken, left - taken


class Slips:
    """Makes the slips of a file as entries are given to it in the order of their dates, and counts them. What cannot stand in the file is kept, and raised at the end."""

    def __init__(self, definition: Definition, head: Head, first_slip: int) -> None:
        """Begin with the number of the first slip."""
        self.definition = definition
        self.charts = Charts(definition)
        self.next_slip = first_slip
        self.row_count = 0
        self._target = TARGETS[definition.target]
        self._head = head
        self._yen = definition.yen_a_unit or 1
        self._found: list[errors.LedgerError] = []
        self._sides: set[tuple[Side, date]] = set()
        self._day: date | None = None
        self._sums: dict[tuple[Side, Side, str], list[int]] = {}

    def of(self, blocks: Iterable[Iterable[Any]]) -> Iterator[list[Row]]:
        """Yield the slips of blocks of entries, each with a date, a reference, a description and lines.

        :raises errors.Refused: account_unmapped, row_unfit, slip_too_long, slips_spent
        """
        for slip in self._all(blocks):
            # What is refused is not written either: the encoding may not have it. The rest is looked through, so that it is told at once.
            if not self._found:
                yield slip
        self._found += [
            exporting.AccountUnmapped(
                profile=self.definition.name, account=code, role=role, category=category, date=on.isoformat()
            )
            for code, (role, category, on) in list(self.charts.unmapped.items())[:TOLD_MOST]
        ]
        if self._found:
            raise errors.Refused(self._found[:TOLD_MOST])

    def _all(self, blocks: Iterable[Iterable[Any]]) -> Iterator[list[Row]]:
        for block in blocks:
            for entry in block:
                found = [
                    (self.charts.rule(line.account, line.role, line.category, entry.effective_on), line.amount)
                    for line in entry.lines
                ]
                sides = [(rule, amount) for rule, amount in found if rule is not None]
                if len(sides) < len(found):
                    continue  # told at the end, by the account's name
                if self.definition.rows == DAILY:
                    yield from self._days_before(entry.effective_on)
                    self._add(sides)
                else:
                    yield self._slip_of(entry, sides)
        yield from self._days_before(None)

    def _add(self, sides: Sequence[tuple[AccountRule, int]]) -> None:
        seen = set()
        for debit, credit, amount in pairs(sides):
            key = (debit.side, credit.side, debit.summary or credit.summary or self.definition.summary)
            sums = self._sums.setdefault(key, [0, 0])
            sums[0] += amount
            # An entry is counted once in a row, however many of its lines are in it.
            sums[1] += key not in seen
            seen.add(key)

    def _days_before(self, on: date | None) -> Iterator[list[Row]]:
        """Yield the slips of the day that is over, once another begins or none follows."""
        if self._day is not None and self._day != on:
            rows = []
            for (debit, credit, template), (amount, count) in sorted(self._sums.items()):
                summary = template.format(book=self._head.book, period=self._head.period, count=count)
                rows.append(Row(self._day, 0, debit, credit, amount * self._yen, summary, self._head.memo))
            self._sums = {}
            for start in range(0, len(rows), self._target.lines_most):
                yield self._numbered(rows[start : start + self._target.lines_most], "")
        self._day = on

    def _slip_of(self, entry: Any, sides: Sequence[tuple[AccountRule, int]]) -> list[Row]:
        rows = []
        facts = {"reference": entry.reference, "description": entry.description}
        for debit, credit, amount in pairs(sides):
            template = debit.summary or credit.summary or self.definition.summary
            summary = template.format(book=self._head.book, period=self._head.period, **facts)
            memo = f"{self._head.memo} {entry.reference}"
            rows.append(Row(entry.effective_on, 0, debit.side, credit.side, amount * self._yen, summary, memo))
        if len(rows) > self._target.lines_most and len(self._found) < TOLD_MOST:
            said = {"reference": entry.reference, "rows": len(rows), "lines": self._target.lines_most}
            self._found.append(exporting.SlipTooLong(**said, target=self._target.name))
        return self._numbered(rows, entry.reference)

    def _numbered(self, rows: list[Row], reference: str) -> list[Row]:
        """Return the rows of a slip under its number, with the mark of a draft; keep what of them cannot stand in the file."""
        if self.next_slip > self._target.slip_most and len(self._found) < TOLD_MOST:
            self._found.append(exporting.SlipsSpent(target=self._target.name, most=self._target.slip_most))
        # A draft is asked as the final file will be: its mark neither hides a formula nor takes room.
        for number, row in enumerate(rows, start=self.row_count + 1):
            if len(self._found) < TOLD_MOST:
                self._check(number, row, reference)
        on_memo, on_summary = (self._head.mark, "") if self._target.has_memo else ("", self._head.mark)
        numbered = [row._replace(slip=self.next_slip, summary=on_summary + row.summary, memo=on_memo + row.memo) for row in rows]
        self.next_slip += 1
        self.row_count += len(rows)
        return numbered

    def _check(self, number: int, row: Row, reference: str) -> None:
        texts = [("summary", row.summary), ("memo", row.memo)]
        found: list[tuple[str, str, Phrase]] = []
        for side in (row.debit, row.credit):
            # What a side says comes again and again: it is asked once a day.
            if (side, row.on) in self._sides:
                continue
            self._sides.add((side, row.on))
            texts += [(part, getattr(side, part)) for part in PARTS]
            if (why := day_unfit(side.tax_class, side.invoice, row.on)) is not None:
                found.append(("tax_class", f"{side.tax_class} {side.invoice}".strip(), why))
        for part, text in texts:
            if text and (why := text_unfit(self._target, self.definition.encoding, part, text)) is not None:
                found.append((part, text, why))
        if row.yen <= 0:
            found.append(("amount", str(row.yen), phrase(_("it is not above zero"))))
        place = phrase(_("row {row} of {on}, entry {reference}"), row=number, on=row.on.isoformat(), reference=reference)
        place = place if reference else phrase(_("row {row} of {on}"), row=number, on=row.on.isoformat())
        self._found += [exporting.RowUnfit(place=place, column=part, text=text, why=why) for part, text, why in found]
