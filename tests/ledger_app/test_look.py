"""How amounts, counts, instants, digests and states are shown."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.template import engines
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from config.doors.admin.context import BANNERS, GROUPS
from ingestion_app.models import Attempt, Batch, Chunk, Receipt, Record
from ledger_app.models import Account, AuditRow, Period
from ledger_app.rights.rules import rights
from ledger_app.templatetags import look

POINTS = SimpleNamespace(unit="points", exponent=0, time_zone="Asia/Tokyo")
DOLLARS = SimpleNamespace(unit="USD", exponent=2, time_zone="America/New_York")
AT = datetime(2017, 1, 31, 17, 3, 11, 999_999, tzinfo=UTC)
TONES = {"plain", "note", "warn", "stop", "done", "sealed"}


def render(text: str, **context: object) -> str:
    return str(engines["django"].from_string(text).render(context))


@pytest.mark.parametrize(
    ("value", "exponent", "shown"),
    [
        (0, 0, "0"),
        (0, 2, "0.00"),
        (0, 3, "0.000"),
        (7, 2, "0.07"),
        (-7, 2, "\u22120.07"),
        (-70, 2, "\u22120.70"),
        (100, 2, "1.00"),
        (999, 0, "999"),
        (1000, 0, "1,000"),
        (-1000, 0, "\u22121,000"),
        (123456, 2, "1,234.56"),
        (1234567, 3, "1,234.567"),
        (99999, 2, "999.99"),
        (100000, 2, "1,000.00"),
        (9223372036854775807, 2, "92,233,720,368,547,758.07"),
        (-9223372036854775808, 0, "\u22129,223,372,036,854,775,808"),
        (10**30 + 1, 2, "10,000,000,000,000,000,000,000,000,000.01"),
    ],
)
def test_an_amount_is_grouped_with_fixed_decimals_and_a_true_minus(value: int, exponent: int, shown: str) -> None:
    assert look.amount_text(value, exponent) == shown


@given(value=st.integers(), exponent=st.integers(min_value=0, max_value=6))
def test_an_amount_can_be_read_back_to_the_last_unit(value: int, exponent: int) -> None:
    shown = look.amount_text(value, exponent)
    whole, _, fraction = shown.partition(".")
    assert int(shown.replace(",", "").replace(".", "").replace("\u2212", "-")) == value
    assert len(fraction) == exponent
    groups = whole.lstrip("\u2212").split(",")
    assert 1 <= len(groups[0]) <= 3
    assert all(len(group) == 3 for group in groups[1:])


@pytest.mark.parametrize("value", [1.5, "12", True])
def test_an_amount_that_is_not_an_integer_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        look.amount_text(value, 2)  # type: ignore[arg-type]


def test_the_tags_for_amounts_and_counts() -> None:
    assert render("{{ value|amount:2 }}", value=-123456) == "\u22121,234.56"
    assert render("{{ value|amount:book }}", value=-123456, book=POINTS) == "\u2212123,456"
    assert render("{{ value|amount:2 }}", value=None) == ""
    assert render("{{ value|negated|amount:0 }}", value=9120) == "\u22129,120"
    assert render("{{ value|negated }}", value=None) == "None"
    assert render("{{ value|count }}", value=1_000_000) == "1,000,000"
    assert render("{{ value|count }}", value=None) == ""
    with_unit = '<span class="amount">1,234.56 <abbr>USD</abbr></span>'
    assert render("{% amount value book %}", value=123456, book=DOLLARS) == with_unit
    assert render("{% amount value row %}", value=123456, row={"unit": "USD", "exponent": 2}) == with_unit
    assert render("{% amount value book %}", value=None, book=DOLLARS) == ""


def test_cells_of_figures_make_a_numeric_column() -> None:
    results = [
        [f"<td>{look.state_pill('open')}</td>", f"<td>{look.amount_cell(1, DOLLARS)}</td>", f"<td>{look.count_cell(1)}</td>"]
    ]
    assert [look.numeric_column(results, index) for index in range(3)] == [False, True, True]
    assert not look.numeric_column([], 0)


@pytest.mark.parametrize(
    "states",
    [Batch.State, Period.State, Account.State, Chunk.State, Attempt.Outcome, Receipt.Outcome, Record.Status, AuditRow.Outcome],
)
def test_every_state_has_a_shape_and_the_word_of_its_model(states: type) -> None:
    for state in states:  # type: ignore[attr-defined]
        assert str(look.APPEARANCES[state.value].word) == str(state.label)
        assert "<svg" in look.state_pill(state.value)


@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_every_severity_has_a_shape(severity: str) -> None:
    assert "<svg" in look.state_pill(severity)


def test_states_of_one_tone_differ_in_shape() -> None:
    seen = {(appearance.tone, appearance.shape, str(appearance.word)) for appearance in look.APPEARANCES.values()}
    assert len(seen) == len(look.APPEARANCES)
    assert {appearance.tone for appearance in look.APPEARANCES.values()} <= TONES
    batch = [look.APPEARANCES[state.value].shape for state in Batch.State]
    assert len(set(batch)) == len(batch)


def test_a_state_without_an_appearance_is_shown_escaped_by_its_name() -> None:
    assert look.state_pill("<new>") == '<span class="state tone-plain">&lt;new&gt;</span>'
    assert render("{% state value %}", value="applied") == look.state_pill("applied")


def test_a_digest_is_shortened_and_copied_whole() -> None:
    digest = bytes.fromhex("9f3c" + "00" * 29 + "e1")
    shown = render("{% digest value %}", value=digest)
    assert ">9f3c…e1</button>" in shown
    assert f'data-copy="{digest.hex()}"' in shown
    assert f'title="{digest.hex()}"' in shown
    assert look.digest_cell(memoryview(digest)) == look.digest_cell(digest.hex()) == shown
    assert look.digest_text("short") == "short"
    assert look.digest_cell(None) == ""


def test_an_instant_is_shown_to_the_second_in_the_zone_asked_for() -> None:
    assert look.instant_text(AT) == "2017-01-31 17:03:11+00:00"
    assert look.instant_text(AT, POINTS) == look.instant_text(AT, "Asia/Tokyo") == "2017-02-01 02:03:11+09:00"
    assert look.instant_text(AT, ZoneInfo("America/New_York")) == look.instant_text(AT, DOLLARS) == "2017-01-31 12:03:11-05:00"
    shown = render("{% instant at book %}", at=AT, book=POINTS)
    assert shown.endswith('title="2017-02-01 02:03:11+09:00 Asia/Tokyo">2017-02-01 02:03:11+09:00</time>')
    assert render("{% instant at %}", at=None) == ""
    assert look.day_text(date(2017, 1, 31)) == "2017-01-31"
    assert look.day_text(None) == ""


def test_figures_are_shown_alike_in_both_languages() -> None:
    for language in ("en", "ja"):
        with translation.override(language):
            assert look.amount_text(-123456, 2) == "\u22121,234.56"
            assert look.instant_text(AT) == "2017-01-31 17:03:11+00:00"


def test_a_filter_names_only_a_choice_that_narrows() -> None:
    everything, opened = {"selected": False, "display": "All"}, {"selected": True, "display": "Open"}
    assert look.chosen([everything, opened]) == opened
    assert look.chosen([{"selected": True, "display": "All"}, {"selected": False, "display": "Open"}]) is None
    assert look.chosen([]) is None


def test_every_group_and_environment_has_its_words() -> None:
    assert GROUPS.keys() == rights.ACTIONS.keys()
    assert BANNERS["production"] == ""
    assert BANNERS.keys() == {"production", "staging", "development"}
