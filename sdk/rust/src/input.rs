//! The call's input, read once, and what is read from it or from another contract's answer.

use crate::abi::{swap, Abi};
use crate::code::malformed;
use crate::{alloc, host};

/// Bytes of input that are read without asking for its size first: a selector and eight words.
const SMALL: usize = 260;

/// The input of this call.
pub struct Input;

impl Input {
    /// All of it. Called once, by the entry points.
    #[inline]
    pub fn read() -> &'static [u8] {
        static mut ROOM: [u8; SMALL] = [0; SMALL];
        // SAFETY: a contract has one thread, and nothing else knows the room.
        let small = unsafe { &mut *core::ptr::addr_of_mut!(ROOM) };
        // SAFETY: the range is a slice's.
        let size = unsafe { host::input_copy(small.as_mut_ptr(), 0, SMALL as u32) } as usize;
        if size <= SMALL {
            // SAFETY: the size was compared.
            return unsafe { small.get_unchecked(..size) };
        }
        let whole = alloc(size);
        // SAFETY: the range is a slice's.
        unsafe { host::input_copy(whole.as_mut_ptr(), 0, size as u32) };
        whole
    }

    /// The selector, and what follows it; 0 when the input is shorter than one.
    #[inline]
    pub fn selector(input: &'static [u8]) -> (u32, &'static [u8]) {
        if input.len() < 4 {
            return (0, &[]);
        }
        (u32::from_le_bytes([input[0], input[1], input[2], input[3]]), &input[4..])
    }
}

/// Reads values that were written one behind the other.
pub struct Reader {
    frame: &'static [u8],
    head: usize,
}

impl Reader {
    #[inline]
    pub fn new(frame: &'static [u8]) -> Reader {
        Reader { frame, head: 0 }
    }

    /// The next value. Reverts without a reason when it is missing or not well-formed.
    #[inline]
    pub fn take<T: Abi>(&mut self) -> T {
        let head = match self.frame.get(self.head..) {
            Some(head) => head,
            None => malformed(),
        };
        self.head += T::HEAD;
        if !T::DYNAMIC {
            return T::read(head);
        }
        let offset = number_of(head);
        if offset > self.frame.len() as u64 {
            malformed()
        }
        T::read(&self.frame[offset as usize..])
    }
}

/// The word that a frame begins with.
#[inline]
pub(crate) fn word_of(frame: &'static [u8]) -> &'static [u8; 32] {
    if frame.len() < 32 {
        malformed()
    }
    // SAFETY: the length was compared.
    unsafe { &*(frame.as_ptr() as *const [u8; 32]) }
}

/// The word as a small number, such as an offset.
#[inline(never)]
pub(crate) fn number_of(frame: &'static [u8]) -> u64 {
    let at = word_of(frame).as_ptr() as *const u64;
    // SAFETY: four times eight bytes are the word.
    unsafe {
        if at.read_unaligned() | at.add(1).read_unaligned() | at.add(2).read_unaligned() != 0 {
            malformed()
        }
        swap(at.add(3).read_unaligned())
    }
}
