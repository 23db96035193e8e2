//! 256-bit unsigned integers: four limbs, the least significant first, which is also how the host reads amounts.
//!
//! Operators revert with Solidity's Panic(0x11) when the result does not fit and with 0x12 when they divide by zero; the
//! overflowing forms tell instead.

use crate::code::{panic_with, PANIC_DIVISION, PANIC_OVERFLOW};
use crate::host;
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, BitAnd, BitOr, BitXor, Div, Mul, Not, Rem, Shl, Shr, Sub, SubAssign};

#[derive(Clone, Copy, Eq)]
#[repr(transparent)]
pub struct U256(pub [u64; 4]);

type HostCalculation = unsafe extern "C" fn(*const u8, *const u8, *mut u8);

impl U256 {
    pub const ZERO: U256 = U256([0; 4]);
    pub const ONE: U256 = U256([1, 0, 0, 0]);
    pub const MAX: U256 = U256([u64::MAX; 4]);

    #[inline]
    pub const fn new(low: u64) -> U256 {
        U256([low, 0, 0, 0])
    }

    #[inline]
    pub fn is_zero(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    #[inline]
    pub fn is_max(&self) -> bool {
        self.0[0] & self.0[1] & self.0[2] & self.0[3] == u64::MAX
    }

    /// The number as a `u64`; reverts with Panic(0x11) when it does not fit.
    #[inline]
    pub fn to_u64(self) -> u64 {
        if self.0[1] | self.0[2] | self.0[3] != 0 {
            panic_with(PANIC_OVERFLOW)
        }
        self.0[0]
    }

    /// The sum modulo 2^256, and whether it did not fit.
    #[inline(always)]
    pub fn overflowing_add(mut self, other: U256) -> (U256, bool) {
        let carry = !self.try_add(&other);
        (self, carry)
    }

    /// The difference modulo 2^256, and whether `other` was larger.
    #[inline(always)]
    pub fn overflowing_sub(mut self, other: U256) -> (U256, bool) {
        let borrow = !self.try_sub(&other);
        (self, borrow)
    }

    /// Adds in place, modulo 2^256; whether the sum fits. The cheapest way to add: nothing is copied.
    #[inline(never)]
    pub fn try_add(&mut self, other: &U256) -> bool {
        let mut carry = false;
        for i in 0..4 {
            let sum = self.0[i].wrapping_add(other.0[i]);
            let with = sum.wrapping_add(carry as u64);
            carry = (sum < other.0[i]) | (with < sum);
            self.0[i] = with;
        }
        !carry
    }

    /// Subtracts in place, modulo 2^256; whether there was enough to subtract from.
    #[inline(never)]
    pub fn try_sub(&mut self, other: &U256) -> bool {
        let mut borrow = false;
        for i in 0..4 {
            let (a, b) = (self.0[i], other.0[i]);
            let difference = a.wrapping_sub(b);
            self.0[i] = difference.wrapping_sub(borrow as u64);
            borrow = (a < b) | (difference < borrow as u64);
        }
        !borrow
    }

    #[inline]
    pub fn checked_add(self, other: U256) -> Option<U256> {
        let (sum, overflow) = self.overflowing_add(other);
        if overflow {
            None
        } else {
            Some(sum)
        }
    }

    #[inline]
    pub fn checked_sub(self, other: U256) -> Option<U256> {
        let (difference, overflow) = self.overflowing_sub(other);
        if overflow {
            None
        } else {
            Some(difference)
        }
    }

    /// The product modulo 2^256.
    pub fn wrapping_mul(self, other: U256) -> U256 {
        self.by_host(other, host::u256_mul)
    }

    /// The power modulo 2^256.
    pub fn wrapping_pow(self, exponent: U256) -> U256 {
        self.by_host(exponent, host::u256_exp)
    }

    /// `self * other` modulo `m`, computed without a limit between; 0 when `m` is 0.
    pub fn mul_mod(self, other: U256, m: U256) -> U256 {
        let mut out = U256::ZERO;
        // SAFETY: four pointers to 32 bytes each.
        unsafe { host::u256_mulmod(self.at(), other.at(), m.at(), (&mut out as *mut U256).cast()) };
        out
    }

    /// `self + other` modulo `m`; 0 when `m` is 0.
    pub fn add_mod(self, other: U256, m: U256) -> U256 {
        let mut out = U256::ZERO;
        // SAFETY: four pointers to 32 bytes each.
        unsafe { host::u256_addmod(self.at(), other.at(), m.at(), (&mut out as *mut U256).cast()) };
        out
    }

    #[inline(always)]
    fn by_host(&self, other: U256, calculate: HostCalculation) -> U256 {
        let mut out = U256::ZERO;
        // SAFETY: three pointers to 32 bytes each.
        unsafe { calculate(self.at(), other.at(), (&mut out as *mut U256).cast()) };
        out
    }

    #[inline]
    fn at(&self) -> *const u8 {
        (self as *const U256).cast()
    }

    /// Bytes that hold the number, leading zeros left out: 0 to 32.
    #[inline]
    pub fn byte_size(&self) -> usize {
        let mut i = 3;
        while i > 0 && self.0[i] == 0 {
            i -= 1;
        }
        8 * i + 8 - self.0[i].leading_zeros() as usize / 8
    }
}

impl PartialEq for U256 {
    #[inline]
    fn eq(&self, other: &U256) -> bool {
        (*self ^ *other).is_zero()
    }
}

impl From<u64> for U256 {
    #[inline]
    fn from(number: u64) -> U256 {
        U256::new(number)
    }
}

impl Add for U256 {
    type Output = U256;
    #[inline]
    fn add(self, other: U256) -> U256 {
        let (sum, overflow) = self.overflowing_add(other);
        if overflow {
            panic_with(PANIC_OVERFLOW)
        }
        sum
    }
}

impl Sub for U256 {
    type Output = U256;
    #[inline]
    fn sub(self, other: U256) -> U256 {
        let (difference, overflow) = self.overflowing_sub(other);
        if overflow {
            panic_with(PANIC_OVERFLOW)
        }
        difference
    }
}

impl AddAssign<&U256> for U256 {
    #[inline]
    fn add_assign(&mut self, other: &U256) {
        if !self.try_add(other) {
            panic_with(PANIC_OVERFLOW)
        }
    }
}

impl SubAssign<&U256> for U256 {
    #[inline]
    fn sub_assign(&mut self, other: &U256) {
        if !self.try_sub(other) {
            panic_with(PANIC_OVERFLOW)
        }
    }
}

impl AddAssign for U256 {
    #[inline]
    fn add_assign(&mut self, other: U256) {
        *self += &other
    }
}

impl SubAssign for U256 {
    #[inline]
    fn sub_assign(&mut self, other: U256) {
        *self -= &other
    }
}

impl Mul for U256 {
    type Output = U256;
    fn mul(self, other: U256) -> U256 {
        let product = self.wrapping_mul(other);
        if !self.is_zero() && product.by_host(self, host::u256_div) != other {
            panic_with(PANIC_OVERFLOW)
        }
        product
    }
}

impl Div for U256 {
    type Output = U256;
    fn div(self, other: U256) -> U256 {
        if other.is_zero() {
            panic_with(PANIC_DIVISION)
        }
        self.by_host(other, host::u256_div)
    }
}

impl Rem for U256 {
    type Output = U256;
    fn rem(self, other: U256) -> U256 {
        if other.is_zero() {
            panic_with(PANIC_DIVISION)
        }
        self.by_host(other, host::u256_mod)
    }
}

impl Shl<u32> for U256 {
    type Output = U256;
    /// Bits that leave are lost; 256 and more leave nothing.
    fn shl(self, by: u32) -> U256 {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let mut out = U256::ZERO;
        for i in limbs..4 {
            out.0[i] = self.0[i - limbs] << bits;
            if bits > 0 && i > limbs {
                out.0[i] |= self.0[i - limbs - 1] >> (64 - bits);
            }
        }
        out
    }
}

impl Shr<u32> for U256 {
    type Output = U256;
    fn shr(self, by: u32) -> U256 {
        let (limbs, bits) = ((by / 64) as usize, by % 64);
        let mut out = U256::ZERO;
        for i in limbs..4 {
            out.0[i - limbs] = self.0[i] >> bits;
            if bits > 0 && i < 3 {
                out.0[i - limbs] |= self.0[i + 1] << (64 - bits);
            }
        }
        out
    }
}

macro_rules! bitwise {
    ($($trait:ident $name:ident $op:tt),*) => {$(
        impl $trait for U256 {
            type Output = U256;
            #[inline]
            fn $name(self, other: U256) -> U256 {
                let (a, b) = (self.0, other.0);
                U256([a[0] $op b[0], a[1] $op b[1], a[2] $op b[2], a[3] $op b[3]])
            }
        }
    )*};
}
bitwise!(BitAnd bitand &, BitOr bitor |, BitXor bitxor ^);

impl Not for U256 {
    type Output = U256;
    #[inline]
    fn not(self) -> U256 {
        self ^ U256::MAX
    }
}

impl PartialOrd for U256 {
    #[inline]
    fn partial_cmp(&self, other: &U256) -> Option<Ordering> {
        Some(self.cmp(other))
    }
    #[inline(never)]
    fn lt(&self, other: &U256) -> bool {
        let mut borrow = false;
        for i in 0..4 {
            let (a, b) = (self.0[i], other.0[i]);
            borrow = (a < b) | ((a == b) & borrow);
        }
        borrow
    }
    #[inline]
    fn le(&self, other: &U256) -> bool {
        !other.lt(self)
    }
    #[inline]
    fn gt(&self, other: &U256) -> bool {
        other.lt(self)
    }
    #[inline]
    fn ge(&self, other: &U256) -> bool {
        !self.lt(other)
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &U256) -> Ordering {
        if self < other {
            Ordering::Less
        } else if self == other {
            Ordering::Equal
        } else {
            Ordering::Greater
        }
    }
}
