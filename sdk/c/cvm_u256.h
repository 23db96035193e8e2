/* 256-bit unsigned integers: four limbs, the least significant first, which is also how the host reads amounts.
 *
 * `u256_add`, `u256_sub`, `u256_mul` revert with Solidity's Panic(0x11) when the result does not fit; the overflowing
 * forms tell instead. A result may be the same object as an operand.
 * Source of the codes: Solidity, "Panic via assert and Error via require".
 */
#ifndef CVM_U256_H
#define CVM_U256_H

#include "cvm.h"
#include "cvm_memory.h"

typedef struct {
    uint64_t limb[4];
} u256;

#define U256(x) ((u256){{(x), 0, 0, 0}})

/* The bytes of `x` in the other order. wasm has no instruction for it; the barrier keeps LLVM from recognising what this
 * is and writing twice as many instructions. */
CVM_SHARED uint64_t cvm_swap64(uint64_t x) {
    x = (x & 0x00ff00ff00ff00ff) << 8 | (x >> 8 & 0x00ff00ff00ff00ff);
    __asm__("" : "+r"(x));
    return (__builtin_rotateleft64(x, 16) & 0x0000ffff0000ffff) | (__builtin_rotateright64(x, 16) & 0xffff0000ffff0000);
}

CVM_INLINE uint64_t cvm_load64(const void *at) {
    uint64_t x;
    memcpy(&x, at, 8);
    return x;
}

CVM_INLINE void cvm_store64(void *at, uint64_t x) { memcpy(at, &x, 8); }

/* Most amounts are small: a zero limb needs no turning round. */
CVM_INLINE uint64_t cvm_swap_limb(uint64_t x) { return x ? cvm_swap64(x) : 0; }

/* Reads a big-endian word of 32 bytes, as the ABI has it, which lies elsewhere than `out`. */
CVM_SHARED void u256_from_word(u256 *out, const void *word) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < 4; i++) out->limb[i] = cvm_swap_limb(cvm_load64((const uint8_t *)word + 24 - 8 * i));
}

CVM_INLINE void u256_to_word(void *word, const u256 *x) { u256_from_word(word, x); }

CVM_INLINE bool u256_is_zero(const u256 *x) { return (x->limb[0] | x->limb[1] | x->limb[2] | x->limb[3]) == 0; }

/* Whether all 256 bits are set: the largest number. */
CVM_INLINE bool u256_is_max(const u256 *x) {
    return (x->limb[0] & x->limb[1] & x->limb[2] & x->limb[3]) == UINT64_MAX;
}

CVM_INLINE bool u256_equal(const u256 *a, const u256 *b) { return cvm_equal(a, b, sizeof *a); }

/* The sum modulo 2^256; true when it did not fit. */
CVM_SHARED bool u256_overflowing_add(u256 *out, const u256 *a, const u256 *b) {
    bool carry = false;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        uint64_t x = a->limb[i], sum = x + b->limb[i], with = sum + carry;
        carry = (sum < x) | (with < sum);
        out->limb[i] = with;
    }
    return carry;
}

/* The difference modulo 2^256; true when b > a. */
CVM_SHARED bool u256_overflowing_sub(u256 *out, const u256 *a, const u256 *b) {
    bool borrow = false;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        uint64_t x = a->limb[i], y = b->limb[i], difference = x - y;
        out->limb[i] = difference - borrow;
        borrow = (x < y) | (difference < borrow);
    }
    return borrow;
}

CVM_INLINE bool u256_less(const u256 *a, const u256 *b) {
    u256 unused;
    return u256_overflowing_sub(&unused, a, b);
}

enum {
    PANIC_ASSERT = 0x01,
    PANIC_OVERFLOW = 0x11,
    PANIC_DIVISION = 0x12,
    PANIC_ENUM = 0x21,
    PANIC_INDEX = 0x32,
    PANIC_MEMORY = 0x41,
};

/* Reverts with Panic(uint256). */
_Noreturn CVM_COLD void cvm_panic(uint8_t code) {
    static uint8_t data[36];
    cvm_store64(data, __builtin_bswap32(0x4e487b71)); /* the selector, and zeros */
    data[35] = code;
    cvm_revert(data, sizeof data);
}

CVM_INLINE void u256_add(u256 *out, const u256 *a, const u256 *b) {
    if (u256_overflowing_add(out, a, b)) cvm_panic(PANIC_OVERFLOW);
}

CVM_INLINE void u256_sub(u256 *out, const u256 *a, const u256 *b) {
    if (u256_overflowing_sub(out, a, b)) cvm_panic(PANIC_OVERFLOW);
}

static inline void u256_div(u256 *out, const u256 *a, const u256 *b) {
    if (u256_is_zero(b)) cvm_panic(PANIC_DIVISION);
    cvm_u256_div(a, b, out);
}

static inline void u256_mod(u256 *out, const u256 *a, const u256 *b) {
    if (u256_is_zero(b)) cvm_panic(PANIC_DIVISION);
    cvm_u256_mod(a, b, out);
}

static inline void u256_mul(u256 *out, const u256 *a, const u256 *b) {
    u256 product, back;
    cvm_u256_mul(a, b, &product);
    if (!u256_is_zero(a)) {
        cvm_u256_div(&product, a, &back);
        if (!u256_equal(&back, b)) cvm_panic(PANIC_OVERFLOW);
    }
    *out = product;
}

#endif
