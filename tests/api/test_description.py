"""The API describes itself: without a warning, completely, and on a page that a strict Content-Security-Policy lets work."""

from pathlib import Path

import yaml
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from config.doors.api import problems
from tests.architecture import source_rules
from tests.support.world import World


def test_the_description_is_made_without_a_warning_and_is_valid(tmp_path: Path) -> None:
    written = tmp_path / "schema.yml"
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(written))
    described = yaml.safe_load(written.read_text())
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(operations) > 20
    for operation in operations:
        refused = {int(number) for number in operation["responses"] if int(number) >= 400}
        assert refused >= {400, 401, 403, 404, 406, 409, 500, 503}
        # A list of members answers 422 with what was found in it.
        for number in refused - {422}:
            assert "application/problem+json" in operation["responses"][str(number)]["content"]
        assert operation["summary"]


def test_the_document_names_every_address_and_every_status() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text()
    described = SchemaGenerator().get_schema(request=None, public=True)
    for address in described["paths"]:
        short = address.removeprefix("/api/v1/").replace("{id}", "ID").replace("{code}", "CODE").replace("{kind}", "KIND")
        before, _, last = short.rstrip("/").rpartition("/")
        assert f"`{short}`" in text or (before.endswith("transitions") and f"`…/{last}/`" in text), short
    for status in problems.TITLES:
        assert f"\n| {status} | " in text


def test_the_page_has_nothing_inline_and_loads_from_here_alone(world: World, engineer_client: APIClient) -> None:
    response = engineer_client.get("/api/v1/docs/", headers={"Accept": "text/html"})
    text = response.content.decode()
    assert list(source_rules.unsafe_markup(text)) == []
    assert "http://" not in text
    assert "https://" not in text
    assert "'unsafe" not in response["Content-Security-Policy"]
    script = engineer_client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.content.decode()
