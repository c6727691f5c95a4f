"""Intake: publishes rows of a file as channel messages, described by a declared mapping.

Owns nothing: no log, no database, no local state. It stands where a channel stands and talks to the
services only through `contracts.channel.v1` on `orders.<channel>.v1`, so running it again publishes
the same messages again and the services recognise them.
"""
