"""Every main page, light and dark, wide and narrow: no complaint of the browser, no barrier that axe finds, and keys suffice."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from ingestion_app.models import Batch, Chunk, Finding, Receipt, Record, Source, SourceVersion
from ledger_app.models import (
    Account,
    Adjustment,
    AdjustmentLimit,
    AuditRow,
    Book,
    Entry,
    ExpiryRun,
    Hold,
    Holder,
    Lot,
    LotRule,
    Merge,
    Period,
    ReasonCode,
    Reversal,
    Seal,
    SettingChange,
    Verification,
)
from tests.admin.conftest import page_of, step_of
from tests.browser.conftest import PersonOf
from tests.support import world as worlds
from tests.support.every_page import list_of, months, one_more_seal, points_that_expire, proposed, set_by_two, verified
from tests.support.world import World

MODELS = (
    *(Account, AuditRow, Book, Entry, Holder, Period, Reversal, Seal, Verification),
    *(Adjustment, AdjustmentLimit, ExpiryRun, Hold, Lot, LotRule, Merge, ReasonCode, SettingChange),
    *(Batch, Chunk, Finding, Receipt, Record, Source, SourceVersion),
)
pytestmark = [pytest.mark.anywhere, pytest.mark.slow, pytest.mark.serial]
GRAVE = {"serious", "critical"}
OF_COLOURS = ("color-contrast", "link-in-text-block")


@pytest.fixture
def full(world: World) -> World:
    months(world)
    points_that_expire()
    set_by_two(world)
    verified(world)
    one_more_seal(world, 0)
    proposed(world)
    return world


def main_pages() -> list[str]:
    batch = Batch.objects.filter(state="frozen").earliest("id")
    holder = Holder.objects.earliest("pk")
    lots = Lot.objects.latest("pk").account
    return [
        reverse("admin:index"),
        reverse("admin:search") + "?q=2017-01-31",
        *(list_of(model) for model in MODELS),
        *(page_of(model._default_manager.latest("pk")) for model in MODELS),
        f"{list_of(Finding)}?batch__id__exact={batch.pk}",
        page_of(batch),
        page_of(Period.objects.filter(state="frozen").latest("id")),
        reverse("admin:ingestion_app_batch_history", args=[batch.pk]),
        reverse("admin:ingestion_app_batch_simple_history", args=[batch.pk, batch.history.latest().pk]),
        reverse("admin:ingestion_app_batch_receive"),
        reverse("admin:ledger_app_account_explain", args=[Account.objects.get(code="receivable.1004").pk]),
        reverse("admin:ledger_app_account_statement", args=[Account.objects.get(code="receivable.1004").pk]),
        reverse("admin:ledger_app_book_reports", args=[Book.objects.get(code="CARD").pk]),
        reverse("admin:ledger_app_entry_reverse", args=[Entry.objects.latest("pk").pk]),
        *(step_of(model.objects.get(state="proposed"), "approve") for model in (Adjustment, Merge, Reversal, SettingChange)),
        step_of(Hold.objects.get(state="open"), "release"),
        reverse("admin:ledger_app_adjustment_propose"),
        reverse("admin:ledger_app_reasoncode_keep"),
        reverse("admin:ledger_app_adjustmentlimit_keep"),
        reverse("admin:ledger_app_holder_identify", args=[holder.pk]),
        reverse("admin:ledger_app_holder_merge", args=[holder.pk]),
        page_of(lots),
        reverse("admin:ledger_app_account_explain", args=[lots.pk]),
        reverse("admin:ledger_app_lotrule_due_of_account", args=[lots.pk]) + "?by=2018-01-01",
        step_of(Period.objects.filter(state="open").earliest("id"), "freeze"),
    ]


def test_no_main_page_makes_the_browser_complain_or_is_wider_than_its_window(full: World, person: PersonOf) -> None:
    reader = person(full.superuser)
    wide = []
    for path in main_pages():
        reader.go(path)
        expect(reader.page.locator("h1")).to_be_visible()
        for width in (1280, 1920):
            reader.page.set_viewport_size({"width": width, "height": 900})
            if reader.page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append((path, width))
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_main_page_has_a_barrier(full: World, person: PersonOf, scheme: str) -> None:
    reader = person(full.superuser, scheme=scheme, is_examined=True)
    # What does not look at colours says the same of a page by day and by night: it is asked once.
    asked = {"runOnly": {"type": "rule", "values": list(OF_COLOURS)}} if scheme == "dark" else None
    found = []
    for path in main_pages():
        reader.go(path)
        found += [
            (path, each["id"], [node["html"][:120] for node in each["nodes"]][:3])
            for each in Axe().run(reader.page, options=asked).response["violations"]
            if each["impact"] in GRAVE
        ]
    assert found == []


def test_light_and_dark_are_both_designed(full: World, person: PersonOf) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        reader = person(full.support, scheme=scheme)
        reader.go(page_of(Batch.objects.earliest("id")))
        colours[scheme] = reader.page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.card')).color]"
        )
    assert colours["light"][0] == "rgb(251, 250, 247)"
    assert colours["dark"][0] == "rgb(20, 24, 28)"
    assert colours["light"][1] != colours["dark"][1]


def test_keys_suffice_for_a_decision(world: World, person: PersonOf) -> None:
    batch = world.validated()
    finance = person(world.finance)
    finance.go(page_of(batch))
    finance.page.keyboard.press("/")
    expect(finance.page.locator("#site-search")).to_be_focused()
    for _ in range(60):
        finance.page.keyboard.press("Tab")
        if finance.page.evaluate("document.activeElement.textContent.trim()") == "Approve":
            break
    assert finance.page.evaluate("document.activeElement.textContent.trim()") == "Approve"
    finance.page.keyboard.press("Enter")
    expect(finance.page.locator("h1")).to_have_text("Approve")
    finance.page.get_by_label("Note").focus()
    finance.page.keyboard.type("By keys alone / and slashes.")
    expect(finance.page.get_by_label("Note")).to_have_value("By keys alone / and slashes.")
    finance.page.keyboard.press("Tab")
    finance.page.keyboard.press("Enter")
    expect(finance.page.locator(".title .state")).to_have_text("Approved")


def test_a_stranger_sees_a_login_without_a_barrier(world: World, person: PersonOf) -> None:
    stranger = person(is_examined=True)
    stranger.go("/")
    expect(stranger.page.get_by_role("button", name="Log in")).to_be_visible()
    assert [each["id"] for each in Axe().run(stranger.page).response["violations"] if each["impact"] in GRAVE] == []
    stranger.page.get_by_label("Username").fill("nobody")
    stranger.page.get_by_label("Password").fill("wrong")
    stranger.page.get_by_role("button", name="Log in").click()
    expect(stranger.page.get_by_role("alert")).to_be_visible()


def test_a_script_in_a_file_is_text_and_does_not_run(world: World, person: PersonOf) -> None:
    record = b'D,"<script>document.title=1</script>",31,s1,1,2017-01-05T10:00:00Z\n'
    batch = world.validate(world.receive(worlds.card_file([record]), name=worlds.NAME))
    reader = person(world.engineer)
    for path in (page_of(batch), *(page_of(each) for each in Finding.objects.filter(batch=batch))):
        reader.go(path)
        assert reader.page.title() != "1"
    assert batch.state == "rejected"
