"""The commands of a bot: what Discord takes, and where it offers them."""

import re
from collections.abc import Callable

from discord_api.call import Call, Result
from discord_api.form import Form
from discord_api.refusal import Json, Path, refusal
from discord_api.world import Can, Channel, Context, User, World

SLASH = 1
SUBCOMMAND, SUBCOMMAND_GROUP, STRING, INTEGER, BOOLEAN, NUMBER, ATTACHMENT = 1, 2, 3, 4, 5, 10, 11
GUILD_INSTALL, USER_INSTALL = 0, 1
MOST_COMMANDS = {1: 100, 2: 15, 3: 15}
LARGEST = 8000
"""Characters in the names, descriptions and values of one command."""
_LOCALES = """
    id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja zh-TW ko
"""
LOCALES = frozenset(_LOCALES.split())


class Commands:
    """What is registered, for everywhere or for one server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[int | None, list[Json]] = {None: []}
        self.syncs = 0
        """How often commands were written."""

    def register(self, guild: int | None, given: list[Json]) -> list[Json]:
        """Return the commands that take the place of those before; one of the same name and type keeps its id."""
        before = {(one["name"], one["type"]): one["id"] for one in self.all.get(guild, [])}
        made = []
        for one in given:
            id = before.get((one["name"], one.get("type", SLASH)), str(self.world.new_id()))
            made.append(_stored(self.world, id, guild, one))
        self.all[guild] = made
        self.syncs += 1
        return made

    def offered(self, user: User, channel: Channel) -> dict[str, Json]:
        """Return the slash commands that someone finds in a channel, by name."""
        guild = channel.guild
        here = self.all.get(guild.id, []) if guild and guild.has_bot else []
        everywhere = [one for one in self.all[None] if self.owners(one, user, channel)]
        found = {one["name"]: one for one in (*everywhere, *here) if one["type"] == SLASH}
        return {name: one for name, one in found.items() if _permitted(one, user, channel)}

    def owners(self, command: Json, user: User, channel: Channel) -> Json:
        """Return whose installations offer a command to someone in a channel; empty where it is not offered."""
        contexts = command.get("contexts")
        if contexts is not None and int(channel.context) not in contexts:
            return {}
        types = command.get("integration_types", [GUILD_INSTALL])
        return {str(kind): owner for kind, owner in self.installations(user, channel).items() if kind in types}

    def installations(self, user: User, channel: Channel) -> dict[int, str]:
        """Return by which installations the app is there for someone in a channel, and whose they are."""
        found = {}
        if channel.guild and channel.guild.has_bot:
            found[GUILD_INSTALL] = str(channel.guild.id)
        if channel.context is Context.BOT_DM:
            found[GUILD_INSTALL] = "0"
        if user.id in self.world.installed:
            found[USER_INSTALL] = str(user.id)
        return found


def get_all(commands: Commands, call: Call) -> Result:
    """List the commands."""
    localised = call.flag("with_localizations")
    hidden = () if localised else ("name_localizations", "description_localizations")
    return [{k: v for k, v in one.items() if k not in hidden} for one in commands.all.get(_guild(commands, call), [])]


def put_all(commands: Commands, call: Call) -> Result:
    """Write all commands at once."""
    guild = _guild(commands, call)
    form, given = Form(), call.body
    if not isinstance(given, list):
        raise refusal(50109)
    for place, one in enumerate(given):
        _check(form, (place,), one)
    form.settle()
    _check_together(form, given)
    form.settle()
    return list(commands.register(guild, given))


def _guild(commands: Commands, call: Call) -> int | None:
    """Return the server that commands are for; raise Refusal for another app, and for a server without the bot."""
    world = commands.world
    if call.id("application_id") != world.bot.id:
        raise refusal(20012)
    if "guild_id" not in call.place:
        return None
    guild = world.guilds.get(call.id("guild_id"))
    if guild is None or not guild.has_bot:
        raise refusal(50001)
    return guild.id


def _check(form: Form, at: Path, command: Json) -> None:
    form.one_of((*at, "type"), command.get("type", SLASH), tuple(MOST_COMMANDS))
    if command.get("type", SLASH) == SLASH:
        _name(form, at, command)
        _described(form, at, command)
        _options(form, (*at, "options"), command.get("options") or [])
    else:
        form.text((*at, "name"), command.get("name"), 1, 32)
    for place, kind in enumerate(command.get("integration_types") or ()):
        form.one_of((*at, "integration_types", place), kind, (GUILD_INSTALL, USER_INSTALL))
    for place, context in enumerate(command.get("contexts") or ()):
        form.one_of((*at, "contexts", place), context, tuple(int(one) for one in Context))
    if sum(len(text) for text in _texts(command)) > LARGEST:
        form.wrong(at, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({LARGEST})")


def _check_together(form: Form, given: list[Json]) -> None:
    seen = set()
    for place, one in enumerate(given):
        key = (one["name"], one.get("type", SLASH))
        if key in seen:
            form.wrong((place,), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        seen.add(key)
    for kind, most in MOST_COMMANDS.items():
        if sum(one.get("type", SLASH) == kind for one in given) > most:
            form.wrong((), "BASE_TYPE_BAD_LENGTH", f"Must be {most} or fewer in length.")


def _name(form: Form, at: Path, one: Json) -> None:
    names = {"name": one.get("name"), **(one.get("name_localizations") or {})}
    for place, name in names.items():
        where = (*at, "name") if place == "name" else (*at, "name_localizations", place)
        if form.text(where, name, 1, 32) and not (re.fullmatch(r"[-_'\w]+", str(name)) and str(name) == str(name).lower()):
            form.wrong(where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    _locales(form, (*at, "name_localizations"), one.get("name_localizations"))


def _described(form: Form, at: Path, one: Json) -> None:
    form.text((*at, "description"), one.get("description"), 1, 100)
    for locale, text in (one.get("description_localizations") or {}).items():
        form.text((*at, "description_localizations", locale), text, 1, 100)
    _locales(form, (*at, "description_localizations"), one.get("description_localizations"))


def _locales(form: Form, at: Path, given: Json | None) -> None:
    for locale in given or ():
        form.one_of((*at, locale), locale, LOCALES)


def _options(form: Form, at: Path, options: list[Json]) -> None:
    if not form.items(at, options, 0, 25):
        return
    names: set[str] = set()
    optional = False
    for place, option in enumerate(options):
        _option(form, (*at, place), option)
        if option.get("name") in names:
            form.wrong((*at, place), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option with that name already exists")
        if option.get("required") and optional:
            says = "Required options must be placed before non-required options"
            form.wrong((*at, place), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", says)
        names.add(str(option.get("name")))
        optional = optional or not option.get("required")


def _option(form: Form, at: Path, option: Json) -> None:
    form.one_of((*at, "type"), option.get("type"), range(1, 12))
    _name(form, at, option)
    _described(form, at, option)
    choices = option.get("choices") or []
    form.items((*at, "choices"), choices, 0, 25)
    for place, choice in enumerate(choices):
        form.text((*at, "choices", place, "name"), choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            form.text((*at, "choices", place, "value"), choice["value"], 1, 100)
    if choices and option.get("autocomplete"):
        form.wrong((*at, "autocomplete"), "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", "Not together with choices")
    _options(form, (*at, "options"), option.get("options") or [])


def _texts(one: Json) -> list[str]:
    """Return every text that counts towards the size of a command."""
    found = [str(one.get(name, "")) for name in ("name", "description", "value")]
    for inner in (*(one.get("options") or ()), *(one.get("choices") or ())):
        found += _texts(inner)
    return found


def _stored(world: World, id: str, guild: int | None, given: Json) -> Json:
    """Return a command as Discord keeps it; where it may be used is asked of global ones only."""
    permissions = given.get("default_member_permissions")
    kept: Json = {
        "id": id,
        "application_id": str(world.bot.id),
        "version": str(world.new_id()),
        "type": SLASH,
        "description": "",
        "name_localizations": None,
        "description_localizations": None,
        "nsfw": False,
        **given,
        "default_member_permissions": None if permissions is None else str(permissions),
    }
    if guild is None:
        return {**kept, "integration_types": given.get("integration_types") or [GUILD_INSTALL]}
    return {**{k: v for k, v in kept.items() if k not in ("contexts", "integration_types")}, "guild_id": str(guild)}


def _permitted(command: Json, user: User, channel: Channel) -> bool:
    """Return whether a server lets someone see a command that is for some only."""
    asked = command.get("default_member_permissions")
    if asked is None or channel.guild is None:
        return True
    may = channel.guild.may(user)
    if Can.ADMINISTRATOR in may:
        return True
    return int(asked) != 0 and int(asked) & int(may) == int(asked)


# ---------------------------------------------------------------- what a member types


def typed(line: str, command: Json, *, focused: bool = False) -> list[Json]:
    """Return the options of a line such as `/care topic:groin pain`, as an interaction carries them.

    With `focused`, the last one is still being typed. AssertionError for what the app would not let anyone send.
    """
    _, _, rest = line.partition(" ")
    return _parsed(rest.strip(), command.get("options") or [], focused=focused)


def _parsed(rest: str, options: list[Json], *, focused: bool) -> list[Json]:
    inner = {one["name"]: one for one in options if one["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)}
    if inner:
        name, _, rest = rest.partition(" ")
        assert name in inner, f"no subcommand {name!r} among {sorted(inner)}"
        within = _parsed(rest, inner[name].get("options") or [], focused=focused)
        return [{"name": name, "type": inner[name]["type"], "options": within}]
    known = {one["name"]: one for one in options}
    found = list(re.finditer(rf"(?:^|\s)({'|'.join(map(re.escape, known))}):", rest)) if known else []
    assert found or not rest, f"nobody can type {rest!r} here: {sorted(known)}"
    ends = [*(one.start() for one in found[1:]), len(rest)]
    parts = zip(found, ends, strict=False)  # without options there is one end too many
    given = [_given(known[one[1]], rest[one.end() : end].strip(), free=focused) for one, end in parts]
    if focused and given:
        given[-1]["focused"] = True
    missing = {name for name, one in known.items() if one.get("required")} - {one["name"] for one in given}
    assert focused or not missing, f"the app asks for {sorted(missing)} first"
    return given


def _given(option: Json, text: str, *, free: bool) -> Json:
    """Return one option with its value; a choice is named by what is shown for it."""
    choices = {choice["name"]: choice["value"] for choice in option.get("choices") or ()}
    assert free or not choices or text in choices, f"{text!r} is none of {sorted(choices)}"
    value = choices.get(text, text)
    if not free and not choices:
        value = _READ.get(option["type"], str)(text)
    return {"name": option["name"], "type": option["type"], "value": value}


_READ: dict[int, Callable[[str], object]] = {
    INTEGER: int,
    NUMBER: float,
    BOOLEAN: lambda text: text.lower() == "true",
}
