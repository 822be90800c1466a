"""A browser, a server on a free port with the static files under the strict policy, and people who log in."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from ledger_app.models import User
from tests.support import world as worlds
from tests.support.world import World

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "a-password-of-these-tests"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if connection.vendor != "sqlite":
        pytest.skip("pages are the same on every database: a browser looks at them on SQLite")
    if not CHROMIUM.exists() and os.environ.get("CI") != "true":
        pytest.skip("needs Debian's chromium")
    # The browser's driver runs an event loop in this thread; Django's guard against queries inside one is not meant for it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def world(transactional_db: None, files_dir: Path) -> World:
    """The small world; everybody in it has a password."""
    made = worlds.build(files_dir)
    for user in User.objects.filter(is_staff=True):
        user.set_password(PASSWORD)
        user.save()
    return made


class Person:
    """Somebody in front of a browser. What the browser complains about is kept in ``complaints``."""

    def __init__(self, context: BrowserContext, server: str, *, is_examined: bool = False) -> None:
        self.page: Page = context.new_page()
        self.server = server
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.is_examined = is_examined
        self.page.on("console", self._said)
        self.page.on("requestfailed", lambda request: self._failed(request.url, request.failure))

    def _said(self, said: ConsoleMessage) -> None:
        where = str(said.location.get("url", ""))
        # What examines a page asks for the style sheets that others import as if they lay beside the page.
        if said.type in {"error", "warning"} and not (self.is_examined and ".css/" in where):
            self.complaints.append(f"{self.page.url}: {said.text} {where}")

    def _failed(self, url: str, failure: str | None) -> None:
        # A page that is left while it asks for its progress gives the request up.
        if failure != "net::ERR_ABORTED":
            self.complaints.append(f"{url}: {failure}")

    def go(self, path: str) -> None:
        """Open a page by its path."""
        self.page.goto(self.server + path)

    def press(self, label: str) -> None:
        """Press the button or link of that name within the page's own part."""
        main = self.page.locator("main")
        found = main.get_by_role("button", name=label, exact=True).or_(main.get_by_role("link", name=label, exact=True))
        found.first.click()

    def log_in(self, user: User) -> "Person":
        """Log in by the form."""
        self.go("/admin/login/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/admin/")
        return self


PersonOf = Callable[..., Person]


@pytest.fixture
def person(browser: Browser, live_server: LiveServer, world: World) -> Iterator[PersonOf]:
    """Return a function that puts a user, or a stranger, in front of a browser; at the end no page may have complained."""
    contexts: list[BrowserContext] = []
    people: list[Person] = []

    def make(user: User | None = None, *, scheme: str = "light", width: int = 1280, is_examined: bool = False) -> Person:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="en",
            # What examines a page sets styles of its own in it.
            bypass_csp=is_examined,
        )
        contexts.append(context)
        made = Person(context, live_server.url, is_examined=is_examined)
        people.append(made)
        return made.log_in(user) if user else made

    yield make
    complaints = [complaint for each in people for complaint in each.complaints]
    for context in contexts:
        context.close()
    assert complaints == []
