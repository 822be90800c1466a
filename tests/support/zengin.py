"""Zengin files for tests: records by their widths, and sources that name a ready-made layout."""

from collections.abc import Iterable

HEAD = r"""
[source]
code = "till"
name = "A bank"
name_pattern = 'till-(?P<business_date>\d{4}-\d{2}-\d{2})-(?P<sequence>\d{1,12})\.csv'

[limits]
set_aside = 0
line_bytes = 1000
chunk_records = 3
"""


def source(
    preset: str, *, key: str, holder: str, amount: str, day: str, said: str, ending: str = "crlf", more: str = "", roles: str = ""
) -> str:
    """A source that names version 1 of a layout and posts ``amount`` on ``day``, described by ``said``."""
    return f"""{HEAD}
[layout]
preset = "{preset}"
version = 1
line_ending = "{ending}"
{more}

[roles]
key = [{key}]
holder = "{holder}"
holder_kind = "member_number"
{roles}

[[posting]]
book = "CARD"
amount = "{amount}"
per = 1
effective = "{day}"
debit = {{ code = "settlement.31" }}
credit = {{ role = "receivable" }}
description = "{said}"
"""


def result_source(**changes: str) -> str:
    """The source of a result of 口座振替, which posts what was settled."""
    given = {
        "preset": "zengin-account-transfer-result-120",
        "key": '"consignor", "customer", "collected_on"',
        "holder": "customer",
        "amount": "settled",
        "day": "collected_on",
        "said": "Collected from {bank}-{account} for {consignor}",
        **changes,
    }
    return source(**given)


def header(consignor: int = 1, day: str = "0127", kind: str = "91", code: str = "0") -> bytes:
    return (f"1{kind}{code}{consignor:010}{'ｶｸﾃｲ':40}{day}0001{'ﾐﾅﾄ':15}001{'ﾎﾝﾃﾝ':15}10000001" + " " * 17).encode("cp932")


def data(customer: int, amount: int, result: int = 0, name: str = "ﾔﾏﾀﾞ ﾀﾛｳ") -> bytes:
    """A record of 口座振替; a name is filled up by bytes, as banks do."""
    bare = f"20005{'ﾐﾅﾄ':15}001{'ﾎﾝﾃﾝ':15}    11234567{name:30}{amount:010}1{customer:020}{result}" + " " * 8
    return bare.encode("cp932")


def trailer(settled: Iterable[int] = (), failed: Iterable[int] = ()) -> bytes:
    settled, failed = list(settled), list(failed)
    totals = "".join(f"{len(each):06}{sum(each):012}" for each in (settled + failed, settled, failed))
    return (f"8{totals}" + " " * 65).encode()


END = b"9" + b" " * 119
# Two groups: of consignor 1 two records are settled and one is not; of consignor 2 one is.
RECORDS = [
    header(),
    data(1001, 150),
    data(1002, 50),
    data(1003, 700, 1),
    trailer([150, 50], [700]),
    header(2, "0131"),
    data(1001, 99),
    trailer([99]),
    END,
]


def joined(records: Iterable[bytes], ending: bytes = b"\r\n") -> bytes:
    return b"".join(record + ending for record in records)
