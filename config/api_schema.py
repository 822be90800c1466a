"""How the API describes itself: what the fields hold, what a query may ask for, and every error with its status."""

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers, status

from config import problems
from config.api_input import Input

# What only a request with a body is answered with, and what no address that is described is.
OF_BODIES: Final = {
    status.HTTP_411_LENGTH_REQUIRED,
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
}
OF_OTHERS: Final = {status.HTTP_405_METHOD_NOT_ALLOWED}


class Schema(AutoSchema):
    """Describes an operation from the shapes that read its query and its body, and from the errors that there are."""

    # The shape of whatever is refused.
    problem: type[serializers.Serializer[Any]]

    def get_override_parameters(self) -> list[Any]:
        """Return what the query may ask for: the shape that reads it."""
        view: Any = self.view
        shape: type[Input] = view.query_shape()
        return [*super().get_override_parameters(), *([shape] if shape is not Input else [])]

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
        return bodies

    def _statuses(self) -> list[int]:
        without = OF_OTHERS if self.method == "POST" else OF_OTHERS | OF_BODIES
        return sorted(problems.TITLES.keys() - without)
