"""Tells audit rows as sentences: who did what, in the past tense. A seam, so that the audit pages need not know every machine."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.base.rules.transitions import Machine
from ledger_app.close.rules import TAKE
from ledger_app.models import AuditRow

# By subject type; each admin of a thing with states adds its own.
MACHINES: Final[dict[str, Machine]] = {}
# What is done without a transition: (subject type, action) → what is told behind a name.
PHRASES: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("batch", "receive"): _("received the file"),
    ("batch", "propose"): _("proposed this reversal"),
    ("hold", "place"): _("placed this hold"),
    ("holdrule", "set"): _("set this rule of holds"),
    ("lotrule", "set"): _("set this rule of lots"),
    ("export", "hand_over"): _("handed the period over to accounting"),
    ("profile", "set"): _("set a version of this profile"),
    ("reversal", "propose"): _("proposed this reversal"),
    ("merge", "propose"): _("proposed this merge"),
    ("member", "propose_merge"): _("proposed a merge"),
    ("member", "gave_to"): _("carried out a merge: identifiers and points went to another member"),
    ("member", "took_from"): _("carried out a merge: identifiers and points came from another member"),
    ("member", "add_identifier"): _("gave an identifier"),
    ("member", "give_again"): _("gave an identifier again that had ended"),
    ("member", "end_identifier"): _("ended an identifier"),
    ("member", "renew_card"): _("renewed the hash of a card"),
    ("member", "correct_name"): _("corrected the name"),
    ("member", "disclose"): _("handed out what is kept of the member"),
    ("erasure", "propose"): _("asked for the erasure"),
    ("period", "take_kit"): _("took the audit kit"),
    ("file", "prune"): _("removed the bytes of the file, which never became a batch"),
    ("source", "load"): _("loaded a version of the source"),
    ("adjustment", "propose"): _("proposed the adjustment"),
    ("reasoncode", "keep"): _("changed the reason code"),
    ("adjustmentlimit", "set"): _("set the limit"),
    ("accounttemplate", "set"): _("said which account members get"),
    ("setting", "propose"): _("proposed the change"),
    ("registration", "register"): _("registered members"),
    ("webhook", "keep"): _("changed the webhook"),
    ("webhook", "rotate"): _("gave the webhook another secret"),
    ("webhook", "replay"): _("had events sent again"),
    ("webhook", "send_again"): _("had an event sent again that was not delivered"),
    ("webhook", "end"): _("ended the deliveries, as the receiver said that it is there no more"),
    ("user", "register"): _("registered the user"),
    ("user", "keep"): _("changed the user"),
    ("user", "set_rights"): _("said what the user may do"),
    ("user", "set_password"): _("set a password"),
    ("accessreview", "sign_review"): _("signed the access review off"),
    ("login", "log_in"): _("signed in"),
    ("login", "log_out"): _("signed out"),
    ("token", "issue"): _("issued the token"),
    ("token", "replace"): _("issued the token in the place of another"),
    ("token", "end"): _("ended the token"),
    ("user", "lock_out"): _("locked the user out, after too many tries from one address"),
    ("user", "release_lock_out"): _("let the user try again"),
    ("user", "add_factor"): _("added a second factor"),
    ("user", "remove_factor"): _("removed a second factor"),
    ("user", "make_recovery_codes"): _("made recovery codes"),
    ("user", "use_recovery_code"): _("used a recovery code"),
    ("user", "reset_factors"): _("reset the user's second factors"),
    ("user", "end_sessions"): _("ended the user's sessions"),
    ("user", "end_own_sessions"): _("ended their other sessions"),
    ("user", "bind_identity"): _("bound the user to an identity at the provider"),
    ("user", "unbind_identity"): _("unbound the user from the provider"),
}

# What is asked for without a transition, as it is called on its button.
LABELS: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("entry", "propose"): _("Propose a reversal"),
    ("member", "add_identifier"): _("Add an identifier"),
    ("member", "end_identifier"): _("End an identifier"),
    ("member", "propose_merge"): _("Propose a merge"),
    ("member", "correct_name"): _("Correct a name"),
    ("member", "disclose"): _("Hand out what is kept of a member"),
    ("member", "erase"): _("Ask for an erasure"),
    ("account", "propose"): _("Propose an adjustment"),
    ("book", "propose"): _("Propose an adjustment"),
    ("registration", "register"): _("Register members"),
    ("login", "log_in"): _("Sign in"),
    ("period", "take_kit"): TAKE,
    ("request", "upload"): _("Attach a file"),
    ("request", "receive"): _("Receive a file"),
    ("request", "api"): _("A request to the API"),
}


def label_of(subject_type: str, action: str) -> str:
    """Return what an action is called on its button; the action's own name where it has none."""
    if (subject_type, action) in LABELS:
        return str(LABELS[subject_type, action])
    machine = MACHINES.get(subject_type)
    found = [each.label for each in machine.transitions if each.name == action] if machine else []
    return str(found[0]) if found else action


# What a line of a history says of why it is there, beside actions of its subject; and subjects that are not called as their model.
OF_HISTORY: Final[Mapping[str, str | Promise]] = {
    "propose": _("Proposal"),
    "receive": _("Receive a file"),
    "password": _("Set a password"),
    "erase": _("Erasure"),
}
SUBJECT_OF_MODEL: Final[Mapping[str, str]] = {"settingchange": "setting", "holder": "member"}


def reason_told(model_name: str, reason: str) -> str:
    """Return why a line of a history is there: what was done, as its button is called; what a person wrote, as it was written."""
    name, _space, number = reason.partition(" ")
    if name == "merge" and number.isdecimal():
        return str(_("Merge {number}")).format(number=number)
    if reason in OF_HISTORY:
        return str(OF_HISTORY[reason])
    return label_of(SUBJECT_OF_MODEL.get(model_name, model_name), reason)


def told(row: AuditRow) -> str:
    """Return what was done, or refused, as it is told behind the name of whoever did it."""
    if row.outcome == AuditRow.Outcome.REFUSED:
        return str(_("was refused: {action}")).format(action=label_of(row.subject_type, row.action))
    machine = MACHINES.get(row.subject_type)
    found = [each.told for each in machine.transitions if each.name == row.action] if machine else []
    return str(found[0] if found else PHRASES.get((row.subject_type, row.action), row.action))


# What a row is about, by its subject type: the singular of its list.
SUBJECTS: Final[Mapping[str, str | Promise]] = {
    "accessreview": _("access review"),
    "account": _("account"),
    "accounttemplate": _("account template"),
    "adjustment": _("adjustment"),
    "adjustmentlimit": _("limit of adjustments"),
    "batch": _("batch"),
    "book": _("book"),
    "entry": _("entry"),
    "erasure": _("erasure"),
    "export": _("export to accounting"),
    "file": _("file"),
    "hold": _("hold"),
    "login": _("login"),
    "holdrule": _("rule of holds"),
    "lotrule": _("rule of lots"),
    "member": _("member"),
    "merge": _("merge"),
    "period": _("period"),
    "profile": _("profile"),
    "reasoncode": _("reason code"),
    "registration": _("registration of members"),
    "request": _("request"),
    "reversal": _("reversal"),
    "setting": _("change of a setting"),
    "source": _("source"),
    "token": _("token"),
    "user": _("user"),
    "webhook": _("webhook"),
}
DOORS: Final[Mapping[str, str | Promise]] = {
    "admin": _("these pages"),
    "api": _("the API"),
    "command": _("a command"),
    "task": _("a worker"),
}
# What is done to several kinds of things, or without a transition, in one word for all of them.
ACTIONS: Final[Mapping[str, str | Promise]] = {
    "add_factor": _("Add a second factor"),
    "add_identifier": _("Add an identifier"),
    "api": _("A request to the API"),
    "approve": _("Approve"),
    "bind_identity": _("Bind to an identity at the provider"),
    "close": _("Close"),
    "correct_name": _("Correct a name"),
    "disclose": _("Hand out what is kept of a member"),
    "erase": _("Ask for an erasure"),
    "end": _("End it"),
    "end_identifier": _("End an identifier"),
    "gave_to": _("Give to another member"),
    "give_again": _("Give an identifier again"),
    "issue": _("Issue a token"),
    "hand_over": _("Hand over to accounting"),
    "keep": _("Keep"),
    "load": _("Load"),
    "lock_out": _("Lock out"),
    "log_in": _("Sign in"),
    "log_out": _("Sign out"),
    "make_recovery_codes": _("Make new recovery codes"),
    "set_password": _("Set a password"),
    "set_rights": _("Say what a user may do"),
    "sign_review": _("Sign the access review off"),
    "place": _("Place"),
    "propose": _("Propose"),
    "propose_merge": _("Propose a merge"),
    "receive": _("Receive a file"),
    "register": _("Register"),
    "prune": _("Remove bytes"),
    "reject": _("Reject"),
    "release_lock_out": _("Let them try again"),
    "end_sessions": _("End sessions"),
    "end_own_sessions": _("End one’s other sessions"),
    "remove_factor": _("Remove a second factor"),
    "renew_card": _("Renew a hash"),
    "replace": _("Replace a token"),
    "replay": _("Send events again"),
    "reset_factors": _("Reset second factors"),
    "reverse": _("Reverse"),
    "rotate": _("Give another secret"),
    "send_again": _("Send an event again"),
    "set": _("Set"),
    "take_kit": TAKE,
    "took_from": _("Take from another member"),
    "unbind_identity": _("Unbind from the provider"),
    "upload": _("Attach a file"),
    "use_recovery_code": _("Use a recovery code"),
    "withdraw": _("Withdraw"),
}


def action_word(action: str) -> str:
    """Return what an action is called, whatever it is done to."""
    if action in ACTIONS:
        return str(ACTIONS[action])
    found = [each.label for machine in MACHINES.values() for each in machine.transitions if each.name == action]
    return str(found[0]) if found else action


def subject_word(subject_type: str) -> str:
    """Return what a kind of thing is called."""
    return str(SUBJECTS.get(subject_type, subject_type))


def door_word(door: str) -> str:
    """Return through which door somebody came."""
    return str(DOORS.get(door, door))
