"""When two names of users are one: they differ in nothing that a person would see or say."""

import unicodedata
from typing import Final

# What nobody sees, beside the categories of characters without a form: joiners, fillers, selectors of variants.
UNSEEN: Final = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)),
        ),
    )
)
# Controls, formats, halves of characters, and every kind of blank.
WITHOUT_FORM: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
FOLDED_MOST: Final = 150
FOLDS_MOST: Final = 8


def fold(name: str) -> str:
    """Return what a name is compared by: without case, width and what cannot be seen. Folded again it stays as it is."""
    folded = name
    for _turn in range(FOLDS_MOST):
        before = folded
        # Either may bring forth what the other has to do with.
        folded = unicodedata.normalize("NFKC", _seen(unicodedata.normalize("NFKC", folded)).casefold())
        if folded == before:
            break
    return folded


def _seen(text: str) -> str:
    return "".join(each for each in text if each not in UNSEEN and unicodedata.category(each) not in WITHOUT_FORM)
