"""The live edge: websocket connections, channels, fan-out, and the ingress of actions.

`server` constructs the rest. A connection (`connection`) is received (`visit`), counted (`door`) and
its requests are served (`requests`, `actions`). Channels are followed (`channels`) as streams
(`stream`) that render (`render`, `frames`) what the fan-out (`fanout`) writes once per tick.
"""

from server.gateway.server import Gateway as Gateway
