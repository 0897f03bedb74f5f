-- Places: where on its platform the conversation with a member is, where their address does not say that.
-- Reason: on Discord only the conversation that a member has opened may be written to first.
ALTER TABLE addresses ADD COLUMN place BLOB;
