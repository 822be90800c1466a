"""What adjustments are previewed with, decided on and found by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, sql
from ledger_app.adjustments.queries import limits
from ledger_app.adjustments.queries.limits import limit_of as limit_of  # noqa: PLC0414 - asked for under this module too
from ledger_app.adjustments.queries.limits import limit_of_all
from ledger_app.adjustments.rules import adjustments as rules
from ledger_app.adjustments.rules.adjustments import AdjustmentFacts, Preview, Proposal, Shown, ShownBalance, ShownLine
from ledger_app.adjustments.rules.attachments import StoredFile
from ledger_app.adjustments.rules.reason_codes import ReasonFacts, reason_refusals
from ledger_app.base.queries import clock
from ledger_app.books.queries import books
from ledger_app.books.rules.periods import DECIDE, DECIDERS, Unfinished
from ledger_app.errors import adjusting
from ledger_app.errors.units import Unit
from ledger_app.errors.words import Word, Words, phrase
from ledger_app.models import (
    Account,
    Adjustment,
    Book,
    ContraAccount,
    Line,
    Period,
    Posting,
    ReasonCode,
    User,
)
from ledger_app.points.queries import shown_lots
from ledger_app.posting.queries import bases
from ledger_app.posting.rules import drafts, posting
from ledger_app.posting.rules.drafts import Draft, Plan
from ledger_app.posting.rules.lots import ShownLot
from ledger_app.rights.queries.rights import rights_of, secret_known_to
from ledger_app.values import sides

REASONS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """What an adjustment is about, its rows found. ``number`` and ``version`` are 0 before it is sent."""

    book: Book
    account: Account
    contra: Account
    reason: ReasonCode
    amount: int
    effective_on: date
    text: str
    ticket: str
    waives_floor: bool
    attachments: tuple[str, ...]
    number: int = 0
    version: int = 0

    def draft(self) -> Draft:
        """Return the entry that an approval posts."""
        return Draft(
            book_id=self.book.pk,
            effective_on=self.effective_on,
            reference=rules.reference(self.number),
            description=rules.description(reason=self.reason.code, ticket=self.ticket, text=self.text),
            lines=rules.lines(
                account_id=self.account.pk, category=self.account.category, contra_id=self.contra.pk, amount=self.amount
            ),
            waives_floor=self.waives_floor,
        )


def terms_of_proposal(proposal: Proposal) -> tuple[Terms | None, list[errors.LedgerError]]:
    """Find book, account, reason code and contra account of a proposal; return what they refuse, and no terms where one is missing.

    :raises errors.Refused: not_found, where there is no such book
    """
    found = rules.form_refusals(proposal)
    book = books.find(proposal.book)
    account = Account.objects.filter(book=book, code=proposal.account).first()
    if account is None:
        # The number of an account in another unit is the likelier slip.
        elsewhere = Account.objects.filter(book__in=Book.objects.exclude(pk=book.pk), code=proposal.account).exists()
        reference = rules.reference(0)
        found.append(
            errors.AccountInOtherBook(account=proposal.account, book=book.code, reference=reference)
            if elsewhere
            else errors.AccountUnknown(account=proposal.account, reference=reference)
        )
    reason = ReasonCode.objects.filter(code=proposal.reason).first()
    if reason is None:
        found.append(errors.NotFound(what=_("reason code"), name=proposal.reason))
        return None, found
    contra = contra_of(reason, book.pk)
    found += reason_refusals(_reason_facts(reason, book, contra, waives_floor=proposal.waives_floor))
    if account is None or contra is None or found:
        return None, found
    if account.pk == contra.pk:
        return None, [adjusting.AccountIsContra(account=account.code, reason=reason.code)]
    terms = Terms(
        book=book,
        account=account,
        contra=contra,
        reason=reason,
        amount=proposal.amount,
        effective_on=proposal.effective_on,
        text=proposal.text.strip(),
        ticket=proposal.ticket,
        waives_floor=proposal.waives_floor,
        attachments=named(proposal.attachments),
    )
    return terms, found


def _reason_refusals(terms: Terms) -> list[errors.LedgerError]:
    """Return why a reason code, as it is now, does not allow a proposal: asked when it is sent, and again when it is decided."""
    reason, book = terms.reason, terms.book
    contra = contra_of(reason, book.pk)
    found = reason_refusals(_reason_facts(reason, book, contra, waives_floor=terms.waives_floor))
    if contra is not None and contra.pk != terms.contra.pk:
        found.append(adjusting.ContraAccountMoved(reason=reason.code, book=book.code, account=terms.contra.code))
    return found


def _reason_facts(reason: ReasonCode, book: Book, contra: Account | None, *, waives_floor: bool) -> ReasonFacts:
    return ReasonFacts(
        code=reason.code,
        book=book.code,
        is_active=reason.is_active,
        has_contra_account=contra is not None,
        may_waive_floor=reason.may_waive_floor,
        waives_floor=waives_floor,
    )


def contra_of(reason: ReasonCode, book_id: int) -> Account | None:
    """Return the contra account of a reason code in a book."""
    row = ContraAccount.objects.filter(reason_code=reason, book=book_id).select_related("account").first()
    return row.account if row is not None else None


def terms_of(row: Adjustment) -> Terms:
    """Return the terms of a proposal that was sent."""
    return Terms(
        book=row.book,
        account=row.account,
        contra=row.contra_account,
        reason=row.reason_code,
        amount=row.amount,
        effective_on=row.effective_on,
        text=row.text,
        ticket=row.ticket,
        waives_floor=row.waives_floor,
        attachments=attachments_of(row),
        number=row.pk,
        version=row.version,
    )


def attachments_of(row: Adjustment) -> tuple[str, ...]:
    """Return digest and name of each attachment, as they are shown."""
    rows = row.attachments.order_by("name").values_list("name", "media_type", "size", "sha256")
    return named([StoredFile(name, media_type, size, bytes(sha256)) for name, media_type, size, sha256 in rows])


def preview_of_proposal(proposal: Proposal, *, at: datetime | None = None) -> Preview:
    """Return what a proposal would do at an instant, and every rule that would refuse it. Nothing is locked: it is true as long as nobody posts.

    :raises errors.Refused: not_found, where there is no such book
    """
    terms, found = terms_of_proposal(proposal)
    if terms is None:
        return Preview(None, tuple(found))
    return preview(terms, at=at)


def preview(terms: Terms, *, at: datetime | None = None) -> Preview:
    """Return what an adjustment would do, and every rule of the ledger that would refuse it: at an instant, or now. Holds that are over then hold nothing."""
    draft = terms.draft()
    basis = bases.unlocked([draft], at=at or clock.now())
    refusals, plan = posting.decide([draft], basis=basis, lane=0, by_hand=True)
    refusals += _reason_refusals(terms)
    most = limit_of_all(terms.book.pk)
    if abs(terms.amount) > most:
        refusals.append(adjusting.OverEveryLimit(amount=abs(terms.amount), book=terms.book.code, most=most))
    # What is refused has no whole plan.
    codes = {each.pk: each.code for each in (terms.account, terms.contra)}
    lots = () if refusals else shown_lots.of_plan(plan, codes)
    return Preview(_shown(terms, plan, lots), tuple(refusals))


def preview_as_posted(terms: Terms) -> Preview:
    """Return what was shown of an adjustment whose entry is written, from the rows alone: the lines, and the balances they led to."""
    lines = Line.objects.filter(
        entry__posting__origin_kind=Posting.Origin.ADJUSTMENT, entry__posting__origin_id=terms.number
    ).order_by("id")
    plan = Plan()
    for line in lines:
        plan.lines.append(drafts.PlannedLine(0, line.account_id, line.stripe, line.sequence, line.amount, line.balance_after))
    return Preview(_shown(terms, plan, shown_lots.of_lines(lines)), ())


def _shown(terms: Terms, plan: Plan, lots: tuple[ShownLot, ...]) -> Shown:
    accounts = {account.pk: account for account in (terms.account, terms.contra)}
    by_account = {line.account_id: line for line in plan.lines}
    balances = []
    for key, account in accounts.items():
        line = by_account.get(key)
        if line is not None and account.stripes == 1 and (account.floor is not None or key == terms.account.pk):
            after = sides.natural(account.category, line.balance_after)
            balances.append(ShownBalance(account.code, after - sides.natural(account.category, line.amount), after))
    lines = terms.draft().lines
    return Shown(
        adjustment=terms.number,
        version=terms.version,
        book=terms.book.code,
        effective_on=terms.effective_on.isoformat(),
        lines=tuple(ShownLine(accounts[key].code, amount) for key, amount in lines),
        balances=tuple(balances),
        lots=lots,
        reason=terms.reason.code,
        text=terms.text,
        ticket=terms.ticket,
        waives_floor=terms.waives_floor,
        attachments=terms.attachments,
    )


def facts(
    row: Adjustment, *, user: User, at: datetime, digest_shown: str | None = None, now: Preview | None = None
) -> AdjustmentFacts:
    """Return what the guards of an adjustment are asked with. ``now`` is its preview, where it was made already."""
    if row.state not in rules.UNDECIDED:
        now = Preview(None, ())
    now = now or preview(terms_of(row), at=at)
    general, *of_reason = limits.checks(user, row.account, row.reason_code, at=at, beside=row)
    approved_by, void = limits.approvals(row, right=rules.DECIDE)
    return AdjustmentFacts(
        state=row.state,
        user_name=user.username,
        rights=rights_of(user),
        user_id=user.pk,
        proposed_by=row.proposed_by_id,
        proposer=row.proposed_by.username,
        book=row.book.code,
        size=abs(row.amount),
        limit=general.limit,
        approved_by=approved_by,
        at=at,
        expires_at=row.expires_at,
        secret_known_to=secret_known_to(user, _hands(row)),
        digest=now.digest,
        digest_shown=digest_shown,
        moved=as_phrase(now, row.book),
        refusals=now.refusals,
        lately=general.lately,
        of_reason=tuple(of_reason),
        void=void,
        is_proposer_away=rules.PROPOSE not in rights_of(row.proposed_by),
    )


def _hands(row: Adjustment) -> Iterator[User]:
    """Yield who had a hand in what is to be decided: who proposed it, and who gave the first of two approvals."""
    yield row.proposed_by
    yield from limits.givers(row)


def as_phrase(now: Preview, book: Book) -> Word | Words:
    """Say what the balances of a preview are and would be, in the unit of the book and the active language."""
    if now.shown is None or not now.shown.balances:
        return _("the proposal has changed")
    unit, message = Unit(book.unit, book.exponent), _("account {account} has {before} now and would have {after}")
    lots = shown_lots.text_of(now.shown.lots)
    return Words(
        [
            *[
                phrase(message, account=each.account, before=unit.text(each.before), after=unit.text(each.after))
                for each in now.shown.balances
            ],
            *([lots] if lots else []),
        ]
    )


def approval_of(row: Adjustment, user: User, *, at: datetime | None = None) -> str:
    """Return the name of the approval that is a user's to give: ``endorse`` where a second person has to follow, else ``approve``."""
    asked = facts(row, user=user, at=at or clock.now(), now=Preview(None, ()))
    return "endorse" if asked.needs_second and not asked.approved_by and asked.size <= asked.most else "approve"


def undecided(period: Period) -> Iterator[Unfinished]:
    """Yield each proposal that is dated in ``period`` and not decided."""
    dated = Adjustment.objects.filter(sql.dated_in(period), state__in=rules.UNDECIDED, book=period.book_id)
    for row in dated.order_by("id"):
        said = (_("Adjustment"), str(row), Adjustment.State(row.state).label, DECIDE, DECIDERS)
        yield Unfinished(*said, row._meta.label_lower, row.pk, row.state)  # noqa: SLF001 - Django's public API


def overdue(at: datetime, most: int) -> list[int]:
    """Return the proposals whose time is over and that nobody has decided, the oldest first, at most ``most``."""
    rows = Adjustment.objects.filter(state__in=rules.UNDECIDED, expires_at__lt=at).order_by("expires_at")
    return list(rows.values_list("id", flat=True)[:most])


def reasons_in_use(book_id: int | None = None) -> list[ReasonCode]:
    """Return the reason codes that can be proposed with, in a book or in any."""
    rows = ReasonCode.objects.filter(is_active=True)
    if book_id is not None:
        rows = rows.filter(contra_accounts__book=book_id)
    return list(rows.order_by("code").distinct()[:REASONS_SHOWN])


def named(files: Sequence[StoredFile]) -> tuple[str, ...]:
    """Return digest and name of each file, in the order in which they are shown."""
    return tuple(f"{file.sha256.hex()} {file.name}" for file in sorted(files, key=lambda file: file.name))
