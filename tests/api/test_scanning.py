"""A scanner of the host's looks at whatever comes in before it is kept: by its status it is clean, refused with its words, or to be sent again."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config.checks import check_deployment
from config.doors import scanning
from ingestion_app.models import Batch, File, Receipt, Source
from ledger_app.models import AuditRow
from tests.api.conftest import ClientOf
from tests.support import adjusting, kept
from tests.support import world as worlds
from tests.support.world import World

ROOT = Path(django_settings.BASE_DIR)
# What a scanner does: it reads the file whose path is the last word, and says what it found.
SCRIPT = """#!/bin/sh
for word in "$@"; do path=$word; done
echo "$1 $(wc -c < "$path")" >> "{log}"
if grep -q away "$path"; then echo "no database" >&2; exit 2; fi
if grep -q worm "$path"; then echo "$path: A.Worm FOUND"; echo "in 4242 4242 4242 4242"; exit 1; fi
exit 0
"""
GOOD, WORM, AWAY = b"a,b\n", b"a worm\n", b"away\n"


@kept.fixture
def desk(_folder: Path) -> Any:
    return adjusting.build()


@pytest.fixture
def log(tmp_path: Path, settings: Any) -> Path:
    """Set a scanner, and return where it writes down what it was asked."""
    found, script = tmp_path / "scanned", tmp_path / "a scanner"
    script.write_text(SCRIPT.format(log=found), encoding="utf-8")
    script.chmod(0o700)
    settings.KAKUTEI_FILES_DIR = tmp_path / "files"
    settings.KAKUTEI_SCANNER = [str(script), "--quick"]
    return found


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def attach(client: Any, content: bytes) -> Any:
    file = {"file": SimpleUploadedFile("slip.txt", content)}
    return client.post("/api/v1/adjustments/attachments/", file, format="multipart")


def test_an_attachment_is_looked_at_before_it_is_kept(desk: Any, client_of: ClientOf, log: Path, settings: Any) -> None:
    client = client_of(desk.proposer.user)
    assert attach(client, GOOD).status_code == 201
    kept = left(settings.KAKUTEI_FILES_DIR)
    assert len(kept) == 1
    refused = attach(client, WORM)
    assert (refused.status_code, refused.json()["code"]) == (409, "file_not_clean")
    (reason,) = refused.json()["reasons"]
    # Its words, without where the file lay meanwhile, and without a card number.
    assert reason["facts"]["said"].startswith("…: A.Worm FOUND in ")
    assert "4242 4242" not in reason["sentence"]
    away = attach(client, AWAY)
    assert (away.status_code, away.json()["code"], away["Retry-After"]) == (503, "scanner_away", "5")
    assert "no database" in away.json()["detail"]
    assert left(settings.KAKUTEI_FILES_DIR) == kept
    assert set(log.read_text().splitlines()) == {"--quick 4", "--quick 7", "--quick 5"}
    rows = AuditRow.objects.filter(outcome="refused", action="upload")
    assert {(row.subject, row.reasons[0]["code"]) for row in rows} == {("slip.txt", "file_not_clean")}


def by_api(world: World, client_of: ClientOf, content: bytes, name: str) -> str:
    said = {"source": "till", "file": SimpleUploadedFile(name, content)}
    answer = client_of(world.engineer).post("/api/v1/batches/", said, format="multipart")
    return str(answer.json().get("code", ""))


def by_page(world: World, _client_of: ClientOf, content: bytes, name: str) -> str:
    client = Client()
    world.engineer.is_staff = True
    world.engineer.save()
    client.force_login(world.engineer)
    data = {"source": Source.objects.get().pk, "file": SimpleUploadedFile(name, content)}
    answer = client.post(reverse("admin:ingestion_app_batch_receive"), data)
    return "" if answer.status_code == 302 else str(answer.context["reasons"][0]["code"])


def by_command(world: World, _client_of: ClientOf, content: bytes, name: str) -> str:
    (path := world.directory.parent / name).write_bytes(content)
    try:
        call_command("receive", str(path), "--source", "till", "--user", world.engineer.username, "--json")
    except SystemExit as ended:
        return {1: "file_not_clean", 75: "scanner_away"}[int(str(ended.code))]
    return ""


@pytest.mark.parametrize("door", [by_api, by_page, by_command])
def test_a_file_of_a_source_is_looked_at_by_whichever_door_it_comes(
    world: World, client_of: ClientOf, log: Path, settings: Any, door: Any
) -> None:
    for content, code in ((b"worm" + worlds.card_file(), "file_not_clean"), (b"away" + worlds.card_file(), "scanner_away")):
        assert door(world, client_of, content, worlds.NAME) == code
        assert left(settings.KAKUTEI_FILES_DIR) == []
        assert [kind.objects.count() for kind in (File, Receipt, Batch)] == [0, 0, 0]
    (row,) = {each.reasons[0]["code"] for each in AuditRow.objects.filter(outcome="refused", action="receive")}
    assert row == "file_not_clean"
    assert door(world, client_of, worlds.card_file(), worlds.NAME) == ""
    assert Batch.objects.count() == 1
    assert len(log.read_text().splitlines()) >= 3


def test_one_that_is_not_there_or_never_ends_is_no_word(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (file := tmp_path / "f").touch()
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o700)
    monkeypatch.setattr(scanning, "SECONDS_MOST", 0.2)
    for command in ([str(tmp_path / "none")], [str(file)], [str(slow)]):
        settings.KAKUTEI_SCANNER = command
        look = scanning.scanner()
        assert look is not None
        with pytest.raises(Exception, match="gave no answer"):
            look(file)
        assert [each.id for each in check_deployment() if each.id == "kakutei.E015"] == ["kakutei.E015"] * (
            command != [str(slow)]
        )


def test_it_is_off_unless_it_is_set(settings: Any) -> None:
    assert settings.KAKUTEI_SCANNER == []
    assert scanning.scanner() is None


def test_no_door_forgets_it() -> None:
    asked = {}
    for path in (each for folder in ("config", "ledger_app", "ingestion_app") for each in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and called in {"receiving.receive", "attachments.take_in", "filing.store"}:
                words = {each.arg: ast.unparse(each.value) for each in node.keywords}
                asked[f"{path.relative_to(ROOT)}:{node.lineno}"] = words.get("scan")
    assert len(asked) >= 9
    assert {place: said for place, said in asked.items() if said not in {"scanning.scanner()", "scan"}} == {}
    assert json.dumps(sorted(asked.values())).count("scanning.scanner()") >= 7
