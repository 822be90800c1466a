"""docs/getting-started.md is carried out to the letter, by a newcomer with an empty database: each file it shows, each command, in its order."""

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from config.doors.commands.base import DONE
from ingestion_app.models import Batch
from ledger_app.models import AuditRow, Balance, Period, Seal, User
from tests.commands.conftest import Run

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "getting-started.md"
# A fence shows the file that was named last before it; a command is a line that stands in.
PART = re.compile(r"`([\w.-]+\.(?:csv|toml))`|^```\w+\n(.*?)^```$|^    (\S[^\n]*)$", re.MULTILINE | re.DOTALL)
PREFIX = "python manage.py "


def steps() -> list[tuple[str, str, str]]:
    """Return the steps of the page in its order: a file's name and text, or a command."""
    found, last = [], ""
    for name, text, command in PART.findall(DOCUMENT.read_text(encoding="utf-8")):
        last = name or last
        if text or command:
            found.append((last if text else "", text, command))
    return found


def carry_out(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write each file and run each command as they stand; return the names of the commands."""
    done = []
    monkeypatch.chdir(folder)
    for name, text, command in steps():
        if name:
            (folder / name).write_text(text, encoding="utf-8")
            continue
        before, found, words = command.partition(PREFIX)
        assert found, command
        for setting in before.split():
            monkeypatch.setenv(*setting.split("=", 1))
        called, *arguments = shlex.split(words)
        if called in {"migrate", "createsuperuser"}:
            if called == "migrate" or not User.objects.filter(username="root-1").exists():
                call_command(called, *arguments, verbosity=0)
        else:
            if called == "freeze_batch":
                # The one thing that is not to the letter: the number that ingest printed, 1 where the database is really empty.
                assert arguments[0] == "1"
                arguments[0] = str(Batch.objects.get().pk)
            ended = run(called, *arguments)
            assert ended.status == DONE, (command, ended)
        done.append(called)
    return done


@pytest.mark.django_db(transaction=True)
def test_a_newcomer_comes_from_an_empty_database_to_a_frozen_month(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = carry_out(run, tmp_path, monkeypatch)
    assert {"open_book", "open_periods", "open_accounts", "set_template", "register_members", "keep_reason_code"} <= set(done)
    assert {"set_limit", "keep_user", "load_source", "ingest", "freeze", "verify"} <= set(done)
    assert Seal.objects.get().period.name == "2025-01"
    points = {balance.account.code: -balance.amount for balance in Balance.objects.filter(account__role="points")}
    assert points == {"points.1001": 12, "points.1002": 3, "points.1003": 0}
    assert Period.objects.count() == 24


@pytest.mark.django_db(transaction=True)
def test_the_whole_page_once_more_changes_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(run, tmp_path, monkeypatch)
    before = (Seal.objects.count(), Period.objects.count(), Balance.objects.count(), User.history.count())
    changes = AuditRow.objects.exclude(action="register").count()
    carry_out(run, tmp_path, monkeypatch)
    assert (Seal.objects.count(), Period.objects.count(), Balance.objects.count(), User.history.count()) == before
    assert AuditRow.objects.exclude(action__in=["register", "receive", "freeze"]).count() <= changes
