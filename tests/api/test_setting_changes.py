"""Changes of settings by the API: proposed by one, decided by another."""

from typing import Any

import pytest

from ledger_app.models import ClosePolicy, HoldRule, LotRule, ProfileVersion, User
from tests.api.conftest import ClientOf, is_problem
from tests.support import profile_samples
from tests.support.world import World

CHANGES = "/api/v1/setting-changes/"
LIMIT = {"group": "finance", "book": "POINTS", "amount_most": 9, "two_deciders_above": 5, "reason": "As agreed."}


@pytest.fixture(name="others")
def _others(world: World, client_of: ClientOf) -> Any:
    return client_of(User.objects.create(username="administrator-2", is_staff=True, is_superuser=True))


def test_a_proposal_tells_what_it_changes_and_is_decided_by_another(world: World, client_of: ClientOf, others: Any) -> None:
    maker = client_of(world.superuser)
    made = maker.post("/api/v1/limits/", LIMIT)
    assert made.status_code == 201
    row = made.json()
    assert made["Location"].endswith(f"{CHANGES}{row['id']}/")
    assert (row["kind"], row["before"], row["after"]["amount_most"]) == ("limit", None, 9)
    offered = {each["name"]: [reason["code"] for reason in each["reasons"]] for each in row["offers"]}
    assert offered == {"approve": ["own_setting_change"], "reject": ["own_setting_change"], "withdraw": []}
    at = f"{CHANGES}{row['id']}/transitions"
    assert is_problem(maker.post(f"{at}/approve/", {"version": 1}), 409, "own_setting_change")
    assert is_problem(client_of(world.finance).post(f"{at}/approve/", {"version": 1}), 403, "not_permitted")
    assert is_problem(others.post(f"{at}/reject/", {"version": 1}), 409, "reason_required")
    assert others.post(f"{at}/approve/", {"version": 1}).json()["decided_by"] == "administrator-2"
    assert is_problem(others.post(f"{at}/approve/", {"version": 2}), 409, "wrong_state")
    assert is_problem(maker.post("/api/v1/limits/", LIMIT), 409, "setting_unchanged")
    changed = maker.post("/api/v1/limits/", LIMIT | {"amount_most": 8, "day_most": 20, "window_days": 3}).json()
    assert (changed["before"]["amount_most"], changed["after"]["day_most"]) == (9, 20)
    assert maker.post(f"{CHANGES}{changed['id']}/transitions/withdraw/", {"version": 1}).json()["state"] == "withdrawn"
    listed = others.get(CHANGES, {"state": "applied", "kind": "limit"}).json()["results"]
    assert [each["id"] for each in listed] == [row["id"]]


def test_a_profile_is_proposed_too_and_each_fault_of_it_told(world: World, client_of: ClientOf, others: Any) -> None:
    finance, at = client_of(world.finance), f"{CHANGES}profiles/"
    said = {"text": profile_samples.text("freee"), "reason": "As agreed."}
    assert is_problem(client_of(world.support).post(at, said), 403, "not_permitted")
    assert is_problem(finance.post(at, said | {"text": "[profile]"}), 409, "profile_invalid")
    made = finance.post(at, said)
    assert (made.status_code, made.json()["arguments"]["profile"], made.json()["before"]) == (201, "freee", None), made.json()
    assert others.post(f"{CHANGES}{made.json()['id']}/transitions/approve/", {"version": 1}).status_code == 200
    assert ProfileVersion.objects.get().text == said["text"]


def test_rules_of_lots_and_holds_and_the_close_are_proposed_too(world: World, client_of: ClientOf, others: Any) -> None:
    finance = client_of(world.finance)
    lots = {"book": "POINTS", "role": "gifts", "expiry": "fixed", "fixed_on": "2027-03-31", "breakage": "programme.expense"}
    holds = {"book": "POINTS", "amount_most": 500, "targets": ["programme.expense"]}
    close = {"book": "POINTS", "freeze_after_hours": 96, "months_ahead": 1, "controls": ["entries"]}
    for name, said in (("close-policies", close), ("lot-rules", lots), ("hold-rules", holds)):
        assert is_problem(client_of(world.support).post(f"{CHANGES}{name}/", said | {"reason": "x"}), 403, "not_permitted")
        made = finance.post(f"{CHANGES}{name}/", said | {"reason": "As agreed."})
        assert made.status_code == 201, made.json()
        assert not LotRule.objects.filter(role="gifts").exists() or name == "hold-rules"
        assert others.post(f"{CHANGES}{made.json()['id']}/transitions/approve/", {"version": 1}).status_code == 200
    assert str(LotRule.objects.get(role="gifts").fixed_on) == "2027-03-31"
    assert HoldRule.objects.get().amount_most == 500
    assert ClosePolicy.objects.get().controls == ["entries"]
