"""Many things in one request: an outcome for each, all or nothing or each for itself, and a trial that answers as the real thing does."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ledger_app.base import proofs
from ledger_app.books.operations import books
from ledger_app.models import Adjustment, AuditRow, Balance, Entry, Hold, OpenLot, Posting, Submission
from ledger_app.posting.rules.lots import Grant, Named
from ledger_app.values.references import RESERVED
from tests.api.conftest import ClientOf, is_problem
from tests.support import adjusting, kept, lot_samples, samples

pytestmark = pytest.mark.django_db
BULK = "/api/v1/bulk/"
UNTIL = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
ADJUSTMENT = {"book": "CARD", "account": "cash", "effective_on": "2017-01-05", "reason": "goodwill", "text": "A gift."}


@kept.fixture
def ledger(_folder):
    return samples.open_ledger(samples.machine_caller())


@pytest.fixture
def machine(ledger, make_user, client_of: ClientOf) -> APIClient:
    return client_of(make_user("machine-1", "machine"))


def entry(reference, amount=100, *, debit="cash", credit="sales", **changes):
    lines = [{"account": debit, "amount": amount}, {"account": credit, "amount": -amount}]
    said = {"book": "CARD", "effective_on": "2017-01-05", "reference": reference, "lines": lines}
    return {**said, **changes}


def send(client, *entries, mode="each", **more):
    return client.post(f"{BULK}entries/", {"mode": mode, "entries": list(entries), **more}, format="json")


def told(response):
    return [each["outcome"] for each in response.json()["outcomes"]]


def test_each_is_done_for_itself_and_told_in_its_place(machine, ledger):
    bad = entry("b", lines=[{"account": "cash", "amount": 1}, {"account": "sales", "amount": -2}])
    answer = send(
        machine, entry("a"), bad, entry("c", debit="nowhere"), entry("d"), entry("a"), entry("a", 5), entry("e", book="X")
    )
    assert answer.status_code == 200, answer.content
    assert told(answer) == ["created", "refused", "refused", "created", "exists", "refused", "refused"]
    codes = [[reason["code"] for reason in each["reasons"]] for each in answer.json()["outcomes"]]
    assert codes == [[], ["unbalanced"], ["account_unknown"], [], [], ["reference_twice"], ["book_unknown"]]
    first = answer.json()["outcomes"]
    assert first[0]["id"] == first[4]["id"] == Entry.objects.get(reference="a").pk
    assert (answer.json()["created"], answer.json()["exists"], answer.json()["refused"]) == (2, 1, 4)
    assert Posting.objects.get(entries__reference="d").origin_kind == "submission"
    assert told(send(machine, entry("a"), entry("d"))) == ["exists", "exists"]
    assert Submission.objects.count() == 1
    assert AuditRow.objects.filter(outcome="refused", action="bulk").count() == 1


def test_whatever_its_reference_an_entry_of_a_striped_account_is_posted(machine, ledger):
    many = [entry(f"s-{number}", credit="settlement") for number in range(40)]
    for each in many:
        assert told(send(machine, each)) == ["created"]
    assert Balance.objects.filter(account__code="settlement").exclude(amount=0).count() == 4


def test_all_or_nothing_leaves_nothing_and_says_what_each_would_have_come_to(machine, ledger):
    answer = send(machine, entry("a"), entry("b", debit="nowhere"), mode="all")
    assert is_problem(answer, 409, "bulk_refused")
    assert told(answer) == ["left", "refused"]
    assert not Entry.objects.exists()
    assert not Submission.objects.exists()
    assert told(send(machine, entry("a"), entry("b"), mode="all")) == ["created", "created"]


@pytest.mark.parametrize(("mode", "outcomes"), [("all", ["left", "left", "refused"]), ("each", ["created", "exists", "refused"])])
def test_no_number_is_told_of_what_was_undone(machine, ledger, mode, outcomes):
    """Its number will be another's; and what stood twice was there no more than what stood once."""
    answer = send(machine, entry("a"), entry("a"), entry("b", debit="nowhere"), mode=mode, dry_run=True)
    assert (told(answer), [each["id"] for each in answer.json()["outcomes"]]) == (outcomes, [None] * 3)
    assert told(send(machine, entry("a"))) == ["created"]
    known = send(machine, entry("a"), entry("b"), entry("b"), dry_run=True).json()["outcomes"]
    assert [each["id"] for each in known] == [Entry.objects.get().pk, None, None]


def test_what_a_machine_may_no_person_may(ledger, make_user, client_of: ClientOf):
    people = [make_user(f"{group}-7", group) for group in ("support", "finance", "engineer", "auditor", "till")]
    mixed = make_user("mixed", "machine")
    mixed.groups.add(people[1].groups.get())
    for user in (*people, mixed, make_user("root-7", None, is_superuser=True)):
        assert is_problem(send(client_of(user), entry("a")), 403, "not_permitted")
    assert not Entry.objects.exists()


@pytest.mark.parametrize("prefix", RESERVED)
def test_references_of_the_ledgers_own_are_refused(machine, ledger, prefix):
    assert send(machine, entry(f"{prefix}1")).json()["outcomes"][0]["reasons"][0]["code"] == "reference_reserved"


@pytest.mark.parametrize(("balance", "code"), [(0, None), (1, "balance_not_expected")])
def test_a_balance_that_was_expected_is_asked_under_the_lock(machine, ledger, balance, code):
    expected = [{"book": "CARD", "account": "cash", "balance": balance}]
    answer = send(machine, entry("a"), expected=expected)
    assert is_problem(answer, 409, code) if code else told(answer) == ["created"]
    assert Entry.objects.exists() is (code is None)


@pytest.mark.parametrize("changes", [
    {"mode": "some"}, {"mode": None}, {"entries": []}, {"entries": {}}, {"entries": [1]}, {"entries": [entry("a"), {}]},
    {"entries": [{**entry("a"), "amount": 1}]}, {"entries": [entry("a", effective_on="5.1.2017")]},
    {"entries": [entry("a", effective_on="2017-02-30")]}, {"entries": [entry("a", lines=[])]},
    {"entries": [entry("a", lines=[{"account": "cash", "amount": 1.0}, {"account": "sales", "amount": -1}])]},
    {"entries": [entry("a", lines=[{"account": "cash", "amount": True}, {"account": "sales", "amount": -1}])]},
    {"entries": [entry("a", lines=[{"account": "cash", "amount": 2**63}, {"account": "sales", "amount": -1}])]},
    {"entries": [entry("")]}, {"entries": [entry("x" * 101)]}, {"dry": True},
])  # fmt: skip
def test_what_has_not_the_form_is_refused_before_anything_is_asked(machine, ledger, changes):
    body = {"mode": "each", "entries": [entry("a")], **changes}
    assert is_problem(machine.post(f"{BULK}entries/", body, format="json"), 400, "shape_invalid")
    assert not Entry.objects.exists()


def test_ten_thousand_are_taken_and_one_more_is_refused(machine, ledger):
    many = [entry(f"m-{number}", 1 + number) for number in range(10_001)]
    assert is_problem(send(machine, *many), 400, "shape_invalid")
    assert send(machine, *many[:-1]).json()["created"] == Entry.objects.count() == 10_000
    assert [said for invariant in proofs.invariants() for said in invariant.breaches(proofs.Scope([ledger.book]))] == []


def test_reasons_are_bounded_by_item_and_by_request(machine, ledger):
    lines = [{"account": f"no-{number}", "amount": 1 - 2 * (number % 2)} for number in range(200)]
    answer = send(machine, *(entry(f"b-{number}", lines=lines) for number in range(110)))
    assert told(answer) == ["refused"] * 110
    counts = [len(each["reasons"]) for each in answer.json()["outcomes"]]
    assert counts == [20] * 100 + [1] * 10


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    last = UNTIL.date() + timedelta(days=90)
    found.gain("g-1", 520, lots=Named(grants=(Grant("paid", 520, last),)))
    found.gain("g-2", 50, who="M2", lots=Named(grants=(Grant("paid", 50, last),)))
    return found


def open_now(points):
    """Open a period for what is settled today."""
    books.open_period(book=points.book, name="now", starts_on=date(2018, 1, 1), ends_on=date(2099, 12, 31), caller=points.caller)


def hold(reference, amount, account="M1"):
    said = {"book": "POINTS", "account": account, "target": "programme", "amount": amount}
    return {**said, "reference": reference, "expires_at": UNTIL.isoformat()}


def test_holds_and_settlements_go_by_the_rules_of_single_ones(points, make_user, client_of: ClientOf):
    open_now(points)
    client = client_of(make_user("till-1", "till"))
    wanted = [hold("h1", 500), hold("h2", 21), hold("h3", 50, "M2"), hold("h4", 1, "M9")]
    answer = client.post(f"{BULK}holds/", {"mode": "each", "holds": wanted}, format="json")
    assert told(answer) == ["created", "refused", "created", "refused"]
    assert answer.json()["outcomes"][1]["reasons"][0]["code"] == "lots_short"
    everything = client.post(f"{BULK}holds/", {"mode": "all", "holds": [hold("h5", 20), hold("h6", 1)]}, format="json")
    assert told(everything) == ["left", "refused"]
    assert Hold.objects.count() == 2
    settled = [{"book": "POINTS", "reference": name, "amount": amount} for name, amount in (("h1", 480), ("h3", 51), ("h9", 1))]
    answer = client.post(f"{BULK}settlements/", {"mode": "each", "settlements": settled}, format="json")
    assert told(answer) == ["created", "refused", "refused"]
    again = client.post(f"{BULK}settlements/", {"mode": "each", "settlements": settled[:1]}, format="json")
    assert told(again) == ["exists"]
    assert points.balance() == 40


def test_a_hold_may_state_the_balance_that_is_believed_in(points, make_user, client_of: ClientOf):
    client = client_of(make_user("till-1", "till"))
    refused = client.post("/api/v1/holds/", {**hold("h1", 5), "expected_balance": 519}, format="json")
    assert is_problem(refused, 409, "balance_not_expected")
    assert "520" in refused.json()["detail"]
    assert client.post("/api/v1/holds/", {**hold("h1", 5), "expected_balance": 520}, format="json").status_code == 201
    # What is there is found, whatever has become of the balance.
    assert client.post("/api/v1/holds/", {**hold("h1", 5), "expected_balance": 7}, format="json").status_code == 200
    wanted = [{**hold("h2", 1), "expected_balance": 520}, {**hold("h3", 1), "expected_balance": 0}]
    answer = client.post(f"{BULK}holds/", {"mode": "each", "holds": wanted}, format="json")
    assert told(answer) == ["created", "refused"]


@pytest.mark.parametrize("name", ["settle", "release"])
def test_who_settles_or_releases_may_state_the_balance_and_the_version_that_are_believed_in(
    points, make_user, client_of: ClientOf, name
):
    open_now(points)
    client = client_of(make_user("till-1", "till"))
    address = f"/api/v1/holds/{client.post('/api/v1/holds/', hold('h1', 5), format='json').json()['id']}/transitions/{name}/"
    said = {"amount": 5} if name == "settle" else {"reason": "Not bought."}
    for wrong, code in (({"expected_balance": 519}, "balance_not_expected"), ({"version": 2}, "stale")):
        assert is_problem(client.post(address, {**said, **wrong}, format="json"), 409, code)
        (kept,) = AuditRow.objects.filter(action=name, outcome="refused").values_list("reasons", flat=True).order_by("-id")[:1]
        assert kept[0]["code"] == code
    assert Hold.objects.get().state == "open"
    assert client.post(address, {**said, "expected_balance": 520, "version": 1}, format="json").status_code == 200
    assert points.balance() == 515 if name == "settle" else 520


def test_a_settlement_of_many_may_state_them_and_each_is_asked_after_those_before(points, make_user, client_of: ClientOf):
    open_now(points)
    client = client_of(make_user("till-1", "till"))
    client.post(f"{BULK}holds/", {"mode": "all", "holds": [hold(f"h{number}", 5) for number in range(4)]}, format="json")
    beliefs = [{"expected_balance": 520, "version": 1}, {"expected_balance": 520}, {"expected_balance": 515}, {"version": 2}]
    items = [{"book": "POINTS", "reference": f"h{number}", "amount": 5, **each} for number, each in enumerate(beliefs)]
    answer = client.post(f"{BULK}settlements/", {"mode": "each", "settlements": items}, format="json")
    assert told(answer) == ["created", "refused", "created", "refused"]
    codes = [reason["code"] for each in answer.json()["outcomes"] for reason in each["reasons"]]
    assert codes == ["balance_not_expected", "stale"]
    # What is settled is found, whatever has become of the balance and the version.
    again = client.post(f"{BULK}settlements/", {"mode": "each", "settlements": items[:1]}, format="json")
    assert told(again) == ["exists"]


def test_ten_thousand_holds_are_taken(points, make_user, client_of: ClientOf):
    points.gain("g-3", 9_500, lots=Named(grants=(Grant("paid", 9_500, UNTIL.date() + timedelta(days=90)),)))
    client = client_of(make_user("till-1", "till"))
    wanted = [hold(f"h{number}", 1) for number in range(10_000)]
    assert client.post(f"{BULK}holds/", {"mode": "all", "holds": wanted}, format="json").json()["created"] == 10_000
    assert Hold.objects.count() == AuditRow.objects.filter(action="place").count() == 10_000
    assert sum(OpenLot.objects.values_list("held", flat=True)) == 10_000
    assert told(client.post(f"{BULK}holds/", {"mode": "each", "holds": wanted[:2]}, format="json")) == ["exists", "exists"]
    assert points.breaches() == []


@pytest.mark.parametrize("name", ["holds", "settlements", "adjustments"])
def test_one_more_than_ten_thousand_is_refused(points, make_user, client_of: ClientOf, name):
    items = {
        "holds": hold("h1", 1),
        "settlements": {"book": "POINTS", "reference": "h1", "amount": 1},
        "adjustments": {**ADJUSTMENT, "key": "k1", "amount": 5},
    }
    client = client_of(make_user("till-1", "till"))
    answer = client.post(f"{BULK}{name}/", {"mode": "each", name: [items[name]] * 10_001}, format="json")
    assert is_problem(answer, 400, "shape_invalid")
    assert [fault["field"] for fault in answer.json()["faults"]] == [name]


def test_statements_do_not_grow_with_the_holds_of_a_request(points, make_user, client_of: ClientOf):
    client = client_of(make_user("till-1", "till"))
    # Where something is held, whether its time is over is asked too.
    client.post("/api/v1/holds/", hold("h1", 1), format="json")
    counts = []
    for count in (2, 20):
        body = {"mode": "all", "holds": [hold(f"h{count}-{number}", 1) for number in range(count)]}
        with CaptureQueriesContext(connection) as asked:
            assert client.post(f"{BULK}holds/", body, format="json").json()["created"] == count
        counts.append(len(asked))
    assert counts[0] == counts[1] < 45


@pytest.mark.parametrize(("mode", "outcomes"), [("all", ["left", "left", "refused"]), ("each", ["created", "exists", "refused"])])
def test_no_number_is_told_of_holds_that_were_undone(points, make_user, client_of: ClientOf, mode, outcomes):
    client = client_of(make_user("till-1", "till"))
    wanted = [hold("h1", 5), hold("h1", 5), hold("h2", 600)]
    answer = client.post(f"{BULK}holds/", {"mode": mode, "holds": wanted, "dry_run": True}, format="json")
    assert (told(answer), [each["id"] for each in answer.json()["outcomes"]]) == (outcomes, [None] * 3)
    assert not Hold.objects.exists()


def test_adjustments_are_proposed_by_the_rules_of_single_ones(client_of: ClientOf, db):
    desk = adjusting.build()
    client = client_of(desk.proposer.user)
    wanted = [{**ADJUSTMENT, "key": key, "amount": amount} for key, amount in (("k1", 5), ("k2", 0), ("k1", 5), ("k1", 6))]
    answer = client.post(f"{BULK}adjustments/", {"mode": "each", "adjustments": wanted}, format="json")
    assert told(answer) == ["created", "refused", "exists", "refused"], answer.content
    assert answer.json()["outcomes"][3]["reasons"][0]["code"] == "key_twice"
    assert Adjustment.objects.count() == 1


amounts = st.integers(-40, 60).filter(bool)
wanted_entries = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]), amounts, st.sampled_from(["purse", "nowhere", "cash"]), st.integers(1, 40)
    ),
    min_size=1,
    max_size=8,
)


numbers = itertools.count(1)


@given(requests=st.lists(st.tuples(wanted_entries, st.sampled_from(["all", "each"])), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_trial_answers_what_the_real_thing_does_and_leaves_nothing(ledger, make_user, requests):
    client = APIClient()
    round_ = next(numbers)
    client.force_authenticate(make_user(f"machine-{round_}", "machine"))
    for items, mode in requests:
        wanted = [
            entry(f"{round_}-{name}", amount, debit=account, effective_on=f"2017-01-{1 + day % 31:02}")
            for name, amount, account, day in items
        ]
        before = (Entry.objects.count(), Submission.objects.count(), dict(Balance.objects.values_list("id", "amount")))
        trial = send(client, *wanted, mode=mode, dry_run=True)
        assert (Entry.objects.count(), Submission.objects.count(), dict(Balance.objects.values_list("id", "amount"))) == before
        real = send(client, *wanted, mode=mode)
        assert trial.status_code == real.status_code
        assert [{**each, "id": None} for each in trial.json()["outcomes"]] == [
            {**each, "id": None} for each in real.json()["outcomes"]
        ]
