#!/usr/bin/env python
"""The command line of Kakutei."""

import os
import sys


def main() -> None:
    """Run one management command; its exit status follows docs/commands.md."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
