"""Reports of a book, with the numbers that an accountant would check by hand.

Points are good until the end of the second month after they were granted. January grants 800 and takes 100; February grants 200 and takes 50, which comes back in March;
in March two members turn out to be one, and what was granted in January expires on the last day.
"""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.close.operations import periods
from ledger_app.close.queries.closing import control_totals
from ledger_app.explain.queries import book_spans
from ledger_app.explain.queries.book_spans import BookSpan
from ledger_app.members.operations import merges
from ledger_app.members.queries import merges as merge_queries
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Book, Merge, OpenLot, Period, Seal, User
from ledger_app.points.operations import expiry
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.queries.spans import FIRST_DAY
from ledger_app.reports import book_reports, report_files
from ledger_app.reports.book_reports import Asked
from tests.support import adjusting, kept, lot_samples, samples
from tests.support import ledger_clocks as clocks
from tests.support.lot_samples import Points, at
from tests.support.tampering import tamper as tamper  # noqa: PLC0414 - a fixture

TWO_MONTHS = RuleGiven(expiry="months", validity=2, breakage="breakage")
JANUARY, FEBRUARY, MARCH = (
    (date(2017, 1, 1), date(2017, 1, 31)),
    (date(2017, 2, 1), date(2017, 2, 28)),
    (date(2017, 3, 1), date(2017, 3, 31)),
)


@kept.fixture
def points(_folder: Path) -> Points:
    """The book after that spring; nothing is frozen."""
    book = lot_samples.open_points(samples.machine_caller(at(2017, 1, 5)), rule=TWO_MONTHS)
    for reference, gains, on, who in (
        ("january-1", 500, date(2017, 1, 10), "M1"),
        ("january-2", 300, date(2017, 1, 20), "M2"),
        ("spent", -100, date(2017, 1, 25), "M1"),
        ("february", 200, date(2017, 2, 10), "M1"),
        ("taken-back", -50, date(2017, 2, 12), "M1"),
    ):
        book.post(book.draft(reference, gains, on=on, who=who), at=at(on.year, on.month, on.day))
    with clocks.stands_at(at(2017, 3, 3)):
        book.reverse("taken-back", on=date(2017, 3, 3))
    with clocks.stands_at(at(2017, 3, 15)):
        merged(book)
    with clocks.stands_at(at(2017, 4, 3)):
        caller = Caller(book.caller.user, at(2017, 4, 3), "command")
        expiry.expire(book=book.book, through=date(2017, 3, 31), caller=caller)
    return book


def merged(book: Points) -> None:
    """Have the second member be the first."""
    when = at(2017, 3, 15)
    support, finance = (adjusting.person(f"{group}-of-then", group, at=when) for group in ("support", "finance"))
    gone, stays = (book.accounts[code].holder_id for code in ("M2", "M1"))
    assert gone is not None
    assert stays is not None
    row = merges.propose(
        merge_queries.proposal(
            holder_id=gone, survivor_id=stays, reason="One person, two cards.", effective_on=date(2017, 3, 15)
        ),
        caller=support,
    )
    plan = merge_queries.facts(Merge.objects.get(pk=row.pk), user=finance.user, at=when).plan
    assert plan is not None
    merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=finance)


def freeze(book: Book, name: str) -> Seal:
    period = Period.objects.get(book=book, name=name)
    finance = adjusting.person("finance-of-then", "finance", at=at(2017, 4, 4))
    controls = {"entries": control_totals(period)["entries"]}
    return periods.freeze(period_id=period.pk, controls=controls, caller=finance, code_version="test")


def asked(book: Book, days: tuple[date, date], kind: str = "trial-balance", *, known_at: Any = None, **more: Any) -> Asked:
    return Asked(BookSpan(book, *days, known_at), kind, **more)


def told(question: Asked) -> list[dict[str, Any]]:
    return list(book_reports.of(question).rows)


def trial(book: Book, days: tuple[date, date], **more: Any) -> list[tuple[Any, ...]]:
    """Return role, opening, debit, credit and closing, and the total of them."""
    return [
        (row["role"] or row["category"], row["opening"], row["debit"], row["credit"], row["closing"])
        for row in told(asked(book, days, **more))
    ]


def movements(book: Book, days: tuple[date, date], *kinds: str, **more: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return opening, issued, used, expired, reversed, adjusted, moved and closing by month and kind."""
    return {
        (row["month"], row["kind"]): (row["opening"], *(row[way] for way in WAYS), row["closing"])
        for row in told(asked(book, days, "points", **more))
        if not kinds or row["kind"] in kinds
    }


WAYS = ("issued", "used", "expired", "reversed", "adjusted", "moved")


def test_the_trial_balance_of_each_month_begins_where_the_one_before_ended(points: Points) -> None:
    assert trial(points.book, JANUARY) == [
        ("programme", 0, 800, 100, 700),
        ("points", 0, 100, 800, -700),
        ("total", 0, 900, 900, 0),
    ]
    assert trial(points.book, FEBRUARY) == [
        ("programme", 700, 200, 50, 850),
        ("points", -700, 50, 200, -850),
        ("total", 0, 250, 250, 0),
    ]
    # Expired on the last day, and booked on it; the merge moves 300 of the points between two members, and is no income.
    march = [
        ("programme", 850, 50, 0, 900),
        ("breakage", 0, 0, 700, -700),
        ("points", -850, 1000, 350, -200),
        ("total", 0, 1050, 1050, 0),
    ]
    assert sorted(trial(points.book, MARCH)) == sorted(march)


def test_sealed_or_not_it_says_the_same_and_names_the_seal(points: Points) -> None:
    before = [trial(points.book, days) for days in (JANUARY, FEBRUARY, MARCH)]
    drafts = book_reports.of(asked(points.book, MARCH))
    assert (drafts.is_final, drafts.sealed, drafts.name.startswith("draft-POINTS-trial-balance")) == (False, "not final", True)
    seals = [freeze(points.book, name) for name in ("2017-01", "2017-02", "2017-03")]
    assert [trial(points.book, days) for days in (JANUARY, FEBRUARY, MARCH)] == before
    report = book_reports.of(asked(points.book, MARCH))
    assert report.sealed == f"seal 3 {bytes(seals[2].digest).hex()[:16]}"
    assert {row["seal"] for row in report.rows} == {report.sealed}
    assert report.name == "POINTS-trial-balance-2017-03-01-2017-03-31"
    # One frozen month with one that is not is not final.
    assert not book_reports.of(asked(points.book, (MARCH[0], date(2017, 4, 30)))).is_final


def test_only_what_is_dated_since_the_seal_before_is_read(points: Points) -> None:
    span = BookSpan(points.book, *MARCH)
    assert book_spans.read_from(span) == FIRST_DAY
    freeze(points.book, "2017-01")
    assert book_spans.read_from(span) == FEBRUARY[0]
    freeze(points.book, "2017-02")
    assert book_spans.read_from(span) == MARCH[0]
    # What a seal covers may have been posted after the instant.
    assert book_spans.read_from(span._replace(known_at=at(2017, 5, 1))) == FIRST_DAY


def test_what_does_not_come_to_the_seal_is_refused(points: Points, tamper: Any) -> None:
    freeze(points.book, "2017-01")
    key = Account.objects.get(book=points.book, code="programme").pk
    tamper(
        "line",
        f"UPDATE ledger_app_line SET amount = amount + 1 WHERE account_id = {key} AND effective_on = '2017-01-10'",
    )
    with pytest.raises(errors.Refused, match="seal_differs"):
        book_reports.of(asked(points.book, JANUARY))


def test_as_known_at_an_instant_it_is_what_the_books_said_then(points: Points) -> None:
    # On 1 April nobody had run the expiry of 31 March.
    assert sorted(trial(points.book, MARCH, known_at=at(2017, 4, 1))) == [
        ("points", -850, 300, 350, -900),
        ("programme", 850, 50, 0, 900),
        ("total", 0, 350, 350, 0),
    ]
    freeze(points.book, "2017-01")
    assert book_reports.of(asked(points.book, JANUARY, known_at=at(2017, 2, 1))).is_final
    assert not book_reports.of(asked(points.book, JANUARY, known_at=at(2017, 1, 15))).is_final
    for days in (JANUARY, FEBRUARY, MARCH):
        for by in ("role", "store"):
            now, then = (trial(points.book, days, by=by, known_at=when) for when in (None, at(2017, 5, 1)))
            assert now == then


def test_a_month_stands_beside_the_one_before_and_the_same_of_last_year(points: Points) -> None:
    (_income, programme, *_rest) = sorted(
        told(asked(points.book, MARCH, compare=("previous", "last-year"))), key=lambda row: row["role"]
    )[1:]
    assert (programme["role"], programme["change"], programme["previous_change"], programme["previous_difference"]) == (
        "points",
        650,
        -150,
        800,
    )
    # The books had not begun in March of last year: nothing is not zero.
    assert (programme["last_year_change"], programme["last_year_seal"]) == (None, "")


def test_by_store_each_account_of_nobody_stands_by_itself_and_all_come_to_the_roles(points: Points) -> None:
    rows = told(asked(points.book, MARCH, by="store"))
    assert [(row["account"], row["opening"], row["closing"]) for row in rows] == [
        ("programme", 850, 900),
        ("breakage", 0, -700),
        ("", -850, -200),
        ("", 0, 0),
    ]


def test_the_general_ledger_of_a_role_has_every_line_with_what_stands_against_it(points: Points) -> None:
    rows = told(asked(points.book, MARCH, "general-ledger", role="points"))
    assert [(row["kind"], str(row["date"])[5:], row["debit"], row["credit"], row["balance"], row["contra"]) for row in rows] == [
        ("opening", "03-01", None, None, 850, ""),
        ("movement", "03-03", None, 50, 900, "programme"),
        ("movement", "03-15", 300, None, 600, "M1"),
        ("movement", "03-15", None, 300, 900, "M2"),
        ("movement", "03-31", 700, None, 200, "breakage"),
        ("closing", "03-31", None, None, 200, ""),
    ]
    assert rows[1]["prior_period"] == "yes"
    of_account = told(asked(points.book, MARCH, "general-ledger", account=points.accounts["M1"]))
    assert [row["balance"] for row in of_account] == [550, 600, 900, 200, 200]
    assert [row["contra"] for row in of_account[1:-1]] == ["programme", "M2", "breakage"]


def test_points_tie_out_month_by_month(points: Points) -> None:
    # opening + issued - used - expired ± reversed, adjusted, moved = closing
    found = movements(points.book, (JANUARY[0], MARCH[1]), "all")
    assert found == {
        ("2017-01", "all"): (0, 800, 100, 0, 0, 0, 0, 700),
        ("2017-02", "all"): (700, 200, 50, 0, 0, 0, 0, 850),
        # Of February, given back in March: nothing is issued by it, and February stays as it was.
        ("2017-03", "all"): (850, 0, 0, 700, 50, 0, 0, 200),
    }
    for row in told(asked(points.book, (JANUARY[0], MARCH[1]), "points")):
        assert (row["difference"], row["ledger_difference"] or 0) == (0, 0)
        assert sum(row[name] for name in book_reports.AGE_COLUMNS) == row["closing"]
    assert movements(points.book, (JANUARY[0], MARCH[1]), known_at=at(2017, 5, 1)) == movements(
        points.book, (JANUARY[0], MARCH[1])
    )


def test_points_are_told_by_kind_and_by_age(points: Points) -> None:
    points.post(points.draft("old", 60, on=date(2017, 4, 5)), at=at(2017, 4, 5))
    (row,) = (row for row in told(asked(points.book, (date(2017, 8, 1), date(2017, 8, 31)), "points")) if row["kind"] == "free")
    assert (row["opening"], row["closing"]) == (260, 260)
    # 200 of 10 February are six months old on 31 August, 60 of 5 April are between three and six.
    assert [row[name] for name in book_reports.AGE_COLUMNS] == [0, 60, 200, 0, 0]


def test_a_deficit_is_a_kind_of_its_own(db: None) -> None:
    book = lot_samples.open_points(samples.machine_caller(at(2017, 1, 5)), rule=TWO_MONTHS, floor=None)
    book.gain("gift", 100, on=date(2017, 1, 10))
    book.gain("too-much", -130, on=date(2017, 1, 11))
    book.gain("february", 50, on=date(2017, 2, 10))
    assert movements(book.book, JANUARY) == {
        ("2017-01", "deficit"): (0, 0, 30, 0, 0, 0, 0, -30),
        ("2017-01", "free"): (0, 100, 100, 0, 0, 0, 0, 0),
        ("2017-01", "all"): (0, 100, 130, 0, 0, 0, 0, -30),
    }
    assert movements(book.book, FEBRUARY)["2017-02", "all"] == (-30, 50, 0, 0, 0, 0, 0, 20)


def test_a_difference_is_named_and_the_report_is_not_final(points: Points) -> None:
    for name in ("2017-01", "2017-02", "2017-03"):
        freeze(points.book, name)
    assert book_reports.of(asked(points.book, MARCH, "points")).is_final
    lot = OpenLot.objects.filter(account=points.accounts["M1"], remaining__gt=0).first()
    assert lot is not None
    OpenLot.objects.filter(pk=lot.pk).update(remaining=lot.remaining - 1)
    report = book_reports.of(asked(points.book, MARCH, "points"))
    assert report.differences == ("2017-03 points all",)
    assert (report.is_final, report.sealed) == (False, "not final: does not tie out")
    assert [row["ledger_difference"] for row in report.rows if row["kind"] == "all"] == [1]


def written(question: Asked, form: str, encoding: str = report_files.UTF8_MARK) -> bytes:
    file = io.BytesIO()
    report_files.write_named(question, form, encoding, file)
    return file.getvalue()


@pytest.mark.parametrize(("encoding", "codec"), [("utf-8-mark", "utf-8-sig"), ("cp932", "cp932")])
def test_a_csv_is_what_a_spreadsheet_opens_by_a_click(points: Points, encoding: str, codec: str) -> None:
    points.post(points.draft("japanese", 1, on=date(2017, 3, 20)))
    content = written(asked(points.book, MARCH), "csv", encoding)
    rows = list(csv.DictReader(io.StringIO(content.decode(codec))))
    assert [row["seal"] for row in rows] == ["not final"] * 4
    assert rows[-1]["closing"] == "0"
    assert content.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-mark")


def test_what_cp932_cannot_carry_is_refused_with_its_row(points: Points) -> None:
    lines = ((points.accounts["M1"].pk, -1), (points.accounts["programme"].pk, 1))
    draft = points.draft("wave", 1, on=date(2017, 3, 20))._replace(description="髙島屋〜", lines=lines)
    points.post(draft)
    question = asked(points.book, MARCH, "general-ledger", role="programme")
    with pytest.raises(errors.Refused, match=r"Row 4, description: cp932 cannot carry 〜") as refused:
        written(question, "csv", "cp932")
    assert refused.value.reasons[0].code == "report_text_unfit"
    assert "髙島屋〜" in written(question, "csv").decode("utf-8-sig")


@pytest.fixture
def reader(points: Points) -> Any:
    def check(user: User, **more: Any) -> list[str]:
        try:
            book_reports.check(asked(points.book, MARCH, **more), user, is_waited_for=True)
        except errors.Refused as refused:
            return [reason.code for reason in refused.reasons]
        return []

    return check


def test_auditors_read_all_and_finance_what_is_frozen(
    points: Points, reader: Any, finance: User, auditor: User, support: User, engineer: User
) -> None:
    assert [reader(user) for user in (auditor, finance, support, engineer)] == [
        [],
        ["report_of_open_days"],
        ["not_permitted"],
        ["not_permitted"],
    ]
    # The ledger of one account is what its page shows too.
    assert reader(finance, kind="general-ledger", account=points.accounts["programme"]) == []
    for name in ("2017-01", "2017-02", "2017-03"):
        freeze(points.book, name)
    assert reader(finance) == []


def test_nobody_waits_for_what_is_too_large(points: Points, reader: Any, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_reports, "ENTRIES_MOST", 5)
    assert reader(auditor) == ["report_too_large"]
    freeze(points.book, "2017-01")
    freeze(points.book, "2017-02")
    assert reader(auditor) == [], "it starts at the seal of February"
