"""Says of records what the ledger's judge decided of their drafts: each refusal, and what stands or stood under a reference, as a finding."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ingestion_app.checks.rules import rule_of
from ingestion_app.models import Chunk
from ledger_app import sql
from ledger_app.base.queries import units
from ledger_app.errors import AccountNotOpen, LedgerError, ReferenceConflict
from ledger_app.errors.stored import stored_facts
from ledger_app.models import Entry, Posting
from ledger_app.posting.rules.drafts import Draft, KnownEntry
from ledger_app.posting.rules.judging import Verdict
from ledger_app.values.locked import LockedAccount

RuleSeen = tuple[str, int, dict[str, Any]]  # rule, column, facts
Known = Mapping[tuple[int, str], KnownEntry]
NOBODY = "–"


class Origin(NamedTuple):
    """Which batch posted an entry, and which reversed it: None where no batch did."""

    batch: int | None
    reversal: int | None


class Telling:
    """Tells of the verdicts on a block of drafts. ``accounts``, ``known`` and the codes of ``books`` are what they rest on."""

    def __init__(self, accounts: Mapping[int, LockedAccount], known: Known, books: Mapping[int, str]) -> None:
        """Look up, together, which batches the entries are of that stand or stood under the drafts' references."""
        self._states = {
            (account.book_id, account.code): account.state for account in accounts.values() if account.state != "open"
        }
        self._known = known
        self._books = books
        self._units = units.of_books(books)
        self._origins = origins_of([entry.id for entry in known.values()])

    def seen_in(self, group: Sequence[Draft], verdict: Verdict) -> list[RuleSeen]:
        """Return what is seen in the record that posts ``group``."""
        found = [self._refused(draft, refusal) for draft, refusal in verdict.refusals]
        for draft in group:
            name = (draft.book_id, draft.reference)
            known = self._known.get(name)
            if known is None:
                continue
            if name in verdict.standing:
                # Of a record that says something else in another book, that is what is to be said.
                if not verdict.refusals:
                    whole = len(verdict.standing) == len(group)
                    rule = "ledger.reference_exists_same" if whole else "ledger.reference_exists_in_part"
                    found.append((rule, 0, {**self._named(draft), "batch": self._batch_of(draft)}))
            elif known.reversed_by:
                found.append(self._reversed(draft, known))
        return found

    def _refused(self, draft: Draft, refusal: LedgerError) -> RuleSeen:
        refusal.keep_unit(self._units.get(draft.book_id))
        facts = {**stored_facts(refusal), **self._named(draft)}
        if isinstance(refusal, ReferenceConflict):
            facts["batch"] = self._batch_of(draft)
        elif isinstance(refusal, AccountNotOpen):
            facts["state"] = self._states[draft.book_id, str(facts["account"])]
        return rule_of(refusal), 0, facts

    def _batch_of(self, draft: Draft) -> str | int:
        return self._origins[self._known[draft.book_id, draft.reference].id].batch or NOBODY

    def _reversed(self, draft: Draft, known: KnownEntry) -> RuleSeen:
        origin = self._origins[known.id]
        facts = {**self._named(draft), "batch": origin.batch or NOBODY, "reversal": origin.reversal or known.reversed_by}
        rule = "ledger.reference_reversed" if origin.reversal is not None else "ledger.reference_reversed_singly"
        return rule, 0, facts

    def _named(self, draft: Draft) -> dict[str, str | int]:
        return {"reference": draft.reference, "book": self._books[draft.book_id]}


def origins_of(entry_ids: Sequence[int]) -> dict[int, Origin]:
    """Return, for entries, the batches that posted and that reversed them."""
    found: list[tuple[int, int | None, int | None]] = []
    for part in sql.parts(sorted(entry_ids)):
        rows = Entry.objects.filter(id__in=part).values_list(
            "id",
            "posting__origin_kind",
            "posting__origin_id",
            "reversed_by__posting__origin_kind",
            "reversed_by__posting__origin_id",
        )
        for key, kind, origin, by_kind, by_origin in rows:
            found.append((key, _chunk(kind, origin), _chunk(by_kind, by_origin)))
    chunk_ids = {chunk_id for _key, *chunks in found for chunk_id in chunks if chunk_id is not None}
    batches: dict[int, int] = {}
    for part in sql.parts(sorted(chunk_ids)):
        batches.update(Chunk.objects.filter(id__in=part).values_list("id", "batch_id"))
    return {key: Origin(_of(batches, posted), _of(batches, by)) for key, posted, by in found}


def _chunk(kind: str | None, origin_id: int | None) -> int | None:
    return origin_id if kind == Posting.Origin.CHUNK else None


def _of(batches: Mapping[int, int], chunk_id: int | None) -> int | None:
    return None if chunk_id is None else batches.get(chunk_id)
