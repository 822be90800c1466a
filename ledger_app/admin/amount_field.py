"""The field of a form in which somebody writes an amount."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext

from ledger_app.templatetags import look


class AmountField(forms.CharField):
    """An amount as people write it, read exactly: digits, thousands separated by commas or not at all, the unit's decimals or none."""

    def __init__(self, exponent: int, **kwargs: Any) -> None:
        """Read amounts of a unit with ``exponent`` decimals."""
        super().__init__(max_length=30, **kwargs)
        self._exponent = exponent
        decimals = rf"(?:\.([0-9]{{{exponent}}}))?" if exponent else "()"
        self._pattern = re.compile(rf"([-−]?)([0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+){decimals}")

    def clean(self, value: Any) -> Any:
        """Return the amount in minor units, or None where nothing was typed."""
        text = super().clean(value)
        if not text:
            return None
        match = self._pattern.fullmatch(text.strip())
        if match is None:
            example = look.amount_text(123456, self._exponent)
            raise forms.ValidationError(gettext("Write the amount like {example}.").format(example=example))
        sign, whole, decimals = match[1], match[2].replace(",", ""), match[3] or "0" * self._exponent
        minor = int(whole + decimals)
        return -minor if sign else minor
