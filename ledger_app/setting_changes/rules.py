"""A change of a setting that could move money: what is proposed of it, its states, and who may decide it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.rules.deciding import decider_is_really_another
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.errors import adjusting, granting, settings
from ledger_app.rights.rules.granting import DECIDE

FORM = "kakutei-setting-change-1"
LOOK = "ledger_app.view_settingchange"


class Setting(NamedTuple):
    """A kind of setting: the right that setting it takes, in words, and who has it."""

    right: str
    label: str | Promise
    who: str | Promise


SETTINGS: Mapping[str, Setting] = {
    "limit": Setting("ledger_app.set_adjustmentlimit", _("Set limits"), _("An administrator")),
    "reason_code": Setting("ledger_app.keep_reasoncode", _("Keep reason codes"), _("Finance")),
    "template": Setting("ledger_app.open_book", _("Say which accounts members get"), _("Finance and engineers")),
    "lot_rule": Setting("ledger_app.set_lot_rule", _("Set the rules of lots"), _("Finance")),
    "hold_rule": Setting("ledger_app.set_hold_rule", _("Set the rules of holds"), _("Finance")),
    "close_policy": Setting("ledger_app.set_close_policy", _("Set the policies of the close"), _("Finance")),
    "profile": Setting("ledger_app.set_profile", _("Set profiles of exports"), _("Finance")),
    "rights": Setting(DECIDE, _("Say who may do what"), _("An administrator")),
}


def digest(*, kind: str, arguments: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of a proposal: the setting, its value before, and its value after."""
    said = json.dumps([kind, arguments, before, after], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{FORM}\n{said}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What the guards of a change are asked with."""

    state: str
    user_name: str
    rights: frozenset[str]
    user_id: int
    proposer: str
    proposer_id: int
    kind: str
    setting: str
    secret_known_to: tuple[str, ...]  # who proposed it and set the password of the person who asks
    is_as_shown: bool = True  # whether the setting says what it said when the change was proposed
    is_proposer_away: bool = False
    is_own: bool = False  # whether it is the rights of the person who asks
    is_program: bool = False


def user_may_set_it(facts: ChangeFacts) -> list[errors.LedgerError]:
    """The decider has the right to set the setting."""
    return not_permitted(facts.kind, facts.user_name, facts.rights)


def not_permitted(kind: str, user_name: str, rights: frozenset[str]) -> list[errors.LedgerError]:
    """Return why a user may not set what is of this kind."""
    setting = SETTINGS[kind]
    if setting.right in rights:
        return []
    return [errors.NotPermitted(user=user_name, right=setting.label, who=setting.who)]


def decider_is_another(facts: ChangeFacts) -> list[errors.LedgerError]:
    """Nobody decides what they proposed, superusers included."""
    return [settings.OwnSettingChange(user=facts.user_name)] if facts.user_id == facts.proposer_id else []


def proposer_still_may(facts: ChangeFacts) -> list[errors.LedgerError]:
    """The proposer still has the right to set the setting."""
    return [adjusting.ProposerAway(user=facts.proposer)] if facts.is_proposer_away else []


def rights_are_of_another(facts: ChangeFacts) -> list[errors.LedgerError]:
    """Nobody decides on their own rights."""
    return [granting.OwnRights(user=facts.user_name)] if facts.is_own else []


def a_person_decides_on_rights(facts: ChangeFacts) -> list[errors.LedgerError]:
    """A token belongs to a program, and the person who issued it may know its key."""
    return [granting.DecidedByProgram(user=facts.user_name)] if facts.kind == "rights" and facts.is_program else []


def setting_is_as_shown(facts: ChangeFacts) -> list[errors.LedgerError]:
    """The setting says what was shown beside the proposal."""
    # Once it is decided, the state is the reason.
    return [] if facts.is_as_shown or facts.state != "proposed" else [settings.SettingMoved(setting=facts.setting)]


def proposer_withdraws(facts: ChangeFacts) -> list[errors.LedgerError]:
    """A person other than the proposer rejects it, and says why."""
    return [] if facts.user_id == facts.proposer_id else [adjusting.NotProposer(proposer=facts.proposer)]


CHANGE = Machine(
    subject="setting",
    states={"proposed": _("Proposed"), "applied": _("Applied"), "rejected": _("Rejected"), "withdrawn": _("Withdrawn")},
    initial="proposed",
    transitions=(
        Transition(
            name="approve",
            label=_("Approve and apply"),
            description=_("The setting says from now on what is shown here. What was posted is not touched."),
            sources=("proposed",),
            target="applied",
            right=LOOK,
            who=_("Whoever may set it"),
            guards=(
                user_may_set_it,
                decider_is_another,
                rights_are_of_another,
                decider_is_really_another,
                a_person_decides_on_rights,
                proposer_still_may,
                setting_is_as_shown,
            ),
            decides=True,
            writes="the setting, with its audit row and history; who decided and when",
            phrase=_("approved the change, and put it in force"),
        ),
        Transition(
            name="reject",
            label=_("Reject"),
            description=_("The setting stays as it is. Another change may be proposed."),
            sources=("proposed",),
            target="rejected",
            right=LOOK,
            who=_("Whoever may set it"),
            guards=(user_may_set_it, decider_is_another, a_person_decides_on_rights),
            reason_required=True,
            decides=True,
            writes="who decided and when",
            phrase=_("rejected the change"),
        ),
        Transition(
            name="withdraw",
            label=_("Withdraw"),
            description=_("The proposal is taken back, and the setting stays as it is."),
            sources=("proposed",),
            target="withdrawn",
            right=LOOK,
            who=_("Whoever proposed it"),
            guards=(proposer_withdraws,),
            phrase=_("withdrew the proposal"),
        ),
    ),
)
