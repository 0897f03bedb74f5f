"""What an event says of who asks, and where."""

from discord_api.refusal import Json
from discord_api.world import USUAL, Can, Channel, Guild, User, World


def asked(world: World, user: User, channel: Channel, owners: Json) -> Json:
    """Return what every interaction says of who asks, and where."""
    guild = channel.guild
    said: Json = {
        "version": 1,
        "application_id": str(world.bot.id),
        "channel_id": str(channel.id),
        "channel": {**channel.json, "permissions": str(int(USUAL))},
        "context": int(channel.context),
        "authorizing_integration_owners": owners,
        "locale": user.locale,
        "entitlements": [],
        "attachment_size_limit": 10 * 2**20,
        "app_permissions": str(int(_bot_may(channel))),
    }
    if guild is None:
        return {**said, "user": user.json}
    member = {"user": user.json, "permissions": str(int(guild.may(user)) & (2**53 - 1)), **member_json(guild, user)}
    return {**said, "guild_id": str(guild.id), "guild": guild_json(guild), "guild_locale": "en-US", "member": member}


def _bot_may(channel: Channel) -> Can:
    """Return what the bot may do there: in a server that it is not in, only what an answer needs."""
    if channel.guild is None:
        return USUAL
    return channel.bot_may if channel.guild.has_bot else Can.EMBED_LINKS | Can.ATTACH_FILES


def guild_json(guild: Guild) -> Json:
    """Return what is said of a server in passing."""
    return {"id": str(guild.id), "locale": "en-US", "preferred_locale": "en-US", "features": []}


def member_json(guild: Guild, user: User) -> Json:
    """Return what someone is in a server."""
    shown: Json = {"roles": [], "joined_at": guild.joined.isoformat(), "nick": None, "avatar": None}
    return {**shown, "deaf": False, "mute": False, "pending": False, "flags": 0, "premium_since": None}
