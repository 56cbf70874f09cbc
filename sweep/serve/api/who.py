"""Who asks, and whether their token allows it: a dependency of every route."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from sweep.serve.access.tokens import Token, TokenScope
from sweep.serve.api.problems import ProblemError
from sweep.serve.queue import audit
from sweep.serve.service import Service

_bearer = HTTPBearer(
    scheme_name="token", description="A token: swp_…; see `sweep serve token`", auto_error=False
)


@dataclass(frozen=True)
class Who:
    """Who asks, of which service, from where."""

    service: Service
    token: Token
    origin: str

    def note(self, action: str, subject: str, detail: str | None = None) -> None:
        """Enter into the audit log what is done."""
        audit.enter(self.service.database, self.token.name, self.origin, action, subject, detail)


def service_of(request: Request) -> Service:
    """Return the service that a request is for."""
    service: Service = request.app.state.service
    return service


def origin_of(request: Request) -> str:
    """Return the address that a request comes from."""
    return request.client.host if request.client else "socket"


def _granted(
    scopes: SecurityScopes, request: Request, _: Annotated[Any, Depends(_bearer)] = None
) -> Who:
    token: Token | None = request.scope.get("sweep.token")
    if token is None:
        raise ProblemError(401, "no-token", "no valid token")
    for name in scopes.scopes:
        if not token.allows(TokenScope(name)):
            held = ", ".join(sorted(token.scopes))
            raise ProblemError(
                403,
                "scope",
                f"this needs a token with scope {name}; {token.name} has {held}",
            )
    return Who(service_of(request), token, origin_of(request))


Reads = Annotated[Who, Security(_granted, scopes=[TokenScope.READ.value])]
Runs = Annotated[Who, Security(_granted, scopes=[TokenScope.RUN.value])]
Codes = Annotated[Who, Security(_granted, scopes=[TokenScope.CODE.value])]
Admins = Annotated[Who, Security(_granted, scopes=[TokenScope.ADMIN.value])]
"""Parameters of routes: who asks, once their token is known to allow it."""
