"""What Telegram allows a bot, as far as it says so."""

from core.pacer import Pace

PACE = Pace(permits=30, bulk_gap=0.035)
"""About 30 messages a second over all chats: core.telegram.org/bots/faq, "My bot is hitting limits".

A permit is back after a second and a round trip, so with round trips of 60 ms 30 of them carry a bulk send every 35.3 ms.
"""
