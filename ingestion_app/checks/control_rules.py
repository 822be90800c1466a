"""The rules that hold a file to what its sender says of the whole of it.

Each is its code, what is seen then, what would make it pass, and which of the facts are amounts. All of them are errors.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONTROL: tuple[tuple[str, Promise | str, Promise | str, frozenset[str]], ...] = (
    (
        "control.count_differs",
        _("The trailer says {expected} records; there are {found}."),
        _("Send the whole file, with a trailer that counts its data records."),
        frozenset(),
    ),
    (
        "control.sum_differs",
        _("The trailer says a sum of {expected}; the records add up to {found}."),
        _("Send the whole file, with a trailer that adds up the amounts of its data records."),
        frozenset({"expected", "found"}),
    ),
    (
        "control.sum_unverifiable",
        _("The trailer's sum of {expected} cannot be confirmed: records whose amount cannot be read: {records}."),
        _("Correct the records whose amount cannot be read."),
        frozenset({"expected"}),
    ),
    (
        "control.absolute_sum_differs",
        _("{name} in the trailer is {expected}; the amounts of the records, signs left out, add up to {found}."),
        _("Send the whole file, with a trailer that adds up the amounts of its data records without their signs."),
        frozenset({"expected", "found"}),
    ),
    (
        "control.positive_sum_differs",
        _("{name} in the trailer is {expected}; the amounts above zero add up to {found}."),
        _("Send the whole file, with a trailer that adds up its amounts by direction."),
        frozenset({"expected", "found"}),
    ),
    (
        "control.negative_sum_differs",
        _("{name} in the trailer is {expected}; the amounts below zero, without their sign, add up to {found}."),
        _("Send the whole file, with a trailer that adds up its amounts by direction."),
        frozenset({"expected", "found"}),
    ),
    (
        "control.positive_count_differs",
        _("{name} in the trailer is {expected}; there are {found} records above zero."),
        _("Send the whole file, with a trailer that counts its data records by direction."),
        frozenset(),
    ),
    (
        "control.negative_count_differs",
        _("{name} in the trailer is {expected}; there are {found} records below zero."),
        _("Send the whole file, with a trailer that counts its data records by direction."),
        frozenset(),
    ),
    (
        "control.hash_differs",
        _("{name} in the trailer is {expected}; that of the records is {found}."),
        _("Send the whole file as it was made: a record was lost, added or changed on the way."),
        frozenset(),
    ),
    (
        "control.balance_differs",
        _("The opening balance is {opening} and the closing balance {expected}; with the records it would be {found}."),
        _("Send the whole file, and one that goes on where the one before it ended."),
        frozenset({"opening", "expected", "found"}),
    ),
    (
        "control.unverifiable",
        _("{name} in the trailer cannot be confirmed: records of which what it adds up cannot be read: {records}."),
        _("Correct the records that cannot be read."),
        frozenset(),
    ),
    (
        "control.sum_beyond_range",
        _("The amounts of the records add up, signs left out, to {found}; the ledger keeps sums up to {most}."),
        _("Ask the sender whether the amounts are right, and for the records in several files."),
        frozenset({"found", "most"}),
    ),
    (
        "control.header_business_date_differs",
        _("The header says business date {found}; the file was received for {expected}."),
        _("Receive the file for {found}, or ask the sender for the file of {expected}."),
        frozenset(),
    ),
    (
        "control.header_sequence_differs",
        _("The header says sequence {found}; the file was received as {expected}."),
        _("Receive the file as sequence {found}, or ask the sender for number {expected}."),
        frozenset(),
    ),
)
