"""One TLS context for the connections of a process: reading the certificates of its system takes 30 to 60 ms, and
urllib3 does that for every new connection. They come and go: a server ends what a frozen function did not use."""

import functools
import ssl
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context


@functools.cache
def context() -> ssl.SSLContext:
    """As urllib3 makes its own: certificates and names are checked, the system's authorities trusted."""
    made = create_urllib3_context()
    made.load_default_certs()
    return made


class Connection(HTTPSConnection):
    """It takes the context when it connects, so that none is made where nobody is asked."""

    def connect(self) -> None:
        self.ssl_context = context()
        super().connect()


class Pool(urllib3.HTTPSConnectionPool):
    """Connections to one host."""

    ConnectionCls = Connection


CLASSES = {"http": urllib3.HTTPConnectionPool, "https": Pool}  # for a PoolManager


def pool(url: str, **options: Any) -> urllib3.HTTPConnectionPool:
    """A pool of the host that `url` names."""
    parts = urlsplit(url)
    made: urllib3.HTTPConnectionPool = CLASSES[parts.scheme](parts.hostname or "", parts.port, **options)
    return made
