"""Posts to a webhook, and to no address but one that was checked.

A name may lead to another address from one moment to the next. So it is looked up once, what was
found is checked, and the connection goes to that very address; the name stands in `Host` and in
what TLS asks for and verifies.
"""

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter

from sweep.errors import UsageError

_TIMEOUT_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def addresses(url: str, *, private: bool) -> list[str]:
    """Return the addresses that a URL leads to now.

    Raises UsageError unless it is http or https and, if not `private`, each address is a public
    one: none of this machine, none of its network.
    """
    parts = _parts(url)
    host, port = parts.hostname or "", _port(parts)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a name whose parts are too long is no Unicode
        raise UsageError(f"--notify: {host} cannot be found ({error})") from error
    named = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in named:
        if not private and not _is_public(address):
            raise UsageError(
                f"--notify: {host} is an address of this network; allow it with --notify-private"
            )
    return named


def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    """Post to the first address of a URL that answers; return the status of the answer.

    Redirects are not followed, proxies are not asked, the answer's body is not read. Raises
    UsageError as `addresses` does, and requests.RequestException.
    """
    parts = _parts(url)
    found = addresses(url, private=private)
    for address in found[:-1]:
        try:
            return _post_to(address, parts, body, headers)
        except requests.ConnectionError:
            continue
    return _post_to(found[-1], parts, body, headers)


def _post_to(address: str, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    before, at, host = parts.netloc.rpartition("@")
    literal = f"[{address.replace('%', '%25')}]" if ":" in address else address
    url = parts._replace(netloc=f"{before}{at}{literal}:{_port(parts)}", fragment="").geturl()
    request = requests.Request("POST", url, headers={**headers, "Host": host}, data=body).prepare()
    with requests.Session() as session:
        session.mount("https://", _Named(parts.hostname or ""))
        known = session.merge_environment_settings(url, {}, True, None, None)
        with session.send(
            request, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True,
            verify=known["verify"], cert=known["cert"], proxies={},
        ) as answer:  # fmt: skip
            return answer.status_code


class _Named(HTTPAdapter):
    """Connects to an address, and asks there for a name and its certificate."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(
            *arguments, **options, server_hostname=self._name, assert_hostname=self._name
        )


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"--notify is {url[:80]!r}, expected an http or https address")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _is_public(address: str) -> bool:
    """Return whether an address is of the internet at large; one inside another counts too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast
    inner = [found.ipv4_mapped, found.sixtofour]
    if found in _NAT64:
        inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    held = [one for one in inner if one is not None]
    if found.ipv4_mapped is None and (not found.is_global or found.is_multicast):
        return False
    return all(one.is_global for one in held)
