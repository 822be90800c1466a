"""Sets the profiles of exports to accounting: each change is a new version."""

import hashlib

from django.utils.translation import gettext_lazy as _

from ledger_app import errors, locks
from ledger_app.accounting.queries import profiles
from ledger_app.accounting.rules.profiles import YEN, Definition
from ledger_app.base.operations import defined, history, transactions
from ledger_app.base.operations.audit import Caller
from ledger_app.books.operations import books
from ledger_app.books.queries import books as book_rows
from ledger_app.errors import exporting
from ledger_app.models import Book, Profile, ProfileVersion

SET = "ledger_app.set_profile"


def load(*, text: str, caller: Caller) -> history.Kept[ProfileVersion]:
    """Set what a profile says: its newest version; return it, whether the profile is new, and whether something changed. Its newest version's own text changes nothing.

    The system may set a profile where there is none yet, as it opens books; to change one takes the right. What was handed over stays.

    :raises errors.Refused: not_permitted; profile_invalid, with each fault and its line; not_found (the book), profile_needs_yen, yen_said_twice;
        definition_conflict, where the system finds another
    """
    books.check_right(caller, SET, _("Set profiles of exports"), _("Finance"))
    definition = profiles.parse(text)
    book = book_rows.find(definition.book)
    _check_yen(book, definition)

    def work() -> history.Kept[ProfileVersion]:
        row = locks.setting(profiles.named(book.code, definition.name))
        profile = Profile.objects.create(book=book, name=definition.name) if row is None else row
        if row is not None and caller.user.username == caller.user.SYSTEM:
            last = profiles.newest(profile)
            said = (_("digest of the definition"), bytes(last.digest).hex(), hashlib.sha256(text.encode()).hexdigest())
            defined.check_same(_("profile"), str(profile), last, {}, [said])
        by = {"set_by": caller.user, "set_at": caller.at}
        return history.next_version(profile.versions, text, kind="profile", action="set", caller=caller, **by)

    return transactions.join(work)


def _check_yen(book: Book, definition: Definition) -> None:
    """Refuse where nobody has said what an amount is in yen, or somebody has said it of yen."""
    is_yen = book.unit == YEN and book.exponent == 0
    if not is_yen and definition.yen_a_unit is None:
        raise errors.Refused([exporting.ProfileNeedsYen(book=book.code, unit=book.unit)])
    if is_yen and definition.yen_a_unit not in {None, 1}:
        raise errors.Refused([exporting.YenSaidTwice(book=book.code, yen=definition.yen_a_unit)])
