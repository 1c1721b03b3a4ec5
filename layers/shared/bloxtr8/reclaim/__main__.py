"""python -m bloxtr8.reclaim contract.pdf: what must be sent so that the money goes back to the buyer, without Bloxtr8.

It reads the signed contract's file, or the terms copied out of it (standard input), refuses terms that were changed,
and prints the transaction. It asks no server of Bloxtr8 and no AWS, and no node unless one is named with --rpc; it
never asks for a private key, and sends nothing.

Exit codes: 0 the transaction is printed and, where a node was asked, can be sent now; 2 wrong arguments, or a file that
can't be read; 3 the terms are missing, incomplete or changed; 4 too early; 5 nothing is left; 6 the node gave no usable
answer, or the chain is not the terms'. With 4 and 5 the transaction is printed all the same.
"""

import argparse
import json
import sys
from pathlib import Path

from bloxtr8.addresses import checksum, parse
from bloxtr8.documents.vault_terms import Spoiled
from bloxtr8.reclaim import plan, report
from bloxtr8.reclaim.node import ChainError, Node, Seen
from bloxtr8.reclaim.plan import ETHER, Plan

OK, USAGE, BAD_TERMS, TOO_EARLY, NOTHING_LEFT, CHAIN = 0, 2, 3, 4, 5, 6
CODES = {"UNCHECKED": OK, "READY": OK, "TOO_EARLY": TOO_EARLY, "NOTHING_LEFT": NOTHING_LEFT}


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = _options()
    options = parser.parse_args(arguments)
    if options.chain is not None and options.token is None:
        parser.error("--chain needs --token: the deal's token has another address there")
    try:
        given = _read(options.contract)
    except OSError as error:
        return _fail(options.json, "UNREADABLE", f"{options.contract} can't be read: {error.strerror}.", USAGE)
    try:
        return _show(options, _plan(options, given))
    except Spoiled as error:
        return _fail(options.json, "BAD_TERMS", str(error), BAD_TERMS)
    except ChainError as error:
        return _fail(options.json, "CHAIN", str(error), CHAIN)


def _options() -> argparse.ArgumentParser:
    about, _, codes = (__doc__ or "").partition("Exit codes: ")
    parser = argparse.ArgumentParser("python -m bloxtr8.reclaim", description=about, epilog=f"Exit codes: {codes}")
    parser.add_argument("contract", nargs="?", default="-", help="the contract's PDF; - or nothing: standard input")
    parser.add_argument("--rpc", metavar="URL", help="a node of the network: look whether it can be sent now")
    parser.add_argument(
        "--from", dest="sender", metavar="0x…", type=_address, help="who sends it; with --rpc: the nonce"
    )
    parser.add_argument("--token", metavar="0x…|eth", type=_token, help="something else that was sent there by mistake")
    parser.add_argument(
        "--chain", metavar="ID", type=_chain_id, help="the network it was sent on by mistake; with --token"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return parser


def _address(text: str) -> str:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None


def _token(text: str) -> str:
    return ETHER if text.lower() == "eth" else _address(text)


def _chain_id(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no chain's number; Base is 8453")
    return int(text)


def _read(name: str) -> bytes:
    if name != "-":
        return Path(name).read_bytes()
    if sys.stdin.isatty():
        sys.stderr.write("Paste the terms out of the contract, then press Ctrl-D.\n")
    return sys.stdin.buffer.read()


def _plan(options: argparse.Namespace, given: bytes) -> Plan:
    vault, printed = plan.terms_in(given)
    return Plan(vault, options.token or vault.token, options.chain or vault.chain_id, printed)


def _show(options: argparse.Namespace, wanted: Plan) -> int:
    seen, status = None, "UNCHECKED"
    known: dict[str, int | str] = {}
    if options.sender:
        known["from"] = checksum(options.sender)
    if options.rpc is not None:
        node = Node(options.rpc)
        seen = node.survey(wanted)
        status = _status(wanted, seen)
        if status == "READY":
            known = node.prices(wanted, seen, options.sender)
    transaction = wanted.transaction(**known)
    if options.json:
        sys.stdout.write(json.dumps(report.as_json(wanted, status, transaction, seen), indent=2) + "\n")
    else:
        sys.stdout.write(report.as_text(wanted, status, transaction, seen))
    return CODES[status]


def _status(wanted: Plan, seen: Seen) -> str:
    if seen.units == 0:
        return "NOTHING_LEFT"
    return "READY" if seen.now >= report.starts(wanted, seen) else "TOO_EARLY"


def _fail(as_json: bool, status: str, said: str, code: int) -> int:
    if as_json:
        sys.stdout.write(json.dumps({"status": status, "error": said}) + "\n")
    sys.stderr.write(f"{said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
