"""What verify found is kept as messages and facts, and told in the language of whoever reads it."""

import pytest
from django.utils.translation import override

from ledger_app.errors import sentences
from ledger_app.models import Balance
from ledger_app.verification.operations import verification
from tests.support import samples
from tests.support.altering import unguarded

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_breach_that_was_found_in_english_is_read_in_japanese(ledger):
    ledger.sell("r-1", 700)
    with unguarded(table="ledger_app_balance"):
        Balance.objects.filter(account=ledger.accounts["cash"]).update(amount=5)
    with override("en"):
        row = verification.verify(books=[ledger.book], at=samples.AFTER_JANUARY, now=lambda: samples.AFTER_JANUARY)
    assert row.breaches > 0
    row.refresh_from_db()
    english = [each for result in row.results for each in (result["says"], *result["breaches"])]
    with override("ja"):
        japanese = [each for result in verification.translated_results(row) for each in (result["says"], *result["breaches"])]
    assert [text for text, other in zip(english, japanese, strict=True) if text == other] == []
    with override("en"):
        assert [
            each for result in verification.translated_results(row) for each in (result["says"], *result["breaches"])
        ] == english


def test_a_text_that_is_no_message_is_told_as_it_stands():
    assert sentences.translated("as it was", sentences.kept("as it was")) == "as it was"
    inner = sentences.say("Breaches").format()
    with override("ja"):
        assert (
            sentences.translated(
                "",
                sentences.kept(
                    sentences.say("{name}: its bytes cannot be read (SHA-256 {sha256}).").format(name=inner, sha256="ab")
                ),
            )
            != ""
        )
