"""Proves the books from the rows alone, and keeps what was found."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from ledger_app.base import proofs
from ledger_app.base.operations import transactions
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.errors.sentences import in_source, kept
from ledger_app.errors.sentences import say as _
from ledger_app.errors.sentences import translated as told_again
from ledger_app.models import Book, Verification
from ledger_app.traces import operations as traces

# Beside the texts, what they are told again by: the invariant's, and each breach's.
SAID, BREACHES_SAID = "said", "breaches_said"


def translated_results(row: Verification) -> list[dict[str, Any]]:
    """Return the answers that a run kept, in the active language."""
    found = []
    for each in row.results:
        said = each.get(BREACHES_SAID) or [None] * len(each["breaches"])
        breaches = [told_again(text, kept_as) for text, kept_as in zip(each["breaches"], said, strict=True)]
        found.append({**each, "says": told_again(each["says"], each.get(SAID)), "breaches": breaches})
    return found


def verify(
    *,
    books: Sequence[Book],
    at: datetime,
    now: Callable[[], datetime],
    on_progress: Callable[[str], None] = lambda _says: None,
    reads_bytes: bool = True,
) -> Verification:
    """Ask every invariant of ``books`` (all books of the ledger, or one) and keep the answers.

    ``now`` says when it has finished; ``on_progress`` is called with each invariant as it is asked. Without ``reads_bytes`` the bytes of files and
    attachments are not read, and the answer says of each invariant that would have been asked of them that it was left out.

    What was traced is linked at the end: what was proved now is held by the chain from now on.
    """
    results: list[dict[str, Any]] = []
    scope = proofs.Scope(books, reads_bytes=reads_bytes)
    # One moment for all invariants: work that goes on meanwhile is no breach of any.
    with snapshot():
        for invariant in proofs.invariants():
            if invariant.reads_bytes and not reads_bytes:
                says = _("Left out: {invariant}").format(invariant=_(in_source(invariant.says)))
                results.append({"number": invariant.number, "says": says, "breaches": [], "left_out": True, SAID: kept(says)})
                continue
            on_progress(f"{invariant.number}. {invariant.says}")
            # One fault may be found on several ways: what says the same is said once.
            breaches = list(dict.fromkeys(islice(invariant.breaches(scope), proofs.BREACHES_MOST)))
            answer = {"number": invariant.number, "says": str(invariant.says), "breaches": breaches}
            said = {SAID: kept(_(in_source(invariant.says))), BREACHES_SAID: [kept(each) for each in breaches]}
            results.append(answer | said | ({"note": note} if (note := invariant.note()) else {}))
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
