"""What each process of the server does once it has loaded the program."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

LOADED = """
import gc, runpy
import config.wsgi
from django.urls import get_resolver
configured = runpy.run_path("config/gunicorn_conf.py")
before = len(gc.get_objects())
configured["post_worker_init"](None)
print(before, len(gc.get_objects()), get_resolver()._populated)
"""


@pytest.mark.anywhere
def test_before_the_first_request_every_view_is_there_and_nothing_that_was_loaded_is_looked_through_again() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=Path(settings.BASE_DIR), env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    before, after, is_populated = done.stdout.split()
    assert is_populated == "True"
    assert int(before) > 50_000
    assert int(after) < 1_000
