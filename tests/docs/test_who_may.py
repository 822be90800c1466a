"""Whom a refusal names as those who may do it are those who have the right."""

import re
from collections.abc import Iterator

import pytest
from django.utils.translation import override

from config.doors.telling import MACHINES
from ledger_app.rights.rules.rights import ACTIONS
from ledger_app.setting_changes.rules import SETTINGS

WORDS = {"till": "the till", "machine": "programs", "engineer": "engineers", "auditor": "auditors"}
# Who is named by what they did, or is no group.
BY_THEMSELVES = ("Whoever ", "An administrator", "The system")


def told() -> Iterator[tuple[str, str, str]]:
    for subject, machine in sorted(MACHINES.items()):
        for each in machine.transitions:
            if each.right:
                yield f"{subject} {each.name}", str(each.right), str(each.who)
    for kind, setting in SETTINGS.items():
        yield f"setting {kind}", setting.right, str(setting.who)


def test_every_machine_is_asked() -> None:
    with override("en"):
        assert len(list(told())) > 40


@pytest.mark.parametrize(("what", "right", "who"), [pytest.param(*each, id=each[0]) for each in told()])
def test_those_who_are_named_have_the_right_and_no_others(what: str, right: str, who: str) -> None:
    if who.startswith(BY_THEMSELVES):
        return
    groups = {WORDS.get(group, group) for group, rights in ACTIONS.items() if right in rights}
    assert set(re.split(r", | and | or ", who.lower())) == groups, what
