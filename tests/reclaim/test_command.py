"""The command that works when nothing of the platform does: what it reads, refuses and prints, without a chain."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bloxtr8.documents import pdf, vault_terms
from bloxtr8.documents.vault_terms import Vault
from bloxtr8.rails.usdc import reclaiming
from bloxtr8.reclaim.__main__ import main
from tests.documents.samples import terms, usdc_terms, vault

AGREED = Vault.model_validate(vault())
TEXT = vault_terms.write(AGREED)
OTHER = "0x" + 20 * "ab"


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a contract in USDC."""
    path = tmp_path_factory.mktemp("reclaim") / "contract.pdf"
    path.write_bytes(pdf.render(usdc_terms()))
    return str(path)


@pytest.fixture
def paste(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the command something on its standard input."""

    def given(text: str | bytes) -> None:
        raw = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return given


# --- what it prints


def test_the_transaction_follows_from_the_file_alone(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([contract, "--json"])
    told = json.loads(capsys.readouterr().out)

    assert code == 0
    assert told["transaction"] == {
        "type": "0x2",
        "chainId": hex(84532),
        "to": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        "value": "0x0",
        "data": reclaiming.call_data(AGREED.terms, AGREED.token),
        "gas": hex(300_000),
    }
    assert told["vault"] == AGREED.address
    assert (told["reclaimAfter"], told["status"], told["units"]) == (1_807_401_600, "UNCHECKED", None)


def test_a_person_reads_where_when_and_how(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([contract]) == 0
    said = capsys.readouterr().out

    assert f"Deposit address   {AGREED.address}" in said
    assert "To the buyer      0x70997970C51812dc3A010C7d01b50e0d17dc79C8" in said
    assert "Before 11 April 2027, 00:00:00 UTC (1807401600) the contract refuses it." in said
    assert "if postponed    10 July 2027, 00:00:00 UTC" in said
    assert f"cast send {AGREED.shown['escrowContract']} '{reclaiming.FUNCTION}' '({AGREED.escrow_id},0x0" in said


def test_something_else_that_was_sent_there_can_be_named(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    for token, ending in ((OTHER, 20 * "ab"), ("eth", 40 * "0")):
        assert main([contract, "--json", "--token", token]) == 0
        assert json.loads(capsys.readouterr().out)["transaction"]["data"].endswith(ending)


def test_money_on_a_wrong_network_can_be_named_with_its_token(
    contract: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([contract, "--chain", "8453"])
    assert "--token" in capsys.readouterr().err
    assert main([contract, "--chain", "8453", "--token", OTHER, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["transaction"]["chainId"] == hex(8453)


# --- what it reads


@pytest.mark.parametrize(
    "given",
    [
        TEXT,
        f"\ufeffDear buyer,\n\n{TEXT[:100]}\n{TEXT[100:]}\n\nyours",
        json.dumps(vault()),
        json.dumps({"contractId": "con_1", "terms": usdc_terms()}),
        json.dumps(vault() | {"buyer": AGREED.shown["buyer"]}, indent=2),
    ],
)
def test_the_terms_may_be_pasted(given: str, paste: Any, capsys: pytest.CaptureFixture[str]) -> None:
    paste(given)

    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["vault"] == AGREED.address


def test_a_file_may_be_piped(contract: str, paste: Any) -> None:
    paste(Path(contract).read_bytes())

    assert main([]) == 0


def test_bare_terms_prove_no_address_and_it_says_so(paste: Any, capsys: pytest.CaptureFixture[str]) -> None:
    paste(json.dumps(vault()))
    main([])
    assert "compare this one" in capsys.readouterr().out

    paste(TEXT)
    main([])
    assert "compare this one" not in capsys.readouterr().out


# --- what it refuses


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "no vault terms"),
        (TEXT.replace("20200000000", "20200000001"), "were changed"),
        (TEXT[:-20], "incomplete"),
        (json.dumps({key: value for key, value in vault().items() if key != "buyer"}), "buyer"),
        (json.dumps(vault(buyer="0x12")), "buyer"),
        ("[]", "no vault terms"),
        ("[" * 100_000, "no vault terms"),
        (TEXT + vault_terms.write(Vault.model_validate(vault(buyer=OTHER))), "more than one"),
    ],
)
def test_refuses_what_is_not_whole(given: str, said: str, paste: Any, capsys: pytest.CaptureFixture[str]) -> None:
    paste(given)
    assert main(["--json"]) == 3
    told, err = capsys.readouterr()

    assert json.loads(told)["status"] == "BAD_TERMS"
    assert said in err


def test_refuses_a_changed_file_and_one_by_card(
    contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(Path(contract).read_bytes().replace(b'"maxFeeBps":390', b'"maxFeeBps":391'))
    by_card = tmp_path / "card.pdf"
    by_card.write_bytes(pdf.render(terms()))

    assert main([str(changed)]) == 3
    assert "changed" in capsys.readouterr().err
    assert main([str(by_card)]) == 3
    assert "no contract in USDC" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["/nowhere/contract.pdf"], ["/"]])
def test_a_file_that_cannot_be_read_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "can't be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--from", "0x12"], ["--token", "0x12"], ["--chain", "base"], ["--chain", "0"], ["--chain", "-1"], ["--token"]],
)
def test_wrong_arguments_are_told(contract: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([contract, *arguments])

    assert ended.value.code == 2
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


# --- a node that can't be trusted


@pytest.fixture
def node() -> Iterator[tuple[str, list[bytes]]]:
    """A node's URL, and the answers it gives, one after the other; the last one for good."""
    answers: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(200 if answer else 503)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Quietly."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", answers
        server.shutdown()


def result(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([b""], "503"),
        ([b"<html>"], "gave no answer"),
        ([b"[]"], "makes no sense"),
        ([result(None)], "makes no sense"),
        ([result("84532")], "makes no sense"),
        ([result("0x1")], "chain 1; the terms are of chain 84532"),
        ([b'{"error": {"code": -32000, "message": "no key"}}'], "no key"),
        ([result(hex(84532)), result("0x")], "no contract"),
        ([result(hex(84532)), result("0x60"), result("0x")], "another deposit address"),
        ([result(hex(84532)), result("0x60"), result("0x" + 64 * "1")], "another deposit address"),
    ],
)
def test_a_node_that_makes_no_sense_is_told(
    given: list[bytes],
    said: str,
    node: tuple[str, list[bytes]],
    contract: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, answers = node
    answers += given

    assert main([contract, "--rpc", url]) == 6
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "base.org", ""])
def test_a_node_that_is_not_there_is_told(url: str, contract: str) -> None:
    assert main([contract, "--rpc", url]) == 6


# --- what it needs


def test_it_needs_two_small_packages_and_nothing_of_aws(contract: str) -> None:
    """So that whoever has the source and pip can run it; README, "If Bloxtr8 disappears", names the two."""
    program = """
import sys
from bloxtr8.reclaim.__main__ import main
main(sys.argv[1:])
files = {name.partition(".")[0]: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
installed = {name for name, file in files.items() if "site-packages" in file}
print(*sorted(installed - {"_distutils_hack", "_virtualenv"}), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, contract],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(pdf.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    of_pydantic = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}

    assert set(done.stderr.split()) - of_pydantic - {"cffi", "_cffi_backend", "pycparser"} == {"Crypto"}
