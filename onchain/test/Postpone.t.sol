// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Escrow} from "../Escrow.sol";
import {BenchTest, vm} from "./Bench.sol";

contract PostponeTest is BenchTest {
    function test_postpone_succeeds_onceBeforeTheTerm() public {
        Escrow.Terms memory terms = trade();
        vm.warp(TERM - 1);

        vm.expectEmit(address(escrow));
        emit Escrow.Postponed(escrow.vaultOf(terms), TERM + 90 days);
        postpone(terms);

        remembers(terms, 0, 0, 0, true);
    }

    function test_postpone_succeeds_betweenSettlementsAndIsNotForgotten() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);

        settle(terms, 0, 950e6, 50e6, 0);
        postpone(terms);
        settle(terms, 1, 1_000e6, 0, 0);

        remembers(terms, 2_000e6, 50e6, 3, true);
        vm.warp(TERM + 90 days - 1);
        refused(Escrow.TooEarly.selector, TERM + 90 days);
        reclaim(terms, address(token));
    }

    function test_postpone_reverts_whenPostponed() public {
        Escrow.Terms memory terms = trade();
        postpone(terms);

        refused(Escrow.AlreadyPostponed.selector, TERM + 90 days);
        postpone(terms);
    }

    function testFuzz_postpone_reverts_whenTheTermIsReached(uint64 later) public {
        vm.warp(uint256(TERM) + later);

        refused(Escrow.TooLate.selector, TERM);
        postpone(trade());
    }

    function testFuzz_postpone_reverts_whenNotOperator(address caller) public {
        vm.assume(caller != OPERATOR);

        refused(Escrow.NotOperator.selector, caller);
        vm.prank(caller);
        escrow.postpone(trade());
    }

    function test_postpone_reverts_whenTheTermsAreBad() public {
        Escrow.Terms memory terms = trade();
        terms.seller = address(0);

        refusedField("seller");
        postpone(terms);
    }

    function test_postpone_succeeds_forOneTradeAlone() public {
        Escrow.Terms memory terms = trade();
        postpone(terms);
        terms.escrowId = keccak256("esc_2");
        fund(terms, AMOUNT);
        vm.warp(TERM);

        reclaim(terms, address(token));

        lies(terms, 0, 0, AMOUNT, 0);
    }
}
