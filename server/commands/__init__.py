"""Groups of `agon` commands, one file each; `server.cli` hangs them into the one command."""
