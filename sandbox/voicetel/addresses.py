"""Which IPv4 addresses and hosts count as public."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

# inferred: "routable" leaves out these blocks. The documentation ranges stay in, since the published samples use them.
_UNROUTABLE = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_UNRESOLVABLE = ("localhost", ".local", ".internal", ".invalid", ".test", ".localhost")
_HOST = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def parse_network(cidr: str) -> IPv4Network | None:
    """Return the block, or None if the text is not one."""
    try:
        return IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def network_is_routable(network: IPv4Network) -> bool:
    """Return whether no address of the block is private, local, shared, multicast or reserved."""
    return not any(network.overlaps(block) for block in _UNROUTABLE)


def is_ipv4(text: str) -> bool:
    """Return whether the text is an IPv4 address."""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def is_hostname(text: str) -> bool:
    """Return whether the text is a host name with a domain."""
    return _HOST.fullmatch(text) is not None


def is_public_host(host: str) -> bool:
    """Return whether the host is, or would resolve to, a routable public IPv4 address; nothing is looked up."""
    if is_ipv4(host):
        return network_is_routable(IPv4Network(host))
    return is_hostname(host) and not host.lower().endswith(_UNRESOLVABLE)


def split_port(address: str) -> tuple[str, int | None] | None:
    """Split `host[:port]` into its parts; None if the port is no port."""
    host, colon, port = address.partition(":")
    if not colon:
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        return None
    return host, int(port)
