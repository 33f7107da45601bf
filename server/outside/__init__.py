"""What the programs of outside parties (`server.operating`, `server.judging`) have in common. Nothing here is a part of an arena."""
