"""What the Bot API says no with."""

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """A request that is not done, with the code, the words and the parameters of the answer."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    @property
    def json(self) -> Json:
        """Return the body of the answer."""
        body = {"ok": False, "error_code": self.code, "description": self.description}
        return body if self.parameters is None else {**body, "parameters": self.parameters}


def bad_request(what: str) -> Refusal:
    """Return that a request is wrong."""
    return Refusal(400, f"Bad Request: {what}")


def forbidden(what: str) -> Refusal:
    """Return that a bot may not write there."""
    return Refusal(403, f"Forbidden: {what}")


def conflict(what: str) -> Refusal:
    """Return that two ask for the same updates."""
    return Refusal(409, f"Conflict: {what}")


def too_many(retry_after: object) -> Refusal:
    """Return that a bot is too fast; real waits are whole seconds, a test may say anything."""
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})
