/* Calling other contracts: arguments put together as answers are (`cvm_abi.h`), a status back, the answer on request.
 *
 *     #define DOUBLE CVM_REMOTE(0xeee97206, "double(uint256)(uint256)")
 *
 *     uint8_t *end = abi_put_u64(abi_put_selector(DOUBLE), 21);
 *     if (abi_call(target, end, 0) != CVM_OK) abi_bubble();
 *     abi_answer_u256(0, &result);
 *
 * Re-entry is refused (status CVM_REENTRY) unless the caller passes CVM_ALLOW_REENTRY.
 */
#ifndef CVM_CALLS_H
#define CVM_CALLS_H

#include "cvm_abi.h"

/* The selector of another contract's function: checked as CVM_SELECTOR is, but none of this contract's own. */
#define CVM_REMOTE(number, signature) __builtin_bswap32(number)

#define CVM_ALL_GAS UINT64_MAX /* as much as EIP-150 lets through: 63 of 64 parts */

/* Calls `to` without value, with what lies in the output up to `end`; returns how it ended. */
CVM_SHARED int32_t abi_call(const address *to, const uint8_t *end, uint32_t flags) {
    static const u256 nothing;
    return cvm_call(to, &nothing, cvm_output, (uint32_t)(end - cvm_output), CVM_ALL_GAS, flags);
}

/* The same, in a frame that can change nothing: a write in it is a trap. */
CVM_SHARED int32_t abi_static_call(const address *to, const uint8_t *end, uint32_t flags) {
    return cvm_static_call(to, cvm_output, (uint32_t)(end - cvm_output), CVM_ALL_GAS, flags);
}

/* Word `i` of what the last call answered. Reverts with nothing to say when there is none. */
CVM_SHARED void abi_answer_u256(uint32_t i, u256 *out) {
    uint8_t word[32];
    if ((uint32_t)cvm_returndata_copy(word, 32 * i, sizeof word) < 32 * (i + 1)) abi_malformed();
    u256_from_word(out, word);
}

/* All of what the last call answered, revert data included. */
CVM_SHARED void abi_answer(cvm_bytes *out) {
    uint32_t size = (uint32_t)cvm_returndata_size();
    void *data = cvm_alloc(size);
    cvm_returndata_copy(data, 0, size);
    *out = (cvm_bytes){data, size};
}

/* Reverts with whatever the last call answered: the callee's reason becomes ours. */
_Noreturn CVM_COLD void abi_bubble(void) {
    cvm_bytes answer;
    abi_answer(&answer);
    cvm_revert(answer.data, answer.size);
}

#endif
