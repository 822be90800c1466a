"""The admin site of Kakutei: one table says what stands at the side, one says what waits for whom."""

from functools import partial
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.doors import callers as doorways
from config.doors.admin import at_work
from ledger_app.setting_changes.rules import SETTINGS
from ledger_app.values import identifiers

SHOWN_PER_LIST: Final = 10
FOUND_PER_LIST: Final = 8


class Place(NamedTuple):
    """One line of the side: where it stands, what it is called, which list it opens, and who may see it."""

    section: str | Promise
    label: str | Promise
    list_name: str
    permission: str
    query: str = ""


class Waiting(NamedTuple):
    """One kind of work: the things of a model that are in some states, waiting for whoever holds a right.

    ``not_by`` names the columns of those who may not do it, because it is their own work that it decides; ``past`` names the date that
    must lie behind; ``kinds`` are the kinds of the things, where they have some and others decide the rest.
    """

    label: str | Promise
    model: str
    states: tuple[str, ...]
    permission: str
    not_by: tuple[str, ...] = ()
    past: str = ""
    kinds: tuple[str, ...] = ()


PLACES: Final = (
    Place(_("Ledger"), _("Members"), "ledger_app_holder", "ledger_app.view_holder"),
    Place(_("Ledger"), _("Merges"), "ledger_app_merge", "ledger_app.view_merge"),
    Place(_("Ledger"), _("Accounts"), "ledger_app_account", "ledger_app.view_account"),
    Place(_("Ledger"), _("Entries"), "ledger_app_entry", "ledger_app.view_entry"),
    Place(_("Ledger"), _("Lots"), "ledger_app_lot", "ledger_app.view_lot"),
    Place(_("Ledger"), _("Holds"), "ledger_app_hold", "ledger_app.view_hold"),
    Place(_("Ledger"), _("Rules of lots"), "ledger_app_lotrule", "ledger_app.view_lotrule"),
    Place(_("Ledger"), _("Rules of holds"), "ledger_app_holdrule", "ledger_app.view_holdrule"),
    Place(_("Ledger"), _("Reversals"), "ledger_app_reversal", "ledger_app.view_reversal"),
    Place(_("Ledger"), _("Adjustments"), "ledger_app_adjustment", "ledger_app.view_adjustment"),
    Place(_("Ledger"), _("Books"), "ledger_app_book", "ledger_app.view_book"),
    Place(_("Ingestion"), _("Batches"), "ingestion_app_batch", "ingestion_app.view_batch"),
    Place(_("Ingestion"), _("Receipts"), "ingestion_app_receipt", "ingestion_app.view_receipt"),
    Place(_("Ingestion"), _("Findings"), "ingestion_app_finding", "ingestion_app.view_finding"),
    Place(_("Ingestion"), _("Sources"), "ingestion_app_source", "ingestion_app.view_source"),
    Place(pgettext_lazy("section", "Close"), _("Periods"), "ledger_app_period", "ledger_app.view_period"),
    Place(pgettext_lazy("section", "Close"), _("Runs of expiry"), "ledger_app_expiryrun", "ledger_app.view_expiryrun"),
    Place(pgettext_lazy("section", "Close"), _("Seals"), "ledger_app_seal", "ledger_app.view_seal"),
    Place(pgettext_lazy("section", "Close"), _("Exports to accounting"), "ledger_app_export", "ledger_app.view_export"),
    Place(pgettext_lazy("section", "Close"), _("Profiles"), "ledger_app_profile", "ledger_app.view_profile"),
    Place(_("Audit"), _("Recent changes"), "ledger_app_auditrow", "ledger_app.view_auditrow"),
    Place(_("Audit"), _("Refused attempts"), "ledger_app_auditrow", "ledger_app.view_auditrow", "outcome__exact=refused"),
    Place(_("Audit"), _("Requests of programs"), "ledger_app_submission", "ledger_app.view_submission"),
    Place(_("Audit"), _("Events"), "ledger_app_event", "ledger_app.view_event"),
    Place(_("Administration"), _("Reason codes"), "ledger_app_reasoncode", "ledger_app.view_reasoncode"),
    Place(_("Administration"), _("Limits of adjustments"), "ledger_app_adjustmentlimit", "ledger_app.view_adjustmentlimit"),
    Place(_("Administration"), _("Changes of settings"), "ledger_app_settingchange", "ledger_app.view_settingchange"),
    Place(_("Administration"), _("Webhooks"), "ledger_app_webhook", "ledger_app.view_webhook"),
    Place(_("Administration"), _("Dead letters"), "ledger_app_deadletter", "ledger_app.view_deadletter"),
    Place(_("Administration"), _("Users"), "ledger_app_user", "ledger_app.view_user"),
    Place(_("Administration"), _("Access reviews"), "ledger_app_accessreview", "ledger_app.look_accessreview"),
    Place(_("Administration"), _("Groups"), "auth_group", "auth.view_group"),
    Place(_("Administration"), _("Tokens"), "ledger_app_token", "ledger_app.view_token"),
    Place(_("Administration"), _("Failed tries"), "ledger_app_failedtry", "ledger_app.view_failedtry"),
)
WAITING: Final = (
    Waiting(_("Batches to validate"), "ingestion_app.batch", ("received",), "ingestion_app.validate_batch"),
    Waiting(
        _("Batches to approve"),
        "ingestion_app.batch",
        ("validated",),
        "ingestion_app.approve_batch",
        not_by=("received_by", "planned_by"),
    ),
    Waiting(_("Batches to apply"), "ingestion_app.batch", ("approved",), "ingestion_app.apply_batch"),
    Waiting(_("Batches being applied"), "ingestion_app.batch", ("applying",), "ingestion_app.apply_batch"),
    Waiting(_("Batches to freeze"), "ingestion_app.batch", ("applied",), "ingestion_app.freeze_batch"),
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
        # Each for whoever has the right to set it: who may open books decides on accounts of members, and on no rule.
        Waiting(label, "ledger_app.settingchange", ("proposed",), SETTINGS[kind].right, not_by=("proposed_by",), kinds=(kind,))
        for kind, label in (
            ("reason_code", _("Reason codes to decide")),
            ("template", _("Account templates to decide")),
            ("lot_rule", _("Rules of lots to decide")),
            ("hold_rule", _("Rules of holds to decide")),
            ("profile", _("Profiles to decide")),
            ("limit", _("Limits to decide")),
            ("rights", _("Rights to decide")),
        )
    ),
    Waiting(_("Periods to freeze"), "ledger_app.period", ("open", "provisional"), "ledger_app.freeze_period", past="ends_on"),
)
SEARCHED: Final = ("ledger_app.holder", "ledger_app.account", "ledger_app.entry", "ingestion_app.batch")


class KakuteiAdminSite(admin.AdminSite):
    """``django.contrib.admin`` ordered by work: a side of places, a first page of what waits, one search over all."""

    site_title = "Kakutei"
    site_header = "Kakutei"
    index_title = _("Waiting for me")
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in whom the pages are for: programs sign in nowhere, whatever stands on their row."""
        from ledger_app.rights.queries import rights

        return super().has_permission(request) and not rights.is_program(request.user)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page of the site shows, the side and the number of things waiting among it."""
        context: dict[str, Any] = super().each_context(request)
        sections = self.side(request)
        context["side"] = sections
        context["place"] = next((item for section in sections for item in section["items"] if item.get("current")), None)
        # Counted only where it is shown: a popup has no side.
        context["waiting_count"] = SimpleLazyObject(lambda: sum(self.waiting_counts(request).values()))
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the work page: what waits for this user, the open periods and the last batches."""
        return super().index(request, {**self.work(request), **(extra_context or {})})

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the form of one's own password, whose ``save`` is the operation."""
        # Imported here: the site is made before the models can be loaded.
        from config.doors import callers as doorways
        from config.doors.signing import sessions
        from config.doors.signing.password_forms import OwnPasswordForm

        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, caller=doorways.from_request(request, "admin")),
            template_name="kakutei/own_password.html",
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), "must_choose": sessions.must_choose(request), **(extra_context or {})},
        )(request)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the search over all lists before Django's pattern that catches everything."""
        from config.doors.admin import own_factors, own_sessions, own_tokens
        from config.doors.signing import single_sign_on

        return [
            path("search/", self.admin_view(self.search), name="search"),
            *own_factors.urls(self),
            *own_sessions.urls(self),
            *own_tokens.urls(self),
            *single_sign_on.urls(self),
            *super().get_urls(),
        ]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Sign in."""
        from config.doors.signing import sign_in

        return sign_in.view(self, request, extra_context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Show what the lists that the user may see find for one query, each by its own search fields."""
        # A card number may be what is looked for: the page's own form sends it in the body, since addresses are logged.
        query = (request.POST if request.method == "POST" else request.GET).get("q", "").strip()
        is_card = bool(identifiers.card_digits(query))
        found = [self._find(request, label, query) for label in SEARCHED if query and self._may_view(request, label)]
        hits = [item for group in found for item in group["items"]]
        if len(hits) == 1:
            # Whoever types a whole number or reference wants the thing, not a list with one thing in it.
            return HttpResponseRedirect(hits[0]["url"])
        context = {
            **self.each_context(request),
            "title": _("Search"),
            "query": "" if is_card else query,
            "found": [group for group in found if group["items"]],
        }
        request.current_app = self.name
        return TemplateResponse(request, "kakutei/search.html", context)

    def side(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the sections of the side with those places that exist and that the user may see."""
        registered = {f"{known.opts.app_label}_{known.opts.model_name}" for known in self._registry.values()}
        sections: dict[str, list[dict[str, Any]]] = {}
        for place in PLACES:
            if place.list_name in registered and request.user.has_perm(place.permission):
                address = reverse(f"admin:{place.list_name}_changelist", current_app=self.name)
                url = f"{address}?{place.query}" if place.query else address
                item = {"section": place.section, "label": place.label, "url": url, "address": address, "query": place.query}
                sections.setdefault(str(place.section), []).append(item)
        _mark_current(request, [item for items in sections.values() for item in items])
        return [{"label": label, "items": items} for label, items in sections.items()]

    def work(self, request: HttpRequest) -> dict[str, Any]:
        """Return the lists of the work page: what waits by kind, the periods that are not frozen, the last batches."""
        counts = self.waiting_counts(request)
        waiting = [
            {
                "label": kind.label,
                "count": count,
                "items": self._linked(self._waiting(request, kind).order_by("pk"), are_waiting=True),
                "url": f"{self._list_url(kind.model)}?state__in={','.join(kind.states)}",
            }
            for kind, count in counts.items()
            if count
        ]
        from ledger_app.people.queries import reviews

        may_sign = request.user.has_perm("ledger_app.sign_accessreview")
        decides = any(request.user.has_perm(kind.permission) for kind in WAITING)
        may_see_periods = self._may_view(request, "ledger_app.period")
        may_see_batches = self._may_view(request, "ingestion_app.batch")
        periods = self._queryset(request, "ledger_app.period").exclude(state="frozen") if may_see_periods else None
        batches = self._queryset(request, "ingestion_app.batch") if may_see_batches else None
        return {
            "waiting": waiting,
            "review_due_at": reviews.due(at=doorways.now()) if may_sign else None,
            # Who has no work that waits comes to look things up.
            "looks_up": not decides,
            "receives": request.user.has_perm("ingestion_app.receive_batch"),
            "open_periods": [] if periods is None else self._linked(periods.order_by("starts_on", "pk")),
            "last_batches": [] if batches is None else self._linked(batches.order_by("-pk")),
            "working": at_work.shown() if request.user.has_perm("ingestion_app.view_attempt") else None,
            "may_see_periods": may_see_periods,
            "may_see_batches": may_see_batches,
        }

    def waiting_counts(self, request: HttpRequest) -> dict[Waiting, int]:
        """Return how many things of each kind of work wait for this user."""
        mine = [kind for kind in WAITING if request.user.has_perm(kind.permission) and self._may_view(request, kind.model)]
        return {kind: self._waiting(request, kind).count() for kind in mine}

    def _waiting(self, request: HttpRequest, kind: Waiting) -> QuerySet[Any]:
        things = self._queryset(request, kind.model).filter(state__in=kind.states)
        for column in kind.not_by:
            things = things.exclude(**{column: request.user.pk})
        things = things.filter(kind__in=kind.kinds) if kind.kinds else things
        return things.filter(**{f"{kind.past}__lt": doorways.today()}) if kind.past else things

    def _find(self, request: HttpRequest, label: str, query: str) -> dict[str, Any]:
        """Return what one list finds: no list is read past what is shown, and one without search fields finds nothing."""
        model_admin = self._registry[apps.get_model(label)]
        results: QuerySet[Any] = model_admin.get_queryset(request)
        if model_admin.get_search_fields(request):
            results, has_duplicates = model_admin.get_search_results(request, results, query)
            results = results.distinct() if has_duplicates else results
        else:
            results = results.none()
        list_url = self._list_url(label)
        in_address = "" if identifiers.card_digits(query) else query
        return {
            "label": model_admin.opts.verbose_name_plural,
            "items": self._linked(results, FOUND_PER_LIST),
            "url": f"{list_url}?{urlencode({'q': in_address})}",
        }

    def _linked(self, objects: QuerySet[Any], most: int = SHOWN_PER_LIST, *, are_waiting: bool = False) -> list[dict[str, Any]]:
        """Return the first objects, each with its page and, where it has one, its state; of what waits, until when it may."""
        opts = self._registry[objects.model].opts
        change = f"admin:{opts.app_label}_{opts.model_name}_change"
        named = getattr(self._registry[objects.model], "name_of", str)
        pills = getattr(self._registry[objects.model], "pills_of", _state_of)
        note = getattr(self._registry[objects.model], "note_of", lambda _item: "")
        return [
            {
                "text": named(item),
                "url": reverse(change, args=[item.pk], current_app=self.name),
                "states": pills(item),
                "note": note(item) if are_waiting else "",
            }
            for item in objects[:most]
        ]

    def _list_url(self, label: str) -> str:
        return reverse(f"admin:{label.replace('.', '_')}_changelist", current_app=self.name)

    def _queryset(self, request: HttpRequest, label: str) -> QuerySet[Any]:
        return self._registry[apps.get_model(label)].get_queryset(request)

    def _may_view(self, request: HttpRequest, label: str) -> bool:
        model: type[Model] = apps.get_model(label)
        return model in self._registry and self._registry[model].has_view_permission(request)


def _state_of(item: Any) -> list[str]:
    return [item.state] if getattr(item, "state", "") else []


def _mark_current(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """Mark the one place that a page belongs to: by its address, and among places of one list by the query."""
    here = [item for item in items if request.path.startswith(item["address"])]
    asked = [item for item in here if item["query"] and item["query"] in request.META.get("QUERY_STRING", "")]
    plain = [item for item in here if not item["query"]]
    for item in (asked or plain)[:1]:
        item["current"] = True
