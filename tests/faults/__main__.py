"""Runs the drill on a private MariaDB: ``make drill``.

SEED, KILLS, CUTS and STOPS change it. The last line is one JSON object; the exit status is 1 where anything was lost, doubled or
different.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import django


def main() -> int:
    """Run the drill that the environment asks for, print what came of it, and return the exit status."""
    # Any of the kind: the server has its port when it has started, and children are pointed there.
    os.environ["DATABASE_URL"] = "mysql://nobody@127.0.0.1:1/nothing"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.faults import drill, ground
    from tests.faults.tally import Wanted

    seed = int(os.environ.get("SEED") or time.time_ns() % 10**9)
    print(f"seed {seed} (SEED={seed} replays it)", flush=True)
    asked = {name: int(os.environ[name.upper()]) for name in ("kills", "cuts", "stops") if os.environ.get(name.upper())}
    wanted = Wanted(**asked, everywhere="kills" not in asked)
    with tempfile.TemporaryDirectory(prefix="kakutei-drill-") as directory, ground.prepared(Path(directory)) as prepared:
        tally = drill.Drill(ground=prepared, seed=seed, wanted=wanted).run()
    print("\n".join(tally.lines()))
    return int(bool(tally.difference))


if __name__ == "__main__":
    sys.exit(main())
