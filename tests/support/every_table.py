"""A world in which every table of both applications has rows, all of them written by operations."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

from django.contrib.auth.models import Group, Permission

from ingestion_app.deciding.operations import deciding
from ingestion_app.deciding.queries import alerts
from ingestion_app.receiving.operations import pruning
from ingestion_app.sources import operations as sources
from ledger_app.accounting.operations import profiles
from ledger_app.adjustments.operations import adjustments, attachments, reason_codes
from ledger_app.adjustments.queries import adjustments as adjustment_rows
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.operations import transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening, MemberOpening
from ledger_app.close.operations import freezing, policies
from ledger_app.close.queries.closing import control_totals
from ledger_app.erasures.operations import erasures, names
from ledger_app.errors import Refused
from ledger_app.members.operations import members, merges, opening
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest as merge_digest
from ledger_app.models import Account, Book, Entry, User
from ledger_app.people.operations import factors, identities, reviews
from ledger_app.people.queries import reviews as review_rows
from ledger_app.points.operations import expiry, hold_rules, holds, lot_rules
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from ledger_app.programs.operations import submissions
from ledger_app.programs.operations.submissions import Given
from ledger_app.reports import accounting
from ledger_app.reversals import operations as reversals
from ledger_app.reversals import queries as reversal_rows
from ledger_app.rights.operations import tokens
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.traces import operations as tracing
from ledger_app.verification.operations import verification
from tests.support import hooks, profile_samples
from tests.support import world as worlds
from tests.support.alerted import SHAPE
from tests.support.origins import of_request
from tests.support.world import Purchase, World

NOW = worlds.NOW
LATER = datetime(2999, 1, 1, tzinfo=UTC)


def build(directory: Path) -> World:
    """Set up two books with files, one with lots, and do everything once."""
    world = worlds.build(directory / "files", set_aside=5)
    lots = _lots(world)
    finance, root, support = (world.caller(user) for user in (world.finance, world.superuser, world.support))
    second = User.objects.create(username="second", is_staff=True)
    second.groups.add(Group.objects.get(name="finance"))
    second.user_permissions.add(Permission.objects.get(codename="view_book"))
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts={"LOTS": "lots.expense"}, caller=finance)
    reason_codes.set_limit(group="finance", book="LOTS", amount_most=50_000, two_deciders_above=5_000, caller=root)
    _settings(world, root)
    _programs(world)
    factors.add_app(name="phone", key_name="key", content=b"sealed", step=1, caller=finance)
    factors.make_codes(caller=finance)
    identities.bind(username=finance.user.username, issuer="https://login.example", subject="a1", caller=finance)
    _tokens(world)
    _adjustments(world, directory, world.caller(second))
    _points(world, lots)
    _files(world)
    _handed_over(world, directory)
    for book in (world.card, world.points):
        books.open_period(
            book=book, name="2017-03", starts_on=date(2017, 3, 1), ends_on=date(2017, 3, 31), caller=world.caller(world.system)
        )
    _members(world, support, finance)
    _alerts(world, finance)
    _erasures(world, directory)
    return world


def _alerts(world: World, finance: Caller) -> None:
    """Have a file of one record be held against one of many, and what is unlike acknowledged; later files are held against none again."""
    text = worlds.definition(set_aside=5)
    sources.load(text=text + SHAPE, caller=world.caller())
    few = worlds.card_file([Purchase("1003", "31", "s31", "70", "2017-02-14T10:00:00Z")], day=date(2017, 2, 14))
    batch = world.validated(few, name="till-2017-02-14-1.csv")
    shown = alerts.digest_of(batch)
    deciding.acknowledge(batch_id=batch.pk, reason="A quiet day.", alerts_shown=shown, caller=finance)
    sources.load(text=text, caller=world.caller())


def _erasures(world: World, directory: Path) -> None:
    """Erase a member who had an attachment approved; leave another erasure asked for."""
    tracing.link(at=datetime.now(tz=UTC) + timedelta(minutes=1), distance=timedelta(0))
    support, folder = world.caller(world.support), directory / "files" / "attachments"
    for code, name in (("lots.3", "Sato"), ("lots.4", "Kato")):
        holder = Account.objects.get(code=code).holder
        assert holder is not None
        names.correct(holder_id=holder.pk, name=name, shown=holder.name, reason=f"{name} rang.", caller=support)
        file = attachments.take_in(
            stream=BytesIO(b"for " + code.encode()), name="f.txt", directory=folder, bytes_most=99, caller=support
        )
        said = Proposal(f"of-{code}", "LOTS", code, 5, date(2017, 2, 27), "goodwill", "Late.", attachments=(file,))
        row = adjustments.propose(proposal=said, caller=support, expires_at=LATER)
        shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
        adjustments.decide(
            adjustment_id=row.pk, name="approve", caller=world.caller(world.finance), digest_shown=shown, reason="Seen."
        )
        asked = erasures.propose(holder_id=holder.pk, reason="Asked.", ticket="P-1", caller=support)[0]
        if name == "Sato":
            erasures.approve(erasure_id=asked.pk, caller=world.caller(world.finance), directory=folder)


def _lots(world: World) -> Book:
    caller = world.caller(world.system)
    book = books.open_book(code="LOTS", name="Lots", unit="points", exponent=0, time_zone="UTC", caller=caller)
    openings = [
        AccountOpening("lots.expense", "programme", "expense"),
        AccountOpening("lots.breakage", "breakage", "income"),
        AccountOpening("lots.redeemed", "redeemed", "liability"),
    ]
    books.open_accounts(book=book, openings=openings, caller=caller)
    given = RuleGiven(expiry="days", validity=20, breakage="lots.breakage")
    lot_rules.set_rule(book=book, role="points", given=given, caller=caller)
    for name, first, last in (
        ("2017-01", date(2017, 1, 1), date(2017, 1, 31)),
        ("2017-02", date(2017, 2, 1), date(2017, 2, 28)),
        ("2017-03", date(2017, 3, 1), date(2017, 3, 31)),
    ):
        books.open_period(book=book, name=name, starts_on=first, ends_on=last, caller=caller)
    openings_of = [
        MemberOpening(f"L{number}", (("LOTS", AccountOpening(f"lots.{number}", "points", "liability", floor=0)),))
        for number in range(1, 5)
    ]
    books.open_members(openings=openings_of, caller=caller)
    return book


def _post(world: World, book: Book, on: date, reference: str, *lines: tuple[str, int]) -> Entry:
    draft = Draft(
        book_id=book.pk,
        effective_on=on,
        reference=reference,
        description="",
        lines=tuple((Account.objects.get(book=book, code=code).pk, amount) for code, amount in lines),
    )
    origin = of_request(world.caller(world.system))
    transactions.run(lambda: entries.post(drafts=[draft], origin=origin, caller=world.caller(world.system)))
    return Entry.objects.get(book=book, reference=reference)


def _adjustments(world: World, directory: Path, second: Caller) -> None:
    support = world.caller(world.support)
    file = attachments.take_in(
        stream=BytesIO(b"a receipt\n"),
        name="r.txt",
        directory=directory / "files" / "attachments",
        bytes_most=1_000,
        caller=support,
    )
    for key, amount, files in (("one", 100, (file,)), ("two", 9_000, ()), ("open", 7, ())):
        proposal = Proposal(
            key=key,
            book="LOTS",
            account="lots.1",
            amount=amount,
            effective_on=date(2017, 2, 27),
            reason="goodwill",
            text="The till was down.",
            attachments=files,
        )
        row = adjustments.propose(proposal=proposal, caller=support, expires_at=LATER)
        steps = {"one": ["approve"], "two": ["endorse", "approve"], "open": []}[key]
        for name, who in zip(steps, (world.caller(world.finance), second), strict=False):
            row.refresh_from_db()
            shown = adjustment_rows.preview(adjustment_rows.terms_of(row)).digest
            adjustments.decide(adjustment_id=row.pk, name=name, caller=who, digest_shown=shown, reason="Seen.")


def _programs(world: World) -> None:
    """Have a program post."""
    machine = User.objects.create(username="machine-1")
    machine.groups.add(Group.objects.get(name="machine"))
    lines = (("lots.expense", 1), ("lots.redeemed", -1))
    given = [Given("LOTS", date(2017, 2, 27), "by-program", "", lines)]
    submissions.submit(given=given, caller=world.caller(machine), is_all=True)
    hooks.failing("shop", world.caller(world.engineer))


def _settings(world: World, root: Caller) -> None:
    """Propose a limit and have another administrator put it in force; leave one proposed."""
    other = world.caller(User.objects.create(username="administrator-2", is_staff=True, is_superuser=True))
    reviews.sign(digest=review_rows.digest(review_rows.grants(at=root.at)), note="Looked through.", caller=root)
    for most in (60_000, 70_000):
        said = {"group": "support", "book": "LOTS", "amount_most": most, "two_deciders_above": 0}
        row = setting_changes.propose(kind="limit", arguments=said, reason="As agreed.", caller=root)
        if most == 60_000:
            setting_changes.approve(change_id=row.pk, caller=other)


def _tokens(world: World) -> None:
    """Have a token follow another, use it, and end it."""
    caller = world.caller(world.engineer)
    life = {"ends_at": caller.at + timedelta(days=9), "days_most": 9}
    said = {"name": "nightly", "operations": ["ingestion_app.receive_batch"], "books": ["CARD"]}
    old = tokens.issue(username=world.engineer.username, **said, **life, caller=caller).token  # type: ignore[arg-type]
    new = tokens.replace(token_id=old.pk, old_ends_at=caller.at, **life, caller=caller).token  # type: ignore[arg-type]
    tokens.used(token_id=new.pk, at=caller.at)
    tokens.end(token_id=new.pk, caller=caller)


def _points(world: World, lots: Book) -> None:
    opening.set_template(book=lots, role="wallet", category="liability", floor=0, caller=world.caller(world.superuser))
    given = HoldRuleGiven(amount_most=1_000, targets=("lots.redeemed",))
    hold_rules.set_rule(book=lots, given=given, caller=world.caller(world.superuser))
    policies.set_policy(book=lots, given=policies.PolicyGiven(0, 0, 0, ("entries",)), caller=world.caller(world.superuser))
    till = User.objects.create(username="till-1")
    till.groups.add(Group.objects.get(name="till"))
    caller = world.caller(till)
    _post(world, lots, date(2017, 2, 1), "old", ("lots.2", -40), ("lots.expense", 40))
    _post(world, lots, date(2017, 2, 27), "granted", ("lots.2", -50), ("lots.expense", 50))
    spent = _post(world, lots, date(2017, 2, 28), "spent", ("lots.1", 30), ("lots.redeemed", -30))
    expiry.expire(book=lots, through=date(2017, 2, 27), caller=world.caller(world.system))
    account, target = (Account.objects.get(code=code).pk for code in ("lots.2", "lots.redeemed"))
    for reference in ("settled", "left-open"):
        wanted = holds.Wanted(account, target, 20, reference, NOW + timedelta(hours=5), "")
        placed, *_rest = holds.place(wanted=wanted, caller=caller)
        if reference == "settled":
            holds.settle(hold_id=placed.pk, amount=15, effective_on=None, caller=caller)
    reversal = reversals.propose(entry_id=spent.pk, reason="Returned.", caller=world.caller(world.support))
    shown = reversal_rows.preview_on(spent, reversal.effective_on, reversal.prior_period)
    reversals.approve(reversal_id=reversal.pk, digest_shown=shown.digest, caller=world.caller(world.finance))


def _files(world: World) -> None:
    content = worlds.card_file([*worlds.PURCHASES, Purchase("9999", "31", "b1", "10")])
    first = world.applied(content)
    world.receipt(content)
    with suppress(Refused):
        world.receipt(worlds.card_file(sequence=7), name="of-no-slot.csv")
    pruning.prune(directory=world.directory, attachments=world.directory / "none", before=LATER, caller=world.caller())
    world.freeze(first)
    world.freeze_period(world.opened[0])
    points = world.opened[2]
    asked = freezing.ask(
        period_id=points.pk, controls={"debits": control_totals(points)["debits"]}, caller=world.caller(world.finance)
    )
    freezing.carry_out(attempt_id=asked.pk, caller=world.caller(world.finance), code_version="test", now=worlds.clock)


def _handed_over(world: World, directory: Path) -> None:
    """Hand January over to accounting by one of two profiles, one of which is changed since."""
    caller = world.caller(world.finance)
    texts = [profile_samples.text(target) for target in ("yayoi", "freee")]
    _yayoi, profile = [profiles.load(text=text, caller=caller).row.profile for text in texts]
    accounting.export(period=world.opened[0], profile=profile, path=directory / "january.csv", caller=caller)
    profiles.load(text=profile_samples.text("freee", ("雑損失", "雑費")), caller=caller)


def _members(world: World, support: Caller, finance: Caller) -> None:
    holder = Account.objects.get(code="points.1001").holder_id
    survivor = Account.objects.get(code="points.1002").holder_id
    assert holder is not None
    assert survivor is not None
    given = members.add_identifier(holder_id=survivor, kind="card_token", value="token-1", caller=support, reason="A new card.")
    members.end_identifier(identifier_id=given.pk, active_to=date(2017, 2, 28), reason="Lost.", caller=support)
    later = [
        Purchase("1001", "31", "s21", "70", "2017-02-05T10:00:00Z"),
        Purchase("1003", "31", "s22", "80", "2017-02-05T10:00:00Z"),
    ]
    # Merged between the approval and the posting: its entries go to the member who remains.
    second = world.approved(worlds.card_file(later, day=date(2017, 2, 28)), name="till-2017-02-28-1.csv")
    merge = merges.propose(merge_rows.proposal(holder_id=holder, survivor_id=survivor, reason="One person."), caller=support)
    plan = merge_rows.facts(merge, user=finance.user, at=NOW).plan
    merges.approve(merge_id=merge.pk, digest_shown=merge_digest(plan.as_json()).hex(), caller=finance)
    world.reversed(world.apply(second).batch)
    verification.verify(books=[world.card], at=NOW, now=worlds.clock)
