/* Storage of typed values, and how to choose keys.
 *
 * Keys and values are byte strings, and storage is priced by 32 bytes of key and value together. So a short key is
 * cheap, hashing one is not needed, and an amount is stored without its leading zeros: an address as key and up to 12
 * bytes of amount are one unit. Keys of different lengths never meet; where two kinds of the same length exist, begin
 * one with a letter. An absent amount is 0, and storing 0 removes the entry.
 */
#ifndef CVM_STORAGE_H
#define CVM_STORAGE_H

#include "cvm.h"
#include "cvm_memory.h"
#include "cvm_u256.h"

/* Bytes that hold `x`, leading zeros left out: 0 to 32. */
CVM_INLINE uint32_t u256_size(const u256 *x) {
    int i = 3;
    while (i > 0 && x->limb[i] == 0) i--;
    uint32_t zeros = x->limb[i] ? (uint32_t)__builtin_clzll(x->limb[i]) : 64;
    return 8 * (uint32_t)i + 8 - zeros / 8;
}

CVM_SHARED void storage_get_u256(const void *key, uint32_t key_size, u256 *out) {
    *out = U256(0);
    cvm_storage_get(key, key_size, out, sizeof *out);
}

CVM_SHARED void storage_set_u256(const void *key, uint32_t key_size, const u256 *x) {
    cvm_storage_set(key, key_size, x, u256_size(x));
}

#endif
