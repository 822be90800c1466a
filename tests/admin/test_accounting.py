"""A period is handed over to accounting from its page, by each profile of its book, and what was handed over is seen there."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger_app.accounting.operations import profiles
from ledger_app.models import AuditRow, Export, Profile
from ledger_app.reports import accounting
from tests.admin.conftest import ClientOf
from tests.conftest import UserMaker
from tests.support import profile_samples
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def set_profiles(world: World) -> list[Profile]:
    return [
        profiles.load(text=profile_samples.text(target), caller=world.caller(world.finance)).row.profile
        for target in profile_samples.TARGETS
    ]


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def page_of(world: World) -> str:
    return reverse("admin:ledger_app_period_change", args=[world.opened[0].pk])


def address(world: World, profile: Profile, name: str = "") -> str:
    return reverse(f"admin:ledger_app_period_accounting{name}", args=[world.opened[0].pk, profile.pk])


@pytest.mark.parametrize("place", range(len(profile_samples.TARGETS)))
def test_a_frozen_period_is_handed_over_once_and_its_file_fetched(
    world: World, client_of: ClientOf, make_user: UserMaker, set_profiles: list[Profile], place: int
) -> None:
    profile, client = set_profiles[place], client_of(world.finance)
    world.freeze(world.applied())
    world.freeze_period(world.opened[0])
    page = client.get(page_of(world)).content.decode()
    assert all(address(world, each) in page and each.name in page for each in set_profiles)
    assert client.get(address(world, profile, "_file")).status_code == 404
    assert client.get(address(world, profile)).status_code == 200
    assert not Export.objects.exists(), "looking hands nothing over"
    for _time in range(2):
        assert client.post(address(world, profile))["Location"] == page_of(world)
    row = Export.objects.get()
    assert (row.profile, row.handed_over_by) == (profile, world.finance)
    assert AuditRow.objects.filter(subject_type="export", action="hand_over").count() == 1
    page = client.get(page_of(world), headers={"Accept-Language": "ja"}).content.decode()
    assert address(world, profile, "_file") in page
    assert bytes(row.sha256).hex() in page
    for reader in (world.finance, make_user("akira", "auditor")):
        answer = client_of(reader).get(address(world, profile, "_file"))
        assert len(content(answer)) == row.manifest["bytes"]
        assert answer["Content-Disposition"] == f'attachment; filename="CARD-2017-01-{profile.name}.csv"'
    shown = client.get(reverse("admin:ledger_app_export_change", args=[row.pk])).content.decode()
    assert "売掛金" in shown
    assert "yayoi" in client.get(reverse("admin:ledger_app_profile_changelist")).content.decode()
    assert client.get(reverse("admin:ledger_app_export_changelist")).status_code == 200


def test_an_open_period_gives_a_draft_and_nothing_is_handed_over(
    world: World, client_of: ClientOf, set_profiles: list[Profile]
) -> None:
    world.applied()
    answer = client_of(world.finance).post(address(world, set_profiles[0]))
    assert answer["Content-Disposition"] == 'attachment; filename="draft-CARD-2017-01-yayoi.csv"'
    assert content(answer).decode("cp932").startswith("# 未確定")
    assert not Export.objects.exists()


def test_who_may_not_is_told_so_and_sees_no_way(
    world: World, client_of: ClientOf, make_user: UserMaker, set_profiles: list[Profile]
) -> None:
    world.applied()
    for user in (world.engineer, world.support, make_user("akira", "auditor")):
        client = client_of(user)
        assert address(world, set_profiles[0]) not in client.get(page_of(world)).content.decode()
        answer = client.post(address(world, set_profiles[0]))
        assert (answer.status_code, [each["code"] for each in answer.context["reasons"]]) == (403, ["not_permitted"])


def test_what_refuses_it_is_told_on_the_page(world: World, client_of: ClientOf) -> None:
    world.applied()
    text = profile_samples.text("yayoi", ('role = "settlement"', 'role = "nothing"'))
    profile = profiles.load(text=text, caller=world.caller(world.finance)).row.profile
    answer = client_of(world.finance).post(address(world, profile))
    assert answer.status_code == 409
    assert {each["code"] for each in answer.context["reasons"]} == {"account_unmapped"}
    assert re.search(r"settlement\.3\d", answer.content.decode())


def test_a_profile_of_another_book_or_period_is_not_found(world: World, client_of: ClientOf, set_profiles: list[Profile]) -> None:
    of_points = reverse("admin:ledger_app_period_accounting", args=[world.opened[2].pk, set_profiles[0].pk])
    assert client_of(world.finance).get(of_points).status_code == 404
    assert client_of(world.finance).get(f"/admin/ledger_app/period/999999/accounting/{set_profiles[0].pk}/").status_code == 404


def test_a_file_that_is_another_now_is_not_sent(
    world: World, client_of: ClientOf, set_profiles: list[Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(world.finance)
    world.freeze(world.applied())
    world.freeze_period(world.opened[0])
    client.post(address(world, set_profiles[0]))
    monkeypatch.setattr("ledger_app.reports.accounting_files.SLIP", 0)
    answer = client.get(address(world, set_profiles[0], "_file"), follow=True)
    assert bytes(Export.objects.get().sha256).hex() in answer.content.decode()


def test_one_that_is_too_large_is_left_to_the_command(
    world: World, client_of: ClientOf, set_profiles: list[Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, (handed, other, _last) = client_of(world.finance), set_profiles
    batch, most = world.applied(), accounting.LINES_MOST
    monkeypatch.setattr(accounting, "LINES_MOST", 13)
    codes = [[each["code"] for each in client.post(address(world, other)).context["reasons"]]]
    world.freeze(batch)
    world.freeze_period(world.opened[0])
    codes.append([each["code"] for each in client.post(address(world, other)).context["reasons"]])
    assert codes == [["export_too_large"]] * 2, "neither as a draft nor as the final file"
    monkeypatch.setattr(accounting, "LINES_MOST", most)
    client.post(address(world, handed))
    monkeypatch.setattr(accounting, "LINES_MOST", 13)
    answer = client.get(address(world, handed, "_file"), follow=True)
    assert "An engineer writes it with export --profile" in answer.content.decode()


def test_lists_show_the_version_in_force_and_ask_no_more_for_more(
    world: World, client_of: ClientOf, set_profiles: list[Profile]
) -> None:
    client, address_of_list = client_of(world.finance), reverse("admin:ledger_app_profile_changelist")
    caller = world.caller(world.finance)
    profiles.load(text=profile_samples.text("yayoi", ('name = "yayoi"', 'name = "third"')), caller=caller)

    def asked() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address_of_list).content.decode()
        return len(queries), page

    asked()
    before, page = asked()
    assert re.findall(r"field-newest_version[^>]*>([^<]*)<", page) == ["1"] * 4
    for target in profile_samples.TARGETS:
        profiles.load(text=profile_samples.text(target) + "# again\n", caller=caller)
        profiles.load(text=profile_samples.text("yayoi", ('name = "yayoi"', f'name = "other-{target}"')), caller=caller)
    after, page = asked()
    assert sorted(re.findall(r"field-newest_version[^>]*>([^<]*)<", page)) == ["1"] * 4 + ["2"] * 3
    assert before == after
