"""Members and merges on their pages."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from ledger_app.members.operations import merges as operations
from ledger_app.members.queries import merges
from ledger_app.models import Account, AuditRow, Holder, Identifier, Merge
from tests.admin.conftest import ClientOf, page_of, step_of
from tests.support.world import World

CARD = "4111111111111111"
FEBRUARY = date(2017, 2, 3)


@pytest.fixture
def support_client(world: World, client_of: ClientOf) -> Client:
    return client_of(world.support)


@pytest.fixture
def member(world: World) -> Holder:
    return Identifier.objects.get(value="1001").holder


def asks(name: str, member: Holder) -> str:
    return reverse(f"admin:ledger_app_holder_{name}", args=[member.pk])


def test_a_card_is_given_and_found_from_the_top_of_the_page_and_never_by_an_address(
    support_client: Client, member: Holder
) -> None:
    given = {"kind": "card_number", "value": CARD, "reason": "New card."}
    assert support_client.post(asks("identify", member), given).status_code == 302
    assert "•••• 1111" in support_client.get(page_of(member)).content.decode()
    assert support_client.post(reverse("admin:search"), {"q": "4111 1111 1111 1111"})["Location"] == page_of(member)
    assert support_client.post(reverse("admin:search"), {"q": "*1111"})["Location"] == page_of(member)
    by_address = support_client.get(reverse("admin:ledger_app_holder_changelist"), {"q": CARD}).content.decode()
    assert "do not belong in an address" in by_address or "does not belong in an address" in by_address
    refused = support_client.post(asks("identify", member), {**given, "kind": "card_token"})
    assert refused.status_code == 409
    assert CARD not in refused.content.decode()


def test_an_identifier_is_ended_on_its_page(support_client: Client, member: Holder) -> None:
    identifier = member.identifiers.get()
    address = reverse("admin:ledger_app_holder_end_identifier", args=[member.pk, identifier.pk])
    assert support_client.get(address).status_code == 200
    assert support_client.post(address, {"active_to": "2017-02-28", "reason": "Left."}).status_code == 302
    identifier.refresh_from_db()
    assert str(identifier.active_to) == "2017-02-28"
    assert "ends on" in support_client.get(page_of(member)).content.decode()
    support_client.post(address, {"active_to": "2017-02-28", "reason": "Stolen."})
    told = support_client.get(page_of(member)).content.decode()
    assert "as its last day already. Nothing was written" in told
    assert AuditRow.objects.filter(action="end_identifier").count() == 1


def test_a_merge_is_proposed_shown_and_decided_by_another(
    world: World, support_client: Client, client_of: ClientOf, member: Holder
) -> None:
    world.applied()
    given = {"survivor": "1002", "effective_on": "2017-02-03", "reason": "One person.", "step": "preview"}
    itself = support_client.post(asks("merge", member), {**given, "survivor": "1001"})
    assert [reason["code"] for reason in itself.context["refusals"]] == ["merge_into_itself"]
    assert 'value="send"' not in itself.content.decode()
    assert support_client.post(asks("merge", member), {**given, "survivor": "1001", "step": "send"}).status_code == 409
    assert support_client.post(asks("merge", member), {**given, "survivor": "nobody"}).status_code == 409
    by_card = support_client.post(asks("merge", member), {**given, "survivor": CARD})
    assert "another identifier than a card number" in by_card.content.decode()
    assert CARD not in by_card.content.decode()
    previewed = support_client.post(asks("merge", member), given)
    given["shown"] = previewed.context["shown"]
    preview = previewed.content.decode()
    assert "receivable.1001" in preview
    assert 'value="send"' in preview
    changed = support_client.post(asks("merge", member), {**given, "step": "change"}).content.decode()
    assert 'value="2017-02-03"' in changed
    assert not Merge.objects.exists()
    moved = support_client.post(asks("merge", member), {**given, "survivor": "1003", "step": "send"})
    assert (moved.status_code, [reason["code"] for reason in moved.context["reasons"]]) == (409, ["merge_moved"])
    sent = support_client.post(asks("merge", member), {**given, "step": "send"})
    merge = Merge.objects.get()
    assert sent["Location"] == page_of(merge)
    shown = support_client.get(page_of(merge)).content.decode()
    assert "receivable.1001" in shown
    finance = client_of(world.finance)
    asked = finance.get(step_of(merge, "approve"))
    assert "receivable.1001" in asked.content.decode()
    token = dict(asked.context["token"])
    stale = finance.post(step_of(merge, "approve"), {**token, "plan": "0" * 64})
    assert (stale.status_code, Merge.objects.get().state) == (409, "proposed")
    assert finance.post(step_of(merge, "approve"), token).status_code == 302
    member.refresh_from_db()
    assert member.merged_into == Identifier.objects.get(value="1002").holder
    page = finance.get(page_of(member)).content.decode()
    assert "This member was merged" in page
    # The member who remains has both numbers, and is still called by the one that was always theirs; who was merged, by the one that was.
    assert "Member 1001</h1>" in page
    assert "Member 1002</h1>" in finance.get(page_of(member.merged_into)).content.decode()
    assert finance.get(reverse("admin:ledger_app_merge_changelist")).status_code == 200


def test_a_merge_is_undone_by_a_further_one_that_says_what_is_given_back(
    world: World, support_client: Client, client_of: ClientOf, member: Holder
) -> None:
    world.applied()
    wanted = merges.proposal(
        holder_id=member.pk, survivor_id=Identifier.objects.get(value="1002").holder_id, reason="One.", effective_on=FEBRUARY
    )
    merge = operations.propose(wanted, caller=world.caller(world.support))
    undo = reverse("admin:ledger_app_merge_undo", args=[merge.pk])
    assert shut(support_client, undo) == ["merge_not_done"]
    assert shut(support_client, asks("merge", member)) == ["merge_open"]
    assert undo not in support_client.get(page_of(merge)).content.decode()
    finance = client_of(world.finance)
    finance.post(step_of(merge, "approve"), dict(finance.get(step_of(merge, "approve")).context["token"]))
    assert undo in support_client.get(page_of(merge)).content.decode()
    assert shut(support_client, asks("merge", member)) == ["member_merged"]
    assert finance.get(undo).status_code == 403
    asked = support_client.get(undo).context["form"]
    assert {field.label: field.initial for name, field in asked.fields.items() if name.startswith("amount")} == {
        "CARD · receivable": "2.49",
        "POINTS · points": "1",
    }
    given = {"amount_0": "1.49", "amount_1": "", "effective_on": "2017-02-03", "reason": "Two people."}
    for amount in ("-1", "0"):
        page = support_client.post(undo, {**given, "amount_1": amount, "step": "preview"}).content.decode()
        assert "Give an amount above zero, or leave it empty." in page
    beyond = support_client.post(undo, {**given, "amount_1": "9" * 16, "step": "preview"})
    assert "merge_amount_invalid" in [reason["code"] for reason in beyond.context["refusals"]]
    preview = support_client.post(undo, given)
    assert "1.49" in preview.content.decode()
    assert "1.49" in support_client.post(undo, {**given, "step": "change"}).content.decode()
    given["shown"] = preview.context["shown"]
    assert support_client.post(undo, {**given, "step": "send"}).status_code == 302
    undoing = Merge.objects.get(undoes=merge)
    assert undoing.amounts == [["CARD", "receivable", 149]]
    page = support_client.get(page_of(merge)).content.decode()
    assert page_of(undoing) in page
    assert undo not in page
    assert shut(support_client, undo) == ["merge_open"]


def shut(client: Client, address: str) -> list[str]:
    """Return why a page takes no proposal; it has no form then, and takes none that was typed before."""
    asked, sent = client.get(address), client.post(address, {"step": "preview", "reason": "Typed before."})
    for answer in (asked, sent):
        assert 'name="step"' not in answer.content.decode()
    assert (asked.status_code, sent.status_code) == (200, 409)
    return [reason["code"] for reason in sent.context["reasons"]]


def test_what_somebody_may_not_do_with_a_member_is_held_back_with_whose_right_it_is(
    world: World, client_of: ClientOf, member: Holder
) -> None:
    page = client_of(world.finance).get(page_of(member)).content.decode()
    assert "has not the right “Propose a merge”. Support may do this." in page
    assert asks("identify", member) not in page
    assert asks("identify", member) in client_of(world.support).get(page_of(member)).content.decode()


def test_an_account_is_suspended_from_its_page(support_client: Client) -> None:
    account = Account.objects.get(code="receivable.1001")
    shown = support_client.get(page_of(account)).content.decode()
    assert step_of(account, "suspend") in shown
    assert support_client.post(step_of(account, "suspend"), {"version": 1, "reason": "Asked."}).status_code == 302
    assert Account.objects.get(pk=account.pk).state == "suspended"
