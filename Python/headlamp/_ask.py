"""Passes rows from the command to the Python process that asked for an explanation, and its answer back.

The command starts this file for every batch of rows; it imports nothing but the standard library, and starts fast.
"""
import socket
import struct
import sys


def receive(connection: socket.socket) -> bytes:
    """A message: eight bytes that say how long it is, then itself."""
    return _exactly(connection, struct.unpack("<Q", _exactly(connection, 8))[0])


def send(connection: socket.socket, data: bytes) -> None:
    """Sends a message that ``receive`` reads."""
    connection.sendall(struct.pack("<Q", len(data)) + data)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError("the other side went away")
        parts += part
    return bytes(parts)


def main() -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(sys.argv[1])
            send(connection, sys.stdin.buffer.read())
            answer = receive(connection)
        except (OSError, EOFError) as error:
            print(f"the Python process that holds the model does not answer: {error}", file=sys.stderr)
            return 1
    if answer[:1] == b"-":
        print(answer[1:].decode(), file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
