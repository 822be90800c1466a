"""What the ledger has at the side and on the first page: its lists, its decisions that wait, and the periods that are not frozen."""

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.doors import callers
from config.doors.admin import front
from config.doors.admin.front import MenuLine, Waiting
from ledger_app.people.queries import reviews
from ledger_app.setting_changes.rules import SETTINGS

MENU: Final = (
    MenuLine("ledger", _("Members"), "ledger_app_holder", "ledger_app.view_holder"),
    MenuLine("ledger", _("Merges"), "ledger_app_merge", "ledger_app.view_merge"),
    MenuLine("ledger", _("Accounts"), "ledger_app_account", "ledger_app.view_account"),
    MenuLine("ledger", _("Entries"), "ledger_app_entry", "ledger_app.view_entry"),
    MenuLine("ledger", _("Lots"), "ledger_app_lot", "ledger_app.view_lot"),
    MenuLine("ledger", _("Holds"), "ledger_app_hold", "ledger_app.view_hold"),
    MenuLine("ledger", _("Rules of lots"), "ledger_app_lotrule", "ledger_app.view_lotrule"),
    MenuLine("ledger", _("Rules of holds"), "ledger_app_holdrule", "ledger_app.view_holdrule"),
    MenuLine("ledger", _("Reversals"), "ledger_app_reversal", "ledger_app.view_reversal"),
    MenuLine("ledger", _("Adjustments"), "ledger_app_adjustment", "ledger_app.view_adjustment"),
    MenuLine("ledger", _("Books"), "ledger_app_book", "ledger_app.view_book"),
    MenuLine("close", _("Periods"), "ledger_app_period", "ledger_app.view_period"),
    MenuLine("close", _("Runs of expiry"), "ledger_app_expiryrun", "ledger_app.view_expiryrun"),
    MenuLine("close", _("Seals"), "ledger_app_seal", "ledger_app.view_seal"),
    MenuLine("close", _("Policies of the close"), "ledger_app_closepolicy", "ledger_app.view_closepolicy"),
    MenuLine("close", _("Exports to accounting"), "ledger_app_export", "ledger_app.view_export"),
    MenuLine("close", _("Profiles"), "ledger_app_profile", "ledger_app.view_profile"),
    MenuLine("audit", _("Recent changes"), "ledger_app_auditrow", "ledger_app.view_auditrow"),
    MenuLine("audit", _("Refused attempts"), "ledger_app_auditrow", "ledger_app.view_auditrow", "outcome__exact=refused"),
    MenuLine("audit", _("Requests of programs"), "ledger_app_submission", "ledger_app.view_submission"),
    MenuLine("audit", _("Events"), "ledger_app_event", "ledger_app.view_event"),
    MenuLine("administration", _("Reason codes"), "ledger_app_reasoncode", "ledger_app.view_reasoncode"),
    MenuLine("administration", _("Limits of adjustments"), "ledger_app_adjustmentlimit", "ledger_app.view_adjustmentlimit"),
    MenuLine("administration", _("Changes of settings"), "ledger_app_settingchange", "ledger_app.view_settingchange"),
    MenuLine("administration", _("Webhooks"), "ledger_app_webhook", "ledger_app.view_webhook"),
    MenuLine("administration", _("Dead letters"), "ledger_app_deadletter", "ledger_app.view_deadletter"),
    MenuLine("administration", _("Users"), "ledger_app_user", "ledger_app.view_user"),
    MenuLine("administration", _("Access reviews"), "ledger_app_accessreview", "ledger_app.look_accessreview"),
    MenuLine("administration", _("Groups"), "auth_group", "auth.view_group"),
    MenuLine("administration", _("Tokens"), "ledger_app_token", "ledger_app.view_token"),
    MenuLine("administration", _("Failed tries"), "ledger_app_failedtry", "ledger_app.view_failedtry"),
)
WAITING: Final = (
    Waiting(_("Reversals to decide"), "ledger_app.reversal", ("proposed",), "ledger_app.reverse_entry", not_by=("proposed_by",)),
    Waiting(
        _("Adjustments to decide"),
        "ledger_app.adjustment",
        ("proposed", "endorsed"),
        "ledger_app.decide_adjustment",
        not_by=("proposed_by", "decisions__decided_by"),
    ),
    Waiting(_("Merges to decide"), "ledger_app.merge", ("proposed",), "ledger_app.decide_merge", not_by=("proposed_by",)),
    *(
        # Each for the person who has the right to set it: who may open books decides on accounts of members, and on no rule.
        Waiting(label, "ledger_app.settingchange", ("proposed",), SETTINGS[kind].right, not_by=("proposed_by",), kinds=(kind,))
        for kind, label in (
            ("reason_code", _("Reason codes to decide")),
            ("template", _("Account templates to decide")),
            ("lot_rule", _("Rules of lots to decide")),
            ("hold_rule", _("Rules of holds to decide")),
            ("close_policy", _("Policies of the close to decide")),
            ("profile", _("Profiles to decide")),
            ("limit", _("Limits to decide")),
            ("rights", _("Rights to decide")),
        )
    ),
    Waiting(_("Periods to freeze"), "ledger_app.period", ("open", "provisional"), "ledger_app.freeze_period", past="ends_on"),
)
SEARCHED: Final = ("ledger_app.holder", "ledger_app.account", "ledger_app.entry")


def shown(site: Any, request: HttpRequest) -> dict[str, Any]:
    """Return the periods that are not frozen, and whether a review of access is due, for the user who signs it."""
    may_see = site.may_view(request, "ledger_app.period")
    periods = site.rows(request, "ledger_app.period").exclude(state="frozen").order_by("starts_on", "pk") if may_see else None
    may_sign = request.user.has_perm("ledger_app.sign_accessreview")
    return {
        "review_due_at": reviews.due(at=callers.now()) if may_sign else None,
        "may_see_periods": may_see,
        "open_periods": [] if periods is None else site.linked(periods),
    }


front.register(menu=MENU, waiting=WAITING, searched=SEARCHED, shown=shown)
