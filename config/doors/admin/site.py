"""The admin site of Kakutei: the side, the first page, and one search over all lists, made of what applications register."""

from functools import partial
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin import front
from config.doors.admin.front import SECTIONS, Waiting
from ledger_app.values import identifiers

SHOWN_PER_LIST: Final = 10
FOUND_PER_LIST: Final = 8


class KakuteiAdminSite(admin.AdminSite):
    """``django.contrib.admin`` ordered by work: a menu at the side, a first page of what waits, one search over all."""

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
        found = [self._find(request, label, query) for label in front.searched() if query and self.may_view(request, label)]
        hits = [item for group in found for item in group["items"]]
        if len(hits) == 1:
            # A person who types a whole number or reference wants the thing, not a list with one thing in it.
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
        """Return the sections of the menu with those lines that exist and that the user may see."""
        registered = {f"{known.opts.app_label}_{known.opts.model_name}" for known in self._registry.values()}
        sections: dict[str, list[dict[str, Any]]] = {}
        for line in front.menu():
            if line.list_name in registered and request.user.has_perm(line.permission):
                address = reverse(f"admin:{line.list_name}_changelist", current_app=self.name)
                url = f"{address}?{line.query}" if line.query else address
                section = SECTIONS[line.section]
                item = {"section": section, "label": line.label, "url": url, "address": address, "query": line.query}
                sections.setdefault(str(section), []).append(item)
        _mark_current(request, [item for items in sections.values() for item in items])
        return [{"label": label, "items": items} for label, items in sections.items()]

    def work(self, request: HttpRequest) -> dict[str, Any]:
        """Return the lists of the work page: what waits by kind, and what applications add."""
        counts = self.waiting_counts(request)
        waiting = [
            {
                "label": kind.label,
                "count": count,
                "items": self.linked(self._waiting(request, kind).order_by("pk"), are_waiting=True),
                "url": f"{self._list_url(kind.model)}?state__in={','.join(kind.states)}",
            }
            for kind, count in counts.items()
            if count
        ]
        decides = any(request.user.has_perm(kind.permission) for kind in front.waiting())
        # Who has no work that waits comes to look things up.
        return {**front.shown(self, request), "waiting": waiting, "looks_up": not decides}

    def waiting_counts(self, request: HttpRequest) -> dict[Waiting, int]:
        """Return how many things of each kind of work wait for this user."""
        mine = [kind for kind in front.waiting() if request.user.has_perm(kind.permission) and self.may_view(request, kind.model)]
        return {kind: self._waiting(request, kind).count() for kind in mine}

    def _waiting(self, request: HttpRequest, kind: Waiting) -> QuerySet[Any]:
        things = self.rows(request, kind.model).filter(state__in=kind.states)
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
            "items": self.linked(results, FOUND_PER_LIST),
            "url": f"{list_url}?{urlencode({'q': in_address})}",
        }

    def linked(self, objects: QuerySet[Any], most: int = SHOWN_PER_LIST, *, are_waiting: bool = False) -> list[dict[str, Any]]:
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

    def rows(self, request: HttpRequest, label: str) -> QuerySet[Any]:
        """Return the rows of a model that its list shows this user."""
        return self._registry[apps.get_model(label)].get_queryset(request)

    def may_view(self, request: HttpRequest, label: str) -> bool:
        """Whether the user may look at the list of a model."""
        model: type[Model] = apps.get_model(label)
        return model in self._registry and self._registry[model].has_view_permission(request)


def _state_of(item: Any) -> list[str]:
    return [item.state] if getattr(item, "state", "") else []


def _mark_current(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """Mark the one line of the menu that a page belongs to: by its address, and among lines of one list by the query."""
    here = [item for item in items if request.path.startswith(item["address"])]
    asked = [item for item in here if item["query"] and item["query"] in request.META.get("QUERY_STRING", "")]
    plain = [item for item in here if not item["query"]]
    for item in (asked or plain)[:1]:
        item["current"] = True
