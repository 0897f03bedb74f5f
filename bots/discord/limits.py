"""What Discord allows a bot, as far as it says so."""

from datetime import timedelta

from core.pacer import Pace

PACE = Pace(permits=40, bulk_gap=0.03)
"""50 requests a second over all, those that answer interactions aside: docs.discord.com/developers/topics/rate-limits.

Some are left for what is asked besides messages, and for what is asked again.
"""
MOST_INVALID = 100
"""Answers of 401, 403 and 429 that we take within ten minutes: at 10,000 Discord shuts out the whole machine."""
INVALID_FOR = timedelta(minutes=10)

ANSWERED_WITHIN = timedelta(seconds=3)
"""An interaction is unknown after that, where nothing has answered it."""
TOKEN_LASTS = timedelta(minutes=15)
"""After that nothing can be said to an interaction any more."""
CHOICES = 25
"""Suggestions to go on with, while a member types."""
LONGEST_CHOICE = 100
"""Characters of one."""
LAST_MESSAGES = 50
"""So many messages of a conversation are looked through for one that may be there already."""
LONGEST_NONCE = 25
