-- The foreign key looked up log.genesis for every event, a third of the server's work for an append. It proves nothing
-- more: a position is only ever taken from the locked row of log.log_head, which references log.genesis itself.
alter table log.events drop constraint events_partition_fkey;
