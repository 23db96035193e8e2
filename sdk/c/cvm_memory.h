/* Memory without a C library: copying, comparing, and an allocator that only goes forward.
 *
 * A contract's instance lives for one call, so nothing is ever freed. memcpy and memset become wasm's memory.copy and
 * memory.fill, or plain loads and stores where the size is known.
 */
#ifndef CVM_MEMORY_H
#define CVM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset

#define CVM_INLINE static inline __attribute__((always_inline))
#define CVM_SHARED static __attribute__((noinline, unused))
/* One copy, however often it is used: a call costs less than the bytes of another copy. */
#define CVM_COLD static __attribute__((noinline, cold, unused))
/* Never inlined, and out of the way of the code that succeeds. */

#define CVM_PAGE 65536u

extern uint8_t __heap_base; /* the linker's: the first byte behind the stack and the data */

/* Whether `size` bytes are the same in both places. */
CVM_INLINE bool cvm_equal(const void *a, const void *b, uint32_t size) {
    const uint8_t *x = a, *y = b;
    while (size >= 8) {
        uint64_t p, q;
        memcpy(&p, x, 8);
        memcpy(&q, y, 8);
        if (p != q) return false;
        x += 8, y += 8, size -= 8;
    }
    while (size--)
        if (*x++ != *y++) return false;
    return true;
}

/* `size` bytes, zeroed and aligned to 8, which stay until the call ends. Traps when memory cannot grow that far. */
CVM_COLD void *cvm_alloc(uint32_t size) {
    static uint32_t next;
    if (next == 0) next = ((uint32_t)&__heap_base + 7) & ~7u;
    uint32_t at = next, end;
    if (size > UINT32_MAX - 7 || __builtin_add_overflow(at, (size + 7) & ~7u, &end)) __builtin_trap();
    uint32_t have = (uint32_t)__builtin_wasm_memory_size(0), want = end / CVM_PAGE + (end % CVM_PAGE != 0);
    if (want > have && __builtin_wasm_memory_grow(0, want - have) == (size_t)-1) __builtin_trap();
    next = end;
    return (void *)at;
}

#endif
