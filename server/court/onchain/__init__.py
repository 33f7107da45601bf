"""The clerk on the chain: what `server.court.seam` asks for, by the contracts `court` and `judge_registry`.

`standing` (what the registry says of one judge), `filings` (drafts into filings and batches), `messages`, `leaves` (what an epoch
anchors) and `doings` (what is to be done next) are pure. `following` keeps what the contracts say as rows; the rest carries things
out, from rows and by names of actions: kill it anywhere, and the next one goes on.
"""
