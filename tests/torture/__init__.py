"""The whole system under load while its processes and servers are killed, stopped, frozen and cut off."""
