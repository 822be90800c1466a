"""Processes that apply chunks side by side. Imports no model: it is loaded in a new process before Django is set up there."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

import django


def processes(count: int) -> ProcessPoolExecutor:
    """Return a pool of ``count`` new processes in which Django is set up."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_start)


def _start() -> None:
    """Set Django up, and have the process end with the one that started it: killed, that one cannot tell it to."""
    django.setup()
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # at once: the transaction that is open is undone by the database
