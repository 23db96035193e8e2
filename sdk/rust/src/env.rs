//! What a contract can ask the chain: who called, with what, when, and the hashes.

use crate::address::Address;
use crate::{host, U256};

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident $import:ident),*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name() -> Address {
            let mut out = Address::ZERO;
            // SAFETY: an address has 20 bytes.
            unsafe { host::$import(out.0.as_mut_ptr()) };
            out
        }
    )*};
}
addresses! {
    /// Who called.
    caller caller,
    /// Who signed the transaction.
    origin origin,
    /// Where this contract is.
    this self_address,
    /// Whom the block pays.
    coinbase coinbase
}

macro_rules! amounts {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name() -> U256 {
            let mut out = U256::ZERO;
            // SAFETY: a number has 32 bytes.
            unsafe { host::$name(out.0.as_mut_ptr().cast()) };
            out
        }
    )*};
}
amounts! {
    /// Wei sent with the call.
    value,
    /// Wei paid for a gas.
    gas_price,
    /// The block's base fee in wei.
    base_fee
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name() -> u64 {
            // SAFETY: it takes nothing.
            unsafe { host::$name() }
        }
    )*};
}
numbers! {
    /// The block's number.
    block_number,
    /// The block's time in seconds since 1970.
    block_timestamp,
    /// The chain's id.
    chain_id,
    /// The gas left after paying for this call.
    gas_left
}

/// Wei at an address.
pub fn balance(address: &Address) -> U256 {
    let mut out = U256::ZERO;
    // SAFETY: 20 bytes are read and 32 written.
    unsafe { host::balance(address.0.as_ptr(), out.0.as_mut_ptr().cast()) };
    out
}

/// The hash of one of the last 256 blocks.
pub fn block_hash(number: u64) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    // SAFETY: 32 bytes are written.
    let size = unsafe { host::block_hash(number, out.as_mut_ptr()) };
    if size < 0 {
        None
    } else {
        Some(out)
    }
}

macro_rules! hashes {
    ($($name:ident $size:literal),*) => {$(
        #[inline]
        pub fn $name(data: &[u8]) -> [u8; $size] {
            let mut out = [0; $size];
            // SAFETY: the range is a slice's, and the hash has as many bytes as `out`.
            unsafe { host::$name(data.as_ptr(), data.len() as u32, out.as_mut_ptr()) };
            out
        }
    )*};
}
hashes!(keccak256 32, sha256 32, blake2b256 32, ripemd160 20);

/// Who signed a digest: `signature` is r and s, `recid` 0 to 3.
pub fn ecrecover(digest: &[u8; 32], signature: &[u8; 64], recid: u32) -> Option<Address> {
    let mut out = Address::ZERO;
    // SAFETY: the sizes are those of the types.
    let size = unsafe { host::ecrecover(digest.as_ptr(), signature.as_ptr(), recid, out.0.as_mut_ptr()) };
    if size < 0 {
        None
    } else {
        Some(out)
    }
}

/// Shows text to the developer where somebody looks.
pub fn debug_print(text: &str) {
    // SAFETY: the range is a slice's.
    unsafe { host::debug_print(text.as_ptr(), text.len() as u32) }
}
