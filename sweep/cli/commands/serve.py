"""sweep serve: a queue, a dashboard and an API for searches, on this machine."""

import shlex
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweep.cli import options as opt
from sweep.cli.output import display, hint, out
from sweep.errors import PlatformError
from sweep.sweep_folder import DEFAULT_RESULTS
from sweep.words import MISSING, plain

if TYPE_CHECKING:
    from sweep.serve.queue.database import QueueDatabase

serve_app = typer.Typer(
    help="Serve a queue, a dashboard and an API for searches.", invoke_without_command=True
)
token_app = typer.Typer(help="Tokens for the service.", no_args_is_help=True)
serve_app.add_typer(token_app, name="token")
_PRINTED = "printed"
"""Name of the token in the address that each start prints on a terminal."""


@serve_app.callback()
def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(envvar="SWEEP_HOST", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="SWEEP_PORT", min=0, max=65535, help="Port to listen on; 0 for any free one."
        ),
    ] = 8765,
    socket: Annotated[
        Path | None, typer.Option(help="A UNIX socket to listen on in place of an address.")
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Certificate of the service, PEM: the service then speaks TLS.",
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Private key of that certificate, PEM."),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            help="Address or network of the reverse proxy that speaks TLS; unix, with --socket."
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A further name of this service.")
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(help="gpu:NUMBER or cpu:CORES, one job at a time on each; may be repeated."),
    ] = None,
    spaces: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of search spaces to offer."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of data to offer.")
    ] = None,
    uploads: Annotated[
        bool, typer.Option("--uploads", help="Take search spaces, to be approved before they run.")
    ] = False,
    run_with: Annotated[
        str | None,
        typer.Option(help="Command that wraps each job, {} standing for the job: podman, bwrap."),
    ] = None,
    notify: Annotated[
        str | None, typer.Option(help="URL to which a notice is sent when a job has ended.")
    ] = None,
    notify_private: Annotated[
        bool, typer.Option("--notify-private", help="Let --notify name an address of this network.")
    ] = False,
    on_stop: Annotated[
        str, typer.Option(help="When the service ends: stop its jobs, or leave them.")
    ] = "stop",
    metrics_open: Annotated[
        bool, typer.Option("--metrics-open", help="Give /metrics to everybody.")
    ] = False,
    results: opt.ResultsOption = DEFAULT_RESULTS,
    cache: opt.CacheOption = None,
) -> None:
    """Serve a queue, a dashboard and an API for searches."""
    _require_extra()
    context.obj = results
    if context.invoked_subcommand is not None:
        return
    from sweep.serve.options import ServeOptions
    from sweep.serve.server import opened, quiet_logs
    from sweep.serve.server import serve as run
    from sweep.serve.work.devices import devices

    options = ServeOptions(
        results=results.absolute(), host=host, port=port, socket=socket, tls_cert=tls_cert,
        tls_key=tls_key,
        behind_proxy=behind_proxy, allowed_hosts=tuple(allowed_host or ()),
        devices=devices(device or []), spaces=spaces, data=data, cache=cache, uploads=uploads,
        run_with=run_with, notify=notify, notify_private=notify_private, on_stop=on_stop,
        metrics_open=metrics_open,
    )  # fmt: skip
    quiet_logs()
    with opened(options) as service:
        # the token is made once it is sure that it will be printed
        run(service, lambda address: _say(address, _secret(service.database), results))


def _secret(database: "QueueDatabase") -> str | None:
    """Return a new token for the printed address, which replaces the one printed before.

    None if nobody may read it: tokens are not for logs, but for the very first start.
    """
    from sweep.serve.access import tokens
    from sweep.serve.access.tokens import TokenScope

    known = [token.name for token in tokens.tokens(database)]
    if known and not out().is_terminal:
        return None
    if _PRINTED in known:
        tokens.remove(database, _PRINTED)
    return tokens.add(database, _PRINTED, frozenset(TokenScope))[1]


def _say(address: str, secret: str | None, results: Path) -> None:
    if secret is None:
        where = "" if results == DEFAULT_RESULTS else f"--results {shlex.quote(str(results))} "
        hint(f"sign in with a token; make one with: sweep serve {where}token add NAME")
        out().print(f"{address}/", soft_wrap=True)
    else:
        hint("open this address; its token is new with each start on a terminal")
        out().print(f"{address}/signin#token={secret}", soft_wrap=True)
    out().file.flush()


@token_app.command("add")
def add_token(
    context: typer.Context,
    name: str,
    scope: Annotated[
        list[str] | None, typer.Option(help="read, run, code or admin; may be repeated.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Days for which the token is good; by default without end.")
    ] = None,
) -> None:
    """Make a token, and print it: this is the only time that it is shown."""
    from sweep.serve.access import tokens
    from sweep.serve.queue import audit

    scopes = tokens.scopes_of(scope or ["read"])
    with _queue(context) as database:
        _, secret = tokens.add(database, name, scopes, days)
        audit.enter(database, "terminal", "terminal", "add token", name, " ".join(sorted(scopes)))
    typer.echo(secret)


@token_app.command("ls")
def list_tokens(context: typer.Context) -> None:
    """List the tokens by name and scope, without their secrets."""
    from sweep.serve.access import tokens

    table = Table(box=None, pad_edge=False)
    for column in ("token", "scopes", "made", "expires", "last used"):
        table.add_column(column)
    with _queue(context) as database:
        for one in tokens.tokens(database):
            times = (_date(at) for at in (one.created_at, one.expires_at, one.used_at))
            table.add_row(plain(one.name), ", ".join(sorted(one.scopes)), *times)
    display(table)


@token_app.command("rm")
def remove_token(context: typer.Context, name: str) -> None:
    """Remove a token, and end its sessions."""
    from sweep.serve.access import tokens
    from sweep.serve.queue import audit

    with _queue(context) as database:
        tokens.remove(database, name)
        audit.enter(database, "terminal", "terminal", "remove token", name)
    hint(f"removed token {name}")


@serve_app.command("log")
def show_log(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="How many lines.")] = 100,
) -> None:
    """Show who did what, the latest last."""
    from sweep.serve.queue import audit

    table = Table(box=None, pad_edge=False)
    for column in ("when", "who", "from", "what", "of", ""):
        table.add_column(column)
    with _queue(context) as database:
        for one in reversed(audit.entries(database, last)):
            words = (one.who, one.origin, one.action, one.subject, one.detail or "")
            table.add_row(_date(one.at), *map(plain, words))
    display(table)


@serve_app.command("notify-secret")
def show_secret(context: typer.Context) -> None:
    """Print the secret that notices are signed with."""
    from sweep.serve.work.notices import secret_of

    with _queue(context) as database:
        typer.echo(secret_of(database))


def _queue(context: typer.Context) -> "QueueDatabase":
    from sweep.serve.queue.database import QueueDatabase, QueueFolder

    return QueueDatabase(QueueFolder(context.obj).create().database)


def _date(at: float | None) -> str:
    return MISSING if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _require_extra() -> None:
    """Raise PlatformError in one line if what the service needs is not installed."""
    needed = ("fastapi", "uvicorn", "prometheus_client", "multipart")
    if any(find_spec(name) is None for name in needed):
        raise PlatformError(
            'sweep serve needs what its extra brings: pip install "keras-sweep[serve]"'
        )
