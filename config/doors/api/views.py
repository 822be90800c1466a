"""What every view of the API has in common. Apart from ``config.doors.api.reading``, which the framework loads before its own views."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from config.doors import callers as doorways
from config.doors.api import once as api_once
from config.doors.api import reach
from config.doors.api import tags as api_tags
from config.doors.api.input import Input, StrictJSONParser
from config.doors.api.reading import KeysetPagination
from config.doors.api.schema import Schema
from config.doors.requests import bodies
from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Machine
from ledger_app.errors import units

ID_PATTERN = "[0-9]{1,18}"
FIELDS: Final = "fields"


class HeaderSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]  # it registers itself
    """Describes sessions in the API."""

    target_class = "config.doors.api.sessions.HeaderSessionAuthentication"


class Output(serializers.Serializer[Any]):
    """The shape of what goes out. Nothing comes in by it."""


@extend_schema_field({"type": "string", "pattern": "^[0-9a-f]{64}$"})
class DigestOutput(serializers.Field[Any, Any, Any, Any]):
    """A SHA-256 in hexadecimal."""

    def to_representation(self, value: bytes) -> str:
        """Return the hexadecimal text."""
        return bytes(value).hex()


class ReasonOutput(Output):
    """Why not: a stable code, a sentence in the reader's language, and the facts of the case."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    facts = serializers.DictField()


class OfferOutput(Output):
    """A transition that lies ahead, free or blocked."""

    name = serializers.CharField(help_text=_("The last part of the address to POST to."))
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the shape, not the attribute
    description = serializers.CharField()
    is_free = serializers.BooleanField()
    reason_required = serializers.BooleanField()
    reasons = ReasonOutput(many=True, help_text=_("Why it is refused now; empty where it is free."))


class FaultOutput(Output):
    """One thing wrong with the shape of a request."""

    field = serializers.CharField(help_text=_("The dotted name of the field; empty for the request as a whole."))
    code = serializers.CharField()
    sentence = serializers.CharField()


class ProblemOutput(Output):
    """Any error, after RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text=_("Stable; for refusals that of the gravest reason."))
    reasons = ReasonOutput(many=True, required=False)
    faults = FaultOutput(many=True, required=False)


class ViewSchema(Schema):
    """Describes an operation whose errors are problems."""

    problem = ProblemOutput


class DoorView(GenericViewSet[Any]):
    """What every address has in common: strict JSON in, problems out, and POSTs that may be sent again under a key."""

    schema = ViewSchema()
    metadata_class = None
    parser_classes = [StrictJSONParser]
    filter_backends = ()
    # Actions that are POSTs for what they are asked with, and write nothing: a key has nothing to keep there.
    looks: ClassVar[frozenset[str]] = frozenset()
    # The path from a row to the code of its book, and the POSTs beside those of one row in which every item names its book: what a token reaches that is for
    # some books alone. It reaches nothing else.
    book_path: ClassVar[str | None] = None
    names_books: ClassVar[frozenset[str]] = frozenset()
    # What the query of an action may ask for, and whether an action beside the list answers with a page of rows.
    asks: ClassVar[type[Input]] = Input
    pages: ClassVar[bool] = False

    def perform_authentication(self, request: Request) -> None:
        """Ask who is there, and count what they send before anything else is asked: what is refused was sent as well."""
        super().perform_authentication(request)
        super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Nothing more: it was counted as soon as it was known whose it is."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask who is there and what they may; then read the query and the body, whatever the action does with them, and have what comes under a key done once."""
        super().initial(request, *args, **kwargs)
        if getattr(self, "action", None) is None:
            return
        self.asked = self._read_query()
        if request.method in SAFE_METHODS:
            reach.check(self, request)
            return
        self._take_in(request)
        reach.check(self, request)
        handler = getattr(self, "post", None) if request.method == "POST" else None
        if handler is not None and api_once.HEADER in request.headers and self.action not in self.looks:
            self.post = api_once.once(handler, request, self.caller)

    def query_shape(self) -> type[Input]:
        """Return the shape of what the query of the action may ask for."""
        return self.asks

    def is_paged(self) -> bool:
        """Whether the action answers with a page of rows."""
        return self.pages

    def is_sparse(self) -> bool:
        """Whether the query may say which fields are wanted."""
        return False

    def _read_query(self) -> dict[str, Any]:
        query = self.request.query_params.copy()
        if self.is_sparse():
            query.pop(FIELDS, None)
        for name in (KeysetPagination.cursor_query_param, KeysetPagination.page_size_query_param):
            if self.is_paged() and len(query.getlist(name)) == 1:
                del query[name]
        return self.read(self.query_shape(), query)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as the framework's own
        """Answer which methods the address takes."""
        del request, args, kwargs
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def read(self, shape: type[Input], data: Any) -> dict[str, Any]:
        """Return ``data`` read by ``shape``."""
        serializer = shape(data=data)
        serializer.is_valid(raise_exception=True)
        found: dict[str, Any] = serializer.validated_data
        return found

    @cached_property
    def caller(self) -> Caller:
        """Who acts in this request, and when: one instant for all that it does."""
        return doorways.from_request(self.request, "api")

    def _take_in(self, request: Request) -> None:
        """Read the body, of a user who may send one.

        :raises errors.Refused: not_permitted
        """
        beneath = request._request  # noqa: SLF001 - where the framework keeps the request
        files = bodies.files_taken(beneath)
        if files is not None and not bodies.may_send(files, request.user):
            right = f"{request.method} {request.path}"[:120]
            raise errors.Refused(
                [errors.NotPermitted(user=request.user.get_username(), right=right, who=_("Whoever has the right"))]
            )
        request.data  # noqa: B018 - what cannot be read is refused here
        bodies.ensure_whole(beneath)
        api_tags.take_version(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Give what is answered its tag."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        # What is answered again under a key is written already, and a file has no data.
        is_shown = answer.status_code < 300 and isinstance(getattr(answer, "data", None), dict)
        if is_shown and not hasattr(answer, api_once.SECRETS):
            answer.add_post_render_callback(api_tags.tagged(request._request))  # noqa: SLF001 - where the framework keeps the request
        return answer


class LookView(mixins.ListModelMixin, mixins.RetrieveModelMixin, DoorView):
    """Lists and shows rows; a subclass names what may be asked for and what is shown."""

    lookup_value_regex = ID_PATTERN
    # The rights to view what is shown beside the view's own model.
    reads: tuple[str, ...] = ()
    # What a list may be narrowed by.
    filters: ClassVar[type[Input]] = Input
    detail_serializer_class: ClassVar[type[Output] | None] = None
    # The fields that were asked for; None where all are wanted.
    wanted: frozenset[str] | None = None

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows; for a token that is for some books alone, those of these books."""
        return reach.narrowed(self, super().get_queryset())

    def get_serializer_class(self) -> Any:
        """Return the fuller shape for one row."""
        if self.action == "retrieve" and self.detail_serializer_class is not None:
            return self.detail_serializer_class
        return super().get_serializer_class()

    def wants(self, field: str) -> bool:
        """Return whether a field is answered, so that what it takes is read."""
        return self.wanted is None or field in self.wanted

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape, with only those of its fields that were asked for."""
        made: Any = super().get_serializer(*args, **kwargs)
        if self.wanted is not None:
            fields = getattr(made, "child", made).fields
            for name in fields.keys() - self.wanted:
                fields.pop(name)
        return made

    def is_sparse(self) -> bool:
        """Whether the query may say which fields are wanted."""
        return self.action in {"list", "retrieve"}

    def _read_query(self) -> dict[str, Any]:
        query = self.request.query_params
        if self.is_sparse() and FIELDS in query:
            self.wanted = self._read_fields(query.getlist(FIELDS))
        return super()._read_query()

    def _read_fields(self, given: list[str]) -> frozenset[str]:
        """Return the names of the fields that are wanted.

        :raises ValidationError: a name that the shape does not have, one that stands twice, or no name
        """
        known = self.get_serializer_class()().fields.keys()
        names = given[0].split(",")
        if len(given) > 1 or len(set(names)) != len(names) or not set(names) <= known:
            raise ValidationError(
                {FIELDS: [_("Write names with commas between, each once. There are: {known}.").format(known=", ".join(known))]}
            )
        return frozenset(names)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow a list to what was asked for. One row is found by its address alone."""
        return self.narrow(queryset, self.asked) if self.action == "list" else queryset

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the rows that were asked for, by what the filters' fields name as their source."""
        return rows.filter(**asked)

    def query_shape(self) -> type[Input]:
        """Return the shape of what a list may be narrowed by, or of what the action may be asked."""
        return self.filters if self.action == "list" else self.asks

    def is_paged(self) -> bool:
        """Whether the action answers with a page of rows."""
        return self.action == "list" or self.pages

    def page(self, rows: QuerySet[Any]) -> Response:
        """Answer with one page of ``rows``, in the shape of the action."""
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


def offers(machine: Machine, facts: Facts, row: Any = None) -> list[dict[str, Any]]:
    """Return each transition of a row that a person may ask for now or later, with its blockers."""
    found = []
    for transition in machine.ahead(facts.state):
        blockers = [each.as_dict() for each in units.belonging(machine.blockers(transition, facts), row)]
        found.append(
            {
                "name": transition.name,
                "label": transition.label,
                "description": transition.description,
                "is_free": not blockers,
                "reason_required": transition.reason_required,
                "reasons": blockers,
            }
        )
    return found


class NothingHere(APIView):
    """Answers for addresses under /api/ that lead nowhere."""

    permission_classes = [IsAuthenticated]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that there is nothing, to a user who may know it."""
        super().initial(request, *args, **kwargs)
        raise Http404(_("There is nothing at this address. Addresses of the API end with a slash."))
