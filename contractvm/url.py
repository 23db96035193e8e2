"""What may be shown of a URL: it may hold a password before the host, or a provider's key in its path.

Never: asks anything of where it leads.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Scheme, host and port. Raises: ValueError when it is none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
