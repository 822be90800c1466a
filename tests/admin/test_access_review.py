"""The page of who has which right, its file, and how it is signed off: for those who audit and sign off, and nobody else."""

import csv
from datetime import UTC, datetime, timedelta

from django.test import Client
from django.urls import reverse

from ledger_app.base.operations.audit import Caller
from ledger_app.models import AccessReview, User
from ledger_app.people.operations import people
from ledger_app.rights.rules.rights import REVIEW_DAYS
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker

NOW, CSV, SIGN = (reverse(f"admin:ledger_app_accessreview_{name}") for name in ("now", "csv", "sign"))


def test_the_page_the_file_and_the_signing_of_a_review(
    client_of: ClientOf, make_user: UserMaker, finance: User, auditor: User, support: User
) -> None:
    root = make_user("root-1", None, is_superuser=True)
    # A name that a spreadsheet would take for a formula.
    people.keep_user(username="@sora", groups=["support", "finance"], caller=Caller(root, datetime.now(UTC), "admin"))
    page = client_of(auditor).get(NOW)
    shown = page.content.decode()
    assert page.status_code == 200
    assert all(words in shown for words in ("@sora", "proposes adjustments and decides them", "nobody: given alone", "root-1"))
    assert SIGN not in shown
    answer = client_of(auditor).get(CSV)
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    told = {(row["user"], row["grant"]): row for row in rows}
    mine = told["'@sora", "finance"]
    assert (mine["given_by"], mine["decided_by"], mine["given_alone"], mine["last_login"]) == ("root-1", "", "yes", "")
    assert "ledger_app.propose_adjustment+ledger_app.decide_adjustment" in mine["conflicts_of_duty"]
    assert told["root-1", "administrator"]["may_log_in"] == "yes"
    for address in (NOW, CSV, SIGN):
        assert client_of(support).get(address).status_code == 403
    assert client_of(auditor).get(SIGN).status_code == 403


def test_what_was_shown_is_what_is_signed_off(client_of: ClientOf, make_user: UserMaker, finance: User, auditor: User) -> None:
    root = make_user("root-1", None, is_superuser=True)
    client = client_of(finance)
    assert client.get(SIGN).status_code == 302
    digest = client.get(NOW).context["links"][1][0].partition("digest=")[2]
    people.keep_user(username="sora", groups=["support"], caller=Caller(root, datetime.now(UTC), "admin"))
    assert client.get(f"{SIGN}?digest={digest}").status_code == 200
    refused = client.post(SIGN, {"digest": digest, "note": "Looked through."})
    assert (refused.status_code, AccessReview.objects.count()) == (409, 0)
    assert "not any more those that you were shown" in refused.content.decode()
    digest = client.get(NOW).context["links"][1][0].partition("digest=")[2]
    assert client_of(auditor).post(SIGN, {"digest": digest, "note": "x"}).status_code == 403
    assert client.post(SIGN, {"digest": digest, "note": "Looked through."}).status_code == 302
    row = AccessReview.objects.get()
    assert (bytes(row.digest).hex(), row.signed_by) == (digest, finance)
    for address in (reverse("admin:ledger_app_accessreview_changelist"), f"/admin/ledger_app/accessreview/{row.pk}/change/"):
        assert "Looked through." in client_of(auditor).get(address).content.decode()


def test_who_signs_off_is_told_when_it_is_due(client_of: ClientOf, finance: User, auditor: User) -> None:
    def is_told(client: Client) -> bool:
        return "The access review is due" in client.get(reverse("admin:index")).content.decode()

    User.objects.update(date_joined=datetime.now(UTC) - timedelta(days=REVIEW_DAYS - 1))
    assert not is_told(client_of(finance))
    User.objects.update(date_joined=datetime.now(UTC) - timedelta(days=REVIEW_DAYS))
    assert (is_told(client_of(finance)), is_told(client_of(auditor))) == (True, False)
