"""Text that strangers wrote, made safe to store and to print."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clean(text: str, limit: int) -> str:
    """At most `limit` characters, without control characters and half surrogates; any other Unicode is kept."""
    whole = text[:limit].encode("utf-8", "replace").decode()
    return _CONTROL.sub(" ", whole).strip()
