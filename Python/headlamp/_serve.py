"""Lets the command ask a model that lives in this process.

The command starts ``python -m headlamp._serve ADDRESS`` for every batch of rows: it passes what it reads to this process
and prints the answer. Nothing is pickled, so any callable will do.
"""
from __future__ import annotations

import csv
import io
import os
import socket
import struct
import sys
import tempfile
import threading
from typing import Any, Callable, Sequence

import numpy as np


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(struct.pack("<Q", len(data)) + data)


def _receive(connection: socket.socket) -> bytes:
    def exactly(count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = connection.recv(count - len(parts))
            if not part:
                raise EOFError("the other side went away")
            parts += part
        return bytes(parts)

    return exactly(struct.unpack("<Q", exactly(8))[0])


class Answering:
    """Answers batches on a socket that only this user can reach, while the ``with`` block runs."""

    def __init__(self, predict: Callable[[Any], Any], classes: Sequence[Any]) -> None:
        self._predict, self._classes = predict, [str(name) for name in classes]

    def __enter__(self) -> str:
        self._folder = tempfile.TemporaryDirectory(prefix="headlamp-")
        address = os.path.join(self._folder.name, "socket")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(address)
        self._socket.listen()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        return address

    def __exit__(self, *error: Any) -> None:
        self._socket.close()
        self._folder.cleanup()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    answer = b"+" + self._table(_receive(connection))
                except EOFError:
                    continue
                except Exception as error:  # The model's own failure, told to whoever asked.
                    answer = b"-" + f"{type(error).__name__}: {error}".encode()
                _send(connection, answer)

    def _table(self, rows: bytes) -> bytes:
        answers = np.asarray(self._predict(_frame(rows.decode())), dtype=float)
        if answers.ndim == 1:
            answers = answers[:, None]
        out = io.StringIO()
        writer = csv.writer(out)
        if len(self._classes) == answers.shape[1]:
            writer.writerow(self._classes)
        writer.writerows([repr(float(value)) for value in row] for row in answers)
        return out.getvalue().encode()


def _frame(text: str) -> Any:
    try:
        import pandas
    except ImportError:
        return [row for row in csv.reader(io.StringIO(text))][1:]
    return pandas.read_csv(io.StringIO(text))


def main() -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        _send(connection, sys.stdin.buffer.read())
        answer = _receive(connection)
    if answer[:1] == b"-":
        print(answer[1:].decode(), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
