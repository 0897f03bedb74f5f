"""The members' side over HTTP, for a server in a process of its own: POST /control/NAME with JSON, JSON back.

user     {"id": 7, "name": "Anna"}                       now there is Anna
group    {"title": "Runners", "members": [7]}            "id" of a group with the bot in it
says     {"user": 7, "text": "/hip"}                     in private; with "chat", there
taps     {"user": 7, "label": "Next"}                    "id" of the tap; with "message", on that one
blocks   {"user": 7}                                     and unblocks
migrates {"chat": -4000000001}                           "id" of the supergroup
inject   {"message": {...}}                              an update of any shape; "id" of it
fault    {"method": "sendMessage", "kind": "silence"}    with nth, times, chat and the fields of the fault
shown    {"chat": 7}                                     what is on the screen there now
calls    {}                                              all requests but those for updates; with "method", of it
waiting  {}                                              how many updates are not confirmed
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot_api.faults import fault
from bot_api.members import Group, Member
from bot_api.refusal import Json
from bot_api.server import BotApi, Request
from bot_api.world import Message


def add_control(server: BotApi) -> None:
    """Let a server that is not open yet be driven over HTTP."""

    async def handle(http: web.Request) -> web.Response:
        try:
            return web.json_response(VERBS[http.match_info["verb"]](server, await http.json()))
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    server.app.router.add_post("/control/{verb}", handle)


def _user(server: BotApi, asked: Json) -> Json:
    return {"id": server.user(**asked).id}


def _group(server: BotApi, asked: Json) -> Json:
    people = [server.world.users[id] for id in asked.get("members", [])]
    return {"id": server.group(asked["title"], *people, supergroup=asked.get("supergroup", False)).id}


def _says(server: BotApi, asked: Json) -> Json:
    return {"id": _member(server, asked).says(asked["text"]).id}


def _taps(server: BotApi, asked: Json) -> Json:
    member = _member(server, asked)
    message = member.chat.messages[asked["message"]] if "message" in asked else None
    return {"id": member.taps(asked["label"], message).id}


def _blocks(server: BotApi, asked: Json) -> Json:
    return {"update_id": _member(server, asked).blocks()}


def _unblocks(server: BotApi, asked: Json) -> Json:
    return {"update_id": _member(server, asked).unblocks()}


def _migrates(server: BotApi, asked: Json) -> Json:
    return {"id": Group(server.world, server.world.chats[asked["chat"]]).migrates().id}


def _inject(server: BotApi, asked: Json) -> Json:
    return {"id": server.inject(asked)}


def _fault(server: BotApi, asked: Json) -> Json:
    when = {name: asked.pop(name) for name in ("nth", "times", "chat") if name in asked}
    server.faults.lay(asked.pop("method"), fault(asked), **when)
    return {}


def _shown(server: BotApi, asked: Json) -> list[Json]:
    return [_message(server, message) for message in server.world.chats[asked["chat"]].shown]


def _calls(server: BotApi, asked: Json) -> list[Json]:
    return [_request(request) for request in server.calls(asked.get("method"), asked.get("chat"))]


def _waiting(server: BotApi, _: Json) -> Json:
    return {"updates": server.waiting}


def _member(server: BotApi, asked: Json) -> Member:
    user = server.world.users[asked["user"]]
    if "chat" in asked:
        return Group(server.world, server.world.chats[asked["chat"]]).member(user)
    return server.private(user)


def _message(server: BotApi, message: Message) -> Json:
    return {
        "id": message.id,
        "from": message.sender.id if message.sender else None,
        "bot": message.sender == server.bot,
        "text": message.text,
        "labels": list(message.labels),
        "document": message.document.name if message.document else None,
    }


def _request(request: Request) -> Json:
    return {
        "method": request.method,
        "params": dict(request.params.values),
        "at": request.at.isoformat(),
        "code": request.code,
    }


VERBS: dict[str, Callable[[BotApi, Json], Any]] = {
    "user": _user,
    "group": _group,
    "says": _says,
    "taps": _taps,
    "blocks": _blocks,
    "unblocks": _unblocks,
    "migrates": _migrates,
    "inject": _inject,
    "fault": _fault,
    "shown": _shown,
    "calls": _calls,
    "waiting": _waiting,
}
