"""Run a command that ends when its parent ends: `python -I -S attached.py SIGNAL USER COMMAND [ARGUMENT…]`.

SIGNAL is what the command gets when its parent dies (a name such as TERM); USER is whom to become first (root only),
or `-`. A script by itself, so that it starts in milliseconds and needs nothing that USER could not read: PostgreSQL
refuses to run as root, and the Python in use may lie in a folder that only root can enter.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2); forgotten when the user changes, so it comes after


def main(signal_name: str, user: str, command: list[str]) -> None:
    if user != "-":
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ["HOME"] = entry.pw_dir
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.Signals[f"SIG{signal_name}"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
