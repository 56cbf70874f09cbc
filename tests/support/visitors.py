"""Who asks a service of the tests: without a token, or signed in by a page."""

import httpx

FILLED = {
    "name": "small", "trial": "1", "job": "1", "plan": "1", "sha256": "0" * 64, "file": "page.css",
    "stem": "frontier", "form": "svg",
}  # fmt: skip
"""What stands for each part of a route's path."""


def bare(client: httpx.Client) -> httpx.Client:
    """Return the client without its token."""
    del client.headers["Authorization"]
    return client


def sign_in(client: httpx.Client, secret: str) -> httpx.Response:
    """Give a token as the sign-in page does."""
    return client.post(
        "/session", json={"token": secret}, headers={"Sec-Fetch-Site": "same-origin"}
    )
