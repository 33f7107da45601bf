"""The arena: protocol, match engine, live edge, records, and the processes that run them. Docstring only: `server.protocol` is a leaf."""
