"""The store's key: encrypts what only the operator may read, and derives keys for other purposes."""

import hmac
import os
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from guard.errors import JournalUnavailable
from server.store.private_files import aside_of, close_folder, write_new_file

KEY_FILE = "vault.key"


class Seal:
    """Encrypts with the key of the settings, else with a key file that it creates when the key is first needed."""

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._path = folder / KEY_FILE
        self._known = key.encode("ascii") if key else None
        self._fernet: Fernet | None = None

    def close(self, text: str) -> bytes:
        """Encrypt."""
        return self._opened().encrypt(text.encode("utf-8"))

    def open(self, sealed: bytes) -> str:
        """Decrypt."""
        return self._opened().decrypt(sealed).decode("utf-8")

    def derive(self, purpose: str) -> bytes:
        """Derive a key for another purpose; nobody can compute the store's key from it."""
        return hmac.digest(self._key(), purpose.encode("utf-8"), "sha256")

    def _opened(self) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(self._key())
        return self._fernet

    def _key(self) -> bytes:
        if self._known is None:
            try:
                if not self._path.exists():
                    self._create_key()
                self._known = self._path.read_bytes()
            except OSError as failed:
                raise JournalUnavailable(
                    f"The store's key cannot be read or created ({self._path}: {failed.strerror}). Nothing was sent."
                ) from failed
        return self._known

    def _create_key(self) -> None:
        """Create the key file. It is linked into place when complete, so that no process reads half a key."""
        close_folder(self._path.parent)
        aside = aside_of(self._path)
        try:
            write_new_file(aside, Fernet.generate_key())
            with suppress(FileExistsError):
                os.link(aside, self._path)
        finally:
            aside.unlink(missing_ok=True)
