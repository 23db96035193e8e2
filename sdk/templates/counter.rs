//! A counter: the start of your contract. Storage keeps the number under "n".
#![no_std]

use contractvm::*;

const NUMBER: Value<U256> = Value::at(b"n");

event! { struct Incremented { #[indexed] by: Address, number: U256 } }

contract! {
    #[view]
    fn number() -> U256 {
        NUMBER.get()
    }

    fn increment() {
        let number = NUMBER.get() + U256::ONE;
        NUMBER.set(number);
        Incremented::emit(&caller(), &number)
    }
}
