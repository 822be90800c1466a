"""Proves the books from the rows alone, and keeps what was found."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from ledger_app.models import Book, Verification
from ledger_app.operations import traces, transactions
from ledger_app.queries import proofs
from ledger_app.queries.snapshots import snapshot


def verify(
    *,
    books: Sequence[Book],
    at: datetime,
    now: Callable[[], datetime],
    told: Callable[[str], None] = lambda _says: None,
    reads_bytes: bool = True,
) -> Verification:
    """Ask every statement of ``books`` (all books of the ledger, or one) and keep the answers.

    ``now`` says when it has finished; ``told`` is called with each statement as it is asked. Without ``reads_bytes`` the bytes of files and
    attachments are not read, and the answer says of each statement that would have been asked of them that it was left out.

    What was traced is linked at the end: what was proved now is held by the chain from now on.
    """
    results: list[dict[str, Any]] = []
    scope = proofs.Scope(books, reads_bytes=reads_bytes)
    # One moment for all statements: work that goes on meanwhile is no breach of any.
    with snapshot():
        for statement in proofs.statements():
            if statement.reads_bytes and not reads_bytes:
                says = _("Left out: {statement}").format(statement=statement.says)
                results.append({"number": statement.number, "says": says, "breaches": [], "left_out": True})
                continue
            told(f"{statement.number}. {statement.says}")
            breaches = list(islice(statement.breaches(scope), proofs.BREACHES_MOST))
            answer = {"number": statement.number, "says": str(statement.says), "breaches": breaches}
            results.append(answer | ({"note": note} if (note := statement.note()) else {}))
    if not any(result["breaches"] for result in results):
        traces.link(at=now())
    return transactions.run(
        lambda: Verification.objects.create(
            book=books[0] if len(books) == 1 else None,
            started_at=at,
            finished_at=now(),
            breaches=sum(len(result["breaches"]) for result in results),
            results=results,
        )
    )
