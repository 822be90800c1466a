"""Words that stand in a sentence one after the other."""

from django.utils.functional import Promise


class Words(tuple[str | Promise, ...]):
    """Several words that a sentence lists."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return them in the active language, with commas."""
        return ", ".join(map(str, self))
