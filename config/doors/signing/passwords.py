"""Which passwords are taken, beside Django's own rules: none that is longer than anybody types, none that is built of what is guessed first.

No kind of character is asked for: a rule that does makes passwords alike (NIST SP 800-63B, 5.1.1.2).
"""

import re
import unicodedata
from functools import cache
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext

LENGTH_MOST: Final = 128
DISTINCT_LEAST: Final = 5
# What everybody who works here would think of.
OF_THIS_PLACE: Final = ("kakutei", "確定", "ledger", "points")
# What people put round a word so that it passes.
ROUND: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
REPEATED: Final = re.compile(r"(.{1,16}?)\1+")
ROWS: Final = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)


class LengthMost:
    """Refuses what is longer than any password: hashing it costs, and a person who is given one cannot type it."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it.

        :raises ValidationError: password_too_long
        """
        del user
        if len(password) > LENGTH_MOST:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Return the rule."""
        return ngettext(
            "Your password can have at most %(most)d character.",
            "Your password can have at most %(most)d characters.",
            LENGTH_MOST,
        ) % {"most": LENGTH_MOST}


class NotGuessed:
    """Refuses what is guessed first: a common word with digits round it, something repeated, a row of keys, the name of this place."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it.

        :raises ValidationError: password_guessed
        """
        del user
        if is_guessed(password):
            raise ValidationError(
                gettext(
                    "This password is built of what is guessed first: a common word, a row of keys, or the same again and again."
                ),
                code="password_guessed",
            )

    def get_help_text(self) -> str:
        """Return the rule."""
        return gettext(
            "Your password cannot be a common word with something round it, a row of keys, or the same again and again."
        )


def is_guessed(password: str) -> bool:
    """Return whether a password is among what is tried first."""
    said = unicodedata.normalize("NFKC", password).casefold()
    if len(set(said)) < DISTINCT_LEAST or _is_row(said):
        return True
    bare = ROUND.sub("", said)
    for text in (said, bare):
        repeated = REPEATED.fullmatch(text)
        if repeated is not None and (len(repeated[1]) < DISTINCT_LEAST or _is_common(repeated[1])):
            return True
    rest = bare
    for word in OF_THIS_PLACE:
        rest = rest.replace(word, "")
    # What is left after the words of this place is no more than what is common by itself.
    return _is_common(bare) or (rest != bare and (len(ROUND.sub("", rest)) < DISTINCT_LEAST or _is_common(ROUND.sub("", rest))))


def _is_common(text: str) -> bool:
    return text in _common()


@cache
def _common() -> frozenset[str]:
    """Django's list of the 20,000 passwords that leaks have most often."""
    return frozenset(CommonPasswordValidator().passwords)


def _is_row(text: str) -> bool:
    """Whether a text runs along a row of keys, or of letters and digits, forwards or backwards and round again."""
    return any(text in row * (len(text) // len(row) + 2) for each in ROWS for row in (each, each[::-1]))
