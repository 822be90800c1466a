"""Print the port asked for, or a free one when another program has it: python .ci/free_port.py PORT."""

import socket
import sys


def free_port(wanted: int) -> int:
    """Return ``wanted`` if a server could listen on it at 127.0.0.1 now, else a port that is free."""
    for port in (wanted, 0):
        with socket.socket() as listener:
            # As servers do: a port whose last connections are still winding down counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = listener.getsockname()[1]
            return bound
    raise SystemExit("No port is free on 127.0.0.1.")


if __name__ == "__main__":
    sys.stdout.write(f"{free_port(int(sys.argv[1]))}\n")
