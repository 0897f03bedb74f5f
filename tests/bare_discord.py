"""The baseline of what Hipwise costs on Discord: the same library as it comes, a slash command with a view."""

import os

# What a bot on this stack imports, whatever it does.
import aiosqlite  # noqa: F401
import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

Asking = discord.Interaction[discord.Client]


class Echo(ui.View):
    """A text with one button, a click of which changes the text."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="None of these", custom_id="1:none")
    async def pressed(self, interaction: Asking, button: ui.Button["Echo"]) -> None:
        """Change the message."""
        await interaction.response.edit_message(content=f"You pressed {button.custom_id}", view=Echo())


class Client(discord.Client):
    """A bot with one command."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, dm_messages=True))
        self.tree = app_commands.CommandTree(self)

        @self.tree.command(description="Say what was said")
        async def hip(interaction: Asking) -> None:
            name = interaction.command.name if interaction.command else ""
            await interaction.response.send_message(f"/{name}", view=Echo(), ephemeral=True)

    async def setup_hook(self) -> None:
        """Show the command, and know the button again after a restart."""
        self.add_view(Echo())
        await self.tree.sync()


def main() -> None:
    """Run until killed."""
    Route.BASE = os.environ["DISCORD_API_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    Client().run(os.environ["DISCORD_BOT_TOKEN"], log_handler=None)


if __name__ == "__main__":
    main()
