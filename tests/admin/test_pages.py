"""Every page opens for every role, and none asks more of the database for more rows."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.doors.admin.model_admin import HistoryShown, ReadOnlyAdmin
from ingestion_app.models import Batch, Chunk, Finding, Receipt, Record
from ledger_app.models import (
    AuditRow,
    Entry,
    Event,
    ExpiryRun,
    Hold,
    Holder,
    Lot,
    LotRule,
    Seal,
    SettingChange,
    Submission,
    User,
    Verification,
)
from tests.admin.conftest import ROLES, ClientOf, RoleOf, page_of
from tests.support import kept
from tests.support import world as worlds
from tests.support.every_page import (
    FULL,
    INSTANT,
    LOOKED_AT,
    list_of,
    one_more_seal,
    pages,
    points_that_expire,
    sent_by_a_program,
    set_by_two,
    verified,
    with_february,
    without_tags,
)
from tests.support.world import World

full = kept.fixture(FULL)


def test_every_list_of_the_books_is_looked_at() -> None:
    registered = {model for model, each in admin.site._registry.items() if isinstance(each, ReadOnlyAdmin)}
    assert registered == set(LOOKED_AT)


# Who may see what is the same before every database; that each page can be made is asked before both.
@pytest.mark.parametrize("role", [*(pytest.param(role, marks=pytest.mark.anywhere) for role in ROLES), "superuser"])
def test_everyone_who_works_here_sees_every_list_and_every_page(
    full: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    client = client_of(somebody(role))
    seen = 0
    for model in LOOKED_AT:
        assert model._default_manager.exists(), model
        for address in pages(model):
            response = client.get(address)
            assert response.status_code == 200, (address, response.status_code)
            seen += 1
    assert seen > len(LOOKED_AT) * 2
    for address in ("admin:index", "admin:search", "admin:password_change"):
        assert client.get(reverse(address)).status_code == 200
    # Who has which right is looked at by those who audit, and by who gives rights.
    assert (role in {"superuser", "auditor"}) == (client.get(list_of(User)).status_code == 200)


@pytest.mark.anywhere
def test_every_page_opens_in_japanese(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    for address in [reverse("admin:index"), *(address for model in everything for address in pages(model))]:
        response = client.get(address, headers={"accept-language": "ja"})
        assert response.status_code == 200, address
        assert '<html lang="ja">' in response.content.decode()


@pytest.mark.anywhere
@pytest.mark.parametrize("role", ["stranger", "outsider"])
def test_who_does_not_work_here_sees_nothing(full: World, outsider: User, role: str) -> None:
    client = Client()
    if role == "outsider":
        client.force_login(outsider)
    for model in LOOKED_AT:
        for address in pages(model):
            response = client.get(address)
            assert response.status_code == 302, address
            assert reverse("admin:login") in response["Location"]


def queries_of(client: Client, address: str) -> list[str]:
    client.get(
        reverse("admin:jsi18n")
    )  # twice a minute it is written down that somebody is here: now, and not while it is counted
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
        assert response.status_code == 200, address
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.anywhere
def test_no_list_and_no_page_asks_more_of_the_database_for_more_rows(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    with_february(full, 41)  # of each kind of work there is some before and after
    addresses = {model: [list_of(model), page_of(model._default_manager.order_by("pk").first())] for model in LOOKED_AT}
    others = [reverse("admin:index"), reverse("admin:search") + "?q=2017-01-31", f"{list_of(Finding)}?batch__id__exact=1"]
    every = [address for pair in addresses.values() for address in pair] + others
    for address in every:
        client.get(address)  # what is read once a process is read now
    before = {address: queries_of(client, address) for address in every}
    counts = {model: model._default_manager.count() for model in LOOKED_AT}
    full.register(*(str(number) for number in range(2001, 2007)))
    for first in (11, 21, 31, 51):
        with_february(full, first)
        set_by_two(full, first)
        sent_by_a_program(full, first)
    points_that_expire("PRESENTS")
    verified(full)
    one_more_seal(full, 1)
    grown = {model for model in LOOKED_AT if model._default_manager.count() >= 2 * counts[model]}
    assert grown >= {
        AuditRow,
        Entry,
        Event,
        ExpiryRun,
        Hold,
        Holder,
        Lot,
        LotRule,
        Seal,
        SettingChange,
        Submission,
        Verification,
        Batch,
        Chunk,
        Receipt,
        Record,
    }
    for address in every:
        after = queries_of(client, address)
        assert len(after) <= len(before[address]), (address, after[len(before[address]) :])


def test_a_page_names_a_member_by_number_and_shows_the_balances_and_the_lines_that_explain_them(
    full: World, client_of: ClientOf
) -> None:
    client = client_of(full.support)
    found = client.get(reverse("admin:search"), {"q": "1004"})
    holder = Holder.objects.get(identifiers__value="1004")
    assert found.status_code == 302
    assert found["Location"] == page_of(holder)
    text = client.get(found["Location"]).content.decode()
    assert "Member 1004" in text
    assert "receivable.1004" in text
    entry = Entry.objects.filter(book=full.card, lines__account__code="receivable.1004").order_by("-pk").first()
    assert entry is not None
    assert page_of(entry) in text
    assert entry.reference in client.get(page_of(entry)).content.decode()


def test_an_entry_leads_back_to_its_line_and_the_line_to_the_bytes_that_came_in(full: World, client_of: ClientOf) -> None:
    client = client_of(full.support)
    entry = Entry.objects.get(book=full.card, reference="till:n1-3")
    record = Record.objects.get(batch__sequence=1, key="n1-3")
    assert page_of(record) in client.get(page_of(entry)).content.decode()
    text = client.get(page_of(record)).content.decode()
    assert "D,1004,32,n1-3,300,2017-01-09T12:00:00Z" in text
    assert page_of(entry) in text


def test_a_line_whose_stored_bytes_are_gone_says_so(full: World, client_of: ClientOf) -> None:
    for path in full.directory.rglob("*"):
        if path.is_file():
            path.unlink()
    response = client_of(full.support).get(page_of(Record.objects.earliest("id")))
    assert response.status_code == 200
    assert "cannot be read" in response.content.decode()


def test_bytes_of_a_file_cannot_become_markup(world: World, client_of: ClientOf) -> None:
    content = worlds.card_file([worlds.Purchase(slip="<script>x"), b"D,<b>1\n"])
    batch = world.validate(world.receive(content))
    client = client_of(world.engineer)
    addresses = [page_of(batch), *(page_of(each) for each in Finding.objects.filter(batch=batch))]
    texts = [client.get(address).content.decode() for address in addresses]
    for text in texts:
        assert "<script>x" not in text
        assert "<b>1" not in text
    assert any("&lt;b&gt;1" in text for text in texts)


def test_findings_of_a_batch_stay_its_own_through_every_other_filter_and_lead_back(full: World, client_of: ClientOf) -> None:
    batch = Batch.objects.filter(state="frozen").earliest("id")
    client = client_of(full.finance)
    response = client.get(list_of(Finding), {"batch__id__exact": str(batch.pk)})
    shown: Any = response.context["cl"]
    assert {row.batch_id for row in shown.result_list} == {batch.pk}
    text = response.content.decode()
    assert page_of(batch) in text
    links = [
        choice["query_string"]
        for spec in shown.filter_specs
        for choice in spec.choices(shown)
        if spec.parameter_name != "batch__id__exact"
    ]
    assert links
    assert all(f"batch__id__exact={batch.pk}" in link for link in links)
    narrowed = client.get(list_of(Finding), {"batch__id__exact": str(batch.pk), "severity": "error"})
    assert narrowed.context["cl"].result_count == 0


@pytest.mark.parametrize("number", ["0", "99999", "x", "１", "1' OR 1=1", "9" * 40])
def test_the_list_of_a_batch_that_is_not_there_is_empty_and_that_of_no_number_is_refused(
    full: World, client_of: ClientOf, number: str
) -> None:
    for model in (Finding, Record, Chunk):
        response = client_of(full.finance).get(list_of(model), {"batch__id__exact": number})
        if number not in {"0", "99999"}:
            assert response.status_code == 400
            continue
        assert response.status_code == 200
        assert response.context["cl"].result_count == 0


def test_only_what_keeps_a_history_has_a_button_for_it(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    for model in LOOKED_AT:
        text = client.get(page_of(model._default_manager.earliest("pk"))).content.decode()
        keeps = isinstance(admin.site._registry[model], HistoryShown)
        assert ('class="historylink"' in text) == keeps, model
        assert keeps == hasattr(model, "history")


def test_histories_show_what_changed_in_words(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    batch = Batch.objects.filter(state="frozen").earliest("id")
    text = client.get(reverse("admin:ingestion_app_batch_history", args=[batch.pk])).content.decode()
    assert "Applied → Frozen" in text
    assert "None" not in text
    assert "Deleted user" not in text
    for line in batch.history.all():
        past = client.get(reverse("admin:ingestion_app_batch_simple_history", args=[batch.pk, line.pk]))
        assert past.status_code == 200
        assert "<form" not in past.content.decode().split("<main")[1]
    for strange in ("0", "999999", "x"):
        address = reverse("admin:ingestion_app_batch_simple_history", args=[batch.pk, "1"])[:-2] + f"{strange}/"
        assert client.get(address).status_code == 404


@pytest.mark.anywhere
def test_dates_are_written_one_way_on_every_page(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    months_in_words = ("Jan. ", "Feb. ", "March ", "Nov. ", "noon", "midnight", " a.m.", " p.m.")
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    for model in everything:
        for address in pages(model):
            text = client.get(address).content.decode()
            assert not [word for word in months_in_words if word in text], address


def test_what_was_done_is_told_in_the_past_tense(full: World, client_of: ClientOf) -> None:
    batch = Batch.objects.filter(state="frozen").earliest("id")
    text = client_of(full.support).get(page_of(batch)).content.decode()
    for told in ("received the file", "validated it", "approved the plan", "froze the batch"):
        assert told in text
    audit = client_of(full.support).get(list_of(AuditRow)).content.decode()
    assert "froze the period under a seal" in audit
    assert "approved the plan" in audit


# An instant is a date and a time, or a time by itself; what follows is its distance from UTC.
def test_an_instant_without_its_zone_is_seen() -> None:
    assert INSTANT.findall(
        "at 2017-01-31 09:00:00 and 09:00, not 2017-01-31 09:00:00+09:00, 09:00+09:00 or 2017-01-31T09:00:00Z"
    ) == [
        "2017-01-31 09:00:00",
        "09:00",
    ]


@pytest.mark.anywhere
def test_every_instant_on_every_page_bears_its_zone(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    found = {}
    for model in everything:
        for address in (list_of(model), *pages(model)):
            text = without_tags(client.get(address).content.decode())
            if without := INSTANT.findall(text):
                found[address] = without
    assert found == {}
