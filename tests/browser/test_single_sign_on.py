"""The way to a provider and back in a browser, under the policy of the pages: a button, in both languages, light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from config.doors import callers as doorways
from ledger_app.models import User
from ledger_app.people.operations import identities
from tests.browser.conftest import PersonOf
from tests.browser.test_signing_in import examine
from tests.support.oidc_provider import CLIENT, SECRET, Provider
from tests.support.world import World

pytestmark = [pytest.mark.anywhere, pytest.mark.django_db(transaction=True), pytest.mark.serial]


@pytest.fixture
def provider(settings: Any, live_server: Any) -> Iterator[Provider]:
    made = Provider()
    settings.KAKUTEI_OIDC_ISSUER = made.issuer
    settings.KAKUTEI_OIDC_CLIENT_ID, settings.KAKUTEI_OIDC_CLIENT_SECRET = CLIENT, SECRET
    made.back = f"{live_server.url}/admin/login/provider/back/"
    made.behaviour = over_another_host
    yield made
    made.close()


def over_another_host(_provider: Provider, handler: Any) -> bool:
    """Lead on, as a provider does that asks another one in its turn."""
    host = handler.headers["Host"]
    if not handler.path.startswith("/realm/authorize") or not host.startswith("127.0.0.1"):
        return False
    handler.send_response(302)
    handler.send_header("Location", f"http://localhost:{host.partition(':')[2]}{handler.path}")
    handler.send_header("Content-Length", "0")
    handler.end_headers()
    return True


def bind(user: User, provider: Provider) -> None:
    system = doorways.from_command(User.objects.get(username=User.SYSTEM))
    identities.bind(username=user.username, issuer=provider.issuer, subject=provider.subject, reason="Asked.", caller=system)


def test_the_policy_of_the_pages_lets_a_browser_go_there_and_come_back(
    world: World, person: PersonOf, provider: Provider
) -> None:
    """Nothing examines it here: the fixture counts what the browser complains about."""
    bind(world.finance, provider)
    somebody = person()
    somebody.go("/admin/login/?next=/admin/ledger_app/book/")
    somebody.press("Sign in by 127.0.0.1")
    somebody.page.wait_for_url("**/admin/ledger_app/book/")
    somebody.go("/admin/single-sign-on/")
    expect(somebody.page.get_by_role("button", name="Unbind me")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(scheme: str, world: World, person: PersonOf, provider: Provider) -> None:
    somebody = person(scheme=scheme, is_examined=True)
    page = somebody.page
    somebody.go("/admin/login/")
    examine(page, f"sign-in-provider-{scheme}", has_barriers_looked_for=True)
    somebody.press("Sign in by 127.0.0.1")
    page.wait_for_selector(".errornote")
    assert "no user here is bound to you" in page.locator(".errornote").inner_text()
    examine(page, f"sign-in-unknown-{scheme}", has_barriers_looked_for=True)
    somebody.log_in(world.finance)
    somebody.go("/admin/single-sign-on/")
    examine(page, f"identity-none-{scheme}", has_barriers_looked_for=True)
    somebody.press("Bind me")
    page.wait_for_selector("text=You are bound since")
    examine(page, f"identity-{scheme}", has_barriers_looked_for=True)
    somebody.go("/admin/again/")
    examine(page, f"again-provider-{scheme}", has_barriers_looked_for=True)
    page.locator(".languages button[lang=ja]").click()
    assert "127.0.0.1 で本人確認をする" in page.locator("main").inner_text()
    examine(page, f"again-provider-{scheme}-ja", has_barriers_looked_for=False)
