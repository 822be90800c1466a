"""A record key stands once in a file; what stands twice is told by its bytes."""

import io
from collections.abc import Iterator

import pytest

from ingestion_app.checks.duplicates import KeyIndex, confirm
from ingestion_app.checks.file import Examination
from ingestion_app.checks.record import Row
from ingestion_app.checks.rules import Seen
from ingestion_app.formats.definition import Definition
from tests.support.file_samples import BUSINESS_DATE, HEADER, OTHER_PURCHASE, PURCHASE, definition, whole, with_text


def find(content: bytes, using: Definition | None = None) -> list[Seen]:
    def rows() -> Iterator[Row | Seen]:
        return Examination(io.BytesIO(content), using or definition(), business_date=BUSINESS_DATE, sequence=1).rows()

    index = KeyIndex()
    for row in rows():
        if isinstance(row, Row):
            index.add(row.key, row.line)
    return list(confirm(rows(), index.suspects()))


def test_keys_that_stand_once_are_not_suspect():
    assert find(whole(PURCHASE, OTHER_PURCHASE)) == []


def test_the_same_record_again_names_the_first_line():
    seen = find(whole(PURCHASE, OTHER_PURCHASE, PURCHASE, PURCHASE))
    assert [(item.rule, item.line, item.facts) for item in seen] == [
        ("record.duplicate_same", 4, {"key": "9001/777", "first_line": 2}),
        ("record.duplicate_same", 5, {"key": "9001/777", "first_line": 2}),
    ]
    assert seen[0].offset == len(HEADER + PURCHASE + OTHER_PURCHASE)
    assert "line 2" in seen[0].sentence()


def test_the_same_key_with_another_content():
    assert [item.rule for item in find(whole(PURCHASE, PURCHASE.replace(b",150,", b",151,")))] == ["record.duplicate_differs"]


def test_two_spellings_of_one_character_are_another_content():
    lines = [b"D,1001,31,9001,777,200," + shop + b"\n" for shop in (b"\xee\xe0", b"\xfb\xfc")]
    assert [item.rule for item in find(whole(*lines), with_text(encoding="cp932"))] == ["record.duplicate_differs"]


def test_keys_that_differ_and_hash_alike_are_cleared(monkeypatch):
    monkeypatch.setattr("ingestion_app.checks.duplicates.hash", lambda key: 1, raising=False)
    assert find(whole(PURCHASE, OTHER_PURCHASE)) == []
    assert len(find(whole(PURCHASE, OTHER_PURCHASE, PURCHASE))) == 1


def test_an_index_takes_the_rows_of_one_pass_only():
    index = KeyIndex()
    index.add("9001/777", 2)
    with pytest.raises(ValueError, match="line 2"):
        index.add("9001/777", 2)
