-- What was taken in from Kafka. The inbox row, not the consumer group, says how far a source was handled.
create table log.inbox (
    source text not null,
    partition integer not null,
    position bigint not null,
    next_offset bigint not null,
    fingerprint bytea,
    primary key (source, partition)
);
comment on column log.inbox.position is 'Of our own topics: the log position of the last public event; of a channel''s topic: its offset.';
comment on column log.inbox.fingerprint is 'sha256 over offset, timestamp, key and value of the last handled record: a recreated topic shows.';

create table log.dead_letters (
    id text primary key,
    source text not null,
    partition integer not null,
    source_offset bigint not null,
    key bytea,
    value bytea,
    headers jsonb not null,
    reason text not null,
    error text not null,
    received_at timestamptz not null,
    published boolean not null default false
);
create index dead_letters_to_publish on log.dead_letters (received_at) where not published;

create table log.replies (
    id bigint generated always as identity primary key,
    topic text not null,
    key text not null,
    value bytea not null,
    headers jsonb not null
);
comment on table log.replies is 'Outcomes to be told again because a channel repeated itself; deleted once sent.';
