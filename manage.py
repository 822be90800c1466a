#!/usr/bin/env python
"""The command line of Kakutei."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    """Run one management command; its exit status follows docs/commands.md."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What stops the start is a sentence for the person who starts it, and no fault of the program.
        sys.exit(f"Not started: {error}")


if __name__ == "__main__":
    main()
