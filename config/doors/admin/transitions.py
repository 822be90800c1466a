"""The buttons of a thing with states: what can be done, why not, and a page that asks before it is done."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from config.doors import callers as doorways
from config.doors import telling
from config.doors.admin import typed_before
from config.doors.admin.model_admin import HistoryAdmin, url_of
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Machine, Transition
from ledger_app.errors import LedgerError, NotPermitted, Refused, units

VERSION = re.compile("[0-9]{1,9}")


NO_VERSION = 0  # versions begin at 1: what was not shown is always out of date


def shown_version(posted: Mapping[str, Any]) -> int:
    """Return the version that the form says was shown; ``NO_VERSION`` where it says none."""
    text = str(posted.get("version", ""))
    return int(text) if VERSION.fullmatch(text) else NO_VERSION


class Done(NamedTuple):
    """What was done, as a sentence, and the address of what came of it; a warning where it is asked for and cannot begin yet."""

    sentence: str
    address: str = ""
    is_warning: bool = False


class TransitionAdmin(HistoryAdmin):
    """Shows a thing's transitions as buttons and carries them out by POST from a confirmation page."""

    machine: Machine
    # The one that is drawn as the next step, by state.
    primary: Mapping[str, str] = {}

    def __init__(self, model: type[Any], admin_site: AdminSite) -> None:
        """Have audit rows about this kind of thing told in its machine's words."""
        super().__init__(model, admin_site)
        telling.MACHINES[self.machine.subject] = self.machine

    @abstractmethod
    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with."""

    @abstractmethod
    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str | Done:
        """Call the operation; return the sentence that tells that it was done, with an address where something new came of it."""

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Return what will happen, as (label, value)."""
        del transition, row
        return []

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Return the form of what the transition asks for beside a reason."""
        del transition, row, data
        return None

    def token(self, transition: Transition, row: Any) -> list[tuple[str, str]]:
        """Return what was shown and is bound to: sent back with the decision."""
        del transition
        return [("version", str(row.version))]

    def sentence_of(self, reason: LedgerError, row: Any) -> str:
        """Return the sentence of a refusal that can be mended on the confirmation page."""
        del row
        return reason.sentence

    def onward(self, transition: Transition, row: Any) -> str:
        """Return the address to go to when ``transition`` is carried out; asked for before it is."""
        del transition
        return url_of(row)

    def get_urls(self) -> list[URLPattern]:
        """Add the confirmation pages."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_transition"
        return [path("<int:pk>/do/<slug:name>/", self.admin_site.admin_view(self.confirm), name=name), *super().get_urls()]

    def offers(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """Return each transition that a person may ask for: free with its address, or disabled with its blockers.

        What lies behind the row's state for ever is left out; what is yet to come is shown with what it waits for.
        """
        facts = self.facts(request, row)
        found = [
            {
                "name": transition.name,
                "label": transition.label,
                "description": transition.description,
                "url": self._confirm_url(row, transition),
                "blockers": [each.as_dict() for each in units.belonging(self.machine.blockers(transition, facts), row)],
                "primary": self.primary.get(row.state) == transition.name,
            }
            for transition in self.machine.ahead(row.state)
        ]
        return sorted(found, key=lambda offer: (bool(offer["blockers"]), not offer["primary"]))

    def trail(self, row: Any) -> list[dict[str, Any]]:
        """Return the last audit rows of a thing, newest first."""
        return telling.trail(self.machine.subject, row.pk)

    def confirm(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Ask, and on a POST do."""
        row = self.get_object(request, str(pk))
        transition = next((each for each in self.machine.transitions if each.name == name and not each.automatic), None)
        if row is None or transition is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, row, transition, form=self._as_typed(request, transition, row))
        form = self.form_of(transition, row, request.POST)
        if form is not None and not form.is_valid():
            return self._ask(request, row, transition, form=form)
        posted = {**request.POST.dict(), **(form.cleaned_data if form is not None else {})}
        onward = self.onward(transition, row)
        try:
            done = self.carry_out(transition, row, doorways.from_request(request, "admin"), posted)
        except LedgerError as error:
            row.refresh_from_db()
            reasons = error.reasons if isinstance(error, Refused) else (error,)
            status = 403 if any(isinstance(reason, NotPermitted) for reason in reasons) else 409
            return self._ask(request, row, transition, form=form, refused=reasons, status=status)
        told = done if isinstance(done, Done) else Done(done)
        (messages.warning if told.is_warning else messages.success)(request, told.sentence)
        return HttpResponseRedirect(told.address or onward)

    def _as_typed(self, request: HttpRequest, transition: Transition, row: Any) -> forms.Form | None:
        """Return the form of a transition, filled in again with what the person had typed."""
        form = self.form_of(transition, row)
        before = typed_before.typed(request)
        if form is not None and before is not None:
            form.initial = {**form.initial, **{name: before.get(form.add_prefix(name), "") for name in form.fields}}
        return form

    def _ask(
        self,
        request: HttpRequest,
        row: Any,
        transition: Transition,
        *,
        form: forms.Form | None,
        refused: Sequence[LedgerError] = (),
        status: int = 200,
    ) -> HttpResponse:
        reason_missing = [reason for reason in refused if reason.code in {"reason_required", "reason_too_long"}]
        # What the person can mend on this page is shown with the form; for the rest there is no button.
        mendable = {
            "reason_required",
            "reason_too_long",
            "control_missing",
            "control_unknown",
            "control_differs",
            "control_without_amount",
            "preview_moved",
        }
        stopped = [reason for reason in refused if reason.code not in mendable]
        reasons = [*stopped] or ([] if refused else self.machine.blockers(transition, self.facts(request, row)))
        if form is not None:
            for reason in refused:
                if reason.code in mendable and reason not in reason_missing:
                    form.add_error(None, self.sentence_of(reason, row))
        label = _("Reason") if transition.reason_required else _("Note")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": transition.label,
            "object": row,
            "named": self.name_of(row),
            "object_url": url_of(row),
            "sentence": transition.description,
            "effects": self.effects(transition, row),
            "reasons": [reason.as_dict() for reason in reasons],
            "reason_required": transition.reason_required,
            "reason_label": label if transition.reason_required or transition.decides else "",
            "reason": (typed_before.typed(request) or request.POST).get("reason", ""),
            "reason_error": reason_missing[0].sentence if reason_missing else "",
            "fields": form,
            "submit_label": transition.label,
            "token": self.token(transition, row),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "kakutei/confirm_transition.html", context, status=status)

    def _confirm_url(self, row: Any, transition: Transition) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_transition", args=[row.pk, transition.name])
