"""How amounts, counts, instants, digests and states are shown: on every page, and in the columns of every list.

The tags are builtins of the template engine. The functions below them are for list columns written in Python.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ledger_app.errors import units
from ledger_app.posting.rules.lots import DAYS, MONTHS
from ledger_app.values import instants

register = template.Library()

DIGEST_SHOWN_WHOLE: Final = 12
NOTHING: Final = SafeString("")

Bytes = bytes | memoryview


class Unit(Protocol):
    """Whatever says what an amount is counted in: a book, for one."""

    @property
    def unit(self) -> str:
        """The name of the unit."""

    @property
    def exponent(self) -> int:
        """How many decimals the unit has."""


class Counted(NamedTuple):
    """A unit and the decimals of it, where no book is at hand."""

    unit: str
    exponent: int


class Appearance(NamedTuple):
    """A state as it is seen: a shape, a word and a tone, so that none of them has to speak alone."""

    word: str | Promise
    tone: str
    shape: str


CHECK = '<path d="M3 8.5l3.2 3.2L13 4.8"/>'
CROSS = '<path d="M4 4l8 8M12 4l-8 8"/>'
RING = '<circle cx="8" cy="8" r="5.8"/>'
ARC = '<path d="M8 2.2a5.8 5.8 0 1 1-5.8 5.8"/>'
PADLOCK = '<path d="M3.5 7.5h9v6h-9z" fill="currentColor"/><path d="M5.3 7.5V5a2.7 2.7 0 0 1 5.4 0v2.5"/>'
OCTAGON = '<path d="M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4z"/>'

APPEARANCES: Final[dict[str, Appearance]] = {
    "received": Appearance(_("Received"), "plain", '<path d="M8 2v7M5 6.3L8 9.3l3-3M2.5 10.5v3h11v-3"/>'),
    "rejected": Appearance(_("Rejected"), "stop", CROSS),
    "validated": Appearance(_("Validated"), "note", CHECK),
    "approved": Appearance(_("Approved"), "note", '<path d="M1.5 8.8l3 3 5-6.6M8.6 11.6l6-6.4"/>'),
    "applying": Appearance(_("Applying"), "note", ARC),
    "applied": Appearance(
        _("Applied"), "done", '<circle cx="8" cy="8" r="6" fill="currentColor"/><path class="cut" d="M5 8.3l2.2 2.2L11 6.2"/>'
    ),
    "proposed": Appearance(_("Proposed"), "note", '<path d="M2.5 3h11v7.5H8L4.8 13.3v-2.8H2.5z"/>'),
    "posted": Appearance(_("Posted"), "done", CHECK),
    "frozen": Appearance(_("Frozen"), "sealed", PADLOCK),
    "withdrawn": Appearance(_("Withdrawn"), "plain", '<path d="M6.5 3L3 6.5 6.5 10M3 6.5h6.5a3.4 3.4 0 0 1 0 6.8H7"/>'),
    "reversed": Appearance(_("Reversed"), "warn", '<path d="M4.5 2.5v11M2 11l2.5 2.5L7 11M11.5 13.5v-11M9 5l2.5-2.5L14 5"/>'),
    "open": Appearance(_("Open"), "note", RING),
    "provisional": Appearance(_("Provisional"), "warn", RING + '<path d="M8 2.2a5.8 5.8 0 0 1 0 11.6z" fill="currentColor"/>'),
    "suspended": Appearance(_("Suspended"), "warn", '<path d="M5.3 3.5v9M10.7 3.5v9"/>'),
    "closed": Appearance(_("Closed"), "plain", '<path d="M2.8 2.8h10.4v10.4H2.8zM5.5 8h5"/>'),
    "settled": Appearance(_("Settled"), "done", CHECK),
    "released": Appearance(_("Released"), "plain", '<path d="M3.5 7.5h9v6h-9zM5.3 7.5V5a2.7 2.7 0 0 1 5.2-1"/>'),
    "over": Appearance(_("Time is over"), "plain", RING + '<path d="M8 4.8V8l2.2 1.6"/>'),
    "expired": Appearance(_("Expired"), "plain", RING + '<path d="M8 4.8V8l2.2 1.6"/>'),
    "pending": Appearance(_("Waiting"), "plain", '<path d="M3 8h.01M8 8h.01M13 8h.01"/>'),
    "stopped": Appearance(_("Stopped"), "stop", '<path d="M4 4h8v8H4z" fill="currentColor"/>'),
    "running": Appearance(_("Running"), "note", ARC),
    "waiting": Appearance(_("Waiting"), "plain", '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.4 1.6"/>'),
    "sealed": Appearance(_("Sealed"), "sealed", PADLOCK),
    "superseded": Appearance(_("Superseded"), "plain", '<path d="M2 8h4.5M4.5 5.5L7 8l-2.5 2.5M14 8H9.5M11.5 5.5L9 8l2.5 2.5"/>'),
    "paused": Appearance(_("Paused"), "warn", '<path d="M5.3 3.5v9M10.7 3.5v9"/>'),
    "failed": Appearance(_("Failed"), "stop", CROSS),
    "accepted": Appearance(_("Accepted"), "done", CHECK),
    "duplicate": Appearance(_("Duplicate"), "plain", '<path d="M2.5 5.5h8v8h-8zM5.5 5V2.5h8v8H11"/>'),
    "conflict": Appearance(_("Conflict"), "warn", '<path d="M2 8h4.5M4.5 5.5L7 8l-2.5 2.5M14 8H9.5M11.5 5.5L9 8l2.5 2.5"/>'),
    "planned": Appearance(_("To apply"), "note", '<path d="M3 8h9M8.5 4.5L12 8l-3.5 3.5"/>'),
    "never": Appearance(_("Never applied"), "plain", CROSS),
    "no_effect": Appearance(_("Without effect"), "plain", '<path d="M3 8h10"/>'),
    "set_aside": Appearance(_("Set aside"), "warn", '<path d="M8 2v7M5 6.3L8 9.3l3-3M2.5 13.5h11"/>'),
    "error": Appearance(_("Error"), "stop", OCTAGON + '<path d="M8 5v3.6M8 11h.01"/>'),
    "alert": Appearance(_("Alert"), "warn", OCTAGON + '<path d="M8 5v3.6M8 11h.01"/>'),
    "warning": Appearance(_("Warning"), "warn", '<path d="M8 2.2l6.2 11.3H1.8zM8 6.8v2.6M8 11.6h.01"/>'),
    "note": Appearance(_("Note"), "note", RING + '<path d="M8 7.6v3.2M8 5.1h.01"/>'),
    "endorsed": Appearance(_("Approved once"), "warn", RING + '<path d="M5 8.3l2.2 2.2L11 6.2"/>'),
    "done": Appearance(_("Done"), "done", CHECK),
    "refused": Appearance(_("Refused"), "stop", RING + '<path d="M4.2 4.2l7.6 7.6"/>'),
}


def expiry_text(expiry: str, validity: int | None, fixed_on: date | None) -> str:
    """Return when the last day of a lot is, as a rule of lots says it, with its figure."""
    if fixed_on is not None:
        return gettext("On {day}").format(day=day_text(fixed_on))
    if validity is None:
        return gettext("Never")
    few = {
        DAYS: ngettext("{count} day after granting", "{count} days after granting", validity),
        MONTHS: ngettext(
            "{count} month after granting, to the month’s end", "{count} months after granting, to the month’s end", validity
        ),
    }
    return few[expiry].format(count=count_text(validity))


def amount_text(value: int, exponent: int) -> str:
    """Return an amount in minor units as people read it: grouped, with ``exponent`` decimals and a true minus.

    :raises TypeError: the value is not an integer. An amount that went through a float is already wrong.
    """
    if type(value) is not int:
        raise TypeError(f"An amount is an integer of minor units, not {value!r}.")
    return units.amount_text(value, exponent)


def amount_cell(value: int | None, book: Unit) -> SafeString:
    """Return an amount with its unit as HTML, for a list column or a page; nothing for no amount."""
    if value is None:
        return NOTHING
    return format_html('<span class="amount">{} <abbr>{}</abbr></span>', amount_text(value, book.exponent), book.unit)


def count_text(value: int) -> str:
    """Return a number of things, grouped, with a true minus."""
    return amount_text(value, 0)


def count_cell(value: int | None) -> SafeString:
    """Return a number of things as HTML that a list aligns to the right; nothing for no number."""
    return NOTHING if value is None else format_html('<span class="number">{}</span>', count_text(value))


def day_text(value: date | None) -> str:
    """Return a date as it is written everywhere here, ``2017-01-31``; nothing for no date."""
    return "" if value is None else value.isoformat()


def state_pill(state: str) -> SafeString:
    """Return a state as HTML: shape, word and tone. A state without a shape of its own is shown by its name alone."""
    seen = APPEARANCES.get(state)
    if seen is None:
        return format_html('<span class="state tone-plain">{}</span>', state)
    return format_html(
        '<span class="state tone-{}"><svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>{}</span>',
        seen.tone,
        SafeString(seen.shape),  # a constant of this file  # nosec B703
        seen.word,
    )


def digest_text(value: str | Bytes) -> str:
    """Return the first four and the last two characters of a digest: enough to tell two apart by eye."""
    whole = _hexadecimal(value)
    return whole if len(whole) <= DIGEST_SHOWN_WHOLE else f"{whole[:4]}…{whole[-2:]}"


def digest_cell(value: str | Bytes | None) -> SafeString:
    """Return a shortened digest as HTML whose whole value is shown on hover and copied on click; nothing for none."""
    if not value:
        return NOTHING
    shown = digest_text(value)
    return format_html(
        '<button type="button" class="digest" title="{0}" data-copy="{0}" aria-label="{1}">{2}</button>',
        _hexadecimal(value),
        gettext("Copy %(value)s") % {"value": shown},
        shown,
    )


def instant_text(value: datetime, zone: object = None) -> str:
    """Return an instant to the second in the zone of a book (or a zone, or its name); without one, in the current zone. Its zone goes with it."""
    return instants.text(value, _zone(zone))


def instant_cell(value: datetime | None, zone: object = None) -> SafeString:
    """Return an instant as HTML, its zone named on hover; nothing for no instant."""
    if value is None:
        return NOTHING
    shown = instant_text(value, zone)
    return format_html('<time datetime="{}" title="{} {}">{}</time>', value.isoformat(), shown, _zone(zone), shown)


@register.simple_tag(name="instant_folded")
def instant_folded_tag(value: datetime, zone: object = None) -> SafeString:
    """``{% instant_folded at book %}``: an instant that folds between day and clock, and nowhere else."""
    day, clock = instant_text(value, zone).split(" ")
    return format_html(
        '<time datetime="{}" title="{}">{} <span class="nowrap">{}</span></time>', value.isoformat(), _zone(zone), day, clock
    )


@register.filter(name="amount")
def amount_filter(value: int | None, unit: int | Unit) -> str:
    """``{{ value|amount:2 }}`` or ``{{ value|amount:book }}``: the figures without the unit; nothing for no amount."""
    if value is None:
        return ""
    return amount_text(value, unit if isinstance(unit, int) else unit.exponent)


@register.filter(name="count")
def count_filter(value: int | None) -> str:
    """``{{ value|count }}``: a number of things, grouped; nothing for none given."""
    return "" if value is None else count_text(value)


@register.filter
def numeric_column(results: Sequence[Sequence[str]], index: int) -> bool:
    """Return whether a column of an admin list holds figures, so that its head is aligned as they are."""
    if not results:
        return False
    cell = str(list(results[0])[index])
    return '<span class="amount' in cell or '<span class="number' in cell


@register.filter
def chosen(choices: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the choice that narrows an admin list, or nothing: the first choice of a filter is the whole list."""
    return next((choice for choice in choices[1:] if choice["selected"]), None)


@register.filter
def negated(value: int | None) -> int | None:
    """``{{ value|negated }}``: what is taken away, as a row of a sum shows it."""
    return None if value is None else -value


@register.simple_tag(name="amount")
def amount_tag(value: int | None, book: Unit | Mapping[str, Any]) -> SafeString:
    """``{% amount value book %}``: the amount with its unit; ``book`` may be a row of figures that names both."""
    return amount_cell(value, Counted(book["unit"], book["exponent"]) if isinstance(book, Mapping) else book)


@register.simple_tag(name="state")
def state_tag(state: str) -> SafeString:
    """``{% state batch.state %}``: the pill of a state, a severity or an outcome."""
    return state_pill(state)


@register.simple_tag(name="digest")
def digest_tag(value: str | Bytes | None) -> SafeString:
    """``{% digest value %}``: a shortened digest that is copied whole."""
    return digest_cell(value)


@register.simple_tag(name="instant")
def instant_tag(value: datetime | None, zone: object = None) -> SafeString:
    """``{% instant at book %}``: an instant in the book's zone."""
    return instant_cell(value, zone)


def _hexadecimal(value: str | Bytes) -> str:
    return value if isinstance(value, str) else bytes(value).hex()


def _zone(zone: Any) -> tzinfo:
    """Return the zone named by a book, a zone or a name."""
    if not zone:
        return timezone.get_current_timezone()
    if isinstance(zone, tzinfo):
        return zone
    return ZoneInfo(zone if isinstance(zone, str) else zone.time_zone)
