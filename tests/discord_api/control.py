"""The members' side over HTTP, for a server in a process of its own: POST /control/NAME with JSON, JSON back.

user     {"id": 7, "name": "Anna"}                        now there is Anna
guild    {"name": "Runners", "members": [7]}              "id" of a server with the bot in it, "channel" of its channel
dm       {"user": 7}                                      "channel" of the conversation with the bot
types    {"user": 7, "channel": 1, "line": "/hip"}        "id" of the interaction; so with all that follow
clicks   {"user": 7, "channel": 1, "label": "Next"}
selects  {"user": 7, "channel": 1, "labels": ["Groin"]}
submits  {"user": 7, "channel": 1, "values": ["sore"]}
inject   {"json": {"type": 2, ...}}                       an interaction of any shape
fault    {"route": "callback", "kind": "silence"}         with nth, times, place and the fields of the fault
gateway  {"do": "drop"}                                   or "reconnect", "invalidate"
asked    {"id": 123}                                      how an interaction was answered, and after how many seconds
shown    {"user": 7, "channel": 1}                        what is on someone's screen there now
public   {}                                               all that more than one person could ever read
calls    {}                                               all requests; with "route", of it
ready    {}                                               whether a bot is listening
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from discord_api.faults import fault
from discord_api.interactions import Interaction
from discord_api.members import Member
from discord_api.refusal import Json, Refusal
from discord_api.server import DiscordApi, Request
from discord_api.world import Message


def add_control(api: DiscordApi) -> None:
    """Let a server that is not open yet be driven over HTTP."""

    async def handle(http: web.Request) -> web.Response:
        try:
            return web.json_response(VERBS[http.match_info["verb"]](api, await http.json()))
        except (AssertionError, KeyError, TypeError, ValueError, Refusal) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    api.app.router.add_post("/control/{verb}", handle)


def _user(api: DiscordApi, asked: Json) -> Json:
    return {"id": api.user(**asked).id}


def _guild(api: DiscordApi, asked: Json) -> Json:
    club = api.guild(asked["name"], *(api.world.users[id] for id in asked.get("members", ())))
    return {"id": club.guild.id, "channel": club.channel.id}


def _dm(api: DiscordApi, asked: Json) -> Json:
    return {"channel": api.dm(api.world.users[asked["user"]]).channel.id}


def _types(api: DiscordApi, asked: Json) -> Json:
    return {"id": _member(api, asked).types(asked["line"]).id}


def _clicks(api: DiscordApi, asked: Json) -> Json:
    return {"id": _member(api, asked).clicks(asked["label"]).id}


def _selects(api: DiscordApi, asked: Json) -> Json:
    return {"id": _member(api, asked).selects(*asked["labels"]).id}


def _submits(api: DiscordApi, asked: Json) -> Json:
    member, values = _member(api, asked), asked["values"]
    forms = [one for one in api.interactions.all if one.user == member.user and one.modal]
    return {"id": member.submits(*values, modal=forms[-1] if forms else None).id}


def _inject(api: DiscordApi, asked: Json) -> Json:
    return {"id": api.inject(asked["json"]).id}


def _fault(api: DiscordApi, asked: Json) -> Json:
    when = {name: asked.pop(name) for name in ("nth", "times", "place") if name in asked}
    api.faults.lay(asked.pop("route"), fault(asked), **when)
    return {}


def _gateway(api: DiscordApi, asked: Json) -> Json:
    match asked["do"]:
        case "drop":
            for one in api.gateway.live:
                one.drops()
        case "reconnect":
            api.gateway.asks_to_reconnect()
        case "invalidate":
            api.gateway.invalidates(resumable=False)
        case other:
            raise ValueError(other)
    return {}


def _asked(api: DiscordApi, asked: Json) -> Json:
    found = next(one for one in api.interactions.all if one.id == asked["id"])
    return {"answer": found.answer, "took": found.took, "messages": [_message(one) for one in _said(found)]}


def _shown(api: DiscordApi, asked: Json) -> list[Json]:
    return [_message(message) for message in _member(api, asked).screen]


def _public(api: DiscordApi, _: Json) -> list[str]:
    return [content.words for content in api.said_in_public()]


def _calls(api: DiscordApi, asked: Json) -> list[Json]:
    return [_request(request) for request in api.calls(*([asked["route"]] if "route" in asked else []))]


def _ready(api: DiscordApi, _: Json) -> Json:
    return {"ready": api.gateway.ready}


def _member(api: DiscordApi, asked: Json) -> Member:
    return Member(api, api.world.users[asked["user"]], api.world.channels[asked["channel"]])


def _said(interaction: Interaction) -> tuple[Message, ...]:
    return interaction.messages or ((interaction.original,) if interaction.original else ())


def _message(message: Message) -> Json:
    return {
        "id": message.id,
        "text": message.text,
        "labels": list(message.labels),
        "options": [option.label for menu in message.content.menus for option in menu.options],
        "thinking": message.content.thinking,
        "reader": message.reader.id if message.reader else None,
    }


def _request(request: Request) -> Json:
    return {
        "route": request.route,
        "place": request.call.place,
        "json": request.json,
        "at": request.at.isoformat(),
        "status": request.status,
        "done": request.done,
    }


VERBS: dict[str, Callable[[DiscordApi, Json], Any]] = {
    "user": _user,
    "guild": _guild,
    "dm": _dm,
    "types": _types,
    "clicks": _clicks,
    "selects": _selects,
    "submits": _submits,
    "inject": _inject,
    "fault": _fault,
    "gateway": _gateway,
    "asked": _asked,
    "shown": _shown,
    "public": _public,
    "calls": _calls,
    "ready": _ready,
}
