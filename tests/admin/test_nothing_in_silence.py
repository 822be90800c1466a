"""Lists say by what they cannot be narrowed, pages that were typed on can be come back to, and nobody is shown a form they may not send."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import BigIntegerField, JSONField
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from simple_history.utils import get_history_manager_for_model as history_manager_of

from config.doors import telling
from config.doors.admin.model_admin import AMOUNTS, HistoryShown, json_text, shown_value, tellers
from ingestion_app.models import Batch
from ledger_app.models import Account, Adjustment, AuditRow, ClosePolicy, Holder, Merge, SettingChange, User
from tests.admin.conftest import ClientOf
from tests.support import kept
from tests.support.every_page import FULL, LOOKED_AT, list_of
from tests.support.world import NOW, World

full = kept.fixture(FULL)


@pytest.fixture
def client(world: World, client_of: ClientOf, make_user: Any) -> Client:
    return client_of(make_user("superuser-8", "auditor", is_superuser=True))


@pytest.mark.parametrize("query", ["nonsense=1", "book__code__startswith=C", "pk__in=zzz", "id__exact=a", "e__f__g=1"])
def test_no_list_drops_a_filter_in_silence(client: Client, query: str) -> None:
    for model in LOOKED_AT:
        answer = client.get(f"{list_of(model)}?{query}")
        assert answer.status_code == 400, (model, answer.headers)
        assert query in answer.content.decode(), model


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("ingestion_app_finding", "severity=zzz"),
        ("ingestion_app_finding", "rule=zzz"),
        ("ingestion_app_batch", "state__exact=zzz"),
        ("ledger_app_account", "book__id__exact=99999"),
        ("ledger_app_reasoncode", "is_active__exact=7"),
    ],
)
def test_a_value_that_is_no_choice_of_its_filter_is_said(client: Client, name: str, query: str) -> None:
    answer = client.get(f"{reverse(f'admin:{name}_changelist')}?{query}")
    assert answer.status_code == 400
    assert query in answer.content.decode()


def test_what_narrows_a_list_still_does(client: Client, world: World) -> None:
    for query in ("", "q=x", f"book__id__exact={world.card.pk}", "state__exact=open", "p=1", "state__in=open,closed"):
        assert client.get(f"{list_of(Account)}?{query}").status_code == 200, query


def test_whoever_comes_back_to_a_preview_is_shown_it_again_and_sends_nothing(client: Client, world: World) -> None:
    address = reverse("admin:ledger_app_adjustment_propose")
    typed = {"book": "CARD", "account": "receivable.1001", "amount": "1.25", "text": "A sentence.", "date": "2017-01-31"}
    answer = client.post(address, {**typed, "step": "send"})
    back = answer.content.decode().split('<body data-address="', 1)[1].split('"', 1)[0]
    assert back.startswith(f"{address}?typed=")
    shown = client.get(back)
    assert shown.status_code == 200
    assert "A sentence." in shown.content.decode()
    assert not Adjustment.objects.exists()
    # To another person, and at another address, it says nothing.
    assert "A sentence." not in client.get(back.replace(address, reverse("admin:index"))).content.decode()


def test_what_may_be_secret_is_not_kept(client: Client, world: World) -> None:
    holder = Holder.objects.earliest("id")
    address = reverse("admin:ledger_app_holder_identify", args=[holder.pk])
    said = {"kind": "card_number", "value": "4111111111111112", "active_from": "x"}
    refused = client.post(address, {**said, "reason": "card 4111111111111111"})
    assert (refused.status_code, "typed_before" in client.session, "411111" in refused.content.decode()) == (400, False, False)
    client.post(address, {**said, "reason": "A new card."})
    kept = str(client.session["typed_before"])
    assert "411111" not in kept
    assert "kind=card_number" in kept


def test_nobody_is_shown_a_form_that_they_may_not_send(world: World, client_of: ClientOf, make_user: Any) -> None:
    holder = Holder.objects.earliest("id")
    page = client_of(make_user("auditor-8", "auditor")).get(reverse("admin:ledger_app_holder_identify", args=[holder.pk]))
    assert [reason["code"] for reason in page.context["reasons"]] == ["not_permitted"]
    assert '<textarea name="reason"' not in page.content.decode()


def test_json_is_told_in_words() -> None:
    assert (
        json_text({"CARD": [1, [2, 3]], "ok": True, "none": None, "deep": {"a": "b"}})
        == "CARD: 1, (2, 3); ok: yes; none: –; deep: a: b"
    )


def test_the_history_of_an_amount_is_in_the_unit_of_its_book(client: Client, world: World) -> None:
    account = Account.objects.get(code="receivable.1001")
    assert isinstance(User.objects.get(username="superuser-8"), User)
    account.floor = -123456
    account.save()
    line = account.history.latest()
    text = client.get(f"/admin/ledger_app/account/{account.pk}/history/{line.history_id}/").content.decode()
    assert "−1,234.56" in text


# Columns of 64 bits that are numbers, counts, keys or places: no amounts.
NO_AMOUNTS = {
    "sequence",
    "subject_id",
    "origin_id",
    "row_id",
    "number",
    "last_number",
    "last_trace",
    "cursor",
    "step",
    "size",
    "offset",
}
NO_AMOUNTS |= {"entry_count", "line_count", "proved_count"}
# Sums of files, in whatever the file counts in: the page of the batch tells them by its source.
NO_AMOUNTS |= {"record_sum", "trailer_count", "trailer_sum", "set_aside_sum"}
WITHOUT_AMOUNTS: set[tuple[Any, str]] = {
    (Batch, "reversal_dates"),
    (Batch, "contra_accounts"),
    (Batch, "finding_counts"),
    (Batch, "lot_rules"),
}
# Names of totals.
WITHOUT_AMOUNTS |= {(ClosePolicy, "controls")}


def test_every_column_is_known_for_an_amount_or_for_none() -> None:
    found = {
        field.name
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, BigIntegerField) and not field.is_relation and field.name != "id"
    }
    assert found - NO_AMOUNTS <= AMOUNTS
    assert not AMOUNTS & NO_AMOUNTS
    kept = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, JSONField) and hasattr(model, "history")
    }
    assert kept - WITHOUT_AMOUNTS == set(tellers)


def test_histories_tell_the_amounts_of_merges_settings_and_batches_in_their_units(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    told = set()
    for model, column in tellers:
        for line in history_manager_of(model).exclude(**{f"{column}__isnull": True}):
            row = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{line.id}/history/"
            assert client.get(row).status_code == 200
            text = client.get(f"{row}{line.history_id}/").content.decode()
            raw = escape(json_text(getattr(line, column)))
            assert raw not in text or not re.search("[0-9]", raw), (row, raw)
            if "USD" in text:
                told.add(model)
    assert told == {Merge, Batch}


def test_audit_pages_tell_facts_in_words_and_units(client: Client, world: World) -> None:
    facts = {"book": "CARD", "amount_most": 123456, "day_most": None, "sole": True, "roles": ["a", {"b": 2}], "sha256": "0" * 64}
    row = AuditRow.objects.create(
        at=NOW,
        actor=world.superuser,
        door="command",
        subject_type="adjustmentlimit",
        subject_id=1,
        action="set",
        outcome="done",
        facts=facts,
    )
    text = client.get(f"/admin/ledger_app/auditrow/{row.pk}/change/").content.decode()
    assert "1,234.56" in text
    assert "123456" not in text
    for raw in ("null", "true", "[&quot;a", "{&quot;"):
        assert raw not in text.split("What it was decided on")[1].split("</section>")[0]


def test_every_history_tells_whole_values_and_why_in_words(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    asked = 0
    codes = {each.name for machine in telling.MACHINES.values() for each in machine.transitions} | {"propose", "receive", "erase"}
    for model in apps.get_models():
        if not (isinstance(admin.site._registry.get(model), HistoryShown) and hasattr(model, "history")):
            continue
        for row in model._default_manager.order_by("-pk")[:3]:
            text = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/history/").content.decode()
            asked += 1
            assert "chars]" not in text, (model, row.pk)
            assert "&lt;" not in text, (model, row.pk)
            assert not codes & set(re.findall("<td>([a-z_]+)</td>", text)), (model, row.pk)
    assert asked > 20


def test_every_history_tells_beside_its_lines_who_did_what_and_who_was_refused(full: World, client_of: ClientOf) -> None:
    client, without = client_of(full.superuser), []
    for model in apps.get_models():
        if not (isinstance(admin.site._registry.get(model), HistoryShown) and hasattr(model, "history")):
            continue
        row = model._default_manager.order_by("pk").first()
        if row is None:
            continue
        name = str(model._meta.model_name)
        AuditRow.objects.create(
            at=NOW,
            actor=full.superuser,
            door="admin",
            subject_type=telling.subject_of(name),
            subject_id=row.pk,
            action="approve",
            outcome="refused",
            reason=f"Tried for {name}.",
        )
        text = client.get(f"/admin/{model._meta.app_label}/{name}/{row.pk}/history/").content.decode()
        without += [name] if f"Tried for {name}." not in text else []
        # Who may not see the audit sees none of it beside a history either.
        hidden = client_of(full.support).get(f"/admin/{model._meta.app_label}/{name}/{row.pk}/history/")
        may = full.support.has_perm("ledger_app.view_auditrow")
        assert may or f"Tried for {name}." not in hidden.content.decode()
    assert without == []


def test_a_change_of_a_limit_is_told_in_the_unit_of_its_book(world: World) -> None:
    row = SettingChange(kind=SettingChange.Kind.LIMIT, arguments={"book": "CARD", "amount_most": 5000, "day_most": None})
    field = SettingChange._meta.get_field("arguments")
    assert "50.00 USD" in shown_value(field, row.arguments, row)
    assert "5000" not in shown_value(field, row.arguments, row)
