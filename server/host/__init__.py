"""The authoritative match host: one tick over all sessions that a process leases."""

from server.host.host import Host as Host
from server.host.sealed import Sealed as Sealed
from server.host.stats import HostStats as HostStats
