-- A dead letter holds back the later messages of its contract until a person settles it.
alter table log.dead_letters
    add column timestamp_ms bigint not null default 0,
    add column state text not null default 'open' check (state in ('open', 'answered', 'redriven', 'discarded')),
    add column lane text,
    add column attempts integer not null default 1 check (attempts > 0),
    add column edited bytea,
    add column settled_by text,
    add column settled_reason text,
    add column settled_at timestamptz,
    add constraint settled_by_somebody check (
        state in ('open', 'answered') or (settled_by is not null and settled_reason is not null and settled_at is not null)
    );
create index dead_letters_holding on log.dead_letters (lane) where state = 'open' and lane is not null;
comment on column log.dead_letters.state is
    'open: a person has to settle it; answered: the outcome is in the log and its sender heard it, kept to be looked at.';
comment on column log.dead_letters.lane is 'The contract whose later messages wait in log.parked while this is open.';
comment on column log.dead_letters.edited is 'The value that was handled instead of the original one, which stays as it came.';

create table log.parked (
    id bigint generated always as identity primary key,
    lane text not null,
    source text not null,
    partition integer not null,
    source_offset bigint not null,
    key bytea,
    value bytea,
    headers jsonb not null,
    timestamp_ms bigint not null,
    parked_at timestamptz not null,
    unique (source, partition, source_offset)
);
create index parked_in_order on log.parked (lane, id);
comment on table log.parked is 'Messages that wait, in this order, behind a dead letter of their contract.';
