"""The first page, and what a refusal leaves to be read."""

import pytest
from django.urls import reverse

from config.doors.admin import front
from ledger_app.errors import Refused
from ledger_app.models import AuditRow
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes.rules import SETTINGS
from tests.admin.conftest import ClientOf, RoleOf, another_file, bring_to, name_of_file, page_of
from tests.support.world import World


def test_the_empty_list_of_batches_tells_an_engineer_how_to_begin(world: World, client_of: ClientOf) -> None:
    door = reverse("admin:ingestion_app_batch_receive")
    assert (
        door
        in client_of(world.engineer).get(reverse("admin:ingestion_app_batch_changelist")).content.decode().split("empty-list")[1]
    )
    assert door not in client_of(world.finance).get(reverse("admin:ingestion_app_batch_changelist")).content.decode()


@pytest.mark.parametrize(
    ("role", "said"), [("support", "Find and explain"), ("auditor", "Find and explain"), ("engineer", "Receive a file")]
)
def test_the_first_page_gives_every_role_a_way_to_begin(
    world: World, client_of: ClientOf, somebody: RoleOf, role: str, said: str
) -> None:
    assert said in client_of(somebody(role)).get(reverse("admin:index")).content.decode()


def test_the_first_page_shows_what_waits_for_whom(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    batch = bring_to(world, "validated")
    assert "Batches to approve" in client_of(world.finance).get(reverse("admin:index")).content.decode()
    own = world.receive(another_file(2), name=name_of_file(2), user=world.superuser)
    world.validate(own, user=world.superuser)
    text = client_of(world.superuser).get(reverse("admin:index")).content.decode()
    assert f">{batch}<" in text.split("Batches to approve")[1].split("</section>")[0]
    assert f">{own}<" not in text.split("Batches to approve")[1].split("</section>")[0]


@pytest.mark.parametrize("state", ["received", "refused", "approved", "applying", "half"])
def test_the_first_page_says_of_a_batch_that_has_stopped_that_it_waits_for_a_person(
    world: World, client_of: ClientOf, state: str
) -> None:
    batch = bring_to(world, "received" if state == "refused" else state)
    if state == "refused":
        for stored in world.directory.rglob("*"):
            if stored.is_file():
                stored.unlink()
        with pytest.raises(Refused, match="file"):
            world.validate(batch)
    text = client_of(world.engineer).get(reverse("admin:index")).content.decode()
    assert text.count("it has stopped: a person must start it again or end it") == (state in {"refused", "half"})


def test_the_audit_page_of_a_refusal_lists_every_reason_with_its_code(world: World, client_of: ClientOf) -> None:
    batch = world.receive()
    with pytest.raises(Refused):
        world.approve(batch, user=world.support, digest="")
    row = AuditRow.objects.get(outcome="refused")
    text = client_of(world.support).get(page_of(row)).content.decode()
    assert "was refused: Approve" in text
    for code in ("wrong_state", "not_permitted"):
        assert f"<code>{code}</code>" in text


def test_a_template_waits_for_whoever_may_open_books(world: World, client_of: ClientOf) -> None:
    said = {"book": "POINTS", "role": "wallet", "category": "liability", "floor": 0}
    setting_changes.propose(kind="template", arguments=said, reason="Members have one.", caller=world.caller(world.finance))
    text = client_of(world.engineer).get(reverse("admin:index")).content.decode()
    assert "wallet" in text.split("Account templates to decide")[1].split("</section>")[0]
    assert "Account templates to decide" not in client_of(world.support).get(reverse("admin:index")).content.decode()


def test_each_kind_of_setting_waits_for_whoever_has_its_own_right() -> None:
    asked = {kind: each.permission for each in front.waiting() if each.model == "ledger_app.settingchange" for kind in each.kinds}
    assert asked == {kind: setting.right for kind, setting in SETTINGS.items()}
