"""A client is generated from the description, without a warning, for every operation; and it talks to the program."""

import compileall
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator

from config.wsgi import application
from ledger_app.models import Account
from tests.conftest import issue_token
from tests.support.world import World

pytest.importorskip("openapi_python_client", reason="make setup installs it")
NAME = "generated_kakutei"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client; whatever cannot be generated ends with a warning, which fails."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "described.json").write_text(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    (folder / "config.yml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "described.json", "--output-path", NAME]
    command += ["--meta", "none", "--config", "config.yml", "--fail-on-warning"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "WARNING" not in ended.stdout.upper()
    return folder / NAME


def test_every_operation_is_generated(made: Path) -> None:
    described = SchemaGenerator().get_schema(request=None, public=True)
    operations = {operation["operationId"] for path in described["paths"].values() for operation in path.values()}
    assert {path.stem for path in made.glob("api/*/*.py") if path.stem != "__init__"} == operations
    assert compileall.compile_dir(str(made), quiet=1)


def test_it_reads_and_acts(made: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    monkeypatch.syspath_prepend(str(made.parent))
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        _talk(world, httpx.WSGITransport(app=application))
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
        for name in [each for each in sys.modules if each.startswith(NAME)]:
            del sys.modules[name]


def _talk(world: World, transport: Any) -> None:
    token = issue_token(world.finance)
    client = importlib.import_module(NAME).AuthenticatedClient(
        base_url="http://localhost", token=token, prefix="Token", httpx_args={"transport": transport}
    )
    models = importlib.import_module(f"{NAME}.models")
    books = importlib.import_module(f"{NAME}.api.books.books_list").sync(client=client)
    assert {book.code for book in books.results} == {"CARD", "POINTS"}
    suspend = importlib.import_module(f"{NAME}.api.accounts.accounts_transitions_suspend_create").sync_detailed
    account = Account.objects.get(code="receivable.1001")
    done = suspend(account.pk, client=client, body=models.DecisionOnShownInput(version=account.version, reason="Asked."))
    assert (done.status_code, done.parsed.state) == (200, "suspended")
    again = suspend(account.pk, client=client, body=models.DecisionOnShownInput(version=account.version, reason="Asked."))
    assert (again.status_code, again.parsed.code) == (409, "stale")
