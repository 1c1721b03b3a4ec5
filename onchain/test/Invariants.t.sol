// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Escrow} from "../Escrow.sol";
import {Bench, vm} from "./Bench.sol";
import {Token} from "./Tokens.sol";

/// @dev Does anything to three trades in any order, and writes down what succeeded.
contract Anything is Bench {
    uint256 public constant TRADES = 3;

    uint256[TRADES] public deposited;
    uint256[TRADES] public returned;
    bool[TRADES] public postponed;
    uint256[TRADES] public settled; // one bit an action
    uint256 public twice;
    uint256 public byStrangers;
    uint256 public tooEarly;
    uint256 public leftBehind;

    constructor() {
        start();
    }

    function theEscrow() external view returns (Escrow) {
        return escrow;
    }

    function theToken() external view returns (Token) {
        return token;
    }

    function terms(uint256 which) public view returns (Escrow.Terms memory it) {
        it = trade();
        uint160 n = uint160(which % TRADES);
        it.escrowId = bytes32(uint256(n));
        (it.buyer, it.seller, it.feeReceiver) = (address(0x1000 + n), address(0x2000 + n), address(0x3000 + n));
        it.reclaimAfter = uint64(TERM - 55 days * n); // 120, 65 and 10 days from the start
        it.maxFeeBps = uint16(50 + 475 * n);
    }

    function deposit(uint256 which, uint256 amount) external {
        amount = within(amount, 1, AMOUNT);
        fund(terms(which), amount);
        deposited[which % TRADES] += amount;
    }

    function settleAny(uint256 which, uint8 action, uint256 gross, uint256 fee, uint256 toBuyer, uint8 caller) external {
        Escrow.Terms memory it = terms(which);
        uint256 held = token.balanceOf(escrow.vaultOf(it));
        gross = within(gross, 0, held < AMOUNT / 3 ? held : AMOUNT / 3);
        toBuyer = within(toBuyer, 0, held - gross) / 4;
        fee = within(fee, 0, gross * 12 / 100);
        action = uint8(within(action, 0, 7)) * 17 + 2; // 2 to 121
        bool operator = caller % 8 != 0;

        vm.prank(operator ? OPERATOR : STRANGER);
        escrow.settle(it, action, gross - fee, fee, toBuyer);

        returned[which % TRADES] += toBuyer;
        if ((settled[which % TRADES] >> action) & 1 == 1) twice++;
        settled[which % TRADES] |= 1 << action;
        if (!operator) byStrangers++;
    }

    function postponeAny(uint256 which, uint8 caller) external {
        bool operator = caller % 4 == 0;

        vm.prank(operator ? OPERATOR : STRANGER);
        escrow.postpone(terms(which));

        if (!operator) byStrangers++;
        postponed[which % TRADES] = true;
    }

    function reclaimAny(uint256 which) external {
        Escrow.Terms memory it = terms(which);
        uint256 held = token.balanceOf(escrow.vaultOf(it));

        reclaim(it, address(token));

        returned[which % TRADES] += held;
        if (block.timestamp < it.reclaimAfter + (postponed[which % TRADES] ? 90 days : 0)) tooEarly++;
        if (token.balanceOf(escrow.vaultOf(it)) != 0) leftBehind++;
    }

    function pass(uint8 time) external {
        vm.warp(block.timestamp + uint256(time) * 2 hours);
    }
}

contract InvariantsTest {
    Anything private any;

    function setUp() public {
        any = new Anything();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(any);
    }

    function invariant_money_only_ever_reaches_those_the_terms_name() public view {
        Escrow escrow = any.theEscrow();
        Token token = any.theToken();
        uint256 all = 0;
        for (uint256 i = 0; i < any.TRADES(); i++) {
            Escrow.Terms memory it = any.terms(i);
            uint256 seller = token.balanceOf(it.seller);
            uint256 fees = token.balanceOf(it.feeReceiver);
            uint256 buyer = token.balanceOf(it.buyer);
            uint256 vault = token.balanceOf(escrow.vaultOf(it));
            vm.assertEq(seller + fees + buyer + vault, any.deposited(i), "payouts and vault are the deposits");
            vm.assertEq(buyer, any.returned(i), "the buyer has what was returned");
            all += any.deposited(i);
        }
        vm.assertEq(token.totalSupply(), all, "there is no other money");
    }

    function invariant_what_is_remembered_is_what_was_paid() public view {
        Token token = any.theToken();
        for (uint256 i = 0; i < any.TRADES(); i++) {
            Escrow.Terms memory it = any.terms(i);
            (uint64 paid, uint64 fees, uint120 done, bool postponed) =
                any.theEscrow().stateOf(keccak256(abi.encode(it)));
            vm.assertEq(paid, token.balanceOf(it.seller) + token.balanceOf(it.feeReceiver), "paid");
            vm.assertEq(fees, token.balanceOf(it.feeReceiver), "fees");
            vm.assertTrue(paid <= it.amount, "never more than the amount");
            vm.assertTrue(uint256(fees) * 10_000 <= uint256(paid) * it.maxFeeBps, "never more than the fee's cap");
            vm.assertTrue(postponed == any.postponed(i), "postponed");
            vm.assertEq(done, any.settled(i), "done");
        }
    }

    function invariant_nobody_does_what_is_not_theirs() public view {
        vm.assertEq(any.twice(), 0, "no action twice");
        vm.assertEq(any.byStrangers(), 0, "no stranger settles or postpones");
        vm.assertEq(any.tooEarly(), 0, "nothing reclaimed before the term");
        vm.assertEq(any.leftBehind(), 0, "a reclaimed vault is empty");
    }
}
