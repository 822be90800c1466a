"""Pages of a member that ask for something: what each says, and the form that all of them end with."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from ledger_app.members.operations import members
from ledger_app.values.most import REASON_MOST


class ReasonForm(forms.Form):
    """What every change of a member asks for."""

    reason = forms.CharField(max_length=REASON_MOST, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class MemberPage(NamedTuple):
    """A page of a member that asks for something: title, effects, form, subject, and the right it takes."""

    title: Any
    sentence: Any
    form: type[forms.Form]
    effects: Sequence[tuple[Any, Any]] = ()
    right: str = members.RIGHT
    who: Any = _("Support")
    initial: Mapping[str, Any] = MappingProxyType({})
