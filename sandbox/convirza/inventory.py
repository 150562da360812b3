"""Numbers at the carriers that nobody has ordered yet; made up, and the same after every reset."""

CARRIER = 20002
"""The source code of a carrier number in v2's search example."""

OWN = 10001
"""The source code of a number in Convirza's own inventory in the same example."""

_PREFIXES = ("512580", "512829", "737201", "212401", "646712", "303555", "720464", "801555", "833455")


class CarrierInventory:
    """What a search finds beyond the account's own numbers."""

    def __init__(self) -> None:
        self._numbers = dict.fromkeys(f"{prefix}{2000 + 41 * step}" for prefix in _PREFIXES for step in range(20))

    def search(self, area_code: str) -> list[str]:
        """Return the numbers that start with these digits."""
        return [number for number in self._numbers if number.startswith(area_code)]

    def take(self, number: str) -> bool:
        """Take a number out; return False if somebody else was faster."""
        if number not in self._numbers:
            return False
        del self._numbers[number]
        return True
