"""State machines as data: from, to, who may, guards, what is written.

A guard is asked with the facts of the case and answers with its reasons; no reasons means that the way is free. The same answer is
shown beside the disabled button, returned by the API and printed by the command.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise

from ledger_app import errors
from ledger_app.errors.words import Words


class Facts(Protocol):
    """What every guard may rely on; each machine adds its own."""

    @property
    def state(self) -> str:
        """The state of the subject."""

    @property
    def user_name(self) -> str:
        """The user who asks."""

    @property
    def rights(self) -> frozenset[str]:
        """The rights of that user, as ``app.codename``."""


Guard = Callable[[Any], Sequence[errors.LedgerError]]


@dataclass(frozen=True, slots=True)
class Transition:
    """One arrow of a machine.

    An empty ``target`` leaves the state as it is. ``right`` is what the user needs; ``who`` says in words who has it; ``decides`` marks a decision, which a person makes and a
    command may be forbidden to make; ``automatic`` marks an arrow that a running step takes by itself; ``writes`` says what is written
    beside the state and the audit row; ``phrase`` says afterwards, behind the name of the person who did it, what was done.
    """

    name: str
    label: str | Promise
    description: str | Promise
    sources: tuple[str, ...]
    target: str
    right: str
    who: str | Promise
    guards: tuple[Guard, ...] = ()
    reason_required: bool = False
    decides: bool = False
    automatic: bool = False
    writes: str = ""
    phrase: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """All arrows of one kind of subject."""

    subject: str
    states: Mapping[str, str | Promise]
    initial: str
    transitions: tuple[Transition, ...]

    def transition(self, name: str) -> Transition:
        """Return the transition called ``name``."""
        return next(transition for transition in self.transitions if transition.name == name)

    def ahead(self, state: str) -> list[Transition]:
        """Return the transitions that a person may ask for in ``state`` or in a state that can still be reached from it.

        What lies behind a state for ever is left out: its guards would answer about rows that are not theirs to judge any more.
        """
        reached = self._reached(state)
        return [each for each in self.transitions if not each.automatic and reached & set(each.sources)]

    def comes_back(self, transition: Transition) -> bool:
        """Return whether ``transition`` can happen again to the same subject: from where it leads, a state that it starts from can be reached.

        Asked for a second time, it would then undo what others did in between: every door asks for the version that was shown.
        """
        return any(self._reached(transition.target or source) & set(transition.sources) for source in transition.sources)

    def _reached(self, state: str) -> set[str]:
        """Return the states that can be reached from ``state``, itself among them."""
        reached, edge = {state}, [state]
        while edge:
            here = edge.pop()
            for each in self.transitions:
                if here in each.sources and each.target and each.target not in reached:
                    reached.add(each.target)
                    edge.append(each.target)
        return reached

    def blockers(self, transition: Transition, facts: Facts) -> list[errors.LedgerError]:
        """Return why ``transition`` is not free under ``facts``: state first, then right, then guards in their order."""
        found: list[errors.LedgerError] = []
        if facts.state not in transition.sources:
            needed = Words(self.states[state] for state in transition.sources)
            found.append(errors.WrongState(action=transition.label, needed=needed, state=self.states[facts.state]))
        if transition.right not in facts.rights:
            found.append(errors.NotPermitted(user=facts.user_name, right=transition.label, who=transition.who))
        for guard in transition.guards:
            found += guard(facts)
        return found


def draw(machine: Machine) -> str:
    """Return the machine as a Mermaid state diagram followed by its table, in Markdown."""
    arrows = [f"    [*] --> {machine.initial}"]
    for transition in machine.transitions:
        arrows += [f"    {source} --> {transition.target or source}: {transition.name}" for source in transition.sources]
    final = [state for state in machine.states if not any(state in transition.sources for transition in machine.transitions)]
    arrows += [f"    {state} --> [*]" for state in final]
    rows = [
        f"| {transition.name} | {', '.join(transition.sources)} | {transition.target or '(stays)'} | {transition.who} | "
        f"{', '.join(guard.__name__ for guard in transition.guards) or '–'} | "
        f"{'yes' if transition.reason_required else 'no'} | {transition.writes} |"
        for transition in machine.transitions
    ]
    return "\n".join(
        [
            f"# The states of {'an' if machine.subject[0] in 'aeiou' else 'a'} {machine.subject}",
            "",
            "Drawn from the table in the code by `python manage.py draw_states`; a test keeps it current.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
            "| transition | from | to | who | guards | reason needed | writes, beside state and audit row |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
