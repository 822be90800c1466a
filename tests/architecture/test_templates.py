"""Templates hold nothing that the Content-Security-Policy refuses, and never switch escaping off."""

import pytest

from tests.architecture.source_rules import unsafe_markup
from tests.architecture.test_source import APPLICATION, ROOT


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        ("{{ note|safe }}", ["|safe"]),
        ("{% autoescape off %}{{ note }}{% endautoescape %}", ["{% autoescape off"]),
        ("<script>start()</script>", ["<script> without src"]),
        ("<style>p { color: red }</style>", ["<style>"]),
        ("<p style='color: red'>x</p>", ["style="]),
        ('<p {% if a > b %}style="color: red"{% endif %}>x</p>', ["style="]),
        ("<button onclick='go()'>x</button>", ["onclick="]),
        ("<a href='javascript:go()'>x</a>", ["javascript:"]),
        ("<script src=\"{% static 'look.js' %}\" defer></script>", []),
        ("<p class='amount'>{{ amount }}</p>", []),
    ],
)
def test_the_rule_on_markup_finds(sample: str, found: list[str]) -> None:
    assert [breach.what for breach in unsafe_markup(sample)] == found


def test_templates_are_safe() -> None:
    folders = [ROOT / "templates", *(ROOT / app / "templates" for app in APPLICATION)]
    told = [
        f"{path.relative_to(ROOT)}:{breach.line} {breach.what}"
        for folder in folders
        for path in sorted(folder.rglob("*.html"))
        for breach in unsafe_markup(path.read_text())
    ]
    assert told == []
