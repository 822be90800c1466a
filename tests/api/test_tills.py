"""A till does what a till does: holds, its own, and the accounts that it names. Everything else that is read or asked for is refused it, at the API and on the pages."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from ingestion_app.api import urls as files
from ledger_app.api import urls as ledger
from ledger_app.base.operations.audit import Caller
from ledger_app.models import User
from ledger_app.people.operations import people
from tests.api.conftest import ClientOf, is_problem
from tests.api.test_points import body, points
from tests.conftest import UserMaker

__all__ = ["points"]
API = "/api/v1/"
PARAMETER = re.compile(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)")
# What a till may read, beside what says how the API is called: of accounts those that it names, of holds its own.
READ = {"account-list", "account-detail", "account-due", "hold-list", "hold-detail"}


@pytest.fixture(name="tills")
def _tills(points, make_user: UserMaker, client_of: ClientOf) -> list[APIClient]:
    """Two tills, of which the first has placed a hold on M1."""
    made = [client_of(make_user(f"till-{number}", "till")) for number in (1, 2)]
    assert made[0].post(f"{API}holds/", body(), format="json").status_code == 201
    return made


def test_a_till_sees_its_own_holds_and_accounts_that_it_names(points, tills: list[APIClient]) -> None:
    first, second = tills
    (hold,) = first.get(f"{API}holds/").json()["results"]
    assert first.get(f"{API}holds/{hold['id']}/").status_code == 200
    assert second.get(f"{API}holds/").json()["results"] == []
    assert is_problem(second.get(f"{API}holds/{hold['id']}/"), 404, "not_found")
    settling = second.post(f"{API}holds/{hold['id']}/transitions/settle/", {"amount": 1}, format="json")
    assert is_problem(settling, 409, "hold_of_other")
    (row,) = second.get(f"{API}accounts/?book=POINTS&code=M1").json()["results"]
    assert (row["code"], row["holder"], row["standing"]["held"]) == ("M1", None, 300)
    for asked in ("", "?book=POINTS", "?code=M1", "?book=POINTS&role=points", "?book=POINTS&code=M1&member=1", "?member=1"):
        assert is_problem(second.get(f"{API}accounts/{asked}"), 400, "account_not_named")
    assert first.get(f"{API}accounts/{row['id']}/").json()["holder"] is None
    assert is_problem(second.get(f"{API}accounts/{row['id']}/"), 404, "not_found")
    assert is_problem(first.get(f"{API}accounts/{row['id']}/lines/"), 403, "not_permitted")


def sample(parameter: re.Match[str]) -> str:
    """Return what an address has in the place of a parameter."""
    return "validate" if "validate" in parameter[0] else "1"


def test_nothing_else_is_read_by_a_till(tills: list[APIClient]) -> None:
    routes: list[Any] = [*ledger.urlpatterns, *files.urlpatterns]
    addresses = {each.name: PARAMETER.sub(sample, str(each.pattern).strip("^$")) for each in routes}
    assert len(addresses) > 60
    # What is only sent is refused by the operations, of which each has a test of who may.
    answers = {name: tills[0].get(f"{API}{address}").status_code for name, address in addresses.items()}
    assert {name for name, status in answers.items() if status not in {403, 405}} == READ


@pytest.mark.django_db
def test_a_till_signs_in_to_no_page(make_user: UserMaker) -> None:
    root = make_user("root-1", None, is_superuser=True)
    for group in ("till", "machine"):
        caller = Caller(root, datetime.now(UTC), "admin")
        made = people.keep_user(username=f"{group}-7", groups=[group], caller=caller).user
        assert not made.is_staff
        # Nor one of whom the row says so from before.
        User.objects.filter(pk=made.pk).update(is_staff=True)
        client = Client()
        client.force_login(made)
        answer = client.get(reverse("admin:index"))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, reverse("admin:login"))
