"""The core decides and does no I/O: what is known, what it means, and what the bot says next."""
