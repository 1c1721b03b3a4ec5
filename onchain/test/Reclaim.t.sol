// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Escrow} from "../Escrow.sol";
import {BenchTest, vm} from "./Bench.sol";
import {CallingToken, RefusingToken, Token} from "./Tokens.sol";

/// @dev A buyer's wallet that asks for its ether again as soon as it comes.
contract GreedyWallet {
    Escrow private escrow;
    Escrow.Terms private terms;
    uint256 public refusals;

    function remember(Escrow escrow_, Escrow.Terms memory terms_) external {
        (escrow, terms) = (escrow_, terms_);
    }

    receive() external payable {
        try escrow.reclaim(terms, address(0)) {}
        catch {
            refusals++;
        }
    }
}

/// @dev A buyer's wallet that takes no ether.
contract ClosedWallet {}

contract ReclaimTest is BenchTest {
    function test_reclaim_succeeds_fromTheTermOn() public {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);
        vm.warp(TERM);

        vm.expectEmit(address(escrow));
        emit Escrow.Reclaimed(vault, address(token), AMOUNT);
        reclaim(terms, address(token));

        lies(terms, 0, 0, AMOUNT, 0);
        vm.assertEq(token.balanceOf(STRANGER), 0, "who asked gets nothing");
    }

    function testFuzz_reclaim_succeeds_withWhateverIsLeft(address caller, uint256 deposit, uint256 paid, uint64 later)
        public
    {
        deposit = within(deposit, 2, 2 * AMOUNT);
        paid = within(paid, 1, deposit - 1 < AMOUNT ? deposit - 1 : AMOUNT);
        Escrow.Terms memory terms = trade();
        fund(terms, deposit);
        settle(terms, 0, paid, 0, 0);
        vm.warp(uint256(TERM) + later);

        vm.prank(caller);
        escrow.reclaim(terms, address(token));

        lies(terms, paid, 0, deposit - paid, 0);
        remembers(terms, paid, 0, 1, false);
    }

    function testFuzz_reclaim_reverts_whenBeforeTheTerm(uint256 time) public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        vm.warp(within(time, 0, TERM - 1));

        refused(Escrow.TooEarly.selector, TERM);
        reclaim(terms, address(token));
    }

    function test_reclaim_reverts_whenOneSecondBeforeTheTerm() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        vm.warp(TERM - 1);

        refused(Escrow.TooEarly.selector, TERM);
        vm.prank(BUYER);
        escrow.reclaim(terms, address(token));
    }

    function test_reclaim_succeeds_ninetyDaysLaterWherePostponed() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        postpone(terms);
        vm.warp(TERM + 90 days - 1);

        refused(Escrow.TooEarly.selector, TERM + 90 days);
        reclaim(terms, address(token));
        vm.warp(TERM + 90 days);
        reclaim(terms, address(token));

        lies(terms, 0, 0, AMOUNT, 0);
    }

    function test_reclaim_succeeds_withATokenThatWasSentByMistake() public {
        Escrow.Terms memory terms = trade();
        fund(terms, AMOUNT);
        Token stray = new Token();
        stray.mint(escrow.vaultOf(terms), 7);
        vm.warp(TERM);

        reclaim(terms, address(stray));

        vm.assertEq(stray.balanceOf(BUYER), 7, "the stray");
        lies(terms, 0, 0, 0, AMOUNT);
    }

    function test_reclaim_succeeds_withEtherThatCameBeforeTheVaultWasThere() public {
        Escrow.Terms memory terms = trade();
        address vault = escrow.vaultOf(terms);
        vm.deal(address(this), 1 ether);
        payable(vault).transfer(1 ether);
        vm.warp(TERM);

        vm.expectEmit(address(escrow));
        emit Escrow.Reclaimed(vault, address(0), 1 ether);
        reclaim(terms, address(0));

        vm.assertEq(BUYER.balance, 1 ether, "all of it");
        vm.assertEq(vault.balance, 0, "nothing left");
    }

    function test_reclaim_succeeds_withEtherThatWasForcedIn() public {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);
        settle(terms, 66, AMOUNT, 0, 0);
        vm.deal(vault, 3 ether);
        vm.warp(TERM);

        reclaim(terms, address(0));

        vm.assertEq(BUYER.balance, 3 ether, "all of it");
    }

    function test_reclaim_reverts_whenEtherIsAskedForBeforeTheTerm() public {
        Escrow.Terms memory terms = trade();
        vm.deal(escrow.vaultOf(terms), 1 ether);

        refused(Escrow.TooEarly.selector, TERM);
        reclaim(terms, address(0));
    }

    function test_reclaim_reverts_whenNothingIsLeft() public {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);
        vm.warp(TERM);
        reclaim(terms, address(token));

        vm.expectRevert(abi.encodeWithSelector(Escrow.NothingLeft.selector, vault, address(token)));
        reclaim(terms, address(token));
        vm.expectRevert(abi.encodeWithSelector(Escrow.NothingLeft.selector, vault, address(0)));
        reclaim(terms, address(0));
    }

    function test_reclaim_reverts_whenTheBuyerIsZero() public {
        Escrow.Terms memory terms = trade();
        terms.buyer = address(0);
        vm.warp(TERM);

        refusedField("buyer");
        reclaim(terms, address(0));
    }

    function test_reclaim_succeeds_withTermsThatCouldNeverBeSettled() public {
        Escrow.Terms memory terms = trade();
        (terms.seller, terms.token, terms.amount, terms.maxFeeBps) = (address(0), address(0), type(uint128).max, 65_535);
        address vault = vaultOfAny(terms);
        token.mint(vault, 9);
        vm.warp(TERM);

        reclaim(terms, address(token));

        vm.assertEq(token.balanceOf(BUYER), 9, "the buyer has it");
    }

    function test_reclaim_succeeds_whenTheTermIsTheEndOfTime() public {
        Escrow.Terms memory terms = trade();
        terms.reclaimAfter = type(uint64).max;
        fund(terms, AMOUNT);
        postpone(terms);

        refused(Escrow.TooEarly.selector, uint256(type(uint64).max) + 90 days);
        reclaim(terms, address(token));
        vm.warp(uint256(type(uint64).max) + 90 days);
        reclaim(terms, address(token));

        lies(terms, 0, 0, AMOUNT, 0);
    }

    function test_reclaim_succeeds_onceWithAWalletThatAsksAgain() public {
        GreedyWallet wallet = new GreedyWallet();
        Escrow.Terms memory terms = trade();
        terms.buyer = address(wallet);
        wallet.remember(escrow, terms);
        address vault = escrow.vaultOf(terms);
        vm.deal(vault, 2 ether);
        vm.warp(TERM);

        reclaim(terms, address(0));

        vm.assertEq(address(wallet).balance, 2 ether, "once");
        vm.assertEq(wallet.refusals(), 1, "asked again in vain");
    }

    function test_reclaim_reverts_whenTheWalletTakesNoEther() public {
        Escrow.Terms memory terms = trade();
        terms.buyer = address(new ClosedWallet());
        vm.deal(escrow.vaultOf(terms), 1 ether);
        fund(terms, AMOUNT);
        vm.warp(TERM);

        refused(Errors.FailedCall.selector);
        reclaim(terms, address(0));
        reclaim(terms, address(token));

        lies(terms, 0, 0, AMOUNT, 0);
    }

    function test_reclaim_reverts_whenTheTokenAnswersFalse() public {
        Escrow.Terms memory terms = trade(address(new RefusingToken()));
        fund(terms, AMOUNT);
        vm.warp(TERM);

        refused(SafeERC20.SafeERC20FailedOperation.selector, terms.token);
        reclaim(terms, terms.token);
    }

    function test_reclaim_succeeds_forTheBuyerAloneWithATokenThatCallsBack() public {
        CallingToken hostile = new CallingToken();
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);
        hostile.mint(vault, 1);
        hostile.callBack(escrow, abi.encodeCall(Escrow.reclaim, (terms, address(token))));
        vm.warp(TERM);

        reclaim(terms, address(hostile));

        lies(terms, 0, 0, AMOUNT, 0);
        vm.assertEq(hostile.balanceOf(BUYER), 1, "the hostile token too");
    }

    /// @dev The address of terms that `vaultOf` refuses to name.
    function vaultOfAny(Escrow.Terms memory terms) private view returns (address) {
        bytes32 code = keccak256(
            abi.encodePacked(
                hex"3d602d80600a3d3981f3363d3d373d3d3d363d73",
                escrow.VAULT_IMPLEMENTATION(),
                hex"5af43d82803e903d91602b57fd5bf3"
            )
        );
        bytes32 salt = keccak256(abi.encode(terms));
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(escrow), salt, code)))));
    }
}
