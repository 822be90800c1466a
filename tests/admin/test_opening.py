"""The pages that open books, months and accounts, say which accounts members get, and register members."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ledger_app.models import Account, AccountTemplate, Book, Identifier, Period, SettingChange
from tests.admin.conftest import ClientOf, RoleOf, page_of, step_of
from tests.support.world import World

BOOK = {"code": "NEW", "name": "New", "unit": "JPY", "exponent": "0", "time_zone": "Asia/Tokyo"}


def of_book(name: str, book: Book) -> str:
    return reverse(f"admin:ledger_app_book_{name}", args=[book.pk])


def file(text: str) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("given.csv", text.encode())}


def test_finance_opens_a_book_its_months_accounts_and_template(world: World, client_of: ClientOf) -> None:
    client = client_of(world.finance)
    assert reverse("admin:ledger_app_book_open") in client.get(reverse("admin:ledger_app_book_changelist")).content.decode()
    assert client.get(reverse("admin:ledger_app_book_open")).status_code == 200
    for told in ("is open.", "was there as it is said here. Nothing was written."):
        answered = client.post(reverse("admin:ledger_app_book_open"), BOOK, follow=True)
        assert [str(message).endswith(told) for message in answered.context["messages"]] == [True], told
    book = Book.objects.get(code="NEW")
    assert book.history.get().history_user == world.finance
    assert client.post(of_book("periods", book), {"first": "2027-01", "months": "2"}).status_code == 302
    assert list(Period.objects.filter(book=book).order_by("id").values_list("name", flat=True)) == ["2027-01", "2027-02"]
    assert client.post(of_book("accounts", book), file("code,role,category\na,a,asset\n")).status_code == 302
    assert Account.objects.filter(book=book, code="a").exists()
    template = {"role": "points", "category": "liability", "floor": "0", "reason": "Members have points."}
    assert client.post(of_book("template", book), template).status_code == 302
    assert not AccountTemplate.objects.exists()
    row = SettingChange.objects.get()
    assert client.post(step_of(row, "approve"), {"version": row.version}).status_code == 409
    assert client_of(world.superuser).post(step_of(row, "approve"), {"version": row.version}).status_code == 302
    assert AccountTemplate.objects.get(book=book).floor == 0
    shown = client.get(page_of(book)).content.decode()
    assert "2027-02" in shown
    assert of_book("periods", book) in shown


def test_what_is_wrong_with_a_file_is_shown_by_its_place(world: World, client_of: ClientOf) -> None:
    answer = client_of(world.finance).post(of_book("accounts", world.card), file("code,role,category\na,a,nothing\n"))
    assert answer.status_code == 422
    assert "nothing" in answer.content.decode()
    assert not Account.objects.filter(code="a").exists()
    answer = client_of(world.support).post(reverse("admin:ledger_app_holder_register"), file("member_number\nx y\n"))
    assert answer.status_code == 422
    assert "<td>2</td>" in answer.content.decode()


def test_support_registers_members(world: World, client_of: ClientOf) -> None:
    client = client_of(world.support)
    assert client.get(reverse("admin:ledger_app_holder_register")).status_code == 200
    assert client.post(reverse("admin:ledger_app_holder_register"), file("member_number,name\n9001,Aoki\n")).status_code == 302
    assert Identifier.objects.get(value="9001").holder.name == "Aoki"


def test_a_refusal_of_the_operation_stands_on_the_page(world: World, client_of: ClientOf) -> None:
    answer = client_of(world.finance).post(reverse("admin:ledger_app_book_open"), {**BOOK, "code": "CARD"})
    assert answer.status_code == 409
    assert "CARD" in answer.content.decode()


@pytest.mark.parametrize("role", ["support", "auditor"])
def test_others_open_nothing(world: World, client_of: ClientOf, somebody: RoleOf, role: str) -> None:
    client = client_of(somebody(role))
    assert client.post(reverse("admin:ledger_app_book_open"), BOOK).status_code == 403
    assert client.post(of_book("periods", world.card), {"first": "2027-01", "months": "2"}).status_code == 403
    assert reverse("admin:ledger_app_book_open") not in client.get(reverse("admin:ledger_app_book_changelist")).content.decode()
    if role == "auditor":
        assert client.post(reverse("admin:ledger_app_holder_register"), file("member_number\n9\n")).status_code == 403
