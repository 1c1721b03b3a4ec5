"""Whom our connections trust, over real TLS on loopback; the system's certificates are read once."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bloxtr8 import errors, tls
from bloxtr8.aws_json import NoAnswer, Service
from bloxtr8.outside import http


class Line(BaseHTTPRequestHandler):
    """Says {} and hangs up."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who does not trust us hangs up."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(key.private_bytes(pem, kind, plain) + made.public_bytes(pem))
    return path


@pytest.fixture(scope="module")
def address(certificate: Path) -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Line) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """How often the system's certificates are read, by a process that has not read them yet."""
    read: list[str] = []
    load = ssl.SSLContext.load_default_certs

    def counted(context: ssl.SSLContext) -> None:
        read.append("once more")
        load(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", counted)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    tls.context.cache_clear()
    yield read
    tls.context.cache_clear()


def service(address: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setattr("bloxtr8.aws_json.PAUSE_SECONDS", 0.0)
    return Service("dynamodb", "DynamoDB_20120810")


def test_who_has_no_certificate_that_is_trusted_is_nobody(
    address: str, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoAnswer, match="SSLError"):
        service(address, monkeypatch).ask("GetItem", {})
    with pytest.raises(errors.UpstreamFailed):
        http.Talk("It").post_json(address, {})
    assert len(loads) == 1


def test_the_certificates_are_read_once_for_all_connections(
    address: str, certificate: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.context().load_verify_locations(certificate)
    for _ in range(2):
        assert service(address, monkeypatch).ask("GetItem", {}) == {}
        assert http.Talk("It").post_json(address, {}).status == 200
    assert len(loads) == 1


def test_the_name_has_to_be_the_one_that_was_asked_for(
    address: str, certificate: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.context().load_verify_locations(certificate)
    with pytest.raises(NoAnswer, match="SSLError"):
        service(address.replace("127.0.0.1", "localhost"), monkeypatch).ask("GetItem", {})
