"""The parameters of a request, in whichever of the four forms it came."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot_api.refusal import Json, bad_request


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a request."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Params:
    """The parameters of a request, all as text."""

    values: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a parameter, empty where it is not given."""
        return self.values.get(name, "")

    def number(self, name: str, default: int = 0, low: int | None = None, high: int | None = None) -> int:
        """Return a parameter as a number, kept within bounds; what is none counts as not given."""
        try:
            given = int(self.text(name))
        except ValueError:
            return default
        given = given if low is None else max(low, given)
        return given if high is None else min(high, given)

    def flag(self, name: str) -> bool:
        """Return whether a parameter is set."""
        return self.text(name).strip().lower() in ("true", "yes", "1")

    def json(self, name: str, what: str) -> Any:
        """Return a parameter that is JSON, None where it is not given; raise Refusal where it cannot be read."""
        try:
            return json.loads(self.text(name) or "null")
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None

    def object(self, name: str, what: str) -> Json:
        """Return a parameter that is a JSON object, empty where it is not given."""
        given = self.json(name, what) or {}
        if not isinstance(given, dict):
            raise bad_request(f"object expected as {what}")
        return given

    def chat(self) -> int | None:
        """Return the chat that is meant, if one is."""
        try:
            return int(self.text("chat_id"))
        except ValueError:
            return None


async def read(request: web.Request) -> Params:
    """Return what a request carries: in its address, as a form, as parts, or as JSON."""
    values = dict(request.query)
    files: dict[str, Upload] = {}
    if request.content_type == "application/json":
        given = await request.json()
        if not isinstance(given, dict):
            raise ValueError("an object is expected")
        values |= {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = Upload(value.filename, value.content_type, value.file.read())
            elif isinstance(value, str):
                values[name] = value
            else:
                files[name] = Upload(name, "application/octet-stream", bytes(value))
    return Params(values, files)
