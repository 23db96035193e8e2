//! The ABI of arrays and tuples: values one behind the other, heads first.
//!
//! Source: Solidity, "Contract ABI Specification", "Formal Specification of the Encoding".

use crate::abi::{flat, put, tail_of, Abi};
use crate::alloc;
use crate::code::malformed;
use crate::input::{number_of, Reader};
use crate::text::Text;

/// Writes the items of an array at `at`, heads first.
unsafe fn write_items<T: Abi>(items: &[T], at: *mut u8) {
    let (mut head, mut tail) = (at, items.len() * T::HEAD);
    for item in items {
        put(at, head, &mut tail, item);
        head = head.add(T::HEAD);
    }
}

fn items_size<T: Abi>(items: &[T]) -> usize {
    items.len() * T::HEAD + items.iter().map(tail_of).sum::<usize>()
}

impl<T: Abi + 'static> Abi for &'static [T] {
    const NAME: Text = T::NAME.then("[]");
    const TEXT: Text = T::TEXT.then("[]");
    const DYNAMIC: bool = true;
    fn read(frame: &'static [u8]) -> &'static [T] {
        let size = number_of(frame);
        let frame = &frame[32..];
        if T::HEAD == 0 || size > (frame.len() / T::HEAD) as u64 {
            malformed()
        }
        let items = alloc(size as usize * core::mem::size_of::<T>()).as_mut_ptr() as *mut T;
        let mut reader = Reader::new(frame);
        for i in 0..size as usize {
            // SAFETY: room for so many items was made above.
            unsafe { items.add(i).write(reader.take()) }
        }
        // SAFETY: all of them were written.
        unsafe { core::slice::from_raw_parts(items, size as usize) }
    }
    fn size(&self) -> usize {
        32 + items_size(self)
    }
    unsafe fn write(&self, at: *mut u8) {
        (self.len() as u64).write(at);
        write_items(self, at.add(32))
    }
    fn content(&self) -> &'static [u8] {
        flat(T::DYNAMIC);
        let out = alloc(items_size(self));
        // SAFETY: `out` has room for all items.
        unsafe { write_items(self, out.as_mut_ptr()) };
        out
    }
}

impl<T: Abi, const N: usize> Abi for [T; N] {
    const NAME: Text = T::NAME.then("[").number(N).then("]");
    const TEXT: Text = T::TEXT.then("[").number(N).then("]");
    const HEAD: usize = if T::DYNAMIC { 32 } else { N * T::HEAD };
    const DYNAMIC: bool = T::DYNAMIC;
    fn read(frame: &'static [u8]) -> [T; N] {
        let mut reader = Reader::new(frame);
        core::array::from_fn(|_| reader.take())
    }
    fn size(&self) -> usize {
        items_size(self)
    }
    unsafe fn write(&self, at: *mut u8) {
        write_items(self, at)
    }
}

impl Abi for () {
    const NAME: Text = Text::new("()");
    const HEAD: usize = 0;
    const SPREAD: bool = true;
    fn read(_frame: &'static [u8]) {}
    unsafe fn write(&self, _at: *mut u8) {}
}

macro_rules! tuples {
    ($($($item:ident $i:tt),+);*) => {$(
        impl<$($item: Abi),+> Abi for ($($item,)+) {
            const NAME: Text = Text::new("(")$(.comma(",").and(&$item::NAME))+.then(")");
            const TEXT: Text = Text::new("(")$(.comma(", ").and(&$item::TEXT))+.then(")");
            const HEAD: usize = if Self::DYNAMIC { 32 } else { 0 $(+ $item::HEAD)+ };
            const DYNAMIC: bool = false $(| $item::DYNAMIC)+;
            const SPREAD: bool = true;
            fn read(frame: &'static [u8]) -> Self {
                let mut reader = Reader::new(frame);
                ($(reader.take::<$item>(),)+)
            }
            #[inline]
            fn size(&self) -> usize {
                0 $(+ $item::HEAD + tail_of(&self.$i))+
            }
            #[inline]
            unsafe fn write(&self, at: *mut u8) {
                let (mut head, mut tail) = (at, 0 $(+ $item::HEAD)+);
                $(
                    put(at, head, &mut tail, &self.$i);
                    head = head.add($item::HEAD);
                )+
                let _ = head;
            }
        }
    )*};
}
tuples!(A 0; A 0, B 1; A 0, B 1, C 2; A 0, B 1, C 2, D 3; A 0, B 1, C 2, D 3, E 4; A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6; A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
