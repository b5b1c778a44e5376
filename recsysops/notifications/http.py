"""A small HTTP client for pagers and dead man's switches: bounded in time, follows nobody, tells no address."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from recsysops.notifications.failures import SendError, within


class _Stay(HTTPRedirectHandler):
    """A redirect would carry the key elsewhere."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def post_json(url: str, value: Mapping[str, Any], headers: Mapping[str, str], timeout_seconds: float) -> None:
    """Post one JSON object; any answer of 200 to 299 is fine.

    Raises:
        SendError: with the reason; never with the address, a header or what was sent.
    """
    call(url, json.dumps(value).encode(), {"Content-Type": "application/json", **headers}, timeout_seconds)


def call(url: str, data: bytes | None, headers: Mapping[str, str], timeout_seconds: float) -> None:
    """One request, POST when there is data; raises as ``post_json`` does."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise SendError("the address is no http:// or https:// URL")
        request = Request(url, data, {"User-Agent": "recsysops", **headers})  # noqa: S310  (http or https, above)
    except ValueError:
        raise SendError("the address is no URL") from None
    within(timeout_seconds, lambda: _call(request, timeout_seconds))


def _call(request: Request, timeout_seconds: float) -> None:
    try:
        with build_opener(_Stay).open(request, timeout=timeout_seconds):
            return
    except HTTPError as error:
        error.close()
        raise SendError(f"the server answered {error.code} {_printable(error.reason)}") from None
    except (URLError, OSError, HTTPException, ValueError) as error:
        raise SendError(_reason(error, timeout_seconds)) from None


def _reason(error: Exception, timeout_seconds: float) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(cause, socket.gaierror):
        return "the server's name is not known"
    if isinstance(cause, ssl.SSLError):
        return f"no secure connection ({cause.reason or 'TLS'})"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"no answer that can be read ({type(cause).__name__})"


def _printable(text: object) -> str:
    return "".join(character for character in str(text)[:60] if character.isprintable())
