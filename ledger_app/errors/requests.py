"""What a program's request is refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class IdempotencyKeyInvalid(LedgerError):
    """The key is empty, too long, or has characters that a header should not have."""

    code = "idempotency_key_invalid"
    template = _("An Idempotency-Key is 1 to {most} printable ASCII characters without spaces. Send such a one.")


class IdempotencyKeyReused(LedgerError):
    """The key stands for another request."""

    code = "idempotency_key_reused"
    template = _(
        "This Idempotency-Key was sent before with another request; these differ: {differs}. Send what was sent, or use a key of its own."
    )


class IdempotencyKeyRunning(LedgerError):
    """The request that was sent first under the key is not answered yet."""

    code = "idempotency_key_running"
    template = _("What was sent first under this Idempotency-Key is still being done. Send the same again in a moment.")


class AccountNotNamed(LedgerError):
    """A user who looks at accounts one by one has to name one."""

    code = "account_not_named"
    template = _("{user} looks at accounts one at a time. Name the book and the code of the account, and nothing else.")


class SubmissionSize(LedgerError):
    """Too many items in one request, or none."""

    code = "submission_size"
    template = _("{count} items were sent; one request takes 1 to {most}. Send them in several.")


class BalanceNotExpected(LedgerError):
    """A balance is not what the caller believes."""

    code = "balance_not_expected"
    amounts = frozenset({"balance", "expected"})
    template = _("Account {account} has {balance} and not the {expected} that was expected. Read it again, and decide anew.")


class ReferenceReserved(LedgerError):
    """A reference begins as those do that the ledger makes itself."""

    code = "reference_reserved"
    template = _("References that begin with “{prefix}” are made by the ledger itself. Use another for {reference}.")


class ReferenceTwice(LedgerError):
    """A reference stands in one request for two different entries."""

    code = "reference_twice"
    template = _(
        "The reference {reference} stands in this request for another entry already, item {first}. Use a reference of its own."
    )


class KeyTwice(LedgerError):
    """A key stands in one request for two different proposals."""

    code = "key_twice"
    template = _("The key {key} stands in this request for another proposal already, item {first}. Use a key of its own.")


class BalanceOfStripes(LedgerError):
    """An account that many write to at once has no one balance to be held."""

    code = "balance_of_stripes"
    template = _("Account {account} is striped: its balance moves while others post. Expect nothing of it.")


class BulkRefused(LedgerError):
    """Of a request that is all or nothing, some items are refused."""

    code = "bulk_refused"
    template = _(
        "{refused} of {count} items are refused, and so none was done. Look at the outcomes, correct those, and send all again."
    )
