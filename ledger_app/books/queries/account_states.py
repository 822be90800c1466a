"""What the guards of an account are asked with."""

from datetime import datetime

from ledger_app.base.queries.totals import Total
from ledger_app.books.queries import open_work
from ledger_app.books.rules.accounts import AccountFacts
from ledger_app.models import Account, User
from ledger_app.rights.queries import rights
from ledger_app.values.sides import natural


def facts(account: Account, *, user: User, at: datetime) -> AccountFacts:
    """Return the facts as they are ``at`` this moment; under the locks of the account's member and balances they stay so."""
    holders = [] if account.holder_id is None else [account.holder_id]
    return AccountFacts(
        state=account.state,
        user_name=user.username,
        rights=rights.rights_of(user),
        account=account.code,
        balance=balance_of(account),
        open_work=(*open_work.merges(holders), *open_work.of(account_ids=[account.pk], at=at), *open_work.lots([account.pk])),
    )


def balance_of(account: Account) -> int:
    """Return the balance over all stripes, in minor units, in the account's natural direction."""
    total = account.balances.aggregate(total=Total("amount"))["total"]
    return natural(account.category, int(total or 0))
