"""``verify``: a clean ledger has no breach; anyone who tampers with the rows is found, and the breach names the place."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command

from ledger_app.base import proofs
from ledger_app.close.operations import periods
from ledger_app.models import AuditRow, Entry, Seal, Verification
from tests.support import ledger_clocks as clocks
from tests.support import samples
from tests.support.reversing import reverse_entry


@pytest.fixture
def closed(ledger, checker, finance, caller_of):
    """January frozen with three entries and a reversal to come, February frozen with two, March open with one."""
    ledger.post(
        ledger.draft("r-1", ("cash", 700), ("wallet", -700), description="入金"),
        ledger.draft("r-2", ("wallet", 300), ("settlement", -300), on=date(2017, 1, 10)),
        ledger.draft("r-3", ("M1-receivable", 50), ("settlement", -50), on=date(2017, 1, 31)),
    )
    ledger.post(ledger.draft("r-4", ("M2-receivable", 9), ("settlement", -9), on=date(2017, 2, 1)), lane=3)
    with clocks.stands_at(checker.at):
        periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"entries": 3}, caller=checker, code_version="test")
    second = Entry.objects.get(reference="r-3")
    reverse_entry(entry_id=second.pk, effective_on=date(2017, 2, 2), reason="Twice", caller=checker)
    march = caller_of(finance, at=datetime(2017, 3, 1, 9, tzinfo=UTC))
    with clocks.stands_at(march.at):
        periods.freeze(period_id=ledger.periods["2017-02"].pk, controls={"entries": 2}, caller=march, code_version="test")
    ledger.post(ledger.draft("r-6", ("cash", 5), ("sales", -5), on=date(2017, 3, 1)), at=datetime(2017, 3, 2, 9, tzinfo=UTC))
    return ledger


def verify(*arguments):
    """Return the exit status of the command and what it found, by number of invariant."""
    import io

    out = io.StringIO()
    status = 0
    try:
        call_command("verify", *arguments, json=True, stdout=out, stderr=io.StringIO())
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    told = json.loads(out.getvalue())
    found: dict[int, list[str]] = {}
    for invariant in told["invariants"]:
        if invariant["breaches"]:
            found.setdefault(invariant["number"], []).extend(invariant["breaches"])
    assert told["breaches"] == sum(len(each) for each in found.values())
    return status, found


def test_a_clean_ledger_has_no_breach_and_says_so(closed):
    assert verify() == (0, {})
    assert verify("CARD") == (0, {})
    assert [invariant.number for invariant in proofs.invariants()] == sorted(
        invariant.number for invariant in proofs.invariants()
    )
    assert set(range(1, 13)) == {invariant.number for invariant in proofs.invariants()}


def test_what_was_found_is_kept(closed, tamper):
    samples.open_ledger(closed.caller, code="POINTS")
    verify("CARD")
    tamper("balance", "UPDATE ledger_app_balance SET amount = amount + 1 WHERE amount = -5")
    verify()
    kept = list(Verification.objects.order_by("id").values_list("book__code", "breaches"))
    assert kept == [("CARD", 0), (None, 1)]


ENTRY = "(SELECT * FROM (SELECT id FROM ledger_app_entry WHERE reference = '{0}') AS one)"
LINE = "entry_id = " + ENTRY


def of(reference, statement):
    return statement.format(ENTRY.format(reference), line=LINE.format(reference))


@pytest.mark.parametrize(
    ("table", "statement", "numbers", "said"),
    [
        ("line", of("r-1", "UPDATE ledger_app_line SET amount = 701 WHERE {line} AND amount > 0"), {1, 2, 3, 10}, "Entry r-1 has 2 lines that sum to 1"),
        ("line", of("r-6", "DELETE FROM ledger_app_line WHERE {line}"), {1, 2, 3}, "Entry r-6 has 0 lines"),
        ("line", of("r-2", "DELETE FROM ledger_app_line WHERE {line} AND amount < 0"), {1, 2, 3, 10}, "Entry r-2 has 1 lines"),
        ("line", "UPDATE ledger_app_line SET entry_id = 999999 WHERE balance_after = -5", {1, 3}, "belongs to no entry"),
        ("line", of("r-1", "UPDATE ledger_app_line SET account_id = 999999 WHERE {line} AND amount > 0"), {1, 2, 3, 10}, "Entry r-1 has a line on account None"),
        ("line", "UPDATE ledger_app_line SET balance_after = balance_after + 1 WHERE balance_after = 705", {2}, "says 706 afterwards, the lines up to it sum to 705"),
        ("line", "UPDATE ledger_app_line SET sequence = 7 WHERE balance_after = 705", {2}, "Account cash, stripe 0"),
        ("line", "UPDATE ledger_app_line SET stripe = 2 WHERE stripe = 3", {2}, "stripe 2"),
        ("balance", "UPDATE ledger_app_balance SET amount = amount - 1 WHERE amount = 705", {2}, "Account cash, stripe 0: the balance says 704"),
        ("balance", "UPDATE ledger_app_balance SET sequence = sequence + 1 WHERE amount = 705", {2}, "at line 3, its 2 lines"),
        ("balance", "DELETE FROM ledger_app_balance WHERE amount = 705", {2}, "Account cash, stripe 0 has lines but no balance"),
        ("entry", "UPDATE ledger_app_entry SET description = '出金' WHERE reference = 'r-1'", {3, 10}, "Entry r-1 is not what its digest says"),
        ("entry", "UPDATE ledger_app_entry SET effective_on = '2017-01-11' WHERE reference = 'r-2'", {3, 6, 10}, "Entry r-2 is not what its digest says"),
        ("entry", "UPDATE ledger_app_entry SET reference = 'r-9' WHERE reference = 'r-6'", {3}, "Entry r-9 is not what its digest says"),
        ("entry", "UPDATE ledger_app_entry SET reverses_id = NULL WHERE reverses_id IS NOT NULL", {3, 9, 10}, "First entry that differs: reversal:"),
        ("entry", "DELETE FROM ledger_app_entry WHERE reference = 'r-6'", {1, 3}, "wrote 1 entries and 2 lines"),
        ("entry", "UPDATE ledger_app_entry SET effective_on = '2016-05-05' WHERE reference = 'r-6'", {4}, "Entry r-6, dated 2016-05-05, is in no period"),
        ("entry", "UPDATE ledger_app_entry SET effective_on = '2017-02-05' WHERE reference = 'r-6'", {3, 4, 10}, "was sealed with 2 entries and has 3"),
        ("entry", "UPDATE ledger_app_entry SET effective_on = '2017-02-05' WHERE reference = 'r-6'", {3, 4, 10}, "Entry r-6 entered period 2017-02 after its freeze"),
        ("account", "UPDATE ledger_app_account SET book_id = 999 WHERE code = 'cash'", {1}, "Entry r-1 has a line on account cash of another book"),
        ("entry", "UPDATE ledger_app_entry SET reference = 'r-1' WHERE reference = 'r-6'", {3, 5}, "The reference r-1 exists 2 times"),
        ("balance", "UPDATE ledger_app_balance SET last_on = '2017-01-03' WHERE amount = -400", {6}, "the latest of its lines is of 2017-01-10, the balance says 2017-01-03"),
        ("account", "UPDATE ledger_app_account SET floor = 401 WHERE code = 'wallet'", {6}, "Account wallet, line 2: -400 is below the floor of 401"),
        ("account", "UPDATE ledger_app_account SET code = 'till' WHERE code = 'cash'", {3, 10}, "Entry r-1 is not what its digest says"),
        ("account", "UPDATE ledger_app_account SET role = 'till' WHERE code = 'cash'", {10}, "trial balance"),
        ("seal", "UPDATE ledger_app_seal SET entry_count = 4 WHERE number = 1", {10}, "entries 4"),
        ("seal", "UPDATE ledger_app_seal SET debit_total = 0 WHERE number = 2", {10}, "debits 0"),
        ("seal", "UPDATE ledger_app_seal SET trial_balance = '[]' WHERE number = 2", {10}, "trial balance"),
        ("seal", "UPDATE ledger_app_seal SET number = 5 WHERE number = 2", {10}, "chain"),
        ("seal", "DELETE FROM ledger_app_seal WHERE number = 2", {4}, "Period 2017-02 of CARD is frozen, and its seal is missing"),
        ("seal", "DELETE FROM ledger_app_seal WHERE number = 1", {4, 10}, "chain"),
        ("period", "UPDATE ledger_app_period SET state = 'open' WHERE name = '2017-01'", {4, 12}, "Period 2017-01 of CARD is open"),
        ("period", "UPDATE ledger_app_period SET name = '2017-1' WHERE name = '2017-01'", {10}, "does not recompute"),
        ("period", "UPDATE ledger_app_period SET version = 3 WHERE name = '2017-01'", {12}, "is frozen after 2 changes; 1 audit rows"),
        ("auditrow", "DELETE FROM ledger_app_auditrow WHERE action = 'freeze' AND subject = 'CARD 2017-02'", {12}, "CARD 2017-02 is frozen after 1 changes; 0 audit rows"),
        ("auditrow", "UPDATE ledger_app_auditrow SET to_state = 'provisional' WHERE subject = 'CARD 2017-02'", {12}, "lead to provisional"),
        ("posting", "UPDATE ledger_app_posting SET line_count = line_count + 1 WHERE entry_count = 3", {3}, "wrote 3 entries and 7 lines; 3 and 6 are there"),
    ],
)  # fmt: skip
def test_tampering_is_found_and_named(closed, tamper, table, statement, numbers, said):
    tamper(table, statement)
    status, found = verify()
    assert status == 1
    # Besides, the row is not what was written down of it, or what its history says.
    assert numbers <= set(found) <= numbers | {2, 3, 10, 12}, found
    assert any(said in breach for breaches in found.values() for breach in breaches), found


def test_a_digest_that_was_made_to_fit_is_found_by_the_seal(closed, tamper):
    from ledger_app.close.queries import seals
    from ledger_app.posting.rules import forms

    fits = forms.digest(
        book="CARD",
        effective_on=date(2017, 1, 10),
        reference="r-1",
        description="forged",
        reverses="",
        lines=[("cash", 700), ("wallet", -700)],
    )
    tamper(
        "entry",
        f"UPDATE ledger_app_entry SET description = 'forged', digest = x'{fits.hex()}' WHERE reference = 'r-1'",
    )
    status, found = verify()
    assert status == 1
    # The change of one seal breaks every seal after it. The posting's digest covers those of its entries.
    assert len(found[10]) == 1
    assert [breach.partition(" ")[0] for breach in found[3]] == ["Posting"]
    assert seals.prove(closed.periods["2017-01"]).differing == []


def test_a_seal_that_was_made_to_fit_breaks_the_one_after_it(closed, tamper):
    from ledger_app.close.queries import seals

    tamper("entry", "UPDATE ledger_app_entry SET description = 'forged' WHERE reference = 'r-1'")
    fits = seals.prove(closed.periods["2017-01"]).digest.hex()
    tamper("seal", f"UPDATE ledger_app_seal SET digest = x'{fits}' WHERE number = 1")
    status, found = verify()
    assert status == 1
    assert "2017-02" in found[10][0]


@pytest.mark.parametrize("name", ["kakutei_line_no_update", "kakutei_chunk_applied_no_update", "kakutei_receipt_no_delete"])
def test_a_missing_trigger_is_named(closed, monkeypatch, name):
    monkeypatch.setattr(proofs, "installed_triggers", lambda: set(proofs.expected_triggers()) - {name})
    assert verify() == (
        1,
        {3: [f"The trigger {name} is missing; docs/runbooks/verify-found-a-breach.md says how to put it back."]},
    )


def test_one_book_is_proved_without_the_others(closed, tamper):
    samples.open_ledger(closed.caller, code="POINTS")
    tamper("balance", "UPDATE ledger_app_balance SET amount = amount + 1 WHERE amount = -5")
    assert verify("POINTS")[0] == 0
    assert verify("CARD")[0] == 1


def test_an_entry_that_a_freeze_waited_for_is_no_breach(ledger, checker):
    """The posting began after the freeze did, got the lock first, and is in the seal."""
    ledger.post(ledger.draft("r-1", ("cash", 1), ("sales", -1)), at=checker.at + timedelta(seconds=5))
    seal = periods.freeze(period_id=ledger.periods["2017-01"].pk, controls={"entries": 1}, caller=checker, code_version="test")
    assert seal.entry_count == 1
    assert verify() == (0, {})


def test_breaches_are_bounded(closed, tamper, monkeypatch):
    monkeypatch.setattr(proofs, "BREACHES_MOST", 2)
    tamper("balance", "UPDATE ledger_app_balance SET amount = amount + 1")
    _, found = verify()
    assert len(found[2]) == 2


def test_refused_attempts_are_no_changes(closed, checker):
    from ledger_app import errors

    with pytest.raises(errors.Refused):
        periods.change(period_id=closed.periods["2017-01"].pk, name="reopen", caller=checker, reason="x")
    assert AuditRow.objects.filter(outcome="refused").exists()
    assert verify() == (0, {})


def test_an_unknown_book_is_refused(db, capsys):
    with pytest.raises(SystemExit) as exit_:
        call_command("verify", "NONE")
    assert exit_.value.code == 1
    assert "not_found" in capsys.readouterr().err


def test_the_seals_of_a_book_are_all_looked_at(closed):
    assert Seal.objects.count() == 2
