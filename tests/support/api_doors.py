"""Every address of the API with what reads its query and its body: walked from the addresses themselves, so that none is forgotten."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework import serializers

from config.doors.api.input import Input
from config.doors.api.views import DoorView

START = "api/v1/"


class Door(NamedTuple):
    """One method of one address: its pattern, the view that answers, and the shapes of its query and its body."""

    method: str
    pattern: str
    view: DoorView
    query: type[Input]
    body: type[Input] | None

    @property
    def name(self) -> str:
        """What a test calls it."""
        return f"{self.method} {self.pattern}"


def doors() -> list[Door]:
    """Return every door of the API."""
    return [door for pattern in _patterns(get_resolver().url_patterns) for door in _of(*pattern)]


def _patterns(patterns: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        text = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, text)
        elif text.startswith(START) and issubclass(getattr(each.callback, "cls", object), DoorView):
            yield text, each


def _of(text: str, pattern: URLPattern) -> Iterator[Door]:
    callback: Any = pattern.callback
    for method, name in callback.actions.items():
        view = callback.cls(**callback.initkwargs)
        view.action, view.action_map = name, callback.actions
        yield Door(method.upper(), text.rstrip("$"), view, view.query_shape(), _body(view, name, method))


def _body(view: Any, name: str, method: str) -> type[Input] | None:
    if method != "post":
        return None
    schema = getattr(type(view), name).kwargs.get("schema")
    view.schema = schema() if schema is not None else view.schema
    view.request, view.kwargs, view.schema.view, view.schema.method, view.schema.path = None, {}, view, "POST", ""
    found = view.schema.get_request_serializer()
    found = found["multipart/form-data"] if isinstance(found, dict) else found
    assert isinstance(found, type), (view, name, found)
    assert issubclass(found, Input), (view, name, found)
    return found


def fields_of(shape: type[Input]) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    """Yield every field of a shape with its dotted name, those within lists and within other shapes too."""
    yield from _within(shape().fields.items())


def _within(fields: Any, before: str = "") -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    for name, field in fields:
        if isinstance(field, serializers.ListSerializer):
            row: Any = field.child
            yield from _within(row.fields.items(), f"{before}{name}.")
        elif isinstance(field, serializers.Serializer):
            yield from _within(field.fields.items(), f"{before}{name}.")
        else:
            yield f"{before}{name}", field
            child = getattr(field, "child", None)
            if child is not None:
                yield from _within([("*", child)], f"{before}{name}.")
