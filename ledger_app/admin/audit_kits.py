"""The audit kit, from the page of a frozen period: asked for, kept in the audit, and sent as one file."""

import re
import tempfile
from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.model_admin import url_of
from ledger_app.close.rules import RIGHTS, TAKE, TAKERS
from ledger_app.errors import LedgerError, NotPermitted, Refused
from ledger_app.models import Period, Seal
from ledger_app.reports import audit_kits
from ledger_app.rights.queries.rights import rights_of

SENTENCE = _(
    "One file is sent to your browser: entries, lines, closing balances, seals, batches and decisions, and the program that recomputes them."
)
DESCRIPTION = _("One file with everything that was sealed, and the program that recomputes it.")


class KitPage:
    """The page that hands a kit out, for the admin of periods."""

    def __init__(self, admin: ModelAdmin[Period]) -> None:
        """Serve the periods of ``admin``."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the address."""
        return [path("<int:pk>/kit/", self._admin.admin_site.admin_view(self.kit), name="ledger_app_period_kit")]

    def kit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and on a POST send the kit, which is whole and has agreed before its first byte is sent."""
        row = self._admin.get_object(request, str(pk))
        seal = Seal.objects.filter(period=row).first() if row is not None else None
        if row is None or seal is None:
            raise Http404
        if not self._admin.has_view_permission(request, row):
            raise PermissionDenied
        caller = doorways.from_request(request, "admin")
        reasons = _blockers(seal, caller.user)
        status = 200
        if request.method == "POST":
            file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
            try:
                audit_kits.write_zip(period=row, file=file, caller=caller)
            except LedgerError as error:
                file.close()
                reasons = list(error.reasons if isinstance(error, Refused) else (error,))
                status = 403 if any(isinstance(reason, NotPermitted) for reason in reasons) else 409
            else:
                file.seek(0)
                name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{row.book.code}-{row.name}-audit-kit.zip")
                answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
                answer["Cache-Control"] = "private, no-store"
                return cast("HttpResponse", answer)
        context = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "title": TAKE,
            "object": row,
            "named": str(row),
            "object_url": url_of(row),
            "sentence": SENTENCE,
            "effects": [(_("Period"), str(row))],
            "reasons": [reason.as_dict() for reason in reasons],
            "submit_label": TAKE,
        }
        request.current_app = self._admin.admin_site.name
        return TemplateResponse(request, "kakutei/confirm_transition.html", context, status=status)


def offer(row: Period, seal: Seal, user: Any) -> dict[str, Any]:
    """Return the button of the page of a period, free, or disabled with its blockers."""
    return {
        "name": "kit",
        "label": TAKE,
        "description": DESCRIPTION,
        "url": reverse("admin:ledger_app_period_kit", args=[row.pk]),
        "blockers": [each.as_dict() for each in _blockers(seal, user)],
        "primary": False,
    }


def _blockers(seal: Seal, user: Any) -> list[LedgerError]:
    found: list[LedgerError] = []
    if not RIGHTS & rights_of(user):
        found.append(NotPermitted(user=user.username, right=TAKE, who=TAKERS))
    if (large := audit_kits.too_large(seal)) is not None:
        found.append(large)
    return found
