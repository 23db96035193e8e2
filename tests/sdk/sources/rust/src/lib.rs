//! What the crate can do, a function for each part: the tests call them and compare.
#![no_std]

use contractvm::*;

const STARTED: Value<u64> = Value::at(b"started");
const KEPT: Map<u64, Bytes> = Map::at(b"k");

event! {
    struct Kept { #[indexed] key: u64, #[indexed] name: &'static str, text: &'static str, pair: [U256; 2] }
}
error! { struct Refused { code: u32 } }

abi_struct! {
    #[derive(Clone, Copy)]
    struct Point { x: i64, y: i64 }
}

interface! {
    struct Shown {
        #[view]
        fn started() -> u64;
        fn refuse_with(code: u32);
    }
}

contract! {
    #[constructor]
    #[payable]
    fn new(start: u64) {
        STARTED.set(start)
    }

    #[receive]
    #[payable]
    fn take() {}

    #[view]
    fn started() -> u64 {
        STARTED.get()
    }

    #[pure]
    fn calculate(a: U256, b: U256) -> [U256; 5] {
        [a + b, a - b, a * b, a / b, a % b]
    }

    #[pure]
    fn shift(a: U256, by: u32) -> (U256, U256) {
        (a << by, a >> by)
    }

    #[pure]
    fn compare(a: U256, b: U256) -> bool {
        a < b
    }

    #[pure]
    fn mirror(point: Point) -> Point {
        Point { x: point.y, y: point.x }
    }

    #[pure]
    fn sum_all(numbers: &'static [u32]) -> u64 {
        numbers.iter().map(|&number| number as u64).sum()
    }

    /// A name that the rule for names would not give.
    #[pure]
    #[name = "tokenURI"]
    fn token_uri(prefix: &'static str, id: u8) -> (&'static str, u8) {
        (prefix, id)
    }

    #[pure]
    fn join(parts: &'static [Bytes]) -> Bytes {
        let out = alloc(parts.iter().map(|part| part.0.len()).sum());
        let mut at = 0;
        for part in parts {
            out[at..at + part.0.len()].copy_from_slice(part.0);
            at += part.0.len();
        }
        Bytes(out)
    }

    #[pure]
    fn narrow(a: i8, b: bool, c: FixedBytes<4>, d: [u128; 2]) -> ([u128; 2], FixedBytes<4>, bool, i8) {
        ([d[1], d[0]], c, !b, a)
    }

    fn keep(key: u64, name: &'static str, text: &'static str, pair: [U256; 2]) {
        KEPT.set(&key, Bytes(text.as_bytes()));
        Kept::emit(&key, &name, &text, &pair)
    }

    #[view]
    fn kept(key: u64) -> Bytes {
        KEPT.get(&key)
    }

    #[view]
    fn has(key: u64) -> bool {
        KEPT.contains(&key)
    }

    fn forget(key: u64) {
        KEPT.remove(&key)
    }

    #[view]
    fn ask_other(other: Address) -> u64 {
        Shown(other).started()
    }

    fn provoke(other: Address, code: u32) {
        Shown(other).refuse_with(code)
    }

    fn refuse_with(code: u32) {
        Refused::revert(&code)
    }
}
