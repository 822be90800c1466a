"""What programs sent and what the feed tells, as auditors look at it."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from ledger_app.base.operations import feed
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Entry, Event, Submission
from ledger_app.programs.operations import submissions
from ledger_app.programs.operations.submissions import Given
from ledger_app.values import instants
from tests.support import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(make_user):
    caller = samples.machine_caller()
    samples.open_ledger(caller)
    sender = make_user("machine-1", "machine")
    given = [Given("CARD", date(2017, 1, 5), "pos-1", "", (("cash", 5), ("sales", -5)))]
    submissions.submit(given=given, caller=Caller(user=sender, at=caller.at, door="api", request="req-7"), is_all=True)
    feed.number()
    return Entry.objects.get(reference="pos-1")


@pytest.fixture
def auditor(make_user) -> Client:
    client = Client()
    client.force_login(make_user("auditor-1", "auditor"))
    return client


def test_the_page_of_an_entry_leads_to_the_request_that_sent_it(entry, auditor):
    page = auditor.get(reverse("admin:ledger_app_entry_change", args=[entry.pk])).content.decode()
    sent = Submission.objects.get()
    address = reverse("admin:ledger_app_submission_change", args=[sent.pk])
    assert address in page
    for told in ("machine-1", "req-7", instants.text(sent.sent_at)):
        assert told in page
    shown = auditor.get(address).content.decode()
    assert "pos-1" in shown
    assert "req-7" in shown


@pytest.mark.parametrize(("model", "told"), [(Submission, "machine-1"), (Event, "posting.posted")])
def test_lists_are_looked_at_and_never_written(entry, auditor, model, told):
    route = f"admin:ledger_app_{model._meta.model_name}"
    page = auditor.get(reverse(f"{route}_changelist"))
    assert page.status_code == 200
    assert told in page.content.decode()
    for row in model.objects.all():
        assert auditor.get(reverse(f"{route}_change", args=[row.pk])).status_code == 200
        assert auditor.post(reverse(f"{route}_change", args=[row.pk]), {}).status_code == 403
    assert auditor.get(reverse(f"{route}_add")).status_code == 403
