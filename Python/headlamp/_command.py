"""The command itself: where it is, how it is run, and what it says when it cannot go on."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable, Mapping, Optional

_HERE = Path(__file__).parent


class HeadlampError(Exception):
    """What the command said: one line about what is wrong, where, and what to do."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        #: 2 for misuse, 1 for failure; negative for a signal.
        self.exit_code = exit_code


def command_path() -> str:
    """The command that came with this package; else the one named by HEADLAMP, or found on the path."""
    own = _HERE / "bin" / "headlamp"
    named = os.environ.get("HEADLAMP")
    found = named or (str(own) if own.exists() else shutil.which("headlamp"))
    if not found:
        raise HeadlampError("the command 'headlamp' was not found; install it, or name it in HEADLAMP", 1)
    return found


def environment(more: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """The command's environment: this process's, with the bundled tasks."""
    result = dict(os.environ)
    bundled = _HERE / "Circuits"
    if bundled.is_dir():
        result.setdefault("HEADLAMP_CIRCUITS", str(bundled))
    result.update(more or {})
    return result


def words(options: Mapping[str, object]) -> list[str]:
    """``least_share=0.1, all=True`` as ``--least-share 0.1 --all``; None and False are left out."""
    result: list[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        result.append("--" + name.replace("_", "-"))
        if isinstance(value, (list, tuple)):
            result.append(",".join(str(item) for item in value))
        elif value is not True:
            result.append(str(value))
    return result


def run(arguments: Iterable[str], *, progress: bool = True, extra: Optional[Mapping[str, str]] = None) -> str:
    """Runs the command and gives back what it printed.

    Notes that the command writes while it works go to ``sys.stderr``, which is where a notebook shows them.

    :raises HeadlampError: with the command's own line, where it fails.
    """
    process = subprocess.Popen(
        [command_path(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        text=True, env=environment(extra))
    notes: list[str] = []
    try:
        # Errors are read as they come by one thread, results by the other: neither pipe can fill up.
        from threading import Thread

        def read_notes() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                notes.append(line.rstrip("\n"))
                if progress and not line.startswith("headlamp: "):
                    print(line, end="", file=sys.stderr, flush=True)

        reader = Thread(target=read_notes, daemon=True)
        reader.start()
        assert process.stdout is not None
        text = process.stdout.read()
        code = process.wait()
        reader.join()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code != 0:
        said = next((line for line in reversed(notes) if line.startswith("headlamp: ")), "")
        raise HeadlampError(said[len("headlamp: "):] or (notes[-1] if notes else f"exit code {code}"), code)
    return text
