-- Locks: which lock a placement is on, and where each device was when it was last known.

-- Commands: how new the newest command was that a pair has seen.

-- Broker: what was refused of what it keeps, and the session that it keeps for us.

-- Outbox: the room that events may take.

