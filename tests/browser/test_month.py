"""A small February, driven by clicking: from the file on somebody's disk to the frozen period."""

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ingestion_app.models import Batch
from ledger_app.models import Period, User
from ledger_app.verification.operations import verification
from tests.admin.conftest import work
from tests.browser.conftest import PASSWORD, Person, PersonOf
from tests.conftest import UserMaker
from tests.support import world as worlds
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.serial]


def february() -> bytes:
    held = [
        worlds.Purchase(
            str(1001 + number % 6), worlds.SHOPS[number % 2], f"f{number}", str(1000 + number), "2017-02-09T12:00:00Z"
        )
        for number in range(12)
    ]
    return worlds.card_file(held, day=date(2017, 2, 28))


def close(closer: Person, book: str, control: str) -> None:
    """Freeze a book's February, at first with a control total that is not the ledger's."""
    closer.page.locator(".side").get_by_role("link", name="Periods").click()
    closer.page.get_by_role("link", name=f"{book} 2017-02").click()
    for total in ("1", control):
        closer.press("Freeze")
        closer.page.get_by_label("debits", exact=False).fill(total)
        closer.press("Freeze")
        work()
        closer.page.reload()
        if total != control:
            # Which total differs is said, and not by how much.
            expect(closer.page.locator("main")).to_contain_text("The control total debits")
    expect(closer.page.locator(".title .state")).to_have_text("Frozen")
    expect(closer.page.locator(".card-sealed")).to_contain_text("frieda")


def test_a_month_goes_from_upload_to_frozen_by_clicking(
    world: World, person: PersonOf, tmp_path: Path, make_user: UserMaker
) -> None:
    for period in Period.objects.filter(name="2017-01"):
        world.freeze_period(period)
    path = tmp_path / "till-2017-02-28-1.csv"
    path.write_bytes(february())
    second: User = make_user("frieda", "finance")
    second.set_password(PASSWORD)
    second.save()

    engineer = person(world.engineer)
    engineer.press("Receive a file")
    engineer.page.get_by_label("File required").set_input_files(path)
    engineer.press("Receive")
    expect(engineer.page.locator("h1")).to_have_text("till · 2017-02-28 · 1")
    expect(engineer.page.locator(".title .state")).to_have_text("Received")
    expect(engineer.page.locator("#why-not-approve")).to_contain_text("Finance may do this")

    engineer.press("Validate")
    engineer.press("Validate")
    expect(engineer.page.locator("#progress")).to_contain_text("Queued")
    work()
    expect(engineer.page.locator(".title .state")).to_have_text("Validated")  # the page follows by itself
    expect(engineer.page.locator(".waterfall")).to_contain_text("120.66")

    finance = person(world.finance)
    expect(finance.page.locator("main")).to_contain_text("Batches to approve")
    finance.page.locator(".kind").first.get_by_role("link", name="till · 2017-02-28 · 1").click()
    finance.press("Approve")
    expect(finance.page.locator("main")).to_contain_text("120.66 USD")
    finance.page.get_by_label("Note").fill("Agrees with the notice of the card company.")
    finance.press("Approve")
    expect(finance.page.locator(".title .state")).to_have_text("Approved")
    expect(finance.page.locator(".audit")).to_contain_text("fumiko approved the plan")

    engineer.page.reload()
    engineer.press("Apply")
    engineer.press("Apply")
    expect(engineer.page.locator(".title .state")).to_have_text("Applying")
    work()
    expect(engineer.page.locator(".title .state")).to_have_text("Applied")
    expect(engineer.page.locator(".change-of-ledger .row-even").first).to_contain_text("0.00 USD")
    expect(engineer.page.locator(".change-of-ledger .row-even").first).to_contain_text("equal")
    expect(engineer.page.locator(".waterfall .row-even")).to_contain_text("0.00")

    finance.page.reload()
    finance.press("Freeze")
    finance.press("Freeze")
    expect(finance.page.locator(".title .state")).to_have_text("Frozen")

    closer = person(second)
    for book, control in (("CARD", "120.66"), ("POINTS", "120")):
        close(closer, book, control)
    assert Batch.objects.get().state == "frozen"
    assert {period.state for period in Period.objects.all()} == {"frozen"}
    assert verification.verify(books=[world.card, world.points], at=worlds.NOW, now=worlds.clock).breaches == 0


def test_support_explains_a_balance_from_the_search_to_the_line_of_the_file(world: World, person: PersonOf) -> None:
    world.applied()
    support = person(world.support)
    support.page.keyboard.press("/")
    expect(support.page.locator("#site-search")).to_be_focused()
    support.page.keyboard.type("1003")
    support.page.keyboard.press("Enter")
    expect(support.page.locator("h1")).to_have_text("Member 1003")
    expect(support.page.locator("main")).to_contain_text("10.00 USD")
    support.page.get_by_role("link", name="till:s4").first.click()
    expect(support.page.locator("h1")).to_have_text("till:s4")
    support.page.locator(".facts").get_by_role("link", name="5", exact=True).click()
    expect(support.page.locator(".letter").first).to_contain_text("D,1003,32,s4,1000,2017-01-31T23:59:59Z")
