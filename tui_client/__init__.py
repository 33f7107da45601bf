"""The spectator: a Textual client that speaks only `server.protocol` and the public HTTP API."""
