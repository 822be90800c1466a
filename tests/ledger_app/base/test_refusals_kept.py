"""What is kept of a refusal: code and facts, told in the reader's language; and of a slip of the hand nothing."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import translation

from ledger_app import errors
from ledger_app.adjustments.operations import adjustments, attachments
from ledger_app.adjustments.queries.adjustments import undecided
from ledger_app.base.operations.audit import Caller, Subject, record
from ledger_app.errors.stored import kinds, stored, translated
from ledger_app.members.operations import members
from ledger_app.models import AuditRow, Period
from tests.support import adjusting, kept

pytestmark = pytest.mark.django_db


@kept.fixture
def desk(_folder):
    return adjusting.build()


def rows_kept():
    return list(AuditRow.objects.filter(outcome="refused").order_by("id"))


def through(caller, door):
    return Caller(caller.user, caller.at, door)


def test_a_refusal_is_told_in_the_language_of_whoever_reads_it(desk):
    with translation.override("ja"), pytest.raises(errors.Refused):
        desk.decide(desk.propose(), who=desk.ledger.caller)
    for language in ("en", "ja"):
        with translation.override(language):
            (row,) = rows_kept()
            # The right and who has it are words of the language too.
            expected = errors.NotPermitted(
                user="system", right=translation.gettext("Approve"), who=translation.gettext("Finance")
            ).sentence
            assert row.reasons[0]["sentence"] == expected
            assert set(row.reasons[0]) == {"code", "sentence", "facts"}


def test_the_states_that_a_refusal_lists_are_told_too(desk):
    row = desk.propose()
    desk.decide(row, "reject")
    with translation.override("ja"), pytest.raises(errors.Refused):
        desk.decide(row)
    with translation.override("en"):
        found = rows_kept()[0].reasons
    assert found[0]["sentence"] == "“Approve” needs the state Proposed, Approved once; this is Rejected."


def test_what_is_in_the_database_is_english_and_can_be_read_without_the_program(desk):
    with translation.override("ja"), pytest.raises(errors.Refused):
        desk.decide(desk.propose(), who=desk.ledger.caller)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reasons FROM ledger_app_auditrow WHERE outcome = 'refused'")
        (text,) = cursor.fetchone()
    assert "has not the right" in text


def test_rows_that_were_kept_as_texts_are_shown_as_they_are():
    old = {"code": "stale", "sentence": "Das hat sich geändert.", "facts": {"shown": 1, "now": 2}}
    assert translated(old) == old
    assert translated({"code": "gone_since", "sentence": "x", "facts": {}, "said": {}})["sentence"] == "x"


def test_a_sentence_that_names_other_facts_now_is_shown_as_it_was():
    kept_then = {"code": "stale", "sentence": "It changed.", "facts": {}, "said": {}}
    assert translated(kept_then)["sentence"] == "It changed."


@pytest.mark.parametrize("code", sorted(kinds()))
def test_every_refusal_comes_back_as_it_was(code):
    import string

    kind = kinds()[code]
    if kind is errors.Refused:
        return
    with translation.override("en"):
        names = {name for _, name, _, _ in string.Formatter().parse(str(kind.template)) if name}
        error = kind(**dict.fromkeys(names, "x"))
        assert translated(stored(error)) == error.as_dict()
    with translation.override("ja"):
        assert translated(stored(error)) == error.as_dict()


SLIPS = {
    "a forgotten reason": lambda desk, row, who: desk.decide(row, "reject", who=who, reason=" "),
    "another tab": lambda desk, row, who: desk.decide(row, who=who, version=row.version + 7),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
@pytest.mark.parametrize(("door", "count"), [("admin", 0), ("api", 1), ("command", 1)])
def test_a_slip_of_the_hand_on_a_page_is_told_and_not_kept(desk, slip, door, count):
    with pytest.raises(errors.Refused):
        slip(desk, desk.propose(), through(desk.decider, door))
    assert len(rows_kept()) == count


def test_a_second_tab_of_what_is_decided_is_not_kept_and_an_attempt_without_the_right_is(desk):
    row = desk.propose()
    shown = desk.shown(row)
    desk.decide(row)
    again = {"adjustment_id": row.pk, "name": "approve", "digest_shown": shown, "version": 1}
    with pytest.raises(errors.Refused):
        adjustments.decide(**again, caller=through(desk.second, "admin"))
    assert rows_kept() == []
    with pytest.raises(errors.Refused):
        adjustments.decide(**again, caller=through(desk.ledger.caller, "admin"))
    assert len(rows_kept()) == 1


def test_a_forgotten_field_of_a_proposal_is_not_kept(desk):
    proposal = desk.proposal(text="  ")
    for door, count in (("admin", 0), ("api", 1)):
        with pytest.raises(errors.Refused):
            adjustments.propose(
                proposal=proposal, caller=through(desk.proposer, door), expires_at=datetime.now(UTC) + timedelta(days=1)
            )
        assert len(rows_kept()) == count
    holder = desk.ledger.accounts["M1-receivable"].holder_id
    with pytest.raises(errors.Refused):
        members.add_identifier(
            holder_id=holder, kind="card_token", value="t-1", caller=through(desk.proposer, "admin"), reason=""
        )
    assert len(rows_kept()) == 1


def test_a_file_that_is_not_taken_is_kept_as_refused(desk, tmp_path):
    with pytest.raises(errors.Refused):
        attachments.take_in(
            stream=io.BytesIO(b"x"), name="a.exe", directory=tmp_path, bytes_most=100, caller=through(desk.proposer, "admin")
        )
    (row,) = rows_kept()
    assert (row.subject, row.action, row.actor, row.reasons[0]["code"]) == (
        *("a.exe", "upload", desk.proposer.user, "attachment_kind_unknown"),
    )


def test_a_refusal_that_a_row_tells_of_is_not_told_again(desk):
    refusal = errors.Refused([errors.ReasonRequired(action="x")])
    record(subject=Subject("book", 1, "x"), action="x", caller=desk.decider, outcome="refused", reasons=refusal.reasons)
    assert refusal.reasons[0].is_recorded


def test_what_keeps_a_period_from_freezing_is_told_in_the_readers_language(desk):
    row = desk.propose()
    period = Period.objects.get(book=row.book_id, starts_on__lte=row.effective_on, ends_on__gte=row.effective_on)
    with translation.override("ja"):
        (waits,) = undecided(period)
        name = waits.name
        kept_as = stored(errors.WorkUnfinished(what=waits.what, name=name, state=waits.state))
    with translation.override("en"):
        assert translated(kept_as)["facts"] == {"what": "Adjustment", "name": name, "state": "Proposed"}
    with translation.override("ja"):
        assert translated(kept_as)["facts"]["what"] == translation.gettext("Adjustment") != "Adjustment"
