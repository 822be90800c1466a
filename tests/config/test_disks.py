"""Whether what the books rest on lies encrypted, as the system tells; a key that is named after its month tells when it is old."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config import checks, disks

MAPPED = "CRYPT-LUKS2-0-books"


def a_system(root: Path, devices: dict[str, tuple[str, list[str]]]) -> Path:
    """Make what the kernel shows of block devices: of each its number, what device-mapper calls it, and what it rests on."""
    for number, (mapped, below) in devices.items():
        device = root / number
        (device / "slaves").mkdir(parents=True)
        if mapped:
            (device / "dm").mkdir()
            (device / "dm" / "uuid").write_text(f"{mapped}\n", encoding="ascii")
        for each in below:
            (device / "slaves" / each).symlink_to(root / each)
    return root


def here(folder: Path) -> str:
    number = folder.stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


CASES: dict[str, tuple[dict[str, tuple[str, list[str]]], bool]] = {
    "a bare disk": ({"HERE": ("", [])}, False),
    "dm-crypt": ({"HERE": (MAPPED, ["8:1"]), "8:1": ("", [])}, True),
    "volumes on dm-crypt": ({"HERE": ("LVM-x", ["9:1"]), "9:1": (MAPPED, ["8:1"]), "8:1": ("", [])}, True),
    "volumes on a bare disk": ({"HERE": ("LVM-x", ["8:1"]), "8:1": ("", [])}, False),
    "volumes of which one is bare": ({"HERE": ("LVM-x", ["9:1", "8:2"]), "9:1": (MAPPED, []), "8:2": ("", [])}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_folder_is_encrypted_where_all_that_it_rests_on_is(tmp_path: Path, case: str) -> None:
    devices, expected = CASES[case]
    system = a_system(
        tmp_path / "sys", {here(tmp_path) if number == "HERE" else number: said for number, said in devices.items()}
    )
    assert disks.is_encrypted(tmp_path, system=system) is expected
    # What is not there yet will lie where what is above it lies.
    assert disks.is_encrypted(tmp_path / "not" / "yet", system=system) is expected


def test_a_partition_rests_on_what_its_whole_rests_on(tmp_path: Path) -> None:
    whole = tmp_path / "block" / "md0"
    (whole / "md0p1").mkdir(parents=True)
    (whole / "md0p1" / "partition").touch()
    (whole / "slaves" / "dm-0" / "dm").mkdir(parents=True)
    (whole / "slaves" / "dm-0" / "dm" / "uuid").write_text(MAPPED, encoding="ascii")
    system = tmp_path / "sys"
    system.mkdir()
    (system / here(tmp_path)).symlink_to(whole / "md0p1")
    assert disks.is_encrypted(tmp_path, system=system) is True
    (whole / "slaves" / "dm-0" / "dm" / "uuid").write_text("LVM-x", encoding="ascii")
    assert disks.is_encrypted(tmp_path, system=system) is False


def test_where_the_system_tells_nothing_nothing_is_told(tmp_path: Path) -> None:
    assert disks.is_encrypted(tmp_path, system=tmp_path / "none") is None
    round_about = a_system(tmp_path / "sys", {here(tmp_path): ("LVM-x", [here(tmp_path)])})
    assert disks.is_encrypted(tmp_path, system=round_about) is None


@pytest.mark.parametrize(("answer", "expected"), [(True, []), (False, ["kakutei.W015"]), (None, [])])
def test_check_deploy_warns_of_a_bare_disk(monkeypatch: pytest.MonkeyPatch, answer: bool | None, expected: list[str]) -> None:
    monkeypatch.setattr(disks, "is_encrypted", lambda _folder: answer)
    assert [each.id for each in checks.check_deployment() if each.id == "kakutei.W015"] == expected


@pytest.mark.mariadb
@pytest.mark.django_db
def test_the_folder_of_the_database_is_asked_as_well(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(disks, "is_encrypted", asked.append)
    settings.IS_DEVELOPMENT = False
    checks.check_database(databases=["default"])
    assert [folder.is_absolute() for folder in asked] == [True]
    settings.IS_DEVELOPMENT = True
    checks.check_database(databases=["default"])
    assert len(asked) == 1


@pytest.mark.parametrize("setting", ["KAKUTEI_CARD_KEYS", "KAKUTEI_FACTOR_KEYS"])
@pytest.mark.parametrize(
    ("names", "is_old"),
    [
        (["2024-11"], False),
        (["2024-10"], True),
        (["2024-10-b"], True),
        (["2026-11", "2020-01"], False),
        (["2020-01", "2026-11"], True),
        (["first"], False),
        (["2020-13"], False),
        ([], False),
    ],
)
def test_a_key_that_tells_when_it_was_made_is_told_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch, settings: Any, setting: str, names: list[str], *, is_old: bool
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 30, tzinfo=UTC))
    settings.KAKUTEI_CARD_KEYS = settings.KAKUTEI_FACTOR_KEYS = {}
    setattr(settings, setting, dict.fromkeys(names, b"x"))
    found = [str(each.msg) for each in checks.check_deployment() if each.id == "kakutei.W014"]
    assert [setting in said for said in found] == [True] * is_old
