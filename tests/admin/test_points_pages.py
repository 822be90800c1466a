"""Lots, holds, rules and runs of expiry in the admin: what is shown, and the button that lets go."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from config.doors.admin.model_admin import url_of
from ledger_app.admin.holds import SettleForm
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Book, Entry, ExpiryRun, Hold, HoldRule, Lot, LotRule
from ledger_app.points.operations import expiry, hold_rules, holds
from ledger_app.posting.rules.lots import Grant, Named
from tests.support import kept, lot_samples, samples
from tests.support.lot_samples import at

pytestmark = pytest.mark.django_db


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 1100, on=date(2017, 1, 10))
    found.gain("g-2", 70, on=date(2017, 3, 1))
    found.gain("s-1", -100, on=date(2017, 1, 12))
    return found


@pytest.fixture
def hold(points, make_user, caller_of):
    now = datetime.now(UTC)
    lots = Named(grants=(Grant("paid", 500, (now + timedelta(days=90)).date()),))
    points.gain("g-3", 500, on=date(2017, 3, 2), lots=lots)
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 400, "order-1", now + timedelta(days=1))
    return holds.place(wanted=wanted, caller=caller_of(make_user("till-1", "till"), at=now))[0]


def test_the_page_of_an_account_shows_its_lots_due_first_first(client, support, points):
    client.force_login(support)
    page = client.get(url_of(points.accounts["M1"])).content.decode()
    assert page.index("2017-01-30") < page.index("2017-03-21")
    assert "1,000" in page
    explained = client.get(reverse("admin:ledger_app_account_explain", args=[points.accounts["M1"].pk])).content.decode()
    assert "Lots with something left" in explained
    assert (
        client.get(f"{reverse('admin:ledger_app_lot_changelist')}?account__id__exact={points.accounts['M1'].pk}").status_code
        == 200
    )


def test_the_page_of_an_entry_shows_what_it_took_of_which_lot(client, support, points):
    client.force_login(support)
    page = client.get(url_of(Entry.objects.get(reference="s-1"))).content.decode()
    assert f"#{Lot.objects.earliest('id').pk}" in page
    assert "taken" in page


def test_the_page_of_a_lot_says_in_japanese_what_used_it(client, support, points):
    client.force_login(support)
    lot = Lot.objects.earliest("id")
    with override("ja"):
        page = client.get(url_of(lot), headers={"accept-language": "ja"}).content.decode()
    assert "s-1" in page
    assert "1,000" in page


def test_what_would_expire_is_shown_for_the_day_that_is_asked_for(client, support, points):
    client.force_login(support)
    address = reverse("admin:ledger_app_lotrule_due", args=[points.book.pk])
    assert "1,000" not in client.get(address).content.decode()
    page = client.get(f"{address}?by=2017-01-31").content.decode()
    assert "1,000" in page
    assert "1,070" not in page
    of_account = reverse("admin:ledger_app_lotrule_due_of_account", args=[points.accounts["M1"].pk])
    assert "1,070" in client.get(f"{of_account}?by=2017-12-31").content.decode()
    assert client.get(f"{address}?by=soon").status_code == 200
    assert client.get(reverse("admin:ledger_app_lotrule_due", args=[999_999])).status_code == 404


def test_support_releases_a_hold_by_its_button(client, support, hold):
    client.force_login(support)
    page = client.get(url_of(hold)).content.decode()
    assert "Release" in page
    address = reverse("admin:ledger_app_hold_transition", args=[hold.pk, "release"])
    assert client.get(address).status_code == 200
    refused = client.post(address, {"version": hold.version, "reason": ""})
    assert refused.status_code == 409
    done = client.post(address, {"version": hold.version, "reason": "The member asked."})
    assert done.status_code == 302
    assert Hold.objects.get().state == "released"


def test_support_settles_no_hold(client, support, hold):
    client.force_login(support)
    address = reverse("admin:ledger_app_hold_transition", args=[hold.pk, "settle"])
    assert client.post(address, {"version": hold.version, "amount": "400"}).status_code == 403
    assert Hold.objects.get().state == "open"


def test_a_hold_is_settled_in_the_unit_of_its_book(client, finance, hold):
    client.force_login(finance)
    address = reverse("admin:ledger_app_hold_transition", args=[hold.pk, "settle"])
    assert f'id="id_amount_helptext">{hold.book.unit}<' in client.get(address).content.decode().replace(" hidden", "")
    dollars = SettleForm(Book(code="CARD", unit="USD", exponent=2), {"amount": "1,234.50"})
    assert (dollars.is_valid(), dollars.cleaned_data) == (True, {"amount": 123450})


def test_rules_and_runs_are_shown(client, auditor, points):
    caller = Caller(points.caller.user, at(2017, 2, 3), "command")
    expiry.expire(book=points.book, through=date(2017, 1, 31), caller=caller)
    client.force_login(auditor)
    given = hold_rules.HoldRuleGiven(amount_most=500, targets=("programme",))
    hold_rules.set_rule(book=points.book, given=given, caller=caller)
    for row in (LotRule.objects.get(), HoldRule.objects.get(), ExpiryRun.objects.get()):
        assert client.get(url_of(row)).status_code == 200
        assert client.get(reverse(f"admin:ledger_app_{row._meta.model_name}_changelist")).status_code == 200
    assert "1,000" in client.get(url_of(ExpiryRun.objects.get())).content.decode()
    assert client.get(url_of(points.book.periods.get(name="2017-03"))).status_code == 200


def test_a_period_says_what_has_not_expired(client, finance, points):
    client.force_login(finance)
    page = client.get(url_of(points.book.periods.get(name="2017-01"))).content.decode()
    assert "run expire POINTS --through 2017-01-31" in page


def test_what_is_searched_is_found_by_an_index_of_each_book(client, support, points, hold):
    client.force_login(support)
    for model, term in (("account", "M1"), ("entry", "g-1"), ("hold", "order-1"), ("lot", "M1")):
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse(f"admin:ledger_app_{model}_changelist"), {"q": term})
        assert page.context["cl"].result_list, model
        looked = [each["sql"] for each in asked.captured_queries if f"'{term}'" in each["sql"]]
        assert looked, model
        assert all("book_id" in sql.split("WHERE", 1)[1] for sql in looked), model
        assert client.get(reverse(f"admin:ledger_app_{model}_changelist"), {"q": f"{term}x"}).context["cl"].result_count == 0
