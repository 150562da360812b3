"""Media prompts (three operations).

The Troubleshooting page documents the upload: multipart/form-data, a field `file` of at most 50 MB in one of eight
formats, and a `message_type`. Paths and answers are inferred.
"""

import secrets
import string
from email.message import Message
from email.parser import BytesParser
from typing import Literal

from pydantic import ValidationError

from sandbox.convirza.endpoint import Call, operation
from sandbox.convirza.fields import OpenQuery, UnitQuery, page
from sandbox.convirza.records import MediaPrompt
from sandbox.convirza.wire import Answer, Refusal, iso_ms
from sandbox.frame.wire import Wire

LARGEST = 50 * 1024 * 1024
FORMATS = frozenset({"wav", "mp3", "mp4", "ogg", "webm", "m4a", "aac", "flac"})
MessageType = Literal["prompt", "whisper", "voicemail", "survey"]


class PromptQuery(UnitQuery):
    """Paging, org unit and type, all inferred."""

    message_type: MessageType | None = None


class UploadFields(OpenQuery):
    """The text fields beside the file; `org_unit_id` and further ones are inferred."""

    message_type: MessageType
    org_unit_id: int | None = None


@operation("List Prompts", "GET", "/v3/media-prompts", "read")
def list_prompts(call: Call, query: PromptQuery) -> Answer:
    """List the prompts of the hierarchy."""
    scope = call.scope(query.org_unit_id)
    found = [
        prompt
        for prompt in call.state.prompts.values()
        if prompt.org_unit_id in scope and query.message_type in {None, prompt.message_type}
    ]
    return page("prompts", found, query.limit, query.offset, _row)


@operation("Upload Prompt", "POST", "/v3/media-prompts", "write", body="documented")
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
    except UnicodeDecodeError as error:
        raise Refusal(400, str(error)) from None
    except ValidationError as error:
        raise call.rules.explain(error) from None
    org = call.writable_org(fields.org_unit_id)
    prompt = MediaPrompt(_new_id(call), org.id, file_name, fields.message_type, len(content), call.state.clock.now())
    call.state.prompts[prompt.id] = prompt
    return Answer(_row(prompt), 201)


@operation("Delete Prompt", "DELETE", "/v3/media-prompts/{id}", "write")
def delete_prompt(call: Call) -> Answer:
    """Delete a prompt; routes keep the dead reference and play nothing (inferred)."""
    prompt = call.visible(call.state.prompts.get(call.path["id"]), "Media prompt")
    del call.state.prompts[prompt.id]
    return Answer({"prompt_id": prompt.id})


def _parts(call: Call) -> dict[str, Message]:
    """Return the parts of a multipart body by field name; the standard library's mail parser reads them."""
    if call.request.media_type != "multipart/form-data":
        raise Refusal(400, "The request body must be multipart/form-data.")
    header = f"content-type: {call.request.headers['content-type']}\r\n\r\n".encode("latin-1")
    form = BytesParser().parsebytes(header + call.request.body)
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


def _row(prompt: MediaPrompt) -> Wire:
    return {
        "prompt_id": prompt.id,
        "file_name": prompt.file_name,
        "message_type": prompt.message_type,
        "size": prompt.size,
        "org_unit_id": prompt.org_unit_id,
        "created": iso_ms(prompt.created),
    }
