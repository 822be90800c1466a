"""Identifiers given, ended and renewed; no card number is kept in the clear."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from ledger_app.base.queries import lookout
from ledger_app.books.operations import books
from ledger_app.books.queries import identifiers
from ledger_app.errors import Refused
from ledger_app.members.operations import members
from ledger_app.models import AuditRow, Holder, Identifier
from tests.support import samples

CARD = "4111111111111111"
OTHER_CARD = "378282246310005"
KEYS = {"new": b"n" * 32, "old": b"o" * 32}


@pytest.fixture
def give(ledger, support, caller_of):
    caller = caller_of(support, at=samples.AFTER_JANUARY)
    holders = {holder.name: holder.pk for holder in Holder.objects.all()}

    def add(kind, value, *, to="M1", reason="Called in.", by=caller, **span):
        return members.add_identifier(holder_id=holders[to], kind=kind, value=value, reason=reason, caller=by, **span)

    return add


@pytest.fixture
def support_caller(support, caller_of):
    return caller_of(support, at=samples.AFTER_JANUARY)


def refused(work):
    with pytest.raises(Refused) as caught:
        work()
    return [reason.code for reason in caught.value.reasons]


def everything():
    """Return every text of every table of the ledger, as one."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("ledger_app").get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            texts += [repr(row) for row in cursor.fetchall()]
    return "\n".join(texts)


def test_a_card_number_is_kept_as_a_hash_with_its_last_four_and_nowhere_in_the_clear(give):
    row = give("card_number", "4111 1111 1111 1111")
    assert (row.last_four, row.key_name, len(row.value), row.shown) == ("1111", "development", 64, "•••• 1111")
    assert identifiers.find("card_number", [CARD])[CARD].holder_id == row.holder_id
    assert refused(lambda: give("card_number", CARD, to="M2")) == ["identifier_taken"]
    assert refused(lambda: give("card_token", CARD)) == ["card_number_in_clear"]
    assert refused(lambda: give("member_number", "4111-1111-1111-1111")) == ["card_number_in_clear"]
    assert refused(lambda: give(CARD, "x")) == ["not_found"]
    assert refused(lambda: give("card_number", CARD[:-1] + "2")) == ["card_number_invalid"]
    held = everything()
    assert CARD not in held
    assert "4111 1111" not in held
    assert "4111-1111" not in held


def test_the_database_takes_no_card_number_that_is_not_hashed(give):
    holder = Holder.objects.earliest("id")
    for columns in (
        {"value": CARD},
        {"value": CARD, "key_name": "new", "last_four": "1111"},
        {"value": "a" * 64, "last_four": "1111"},
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), lookout.done():
            Identifier.objects.create(kind="card_number", holder=holder, **columns)
    row = give("card_token", "tok-1")
    with pytest.raises(DatabaseError), transaction.atomic():
        Identifier.objects.filter(pk=row.pk).update(value="tok-2")


def test_a_card_that_is_seen_again_is_kept_under_the_newest_key(give, settings, support_caller):
    settings.KAKUTEI_CARD_KEYS = {"old": KEYS["old"]}
    row = give("card_number", CARD)
    settings.KAKUTEI_CARD_KEYS = KEYS
    assert identifiers.find("card_number", [CARD])[CARD] == (row.pk, row.holder_id, True, None, None)
    assert members.renew(kind="card_number", value=CARD, caller=support_caller) is True
    assert members.renew(kind="card_number", value=CARD, caller=support_caller) is False
    row.refresh_from_db()
    assert row.key_name == "new"
    settings.KAKUTEI_CARD_KEYS = {"new": KEYS["new"]}
    assert identifiers.find("card_number", [CARD])[CARD].holder_id == row.holder_id
    settings.KAKUTEI_CARD_KEYS = {}
    assert refused(lambda: give("card_number", OTHER_CARD)) == ["card_key_missing"]


def test_giving_an_identifier_again_is_found_done_and_each_is_given_once(give):
    first = give("card_token", "tok-1", active_from=date(2017, 1, 1))
    assert give("card_token", "tok-1") == first
    assert refused(lambda: give("card_token", "tok-1", to="M2")) == ["identifier_taken"]
    assert AuditRow.objects.filter(action="add_identifier", outcome="done").count() == 1
    assert AuditRow.objects.filter(action="add_identifier", outcome="refused").count() == 1


def test_one_that_the_member_has_with_other_days_is_not_given_in_silence(give):
    give("card_token", "tok-1", active_from=date(2017, 1, 1))
    assert refused(lambda: give("card_token", "tok-1", active_from=date(2017, 1, 2))) == ["identifier_differs"]
    assert refused(lambda: give("card_token", "tok-1", active_to=date(2017, 1, 9))) == ["identifier_differs"]


def test_one_that_ended_is_given_again_from_a_later_day_or_not_at_all(give, support_caller, ledger):
    row = give("card_token", "tok-1", active_from=date(2017, 1, 1))
    members.end_identifier(identifier_id=row.pk, active_to=date(2017, 1, 15), reason="Lost.", caller=support_caller)
    for span in ({}, {"active_from": date(2017, 1, 15)}, {"active_to": date(2017, 3, 1)}):
        assert refused(lambda span=span: give("card_token", "tok-1", **span)) == ["identifier_had"]
    assert refused(lambda: give("card_token", "tok-1", to="M2", active_from=date(2017, 2, 1))) == ["identifier_taken"]
    again = give("card_token", "tok-1", active_from=date(2017, 2, 1), reason="Found.")
    row.refresh_from_db()
    assert (again.pk, row.active_from, row.active_to) == (row.pk, date(2017, 2, 1), None)
    (said,) = AuditRow.objects.filter(action="give_again", outcome="done")
    assert (said.reason, said.facts["was_from"], said.facts["was_to"], said.facts["from"]) == (
        *("Found.", "2017-01-01", "2017-01-15", "2017-02-01"),
    )


def test_what_a_member_has_is_held_against_the_day(give, support_caller, ledger):
    holder = Holder.objects.get(name="M1").pk
    today = support_caller.at.date()

    def answer(value, *days):
        said = {"holder_id": holder, "kind": "card_token", "value": value, "reason": "Called in.", "caller": support_caller}
        return members.give(span=members.Span(*days), **said).answer

    give("card_token", "until", active_to=today)
    assert refused(lambda: answer("until")) == ["identifier_has_end"]
    assert refused(lambda: answer("until", today)) == ["identifier_has_end"]
    assert answer("until", today + timedelta(days=1)) == "again"
    give("card_token", "over", active_to=today - timedelta(days=1))
    assert refused(lambda: answer("over")) == ["identifier_had"]
    tomorrow = today + timedelta(days=1)
    give("card_token", "ahead", active_from=tomorrow)
    assert [answer("ahead"), answer("ahead", tomorrow)] == ["ahead", "ahead"]
    give("card_token", "now", active_from=today)
    assert [answer("now"), answer("now", today)] == ["already", "already"]


def test_each_of_the_three_answers_is_told(give, support_caller, ledger):
    holder = Holder.objects.get(name="M1").pk

    def answer(*days):
        said = {"holder_id": holder, "kind": "card_token", "value": "tok-1", "reason": "Called in.", "caller": support_caller}
        return members.give(span=members.Span(*days), **said).answer

    assert [answer(), answer()] == ["given", "already"]
    row = Identifier.objects.get(value="tok-1")
    members.end_identifier(identifier_id=row.pk, active_to=date(2017, 1, 15), reason="Lost.", caller=support_caller)
    assert [answer(date(2017, 2, 1)), answer(date(2017, 2, 1))] == ["again", "already"]


def test_an_identifier_ends_once(give, support_caller):
    row = give("card_token", "tok-1", active_from=date(2017, 1, 10))

    def end(day, reason="Lost."):
        return members.end_identifier(identifier_id=row.pk, active_to=day, reason=reason, caller=support_caller)

    assert refused(lambda: end(date(2017, 1, 9))) == ["identifier_span_invalid"]
    assert refused(lambda: end(date(2017, 1, 20), "")) == ["reason_required"]
    first = end(date(2017, 1, 20))
    assert (first.identifier.active_to, first.answer) == (date(2017, 1, 20), "ended")
    again = end(date(2017, 1, 20), "Stolen.")
    assert (again.identifier.active_to, again.answer) == (date(2017, 1, 20), "already")
    assert refused(lambda: end(date(2017, 1, 21))) == ["identifier_ended"]
    assert AuditRow.objects.filter(action="end_identifier", outcome="done").count() == 1


def test_identifiers_need_the_right_a_reason_and_a_member(give, auditor, caller_of):
    assert refused(lambda: give("card_token", "tok-1", by=caller_of(auditor))) == ["not_permitted"]
    assert refused(lambda: give("card_token", "tok-1", reason=" ")) == ["reason_required"]
    assert refused(lambda: give("card_token", "tok 1")) == ["code_invalid"]
    assert refused(lambda: give("shoe_size", "44")) == ["not_found"]
    Holder.objects.filter(name="M1").update(merged_into=Holder.objects.get(name="M2"))
    assert refused(lambda: give("card_token", "tok-1")) == ["member_merged"]


def test_members_are_registered_with_cards_that_are_given_once(ledger):
    def register(number, *cards, tokens=()):
        return books.open_members(
            openings=[books.MemberOpening(number, (), card_tokens=tokens, card_numbers=cards)], caller=ledger.caller
        )

    assert register("7", CARD) == 1
    assert refused(lambda: register("8", CARD)) == ["definition_conflict"]
    assert refused(lambda: register("8", OTHER_CARD, "3782 822463 10005")) == ["definition_conflict"]
    assert refused(lambda: register("8", tokens=(CARD,))) == ["card_number_in_clear"]
    assert CARD not in everything()
