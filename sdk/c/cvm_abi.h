/* Solidity's ABI for contracts in C: the input read once, words checked where they are taken, one buffer for answers.
 *
 *     #define TRANSFER CVM_SELECTOR(0xa9059cbb, "transfer(address,uint256)(bool)")
 *
 *     CVM_EXPORT("call") void call(void) {
 *         switch (abi_input()) {
 *             case TRANSFER: transfer(abi_address(0), abi_word(1)); abi_return_bool(true);
 *             default: abi_revert("unknown function");
 *         }
 *     }
 *
 * The signatures beside selectors and topics are for `contractvm build`, which hashes them and refuses a number that is
 * not theirs. Every accessor checks that its word was given and is in range, as Solidity's decoder does.
 * Source: Solidity, "Contract ABI Specification".
 */
#ifndef CVM_ABI_H
#define CVM_ABI_H

#include "cvm.h"
#include "cvm_memory.h"
#include "cvm_u256.h"

#ifndef CVM_INPUT_BYTES
#define CVM_INPUT_BYTES 260 /* a selector and eight words; define it larger for strings and arrays */
#endif
#ifndef CVM_OUTPUT_BYTES
#define CVM_OUTPUT_BYTES 260
#endif

/* Numbers as they lie in memory, so that comparing them with the input needs no turning round. */
#define CVM_SELECTOR(number, signature) __builtin_bswap32(number)
#define CVM_ERROR(number, signature) __builtin_bswap32(number)

/* Says what arguments `deploy` takes: CVM_CONSTRUCTOR("constructor(uint256 supply)"); */
#define CVM_CONSTRUCTOR(signature) _Static_assert(1, signature)

typedef struct {
    uint64_t part[4];
} cvm_word;

/* An event with `indexed` indexed arguments: its topics, the first of them filled in. */
#define CVM_EVENT(name, indexed, signature, a, b, c, d)                                                              \
    static cvm_word name[1 + (indexed)] = {                                                                          \
        {{__builtin_bswap64(a), __builtin_bswap64(b), __builtin_bswap64(c), __builtin_bswap64(d)}}}

typedef struct {
    uint8_t byte[20];
} address;

typedef struct {
    const uint8_t *data;
    uint32_t size;
} cvm_bytes;

static uint8_t cvm_input[CVM_INPUT_BYTES];
static uint32_t cvm_input_length; /* of the whole input, its selector included, even if the buffer is shorter */
static uint8_t cvm_output[CVM_OUTPUT_BYTES];

/* ---- addresses and events ---- */

CVM_SHARED void address_copy(void *to, const void *from) { memcpy(to, from, sizeof(address)); }

CVM_SHARED bool address_is_zero(const address *a) {
    uint32_t x;
    memcpy(&x, a->byte + 16, 4);
    return (cvm_load64(a) | cvm_load64(a->byte + 8) | x) == 0;
}

CVM_INLINE bool address_equal(const address *a, const address *b) { return cvm_equal(a, b, sizeof *a); }

/* The place of an address in a word. */
CVM_INLINE address *cvm_word_address(cvm_word *word) { return (address *)((uint8_t *)word + 12); }

/* Emits an event declared with CVM_EVENT, after its indexed words were filled in. */
#define abi_emit(event, data, size) cvm_log(event, sizeof(event) / sizeof(cvm_word), data, size)

/* ---- answering ---- */

/* Writers put one thing at `at`, a place in `cvm_output`, and return the place behind it. */
CVM_INLINE uint8_t *abi_room(uint8_t *at, uint32_t size) {
    if (size > (uint32_t)(cvm_output + CVM_OUTPUT_BYTES - at)) cvm_panic(PANIC_MEMORY);
    return at;
}

CVM_INLINE uint8_t *abi_put_selector(uint32_t selector) {
    memcpy(cvm_output, &selector, 4);
    return cvm_output + 4;
}

CVM_SHARED uint8_t *abi_put_u256(uint8_t *at, const u256 *x) {
    u256_to_word(abi_room(at, 32), x);
    return at + 32;
}

CVM_SHARED uint8_t *abi_put_u64(uint8_t *at, uint64_t x) {
    memset(abi_room(at, 32), 0, 24);
    cvm_store64(at + 24, cvm_swap64(x));
    return at + 32;
}

CVM_SHARED uint8_t *abi_put_address(uint8_t *at, const address *who) {
    memset(abi_room(at, 32), 0, 12);
    address_copy(at + 12, who);
    return at + 32;
}

/* Length and content of a `bytes` or `string`, padded with zeros: what an offset word points to. */
CVM_SHARED uint8_t *abi_put_tail(uint8_t *at, const void *data, uint32_t size) {
    uint32_t padded = (size + 31) & ~31u;
    at = abi_put_u64(at, size);
    abi_room(at, padded < size ? UINT32_MAX : padded);
    memset(at, 0, padded);
    memcpy(at, data, size);
    return at + padded;
}

_Noreturn CVM_SHARED void abi_finish(const uint8_t *end) { cvm_finish(cvm_output, (uint32_t)(end - cvm_output)); }

_Noreturn CVM_INLINE void abi_return_u256(const u256 *x) { abi_finish(abi_put_u256(cvm_output, x)); }

_Noreturn CVM_INLINE void abi_return_u64(uint64_t x) { abi_finish(abi_put_u64(cvm_output, x)); }

_Noreturn CVM_SHARED void abi_return_bool(bool x) {
    static uint8_t word[32]; /* all zeros but the last byte */
    word[31] = x;
    cvm_finish(word, sizeof word);
}

_Noreturn CVM_INLINE void abi_return_address(const address *who) { abi_finish(abi_put_address(cvm_output, who)); }

_Noreturn CVM_SHARED void abi_return_bytes(const void *data, uint32_t size) {
    abi_finish(abi_put_tail(abi_put_u64(cvm_output, 32), data, size));
}

#define abi_return_string(literal) abi_return_bytes(literal, sizeof(literal) - 1)

/* ---- refusing ---- */

/* Reverts with what was put in the output so far: a custom error. */
_Noreturn CVM_SHARED void abi_fail(const uint8_t *end) { cvm_revert(cvm_output, (uint32_t)(end - cvm_output)); }

_Noreturn CVM_COLD void abi_revert_bytes(const void *reason, uint32_t size) {
    uint8_t *at = abi_put_selector(CVM_ERROR(0x08c379a0, "Error(string)"));
    abi_fail(abi_put_tail(abi_put_u64(at, 32), reason, size));
}

/* Reverts with Error(string). */
#define abi_revert(literal) abi_revert_bytes(literal, sizeof(literal) - 1)

/* ---- reading the input ---- */

/* Reads the call's input and returns its selector, or 0 when it is shorter than one. */
CVM_INLINE uint32_t abi_input(void) {
    cvm_input_length = (uint32_t)cvm_input_copy(cvm_input, 0, CVM_INPUT_BYTES);
    uint32_t selector;
    memcpy(&selector, cvm_input, 4);
    return selector; /* the buffer starts as zeros, so what is missing reads as 0 */
}

/* Reads a constructor's arguments, which follow no selector. */
CVM_INLINE void abi_constructor_input(void) {
    cvm_input_length = (uint32_t)cvm_input_copy(cvm_input + 4, 0, CVM_INPUT_BYTES - 4) + 4;
}

/* Refuses value: what a function that is not payable begins with. */
CVM_SHARED void abi_not_payable(void) {
    u256 value;
    cvm_value(&value);
    if (!u256_is_zero(&value)) abi_revert("not payable");
}

_Noreturn CVM_COLD void abi_malformed(void) { cvm_revert(cvm_output, 0); }

void cvm_input_too_small(void) __attribute__((error("this argument lies behind CVM_INPUT_BYTES: define it larger")));

/* The word of the input that ends at byte `end`. Reverts when it was not given. */
CVM_SHARED const uint8_t *cvm_word_before(uint32_t end) {
    if (cvm_input_length < end) abi_malformed();
    return cvm_input + end - 32;
}

CVM_SHARED const address *cvm_address_before(uint32_t end) {
    const uint8_t *word = cvm_word_before(end);
    uint32_t low;
    memcpy(&low, word + 8, 4);
    if (cvm_load64(word) | low) abi_malformed();
    return (const address *)(word + 12);
}

CVM_SHARED uint64_t cvm_small(const uint8_t *word) {
    if (cvm_load64(word) | cvm_load64(word + 8) | cvm_load64(word + 16)) abi_malformed();
    return cvm_swap64(cvm_load64(word + 24));
}

/* Where argument `i` ends, counted from 0; the compiler refuses one that the buffer has no room for. */
CVM_INLINE uint32_t cvm_end_of(uint32_t i) {
    if (4 + 32 * (i + 1) > CVM_INPUT_BYTES) cvm_input_too_small();
    return 4 + 32 * (i + 1);
}

/* Argument `i` as a word, an address (where it lies in the input), a number, an amount. */
CVM_INLINE const uint8_t *abi_word(uint32_t i) { return cvm_word_before(cvm_end_of(i)); }

CVM_INLINE const address *abi_address(uint32_t i) { return cvm_address_before(cvm_end_of(i)); }

CVM_INLINE uint64_t abi_u64(uint32_t i) { return cvm_small(abi_word(i)); }

CVM_INLINE void abi_u256(uint32_t i, u256 *out) { u256_from_word(out, abi_word(i)); }

CVM_INLINE bool abi_bool(uint32_t i) {
    uint64_t x = abi_u64(i);
    if (x > 1) abi_malformed();
    return (bool)x;
}

/* The `bytes` or `string` at `offset` of the arguments, where it lies in the input. */
CVM_SHARED void cvm_checked_bytes(uint64_t offset, cvm_bytes *out) {
    uint32_t have = cvm_input_length < CVM_INPUT_BYTES ? cvm_input_length : CVM_INPUT_BYTES;
    if (have < 36 || offset > have - 36) abi_malformed();
    const uint8_t *word = cvm_input + 4 + (uint32_t)offset;
    uint64_t size = cvm_small(word);
    if (size > have - 36 - (uint32_t)offset) abi_malformed();
    *out = (cvm_bytes){word + 32, (uint32_t)size};
}

/* The `bytes` or `string` that word `i` points to. */
CVM_INLINE cvm_bytes abi_bytes(uint32_t i) {
    cvm_bytes found;
    cvm_checked_bytes(abi_u64(i), &found);
    return found;
}

#endif
