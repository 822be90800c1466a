"""What stands around the code runs what people run: the workflow `.ci/run`, that `make test` and `make check`, and the hooks a part of the last."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
WRITTEN = sorted({*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"})
# What people expect to find of a project, and where: the top of the tree is fixed.
EXPECTED = ("docs/contributing.md", "docs/changelog.md", "docs/security.md", "docs/license.md")


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def recipe(target: str) -> list[str]:
    """Return the commands that a target of the Makefile attempts."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    return re.findall(r"attempt (\.venv/bin/.+)", body)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_it_can_be_read(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_the_workflow_runs_what_is_run_by_hand():
    workflow = read(".github/workflows/ci.yml")
    # YAML reads the word "on" as true.
    assert set(workflow[True]) == {"push", "pull_request"}
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == "CI_MYSQL=1 bash .ci/run"
    said = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert {target for target in ("setup", "check", "test") if re.search(rf"\bmake {target}\b", said)} == {
        "setup",
        "check",
        "test",
    }
    assert workflow["permissions"] == {"contents": "read"}


def test_the_hooks_are_a_part_of_make_check():
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    checked = recipe("check")
    hooks = [hook["entry"] for hook in repository["hooks"]]
    assert hooks
    assert [hook for hook in hooks if not any(command.startswith(hook) for command in checked)] == []


def test_what_people_expect_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path for path in EXPECTED if f"({path})" not in readme] == []
    assert "How to report a weakness" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
