"""What validation says of a sum is in the unit in which the file is posted, as the sums beside it on the page are."""

import pytest

from ingestion_app.checks.rules import IN_UNIT_OF_FILE, RULES
from ingestion_app.models import Finding
from ingestion_app.sources import operations as sources
from ingestion_app.validating.operations import surveying
from tests.support.world import Purchase, World, card_file, definition

FILES = {
    "control.sum_differs": (card_file(total=14643), ("146.43 USD", "146.44 USD")),
    "control.sum_unverifiable": (card_file([Purchase(amount="1.50"), Purchase(slip="s2")], total="150"), ("1.50 USD",)),
    "control.sum_beyond_range": (
        card_file([Purchase(slip=f"s{place}", amount="900000") for place in range(5)]),
        ("45,000.00 USD", "1,000.00 USD"),
    ),
}


# Other controls of amounts: how the definition names the column of the trailer, and what is told of a file whose trailer says 146.43.
NAMED = {
    "control.absolute_sum_differs": ('trailer_absolute_sum = "sum"', ("146.43 USD", "146.44 USD")),
    "control.positive_sum_differs": ('trailer_positive_sum = "sum"', ("146.43 USD", "146.44 USD")),
    "control.negative_sum_differs": ('trailer_negative_sum = "sum"', ("146.43 USD", "0.00 USD")),
    "control.by_value_sum_differs": (
        'by_value = [{ column = "shop", values = ["31"], sum = "sum" }]',
        ("146.43 USD", "128.45 USD"),
    ),
    "control.balance_differs": (
        'trailer_opening_balance = "sum"\ntrailer_closing_balance = "sum"',
        ("146.43 USD", "292.87 USD"),
    ),
}


def test_every_rule_of_a_sum_is_tried() -> None:
    assert set(FILES) == {code for code in RULES if code.startswith("control.sum")}
    assert {code for code in IN_UNIT_OF_FILE if not code.startswith("shape.")} == FILES.keys() | NAMED.keys() | {
        # Totals of nested groups: checks/test_file_bai2.py and validating/test_bai2.py.
        *("control.end_sum_differs", "control.end_total_differs", "control.section_total_differs", "control.total_differs")
    }


def test_what_the_end_says_of_a_file_is_told_in_its_unit(world: World) -> None:
    text = definition().replace(
        'marker = "E"\ncolumns = []', 'marker = "E"\ncolumns = [{ name = "all", kind = "amount", minimum = -1000000000000000 }]'
    )
    sources.load(text=text.replace('trailer_sum = "sum"', 'trailer_sum = "sum"\nend_sum = "all"'), caller=world.caller())
    batch = world.validate(world.receive(card_file(end=b"E,14643\n")))
    finding = Finding.objects.get(batch=batch, rule="control.end_sum_differs")
    sentence = RULES[finding.rule].seen_text(finding.facts)
    assert [each for each in ("146.43 USD", "146.44 USD") if each not in sentence] == []


@pytest.mark.parametrize("rule", NAMED)
def test_every_control_of_amounts_is_told_in_the_unit_of_the_file(world: World, rule: str) -> None:
    named, told = NAMED[rule]
    sources.load(text=definition().replace('trailer_sum = "sum"', named), caller=world.caller())
    batch = world.validate(world.receive(card_file(total=14643)))
    finding = Finding.objects.get(batch=batch, rule=rule)
    sentence = RULES[rule].seen_text(finding.facts)
    assert [each for each in told if each not in sentence] == []


@pytest.mark.parametrize("rule", FILES)
def test_a_sum_is_told_in_the_unit_of_the_file(world: World, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    if rule == "control.sum_beyond_range":
        monkeypatch.setattr(surveying, "SUM_MOST", 100_000)
    content, told = FILES[rule]
    batch = world.validate(world.receive(content))
    finding = Finding.objects.filter(batch=batch, rule=rule).first()
    assert finding is not None, list(Finding.objects.filter(batch=batch).values_list("rule", flat=True))
    sentence = RULES[rule].seen_text(finding.facts)
    for each in told:
        assert each in sentence
