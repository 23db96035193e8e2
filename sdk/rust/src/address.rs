//! Addresses and Solidity's `bytes1` to `bytes32`.

/// 20 bytes of an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Address(pub [u8; 20]);

impl Address {
    pub const ZERO: Address = Address([0; 20]);

    #[inline]
    pub fn is_zero(&self) -> bool {
        let mut first = [0; 8];
        let mut second = [0; 8];
        let mut third = [0; 4];
        first.copy_from_slice(&self.0[..8]);
        second.copy_from_slice(&self.0[8..16]);
        third.copy_from_slice(&self.0[16..]);
        u64::from_le_bytes(first) | u64::from_le_bytes(second) | u32::from_le_bytes(third) as u64 == 0
    }
}

/// Exactly `N` bytes, 1 to 32: `FixedBytes<4>` is Solidity's `bytes4`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct FixedBytes<const N: usize>(pub [u8; N]);

/// Any number of bytes, where they lie: Solidity's `bytes`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub &'static [u8]);
