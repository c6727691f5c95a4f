"""Reserves business numbers, so that one stream alone uses each, across all partitions."""

from collections.abc import Sequence
from dataclasses import replace

from services.kernel.log.event_log import Connection
from services.kernel.messages import Impossible, Instruction

_RESERVE = """
insert into log.unique_keys (scope, key, stream)
select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing
"""
_OWNERS = """
select k.scope, k.key, k.stream from log.unique_keys k
  join unnest($1::text[], $2::text[]) as wanted(scope, key) using (scope, key)
"""


async def reserve(connection: Connection, instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions to carry out: each one itself, or its `otherwise` where another stream owns its key."""
    wanted: dict[tuple[str, str], str] = {}
    for instruction in instructions:
        if instruction.unique is not None:
            wanted.setdefault((instruction.unique.scope, instruction.unique.key), instruction.stream)
    if not wanted:
        return list(instructions)
    # In one order everywhere, so that two processes that want the same keys cannot deadlock.
    keys = sorted(wanted)
    scopes, names = [scope for scope, _ in keys], [key for _, key in keys]
    await connection.execute(_RESERVE, scopes, names, [wanted[key] for key in keys])
    rows = await connection.fetch(_OWNERS, scopes, names)
    owners = {(row["scope"], row["key"]): row["stream"] for row in rows}
    return [_allowed(instruction, owners) for instruction in instructions]


def _allowed(instruction: Instruction, owners: dict[tuple[str, str], str]) -> Instruction:
    unique = instruction.unique
    if unique is None or owners[unique.scope, unique.key] == instruction.stream:
        return instruction
    if instruction.otherwise is not None:
        return instruction.otherwise
    error = ValueError(f"{unique.scope} {unique.key} is taken and the instruction names nothing else to do")
    return replace(instruction, command=Impossible("number_taken", error))
