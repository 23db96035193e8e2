//! Storage of typed values, and how to choose keys.
//!
//! Keys and values are byte strings, and storage is priced by 32 bytes of key and value together. So a short key is
//! cheap, hashing one is not needed, and a number is stored without its leading zeros: an address as key and up to 12
//! bytes of amount are one unit. Keys of different lengths never meet; where two kinds of the same length exist, begin
//! one with a letter. What is absent reads as zeros, and storing zeros removes the entry.

use crate::address::{Address, Bytes, FixedBytes};
use crate::{alloc, host, U256};
use core::borrow::Borrow;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Bytes of a key, prefix included.
const LONGEST_KEY: usize = 128;

/// A place to keep bytes under a key: storage, or what is forgotten when the transaction ends.
pub trait Space {
    fn get(key: &[u8], out: &mut [u8]) -> i32;
    fn set(key: &[u8], value: &[u8]);
}

pub struct Lasting;
pub struct Passing;

impl Space for Lasting {
    #[inline]
    fn get(key: &[u8], out: &mut [u8]) -> i32 {
        // SAFETY: both ranges are slices'.
        unsafe { host::storage_get(key.as_ptr(), key.len() as u32, out.as_mut_ptr(), out.len() as u32) }
    }
    #[inline]
    fn set(key: &[u8], value: &[u8]) {
        // SAFETY: both ranges are slices'.
        unsafe { host::storage_set(key.as_ptr(), key.len() as u32, value.as_ptr(), value.len() as u32) }
    }
}

impl Space for Passing {
    #[inline]
    fn get(key: &[u8], out: &mut [u8]) -> i32 {
        // SAFETY: both ranges are slices'.
        unsafe { host::transient_get(key.as_ptr(), key.len() as u32, out.as_mut_ptr(), out.len() as u32) }
    }
    #[inline]
    fn set(key: &[u8], value: &[u8]) {
        // SAFETY: both ranges are slices'.
        unsafe { host::transient_set(key.as_ptr(), key.len() as u32, value.as_ptr(), value.len() as u32) }
    }
}

/// A type that can be stored.
pub trait Stored: Sized {
    fn load<S: Space>(key: &[u8]) -> Self;
    fn store<S: Space>(&self, key: &[u8]);
}

impl Stored for U256 {
    #[inline(never)]
    fn load<S: Space>(key: &[u8]) -> U256 {
        let mut out = U256::ZERO;
        // SAFETY: a number is 32 bytes, and any 32 bytes are a number.
        S::get(key, unsafe { &mut *(&mut out as *mut U256 as *mut [u8; 32]) });
        out
    }
    #[inline(never)]
    fn store<S: Space>(&self, key: &[u8]) {
        // SAFETY: a number is 32 bytes.
        let bytes = unsafe { &*(self as *const U256 as *const [u8; 32]) };
        // SAFETY: a number has at most 32 bytes.
        S::set(key, unsafe { bytes.get_unchecked(..self.byte_size()) })
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Stored for $type {
            fn load<S: Space>(key: &[u8]) -> $type {
                let mut bytes = [0; core::mem::size_of::<$type>()];
                S::get(key, &mut bytes);
                <$type>::from_le_bytes(bytes)
            }
            fn store<S: Space>(&self, key: &[u8]) {
                let bytes = self.to_le_bytes();
                S::set(key, &bytes[..bytes.len() - self.leading_zeros() as usize / 8])
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, u128);

impl Stored for bool {
    fn load<S: Space>(key: &[u8]) -> bool {
        u8::load::<S>(key) != 0
    }
    fn store<S: Space>(&self, key: &[u8]) {
        (*self as u8).store::<S>(key)
    }
}

impl<const N: usize> Stored for FixedBytes<N> {
    #[inline(never)]
    fn load<S: Space>(key: &[u8]) -> FixedBytes<N> {
        let mut out = FixedBytes([0; N]);
        S::get(key, &mut out.0);
        out
    }
    fn store<S: Space>(&self, key: &[u8]) {
        let empty = self.0.iter().all(|&byte| byte == 0);
        S::set(key, if empty { &[] } else { &self.0 })
    }
}

impl Stored for Address {
    fn load<S: Space>(key: &[u8]) -> Address {
        Address(FixedBytes::<20>::load::<S>(key).0)
    }
    fn store<S: Space>(&self, key: &[u8]) {
        FixedBytes(self.0).store::<S>(key)
    }
}

impl Stored for Bytes {
    fn load<S: Space>(key: &[u8]) -> Bytes {
        let small = alloc(64);
        let size = S::get(key, small);
        if size <= 64 {
            return Bytes(&small[..if size < 0 { 0 } else { size as usize }]);
        }
        let whole = alloc(size as usize);
        S::get(key, whole);
        Bytes(whole)
    }
    fn store<S: Space>(&self, key: &[u8]) {
        S::set(key, self.0)
    }
}

/// A type that can be part of a key. All keys of a type have one length.
pub trait Key {
    const SIZE: usize;
    /// Whether a key lies in memory as it is stored.
    const PLAIN: bool = false;
    /// # Safety
    /// `at` points to `SIZE` bytes.
    unsafe fn write(&self, at: *mut u8);
}

impl Key for Address {
    const SIZE: usize = 20;
    const PLAIN: bool = true;
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        core::ptr::copy_nonoverlapping(self.0.as_ptr(), at, 20)
    }
}

impl<const N: usize> Key for FixedBytes<N> {
    const SIZE: usize = N;
    const PLAIN: bool = true;
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        core::ptr::copy_nonoverlapping(self.0.as_ptr(), at, N)
    }
}

/// Big-endian: the order of keys is the order of numbers.
impl Key for U256 {
    const SIZE: usize = 32;
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        crate::Abi::write(self, at)
    }
}

macro_rules! number_keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            const SIZE: usize = core::mem::size_of::<$type>();
            #[inline]
            unsafe fn write(&self, at: *mut u8) {
                core::ptr::copy_nonoverlapping(self.to_be_bytes().as_ptr(), at, Self::SIZE)
            }
        }
    )*};
}
number_keys!(u8, u16, u32, u64, u128);

impl<A: Key, B: Key> Key for (A, B) {
    const SIZE: usize = A::SIZE + B::SIZE;
    #[inline]
    unsafe fn write(&self, at: *mut u8) {
        self.0.write(at);
        self.1.write(at.add(A::SIZE))
    }
}

/// One value under a fixed key: `const OWNER: Value<Address> = Value::at(b"owner");`
pub struct Value<T, S = Lasting> {
    key: &'static [u8],
    kind: PhantomData<(T, S)>,
}

/// One value that lasts until the end of the transaction.
pub type Transient<T> = Value<T, Passing>;

impl<T: Stored, S: Space> Value<T, S> {
    pub const fn at(key: &'static [u8]) -> Value<T, S> {
        Value { key, kind: PhantomData }
    }

    #[inline]
    pub fn get(&self) -> T {
        T::load::<S>(self.key)
    }

    #[inline]
    pub fn set(&self, value: impl Borrow<T>) {
        value.borrow().store::<S>(self.key)
    }
}

/// Values under keys that begin with a prefix: `const BALANCE: Map<Address, U256> = Map::at(b"");`
pub struct Map<K, V, S = Lasting> {
    prefix: &'static [u8],
    kind: PhantomData<(K, V, S)>,
}

impl<K: Key, V: Stored, S: Space> Map<K, V, S> {
    /// The prefix and a key together have at most 128 bytes.
    pub const fn at(prefix: &'static [u8]) -> Map<K, V, S> {
        assert!(prefix.len() + K::SIZE <= LONGEST_KEY, "a key has at most 128 bytes");
        Map { prefix, kind: PhantomData }
    }

    #[inline]
    fn with<R>(&self, key: &K, then: impl FnOnce(&[u8]) -> R) -> R {
        if K::PLAIN && self.prefix.is_empty() {
            // SAFETY: so says whoever says that the key is plain.
            return then(unsafe { core::slice::from_raw_parts((key as *const K).cast(), K::SIZE) });
        }
        let mut room = MaybeUninit::<[u8; LONGEST_KEY]>::uninit();
        let (at, size) = (room.as_mut_ptr() as *mut u8, self.prefix.len() + K::SIZE);
        // SAFETY: `at` compared the sizes, and all `size` bytes are written.
        unsafe {
            core::ptr::copy_nonoverlapping(self.prefix.as_ptr(), at, self.prefix.len());
            key.write(at.add(self.prefix.len()));
            then(core::slice::from_raw_parts(at, size))
        }
    }

    #[inline]
    pub fn get(&self, key: &K) -> V {
        self.with(key, |bytes| V::load::<S>(bytes))
    }

    #[inline]
    pub fn set(&self, key: &K, value: impl Borrow<V>) {
        self.with(key, |bytes| value.borrow().store::<S>(bytes))
    }

    /// Whether something other than zeros is there.
    #[inline]
    pub fn contains(&self, key: &K) -> bool {
        self.with(key, |bytes| S::get(bytes, &mut [])) > 0
    }

    #[inline]
    pub fn remove(&self, key: &K) {
        self.with(key, |bytes| S::set(bytes, &[]))
    }
}
