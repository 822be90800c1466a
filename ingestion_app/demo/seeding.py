"""Sets up the demonstration's books, people and source. Each step leaves what is there already."""

from datetime import date
from pathlib import Path
from typing import Any

from ingestion_app import errors
from ingestion_app.demo import purchases
from ingestion_app.operations import sources
from ledger_app.errors import Refused
from ledger_app.models import Book
from ledger_app.operations import books, lot_rules, people
from ledger_app.operations.audit import Caller
from ledger_app.operations.books import AccountOpening, MemberOpening
from ledger_app.operations.lot_rules import RuleGiven

PASSWORD = "demo-only-password"  # noqa: S105 - printed by the demonstration, refused in production
USERS = (
    ("engineer-1", "engineer"),
    ("engineer-2", "engineer"),
    ("finance-1", "finance"),
    ("finance-2", "finance"),
    ("support-1", "support"),
    ("auditor-1", "auditor"),
    ("till-1", "till"),
)
STRIPES = 16
POINTS_RULE = RuleGiven(expiry="months", validity=24, breakage="breakage.income")


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
        openings=[AccountOpening(f"settlement.{store}", "settlement", "liability", stripes=STRIPES) for store in stores],
        caller=caller,
    )
    new_accounts += books.open_accounts(
        book=points,
        openings=[
            AccountOpening("programme.expense", "programme", "expense", stripes=STRIPES),
            AccountOpening("breakage.income", "breakage", "income", stripes=STRIPES),
        ],
        caller=caller,
    )
    # Before the members: accounts that are opened after the rule keep lots.
    lot_rules.set_rule(book=points, role="points", given=POINTS_RULE, caller=caller)
    new_members = books.open_members(openings=[_member(number) for number in members], caller=caller)
    for name, group in USERS:
        people.register(username=name, password=PASSWORD, group=group, caller=caller)
    version, _ = sources.load(text=(Path(__file__).parent / "card-usage.toml").read_text(encoding="utf-8"), caller=caller)
    return {
        "members": new_members,
        "accounts": new_accounts + 2 * new_members,
        "periods": sum(_open_periods(book, months, caller) for book in (card, points)),
        "source": str(version),
    }


def _member(number: str) -> MemberOpening:
    return MemberOpening(
        member_number=number,
        accounts=(
            ("CARD", AccountOpening(f"receivable.{number}", "receivable", "asset")),
            ("POINTS", AccountOpening(f"points.{number}", "points", "liability", floor=0)),
        ),
    )


def _open_periods(book: Book, months: int, caller: Caller) -> int:
    """Open the periods of the months that are run and of the next, which is for the newcomer to drive by hand."""
    before = book.periods.count()
    for day in purchases.LAST_DAYS[: months + 1]:
        ends_on = date.fromisoformat(day)
        books.open_period(book=book, name=day[:7], starts_on=ends_on.replace(day=1), ends_on=ends_on, caller=caller)
    return book.periods.count() - before
