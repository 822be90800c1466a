"""Whether anybody is there to do what is queued: answered by the application that knows the workers, which the ledger does not."""

from collections.abc import Callable

_questions: list[Callable[[], bool]] = []


def register(question: Callable[[], bool]) -> None:
    """Register the question. The application that knows the workers calls this when it starts."""
    if question not in _questions:
        _questions.append(question)


def is_anybody_there() -> bool:
    """Whether a process is there that takes what is queued."""
    return any(question() for question in _questions)
