"""Exports to accounting: each target to the letter, what cannot stand in a file refused by its row, and each period handed over once."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ledger_app import errors
from ledger_app.accounting.operations import handing_over, profiles
from ledger_app.accounting.queries import exporting
from ledger_app.accounting.queries import profiles as definitions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.close.operations import periods
from ledger_app.close.queries.closing import control_totals
from ledger_app.models import AuditRow, Entry, Export, Period, Profile
from ledger_app.reports import accounting
from ledger_app.reports.accounting import Written
from tests.support import profile_samples
from tests.support.profile_samples import TARGETS, small
from tests.support.reversing import reverse_entry
from tests.support.samples import SmallLedger

JANUARY = "2017-01"
LATER = datetime(2017, 4, 1, 9, tzinfo=UTC)
SEAL = "________"  # in the place of a seal's first digits


def freeze(ledger: SmallLedger, checker: Caller, period: str = JANUARY) -> Period:
    """Freeze a period with the debits that it has."""
    row = ledger.periods[period]
    controls = {"debits": control_totals(row)["debits"]}
    periods.freeze(period_id=row.pk, controls=controls, caller=replace(checker, at=LATER), code_version="test")
    return row


class Desk:
    """The small ledger with who hands it over, and a folder for files."""

    def __init__(self, ledger: SmallLedger, checker: Caller, folder: Path) -> None:
        self.ledger, self.checker, self.folder = ledger, checker, folder

    def set(self, text: str) -> Profile:
        return profiles.load(text=text, caller=self.checker).row.profile

    def freeze(self, period: str = JANUARY) -> Period:
        return freeze(self.ledger, self.checker, period)

    def export(self, profile: Profile, period: str = JANUARY, name: str = "out.csv") -> Written:
        row = self.ledger.periods[period]
        return accounting.export(period=row, profile=profile, path=self.folder / name, caller=self.checker)

    def refused(self, text: str) -> list[errors.LedgerError]:
        """Return why neither a draft nor the final file is written: for the same reasons, in the same words."""
        profile = self.set(text)

        def reasons() -> list[errors.LedgerError]:
            with pytest.raises(errors.Refused) as refused:
                self.export(profile)
            assert list(self.folder.iterdir()) == [], "nothing is left of a file that is refused"
            assert not Export.objects.exists()
            return list(refused.value.reasons)

        of_draft = reasons()
        self.freeze()
        found = reasons()
        assert [each.as_dict() for each in found] == [each.as_dict() for each in of_draft], "found before the period is frozen"
        return found


@pytest.fixture
def desk(ledger: SmallLedger, checker: Caller, tmp_path: Path) -> Desk:
    return Desk(ledger, checker, tmp_path)


def post_a_month(ledger: SmallLedger) -> None:
    """Two sales and a compound one on the 10th, a sale on the 31st, and the first one taken back on that day."""
    ledger.sell("s-1", 1_000)
    ledger.sell("s-2", 500)
    ledger.post(ledger.draft("s-3", ("cash", 30), ("M1-receivable", 70), ("sales", -60), ("wallet", -40)))
    ledger.sell("s-4", 7, on=date(2017, 1, 31))
    ledger.post(ledger.draft("back", ("sales", 1_000), ("cash", -1_000), on=date(2017, 1, 31)))


YAYOI = """\
"2110",1,"","2017/01/10","売掛金","カード会員","","対象外",30,,"売上高","店頭","","課税売上込10%",30,,"売上 2017-01","","",3,"","Kakutei CARD 2017-01 ________","0","0","no"\r
"2100",1,"","2017/01/10","売掛金","カード会員","","対象外",40,,"預り金","","","対象外",40,,"売上 2017-01","","",3,"","Kakutei CARD 2017-01 ________","0","0","no"\r
"2101",1,"","2017/01/10","現金","","","対象外",1530,,"売上高","店頭","","課税売上込10%",1530,,"売上 2017-01","","",3,"","Kakutei CARD 2017-01 ________","0","0","no"\r
"2110",2,"","2017/01/31","売上高","店頭","","課税売上込10%",1000,,"現金","","","対象外",1000,,"売上 2017-01","","",3,"","Kakutei CARD 2017-01 ________","0","0","no"\r
"2101",2,"","2017/01/31","現金","","","対象外",7,,"売上高","店頭","","課税売上込10%",7,,"売上 2017-01","","",3,"","Kakutei CARD 2017-01 ________","0","0","no"\r
"""
MONEYFORWARD = """\
取引No,取引日,借方勘定科目,借方補助科目,借方部門,借方取引先,借方税区分,借方インボイス,借方金額(円),借方税額,貸方勘定科目,貸方補助科目,貸方部門,貸方取引先,貸方税区分,貸方インボイス,貸方金額(円),貸方税額,摘要,仕訳メモ,タグ,MF仕訳タイプ,決算整理仕訳,作成日時,作成者,最終更新日時,最終更新者
1,2017/01/10,売掛金,カード会員,,,対象外,,30,,売上高,店頭,,,課税売上 10%,,30,,売上 2017-01,Kakutei CARD 2017-01 ________,,,,,,,
1,2017/01/10,売掛金,カード会員,,,対象外,,40,,預り金,,,,対象外,,40,,売上 2017-01,Kakutei CARD 2017-01 ________,,,,,,,
1,2017/01/10,現金,,,,対象外,,1530,,売上高,店頭,,,課税売上 10%,,1530,,売上 2017-01,Kakutei CARD 2017-01 ________,,,,,,,
2,2017/01/31,売上高,店頭,,,課税売上 10%,,1000,,現金,,,,対象外,,1000,,売上 2017-01,Kakutei CARD 2017-01 ________,,,,,,,
2,2017/01/31,現金,,,,対象外,,7,,売上高,店頭,,,課税売上 10%,,7,,売上 2017-01,Kakutei CARD 2017-01 ________,,,,,,,
"""
FREEE = """\
[表題行],日付,伝票番号,決算整理仕訳,借方勘定科目,借方科目コード,借方補助科目,借方取引先,借方取引先コード,借方部門,借方品目,借方メモタグ,借方セグメント1,借方セグメント2,借方セグメント3,借方金額,借方税区分,借方税額,貸方勘定科目,貸方科目コード,貸方補助科目,貸方取引先,貸方取引先コード,貸方部門,貸方品目,貸方メモタグ,貸方セグメント1,貸方セグメント2,貸方セグメント3,貸方金額,貸方税区分,貸方税額,摘要\r
[明細行],2017/01/10,1,,売掛金,,カード会員,,,,,,,,,30,対象外,,売上高,,店頭,,,,,,,,,30,課税売上10%,,売上 2017-01\r
[明細行],2017/01/10,1,,売掛金,,カード会員,,,,,,,,,40,対象外,,預り金,,,,,,,,,,,40,対象外,,売上 2017-01\r
[明細行],2017/01/10,1,,現金,,,,,,,,,,,1530,対象外,,売上高,,店頭,,,,,,,,,1530,課税売上10%,,売上 2017-01\r
[明細行],2017/01/31,2,,売上高,,店頭,,,,,,,,,1000,課税売上10%,,現金,,,,,,,,,,,1000,対象外,,売上 2017-01\r
[明細行],2017/01/31,2,,現金,,,,,,,,,,,7,対象外,,売上高,,店頭,,,,,,,,,7,課税売上10%,,売上 2017-01\r
"""
FILES = {"yayoi": YAYOI, "moneyforward": MONEYFORWARD, "freee": FREEE}


@pytest.mark.parametrize("target", TARGETS)
def test_a_frozen_month_is_handed_over_to_the_letter(desk: Desk, target: str) -> None:
    post_a_month(desk.ledger)
    seal = bytes(desk.freeze().seal.digest).hex()
    written = desk.export(desk.set(small(target)))
    content = written.path.read_bytes()
    assert content.decode(profile_samples.ENCODINGS[target]).replace(seal[:8], SEAL) == FILES[target]
    assert (written.path.name, written.is_new) == ("out.csv", True)
    said = json.loads((desk.folder / "out.csv.manifest.json").read_text(encoding="utf-8"))
    assert said == written.manifest
    assert (said["final"], said["seal"], said["sha256"]) == (True, seal, hashlib.sha256(content).hexdigest())
    assert (said["entries"], said["rows"], said["first_slip"], said["next_slip"], said["bytes"]) == (5, 5, 1, 3, len(content))
    totals = [(each["account"], each["sub_account"], each["debit"], each["credit"]) for each in said["accounts"]]
    assert totals == [
        ("売上高", "店頭", 1_000, 1_567),
        ("売掛金", "カード会員", 70, 0),
        ("現金", "", 1_537, 1_000),
        ("預り金", "", 0, 40),
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_an_entry_by_entry_file_has_a_slip_for_each(desk: Desk, target: str) -> None:
    post_a_month(desk.ledger)
    desk.freeze()
    written = desk.export(desk.set(small(target, rows="entries", summary="売上 {reference}")))
    text = written.path.read_text(encoding=profile_samples.ENCODINGS[target])
    assert (written.manifest["entries"], written.manifest["next_slip"] - 1) == (5, 5)
    assert all(f"売上 {reference}" in text for reference in ("s-1", "s-2", "s-3", "s-4", "back"))
    assert written.manifest["rows"] == 7, "the compound one has three"


@pytest.mark.parametrize("target", TARGETS)
def test_an_open_period_gives_a_draft_that_says_so_in_name_and_content(desk: Desk, target: str) -> None:
    desk.ledger.sell("s-1", 10)
    profile = desk.set(small(target))
    written = desk.export(profile)
    assert (written.path.name, written.export, written.manifest["final"]) == ("draft-out.csv", None, False)
    text = written.path.read_text(encoding=profile_samples.ENCODINGS[target])
    assert all("未確定" in line for line in text.splitlines()[target != "yayoi" :])
    assert not Export.objects.exists()
    desk.ledger.sell("s-2", 5)
    assert desk.export(profile).manifest["entries"] == 2


def test_each_period_leaves_once_and_is_the_same_to_the_byte_whatever_the_profile_says_since(desk: Desk) -> None:
    post_a_month(desk.ledger)
    desk.freeze()
    profile = desk.set(small("yayoi"))
    first = desk.export(profile)
    content = first.path.read_bytes()
    desk.set(small("yayoi").replace("現金", "小口現金"))
    again = desk.export(profile, name="again.csv")
    assert (again.path.read_bytes(), again.is_new) == (content, False)
    assert again.export == first.export
    assert again.manifest["version"] == 1
    assert Export.objects.count() == 1
    rows = AuditRow.objects.filter(subject_type="export", action="hand_over")
    assert [(row.actor, row.facts["sha256"]) for row in rows] == [(desk.checker.user, first.manifest["sha256"])]
    # Another profile hands the same month over to another program.
    assert desk.export(desk.set(small("freee"))).is_new


def test_what_comes_later_leaves_with_the_period_in_which_it_was_posted_and_slips_go_on(desk: Desk) -> None:
    desk.ledger.sell("s-1", 10)
    desk.freeze()
    profile = desk.set(small("yayoi"))
    january = desk.export(profile)
    sale = Entry.objects.get(reference="s-1")
    reverse_entry(entry_id=sale.pk, effective_on=date(2017, 2, 3), reason="Returned.", caller=desk.checker)
    desk.ledger.sell("s-2", 4, on=date(2017, 2, 3))
    desk.freeze("2017-02")
    february = desk.export(profile, "2017-02", name="february.csv")
    assert desk.export(profile).path.read_bytes() == january.path.read_bytes()
    text = february.path.read_text(encoding="cp932")
    assert '"2017/02/03","売上高","店頭","","課税売上込10%",10' in text, (
        "taken back: its sides swapped, and dated when it was posted"
    )
    assert (january.manifest["next_slip"], february.manifest["first_slip"], february.manifest["next_slip"]) == (2, 2, 3)
    # A number never comes twice in the fiscal year; the next begins anew.
    assert [row.fiscal_year for row in Export.objects.order_by("id")] == [2016, 2016]


def unfit(description: str) -> Callable[[SmallLedger], object]:
    """Return what posts a sale with this description."""
    return lambda ledger: ledger.post(ledger.draft("s-1", ("cash", 10), ("sales", -10), description=description))


SAID = {"rows": "entries", "summary": "{description}"}
# What is posted, and the profile → the code of what is told, and what of it names the place.
REFUSED: dict[str, tuple[Any, str, str, str]] = {
    "an account that no rule fits": (
        lambda ledger: ledger.sell("s-1", 10),
        small("yayoi").replace('code = "sales"', 'code = "other"'),
        "account_unmapped",
        "sales",
    ),
    "a character that cp932 has not": (unfit(description="𠮷野家"), small("yayoi", **SAID), "row_unfit", "𠮷"),
    "a character that cp932 turns": (unfit(description="10¢"), small("yayoi", **SAID), "row_unfit", "U+00A2"),
    "the 33rd full-width character": (unfit(description="あ" * 33), small("yayoi", **SAID), "row_unfit", "66"),
    "a formula": (unfit(description="=1+1"), small("freee", **SAID), "row_unfit", "s-1"),
    "a formula that freee would read after the mark of a draft": (
        unfit(description="＝1+1"),
        small("freee", **SAID),
        "row_unfit",
        "s-1",
    ),
    "a character that nobody sees": (unfit(description="a\u200bb"), small("freee", **SAID), "row_unfit", "U+200B"),
    "a share of another day": (
        lambda ledger: ledger.sell("s-1", 10),
        small("yayoi", more='[[account]]\nrole = "sales"\naccount = "仕入高"\ntax_class = "課対仕入込10%区分70%"\n'),
        "row_unfit",
        "70",
    ),
    "an entry of 101 rows": (
        lambda ledger: ledger.post(ledger.draft("s-1", *[("cash", 1)] * 101, ("sales", -101))),
        small("yayoi", rows="entries"),
        "slip_too_long",
        "101",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_stand_in_the_file_is_refused_by_its_row(desk: Desk, name: str) -> None:
    post, text, code, place = REFUSED[name]
    post(desk.ledger)
    found = desk.refused(text)
    assert {each.code for each in found} == {code}
    assert place in found[0].sentence


def test_commas_quotes_and_what_cp932_writes_in_two_ways_arrive_to_the_letter(desk: Desk) -> None:
    desk.ledger.post(desk.ledger.draft("s-1", ("cash", 10), ("sales", -10), description='髙橋, "A" ～'))
    desk.freeze()
    for target in TARGETS:
        written = desk.export(desk.set(small(target, **SAID, encoding="cp932")))
        assert '髙橋, ""A"" ～' in written.path.read_text(encoding="cp932")


def test_an_entry_of_a_hundred_rows_is_one_slip_and_days_of_more_are_cut_at_whole_ones(desk: Desk) -> None:
    desk.ledger.post(desk.ledger.draft("s-1", *[("cash", 1)] * 100, ("sales", -100)))
    desk.freeze()
    assert desk.export(desk.set(small("yayoi", rows="entries"))).manifest["next_slip"] == 2


def test_a_day_of_more_than_a_hundred_rows_is_cut_at_whole_slips(desk: Desk) -> None:
    codes = [f"shop.{number}" for number in range(1, 151)]
    books.open_accounts(
        book=desk.ledger.book,
        openings=[books.AccountOpening(code, "shop", "liability") for code in codes],
        caller=desk.ledger.caller,
    )
    desk.ledger.accounts.update({row.code: row for row in desk.ledger.book.accounts.filter(code__in=codes)})
    desk.ledger.post(*[desk.ledger.draft(code, ("cash", 1), (code, -1)) for code in codes])
    desk.freeze()
    rules = "".join(
        f'[[account]]\ncode = "{code}"\naccount = "預り金"\nsub_account = "{code}"\ntax_class = "対象外"\n' for code in codes
    )
    written = desk.export(desk.set(small("yayoi", more=rules)))
    assert (written.manifest["rows"], written.manifest["next_slip"]) == (150, 3)
    slips = [line.split(",")[1] for line in written.path.read_text(encoding="cp932").splitlines()]
    assert slips == ["1"] * 100 + ["2"] * 50


def test_no_slip_is_numbered_past_what_the_program_has(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ledger.sell("s-1", 10)
    monkeypatch.setattr("ledger_app.accounting.queries.exporting.next_slip", lambda _profile, _year: 1_000_000)
    assert [each.code for each in desk.refused(small("yayoi"))] == ["slips_spent"]


def test_a_period_of_two_fiscal_years_is_refused(desk: Desk) -> None:
    year = books.open_period(
        book=desk.ledger.book, name="Q", starts_on=date(2017, 4, 1), ends_on=date(2017, 6, 30), caller=desk.ledger.caller
    )
    desk.ledger.periods["Q"] = year
    profile = desk.set(small("yayoi").replace("fiscal_year_begins = 4", "fiscal_year_begins = 6"))
    with pytest.raises(errors.Refused) as refused:
        desk.export(profile, "Q")
    assert [each.code for each in refused.value.reasons] == ["fiscal_year_spanned"]


def test_only_whoever_may_hand_over_exports(desk: Desk, maker: Caller) -> None:
    desk.ledger.sell("s-1", 10)
    desk.checker, finance = maker, desk.checker
    with pytest.raises(errors.Refused) as refused:
        desk.export(profiles.load(text=small("yayoi"), caller=finance).row.profile)
    assert [each.code for each in refused.value.reasons] == ["not_permitted"]


def test_a_file_that_would_differ_from_what_was_handed_over_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.ledger.sell("s-1", 10)
    desk.freeze()
    profile = desk.set(small("yayoi"))
    first = desk.export(profile)
    before = first.path.read_bytes()
    monkeypatch.setattr("ledger_app.reports.accounting_files.SLIP", 0)
    with pytest.raises(errors.Refused) as refused:
        desk.export(profile)
    assert [each.code for each in refused.value.reasons] == ["export_differs"]
    assert first.path.read_bytes() == before


def test_what_is_written_down_is_of_a_frozen_period_and_of_slips_that_nothing_has_had(desk: Desk) -> None:
    desk.ledger.sell("s-1", 10)
    desk.freeze()
    profile = desk.set(small("yayoi"))
    row = desk.export(profile).export
    assert row is not None
    made = {name: getattr(row, name) for name in handing_over.Made._fields}
    february = {**made, "period": desk.freeze("2017-02"), "first_slip": 2}

    def refused(given: dict[str, Any]) -> str:
        with pytest.raises((errors.Refused, errors.TryAgain)) as told:
            handing_over.record(made=handing_over.Made(**given), caller=desk.checker)
        return str(told.value)

    assert refused({**february, "period": desk.ledger.periods["2017-03"]}).startswith("period_not_frozen")
    assert "another period was handed over meanwhile" in refused({**february, "first_slip": 1})
    desk.set(small("yayoi").replace("現金", "小口現金"))
    assert "the profile was changed meanwhile" in refused(february)
    assert handing_over.record(made=handing_over.Made(**made), caller=desk.checker).row == row, "the same file stays the first"
    assert Export.objects.count() == 1


def test_no_number_of_a_slip_comes_twice_in_a_fiscal_year_in_whatever_month_the_profile_says_since_that_it_begins(
    desk: Desk,
) -> None:
    desk.ledger.sell("s-1", 10)
    desk.freeze()
    profile = desk.set(small("yayoi"))
    desk.export(profile)
    for month in range(1, 13):
        desk.set(small("yayoi").replace("fiscal_year_begins = 4", f"fiscal_year_begins = {month}"))
        year = definitions.definition(definitions.newest(profile)).year_of(date(2017, 2, 1))
        assert exporting.next_slip(profile, year) == (1 if month == 2 else 2), month


@pytest.mark.parametrize("target", TARGETS)
def test_a_page_waits_for_no_file_of_any_size(desk: Desk, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setattr(accounting, "LINES_MOST", 3)
    desk.ledger.sell("s-1", 10)
    desk.ledger.sell("s-2", 10)
    profile, january = desk.set(small(target)), desk.ledger.periods[JANUARY]
    with BytesIO() as file, pytest.raises(errors.Refused, match="export_too_large"):
        accounting.write(period=january, profile=profile, file=file, lines_most=3)
    desk.freeze()
    with BytesIO() as file, pytest.raises(errors.Refused, match="export_too_large"):
        accounting.hand_over(period=january, profile=profile, file=file, caller=desk.checker)
    assert not Export.objects.exists()
    assert desk.export(profile).is_new, "the command waits as long as it takes"


def test_nothing_is_put_in_the_place_of_a_pipe_nor_a_draft_beside_it(desk: Desk) -> None:
    desk.ledger.sell("s-1", 10)
    profile = desk.set(small("yayoi"))
    os.mkfifo(desk.folder / "out.csv")
    for is_frozen in (False, True):
        if is_frozen:
            desk.freeze()
        with pytest.raises(errors.Refused, match="file_not_regular"):
            desk.export(profile)
        assert [each.is_fifo() for each in desk.folder.iterdir()] == [True]


@pytest.mark.parametrize("target", TARGETS)
def test_the_mark_of_a_draft_takes_no_room(desk: Desk, target: str) -> None:
    """What the final file takes, of the greatest length that it takes, the draft takes."""
    fits = {"yayoi": "あ" * 32}.get(target, "あ" * 200)
    reference = "r" * 100
    desk.ledger.post(desk.ledger.draft(reference, ("cash", 10), ("sales", -10), description=fits))
    profile = desk.set(small(target, **SAID))
    assert desk.export(profile).manifest["entries"] == 1
    desk.freeze()
    assert desk.export(profile).is_new
