"""Clubs as a conversation: what organisers set, and which group runs members follow."""

from core.organising.organiser import Organised, Organising
from core.organising.posting import may_post, post
from core.organising.refreshing import refresh
from core.organising.telling import told_of

__all__ = ["Organised", "Organising", "may_post", "post", "refresh", "told_of"]
