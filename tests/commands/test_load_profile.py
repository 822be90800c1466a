"""load_profile: how a book's entries become an accounting program's file, version by version."""

from pathlib import Path
from typing import Any

import pytest

from ledger_app.models import AuditRow, Profile, ProfileVersion
from tests.commands.conftest import Run
from tests.support import profile_samples
from tests.support.world import World


def refused(ended: Any) -> list[str]:
    return [reason["code"] for reason in ended.data["refused"]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profile.toml"


def test_the_system_sets_the_first_and_changes_none(world: World, run: Run, path: Path) -> None:
    path.write_text(profile_samples.text(), encoding="utf-8")
    first = run("load_profile", path, "--json").data
    assert (first["book"], first["profile"], first["version"], first["changed"]) == ("CARD", "yayoi", 1, True)
    assert run("load_profile", path, "--json").data == {**first, "changed": False}
    path.write_text(profile_samples.text("yayoi", ("雑損失", "雑費")), encoding="utf-8")
    ended = run("load_profile", path, "--json")
    assert (ended.status, refused(ended)) == (1, ["definition_conflict"])
    assert first["digest"] in ended.data["refused"][0]["facts"]["differs"]
    changed = run("load_profile", path, "--user", world.finance.username, "--json").data
    assert (changed["version"], changed["changed"]) == (2, True)
    assert [row.text.count("雑費") for row in ProfileVersion.objects.order_by("number")] == [0, 1]
    rows = AuditRow.objects.filter(subject_type="profile", outcome="done")
    assert [row.facts["version"] for row in rows.order_by("id")] == [1, 2]


def test_each_fault_is_told_with_its_line_and_path(world: World, run: Run, path: Path) -> None:
    path.write_text(
        profile_samples.text("yayoi", ('"daily"', '"weekly"'), ('role = "receivable"', 'roles = "x"')), encoding="utf-8"
    )
    ended = run("load_profile", path, "--json")
    assert (ended.status, set(refused(ended))) == (1, {"profile_invalid"})
    places = [(each["facts"]["line"], each["facts"]["path"]) for each in ended.data["refused"]]
    assert places == [(7, "profile.rows")]
    path.write_text(profile_samples.text("yayoi", ('role = "receivable"', 'roles = "x"')), encoding="utf-8")
    told = run("load_profile", path, "--json").data["refused"]
    assert [(each["facts"]["line"], each["facts"]["path"]) for each in told] == [(13, "account[0]"), (14, "account[0].roles")]
    assert "account[0].roles" in told[1]["sentence"]
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("there", "given", "code"),
    [
        ('book = "CARD"', 'book = "NONE"', "not_found"),
        ("yen_a_minor_unit = 1\n", "", "profile_needs_yen"),
        ('name = "yayoi"', 'name = "yay\u200boi"', "profile_invalid"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(world: World, run: Run, path: Path, there: str, given: str, code: str) -> None:
    path.write_text(profile_samples.text("yayoi", (there, given)), encoding="utf-8")
    ended = run("load_profile", path, "--json")
    assert (ended.status, refused(ended)) == (1, [code])


def test_only_whoever_has_the_right_sets_one(world: World, run: Run, path: Path) -> None:
    path.write_text(profile_samples.text(), encoding="utf-8")
    ended = run("load_profile", path, "--user", world.support.username, "--json")
    assert (ended.status, refused(ended)) == (1, ["not_permitted"])
    assert run("load_profile", path.parent / "away.toml").status == 2
