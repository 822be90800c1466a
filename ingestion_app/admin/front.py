"""What ingestion has at the side and on the first page: its lists, batches that wait, the last ones, and the processes that work."""

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.doors.admin import front
from config.doors.admin.front import MenuLine, Waiting
from ingestion_app.admin import working

MENU: Final = (
    MenuLine("ingestion", _("Batches"), "ingestion_app_batch", "ingestion_app.view_batch"),
    MenuLine("ingestion", _("Receipts"), "ingestion_app_receipt", "ingestion_app.view_receipt"),
    MenuLine("ingestion", _("Findings"), "ingestion_app_finding", "ingestion_app.view_finding"),
    MenuLine("ingestion", _("Sources"), "ingestion_app_source", "ingestion_app.view_source"),
)
WAITING: Final = (
    Waiting(_("Batches to validate"), "ingestion_app.batch", ("received",), "ingestion_app.validate_batch", turn=10),
    Waiting(
        _("Batches to approve"),
        "ingestion_app.batch",
        ("validated",),
        "ingestion_app.approve_batch",
        not_by=("received_by", "planned_by"),
        turn=10,
    ),
    Waiting(_("Batches to apply"), "ingestion_app.batch", ("approved",), "ingestion_app.apply_batch", turn=10),
    Waiting(_("Batches being applied"), "ingestion_app.batch", ("applying",), "ingestion_app.apply_batch", turn=10),
    Waiting(_("Batches to freeze"), "ingestion_app.batch", ("applied",), "ingestion_app.freeze_batch", turn=10),
)
SEARCHED: Final = ("ingestion_app.batch",)


def shown(site: Any, request: HttpRequest) -> dict[str, Any]:
    """Return the last batches, who works, and whether the user may receive a file."""
    may_see = site.may_view(request, "ingestion_app.batch")
    return {
        "receives": request.user.has_perm("ingestion_app.receive_batch"),
        "may_see_batches": may_see,
        "last_batches": site.linked(site.rows(request, "ingestion_app.batch").order_by("-pk")) if may_see else [],
        "working": working.shown() if request.user.has_perm("ingestion_app.view_attempt") else None,
    }


front.register(menu=MENU, waiting=WAITING, searched=SEARCHED, shown=shown)
