"""Fixtures: a member who has not written yet."""

import pytest

from chat import Chat


@pytest.fixture
def chat() -> Chat:
    """Return a fresh conversation."""
    return Chat()
