"""A Bot API on loopback that behaves as the real one does, for tests that run a bot over real sockets.

What is refused, and in which words, follows the sources of tdlib/telegram-bot-api and tdlib/td, its documentation
and the reports of those who met it. Not there: inline mode, payments, stickers, media other than documents, topics.
"""

from bot_api.faults import Answers, CutOff, Drip, Fault, Reset, Silence, Slow, answers, holds, refuses
from bot_api.limits import ONE_CHAT, ONE_GROUP, OVERALL, Limit, Limits
from bot_api.members import Channel, Group, Member
from bot_api.refusal import Json, Refusal
from bot_api.server import TOKEN, BotApi, Pace, Request
from bot_api.text import utf16
from bot_api.webhook import SECRET_HEADER
from bot_api.world import Answer, Chat, Content, Document, Event, Message, Tap, User, What

__all__ = [
    "ONE_CHAT",
    "ONE_GROUP",
    "OVERALL",
    "SECRET_HEADER",
    "TOKEN",
    "Answer",
    "Answers",
    "BotApi",
    "Channel",
    "Chat",
    "Content",
    "CutOff",
    "Document",
    "Drip",
    "Event",
    "Fault",
    "Group",
    "Json",
    "Limit",
    "Limits",
    "Member",
    "Message",
    "Pace",
    "Refusal",
    "Request",
    "Reset",
    "Silence",
    "Slow",
    "Tap",
    "User",
    "What",
    "answers",
    "holds",
    "refuses",
    "utf16",
]
