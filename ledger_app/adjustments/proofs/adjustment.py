"""The invariants of adjustments, asked of the rows alone: 8, 9 and 12."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy

from ledger_app.adjustments.queries import adjustments
from ledger_app.adjustments.queries.adjustments import Terms
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT
from ledger_app.base import proofs
from ledger_app.base.proofs import BREACHES_MOST, Invariant, changes_without_rows
from ledger_app.errors.sentences import say as _
from ledger_app.models import Adjustment, AdjustmentDecision, Book, Entry, Posting
from ledger_app.traces.queries import erased
from ledger_app.traces.rules.erased import DECISIONS

ROWS_A_CALL = 1000
# Whatever the book: an adjustment that is not there has none.
NOT_APPROVED = """
    SELECT posting.id, posting.origin_id
      FROM ledger_app_posting AS posting
      LEFT JOIN ledger_app_adjustment AS adjustment ON adjustment.id = posting.origin_id AND adjustment.state = 'approved'
     WHERE posting.origin_kind = 'adjustment' AND adjustment.id IS NULL
"""


def deciders_are_others(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 8: nobody decided their own, and an approval is by one who may or by two."""
    own = AdjustmentDecision.objects.filter(adjustment__book__in=books, decided_by=F("adjustment__proposed_by"))
    for word in own.select_related("adjustment", "decided_by").order_by("id")[:BREACHES_MOST]:
        yield _("Adjustment {adjustment} was decided by {user}, who proposed it.").format(
            adjustment=word.adjustment, user=word.decided_by.username
        )
    approvals = Q(decisions__decision=AdjustmentDecision.Decision.APPROVED)
    approved = Adjustment.objects.filter(book__in=books, state=Adjustment.State.APPROVED).annotate(
        words=Count("decisions", filter=approvals), sole=Count("decisions", filter=approvals & Q(decisions__is_sole=True))
    )
    for row in approved.filter(sole=0, words__lt=2).order_by("id")[:BREACHES_MOST]:
        yield _("Adjustment {adjustment} is approved, and the approvals that it needs are not there.").format(adjustment=row)


def approvals_cover_what_was_shown(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 9: each entry is what its adjustment says, and the last approval's digest is that of what was posted."""
    for _posting, number in proofs.rows(NOT_APPROVED, books):
        yield _("An entry names adjustment {adjustment}, which is not approved.").format(adjustment=f"#{number}")
    approved = Adjustment.objects.filter(book__in=books, state=Adjustment.State.APPROVED)
    rows = approved.select_related("book", "account", "contra_account", "reason_code").order_by("id")
    # Names of attachments are part of what was shown: where they were erased, the digest comes to what the erasure says.
    since = erased.digests(DECISIONS)
    for row in rows.iterator(ROWS_A_CALL):
        word = row.decisions.filter(decision=AdjustmentDecision.Decision.APPROVED).order_by("version").last()
        terms = adjustments.terms_of(row)
        if not _is_posted(terms):
            yield _("Adjustment {adjustment} is approved, and its entry is not what it says.").format(adjustment=row)
        elif word is not None and recomputed(terms, word) != since.get(word.pk, bytes(word.digest or b"")):
            yield _("Adjustment {adjustment}: what was posted is not what {user} was shown.").format(
                adjustment=row, user=word.decided_by.username
            )


def recomputed(terms: Terms, word: AdjustmentDecision) -> bytes:
    """Return what the digest of an approval comes to, of what was posted."""
    return bytes.fromhex(adjustments.preview_as_posted(_as_shown(terms, word)).digest)


def changes_have_rows(books: Sequence[Book]) -> Iterator[str]:
    """Invariant 12, for adjustments."""
    rows = Adjustment.objects.filter(book__in=books).order_by("id").values_list("id", "version", "state")
    subjects = [(key, _("Adjustment {adjustment}").format(adjustment=f"#{key}"), version, state) for key, version, state in rows]
    yield from changes_without_rows(ADJUSTMENT.subject, subjects)


def _is_posted(terms: Terms) -> bool:
    """Whether the one entry of the adjustment has its date and its lines."""
    entries = list(
        Entry.objects.filter(posting__origin_kind=Posting.Origin.ADJUSTMENT, posting__origin_id=terms.number).order_by("id")[:2]
    )
    if len(entries) != 1:
        return False
    draft = terms.draft()
    entry = entries[0]
    lines = tuple(entry.lines.order_by("id").values_list("account_id", "amount"))
    return (entry.book_id, entry.effective_on, entry.reference, lines) == (
        draft.book_id,
        draft.effective_on,
        draft.reference,
        draft.lines,
    )


def _as_shown(terms: Terms, word: AdjustmentDecision) -> Terms:
    """Return the terms as they were when the approval was given: of the version before it."""
    return replace(terms, version=word.version)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(8, gettext_lazy("Nobody decides an adjustment that they proposed."), deciders_are_others),
    Invariant(
        9, gettext_lazy("The entry of an adjustment is what was shown to whoever approved it."), approvals_cover_what_was_shown
    ),
    Invariant(12, gettext_lazy("Each change of state of an adjustment has one audit row."), changes_have_rows),
)

EXPECTED_TRIGGERS = frozenset(
    {
        "kakutei_adjustment_no_delete",
        "kakutei_adjustment_begins_proposed",
        "kakutei_adjustment_says_the_same",
        "kakutei_adjustment_ended_no_update",
        "kakutei_adjustment_approved_and_posted",
        "kakutei_adjustmentdecision_by_another",
        "kakutei_adjustmentdecision_no_update",
        "kakutei_adjustmentdecision_no_delete",
        "kakutei_attachment_with_its_proposal",
        "kakutei_attachment_no_update",
        "kakutei_attachment_no_delete",
        "kakutei_posting_of_approved_adjustment",
    }
)
