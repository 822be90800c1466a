"""Lists say by what they cannot be narrowed, pages that were typed on can be come back to, and nobody is shown a form they may not send."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.model_admin import said
from ledger_app.models import Account, Adjustment, Holder, User
from tests.admin.conftest import ClientOf
from tests.admin.every_page import LOOKED_AT, list_of
from tests.ingestion_app.operations.world import World


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
        said({"CARD": [1, [2, 3]], "ok": True, "none": None, "deep": {"a": "b"}})
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
