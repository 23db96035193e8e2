//! Memory: an allocator that only goes forward, and what happens when a contract panics.

#[cfg(target_arch = "wasm32")]
use core::alloc::{GlobalAlloc, Layout};

const PAGE: usize = 65536;

#[cfg(target_arch = "wasm32")]
extern "C" {
    /// The linker's: the first byte behind the stack and the data.
    static __heap_base: u8;
}

/// `size` zeroed bytes, aligned to 8, which stay until the call ends. Traps when memory cannot grow that far.
#[inline]
pub fn alloc(size: usize) -> &'static mut [u8] {
    // SAFETY: every range is handed out once, and memory that was never written is zero.
    unsafe { core::slice::from_raw_parts_mut(take(size, 8), size) }
}

#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn take(size: usize, align: usize) -> *mut u8 {
    use core::arch::wasm32::{memory_grow, memory_size, unreachable};
    static mut NEXT: usize = 0;
    // SAFETY: a contract has one thread, and `NEXT` is used here alone.
    unsafe {
        let at = if NEXT == 0 { &__heap_base as *const u8 as usize } else { NEXT };
        let start = (at + align - 1) & !(align - 1);
        let end = match start.checked_add(size) {
            Some(end) => end,
            None => unreachable(),
        };
        let (have, want) = (memory_size(0), end / PAGE + (end % PAGE != 0) as usize);
        if want > have && memory_grow(0, want - have) == usize::MAX {
            unreachable()
        }
        NEXT = end;
        start as *mut u8
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn take(_size: usize, _align: usize) -> *mut u8 {
    panic!("contracts run as wasm, in pages of {} bytes", PAGE)
}

/// Lets contracts use the crate `alloc` (Rust 1.68 or newer).
#[cfg(target_arch = "wasm32")]
struct Bump;

#[cfg(target_arch = "wasm32")]
// SAFETY: `take` never hands out a byte twice.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size(), layout.align())
    }

    unsafe fn dealloc(&self, _at: *mut u8, _layout: Layout) {}
}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Bump = Bump;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
