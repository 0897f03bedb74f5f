"""What Telegram says of who someone is in a group: asked each time, and never kept."""

import asyncio

from telegram import Bot, ChatMember, ChatMemberRestricted
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden, TelegramError

from core.club import Standing
from core.errors import CannotTell
from core.members import Address

STANDINGS = {
    ChatMemberStatus.OWNER.value: Standing.ORGANISER,
    ChatMemberStatus.ADMINISTRATOR.value: Standing.ORGANISER,
    ChatMemberStatus.MEMBER.value: Standing.MEMBER,
    ChatMemberStatus.RESTRICTED.value: Standing.MEMBER,
}
WAITS = 5.0
"""Seconds that Telegram has to answer."""
HIDDEN = ("chat_admin_required", "participant_id_invalid", "inaccessible")
"""What it says of others, in capitals or not, where a group hides its members from a bot that is no administrator there."""


class Standings:
    """Asks Telegram: https://core.telegram.org/bots/api#getchatmember."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def standing(self, who: Address, chat: Address) -> Standing:
        """Return what someone is in a group at this moment; raise CannotTell where Telegram does not say."""
        try:
            async with asyncio.timeout(WAITS):
                return _standing(await self._bot.get_chat_member(chat.id, int(who.id)))
        except (BadRequest, Forbidden) as refused:
            if any(word in refused.message.casefold() for word in HIDDEN):
                raise CannotTell from None
            return Standing.STRANGER  # the bot, or they, never were in that group, or are no longer
        except (TelegramError, TimeoutError, TypeError, KeyError):  # the latter: the library cannot read the answer
            raise CannotTell from None


def _standing(member: ChatMember) -> Standing:
    if isinstance(member, ChatMemberRestricted) and not member.is_member:
        return Standing.STRANGER
    return STANDINGS.get(str(member.status), Standing.STRANGER)
