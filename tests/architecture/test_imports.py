"""The import contracts of pyproject.toml, shown to hold on empty layers and to fail on each import that points up."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEDGER_LAYERS = ("admin", "api", "management", "reports", "operations", "queries", "locks", "models", "rules", "errors")
INGESTION_LAYERS = (
    *("admin", "api", "management", "tasks", "operations", "queries", "models"),
    *("checks", "formats", "states", "errors"),
)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return a folder with every layer as an empty module, under the project's own contracts."""
    for package, modules in (("ledger_app", LEDGER_LAYERS), ("ingestion_app", INGESTION_LAYERS)):
        (tmp_path / package).mkdir()
        for module in ("__init__", *modules):
            (tmp_path / package / f"{module}.py").write_text("")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)


def test_layers_that_import_downwards_pass(sample: Path) -> None:
    (sample / "ledger_app/operations.py").write_text("from ledger_app import queries, locks, models, rules, errors\n")
    (sample / "ingestion_app/operations.py").write_text("import ledger_app.operations\nimport ingestion_app.models\n")
    outcome = lint_imports(sample)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("ledger_app/rules.py", "import ledger_app.models", "Imports point down in ledger_app"),
        ("ledger_app/queries.py", "import ledger_app.operations", "Imports point down in ledger_app"),
        ("ledger_app/admin.py", "import ledger_app.api", "Imports point down in ledger_app"),
        ("ledger_app/extra.py", "", "Imports point down in ledger_app"),
        ("ledger_app/errors.py", "import ingestion_app.errors", "ledger_app never imports ingestion_app"),
        ("ingestion_app/formats.py", "import ingestion_app.models", "Imports point down in ingestion_app"),
        ("ingestion_app/extra.py", "", "Imports point down in ingestion_app"),
        ("ingestion_app/operations.py", "import ledger_app.reports", "ingestion_app uses the ledger by its operations"),
    ],
)
def test_an_import_that_points_up_fails(sample: Path, module: str, line: str, contract: str) -> None:
    (sample / module).write_text(f"{line}\n")
    outcome = lint_imports(sample)
    assert outcome.returncode == 1, outcome.stdout
    broken = [told for told in outcome.stdout.splitlines() if told.endswith("BROKEN")]
    assert len(broken) == 1
    assert broken[0].startswith(contract)
