// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Escrow} from "../Escrow.sol";
import {EscrowVault} from "../EscrowVault.sol";
import {BenchTest, vm} from "./Bench.sol";

contract VaultTest is BenchTest {
    function test_vaultOf_succeeds_withTheAddressThatFollowsFromTheTerms() public view {
        // Written out, as the platform computes it off chain: the clone's code around the implementation, which is
        // what the escrow contract created first.
        bytes32 first = keccak256(abi.encodePacked(hex"d694", address(escrow), hex"01"));
        address implementation = address(uint160(uint256(first)));
        bytes32 code = keccak256(
            abi.encodePacked(
                hex"3d602d80600a3d3981f3363d3d373d3d3d363d73", implementation, hex"5af43d82803e903d91602b57fd5bf3"
            )
        );
        bytes32 salt = keccak256(abi.encode(trade()));
        bytes32 expected = keccak256(abi.encodePacked(hex"ff", address(escrow), salt, code));

        vm.assertEq(escrow.VAULT_IMPLEMENTATION(), implementation, "the implementation");
        vm.assertEq(escrow.vaultOf(trade()), address(uint160(uint256(expected))), "the vault");
    }

    function testFuzz_vaultOf_succeeds_withAnotherAddressForOtherTerms(uint8 field, uint64 change) public view {
        Escrow.Terms memory terms = trade();
        uint64 by = uint64(within(change, 1, 1e6));
        field %= 8;
        if (field == 0) terms.escrowId = keccak256(abi.encode(change));
        if (field == 1) terms.token = address(uint160(terms.token) + by);
        if (field == 2) terms.buyer = address(uint160(terms.buyer) + by);
        if (field == 3) terms.seller = address(uint160(terms.seller) + by);
        if (field == 4) terms.feeReceiver = address(uint160(terms.feeReceiver) + by);
        if (field == 5) terms.amount += by;
        if (field == 6) terms.reclaimAfter += by;
        if (field == 7) terms.maxFeeBps = uint16(FEE_BPS + 1 + by % 9_000);

        vm.assertTrue(escrow.vaultOf(terms) != escrow.vaultOf(trade()), "another vault");
    }

    function test_vaultOf_reverts_whenTheTermsCouldNeverBeSettled() public {
        Escrow.Terms memory terms = trade();
        terms.seller = address(0);

        refusedField("seller");
        escrow.vaultOf(terms);
    }

    function testFuzz_send_reverts_whenNotTheEscrow(address caller) public {
        vm.assume(caller != address(escrow));
        EscrowVault vault = deployed();

        refused(EscrowVault.NotEscrow.selector, caller);
        vm.prank(caller);
        vault.send(address(token), caller, 1);
    }

    function testFuzz_sendEther_reverts_whenNotTheEscrow(address caller) public {
        vm.assume(caller != address(escrow));
        EscrowVault vault = deployed();
        vm.deal(address(vault), 1 ether);

        refused(EscrowVault.NotEscrow.selector, caller);
        vm.prank(caller);
        vault.sendEther(caller, 1);
    }

    function test_send_reverts_whenTheImplementationIsAskedDirectly() public {
        EscrowVault implementation = EscrowVault(escrow.VAULT_IMPLEMENTATION());
        token.mint(address(implementation), 1);

        refused(EscrowVault.NotEscrow.selector, STRANGER);
        vm.prank(STRANGER);
        implementation.send(address(token), STRANGER, 1);
    }

    function test_receive_reverts_whenTheVaultIsThere() public {
        EscrowVault vault = deployed();
        vm.deal(address(this), 1 ether);

        (bool taken,) = address(vault).call{value: 1}("");

        vm.assertTrue(!taken, "no ether");
    }

    function deployed() private returns (EscrowVault) {
        Escrow.Terms memory terms = trade();
        address vault = fund(terms, AMOUNT);
        settle(terms, 0, 1, 0, 0);
        return EscrowVault(vault);
    }
}
