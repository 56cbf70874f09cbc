"""How a service is asked to run: every option of `sweep serve`, checked at the door."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from sweep.errors import UsageError
from sweep.serve.work.devices import MACHINE, Device

STOP, LEAVE = "stop", "leave"
LOOPBACK = "127.0.0.1"
UNIX = "unix"
"""The proxy that connects through `--socket`, whose file says who may."""


@dataclass(frozen=True)
class ServeOptions:
    """What `sweep serve` is given. Raises UsageError naming what does not go together."""

    results: Path
    host: str = LOOPBACK
    port: int = 8765
    socket: Path | None = None
    """A UNIX socket to listen on in place of an address; the file's mode says who may."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: str | None = None
    """Whose X-Forwarded-* headers are believed: a reverse proxy's address or network, or `unix`."""
    allowed_hosts: tuple[str, ...] = ()
    devices: tuple[Device, ...] = (MACHINE,)
    spaces: Path | None = None
    """A folder whose files may be started by name."""
    data: Path | None = None
    """A folder whose files may be named as data."""
    cache: Path | None = None
    uploads: bool = False
    run_with: str | None = None
    """A command that wraps each job; {} stands for the job's own."""
    notify: str | None = None
    """A URL that is told how each job ended."""
    notify_private: bool = False
    """Whether that may be a loopback or private address."""
    on_stop: str = STOP
    metrics_open: bool = False
    retry_seconds: tuple[float, ...] = (10.0, 60.0, 600.0)
    """After how long a job whose process was killed goes on, the first time, the second …"""
    least_free_bytes: int = 1_000_000_000
    """Below this much room on the disk of the results nothing is started."""
    names: frozenset[str] = field(init=False, default=frozenset())
    """Hosts that requests may name."""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key belong together")
        if self.tls_cert is not None and self.tls_key is not None:
            _check_certificate(self.tls_cert, self.tls_key)
        if self.socket is not None and self.host != LOOPBACK:
            raise UsageError("--socket is listened to in place of an address; leave out --host")
        if self.behind_proxy is not None:
            _check_proxy(self.behind_proxy, self.socket is not None)
        if self.on_stop not in (STOP, LEAVE):
            raise UsageError(f"--on-stop is {self.on_stop!r}, expected one of: stop, leave")
        if self.run_with is not None and "{}" not in self.run_with:
            raise UsageError(
                "--run-with needs {} where the job's own command goes, for example: "
                '--run-with "bwrap --ro-bind / / {}"'
            )
        guarded = self.tls_cert is not None or self.behind_proxy is not None
        if self.socket is None and not is_loopback(self.host) and not guarded:
            raise UsageError(
                f"--host {self.host} can be reached by others, and what they send could be read on "
                "the way: add --tls-cert and --tls-key, or --behind-proxy ADDRESS, or use --socket"
            )
        own = {"localhost", LOOPBACK, "::1", *self.allowed_hosts}
        if self.host not in ("0.0.0.0", "::"):
            own.add(self.host)
        object.__setattr__(self, "names", frozenset(name.lower() for name in own))

    def address_at(self, port: int) -> str:
        """Return what a browser opens; `port` is the one that a port of 0 has become."""
        if self.socket is not None:
            return f"unix:{self.socket}"
        everywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}
        host = everywhere.get(self.host, self.host)
        if self.host in everywhere and self.tls_cert is not None:
            host = next(iter(self.allowed_hosts), host)  # which the certificate is of, at best
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if self.tls_cert is None else "https"
        return f"{scheme}://{shown}:{port}"


def _check_certificate(cert: Path, key: Path) -> None:
    """Raise UsageError unless TLS can be spoken with them, without a question."""

    def passphrase() -> str:
        raise UsageError(f"--tls-key {key} needs a passphrase; give a key without one")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, passphrase)
    except ssl.SSLError as error:
        why = error.reason or "no certificate, or no key, in PEM"
        raise UsageError(f"--tls-cert {cert} with --tls-key {key}: {why}") from error
    except OSError as error:
        raise UsageError(f"cannot read --tls-cert or --tls-key ({error})") from error


def _check_proxy(proxy: str, by_socket: bool) -> None:
    """Raise UsageError unless a proxy can be known by it."""
    if by_socket:
        if proxy != UNIX:
            raise UsageError("through --socket a proxy has no address: say --behind-proxy unix")
        return
    try:
        ipaddress.ip_network(proxy)
    except ValueError as error:
        raise UsageError(
            f"--behind-proxy is {proxy!r}, expected the address or network that the proxy connects "
            "from, as 10.0.0.5 or 10.0.0.0/24; or unix, with --socket"
        ) from error


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
