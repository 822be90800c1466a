"""How gunicorn serves Kakutei. Started with ``--config config/gunicorn_conf.py``; what the command line says goes first."""

import gc
import os
import subprocess
import sys
from typing import Any

bind = "127.0.0.1:8000"
worker_class = "config.buffered_worker.BufferedWorker"
workers = 2
threads = 8
worker_connections = 512
# One request a connection: what follows a request is never taken for another. The proxy in front keeps the connections of browsers open.
keepalive = 0
# The loop of a worker gives a sign of life each second, however long a request takes.
timeout = 120
graceful_timeout = 60
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190
# Headers that a proxy and the application could read in two ways are refused, and so is everything that the standard has left behind.
header_map = "refuse"
forwarded_allow_ips = "127.0.0.1,::1"
# A level that is none stops the start below, with a sentence.
given = os.environ.get("LOG_LEVEL", "WARNING")
loglevel = given.lower() if given in {"DEBUG", "INFO", "WARNING", "ERROR"} else "warning"
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": "ext://config.logs.renderer",
            "foreign_pre_chain": "ext://config.logs.of_others",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "level": loglevel.upper()}},
    "root": {"handlers": ["stderr"], "level": loglevel.upper()},
    "loggers": {name: {"handlers": [], "level": "NOTSET", "propagate": True} for name in ("gunicorn.error", "gunicorn.access")},
}


def on_starting(server: Any) -> None:
    """Before anything is bound: ask whether this may be served at these addresses. In a process of its own, so that a reload sees new code."""
    addresses = [
        ":".join(str(part) for part in address) if isinstance(address, tuple) else str(address) for address in server.cfg.address
    ]
    if subprocess.run([sys.executable, "-m", "config.starting", *addresses], check=False, cwd=server.cfg.chdir).returncode:
        sys.exit(1)


def post_worker_init(worker: Any) -> None:
    """Have Python look for cycles only among what requests make. Among all that was loaded a look takes a tenth of a second, in which no thread goes on."""
    del worker
    gc.collect()
    gc.freeze()
