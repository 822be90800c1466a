"""docs/canonical-form.md is what the code writes: its example is recomputed without the code, and posted with it."""

import hashlib
import re
from datetime import date
from pathlib import Path

from ledger_app.close.operations import periods
from ledger_app.close.queries import seals
from ledger_app.models import Entry, Line
from ledger_app.posting.rules.drafts import Reversed

TEXT = (Path(__file__).parents[3] / "docs/canonical-form.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"```entry\n(.*?)```", TEXT, re.DOTALL)
(SEAL,) = re.findall(r"```seal\n(.*?)```", TEXT, re.DOTALL)
FIRST, SECOND, SEALED = re.findall(r"digest[^`\n]*: `([0-9a-f]{64})`", TEXT)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_digests_of_the_page_are_those_of_its_blocks():
    assert [sha256(block) for block in ENTRIES] == [FIRST, SECOND]
    assert sha256(SEAL) == SEALED
    assert SEAL.splitlines()[6:] == [FIRST, SECOND]


def draft_of(ledger, block):
    _form, _book, on, reference, description, reverses, *lines = block.split("\n")[:-1]
    sides = [(line.split(" ")[0], int(line.split(" ")[1])) for line in lines]
    draft = ledger.draft(reference, *sides, on=date.fromisoformat(on), description=description)
    if reverses:
        draft = draft._replace(reverses=Reversed(Entry.objects.get(reference=reverses).pk, reverses))
    return draft


def test_the_example_posted_and_frozen_has_the_digests_of_the_page(ledger, checker):
    for block in ENTRIES:
        ledger.post(draft_of(ledger, block))
    stored = {entry.reference: bytes(entry.digest).hex() for entry in Entry.objects.all()}
    assert stored == {"card-usage:4711": FIRST, "correction:1": SECOND}
    seal = periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"debits": 1268}, caller=checker, code_version="test")
    assert bytes(seal.digest).hex() == SEALED


def recomputed(ledger, name, before):
    """Compute a seal from the rows as the page says, sharing nothing with the code."""
    period = ledger.periods[name]
    text = f"kakutei-seal-1\n{ledger.book.code}\n{name}\n{period.starts_on}\n{period.ends_on}\n{before}\n"
    rows = [
        entry for entry in Entry.objects.select_related("reverses") if period.starts_on <= entry.effective_on <= period.ends_on
    ]
    for entry in sorted(rows, key=lambda entry: (entry.effective_on, entry.reference.encode())):
        head = ["kakutei-entry-1", ledger.book.code, str(entry.effective_on), entry.reference, entry.description]
        head.append(entry.reverses.reference if entry.reverses else "")
        lines = Line.objects.filter(entry=entry).select_related("account").order_by("id")
        text += sha256("".join(f"{each}\n" for each in [*head, *(f"{line.account.code} {line.amount}" for line in lines)])) + "\n"
    return sha256(text)


def test_seals_recompute_from_the_rows_in_whatever_order_they_were_posted(ledger, checker, finance, caller_of):
    for reference in ("b", "B", "a-10", "a-9", "~", "!", "_"):
        ledger.sell(reference, 5, on=date(2017, 1, 31))
    ledger.sell("early", 7, on=date(2017, 1, 1))
    ledger.sell("later", 7, on=date(2017, 2, 1))
    before = ""
    for name, count, month in (("2017-01", 8, 2), ("2017-02", 1, 3)):
        seal = periods.freeze(
            period_id=ledger.periods[name].pk,
            controls={"entries": count},
            caller=caller_of(finance, at=checker.at.replace(month=month)),
            code_version="test",
        )
        assert bytes(seal.digest).hex() == recomputed(ledger, name, before)
        before = bytes(seal.digest).hex()


def test_a_period_with_more_accounts_and_entries_than_are_kept_recomputes_the_same(ledger, monkeypatch):
    for number in range(7):
        ledger.sell(f"r-{number}", 5, on=date(2017, 1, 1 + number // 4))
    whole = seals.prove(ledger.periods["2017-01"])
    monkeypatch.setattr(seals, "ENTRIES_A_READ", 2)
    monkeypatch.setattr(seals, "CODES_KEPT", 1)
    assert seals.prove(ledger.periods["2017-01"]) == whole
    assert (whole.entry_count, whole.differing) == (7, [])
