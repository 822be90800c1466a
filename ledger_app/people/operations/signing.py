"""Keeps who signed in and out, and who tried to, as audit rows; never a password, and of a name that is nobody's only its beginning."""

from ledger_app.base.operations import audit, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError
from ledger_app.errors.granting import LoginFailed
from ledger_app.errors.printable import escaped
from ledger_app.models import User

SUBJECT = "login"
# A person may type a password or a card number by mistake where the name belongs.
TYPED_MOST = 3
NAME_MOST = 150
NOBODY = "?"


def signed(*, action: str, caller: Caller) -> None:
    """Keep that the caller signed in (``log_in``) or out (``log_out``)."""
    subject = audit.Subject(SUBJECT, caller.user.pk, caller.user.username)
    transactions.run(lambda: audit.record(subject=subject, action=action, caller=caller))


def failed(*, typed: str, caller: Caller) -> None:
    """Keep that somebody tried to sign in and was not let in; the caller is the system, with where it came from.

    ``typed`` is what stood in the place of the name: of somebody who is there, the name; else its first characters.
    """
    user = User.objects.named(typed).first() if len(typed) <= NAME_MOST else None
    subject = audit.Subject(SUBJECT, user.pk if user is not None else 0, user.username if user is not None else shortened(typed))
    transactions.run(
        lambda: audit.record(subject=subject, action="log_in", caller=caller, outcome="refused", reasons=[LoginFailed()])
    )


def refused(*, user: User | None, reason: LedgerError, caller: Caller) -> None:
    """Keep that a provider signed nobody in, and why; ``user`` is the user whom it named, or None. The caller is the system."""
    subject = audit.Subject(SUBJECT, user.pk if user is not None else 0, user.username if user is not None else NOBODY)
    transactions.run(lambda: audit.record(subject=subject, action="log_in", caller=caller, outcome="refused", reasons=[reason]))


def shortened(typed: str) -> str:
    """Return the beginning of what was typed, with nothing in it that does not show."""
    beginning = escaped(typed[:TYPED_MOST])
    return f"{beginning}…" if len(typed) > TYPED_MOST else beginning
