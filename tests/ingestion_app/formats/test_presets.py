"""Ready-made layouts are whole, never change, and are added to but not altered by the source that names one."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion_app.formats import presets, toml
from ingestion_app.formats.definition import Cutting
from ingestion_app.receiving.operations.arriving import is_masked
from tests.support import zengin
from tests.support.definitions import line_of, problems
from tests.support.zengin import result_source, source

PATHS = sorted(presets.FOLDER.glob("*.toml"))
NAMES = [path.stem.rpartition(".")[0] for path in PATHS]
KINDS = {
    "zengin-transfer": ('"consignor", "paid_on", "customer"', "customer", "paid_on"),
    "zengin-transfer-edi": ('"consignor", "paid_on", "account", "amount", "@occurrence"', "account", "paid_on"),
    "zengin-account-transfer-request": ('"consignor", "collected_on", "customer"', "customer", "collected_on"),
    "zengin-account-transfer-result": ('"consignor", "collected_on", "customer"', "customer", "collected_on"),
    "zengin-statement": ('"own_account", "booked_on", "number"', "remitter", "booked_on"),
    "bai2": ('"own_account", "as_of", "amount", "bank_reference"', "customer_reference", "as_of"),
    "zengin-receipt-notice": ('"own_account", "booked_on", "number"', "remitter", "booked_on"),
}


def of(name: str) -> str:
    key, holder, day = KINDS[name.rpartition("-")[0] or name]
    return source(name, key=key, holder=holder, amount="amount", day=day, said="{amount}")


@pytest.mark.parametrize("name", NAMES)
def test_each_layout_is_read_by_the_reader_of_sources(name):
    layout = toml.parse(of(name)).layout
    assert layout.has_groups
    if not name.startswith("zengin"):
        return
    assert layout.encoding == "cp932"
    if layout.cutting is Cutting.FIXED:
        assert {each.bytes for each in layout.record_types} == {int(name[-3:])}
    else:
        fixed = toml.parse(of(next(each for each in NAMES if each[:-3] == name[:-3] and each != name))).layout
        for own, other in zip(layout.record_types, fixed.record_types, strict=True):
            assert [each.name for each in own.columns] == [each.name for each in other.columns[1:]]


def test_a_version_of_a_layout_never_changes():
    """A source that was loaded with it is read anew with each batch: a mended layout is a file with the next number."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in PATHS}
    kept = Path(__file__).with_name("presets.lock").read_text(encoding="utf-8")
    assert found == dict(line.split() for line in kept.splitlines())


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("version = 1", "version = 2", "layout.version"),
        ("version = 1\n", "", "layout.version"),
        ('preset = "zengin-account-transfer-result-120"', 'preset = "zengin"', "layout.preset"),
        ("version = 1", 'version = 1\nencoding = "utf-8"', "layout.encoding"),
        ("version = 1", "version = 1\ngroups = false", "layout.groups"),
        ("version = 1", 'version = 1\ndata = { marker = "3" }', "layout.data.marker"),
        ("version = 1", "version = 1\ndata = { columns = [] }", "layout.data.columns"),
        ("version = 1", 'version = 1\nquote = "\'"', "layout.quote"),
        ('holder = "customer"', 'holder = "customer"\namount = "settled"', "roles.amount"),
        ('holder = "customer"', 'holder = "customer"\ntrailer_count = "settled_count"', "roles.trailer_count"),
        ('holder = "customer"', 'holder = "customer"\ncontrols = "none"', "roles.controls"),
        ('line_ending = "crlf"\n', "", "layout.line_ending"),
        ("line_bytes = 1000", "line_bytes = 119", "layout.data.columns"),
    ],
)
def test_a_source_changes_nothing_of_the_layout_that_it_names(old, new, path):
    text = result_source().replace(old, new, 1)
    assert path in {found for _line, found in problems(text)}


def test_what_a_source_says_beside_its_layout_is_told_by_its_line():
    text = result_source().replace("version = 1", 'version = 1\nencoding = "utf-8"')
    assert problems(text) == [(line_of(text, "encoding"), "layout.encoding")]


def test_a_source_may_add_columns_made_of_others():
    made = 'data = { computed = [{ name = "unpaid", of = "amount", only = { column = "result", values = ["1"] } }] }'
    read = toml.parse(result_source(amount="unpaid").replace("version = 1", f"version = 1\n{made}"))
    assert [each.name for each in read.layout.data.computed] == ["settled", "consignor", "collected_on", "unpaid"]
    assert problems(result_source().replace("version = 1", f"version = 1\n{made}".replace("unpaid", "settled")))


@pytest.mark.parametrize("name", NAMES)
def test_files_are_kept_as_they_came(name):
    """Headers and trailers are almost all digits: where two columns touch, a card number may seem to stand there."""
    definition = toml.parse(of(name))
    assert not is_masked(definition)
    layout = definition.layout
    data = replace(layout.data, columns=tuple(replace(each, may_look_like_card=False) for each in layout.data.columns))
    assert not is_masked(replace(definition, layout=replace(layout, data=data))), "what the header says is enough"


def test_members_may_be_named_by_what_the_header_says():
    read = toml.parse(zengin.result_source(holder="consignor"))
    assert read.roles.holder == "consignor"
    assert not read.is_cut_at_lines
