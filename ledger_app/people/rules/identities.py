"""What an identity at a provider may be. Pure."""

import re
from typing import Final

# As OpenID Connect Core has it (section 2): ASCII, 255 characters at most. Without blanks, which MariaDB takes for nothing at the end of a text.
SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


def is_subject(said: object) -> bool:
    """Return whether something can be the subject of an identity."""
    return isinstance(said, str) and SUBJECT.fullmatch(said) is not None
