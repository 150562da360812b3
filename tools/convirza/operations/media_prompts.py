"""Convirza media prompts: audio that routes play to callers."""

import base64
import binascii
import hashlib
import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, PlainSerializer, SerializationInfo, ValidationInfo

from clients.effects import Effect
from clients.fields import RECORDED, WIRE
from clients.operation import Operation, Undo, Verification, put_back, verify_removal
from tools.convirza.client import BASE_PATHS, convirza
from tools.convirza.field_types import Word, body
from tools.convirza.grades import ONLY_METHOD, ONLY_METHOD_OF_ITEM
from tools.convirza.internal_reads import FindPrompt, Prompt, Prompts
from tools.convirza.paging import PagedOperation

LARGEST: Final = 50 * 1024 * 1024
"""Documented on the troubleshooting page, like the formats and kinds."""

_FINGERPRINT: Final = re.compile(r"[0-9]+ bytes, SHA-256 [0-9a-f]{64}")

FORMATS: Final = ("wav", "mp3", "mp4", "ogg", "webm", "m4a", "aac", "flac")

Kind = Literal["prompt", "whisper", "voicemail", "survey"]


@convirza.operation(
    "GET",
    "/v3/media-prompts",
    effect=Effect.READ,
    toolset="prompts",
    docs="list-prompts-31381265e0",
    basis=ONLY_METHOD,
    rows="prompts",
    synonyms=("audio", "recordings", "greetings", "whispers", "announcements"),
)
class ListPrompts(PagedOperation[Prompts]):
    """List uploaded audio files, whose ids routes refer to."""

    kind: Annotated[Kind | None, Field(serialization_alias="message_type")] = None
    """Only these."""


def _audio(value: str, info: ValidationInfo) -> str:
    if info.context == RECORDED and _FINGERPRINT.fullmatch(value):
        return value
    try:
        content = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if not 0 < len(content) <= LARGEST:
        raise ValueError("1 byte to 50 MB")
    return value


def _audio_file(value: str) -> str:
    if value.rpartition(".")[2].lower() not in FORMATS:
        raise ValueError(f"ends in {', '.join(FORMATS)}")
    return value


def _fingerprint(value: str, info: SerializationInfo) -> str:
    # Records name the content and do not hold it.
    if info.context == WIRE or _FINGERPRINT.fullmatch(value):
        return value
    content = base64.b64decode(value)
    return f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


@convirza.operation(
    "POST",
    "/v3/media-prompts",
    effect=Effect.WRITE,
    subject="Upload the audio file {file_name:text}",
    toolset="prompts",
    docs="upload-prompt-31381266e0",
    basis=ONLY_METHOD,
    carrier="multipart",
    synonyms=("audio", "greeting", "add recording", "whisper", "announcement"),
)
class UploadPrompt(Operation[Prompt]):
    """Upload an audio file; nobody hears it until a route plays it."""

    file_name: Annotated[str, Field(pattern=r'^[^/\\"\x00-\x1f]+\.[A-Za-z0-9]+$'), AfterValidator(_audio_file)]
    """Name with its ending: wav, mp3, mp4, ogg, webm, m4a, aac or flac."""

    audio: Annotated[str, Field(min_length=4), AfterValidator(_audio), PlainSerializer(_fingerprint)]
    """The file in base64, at most 50 MB."""

    kind: Annotated[Kind, Field(serialization_alias="message_type")]
    """What it is for."""

    def undo(self, before: Any, answer: Any) -> Undo:
        return put_back(DeletePrompt, prompt_id=getattr(answer, "prompt_id", None))

    def to_wire(self) -> dict[str, Any]:
        fields = {name: str(value) for name, value in body(self, without=frozenset({"file_name", "audio"})).items()}
        ending = self.file_name.rpartition(".")[2].lower()
        return {"file": (self.file_name, base64.b64decode(self.audio), f"audio/{ending}"), **fields}


@convirza.operation(
    "DELETE",
    "/v3/media-prompts/{prompt_id}",
    effect=Effect.DESTRUCTIVE,
    subject="Delete the audio file [{before.file_name:text}|{prompt_id}] for good",
    toolset="prompts",
    docs=BASE_PATHS,
    basis=ONLY_METHOD_OF_ITEM,
    irreversible=True,
    synonyms=("remove", "audio", "greeting"),
)
class DeletePrompt(Operation[Prompt]):
    """Delete an audio file; what routes that play it do then is not documented."""

    prompt_id: Word
    """Audio file, from convirza_list_prompts."""

    def before(self) -> FindPrompt:
        return FindPrompt(prompt_id=self.prompt_id)

    def verification(self, sent_at: datetime) -> Verification[Prompt]:
        return verify_removal(self.before())
