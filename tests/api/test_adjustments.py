"""Adjustments in the API: the same proposals and decisions, bound to what was shown."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ledger_app.models import Adjustment
from tests.api.conftest import is_problem
from tests.support import adjusting, kept

ADDRESS = "/api/v1/adjustments/"


@kept.fixture
def desk(_folder):
    return adjusting.build()


def body(**changes):
    said = {
        "key": "k-api",
        "book": "CARD",
        "account": "wallet",
        "amount": 200,
        "effective_on": "2017-02-01",
        "reason": "goodwill",
        "text": "The till was down.",
    }
    return {**said, **changes}


def test_a_proposal_is_previewed_sent_once_and_decided_by_another(desk, client_of):
    support, finance = client_of(desk.proposer.user), client_of(desk.decider.user)
    uploaded = support.post(f"{ADDRESS}attachments/", {"file": SimpleUploadedFile("slip.csv", b"a,b\n")}, format="multipart")
    assert uploaded.status_code == 201
    said = body(attachments=[uploaded.json()["token"]])
    shown = support.post(f"{ADDRESS}preview/", said).json()
    assert shown["balances"] == [{"account": "wallet", "before": 700, "after": 900}]
    first = support.post(ADDRESS, {**said, "shown": shown["digest"]})
    assert (first.status_code, support.post(ADDRESS, said).status_code) == (201, 200)
    row = first.json()
    assert [file["name"] for file in row["attachments"]] == ["slip.csv"]
    seen = finance.get(f"{ADDRESS}{row['id']}/").json()
    assert [offer["name"] for offer in seen["offers"] if offer["is_free"]] == ["approve", "reject"]
    decision = {"shown": seen["preview"]["digest"], "version": seen["version"]}
    done = finance.post(f"{ADDRESS}{row['id']}/transitions/approve/", decision)
    assert (done.status_code, done.json()["state"], done.json()["preview"]) == (200, "approved", None)
    file = done.json()["attachments"][0]["id"]
    assert b"".join(finance.get(f"{ADDRESS}{row['id']}/attachments/{file}/").streaming_content) == b"a,b\n"
    assert [each["id"] for each in finance.get(ADDRESS, {"account": "wallet"}).json()["results"]] == [row["id"]]


@pytest.mark.parametrize("amount", ["200", "12x", 1.5, 200.0, True, None])
def test_an_amount_is_a_json_integer(desk, client_of, amount):
    response = client_of(desk.proposer.user).post(ADDRESS, body(amount=amount))
    assert is_problem(response, 400, "shape_invalid")
    assert [fault["field"] for fault in response.json()["faults"]] == ["amount"]
    assert Adjustment.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 0}, "adjustment_zero"),
        ({"amount": -701}, "floor_broken"),
        ({"amount": 5001}, "over_every_limit"),
        ({"effective_on": "2018-01-01"}, "period_missing"),
    ],
)
def test_what_the_ledger_would_refuse_is_a_conflict(desk, client_of, changes, code):
    assert is_problem(client_of(desk.proposer.user).post(ADDRESS, body(**changes)), 409, code)


def test_only_the_roles_that_the_rules_name_act(desk, client_of):
    assert is_problem(client_of(desk.decider.user).post(ADDRESS, body()), 403, "not_permitted")
    row = desk.propose()
    decision = {"shown": desk.shown(row)}
    for name in ("approve", "endorse"):
        assert is_problem(
            client_of(desk.proposer.user).post(f"{ADDRESS}{row.pk}/transitions/{name}/", decision), 403, "not_permitted"
        )
    assert is_problem(
        client_of(desk.proposer.user).post(f"{ADDRESS}{row.pk}/transitions/reject/", {"reason": "No."}), 403, "not_permitted"
    )
    assert client_of(desk.proposer.user).post(f"{ADDRESS}{row.pk}/transitions/withdraw/", {}).json()["state"] == "withdrawn"


def test_an_approval_without_what_was_shown_is_not_in_the_right_form(desk, client_of):
    row = desk.propose()
    assert is_problem(client_of(desk.decider.user).post(f"{ADDRESS}{row.pk}/transitions/approve/", {}), 400, "shape_invalid")
    wrong = {"shown": "0" * 64}
    assert is_problem(client_of(desk.decider.user).post(f"{ADDRESS}{row.pk}/transitions/approve/", wrong), 409, "preview_moved")


def test_a_file_that_is_not_what_it_says_is_refused(desk, client_of):
    file = {"file": SimpleUploadedFile("a.pdf", b"no pdf")}
    response = client_of(desk.proposer.user).post(f"{ADDRESS}attachments/", file, format="multipart")
    assert is_problem(response, 409, "attachment_not_what_it_says")


@pytest.mark.parametrize("group", ["auditor", "engineer", "finance"])
def test_nobody_stores_a_file_who_may_not_propose(desk, make_user, client_of, group):
    file = {"file": SimpleUploadedFile("slip.csv", b"a,b\n")}
    assert is_problem(
        client_of(make_user("reader", group)).post(f"{ADDRESS}attachments/", file, format="multipart"), 403, "not_permitted"
    )


def test_a_list_is_narrowed_by_accounts_that_are_found_first(desk, client_of):
    desk.propose()
    client = client_of(desk.decider.user)
    assert len(client.get(ADDRESS, {"account": "wallet", "book": "CARD"}).json()["results"]) == 1
    assert client.get(ADDRESS, {"account": "cash"}).json()["results"] == []
    assert is_problem(client.get(ADDRESS, {"account": "wallet", "book": "NONE"}), 404, "not_found")
