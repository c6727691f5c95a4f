"""One service process: put together, started and stopped, its HTTP, and what ops does to it."""
