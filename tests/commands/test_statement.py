"""statement and reverse_entry, and explain as of a day and as known at an instant, as a shell runs them."""

import json
from pathlib import Path

from ledger_app.models import Entry
from tests.commands.conftest import Run
from tests.support.world import World


def test_an_account_is_explained_as_of_a_day_and_as_known(world: World, run: Run) -> None:
    world.applied()
    data = run("explain", "CARD/settlement.31", "--at", "2017-01-04", "--json").data
    assert data["explained"] + data["dated_later"] == data["balance"] == -12845
    assert data["at"] == "2017-01-04"
    unknown = run("explain", "CARD/settlement.31", "--known-at", "2000-01-01T00:00:00Z")
    assert "As known at 2000-01-01 00:00:00+00:00: 0.00 USD" in unknown.out
    assert "Posted later" in unknown.out
    assert run("explain", "CARD/settlement.31", "--known-at", "2000-01-01").status == 2


def test_a_statement_is_printed_or_written_whole(world: World, run: Run, tmp_path: Path) -> None:
    world.applied()
    asked = ("statement", "CARD/receivable.1001", "--from", "2017-01-01", "--to", "2017-01-31")
    assert run(*asked).out.splitlines()[-1].startswith("closing,2017-01-31")
    assert json.loads(run(*asked, "--format", "json").out) == run(*asked, "--json").data
    path = tmp_path / "statement.xlsx"
    written = run(*asked, "--format", "xlsx", "--output", path, "--json").data
    assert (written["closing"], written["bytes"]) == (249, path.stat().st_size)
    assert run(*asked, "--format", "xlsx").status == 2
    assert run(*asked, "--format", "xlsx", "--output", tmp_path / "nowhere" / "s.xlsx").status == 2
    assert "not_found" in run("statement", "CARD/nobody").complaints
    wrong = run("statement", "CARD/receivable.1001", "--from", "2017-02-01", "--to", "2017-01-31", "--output", path)
    assert (wrong.status, "span_invalid" in wrong.complaints) == (1, True)


def test_an_entry_is_reversed_by_two_people(world: World, run: Run, settings: object) -> None:
    world.applied()
    entry = Entry.objects.get(reference="till:s1", book=world.card)
    preview = run("reverse_entry", "CARD/till:s1", "--preview", "--json").data
    assert (preview["reversal"], preview["date"], preview["refusals"]) == (None, "2017-01-05", [])
    assert run("reverse_entry", entry.pk).status == 2
    proposed = run("reverse_entry", entry.pk, "--user", world.support.username, "--reason", "Twice.", "--json")
    assert (proposed.status, proposed.data["state"]) == (0, "proposed")
    again = run("reverse_entry", entry.pk, "--user", world.support.username, "--reason", "Twice.", "--json")
    assert again.data["reversal"] == proposed.data["reversal"]
    decide = ("reverse_entry", entry.pk, "--decide", "approve", "--shown", preview["preview"], "--json")
    own = run(*decide, "--user", world.support.username)
    assert {reason["code"] for reason in own.data["refused"]} == {"not_permitted", "own_reversal"}
    done = run(*decide, "--user", world.finance.username).data
    assert (done["state"], done["posted_entry"] is not None) == ("posted", True)
    assert run(*decide, "--user", world.finance.username).data["posted_entry"] == done["posted_entry"]
    said = run("explain", done["posted_entry"])
    assert f"proposed by {world.support.username}, decided by {world.finance.username}: Twice." in said.out
    assert "not_found" in run("reverse_entry", "CARD/nothing", "--preview").complaints


def test_deciding_by_command_can_be_off_while_proposing_is_not(world: World, run: Run, settings: object) -> None:
    world.applied()
    settings.KAKUTEI_DECIDE_BY_COMMAND = False  # type: ignore[attr-defined]
    given = ("reverse_entry", "CARD/till:s1", "--user", world.support.username, "--reason", "Twice.")
    assert run(*given).status == 0
    assert "deciding_by_command_off" in run(*given, "--decide", "withdraw").complaints


def test_what_no_zone_can_tell_and_what_is_no_text_is_wrong_usage(world: World, run: Run) -> None:
    for instant in ("0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00"):
        assert run("explain", "CARD/receivable.1001", "--known-at", instant).status == 2
        assert run("statement", "CARD/receivable.1001", "--known-at", instant).status == 2
    for arguments in (("reverse_entry", "CARD/\udcff", "--preview"), ("find_member", "\udcff\udcfe")):
        assert run(*arguments).status == 2
