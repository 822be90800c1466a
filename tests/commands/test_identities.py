"""An operator binds a user to an identity at the provider, and unbinds them; run again it says what stands."""

from typing import Any

import pytest

from ledger_app.models import AuditRow, Identity
from tests.commands.conftest import Run
from tests.conftest import UserMaker

pytestmark = pytest.mark.django_db
WHY = ("--reason", "As was agreed.", "--json")


def test_an_operator_binds_and_unbinds_again_and_again_alike(run: Run, make_user: UserMaker, settings: Any) -> None:
    settings.KAKUTEI_OIDC_ISSUER = "https://login.example"
    user = make_user("fumiko", "finance")
    bound = ("bind_identity", "fumiko", "--subject", "a1", *WHY)
    first, second = run(*bound), run(*bound)
    assert (first.status, first.data) == (0, {"user": "fumiko", "issuer": "https://login.example", "bound": True})
    assert (second.status, second.data["bound"]) == (0, False)
    assert Identity.objects.get().user == user
    row = AuditRow.objects.get(action="bind_identity")
    assert (row.actor.username, row.door, row.reason) == ("system", "command", "As was agreed.")
    assert row.os_user
    refused = run("bind_identity", "fumiko", "--subject", "b2", "--reason", "x")
    assert refused.status == 1
    assert "Unbind that one first" in refused.complaints
    for expected in (True, False):
        ended = run("unbind_identity", "fumiko", *WHY)
        assert (ended.status, ended.data) == (0, {"user": "fumiko", "unbound": expected})
    assert not Identity.objects.exists()


def test_without_a_provider_nobody_is_bound(run: Run, make_user: UserMaker) -> None:
    make_user("fumiko", "finance")
    ended = run("bind_identity", "fumiko", "--subject", "a1", "--reason", "x")
    assert ended.status == 2
    assert "KAKUTEI_OIDC_ISSUER is not set" in ended.complaints


def test_whoever_may_not_change_users_unbinds_nobody_by_name(run: Run, make_user: UserMaker, settings: Any) -> None:
    settings.KAKUTEI_OIDC_ISSUER = "https://login.example"
    make_user("fumiko", "finance")
    make_user("sora", "support")
    run("bind_identity", "fumiko", "--subject", "a1", *WHY)
    assert run("unbind_identity", "fumiko", "--user", "sora", "--reason", "x").status == 1
    assert Identity.objects.exists()
