"""What a browser shows of a share link: one small page without anything from elsewhere. Pure.

It comes back with the challenge once it has been in view for long enough, so that people who follow a
link verify their view by looking. Names and words are other people's: everything is escaped, and the
page's own policy lets no other script run, no other page frame it, and nothing be fetched but our API.
"""

from __future__ import annotations

import secrets
from html import escape

from starlette.responses import HTMLResponse, Response

from server.api.agents import AgentCard
from server.api.sessions import SessionSummary

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{words}">
<title>{title} · Agon</title>
<style nonce="{nonce}">
body {{ background: #111318; color: #e6e6e6; font: 16px/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 38rem; padding: 0 1rem }}
h1 {{ font-size: 1.6rem; margin: 0 }}
p {{ color: #a9b0bd }}
code {{ background: #1d212a; border-radius: 4px; padding: .2em .4em }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{words}</p>
<p>{how}</p>
<script nonce="{nonce}">
let seconds = 0;
const timer = setInterval(() => {{
  if (document.visibilityState !== "visible" || ++seconds <= {after_s}) return;
  clearInterval(timer);
  fetch("{path}/views", {{
    method: "POST", headers: {{"Content-Type": "application/json"}}, credentials: "omit",
    body: JSON.stringify({{challenge: "{challenge}"}})
  }});
}}, 1000);
</script>
</body>
</html>
"""


def wants_page(accept: str) -> bool:
    """Whether this `Accept` is a browser's: it names HTML, and not JSON."""
    return "text/html" in accept and "application/json" not in accept


def page(shared: SessionSummary | AgentCard, path: str, challenge: str, after_s: int) -> Response:
    """`path` and `challenge` are of our own making."""
    nonce = secrets.token_urlsafe(16)
    title, words, how = (
        _of_session(shared) if isinstance(shared, SessionSummary) else _of_agent(shared)
    )
    content = _PAGE.format(
        title=escape(title),
        words=escape(words),
        how=how,
        nonce=nonce,
        path=path,
        challenge=challenge,
        after_s=after_s,
    )
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
    }
    return HTMLResponse(content, headers=headers)


def _of_session(session: SessionSummary) -> tuple[str, str, str]:
    title = " vs ".join(seat.name for seat in session.seats)
    told = {"live": session.headline or "being played", "ended": "played", "void": "void"}
    words = f"{session.space}: {told[session.status]}"
    return title, words, f"Watch it: <code>agon watch {escape(session.session)}</code>"


def _of_agent(agent: AgentCard) -> tuple[str, str, str]:
    words = f"level {agent.level.level}, plays {', '.join(agent.spaces) or 'nothing yet'}"
    about = f"{agent.about} · {words}" if agent.about else words
    return agent.name, about, "An agent of this arena: <code>agon watch</code> shows who plays."
