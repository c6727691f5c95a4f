-- The log: P partitions, each a gapless, hash-chained sequence. Rows are only ever inserted.
create schema log;

create table log.genesis (
    partition smallint primary key,
    document bytea not null,
    digest bytea not null check (octet_length(digest) = 32)
);
comment on table log.genesis is 'First link of each chain: sha256 of a document that names this service, partition and database.';

create table log.log_head (
    partition smallint primary key references log.genesis,
    position bigint not null check (position >= 0),
    digest bytea not null check (octet_length(digest) = 32)
);
comment on table log.log_head is 'Last position and digest of each partition; locking its row makes positions contiguous.';

create table log.events (
    partition smallint not null references log.genesis,
    position bigint not null check (position > 0),
    stream text not null,
    version integer not null check (version > 0),
    type text not null,
    schema smallint not null check (schema > 0),
    data bytea not null check (octet_length(data) <= 524288),
    meta bytea not null,
    recorded_at timestamptz not null,
    digest bytea not null check (octet_length(digest) = 32),
    primary key (partition, position),
    unique (partition, stream, version)
);

create view log.readable_events as
select partition, position, stream, version, type, schema,
       convert_from(data, 'UTF8')::json as data, convert_from(meta, 'UTF8')::json as meta,
       recorded_at, encode(digest, 'hex') as digest
  from log.events;
comment on view log.readable_events is 'The events as JSON, for people.';

create table log.unique_keys (
    scope text not null,
    key text not null,
    stream text not null,
    primary key (scope, key)
);
comment on table log.unique_keys is 'Business numbers and the one stream that may use each.';

create table log.commands (
    command_id text primary key,
    fingerprint bytea not null,
    outcome jsonb not null,
    recorded_at timestamptz not null default now()
);
comment on table log.commands is 'Commands that came with an id of their own, and their first outcome, refusals included.';
