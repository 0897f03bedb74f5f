"""A client of the real discord.py as small as can be, to try the server with; also in a process of its own.

`PYTHONPATH=tests python -m discord_api.client REST GATEWAY` counts on a button, whose custom id is all that it keeps.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands, ui

from discord_api.library import OnlyLoopback, pointed
from discord_api.server import TOKEN

Asking = discord.Interaction[Any]
Answering = Callable[[Asking], Awaitable[object]]
TOPICS = ("Groin pain", "Night pain", "Running on")


class Client(discord.Client):
    """Hands every interaction to one function, and remembers what the library told it and what went wrong."""

    def __init__(self, answer: Answering, *, intents: discord.Intents | None = None, **options: Any) -> None:
        super().__init__(
            intents=intents or discord.Intents(guilds=True, dm_messages=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            guild_ready_timeout=0.01,
            connector=OnlyLoopback(),
            allowed_mentions=discord.AllowedMentions.none(),
            **options,
        )
        self.answer = answer
        self.told: list[str] = []
        """The events that the library dispatched, by name."""
        self.messages: list[discord.Message] = []
        self.errors: list[Exception] = []
        self.tree = app_commands.CommandTree(self)
        _add_commands(self.tree, self._answered)

    async def setup_hook(self) -> None:
        """Register the commands."""
        await self.tree.sync()

    async def on_interaction(self, interaction: Asking) -> None:
        """Answer what is no command."""
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self._answered(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Remember what was said."""
        self.messages.append(message)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Remember every event."""
        self.told.append(event)
        super().dispatch(event, *args, **kwargs)

    async def _answered(self, interaction: Asking) -> None:
        try:
            await self.answer(interaction)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)


def _add_commands(tree: app_commands.CommandTree[Any], answer: Answering) -> None:
    everywhere = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    anyhow = app_commands.allowed_installs(guilds=True, users=True)

    @tree.command(description="Check your hip")
    @everywhere
    @anyhow
    async def hip(interaction: Asking) -> None:
        await answer(interaction)

    @tree.command(description="Read about a topic")
    @app_commands.describe(topic="What it is about", pages="How many pages")
    async def care(interaction: Asking, topic: str, pages: int = 1) -> None:
        await answer(interaction)

    @care.autocomplete("topic")
    async def topics(interaction: Asking, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one.lower()) for one in TOPICS if current.lower() in one.lower()]

    @tree.command(description="For those who run the club")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    async def club(interaction: Asking) -> None:
        await answer(interaction)


def screen(*words: str, buttons: tuple[tuple[str, str], ...] = ()) -> ui.LayoutView:
    """Return a layout with these paragraphs, and with these buttons: label and custom id."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=0xAA0000)
    for paragraph in words:
        box.add_item(ui.TextDisplay(paragraph))
    if buttons:
        box.add_item(ui.ActionRow(*(ui.Button(label=label, custom_id=id) for label, id in buttons)))
    return view.add_item(box)


async def count(interaction: Asking) -> None:
    """Show a number that the button carries, one more with each press."""
    data: Any = interaction.data
    number = int(data.get("custom_id", "n:0").removeprefix("n:"))
    view = screen(f"Pressed {number} times", buttons=(("More", f"n:{number + 1}"),))
    if interaction.type is discord.InteractionType.component:
        await interaction.response.edit_message(view=view)
    else:
        await interaction.response.send_message(view=view, ephemeral=True)


async def main(rest: str, gateway: str) -> None:
    """Run until killed."""
    with pointed(rest, gateway):
        async with Client(count) as client:
            await client.start(TOKEN)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
