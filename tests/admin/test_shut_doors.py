"""What an attacker tries, superuser or not: old rows over new ones, forms that were never offered, actions, other methods."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from config.doors.admin.model_admin import HistoryShown, ReadOnlyAdmin
from ingestion_app.models import Batch
from ledger_app.models import User
from tests.admin.conftest import ROLES, ClientOf, RoleOf, page_of
from tests.support import kept
from tests.support.every_page import FULL, LOOKED_AT, list_of
from tests.support.world import World

# Doors are shut by the same code before every database.
pytestmark = pytest.mark.anywhere
EVERYBODY = [*ROLES, "superuser"]
WITH_HISTORY = [model for model, each in admin.site._registry.items() if isinstance(each, HistoryShown)]


full = kept.fixture(FULL)


def everything() -> dict[str, list[Any]]:
    """Return every row of every table that the admin shows, and of its history."""
    shown: tuple[type[Model], ...] = (*LOOKED_AT, User)
    found = {model.__name__: list(model._default_manager.order_by("pk").values()) for model in shown}
    for row in found["User"]:
        row.pop("last_login")
    for model in WITH_HISTORY:
        found[f"history of {model.__name__}"] = list(model.history.order_by("history_id").values())  # type: ignore[attr-defined]
    return found


def fields_of(row: Model) -> dict[str, Any]:
    given = (field for field in row._meta.concrete_fields if getattr(row, field.attname) is not None)
    return {field.name: field.value_to_string(row) for field in given}


def test_every_model_with_a_history_is_tried() -> None:
    assert {model.__name__ for model in WITH_HISTORY} == {
        *(
            "Account",
            "Adjustment",
            "AdjustmentLimit",
            "Batch",
            "Book",
            "ClosePolicy",
            "Erasure",
            "Hold",
            "HoldRule",
            "Holder",
            "LotRule",
            "Merge",
            "Period",
            "ReasonCode",
            "Reversal",
            "SettingChange",
            "Source",
            "User",
        ),
    }


@pytest.mark.parametrize("role", EVERYBODY)
def test_no_post_to_a_history_page_writes_the_old_row_over_the_new_one(
    full: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    client = client_of(somebody(role))
    before = everything()
    for model in WITH_HISTORY:
        assert model.history.exists(), model  # type: ignore[attr-defined]
        for line in model.history.order_by("history_id"):  # type: ignore[attr-defined]
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            past = reverse(f"{name}_simple_history", args=[line.instance.pk, line.pk])
            listed = reverse(f"{name}_history", args=[line.instance.pk])
            for address in (past, listed):
                for method in (client.post, client.put, client.patch, client.delete):
                    response = method(address, {**fields_of(line.instance), "_save": "Save", "_change_history": "1"})
                    assert response.status_code == 405, (address, role)
    assert everything() == before


@pytest.mark.parametrize("role", EVERYBODY)
def test_no_form_adds_changes_or_deletes_what_the_books_hold(
    full: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    client = client_of(somebody(role))
    before = everything()
    for model in LOOKED_AT:
        row = model._default_manager.earliest("pk")
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        values = {**fields_of(row), "_save": "Save", "post": "yes"}
        for address in (reverse(f"{name}_add"), page_of(row), reverse(f"{name}_delete", args=[row.pk])):
            assert client.post(address, values).status_code == 403, address
        for address in (reverse(f"{name}_add"), reverse(f"{name}_delete", args=[row.pk])):
            assert client.get(address).status_code == 403, address
    assert everything() == before


@pytest.mark.parametrize("role", EVERYBODY)
def test_no_action_of_a_list_does_anything(full: World, client_of: ClientOf, somebody: RoleOf, role: str) -> None:
    client = client_of(somebody(role))
    before = everything()
    for model in LOOKED_AT:
        keys = [str(key) for key in model._default_manager.values_list("pk", flat=True)[:5]]
        for action in ("delete_selected", "delete_queryset", "anything"):
            data = {"action": action, "_selected_action": keys, "post": "yes", "index": "0", "select_across": "1", "_save": "1"}
            response = client.post(list_of(model), data)
            assert response.status_code in {200, 302, 403, 405}
            assert 'name="action"' not in response.content.decode()
    assert everything() == before


def test_no_admin_of_the_books_offers_actions_or_editing_in_lists() -> None:
    for model in LOOKED_AT:
        each = admin.site._registry[model]
        assert isinstance(each, ReadOnlyAdmin)
        assert each.actions is None
        assert each.list_editable == ()
        assert each.inlines == ()


def test_users_are_never_deleted_and_their_passwords_are_never_shown(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    address = reverse("admin:ledger_app_user_delete", args=[full.finance.pk])
    assert client.post(address, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [str(full.finance.pk)], "post": "yes"}
    client.post(list_of(User), data)
    assert User.objects.filter(pk=full.finance.pk).exists()
    full.finance.set_password("some-long-password")
    full.finance.save()
    for line in User.history.filter(id=full.finance.pk):
        shown = client.get(reverse("admin:ledger_app_user_simple_history", args=[full.finance.pk, line.pk]))
        assert shown.status_code == 200
        assert full.finance.password not in shown.content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_who_is_no_superuser_cannot_touch_users_groups_or_tokens(
    full: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    client = client_of(somebody(role))
    looks = {"ledger_app_user", "auth_group", "ledger_app_token"} if role == "auditor" else set()
    for name in ("ledger_app_user", "auth_group", "ledger_app_token"):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == (200 if name in looks else 403)
        assert client.post(reverse(f"admin:{name}_add"), {"username": "x"}).status_code == 403
    assert client.post(reverse("admin:ledger_app_user_change", args=[full.finance.pk]), {"is_superuser": "on"}).status_code == 403


def test_a_search_across_tables_that_was_never_offered_is_refused(full: World, client_of: ClientOf) -> None:
    client = client_of(full.support)
    for model, query in ((Batch, "received_by__password__startswith=a"), (Batch, "approved_by__email=x")):
        response = client.get(f"{list_of(model)}?{query}")
        assert response.status_code in {302, 400}


def test_every_page_refuses_what_is_not_its_own_by_policy(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    for address in (reverse("admin:index"), list_of(Batch), page_of(Batch.objects.earliest("id")), reverse("admin:login")):
        policy = client.get(address)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert Client().get(reverse("admin:login"))["X-Frame-Options"] == "DENY"
