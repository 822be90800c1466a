"""The rules that records are held to against the ledger: how grave a breach is, its code, what is seen then, and what would make it pass."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LEDGER: tuple[tuple[str, str, Promise | str, Promise | str], ...] = (
    (
        "error",
        "ledger.holder_unknown",
        _("No holder has the {kind} {identifier}."),
        _("Register the member (register_members), or ask the sender to correct the record."),
    ),
    (
        "warning",
        "ledger.holder_merged",
        _("The holder with the {kind} {identifier} was merged into {holder}, which the record will be posted to."),
        _("Check that the merge is right, then approve."),
    ),
    (
        "warning",
        "ledger.identifier_inactive",
        _("The record is dated {date}, and the {kind} {identifier} is in use {first}–{last} only."),
        _("Check whose record it is, then approve; or ask the sender to take it back."),
    ),
    (
        "error",
        "ledger.account_unknown",
        _("There is no account {account} in book {book}."),
        _("Open the account (open_accounts), or correct the posting rule or the record."),
    ),
    (
        "error",
        "ledger.account_not_open",
        _("Account {account} in book {book} is {state}."),
        _("Reopen the account, or ask the sender to take the record back."),
    ),
    (
        "error",
        "ledger.book_unknown",
        _("There is no book {book}."),
        _("Create the book, or load a version of the source that names another."),
    ),
    (
        "error",
        "ledger.period_missing",
        _("Book {book} has no period for {date}."),
        _("Open a period that covers {date} (open_periods), or correct the date."),
    ),
    (
        "error",
        "ledger.period_frozen",
        _("The period of {date} in book {book} is frozen."),
        _("Nothing enters a frozen period: ask for the record with a date in an open one."),
    ),
    (
        "error",
        "ledger.period_provisional",
        _("The period of {date} in book {book} is provisional: its figures have been reported."),
        _("Ask finance to reopen the period, or ask for the record with a date in an open one."),
    ),
    (
        "error",
        "ledger.reference_exists_same",
        _("The ledger already holds entry {reference} in book {book}, the same in every field; batch {batch} posted it."),
        _("Take the record out of the file: it has been posted before."),
    ),
    (
        "error",
        "ledger.reference_exists_differs",
        _(
            "The ledger already holds entry {reference} in book {book} with another content; batch {batch} posted it. What differs: {differs}."
        ),
        _(
            "Ask the sender which is right: a correction is a new record with its own key, or comes once the entry that stands is reversed."
        ),
    ),
    (
        "error",
        "ledger.reference_exists_in_part",
        _(
            "The ledger already holds entry {reference} in book {book}, posted by batch {batch}, and not the record's other entries."
        ),
        _(
            "Ask the sender what is meant: the record is posted as a whole, once the entry that stands is reversed, or not at all."
        ),
    ),
    (
        "note",
        "ledger.reference_reversed",
        _("Entry {reference} in book {book}, of batch {batch}, was reversed by batch {reversal}: the record is posted anew."),
        _("Nothing to do where the file corrects that batch."),
    ),
    (
        "warning",
        "ledger.reference_reversed_singly",
        _("Entry {reference} in book {book}, of batch {batch}, was reversed by itself ({reversal}): the record is posted anew."),
        _("Check that it is to be posted after all, then approve; or ask the sender to take it back."),
    ),
    (
        "error",
        "ledger.floor_broken",
        _("Account {account} in book {book} would fall to {balance}, below its floor of {floor}."),
        _("Ask the sender to correct the record, or post what the account lacks first."),
    ),
    (
        "error",
        "ledger.left_out",
        _("The record was left out when the batch was ended: chunk {chunk} of it could not be applied ({code})."),
        _("Mend what refused it, then send the record again; its key is free."),
    ),
)
