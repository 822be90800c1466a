"""What an export covers, and how much of it has been written."""

from dataclasses import dataclass

from ledger_app.models import Book, Period, Seal


@dataclass(slots=True)
class Scope:
    """A period and, where it is frozen, its seal. The counts grow as entries are taken and are whole after the last."""

    period: Period
    seal: Seal | None
    entry_count: int = 0
    line_count: int = 0
    debit_total: int = 0

    @property
    def book(self) -> Book:
        """The period's book."""
        return self.period.book

    @property
    def seal_digest(self) -> str:
        """The seal's digest in hexadecimal, or “not final” where the period is not frozen."""
        return bytes(self.seal.digest).hex() if self.seal else "not final"
