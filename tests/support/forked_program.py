"""Start of a program by the fork server, for programs that start other programs themselves.

    python -I -S forked_program.py SOCKET ARGUMENT...

- Arguments: those of the interpreter, `-c CODE`, `-m MODULE` or a script, followed by those of the program.
- The program inherits the standard streams, the environment and the directory of this process, and has a session of its
  own if this process leads one.
- The program receives SIGINT and SIGTERM sent to this process. Other signals that end this process do not reach it.
- The process ends like the program, with the same exit code or signal.
"""

import json
import os
import signal
import socket
import sys


def main() -> None:
    """Start the program, release its standard streams, and end like the program."""
    address, *arguments = sys.argv[1:]
    request = {
        "arguments": arguments,
        "environ": dict(os.environ),
        "directory": os.getcwd(),  # noqa: PTH109 (pathlib takes longer to import than all other modules)
        "new_session": os.getsid(0) == os.getpid(),
        "controlling_terminal": False,
    }
    status_pipe, status_end = os.pipe()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], [0, 1, 2, status_end])
        pid = int(connection.recv(64))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: os.kill(pid, number))
    for descriptor in (0, 1, 2, status_end):
        os.close(descriptor)
    code = int(os.read(status_pipe, 64))
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
