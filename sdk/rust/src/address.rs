//! Addresses and Solidity's `bytes1` to `bytes32`.

/// 20 bytes of an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Address(pub [u8; 20]);

impl Address {
    pub const ZERO: Address = Address([0; 20]);

    #[inline]
    pub fn is_zero(&self) -> bool {
        let at = self.0.as_ptr();
        // SAFETY: the three reads are of all 20 bytes.
        let (first, second, third) = unsafe {
            let third = (at.add(16) as *const u32).read_unaligned();
            ((at as *const u64).read_unaligned(), (at.add(8) as *const u64).read_unaligned(), third as u64)
        };
        first | second | third == 0
    }
}

/// Exactly `N` bytes, 1 to 32: `FixedBytes<4>` is Solidity's `bytes4`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct FixedBytes<const N: usize>(pub [u8; N]);

/// Any number of bytes, where they lie: Solidity's `bytes`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub &'static [u8]);
