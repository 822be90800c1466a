"""What is refused because nobody said what they were shown, where others may have acted since."""

from django.utils.translation import gettext_lazy as _

from ledger_app.errors import LedgerError


class VersionNotSaid(LedgerError):
    """The state can come back, and the request does not say which version it was shown."""

    code = "version_not_said"
    template = _(
        "“{action}” could undo what others did since. This is {state}, version {version}: look at it, then say --shown-version "
        "{version}."
    )


class PlanNotSaid(LedgerError):
    """The batch has another plan than the one that was approved before, and the request does not say which it was shown."""

    code = "plan_not_said"
    template = _(
        "An approval of batch {batch} is void already, and it has another plan now: look at it, then say which you approve with "
        "--plan {plan}."
    )


class DoneOtherwise(LedgerError):
    """It is done, by another or with something else than what is given now."""

    code = "done_otherwise"
    instants = frozenset({"at"})
    template = _("“{action}” was done already by {by} at {at}, and not as it is asked now: {differs}. Nothing was done.")
