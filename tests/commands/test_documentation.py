"""docs/commands.md says of every command what its code says."""

import argparse
import re
import shutil
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands

from config.doors.commands import base as commands
from ingestion_app.deciding.queries import alerts
from ledger_app.adjustments.operations import reason_codes
from ledger_app.models import Identifier
from tests.commands.conftest import Run
from tests.support import profile_samples
from tests.support.alerted import alerted
from tests.support.world import NAME, Purchase, World, card_file, set_account

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([^`]+)`\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
# Django's own, which ask something before they do it; their words are Django's.
OF_DJANGO = {"runserver", "createsuperuser", "changepassword"}
OWN = {name for name, app in get_commands().items() if app in {"ledger_app", "ingestion_app", "config"}} - OF_DJANGO
# These need the purchases of the demonstration, which the suite takes nowhere but in the tests of that; the worker closes the connection
# between two tasks, and has a test of its own.
OPENING = {
    *("open_book", "open_periods", "open_accounts", "set_template", "register_members"),
    *("keep_reason_code", "set_limit", "keep_user"),
    *("issue_token", "list_tokens", "end_token", "draw_rights"),
}
WEBHOOKS = {"deliver_webhooks": (), "keep_webhook": ("shop", "--url", "http://127.0.0.1:9/")}
IDENTITIES = {"bind_identity": ("--subject", "a1", "--reason", "x"), "unbind_identity": ("--reason", "x")}
CLOSE = ("audit_kit", "close", "readiness")
NOT_RUN = {"demo", "seed_demo", "db_worker"}


def command(name: str) -> Any:
    return import_module(f"{get_commands()[name]}.management.commands.{name}").Command()


def test_every_command_is_documented_and_no_other() -> None:
    assert apps.is_installed("ledger_app")
    assert set(SECTIONS) == OWN


@pytest.mark.parametrize("name", sorted(OWN))
def test_every_command_is_one_of_kakutei(name: str) -> None:
    assert isinstance(command(name), commands.Command)


def actions_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a command, or those of its parts."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part in action.choices.values():
                yield from actions_of(part)
        else:
            yield action


@pytest.mark.parametrize("name", sorted(OWN))
def test_arguments_are_those_of_the_code(name: str) -> None:
    parser = command(name).create_parser("manage.py", name)
    django = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color"}
    options, required, positionals = set(), set(), set()
    for action in actions_of(parser):
        longest = max(action.option_strings, key=len, default="")
        if longest in django | {"--json", "--skip-checks"}:
            continue
        if longest:
            options.add(longest)
            required |= {longest} if action.required else set()
        else:
            positionals.add(action.metavar)
    usages = re.findall(r"^    (.+)", SECTIONS[name], re.MULTILINE)
    assert {usage.split()[0] for usage in usages} == {name}
    usage = "\n".join(usages)
    assert set(re.findall(r"--[a-z0-9-]+", usage)) == options
    assert set(re.findall(r"--[a-z0-9-]+", re.sub(r"\[[^]]*\]", "", usage))) == required
    assert all(str(positional) in usage for positional in positionals)
    assert re.search(r"^Exit: 0, ", SECTIONS[name], re.MULTILINE)


def fields(name: str) -> set[str]:
    """Return the fields that a section names after “JSON:”."""
    said = SECTIONS[name].partition("JSON:")[2]
    said = re.sub(r"\([^)]*\)", "", said)
    return set(re.findall(r"`([a-z_0-9]+)`", said))


def test_fields_of_what_opens_are_those_that_are_printed(world: World, run: Run, tmp_path: Path, settings: Any) -> None:
    assert world.system.username == "system"
    # What is drawn here is not what the documents are compared with.
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    accounts, registered = tmp_path / "accounts.csv", tmp_path / "members.csv"
    accounts.write_text("code,role,category\nextra,extra,asset\n")
    registered.write_text("member_number\n9001\n")
    runs: list[tuple[Any, ...]] = [
        ("open_book", "NEW", "--unit", "JPY", "--exponent", 0, "--zone", "UTC"),
        ("open_periods", "NEW", "--from", "2017-01", "--months", 2),
        ("open_accounts", "NEW", accounts),
        ("set_template", "NEW", "points", "--category", "liability"),
        ("register_members", registered),
        ("keep_reason_code", "newly", "--name", "New", "--contra", "NEW=extra"),
        ("set_limit", "finance", "NEW", "--most", 9, "--two-above", 9),
        ("keep_user", "new-1", "--group", "support"),
        ("issue_token", "new-1"),
        ("list_tokens",),
        ("draw_rights",),
    ]
    assert {name for name, *_arguments in runs} == OPENING - {"end_token"}
    for name, *arguments in runs:
        ended = run(name, *arguments, "--json")
        if name == "issue_token":
            runs.append(("end_token", ended.data["prefix"]))
        assert ended.status == 0, ended
        assert set(ended.data) == fields(name), f"the line “JSON:” of {name} in docs/commands.md"
    assert (tmp_path / "docs" / "rights.md").is_file()


def test_fields_of_exports_by_profile_are_those_that_are_printed(world: World, run: Run) -> None:
    ended = run("load_profile", profile_samples.DEMO / "yayoi.toml", "--json")
    assert set(ended.data) == fields("load_profile"), ended


def test_fields_are_those_that_are_printed(world: World, run: Run, tmp_path: Path, settings: Any) -> None:
    (path := tmp_path / NAME).write_bytes(card_file())
    shutil.copy(Path(settings.BASE_DIR) / "ingestion_app/demo/card-usage.toml", definition := tmp_path / "till.toml")
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    finance = ("--user", world.finance.username)
    received = run("receive", path, "--source", "till", "--json")
    assert set(received.data) == fields("receive")
    batch = received.data["batch"]
    two = [Identifier.objects.get(value=number).holder_id for number in ("1001", "1002")]
    runs: list[tuple[Any, ...]] = [
        ("load_source", definition),
        ("validate", batch),
        ("approve", batch, *finance),
        ("apply", batch),
        ("status", batch),
        ("reverse", batch, "--preview"),
        ("freeze_batch", batch, *finance),
        ("freeze", "CARD", "2017-01", *finance, "--control", "entries=7", "--control", "debits=14644"),
        *(("verify",), ("balances", "CARD")),
        ("statement", "CARD/receivable.1001"),
        ("report", "CARD", "trial-balance", "--period", "2017-01", "--output", tmp_path / "report.csv"),
        ("reverse_entry", "CARD/till:s1", "--preview"),
        ("find_member", "1001"),
        ("merge", "propose", *two, "--user", world.support.username, "--date", "2017-02-01", "--preview"),
        ("account", "CARD", "receivable.1006", "suspend", *finance, "--reason", "Asked for.", "--shown-version", 1),
        ("export", "CARD", "--period", "2017-01", "--format", "hledger", "--output", tmp_path / "out"),
        ("set_lot_rule", "POINTS", "gifts", "--expiry", "never", "--breakage", "programme.expense", *finance),
        ("set_hold_rule", "POINTS", *finance, "--amount-most", 500, "--target", "programme.expense"),
        ("set_close_policy", "POINTS", *finance, "--freeze-after", 96, "--control", "debits"),
        ("expire", "POINTS", "--through", "2017-01-31"),
        *(("wake",), ("end_holds",), ("lockouts",), ("draw_states",), ("reset_factors", world.support.username, "--reason", "x")),
        ("end_sessions", world.support.username, "--reason", "x"),
    ]
    for name, *arguments in runs:
        ended = run(name, *arguments, "--json")
        assert ended.status == 0, ended
        assert set(ended.data) == fields(name), name
    february = card_file([Purchase(slip="p1", bought_at="2017-02-02T10:00:00Z")], day=date(2017, 2, 2))
    another = world.begin(world.approved(february, name="till-2017-02-02-1.csv"))
    by = ("--user", world.engineer.username, "--json", "--shown-version")
    assert set(run("pause", another.pk, "--reason", "Wait.", *by, another.version).data) == fields("pause")
    ended = run("resume", another.pk, *by, another.version + 1)
    assert set(ended.data) == fields("resume") == fields("apply"), ended
    other = tmp_path / "till-2017-02-01-1.csv"
    other.write_bytes(card_file([], day=date(2017, 2, 1)))
    ended = run("ingest", other, "--source", "till", "--json")
    assert set(ended.data) == fields("receive") | fields("validate"), ended
    ended = run("withdraw", ended.data["batch"], "--user", world.engineer.username, "--reason", "Not needed.", "--json")
    assert set(ended.data) == fields("withdraw"), ended
    reason_codes.keep(
        code="goodwill", name="x", contra_accounts={"POINTS": "programme.expense"}, caller=world.caller(world.finance)
    )
    reason_codes.set_limit(
        group="finance", book="POINTS", amount_most=9, two_deciders_above=9, caller=world.caller(world.superuser)
    )
    said = ("--user", world.support.username, "--key", "k", "--reason", "goodwill", "--text", "Late.", "--date", "2017-02-01")
    ended = run("propose", "POINTS", "points.1001", "5", *said, "--json")
    assert set(ended.data) == fields("propose") - {"preview", "balances", "lots", "refused", "status"}, ended
    ended = run("decide", ended.data["adjustment"], "approve", *finance, "--json")
    assert set(ended.data) == fields("decide"), ended
    told = (
        {name for name, *_ in runs}
        | {"propose", "decide", "propose_setting", "decide_setting", "prune", "prune_uploads", "prune_keys"}
        | {"correct_name", "member_data", "erase_member", "acknowledge", "findings", "propose_shape", "load_profile"}
        | {"receive", "ingest", "pause", "resume", "withdraw", "leave", "explain", *WEBHOOKS, *IDENTITIES}
        | NOT_RUN
    )
    assert told | OPENING | {*CLOSE} == OWN


def test_fields_of_what_is_told_of_strange_files_are_those_that_are_printed(world: World, run: Run) -> None:
    finance = ("--user", world.finance.username)
    strange = alerted(world)
    shown = ("--alerts", alerts.digest_of(strange), "--shown-version", strange.version)
    assert set(run("acknowledge", strange.pk, *finance, "--reason", "A sale.", *shown, "--json").data) == fields("acknowledge")
    assert set(run("findings", strange.pk, "--json").data) == fields("findings")
    assert set(run("propose_shape", "till", "--json").data) == fields("propose_shape")


@pytest.mark.parametrize("name", WEBHOOKS)
def test_fields_of_webhooks_are_those_that_are_printed(world: World, run: Run, name: str) -> None:
    ended = run(name, *WEBHOOKS[name], "--json")
    assert ended.status == 0, ended
    assert set(ended.data) == fields(name)


@pytest.mark.parametrize("name", IDENTITIES)
def test_fields_of_identities_are_those_that_are_printed(world: World, run: Run, settings: Any, name: str) -> None:
    settings.KAKUTEI_OIDC_ISSUER = "https://login.example"
    ended = run(name, world.support.username, *IDENTITIES[name], "--json")
    assert ended.status == 0, ended
    assert set(ended.data) == fields(name)


def test_fields_of_the_close_are_those_that_are_printed(world: World, run: Run, tmp_path: Path) -> None:
    world.freeze(world.applied())
    ended = run("readiness", "CARD", "2017-01", "--json")
    inside = {"check", "code", "what", "count", "is_more", "comes_with_freeze", "clears", "who", "sentences", "rows"}
    assert set(ended.data) == fields("readiness"), ended
    assert all(set(line) == inside and all(f"`{name}`" in SECTIONS["readiness"] for name in line) for line in ended.data["lines"])
    ended = run("close", "CARD", "--json")
    assert set(ended.data) == fields("close"), ended
    assert all(f"`{name}`" in SECTIONS["close"] for period in ended.data["periods"] for name in period)
    world.freeze_period(world.opened[0])
    ended = run("audit_kit", "CARD", "2017-01", "--output", tmp_path / "kit", "--json")
    assert set(ended.data) == fields("audit_kit"), ended


def test_fields_of_what_needs_no_batch_are_those_that_are_printed(world: World, run: Run) -> None:
    assert set(run("prune_uploads", "--json").data) == fields("prune_uploads")
    assert set(run("prune_keys", "--json").data) == fields("prune_keys")
    assert set(run("prune", "--json").data) == fields("prune") - {"prune_uploads"}
    finance = ("--user", world.finance.username)
    made = run("propose_setting", "hold_rule", "book=POINTS", "amount_most=7", *finance, "--reason", "As agreed.", "--json")
    assert set(made.data) == fields("propose_setting"), made
    ended = run("decide_setting", made.data["change"], "withdraw", *finance, "--json")
    assert set(ended.data) == fields("decide_setting"), ended


def test_fields_of_what_members_ask_for_are_those_that_are_printed(world: World, run: Run, tmp_path: Path) -> None:
    member = Identifier.objects.get(value="1001").holder
    support = ("--user", world.support.username)
    shown = ("--shown", member.name, "--reason", "A slip.")
    ended = run("correct_name", member.pk, "Sato", *shown, *support, "--json")
    assert set(ended.data) == fields("correct_name"), ended
    ended = run("member_data", member.pk, "--ticket", "P-1", "--output", tmp_path / "out.json", *support, "--json")
    assert set(ended.data) == fields("member_data"), ended
    ended = run("erase_member", "propose", member.pk, "--ticket", "P-1", *support, "--reason", "Asked.", "--json")
    assert set(ended.data) == fields("erase_member"), ended


@pytest.mark.parametrize(("subject", "kind"), [("CARD/receivable.1001", "account"), ("CARD/till:s1", "entry"), ("{}:2", "line")])
def test_fields_of_explain_are_those_that_are_printed(world: World, run: Run, subject: str, kind: str) -> None:
    batch = world.applied()
    data = run("explain", subject.format(batch.pk), "--json").data
    item = next(part for part in re.split(r"^- ", SECTIONS["explain"], flags=re.MULTILINE) if f"(`{kind}`)" in part)
    said = re.sub(r"\([^)]*\)", "", item.partition("Fields:")[2].partition("\n\n")[0])
    assert set(data) == set(re.findall(r"`([a-z_]+)`", said))


def test_fields_of_leave_are_those_that_are_printed(run: Run, world: World) -> None:
    half = world.approved()
    world.begin(half)
    set_account("settlement.32", "suspended")
    assert run("apply", half.pk, "--json").status == 1
    half.refresh_from_db()
    shown = ("--shown-version", half.version)
    assert run("pause", half.pk, "--user", world.engineer.username, "--reason", "Wait.", *shown, "--json").status == 0
    ended = run("leave", half.pk, "--user", world.finance.username, "--reason", "Shop 32 stays closed.", "--json")
    assert ended.status == 0
    assert set(ended.data) == fields("leave")
