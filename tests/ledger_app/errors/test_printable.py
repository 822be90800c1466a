"""One rule says which characters nobody sees; what comes in and what goes out are held against it alike."""

import re
import unicodedata

import pytest

from ledger_app.errors import printable
from ledger_app.errors.printable import escaped, escaped_within, unseen
from tests.support.unseen import ON_ANY_LINE, ON_ONE_LINE, SEEN


@pytest.mark.parametrize("character", ON_ONE_LINE, ids=ascii)
def test_what_nobody_sees_is_found_and_shown_as_an_escape(character: str) -> None:
    assert unseen(f"a{character}b") == character
    assert unseen(f"a{character}b", may_have_lines=True) == (character if character in ON_ANY_LINE else "")
    # On a page the sign for damage is shown as what it is.
    assert (character in escaped(f"a{character}b")) is (character == printable.REPLACEMENT)
    assert escaped(f"a{character}b").isprintable()


def test_what_people_write_is_left_as_it_is() -> None:
    assert unseen(SEEN) == ""
    assert escaped(SEEN) == escaped_within(SEEN) == SEEN
    assert escaped_within("a\tb\r\nc\u200b\U000e0041") == "a\tb\r\nc\\u200b\\U000e0041"


def test_every_character_is_either_seen_or_of_a_kind_that_is_not() -> None:
    doubtful = re.compile(f"[{printable.DOUBTFUL}]")
    of_kinds = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
    for number in range(0x110000):
        character = chr(number)
        is_found = unseen(character) != ""
        if unicodedata.category(character) in of_kinds:
            assert is_found, hex(number)
        if is_found:
            assert doubtful.fullmatch(character), hex(number)
