"""One module per mechanism: `listen(address, key, program)` returns a server with `address` and `close()`."""
