"""What may be wrong with an address of a server that the operator has set."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

PLAIN_HTTP = "HIPWISE_ALLOW_PLAIN_HTTP"


def problems_with(name: str, given: str, schemes: tuple[str, str], *, plain_allowed: bool) -> Iterator[str]:
    """Yield what is wrong with an address: a token goes over it, so it must be encrypted, or stay on this machine.

    Of the schemes the first is encrypted and the second is not.
    """
    encrypted, plain = schemes
    try:
        address = urlsplit(given)
        _ = address.port
    except ValueError:
        yield f"{name}: not an address."
        return
    if address.scheme not in schemes or not address.hostname:
        yield f"{name}: not an address. It begins with {encrypted}://"
    elif address.query or address.fragment or address.username:
        yield f"{name}: it may hold no name, password, ? or #."
    elif address.scheme == plain and not _is_here(address) and not plain_allowed:
        yield (
            f"{name}: plain {plain} is readable on the way, and is only for this machine. Use {encrypted}, or, on a network"
            f" that you trust, set {PLAIN_HTTP}=1."
        )


def _is_here(address: SplitResult) -> bool:
    host = address.hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
