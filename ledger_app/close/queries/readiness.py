"""What stands in the way of a freeze: one list for the page of a period, the command and the API, made of the guards that the freeze itself asks.

It reads no entry and no line: what is proved of every entry is proved by the freeze, and told here as the last freeze found it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.books.rules.periods import PERIOD, PeriodFacts, Unfinished
from ledger_app.errors import closing as closing_errors
from ledger_app.errors import lots as lot_errors
from ledger_app.errors import units
from ledger_app.errors.words import Word
from ledger_app.models import FreezeAttempt, Period
from ledger_app.points.queries import expiry

TOLD_MOST = 20  # things of one kind that are named; all are counted

LABELS: Final[Mapping[str, Word]] = {
    "has_ended": _("The period's last day has passed"),
    "has_waited": _("The time has passed that the book's policy leaves for what comes late"),
    "follows_frozen": _("Every earlier period is frozen"),
    "leaves_no_gap": _("It follows the period before it day by day"),
    "work_has_ended": _("Every batch and every proposal dated in it has ended"),
    "expiries_are_posted": _("What was due in it has expired"),
    "entries_balance": _("Every entry is what its digest says"),
    "balances_recompute": _("Every balance is the sum of its lines"),
    "controls_match": _("The control totals are given and match"),
}
# What clears a reason, and who may, by its code. Of work the row itself says so.
CLEARED: Final[Mapping[str, tuple[Word, Word]]] = {
    errors.PeriodNotEnded.code: (_("Wait until the day has passed where the book lives."), _("Nobody: time does it")),
    closing_errors.FreezeTooEarly.code: (
        _("Wait until then, or have the policy of the close changed."),
        _("Nobody: time does it"),
    ),
    errors.EarlierPeriodOpen.code: (_("Freeze the earlier periods first, in their order."), _("Finance")),
    closing_errors.PeriodGap.code: (_("Open the days between."), _("Finance and engineers")),
    lot_errors.ExpiryDue.code: (_("Post the expiries: the command close does, and expire."), _("Engineers")),
    lot_errors.DueLotsHeld.code: (_("Settle or release the holds, then post the expiries."), _("Support and finance")),
    errors.EntryDiffers.code: (_("Run verify, which names what was changed."), _("Engineers and auditors")),
    errors.EntriesUnbalanced.code: (_("Run verify, which names what was changed."), _("Engineers and auditors")),
    errors.BalancesDiffer.code: (_("Run verify, which names what was changed."), _("Engineers and auditors")),
    closing_errors.ControlDiffers.code: (_("Find the difference, then freeze again with the totals."), _("Finance")),
    closing_errors.ControlNeeded.code: (_("Freeze, and type in every total that the policy names."), _("Finance")),
    closing_errors.ControlMissing.code: (_("Freeze, and type in the totals that you hold from elsewhere."), _("Finance")),
}
# What only a freeze finds, by the guard that asks it.
FOUND_BY_FREEZE: Final[Mapping[str, tuple[str, ...]]] = {
    "entries_balance": (errors.EntryDiffers.code, errors.EntriesUnbalanced.code),
    "balances_recompute": (errors.BalancesDiffer.code,),
    "controls_match": (closing_errors.ControlNeeded.code, closing_errors.ControlDiffers.code),
}


class Row(NamedTuple):
    """A row to look at: its model as ``application.model``, its number and state."""

    model: str
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of thing that stands in the way: how many there are, what clears them and who may; the first sentences and rows.

    ``is_more`` says that no more were counted; ``comes_with_freeze`` that it is not in the way, but given when the freeze is asked for.
    """

    code: str
    what: Word
    count: int
    sentences: tuple[str, ...]
    clears: Word
    who: Word
    rows: tuple[Row, ...] = ()
    is_more: bool = False
    comes_with_freeze: bool = False


class Check(NamedTuple):
    """One question of the freeze, with what stands in its way: nothing where it holds, or where only the freeze can tell."""

    name: str
    label: Word
    lines: tuple[Line, ...]
    is_asked: bool

    @property
    def holds(self) -> bool:
        """Whether it was asked and nothing stands in the way."""
        return self.is_asked and not self.lines


def checks(period: Period, facts: PeriodFacts, *, at: datetime) -> list[Check]:
    """Return each question that a freeze of ``period`` asks at ``at``, in its order; none of a frozen period."""
    if period.state == Period.State.FROZEN:
        return []
    attempt = period.freezes.order_by("-id").first()
    found = []
    for guard in PERIOD.transition("freeze").guards:
        name = guard.__name__
        lines = tuple(
            _found_by(name, attempt)
            if name in FOUND_BY_FREEZE
            else _lines(name, period, facts, units.belonging(guard(facts), period), at)
        )
        found.append(Check(name, LABELS[name], lines, is_asked=name not in FOUND_BY_FREEZE))
    return found


def in_the_way(found: Iterable[Check]) -> list[Line]:
    """Return what has to be cleared before anybody can freeze."""
    return [line for check in found for line in check.lines if not line.comes_with_freeze]


def text_lines(found: Iterable[Check]) -> Iterator[str]:
    """Yield the lines for people, each with its first sentences under it."""
    for line in (line for check in found for line in check.lines):
        count = f"{line.count}+" if line.is_more else str(line.count)
        yield f"{line.what}: {count} · {line.clears} ({line.who})"
        yield from (f"  {sentence}" for sentence in line.sentences)


def as_objects(found: Iterable[Check]) -> list[dict[str, Any]]:
    """Return the lines ready for JSON."""
    return [
        {
            "check": check.name,
            "code": line.code,
            "what": str(line.what),
            "count": line.count,
            "is_more": line.is_more,
            "comes_with_freeze": line.comes_with_freeze,
            "clears": str(line.clears),
            "who": str(line.who),
            "sentences": list(line.sentences),
            "rows": [row._asdict() for row in line.rows],
        }
        for check in found
        for line in check.lines
    ]


def _lines(name: str, period: Period, facts: PeriodFacts, reasons: Sequence[errors.LedgerError], at: datetime) -> Iterator[Line]:
    if name == "work_has_ended":
        yield from _work(facts.unfinished, reasons)
        return
    by_code: dict[str, list[errors.LedgerError]] = {}
    for reason in reasons:
        by_code.setdefault(reason.code, []).append(reason)
    # Of what is due the guard is given the first lots alone.
    free, held = expiry.counted_in_period(period, at=at) if facts.due and name == "expiries_are_posted" else (0, 0)
    counts = {lot_errors.ExpiryDue.code: free, lot_errors.DueLotsHeld.code: held}
    counts[errors.PeriodNotEnded.code] = (facts.ends_on - facts.today).days + 1
    if facts.freeze_from is not None:
        counts[closing_errors.FreezeTooEarly.code] = -((at - facts.freeze_from) // timedelta(hours=1))
    if facts.gap is not None:
        counts[closing_errors.PeriodGap.code] = (facts.gap[1] - facts.gap[0]).days + 1
    if held and lot_errors.DueLotsHeld.code not in by_code:
        by_code[lot_errors.DueLotsHeld.code] = []
    for code, of_code in by_code.items():
        count = counts.get(code) or len(of_code)
        most = expiry.COUNTED_MOST
        yield Line(code, WHAT[code], min(count, most), _sentences(of_code), *CLEARED[code], is_more=count > most)


# What is counted, by the code of the reason.
WHAT: Final[Mapping[str, Word]] = {
    errors.PeriodNotEnded.code: _("Days still to pass"),
    closing_errors.FreezeTooEarly.code: _("Hours still to pass"),
    errors.EarlierPeriodOpen.code: _("Earlier periods that are not frozen"),
    closing_errors.PeriodGap.code: _("Days before it that are in no period"),
    lot_errors.ExpiryDue.code: _("Lots that are due and not expired"),
    lot_errors.DueLotsHeld.code: _("Lots that are due and held"),
    errors.EntryDiffers.code: _("Entries that are not what their digests say"),
    errors.EntriesUnbalanced.code: _("Entries that do not sum to zero"),
    errors.BalancesDiffer.code: _("Balances that do not recompute"),
    closing_errors.ControlDiffers.code: _("Control totals that are not equal"),
    closing_errors.ControlNeeded.code: _("Control totals that the policy asks for and were not given"),
    closing_errors.ControlMissing.code: _("Control totals not given yet"),
}


def _work(unfinished: Iterable[Unfinished], reasons: Iterable[errors.LedgerError]) -> Iterator[Line]:
    """Yield work that has not ended, by kind and state: another state is ended by another step."""
    groups: dict[tuple[str, str], list[tuple[Unfinished, errors.LedgerError]]] = {}
    for each, reason in zip(unfinished, reasons, strict=True):
        groups.setdefault((each.model, each.code), []).append((each, reason))
    for group in groups.values():
        first, reason = group[0]
        rows = tuple(Row(each.model, each.number, each.code) for each, _reason in group[:TOLD_MOST])
        what = f"{first.what}: {first.state}"
        yield Line(reason.code, what, len(group), _sentences([of for _each, of in group]), first.clears, first.who, rows)


def _found_by(name: str, attempt: FreezeAttempt | None) -> Iterator[Line]:
    """Yield what the last freeze that was asked for was refused for; of control totals too that none were given yet."""
    is_under_way = attempt is not None and attempt.state in FreezeAttempt.UNDER_WAY
    refused = attempt.reasons if attempt is not None and attempt.state == FreezeAttempt.State.REFUSED else []
    found = False
    for code in FOUND_BY_FREEZE[name]:
        of_code = [reason for reason in refused if reason.get("code") == code]
        if of_code:
            found = True
            # Of balances one reason tells how many differ.
            count = sum(int(reason.get("facts", {}).get("count", 1)) for reason in of_code)
            sentences = tuple(str(reason["sentence"]) for reason in of_code[:TOLD_MOST])
            yield Line(code, WHAT[code], count, sentences, *CLEARED[code])
    if name == "controls_match" and not found and not is_under_way:
        code = closing_errors.ControlMissing.code
        yield Line(code, WHAT[code], 1, (), *CLEARED[code], comes_with_freeze=True)


def _sentences(reasons: Iterable[errors.LedgerError]) -> tuple[str, ...]:
    return tuple(reason.sentence for reason in list(reasons)[:TOLD_MOST])
