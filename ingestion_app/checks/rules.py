"""Every rule that validation holds a file to, and what a check says when it sees one broken.

The sentences are English templates for gettext; ``{facts}`` in them are filled in when somebody reads them, in that person's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ingestion_app.checks.control_rules import CONTROL
from ingestion_app.checks.group_rules import GROUPS
from ingestion_app.checks.layout_rules import LAYOUT
from ingestion_app.checks.ledger_rules import LEDGER
from ingestion_app.checks.shape_sentences import AMOUNTS, SHAPE
from ledger_app.errors import HolderMerged, LedgerError, ReferenceConflict
from ledger_app.errors.printable import filled
from ledger_app.errors.stored import facts_in_words
from ledger_app.posting.rules.posting import ORDER

RAW_BYTES = 200  # how much of a line a finding keeps


class Severity(StrEnum):
    """What a finding means for its batch."""

    ERROR = "error"  # the record, or the file, cannot be taken in
    ALERT = "alert"  # the file looks wrong: finance acknowledges it, with a reason, before the batch is approved
    WARNING = "warning"  # a person has to look before the batch is approved
    NOTE = "note"  # worth knowing; stops nothing


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its stable code, how grave a breach is, what is seen then, and what would make it pass."""

    code: str
    severity: Severity
    sentence: Promise | str
    remedy: Promise | str
    # Facts that are amounts: told in the unit that is kept with them.
    amounts: frozenset[str] = frozenset()

    def seen_text(self, facts: Mapping[str, Any]) -> str:
        """Say what was seen, in the active language."""
        said = filled(self.sentence, facts_in_words(facts, self.amounts))
        is_named = "group" not in facts or "{group}" in str(self.sentence)
        return said if is_named else gettext("Group {group}: {said}").format(group=facts["group"], said=said)

    def remedy_text(self, facts: Mapping[str, Any]) -> str:
        """Say what would make it pass, in the active language."""
        return filled(self.remedy, facts_in_words(facts, self.amounts))


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a check saw, and where.

    ``line`` counts from 1 (0: the whole file), ``column`` is the field's number from 1, the marker being 1 (0: the whole line), ``offset``
    the byte of the file at which the line begins, or the exact byte where it is known, ``raw`` the line's first bytes, at most RAW_BYTES.
    """

    rule: str
    line: int
    column: int
    offset: int
    raw: bytes
    facts: Mapping[str, Any]

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return RULES[self.rule].severity

    def sentence(self) -> str:
        """Say what was seen, in the active language."""
        return RULES[self.rule].seen_text(self.facts)

    def remedy(self) -> str:
        """Say what would make it pass, in the active language."""
        return RULES[self.rule].remedy_text(self.facts)


def _error(code: str, sentence: Promise | str, remedy: Promise | str, amounts: frozenset[str] = frozenset()) -> Rule:
    return Rule(code, Severity.ERROR, sentence, remedy, amounts)


def _warning(code: str, sentence: Promise | str, remedy: Promise | str) -> Rule:
    return Rule(code, Severity.WARNING, sentence, remedy)


def _note(code: str, sentence: Promise | str, remedy: Promise | str) -> Rule:
    return Rule(code, Severity.NOTE, sentence, remedy)


_FILE = (
    _error(
        "file.empty",
        _("The file holds no bytes."),
        _("Ask the sender for the file again; a day without records has a header and a trailer."),
    ),
    _error(
        "file.byte_order_mark",
        _("The file begins with a byte-order mark of {mark}."),
        _("Send the file in {encoding} without a byte-order mark."),
    ),
    _error(
        "file.not_text",
        _("The file is not text in {encoding}: it begins as {found} does."),
        _("Send the file unpacked, as plain text in {encoding}."),
    ),
    _error(
        "file.encoding_foreign",
        _("The bytes of the file read as {found}, and not as {encoding}."),
        _("Send the file in {encoding}; no character is converted or guessed."),
    ),
    _warning(
        "file.encoding_doubtful",
        _("The text of the file looks like {found}, and not like {encoding}."),
        _("Look at the text of a record. If it is wrong, ask the sender for the file in {encoding}; if it is right, approve."),
    ),
    _error(
        "file.cr_endings",
        _("Lines end with CR alone, so that the whole file is one line."),
        _("End every line of the file as the layout says; send it as binary, so that nothing on the way changes it."),
    ),
    _warning(
        "file.received_elsewhere",
        _("These very bytes were received for source {source}, too: batch {batch}, which is {state}."),
        _("Find out which source the file is for. If it is for the other, withdraw this batch; if for both, approve."),
    ),
    _error(
        "file.records_known",
        _("{share} of the records are those of batch {batch} of {date}, which is {state}: the same keys, members and amounts."),
        _(
            "Withdraw this batch where the file was sent twice; or withdraw or reverse batch {batch} where this one is to take its place."
        ),
    ),
    _error(
        "file.header_missing",
        _("The file does not begin with a header record marked {marker}."),
        _("Send the whole file, with its header on the first line."),
    ),
    _error(
        "file.trailer_missing",
        _("The file has no trailer record marked {marker}."),
        _("Send the whole file; without its trailer nothing says that no record was lost."),
    ),
    _error(
        "file.end_missing",
        _("The file has no end record marked {marker}."),
        _("Send the whole file, with its end record on the last line."),
    ),
    _note("file.no_records", _("The file holds no data records."), _("Nothing to do if the sender had nothing to send.")),
)

_LINE = (
    _error(
        "line.undecodable",
        _("Byte {byte} at offset {position} is not {encoding}."),
        _("Send the file in {encoding}; no byte is replaced or left out."),
    ),
    _error(
        "line.nul_byte",
        _("The line holds a NUL byte at offset {position}."),
        _("Send the line without NUL bytes; they are a mark of damage on the way."),
    ),
    _error(
        "line.ending",
        _("Lines end with {found} instead of {expected}; lines so ended: {lines}, of which this is the first."),
        _("End every line of the file with {expected}; send it as binary, so that nothing on the way changes it."),
    ),
    _error(
        "line.too_long",
        _("The line is {length} bytes long; the layout takes {limit}."),
        _("Send lines of at most {limit} bytes, or a new version of the source that takes longer ones."),
    ),
    _error(
        "line.cut_off",
        _("The file ends in the middle of this line: it has no line ending."),
        _("Send the whole file, with a line ending after its last line."),
    ),
    _error(
        "line.blank",
        _("Lines are blank; blank lines: {lines}, of which this is the first."),
        _("Send the file without blank lines, also after the last record."),
    ),
    _error(
        "line.end_of_file_mark",
        _("The file ends with an end-of-file mark, the byte 1A."),
        _("Send the file without the mark after its last line ending."),
    ),
    _error(
        "line.unbalanced_quotes",
        _("The quotes of field {field} do not balance."),
        _("Put {quote} around the whole field, double it inside, and keep the field on one line; or use none."),
    ),
    _error(
        "line.unknown_type",
        _("The line begins with {found}, which marks no record type."),
        _("Begin the line with one of: {markers}."),
    ),
    _error(
        "line.out_of_order",
        _("A record marked {found} stands where only these may stand: {expected}."),
        _("Send the records in the order of the layout: {order}."),
    ),
    _error(
        "line.after_end",
        _("Lines stand after the last record of the file, marked {marker}; there are {lines}, of which this is the first."),
        _("Send one file at a time, with nothing after the record marked {marker}."),
    ),
    _error(
        "line.field_count",
        _("The line has {found} fields; a record marked {marker} has {expected}."),
        _("Send {expected} fields, the marker included; put quotes around a field that holds the delimiter."),
    ),
)

_RECORD_FIELD = (
    _error(
        "record.amount_invalid",
        _("{name} is “{found}”, which is not an amount."),
        _(
            "Write a whole number of minor units in ASCII digits: no sign but a leading minus, none before a zero, no spaces, separators, points or leading zeros."
        ),
    ),
    _error(
        "record.amount_out_of_range",
        _("{name} is {found}, which is not between {minimum} and {maximum}."),
        _("Send an amount between {minimum} and {maximum} minor units."),
    ),
    _error(
        "record.count_invalid",
        _("{name} is “{found}”, which is not a count."),
        _("Write a whole number from 0 to {maximum} in ASCII digits, without leading zeros."),
    ),
    _error(
        "record.identifier_invalid",
        _("{name} is “{found}”, which is not an identifier."),
        _("Write 1 to {width} characters, each an ASCII letter, a digit, or one of - _ . (hyphen, underscore, full stop)."),
    ),
    _error("record.text_empty", _("{name} is empty."), _("Send a text of at least one character.")),
    _error(
        "record.text_too_long",
        _("{name} is {length} characters long: “{found}”."),
        _("Send a text of at most {width} characters."),
    ),
    _error(
        "record.text_control_character",
        _("{name} holds the control character {character}: “{found}”."),
        _("Send the text without control characters, invisible marks and replacement characters."),
    ),
    _error(
        "record.date_invalid",
        _("{name} is “{found}”, which is not a date."),
        _("Write a date of the calendar as {format}, from the year {first_year} to {last_year}."),
    ),
    _error(
        "record.instant_invalid",
        _("{name} is “{found}”, which is not a date and time."),
        _("Write a date and time of the calendar as {format}, from the year {first_year} to {last_year}."),
    ),
    _error(
        "record.instant_skipped",
        _("{name} is “{found}”, a time that clocks in {zone} skipped."),
        _("Correct the time, or agree with the sender on times in UTC."),
    ),
    _error(
        "record.instant_ambiguous",
        _("{name} is “{found}”, a time that clocks in {zone} showed twice."),
        _("Agree with the sender on times in UTC; which of the two is meant is not guessed."),
    ),
    _error(
        "record.constant_differs",
        _("{name} is “{found}” instead of “{expected}”."),
        _("Send “{expected}”, or send the file to the source it is for."),
    ),
)

_RECORD = (
    _error(
        "record.card_number",
        _("{name} holds a card number: “{found}”."),
        _(
            "Send the number masked or as a token: an entry that holds it could never be mended. If it is none, the layout says may_look_like_card."
        ),
    ),
    _note("record.zero_amount", _("{name} is 0: the record is kept and counted, and has no effect."), _("Nothing to do.")),
    _error(
        "record.duplicate_same",
        _("The record {key} stands already on line {first_line}, byte for byte the same."),
        _("Send each record once."),
    ),
    _error(
        "record.duplicate_differs",
        _("The record {key} stands already on line {first_line}, with another content."),
        _("Ask the sender which of the two is right, and for a file in which each record has its own key."),
    ),
)

_GROUPS = tuple(Rule(code, Severity(severity), sentence, remedy, amounts) for severity, code, sentence, remedy, amounts in GROUPS)
_CONTROL = tuple(_error(code, sentence, remedy, amounts) for code, sentence, remedy, amounts in CONTROL)

# What is seen of the amounts of the whole file: told in the unit in which the file is posted, where there is one.
IN_UNIT_OF_FILE = frozenset(rule.code for rule in (*_CONTROL, *_GROUPS) if rule.amounts) | AMOUNTS.keys()

# What a rule of the ledger is called where it is seen in a file; any other has the code of its refusal.
_NAMED: dict[type[LedgerError], str] = {
    ReferenceConflict: "ledger.reference_exists_differs",
    HolderMerged: "ledger.account_merged",
}
_CODES: dict[type[LedgerError], str] = {kind: _NAMED.get(kind, f"ledger.{kind.code}") for kind in ORDER}
_AMOUNTS: dict[str, frozenset[str]] = {_CODES[kind]: kind.amounts for kind in ORDER}
_LEDGER = tuple(
    Rule(code, Severity(severity), sentence, remedy, _AMOUNTS.get(code, frozenset()))
    for severity, code, sentence, remedy in LEDGER
)
_LAYOUT = tuple(Rule(code, Severity(severity), sentence, remedy) for severity, code, sentence, remedy in LAYOUT)
_REFUSED = tuple(
    Rule(
        _CODES[kind],
        Severity.ERROR,
        kind.template,
        _("Ask the sender to correct the record, or mend what the ledger lacks; then validate again."),
        kind.amounts,
    )
    for kind in ORDER
    if _CODES[kind] not in {rule.code for rule in _LEDGER}
)

_SHAPE = tuple(
    Rule(code, Severity(severity), sentence, remedy, AMOUNTS.get(code, frozenset())) for severity, code, sentence, remedy in SHAPE
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.code: rule
        for rule in (*_FILE, *_LINE, *_RECORD_FIELD, *_RECORD, *_CONTROL, *_LAYOUT, *_GROUPS, *_LEDGER, *_REFUSED, *_SHAPE)
    }
)


def rule_of(refusal: LedgerError) -> str:
    """Return the code of the rule that a refusal of ``post`` is, where it is seen in a file."""
    return _CODES[type(refusal)]


def by_severity(counts: Mapping[str, int]) -> dict[Severity, int]:
    """Return how many findings of each severity there are, the gravest first, of how many there are of each rule."""
    found = dict.fromkeys(Severity, 0)
    for rule, count in counts.items():
        found[RULES[rule].severity] += count
    return found
