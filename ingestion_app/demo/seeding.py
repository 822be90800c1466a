"""Sets up the demonstration's books, people and source. Each step leaves what is there already."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ingestion_app import errors
from ingestion_app.demo import purchases
from ingestion_app.sources import operations as sources
from ledger_app.accounting.operations import profiles
from ledger_app.adjustments.operations import reason_codes
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.errors import Refused
from ledger_app.members.operations import opening, registering
from ledger_app.models import AdjustmentLimit, Book, Profile, ReasonCode, User
from ledger_app.people.operations import people
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven

PASSWORD = "demo-only-password"  # noqa: S105 - printed by the demonstration, refused in production
USERS = (
    ("engineer-1", "engineer"),
    ("engineer-2", "engineer"),
    ("finance-1", "finance"),
    ("finance-2", "finance"),
    ("support-1", "support"),
    ("auditor-1", "auditor"),
    ("till-1", "till"),
    ("machine-1", "machine"),
)
STRIPES = 16
POINTS_RULE = RuleGiven(expiry="months", validity=24, breakage="breakage.income")
CONTRA_ACCOUNTS = {"CARD": "adjustments.expense", "POINTS": "programme.expense"}
REASON_CODES = (
    ("goodwill", "Goodwill", ("CARD", "POINTS")),
    ("correction", "Correction of a wrong entry", ("CARD", "POINTS")),
    ("missing-points", "Points that were not granted", ("POINTS",)),
)
DECIDERS = "finance"
HANDED_OVER = "CARD"  # the book that goes to accounting
PROFILES = ("yayoi", "moneyforward", "freee")


class Limited(NamedTuple):
    """What finance decides in a book, in minor units, and above which amount by two."""

    book: str
    most: int
    alone: int


LIMITS = (Limited("CARD", 1_000_00, 100_00), Limited("POINTS", 50_000, 5_000))


def refuse_in(environment: str) -> None:
    """Refuse to run where figures are real.

    :raises Refused: demonstration_not_here
    """
    if environment == "production":
        raise Refused([errors.DemonstrationNotHere()])


def seed(*, months: int, caller: Caller) -> dict[str, Any]:
    """Set everything up for the first ``months`` months of 2017 and the one after; return what is new."""
    card = books.open_book(code="CARD", name="Card purchases", unit="USD", exponent=2, time_zone=purchases.ZONE, caller=caller)
    points = books.open_book(
        code="POINTS", name="Loyalty points", unit="points", exponent=0, time_zone=purchases.ZONE, caller=caller
    )
    members, stores = purchases.members_and_stores()
    new_accounts = books.open_accounts(
        book=card,
        openings=[
            *[AccountOpening(f"settlement.{store}", "settlement", "liability", stripes=STRIPES) for store in stores],
            AccountOpening(CONTRA_ACCOUNTS["CARD"], "adjustment", "expense", stripes=STRIPES),
        ],
        caller=caller,
    )
    new_accounts += books.open_accounts(
        book=points,
        openings=[
            AccountOpening(CONTRA_ACCOUNTS["POINTS"], "programme", "expense", stripes=STRIPES),
            AccountOpening("breakage.income", "breakage", "income", stripes=STRIPES),
        ],
        caller=caller,
    )
    # Before the members: accounts that are opened after the rule keep lots.
    lot_rules.set_rule(book=points, role="points", given=POINTS_RULE, caller=caller)
    opening.set_template(book=card, role="receivable", category="asset", floor=None, caller=caller)
    opening.set_template(book=points, role="points", category="liability", floor=0, caller=caller)
    lines = "".join(f"{number}\n" for number in ("member_number", *members))
    registered = registering.register(stream=io.BytesIO(lines.encode()), name="demonstration", caller=caller)
    for name, group in USERS:
        people.register(username=name, password=PASSWORD, group=group, caller=caller)
    _keep_adjustments(caller)
    _set_profiles(caller)
    version, _ = sources.load(text=(Path(__file__).parent / "card-usage.toml").read_text(encoding="utf-8"), caller=caller)
    return {
        "members": registered.new,
        "accounts": new_accounts + registered.accounts,
        "periods": sum(_open_periods(book, months, caller) for book in (card, points)),
        "source": str(version),
    }


def _keep_adjustments(caller: Caller) -> None:
    """Say what balances may be adjusted for, and how much who decides. What somebody has said otherwise since stays said."""
    keeper = replace(caller, user=User.objects.get(username="finance-1"))
    for code, name, named in REASON_CODES:
        if not ReasonCode.objects.filter(code=code).exists():
            contra = {book: CONTRA_ACCOUNTS[book] for book in named}
            reason_codes.keep(code=code, name=name, contra_accounts=contra, caller=keeper)
    for book, most, alone in LIMITS:
        if not AdjustmentLimit.objects.filter(group__name=DECIDERS, book__code=book).exists():
            reason_codes.set_limit(group=DECIDERS, book=book, amount_most=most, two_deciders_above=alone, caller=caller)


def _set_profiles(caller: Caller) -> None:
    """Say how the card book is handed to accounting. What somebody has said otherwise since stays said."""
    for name in PROFILES:
        if not Profile.objects.filter(book__code=HANDED_OVER, name=name).exists():
            profiles.load(text=(Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"), caller=caller)


def _open_periods(book: Book, months: int, caller: Caller) -> int:
    """Open the periods of the months that are run and of the next, which is for the newcomer to drive by hand."""
    first = date.fromisoformat(purchases.LAST_DAYS[0])
    return len(
        opening.open_months(book=book, first=first, months=min(months + 1, len(purchases.LAST_DAYS)), caller=caller).opened
    )
