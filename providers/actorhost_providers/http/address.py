"""Which addresses are somebody's private matter: no client reaches them unless its link says so.

Pure. An address is judged as the socket gets it, so neither a name that resolves to it nor an odd
spelling hides it; IPv6 addresses that carry an IPv4 one are judged by that, too.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")
# What `is_global` of some Python version lets through: relays of 6to4, NAT64 of a site, documentation
# added later, addresses of a site (deprecated, still routed), Teredo.
_ALSO: Final = tuple(
    ip_network(text)
    for text in (
        *("192.88.99.0/24", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4"),
        *("64:ff9b:1::/48", "100::/64", "2001::/23", "3fff::/20", "5f00::/16", "fec0::/10"),
    )
)


def is_private(text: str) -> bool:
    """Return whether `text`, an address as a socket takes it, is anything but one of the public internet."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return True
        inner = _carried(address)
        if inner is not None:
            return is_private(str(inner))
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address in network for network in _ALSO)
    )


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that traffic to `address` may end at."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # ::a.b.c.d, deprecated
        return IPv4Address(int(address))
    return address.ipv4_mapped or address.sixtofour
