"""What the frame of every page says: where one is, who one is, and whether the books hold."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.signing import oidc

BANNERS: Final = {
    "production": "",
    "staging": _("STAGING · figures are not real"),
    "development": _("DEVELOPMENT · figures are not real"),
}
GROUPS: Final = {
    "support": _("Support"),
    "finance": _("Finance"),
    "engineer": _("Engineers"),
    "auditor": _("Auditors"),
    "till": _("Tills"),
    "machine": _("Programs"),
}
VERIFICATIONS_LOOKED_AT: Final = 50


class Light(NamedTuple):
    """The verification light: a tone, a sentence, and the instant it speaks of."""

    tone: str
    sentence: str
    at: datetime | None


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the banner, the user's group, the provider of single sign-on and the verification light. Only a page that shows them pays for them."""
    return {
        "environment": settings.ENVIRONMENT,
        "environment_banner": BANNERS[settings.ENVIRONMENT],
        "user_group": SimpleLazyObject(lambda: group_name(request)),
        "provider": oidc.name(),
        "verification_light": SimpleLazyObject(verification_light),
    }


def group_name(request: HttpRequest) -> str:
    """Return the groups that the user of a request acts for, by name; nothing for a stranger."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    if user.is_superuser:
        return gettext("Superuser")
    return ", ".join(str(GROUPS.get(name, name)) for name in user.groups.order_by("name").values_list("name", flat=True))


def verification_light() -> Light:
    """Return what the last run of ``verify`` over each book found."""
    # Imported here: the settings name this module before the models can be loaded.
    from ledger_app.models import Verification

    rows = list(Verification.objects.select_related("book").order_by("-finished_at", "-pk")[:VERIFICATIONS_LOOKED_AT])
    if not rows:
        return Light("warn", gettext("Not verified yet"), None)
    breaches = sum(row.breaches for row in _latest_by_book(rows))
    last = rows[0].finished_at
    if breaches:
        sentence = ngettext("%(count)d breach, seen %(at)s", "%(count)d breaches, seen %(at)s", breaches)
        return Light("stop", sentence % {"count": breaches, "at": _short(last)}, last)
    return Light("done", gettext("Books verified %(at)s, all hold") % {"at": _short(last)}, last)


def _latest_by_book(rows: list[Any]) -> list[Any]:
    """Return the last run over each book, given all runs from the last to the first; a run over all books ends the search."""
    latest: dict[int | None, Any] = {}
    for row in rows:
        latest.setdefault(row.book_id, row)
        if row.book_id is None:
            break
    return list(latest.values())


def _short(at: datetime) -> str:
    """Return the time of an instant of today; of any other day, the date too; with its zone."""
    local = timezone.localtime(at)
    whole = local.isoformat(sep=" ", timespec="minutes")
    return whole.partition(" ")[2] if local.date() == doorways.today() else whole
