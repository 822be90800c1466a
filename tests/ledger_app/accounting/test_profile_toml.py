"""A profile is read strictly: each fault is told with its line and its path, and what the accounting program would cut or refuse is one."""

from datetime import date, timedelta

import pytest

from ledger_app.accounting.rules import profile_toml, profiles, targets
from ledger_app.base.rules.toml_text import DefinitionInvalid
from tests.support.profile_samples import TARGETS, text

pytestmark = pytest.mark.anywhere
PURCHASE = '\n[[account]]\nrole = "purchase"\naccount = "仕入高"\n'


def faults(said: str) -> list[tuple[int, str]]:
    with pytest.raises(DefinitionInvalid) as refused:
        profile_toml.parse(said)
    assert all(problem.sentence for problem in refused.value.problems)
    return [(problem.line, problem.path) for problem in refused.value.problems]


@pytest.mark.parametrize("target", TARGETS)
def test_the_profiles_of_the_demonstration_pass(target: str) -> None:
    definition = profile_toml.parse(text(target))
    assert (definition.book, definition.name, definition.target, definition.yen_a_unit) == ("CARD", target, target, 1)
    assert [rule.side.account for rule in definition.rules] == ["売掛金", "未払金", "雑損失"]


# What is said in the place of what → the line and the path of what is told.
FAULTS = {
    "no such target": (('target = "yayoi"', 'target = "obc"'), (5, "profile.target")),
    "utf-8 is none of Yayoi's": (('encoding = "cp932"', 'encoding = "utf-8"'), (6, "profile.encoding")),
    "no such form": (('rows = "daily"', 'rows = "weekly"'), (7, "profile.rows")),
    "an unknown key": (('rows = "daily"', 'rows = "daily"\nrow = "daily"'), (8, "profile.row")),
    "no book": (('book = "CARD"\n', ""), (2, "profile.book")),
    "a name in capitals": (('name = "yayoi"', 'name = "Yayoi"'), (4, "profile.name")),
    "no such month": (("fiscal_year_begins = 4", "fiscal_year_begins = 13"), (9, "profile.fiscal_year_begins")),
    "yen in quotes": (("yen_a_minor_unit = 1", 'yen_a_minor_unit = "1"'), (11, "profile.yen_a_minor_unit")),
    "a fact of entries": (("{count}件", "{reference}"), (8, "profile.summary")),
    "a brace alone": (("カード利用 {period}", "カード利用 {period"), (8, "profile.summary")),
    "cp932 has no 𠮷": (('"売掛金"', '"𠮷田"'), (15, "account[0].account")),
    "cp932 turns ¥": (('"売掛金"', '"売掛¥"'), (15, "account[0].account")),
    "a wave that cp932 has not": (('"売掛金"', '"売掛〜"'), (15, "account[0].account")),
    "25 bytes": (('"売掛金"', '"売掛金売掛金売掛金売掛金1"'), (15, "account[0].account")),
    "a formula": (('"売掛金"', '"=売掛金"'), (15, "account[0].account")),
    "a blank behind": (('"売掛金"', '"売掛金 "'), (15, "account[0].account")),
    "a line break": (('"売掛金"', '"売掛\\n金"'), (15, "account[0].account")),
    "an unknown tax class": (('tax_class = "対象外"', 'tax_class = "課税売上 10%"'), (17, "account[0].tax_class")),
    "a partner": (('sub_account = "カード会員"', 'partner = "カード会員"'), (16, "account[0].partner")),
    "nothing to know accounts by": (('role = "receivable"\n', ""), (13, "account[0]")),
    "a pattern of another alphabet": (('role = "receivable"', 'pattern = "受取*"'), (14, "account[0].pattern")),
    "the same twice": (('role = "settlement"', 'role = "receivable"'), (19, "account[1]")),
    "a date in quotes": (('role = "receivable"', 'role = "receivable"\nfirst_on = "2017-01-01"'), (15, "account[0].first_on")),
    "no TOML": (('role = "receivable"', "role = receivable"), (14, "")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_with_its_line_and_its_path(name: str) -> None:
    change, told = FAULTS[name]
    assert told in faults(text("yayoi", change))


def test_all_faults_are_told_at_once() -> None:
    said = text("yayoi", ('rows = "daily"', 'rows = "weekly"'), ("fiscal_year_begins = 4", "fiscal_year_begins = 0"))
    assert faults(said) == [(7, "profile.rows"), (9, "profile.fiscal_year_begins")]


def test_no_rule_at_all_is_a_fault() -> None:
    head = text().partition("[[account]]")[0]
    assert faults(head.replace("[profile]", "account = []\n[profile]")) == [(2, "account")]


def test_a_purchase_says_whether_there_is_a_qualified_invoice_where_silence_would_say_so() -> None:
    bought = PURCHASE + 'tax_class = "課税仕入 10%"\n'
    assert faults(text("moneyforward") + bought)[0][1] == "account[3].invoice"
    said = profile_toml.parse(text("moneyforward") + bought + 'invoice = "80％控除"\n')
    assert said.rules[-1].side.invoice == "80％控除"
    assert faults(text("moneyforward") + bought + 'invoice = "80%控除"\n')[0][1] == "account[3].invoice"


def test_a_tax_class_of_the_customers_own_is_named() -> None:
    bought = PURCHASE + 'tax_class = "課対仕入10%（自社）"\n'
    assert faults(text("freee") + bought)[0][1] == "account[3].tax_class"
    own = ('rows = "daily"', 'rows = "daily"\nown_tax_classes = ["課対仕入10%（自社）"]')
    assert "課対仕入10%（自社）" in profile_toml.parse(text("freee", own) + bought).tax_classes


@pytest.mark.parametrize(
    ("tax_class", "invoice", "on", "is_right"),
    [
        ("課対仕入込10%区分80%", "", date(2023, 9, 30), False),
        ("課対仕入込10%区分80%", "", date(2023, 10, 1), True),
        ("課対仕入込10%区分80%", "", date(2026, 9, 30), True),
        ("課対仕入込10%区分80%", "", date(2026, 10, 1), False),
        ("課対仕入込10%区分70%", "", date(2026, 9, 30), False),
        ("課対仕入込10%区分70%", "", date(2026, 10, 1), True),
        ("課対仕入込10%区分50%", "", date(2028, 9, 30), False),
        ("課対仕入込10%区分30%", "", date(2031, 10, 1), False),
        ("課税仕入 10%", "70％控除", date(2026, 10, 1), True),
        ("課税仕入 10%", "80％控除", date(2026, 10, 1), False),
        ("課税仕入 10%", "控除なし", date(2031, 10, 1), True),
        ("課税売上込10%", "", date(2026, 10, 1), True),
    ],
)
def test_the_share_that_may_be_deducted_is_that_of_the_day(tax_class: str, invoice: str, on: date, *, is_right: bool) -> None:
    assert (targets.day_unfit(tax_class, invoice, on) is None) == is_right


@pytest.mark.parametrize("month", range(1, 13))
def test_a_fiscal_year_is_all_days_that_are_of_it_and_no_other(month: int) -> None:
    definition = profile_toml.parse(text("freee"))._replace(fiscal_year_begins=month)
    for on in (date(2016, 1, 1) + timedelta(days=each) for each in range(366 + 365)):
        first, last = definition.year_of(on)
        assert first <= on <= last
        assert definition.fiscal_year(first) == definition.fiscal_year(on) == definition.fiscal_year(last)
        beside = (first - timedelta(days=1), last + timedelta(days=1))
        assert [definition.fiscal_year(each) - definition.fiscal_year(on) for each in beside] == [-1, 1]


def test_of_accounts_that_no_rule_fits_a_bounded_number_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles.Charts, "KEPT_MOST", 3)
    charts = profiles.Charts(profile_toml.parse(text("freee")))
    for number in range(9):
        assert charts.rule(f"nothing.{number}", "nothing", "equity", date(2017, 1, 1)) is None
    assert list(charts.unmapped) == ["nothing.0", "nothing.1", "nothing.2"]


def test_the_first_rule_that_fits_on_the_day_is_taken() -> None:
    rules = (
        'code = "settlement.31"\nfirst_on = 2017-02-01\naccount = "二月から"\ntax_class = "対象外"\n',
        'pattern = "settlement.3*"\naccount = "三十番台"\ntax_class = "対象外"\n',
    )
    head = text("freee").partition("[[account]]")[0]
    definition = profile_toml.parse(head + "".join(f"[[account]]\n{rule}" for rule in rules))
    charts = profiles.Charts(definition)
    found = [charts.rule("settlement.31", "settlement", "liability", date(2017, month, 28)) for month in (1, 2, 1)]
    assert [rule.side.account if rule else None for rule in found] == ["三十番台", "二月から", "三十番台"]
    assert charts.rule("settlement.41", "settlement", "liability", date(2017, 1, 1)) is None
    assert charts.unmapped == {"settlement.41": ("settlement", "liability", date(2017, 1, 1))}
    cut = [(date(2017, 1, 1), date(2017, 1, 31)), (date(2017, 2, 1), date(2017, 3, 31))]
    assert profiles.spans(date(2017, 1, 1), date(2017, 3, 31), definition.boundaries) == cut
