"""What Telegram says of who someone is in a group: asked each time, and never kept."""

from telegram import Bot
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden, TelegramError

from core.club import Standing
from core.errors import CannotTell
from core.members import Address

STANDINGS = {
    ChatMemberStatus.OWNER: Standing.ORGANISER,
    ChatMemberStatus.ADMINISTRATOR: Standing.ORGANISER,
    ChatMemberStatus.MEMBER: Standing.MEMBER,
    ChatMemberStatus.RESTRICTED: Standing.MEMBER,
}
WAITS = 5.0
"""Seconds that Telegram has to answer."""


class Standings:
    """Asks Telegram: https://core.telegram.org/bots/api#getchatmember."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def standing(self, who: Address, chat: Address) -> Standing:
        """Return what someone is in a group at this moment; raise CannotTell where Telegram does not say."""
        try:
            member = await self._bot.get_chat_member(chat.id, int(who.id), read_timeout=WAITS)
        except (BadRequest, Forbidden):  # the bot, or they, never were in that group, or are no longer
            return Standing.STRANGER
        except TelegramError as error:
            raise CannotTell from error
        if member.status == ChatMemberStatus.RESTRICTED and not getattr(member, "is_member", False):
            return Standing.STRANGER
        return STANDINGS.get(ChatMemberStatus(member.status), Standing.STRANGER)
