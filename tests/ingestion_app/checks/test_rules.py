"""The rules are complete, can be said, and stand in docs/findings.md as they are."""

import re
from pathlib import Path

from django.utils.translation import override

from ingestion_app.checks.rules import RULES, Seen, Severity, by_severity

DOCUMENT = Path(__file__).parents[3] / "docs/findings.md"


def test_the_documented_rules_are_those_of_the_code():
    text = DOCUMENT.read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z_.]+)` \| (\w+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    with override("en"):
        assert documented == [(rule.code, str(rule.severity), str(rule.sentence), str(rule.remedy)) for rule in RULES.values()]


def test_codes_are_filed_under_themselves_and_short_enough_to_keep():
    assert all(code == rule.code and len(code) <= 40 for code, rule in RULES.items())
    assert {code.split(".")[0] for code in RULES} == {"file", "line", "record", "control", "ledger", "shape"}


def test_facts_with_braces_are_shown_as_they_are():
    seen = Seen("record.amount_invalid", 2, 6, 26, b"D", {"name": "amount", "found": "{0}%s"})
    assert seen.severity is Severity.ERROR
    assert "{0}%s" in seen.sentence()


def test_every_severity_is_counted_the_gravest_first():
    counts = by_severity(dict.fromkeys(RULES, 2))
    assert list(counts) == [Severity.ERROR, Severity.ALERT, Severity.WARNING, Severity.NOTE]
    assert sum(counts.values()) == 2 * len(RULES)
    assert all(counts[each] == 2 * sum(rule.severity is each for rule in RULES.values()) for each in Severity)
    assert by_severity({}) == dict.fromkeys(Severity, 0)
