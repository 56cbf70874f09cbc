"""A web server on the loopback that serves one file, well or badly, and notes what it was asked."""

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What the server does. Can be changed while it runs."""

    body: bytes
    ranges: bool = True
    etag: str | None = '"one"'
    status: int = 200
    content_type: str = "application/gzip"
    said_length: str | None = None
    """The Content-Length it says, if not the true one."""
    byte_seconds: float = 0.0
    """The pause after each byte of a slow server."""
    extra_length: int = 0
    """Added to the Content-Length it says."""
    drops: list[int] = field(default_factory=list)
    """For each request to come: bytes after which the connection drops."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """Headers of the requests so far."""
    sent: int = 0
    url: str = ""

    @property
    def asked_ranges(self):
        return [headers.get("Range") for headers in self.requests]


@contextmanager
def serving(body, **options):
    served = Served(body, **options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.requests.append(dict(self.headers))
            answer(self, served)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass  # the client hung up: that is its right

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/data/HIGGS.csv.gz"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler, served):
    status, first, end = served.status, 0, len(served.body)
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    same = handler.headers.get("If-Range") in (None, served.etag)
    if asked and served.ranges and same and status == 200:
        status, first = 206, int(asked[1])
        end = min(end, int(asked[2]) + 1) if asked[2] else end
        if first >= len(served.body):
            status, first, end = 416, 0, 0
    part = served.body[first:end]
    handler.send_response(status)
    if status == 206:
        handler.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(served.body)}")
    if status == 416:
        handler.send_header("Content-Range", f"bytes */{len(served.body)}")
    if served.etag is not None:
        handler.send_header("ETag", served.etag)
    handler.send_header("Content-Type", served.content_type)
    said = served.said_length or str(len(part) + served.extra_length)
    handler.send_header("Content-Length", said)
    handler.end_headers()
    if served.drops:
        part = part[: served.drops.pop(0)]
        handler.close_connection = True
    size = 1 if served.byte_seconds else 1 << 14
    for start in range(0, len(part), size):
        handler.wfile.write(part[start : start + size])
        served.sent += len(part[start : start + size])
        threading.Event().wait(served.byte_seconds)
