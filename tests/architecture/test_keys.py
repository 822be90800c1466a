"""Every foreign key protects what it points to: nothing in the ledger goes because something else went."""

from collections.abc import Iterable

from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps


def unprotected_keys(all_models: Iterable[type[models.Model]]) -> list[str]:
    """Return the foreign keys of our own models that do not PROTECT; copies kept as history do not count."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in all_models
        if not model._meta.auto_created and not hasattr(model, "history_object")
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT
    ]


@isolate_apps("tests")
def test_the_rule_finds_a_key_that_does_not_protect() -> None:
    class Shelf(models.Model):
        class Meta:
            app_label = "tests"

    class Binder(models.Model):
        shelf = models.ForeignKey(Shelf, models.PROTECT)
        first_shelf = models.OneToOneField(Shelf, models.SET_NULL, null=True, related_name="+")
        last_shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="+")

        class Meta:
            app_label = "tests"

    assert [key.rpartition(".")[2] for key in unprotected_keys([Shelf, Binder])] == ["first_shelf", "last_shelf"]


def test_every_foreign_key_protects() -> None:
    own = [model for name in ("ledger_app", "ingestion_app") for model in apps.get_app_config(name).get_models()]
    assert own != []
    assert unprotected_keys(own) == []
