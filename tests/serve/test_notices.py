"""Webhooks hear of each job's end, signed; nothing is sent to an address that was not checked."""

import json
import socket
import ssl
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests

from sweep.errors import UsageError
from sweep.serve.queue import jobs
from sweep.serve.queue.job import JobKind, JobState, NewJob
from sweep.serve.work import control, notices, webhook

LOOPBACK = "127.0.0.1"


@contextmanager
def hook(*answers, tls=None):
    """A webhook that answers with these codes, then with 204; yields its port and what it heard."""
    heard, codes = [], list(answers)

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), body))
            self.send_response(codes.pop(0) if codes else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer((LOOPBACK, 0), Hook)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def names(monkeypatch):
    """Addresses of names, one after the other: what a name server says that changes its mind."""
    known, really = {}, socket.getaddrinfo

    def looked_up(host, *arguments, **options):
        if host in known:
            host = known[host].pop(0)
        return really(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return known


def test_a_jobs_end_is_told_signed_and_told_again_if_it_was_not_heard(service, monkeypatch):
    monkeypatch.setattr(notices, "_WAITS", (0.0, 0.0, 0.0))
    with hook(500, 302) as (port, heard):
        url = f"http://{LOOPBACK}:{port}/"
        service.options = replace(service.options, notify=url, notify_private=True)
        job = jobs.add(service.database, NewJob(JobKind.CONFIRM, "small", {}), "Ada")
        notices.enter(service, jobs.end(service.database, job, JobState.FINISHED))
        for _ in range(4):
            notices.deliver_due(service)
    assert len(heard) == 3
    assert len({body for _, body in heard}) == 1
    headers, body = heard[-1]
    assert headers[notices.SIGNATURE] == notices.signature(
        notices.secret_of(service.database), body
    )
    told = json.loads(body)
    assert (told["job"], told["state"], told["sweep"]) == (job.job, "finished", "small")
    assert any("Best is trial 1" in line for line in told["verdict"])


def test_a_job_that_is_cancelled_while_it_waits_has_ended_too(service):
    service.options = replace(service.options, notify="http://127.0.0.1:9/", notify_private=True)
    job = jobs.add(service.database, NewJob(JobKind.CONFIRM, "small", {}), "Ada")
    for _ in range(2):
        control.cancel(service, job.job)
    assert [row["job"] for row in service.database.rows("SELECT job FROM delivery")] == [job.job]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost:1", "10.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "[::1]",
        "[fe80::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433",
    ],
)  # fmt: skip
def test_notices_go_to_addresses_of_this_network_only_if_that_is_allowed(host):
    with pytest.raises(UsageError, match="--notify-private"):
        webhook.addresses(f"http://{host}/x", private=False)
    assert webhook.addresses(f"http://{host}/x", private=True)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://", "http://[::1", "http://a:99999/", "ftp://a/", "x"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="http or https"):
        webhook.addresses(url, private=True)


def test_a_public_address_may_be_told(names):
    names["hooks.example"] = ["1.1.1.1"]
    assert webhook.addresses("https://hooks.example/x", private=False) == ["1.1.1.1"]


def test_a_name_is_looked_up_once_so_it_cannot_lead_elsewhere_after_the_check(names):
    with hook() as (port, heard):
        names["hooks.example"] = [LOOPBACK, "203.0.113.9"]
        url = f"http://hooks.example:{port}/deep?er=1"
        assert webhook.post(url, b"{}", {}, private=True) == 204
        assert names["hooks.example"] == ["203.0.113.9"]
        names["hooks.example"] = [LOOPBACK]
        with pytest.raises(UsageError, match="--notify-private"):
            webhook.post(url, b"{}", {}, private=False)
    ((headers, _),) = heard
    assert headers["Host"] == f"hooks.example:{port}"


def test_the_name_is_what_the_certificate_must_be_of(names, tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=x",
            "-addext", "subjectAltName=DNS:hooks.example",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    tls, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    tls.load_cert_chain(certificate, key)
    tls.sni_callback = lambda connection, name, context: asked.append(name)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    names["hooks.example"], names["other.example"] = [LOOPBACK], [LOOPBACK]
    with hook(tls=tls) as (port, heard):
        assert webhook.post(f"https://hooks.example:{port}/", b"{}", {}, private=True) == 204
        with pytest.raises(requests.exceptions.SSLError):
            webhook.post(f"https://other.example:{port}/", b"{}", {}, private=True)
    assert asked == ["hooks.example", "other.example"]
    assert len(heard) == 1
