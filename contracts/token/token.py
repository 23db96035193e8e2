"""An ERC-20 token: the whole interface of EIP-20, with the errors of ERC-6093. The deployer owns the whole supply."""

from sdk import *


class Transfer(Event):
    from_: Indexed[Address]
    to: Indexed[Address]
    value: u256


class Approval(Event):
    owner: Indexed[Address]
    spender: Indexed[Address]
    value: u256


class ERC20InsufficientBalance(Error):
    sender: Address
    balance: u256
    needed: u256


class ERC20InsufficientAllowance(Error):
    spender: Address
    allowance: u256
    needed: u256


class ERC20InvalidReceiver(Error):
    receiver: Address


class ERC20InvalidSpender(Error):
    spender: Address


class Token(Contract):
    name: Public[Const[String]] = "Contract Token"
    symbol: Public[Const[String]] = "CVM"
    decimals: Public[Const[u8]] = 18
    total_supply: Public[u256]
    balance_of: Public[Map[Address, u256]]
    allowance: Public[Map[Address, Map[Address, u256]]]

    def __init__(self, supply: u256) -> None:
        self.total_supply = supply
        self.balance_of[msg.sender] = supply
        emit(Transfer(ZERO_ADDRESS, msg.sender, supply))

    @external
    def transfer(self, to: Address, value: u256) -> bool:
        self.move(msg.sender, to, value)
        return True

    @external
    def approve(self, spender: Address, value: u256) -> bool:
        if spender == ZERO_ADDRESS:
            raise ERC20InvalidSpender(spender)
        self.allowance[msg.sender][spender] = value
        emit(Approval(msg.sender, spender, value))
        return True

    @external
    def transfer_from(self, from_: Address, to: Address, value: u256) -> bool:
        allowed = self.allowance[from_][msg.sender]
        if allowed != max_value(u256):  # the largest allowance is never used up
            if allowed < value:
                raise ERC20InsufficientAllowance(msg.sender, allowed, value)
            self.allowance[from_][msg.sender] = allowed - value
        self.move(from_, to, value)
        return True

    def move(self, from_: Address, to: Address, value: u256) -> None:
        if to == ZERO_ADDRESS:
            raise ERC20InvalidReceiver(to)
        have = self.balance_of[from_]
        if have < value:
            raise ERC20InsufficientBalance(from_, have, value)
        self.balance_of[from_] = have - value
        self.balance_of[to] += value
        emit(Transfer(from_, to, value))
