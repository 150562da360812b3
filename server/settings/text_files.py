"""Reads text files that people write, with or without a byte order mark."""

import codecs
from collections.abc import Iterator
from pathlib import Path

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text_file(file: Path) -> str:
    """Return the content of a UTF-8 file, or of a UTF-16 file that begins with its mark, as Windows tools write both.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is neither.
    """
    content = file.read_bytes()
    text = content.decode("utf-16") if content.startswith(_UTF_16) else content.decode("utf-8").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def text_lines(file: Path) -> Iterator[str]:
    """Yield the lines of such a file, without reading it as a whole.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is neither.
    """
    with file.open("rb") as start:
        encoding = "utf-16" if start.read(2) in _UTF_16 else "utf-8-sig"
    with file.open(encoding=encoding) as content:
        for line in content:
            yield line.removesuffix("\n")
