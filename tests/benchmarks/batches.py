"""Takes in twenty files one after the other in one process, and watches its memory.

Run by ``make bench BENCH=batches``. The last line is one JSON object: the resident memory after each file, and how much it grew from the
fifth to the last.
"""

import json
import os
from pathlib import Path

from tests.benchmarks import ground
from tests.benchmarks.ground import say

FILES = int(os.environ.get("FILES", "20"))
RECORDS = min(ground.RECORDS, 50_000)
WARM = 5  # files after which caches are as large as they get


def report(folder: Path) -> None:
    """Run everything and print the figures."""
    ground.prepare()
    resident: list[int] = []
    for sequence in range(1, FILES + 1):
        ground.take_in(ground.write_file(folder, records=RECORDS, sequence=sequence))
        resident.append(resident_kb())
        say(f"file {sequence}: {resident[-1] // 1024} MB resident")
    grown = (resident[-1] - resident[WARM - 1]) / resident[WARM - 1]
    print(json.dumps({"files": FILES, "records": RECORDS, "resident_kb": resident, "grown_percent": round(100 * grown, 1)}))


def resident_kb() -> int:
    """Return the resident memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    ground.run(report)
