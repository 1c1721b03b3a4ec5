// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Escrow} from "../Escrow.sol";
import {BenchTest, deployEscrow, vm} from "./Bench.sol";

contract OwnerTest is BenchTest {
    function test_setOperator_succeeds_withSeveralAtOnce() public {
        vm.expectEmit(address(escrow));
        emit Escrow.OperatorSet(STRANGER, true);
        vm.prank(OWNER);
        escrow.setOperator(STRANGER, true);

        vm.assertTrue(escrow.isOperator(STRANGER) && escrow.isOperator(OPERATOR), "both");
    }

    function test_setOperator_succeeds_withTakingTheRightAway() public {
        vm.expectEmit(address(escrow));
        emit Escrow.OperatorSet(OPERATOR, false);
        vm.prank(OWNER);
        escrow.setOperator(OPERATOR, false);

        vm.assertTrue(!escrow.isOperator(OPERATOR), "none");
    }

    function testFuzz_setOperator_reverts_whenNotOwner(address caller) public {
        vm.assume(caller != OWNER);

        refused(Ownable.OwnableUnauthorizedAccount.selector, caller);
        vm.prank(caller);
        escrow.setOperator(caller, true);
    }

    function test_settle_reverts_whenTheOwnerIsNoOperator() public {
        refused(Escrow.NotOperator.selector, OWNER);
        vm.prank(OWNER);
        escrow.settle(trade(), 0, 1, 0, 0);
    }

    function test_transferOwnership_succeeds_onlyOnceAccepted() public {
        vm.prank(OWNER);
        escrow.transferOwnership(STRANGER);
        vm.assertEq(escrow.owner(), OWNER, "not yet");

        vm.prank(STRANGER);
        escrow.acceptOwnership();
        vm.assertEq(escrow.owner(), STRANGER, "now");
    }

    function test_acceptOwnership_reverts_whenNotTheNextOwner() public {
        vm.prank(OWNER);
        escrow.transferOwnership(BUYER);

        refused(Ownable.OwnableUnauthorizedAccount.selector, STRANGER);
        vm.prank(STRANGER);
        escrow.acceptOwnership();
    }

    function test_renounceOwnership_reverts_whenTheOwnerAsks() public {
        refused(Escrow.OwnerNeeded.selector);
        vm.prank(OWNER);
        escrow.renounceOwnership();
    }

    function test_renounceOwnership_reverts_whenNotOwner() public {
        refused(Ownable.OwnableUnauthorizedAccount.selector, STRANGER);
        vm.prank(STRANGER);
        escrow.renounceOwnership();
    }
}
