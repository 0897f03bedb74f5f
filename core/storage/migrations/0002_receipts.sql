-- Receipts: that an erasure was done is told after it, to someone who is no longer a member.
-- Reason: the message outlives the erasure under a key of its own, and goes once it is sent or after 24 hours.

-- Each is a stranger with one address that nobody can look up, and what is owed there.
CREATE TABLE receipts (
    member TEXT PRIMARY KEY REFERENCES members (id),
    made TEXT NOT NULL
);
CREATE INDEX receipts_made ON receipts (made);
