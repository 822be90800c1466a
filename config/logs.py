"""Logs as one JSON object a line."""

from collections.abc import MutableMapping
from typing import Any

import structlog

from ledger_app.errors import card_numbers

_render = structlog.processors.JSONRenderer(default=lambda value: card_numbers.masked_text(str(value)))


def renderer(logger: Any, name: str, event: MutableMapping[str, Any]) -> str | bytes:
    """Return a record as a line, with no card number in it: whatever it repeats of an address, a header or an error, of a library too."""
    return _render(logger, name, card_numbers.masked_all(event))


# What records of libraries, which know nothing of structlog, are given before they are rendered.
of_others = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.format_exc_info,
]

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
