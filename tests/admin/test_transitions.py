"""The buttons: the right person can, by POST, from the page that says what will happen; everybody else is refused, and that is kept."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.states import BATCH
from ledger_app.models import AuditRow, Period, User
from tests.admin.conftest import (
    ROLES,
    ClientOf,
    RoleOf,
    another_file,
    begin_applying,
    bring_to,
    hidden,
    name_of_file,
    page_of,
    refusals,
    step_of,
    work,
)
from tests.support import world as worlds
from tests.support.world import World

# (transition, the state it begins in, who may, the state it ends in)
STEPS = (
    ("validate", "received", "engineer", "validated"),
    ("acknowledge", "alerted", "finance", "validated"),
    ("approve", "validated", "finance", "approved"),
    ("apply", "approved", "engineer", "applied"),
    ("resume", "applying", "engineer", "applied"),
    ("pause", "applying", "engineer", "applying"),
    ("reverse", "applied", "engineer", "applied"),
    ("freeze", "applied", "finance", "frozen"),
    ("withdraw", "approved", "engineer", "withdrawn"),
    ("leave", "half", "finance", "applied"),
)


def snapshot(batch: Batch) -> Any:
    """Return the batch, its chunks and the ledger as they are: what a refusal must not change."""
    return worlds.work(batch.pk), worlds.ledger(), Batch.objects.values_list("version", "holds_slot").get(pk=batch.pk)


def codes_in(response: Any) -> set[str]:
    return {reason["code"] for reason in response.context["reasons"]}


def test_the_steps_here_are_all_that_a_person_may_ask_for() -> None:
    assert {name for name, *_ in STEPS} == {each.name for each in BATCH.transitions if not each.automatic}


@pytest.mark.parametrize(("name", "begins", "role", "ends"), STEPS)
def test_the_right_person_carries_a_step_out_from_its_confirmation_page(
    world: World, client_of: ClientOf, somebody: RoleOf, name: str, begins: str, role: str, ends: str
) -> None:
    batch = bring_to(world, begins)
    client = client_of(somebody(role))
    before = snapshot(batch)
    shown = client.get(step_of(batch, name))
    assert shown.status_code == 200
    assert snapshot(batch) == before, "looking changes nothing"
    form = dict(shown.context["token"])
    text = shown.content.decode()
    for key, value in form.items():
        assert f'name="{key}" value="{value}"' in text
    response = client.post(step_of(batch, name), {**form, "reason": "It is right."})
    assert response.status_code == 302
    # Anyone who proposes a reversal is led to the batch that was made.
    assert response["Location"].startswith(page_of(batch.reversals.get() if name == "reverse" else batch))
    work()
    batch.refresh_from_db()
    assert batch.state == ends
    row = AuditRow.objects.filter(subject_type="batch", subject_id=batch.pk, action=name, outcome="done").latest("id")
    assert row.actor.username == f"{role}-9"
    # What runs outside the request is written down by the task that runs it.
    assert row.door == ("task" if name == "validate" else "admin")
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.parametrize("name", [name for name, *_ in STEPS])
@pytest.mark.parametrize("role", ROLES)
def test_a_wrong_person_is_refused_by_name_and_nothing_changes(
    world: World, client_of: ClientOf, somebody: RoleOf, name: str, role: str
) -> None:
    (begins, right_role) = next((begins, who) for step, begins, who, _ in STEPS if step == name)
    if role == right_role:
        return
    batch = bring_to(world, begins)
    before = snapshot(batch)
    client = client_of(somebody(role))
    assert codes_in(client.get(step_of(batch, name))) == {"not_permitted"}
    response = client.post(step_of(batch, name), hidden(batch, reason="Because."))
    assert response.status_code == 403
    assert codes_in(response) == {"not_permitted"}
    assert snapshot(batch) == before
    assert work() == []
    (row,) = refusals(batch)
    assert (row.action, row.actor.username, row.door) == (name, f"{role}-9", "admin")
    assert [reason["code"] for reason in row.reasons] == ["not_permitted"]


@pytest.mark.parametrize("role", ["support", "auditor", "finance"])
def test_an_applied_batch_is_not_begun_again_by_who_may_not(
    world: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    batch = bring_to(world, "applied")
    response = client_of(somebody(role)).post(step_of(batch, "apply"), hidden(batch))
    assert response.status_code == 403
    assert codes_in(response) == {"wrong_state", "not_permitted"}
    assert work() == []
    assert len(refusals(batch)) == 1


def test_an_engineer_who_applies_an_applied_batch_is_told_so(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    before = snapshot(batch)
    response = client_of(world.engineer).post(step_of(batch, "apply"), hidden(batch), follow=True)
    assert "was applied before" in response.content.decode()
    assert work() == []
    assert snapshot(batch) == before


@pytest.mark.parametrize("did", ["received", "validated"])
@pytest.mark.parametrize("kind", ["finance", "superuser"])
def test_nobody_approves_what_they_received_or_validated_superusers_included(
    world: World, client_of: ClientOf, somebody: RoleOf, kind: str, did: str
) -> None:
    user = somebody("superuser") if kind == "superuser" else of_two_groups(somebody)
    receiver, planner = (user, world.engineer) if did == "received" else (world.engineer, user)
    batch = world.validate(world.receive(user=receiver), user=planner)
    before = snapshot(batch)
    client = client_of(user)
    assert codes_in(client.get(step_of(batch, "approve"))) == {"own_proposal"}
    response = client.post(step_of(batch, "approve"), hidden(batch))
    assert response.status_code == 409
    assert codes_in(response) == {"own_proposal"}
    assert "Another person must approve it" in response.content.decode()
    assert '<form method="post" class="card"' not in response.content.decode()
    assert snapshot(batch) == before
    assert [row.actor for row in refusals(batch)] == [user]


def of_two_groups(somebody: RoleOf) -> User:
    """Somebody who is wrongly in two groups: the rights would do, the four eyes are missing."""
    from django.contrib.auth.models import Group

    user = somebody("finance")
    user.groups.add(Group.objects.get(name="engineer"))
    return user


def test_a_superuser_approves_what_others_proposed(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    assert client_of(world.superuser).post(step_of(batch, "approve"), hidden(batch)).status_code == 302


@pytest.mark.parametrize("begins", ["received", "validated", "approved", "applying", "applied", "frozen", "withdrawn"])
def test_a_step_in_the_wrong_state_is_refused_with_the_states_it_needs(world: World, client_of: ClientOf, begins: str) -> None:
    batch = bring_to(world, begins)
    client = client_of(world.superuser)
    for transition in BATCH.transitions:
        if transition.automatic:
            assert client.post(step_of(batch, transition.name), hidden(batch)).status_code == 404
            continue
        done_already = transition.name in {"apply", "resume"} and begins in {"applied", "frozen"}
        if begins in transition.sources or done_already:
            continue
        response = client.post(step_of(batch, transition.name), hidden(batch, reason="x"))
        assert response.status_code == 409, transition.name
        assert "wrong_state" in codes_in(response)
    batch.refresh_from_db()
    assert batch.state == begins


@pytest.mark.parametrize(("name", "begins", "role", "ends"), STEPS)
def test_looking_never_changes_anything(
    world: World, client_of: ClientOf, somebody: RoleOf, name: str, begins: str, role: str, ends: str
) -> None:
    batch = bring_to(world, begins)
    client = client_of(somebody(role))
    before, rows = snapshot(batch), AuditRow.objects.count()
    for method in (client.get, client.head, client.options, client.put, client.patch, client.delete):
        method(step_of(batch, name))
        method(f"{step_of(batch, name)}?version={batch.version}&reason=x&plan={hidden(batch)['plan']}")
    assert (snapshot(batch), AuditRow.objects.count(), work()) == (before, rows, [])


@pytest.mark.parametrize(("name", "begins", "role", "ends"), STEPS)
def test_a_post_from_another_site_is_refused(
    world: World, somebody: RoleOf, name: str, begins: str, role: str, ends: str
) -> None:
    batch = bring_to(world, begins)
    before = snapshot(batch)
    client = Client(enforce_csrf_checks=True)
    client.force_login(somebody(role))
    response = client.post(step_of(batch, name), hidden(batch, reason="x"))
    assert response.status_code == 403
    assert "nothing was done" in response.content.decode()
    assert snapshot(batch) == before
    receive = reverse("admin:ingestion_app_batch_receive")
    assert client.post(receive, {}).status_code == 403


def test_a_decision_on_a_page_that_is_out_of_date_is_refused(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    shown = hidden(batch)
    world.validate(batch)  # somebody validates again, to the same plan
    assert hidden(batch)["plan"] == shown["plan"]
    before = snapshot(batch)
    response = client_of(world.finance).post(step_of(batch, "approve"), shown)
    assert response.status_code == 409
    assert "stale" in codes_in(response)
    assert snapshot(batch) == before
    assert refusals(batch) == []  # another tab is no attempt at what may not be


@pytest.mark.parametrize("plan", ["0" * 64, "", "x", "0"])
def test_an_approval_of_another_plan_than_the_one_shown_is_refused(world: World, client_of: ClientOf, plan: str) -> None:
    batch = bring_to(world, "validated")
    before = snapshot(batch)
    response = client_of(world.finance).post(step_of(batch, "approve"), {"version": batch.version, "plan": plan})
    assert response.status_code == 409
    assert codes_in(response) == {"plan_not_shown"}
    assert snapshot(batch) == before


def test_an_approval_that_names_no_plan_at_all_is_refused(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    assert client_of(world.finance).post(step_of(batch, "approve"), {}).status_code == 409
    batch.refresh_from_db()
    assert batch.state == "validated"


@pytest.mark.parametrize("version", ["", "x", "-1", "１", "9" * 400])
def test_a_step_without_the_version_that_was_shown_is_refused(world: World, client_of: ClientOf, version: str) -> None:
    batch = bring_to(world, "validated")
    response = client_of(world.finance).post(step_of(batch, "approve"), {**hidden(batch), "version": version})
    assert response.status_code == 409
    batch.refresh_from_db()
    assert batch.state == "validated"


@pytest.mark.parametrize(("reason", "said"), [("", "reason"), ("   ", "reason"), ("x" * 501, "500")])
def test_a_withdrawal_needs_a_reason_that_fits(world: World, client_of: ClientOf, reason: str, said: str) -> None:
    batch = bring_to(world, "validated")
    before = snapshot(batch)
    response = client_of(world.engineer).post(step_of(batch, "withdraw"), hidden(batch, reason=reason))
    assert response.status_code == 409
    assert said in response.context["reason_error"]
    assert response.context["reason"] == reason, "what was typed is not lost"
    assert 'name="reason"' in response.content.decode(), "and can be mended on the page"
    assert snapshot(batch) == before
    done = client_of(world.engineer).post(step_of(batch, "withdraw"), hidden(batch, reason="Sent twice."))
    assert done.status_code == 302
    assert AuditRow.objects.get(action="withdraw", outcome="done").reason == "Sent twice."


def test_applying_runs_outside_the_request_and_the_page_follows_it(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "approved")
    client = client_of(world.engineer)
    asked = client.post(step_of(batch, "apply"), hidden(batch))
    batch.refresh_from_db()
    assert batch.state == "applying"
    assert not Chunk.objects.filter(batch=batch, state="applied").exists(), "the request itself applied nothing"
    page = client.get(asked["Location"])
    text = page.content.decode()
    assert 'data-running="true"' in text
    assert "Queued" in text
    assert not any(offer["primary"] for offer in page.context["offers"]), "what is under way is not the next thing to do"
    fragment = page.context["progress_url"]
    assert f'data-progress-url="{fragment}"' in text
    assert 'data-running="true"' in client.get(fragment).content.decode()
    begin_applying(world)(batch)  # delivered twice, or resumed meanwhile
    (said, *more) = work()
    assert said == {"batch": batch.pk, "state": "applied", "stopped": 0}
    assert more == []
    after = client.get(fragment).content.decode()
    assert 'data-running="false"' in after
    assert "100 %" in after
    assert "<html" not in after
    where = after.split('data-part="where"')[1].split("Still to come")
    assert "28.00" in where[0], "where every record is follows too"
    assert "0.00" in where[1]
    text = client.get(asked["Location"]).content.decode()
    assert 'data-running="false"' in text
    assert "applied the last chunk" in text


def test_validating_runs_outside_the_request_and_the_page_follows_it(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "received")
    client = client_of(world.engineer)
    asked = client.post(step_of(batch, "validate"), hidden(batch))
    assert not Attempt.objects.filter(batch=batch).exists()
    assert 'data-running="true"' in client.get(asked["Location"]).content.decode()
    # Somebody else's page, or the same one later, does not follow what was never asked for there.
    assert 'data-running="true"' not in client.get(page_of(batch)).content.decode()
    work()
    assert 'data-running="false"' in client.get(asked["Location"]).content.decode()
    # Asked again of a batch that has been validated, it is queued again.
    again = client.post(step_of(batch, "validate"), hidden(batch))
    assert 'data-running="true"' in client.get(again["Location"]).content.decode()
    assert again["Location"] != asked["Location"]


@pytest.mark.parametrize("asked", ["", "x", "-1", "１", "9" * 30])
def test_a_strange_address_of_a_batch_page_is_no_error(world: World, client_of: ClientOf, asked: str) -> None:
    batch = bring_to(world, "received")
    client = client_of(world.engineer)
    assert client.get(page_of(batch), {"asked_after": asked}).status_code == 200
    fragment = reverse("admin:ingestion_app_batch_progress", args=[batch.pk])
    assert client.get(fragment, {"asked_after": asked}).status_code == 200


def test_a_running_attempt_whose_process_is_gone_is_said_to_be_silent(world: World, client_of: ClientOf) -> None:
    from ingestion_app.batches.operations import attempts

    batch = bring_to(world, "applying")
    attempts.begin(batch=batch, step="apply", caller=world.caller(), host="far", process=7)  # its heart beat in 2017
    text = client_of(world.engineer).get(page_of(batch)).content.decode()
    assert "its process is gone" in text
    assert 'data-running="true"' not in text


def test_a_stopped_chunk_says_why_on_the_pages(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "approved")
    worlds.set_account("receivable.1003", "suspended")
    client = client_of(world.engineer)
    refused = client.post(step_of(batch, "apply"), hidden(batch))
    assert refused.status_code == 409
    assert "plan_moved" in codes_in(refused)
    worlds.set_account("receivable.1003", "open")
    assert client.post(step_of(batch, "apply"), hidden(batch)).status_code == 302
    worlds.set_account("receivable.1003", "suspended")
    work()
    chunk = Chunk.objects.get(batch=batch, state="stopped")
    assert "receivable.1003" in client.get(page_of(chunk)).content.decode()
    text = client.get(page_of(batch)).content.decode()
    assert "cell-stopped" in text
    assert "receivable.1003" in text


def test_the_buttons_that_cannot_be_pressed_stand_there_with_their_reasons(
    world: World, client_of: ClientOf, somebody: RoleOf
) -> None:
    batch = bring_to(world, "validated")
    for role in ROLES:
        client = client_of(somebody(role))
        offers = {offer["name"]: offer for offer in client.get(page_of(batch)).context["offers"]}
        assert offers.keys() == {
            "validate",
            "acknowledge",
            "approve",
            "apply",
            "resume",
            "pause",
            "freeze",
            "reverse",
            "leave",
            "withdraw",
        }
        free = {name for name, offer in offers.items() if not offer["blockers"]}
        assert free == {"engineer": {"validate", "withdraw"}, "finance": {"approve"}}.get(role, set())
        for name, offer in offers.items():
            confirmation = client.get(step_of(batch, name))
            assert codes_in(confirmation) == {reason["code"] for reason in offer["blockers"]}, "one answer everywhere"


def test_a_step_of_what_is_not_there_is_not_found(world: World, client_of: ClientOf) -> None:
    client = client_of(world.superuser)
    batch = bring_to(world, "received")
    period = Period.objects.earliest("id")
    for address in (
        step_of(batch, "undo"),
        step_of(batch, "reject"),
        step_of(period, "apply"),
        step_of(batch, "validate").replace(f"/{batch.pk}/", "/999/"),
    ):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404


def test_the_confirmation_says_what_will_happen_in_records_money_and_periods(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    text = client_of(world.finance).get(step_of(batch, "approve")).content.decode()
    assert name_of_file(1) in text
    assert "28.00 <abbr>USD</abbr>" in text
    assert "CARD 2017-01 (Open)" in text
    assert another_file(1).count(b"\nD,") == 8
    assert batch.record_count == 8
