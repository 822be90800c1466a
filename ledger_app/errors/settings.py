"""What a change of a setting is refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class OwnSettingChange(LedgerError):
    """Nobody decides what they proposed, superusers included."""

    code = "own_setting_change"
    template = _("{user} proposed this change. Another person must decide it.")


class SettingMoved(LedgerError):
    """The setting is not any more what was shown when its change was proposed."""

    code = "setting_moved"
    template = _(
        "{setting} is not any more what it was when this change was proposed. Reject or withdraw it, and propose it again from what is there now."
    )


class SettingUnchanged(LedgerError):
    """What is proposed is what the setting says already."""

    code, is_slip = "setting_unchanged", True
    template = _("{setting} says that already. Propose something else, or nothing.")


class AccountOfMember(LedgerError):
    """The account is a member's, and is to take what is moved for all others."""

    code = "account_of_member"
    template = _(
        "The account {account} of book {book} is a member's. The other side of adjustments, and what expires, goes to an account that is nobody's."
    )
