"""Nobody gets in without a token, under another name, from another page, or beyond their scope."""

import os
import re
import shutil
import socket
import time
from contextlib import suppress
from urllib.parse import quote

import pytest

from sweep.serve import connections
from sweep.serve.access import guard, tokens
from sweep.serve.app import make_app
from sweep.serve.options import ServeOptions
from sweep.serve.queue import jobs
from tests.support.visitors import FILLED, bare, sign_in

OPEN = guard.OPEN


def routes(service):
    """Method, path and description of every route, from the application's own table."""
    return [
        (method.upper(), path, operation)
        for path, operations in make_app(service).openapi()["paths"].items()
        for method, operation in operations.items()
    ]


def filled(path):
    return re.sub(r"{(\w+)[^}]*}", lambda found: FILLED[found[1]], path)


def test_every_route_refuses_who_has_no_token(service, client):
    client = bare(client)
    for method, path, _ in routes(service):
        answer = client.request(method, filled(path))
        if path in OPEN:
            assert answer.status_code != 500
            continue
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["status"] == 401


def test_a_forged_or_removed_token_opens_nothing(service, client):
    _, secret = tokens.add(service.database, "gone", frozenset(tokens.TokenScope))
    tokens.remove(service.database, "gone")
    for bad in (secret, tokens.new_secret(), "swp_", "x" * 5000):
        answer = client.get("/api/v1/sweeps", headers={"Authorization": f"Bearer {bad}"})
        assert answer.status_code == 401


def test_every_route_refuses_a_foreign_host(service, client):
    for method, path, _ in routes(service):
        for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost@x"):
            answer = client.request(method, filled(path), headers={"Host": host})
            expected = path not in ("/livez", "/readyz")
            assert (answer.status_code == 421) == expected, (method, path, host)


def test_every_unsafe_route_refuses_a_browsers_request_from_another_page(service, client, secrets):
    client = bare(client)
    assert sign_in(client, secrets["admin"]).status_code == 204
    foreign = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    )
    for method, path, _ in routes(service):
        if method in guard.SAFE:
            continue
        for headers in foreign:
            answer = client.request(method, filled(path), headers=headers)
            assert answer.status_code == 403, (method, path, headers)
            assert answer.json()["type"] == "/problems/foreign-origin"
    assert jobs.newest(service.database, 10) == []


def test_every_route_refuses_a_token_of_another_scope(service, client, secrets):
    n_checked = 0
    for method, path, operation in routes(service):
        needed = [scope for one in operation.get("security", []) for scope in one["token"]]
        if not needed:
            assert path in (*OPEN, "/metrics"), path
            continue
        for scope, secret in secrets.items():
            if scope in needed or needed == ["read"]:
                continue
            headers = {"Authorization": f"Bearer {secret}"}
            answer = client.request(method, filled(path), headers=headers, json={})
            # a body that cannot be is told of first; it starts nothing either
            assert answer.status_code in (403, 422), (method, path, scope)
            n_checked += 1
    assert n_checked > 20


def test_a_sweep_is_named_never_a_path(service, client, tmp_path):
    """A folder beside the results holds a sweep that nobody may reach."""
    other = tmp_path / "small"
    shutil.copytree(service.options.results / "small", other)
    outside = os.path.relpath(other, service.options.results)
    for name in (str(other), outside, f"small/../{outside}", "..", ".queue", "small\0"):
        quoted = quote(name, safe="")
        for path in (f"/api/v1/sweeps/{quoted}", f"/frontier?sweep={quoted}"):
            assert client.get(path).status_code in (404, 422), path
        asked = {"kind": "export", "sweep": name}
        answer = client.post("/api/v1/jobs", json=asked)
        assert answer.status_code in (404, 422), (name, answer.text)
    assert jobs.newest(service.database, 10) == []


def test_no_answer_allows_other_origins_and_all_tell_browsers_what_to_heed(service, client):
    for path in ("/api/v1/sweeps", "/api/v1/nothing", "/livez"):
        answer = client.get(path, headers={"Origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe-inline" not in answer.headers["content-security-policy"].split("style")[0]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_cookie_stands_for_its_token_until_the_session_ends(service, client, secrets):
    client = bare(client)
    answer = sign_in(client, secrets["run"])
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert secrets["run"] not in cookie
    assert client.get("/api/v1/sweeps").status_code == 200
    assert client.get("/api/v1/tokens").status_code == 403
    kept = client.cookies["sweep"]
    client.delete("/session", headers={"Sec-Fetch-Site": "same-origin"})
    again = client.get("/api/v1/sweeps", headers={"Cookie": f"sweep={kept}"})
    assert again.status_code == 401


def test_ten_wrong_tokens_are_enough_for_a_minute(service, client, secrets, monkeypatch):
    from sweep.serve.api import session

    monkeypatch.setattr(session, "_failed", type(session._failed)(maxlen=10))
    client = bare(client)
    codes = [sign_in(client, tokens.new_secret()).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert sign_in(client, secrets["read"]).status_code == 204


def test_a_request_that_is_too_large_is_refused_however_it_comes(client):
    headers = {f"X-{number}": "x" * 1000 for number in range(20)}
    assert client.get("/api/v1/queue", headers=headers).status_code == 431
    large = b'{"kind": "resume", "sweep": "' + b"x" * 2_100_000 + b'"}'
    assert client.post("/api/v1/jobs", content=large).status_code == 413
    in_parts = (large[i : i + 100_000] for i in range(0, len(large), 100_000))
    assert client.post("/api/v1/jobs", content=in_parts).status_code == 413


@pytest.mark.parametrize(
    "half",
    [
        "",
        "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
        "POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: none\r\n"
        "Content-Length: 9\r\n\r\n{",
    ],
)
def test_half_a_request_does_not_keep_its_connection(address, monkeypatch, half):
    monkeypatch.setattr(connections, "_LOOKS_SECONDS", 0.05)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.2)
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as one:
        one.sendall(half.encode())
        with suppress(ConnectionResetError):
            assert one.recv(100) == b""


def test_whole_requests_are_answered_however_long_the_answer_takes(client, monkeypatch):
    monkeypatch.setattr(connections, "_LOOKS_SECONDS", 0.05)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with client.stream("GET", "/api/v1/events") as stream:
        time.sleep(0.6)
        client.put("/api/v1/sweeps/small/note", json={"text": "heard"})
        assert any("event: job" in line for line in stream.iter_lines())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_other_addresses_than_loopback_need_tls_or_a_proxy(tmp_path, host):
    from sweep.errors import UsageError

    with pytest.raises(UsageError, match="--behind-proxy"):
        ServeOptions(results=tmp_path, host=host)
    ServeOptions(results=tmp_path, host=host, behind_proxy="127.0.0.1")
