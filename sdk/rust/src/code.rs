//! How a contract ends: answers, refusals, and Solidity's panic codes.

use crate::abi::{Abi, Encoder};
use crate::text::Text;
use crate::{alloc, env, host, Reader};

pub const FUNCTION: usize = 0;
pub const CONSTRUCTOR: usize = 1;
pub const FALLBACK: usize = 2;
pub const RECEIVE: usize = 3;
/// How a declaration of each kind begins.
pub const KINDS: [&str; 4] = ["function ", "constructor", "fallback", "receive"];

pub const NONPAYABLE: usize = 0;
pub const VIEW: usize = 1;
pub const PURE: usize = 2;
pub const PAYABLE: usize = 3;
/// How a declaration says what a function may do.
pub const WORDS: [&str; 4] = ["", " view", " pure", " payable"];

pub const PANIC_ASSERT: u8 = 0x01;
pub const PANIC_OVERFLOW: u8 = 0x11;
pub const PANIC_DIVISION: u8 = 0x12;
pub const PANIC_ENUM: u8 = 0x21;
pub const PANIC_INDEX: u8 = 0x32;
pub const PANIC_MEMORY: u8 = 0x41;

/// Ends the call with these bytes as its answer.
#[inline]
pub fn finish(data: &[u8]) -> ! {
    // SAFETY: the range is a slice's.
    unsafe { host::finish(data.as_ptr(), data.len() as u32) }
}

/// Undoes the call and gives these bytes as the reason.
#[cold]
#[inline(never)]
pub fn refuse(data: &[u8]) -> ! {
    // SAFETY: the range is a slice's.
    unsafe { host::revert(data.as_ptr(), data.len() as u32) }
}

/// Reverts without a reason: what Solidity does with arguments that are not well-formed.
#[cold]
#[inline(never)]
pub fn malformed() -> ! {
    refuse(&[])
}

/// Reverts with `Error(string)`.
#[cold]
#[inline(never)]
pub fn revert(reason: &'static str) -> ! {
    let mut out = Encoder::with_selector(u32::from_le_bytes([0x08, 0xc3, 0x79, 0xa0]), 32, reason.size());
    out.put(&reason);
    refuse(out.bytes())
}

/// Reverts with `Panic(uint256)`.
#[cold]
#[inline(never)]
pub fn panic_with(code: u8) -> ! {
    let mut out = Encoder::with_selector(u32::from_le_bytes([0x4e, 0x48, 0x7b, 0x71]), 32, 0);
    out.put(&code);
    refuse(out.bytes())
}

/// Reverts with the reason unless the condition holds.
#[inline]
pub fn require(condition: bool, reason: &'static str) {
    if !condition {
        revert(reason)
    }
}

/// Ends the call with a function's result.
#[inline(never)]
pub fn answer<T: Abi>(value: T) -> ! {
    if T::SPREAD || !T::DYNAMIC {
        let out = alloc(value.size());
        // SAFETY: `out` is as large as the value says it needs.
        unsafe { value.write(out.as_mut_ptr()) };
        finish(out)
    }
    let mut out = Encoder::new(32, value.size());
    out.put(&value);
    finish(out.bytes())
}

/// Refuses wei: what a function that is not payable begins with.
#[inline(never)]
pub fn not_payable() {
    if !env::value().is_zero() {
        revert("not payable")
    }
}

/// Writes an event.
#[inline]
pub fn log(topics: &[[u8; 32]], data: &[u8]) {
    // SAFETY: both ranges are slices'.
    unsafe { host::log(topics.as_ptr().cast(), topics.len() as u32, data.as_ptr(), data.len() as u32) }
}

/// One line of the ABI. Constructors, fallbacks and the like have no name of their own there.
pub const fn declaration(kind: &str, name: Text, parameters: Text, word: &str, results: Text) -> Text {
    let text = Text::new(kind);
    let text = if kind.len() == KINDS[FUNCTION].len() && kind.as_bytes()[1] == b'u' { text.and(&name) } else { text };
    text.and(&parameters).then(word).and(&results).then("\n")
}

/// ` returns (...)`, or nothing.
pub const fn results<T: Abi>() -> Text {
    if T::SPREAD && T::HEAD == 0 {
        Text::new("")
    } else if T::SPREAD {
        Text::new(" returns ").and(&T::TEXT)
    } else {
        Text::new(" returns (").and(&T::TEXT).then(")")
    }
}

/// A result in another contract's answer.
pub fn result_of<T: Abi>(answer: &'static [u8]) -> T {
    if T::SPREAD {
        T::read(answer)
    } else {
        Reader::new(answer).take()
    }
}

/// An event's topics before the indexed values are written.
pub const fn topics<const N: usize>(first: [u8; 32]) -> [[u8; 32]; N] {
    let mut words = [[0; 32]; N];
    words[0] = first;
    words
}
