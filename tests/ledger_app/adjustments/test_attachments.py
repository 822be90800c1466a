"""What may be attached, told by name and bytes."""

import io
import zipfile

import pytest

from ledger_app.adjustments.rules import attachments
from ledger_app.adjustments.rules.attachments import StoredFile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9"
PDF = b"%PDF-1.7\n" + bytes(20) + b"\n%%EOF\n"


def archive(*names):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return held.getvalue()


WORKBOOK = archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml")


def codes(name, content, most=100_000):
    return [each.code for each in attachments.refusals(name, content, bytes_most=most)]


TAKEN = {
    "a.png": PNG,
    "A.JPG": JPEG,
    "a.jpeg": JPEG,
    "a.pdf": PDF,
    "a.csv": "会員,残高\n".encode("cp932"),
    "明細 (2).txt": "残高".encode(),
    "a.b.xlsx": WORKBOOK,
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_is_what_its_name_says_is_taken(name):
    assert codes(name, TAKEN[name]) == []


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("content", [PNG, JPEG, PDF, b"\x00\x01", archive("a.txt"), b"<!DOCTYPE html><script>"])
def test_a_file_under_another_name_is_not(name, content):
    if not (name.lower().endswith("png") and content is PNG) and not (name.lower()[-3:] in {"jpg", "peg"} and content is JPEG):
        expected = [] if name.endswith("pdf") and content is PDF else ["attachment_not_what_it_says"]
        assert codes(name, content) == expected


def test_a_workbook_with_macros_or_an_archive_that_is_cut_is_none():
    parts = ("[Content_Types].xml", "xl/workbook.xml")
    assert codes("a.xlsx", archive(*parts)) == []
    assert codes("a.xlsx", archive(*parts, "xl/vbaProject.bin")) == ["attachment_not_what_it_says"]
    assert codes("a.xlsx", WORKBOOK[:200]) == ["attachment_not_what_it_says"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".txt",
        "../a.txt",
        "a/b.txt",
        "a\\b.txt",
        "a\x00.txt",
        "a\n.txt",
        "a\u202etxt.exe",
        "\ud800.txt",
        "a" * 117 + ".txt",
    ],
)
def test_a_name_with_a_path_control_characters_or_too_many_is_refused(name):
    assert codes(name, b"a") == ["attachment_name_invalid"]


@pytest.mark.parametrize("name", ["a", "a.", "a.exe", "a.html", "a.svg", "a.xlsm", "a.txt "])
def test_a_kind_that_is_not_taken_is_refused(name):
    assert codes(name, b"a") == ["attachment_kind_unknown"]


def test_size_counts_in_bytes():
    assert codes("a.txt", b"a" * 10, most=10) == []
    assert codes("a.txt", b"a" * 11, most=10) == ["attachment_too_large"]
    assert codes("a.txt", b"") == ["attachment_empty"]


def test_a_set_is_bounded_and_its_names_differ():
    file = StoredFile("a.txt", "text/plain", 1, bytes(32))
    assert [each.code for each in attachments.set_refusals([file, file, file], count_most=2)] == [
        "attachments_too_many",
        "attachment_twice",
    ]
