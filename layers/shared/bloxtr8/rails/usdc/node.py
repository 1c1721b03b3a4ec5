"""The line to the chain's node: one question, one answer, and no more of it than we have time and room for."""

import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

CONNECT_SECONDS = 3
READ_SECONDS = 8
CHUNK_BYTES = 64 * 1024
ANSWER_BYTES = 4 * 1024 * 1024  # some 6,000 logs
BLOCK_BYTES = 32 * 1024 * 1024  # of logs of one block, of which nothing smaller can be asked: twice what its gas pays
OWN_BYTES = {
    "eth_getBlockReceipts": 64 * 1024 * 1024,  # a block of Base that is full of the smallest logs: half of it
    "eth_getTransactionReceipt": 512 * 1024,  # a thousand logs: of one with more, those are asked for that matter
}


class TooLong(requests.RequestException):
    """An answer of more bytes, or seconds, than we read."""


class Line(JSONBaseProvider):
    """How web3 asks the node at `url`. Raises TooLong, and what requests raises; nothing of it is logged, because the
    URL may hold a key."""

    def __init__(self, url: str, session: requests.Session | None = None) -> None:
        super().__init__()
        self.global_ccip_read_enabled = False  # no contract sends us to a URL of its own
        self._url, self._session = url, session or requests.Session()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        with self._session.post(
            self._url,
            data=self.encode_rpc_request(method, params),
            headers={"Content-Type": "application/json"},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            answer.raise_for_status()
            return self.decode_rpc_response(_body(answer, _room(method, params)))


def _room(method: str, params: Any) -> int:
    if method == "eth_getLogs" and params[0]["fromBlock"] == params[0]["toBlock"]:
        return BLOCK_BYTES
    return OWN_BYTES.get(method, ANSWER_BYTES)


def _body(answer: requests.Response, most: int) -> bytes:
    ends, body = time.monotonic() + READ_SECONDS, bytearray()
    try:
        while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):  # what is there, also where it is a drop
            body += chunk
            if len(body) > most or time.monotonic() > ends:
                raise TooLong
    except HTTPError:  # it stopped in the middle
        raise TooLong from None
    return bytes(body)
