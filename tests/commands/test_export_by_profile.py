"""export --profile, as a shell sees it."""

import json
from pathlib import Path

import pytest

from ledger_app.models import Export
from tests.commands.conftest import Run
from tests.support import profile_samples
from tests.support.world import World


@pytest.mark.parametrize("target", profile_samples.TARGETS)
def test_a_draft_then_the_file_that_is_handed_over_then_the_same_again(
    world: World, run: Run, tmp_path: Path, target: str
) -> None:
    batch, path = world.applied(), tmp_path / "out.csv"
    assert run("load_profile", profile_samples.DEMO / f"{target}.toml").status == 0
    arguments = ("export", "CARD", "--period", "2017-01", "--profile", target, "--output", path)
    draft = run(*arguments, "--json").data
    assert (draft["final"], draft["seal"], draft["path"], draft["new"]) == (False, None, str(tmp_path / "draft-out.csv"), False)
    assert "not final" in run(*arguments).out
    world.freeze(batch)
    seal = bytes(world.freeze_period(world.opened[0]).digest).hex()
    data = run(*arguments, "--user", world.finance.username, "--json").data
    content = path.read_bytes()
    assert data == {
        **dict(zip(("book", "period", "profile", "version", "target"), ("CARD", "2017-01", target, 1, target), strict=True)),
        "final": True,
        "seal": seal,
        "entries": 7,
        "rows": draft["rows"],
        "bytes": len(content),
        "sha256": data["sha256"],
        "path": str(path),
        "new": True,
    }
    assert run(*arguments, "--json").data == {**data, "new": False}
    assert "the same to the byte" in run(*arguments).out
    assert path.read_bytes() == content
    assert Export.objects.get().handed_over_by == world.finance
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_text(encoding="utf-8"))
    # A cent for a yen, as the profile says: both sides of the month.
    assert sum(each["debit"] for each in manifest["accounts"]) == sum(each["credit"] for each in manifest["accounts"]) == 14644


def test_what_is_not_there_or_not_allowed_is_refused(world: World, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    ended = run("export", "CARD", "--period", "2017-01", "--profile", "yayoi", "--output", path)
    assert (ended.status, ended.complaints.partition(":")[0]) == (1, "not_found")
    assert run("load_profile", profile_samples.DEMO / "yayoi.toml").status == 0
    arguments = ("export", "CARD", "--period", "2017-01", "--profile", "yayoi", "--output", path)
    ended = run(*arguments, "--user", world.engineer.username)
    assert (ended.status, ended.complaints.partition(":")[0]) == (1, "not_permitted")
    assert run(*arguments, "--format", "journal").status == 2
    assert run("export", "CARD", "--period", "2017-01", "--format", "journal", "--output", path, "--user", "fumiko").status == 2
    assert list(tmp_path.glob("*.csv*")) == []
