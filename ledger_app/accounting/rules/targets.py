"""The accounting programs that a book's entries are handed to: their columns, what each cuts or refuses, and the tax classes it knows. Pure.

Too long a text is cut in silence by some, and a name that is not in their chart opens a dialogue or makes an account: so all of it is refused here first.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from ledger_app.base.rules.tables import FORMULA
from ledger_app.errors.printable import code_point, unseen
from ledger_app.errors.words import Phrase, phrase

CP932: Final = "cp932"
UTF8: Final = "utf-8"
ENCODINGS: Final = (CP932, UTF8)
# What one side of a row says beside its amount.
PARTS: Final = ("account", "sub_account", "department", "partner", "tax_class", "invoice")
OUTSIDE_THE_TAX: Final = "対象外"


class Target(NamedTuple):
    """An accounting program's import format.

    ``bytes_most`` are widths in bytes of the encoding, ``characters_most`` in characters, of the parts of a side, ``summary`` and ``memo``. ``parts`` are those
    of a side that the format has columns for. ``purchases`` are the tax classes that need an ``invoice``.
    """

    name: str
    columns: tuple[str, ...]
    encodings: tuple[str, ...]
    parts: frozenset[str]
    tax_classes: frozenset[str]
    bytes_most: Mapping[str, int]
    characters_most: Mapping[str, int]
    has_head: bool
    line_end: str
    invoices: frozenset[str] = frozenset()
    purchases: frozenset[str] = frozenset()
    lines_most: int = 100  # of one slip
    slip_most: int = 999_999
    has_memo: bool = True  # a column beside the summary for what finds a row again


def _sides(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{side}{name}" for side in ("借方", "貸方") for name in names)


def _yayoi_tax() -> Iterator[str]:
    yield from (OUTSIDE_THE_TAX, "非課売上", "非課仕入")
    for how in ("込", "内"):
        yield from (f"課税売上{how}10%", f"課税売上{how}軽減8%", f"課税売返{how}10%", f"課対仕入{how}10%適格")
        yield from (f"課対仕入{how}10%区分{share}%" for share in SHARES)
        yield f"課対仕入{how}10%控不"


# The share of the tax of a purchase from one who is not registered that may be deducted, and the days on which it is so much (令和8年度税制改正).
SHARES: Final[Mapping[int, tuple[date, date]]] = {
    80: (date(2023, 10, 1), date(2026, 9, 30)),
    70: (date(2026, 10, 1), date(2028, 9, 30)),
    50: (date(2028, 10, 1), date(2030, 9, 30)),
    30: (date(2030, 10, 1), date(2031, 9, 30)),
}
_SHARE: Final = re.compile("(?:区分([0-9]{2})%|([0-9]{2})％控除)$")

YAYOI: Final = Target(
    name="yayoi",
    columns=(
        *("識別フラグ", "伝票No.", "決算", "取引日付"),
        *_sides(("勘定科目", "補助科目", "部門", "税区分", "金額", "税金額")),
        *("摘要", "番号", "期日", "タイプ", "生成元", "仕訳メモ", "付箋1", "付箋2", "調整"),
    ),
    encodings=(CP932,),
    parts=frozenset({"account", "sub_account", "department", "tax_class"}),
    tax_classes=frozenset(_yayoi_tax()),
    bytes_most={"account": 24, "sub_account": 24, "department": 24, "summary": 64, "memo": 180},
    characters_most={},
    has_head=False,
    line_end="\r\n",
)
MONEYFORWARD: Final = Target(
    name="moneyforward",
    columns=(
        *("取引No", "取引日"),
        *_sides(("勘定科目", "補助科目", "部門", "取引先", "税区分", "インボイス", "金額(円)", "税額")),
        *("摘要", "仕訳メモ", "タグ", "MF仕訳タイプ", "決算整理仕訳", "作成日時", "作成者", "最終更新日時", "最終更新者"),
    ),
    encodings=(UTF8, CP932),
    parts=frozenset(PARTS),
    tax_classes=frozenset({OUTSIDE_THE_TAX, "課税売上 10%", "課税売上 (軽)8%", "非課税売上", "非課税仕入", "課税仕入 10%"}),
    bytes_most={},
    characters_most={},
    has_head=True,
    line_end="\n",
    invoices=frozenset({"適格", *(f"{share}％控除" for share in SHARES), "控除なし"}),
    purchases=frozenset({"課税仕入 10%"}),
)
_FREEE_SIDE: Final = (
    *("勘定科目", "科目コード", "補助科目", "取引先", "取引先コード", "部門", "品目", "メモタグ"),
    *("セグメント1", "セグメント2", "セグメント3", "金額", "税区分", "税額"),
)
FREEE: Final = Target(
    name="freee",
    columns=("[表題行]", "日付", "伝票番号", "決算整理仕訳", *_sides(_FREEE_SIDE), "摘要"),
    encodings=(UTF8, CP932),
    parts=frozenset({"account", "sub_account", "department", "partner", "tax_class"}),
    tax_classes=frozenset({OUTSIDE_THE_TAX, "課税売上10%", "課税売上8%（軽）", "非課売上", "非課仕入", "課対仕入10%"}),
    bytes_most={},
    characters_most={"summary": 1024},
    has_head=True,
    line_end="\r\n",
    has_memo=False,
)
TARGETS: Final[Mapping[str, Target]] = {target.name: target for target in (YAYOI, MONEYFORWARD, FREEE)}


def text_unfit(target: Target, encoding: str, part: str, text: str) -> Phrase | None:
    """Return why a text cannot stand in a file as it is; None where it can: never a ``?``, and never a cut."""
    if hidden := unseen(text):
        return phrase(_("{character} in it is seen by nobody"), character=code_point(hidden))
    if (turned := turned_by(encoding, text)) is not None:
        return phrase(_("{encoding} cannot carry {character}"), encoding=encoding, character=f"{turned} ({code_point(turned)})")
    if FORMULA.match(text):
        return phrase(_("a spreadsheet would take it for a formula"))
    size, most = len(text.encode(encoding)), target.bytes_most.get(part)
    if most is not None and size > most:
        return phrase(_("it is {size} bytes long, and {target} cuts it after {most}"), size=size, target=target.name, most=most)
    most = target.characters_most.get(part)
    if most is not None and len(text) > most:
        return phrase(_("it is {size} characters long, and {target} takes {most}"), size=len(text), target=target.name, most=most)
    return None


def day_unfit(tax_class: str, invoice: str, on: date) -> Phrase | None:
    """Return why a tax class is none of a day: the share that may be deducted changes by the date of the purchase."""
    match = _SHARE.search(tax_class) or _SHARE.search(invoice)
    if match is None:
        return None
    share = int(match[1] or match[2])
    first, last = SHARES.get(share, (date.min, date.max))
    if first <= on <= last:
        return None
    return phrase(_("{share} % may not be deducted of what is dated {on}"), share=share, on=on.isoformat())


def turned_by(encoding: str, text: str) -> str | None:
    """Return the first character that the encoding has not, or gives back as another."""
    for character in text:
        try:
            same = character.encode(encoding).decode(encoding) == character
        except UnicodeError:
            same = False
        if not same:
            return character
    return None
