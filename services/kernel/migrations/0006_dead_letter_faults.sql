-- What an answered message was refused for, as its channel was told: [{"code": ..., "path": ..., "message": ...}].
alter table log.dead_letters add column faults jsonb not null default '[]';
