// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title A purse at a predictable address
/// @notice Only the Escrow that deployed it can move what lies in it.
/// @dev What the ERC-1167 clones delegate to. It has no storage, so its own address and every clone obey the same
/// Escrow, and no payable function: once deployed, a vault takes ether only by force (a self-destruct, a block reward).
contract EscrowVault {
    using SafeERC20 for IERC20;

    address private immutable ESCROW = msg.sender;

    error NotEscrow(address account);

    modifier onlyEscrow() {
        if (msg.sender != ESCROW) revert NotEscrow(msg.sender);
        _;
    }

    /// @notice Pays tokens out. Reverts when the token refuses, answers false or has no code.
    /// @param token an ERC-20 contract
    /// @param to the payee, chosen by Escrow from the terms
    /// @param amount in the token's base units
    function send(address token, address to, uint256 amount) external onlyEscrow {
        IERC20(token).safeTransfer(to, amount);
    }

    /// @notice Pays ether out. Reverts when the payee refuses it.
    /// @param to the payee, chosen by Escrow from the terms
    /// @param amount in wei
    function sendEther(address to, uint256 amount) external onlyEscrow {
        Address.sendValue(payable(to), amount);
    }
}
