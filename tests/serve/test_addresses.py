"""Other addresses than loopback: TLS as a client sees it, a reverse proxy, bad certificates."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress

import httpx
import pytest

from sweep.errors import UsageError
from sweep.serve.options import ServeOptions
from tests.support import service as served

NAME = "gpu1.example.org"
PROXY = "127.0.0.9"
OPENSSL = shutil.which("openssl")
if OPENSSL is None:
    if os.environ.get("CI") == "true":
        pytest.fail("openssl is not installed", pytrace=False)
    pytest.skip("openssl is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with cert.pem and key.pem of NAME, the same key locked, and another key."""
    place = tmp_path_factory.mktemp("certificate")
    new_key = ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out")
    for arguments in (
        (*new_key, "key.pem"),
        (*new_key, "other.pem"),
        ("ec", "-aes128", "-passout", "pass:secret", "-in", "key.pem", "-out", "locked.pem"),
        ("req", "-x509", "-key", "key.pem", "-days", "2", "-subj", f"/CN={NAME}", "-out",
         "cert.pem", "-addext", f"subjectAltName=DNS:{NAME}"),
    ):  # fmt: skip
        subprocess.run([OPENSSL, *arguments], cwd=place, check=True, capture_output=True)
    return place


def signed_in(client, secret, **headers):
    """What comes back when a browser shows its token."""
    headers = {"Sec-Fetch-Site": "same-origin"} | headers
    answer = client.post("/session", json={"token": secret}, headers=headers)
    assert answer.status_code == 204, answer.text
    return answer.headers["set-cookie"]


def test_tls_is_spoken_with_the_certificate_and_nothing_else_is(memory_path, forks, certificate):
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    options = ("--host", "0.0.0.0", "--allowed-host", NAME, "--tls-cert", cert, "--tls-key", key)
    with served.served(memory_path, *map(str, options), forks=forks) as one:
        assert f"https://{NAME}:" in one.line
        port = one.url.rpartition(":")[2]
        known = ssl.create_default_context(cafile=str(cert))
        headers = {"Host": NAME}
        url = f"https://127.0.0.1:{port}"
        with httpx.Client(base_url=url, verify=known, headers=headers) as client:
            client.event_hooks["request"] = [
                lambda request: request.extensions.update(sni_hostname=NAME)
            ]
            assert client.get("/livez").text == "ok\n"
            cookie = signed_in(client, one.token)
            assert cookie.startswith("__Host-sweep=")
            assert "Secure" in cookie
            name, _, value = cookie.partition(";")[0].partition("=")
            page = client.get("/", headers={"Cookie": f"{name}={value}", "Accept": "text/html"})
            assert "<h1>Overview</h1>" in page.text
            assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/livez")


def test_what_is_no_certificate_is_refused_in_one_line(tmp_path, certificate):
    def options(cert, key):
        return ServeOptions(
            results=tmp_path, tls_cert=certificate / cert, tls_key=certificate / key
        )

    options("cert.pem", "key.pem")
    for cert, key, told in (
        ("cert.pem", "other.pem", "KEY_VALUES_MISMATCH"),
        ("key.pem", "key.pem", "--tls-cert .*key.pem"),
        ("cert.pem", "cert.pem", "--tls-key .*cert.pem"),
        ("cert.pem", "locked.pem", "needs a passphrase"),
        ("cert.pem", "none.pem", "No such file"),
    ):
        with pytest.raises(UsageError, match=told):
            options(cert, key)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"behind_proxy": "nginx"}, "--behind-proxy is 'nginx'"),
        ({"behind_proxy": "*"}, "--behind-proxy is"),
        ({"behind_proxy": "unix"}, "--behind-proxy is"),
        ({"behind_proxy": "10.0.0.5", "socket": "s"}, "--behind-proxy unix"),
        ({"host": "0.0.0.0", "socket": "s"}, "leave out --host"),
    ],
)
def test_addresses_that_do_not_go_together_are_refused(tmp_path, given, told):
    with pytest.raises(UsageError, match=told):
        ServeOptions(results=tmp_path, **given)


@contextmanager
def forwarding(address, said):
    """A reverse proxy at PROXY that says for whom it asks, as those that speak TLS do."""

    def carry(source, target):
        with suppress(OSError):  # one of the two has hung up
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def talk(client):
        with client, socket.socket() as behind:
            behind.bind((PROXY, 0))
            behind.connect(address)
            head = client.recv(65536)
            line, _, rest = head.partition(b"\r\n")
            behind.sendall(line + b"\r\n" + said + rest)
            back = threading.Thread(target=carry, args=(behind, client))
            back.start()
            carry(client, behind)
            back.join()

    with socket.create_server((PROXY, 0)) as listener:

        def accept():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://{PROXY}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_the_named_proxy_is_believed_and_nobody_else(memory_path, forks):
    options = ("--host", "0.0.0.0", "--behind-proxy", PROXY, "--allowed-host", NAME)
    said = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n"
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    with served.served(memory_path, *options, forks=forks) as one, one.client() as direct:
        assert "Secure" not in signed_in(direct, one.token, **forged)
        at = ("127.0.0.1", int(one.url.rpartition(":")[2]))
        with forwarding(at, said.encode()) as url:
            # a new connection for each: this proxy writes into the first head only
            bearer = {"Authorization": direct.headers["Authorization"]}
            headers = {"Host": NAME, "Connection": "close"} | bearer
            with httpx.Client(base_url=url, headers=headers) as client:
                assert "Secure" in signed_in(client, one.token)
                with client.stream("GET", "/api/v1/events") as stream:
                    assert next(stream.iter_text())  # not held back
                wrong = client.get("/api/v1/queue", headers={"Host": "evil.example"})
                assert wrong.status_code == 421
        entries = direct.get("/api/v1/audit").json()["items"]
    origins = [entry["origin"] for entry in entries if entry["action"] == "sign in"]
    assert origins == ["203.0.113.9", "127.0.0.1"]
