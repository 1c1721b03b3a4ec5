// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Escrow} from "../Escrow.sol";

contract Token is ERC20("Token", "TKN") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}

/// @dev Answers false where another would revert, and moves nothing.
contract RefusingToken is Token {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Answers nothing at all, like the first tokens.
contract SilentToken is Token {
    function transfer(address to, uint256 amount) public override returns (bool) {
        _transfer(msg.sender, to, amount);
        assembly {
            return(0, 0)
        }
    }
}

/// @dev Keeps a tenth of every transfer.
contract TakingToken is Token {
    function transfer(address to, uint256 amount) public override returns (bool) {
        _transfer(msg.sender, to, amount - amount / 10);
        _burn(msg.sender, amount / 10);
        return true;
    }
}

/// @dev Calls back into the escrow, once, from within a transfer; what the escrow answers, it answers.
contract CallingToken is Token {
    Escrow private escrow;
    bytes private call;

    function callBack(Escrow escrow_, bytes calldata call_) external {
        (escrow, call) = (escrow_, call_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        bytes memory once = call;
        delete call;
        if (once.length != 0) {
            (bool fine, bytes memory answer) = address(escrow).call(once);
            if (!fine) {
                assembly {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
        }
        return super.transfer(to, amount);
    }
}
