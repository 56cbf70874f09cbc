"""Connections of clients: closed when a request does not come to its end in time.

Uvicorn waits for a request without end. So whoever opens as many connections as it takes, and sends
half a line on each, would keep everybody else out, without a token.
"""

import asyncio
import time

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""For a connection to send the whole head of a request."""
BODY_SECONDS = 60.0
"""For the body behind it."""
_LOOKS_SECONDS = 1.0


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to its patience."""

    _look: asyncio.TimerHandle | None = None
    _state: object = None
    _since: float = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look after the connection."""
        super().connection_made(transport)
        self._look_after()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _look_after(self) -> None:
        """Close the connection if it has stood in one place of a request for too long."""
        state, now = (self.conn.their_state, self.cycle), time.monotonic()
        if state != self._state:
            self._state, self._since = state, now
        limits = {h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}
        limit = limits.get(self.conn.their_state)
        if limit is not None and now - self._since > limit:
            self.transport.abort()
            return
        self._look = self.loop.call_later(_LOOKS_SECONDS, self._look_after)
