"""Sees to it that no page carries a character that acts: what came in a file or a name is shown, and moves nothing."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ledger_app.errors.printable import escaped_within


class PrintablePages:
    """Writes control characters, and those that turn or hide text, as escapes in every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and look through the answer where it is a page."""
        response = self._answer(request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            text = response.content.decode(response.charset)
            if (shown := escaped_within(text)) != text:
                response.content = shown.encode(response.charset)
                if response.has_header("Content-Length"):
                    response["Content-Length"] = str(len(response.content))
        return response
