"""A list costs as many statements for many rows as for few, counts no table, and its pages hold every row once."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.doors.api.reading import ReadPermission
from config.doors.api.views import LookView
from ingestion_app.models import Batch
from ledger_app.models import Account
from tests.support import world as worlds
from tests.support.api_doors import doors
from tests.support.world import World

FEW = 8


def statements(client: APIClient, address: str) -> tuple[int, list[str]]:
    """Return how many rows an address answers with, and the statements that it took."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(f"/api/v1/{address}")
    assert response.status_code == 200, response.json()
    return len(response.json()["results"]), [query["sql"] for query in captured.captured_queries]


def fill(world: World, part: int) -> Batch:
    """Bring in a file of FEW records of members who are new, and another that is rejected with a finding for each."""
    numbers = [str(5000 + part * 100 + number) for number in range(FEW)]
    world.register(*numbers)
    records = [worlds.Purchase(number, "31", f"p{part}-{number}", "150") for number in numbers]
    sequence = 10 * part + 1
    batch = world.applied(worlds.card_file(records, sequence=sequence), name=f"till-2017-01-31-{sequence}.csv")
    bad = [record._replace(amount="x", slip=f"{record.slip}-bad") for record in records for _ in range(part)]
    content = worlds.card_file(bad, count=len(bad), total=0, sequence=sequence + 1)
    world.validate(world.receive(content, name=f"till-2017-01-31-{sequence + 1}.csv"))
    return batch


def counting(sqls: list[str]) -> list[str]:
    """Return the statements that count a list. One row's own, such as how often a number was moved, are none."""
    return [sql for sql in sqls if sql.upper().startswith("SELECT COUNT(")]


def growing(client: APIClient, few: str, many: str) -> tuple[int, int]:
    """Return the rows of the first address and the second, having compared what they cost."""
    rows_of_few, cost_of_few = statements(client, few)
    rows_of_many, cost_of_many = statements(client, many)
    assert len(cost_of_many) == len(cost_of_few), "\n".join(cost_of_many)
    assert counting(cost_of_many) == []
    return rows_of_few, rows_of_many


@pytest.mark.parametrize("address", ["accounts/?role=receivable", "entries/", "batches/"])
def test_a_list_costs_the_same_for_twice_the_rows(world: World, engineer_client: APIClient, address: str) -> None:
    fill(world, 1)
    before, cost_before = statements(engineer_client, address)
    fill(world, 2)
    after, cost_after = statements(engineer_client, address)
    assert after > before
    assert len(cost_after) == len(cost_before), "\n".join(cost_after)
    assert counting(cost_after) == []


@pytest.mark.parametrize("address", ["books", "periods"])
def test_a_short_list_costs_the_same_for_every_row(world: World, engineer_client: APIClient, address: str) -> None:
    one, all_of_them = growing(engineer_client, f"{address}/?page_size=1", f"{address}/?page_size=100")
    assert all_of_them > one


@pytest.mark.parametrize("part", ["records", "chunks", "findings"])
def test_what_a_batch_is_made_of_costs_the_same_for_every_row(world: World, engineer_client: APIClient, part: str) -> None:
    world.load(chunk_records=1)
    batch = fill(world, 2)
    if part == "findings":
        batch = Batch.objects.get(state="rejected")
    address = f"batches/{batch.pk}/{part}/"
    few, many = growing(engineer_client, f"{address}?page_size=2", f"{address}?page_size=100")
    assert (few, many >= FEW) == (2, True)


def test_the_lines_of_an_account_cost_the_same_for_every_row(world: World, engineer_client: APIClient) -> None:
    fill(world, 1)
    address = f"accounts/{Account.objects.get(code='settlement.31').pk}/lines/"
    assert growing(engineer_client, f"{address}?page_size=2", f"{address}?page_size=100") == (2, FEW)
    places = [(row["effective_on"], row["id"]) for row in engineer_client.get(f"/api/v1/{address}").json()["results"]]
    assert places == sorted(places, reverse=True)


@pytest.mark.parametrize("address", ["accounts/", "entries/", "records", "chunks", "findings", "lines"])
def test_pages_hold_every_row_once_forwards_and_backwards(world: World, engineer_client: APIClient, address: str) -> None:
    world.load(chunk_records=1)
    batch = fill(world, 2)
    rejected = Batch.objects.get(state="rejected")
    address = {
        "records": f"batches/{batch.pk}/records/",
        "chunks": f"batches/{batch.pk}/chunks/",
        "findings": f"batches/{rejected.pk}/findings/",
        "lines": f"accounts/{Account.objects.get(code='settlement.31').pk}/lines/",
    }.get(address, address)
    whole = engineer_client.get(f"/api/v1/{address}", {"page_size": 1000}).json()["results"]
    pages = [engineer_client.get(f"/api/v1/{address}", {"page_size": 3}).json()]
    while pages[-1]["next"]:
        pages.append(engineer_client.get(pages[-1]["next"]).json())
    assert [row for page in pages for row in page["results"]] == whole
    assert len(pages) > 1
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(engineer_client.get(back[-1]["previous"]).json())
    assert [row for page in reversed(back) for row in page["results"]] == whole


def test_one_row_costs_few_statements(world: World, engineer_client: APIClient) -> None:
    batch = fill(world, 1)
    for address in (
        f"batches/{batch.pk}/",
        f"periods/{world.opened[0].pk}/",
        f"entries/{world.card.entries.get(reference='till:p1-5100').pk}/",
    ):
        with CaptureQueriesContext(connection) as captured:
            assert engineer_client.get(f"/api/v1/{address}").status_code == 200
        assert len(captured) <= 20, address


def test_a_sparse_reading_brings_nothing_that_is_not_answered(world: World, engineer_client: APIClient) -> None:
    """Nor is the query of a view made a second time to ask who may read it."""
    fill(world, 1)
    account = Account.objects.get(code="points.5100")

    def cost(address: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert engineer_client.get(f"/api/v1/{address}").status_code == 200
        return [query["sql"] for query in captured.captured_queries]

    for place in (f"accounts/{account.pk}/", "accounts/"):
        whole, sparse = cost(place), cost(f"{place}?fields=balance")
        assert sum("ledger_app_identifier" in sql for sql in whole) == 1
        assert len(sparse) < len(whole)
        for table in ("ledger_app_identifier", "ledger_app_holder", "ledger_app_openlot"):
            assert not any(table in sql for sql in sparse), (place, table)


def test_who_may_read_is_asked_of_the_model_alone(monkeypatch: pytest.MonkeyPatch, engineer_client: APIClient) -> None:
    made: list[str] = []
    real = LookView.get_queryset

    def counted(view: LookView) -> Any:
        made.append(type(view).__name__)
        return real(view)

    monkeypatch.setattr(LookView, "get_queryset", counted)
    asked = [door for door in doors() if ReadPermission in door.view.permission_classes]
    assert len(asked) > 90
    assert [door.name for door in asked if getattr(door.view, "queryset", None) is None] == []
    assert engineer_client.get("/api/v1/accounts/").status_code == 200
    assert made == ["AccountView"]
