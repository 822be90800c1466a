"""Samples of what nobody sees, one of each kind: no text that comes in may hold them, through whatever door."""

from typing import Final

# A byte of damage, a control, no width, joiners, directions, a byte-order mark, a soft hyphen, a tag, fillers, no character yet, never one, private use, a
# selector without anything that it varies.
ON_ANY_LINE: Final = (
    *("\ufffd", "\x00", "\x1b", "\x85", "\u200b", "\u200c", "\u200d", "\u200e", "\u2028", "\u202e", "\u2060", "\u2066"),
    *("\ufeff", "\u00ad", "\U000e0041", "\u3164", "\u2800", "\u034f", "\u0378", "\ufdd0", "\uffff", "\ue000", "\U0010fffd"),
    *("\ufe0f", "\U000e0100"),
)
ON_ONE_LINE: Final = (*ON_ANY_LINE, "\n", "\r", "\t")
# What people write: letters of several scripts, blanks of every width, signs, and selectors behind what they vary.
SEEN: Final = "Tōkyō 東京\u3000支店 ㈱① ｶﾅ ＡＢ ½ — “…” → العربية עברית ไทย 한국어 हिन्दी \u00a0😀 葛\U000e0100 ☺\ufe0f"
