"""A Discord on loopback that behaves as the real one does, for tests that run a bot over real sockets.

What is taken and what is refused follows discord/discord-api-docs, the source of discord.py and the reports of those
who met it. Not there: voice, threads, roles, reactions, polls, webhooks other than those of interactions, sharding.
"""

from discord_api.call import Call
from discord_api.clubs import Club
from discord_api.components import COMPONENTS_V2, EPHEMERAL, Kind
from discord_api.content import Attachment, Button, Content, Menu, Modal
from discord_api.faults import Answers, CutOff, Fault, Reset, Silence, Slow, answers, bans, holds, refuses
from discord_api.gateway import Close, Connection, Gateway, Op, Session
from discord_api.interactions import Answer, Asked, Interaction
from discord_api.limits import INVALID, OVERALL, Held, Limit, Limits
from discord_api.members import Member
from discord_api.refusal import Json, Refusal, plain, refusal
from discord_api.server import BOT_ID, TOKEN, DiscordApi, Request
from discord_api.world import USUAL, Can, Channel, Context, Event, Guild, Intent, Message, User, What

__all__ = [
    "BOT_ID",
    "COMPONENTS_V2",
    "EPHEMERAL",
    "INVALID",
    "OVERALL",
    "TOKEN",
    "USUAL",
    "Answer",
    "Answers",
    "Asked",
    "Attachment",
    "Button",
    "Call",
    "Can",
    "Channel",
    "Close",
    "Club",
    "Connection",
    "Content",
    "Context",
    "CutOff",
    "DiscordApi",
    "Event",
    "Fault",
    "Gateway",
    "Guild",
    "Held",
    "Intent",
    "Interaction",
    "Json",
    "Kind",
    "Limit",
    "Limits",
    "Member",
    "Menu",
    "Message",
    "Modal",
    "Op",
    "Refusal",
    "Request",
    "Reset",
    "Session",
    "Silence",
    "Slow",
    "User",
    "What",
    "answers",
    "bans",
    "holds",
    "plain",
    "refusal",
    "refuses",
]
