"""How the API describes itself: what the fields hold, what a query may ask for, and every error with its status."""

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status

from config.doors.api import problems
from config.doors.api import tags as api_tags
from config.doors.api.input import Input

# What only a request with a body is answered with, and what no address that is described is.
OF_BODIES: Final = {
    status.HTTP_411_LENGTH_REQUIRED,
    status.HTTP_412_PRECONDITION_FAILED,
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
}
NAMES: Final = "^[a-z_]+(,[a-z_]+)*$"
FIELDS_TOLD: Final = "Only these fields of each row, with commas between; the others are left out of the answer."
NONE_MATCH_TOLD: Final = "The ETag of an earlier answer: 304 where nothing has changed."
MATCH_TOLD: Final = "The ETag of the row that you were shown, in place of `version`: 412 where it has moved on."
NOT_MODIFIED_TOLD: Final = "Nothing has changed since the answer whose ETag was sent."
OF_OTHERS: Final = {status.HTTP_405_METHOD_NOT_ALLOWED}


class Schema(AutoSchema):
    """Describes an operation from the shapes that read its query and its body, and from the errors that there are."""

    # The shape of whatever is refused.
    problem: type[serializers.Serializer[Any]]

    def get_override_parameters(self) -> list[Any]:
        """Return what the query may ask for: the shape that reads it."""
        view: Any = self.view
        shape: type[Input] = view.query_shape()
        found = [*super().get_override_parameters(), *([shape] if shape is not Input else [])]
        if view.is_sparse():
            found.append(OpenApiParameter("fields", {"type": "string", "pattern": NAMES}, description=FIELDS_TOLD))
        if self.method == "GET":
            return [*found, OpenApiParameter(api_tags.IF_NONE_MATCH, str, OpenApiParameter.HEADER, description=NONE_MATCH_TOLD)]
        shape_of_body = self.get_request_serializer()
        if isinstance(shape_of_body, type) and api_tags.VERSION in shape_of_body().fields:
            found.append(OpenApiParameter(api_tags.IF_MATCH, str, OpenApiParameter.HEADER, description=MATCH_TOLD))
        return found

    def get_description(self) -> str:  # type: ignore[override]  # as spectacular's own
        """Return what the operation does; of a page of rows, their order too."""
        text = super().get_description()
        view: Any = self.view
        pages = getattr(view, "pagination_class", None)
        if not view.is_paged() or pages is None:
            return text
        direction = "descending" if pages.ordering.startswith("-") else "ascending"
        return f"{text}\n\nOrder: `{pages.ordering.removeprefix('-')}`, {direction}.".strip()

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:  # noqa: FBT001, FBT002 - the framework's own signature
        found = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        described = getattr(field, "described", None)
        return {**found, **described} if found and described else found

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        found = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Input):
            found["additionalProperties"] = False
        return found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for number in self._statuses():
            body = self._get_response_for_code(self.problem, str(number), [problems.MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
            if str(number) not in bodies:
                bodies[str(number)] = {**body, "description": str(problems.TITLES[number])}
            else:
                bodies[str(number)]["content"].update(body["content"])
        if self.method == "GET":
            bodies[str(status.HTTP_304_NOT_MODIFIED)] = {"description": NOT_MODIFIED_TOLD}
        return bodies

    def _statuses(self) -> list[int]:
        without = OF_OTHERS if self.method == "POST" else OF_OTHERS | OF_BODIES
        return sorted(problems.TITLES.keys() - without)
