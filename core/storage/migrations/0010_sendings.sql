-- Sendings: since when nothing could be sent on a platform, and when Hipwise was last known to run.
-- Reason: whoever runs a club is told once it works again that for a day or more it did not.
CREATE TABLE sendings (
    platform TEXT PRIMARY KEY,
    alive TEXT NOT NULL,
    since TEXT,
    until TEXT
);
