"""The methods of HTTP that operations use."""

from typing import Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
