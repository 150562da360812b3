"""Media prompts (three operations).

The Troubleshooting page documents the upload: multipart/form-data, a field `file` of at most 50 MB in one of eight
formats, and a `message_type`. Paths and answers are inferred.
"""

import secrets
import string
from email.message import Message
from email.parser import BytesParser
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.convirza.endpoint import Call, Endpoint, explain, parse_query, refuse_body
from sandbox.convirza.fields import Limit, Offset, OpenQuery, page
from sandbox.convirza.records import MediaPrompt
from sandbox.convirza.wire import Answer, Refusal, iso_ms, listed

LARGEST = 50 * 1024 * 1024
FORMATS = frozenset({"wav", "mp3", "mp4", "ogg", "webm", "m4a", "aac", "flac"})
MessageType = Literal["prompt", "whisper", "voicemail", "survey"]


class PromptQuery(OpenQuery):
    """inferred."""

    org_unit_id: int | None = None
    message_type: MessageType | None = None
    limit: Limit = 100
    offset: Offset = Field(default=0)


class UploadFields(BaseModel):
    """The text fields beside the file; `org_unit_id` and further ones are inferred."""

    model_config = ConfigDict(strict=True, extra="ignore")

    message_type: MessageType
    org_unit_id: int | None = None


def list_prompts(call: Call) -> Answer:
    """The prompts of the hierarchy."""
    refuse_body(call)
    query = parse_query(call, PromptQuery)
    scope = call.scope(query.org_unit_id)
    found = [
        prompt
        for prompt in call.state.prompts.values()
        if prompt.org_unit_id in scope and query.message_type in {None, prompt.message_type}
    ]
    return listed("prompts", [_row(prompt) for prompt in page(found, query.limit, query.offset)], len(found))


def upload_prompt(call: Call) -> Answer:
    """Store an audio file; its identifier looks like those that the route examples refer to."""
    parts = _parts(call)
    audio = parts.pop("file", None)
    file_name = None if audio is None else audio.get_filename()
    if audio is None or not file_name:
        raise Refusal(400, "A file is required in the field 'file'.")
    content = _content(audio)
    if file_name.rpartition(".")[2].lower() not in FORMATS:
        raise Refusal(400, f"Audio file type not allowed. Allowed: {', '.join(sorted(FORMATS))}.")
    if len(content) > LARGEST:
        raise Refusal(400, "File size exceeds the 50MB limit.")
    try:
        fields = UploadFields.model_validate_strings({name: _content(part).decode() for name, part in parts.items()})
    except (ValidationError, UnicodeDecodeError) as error:
        raise Refusal(400, explain("field", error) if isinstance(error, ValidationError) else str(error)) from None
    org = call.writable_org(fields.org_unit_id)
    prompt = MediaPrompt(_new_id(call), org.id, file_name, fields.message_type, len(content), call.state.clock.now())
    call.state.prompts[prompt.id] = prompt
    return Answer(_row(prompt), 201)


def delete_prompt(call: Call) -> Answer:
    """Delete a prompt; routes keep the dead reference and play nothing (inferred)."""
    refuse_body(call)
    prompt = call.state.prompts.get(call.path["id"])
    if prompt is None or not call.sees(prompt.org_unit_id):
        raise Refusal(404, "Media prompt not found.")
    del call.state.prompts[prompt.id]
    return Answer({"prompt_id": prompt.id})


def _parts(call: Call) -> dict[str, Message]:
    """The parts of a multipart body by field name; the standard library's mail parser reads them."""
    if call.incoming.media_type != "multipart/form-data":
        raise Refusal(400, "The request body must be multipart/form-data.")
    header = f"content-type: {call.incoming.headers['content-type']}\r\n\r\n".encode("latin-1")
    form = BytesParser().parsebytes(header + call.incoming.body)
    parts: dict[str, Message] = {}
    for part in form.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            parts[name] = part
    return parts


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _new_id(call: Call) -> str:
    letters = string.ascii_letters + string.digits
    return f"{''.join(secrets.choice(letters) for _ in range(8))}_{int(call.state.clock.now().timestamp() * 1000)}"


def _row(prompt: MediaPrompt) -> dict[str, object]:
    return {
        "prompt_id": prompt.id,
        "file_name": prompt.file_name,
        "message_type": prompt.message_type,
        "size": prompt.size,
        "org_unit_id": prompt.org_unit_id,
        "created": iso_ms(prompt.created),
    }


ENDPOINTS = (
    Endpoint("List Prompts", "GET", "/v3/media-prompts", "inferred", "read", list_prompts),
    Endpoint("Upload Prompt", "POST", "/v3/media-prompts", "inferred", "write", upload_prompt, "documented"),
    Endpoint("Delete Prompt", "DELETE", "/v3/media-prompts/{id}", "inferred", "write", delete_prompt),
)
