"""Servers, from the side of those who run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord_api.members import Member
from discord_api.refusal import Json
from discord_api.telling import guild_json, member_json
from discord_api.world import USUAL, Can, Channel, ChannelKind, Guild, Intent, User

if TYPE_CHECKING:
    from discord_api.server import DiscordApi


class Club:
    """A server, from the side of those who run it."""

    def __init__(self, api: DiscordApi, guild: Guild) -> None:
        self.api = api
        self.world = api.world
        self.guild = guild

    @property
    def channel(self) -> Channel:
        """Return the first channel."""
        return next(iter(self.guild.channels.values()))

    def member(self, user: User, channel: Channel | None = None) -> Member:
        """Return a user who is here from now on, in the first channel or another."""
        self.guild.members[user.id] = user
        return Member(self.api, user, channel or self.channel)

    def admin(self, user: User, channel: Channel | None = None) -> Member:
        """Return a user who is an admin from now on."""
        self.guild.admins.add(user.id)
        return self.member(user, channel)

    def manager(self, user: User, channel: Channel | None = None) -> Member:
        """Return a user who may manage the server from now on."""
        self.guild.managers.add(user.id)
        return self.member(user, channel)

    def demotes(self, user: User) -> None:
        """Let someone be a member like all others."""
        self.guild.admins.discard(user.id)
        self.guild.managers.discard(user.id)

    def adds_channel(self, name: str, *, bot_may: Can = USUAL) -> Channel:
        """Return a new channel."""
        channel = Channel(self.world.new_id(), ChannelKind.GUILD, name, self.guild, bot_may=bot_may)
        self.guild.channels[channel.id] = self.world.channels[channel.id] = channel
        self._changed()
        self.world.tell("CHANNEL_CREATE", channel.json, Intent.GUILDS)
        return channel

    def deletes_channel(self, channel: Channel) -> None:
        """Delete a channel with all that is in it."""
        channel.deleted = True
        del self.guild.channels[channel.id]
        self._changed()
        self.world.tell("CHANNEL_DELETE", channel.json, Intent.GUILDS)

    def leaves(self, user: User) -> None:
        """Let somebody go; without the intent for it, the bot is told nothing."""
        del self.guild.members[user.id]
        self.world.tell("GUILD_MEMBER_REMOVE", {"guild_id": str(self.guild.id), "user": user.json}, Intent.GUILD_MEMBERS)

    def adds_bot(self) -> None:
        """Bring the bot in."""
        self.guild.has_bot, self.guild.joined = True, self.world.now()
        self._changed()
        self.world.tell("GUILD_CREATE", self.json, Intent.GUILDS)

    def removes_bot(self) -> None:
        """Throw the bot out."""
        self.guild.has_bot = False
        self._changed()
        self.world.tell("GUILD_DELETE", {"id": str(self.guild.id)}, Intent.GUILDS)

    def is_out(self) -> None:
        """Let the server be away for a while, through no doing of anyone."""
        self.world.tell("GUILD_DELETE", {"id": str(self.guild.id), "unavailable": True}, Intent.GUILDS)

    @property
    def json(self) -> Json:
        """Return the server as the bot is told of it when it comes in."""
        guild = self.guild
        bot = {"user": self.world.bot.json, **member_json(guild, self.world.bot)}
        everyone = {"id": str(guild.id), "name": "@everyone", "permissions": str(int(USUAL)), "position": 0}
        everyone |= {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
        return {
            **guild_json(guild),
            "name": guild.name,
            "owner_id": str(guild.owner.id),
            "joined_at": guild.joined.isoformat(),
            "member_count": len(guild.members) + 1,
            "large": False,
            "unavailable": False,
            "members": [bot],
            "channels": [channel.json for channel in guild.channels.values()],
            "roles": [everyone],
            "verification_level": 0,
            "default_message_notifications": 0,
            "emojis": [],
            "stickers": [],
            "threads": [],
            "presences": [],
            "voice_states": [],
        }

    def _changed(self) -> None:
        """Keep what a bot is told at its start in step."""
        if self.guild.has_bot:
            self.api.gateway.guilds[self.guild.id] = self.json
        else:
            self.api.gateway.guilds.pop(self.guild.id, None)


def club(api: DiscordApi, name: str, *people: User, bot: bool) -> Club:
    """Return a new server with one channel; the first of these people owns it."""
    world = api.world
    owner = people[0] if people else User(1, "Owner")
    guild = Guild(world.new_id(), name, owner, {user.id: user for user in people}, has_bot=False)
    world.guilds[guild.id] = guild
    made = Club(api, guild)
    made.adds_channel("general")
    if bot:
        made.adds_bot()
    return made
