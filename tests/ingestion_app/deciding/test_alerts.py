"""What looks wrong is acknowledged, by what was shown, by the person who approves such batches, before a batch is approved; and again after another validation."""

import pytest

from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import alerts, batches
from ingestion_app.models import Acknowledgement, Batch, FileShape
from ingestion_app.sources.queries import definitions
from ingestion_app.validating.queries import shape_proposals
from ingestion_app.verification.proofs import making as making_proofs
from ledger_app.errors import Refused
from ledger_app.models import AuditRow, User
from tests.support import alerted as shaped
from tests.support.world import World

pytestmark = pytest.mark.django_db


def acknowledge(
    world: World, batch: Batch, *, user: User | None = None, shown: str | None = None, reason: str = "A sale."
) -> Batch:
    digest = alerts.digest_of(Batch.objects.get(pk=batch.pk)) if shown is None else shown
    return deciding.acknowledge(batch_id=batch.pk, reason=reason, alerts_shown=digest, caller=world.caller(user or world.finance))


def refused(act: object) -> list[str]:
    with pytest.raises(Refused) as refusal:
        act()  # type: ignore[operator]
    return [reason.code for reason in refusal.value.reasons]


def test_a_batch_with_alerts_is_approved_once_finance_has_acknowledged_them(world: World) -> None:
    batch = shaped.alerted(world)
    assert batch.finding_counts == {"shape.count_outside": 1, "shape.sum_outside": 1}
    assert alerts.count_of(batch) == 2
    assert refused(lambda: world.approve(batch)) == ["alerts_open"]
    done = acknowledge(world, batch)
    assert (done.state, done.version) == ("validated", batch.version + 1)
    assert not batches.was_approved_before(done)
    row = AuditRow.objects.get(action="acknowledge", outcome="done")
    assert (row.actor, row.reason, row.facts["alerts"]) == (world.finance, "A sale.", alerts.digest_of(done))
    assert world.approve(batch).state == "approved"
    assert world.apply(batch).batch.state == "applied"


def test_only_another_of_finance_acknowledges_and_only_what_was_shown_and_with_a_reason(world: World) -> None:
    batch = shaped.alerted(world)
    assert "not_permitted" in refused(lambda: acknowledge(world, batch, user=world.support))
    assert "own_proposal" in refused(lambda: acknowledge(world, batch, user=world.engineer))
    assert refused(lambda: acknowledge(world, batch, shown="0" * 64)) == ["alerts_not_shown"]
    assert refused(lambda: acknowledge(world, batch, reason=" ")) == ["reason_required"]
    assert not Acknowledgement.objects.exists()
    acknowledge(world, batch)
    assert refused(lambda: acknowledge(world, batch)) == ["alerts_acknowledged"]


def test_a_new_validation_voids_an_acknowledgement(world: World) -> None:
    batch = shaped.alerted(world)
    acknowledge(world, batch)
    again = world.validate(batch)
    assert alerts.acknowledgement_of(again) is None
    assert refused(lambda: world.approve(batch)) == ["alerts_open"]
    acknowledge(world, batch, reason="Asked again.")
    assert world.approve(batch).state == "approved"
    assert Acknowledgement.objects.count() == 2


def test_a_batch_without_alerts_has_nothing_to_acknowledge(world: World) -> None:
    shaped.with_earlier(world)
    content, name = shaped.file_of(2)
    batch = world.validated(content, name=name)
    assert batch.finding_counts == {}
    assert refused(lambda: acknowledge(world, batch, shown="")) == ["no_alerts"]
    assert world.approve(batch).state == "approved"


def test_the_approved_plan_is_one_with_its_alerts(world: World) -> None:
    batch = shaped.alerted(world)
    acknowledge(world, batch)
    world.approve(batch)
    finding = batch.findings.filter(severity="alert").first()
    assert finding is not None
    type(finding).objects.filter(pk=finding.pk).update(facts={**finding.facts, "found": 12})
    assert refused(lambda: world.begin(batch)) == ["plan_damaged"]


def test_the_shape_is_kept_with_a_validated_file_and_says_what_it_was_held_against(world: World) -> None:
    batch = shaped.alerted(world)
    first = [each.pk for each in Batch.objects.filter(state="applied").order_by("-id")]
    assert FileShape.objects.get(batch=batch).compared == first
    assert FileShape.objects.get(batch=batch).content["records"] == 36
    world.validate(batch)
    assert FileShape.objects.filter(batch=batch).count() == 1


def test_a_reversed_file_is_no_measure_for_later_ones(world: World) -> None:
    shaped.with_earlier(world, 1)
    world.reversed(Batch.objects.get(state="applied"))
    content, name = shaped.file_of(2, records=36)
    batch = world.validated(content, name=name)
    assert batch.finding_counts == {}
    assert FileShape.objects.get(batch=batch).compared == []


def test_figures_are_proposed_under_which_the_files_of_a_source_raise_nothing(world: World) -> None:
    batch = shaped.alerted(world)
    acknowledge(world, batch)
    world.approve(batch)
    world.apply(batch)
    source = batch.source
    rules = definitions.definition_of(definitions.current_version(source)).shape
    found = shape_proposals.propose(source, rules)
    assert [past.alerts for past in found.now] == [(), (), ("shape.count_outside", "shape.sum_outside")]
    assert [past.alerts for past in found.then] == [(), (), ()]
    figures = shape_proposals.changed(rules, found.rules)
    assert figures.keys() == {"count_percent", "sum_percent"}
    assert figures["count_percent"] >= 300


def test_an_acknowledgement_that_nobody_gave_is_seen(world: World) -> None:
    batch = shaped.alerted(world)
    acknowledge(world, batch)
    assert list(making_proofs.what_was_made_has_its_audit_row([])) == []
    given = Acknowledgement.objects.get()
    seen_in = alerts.last_validation(world.validate(batch))
    assert seen_in is not None
    Acknowledgement.objects.create(
        batch=batch,
        validation=seen_in,
        alerts=1,
        digest=given.digest,
        reason=given.reason,
        acknowledged_by=world.finance,
        acknowledged_at=given.acknowledged_at,
    )
    assert ["acknowledged" in each for each in making_proofs.what_was_made_has_its_audit_row([])] == [True]


def test_a_terminal_asks_for_an_acknowledgement_while_one_can_be_given_and_no_longer(world: World) -> None:
    batch = shaped.alerted(world)
    assert alerts.line_of(batch) == f"alerts: 2, to be acknowledged before it is approved; digest {alerts.digest_of(batch)}"
    assert alerts.line_of(acknowledge(world, batch)) == "alerts: 2, acknowledged by fumiko: A sale."
    ended = world.withdraw(world.validate(batch))
    assert alerts.line_of(ended) == "alerts: 2"
