"""How many requests a user may send in a minute: pages and API together, counted by each process for itself."""

import math
import time
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

SECONDS: Final = 60
TOLD: Final = _("You have sent too many requests in this minute. Wait for the next one.")


def seconds_to_wait(user_id: int) -> int:
    """Count a request of a user; return after how many seconds another is taken, 0 where this one is."""
    # The minutes of this process, by no clock that could be set back.
    now = time.monotonic()
    key = f"requests.{user_id}.{int(now) // SECONDS}"
    cache.add(key, 0, timeout=SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:  # it was forgotten in between: the minute is over
        return 0
    return 0 if count <= settings.KAKUTEI_REQUESTS_A_MINUTE else math.ceil(SECONDS - now % SECONDS)


class OfUser(BaseThrottle):
    """Asks it for the API, once it is known who is there."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Count the request; return whether it is taken."""
        del view
        self._seconds = seconds_to_wait(request.user.pk) if request.user.is_authenticated else 0
        return not self._seconds

    def wait(self) -> float:
        """Return after how many seconds another is taken."""
        return self._seconds
