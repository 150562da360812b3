"""Closes the state folder and its files to other users, also those that an earlier version or a copy left open.

The state holds keys, numbers and texts of other people. A file is created closed: it is not open even for a moment.
"""

import errno
import logging
import os
import stat
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

OWN_FILES: Final = ("ringfence.db*", "vault.key*", "audit.anchor*", "listings/*")
"""What Ringfence itself writes into a state folder. Other files in it belong to somebody else and stay as they are."""

OWN_FOLDERS: Final = ("listings", "sandbox")
_BESIDE_DATABASE: Final = ("", "-wal", "-shm", "-journal")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_log = logging.getLogger(__name__)


def close_state_folder(folder: Path) -> None:
    """Create the state folder if it is missing, and close it and what Ringfence wrote into it to other users.

    Raises:
        OSError: It cannot be created, or one of the files cannot be closed.
    """
    close_folder(folder)
    for name in OWN_FOLDERS:
        if (folder / name).is_dir():
            close_folder(folder / name)
    close_files(path for pattern in OWN_FILES for path in folder.glob(pattern))


def close_folder(folder: Path) -> None:
    """Create a folder if it is missing, and close it to other users.

    A folder of everybody, such as /tmp, stays open, and so does one that belongs to another user; its files are closed
    all the same.

    Raises:
        OSError: It cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
    mode = folder.stat().st_mode
    if not mode & _OTHERS or mode & stat.S_ISVTX:
        return
    try:
        folder.chmod(stat.S_IRWXU)
    except OSError as failed:
        _log.warning("The folder %s stays open to other users: %s", folder, failed.strerror)


def create_database_file(file: Path) -> None:
    """Create the file of a new SQLite store closed; SQLite gives its log and shared memory the same mode.

    Links are followed, as SQLite does, which puts its log beside the file that a link leads to.

    Raises:
        OSError: It cannot be created or closed.
    """
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        give_to_owner_of_folder(file)
    close_files(Path(f"{file}{ending}") for ending in _BESIDE_DATABASE)


def close_files(files: Iterable[Path]) -> None:
    """Close files to other users. A link is left alone: what it leads to is the operator's.

    On a read-only disk, a file stays as it is.

    Raises:
        OSError: One of them cannot be closed.
    """
    for file in files:
        try:
            mode = file.lstat().st_mode
            if stat.S_ISREG(mode) and stat.S_IMODE(mode) & (_OTHERS | stat.S_IXUSR):
                file.chmod(stat.S_IRUSR | stat.S_IWUSR)
        except FileNotFoundError:
            continue  # another process took it away, as SQLite does with its log
        except OSError as failed:
            if failed.errno != errno.EROFS:
                raise
            _log.warning("The file %s stays open to other users: %s", file, failed.strerror)


def replace_file(file: Path, content: bytes) -> None:
    """Write a closed file in one step: other processes read the old content or the new.

    Raises:
        OSError: It cannot be written; the old content stays.
    """
    aside = aside_of(file)
    try:
        write_new_file(aside, content)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def aside_of(file: Path) -> Path:
    """Return the name under which this thread prepares a file."""
    return file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")


def give_to_owner_of_folder(file: Path) -> None:
    """Give a file that the administrator made in another user's folder to that user, whose server goes on using it.

    Raises:
        OSError: It cannot be given away.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def write_new_file(file: Path, content: bytes) -> None:
    """Write a closed file at a place where nothing is; what a killed process left there is removed.

    Raises:
        OSError: It cannot be written.
    """
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    give_to_owner_of_folder(file)
