-- Unreachable: since when nothing can be sent to an address, because its member blocked the bot or closed the chat.
-- Reason: what is planned for it waits, and nobody is tried again and again.
ALTER TABLE addresses ADD COLUMN unreachable TEXT;
