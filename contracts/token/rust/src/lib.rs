//! An ERC-20 token: the whole interface of EIP-20, with the errors of ERC-6093. Storage: a balance under its owner's
//! address (20 bytes), an allowance under owner and spender (40), the supply under "s". Nothing is hashed.
#![no_std]

use contractvm::*;

const SUPPLY: Value<U256> = Value::at(b"s");
const BALANCE: Map<Address, U256> = Map::at(b"");
const ALLOWANCE: Map<(Address, Address), U256> = Map::at(b"");

event! { struct Transfer { #[indexed] from: Address, #[indexed] to: Address, value: U256 } }
event! { struct Approval { #[indexed] owner: Address, #[indexed] spender: Address, value: U256 } }

error! { struct ERC20InsufficientBalance { sender: Address, balance: U256, needed: U256 } }
error! { struct ERC20InsufficientAllowance { spender: Address, allowance: U256, needed: U256 } }
error! { struct ERC20InvalidReceiver { receiver: Address } }
error! { struct ERC20InvalidSpender { spender: Address } }

contract! {
    /// The deployer owns the whole supply.
    #[constructor]
    fn new(supply: U256) {
        let to = caller();
        SUPPLY.set(&supply);
        BALANCE.set(&to, &supply);
        Transfer::emit(&Address::ZERO, &to, &supply)
    }

    #[pure]
    fn name() -> &'static str {
        "Contract Token"
    }

    #[pure]
    fn symbol() -> &'static str {
        "CVM"
    }

    #[pure]
    fn decimals() -> u8 {
        18
    }

    #[view]
    fn total_supply() -> U256 {
        SUPPLY.get()
    }

    #[view]
    fn balance_of(owner: Address) -> U256 {
        BALANCE.get(&owner)
    }

    #[view]
    fn allowance(owner: Address, spender: Address) -> U256 {
        ALLOWANCE.get(&(owner, spender))
    }

    fn transfer(to: Address, amount: U256) -> bool {
        move_tokens(&caller(), &to, &amount)
    }

    fn transfer_from(from: Address, to: Address, amount: U256) -> bool {
        spend_allowance(&from, &caller(), &amount);
        move_tokens(&from, &to, &amount)
    }

    fn approve(spender: Address, amount: U256) -> bool {
        if spender.is_zero() {
            ERC20InvalidSpender::revert(&spender)
        }
        let owner = caller();
        ALLOWANCE.set(&(owner, spender), &amount);
        Approval::emit(&owner, &spender, &amount);
        true
    }
}

#[inline(never)]
fn move_tokens(from: &Address, to: &Address, amount: &U256) -> bool {
    if to.is_zero() {
        ERC20InvalidReceiver::revert(to)
    }
    let mut balance = BALANCE.get(from);
    if balance < *amount {
        ERC20InsufficientBalance::revert(from, &balance, amount)
    }
    balance -= amount;
    BALANCE.set(from, &balance);
    balance = BALANCE.get(to);
    balance += amount;
    BALANCE.set(to, &balance);
    Transfer::emit(from, to, amount);
    true
}

/// Takes an amount from what the owner allowed the spender; the largest allowance is never used up.
fn spend_allowance(owner: &Address, spender: &Address, amount: &U256) {
    let key = (*owner, *spender);
    let mut allowance = ALLOWANCE.get(&key);
    if allowance.is_max() {
        return;
    }
    if allowance < *amount {
        ERC20InsufficientAllowance::revert(spender, &allowance, amount)
    }
    allowance -= amount;
    ALLOWANCE.set(&key, &allowance)
}
