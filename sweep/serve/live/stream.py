"""Server-sent events: what happened since a listener last heard, and from then on as it happens."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict

from sweep.records import Json
from sweep.serve.live.place import PlaceInHistory
from sweep.serve.live.watch import MOST_BEHIND, SweepWatch, Watchers
from sweep.serve.service import Service
from sweep.sweep_folder import SweepFolder

MOST_CLIENTS = 64
_HEARTBEAT_SECONDS = 15.0
_LONGEST_SECONDS = 3600.0
_UNTOLD = object()
_RETRY = "retry: 3000\n\n"
_CHECK_SECONDS = 0.5
"""How often a silent stream looks whether the service ends."""


async def stream(
    service: Service, watchers: Watchers, folder: SweepFolder | None, since: str | None
) -> AsyncIterator[str]:
    """Yield events as lines of an event stream, beginning behind `since`, else with what is new.

    A listener that lags too far behind, or whose place is of another sweep of that name, is told
    `reset`: it reads the state again and listens from there. Who works on the sweep is told first.
    """
    watch = watchers.listen(folder)
    service.clients.n += 1
    ends_at = time.monotonic() + _LONGEST_SECONDS
    try:
        yield _RETRY
        now = _now(watchers, watch)
        place = now if since is None else PlaceInHistory.parsed(since)
        if place is None or _is_elsewhere(place, now):
            yield _line("reset", {"why": "another sweep, or an older queue"}, now)
            place = now
        else:
            yield f"id: {place}\n\n"  # where a stream that hears nothing goes on
        # told first, as it may be another one than when the page was made
        holder: object = _UNTOLD
        heard_at = time.monotonic()
        while not service.ending.is_set() and time.monotonic() < ends_at:
            changed = watchers.changed
            lines, place = _news(watchers, watch, place)
            if lines is None:
                yield _line("reset", {"why": "too far behind"}, _now(watchers, watch))
                return
            if watch is not None and watch.holder != holder:
                holder = watch.holder
                lines.append(_line("process", {"sweep": watch.folder.name, "process": holder}))
            for line in lines:
                yield line
            if lines:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _HEARTBEAT_SECONDS:
                heard_at = time.monotonic()
                yield ": still here\n\n"
            try:
                await asyncio.wait_for(changed.wait(), _CHECK_SECONDS)
            except TimeoutError:
                continue
        yield _line("bye", {"why": "ending" if service.ending.is_set() else "an hour is over"})
    finally:
        service.clients.n -= 1
        watchers.leave(watch)


def _now(watchers: Watchers, watch: SweepWatch | None) -> PlaceInHistory:
    """Return the place behind all that has happened."""
    if watch is None:
        return PlaceInHistory(watchers.entry)
    return PlaceInHistory(watchers.entry, watch.identity, watch.last)


def _is_elsewhere(place: PlaceInHistory, now: PlaceInHistory) -> bool:
    """Return whether a place is not in the history that is told here."""
    if place.entry > now.entry or place.event > now.event:
        return True
    return bool(now.identity) and place.identity != now.identity


def _news(
    watchers: Watchers, watch: SweepWatch | None, place: PlaceInHistory
) -> tuple[list[str] | None, PlaceInHistory]:
    """Return what happened behind a place, and the place behind that; None if it is too much."""
    entries = watchers.entries_after(place.entry)
    events = [] if watch is None else watch.after(place.event)
    if watch is not None and watch.identity != place.identity:
        return None, place
    if len(entries) > MOST_BEHIND or len(events) > MOST_BEHIND:
        return None, place
    lines = []
    for entry in entries:
        place = place.after_entry(entry.entry)
        lines.append(_line("job", {"action": entry.action, "subject": entry.subject}, place))
    for event in events:
        place = place.after_event(event.event)
        told = asdict(event) | {"sweep": "" if watch is None else watch.folder.name}
        lines.append(_line(event.kind, told, place))
    return lines, place


def _line(kind: str, data: Json, place: PlaceInHistory | None = None) -> str:
    number = "" if place is None else f"id: {place}\n"
    return f"{number}event: {kind}\ndata: {json.dumps(data)}\n\n"
