"""The database itself refuses what the code refuses, and has the two rows that everything begins from.

Triggers are dropped before they are created: MySQL and MariaDB do not undo DDL, so a migration that was cut off must be able to run again. Of
several on one event, the one that is created first speaks first. Those that follow from the models (they trace rows, keep what is written once,
let an erasure pass, ask for the origin of a posting) are no part of this: ledger_app/traces/operations.py makes them after each migration.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import migrations

REFUSE = {
    "mysql": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'",
    "sqlite": "SELECT RAISE(ABORT, '{message}')",
}


class Refusal(NamedTuple):
    """A trigger that does nothing but refuse ``event`` on rows of ``table`` for which ``condition`` holds (empty: on all)."""

    name: str
    event: str
    table: str
    condition: str = ""

    def statement(self, vendor: str) -> str:
        """Return the SQL that makes it."""
        refuse = REFUSE[vendor].format(message=f"kakutei: {self.table} refuses this {self.event}")
        head = f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table} FOR EACH ROW"
        if vendor == "sqlite":
            when = f"WHEN {self.condition} " if self.condition else ""
            return f"{head} {when}BEGIN {refuse}; END"
        return f"{head} BEGIN {f'IF {self.condition} THEN {refuse}; END IF' if self.condition else refuse}; END"


def kept(table: str, *events: str) -> list[Refusal]:
    """Return the triggers that refuse each of ``events`` on every row of a table."""
    return [
        Refusal(f"kakutei_{table.partition('_app_')[2]}_no_{event.lower()}", event, table)
        for event in events or ("UPDATE", "DELETE")
    ]


# Entries

ENTRY_REFUSED = "kakutei: an entry needs a period that is not frozen"
# Every entry asks the row of its own period, under a shared lock, and nothing is believed from one entry to the next: whatever a session can
# write, another can forge. Periods do not overlap, so the newest that begins by the date is the only one that can take it: it is found along
# the index and locked alone, and nobody waits for the freeze of an earlier month. What it costs is in docs/decisions/0030.
ENTRY_IN_OPEN_PERIOD = {
    "mysql": f"""
CREATE TRIGGER kakutei_entry_in_open_period BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    IF NOT COALESCE((
        SELECT ends_on >= NEW.effective_on AND state <> 'frozen'
          FROM ledger_app_period FORCE INDEX (period_start_unique)
         WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on
         ORDER BY starts_on DESC LIMIT 1 LOCK IN SHARE MODE
    ), FALSE) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{ENTRY_REFUSED}';
    END IF;
END
""",
    "sqlite": f"""
CREATE TRIGGER kakutei_entry_in_open_period BEFORE INSERT ON ledger_app_entry FOR EACH ROW
WHEN NOT EXISTS (
    SELECT 1 FROM ledger_app_period
     WHERE book_id = NEW.book_id AND starts_on <= NEW.effective_on AND ends_on >= NEW.effective_on AND state <> 'frozen'
)
BEGIN
    SELECT RAISE(ABORT, '{ENTRY_REFUSED}');
END
""",
}

TURN_REFUSED = "kakutei: an entry takes the reference of another only once that is reversed"
REVERSED_BEFORE = (
    "SELECT 1 FROM ledger_app_entry AS earlier JOIN ledger_app_entry AS reversal ON reversal.reverses_id = earlier.id"
    " WHERE earlier.book_id = NEW.book_id AND earlier.reference = NEW.reference AND earlier.turn + 1 = NEW.turn"
)
# Two conditions, one in the other: nearly every entry has turn 0, and nothing is looked up for it.
ENTRY_TURN_FOLLOWS = {
    "mysql": f"""
CREATE TRIGGER kakutei_entry_turn_follows BEFORE INSERT ON ledger_app_entry FOR EACH ROW
BEGIN
    IF NEW.turn > 0 THEN
        IF NOT EXISTS ({REVERSED_BEFORE}) THEN {REFUSE["mysql"].format(message=TURN_REFUSED)}; END IF;
    END IF;
END
""",
    "sqlite": f"""
CREATE TRIGGER kakutei_entry_turn_follows BEFORE INSERT ON ledger_app_entry FOR EACH ROW
WHEN NEW.turn > 0 AND NOT EXISTS ({REVERSED_BEFORE})
BEGIN
    {REFUSE["sqlite"].format(message=TURN_REFUSED)};
END
""",
}


def of_entries() -> list[Refusal]:
    """Return the triggers of what is posted; an audit row may be changed by an erasure, and by nothing else."""
    return [
        *kept("ledger_app_posting"),
        *kept("ledger_app_entry"),
        *kept("ledger_app_line"),
        *kept("ledger_app_seal"),
        *kept("ledger_app_auditrow", "DELETE"),
    ]


# Periods

OVERLAPS = (
    "EXISTS (SELECT 1 FROM ledger_app_period AS other WHERE other.book_id = NEW.book_id"
    " AND other.starts_on <= NEW.ends_on AND other.ends_on >= NEW.starts_on)"
)
OTHER_PERIOD = (
    "EXISTS (SELECT 1 FROM ledger_app_period AS other WHERE other.book_id = NEW.book_id AND other.id <> {self} AND {that})"
)
# A row that is inserted has no number yet on SQLite, and 0 on MariaDB.
THIS_PERIOD = {"INSERT": "COALESCE(NEW.id, 0)", "UPDATE": "OLD.id"}
NEXT_DAY = {"mysql": "{day} + INTERVAL 1 DAY", "sqlite": "date({day}, '+1 day')"}


def leaves_gap(vendor: str) -> str:
    """Return the condition that a new period touches no other, and the one before it is frozen."""
    after, before = NEXT_DAY[vendor].format(day="other.ends_on"), NEXT_DAY[vendor].format(day="NEW.ends_on")
    own = THIS_PERIOD["INSERT"]
    touches = OTHER_PERIOD.format(self=own, that=f"(NEW.starts_on = {after} OR other.starts_on = {before})")
    between = (
        "SELECT 1 FROM ledger_app_period AS nearer"
        " WHERE nearer.book_id = NEW.book_id AND nearer.starts_on > other.ends_on AND nearer.ends_on < NEW.starts_on"
    )
    frozen = f"other.state = 'frozen' AND other.ends_on < NEW.starts_on AND NOT EXISTS ({between})"
    return f"{OTHER_PERIOD.format(self=own, that=frozen)} AND NOT {touches}"


def moves_away(vendor: str) -> str:
    """Return the condition that a period which touched its neighbours would not do so with other days."""
    moved = "(NEW.starts_on <> OLD.starts_on OR NEW.ends_on <> OLD.ends_on OR NEW.book_id <> OLD.book_id)"
    neighbours = []
    for was, now in (
        (
            f"OLD.starts_on = {NEXT_DAY[vendor].format(day='other.ends_on')}",
            f"NEW.starts_on = {NEXT_DAY[vendor].format(day='other.ends_on')}",
        ),
        (
            f"other.starts_on = {NEXT_DAY[vendor].format(day='OLD.ends_on')}",
            f"other.starts_on = {NEXT_DAY[vendor].format(day='NEW.ends_on')}",
        ),
    ):
        own = THIS_PERIOD["UPDATE"]
        neighbours.append(f"({OTHER_PERIOD.format(self=own, that=was)} AND NOT {OTHER_PERIOD.format(self=own, that=now)})")
    return f"{moved} AND ({' OR '.join(neighbours)})"


def of_periods(vendor: str) -> list[Refusal]:
    """Return the triggers of periods. A second period over the days of a frozen one would let entries in."""
    table = "ledger_app_period"
    return [
        Refusal("kakutei_period_frozen_no_update", "UPDATE", table, "OLD.state = 'frozen'"),
        *kept(table, "DELETE"),
        Refusal("kakutei_period_no_overlap_insert", "INSERT", table, OVERLAPS),
        Refusal("kakutei_period_no_overlap_update", "UPDATE", table, f"{OVERLAPS[:-1]} AND other.id <> OLD.id)"),
        Refusal("kakutei_period_no_gap_insert", "INSERT", table, leaves_gap(vendor)),
        Refusal("kakutei_period_no_gap_update", "UPDATE", table, moves_away(vendor)),
    ]


# Members and accounts

MERGED_ALREADY = "OLD.merged_into_id IS NOT NULL AND (NEW.merged_into_id IS NULL OR NEW.merged_into_id <> OLD.merged_into_id)"
# A member who remains was not merged: so no chain of merges can come back to where it began.
CIRCLE = (
    "OLD.merged_into_id IS NULL AND NEW.merged_into_id IS NOT NULL AND (NEW.merged_into_id = NEW.id OR EXISTS ("
    "SELECT 1 FROM ledger_app_holder AS other WHERE other.id = NEW.merged_into_id AND other.merged_into_id IS NOT NULL))"
)
OTHER_IDENTIFIER = "NEW.kind <> OLD.kind OR (NEW.value <> OLD.value AND NEW.kind <> 'card_number')"
NOT_ZERO = (
    "NEW.state = 'closed' AND OLD.state <> 'closed' AND"
    " (SELECT COALESCE(SUM(balance.amount), 0) FROM ledger_app_balance AS balance WHERE balance.account_id = NEW.id) <> 0"
)
# An account that has lines keeps lots or not for ever: what is there before would be in no lot, or in lots that nobody looks after.
KEEPS_LOTS = "NEW.keeps_lots <> OLD.keeps_lots AND EXISTS (SELECT 1 FROM ledger_app_line AS line WHERE line.account_id = OLD.id)"
MERGE_CONTENT = (
    *("holder_id", "undoes_id", "amounts", "effective_on", "preview", "digest", "reason", "proposed_by_id", "proposed_at"),
)
# As text, so that what was empty and is filled in differs too.
OTHER_MERGE = (
    " OR ".join(f"COALESCE(HEX(NEW.{column}), '-') <> COALESCE(HEX(OLD.{column}), '-')" for column in MERGE_CONTENT)
    + " OR (OLD.survivor_id IS NOT NULL AND (NEW.survivor_id IS NULL OR NEW.survivor_id <> OLD.survivor_id))"
)


def of_members() -> list[Refusal]:
    """Return the triggers of holders, identifiers, accounts and merges."""
    holder, identifier, account, merge = (f"ledger_app_{name}" for name in ("holder", "identifier", "account", "merge"))
    return [
        Refusal("kakutei_holder_merged_no_update", "UPDATE", holder, MERGED_ALREADY),
        Refusal("kakutei_holder_no_circle", "UPDATE", holder, CIRCLE),
        Refusal("kakutei_holder_merged_no_insert", "INSERT", holder, "NEW.merged_into_id IS NOT NULL"),
        *kept(holder, "DELETE"),
        *kept(identifier, "DELETE"),
        Refusal("kakutei_identifier_value_no_update", "UPDATE", identifier, OTHER_IDENTIFIER),
        Refusal("kakutei_account_closed_no_update", "UPDATE", account, "OLD.state = 'closed' AND NEW.state <> 'closed'"),
        Refusal("kakutei_account_closed_at_zero", "UPDATE", account, NOT_ZERO),
        Refusal("kakutei_account_lots_no_update", "UPDATE", account, KEEPS_LOTS),
        Refusal("kakutei_merge_begins_proposed", "INSERT", merge, "NEW.state <> 'proposed' OR NEW.version <> 1"),
        Refusal("kakutei_merge_ended_no_update", "UPDATE", merge, "OLD.state <> 'proposed'"),
        Refusal("kakutei_merge_content_no_update", "UPDATE", merge, OTHER_MERGE),
        *kept(merge, "DELETE"),
        *kept("ledger_app_movedidentifier"),
        *kept("ledger_app_redirectedentry"),
    ]


def of_lots() -> list[Refusal]:
    """Return the triggers of lots, their uses, what is held of them, and expiries."""
    return [each for name in ("lot", "lotuse", "holdlot", "expiryrun", "expirychunk") for each in kept(f"ledger_app_{name}")]


# Adjustments

ADJUSTMENT_CONTENT = (
    *("id", "key", "book_id", "account_id", "contra_account_id", "amount", "effective_on", "reason_code_id", "text", "ticket"),
    *("waives_floor", "proposed_by_id", "proposed_at", "expires_at", "shown_digest"),
)
# By bytes: a comparison of texts passes over spaces at their end.
CHANGES_CONTENT = " OR ".join(f"HEX(OLD.{column}) <> HEX(NEW.{column})" for column in ADJUSTMENT_CONTENT)
APPROVALS = (
    "SELECT {what} FROM ledger_app_adjustmentdecision AS word WHERE word.adjustment_id = {of} AND word.decision = 'approved'"
)
IS_POSTED = "EXISTS (SELECT 1 FROM ledger_app_posting WHERE origin_kind = 'adjustment' AND origin_id = NEW.id)"
IS_DECIDED = (
    f"(EXISTS ({APPROVALS.format(what='1', of='NEW.id')} AND word.is_sole)"
    f" OR ({APPROVALS.format(what='COUNT(*)', of='NEW.id')}) >= 2)"
)
OWN_OR_LATE = (
    "NOT EXISTS (SELECT 1 FROM ledger_app_adjustment AS proposal WHERE proposal.id = NEW.adjustment_id"
    " AND proposal.proposed_by_id <> NEW.decided_by_id AND proposal.state IN ('proposed', 'endorsed'))"
)
SENT_ALREADY = (
    "NOT EXISTS (SELECT 1 FROM ledger_app_adjustment AS proposal WHERE proposal.id = NEW.adjustment_id"
    " AND proposal.state = 'proposed' AND proposal.version = 1)"
)
NOT_APPROVED = f"NEW.origin_kind = 'adjustment' AND NOT EXISTS ({APPROVALS.format(what='1', of='NEW.origin_id')})"


def of_adjustments() -> list[Refusal]:
    """Return the triggers of adjustments, of the decisions on them, and of what is attached; that may be erased, and nothing else."""
    proposal, word, file = ("ledger_app_adjustment", "ledger_app_adjustmentdecision", "ledger_app_attachment")
    return [
        *kept(proposal, "DELETE"),
        Refusal("kakutei_adjustment_begins_proposed", "INSERT", proposal, "NEW.state <> 'proposed' OR NEW.version <> 1"),
        Refusal("kakutei_adjustment_says_the_same", "UPDATE", proposal, CHANGES_CONTENT),
        Refusal("kakutei_adjustment_ended_no_update", "UPDATE", proposal, "OLD.state NOT IN ('proposed', 'endorsed')"),
        Refusal(
            "kakutei_adjustment_approved_and_posted",
            "UPDATE",
            proposal,
            f"NEW.state = 'approved' AND NOT ({IS_DECIDED} AND {IS_POSTED})",
        ),
        Refusal("kakutei_adjustmentdecision_by_another", "INSERT", word, OWN_OR_LATE),
        *kept(word),
        Refusal("kakutei_attachment_with_its_proposal", "INSERT", file, SENT_ALREADY),
        *kept(file, "DELETE"),
        Refusal("kakutei_posting_of_approved_adjustment", "INSERT", "ledger_app_posting", NOT_APPROVED),
    ]


# Other proposals: a decision is about what was proposed. Other arguments, another date, reason or proposer are another proposal.

REVERSAL = ("entry_id", "effective_on", "prior_period", "reason", "ticket", "digest", "proposed_by_id", "proposed_at")
SETTING_CHANGE = ("kind", "setting", "arguments", "after", "digest", "reason", "proposed_by_id", "proposed_at")
ERASURE = ("holder_id", "ticket", "reason", "proposed_by_id", "proposed_at")
# What a setting said may be NULL, and a comparison with NULL is not true.
OTHER_BEFORE = "COALESCE(NEW.before, 'null') <> COALESCE(OLD.before, 'null')"
# What is erased is written before the decision is, in its transaction: to what was decided nothing is added.
NOT_PROPOSED = "NOT EXISTS (SELECT 1 FROM ledger_app_erasure WHERE id = NEW.erasure_id AND state = 'proposed')"


def of_proposal(name: str, *edits: str) -> list[Refusal]:
    """Return the triggers of proposals that begin as such, and are edited by nobody."""
    table = f"ledger_app_{name.replace('_', '')}"
    return [
        Refusal(f"kakutei_{name}_begins_proposed", "INSERT", table, "NEW.state <> 'proposed' OR NEW.version <> 1"),
        Refusal(f"kakutei_{name}_no_edit", "UPDATE", table, " OR ".join(["OLD.state <> 'proposed'", *edits])),
        Refusal(f"kakutei_{name}_no_delete", "DELETE", table),
    ]


def of_proposals() -> list[Refusal]:
    """Return the triggers of reversals, changes of settings, and erasures."""
    return [
        *of_proposal("reversal", *(f"NEW.{column} <> OLD.{column}" for column in REVERSAL)),
        *of_proposal("setting_change", *(f"NEW.{column} <> OLD.{column}" for column in SETTING_CHANGE), OTHER_BEFORE),
        # As text, so that what was empty and is filled in differs too.
        *of_proposal("erasure", *(f"HEX(NEW.{column}) <> HEX(OLD.{column})" for column in ERASURE)),
        Refusal("kakutei_erasedpart_of_proposal", "INSERT", "ledger_app_erasedpart", NOT_PROPOSED),
        Refusal("kakutei_eraseddigest_of_proposal", "INSERT", "ledger_app_eraseddigest", NOT_PROPOSED),
    ]


def triggers(vendor: str) -> Iterator[tuple[str, str]]:
    """Yield (name, the SQL that makes it) of every trigger."""
    refusals = (*of_entries(), *of_periods(vendor), *of_members(), *of_lots(), *of_adjustments(), *of_proposals())
    yield from ((each.name, each.statement(vendor)) for each in refusals)
    yield "kakutei_entry_turn_follows", ENTRY_TURN_FOLLOWS[vendor].strip()
    yield "kakutei_entry_in_open_period", ENTRY_IN_OPEN_PERIOD[vendor].strip()


def create(_apps: Any, schema_editor: Any) -> None:
    """Create every trigger, dropping what a cut-off run has left."""
    for name, statement in triggers(schema_editor.connection.vendor):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(statement)


def drop(_apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    for name, _statement in triggers(schema_editor.connection.vendor):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def begin(apps: Any, _schema_editor: Any) -> None:
    """Make the first link of the chain, and the row that is held while events are numbered. May run again."""
    first = {"last_trace": 0, "spans": [], "gaps": [], "trace_count": 0, "digest": bytes(32), "linked_at": datetime.now(UTC)}
    apps.get_model("ledger_app", "Link").objects.get_or_create(number=0, defaults=first)
    apps.get_model("ledger_app", "Feed").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    """Creates the ledger's triggers and its first rows."""

    atomic = False
    dependencies = [("ledger_app", "0001_initial")]
    operations = [
        migrations.RunPython(create, drop, atomic=False),
        migrations.RunPython(begin, migrations.RunPython.noop, atomic=False),
    ]
