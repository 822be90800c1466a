"""What corrections and erasures of members' personal data are refused for."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class NameUnfit(LedgerError):
    """What is given is no name: too long, or with characters that nobody sees."""

    code = "name_unfit"
    template = _("A member’s name has at most {most} characters, all of which can be seen, and no blanks around it.")


class NameMoved(LedgerError):
    """The member's name is not any more the one that was shown."""

    code = "name_moved"
    template = _("Member {holder} is not called any more as you were shown. Look again, then correct what is there now.")


class NameUnchanged(LedgerError):
    """The member is called so already."""

    code, is_slip = "name_unchanged", True
    template = _("Member {holder} is called so already.")


class MemberErased(LedgerError):
    """The member's personal data was erased, and is not written again."""

    code = "member_erased"
    template = _("The personal data of member {holder} was erased by request {erasure}. No name is written there again.")


class OwnErasure(LedgerError):
    """Nobody decides an erasure that they asked for, superusers included."""

    code = "own_erasure"
    template = _("{user} asked for this erasure. Another person must decide it.")


class ErasureWaits(LedgerError):
    """An erasure of this member was asked for and is not decided."""

    code = "erasure_waits"
    template = _("An erasure of member {holder} waits for a decision already: request {erasure}.")


class NothingToErase(LedgerError):
    """Nothing is kept that tells who the member is."""

    code = "nothing_to_erase"
    template = _("Nothing is kept of member {holder} that an erasure would take away.")


class MemberIsWaitedFor(LedgerError):
    """Something of the member is proposed and not decided."""

    code = "member_is_waited_for"
    template = _("Of member {holder} there is something to be decided first: {what}.")


class TextNamesMember(LedgerError):
    """The reason or ticket of an erasure says the name that is to be erased."""

    code = "text_names_member"
    template = _("The {field} says the name that is to be erased, and would keep it. Write it without.")


class TicketRequired(LedgerError):
    """An erasure is asked for under the number of the member's request."""

    code = "ticket_required"
    template = _("Say under which ticket the member asked for it, in at most {most} characters.")


class ErasureWouldHide(LedgerError):
    """What an erasure would change is not what was written down of it: an erasure would hide that."""

    code = "erasure_would_hide"
    template = _(
        "{what} {number} does not recompute as it is: erasing would hide that. Run verify, and find out why before anything is erased."
    )
