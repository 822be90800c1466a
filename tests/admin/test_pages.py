"""Every page opens for every role, and none asks more of the database for more rows."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.model_admin import HistoryShown, ReadOnlyAdmin
from ingestion_app.models import Batch, Chunk, Finding, Receipt, Record, Source, SourceVersion
from ledger_app.models import (
    Account,
    Adjustment,
    AdjustmentLimit,
    AuditRow,
    Book,
    DeadLetter,
    Entry,
    Erasure,
    Event,
    ExpiryRun,
    Hold,
    Holder,
    HoldRule,
    Identifier,
    Lot,
    LotRule,
    Merge,
    Period,
    ReasonCode,
    Reversal,
    Seal,
    SettingChange,
    Submission,
    User,
    Verification,
    Webhook,
)
from ledger_app.operations import (
    adjustments,
    erasures,
    expiry,
    hold_rules,
    holds,
    merges,
    names,
    reason_codes,
    reversals,
    setting_changes,
    submissions,
)
from ledger_app.operations.audit import Caller
from ledger_app.queries import merges as merge_queries
from ledger_app.queries.adjustments import preview, terms_of
from ledger_app.rules.adjustments import Proposal
from tests.admin.conftest import ROLES, ClientOf, RoleOf, another_file, bring_to, name_of_file, page_of
from tests.ingestion_app.operations import world as worlds
from tests.ingestion_app.operations.world import World
from tests.ledger_app import hooks, lot_samples, samples

FEBRUARY = date(2017, 2, 28)
LOOKED_AT: tuple[type[Model], ...] = (
    *(
        Account,
        Adjustment,
        AdjustmentLimit,
        AuditRow,
        Book,
        DeadLetter,
        Entry,
        Erasure,
        Event,
        ExpiryRun,
        Hold,
        HoldRule,
        Holder,
        Lot,
        LotRule,
        Merge,
        Period,
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
    row = erasures.propose(holder_id=holder.pk, reason="Asked.", ticket="P-1", caller=caller)
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
    from ledger_app.operations import verification

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
    wanted = holds.Wanted(points.accounts["M1"].pk, points.accounts["programme"].pk, 20, "order-1", lot_samples.at(2017, 6, 1))
    holds.place(wanted=wanted, caller=Caller(till, lot_samples.at(2017, 3, 2), "api"))
    expiry.expire(book=points.book, through=date(2017, 1, 31), caller=Caller(machine.user, lot_samples.at(2017, 3, 2), "command"))


@pytest.fixture
def full(world: World) -> World:
    months(world)
    points_that_expire()
    set_by_two(world)
    sent_by_a_program(world, 0)
    asked_to_erase(world)
    verified(world)
    one_more_seal(world, 0)
    return world


def pages(model: type[Model]) -> Iterator[str]:
    yield list_of(model)
    for row in model._default_manager.order_by("-pk")[:2]:
        yield page_of(row)


def test_every_list_of_the_books_is_looked_at() -> None:
    registered = {model for model, each in admin.site._registry.items() if isinstance(each, ReadOnlyAdmin)}
    assert registered == set(LOOKED_AT)


@pytest.mark.parametrize("role", [*ROLES, "superuser"])
def test_everyone_who_works_here_sees_every_list_and_every_page(
    full: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    client = client_of(somebody(role))
    seen = 0
    for model in LOOKED_AT:
        assert model._default_manager.exists(), model
        for address in pages(model):
            response = client.get(address)
            assert response.status_code == 200, (address, response.status_code)
            seen += 1
    assert seen > len(LOOKED_AT) * 2
    for address in ("admin:index", "admin:search", "admin:password_change"):
        assert client.get(reverse(address)).status_code == 200
    assert (role == "superuser") == (client.get(list_of(User)).status_code == 200)


def test_every_page_opens_in_japanese(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    for address in [reverse("admin:index"), *(address for model in everything for address in pages(model))]:
        response = client.get(address, headers={"accept-language": "ja"})
        assert response.status_code == 200, address
        assert '<html lang="ja">' in response.content.decode()


@pytest.mark.parametrize("role", ["stranger", "outsider"])
def test_who_does_not_work_here_sees_nothing(full: World, outsider: User, role: str) -> None:
    client = Client()
    if role == "outsider":
        client.force_login(outsider)
    for model in LOOKED_AT:
        for address in pages(model):
            response = client.get(address)
            assert response.status_code == 302, address
            assert reverse("admin:login") in response["Location"]


def queries_of(client: Client, address: str) -> list[str]:
    client.get(
        reverse("admin:jsi18n")
    )  # twice a minute it is written down that somebody is here: now, and not while it is counted
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
        assert response.status_code == 200, address
    return [query["sql"] for query in captured.captured_queries]


def test_no_list_and_no_page_asks_more_of_the_database_for_more_rows(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    with_february(full, 41)  # of each kind of work there is some before and after
    addresses = {model: [list_of(model), page_of(model._default_manager.order_by("pk").first())] for model in LOOKED_AT}
    others = [reverse("admin:index"), reverse("admin:search") + "?q=2017-01-31", f"{list_of(Finding)}?batch__id__exact=1"]
    every = [address for pair in addresses.values() for address in pair] + others
    for address in every:
        client.get(address)  # what is read once a process is read now
    before = {address: queries_of(client, address) for address in every}
    counts = {model: model._default_manager.count() for model in LOOKED_AT}
    full.register(*(str(number) for number in range(2001, 2007)))
    for first in (11, 21, 31, 51):
        with_february(full, first)
        set_by_two(full, first)
        sent_by_a_program(full, first)
    points_that_expire("PRESENTS")
    verified(full)
    one_more_seal(full, 1)
    grown = {model for model in LOOKED_AT if model._default_manager.count() >= 2 * counts[model]}
    assert grown >= {
        AuditRow,
        Entry,
        Event,
        ExpiryRun,
        Hold,
        Holder,
        Lot,
        LotRule,
        Seal,
        SettingChange,
        Submission,
        Verification,
        Batch,
        Chunk,
        Receipt,
        Record,
    }
    for address in every:
        after = queries_of(client, address)
        assert len(after) <= len(before[address]), (address, after[len(before[address]) :])


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


def test_a_page_names_a_member_by_number_and_shows_the_balances_and_the_lines_that_explain_them(
    full: World, client_of: ClientOf
) -> None:
    client = client_of(full.support)
    found = client.get(reverse("admin:search"), {"q": "1004"})
    holder = Holder.objects.get(identifiers__value="1004")
    assert found.status_code == 302
    assert found["Location"] == page_of(holder)
    text = client.get(found["Location"]).content.decode()
    assert "Member 1004" in text
    assert "receivable.1004" in text
    entry = Entry.objects.filter(book=full.card, lines__account__code="receivable.1004").order_by("-pk").first()
    assert entry is not None
    assert page_of(entry) in text
    assert entry.reference in client.get(page_of(entry)).content.decode()


def test_an_entry_leads_back_to_its_line_and_the_line_to_the_bytes_that_came_in(full: World, client_of: ClientOf) -> None:
    client = client_of(full.support)
    entry = Entry.objects.get(book=full.card, reference="till:n1-3")
    record = Record.objects.get(batch__sequence=1, key="n1-3")
    assert page_of(record) in client.get(page_of(entry)).content.decode()
    text = client.get(page_of(record)).content.decode()
    assert "D,1004,32,n1-3,300,2017-01-09T12:00:00Z" in text
    assert page_of(entry) in text


def test_a_line_whose_stored_bytes_are_gone_says_so(full: World, client_of: ClientOf) -> None:
    for path in full.directory.rglob("*"):
        if path.is_file():
            path.unlink()
    response = client_of(full.support).get(page_of(Record.objects.earliest("id")))
    assert response.status_code == 200
    assert "cannot be read" in response.content.decode()


def test_bytes_of_a_file_cannot_become_markup(world: World, client_of: ClientOf) -> None:
    content = worlds.card_file([worlds.Purchase(slip="<script>x"), b"D,<b>1\n"])
    batch = world.validate(world.receive(content))
    client = client_of(world.engineer)
    addresses = [page_of(batch), *(page_of(each) for each in Finding.objects.filter(batch=batch))]
    texts = [client.get(address).content.decode() for address in addresses]
    for text in texts:
        assert "<script>x" not in text
        assert "<b>1" not in text
    assert any("&lt;b&gt;1" in text for text in texts)


def test_findings_of_a_batch_stay_its_own_through_every_other_filter_and_lead_back(full: World, client_of: ClientOf) -> None:
    batch = Batch.objects.filter(state="frozen").earliest("id")
    client = client_of(full.finance)
    response = client.get(list_of(Finding), {"batch__id__exact": str(batch.pk)})
    shown: Any = response.context["cl"]
    assert {row.batch_id for row in shown.result_list} == {batch.pk}
    text = response.content.decode()
    assert page_of(batch) in text
    links = [
        choice["query_string"]
        for spec in shown.filter_specs
        for choice in spec.choices(shown)
        if spec.parameter_name != "batch__id__exact"
    ]
    assert links
    assert all(f"batch__id__exact={batch.pk}" in link for link in links)
    narrowed = client.get(list_of(Finding), {"batch__id__exact": str(batch.pk), "severity": "error"})
    assert narrowed.context["cl"].result_count == 0


@pytest.mark.parametrize("number", ["0", "99999", "x", "１", "1' OR 1=1", "9" * 40])
def test_the_list_of_a_batch_that_is_not_there_is_empty_and_that_of_no_number_is_refused(
    full: World, client_of: ClientOf, number: str
) -> None:
    for model in (Finding, Record, Chunk):
        response = client_of(full.finance).get(list_of(model), {"batch__id__exact": number})
        if number not in {"0", "99999"}:
            assert response.status_code == 400
            continue
        assert response.status_code == 200
        assert response.context["cl"].result_count == 0


def test_only_what_keeps_a_history_has_a_button_for_it(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    for model in LOOKED_AT:
        text = client.get(page_of(model._default_manager.earliest("pk"))).content.decode()
        keeps = isinstance(admin.site._registry[model], HistoryShown)
        assert ('class="historylink"' in text) == keeps, model
        assert keeps == hasattr(model, "history")


def test_histories_show_what_changed_in_words(full: World, client_of: ClientOf) -> None:
    client = client_of(full.finance)
    batch = Batch.objects.filter(state="frozen").earliest("id")
    text = client.get(reverse("admin:ingestion_app_batch_history", args=[batch.pk])).content.decode()
    assert "Applied → Frozen" in text
    assert "None" not in text
    assert "Deleted user" not in text
    for line in batch.history.all():
        past = client.get(reverse("admin:ingestion_app_batch_simple_history", args=[batch.pk, line.pk]))
        assert past.status_code == 200
        assert "<form" not in past.content.decode().split("<main")[1]
    for strange in ("0", "999999", "x"):
        address = reverse("admin:ingestion_app_batch_simple_history", args=[batch.pk, "1"])[:-2] + f"{strange}/"
        assert client.get(address).status_code == 404


def test_dates_are_written_one_way_on_every_page(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    months_in_words = ("Jan. ", "Feb. ", "March ", "Nov. ", "noon", "midnight", " a.m.", " p.m.")
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    for model in everything:
        for address in pages(model):
            text = client.get(address).content.decode()
            assert not [word for word in months_in_words if word in text], address


def test_what_was_done_is_told_in_the_past_tense(full: World, client_of: ClientOf) -> None:
    batch = Batch.objects.filter(state="frozen").earliest("id")
    text = client_of(full.support).get(page_of(batch)).content.decode()
    for told in ("received the file", "validated the file", "approved the plan", "froze the batch"):
        assert told in text
    audit = client_of(full.support).get(list_of(AuditRow)).content.decode()
    assert "froze the period under a seal" in audit
    assert "approved the plan" in audit


# An instant is a date and a time, or a time by itself; what follows is its distance from UTC.
INSTANT = re.compile(
    r"(?<![0-9T:+-])(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-2][0-9]:[0-5][0-9](?::[0-5][0-9])?(?![0-9:])(?![+-][0-9]{2}:[0-9]{2})"
)


def without_tags(page: str) -> str:
    """Return what a page shows: no tags, and nothing of what stands in their attributes."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style|select|pre).*?</\1>", " ", page))


def test_an_instant_without_its_zone_is_seen() -> None:
    assert INSTANT.findall(
        "at 2017-01-31 09:00:00 and 09:00, not 2017-01-31 09:00:00+09:00, 09:00+09:00 or 2017-01-31T09:00:00Z"
    ) == [
        "2017-01-31 09:00:00",
        "09:00",
    ]


def test_every_instant_on_every_page_bears_its_zone(full: World, client_of: ClientOf) -> None:
    client = client_of(full.superuser)
    everything: tuple[type[Model], ...] = (*LOOKED_AT, User)
    found = {}
    for model in everything:
        for address in (list_of(model), *pages(model)):
            text = without_tags(client.get(address).content.decode())
            if without := INSTANT.findall(text):
                found[address] = without
    assert found == {}
