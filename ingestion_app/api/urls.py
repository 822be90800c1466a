"""Where ingestion is in the API."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from config.doors.api.views import ID_PATTERN
from ingestion_app.api.batches import BatchView
from ingestion_app.api.chunks import ChunkView

router = SimpleRouter()
router.register("batches", BatchView, basename="batch")

urlpatterns = [
    *router.urls,
    re_path(rf"^chunks/(?P<pk>{ID_PATTERN})/$", ChunkView.as_view({"get": "retrieve"}, detail=True), name="chunk-detail"),
]
