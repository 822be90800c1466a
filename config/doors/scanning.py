"""Has a scanner of the host look at each file that comes in, where one is set: a program that gets the path and answers by its exit status."""

import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ledger_app.base.operations.filing import Scan
from ledger_app.errors import files as file_errors
from ledger_app.errors.card_numbers import masked_text
from ledger_app.errors.printable import escaped
from ledger_app.errors.words import phrase

CLEAN, FOUND = 0, 1
SECONDS_MOST: Final = 600
WORDS_MOST: Final = 300  # characters


def scanner() -> Scan | None:
    """Return what looks at a file; None where no scanner is set."""
    return partial(_scan, settings.KAKUTEI_SCANNER) if settings.KAKUTEI_SCANNER else None


def _scan(command: Sequence[str], path: Path) -> str | None:
    """Return what the scanner says against a file; None where it finds nothing.

    :raises file_errors.ScannerAway: it did not say either
    """
    try:
        done = subprocess.run(
            [*command, str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_MOST, check=False
        )
    except OSError as error:
        raise file_errors.ScannerAway(cause=error.strerror) from error
    except subprocess.TimeoutExpired as error:
        raise file_errors.ScannerAway(cause=phrase(_("no answer within {seconds} s"), seconds=SECONDS_MOST)) from error
    if done.returncode == CLEAN:
        return None
    if done.returncode != FOUND:
        raise file_errors.ScannerAway(cause=_words(done.stderr or done.stdout, path) or f"status {done.returncode}")
    return _words(done.stdout or done.stderr, path)


def _words(said: bytes, path: Path) -> str:
    # Where it lies meanwhile is nobody's business.
    text = said.decode("utf-8", "replace").replace(str(path), "…")
    return escaped(masked_text(" ".join(text.split())))[:WORDS_MOST]
