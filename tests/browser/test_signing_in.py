"""Setting up a second factor and signing in with it, in a browser: codes without a script, passkeys with a device that is made up."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from ledger_app.models import RecoveryCode, SecondFactor
from tests.browser.conftest import PASSWORD, PersonOf
from tests.support.world import World

pytestmark = [pytest.mark.anywhere, pytest.mark.django_db(transaction=True), pytest.mark.serial]
PICTURES = os.environ.get("PICTURES_OF_PAGES")


def examine(page: Page, name: str, *, has_barriers_looked_for: bool) -> None:
    """Look for barriers; keep a picture where a folder for them is named."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    if has_barriers_looked_for:
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        assert [each["id"] for each in found] == [], name


def type_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_an_app_by_keys_alone_and_then_a_passkey(world: World, person: PersonOf) -> None:
    finance = world.finance
    somebody = person(finance, is_examined=True)
    page = somebody.page
    somebody.go("/admin/factors/")
    examine(page, "factors-none", has_barriers_looked_for=True)
    somebody.press("Add an app")
    page.get_by_label("Name").fill("phone")
    secret = page.locator(".typed-secret").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(datetime.now(UTC)))
    examine(page, "factor-app", has_barriers_looked_for=True)
    page.keyboard.press("Enter")
    page.wait_for_selector(".recovery-codes")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    examine(page, "recovery-codes", has_barriers_looked_for=True)
    somebody.press("I have kept them")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": True}
    made_up = {**options, "isUserVerified": True, "automaticPresenceSimulation": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": made_up})
    somebody.press("Add a passkey")
    page.get_by_label("Name").fill("key")
    examine(page, "factor-passkey", has_barriers_looked_for=True)
    somebody.press("Make a passkey")
    page.wait_for_url("**/admin/factors/")
    examine(page, "factors-two", has_barriers_looked_for=True)
    assert SecondFactor.objects.filter(user=finance).count() == 2
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Log out").click()
    somebody.go("/admin/login/")
    type_in(page, finance.username)
    page.wait_for_url("**/admin/login/second/")
    examine(page, "second-step", has_barriers_looked_for=True)
    assert page.locator("[data-failed]").is_hidden()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")
    somebody.go("/admin/again/?next=/admin/factors/")
    examine(page, "again", has_barriers_looked_for=True)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/admin/factors/$"))
    assert RecoveryCode.objects.filter(user=finance).count() == len(codes) - 1
    page.locator(".languages button[lang=ja]").click()
    for name, path in (
        ("factors-ja", "factors/"),
        ("factor-app-ja", "factors/app/"),
        ("again-ja", "again/"),
        ("codes-ja", "factors/codes/"),
    ):
        somebody.go("/admin/" + path)
        examine(page, name, has_barriers_looked_for=False)
        text = page.locator("main").inner_text()
        assert re.search("第二要素|回復コード|本人", text), name


def test_the_pages_obey_the_policy(world: World, person: PersonOf) -> None:
    """Without what examines pages, whose styles the policy would refuse: the fixture counts complaints."""
    somebody = person(world.finance)
    for path in ("factors/", "factors/app/", "factors/passkey/", "again/"):
        somebody.go("/admin/" + path)
        examine(somebody.page, "plain-" + path.strip("/").replace("/", "-"), has_barriers_looked_for=False)


def test_sessions_and_passwords_that_another_made(world: World, person: PersonOf) -> None:
    somebody = person(world.finance, is_examined=True)
    page = somebody.page
    somebody.go("/admin/sessions/")
    examine(page, "sessions", has_barriers_looked_for=True)
    office = person(world.superuser, is_examined=True)
    office.go(f"/admin/ledger_app/user/{world.finance.pk}/password/")
    examine(office.page, "password-of-another", has_barriers_looked_for=True)
    office.page.locator("input[name=set-password]").click()
    made = office.page.locator("code.key").inner_text()
    examine(office.page, "made-password", has_barriers_looked_for=True)
    somebody.go("/admin/login/")
    page.get_by_label("Username").fill(world.finance.username)
    page.get_by_label("Password").fill(made)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/password_change/")
    examine(page, "own-password", has_barriers_looked_for=True)
    page.get_by_label("Old password").fill(made)
    for label in ("New password:", "New password confirmation:"):
        page.get_by_label(label, exact=True).fill(f"{PASSWORD}-8")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/password_change/done/")
    somebody.go("/admin/sessions/")
