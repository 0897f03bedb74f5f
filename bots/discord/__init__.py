"""The conversation on Discord."""
