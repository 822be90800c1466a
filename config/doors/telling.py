"""Tells audit rows as sentences: who did what, in the past tense. Each application registers the words of its subjects."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger_app.base.rules.transitions import Machine
from ledger_app.models import AuditRow

TRAIL_SHOWN: Final = 20

# By subject type; each admin of a thing with states adds its own.
MACHINES: Final[dict[str, Machine]] = {}

Words = Mapping[str, str | Promise]
Acts = Mapping[tuple[str, str], str | Promise]

# What is done without a transition: (subject type, action) → what is told behind a name, and what is on its button.
_phrases: dict[tuple[str, str], str | Promise] = {}
_labels: dict[tuple[str, str], str | Promise] = {}
# What a line of a history says of why it is there, beside actions of its subject; and subjects that are not called as their model.
_of_history: dict[str, str | Promise] = {}
_subject_of_model: dict[str, str] = {}
# What a row is about, by its subject type: the singular of its list.
_subjects: dict[str, str | Promise] = {}
# What is done to several kinds of things, or without a transition, in one word for all of them.
_actions: dict[str, str | Promise] = {}


def register(
    *, phrases: Acts, labels: Acts, of_history: Words, subjects: Words, actions: Words, subject_of_model: Mapping[str, str]
) -> None:
    """Add the words of one application's subjects. Called once by each, when its pages are loaded."""
    for words, more in (
        (_phrases, phrases),
        (_labels, labels),
        (_of_history, of_history),
        (_subjects, subjects),
        (_actions, actions),
        (_subject_of_model, subject_of_model),
    ):
        words.update(more)  # type: ignore[arg-type]


def acts() -> set[tuple[str, str]]:
    """Return what is done without a transition and has words: (subject type, action)."""
    return _phrases.keys() | _labels.keys()


def subjects() -> set[str]:
    """Return the subject types that have a word."""
    return set(_subjects)


def label_of(subject_type: str, action: str) -> str:
    """Return what an action is called on its button; the action's own name where it has none."""
    if (subject_type, action) in _labels:
        return str(_labels[subject_type, action])
    machine = MACHINES.get(subject_type)
    found = [each.label for each in machine.transitions if each.name == action] if machine else []
    return str(found[0]) if found else action


def reason_text(model_name: str, reason: str) -> str:
    """Return why a line of a history is there: what was done, as its button is called; what a person wrote, as it was written."""
    name, _space, number = reason.partition(" ")
    if name == "merge" and number.isdecimal():
        return str(_("Merge {number}")).format(number=number)
    if reason in _of_history:
        return str(_of_history[reason])
    return label_of(subject_of(model_name), reason)


def phrase_of(row: AuditRow) -> str:
    """Return what was done or refused, as the phrase that follows the user's name."""
    if row.outcome == AuditRow.Outcome.REFUSED:
        return str(_("was refused: {action}")).format(action=label_of(row.subject_type, row.action))
    machine = MACHINES.get(row.subject_type)
    found = [each.phrase for each in machine.transitions if each.name == row.action] if machine else []
    return str(found[0] if found else _phrases.get((row.subject_type, row.action), row.action))


DOORS: Final[Mapping[str, str | Promise]] = {
    "admin": _("these pages"),
    "api": _("the API"),
    "command": _("a command"),
    "task": _("a worker"),
}


def action_word(action: str) -> str:
    """Return what an action is called, whatever it is done to."""
    if action in _actions:
        return str(_actions[action])
    found = [each.label for machine in MACHINES.values() for each in machine.transitions if each.name == action]
    return str(found[0]) if found else action


def subject_word(subject_type: str) -> str:
    """Return what a kind of thing is called."""
    return str(_subjects.get(subject_type, subject_type))


def door_word(door: str) -> str:
    """Return through which door somebody came."""
    return str(DOORS.get(door, door))


def subject_of(model_name: str) -> str:
    """Return the subject type of audit rows about rows of a model."""
    return _subject_of_model.get(model_name, model_name)


def trail(subject_type: str, subject_id: int) -> list[dict[str, Any]]:
    """Return the last audit rows of a subject, the newest first, refused attempts among them."""
    rows = AuditRow.objects.filter(subject_type=subject_type, subject_id=subject_id).select_related("actor").order_by("-id")
    return [
        {
            "at": each.at,
            "who": each.actor.username,
            "action_text": phrase_of(each),
            "reason": each.reason,
            "outcome": each.outcome,
            "reasons": each.reasons,
        }
        for each in rows[:TRAIL_SHOWN]
    ]
