-- The ids of messages that retention removed from `events`, at their old offsets. A message that AgentChat shows again
-- enters the log no second time; only the last million of them are kept.
CREATE TABLE retired (
    "offset"   INTEGER PRIMARY KEY,
    message_id TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX retired_message ON retired (message_id);

-- What the log weighs: bodies, and 160 bytes for the rest of each row.
ALTER TABLE checkpoint ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE checkpoint SET log_bytes = (SELECT coalesce(sum(octet_length(body) + 160), 0) FROM events);

-- Offsets removed although a consumer had not acknowledged them, and not told of in the log yet.
ALTER TABLE checkpoint ADD COLUMN dropped_first INTEGER;
ALTER TABLE checkpoint ADD COLUMN dropped_last INTEGER;
