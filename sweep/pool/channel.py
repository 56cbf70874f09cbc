"""Messages between two processes over a socket: values whose arrays are sent as they are.

What is received is unpickled, which runs what the sender says: only for a socket whose other end is
a process that this one has started, or that has started this one.
"""

import pickle
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

_LENGTH = struct.Struct("<Q")
_BUFFER_BYTES = 4 << 20
"""Of the socket, as far as the system allows it: a state of some MB goes in a few pieces."""
_SMALL = 1 << 16
"""Bytes; parts up to this size are copied together, to be sent at once."""


class ClosedError(Exception):
    """The other end is gone."""


class Channel:
    """One end of a connection. Several threads may send, one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)

    @classmethod
    def pair(cls) -> tuple["Channel", socket.socket]:
        """Return an end, and the socket of the other for another process."""
        one, other = socket.socketpair()
        return cls(one), other

    def send(self, value: Any) -> None:
        """Send a value. Raises ClosedError."""
        buffers: list[pickle.PickleBuffer] = []
        text = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(text), *(buffer.raw() for buffer in buffers)]
        lengths = b"".join(_LENGTH.pack(part.nbytes) for part in parts)
        small = bytearray(_LENGTH.pack(len(parts)) + lengths)
        try:
            with self._sending:
                for part in parts:
                    if part.nbytes <= _SMALL:
                        small += part
                        continue
                    self._socket.sendall(small)
                    self._socket.sendall(part)
                    small = bytearray()
                self._socket.sendall(small)
        except OSError as error:
            raise ClosedError from error

    def receive(self) -> Any:
        """Wait for the next value. Raises ClosedError."""
        (n_parts,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        lengths = self._exactly(n_parts * _LENGTH.size)
        text, *buffers = [self._exactly(length) for (length,) in _LENGTH.iter_unpack(lengths)]
        return pickle.loads(text, buffers=buffers)

    def _exactly(self, length: int) -> bytearray:
        found = bytearray(length)
        rest = memoryview(found)
        try:
            while rest:
                n_read = self._socket.recv_into(rest)
                if not n_read:
                    raise ClosedError
                rest = rest[n_read:]
        except OSError as error:
            raise ClosedError from error
        return found

    def hang_up(self) -> None:
        """Have both ends raise ClosedError from now on, also who waits there at this moment."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up, and give the descriptor back."""
        self.hang_up()
        self._socket.close()
