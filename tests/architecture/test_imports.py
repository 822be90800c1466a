"""The import contracts of pyproject.toml, shown to hold on empty floors and to fail on each import that points up."""

import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]
LEDGER, INGESTION, KINDS = CONTRACTS[:3]


def floors(contract: dict[str, Any]) -> list[list[str]]:
    """Return the floors of a contract, the highest first; rooms beside each other are on one."""
    return [re.findall(r"\w+", floor) for floor in contract["layers"]]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return a folder with every room of the house, empty, under the project's own contracts."""
    rooms = [
        f"{contract['containers'][0]}/{room}" for contract in (LEDGER, INGESTION) for floor in floors(contract) for room in floor
    ]
    rooms += [
        f"{subject.replace('.', '/')}/{kind}" for subject in KINDS["containers"] for floor in floors(KINDS) for kind in floor
    ]
    for room in ["config/doors", *rooms]:
        (tmp_path / room).mkdir(parents=True, exist_ok=True)
    for folder in (path for path in tmp_path.rglob("*") if path.is_dir()):
        (folder / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)


def broken(outcome: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the beginnings of the names of the contracts that are broken."""
    told = " ".join(outcome.stdout.partition("Contracts\n")[2].partition("Contracts:")[0].split())
    names = [contract["name"] for contract in CONTRACTS]
    return [name for name in names if f"{name} BROKEN" in told]


def plant(folder: Path, importer: str, imported: str) -> None:
    (folder / importer.replace(".", "/") / "__init__.py").write_text(f"import {imported}\n")


def test_floors_that_import_downwards_pass(sample: Path) -> None:
    for contract in (LEDGER, INGESTION):
        (app,), rooms = contract["containers"], floors(contract)
        for higher, lower in pairwise(rooms):
            for room in higher:
                plant(sample, f"{app}.{room}", f"{app}.{lower[0]}")
    plant(sample, "ledger_app.points.operations", "ledger_app.points.queries")
    plant(sample, "ledger_app.points.queries", "ledger_app.posting.rules")
    plant(sample, "ledger_app.api", "config.doors")
    plant(sample, "config.doors", "ledger_app.base.operations")
    outcome = lint_imports(sample)
    assert outcome.returncode == 0, outcome.stdout


UPWARDS = [
    (contract, f"{contract['containers'][0]}.{lower}", f"{contract['containers'][0]}.{higher[0]}")
    for contract in (LEDGER, INGESTION)
    for above, higher in enumerate(floors(contract))
    for lower in (floors(contract)[above + 1 :] or [[]])[0]
]
BESIDE = [
    (contract, f"{contract['containers'][0]}.admin", f"{contract['containers'][0]}.api") for contract in (LEDGER, INGESTION)
]
INSIDE = [
    (KINDS, f"{subject}.{lower}", f"{subject}.{higher}")
    for subject in ("ledger_app.points", "ingestion_app.validating")
    for lower, higher in (("rules", "queries"), ("rules", "operations"), ("queries", "operations"), ("operations", "proofs"))
]
ACROSS = [
    ("ledger_app never imports", "ledger_app.errors", "ingestion_app.errors"),
    ("ledger_app never imports", "config.doors", "ingestion_app.models"),
    ("Below the doors", "ledger_app.close.operations", "config.doors"),
    ("Below the doors", "ingestion_app.checks", "config"),
    ("Doors share", "config.doors", "ledger_app.admin"),
    ("ingestion_app uses the ledger", "ingestion_app.applying.operations", "ledger_app.reports"),
]


@pytest.mark.parametrize(
    ("contract", "importer", "imported"), [*UPWARDS, *BESIDE, *INSIDE], ids=lambda each: each if isinstance(each, str) else ""
)
def test_an_import_that_points_up_fails(sample: Path, contract: dict[str, Any], importer: str, imported: str) -> None:
    plant(sample, importer, imported)
    assert contract["name"] in broken(lint_imports(sample))


@pytest.mark.parametrize(("beginning", "importer", "imported"), ACROSS)
def test_an_import_through_a_wall_fails(sample: Path, beginning: str, importer: str, imported: str) -> None:
    plant(sample, importer, imported)
    assert any(name.startswith(beginning) for name in broken(lint_imports(sample)))


@pytest.mark.parametrize("room", ["ledger_app/extra", "ingestion_app/extra", "ledger_app/points/extra"])
def test_a_room_that_stands_on_no_floor_fails(sample: Path, room: str) -> None:
    (sample / room).mkdir()
    (sample / room / "__init__.py").write_text("")
    assert broken(lint_imports(sample))


def test_every_subject_is_held_to_its_kinds() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for app in ("ledger_app", "ingestion_app")
        for kind in ("rules", "queries", "operations", "proofs")
        for path in (*ROOT.glob(f"{app}/*/{kind}"), *ROOT.glob(f"{app}/*/{kind}.py"))
        if path.parent.name not in {"models", "checks"}
    }
    assert found == set(KINDS["containers"])
