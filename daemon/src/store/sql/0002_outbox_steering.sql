-- Where an entry stands among those of its lane, once it was put back in line by a retry: a number of the same counter as
-- `id`, so that what came before stands before it and what comes after behind it. NULL: its `id`.
ALTER TABLE outbox ADD COLUMN place INTEGER;
-- True where the platform told when the next attempt is due: no retry by hand goes before it.
ALTER TABLE outbox ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
