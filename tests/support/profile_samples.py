"""Profiles as tests set them: those of the demonstration, of which a line is said otherwise."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from ledger_app.models import Export, FreezeAttempt, Period, Posting, Profile, ProfileVersion, Seal

DEMO = Path(settings.BASE_DIR) / "ingestion_app" / "demo"
TARGETS = ("yayoi", "moneyforward", "freee")


def text(target: str = "yayoi", *changes: tuple[str, str]) -> str:
    """Return the demonstration's profile for a target, with each of these texts in the place of the one before it."""
    said = (DEMO / f"{target}.toml").read_text(encoding="utf-8")
    for there, given in changes:
        assert there in said, there
        said = said.replace(there, given)
    return said


# The small ledger's chart, per target: what its accounts are called there, whatever they are asked by.
HEAD = """[profile]
book = "CARD"
name = "{target}"
target = "{target}"
encoding = "{encoding}"
rows = "{rows}"
summary = "{summary}"
fiscal_year_begins = 4
"""
RULES = (
    ('role = "cash"', "現金", "", "対象外"),
    ('pattern = "M?-receivable"', "売掛金", "カード会員", "対象外"),
    ('category = "liability"', "預り金", "", "対象外"),
    ('code = "sales"', "売上高", "店頭", None),
)
SALE = {"yayoi": "課税売上込10%", "moneyforward": "課税売上 10%", "freee": "課税売上10%"}
ENCODINGS = {"yayoi": "cp932", "moneyforward": "utf-8", "freee": "utf-8"}


def small(target: str, *, rows: str = "daily", summary: str = "売上 {period}", encoding: str = "", more: str = "") -> str:
    """Return a profile of the small ledger: cash, receivables, liabilities and sales; ``more`` are rules that are asked first."""
    head = HEAD.format(target=target, rows=rows, summary=summary, encoding=encoding or ENCODINGS[target])
    said = [
        f'[[account]]\n{matcher}\naccount = "{account}"\ntax_class = "{tax or SALE[target]}"\n'
        + (f'sub_account = "{sub_account}"\n' if sub_account else "")
        for matcher, account, sub_account, tax in RULES
    ]
    return "\n".join([head, more, *said])


def exported(period: Period, posting: Posting) -> None:
    """Have a period asked to be frozen, and handed over by a profile, as rows alone, by the person who posted."""
    user = posting.posted_by
    FreezeAttempt.objects.create(period=period, controls={}, asked_by=user, asked_at=posting.posted_at)
    at = datetime(2017, 2, 1, 9, tzinfo=UTC)
    profile = Profile.objects.create(book=period.book, name="yayoi")
    said: dict[str, Any] = {"text": "", "digest": bytes(32), "set_by": user, "set_at": at}
    version = ProfileVersion.objects.create(profile=profile, number=1, **said)
    sums: dict[str, Any] = {"entry_count": 0, "line_count": 0, "debit_total": 0, "trial_balance": [], "controls": {}}
    sealed: dict[str, Any] = {"digest": bytes(32), "form": "x", "code_version": "x", "sealed_by": user, "sealed_at": at}
    seal = Seal.objects.create(book=period.book, period=period, number=1, **sums, **sealed)
    slips: dict[str, Any] = {
        "fiscal_year": 2016,
        "first_slip": 1,
        "next_slip": 2,
        "row_count": 1,
        "sha256": bytes(32),
        "manifest": {},
    }
    by: dict[str, Any] = {"handed_over_by": user, "handed_over_at": at}
    Export.objects.create(profile=profile, version=version, period=period, seal=seal, **slips, **by)
