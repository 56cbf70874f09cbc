"""Runs a service: the HTTP server, the dispatcher, the planner, and an orderly end."""

import asyncio
import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import FrameType

import uvicorn

from sweep.errors import PlatformError
from sweep.serve.access.guard import MOST_HEADER_BYTES
from sweep.serve.app import make_app
from sweep.serve.connections import ImpatientProtocol
from sweep.serve.options import STOP, UNIX, ServeOptions
from sweep.serve.pages.render import compile_templates
from sweep.serve.queue import jobs
from sweep.serve.queue.database import QueueDatabase, QueueFolder
from sweep.serve.service import Service
from sweep.serve.systemd import notify
from sweep.serve.work import webhook
from sweep.serve.work.dispatcher import Dispatcher
from sweep.serve.work.notices import Notifier
from sweep.serve.work.plans import Planner

_CLOSING_SECONDS = 20.0
"""For jobs to stop; what takes longer goes on by itself and is found again."""
_MOST_CONNECTIONS = 256
_FIRST_LOOK_SECONDS = 1.0
"""The address is told once all sweeps were looked at, so that the first page is quick; or now."""
_FIRST_PAGE_SECONDS = 2.0
"""What only later pages need is imported after so long, so it does not slow the first one."""


@contextmanager
def opened(options: ServeOptions) -> Iterator[Service]:
    """Open a service's queue and begin to dispatch; at the end nothing new is started.

    Raises LockedError if the results folder is served already.
    """
    folder = QueueFolder(options.results)
    if options.notify is not None:
        webhook.addresses(options.notify, private=options.notify_private)
    with folder.served(), QueueDatabase(folder.database) as database:
        planner = Planner(options, database)
        service = Service(options, database, planner)
        dispatcher, notifier = Dispatcher(service), Notifier(service)
        dispatcher.start()
        if options.notify is not None:
            notifier.start()
        try:
            yield service
        finally:
            service.ending.set()
            _end(service, dispatcher)
            notifier.close()
            planner.close()


def _end(service: Service, dispatcher: Dispatcher) -> None:
    """Stop the jobs at work or leave them, then end the dispatcher."""
    if service.options.on_stop == STOP:
        dispatcher.stop_all()
        service.wake.set()
        deadline = time.monotonic() + _CLOSING_SECONDS
        while jobs.at_work(service.database) and time.monotonic() < deadline:
            if service.hurry.is_set():
                break
            time.sleep(0.1)
    dispatcher.close()


class _Server(uvicorn.Server):
    """Tells open streams to end before uvicorn waits for them."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.service.ending.is_set():
            self.service.hurry.set()
            self.force_exit = True
        self.service.ending.set()
        notify("STOPPING=1")
        self.should_exit = True  # uvicorn's own would raise the signal again, before jobs stop


def serve(service: Service, ready: Callable[[str], None]) -> None:
    """Answer requests until a signal ends it; `ready` is told the address once it listens."""
    options = service.options
    listener = listen(options)
    looked = Event()
    Thread(target=_warm_up, args=(service, looked), name="warm-up", daemon=True).start()
    proxy = options.behind_proxy
    config = uvicorn.Config(
        make_app(service),
        http=ImpatientProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=proxy is not None,
        forwarded_allow_ips="*" if proxy == UNIX else proxy or "",
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_graceful_shutdown=3,
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key,
        lifespan="off",
    )
    server = _Server(config, service)
    with listener:
        port = options.port if options.socket is not None else listener.getsockname()[1]
        asyncio.run(_run(server, listener, looked, lambda: ready(options.address_at(port))))


async def _run(
    server: _Server, listener: socket.socket, looked: Event, ready: Callable[[], None]
) -> None:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    waits_until = time.monotonic() + _FIRST_LOOK_SECONDS
    while not looked.is_set() and not task.done() and time.monotonic() < waits_until:
        await asyncio.sleep(0.01)
    if server.started:
        ready()
        notify("READY=1")
    while not task.done():
        notify("WATCHDOG=1")
        await asyncio.wait({task}, timeout=10.0)
    await task


def _warm_up(service: Service, looked: Event) -> None:
    """Look at all sweeps, and import what takes a second, before the first page asks for it."""
    try:
        service.looks.all(service.options.results)
        compile_templates()
    finally:
        looked.set()
    if service.ending.wait(_FIRST_PAGE_SECONDS):
        return
    from sweep.analysis.answers import verdict  # noqa: F401
    from sweep.analysis.page import sections  # noqa: F401


def listen(options: ServeOptions) -> socket.socket:
    """Return a bound socket. Raises PlatformError if the address cannot be had."""
    if options.socket is not None:
        return _listen_at_path(options)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # with its protocol named, asyncio sends each answer at once
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((options.host, options.port))
    except OSError as error:
        found.close()
        is_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        mend = "choose another --port, or end what listens there" if is_port else "see --host"
        raise PlatformError(
            f"cannot listen on {options.host}:{options.port} ({error.strerror or error}); {mend}"
        ) from error
    return found


def _listen_at_path(options: ServeOptions) -> socket.socket:
    path = options.socket
    if path is not None and path.is_socket():
        _remove_what_was_left(path)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o077)  # for its owner, until they say otherwise
    try:
        found.bind(str(path))
    except OSError as error:
        found.close()
        raise PlatformError(f"cannot listen on {path} ({error.strerror or error})") from error
    finally:
        os.umask(before)
    return found


def _remove_what_was_left(path: Path) -> None:
    """Remove the socket of a service that was killed. Raises PlatformError if one listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        if one.connect_ex(str(path)) == 0:
            raise PlatformError(f"something listens on {path} already; end it, or name another")
    path.unlink()


def quiet_logs() -> None:
    """Let the service's own log say faults only."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    # a fault of a route is logged where it is answered, under the number that is told
    again = "Exception in ASGI application"
    logging.getLogger("uvicorn.error").addFilter(lambda line: again not in line.getMessage())
