"""Lets the command ask a model that lives in this process.

The command starts ``_ask.py`` for every batch of rows, which passes them to a socket here and prints the answer.
Nothing is pickled, so any callable will do.
"""
from __future__ import annotations

import csv
import io
import os
import shlex
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Callable

import numpy as np

from ._ask import receive, send

Rows = Callable[[str], Any]
Answers = Callable[[Any], np.ndarray]


class Answering:
    """Answers batches on a socket that only this user can reach, while the ``with`` block runs."""

    def __init__(self, rows: Rows, predict: Answers, header: list[str]) -> None:
        """
        :param rows: from CSV text to what the model takes.
        :param predict: from that to numbers ``[row, output]``.
        :param header: the outputs' names, where they have any.
        """
        self._rows, self._predict, self._header = rows, predict, header
        #: What the model raised last.
        self.failure: BaseException | None = None

    def __enter__(self) -> Answering:
        self._folder = tempfile.TemporaryDirectory(prefix="headlamp-")
        self._address = os.path.join(self._folder.name, "socket")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self._address)
        self._socket.listen()
        threading.Thread(target=self._answer, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        # Closing alone does not wake up a thread that waits for a connection.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._folder.cleanup()

    @property
    def command(self) -> str:
        """The line that asks this model."""
        asking = Path(__file__).with_name("_ask.py")
        return shlex.join([sys.executable, "-I", "-S", str(asking), self._address])

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    rows = receive(connection)
                    try:
                        answer = b"+" + self._table(rows.decode())
                    except Exception as error:  # The model's own failure, told to whoever asked.
                        self.failure = error
                        said = " ".join(str(error).split())
                        answer = b"-" + f"{type(error).__name__}: {said}".encode()
                    send(connection, answer)
                except (OSError, EOFError):
                    continue

    def _table(self, text: str) -> bytes:
        answers = self._predict(self._rows(text))
        out = io.StringIO()
        writer = csv.writer(out)
        if self._header:
            writer.writerow(self._header)
        writer.writerows([repr(float(value)) for value in row] for row in answers)
        return out.getvalue().encode()
