"""The mutants, as data: a name that says what is wrong, and what makes it so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """Each old text, which stands exactly once in `file`, replaced by the new one."""

    name: str
    replaced: tuple[tuple[str, str], ...]
    file: str = "Escrow.sol"


def _escrow(name: str, *texts: str) -> Mutant:
    """`texts` are old, new, old, new …"""
    return Mutant(name, tuple(zip(texts[::2], texts[1::2], strict=True)))


def _vault(name: str, old: str, new: str) -> Mutant:
    return Mutant(name, ((old, new),), "EscrowVault.sol")


_SETTLE = "        external\n        onlyOperator\n    {"
_STORE = "        stateOf[termsHash] = State(uint64(paid), uint64(fees), state.done | bit, state.postponed);\n"
_TO_SELLER = "_send(vault, terms.token, terms.seller, toSeller);"
_TO_FEES = "_send(vault, terms.token, terms.feeReceiver, fee);"
_TO_BUYER = "_send(vault, terms.token, terms.buyer, toBuyer);\n"
_CLONE = "Clones.cloneDeterministic(VAULT_IMPLEMENTATION, termsHash)"

MUTANTS = (
    # once
    _escrow("action: not asked whether it is done", "if (state.done & bit != 0) revert AlreadyDone(action);", ""),
    _escrow("action: not written down", "state.done | bit", "state.done"),
    _escrow("action: the others are forgotten", "state.done | bit", "bit"),
    _escrow("action: 120 is taken, which has no bit", "action >= ACTIONS", "action > ACTIONS"),
    _escrow("action: 119 is not taken", "ACTIONS = 120", "ACTIONS = 119"),
    _escrow("action: nothing may be paid", "if (toSeller == 0 && fee == 0 && toBuyer == 0) revert NothingToPay();", ""),
    _escrow("action: written down after the money left", _STORE, "", _TO_BUYER, _TO_BUYER + _STORE),
    # how much
    _escrow(
        "amount: no cap", "if (paid > terms.amount) revert OverAmount(state.paid, toSeller + fee, terms.amount);", ""
    ),
    _escrow("amount: one unit less", "paid > terms.amount", "paid >= terms.amount"),
    _escrow("amount: a cap for each call", "paid = state.paid + toSeller + fee", "paid = toSeller + fee"),
    _escrow("amount: the fee not counted", "paid = state.paid + toSeller + fee", "paid = state.paid + toSeller"),
    _escrow(
        "amount: the surplus counted",
        "paid = state.paid + toSeller + fee",
        "paid = state.paid + toSeller + fee + toBuyer",
    ),
    _escrow("fee: no cap", "if (fees > cap) revert OverFee(state.fees, fee, cap);", ""),
    _escrow("fee: one unit less", "fees > cap", "fees >= cap && fee != 0"),
    _escrow("fee: earlier fees forgotten", "fees = state.fees + fee", "fees = fee"),
    _escrow(
        "fee: a cap for each call",
        "cap = paid * terms.maxFeeBps",
        "cap = (toSeller + fee) * terms.maxFeeBps",
        "if (fees > cap)",
        "if (fee > cap)",
    ),
    _escrow("fee: the cap of the whole amount", "cap = paid * terms.maxFeeBps", "cap = terms.amount * terms.maxFeeBps"),
    _escrow("fee: in thousandths", "BPS = 10_000", "BPS = 1_000"),
    # to whom
    _escrow("payee: who asked, not the seller", _TO_SELLER, "_send(vault, terms.token, msg.sender, toSeller);"),
    _escrow("payee: who asked, not the fee address", _TO_FEES, "_send(vault, terms.token, msg.sender, fee);"),
    _escrow("payee: who asked, not the buyer", _TO_BUYER, "_send(vault, terms.token, msg.sender, toBuyer);\n"),
    _escrow("payee: the buyer for the seller", _TO_SELLER, "_send(vault, terms.token, terms.buyer, toSeller);"),
    _escrow("payee: the seller for the buyer", _TO_BUYER, "_send(vault, terms.token, terms.seller, toBuyer);\n"),
    _escrow("payee: the fee to the seller", _TO_FEES, "_send(vault, terms.token, terms.seller, fee);"),
    _escrow(
        "payee: who reclaims, not the buyer",
        "_send(vault, token, terms.buyer, rest);",
        "_send(vault, token, msg.sender, rest);",
    ),
    _escrow("payee: who reclaims ether", "sendEther(terms.buyer, rest)", "sendEther(msg.sender, rest)"),
    _escrow("payee: no fee is sent", _TO_FEES, ""),
    # who may
    _escrow("caller: anyone settles", _SETTLE, "        external\n    {"),
    _escrow(
        "caller: anyone postpones",
        "function postpone(Terms calldata terms) external onlyOperator {",
        "function postpone(Terms calldata terms) external {",
    ),
    _escrow(
        "caller: anyone names operators",
        "function setOperator(address operator, bool allowed) external onlyOwner {",
        "function setOperator(address operator, bool allowed) external {",
    ),
    _escrow("caller: an operator for ever", "isOperator[operator] = allowed;", "isOperator[operator] = true;"),
    _escrow(
        "caller: the owner settles too", "!isOperator[msg.sender]", "!isOperator[msg.sender] && msg.sender != owner()"
    ),
    _escrow("caller: the owner leaves nobody", "revert OwnerNeeded();", ""),
    _vault("caller: anyone empties a vault", "if (msg.sender != ESCROW) revert NotEscrow(msg.sender);", ""),
    # when
    _escrow("term: reclaimed before it", "if (block.timestamp < from) revert TooEarly(from);", ""),
    _escrow("term: a second late", "block.timestamp < from", "block.timestamp <= from"),
    _escrow("term: a second early", "block.timestamp < from", "block.timestamp + 1 < from"),
    _escrow(
        "term: the postponement forgotten",
        "uint256 from = _reclaimableFrom(terms, stateOf[termsHash].postponed);",
        "uint256 from = _reclaimableFrom(terms, false);",
    ),
    _escrow("term: the next settlement forgets it", "state.done | bit, state.postponed)", "state.done | bit, false)"),
    _escrow("term: postponed twice", "if (state.postponed) revert AlreadyPostponed(from);", ""),
    _escrow("term: postponed after it", "if (block.timestamp >= from) revert TooLate(from);", ""),
    _escrow("term: 91 days", "POSTPONEMENT = 90 days", "POSTPONEMENT = 91 days"),
    # which vault
    _escrow("vault: made with another salt", _CLONE, _CLONE.replace("termsHash", "keccak256(abi.encode(termsHash))")),
    _escrow(
        "vault: the same whoever the seller is",
        "return keccak256(abi.encode(terms));",
        "return keccak256(abi.encode(terms.escrowId));",
    ),
    _escrow("vault: made again each time", "if (vault.code.length == 0) Clones", "Clones"),
    _escrow(
        "vault: another salt for the address too",
        "Clones.predictDeterministicAddress(VAULT_IMPLEMENTATION, termsHash)",
        "Clones.predictDeterministicAddress(VAULT_IMPLEMENTATION, keccak256(abi.encode(termsHash)))",
        _CLONE,
        _CLONE.replace("termsHash", "keccak256(abi.encode(termsHash))"),
    ),
    # which terms
    _escrow("terms: no token", 'if (terms.token == address(0)) revert BadTerms("token");', ""),
    _escrow("terms: no seller", 'if (terms.seller == address(0)) revert BadTerms("seller");', ""),
    _escrow(
        "terms: no buyer to settle with",
        'revert BadTerms("token");\n        if (terms.buyer == address(0)) revert BadTerms("buyer");',
        'revert BadTerms("token");',
    ),
    _escrow(
        "terms: no buyer to send the rest to",
        'if (terms.buyer == address(0)) revert BadTerms("buyer");\n        bytes32 termsHash',
        "bytes32 termsHash",
    ),
    _escrow("terms: no address for the fee", "terms.feeReceiver == address(0) && terms.maxFeeBps != 0", "false"),
    _escrow(
        "terms: no fee, and an address needed",
        "terms.feeReceiver == address(0) && terms.maxFeeBps != 0",
        "terms.feeReceiver == address(0)",
    ),
    _escrow("terms: no amount", "terms.amount == 0 || ", ""),
    _escrow("terms: an amount that does not fit", " || terms.amount > type(uint64).max", ""),
    _escrow("terms: more than all may be fee", 'if (terms.maxFeeBps > BPS) revert BadTerms("maxFeeBps");', ""),
    _escrow(
        "terms: a vault's address for bad ones",
        "        _checkTerms(terms);\n        return _vaultOf",
        "        return _vaultOf",
    ),
    _escrow(
        "terms: the buyer waits for good ones",
        'if (terms.buyer == address(0)) revert BadTerms("buyer");\n        bytes32 termsHash',
        "_checkTerms(terms);\n        bytes32 termsHash",
    ),
    # the token's answer
    _vault(
        "token: its false is taken for true",
        "IERC20(token).safeTransfer(to, amount);",
        "IERC20(token).transfer(to, amount);",
    ),
    _escrow(
        "token: all but one unit",
        "_send(vault, token, terms.buyer, rest);",
        "_send(vault, token, terms.buyer, rest - 1);",
    ),
    _escrow("token: nothing left is no error", "if (rest == 0) revert NothingLeft(vault, token);", ""),
)
