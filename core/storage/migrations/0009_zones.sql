-- Zones: the version of the zone database with which was planned what is written first.
-- Reason: with another one it is planned anew, as the clocks of some members show another time.
CREATE TABLE zones (
    version TEXT PRIMARY KEY
);
