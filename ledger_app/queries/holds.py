"""What is asked of holds."""

from datetime import datetime

from ledger_app import errors
from ledger_app.models import Account, Hold, User
from ledger_app.queries.books import CODE_MOST
from ledger_app.queries.rights import rights_of
from ledger_app.rules.holds import HoldFacts
from ledger_app.rules.openings import is_code


def facts(row: Hold, *, user: User, at: datetime, amount: int | None = None) -> HoldFacts:
    """Return what the guards of a hold are asked with; ``amount`` is what is to be settled, where that is said."""
    return HoldFacts(
        state=row.state,
        user_name=user.username,
        rights=rights_of(user),
        reference=row.reference,
        held=row.amount,
        expires_at=row.expires_at,
        at=at,
        amount=amount,
    )


def find_account(book: str, code: str) -> Account:
    """Return an account by its book's code and its own.

    :raises errors.Refused: not_found
    """
    is_named = is_code(book, CODE_MOST) and is_code(code, CODE_MOST)
    found = Account.objects.filter(book__code=book, code=code).first() if is_named else None
    if found is None:
        raise errors.Refused([errors.NotFound(what=f"account of {book}", name=code)])
    return found
