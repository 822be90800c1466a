"""Lists of the admin whose address narrows them by what they cannot be narrowed by: said, and not dropped in silence."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.contrib.admin import AllValuesFieldListFilter, FieldListFilter, SimpleListFilter
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from ledger_app.errors.printable import escaped

SHOWN_MOST: Final = 200


def was_dropped(request: HttpRequest, response: HttpResponse) -> bool:
    """Return whether Django leads to the whole list in the place of one that the address narrows in a way it does not know."""
    return isinstance(response, HttpResponseRedirect) and response.url == f"{request.path}?{ERROR_FLAG}=1"


def unknown(changes: ChangeList) -> str:
    """Return the first filter whose value is none of its choices, as the address has it; empty where there is none."""
    for spec in changes.filter_specs:
        for name in filter(None, spec.expected_parameters()):
            value = changes.params.get(name) or changes.filter_params.get(name)
            given = value[-1] if isinstance(value, list) else value
            if given and not _is_choice(spec, changes):
                return f"{name}={given}"
    return ""


def refusal(request: HttpRequest, model_admin: Any, said: str = "") -> HttpResponse:
    """Return the page that says that a list cannot be narrowed so, with the way to the whole list."""
    asked = escaped(said or request.META.get("QUERY_STRING", ""))[:SHOWN_MOST]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": str(model_admin.opts.verbose_name_plural).capitalize(),
        "sentence": _(
            "This list cannot be narrowed by “{asked}”. Nothing is shown, so that no other list is taken for it."
        ).format(asked=asked),
        "whole_list": request.path,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "kakutei/list_refused.html", context, status=400)


def in_words(words: Callable[[str], Any]) -> type[AllValuesFieldListFilter]:
    """Return the filter of a column without choices of its own, which shows ``words`` of each value that is there and not the value."""

    class Words(AllValuesFieldListFilter):
        def choices(self, changelist: Any) -> Iterator[Any]:
            """Yield the choices, each value in words; those of one word are told apart by their values."""
            yielded = list(super().choices(changelist))
            told = [str(words(str(each["display"]))) for each in yielded[1:]]
            yield from yielded[:1]
            for each, word in zip(yielded[1:], told, strict=True):
                yield {**each, "display": f"{word} ({each['display']})" if told.count(word) > 1 else word}

    return Words


def _is_choice(spec: Any, changes: ChangeList) -> bool:
    if not isinstance(spec, SimpleListFilter | FieldListFilter):
        return True
    # The first choice of a filter is the whole list.
    return any(choice["selected"] for choice in list(spec.choices(changes))[1:])
