-- Outbox by address: what was sent to one conversation, the newest first.
-- Reason: each claim looks there for the question above, and each erasure for what refers to the address; both read it all.
CREATE INDEX outbox_address ON outbox (address, position);
