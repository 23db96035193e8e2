//! Solidity's ABI: how each type is named, read from input whose every word is checked, and written.
//!
//! Source: Solidity, "Contract ABI Specification".

use crate::address::{Address, Bytes, FixedBytes};
use crate::code::malformed;
use crate::input::{number_of, word_of};
use crate::text::Text;
use crate::{alloc, U256};

/// A type that Solidity's ABI has.
pub trait Abi: Sized {
    /// The canonical name, as selectors are made of it.
    const NAME: Text;
    /// The name with its members' names.
    const TEXT: Text = Self::NAME;
    /// Bytes of the head.
    const HEAD: usize = 32;
    /// Whether the head is an offset and the content lies behind all heads.
    const DYNAMIC: bool = false;
    /// Whether a function that returns it has several results.
    const SPREAD: bool = false;

    /// Reads the value that `frame` begins with. Reverts when it is not well-formed.
    fn read(frame: &'static [u8]) -> Self;

    /// Bytes of the content.
    #[inline]
    fn size(&self) -> usize {
        Self::HEAD
    }

    /// Writes the content.
    ///
    /// # Safety
    /// `at` points to `size` bytes, all zero.
    unsafe fn write(&self, at: *mut u8);

    /// What is hashed to stand for the value in an event's indexed word, where it does not fit one.
    fn content(&self) -> &'static [u8] {
        flat(Self::DYNAMIC);
        let out = alloc(self.size());
        // SAFETY: `out` is as large as the value says it needs.
        unsafe { self.write(out.as_mut_ptr()) };
        out
    }

    /// Writes an event's indexed word.
    ///
    /// # Safety
    /// `at` points to 32 bytes, zero but for what an earlier value of this type left.
    #[inline(always)]
    unsafe fn write_topic(&self, at: *mut u8) {
        if Self::HEAD == 32 && !Self::DYNAMIC {
            self.write(at)
        } else {
            let content = self.content();
            crate::host::keccak256(content.as_ptr(), content.len() as u32, at)
        }
    }
}

/// Writes values one behind the other: heads, then what they point to.
pub struct Encoder {
    at: *mut u8,
    size: usize,
    start: usize,
    head: usize,
    tail: usize,
}

impl Encoder {
    /// Room for heads and tails of these sizes in bytes.
    #[inline]
    pub fn new(heads: usize, tails: usize) -> Encoder {
        Encoder { at: alloc(heads + tails).as_mut_ptr(), size: heads + tails, start: 0, head: 0, tail: heads }
    }

    /// The same behind a selector.
    #[inline]
    pub fn with_selector(selector: u32, heads: usize, tails: usize) -> Encoder {
        let out = alloc(4 + heads + tails);
        out[..4].copy_from_slice(&selector.to_le_bytes());
        Encoder { at: out.as_mut_ptr(), size: out.len(), start: 4, head: 0, tail: heads }
    }

    /// Room that is already there.
    ///
    /// # Safety
    /// `at` points to zeros, as many as the values need.
    #[inline]
    pub unsafe fn over(at: *mut u8, heads: usize) -> Encoder {
        Encoder { at, size: 0, start: 0, head: 0, tail: heads }
    }

    #[inline]
    pub fn put<T: Abi>(&mut self, value: &T) {
        let at = self.at;
        // SAFETY: whoever made this said how large heads and tails are.
        unsafe { put(at.add(self.start), at.add(self.start + self.head), &mut self.tail, value) };
        self.head += T::HEAD;
    }

    #[inline]
    pub fn bytes(self) -> &'static [u8] {
        // SAFETY: `alloc` gave the range.
        unsafe { core::slice::from_raw_parts(self.at, self.size) }
    }
}

/// One value of a sequence that begins at `base`; heads and tails count from there.
#[inline]
pub(crate) unsafe fn put<T: Abi>(base: *mut u8, head: *mut u8, tail: &mut usize, value: &T) {
    if T::DYNAMIC {
        (*tail as u64).write(head);
        value.write(base.add(*tail));
        *tail += value.size();
    } else {
        value.write(head);
    }
}

/// Bytes of the tail that a value needs.
#[inline]
pub fn tail_of<T: Abi>(value: &T) -> usize {
    if T::DYNAMIC {
        value.size()
    } else {
        0
    }
}

macro_rules! unsigned {
    ($($type:ty, $name:literal);*) => {$(
        impl Abi for $type {
            const NAME: Text = Text::new($name);
            #[inline]
            fn read(frame: &'static [u8]) -> $type {
                let number = number_of(frame);
                if number > <$type>::MAX as u64 { malformed() }
                number as $type
            }
            #[inline]
            unsafe fn write(&self, at: *mut u8) {
                const SIZE: usize = core::mem::size_of::<$type>();
                core::ptr::copy_nonoverlapping(self.to_be_bytes().as_ptr(), at.add(32 - SIZE), SIZE)
            }
        }
    )*};
}
unsigned!(u8, "uint8"; u16, "uint16"; u32, "uint32");

impl Abi for u128 {
    const NAME: Text = Text::new("uint128");
    fn read(frame: &'static [u8]) -> u128 {
        let number = U256::read(frame);
        if number.0[2] | number.0[3] != 0 {
            malformed()
        }
        (number.0[1] as u128) << 64 | number.0[0] as u128
    }
    unsafe fn write(&self, at: *mut u8) {
        limbs_to_word(&U256([*self as u64, (*self >> 64) as u64, 0, 0]), at)
    }
}

macro_rules! signed {
    ($($type:ty, $name:literal);*) => {$(
        impl Abi for $type {
            const NAME: Text = Text::new($name);
            #[inline]
            fn read(frame: &'static [u8]) -> $type {
                let limbs = U256::read(frame).0;
                let number = (limbs[1] as i128) << 64 | limbs[0] as i128;
                let sign = (number >> 127) as u64;
                if limbs[2] != sign || limbs[3] != sign || number as $type as i128 != number { malformed() }
                number as $type
            }
            #[inline]
            unsafe fn write(&self, at: *mut u8) {
                let (number, sign) = (*self as i128, (*self as i128 >> 127) as u64);
                limbs_to_word(&U256([number as u64, (number >> 64) as u64, sign, sign]), at)
            }
        }
    )*};
}
signed!(i8, "int8"; i16, "int16"; i32, "int32"; i64, "int64"; i128, "int128");

impl Abi for u64 {
    const NAME: Text = Text::new("uint64");
    #[inline]
    fn read(frame: &'static [u8]) -> u64 {
        number_of(frame)
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        (at.add(24) as *mut u64).write_unaligned(swap(*self))
    }
}

impl Abi for bool {
    const NAME: Text = Text::new("bool");
    #[inline]
    fn read(frame: &'static [u8]) -> bool {
        match number_of(frame) {
            0 => false,
            1 => true,
            _ => malformed(),
        }
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        at.add(31).write(*self as u8)
    }
}

impl Abi for Address {
    const NAME: Text = Text::new("address");
    #[inline]
    fn read(frame: &'static [u8]) -> Address {
        let at = word_of(frame).as_ptr();
        // SAFETY: all reads are of the word's 32 bytes.
        unsafe {
            let low = (at.add(8) as *const u32).read_unaligned();
            if (at as *const u64).read_unaligned() | low as u64 != 0 {
                malformed()
            }
            (at.add(12) as *const Address).read_unaligned()
        }
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        core::ptr::copy_nonoverlapping(self.0.as_ptr(), at.add(12), 20)
    }
}

impl Abi for U256 {
    const NAME: Text = Text::new("uint256");
    #[inline]
    fn read(frame: &'static [u8]) -> U256 {
        words_to_limbs(word_of(frame))
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        limbs_to_word(self, at)
    }
}

/// The bytes in the other order.
#[inline(never)]
pub(crate) fn swap(x: u64) -> u64 {
    x.swap_bytes()
}

/// Most numbers are small: a zero limb needs no turning round.
#[inline]
fn swap_unless_zero(x: u64) -> u64 {
    if x == 0 {
        0
    } else {
        swap(x)
    }
}

#[inline(never)]
fn words_to_limbs(word: &[u8; 32]) -> U256 {
    let mut out = U256::ZERO;
    for i in 0..4 {
        // SAFETY: four times eight bytes are the word.
        out.0[i] = swap_unless_zero(unsafe { (word.as_ptr().add(24 - 8 * i) as *const u64).read_unaligned() });
    }
    out
}

#[inline(never)]
unsafe fn limbs_to_word(number: &U256, at: *mut u8) {
    for i in 0..4 {
        (at.add(24 - 8 * i) as *mut u64).write_unaligned(swap_unless_zero(number.0[i]))
    }
}

impl<const N: usize> Abi for FixedBytes<N> {
    const NAME: Text = Text::new("bytes").number(N);
    #[inline]
    fn read(frame: &'static [u8]) -> FixedBytes<N> {
        let word = word_of(frame);
        let mut out = FixedBytes([0; N]);
        out.0.copy_from_slice(&word[..N]);
        if word[N..].iter().any(|&byte| byte != 0) {
            malformed()
        }
        out
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        core::ptr::copy_nonoverlapping(self.0.as_ptr(), at, N)
    }
}

impl Abi for Bytes {
    const NAME: Text = Text::new("bytes");
    const DYNAMIC: bool = true;
    fn read(frame: &'static [u8]) -> Bytes {
        let size = number_of(frame);
        if size > frame.len() as u64 - 32 {
            malformed()
        }
        Bytes(&frame[32..32 + size as usize])
    }
    #[inline]
    fn size(&self) -> usize {
        32 + (self.0.len() + 31) / 32 * 32
    }
    unsafe fn write(&self, at: *mut u8) {
        (self.0.len() as u64).write(at);
        core::ptr::copy_nonoverlapping(self.0.as_ptr(), at.add(32), self.0.len())
    }
    fn content(&self) -> &'static [u8] {
        self.0
    }
}

impl Abi for &'static str {
    const NAME: Text = Text::new("string");
    const DYNAMIC: bool = true;
    fn read(frame: &'static [u8]) -> &'static str {
        match core::str::from_utf8(Bytes::read(frame).0) {
            Ok(text) => text,
            Err(_) => malformed(),
        }
    }
    #[inline]
    fn size(&self) -> usize {
        Bytes(self.as_bytes()).size()
    }
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        Bytes(self.as_bytes()).write(at)
    }
    fn content(&self) -> &'static [u8] {
        self.as_bytes()
    }
}

/// Stops the compiler where an indexed value would need another encoding than that of its items in a row.
pub(crate) const fn flat(dynamic: bool) {
    assert!(!dynamic, "an indexed array or tuple holds values of a fixed size")
}
