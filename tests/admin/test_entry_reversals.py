"""The reversal of one entry in the admin, the explanation of an account, and its statement."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from ingestion_app.models import Chunk
from ledger_app.admin.reversals import ReversalAdmin
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Account, Balance, Entry, Reversal
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as asked
from ledger_app.reversals.rules import REVERSAL
from tests.admin.conftest import ClientOf, RoleOf, page_of, step_of
from tests.support.world import NAME, World


@pytest.fixture
def entry(world: World) -> Entry:
    """A purchase that a file brought."""
    world.applied()
    return Entry.objects.get(reference="till:s1", book=world.card)


def proposing(entry: Entry) -> str:
    return reverse("admin:ledger_app_entry_reverse", args=[entry.pk])


def of_account(code: str, page: str, **query: str) -> str:
    account = Account.objects.get(code=code)
    address = reverse(f"admin:ledger_app_account_{page}", args=[account.pk])
    return address + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


def token(response: Any) -> dict[str, str]:
    return dict(response.context["token"])


def test_a_reversal_is_proposed_on_the_entry_and_decided_by_another(
    world: World, entry: Entry, client_of: ClientOf, somebody: RoleOf
) -> None:
    support, finance = client_of(somebody("support")), client_of(somebody("finance"))
    page = support.get(page_of(entry))
    assert f'href="{proposing(entry)}"' in page.content.decode()
    asked_for = support.get(proposing(entry))
    effects = {str(label): str(value) for label, value in asked_for.context["effects"]}
    assert effects["Date of the reversal"] == "2017-01-05"
    assert effects["receivable.1001"] == '2.49 → <span class="amount">0.99 <abbr>USD</abbr></span>'
    refused = support.post(proposing(entry), {**token(asked_for), "reason": " ", "ticket": "T-1"})
    assert (refused.status_code, "needs a reason" in refused.content.decode()) == (409, True)
    done = support.post(proposing(entry), {**token(asked_for), "reason": "Twice.", "ticket": "T-1"}, follow=True)
    row = Reversal.objects.get()
    assert done.redirect_chain[-1][0] == page_of(row)
    assert "proposed this reversal" in done.content.decode()
    assert "Reversals to decide" in finance.get(reverse("admin:index")).content.decode()
    own = support.get(step_of(row, "approve"))
    assert {reason["code"] for reason in own.context["reasons"]} == {"not_permitted", "own_reversal"}
    confirmation = finance.get(step_of(row, "approve"))
    posted = finance.post(step_of(row, "approve"), token(confirmation), follow=True)
    row.refresh_from_db()
    assert (row.state, row.reversal is not None) == ("posted", True)
    assert row.reversal is not None
    assert page_of(row.reversal) in posted.content.decode()
    text = finance.get(page_of(row.reversal)).content.decode()
    assert all(said in text for said in (page_of(entry), page_of(row), "T-1", "Twice."))


def test_a_preview_that_moved_is_shown_again_and_not_decided(
    world: World, entry: Entry, client_of: ClientOf, somebody: RoleOf
) -> None:
    row = reversals.propose(entry_id=entry.pk, reason="Twice.", caller=world.caller(somebody("support")))
    finance = client_of(somebody("finance"))
    given = token(finance.get(step_of(row, "approve")))
    moved = finance.post(step_of(row, "approve"), {**given, "shown": "0" * 64})
    assert moved.status_code == 409
    assert [reason["code"] for reason in moved.context["reasons"]] == ["reversal_preview_moved"]
    assert finance.post(step_of(row, "reject"), {**given, "reason": "It is right."}).status_code == 302
    row.refresh_from_db()
    assert row.state == "rejected"


def test_an_entry_of_a_batch_that_is_being_reversed_is_not_reversed_by_itself(
    world: World, entry: Entry, client_of: ClientOf, somebody: RoleOf
) -> None:
    batch = Chunk.objects.get(pk=entry.posting.origin_id).batch
    world.reverse(batch)
    assert [reason.code for reason in asked.preview(entry).refusals] == ["entry_of_reversed_batch"]
    offers = client_of(somebody("support")).get(page_of(entry)).context["offers"]
    assert [reason["code"] for reason in offers[0]["blockers"]] == ["entry_of_reversed_batch"]


def test_an_engineer_sees_why_there_is_no_button(entry: Entry, client_of: ClientOf, somebody: RoleOf) -> None:
    client = client_of(somebody("engineer"))
    offers = client.get(page_of(entry)).context["offers"]
    assert [reason["code"] for reason in offers[0]["blockers"]] == ["not_permitted"]
    assert client.post(proposing(entry), {"reason": "x"}).status_code == 403


def test_what_was_decided_on_stays_on_the_page(world: World, entry: Entry, client_of: ClientOf, somebody: RoleOf) -> None:
    proposer = Caller(somebody("support"), datetime.now(UTC), "command")
    row = reversals.propose(entry_id=entry.pk, reason="Twice.", caller=proposer)
    client = client_of(world.finance)
    before = client.get(page_of(row)).context["balances"]
    decider = Caller(world.finance, datetime.now(UTC), "command")
    reversals.approve(reversal_id=row.pk, digest_shown=asked.preview(entry).digest, caller=decider)
    page = client.get(page_of(row))
    striped = {each["account"] for each in page.context["balances"] if each["before"] is None}
    assert len(before) == len(page.context["balances"]) >= 2
    assert [each for each in before if each["account"] not in striped] == [
        each for each in page.context["balances"] if each["account"] not in striped
    ]
    assert "What was decided on" in page.content.decode()


def test_an_account_is_explained_down_to_the_bytes(world: World, entry: Entry, client_of: ClientOf) -> None:
    client = client_of(world.support)
    assert (
        of_account("receivable.1001", "explain")
        in client.get(page_of(Account.objects.get(code="receivable.1001"))).content.decode()
    )
    page = client.get(of_account("receivable.1001", "explain"))
    assert [(str(row.label), row.amount, row.kind) for row in page.context["sums"]] == [
        ("Sealed balance", 0, ""),
        ("Entries since", 249, ""),
        ("Balance as asked", 249, "sum"),
        ("Stored balance", 249, "ok"),
    ]
    text = page.content.decode()
    assert f"line 2 of {NAME}" in text
    assert "D,1001,31,s1,150" in text
    first = client.get(of_account("receivable.1001", "explain", at="2017-01-05", known_at="2000-01-01T00:00:00"))
    assert [row.amount for row in first.context["sums"]][-2:] == [249, 249]
    assert first.context["rows"] == []


def test_a_stored_figure_that_differs_is_said_on_the_page(entry: Entry, world: World, client_of: ClientOf) -> None:
    Balance.objects.filter(account__code="receivable.1001").update(amount=250)
    text = client_of(world.support).get(of_account("receivable.1001", "explain")).content.decode()
    assert "What is stored does not recompute" in text
    assert "balances_differ" in text


@pytest.mark.parametrize("query", [{"at": "2017-13-01"}, {"known_at": "yesterday"}])
def test_what_is_no_day_and_no_instant_is_said_beside_the_field(
    entry: Entry, world: World, client_of: ClientOf, query: dict[str, str]
) -> None:
    page = client_of(world.support).get(of_account("receivable.1001", "explain", **query))
    assert page.context["form"].errors
    assert "sums" not in page.context


def statement(client: Client, **query: str) -> Any:
    return client.get(of_account("settlement.31", "statement", **query))


def test_a_statement_is_paged_and_given_as_a_file(
    world: World, entry: Entry, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger_app.admin import explanations

    monkeypatch.setattr(explanations, "LINES_A_PAGE", 2)
    client = client_of(world.support)
    page = statement(client)
    rows, opening, closing = list(page.context["rows"]), page.context["opening"], page.context["closing"]
    while page.context["newer"]:
        page = client.get(page.wsgi_request.path + page.context["newer"])
        rows += page.context["rows"]
    assert (opening, closing, rows[-1]["balance"], len(rows)) == (0, 12845, 12845, page.context["count"])
    file = statement(client, first_on="2017-01-01", last_on="2017-01-31", format="xlsx")
    assert b"".join(file).startswith(b"PK")
    assert file["Content-Disposition"] == 'attachment; filename="CARD-settlement.31.xlsx"'
    assert b"".join(statement(client, format="csv")).startswith(b"kind,date,reference")
    wrong = statement(client, first_on="2017-02-01", last_on="2017-01-31")
    assert [reason["code"] for reason in wrong.context["reasons"]] == ["span_invalid"]


def test_an_account_of_any_length_is_explained_and_stated_but_not_added_up(
    world: World, entry: Entry, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger_app.admin import explanations

    monkeypatch.setattr(explanations, "LINES_RECOMPUTED_MOST", 1)
    for page in ("explain", "statement"):
        shown = client_of(world.support).get(of_account("receivable.1001", page))
        assert shown.status_code == 200
        assert "reasons" not in shown.context
        assert len(shown.context["rows"]) == 2
        if page == "explain":
            assert [row.kind for row in shown.context["sums"]] == ["", "", "sum", ""]


def test_a_stranger_is_shown_neither(entry: Entry, client_of: ClientOf, outsider: Any) -> None:
    outsider.is_staff = True
    outsider.save()
    for page in ("explain", "statement"):
        assert client_of(outsider).get(of_account("receivable.1001", page)).status_code == 403
    assert client_of(outsider).get(proposing(entry)).status_code == 403
    assert date(2017, 1, 5) == entry.effective_on


def test_a_decision_on_a_reversal_is_bound_to_what_the_page_shows(
    world: World, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reversals.propose(entry_id=entry.pk, reason="Twice.", caller=world.caller(world.support))
    previews: list[asked.Preview] = []
    preview_on = asked.preview_on

    def counted(*given: Any) -> asked.Preview:
        previews.append(preview_on(*given))
        return previews[-1]

    monkeypatch.setattr(asked, "preview_on", counted)
    admin, approve = ReversalAdmin(Reversal, site), REVERSAL.transition("approve")
    admin.effects(approve, row)
    token = dict(admin.token(approve, row))
    assert [preview.digest for preview in previews] == [token["shown"]]


def test_reversals_are_found_by_the_reference_of_their_entry(
    world: World, entry: Entry, client_of: ClientOf, somebody: RoleOf
) -> None:
    reversals.propose(entry_id=entry.pk, reason="Twice.", ticket="T-5", caller=world.caller(world.support))
    client, listed = client_of(somebody("finance")), reverse("admin:ledger_app_reversal_changelist")
    found = [client.get(listed, {"q": term}).context["cl"].result_count for term in (entry.reference, "T-5", "till:")]
    assert found == [1, 1, 0]
