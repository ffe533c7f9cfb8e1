"""Nodes without the two seconds of reading in a program: forked from a process that has read it in.

One node is one process all the same, with a home, an output and an end of its own; kill -9 ends it as it
would any. What is asked comes as a line on standard input, what is told goes out as a line.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main() -> None:
    """Serve until the socket whose number is given is closed."""
    import samsyn.cli
    import samsyn.cli.node  # all that a node needs

    line = socket.socket(fileno=int(sys.argv[1]))
    while True:
        asked, descriptors, _, _ = socket.recv_fds(line, 65_536, 2)
        if not asked:
            return
        words = json.loads(asked)
        if "end" in words:
            os.kill(words["end"], signal.SIGKILL)
            os.waitpid(words["end"], 0)
            line.send(b"0")
            continue
        pid = os.fork()
        if pid == 0:
            line.close()
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[1], 2)
            os.environ.update(words["env"])
            samsyn.cli.main(words["words"], prog_name="samsyn")
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
        line.send(str(pid).encode())


if __name__ == "__main__":  # a second process (statements.second) imports this file too
    main()
