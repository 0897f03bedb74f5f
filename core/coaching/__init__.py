"""Check-ins, follow-ups and their settings as a conversation: what members do with them, and what is said. Pure."""

from core.coaching.coach import Coaching
from core.coaching.told import Proposal, Told

__all__ = ["Coaching", "Proposal", "Told"]
