//! Calls of other contracts. Re-entry into this one while it waits is refused unless `reentry` allows it.

use crate::code::refuse;
use crate::{alloc, host, Address, U256};

/// How a call that did not succeed ended; `status` as in `host`, 1 for a revert.
pub struct Failure {
    pub status: i32,
    pub data: &'static [u8],
}

impl Failure {
    /// Reverts with the callee's reason.
    #[cold]
    pub fn bubble(self) -> ! {
        refuse(self.data)
    }
}

/// The options of a call.
pub struct Call {
    pub value: U256,
    pub gas: u64,
    pub reentry: bool,
}

impl Default for Call {
    #[inline]
    fn default() -> Call {
        Call { value: U256::ZERO, gas: u64::MAX, reentry: false }
    }
}

/// Calls `to` without value and with all gas that may go along: 63 of 64 parts.
#[inline]
pub fn call(to: &Address, data: &[u8]) -> Result<&'static [u8], Failure> {
    call_with(to, data, &Call::default())
}

/// Calls `to` with options.
pub fn call_with(to: &Address, data: &[u8], options: &Call) -> Result<&'static [u8], Failure> {
    let (at, size) = (data.as_ptr(), data.len() as u32);
    let value = options.value.0.as_ptr().cast();
    // SAFETY: 20 and 32 bytes, and a slice's range.
    ended(unsafe { host::call(to.0.as_ptr(), value, at, size, options.gas, options.reentry as u32) })
}

/// Calls `to`, which then cannot change anything.
pub fn static_call(to: &Address, data: &[u8]) -> Result<&'static [u8], Failure> {
    // SAFETY: 20 bytes, and a slice's range.
    ended(unsafe { host::static_call(to.0.as_ptr(), data.as_ptr(), data.len() as u32, u64::MAX, 0) })
}

fn ended(status: i32) -> Result<&'static [u8], Failure> {
    // SAFETY: it takes nothing.
    let data = alloc(unsafe { host::returndata_size() } as usize);
    // SAFETY: the range is a slice's.
    unsafe { host::returndata_copy(data.as_mut_ptr(), 0, data.len() as u32) };
    if status == 0 {
        Ok(data)
    } else {
        Err(Failure { status, data })
    }
}
