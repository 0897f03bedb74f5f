"""The outside: platforms in, platforms out."""
