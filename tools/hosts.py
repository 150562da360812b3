"""Networks, hosts and web addresses in arguments: checked before anybody is asked, and corrected in the error."""

import re
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\.?$){_LABEL}(\.{_LABEL})*\.?")
_ENDS_IN_DIGITS: Final = re.compile(r"(.*\.)?[0-9]+\.?")
"""A name whose last part is a number is read as an address everywhere (URL standard), so it has to be one."""

_NUMERIC: Final = re.compile(r"[0-9./]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:./]*")


def require_ipv4_network(value: str) -> IPv4Network:
    """Return the block that a text names, written as every list writes it.

    Raises:
        ValueError: It names none, or writes it in another way; the message has the corrected form.
    """
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value!r} is no IPv4 block; write it as 203.0.113.0/24 or 203.0.113.10/32.") from None
    if ip_address(value.partition("/")[0]) != network.network_address:
        raise ValueError(f"{value!r} does not start its block; the block is {network}.")
    if value != str(network):
        raise ValueError(f"{value!r} has no mask of bits; write it as {network}.")
    return network


def is_host(text: str) -> bool:
    """Return True for an IP address or a name that a machine may have."""
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    try:
        ip_address(bare)
    except ValueError:
        pass
    else:
        return True
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return _NAME.fullmatch(name) is not None and _ENDS_IN_DIGITS.fullmatch(name) is None


def require_host(value: str) -> str:
    """Return the value if it is an IP address or a host name.

    Raises:
        ValueError: It is neither.
    """
    if not is_host(value):
        raise ValueError(f"{value!r} is no host; give an IP address or a name such as pbx.example.com.")
    return value


def names_host(address: str) -> bool:
    """Return True for a web address whose host and port can be those of a machine."""
    try:
        parts = urlsplit(address)
        return is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False


def require_web_host(value: str) -> str:
    """Return a web address if its host can be that of a machine.

    Raises:
        ValueError: It cannot.
    """
    if not names_host(value):
        raise ValueError(f"{value!r} names no host; write it as https://www.example.com/path.")
    return value


def require_source_list(value: str) -> str:
    """Return a list of addresses that may log in, if each that is written in digits is one.

    No page says how a list is written, so whatever else stands in it is left as it is.

    Raises:
        ValueError: One is no address or network; the message has the corrected form where there is one.
    """
    for entry in re.split(r"[,;\s]+", value):
        if not _NUMERIC.fullmatch(entry):
            continue
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"{entry!r} is no address; write it as 203.0.113.10 or 203.0.113.0/24.") from None
        if ip_address(entry.partition("/")[0]) != network.network_address:
            raise ValueError(f"{entry!r} does not start its network; the network is {network}.")
    return value


WebHost = AfterValidator(require_web_host)
"""Checks the host of a web address, whose other parts a pattern checks."""
