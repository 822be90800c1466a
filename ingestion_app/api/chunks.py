"""Chunks by their own number: what an entry names as its origin."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from config.doors.api.views import LookView
from ingestion_app.api.shapes import ChunkOutput
from ingestion_app.models import Chunk


class ChunkDetailOutput(ChunkOutput):
    """A chunk, and the batch that it is of."""

    batch = serializers.IntegerField(source="batch_id")


@extend_schema_view(retrieve=extend_schema(summary="Show a chunk and its batch"))
class ChunkView(LookView):
    """The chunks of all batches; those of one are listed with it."""

    queryset = Chunk.objects.all()
    serializer_class = ChunkDetailOutput
