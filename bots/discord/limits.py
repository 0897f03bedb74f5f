"""What Discord allows a bot, as far as it says so."""

from datetime import UTC, datetime, timedelta

from core.pacer import Pace

PACE = Pace(permits=34, bulk_gap=0.03)
"""Messages a second: some requests are left for what is asked besides them, and for what is asked again."""
MOST_AT_ONCE, WITHIN = 37, 1.05
"""Requests with the bot's token, and seconds. Discord takes 50 a second: docs.discord.com/developers/topics/rate-limits.

What answers interactions is not counted there, and shows no token.
"""
MOST_INVALID = 100
"""Answers of 401, 403 and 429 that we take within ten minutes: at 10,000 Discord shuts out the whole machine."""
INVALID_FOR = timedelta(minutes=10)

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""When Discord's ids begin to count."""
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
PAGE, MOST_PAGES = 100, 5
"""So many messages of a channel are read at once, and so often: more than a club says between a run and the next day."""
LONGEST_NONCE = 25
