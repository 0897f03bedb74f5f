"""One request of a bot, as a route takes it."""

import json
from dataclasses import dataclass, field

from aiohttp import web

from discord_api.refusal import Json, refusal

Result = Json | list[Json] | None
"""What a route answers: a thing, a list of things, or nothing but that it is done."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """What a request says: its place, what follows the question mark, its body, its files."""

    place: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: object = None
    files: tuple[Upload, ...] = ()

    @property
    def json(self) -> Json:
        """Return the body that must be an object; an absent one is empty."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise refusal(50109)
        return self.body

    def id(self, name: str) -> int:
        """Return an id in the place; 0, which nothing has, for what is none."""
        text = self.place[name]
        return int(text) if text.isascii() and text.isdigit() else 0

    def flag(self, name: str) -> bool:
        """Return whether something is asked for after the question mark."""
        return self.query.get(name, "").lower() in ("1", "true")


async def read(http: web.Request) -> Call:
    """Return what a request carries; raise ValueError where its body cannot be read."""
    body: object = None
    files: tuple[Upload, ...] = ()
    if http.content_type == "multipart/form-data":
        parts = await http.post()
        body = json.loads(str(parts.get("payload_json", "{}")))
        given = (part for part in parts.values() if isinstance(part, web.FileField))
        files = tuple(Upload(part.filename, part.content_type, part.file.read()) for part in given)
    elif http.can_read_body:
        body = json.loads(await http.read() or b"null")
    return Call(dict(http.match_info), dict(http.query), body, files)
