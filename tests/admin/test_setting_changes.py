"""The pages of changes of settings: what it said and would say, and buttons held back with their reasons."""

import re
from typing import Any

import pytest
from django.utils.html import strip_tags

from ledger_app.models import AdjustmentLimit, AuditRow, ClosePolicy, HoldRule, LotRule, Profile, SettingChange, User
from tests.admin.conftest import ClientOf, page_of, step_of
from tests.support import profile_samples
from tests.support.world import World

LIMIT = {"group": "finance", "book": "POINTS", "amount_most": "1,234", "two_deciders_above": "10", "reason": "As agreed."}
KEEP = "/admin/ledger_app/adjustmentlimit/keep/"


@pytest.fixture(name="row")
def _row(world: World, client_of: ClientOf) -> SettingChange:
    answer = client_of(world.superuser).post(KEEP, LIMIT)
    row = SettingChange.objects.get()
    assert answer["Location"] == page_of(row)
    return row


@pytest.fixture(name="other")
def _other(world: World) -> User:
    return User.objects.create(username="administrator-2", is_staff=True, is_superuser=True)


def blockers(answer: Any, name: str) -> list[str]:
    (offer,) = [each for each in answer.context["offers"] if each["name"] == name]
    return [reason["code"] for reason in offer["blockers"]]


def test_the_page_shows_before_and_after_and_who_may_decide(
    world: World, client_of: ClientOf, row: SettingChange, other: User
) -> None:
    assert not AdjustmentLimit.objects.exists()
    own = client_of(world.superuser).get(page_of(row))
    shown = {strip_tags(str(each[part])) for each in own.context["compared"] for part in ("before", "after")}
    assert {"1,234 points", "–"} <= shown
    assert blockers(own, "approve") == ["own_setting_change"]
    assert blockers(client_of(world.finance).get(page_of(row)), "approve") == ["not_permitted"]
    assert blockers(client_of(other).get(page_of(row)), "approve") == []
    assert "1,234" in client_of(other).get(step_of(row, "approve")).content.decode()


def test_superusers_too_never_decide_what_they_proposed(
    world: World, client_of: ClientOf, row: SettingChange, other: User
) -> None:
    answer = client_of(world.superuser).post(step_of(row, "approve"), {"version": 1})
    assert (answer.status_code, AdjustmentLimit.objects.count()) == (409, 0)
    assert client_of(world.finance).post(step_of(row, "approve"), {"version": 1}).status_code == 403
    assert client_of(other).post(step_of(row, "approve"), {"version": 9}).status_code == 409
    assert client_of(other).post(step_of(row, "approve"), {"version": 1}).status_code == 302
    assert AdjustmentLimit.objects.get().amount_most == 1_234
    refused = AuditRow.objects.filter(subject_type="setting", subject_id=row.pk, outcome="refused")
    assert {reason["code"] for each in refused for reason in each.reasons} == {"own_setting_change", "not_permitted"}


def test_it_is_rejected_with_a_reason_or_withdrawn(world: World, client_of: ClientOf, row: SettingChange, other: User) -> None:
    assert client_of(other).post(step_of(row, "reject"), {"version": 1, "reason": ""}).status_code == 409
    assert client_of(other).post(step_of(row, "reject"), {"version": 1, "reason": "Too much."}).status_code == 302
    client_of(world.superuser).post(KEEP, LIMIT)
    again = SettingChange.objects.latest("id")
    assert client_of(world.superuser).post(step_of(again, "withdraw"), {"version": 1}).status_code == 302
    assert list(SettingChange.objects.order_by("id").values_list("state", flat=True)) == ["rejected", "withdrawn"]
    assert not AdjustmentLimit.objects.exists()


def test_it_waits_on_the_first_page_of_whoever_may_decide_it(
    world: World, client_of: ClientOf, row: SettingChange, other: User
) -> None:
    for user, waits in ((other, True), (world.superuser, False), (world.finance, False)):
        assert (page_of(row) in client_of(user).get("/admin/").content.decode()) == waits, user


def test_a_proposal_needs_its_reason(world: World, client_of: ClientOf) -> None:
    answer = client_of(world.superuser).post(KEEP, LIMIT | {"reason": ""})
    assert (answer.status_code, SettingChange.objects.count()) == (200, 0)
    assert "reason" in answer.context["form"].errors


HOLD_RULE = {
    "book": "CARD",
    "amount_most": "12.50",
    "amount_a_day": "",
    "hours_most": "24",
    "targets": "settlement.31",
    "reason": "As agreed.",
}
CLOSE_POLICY = {
    "book": "CARD",
    "provisional_after_hours": "60",
    "freeze_after_hours": "96",
    "months_ahead": "1",
    "controls": "debits\nentries",
    "reason": "As agreed.",
}
LOT_RULE = {
    "book": "POINTS",
    "role": "gifts",
    "expiry": "days",
    "validity": "20",
    "fixed_on": "",
    "order": "free_first",
    "kind": "free",
    "breakage": "programme.expense",
    "reason": "As agreed.",
}


def test_a_profile_is_proposed_by_a_form_and_has_its_versions(world: World, client_of: ClientOf, other: User) -> None:
    keep, client = "/admin/ledger_app/profile/keep/", client_of(world.finance)
    assert keep in client.get("/admin/ledger_app/profile/").content.decode()
    assert client_of(world.support).get(keep).status_code == 403
    said = {"text": profile_samples.text().replace("\n", "\r\n"), "reason": "As agreed."}
    wrong = client.post(keep, said | {"text": said["text"].replace('"daily"', '"weekly"')})
    assert (wrong.status_code, [each["facts"]["path"] for each in wrong.context["reasons"]]) == (409, ["profile.rows"])
    for number in (1, 2):
        assert client.post(keep, said)["Location"] == page_of(row := SettingChange.objects.latest("id"))
        assert profile_samples.DEMO.joinpath("yayoi.toml").read_text(encoding="utf-8")[:40] in row.after["text"]
        assert client_of(other).get(page_of(row)).status_code == 200
        assert client_of(other).post(step_of(row, "approve"), {"version": 1}).status_code == 302
        assert list(Profile.objects.get().versions.order_by("number").values_list("number", flat=True)) == list(
            range(1, number + 1)
        )
        said["text"] = said["text"].replace("雑損失", "雑費")
    profile = Profile.objects.get()
    page = client.get(f"/admin/ledger_app/profile/{profile.pk}/change/", headers={"Accept-Language": "ja"}).content.decode()
    assert "雑費" in page
    form = client.get(f"/admin/ledger_app/profile/{profile.pk}/keep/").context["form"]
    assert form.initial["text"] == profile.versions.get(number=2).text
    for version in profile.versions.all():
        assert client.get(f"/admin/ledger_app/profileversion/{version.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("model", "said", "after"),
    [
        (HoldRule, HOLD_RULE, {"amount_most": 1250, "amount_a_day": None, "hours_most": 24, "targets": ["settlement.31"]}),
        (ClosePolicy, CLOSE_POLICY, {"freeze_after_hours": 96, "months_ahead": 1, "controls": ["debits", "entries"]}),
        (LotRule, LOT_RULE, {"expiry": "days", "validity": 20, "breakage": "programme.expense"}),
    ],
)
def test_a_rule_is_proposed_by_a_form_and_changed_by_it(
    world: World, client_of: ClientOf, other: User, model: Any, said: dict[str, str], after: dict[str, Any]
) -> None:
    name = model._meta.model_name
    keep = f"/admin/ledger_app/{name}/keep/"
    client = client_of(world.finance)
    assert keep in client.get(f"/admin/ledger_app/{name}/").content.decode()
    assert client_of(world.support).get(keep).status_code == 403
    answer = client.post(keep, said)
    row = SettingChange.objects.get()
    assert (answer["Location"], model.objects.exists()) == (page_of(row), False)
    assert after.items() <= row.after.items()
    # What is one of a few is told in words, in the language of the reader.
    page = client.get(page_of(row), headers={"Accept-Language": "ja"}).content.decode()
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    assert not {"days", "free_first", "free"} & set(re.findall(r"<strong>([a-z_]+)</strong>", table)), table
    assert client_of(other).post(step_of(row, "approve"), {"version": 1}).status_code == 302
    rule = model.objects.get()
    form = client.get(f"/admin/ledger_app/{name}/{rule.pk}/keep/").context["form"]
    filled = {each: str(form[each].value() if form[each].value() is not None else "") for each in said if each != "reason"}
    assert filled == {each: value for each, value in said.items() if each != "reason"}
    unchanged = client.post(f"/admin/ledger_app/{name}/{rule.pk}/keep/", said)
    assert [reason["code"] for reason in unchanged.context["reasons"]] == ["setting_unchanged"]
