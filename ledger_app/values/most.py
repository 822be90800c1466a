"""How much at most: what columns and rules have in common. Pure."""

from typing import Final

AMOUNT_MOST: Final = 10**15  # of a line, in minor units, either sign
# How far back decisions by hand are added up, where a limit does not say, and at most.
WINDOW_DAYS: Final = 30
WINDOW_DAYS_MOST: Final = 366
# How long a hold may be where the book does not say: 183 days, half a year.
HOURS_MOST: Final = 183 * 24
# How long after its end a period may stay open, and before it may be frozen; and how many months a book opens ahead.
CLOSE_HOURS_MOST: Final = 366 * 24
MONTHS_AHEAD_MOST: Final = 24

# Characters of what a person writes: why, and the number under which somebody asked for it; of the reason in a line of a history.
REASON_MOST: Final = 500
TICKET_MOST: Final = 40
HISTORY_REASON_MOST: Final = 100
CHAIN_MOST: Final = 1000  # merges that a member, or a lot, is followed through
LINES_RECOMPUTED_MOST: Final = 20_000  # while somebody waits
