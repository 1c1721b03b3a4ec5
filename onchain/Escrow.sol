// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {EscrowVault} from "./EscrowVault.sol";

/// @title Escrow of a token, one deposit address for each trade
/// @notice A trade's deposit address (its vault) is a hash of the trade's terms, and takes a plain transfer before any
/// code is there. What lies in it can only ever reach the buyer, the seller or the fee address of those terms: the
/// operator decides when and how much, within the terms, and never to whom. After the term anyone may send all that is
/// left to the buyer. There is no upgrade and no pause, and the owner can do no more than name operators.
/// @dev Every function checks first, then writes its state, then emits its event, and calls out last; so a token that
/// calls back meets the new state. Nothing trusts the token: no balance is read where a payment is decided.
contract Escrow is Ownable2Step {
    /// @notice What a vault is bound to. Amounts are in the token's base units.
    struct Terms {
        bytes32 escrowId; // keccak256 of the platform's id of the escrow
        address token; // the one token that is paid out by `settle`
        address buyer; // where refunds go, and all that is left after the term
        address seller; // where releases go
        address feeReceiver; // where fees go; may be zero where maxFeeBps is
        uint128 amount; // the most that ever leaves to the seller and the fee address together; fits 64 bits
        uint64 reclaimAfter; // unix seconds; from here on anyone may send the rest back to the buyer
        uint16 maxFeeBps; // the fees' share of what left to seller and fee address so far, in 1/10,000
    }

    /// @notice All that is remembered of a trade.
    /// @dev Exactly one storage slot, so that a settlement writes once.
    struct State {
        uint64 paid; // to the seller and the fee address so far
        uint64 fees; // of that, to the fee address
        uint120 done; // bit n is set once action n is settled
        bool postponed; // the term has been moved
    }

    /// @notice Actions are numbered 0 to 119.
    uint256 public constant ACTIONS = 120;
    /// @notice How far `postpone` moves the term.
    uint256 public constant POSTPONEMENT = 90 days;
    /// @notice What every vault delegates to; this contract's first creation, so its address follows from ours.
    address public immutable VAULT_IMPLEMENTATION = address(new EscrowVault());

    uint256 private constant BPS = 10_000;

    /// @notice Who may settle and postpone.
    mapping(address account => bool) public isOperator;
    /// @notice What has happened, by keccak256(abi.encode(terms)).
    mapping(bytes32 termsHash => State) public stateOf;

    event OperatorSet(address indexed operator, bool allowed);
    event Settled(address indexed vault, uint8 indexed action, uint256 toSeller, uint256 fee, uint256 toBuyer);
    event Postponed(address indexed vault, uint256 reclaimableFrom);
    event Reclaimed(address indexed vault, address indexed token, uint256 amount);

    error NotOperator(address account);
    error OwnerNeeded();
    /// @param field the name of the field that no trade can have so, as text
    error BadTerms(bytes32 field);
    error BadAction(uint8 action);
    error AlreadyDone(uint8 action);
    error AlreadyPostponed(uint256 reclaimableFrom);
    error OverAmount(uint256 paid, uint256 asked, uint256 amount);
    error OverFee(uint256 fees, uint256 asked, uint256 cap);
    error TooEarly(uint256 reclaimableFrom);
    error TooLate(uint256 reclaimableFrom);
    error NothingToPay();
    error NothingLeft(address vault, address token);

    modifier onlyOperator() {
        if (!isOperator[msg.sender]) revert NotOperator(msg.sender);
        _;
    }

    /// @param initialOwner names the operators: a multisig or a hardware wallet, never a key on a server
    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @notice The owner says who may settle.
    /// @param operator the account of the platform's signer
    /// @param allowed false takes the right away at once
    function setOperator(address operator, bool allowed) external onlyOwner {
        isOperator[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    /// @notice The deposit address of these terms, whether or not code is there yet.
    /// @dev Reverts with BadTerms where `settle` would, so that no such address is ever shown.
    function vaultOf(Terms calldata terms) external view returns (address) {
        _checkTerms(terms);
        return _vaultOf(_hash(terms));
    }

    /// @notice Pays a release, a refund, a split or the return of a surplus, once for each `action`. The first one
    /// deploys the vault.
    /// @param action 0 to 119; a pure function of what is settled, never "the next free number", so that the same
    /// thing asked for twice is refused the second time
    /// @param toSeller to the seller, in base units
    /// @param fee to the fee address, in base units
    /// @param toBuyer to the buyer, in base units; not bounded by `amount`, as a surplus goes back this way
    function settle(Terms calldata terms, uint8 action, uint256 toSeller, uint256 fee, uint256 toBuyer)
        external
        onlyOperator
    {
        _checkTerms(terms);
        if (action >= ACTIONS) revert BadAction(action);
        bytes32 termsHash = _hash(terms);
        State memory state = stateOf[termsHash];
        uint120 bit = uint120(1) << action;
        if (state.done & bit != 0) revert AlreadyDone(action);
        if (toSeller == 0 && fee == 0 && toBuyer == 0) revert NothingToPay();

        uint256 paid = state.paid + toSeller + fee;
        if (paid > terms.amount) revert OverAmount(state.paid, toSeller + fee, terms.amount);
        uint256 cap = paid * terms.maxFeeBps / BPS;
        uint256 fees = state.fees + fee;
        if (fees > cap) revert OverFee(state.fees, fee, cap);

        // forge-lint: disable-next-line(unsafe-typecast) both are at most terms.amount, which fits 64 bits
        stateOf[termsHash] = State(uint64(paid), uint64(fees), state.done | bit, state.postponed);
        address vault = _deploy(termsHash);
        emit Settled(vault, action, toSeller, fee, toBuyer);
        _send(vault, terms.token, terms.seller, toSeller);
        _send(vault, terms.token, terms.feeReceiver, fee);
        _send(vault, terms.token, terms.buyer, toBuyer);
    }

    /// @notice Moves the term by 90 days, once and only before it is reached: for a dispute that would outlast it.
    function postpone(Terms calldata terms) external onlyOperator {
        _checkTerms(terms);
        bytes32 termsHash = _hash(terms);
        State storage state = stateOf[termsHash];
        uint256 from = _reclaimableFrom(terms, state.postponed);
        if (state.postponed) revert AlreadyPostponed(from);
        if (block.timestamp >= from) revert TooLate(from);

        state.postponed = true;
        emit Postponed(_vaultOf(termsHash), from + POSTPONEMENT);
    }

    /// @notice From the term on anyone may send all of a token that is left to the buyer. It needs nobody's help, and
    /// works for whatever else was sent here by mistake.
    /// @dev Asks only what it must of the terms: nothing that keeps `settle` away keeps the buyer from his money.
    /// @param token any ERC-20 contract, or zero for ether
    function reclaim(Terms calldata terms, address token) external {
        if (terms.buyer == address(0)) revert BadTerms("buyer");
        bytes32 termsHash = _hash(terms);
        uint256 from = _reclaimableFrom(terms, stateOf[termsHash].postponed);
        if (block.timestamp < from) revert TooEarly(from);
        address vault = _vaultOf(termsHash);
        uint256 rest = token == address(0) ? vault.balance : IERC20(token).balanceOf(vault);
        if (rest == 0) revert NothingLeft(vault, token);

        _deploy(termsHash);
        emit Reclaimed(vault, token, rest);
        if (token == address(0)) EscrowVault(vault).sendEther(terms.buyer, rest);
        else _send(vault, token, terms.buyer, rest);
    }

    /// @notice Refuses: with no owner left, a stolen operator key could never be taken out of use.
    function renounceOwnership() public view override onlyOwner {
        revert OwnerNeeded();
    }

    function _checkTerms(Terms calldata terms) private pure {
        if (terms.token == address(0)) revert BadTerms("token");
        if (terms.buyer == address(0)) revert BadTerms("buyer");
        if (terms.seller == address(0)) revert BadTerms("seller");
        if (terms.feeReceiver == address(0) && terms.maxFeeBps != 0) revert BadTerms("feeReceiver");
        if (terms.amount == 0 || terms.amount > type(uint64).max) revert BadTerms("amount");
        if (terms.maxFeeBps > BPS) revert BadTerms("maxFeeBps");
    }

    function _hash(Terms calldata terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function _reclaimableFrom(Terms calldata terms, bool postponed) private pure returns (uint256) {
        return terms.reclaimAfter + (postponed ? POSTPONEMENT : 0);
    }

    function _vaultOf(bytes32 termsHash) private view returns (address) {
        return Clones.predictDeterministicAddress(VAULT_IMPLEMENTATION, termsHash);
    }

    function _deploy(bytes32 termsHash) private returns (address vault) {
        vault = _vaultOf(termsHash);
        if (vault.code.length == 0) Clones.cloneDeterministic(VAULT_IMPLEMENTATION, termsHash);
    }

    function _send(address vault, address token, address to, uint256 amount) private {
        if (amount != 0) EscrowVault(vault).send(token, to, amount);
    }
}
