"""The drill: takes files their whole way, disturbed at one site and undisturbed at another, and compares what is left (docs/drill.md)."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests import servers
from tests.faults import comparing, planted, processes, running
from tests.faults.disturbing import Disturbance
from tests.faults.ground import LEASE_SECONDS, Ground, Site, file_of
from tests.faults.places import AT_A_CLAIM, Places
from tests.faults.processes import Child
from tests.faults.proxy import Cut
from tests.faults.tally import RECORDS, Tally, Wanted

FILES_MOST = 100
AGAIN_MOST = 8  # clean runs of one command until it is done
IN_A_ROW_MOST = 12  # disturbances of one step of one file, before it is left alone
COMPARED_EVERY = 5  # files
EVERYWHERE_SECONDS = 420  # a slow machine leaves places out rather than take longer than ten minutes
CUT = ("before", "before", "after", "after", "during")
SIDE_BY_SIDE = 6  # more than a shared account has stripes
NAPS = 6
DEADLOCKS_AT_ONCE = 3
POOL_SECONDS = 1.5  # a process with Django takes about one to begin
TIMED_SHARE = 0.15  # of the kills: not at a step but at some time
KILL_SECONDS = 0.1


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
    Step("reverse", lambda case: ["reverse", str(case.batches[0]), "--user", "emil", "--reason", "A drill."], cuts_most=3),
    Step("approve the reversal", lambda case: ["approve", str(case.batches[1]), "--user", "fumiko"]),
    Step("apply the reversal", lambda case: ["apply", str(case.batches[1])], cuts_most=20, is_shared=True),
)


class Found(Exception):
    """The drill has found a fault; the message says which."""


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
        self._disturbed = ground.site("disturbed", planted.FAULTS[fault].statements)
        self._undisturbed = ground.site("undisturbed")
        self._cases: list[tuple[Case, Case]] = []
        self._rivals: list[int] = []

    def run(self) -> Tally:
        """Go on until enough was disturbed, or a difference is found."""
        started = time.monotonic()
        try:
            while self.tally.files == 0 or any(self._left().values()):
                self._take_file()
                self.tally.seconds = round(time.monotonic() - started)
            self._compare("at the end")
            self._verify()
            self._ask_planted()
        except (Found, TimeoutError) as found:
            self.tally.difference = str(found)
            self._count()
        finally:
            self.tally.seconds = round(time.monotonic() - started)
            self.tally.places = (self._places.count() - len(self._places.left()), self._places.count())
        return self.tally

    def _left(self) -> dict[str, int]:
        """Return how often each kind is still wanted."""
        wanted, count = self._wanted, self.tally.count
        places = len(self._places.left()) if wanted.everywhere and self.tally.seconds < EVERYWHERE_SECONDS else 0
        left = {
            "kill": max(wanted.kills - count("kill") - count("server"), places),
            "cut": wanted.cuts - count("cut"),
            "deadlock": wanted.deadlocks - count("deadlock"),
            "stop": wanted.stops - count("stop"),
            "together": wanted.together - count("together"),
            "rival": wanted.rivals - count("rival"),
            "pool": wanted.pools - count("pool"),
        }
        return {kind: max(0, number) for kind, number in left.items()}

    def _take_file(self) -> None:
        """Take one file its whole way at both sites, and compare."""
        if self.tally.files == FILES_MOST:
            raise Found(f"after {FILES_MOST} files not enough was struck: {self._left()}")
        self.tally.files += 1
        # Of its own, so that a file is what it was also where a race before it ended otherwise.
        self._chance = random.Random(f"{self.tally.seed} {self.tally.files}")
        name, content = file_of(self.tally.files, self._chance, RECORDS)
        path = self._ground.directory / name
        path.write_bytes(content)
        here, there = Case(path, []), Case(path, [])
        self._cases.append((here, there))
        for step in STEPS:
            self._do_undisturbed(step, there)
            self._do_disturbed(step, here)
        # It takes the longer the more files there are, and says the sooner what was wrong.
        if self.tally.files <= COMPARED_EVERY or self.tally.files % COMPARED_EVERY == 0:
            self._compare(f"after file {self.tally.files}")

    def _do_undisturbed(self, step: Step, case: Case) -> None:
        child = Child(running.undisturbed(self._undisturbed, step.command(case)))
        self._heed(child, step, case)
        if step.cuts_most:
            self._places.learn(step.name, {each["step"]: each["count"] for each in child.messages if "step" in each})

    def _do_disturbed(self, step: Step, case: Case) -> None:
        """Do one step, disturbed in one way or another, until it is done."""
        ways = {
            "cut": self._cut,
            "kill": self._kill,
            "stop": self._stop,
            "together": self._do_together,
            "rival": self._meet_rival,
            "pool": self._do_in_pool,
        }
        way = self._choose_way(step)
        if way and ways[way](step, case):
            return
        for _ in range(AGAIN_MOST):
            if self._finish(step, case):
                return
        raise Found(f"{' '.join(step.command(case))} was not done after {AGAIN_MOST} times")

    def _choose_way(self, step: Step) -> str:
        """Choose how a step is disturbed: as what is left of each way asks, one file's step being worth some cuts, or some kills."""
        left = self._left()
        weights = {"kill": left["kill"] / IN_A_ROW_MOST, "cut": left["cut"] / 20}
        if not step.is_shared:
            weights["cut"] /= 2  # few COMMITs
        else:
            weights |= {way: float(left[way]) for way in ("stop", "together", "rival", "pool")}
        if not step.cuts_most or not any(weights.values()):
            return ""
        return self._chance.choices([*weights], weights=[*weights.values()])[0]

    def _cut(self, step: Step, case: Case) -> bool:
        """Do a step by a way that is cut at COMMIT, again and again; return whether it was done."""
        # Far enough apart that many fall between the beginning of a run, which every run has, and its end.
        apart = 9 if step.is_shared else 2
        cuts = [Cut(self._chance.randint(0, apart), self._chance.choice(CUT)) for _ in range(step.cuts_most)]
        return self._heed(Child(running.until_done(self._disturbed, step.command(case), self._fault, cuts)), step, case)

    def _kill(self, step: Step, case: Case) -> bool:
        """Kill one run of a step after the other; return whether one was done all the same."""
        missed: set[Disturbance] = set()
        for _ in range(IN_A_ROW_MOST if self._places.left(step.name) else IN_A_ROW_MOST // 3):
            if self._kill_one(step, case, missed):
                return True
        return False

    def _kill_one(self, step: Step, case: Case, missed: set[Disturbance]) -> bool:
        """Kill one run of a step, or the server under it, at a place or at some time; return whether it was done all the same."""
        kind = self._chance.choices(["kill", "server"], weights=[6, 1])[0]
        is_timed = self._chance.random() < TIMED_SHARE
        disturbance = None if is_timed else self._places.choose(step.name, kind, self._chance, missed)
        child = self._start(step, case, [disturbance] if disturbance else [])
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

    def _stop(self, step: Step, case: Case) -> bool:
        """Stop a worker past its lease, have another take over, and let both go on: each believes that it holds the chunk."""
        where, first = self._places.stop(step.name, self._chance)
        slow = self._start(step, case, [first])
        with processes.ended(slow):
            if not slow.wait_stopped():
                return self._heed(slow, step, case)
            self.tally.struck[f"stop {where}"] += 1
            time.sleep(LEASE_SECONDS * 1.1)
            # Before the first goes on, it takes its chunk, or it does all that it can.
            takes_only = self._chance.random() < (0.7 if where == AT_A_CLAIM else 0.3)
            second = self._start(step, case, [self._places.claim(step.name)] if takes_only else [])
            with processes.ended(second):
                # It may wait for rows that the first has locked, and then comes to no end yet.
                second.wait_stopped(seconds=1)
                slow.go_on()
                time.sleep(self._chance.uniform(0.05, LEASE_SECONDS * 1.5))
                second.go_on()
                endings = [self._heed(child, step, case) for child in (slow, second)]
        return all(endings)

    def _do_together(self, step: Step, case: Case) -> bool:
        """Have several processes do a step side by side; return whether it is done. The first is killed, the others rest where they write."""
        disturbance = self._places.choose(step.name, "kill", self._chance, ())
        naps = [[self._places.posting(step.name, "nap", self._chance) for _ in range(NAPS)] for _ in range(SIDE_BY_SIDE)]
        naps[0] = [disturbance]
        children = [self._start(step, case, disturbances) for disturbances in naps]
        with processes.ended(*children):
            endings = [self._heed(child, step, case) for child in children]
        self.tally.struck["together"] += 1
        return any(endings)

    def _meet_rival(self, step: Step, case: Case) -> bool:
        """Have one that takes no locks decide on a chunk, and write when another has applied it: now the keys alone refuse it.

        However it ends is right, if only the rows are. Return whether the other has done the step.
        """
        rival = Child(running.once(self._disturbed, step.command(case), planted.RIVAL, [self._places.write(step.name)]))
        with processes.ended(rival):
            if not rival.wait_stopped():
                return False
            self.tally.struck["rival"] += 1
            time.sleep(LEASE_SECONDS * 1.1)
            is_done = self._heed(self._start(step, case, []), step, case)
            rival.go_on()
            rival.wait()
        self._rivals.append(rival.pid)
        return is_done

    def _do_in_pool(self, step: Step, case: Case) -> bool:
        """Have a command do a step with workers of its own, and kill one of them, or the command; return whether it is done."""
        child = Child(running.once(self._disturbed, [*step.command(case), "--workers", "2"], self._fault, []))
        with processes.ended(child):
            time.sleep(self._chance.uniform(0.2, POOL_SECONDS))
            victims = [*child.workers(), child.pid]
            child.send(signal.SIGKILL, self._chance.choice(victims))
            is_done = self._heed(child, step, case)
        self.tally.struck["pool"] += 1
        return is_done

    def _finish(self, step: Step, case: Case) -> bool:
        """Run a step without killing it, but perhaps with deadlocks; return whether it is done."""
        disturbances = []
        if step.cuts_most and self._left()["deadlock"]:
            disturbances = [self._places.choose(step.name, "deadlock", self._chance, ()) for _ in range(DEADLOCKS_AT_ONCE)]
        return self._heed(self._start(step, case, disturbances), step, case)

    def _start(self, step: Step, case: Case, disturbances: Sequence[Disturbance]) -> Child:
        return Child(running.once(self._disturbed, step.command(case), self._fault, disturbances))

    def _restart(self) -> None:
        """Kill the server, if it is not dead yet, and start it again."""
        self._disturbed.server.kill9()
        try:
            self._disturbed.server.start()
        except servers.Unavailable:
            # Once more: the machine may have stood still. What was damaged by the kill keeps it from starting this time too.
            self._disturbed.server.start()

    def _heed(self, child: Child, step: Step, case: Case) -> bool:
        """Wait for a child and take in what it says; return whether the step is done.

        :raises Found: where it ended in another way than done, “try again” or killed, or where two writers met, which none does that holds
            the locks
        """
        with processes.ended(child):
            status = child.wait()
        self.tally.planted += len(child.told("planted"))
        self.tally.struck.update(told for told in child.told("struck") if not told.startswith("stop"))
        if met := child.told("met"):
            raise Found(f"{step.name}: two writers met on a unique key of the ledger: {met[0]}")
        if status == -signal.SIGKILL:
            return False
        if status:
            surprise = "".join(child.told("surprise")).strip()
            raise Found(f"{step.name} ended with status {status}: {surprise.rpartition(chr(10))[2]}\n{surprise}".strip())
        (ended,) = child.told("ended")
        if ended["status"] == running.AGAIN:
            return False
        if ended["status"] != running.DONE:
            raise Found(f"{step.name} ended with status {ended['status']}: {ended['complaints'].strip()}")
        made = ended["said"].get("reversal") or ended["said"]["batch"]
        if made not in case.batches:
            case.batches.append(made)
        return True

    def _compare(self, when: str) -> None:
        """Hold the rows of both sites against each other.

        :raises Found: at a difference
        """
        if difference := self._count():
            raise Found(f"{when}: {difference}")

    def _count(self) -> str:
        """Count what is missing or too many at the disturbed site, as far as the files have come; return the first difference."""
        here, there = ([batch for case in cases for batch in case.batches] for cases in zip(*self._cases, strict=True))
        found = processes.result_of(partial(rows_of, self._disturbed, here))
        outcome = comparing.compared(processes.result_of(partial(rows_of, self._undisturbed, there)), found)
        self.tally.lost, self.tally.doubled = outcome.lost, outcome.doubled
        return outcome.difference

    def _verify(self) -> None:
        """Have the rows prove themselves.

        :raises Found: at a breach, or where an attempt says that two writers met
        """
        breaches, self.tally.takeovers, met = processes.result_of(partial(proof_of, self._disturbed, self._rivals))
        if breaches:
            raise Found(f"verify: {breaches[0]}")
        if met:
            raise Found(f"two writers met {met} times on a unique key")

    def _ask_planted(self) -> None:
        """Ask that the planted fault was there at all.

        :raises Found: where it changes statements, and none of those that passed was one
        """
        if planted.FAULTS[self._fault].pattern and not self.tally.planted:
            raise Found("no statement was one that the planted fault changes")


def rows_of(site: Site, batches: list[int]) -> comparing.Rows:
    """Return the rows of a site, in a child."""
    site.enter()
    return comparing.rows(site.directory, batches)


def proof_of(site: Site, rivals: list[int]) -> tuple[list[str], int, int]:
    """Return, in a child, what ``verify`` finds at a site, how many chunks were taken over, and how often writers but rivals met."""
    site.enter()
    return comparing.breaches(), comparing.counted("taken_over"), comparing.counted("meetings", without=rivals)
