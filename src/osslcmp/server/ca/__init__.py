"""The certification authority that comes with the server: in memory, or in a directory with a database."""
