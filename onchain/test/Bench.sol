// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Escrow} from "../Escrow.sol";
import {Token} from "./Tokens.sol";

/// @dev The part of forge's cheat codes that these tests use.
interface Vm {
    function assertEq(uint256 left, uint256 right, string calldata what) external pure;
    function assertEq(address left, address right, string calldata what) external pure;
    function assertTrue(bool condition, string calldata what) external pure;
    function assume(bool condition) external pure;
    function deal(address account, uint256 balance) external;
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function expectEmit(address emitter) external;
    function expectRevert(bytes calldata reason) external;
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function prank(address caller) external;
    function readFile(string calldata path) external view returns (string memory);
    function warp(uint256 time) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @dev Deploys the very bytes of the artifact, the committed one unless ESCROW_ARTIFACT names another (a mutant).
function deployEscrow(address owner) returns (Escrow escrow) {
    string memory path = vm.envOr("ESCROW_ARTIFACT", "layers/shared/bloxtr8/rails/usdc/artifact.json");
    bytes memory code = vm.parseJsonBytes(vm.readFile(path), ".contracts.Escrow.bytecode");
    code = abi.encodePacked(code, abi.encode(owner));
    assembly {
        escrow := create(0, add(code, 0x20), mload(code))
    }
    require(address(escrow) != address(0), "not deployed");
}

/// @dev One trade of 20,000 and the people around it; what every test starts from.
abstract contract Bench {
    address internal constant OWNER = address(0x0A11CE);
    address internal constant OPERATOR = address(0x0B0B);
    address internal constant BUYER = address(0xB0B1);
    address internal constant SELLER = address(0x5E11);
    address internal constant FEES = address(0xFEE5);
    address internal constant STRANGER = address(0xBAD);
    uint128 internal constant AMOUNT = 20_000e6;
    uint16 internal constant FEE_BPS = 500;
    uint64 internal constant TERM = 1_800_000_000;

    Escrow internal escrow;
    Token internal token;

    function start() internal {
        vm.warp(TERM - 120 days);
        escrow = deployEscrow(OWNER);
        token = new Token();
        vm.prank(OWNER);
        escrow.setOperator(OPERATOR, true);
    }

    function trade() internal view returns (Escrow.Terms memory) {
        return trade(address(token));
    }

    function trade(address paidIn) internal pure returns (Escrow.Terms memory) {
        return Escrow.Terms({
            escrowId: keccak256("esc_1"),
            token: paidIn,
            buyer: BUYER,
            seller: SELLER,
            feeReceiver: FEES,
            amount: AMOUNT,
            reclaimAfter: TERM,
            maxFeeBps: FEE_BPS
        });
    }

    /// @dev A plain transfer to the deposit address.
    function fund(Escrow.Terms memory terms, uint256 amount) internal returns (address vault) {
        vault = escrow.vaultOf(terms);
        Token(terms.token).mint(vault, amount);
    }

    function settle(Escrow.Terms memory terms, uint8 action, uint256 toSeller, uint256 fee, uint256 toBuyer) internal {
        vm.prank(OPERATOR);
        escrow.settle(terms, action, toSeller, fee, toBuyer);
    }

    function postpone(Escrow.Terms memory terms) internal {
        vm.prank(OPERATOR);
        escrow.postpone(terms);
    }

    function reclaim(Escrow.Terms memory terms, address what) internal {
        vm.prank(STRANGER);
        escrow.reclaim(terms, what);
    }

    function refused(bytes4 reason) internal {
        vm.expectRevert(abi.encodePacked(reason));
    }

    function refused(bytes4 reason, uint256 a) internal {
        vm.expectRevert(abi.encodeWithSelector(reason, a));
    }

    function refused(bytes4 reason, uint256 a, uint256 b, uint256 c) internal {
        vm.expectRevert(abi.encodeWithSelector(reason, a, b, c));
    }

    function refused(bytes4 reason, address a) internal {
        vm.expectRevert(abi.encodeWithSelector(reason, a));
    }

    function refusedField(bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(Escrow.BadTerms.selector, field));
    }

    /// @dev Where everything is: with the seller, the fee address, the buyer and in the vault.
    function lies(Escrow.Terms memory terms, uint256 seller, uint256 fees, uint256 buyer, uint256 vault) internal view {
        Token paid = Token(terms.token);
        vm.assertEq(paid.balanceOf(terms.seller), seller, "seller");
        vm.assertEq(paid.balanceOf(terms.feeReceiver), fees, "fee address");
        vm.assertEq(paid.balanceOf(terms.buyer), buyer, "buyer");
        vm.assertEq(paid.balanceOf(escrow.vaultOf(terms)), vault, "vault");
    }

    function remembers(Escrow.Terms memory terms, uint256 paid, uint256 fees, uint256 done, bool postponed)
        internal
        view
    {
        (uint64 paid_, uint64 fees_, uint120 done_, bool postponed_) = escrow.stateOf(keccak256(abi.encode(terms)));
        vm.assertEq(paid_, paid, "paid");
        vm.assertEq(fees_, fees, "fees");
        vm.assertEq(done_, done, "done");
        vm.assertTrue(postponed_ == postponed, "postponed");
    }

    /// @dev `value` brought into [low, high].
    function within(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return high - low == type(uint256).max ? value : low + value % (high - low + 1);
    }
}

abstract contract BenchTest is Bench {
    function setUp() public {
        start();
    }
}
