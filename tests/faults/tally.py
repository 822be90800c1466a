"""What a drill is to do, and what it did."""

import json
from collections import Counter
from dataclasses import dataclass, field

RECORDS = 150  # of each file


@dataclass
class Wanted:
    """How often what is to happen, at least."""

    kills: int = 300
    cuts: int = 280
    stops: int = 12
    deadlocks: int = 40
    together: int = 8  # several workers side by side
    rivals: int = 4  # a worker without locks decides on a chunk that another then applies
    pools: int = 4  # a command with workers of its own, one of which is killed
    everywhere: bool = True  # and a kill at each step, before and after it


@dataclass
class Tally:
    """What happened, and what it came to."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    files: int = 0
    lost: int = 0
    doubled: int = 0
    takeovers: int = 0
    planted: int = 0  # processes in which a planted fault met a statement of its own
    difference: str = ""
    seconds: int = 0
    places: tuple[int, int] = (0, 0)  # struck by a kill, and all

    def count(self, kind: str) -> int:
        """Return how often disturbances of a kind struck, wherever they did."""
        return sum(number for name, number in self.struck.items() if name.split()[0] == kind)

    def lines(self) -> list[str]:
        """Return what is printed: the tally, what it came to, and one JSON object."""
        kinds = {kind: self.count(kind) for kind in ("kill", "cut", "stop", "rival", "deadlock")}
        kinds["kill"] += self.count("server")
        return [
            *(f"{number:>6}  {name}" for name, number in sorted(self.struck.items())),
            f"{self.files:>6}  files of {RECORDS} records",
            f"{self.places[0]:>6}  of {self.places[1]} places before and after a step were struck by a kill",
            self.difference or "All rows equal those of the undisturbed run, and verify finds nothing.",
            json.dumps(
                {
                    "seed": self.seed,
                    **{f"{kind}s": number for kind, number in kinds.items()},
                    "takeovers": self.takeovers,
                    "lost": self.lost,
                    "doubled": self.doubled,
                    "seconds": self.seconds,
                }
            ),
        ]
