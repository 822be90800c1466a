"""What an audit row keeps beside its sentence is told in words, in the language of the reader and in the unit of what it is about."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from ledger_app.adjustments.operations import reason_codes
from ledger_app.admin import audit_facts
from ledger_app.admin.audit import MODELS
from ledger_app.errors import AccountNotOpen
from ledger_app.errors.stored import stored
from ledger_app.models import AdjustmentLimit, AuditRow, Hold, Period
from tests.admin.conftest import ClientOf
from tests.support import kept
from tests.support.every_page import FULL
from tests.support.operations import modules
from tests.support.world import World

full = kept.fixture(FULL)
RECORDS = {"record", "_record", "record_all"}


def written() -> Iterator[tuple[Path, str]]:
    """Yield the name of each fact that an operation writes by its name into an audit row."""
    for application in ("ledger_app", "ingestion_app"):
        for _name, path in modules(application):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(call, ast.Call):
                    continue
                given: list[ast.expr] = [each.value for each in call.keywords if each.arg == "audit_facts"]
                if getattr(call.func, "id", getattr(call.func, "attr", "")) in RECORDS:
                    given += [each.value for each in call.keywords if each.arg == "facts"] + call.args
                for held in given:
                    for each in ast.walk(held):
                        if isinstance(each, ast.Dict):
                            yield from ((path, str(key.value)) for key in each.keys if isinstance(key, ast.Constant))


def test_every_fact_that_is_written_has_a_name_in_words() -> None:
    found = list(written())
    assert len(found) > 60
    assert not {(path.name, name) for path, name in found if name not in audit_facts.LABELS}


def rows_of(page: str) -> str:
    return page.split(">判断の根拠<", maxsplit=1)[1].split("</section>", maxsplit=1)[0]


@pytest.mark.anywhere
def test_no_page_tells_a_fact_by_the_name_that_the_program_has_for_it(full: World, client_of: ClientOf) -> None:
    client, asked = client_of(full.superuser), 0
    for row in AuditRow.objects.exclude(facts={}):
        shown = client.get(reverse("admin:ledger_app_auditrow_change", args=[row.pk]), headers={"accept-language": "ja"})
        names = re.findall(r"<dt>(.*?)</dt>", rows_of(shown.content.decode()))
        assert len(names) == len(row.facts), row.facts
        model = apps.get_model(MODELS[row.subject_type]) if row.subject_type in MODELS else None
        with override("ja"):
            for name in row.facts:
                told = str(audit_facts.name_of(name, model))
                assert told != name, (row.subject_type, row.action, name)
                assert not re.search("[a-z]_[a-z]", told), told
        asked += 1
    assert asked > 30


def page(client: Client, subject_type: str, subject_id: int, facts: dict[str, Any], world: World) -> str:
    row = AuditRow.objects.create(
        at=datetime(2017, 3, 1, tzinfo=UTC),
        actor=world.superuser,
        door="command",
        subject_type=subject_type,
        subject_id=subject_id,
        action="set",
        outcome="done",
        facts=facts,
    )
    text = client.get(reverse("admin:ledger_app_auditrow_change", args=[row.pk])).content.decode()
    return " ".join(re.sub("<[^>]*>", " ", text.split(">What it was decided on<")[1].split("</section>")[0]).split())


def test_amounts_are_in_the_unit_of_what_the_row_is_about(full: World, client_of: ClientOf) -> None:
    """No row of a limit, a hold or a period names its book among its facts."""
    client = client_of(full.superuser)
    administrator = full.caller(full.superuser)
    reason_codes.set_limit(group="finance", book="CARD", amount_most=123456, two_deciders_above=123, caller=administrator)
    limit = AdjustmentLimit.objects.get(group__name="finance", book__code="CARD")
    last = AuditRow.objects.filter(subject_type="adjustmentlimit").order_by("-id")[0]
    assert last.facts["amount_most"] == 123456
    assert "1,234.56 USD" in page(client, "adjustmentlimit", limit.pk, last.facts, full)
    period = Period.objects.filter(book__code="CARD").order_by("starts_on")[0]
    controls = page(client, "period", period.pk, {"controls": {"debits": 5600, "entries": 14}}, full)
    assert "Debits: 56.00 USD" in controls or "debits: 56.00 USD" in controls
    assert "14.00" not in controls
    assert "0.14" not in controls
    hold = Hold.objects.get()
    assert "20 points" in page(client, "hold", hold.pk, {"held": 20, "settled": 20}, full)


def test_what_was_told_to_nobody_is_in_units_for_those_who_may_read_it(full: World, client_of: ClientOf) -> None:
    period = Period.objects.filter(book__code="CARD").order_by("starts_on")[0]
    untold = {"untold": [{"code": "control_differs", "name": "debits", "given": 7, "found": 5600, "difference": -5593}]}
    text = page(client_of(full.support), "period", period.pk, untold, full)
    assert "56.00 USD" in text
    assert "5600" not in text
    counted = {"untold": [{"code": "control_differs", "name": "entries", "given": 7, "found": 5600, "difference": -5593}]}
    assert "56.00" not in page(client_of(full.support), "period", period.pk, counted, full)
    assert "5600" not in page(client_of(full.finance), "period", period.pk, counted, full)


def test_refusals_and_instants_within_facts_are_told_as_everywhere(full: World, client_of: ClientOf) -> None:
    reasons = [stored(AccountNotOpen(account="receivable.1", state="suspended", reference="r-1"))]
    client = client_of(full.superuser)
    text = page(client, "batch", 1, {"why": [{"chunk": 3, "reasons": reasons}]}, full)
    assert "The account receivable.1 is suspended and takes no lines (entry r-1)." in text
    assert "account_not_open" not in text
    assert "2017-02-01 00:00:00+00:00" in page(client, "token", 0, {"ends_at": "2017-02-01T00:00:00+00:00"}, full)
