"""Where everything is."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated

from config.doors.api.views import NothingHere

SIGNED_IN = {"permission_classes": [IsAuthenticated]}

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include("ledger_app.api.urls")),
    path("api/v1/", include("ingestion_app.api.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(**SIGNED_IN), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", **SIGNED_IN), name="docs"),
    re_path(r"^api(/|$)", NothingHere.as_view()),
]

handler400 = "config.doors.api.problems.bad_request"
handler403 = "config.doors.api.problems.permission_denied"
handler404 = "config.doors.api.problems.not_found"
handler500 = "config.doors.api.problems.server_error"
