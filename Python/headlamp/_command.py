"""The command itself: where it is, how it is run, and what it says when it cannot go on."""
from __future__ import annotations

import codecs
import contextlib
import csv
import io
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Iterable, Mapping, Optional

_HERE = Path(__file__).parent


class HeadlampError(Exception):
    """What the command said: one line about what is wrong, where, and what to do."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        #: 2 for misuse, 1 for failure; negative for a signal.
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[HeadlampError], tuple[str, int]]:
        return HeadlampError, (str(self), self.exit_code)


def command_path() -> str:
    """The command named by the environment's HEADLAMP; else the one in this package; else one on the path."""
    own = _HERE / "bin" / "headlamp"
    found = os.environ.get("HEADLAMP") or (str(own) if own.exists() else shutil.which("headlamp"))
    if not found:
        raise HeadlampError("the command 'headlamp' was not found; install it, or name it in HEADLAMP", 1)
    return found


def environment(more: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """This process's environment, with the tasks in this package."""
    result = dict(os.environ)
    bundled = _HERE / "Circuits"
    if bundled.is_dir():
        result.setdefault("HEADLAMP_CIRCUITS", str(bundled))
    result.update(more or {})
    return result


def words(options: Mapping[str, object]) -> list[str]:
    """``least_share=0.1, no_report=True`` as ``--least-share 0.1 --no-report``; None and False are left out."""
    result: list[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        option = "--" + name.replace("_", "-")
        if value is True:
            result.append(option)
        elif isinstance(value, (list, tuple)):
            # As a line of CSV: a name with a comma in it stands in quotes.
            line = io.StringIO()
            csv.writer(line, lineterminator="").writerow(value)
            result += [option, line.getvalue()]
        else:
            result += [option, str(value)]
    return result


def run(arguments: Iterable[str], *, progress: bool = True, extra: Optional[Mapping[str, str]] = None) -> str:
    """Runs the command and gives back what it printed.

    With ``progress``, what the command says while it works is passed on to ``sys.stderr``, which a notebook shows.
    An interrupt (Ctrl-C, or a notebook's stop button) is passed on to the command, and its end is waited for.

    :raises HeadlampError: with the command's own line, where it fails.
    """
    path = command_path()
    notes = _Notes(shown=progress)
    with contextlib.ExitStack() as stack:
        errors, child_errors = _terminal() if progress else os.pipe()
        stack.callback(os.close, errors)
        try:
            process = subprocess.Popen(
                [path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=child_errors,
                env=environment(extra))
        except OSError as error:
            raise HeadlampError(f"cannot start {path}: {error.strerror}", 1) from None
        finally:
            os.close(child_errors)
        assert process.stdout is not None
        stack.enter_context(process.stdout)
        try:
            text = _read_both(process.stdout, errors, notes)
            code = process.wait()
        except BaseException:
            _end(process, errors, notes)
            notes.say_failure()
            raise
        finally:
            notes.finish()
    if code != 0:
        raise HeadlampError(notes.failure or _ending(code), code)
    return text


def _terminal() -> tuple[int, int]:
    """Both ends of a terminal of its own, because the command shows progress on terminals only."""
    import fcntl
    import pty
    import struct
    import termios
    import tty

    reading, writing = pty.openpty()
    tty.setraw(writing)
    columns = shutil.get_terminal_size((100, 24)).columns
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return reading, writing


def _read_both(output: IO[bytes], errors: int, notes: _Notes) -> str:
    parts: list[bytes] = []
    with selectors.DefaultSelector() as ready:
        ready.register(output, selectors.EVENT_READ)
        ready.register(errors, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                try:
                    data = os.read(key.fd, 1 << 16)
                except OSError:  # A terminal's other end was closed.
                    data = b""
                if not data:
                    ready.unregister(key.fileobj)
                elif key.fd == errors:
                    notes.add(data)
                else:
                    parts.append(data)
    return b"".join(parts).decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes], errors: int, notes: _Notes) -> None:
    """Lets the command put down what it has, and ends it if it takes too long."""
    # An interrupt from a terminal has reached the command already; one from a notebook may have not.
    for wait, number in ((1.0, signal.SIGINT), (5.0, signal.SIGTERM), (1.0, signal.SIGKILL)):
        try:
            process.wait(wait)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(number)
    process.wait()
    os.set_blocking(errors, False)
    with contextlib.suppress(OSError):
        while data := os.read(errors, 1 << 16):
            notes.add(data)


def _ending(code: int) -> str:
    if code < 0:
        return f"the command was ended by {signal.Signals(-code).name}"
    return f"the command ended with exit code {code} and said nothing"


class _Notes:
    """What the command writes to its standard error: notes and progress are passed on, the failure is kept."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self._last = ""
        self._width = 0
        self._failure = ""

    @property
    def failure(self) -> str:
        """The command's own line without its name, or the last line there was."""
        return self._failure or self._last

    def add(self, data: bytes) -> None:
        *whole, self._line = (self._line + self._decoder.decode(data)).split("\n")
        for line in whole:
            line = _plain(line)
            if line:
                self._last = line
            if line.startswith("headlamp: "):
                self._failure = line[len("headlamp: "):]
            elif line:
                self._show(line + "\n")
        # A progress line has no end; the newest is what counts.
        if "\r" in self._line:
            self._show(_plain(self._line))

    def say_failure(self) -> None:
        """Shows the line that would be the exception's, where another exception is on its way."""
        if self._failure:
            self._show(self._failure + "\n")

    def finish(self) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        if not self._shown or (not text and self._width == 0):
            return
        # A progress line is overwritten by blanks, which a notebook understands too.
        over = "\r" + " " * self._width + "\r" if self._width else ""
        self._width = 0 if text.endswith("\n") else len(text)
        print(over + text, end="", file=sys.stderr, flush=True)


def _plain(line: str) -> str:
    """What stays of a line after its carriage returns and control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rstrip("\r").rsplit("\r", 1)[-1].rstrip()
