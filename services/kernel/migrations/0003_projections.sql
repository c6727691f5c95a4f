-- Read models live in a schema of their own, which the service may create and drop tables in.
create schema read;

create table log.projections (
    name text not null,
    version integer not null,
    live boolean not null,
    shape text not null,
    primary key (name, version)
);

create table log.checkpoints (
    projection text not null,
    version integer not null,
    partition smallint not null,
    position bigint not null,
    primary key (projection, version, partition)
);
