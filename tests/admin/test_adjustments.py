"""The pages of adjustments: proposed after a preview, decided on what is shown, and files that are only ever saved."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ledger_app.admin.adjustments import AdjustmentAdmin
from ledger_app.models import Adjustment, AdjustmentLimit, Attachment, AuditRow, Entry, ReasonCode, SettingChange, User
from tests.admin.conftest import page_of, step_of
from tests.support import adjusting, kept

PROPOSE = "/admin/ledger_app/adjustment/propose/"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82"


@kept.fixture
def desk(_folder):
    return adjusting.build()


def typed(desk, **changes):
    said = {
        "key": "k-typed",
        "book": "CARD",
        "account": "wallet",
        "amount": "1,000",
        "effective_on": "2017-02-01",
        "reason": "goodwill",
        "text": "The till was down.",
        "ticket": "T-7",
    }
    return {**said, **changes}


def approved(row, client):
    """Have another person put a change of a setting in force."""
    assert client.post(step_of(row, "approve"), {"version": row.version}).status_code == 302


def reasons_of(response):
    return [reason["code"] for reason in response.context["reasons"]]


def test_a_proposal_is_shown_before_it_is_sent_and_sent_as_it_was_shown(desk, client_of):
    client = client_of(desk.proposer.user)
    account = desk.ledger.accounts["wallet"]
    begun = client.get(PROPOSE, {"account": account.pk})
    assert begun.context["form"].initial["account"] == "wallet"
    file = SimpleUploadedFile("screen.png", PNG)
    shown = client.post(PROPOSE, {**typed(desk), "step": "preview", "attached": [file]})
    assert shown.status_code == 200
    assert [(line["account"], line["before"], line["after"]) for line in shown.context["lines"]] == [
        ("wallet", 700, 1700),
        ("sales", None, None),
    ]
    assert f'<a href="{page_of(account)}">wallet</a>' in shown.content.decode()
    assert Adjustment.objects.count() == 0
    again = client.post(PROPOSE, {**typed(desk), "step": "change", "kept": shown.context["tokens"]})
    assert again.context["form"].initial["amount"] == "1,000"
    sent = client.post(PROPOSE, {**typed(desk), "step": "send", "kept": shown.context["tokens"], "shown": shown.context["shown"]})
    row = Adjustment.objects.get()
    assert sent.url == page_of(row)
    assert (row.amount, row.ticket, row.proposed_by) == (1000, "T-7", desk.proposer.user)
    assert [(each.name, each.media_type, each.size) for each in row.attachments.all()] == [("screen.png", "image/png", len(PNG))]


def test_what_has_moved_since_the_preview_is_shown_anew(desk, client_of):
    client = client_of(desk.proposer.user)
    shown = client.post(PROPOSE, {**typed(desk), "step": "preview"}).context["shown"]
    desk.ledger.post(desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1)))
    moved = client.post(PROPOSE, {**typed(desk), "step": "send", "shown": shown})
    assert (moved.status_code, reasons_of(moved)) == (409, ["preview_moved"])
    assert moved.context["lines"][0]["before"] == 701
    assert client.post(PROPOSE, {**typed(desk), "step": "send", "shown": moved.context["shown"]}).status_code == 302


def test_the_preview_says_every_rule_that_would_refuse_and_offers_no_sending(desk, client_of):
    shown = client_of(desk.proposer.user).post(PROPOSE, {**typed(desk, amount="−9,000"), "step": "preview"})
    assert [reason["code"] for reason in shown.context["refusals"]] == ["floor_broken", "over_every_limit"]
    assert 'value="send"' not in shown.content.decode()


@pytest.mark.parametrize("amount", ["12x", "１２", "1.5", "1e3", "0x10", "1 000", ""])
def test_an_amount_that_is_no_whole_amount_of_the_unit_is_refused_at_its_field(desk, client_of, amount):
    response = client_of(desk.proposer.user).post(PROPOSE, {**typed(desk, amount=amount), "step": "preview"})
    assert list(response.context["form"].errors) == ["amount"]


BAD_FILES = {
    "screen.exe": (PNG, "attachment_kind_unknown"),
    "screen.pdf": (PNG, "attachment_not_what_it_says"),
    "letter.txt": (b"", "attachment_empty"),
    "big.txt": (b"a" * 101, "attachment_too_large"),
    ".hidden.txt": (b"a", "attachment_name_invalid"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_not_taken_is_refused_by_name(desk, client_of, settings, name):
    settings.KAKUTEI_ATTACHMENT_BYTES = 100
    content, code = BAD_FILES[name]
    response = client_of(desk.proposer.user).post(
        PROPOSE, {**typed(desk), "step": "preview", "attached": [SimpleUploadedFile(name, content)]}
    )
    assert (response.status_code, reasons_of(response)) == (409, [code])


def test_too_many_files_and_tokens_of_others_are_refused(desk, client_of, settings):
    settings.KAKUTEI_ATTACHMENTS = 1
    client = client_of(desk.proposer.user)
    files = [SimpleUploadedFile(name, b"a") for name in ("a.txt", "b.txt")]
    assert reasons_of(client.post(PROPOSE, {**typed(desk), "step": "preview", "attached": files})) == ["attachments_too_many"]
    one = client.post(PROPOSE, {**typed(desk), "step": "preview", "attached": [SimpleUploadedFile("a.txt", b"a")]})
    other = client_of(adjusting.person("support-2", "support").user)
    stolen = other.post(PROPOSE, {**typed(desk), "step": "send", "kept": one.context["tokens"]})
    assert reasons_of(stolen) == ["attachment_lost"]


def test_an_attachment_is_saved_and_never_shown(desk, client_of):
    client = client_of(desk.proposer.user)
    shown = client.post(PROPOSE, {**typed(desk), "step": "preview", "attached": [SimpleUploadedFile("表.txt", "残高".encode())]})
    client.post(PROPOSE, {**typed(desk), "step": "send", "kept": shown.context["tokens"], "shown": shown.context["shown"]})
    file = Attachment.objects.get()
    address = reverse("admin:ledger_app_adjustment_attachment", args=[file.adjustment_id, file.pk])
    response = client.get(address)
    assert b"".join(response.streaming_content) == "残高".encode()
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
    assert client.get(address.replace(f"/{file.adjustment_id}/", "/999/")).status_code == 404
    assert client_of(adjusting.person("outsider-1", None).user).get(address).status_code in {302, 403}


def confirmed(client, row, name):
    """Open the confirmation page and return what its form sends along."""
    return dict(client.get(step_of(row, name)).context["token"])


def test_finance_approves_what_the_page_shows(desk, client_of):
    row = desk.propose()
    client = client_of(desk.decider.user)
    page = client.get(page_of(row))
    assert [offer["name"] for offer in page.context["offers"] if not offer["blockers"]] == ["approve", "reject"]
    done = client.post(step_of(row, "approve"), {**confirmed(client, row, "approve"), "reason": ""})
    assert done.status_code == 302
    assert Entry.objects.filter(reference=f"adjustment:{row.pk}").exists()
    assert client.get(page_of(row)).context["is_open"] is False


def test_an_approval_of_what_has_moved_shows_the_new_and_asks_again(desk, client_of):
    row = desk.propose()
    client = client_of(desk.decider.user)
    shown = confirmed(client, row, "approve")
    desk.ledger.post(desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1)))
    asked = client.post(step_of(row, "approve"), {**shown, "reason": ""})
    assert asked.status_code == 409
    assert "account wallet has 701 JPY now" in asked.content.decode()
    assert client.post(step_of(row, "approve"), {**dict(asked.context["token"]), "reason": ""}).status_code == 302


def test_the_proposer_and_those_without_the_right_cannot_decide_and_are_told_why(desk, client_of):
    row = desk.propose()
    for who, codes in ((desk.proposer, {"not_permitted", "own_adjustment", "over_limit"}), (desk.administrator, {"over_limit"})):
        client = client_of(who.user)
        response = client.post(step_of(row, "approve"), confirmed(client, row, "approve"))
        assert set(reasons_of(response)) == codes
    assert AuditRow.objects.filter(subject_type="adjustment", subject_id=row.pk, outcome="refused").count() == 2
    assert Entry.objects.filter(reference__startswith="adjustment").count() == 0


def test_what_waits_is_on_the_first_page_of_those_who_may_decide_it(desk, client_of):
    row = desk.propose(amount=2000)
    counted = {}
    for who in (desk.proposer, desk.decider, desk.second):
        desk_page = client_of(who.user).get("/admin/")
        counted[who.user.username] = sum(
            each["count"] for each in desk_page.context["waiting"] if "djustment" in str(each["label"])
        )
    assert counted == {"support-1": 0, "finance-1": 1, "finance-2": 1}
    desk.decide(row, "endorse")
    page = client_of(desk.decider.user).get("/admin/")
    assert [each for each in page.context["waiting"] if "djustment" in str(each["label"])] == []


def test_only_those_with_the_right_see_the_form(desk, client_of):
    assert client_of(desk.decider.user).get(PROPOSE).status_code == 403
    assert client_of(desk.proposer.user).get("/admin/ledger_app/reasoncode/keep/").status_code == 403
    assert client_of(desk.decider.user).get("/admin/ledger_app/adjustmentlimit/keep/").status_code == 403


def test_finance_keeps_reason_codes_and_administrators_set_limits(desk, client_of):
    client = client_of(desk.decider.user)
    row = ReasonCode.objects.get(code="goodwill")
    form = {"version": row.version, "name": "Good will", "is_active": "on", "contra_CARD": "settlement", "reason": "x"}
    assert client.post(f"/admin/ledger_app/reasoncode/{row.pk}/keep/", form).status_code == 302
    assert row.contra_accounts.get().account.code == "sales"
    approved(SettingChange.objects.get(), client_of(desk.second.user))
    assert client.post(f"/admin/ledger_app/reasoncode/{row.pk}/keep/", form).status_code == 409
    assert row.contra_accounts.get().account.code == "settlement"
    assert "Good will" in client.get(page_of(row)).content.decode()
    limit = {"group": "finance", "book": "CARD", "amount_most": "9,000", "two_deciders_above": "10", "reason": "x"}
    admin = client_of(desk.administrator.user)
    before = AdjustmentLimit.objects.get().amount_most
    assert admin.post("/admin/ledger_app/adjustmentlimit/keep/", limit).status_code == 302
    assert AdjustmentLimit.objects.get().amount_most == before
    other = User.objects.create(username="administrator-2", is_staff=True, is_superuser=True)
    approved(SettingChange.objects.get(kind="limit"), client_of(other))
    kept = AdjustmentLimit.objects.get()
    assert (kept.amount_most, kept.two_deciders_above) == (9000, 10)
    assert admin.get(page_of(kept)).status_code == 200
    assert admin.get(f"/admin/ledger_app/adjustmentlimit/{kept.pk}/keep/").status_code == 200


def test_lists_of_adjustments_do_not_ask_more_for_more_rows(desk, client_of, django_assert_max_num_queries):
    client = client_of(desk.decider.user)
    for _ in range(3):
        desk.propose()
    client.get("/admin/ledger_app/adjustment/")
    with django_assert_max_num_queries(25):
        client.get("/admin/ledger_app/adjustment/")


def test_what_the_page_shows_is_what_a_decision_is_bound_to_whatever_is_posted_while_it_is_made(desk, client_of, monkeypatch):
    row = desk.propose()
    client, token = client_of(desk.decider.user), AdjustmentAdmin.token

    def late(self, transition, row):
        desk.ledger.post(desk.ledger.draft("meanwhile", ("cash", 1), ("wallet", -1), on=date(2017, 2, 1)))
        return token(self, transition, row)

    with monkeypatch.context() as patched:
        patched.setattr(AdjustmentAdmin, "token", late)
        page = client.get(step_of(row, "approve"))
    assert "700 → " in page.content.decode()
    answer = client.post(step_of(row, "approve"), dict(page.context["token"]))
    assert (answer.status_code, "701" in answer.content.decode()) == (409, True)
    row.refresh_from_db()
    assert row.state == "proposed"


def test_adjustments_are_found_by_a_whole_ticket_or_account(desk, client_of):
    desk.propose(ticket="T-77")
    client = client_of(desk.decider.user)
    listed = reverse("admin:ledger_app_adjustment_changelist")
    counts = {term: client.get(listed, {"q": term}).context["cl"].result_count for term in ("T-77", "wallet", "T-7", "cash")}
    assert counts == {"T-77": 1, "wallet": 1, "T-7": 0, "cash": 0}


def test_what_was_decided_on_stays_on_the_page(desk, client_of):
    row = desk.propose()
    client = client_of(desk.decider.user)
    before = client.get(page_of(row)).context["lines"]
    assert "Adjusted lately for this member" in client.get(page_of(row)).content.decode()
    desk.decide(row)
    page = client.get(page_of(row))
    assert page.context["lines"] == before
    assert "What was decided on" in page.content.decode()
