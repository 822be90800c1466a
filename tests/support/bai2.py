"""A file of BAI2 for tests, with two sections, three accounts and records that go on; and a source that takes it."""

from datetime import date
from pathlib import Path

from tests.support import definitions
from tests.support.zengin import source

FILE = b"""01,BANK,KAKUTEI,170131,0200,1,,,2/
02,RECEIVER,BANK,1,170131,,JPY,2/
03,0012345,,010,+100,,,015,+2180,,/
88,100,,,V,170131,1200,400,0,2,0/
16,195,1500,S,500,500,500,ref1,1001,INVOICE 7, PART 1 AND
88,THE REST OF IT/NOT A SLASH AT THE END
16,409,250,V,170131,,ref2,1002,/
16,475,70,Z,ref3,1001,FEE
49,4100,7/
03,0067890,JPY/
88,015,+00080,,/
88,040,+00100,,/
16,142,99,D,2,0,50,1/
88,49,ref4,1003,NEW FIELD/
88,AFTER A SLASH/
49,279,7/
98,4379,2,16/
02,RECEIVER,BANK,1,170131,,,/
03,777,JPY,010,5,,/
16,399,5,,,1001,PAID/
49,10,3/
98,10,1,5/
99,4389,2,23/
"""

SOURCE = source(
    "bai2",
    key='"own_account", "as_of", "amount", "bank_reference", "@occurrence"',
    holder="customer_reference",
    amount="amount",
    day="as_of",
    said="{own_account}: {bank_reference}",
    ending="lf",
).replace("line_bytes = 1000", "line_bytes = 500")


_PRESET = (Path(__file__).parents[2] / "ingestion_app/formats/layouts/bai2.1.toml").read_text(encoding="utf-8")
_LAYOUT, _ROLES = _PRESET.split("[roles]\n")
# The same with the layout written out: what a source of its own could change.
OWN = (
    SOURCE.replace("line_ending =", "#")
    .replace('[layout]\npreset = "bai2"\nversion = 1\n', _LAYOUT.replace("[layout]\n", '[layout]\nline_ending = "lf"\n'))
    .replace("[roles]\n", f"[roles]\n{_ROLES}")
)


def changed(old: bytes, new: bytes) -> bytes:
    """The file with its first ``old`` replaced."""
    assert old in FILE
    return FILE.replace(old, new, 1)


_DEMO = Path(__file__).parents[2] / "ingestion_app/demo/bank-report.toml"
# The sample of the demonstration's folder, as the source of the world of these tests.
SAMPLE = (
    _DEMO.read_text(encoding="utf-8")
    .replace('code = "bank-report"', 'code = "till"')
    .replace("'bank-report-", "'till-")
    .replace(".txt'", ".csv'")
)
DAY = date(2017, 1, 31)
# Groups of delimited records, without sections.
DELIMITED = definitions.text(
    more_layout="groups = true\n",
    data='marker = "D"',
    types="""
[layout.header]
marker = "H"
columns = []
[layout.trailer]
marker = "T"
columns = [{ name = "count", kind = "count" }]
""",
    roles=definitions.ROLES + 'trailer_count = "count"\n',
)
