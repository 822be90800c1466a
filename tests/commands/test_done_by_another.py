"""Every command that decides: run again by the same user with the same it is done, and by another, or with something else, it says what stands."""

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.core.management import get_commands, load_command_class

from ingestion_app.deciding.queries import alerts
from ingestion_app.models import Batch, Chunk
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.books.operations import books
from ledger_app.books.operations.books import MemberOpening
from ledger_app.close.queries.closing import control_totals
from ledger_app.erasures.operations import erasures
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import AuditRow, Entry, Identifier, User
from ledger_app.reversals import operations as reversals
from ledger_app.setting_changes import operations as setting_changes
from tests.commands.conftest import Run
from tests.support import world as worlds
from tests.support.alerted import alerted
from tests.support.world import World

pytestmark = pytest.mark.django_db
WHY = ("--reason", "As was agreed.")
OTHER_WHY = ("--reason", "For something else.")


class Case(NamedTuple):
    """A decision: who makes it and who else might, what it is made on, and the arguments that may differ, with what is told of each."""

    command: str
    user: str
    ready: Callable[[World], tuple[object, ...]]
    why: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    outsider: str = (
        "not_permitted"  # what somebody without the right is told; none is needed to take back what one has proposed oneself
    )


def colleague(user: str) -> str:
    """Return another user with the rights of this one."""
    other = User.objects.create(username=f"{user}-2", is_staff=True)
    first = User.objects.get(username=user)
    other.groups.set(first.groups.all())
    User.objects.filter(pk=other.pk).update(is_superuser=first.is_superuser)
    return other.username


def outsider() -> str:
    """Return a user who reads everything and decides nothing."""
    user, _new = User.objects.get_or_create(username="aiko", is_staff=True)
    user.groups.add(Group.objects.get(name="auditor"))
    return str(user.username)


def half_applied(world: World) -> tuple[int]:
    batch = world.begin(world.approved())
    worlds.set_account("points.1003", "suspended")
    world.apply(batch)
    assert Chunk.objects.filter(batch=batch).values_list("state").distinct().count() > 1
    world.pause(Batch.objects.get(pk=batch.pk))
    return (batch.pk,)


def with_alerts(world: World) -> tuple[object, ...]:
    batch = alerted(world)
    return (batch.pk, "--alerts", alerts.digest_of(batch))


def a_month(world: World) -> tuple[str, ...]:
    world.freeze(world.applied())
    return ("CARD", "2017-01", "--control", f"debits={control_totals(world.opened[0])['debits']}")


def entry(world: World) -> int:
    world.applied()
    return int(Entry.objects.filter(book=world.card).order_by("id").values_list("id", flat=True)[0])


def proposed_entry(world: World) -> tuple[int]:
    number = entry(world)
    reversals.propose(entry_id=number, reason="Typed twice.", caller=world.caller(world.support))
    return (number,)


def proposed_adjustment(world: World) -> tuple[int]:
    contra = {"POINTS": "programme.expense"}
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts=contra, caller=world.caller(world.system))
    reason_codes.set_limit(
        group="finance", book="POINTS", amount_most=500, two_deciders_above=500, caller=world.caller(world.system)
    )
    said = Proposal(
        key="k-1",
        book="POINTS",
        account="points.1001",
        amount=20,
        effective_on=date(2017, 2, 1),
        reason="goodwill",
        text="Late.",
        ticket="T-1",
    )
    until = datetime(2999, 1, 1, tzinfo=UTC)
    return (adjustments.propose(proposal=said, caller=world.caller(world.support), expires_at=until).pk,)


def proposed_merge(world: World) -> tuple[str, int]:
    two = [Identifier.objects.get(value=number).holder_id for number in ("1001", "1002")]
    wanted = merge_queries.proposal(holder_id=two[0], survivor_id=two[1], reason="One person.", effective_on=date(2017, 2, 3))
    return ("decide", merges.propose(wanted, caller=world.caller(world.support)).pk)


def proposed_setting(world: World) -> tuple[int]:
    said = {"book": "POINTS", "amount_most": 700, "amount_a_day": None, "hours_most": 24, "targets": []}
    return (setting_changes.propose(kind="hold_rule", arguments=said, reason="Agreed.", caller=world.caller(world.superuser)).pk,)


def proposed_erasure(world: World) -> tuple[str, int]:
    books.open_members(openings=[MemberOpening("1009", (), name="Hanako Sato")], caller=world.caller(world.system))
    holder = Identifier.objects.get(value="1009").holder_id
    caller = world.caller(world.support)
    return ("decide", erasures.propose(holder_id=holder, reason="Asked.", ticket="P-1", caller=caller)[0].pk)


def an_account(code: str, state: str = "open") -> Callable[[World], tuple[str, ...]]:
    def ready(_world: World) -> tuple[str, ...]:
        worlds.set_account(code, state)
        return ("POINTS", code)

    return ready


REASONED = (OTHER_WHY,)
CASES = {
    "approve": Case(
        "approve", "fumiko", lambda world: (world.validated().pk,), others=(("--plan", "0" * 64), ("--note", "Another word."))
    ),
    "acknowledge": Case("acknowledge", "fumiko", with_alerts, WHY, ("--shown-version", "2"), (OTHER_WHY, ("--alerts", "0" * 64))),
    "withdraw": Case("withdraw", "erika", lambda world: (world.validated().pk,), WHY, others=REASONED),
    "leave": Case("leave", "fumiko", half_applied, WHY, others=REASONED),
    "freeze_batch": Case("freeze_batch", "fumiko", lambda world: (world.applied().pk,)),
    "reverse": Case("reverse", "erika", lambda world: (world.applied().pk,), WHY, others=REASONED),
    "freeze": Case("freeze", "fumiko", a_month, others=(("--control", "debits=-99999"), ("--control", "nonsense=1"))),
    "reverse_entry": Case(
        "reverse_entry",
        "sora",
        lambda world: (entry(world),),
        WHY,
        others=(OTHER_WHY, ("--ticket", "T-9"), ("--shown", "0" * 64)),
    ),
    "reverse_entry approve": Case(
        "reverse_entry", "fumiko", proposed_entry, WHY, ("--decide", "approve"), (OTHER_WHY, ("--shown", "0" * 64))
    ),
    "reverse_entry reject": Case("reverse_entry", "fumiko", proposed_entry, WHY, ("--decide", "reject"), REASONED),
    "reverse_entry withdraw": Case("reverse_entry", "sora", proposed_entry, WHY, ("--decide", "withdraw"), REASONED),
    "account suspend": Case("account", "fumiko", an_account("points.1001"), WHY, ("suspend", "--shown-version", "1"), REASONED),
    "account reopen": Case(
        "account", "fumiko", an_account("points.1001", "suspended"), WHY, ("reopen", "--shown-version", "1"), REASONED
    ),
    "account close": Case("account", "fumiko", an_account("points.1001"), WHY, ("close",), REASONED),
    "decide approve": Case("decide", "fumiko", proposed_adjustment, WHY, ("approve",), (OTHER_WHY, ("--shown", "0" * 64))),
    "decide reject": Case("decide", "fumiko", proposed_adjustment, WHY, ("reject",), REASONED),
    "decide withdraw": Case("decide", "sora", proposed_adjustment, WHY, ("withdraw",), REASONED),
    "merge approve": Case("merge", "fumiko", proposed_merge, WHY, ("approve",), (OTHER_WHY, ("--shown", "0" * 64))),
    "merge reject": Case("merge", "fumiko", proposed_merge, WHY, ("reject",), REASONED),
    "merge withdraw": Case("merge", "sora", proposed_merge, WHY, ("withdraw",), REASONED),
    "decide_setting approve": Case("decide_setting", "fumiko", proposed_setting, WHY, ("approve",), REASONED),
    "decide_setting reject": Case("decide_setting", "fumiko", proposed_setting, WHY, ("reject",), REASONED),
    "decide_setting withdraw": Case("decide_setting", "root", proposed_setting, WHY, ("withdraw",), REASONED, "done_otherwise"),
    "erase_member approve": Case("erase_member", "fumiko", proposed_erasure, WHY, ("approve",), REASONED),
    "erase_member reject": Case("erase_member", "fumiko", proposed_erasure, WHY, ("reject",), REASONED),
    "erase_member withdraw": Case("erase_member", "sora", proposed_erasure, WHY, ("withdraw",), REASONED),
    "pause": Case("pause", "erika", lambda world: (world.begin(world.approved()).pk,), WHY, ("--shown-version", "4"), REASONED),
}


# Commands that change what is said: they ask for the right each time, and tell what is there under the name of nobody.
SAY_SETTINGS = {
    "keep_reason_code",
    "keep_user",
    "keep_webhook",
    "load_profile",
    "set_close_policy",
    "set_hold_rule",
    "set_limit",
    "set_lot_rule",
    "set_template",
}


def codes(ended: Any) -> list[str]:
    return [reason["code"] for reason in ended.data["refused"]]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_done_already_is_said_to_who_did_it_with_the_same(world: World, run: Run, case: Case) -> None:
    given = case.ready(world)

    def decide(user: str, *other: str) -> Any:
        # Where an option is said twice the last one counts; a control total is another one only in the place of the first.
        first = given[:2] if other[:1] == ("--control",) else given
        return run(case.command, *first, *case.more, *case.why, *other, "--user", user, "--json")

    done = decide(case.user)
    assert done.status == 0, done
    rows = AuditRow.objects.count()
    assert decide(case.user) == done
    assert AuditRow.objects.count() == rows
    for other in case.others:
        refused = decide(case.user, *other)
        assert (refused.status, codes(refused)) == (1, ["done_otherwise"]), other
        facts = refused.data["refused"][0]["facts"]
        assert facts["by"] == case.user
        assert other[0] in facts["differs"]
        assert other[1] in facts["differs"]
    refused = decide(colleague(case.user))
    assert (refused.status, codes(refused)) == (1, ["done_otherwise"])
    assert f"--user ({case.user} ≠ {case.user}-2)" in refused.complaints
    refused = decide(outsider())
    assert (refused.status, codes(refused)) == (1, [case.outsider])
    # Anyone who did it is told so still.
    assert decide(case.user) == done


def test_no_command_that_decides_is_left_out() -> None:
    ours = {name: app for name, app in get_commands().items() if app in {"ledger_app", "ingestion_app"}}
    deciding = {name for name, app in ours.items() if "deciding=" in _source(load_command_class(app, name))}
    assert deciding == {case.command for case in CASES.values()} - {"pause"} | SAY_SETTINGS


def test_what_was_never_left_is_not_said_to_be(world: World, run: Run) -> None:
    batch = world.applied()
    refused = run("leave", batch.pk, "--user", "fumiko", *WHY, "--json")
    assert refused.status == 1
    assert "wrong_state" in codes(refused)
    refused = run("account", "POINTS", "points.1001", "reopen", "--user", "fumiko", *WHY, "--json")
    assert (refused.status, codes(refused)) == (1, ["wrong_state"])


def _source(command: Any) -> str:
    return Path(inspect.getfile(type(command))).read_text(encoding="utf-8")
