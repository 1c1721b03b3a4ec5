"""Runs inside the processes of `--processes`; imports nothing of this folder.

launcher.py with-parent <command…>   become the command, which the kernel ends when the thread that started it ends
launcher.py function <handler>       be the Lambda runtime, on the platform's clock
"""

import os
import sys


def with_parent(command: list[str]) -> None:
    """PR_SET_PDEATHSIG, then exec: it outlives the exec, not the parent."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.execv(command[0], command)


def function(handler: str) -> None:
    """awslambdaric, with the platform's clock in every package of the layers that has one."""
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]  # not this folder: its names are not for functions
    _follow_clock(os.environ["LOCAL_CLOCK_FILE"])
    from awslambdaric.__main__ import main

    main(["awslambdaric", handler])


def _follow_clock(file: str) -> None:
    import datetime as dt
    import importlib
    import importlib.util

    def now() -> dt.datetime:
        with open(file) as offset:  # noqa: PTH123 (pathlib costs more than all the rest)
            return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=float(offset.read()))

    for package in filter(None, os.environ["LOCAL_PACKAGES"].split(os.pathsep)):
        if importlib.util.find_spec(f"{package}.clock"):
            importlib.import_module(f"{package}.clock").now = now  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv[1] == "with-parent":
        with_parent(sys.argv[2:])
    else:
        function(sys.argv[2])
