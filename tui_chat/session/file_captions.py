"""Files as text: a caption in brackets for lines of the timeline and of logs, or a phrase for sentences."""

from tui_chat.client.outbox_file import OutboxFile
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.protocol.events import Attachment, Message
from tui_chat.session.i18n import tr
from tui_chat.session.lines import LineImage
from tui_chat.session.size_text import describe_size

MAX_IMAGE_BYTES = 8 * 2**20
"""Maximum size of an image file without a preview that is shown, in bytes."""

MAX_IMAGE_SIDE = 100_000
"""Maximum width and height of an image that is shown, in pixels."""

_SHOWN_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def describe_file(attachment: Attachment) -> str:
    """Return the caption of a file in brackets: name, dimensions or type, and size.

    A file with dimensions counts as an image, any other file with a poster as a video.
    """
    size = describe_size(attachment.size)
    if attachment.width is not None and attachment.height is not None:
        dimensions = f"{attachment.width}×{attachment.height}"
        return tr("[image {name} · {dimensions} · {size}]", name=attachment.name, dimensions=dimensions, size=size)
    if attachment.poster is not None:
        return tr(
            "[video {name} · {type} · {size} · with cover]", name=attachment.name, type=attachment.type, size=size
        )
    return tr("[file {name} · {type} · {size}]", name=attachment.name, type=attachment.type, size=size)


def phrase_file(attachment: Attachment) -> str:
    """Return the content of `describe_file` as a phrase, such as `the image plot.png, 40 by 30 pixels, 1.0 KiB`."""
    name, file_type, size = attachment.name, attachment.type, describe_size(attachment.size)
    if attachment.width is not None and attachment.height is not None:
        return tr(
            "the image {name}, {width} by {height} pixels, {size}",
            name=name,
            width=attachment.width,
            height=attachment.height,
            size=size,
        )
    if attachment.poster is not None:
        return tr("the video {name}, {type}, {size}, with cover", name=name, type=file_type, size=size)
    return tr("the file {name}, {type}, {size}", name=name, type=file_type, size=size)


def phrase_files(message: Message) -> str:
    """Return the files of a message as one phrase; empty without files."""
    return tr("; ").join(map(phrase_file, message.attachments or ()))


def with_files(sentence: str, files: str) -> str:
    """Return a sentence, followed by the result of `phrase_files` in a further line if not empty."""
    return f"{sentence}\n{tr('With {files}', files=files)}" if files else sentence


def phrase_outbox_item(item: OutboxItem) -> str:
    """Return the text of an unsent message, followed by names and sizes of its files in a further line."""
    files = tr("; ").join(
        tr("the file {name}, {size}", name=file.name, size=describe_size(file.size)) for file in item.files
    )
    return "\n".join(filter(None, (item.text, files)))


def describe_outbox_files(item: OutboxItem) -> str:
    """Return the captions of the files of an unsent message, one per line; empty without files.

    In a pending message, a file without a completed upload has its progress or `waiting` in the caption.
    """
    return "\n".join(_describe_upload(item, index) for index in range(len(item.files)))


def _describe_outbox_file(file: OutboxFile) -> str:
    return tr("[file {name} · {size}]", name=file.name, size=describe_size(file.size))


def _describe_upload(item: OutboxItem, index: int) -> str:
    """Return the caption of one file; only the first file without a completed upload can have a percentage."""
    file = item.files[index]
    if file.upload_id is not None or item.state is not OutboxItemState.PENDING:
        return _describe_outbox_file(file)
    size = describe_size(file.size)
    is_first = all(earlier.upload_id is not None for earlier in item.files[:index])
    if is_first and item.uploaded:
        percent = 100 * item.uploaded // file.size
        return tr("[file {name} · {size} · {percent} %]", name=file.name, size=size, percent=percent)
    return tr("[file {name} · {size} · waiting]", name=file.name, size=size)


def describe_files(message: Message) -> str:
    """Return the captions of the files of a message, one per line; empty without files."""
    return "\n".join(map(describe_file, message.attachments or ()))


def describe_content(message: Message) -> str:
    """Return the text of a message, if not empty, and the captions of its files, one per line."""
    return "\n".join(filter(None, (message.message, describe_files(message))))


def list_images(message: Message) -> tuple[LineImage, ...]:
    """Return the images of a message that can be shown, in the order of the files; none of a deleted message.

    An image needs known dimensions up to `MAX_IMAGE_SIDE`, and a preview or a supported type and at most
    `MAX_IMAGE_BYTES`.
    """
    return tuple(
        LineImage(attachment.preview or attachment.path, attachment.width, attachment.height)
        for attachment in message.attachments or ()
        if attachment.width is not None
        and attachment.height is not None
        and 0 < attachment.width <= MAX_IMAGE_SIDE
        and 0 < attachment.height <= MAX_IMAGE_SIDE
        and (attachment.preview or (attachment.path and _is_shown_directly(attachment)))
    )


def _is_shown_directly(attachment: Attachment) -> bool:
    return attachment.type in _SHOWN_TYPES and attachment.size <= MAX_IMAGE_BYTES
