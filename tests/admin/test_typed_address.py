"""The address that a page is told to come back to is an address, whatever path was asked for, and acts as nothing on the page."""

import pytest

from tests.admin.conftest import ClientOf
from tests.support.world import World

pytestmark = pytest.mark.django_db
SCRIPT = '"><script>alert(1)</script>'


@pytest.mark.parametrize("path", ["ledger_app/account/{}/change/", "ledger_app/account/1/{}/", "ledger_app/user/{}/password/"])
@pytest.mark.parametrize("is_checked", [True, False], ids=["from elsewhere", "from here"])
def test_a_path_writes_nothing_into_the_page(world: World, client_of: ClientOf, path: str, is_checked: bool) -> None:
    client = client_of(world.finance)
    client.handler.enforce_csrf_checks = is_checked
    answer = client.post(f"/admin/{path.format(SCRIPT)}", {"a": "b"})
    assert SCRIPT not in answer.content.decode()
