"""demo and seed_demo: not where figures are real."""

import pytest

from ledger_app.models import User


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["demo", "seed_demo"])
def test_the_demonstration_is_refused_in_production(run, settings, name):
    settings.ENVIRONMENT = "production"
    ended = run(name)
    assert ended.status == 1
    assert "demonstration_not_here" in ended.complaints
    assert list(User.objects.values_list("username", flat=True)) == [User.SYSTEM]
