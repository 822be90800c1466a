"""The drill: takes files their whole way, disturbed at one site and undisturbed at another, and compares what is left (docs/drill.md)."""

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import comparing, processes, running
from tests.faults.disturbing import Disturbance
from tests.faults.ground import Ground, Site, file_of
from tests.faults.processes import Child
from tests.faults.proxy import Cut

FILES_MOST = 100
AGAIN_MOST = 20  # clean runs of one command until it is done
IN_A_ROW_MOST = 12  # disturbances of one step of one file, before it is left alone
FRESH_MOST = 6  # places to choose between, where no kill has struck yet
COMPARED_EVERY = 5  # files
WHEN = ("before", "after")
CUT = ("before", "before", "after", "after", "during")
SIDE_BY_SIDE = 4
DEADLOCKS_AT_ONCE = 3
TIMED_SHARE = 0.15  # of the kills: not at a step but at some time
KILL_SECONDS = 0.1
WRITING = re.compile("INSERT|UPDATE|DELETE")
RECORDS = 150  # of each file


class Case(NamedTuple):
    """One file on its way at one site: its path, and the batches that were made, its own and then the one that reverses it."""

    path: Path
    batches: list[int]


class Step(NamedTuple):
    """One step of a file's way: the command, and whether it is disturbed. ``cuts_most`` is how many cuts one run of it can meet."""

    name: str
    command: Callable[[Case], list[str]]
    cuts_most: int = 0
    is_shared: bool = False  # whether several processes may do it side by side


STEPS = (
    Step("receive", lambda case: ["receive", str(case.path), "--source", "till"], cuts_most=4),
    Step("validate", lambda case: ["validate", str(case.batches[0])], cuts_most=5),
    Step("approve", lambda case: ["approve", str(case.batches[0]), "--user", "fumiko"]),
    Step("apply", lambda case: ["apply", str(case.batches[0])], cuts_most=20, is_shared=True),
)


class Found(Exception):
    """The drill has found a fault; the message says which."""


@dataclass
class Wanted:
    """How often what is to happen, at least."""

    kills: int = 300
    cuts: int = 280
    deadlocks: int = 40
    everywhere: bool = True  # and a kill at each step, before and after it


@dataclass
class Tally:
    """What happened, and what it came to."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    files: int = 0
    lost: int = 0
    doubled: int = 0
    difference: str = ""
    seconds: int = 0

    def count(self, kind: str) -> int:
        """Return how often disturbances of a kind struck, wherever they did."""
        return sum(number for name, number in self.struck.items() if name.split()[0] == kind)

    def as_dict(self) -> dict[str, Any]:
        """Return the last line."""
        kills = self.count("kill") + self.count("server")
        return {
            "seed": self.seed,
            "kills": kills,
            "cuts": self.count("cut"),
            "deadlocks": self.count("deadlock"),
            "lost": self.lost,
            "doubled": self.doubled,
            "seconds": self.seconds,
        }


class Places:
    """Where something can strike: before and after each step of each command, those first that no kill has struck yet."""

    def __init__(self) -> None:
        """Begin with nothing: what there is becomes known by undisturbed runs."""
        self._counts: dict[str, dict[str, int]] = {}
        self._struck: set[tuple[str, str, str]] = set()

    def learn(self, step: str, counts: dict[str, int]) -> None:
        """Take in which statements a step of a file's way has, in their order, and how often each."""
        for name, count in counts.items():
            self._counts.setdefault(step, {}).setdefault(name, count)

    def choose(self, step: str, kind: str, chance: random.Random, missed: Collection[Disturbance]) -> Disturbance:
        """Return a disturbance of a kind. Early places come first, as whatever was committed is not done again in a file's later runs."""
        fresh = [
            disturbance
            for name in self._counts[step]
            for when in WHEN
            if (step, name, when) not in self._struck and (disturbance := Disturbance(kind, name, 1, when)) not in missed
        ]
        if kind == "kill" and fresh:
            return chance.choice(fresh[:FRESH_MOST])
        places = [(name, count) for name, count in self._counts[step].items() if kind != "deadlock" or WRITING.match(name)]
        name, count = chance.choice(places)
        return Disturbance(kind, name, chance.randint(1, min(3, count)), chance.choice(WHEN))

    def strike(self, step: str, disturbance: Disturbance) -> None:
        """Note that a kill struck."""
        if disturbance.kind == "kill":
            self._struck.add((step, disturbance.name, disturbance.when))

    def left(self, *steps: str) -> list[tuple[str, str, str]]:
        """Return the places that no kill has struck yet, of some steps or of all: step, statement, before or after."""
        places = {(step, name, when) for step in steps or self._counts for name in self._counts[step] for when in WHEN}
        return sorted(places - self._struck)


class Drill:
    """One drill: files go their way at two sites, disturbed at one of them."""

    def __init__(self, *, ground: Ground, seed: int, wanted: Wanted, fault: str = "") -> None:
        """Prepare two equal sites."""
        self.tally = Tally(seed)
        self._ground = ground
        self._wanted = wanted
        self._fault = fault
        self._chance = random.Random(seed)
        self._places = Places()
        self._disturbed = ground.site("disturbed")
        self._undisturbed = ground.site("undisturbed")
        self._batches: tuple[list[int], list[int]] = ([], [])
        self._met: list[str] = []

    def run(self) -> Tally:
        """Go on until enough was disturbed, or a difference is found."""
        started = time.monotonic()
        try:
            while self._is_wanting():
                if self.tally.files == FILES_MOST:
                    raise Found(f"after {FILES_MOST} files not enough was struck: {self._places.left()[:5]}")
                self._take_file()
            self._compare("at the end")
            self._verify()
        except Found as found:
            self.tally.difference = str(found)
        finally:
            self.tally.seconds = round(time.monotonic() - started)
        return self.tally

    def _is_wanting(self) -> bool:
        return any(self._left(kind) > 0 for kind in ("kill", "cut", "deadlock")) or (
            self._wanted.everywhere and bool(self._places.left())
        )

    def _left(self, kind: str) -> int:
        """Return how often a kind is still wanted."""
        wanted = {"kill": self._wanted.kills, "cut": self._wanted.cuts, "deadlock": self._wanted.deadlocks}
        done = self.tally.count(kind) + (self.tally.count("server") if kind == "kill" else 0)
        return max(0, wanted[kind] - done)

    def _take_file(self) -> None:
        """Take one file its whole way at both sites, and compare."""
        self.tally.files += 1
        # Of its own, so that a file is what it was also where a race before it ended otherwise.
        self._chance = random.Random(f"{self.tally.seed} {self.tally.files}")
        name, content = file_of(self.tally.files, self._chance, RECORDS)
        path = self._ground.directory / name
        path.write_bytes(content)
        here, there = Case(path, []), Case(path, [])
        for step in STEPS:
            self._do_undisturbed(step, there)
        for step in STEPS:
            self._do_disturbed(step, here)
        for batches, case in zip(self._batches, (here, there), strict=True):
            batches.extend(case.batches)
        if self.tally.files % COMPARED_EVERY == 0:
            self._compare(f"after file {self.tally.files}")

    def _do_undisturbed(self, step: Step, case: Case) -> None:
        child = Child(running.undisturbed(self._undisturbed, step.command(case)))
        self._heed(child, step, case)
        if step.cuts_most:
            self._places.learn(step.name, {each["step"]: each["count"] for each in child.messages if "step" in each})

    def _do_disturbed(self, step: Step, case: Case) -> None:
        """Do one step, disturbed in one way or another, until it is done."""
        if step.cuts_most and self._chance.random() < self._share_of_cuts(step):
            cuts = [Cut(self._chance.randint(0, 2), self._chance.choice(CUT)) for _ in range(step.cuts_most)]
            child = Child(running.until_done(self._disturbed, step.command(case), self._fault, cuts))
            if self._heed(child, step, case):
                return
        elif step.cuts_most:
            missed: set[Disturbance] = set()
            for _ in range(IN_A_ROW_MOST if self._places.left(step.name) else IN_A_ROW_MOST // 4):
                if self._kill(step, case, missed):
                    return
        for _ in range(AGAIN_MOST):
            if self._finish(step, case):
                return
        raise Found(f"{' '.join(step.command(case))} was not done after {AGAIN_MOST} times")

    def _share_of_cuts(self, step: Step) -> float:
        """Return how likely a step is cut and not killed: as what is left of either asks."""
        if not step.is_shared:
            return 0.15  # it has few COMMITs
        cuts, kills = self._left("cut"), max(self._left("kill"), self._wanted.everywhere * len(self._places.left()))
        return cuts / (cuts + kills) if cuts + kills else 0.5

    def _kill(self, step: Step, case: Case, missed: set[Disturbance]) -> bool:
        """Kill one run of a step, or the server under it, at a place or at some time; return whether it was done all the same."""
        kind = self._chance.choices(["kill", "server"], weights=[6, 1])[0]
        is_timed = self._chance.random() < TIMED_SHARE
        disturbance = None if is_timed else self._places.choose(step.name, kind, self._chance, missed)
        child = Child(running.once(self._disturbed, step.command(case), self._fault, [disturbance] if disturbance else []))
        with processes.ended(child):
            if disturbance is None:
                time.sleep(self._chance.uniform(0, KILL_SECONDS))
                if kind == "kill":
                    child.send(signal.SIGKILL)
                else:
                    self._restart()
            is_done = self._heed(child, step, case)
        if disturbance is None:
            self.tally.struck[f"{kind} in time"] += kind == "server" or child.status == -signal.SIGKILL
        elif child.told("struck"):
            self._places.strike(step.name, disturbance)
            if kind == "server":
                self._restart()
        else:
            missed.add(disturbance)
        return is_done

    def _restart(self) -> None:
        self._disturbed.server.kill9()
        self._disturbed.server.start()

    def _finish(self, step: Step, case: Case) -> bool:
        """Run a step without killing it: alone, side by side with others, or with deadlocks; return whether it is done."""
        way = self._chance.choice(["alone", "deadlocks", "side by side"]) if step.cuts_most else "alone"
        count = SIDE_BY_SIDE if way == "side by side" and step.is_shared else 1
        disturbances = []
        if way == "deadlocks":
            disturbances = [self._places.choose(step.name, "deadlock", self._chance, ()) for _ in range(DEADLOCKS_AT_ONCE)]
        children = [
            Child(running.once(self._disturbed, step.command(case), self._fault, disturbances)) for _ in range(count)
        ]
        with processes.ended(*children):
            endings = [self._heed(child, step, case) for child in children]
        self.tally.struck["side by side"] += count > 1
        return all(endings)

    def _heed(self, child: Child, step: Step, case: Case) -> bool:
        """Wait for a child and take in what it says; return whether the step is done.

        :raises Found: where it ended in another way than done, “try again” or killed
        """
        with processes.ended(child):
            status = child.wait()
        self.tally.struck.update(child.told("struck"))
        self._met += child.told("met")
        if status == -signal.SIGKILL:
            return False
        if status:
            raise Found(f"{step.name} ended with status {status}: {' '.join(child.told('surprise'))}")
        (ended,) = child.told("ended")
        if ended["status"] == running.AGAIN:
            return False
        if ended["status"] != running.DONE:
            raise Found(f"{step.name} ended with status {ended['status']}: {ended['complaints'].strip()}")
        if ended["said"]["batch"] not in case.batches:
            case.batches.append(ended["said"]["batch"])
        return True

    def _compare(self, when: str) -> None:
        """Hold the rows of both sites against each other.

        :raises Found: at a difference
        """
        found, wanted = (
            processes.result_of(partial(rows_of, site, batches))
            for site, batches in zip((self._disturbed, self._undisturbed), self._batches, strict=True)
        )
        outcome = comparing.compared(wanted, found)
        self.tally.lost, self.tally.doubled = outcome.lost, outcome.doubled
        if outcome.difference:
            raise Found(f"{when}: {outcome.difference}")

    def _verify(self) -> None:
        """Have the rows prove themselves.

        :raises Found: at a breach, or where two writers met on a unique key, which none does that holds the locks
        """
        breaches = processes.result_of(partial(breaches_of, self._disturbed))
        if breaches:
            raise Found(f"verify: {breaches[0]}")
        if self._met:
            raise Found(f"two writers met {len(self._met)} times, first: {self._met[0]}")


def rows_of(site: Site, batches: list[int]) -> comparing.Rows:
    """Return the rows of a site, in a child."""
    site.enter()
    return comparing.rows(site.directory, batches)


def breaches_of(site: Site) -> list[str]:
    """Return what ``verify`` finds at a site, in a child."""
    site.enter()
    return comparing.breaches()
