//! Contracts for contractvm in Rust: host functions, Solidity's ABI, storage and 256-bit numbers, without `std`.
//!
//! ```ignore
//! #![no_std]
//! use contractvm::*;
//!
//! const NUMBER: Value<U256> = Value::at(b"n");
//!
//! contract! {
//!     #[view]
//!     fn number() -> U256 { NUMBER.get() }
//!     fn increment() { NUMBER.set(NUMBER.get() + U256::ONE) }
//! }
//! ```
//!
//! An instance of a contract lives for one call: nothing is ever freed, and slices into the input are `'static`.
//! Never: `std`, floats, formatting, or a dependency.
#![no_std]

mod abi;
mod address;
mod code;
mod composed;
mod contract;
mod env;
pub mod host;
mod input;
mod keccak;
mod memory;
mod remote;
mod storage;
mod text;
mod u256;

pub use abi::{Abi, Encoder};
pub use address::{Address, Bytes, FixedBytes};
pub use code::{
    finish, panic_with, refuse, require, revert, PANIC_ASSERT, PANIC_DIVISION, PANIC_ENUM, PANIC_INDEX, PANIC_MEMORY,
    PANIC_OVERFLOW,
};
pub use env::*;
pub use input::{Input, Reader};
pub use memory::alloc;
pub use remote::{call, call_with, static_call, Call, Failure};
pub use storage::{Key, Map, Stored, Transient, Value};
pub use u256::U256;

/// What the macros need; not for contracts.
#[doc(hidden)]
pub mod internal {
    pub use crate::abi::tail_of;
    pub use crate::code::*;
    pub use crate::keccak::keccak256;
    pub use crate::text::Text;
}
