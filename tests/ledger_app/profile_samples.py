"""Profiles as tests set them: those of the demonstration, of which a line is said otherwise."""

from pathlib import Path

from django.conf import settings

DEMO = Path(settings.BASE_DIR) / "ingestion_app" / "demo"
TARGETS = ("yayoi", "moneyforward", "freee")


def text(target: str = "yayoi", *changes: tuple[str, str]) -> str:
    """Return the demonstration's profile for a target, with each of these texts in the place of the one before it."""
    said = (DEMO / f"{target}.toml").read_text(encoding="utf-8")
    for there, given in changes:
        assert there in said, there
        said = said.replace(there, given)
    return said
