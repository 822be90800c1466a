"""Django's server for development, where it may be bound."""

from typing import Any

from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
from django.core.management.base import CommandError

from config import starting


class Command(Runserver):
    """Serves the application for its developers."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask first whether it may be served at this address."""
        asked = str(options["addrport"] or "127.0.0.1:8000")
        found = starting.reasons([asked if ":" in asked else f"127.0.0.1:{asked}"])
        if found:
            raise CommandError(" ".join(found))
        super().handle(*args, **options)
