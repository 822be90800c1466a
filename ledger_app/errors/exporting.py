"""What is refused about profiles, and about what is handed to accounting by them."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class ProfileRefused(LedgerError):
    """A profile's definition has faults."""

    code = "profile_invalid"
    template = _("{place}: {sentence}")


class ProfileNeedsYen(LedgerError):
    """The book is not in yen, and the profile does not say what its unit counts for."""

    code = "profile_needs_yen"
    template = _(
        "Accounting programs count in yen, and book {book} in {unit}. Say in the profile how many yen a minor unit counts for: yen_a_minor_unit."
    )


class YenSaidTwice(LedgerError):
    """The book is in yen, and the profile says that a yen of it counts for something else."""

    code = "yen_said_twice"
    template = _("Book {book} is in yen: each counts for one, and the profile says {yen}. Take yen_a_minor_unit out.")
