"""Anyone who goes back to a page that was typed on finds it as it was, and sends nothing by that."""

import pytest

from ledger_app.models import Account, Adjustment
from tests.browser.conftest import PersonOf
from tests.support.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial]


def test_back_after_a_preview_shows_the_preview_again(world: World, person: PersonOf) -> None:
    world.applied()
    support = person(world.support).log_in(world.support) if hasattr(world, "nobody") else person(world.support)
    account = Account.objects.get(code="points.1001")
    support.go(f"/admin/ledger_app/adjustment/propose/?account={account.pk}")
    page = support.page
    page.get_by_label("Text").or_(page.locator("textarea")).first.fill("Because of the storm.")
    page.locator("main button[type=submit]").first.click()
    page.wait_for_load_state()
    assert "typed=" in page.url
    support.go("/admin/")
    answer = page.go_back()
    assert answer is None or answer.ok
    assert "Because of the storm." in page.content()
    assert page.reload().ok  # type: ignore[union-attr]
    assert "Because of the storm." in page.content()
    assert not Adjustment.objects.exists()
