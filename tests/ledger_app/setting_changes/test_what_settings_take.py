"""What the operation of a setting takes is taken at every door, shown before and after, and has a label: a new column is forgotten nowhere."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings as configured
from django.db.models import Model

from ledger_app.adjustments.operations import reason_codes
from ledger_app.admin.close_policies import ClosePolicyForm
from ledger_app.admin.reason_codes import LimitForm, ReasonCodeForm
from ledger_app.admin.rule_forms import HoldRuleForm, LotRuleForm
from ledger_app.admin.setting_changes import LABELS
from ledger_app.api import books as books_api
from ledger_app.api import setting_changes as changes_api
from ledger_app.api import settings as settings_api
from ledger_app.close.operations.policies import PolicyGiven
from ledger_app.management.commands import propose_setting
from ledger_app.members.operations import opening
from ledger_app.models import AccountTemplate, AdjustmentLimit, HoldRule, LotRule, ReasonCode
from ledger_app.points.operations import hold_rules
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.rights.rules.granting import FLAGS
from ledger_app.setting_changes import queries as asked
from ledger_app.setting_changes.operations import SETTERS
from tests.support import lot_samples, samples

DOCUMENT = (Path(configured.BASE_DIR) / "docs" / "commands.md").read_text(encoding="utf-8")
# Beside what it is to say: who asks, and what was shown.
BESIDE: Final = {"caller", "version"}
ASKED: Final = {"reason", "version"}


def of(operation: Callable[..., Any]) -> set[str]:
    """Return the names of what an operation takes."""
    return set(inspect.signature(operation).parameters) - BESIDE


TAKEN: Final[Mapping[str, set[str]]] = {
    "limit": of(reason_codes.set_limit),
    "reason_code": of(reason_codes.keep),
    "template": of(opening.set_template),
    "lot_rule": {"book", "role"} | {each.name for each in fields(RuleGiven)},
    "hold_rule": {"book", *HoldRuleGiven._fields},
    "close_policy": {"book", *PolicyGiven._fields},
    "profile": {"text"},
    "rights": {"user", "groups", *FLAGS},
}
# The inputs of the API, without what the address names.
INPUTS: Final[Mapping[str, tuple[Any, set[str]]]] = {
    "limit": (settings_api.LimitInput, set()),
    "reason_code": (settings_api.ReasonCodeInput, set()),
    "template": (books_api.TemplateInput, {"book"}),
    "lot_rule": (changes_api.LotRuleInput, set()),
    "hold_rule": (changes_api.HoldRuleInput, set()),
    "close_policy": (changes_api.ClosePolicyInput, set()),
    "profile": (changes_api.ProfileInput, set()),
    "rights": (changes_api.RightsInput, set()),
}
OUTPUTS: Final[Mapping[str, Any]] = {
    "limit": settings_api.LimitOutput,
    "reason_code": settings_api.ReasonCodeOutput,
}
# The forms of the admin; a contra account has a field of its own for each book.
FORMS: Final[Mapping[str, tuple[Any, set[str]]]] = {
    "limit": (LimitForm, set()),
    "reason_code": (ReasonCodeForm, {"contra_accounts"}),
    "lot_rule": (LotRuleForm, set()),
    "hold_rule": (HoldRuleForm, set()),
    "close_policy": (ClosePolicyForm, set()),
}


@pytest.mark.parametrize("kind", SETTERS)
def test_the_shell_takes_all_of_it(kind: str) -> None:
    assert propose_setting.NEEDED[kind].keys() | propose_setting.ALLOWED[kind].keys() == TAKEN[kind]


@pytest.mark.parametrize("kind", SETTERS)
def test_the_document_of_the_shell_names_all_of_it(kind: str) -> None:
    line = re.search(rf"^- `{kind}`: (.*?)(?=\n- `|\n\n)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert line is not None
    assert TAKEN[kind] <= set(re.findall(r"`([a-z_]+)`", line[1])), kind


@pytest.mark.parametrize("kind", SETTERS)
def test_the_api_takes_all_of_it(kind: str) -> None:
    body, addressed = INPUTS[kind]
    assert set(body().fields) - ASKED == TAKEN[kind] - addressed


@pytest.mark.parametrize("kind", OUTPUTS)
def test_the_api_shows_all_of_it(kind: str) -> None:
    assert TAKEN[kind] <= set(OUTPUTS[kind]().fields), kind


@pytest.mark.parametrize("kind", FORMS)
def test_the_page_takes_all_of_it(kind: str) -> None:
    form, otherwise = FORMS[kind]
    assert set(form.base_fields) - ASKED == TAKEN[kind] - otherwise


def test_a_decision_shows_all_of_it() -> None:
    """What is not read is not shown, and a change of it alone would be no change."""
    rows: Mapping[str, Model] = {
        "limit": AdjustmentLimit(),
        "template": AccountTemplate(),
    }
    for kind, row in rows.items():
        assert asked.SETTINGS_KEPT[kind].read(row).keys() == TAKEN[kind] - set(asked.SETTINGS_KEPT[kind].names), kind


@pytest.mark.django_db
def test_a_decision_shows_all_of_what_has_rows_of_its_own() -> None:
    caller = samples.machine_caller()
    points = lot_samples.open_points(caller)
    hold_rules.set_rule(book=points.book, given=HoldRuleGiven(amount_most=500), caller=caller)
    reason_codes.keep(code="late", name="Late", contra_accounts={}, caller=caller)
    for kind, model in {"reason_code": ReasonCode, "lot_rule": LotRule, "hold_rule": HoldRule}.items():
        row = model._default_manager.first()
        assert row is not None, kind
        assert asked.SETTINGS_KEPT[kind].read(row).keys() == TAKEN[kind] - set(asked.SETTINGS_KEPT[kind].names), kind


@pytest.mark.parametrize("kind", SETTERS)
def test_each_has_a_label(kind: str) -> None:
    assert TAKEN[kind] - set(asked.SETTINGS_KEPT[kind].names) <= LABELS.keys(), kind
