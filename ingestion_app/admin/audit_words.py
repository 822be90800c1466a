"""How audit rows and histories of ingestion are told in words."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.doors import telling

# What is done without a transition, as it is told behind a name.
PHRASES: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("batch", "receive"): _("received the file"),
    ("batch", "propose"): _("proposed this reversal"),
    ("file", "prune"): _("removed the bytes of the file, which never became a batch"),
    ("source", "load"): _("loaded a version of the source"),
}
# What is asked for without a transition, as it is called on its button.
LABELS: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("request", "receive"): _("Receive a file"),
}
# Why a line of a history is there, beside actions of its subject.
OF_HISTORY: Final[Mapping[str, str | Promise]] = {
    "receive": _("Receive a file"),
}
# What a row is about: the singular of its list.
SUBJECTS: Final[Mapping[str, str | Promise]] = {
    "batch": _("batch"),
    "file": _("file"),
    "source": _("source"),
}
# Actions in one word, whatever they are done to.
ACTIONS: Final[Mapping[str, str | Promise]] = {
    "load": _("Load"),
    "receive": _("Receive a file"),
    "prune": _("Remove bytes"),
}

telling.register(
    phrases=PHRASES,
    labels=LABELS,
    of_history=OF_HISTORY,
    subjects=SUBJECTS,
    actions=ACTIONS,
    subject_of_model={},
)
