"""Every list of the books, every kind of row, and a world in which there is one of each: what pages are tried with."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import reverse

from ingestion_app.models import Batch, Chunk, Finding, Receipt, Record, Source, SourceVersion
from ledger_app.accounting.operations import profiles
from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries.adjustments import preview, terms_of
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import policies
from ledger_app.erasures.operations import erasures, names
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.models import (
    Account,
    Adjustment,
    AdjustmentLimit,
    AuditRow,
    Book,
    ClosePolicy,
    DeadLetter,
    Entry,
    Erasure,
    Event,
    ExpiryRun,
    Export,
    Hold,
    Holder,
    HoldRule,
    Identifier,
    Lot,
    LotRule,
    Merge,
    Period,
    Profile,
    ProfileVersion,
    ReasonCode,
    Reversal,
    Seal,
    SettingChange,
    Submission,
    User,
    Verification,
    Webhook,
)
from ledger_app.points.operations import expiry, hold_rules, holds
from ledger_app.programs.operations import submissions
from ledger_app.reports import accounting
from ledger_app.reversals import operations as reversals
from ledger_app.setting_changes import operations as setting_changes
from tests.admin.conftest import another_file, bring_to, name_of_file, page_of
from tests.support import hooks, lot_samples, profile_samples, samples
from tests.support import world as worlds
from tests.support.kept import Ground
from tests.support.world import World

FEBRUARY = date(2017, 2, 28)
LOOKED_AT: tuple[type[Model], ...] = (
    *(
        Account,
        Adjustment,
        AdjustmentLimit,
        AuditRow,
        Book,
        ClosePolicy,
        DeadLetter,
        Entry,
        Erasure,
        Event,
        ExpiryRun,
        Export,
        Hold,
        HoldRule,
        Holder,
        Lot,
        LotRule,
        Merge,
        Period,
        Profile,
        ProfileVersion,
        ReasonCode,
        Reversal,
        Seal,
        SettingChange,
        Submission,
        Verification,
        Webhook,
    ),
    *(Batch, Chunk, Finding, Receipt, Record, Source, SourceVersion),
)


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def months(world: World, first: int = 1) -> None:
    """Bring four files in: two frozen, one received, one that repeats another, and one that conflicts."""
    bring_to(world, "frozen", first)
    bring_to(world, "applied", first + 1)
    bring_to(world, "received", first + 2)
    hooks.failing(f"shop-{first}", world.caller(world.engineer))
    world.receipt(another_file(first + 1), name="again.csv")
    with pytest.raises(Exception, match="slot_conflict"):
        world.receipt(another_file(first + 1, records=3), name=name_of_file(first + 1))
    entry = Entry.objects.get(book=world.card, reference=f"till:n{first}-3")
    proposed = reversals.propose(entry_id=entry.pk, reason="Bought by another.", caller=world.caller(world.support))
    reversals.reject(reversal_id=proposed.pk, reason="It was not.", caller=world.caller(world.finance))
    one, other = Identifier.objects.filter(value__in=("1001", "1002")).order_by("value")
    support = world.caller(world.support)
    merge = merges.propose(
        merge_queries.proposal(
            holder_id=one.holder_id, survivor_id=other.holder_id, effective_on=date(2017, 2, 3), reason="One."
        ),
        caller=support,
    )
    merges.end(merge_id=merge.pk, name="withdraw", reason="Two.", caller=support)
    adjusted(world, first)


def adjusted(world: World, number: int) -> None:
    """Propose two adjustments by support, and have finance approve one and reject the other."""
    finance = world.caller(world.finance)
    reason_codes.keep(code=f"goodwill.{number}", name="x", contra_accounts={"POINTS": "programme.expense"}, caller=finance)
    reason_codes.set_limit(
        group="finance", book="POINTS", amount_most=9, two_deciders_above=9, caller=world.caller(world.superuser)
    )
    for name in ("approve", "reject"):
        said = Proposal(f"{name}-{number}", "POINTS", "points.1001", 5, worlds.DAY, f"goodwill.{number}", "Late.")
        row = adjustments.propose(proposal=said, caller=world.caller(world.support), expires_at=worlds.NOW)
        shown = preview(terms_of(row)).digest
        adjustments.decide(adjustment_id=row.pk, name=name, caller=finance, digest_shown=shown, reason="Looked at.")


def asked_to_erase(world: World) -> None:
    """Correct the name of a member, ask for the erasure, and take it back."""
    caller, holder = world.caller(world.support), Identifier.objects.get(value="1003").holder
    names.correct(holder_id=holder.pk, name="Sato", shown=holder.name, reason="A slip.", caller=caller)
    row = erasures.propose(holder_id=holder.pk, reason="Asked.", ticket="P-1", caller=caller)[0]
    erasures.end(erasure_id=row.pk, name="withdraw", reason="", caller=caller)


def set_by_two(world: World, first: int = 7) -> None:
    """Propose a limit, have another administrator put it in force, and leave one proposed."""
    other, _ = User.objects.get_or_create(username="administrator-2", is_staff=True, is_superuser=True)
    for most in (first, first + 1):
        said = {"group": "support", "book": "GIFTS", "amount_most": most, "two_deciders_above": 0}
        given: dict[str, Any] = {"kind": "limit", "arguments": said, "reason": "As agreed."}
        row = setting_changes.propose(**given, caller=world.caller(world.superuser))
        if most == first:
            setting_changes.approve(change_id=row.pk, caller=world.caller(other))


def proposed(world: World) -> None:
    """Leave an adjustment, a merge and a reversal that wait for a decision, in the book that keeps lots where they touch points."""
    support = world.caller(world.support)
    world.register("3001", "3002")
    one, other = Identifier.objects.filter(value__in=("3001", "3002")).order_by("value")
    merges.propose(
        merge_queries.proposal(holder_id=one.holder_id, survivor_id=other.holder_id, effective_on=FEBRUARY, reason="One."),
        caller=support,
    )
    said = Proposal("waits", "GIFTS", "M1", -5, date(2017, 3, 2), "gifts", "Granted twice.", "T-1")
    finance = world.caller(world.finance)
    reason_codes.keep(code="gifts", name="Gifts", contra_accounts={"GIFTS": "programme"}, caller=finance)
    reason_codes.set_limit(
        group="finance", book="GIFTS", amount_most=9, two_deciders_above=9, caller=world.caller(world.superuser)
    )
    adjustments.propose(proposal=said, caller=support, expires_at=worlds.NOW.replace(year=2100))
    entry = Entry.objects.get(book__code="GIFTS", reference="s-1")
    reversals.propose(entry_id=entry.pk, reason="It came back.", caller=support)


def verified(world: World) -> None:
    from ledger_app.verification.operations import verification

    verification.verify(books=[world.card, world.points], at=worlds.NOW, now=worlds.clock)


def sent_by_a_program(world: World, number: int) -> None:
    """Have a program post an entry."""
    sender, _ = User.objects.get_or_create(username="machine-1")
    sender.groups.set(Group.objects.filter(name="machine"))
    lines = (("receivable.1001", 1), ("receivable.1002", -1))
    given = [submissions.Given("CARD", FEBRUARY, f"pos-{number}", "", lines)]
    (done,) = submissions.submit(given=given, caller=world.caller(sender), is_all=False)
    assert done.outcome == "created", done


def one_more_seal(world: World, place: int) -> None:
    for batch in Batch.objects.exclude(state__in=["frozen", "withdrawn"]):
        if batch.state == "applied":
            world.freeze(batch)
        else:
            world.withdraw(batch)
    for book in (world.card, world.points):
        world.freeze_period(Period.objects.filter(book=book).order_by("starts_on")[place])


def handed_over(world: World, directory: Path) -> None:
    """Hand January over to accounting by three profiles."""
    caller = world.caller(world.finance)
    january = Period.objects.filter(book=world.card).earliest("starts_on")
    for target in profile_samples.TARGETS:
        profile = profiles.load(text=profile_samples.text(target), caller=caller).row.profile
        accounting.export(period=january, profile=profile, path=directory / f"{target}.csv", caller=caller)


def points_that_expire(code: str = "GIFTS") -> None:
    """Open a book that keeps lots, with lots that are used, held, expired and left."""
    machine = samples.machine_caller()
    points = lot_samples.open_points(machine, code=code)
    points.gain("g-1", 100)
    points.gain("g-2", 60, on=date(2017, 3, 1))
    points.gain("s-1", -30)
    till, _ = User.objects.get_or_create(username="till-9")
    till.groups.add(Group.objects.get(name="till"))
    hold_rules.set_rule(book=points.book, given=hold_rules.HoldRuleGiven(amount_most=500), caller=machine)
    policies.set_policy(book=points.book, given=policies.PolicyGiven(), caller=machine)
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 20, "order-1", lot_samples.at(2017, 6, 1))
    holds.place(wanted=wanted, caller=Caller(till, lot_samples.at(2017, 3, 2), "api"))
    expiry.expire(book=points.book, through=date(2017, 1, 31), caller=Caller(machine.user, lot_samples.at(2017, 3, 2), "command"))


def filled(directory: Path) -> World:
    """Return the world in which every list has rows."""
    world = worlds.build(directory)
    months(world)
    points_that_expire()
    set_by_two(world)
    sent_by_a_program(world, 0)
    asked_to_erase(world)
    verified(world)
    one_more_seal(world, 0)
    handed_over(world, directory)
    return world


FULL = Ground(filled, over=worlds.GROUND)


def pages(model: type[Model]) -> Iterator[str]:
    yield list_of(model)
    for row in model._default_manager.order_by("-pk")[:2]:
        yield page_of(row)


def with_february(world: World, first: int) -> None:
    """Bring more files in, dated in the month after the frozen one."""
    for place, state in enumerate(("applied", "received")):
        number = first + place
        held = [
            worlds.Purchase(str(1001 + at % 6), worlds.SHOPS[at % 2], f"f{number}-{at}", str(100 * at), "2017-02-09T12:00:00Z")
            for at in range(16)
        ]
        batch = world.receive(worlds.card_file(held, sequence=number, day=FEBRUARY), name=name_of_file(number, FEBRUARY))
        if state == "applied":
            world.validate(batch)
            world.approve(batch)
            world.apply(batch)


INSTANT = re.compile(
    r"(?<![0-9T:+-])(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-2][0-9]:[0-5][0-9](?::[0-5][0-9])?(?![0-9:])(?![+-][0-9]{2}:[0-9]{2})"
)


def without_tags(page: str) -> str:
    """Return what a page shows: no tags, and nothing of what stands in their attributes."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style|select|pre).*?</\1>", " ", page))
