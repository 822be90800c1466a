"""The web application, for gunicorn."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from config import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_answer = get_wsgi_application()
starting.ask()
# Brings every view in, for which the first request would wait otherwise.
reverse("admin:login")


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request that came in over a connection. On one, a body whose length is not announced cannot be told from none: see config.doors.requests.bodies."""
    environ["kakutei.announces_bodies"] = True
    return _answer(environ, start_response)
