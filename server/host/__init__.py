"""The authoritative match host: one tick over all sessions that a process leases."""

from server.host.asking import Answer as Answer
from server.host.commentary import Annotate as Annotate
from server.host.host import Host as Host
from server.host.sealed import Sealed as Sealed
from server.host.stats import HostStats as HostStats
