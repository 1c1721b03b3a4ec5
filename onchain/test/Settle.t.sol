// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Escrow} from "../Escrow.sol";
import {BenchTest, vm} from "./Bench.sol";
import {CallingToken, RefusingToken, SilentToken, TakingToken, Token} from "./Tokens.sol";

contract SettleTest is BenchTest {
    function test_settle_succeeds_withARelease() public {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);

        vm.expectEmit(address(escrow));
        emit Escrow.Settled(vault, 66, 19_000e6, 1_000e6, 0);
        settle(terms, 66, 19_000e6, 1_000e6, 0);

        lies(terms, 19_000e6, 1_000e6, 0, 0);
        remembers(terms, 20_000e6, 1_000e6, 1 << 66, false);
        vm.assertEq(vault.code.length, 45, "the vault is there");
    }

    function testFuzz_settle_succeeds_withAnySplit(uint8 action, uint256 gross, uint256 fee, uint256 toBuyer) public {
        action = uint8(within(action, 0, 119));
        gross = within(gross, 1, AMOUNT);
        fee = within(fee, 0, gross * FEE_BPS / 10_000);
        toBuyer = within(toBuyer, 0, 3 * uint256(AMOUNT) - gross);
        Escrow.Terms memory terms = trade();
        fund(terms, 3 * AMOUNT);

        settle(terms, action, gross - fee, fee, toBuyer);

        lies(terms, gross - fee, fee, toBuyer, 3 * AMOUNT - gross - toBuyer);
        remembers(terms, gross, fee, uint256(1) << action, false);
    }

    function test_settle_succeeds_withEveryActionOnce() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        for (uint8 action = 0; action < 120; action++) {
            settle(terms, action, 1, 0, 0);
            refused(Escrow.AlreadyDone.selector, action);
            settle(terms, action, 1, 0, 0);
        }

        lies(terms, 120, 0, 0, AMOUNT - 120);
        remembers(terms, 120, 0, type(uint120).max, false);
    }

    function test_settle_succeeds_withALegWhoseOwnFeeIsRoundedUp() public {
        // Three thirds of 10.00 at 5 %: fees of 16, 17 and 17 cents; 17 is more than 5 % of its own leg of 3.33.
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        settle(terms, 0, 317e4, 16e4, 0);
        settle(terms, 1, 316e4, 17e4, 0);
        settle(terms, 2, 317e4, 17e4, 0);

        remembers(terms, 1_000e4, 50e4, 7, false);
    }

    function test_settle_succeeds_withASurplusBeyondTheAmount() public {
        Escrow.Terms memory terms = trade();
        fund(terms, 3 * AMOUNT);

        settle(terms, 67, 0, 0, 2 * AMOUNT);
        settle(terms, 66, AMOUNT, 0, 0);

        lies(terms, AMOUNT, 0, 2 * AMOUNT, 0);
        remembers(terms, AMOUNT, 0, (1 << 66) | (1 << 67), false);
    }

    function test_settle_succeeds_withTheLargestAmount() public {
        Escrow.Terms memory terms = trade();
        terms.amount = type(uint64).max;
        terms.maxFeeBps = 10_000;
        fund(terms, 2 * uint256(type(uint64).max));

        settle(terms, 0, 0, type(uint64).max, 0);

        remembers(terms, type(uint64).max, type(uint64).max, 1, false);
        refused(Escrow.OverAmount.selector, type(uint64).max, 1, type(uint64).max);
        settle(terms, 1, 1, 0, 0);
    }

    function test_settle_succeeds_afterTheTermWhileNobodyReclaims() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        vm.warp(TERM + 1 days);

        settle(terms, 66, AMOUNT, 0, 0);

        lies(terms, AMOUNT, 0, 0, 0);
    }

    function test_settle_succeeds_withAVaultThatReclaimDeployed() public {
        Escrow.Terms memory terms = trade();
        fund(terms, 1);
        vm.warp(TERM);
        reclaim(terms, address(token));
        fund(terms, AMOUNT);

        settle(terms, 66, AMOUNT, 0, 0);

        lies(terms, AMOUNT, 0, 1, 0);
    }

    function test_settle_succeeds_withOnePersonOnBothSides() public {
        Escrow.Terms memory terms = trade();
        terms.seller = terms.buyer;
        fund(terms, AMOUNT);

        settle(terms, 64, 1e6, 0, 2e6);

        vm.assertEq(token.balanceOf(terms.buyer), 3e6, "both parts");
        remembers(terms, 1e6, 0, uint256(1) << 64, false);
    }

    function test_settle_succeeds_withoutAFeeAddressWhereThereIsNoFee() public {
        Escrow.Terms memory terms = trade();
        (terms.feeReceiver, terms.maxFeeBps) = (address(0), 0);
        fund(terms, AMOUNT);

        settle(terms, 66, AMOUNT, 0, 0);

        lies(terms, AMOUNT, 0, 0, 0);
    }

    function test_settle_succeeds_withATokenThatAnswersNothing() public {
        Escrow.Terms memory terms = trade(address(new SilentToken()));
        fund(terms, AMOUNT);

        settle(terms, 66, 1e6, 1e4, 1e6);

        lies(terms, 1e6, 1e4, 1e6, AMOUNT - 2e6 - 1e4);
    }

    function test_settle_succeeds_withATokenThatKeepsAPart() public {
        Escrow.Terms memory terms = trade(address(new TakingToken()));
        fund(terms, AMOUNT);

        settle(terms, 66, 1e6, 0, 0);

        lies(terms, 9e5, 0, 0, AMOUNT - 1e6);
        remembers(terms, 1e6, 0, 1 << 66, false);
    }

    function testFuzz_settle_reverts_whenNotOperator(address caller) public {
        vm.assume(caller != OPERATOR);
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        refused(Escrow.NotOperator.selector, caller);
        vm.prank(caller);
        escrow.settle(terms, 66, 1, 0, 0);
    }

    function test_settle_reverts_whenTheOperatorWasTakenAway() public {
        vm.prank(OWNER);
        escrow.setOperator(OPERATOR, false);
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        refused(Escrow.NotOperator.selector, OPERATOR);
        settle(terms, 66, 1, 0, 0);
    }

    function testFuzz_settle_reverts_whenTheActionIsDone(uint8 action, uint8 other) public {
        action = uint8(within(action, 0, 119));
        other = uint8(within(other, 0, 119));
        vm.assume(action != other);
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        settle(terms, action, 1, 0, 0);
        settle(terms, other, 0, 0, 1);

        refused(Escrow.AlreadyDone.selector, action);
        settle(terms, action, 0, 0, 1);
    }

    function testFuzz_settle_reverts_whenThereIsNoSuchAction(uint8 action) public {
        action = uint8(within(action, 120, 255));
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        refused(Escrow.BadAction.selector, action);
        settle(terms, action, 1, 0, 0);
    }

    function test_settle_reverts_whenThereIsNoActionOneHundredAndTwenty() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        refused(Escrow.BadAction.selector, 120);
        settle(terms, 120, 1, 0, 0);
    }

    function test_settle_reverts_whenNothingIsPaid() public {
        refused(Escrow.NothingToPay.selector);
        settle(trade(), 66, 0, 0, 0);
    }

    function test_settle_reverts_whenOneUnitOverTheAmount() public {
        Escrow.Terms memory terms = trade();
        fund(terms, 2 * AMOUNT);
        settle(terms, 0, 8_000e6, 0, 0);

        refused(Escrow.OverAmount.selector, 8_000e6, 12_000e6 + 1, AMOUNT);
        settle(terms, 1, 12_000e6 + 1, 0, 0);
        refused(Escrow.OverAmount.selector, 8_000e6, 12_000e6 + 1, AMOUNT);
        settle(terms, 1, 12_000e6, 1, 0);
        settle(terms, 1, 11_400e6, 600e6, 0);

        lies(terms, 19_400e6, 600e6, 0, AMOUNT);
    }

    function testFuzz_settle_reverts_whenOverTheAmount(uint256 toSeller, uint256 fee) public {
        toSeller = within(toSeller, 0, type(uint128).max);
        fee = within(fee, 0, type(uint128).max);
        vm.assume(toSeller + fee > AMOUNT);
        Escrow.Terms memory terms = trade();
        fund(terms, 2 * uint256(type(uint128).max));

        refused(Escrow.OverAmount.selector, 0, toSeller + fee, AMOUNT);
        settle(terms, 0, toSeller, fee, 0);
    }

    function test_settle_reverts_whenTheSumOverflows() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        settle(terms, 0, 1, 0, 0);

        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        settle(terms, 1, type(uint256).max, 0, 0);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        settle(terms, 1, 1, type(uint256).max - 1, 0);
    }

    function testFuzz_settle_reverts_whenTheFeeIsOverTheCap(uint256 gross, uint256 fee) public {
        gross = within(gross, 1, AMOUNT);
        uint256 cap = gross * FEE_BPS / 10_000;
        fee = within(fee, cap + 1, gross);
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        refused(Escrow.OverFee.selector, 0, fee, cap);
        settle(terms, 0, gross - fee, fee, 0);
    }

    function test_settle_reverts_whenFeesAddUpOverTheCap() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        settle(terms, 0, 950e6, 50e6, 0);
        settle(terms, 1, 1_000e6, 0, 0);
        settle(terms, 2, 900e6, 100e6, 0);

        refused(Escrow.OverFee.selector, 150e6, 51e6, 200e6);
        settle(terms, 3, 949e6, 51e6, 0);
        settle(terms, 3, 950e6, 50e6, 0);

        remembers(terms, 4_000e6, 200e6, 15, false);
    }

    function test_settle_reverts_whenTheVaultHasTooLittle() public {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, 10);

        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, vault, 10, 11));
        settle(terms, 66, 11, 0, 0);

        remembers(terms, 0, 0, 0, false);
        vm.assertEq(vault.code.length, 0, "as it was");
    }

    function test_settle_reverts_whenTheTokenAnswersFalse() public {
        Escrow.Terms memory terms = trade(address(new RefusingToken()));
        fund(terms, AMOUNT);

        refused(SafeERC20.SafeERC20FailedOperation.selector, terms.token);
        settle(terms, 66, 1, 0, 0);
    }

    function test_settle_reverts_whenTheTokenHasNoCode() public {
        Escrow.Terms memory terms = trade(address(0xC0DE1E55));

        refused(SafeERC20.SafeERC20FailedOperation.selector, terms.token);
        settle(terms, 66, 1, 0, 0);
    }

    function test_settle_reverts_whenTheTokenCallsBackToBePaidTwice() public {
        CallingToken hostile = new CallingToken();
        vm.prank(OWNER);
        escrow.setOperator(address(hostile), true);
        Escrow.Terms memory terms = trade(address(hostile));
        fund(terms, AMOUNT);
        hostile.callBack(escrow, abi.encodeCall(Escrow.settle, (terms, 66, 1e6, 0, 0)));

        refused(Escrow.AlreadyDone.selector, 66);
        settle(terms, 66, 1e6, 0, 0);
    }

    function test_settle_reverts_whenTheTokenCallsBackForMoreThanTheAmount() public {
        CallingToken hostile = new CallingToken();
        vm.prank(OWNER);
        escrow.setOperator(address(hostile), true);
        Escrow.Terms memory terms = trade(address(hostile));
        fund(terms, 2 * AMOUNT);
        hostile.callBack(escrow, abi.encodeCall(Escrow.settle, (terms, 1, 1, 0, 0)));

        refused(Escrow.OverAmount.selector, AMOUNT, 1, AMOUNT);
        settle(terms, 0, AMOUNT, 0, 0);
    }

    function test_settle_reverts_whenTheTokenCallsBackAsNobody() public {
        CallingToken hostile = new CallingToken();
        Escrow.Terms memory terms = trade(address(hostile));
        fund(terms, AMOUNT);
        hostile.callBack(escrow, abi.encodeCall(Escrow.settle, (terms, 1, 1, 0, 0)));

        refused(Escrow.NotOperator.selector, address(hostile));
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenOneTermIsAnother() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        terms.seller = STRANGER;
        address empty = escrow.vaultOf(terms);

        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, empty, 0, 1));
        settle(terms, 66, 1, 0, 0);
    }

    function test_settle_reverts_whenTheTokenIsZero() public {
        Escrow.Terms memory terms = trade();
        terms.token = address(0);
        refusedField("token");
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenTheBuyerIsZero() public {
        Escrow.Terms memory terms = trade();
        terms.buyer = address(0);
        refusedField("buyer");
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenTheSellerIsZero() public {
        Escrow.Terms memory terms = trade();
        terms.seller = address(0);
        refusedField("seller");
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenThereIsAFeeAndNoAddressForIt() public {
        Escrow.Terms memory terms = trade();
        terms.feeReceiver = address(0);
        refusedField("feeReceiver");
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenTheAmountIsZero() public {
        Escrow.Terms memory terms = trade();
        terms.amount = 0;
        refusedField("amount");
        settle(terms, 67, 0, 0, 1);
    }

    function testFuzz_settle_reverts_whenTheAmountIsLargerThanItsSlot(uint128 amount) public {
        Escrow.Terms memory terms = trade();
        terms.amount = uint128(within(amount, uint256(type(uint64).max) + 1, type(uint128).max));
        refusedField("amount");
        settle(terms, 0, 1, 0, 0);
    }

    function test_settle_reverts_whenMoreThanAllMayBeFee() public {
        Escrow.Terms memory terms = trade();
        terms.maxFeeBps = 10_001;
        refusedField("maxFeeBps");
        settle(terms, 0, 1, 0, 0);
    }
}
