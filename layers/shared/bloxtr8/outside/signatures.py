"""Whether a wallet signed a text (EIP-191): by its key, or, where the wallet is a contract, by what it says itself.

A contract answers EIP-1271's isValidSignature. One that is not deployed yet brings its own deployment with the
signature (ERC-6492): the node rehearses both in one call, of which nothing stays.
"""

from bloxtr8 import addresses
from bloxtr8.domain.wallets import not_proven
from bloxtr8.outside.rpc import Node, Reverted

IS_VALID = bytes.fromhex("1626ba7e")  # isValidSignature(bytes32,bytes): its selector, and its answer for yes
YES = IS_VALID.ljust(32, b"\0")
WRAPPED = bytes.fromhex("6492" * 16)  # the end of an ERC-6492 signature
KEY_SIGNATURE_BYTES = 65  # r, s, v
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0  # of secp256k1
WORD = 32


def check(address: str, text: str, signature: bytes) -> None:
    """Whether the wallet at `address` (lower case) signed `text`.

    The key is tried first, so an account that delegated to code (EIP-7702) still signs with it. Raises Unauthenticated
    BAD_SIGNATURE, and, of a contract only, what the node raises (outside.rpc).
    """
    digest = message_hash(text)
    if signer_of(digest, signature) == address or _contract_says_so(address, digest, signature):
        return
    raise not_proven()


def message_hash(text: str) -> bytes:
    """What a wallet signs of a text (EIP-191, version 0x45)."""
    data = text.encode()
    return addresses.keccak(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)


def signer_of(digest: bytes, signature: bytes) -> str | None:
    """Whose key signed, in lower case; None where it is no signature, or is not the one of its two forms that wallets
    make (low s)."""
    from eth_keys.datatypes import Signature  # half a second: only who links a wallet pays it
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    if len(signature) != KEY_SIGNATURE_BYTES or int.from_bytes(signature[32:64]) > HALF_ORDER:
        return None
    v = signature[64]
    try:
        made = Signature(signature[:64] + bytes([v - 27 if v in {27, 28} else v]))
        return made.recover_public_key_from_msg_hash(digest).to_address()
    except (BadSignature, ValidationError):
        return None


def _contract_says_so(address: str, digest: bytes, signature: bytes) -> bool:
    node = Node()
    if signature.endswith(WRAPPED):
        unwrapped = _unwrap(signature[: -len(WRAPPED)])
        return unwrapped is not None and _deployed_says_so(node, address, digest, *unwrapped)
    if not node.code_at(address):
        return False
    try:
        return _is_yes(node.call_contract(address, _question(digest, signature)))
    except Reverted:
        return False


def _deployed_says_so(node: Node, address: str, digest: bytes, factory: bytes, data: bytes, inner: bytes) -> bool:
    question = _question(digest, inner)
    try:
        answer = node.rehearse_creation(deploy_and_ask(factory, data, bytes.fromhex(address[2:]), question))
    except Reverted:
        return False
    return answer[:WORD] == bytes(31) + b"\1" and _is_yes(answer[WORD:])


def _is_yes(answer: bytes) -> bool:
    return answer[:WORD] == YES


def _question(digest: bytes, signature: bytes) -> bytes:
    """The call data of isValidSignature(digest, signature)."""
    offset, length = (2 * WORD).to_bytes(WORD), len(signature).to_bytes(WORD)
    return IS_VALID + digest + offset + length + signature + bytes(-len(signature) % WORD)


def _unwrap(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Factory, its call data and the wallet's own signature, out of abi.encode(address, bytes, bytes); None where it is
    anything else."""
    factory = data[:WORD]
    parts = [_tail(data, n) for n in (1, 2)]
    if len(data) < 3 * WORD or any(factory[:12]) or parts[0] is None or parts[1] is None:
        return None
    return factory[12:], parts[0], parts[1]


def _tail(data: bytes, n: int) -> bytes | None:
    """The n-th word's `bytes`, which lie where it points to."""
    start = int.from_bytes(data[n * WORD : (n + 1) * WORD])
    length = int.from_bytes(data[start : start + WORD])
    found = data[start + WORD : start + WORD + length]
    return found if start + WORD + length <= len(data) else None


def deploy_and_ask(factory: bytes, data: bytes, wallet: bytes, question: bytes) -> bytes:
    """Code that calls the factory, whatever comes of it, then asks the wallet. It returns one word, 1 if the wallet
    answered, and the answer. The answer is copied to where nothing lies: left in place, a wallet without code would
    seem to repeat the question, which begins with the word for yes."""
    # opcodes: 39 CODECOPY, 5a GAS, f1 CALL, fa STATICCALL, 50 POP, 52 MSTORE, 3d RETURNDATASIZE, 3e RETURNDATACOPY,
    # 01 ADD, f3 RETURN, 5f PUSH0, 60 to 7f PUSH1 to PUSH32
    code = _code(0, factory, data, wallet, question)
    return _code(len(code), factory, data, wallet, question) + data + question


def _code(size: int, factory: bytes, data: bytes, wallet: bytes, question: bytes) -> bytes:
    """The code alone, where `data` and `question` lie `size` bytes behind its start."""
    deploy = b"\x63%b\x63%b\x5f\x39" % (_four(len(data)), _four(size))
    deploy += b"\x5f\x5f\x63%b\x5f\x5f\x73%b\x5a\xf1\x50" % (_four(len(data)), factory)
    ask = b"\x63%b\x63%b\x5f\x39" % (_four(len(question)), _four(size + len(data)))
    ask += b"\x5f\x5f\x63%b\x5f\x73%b\x5a\xfa" % (_four(len(question)), wallet)
    return deploy + ask + b"\x5f\x52\x3d\x5f\x60\x20\x3e\x3d\x60\x20\x01\x5f\xf3"


def _four(number: int) -> bytes:
    return number.to_bytes(4)
