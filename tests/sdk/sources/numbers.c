/* Every helper of cvm_u256.h, cvm_abi.h and cvm_memory.h behind a function, to be compared with Python. */
#define CVM_INPUT_BYTES 1024
#define CVM_OUTPUT_BYTES 1024
#include <cvm_abi.h>
#include <cvm_calls.h>
#include <cvm_storage.h>

#define ADD CVM_SELECTOR(0x771602f7, "add(uint256,uint256)(uint256)")
#define SUB CVM_SELECTOR(0xb67d77c5, "sub(uint256,uint256)(uint256)")
#define MUL CVM_SELECTOR(0xc8a4ac9c, "mul(uint256,uint256)(uint256)")
#define DIV CVM_SELECTOR(0xa391c15b, "div(uint256,uint256)(uint256)")
#define MOD CVM_SELECTOR(0xf43f523a, "mod(uint256,uint256)(uint256)")
#define COMPARE CVM_SELECTOR(0xf360234c, "compare(uint256,uint256)(bool,bool,bool,bool)")
#define KEEP CVM_SELECTOR(0xbfc207cf, "keep(uint256)(uint256,uint256)")
#define WORDS CVM_SELECTOR(0xc20b5c25, "words(address,bool,uint64,uint256)(address,uint64,uint256)")
#define ECHO CVM_SELECTOR(0x83a0404d, "echo(bytes,uint256,string)(bytes)")
#define EQUAL CVM_SELECTOR(0x235266d2, "equal(bytes,bytes)(bool)")
#define ZERO CVM_SELECTOR(0x10df0dde, "zero(address)(bool)")
#define ALLOCATE CVM_SELECTOR(0x536c2d4a, "allocate(uint64,uint64)(uint64,uint64)")
#define OVERFLOW CVM_SELECTOR(0x8213e898, "overflow(uint64)")
#define ASSERT CVM_SELECTOR(0x07a8d83a, "panic(uint64)")

static void compare(const u256 *a, const u256 *b) {
    uint8_t *at = abi_put_u64(cvm_output, u256_less(a, b));
    at = abi_put_u64(abi_put_u64(at, u256_equal(a, b)), u256_is_zero(a));
    abi_finish(abi_put_u64(at, u256_is_max(a)));
}

/* Stores a number, reads it back, and tells the bytes it took. */
static void keep(const u256 *x) {
    uint8_t raw[32];
    u256 back;
    storage_set_u256("k", 1, x);
    storage_get_u256("k", 1, &back);
    int32_t size = cvm_storage_get("k", 1, raw, sizeof raw);
    abi_finish(abi_put_u64(abi_put_u256(cvm_output, &back), size < 0 ? 0 : (uint64_t)size));
}

static void words(void) {
    u256 x;
    const address *who = abi_address(0);
    uint64_t n = abi_u64(2);
    if (!abi_bool(1)) abi_revert("false");
    abi_u256(3, &x);
    abi_finish(abi_put_u256(abi_put_u64(abi_put_address(cvm_output, who), n), &x));
}

/* Allocates twice, fills both, and tells their addresses; what is allocated must be zero and not overlap. */
static void allocate(uint64_t first, uint64_t second) {
    uint8_t *a = cvm_alloc((uint32_t)first), *b = cvm_alloc((uint32_t)second);
    for (uint32_t i = 0; i < first; i++)
        if (a[i]) abi_revert("not zero");
    memset(a, 0xff, (uint32_t)first);
    for (uint32_t i = 0; i < second; i++)
        if (b[i]) abi_revert("overlap");
    memset(b, 0xee, (uint32_t)second);
    abi_finish(abi_put_u64(abi_put_u64(cvm_output, (uintptr_t)a), (uintptr_t)b));
}

static void arithmetic(uint32_t selector) {
    u256 a, b;
    abi_u256(0, &a);
    abi_u256(1, &b);
    switch (selector) {
        case ADD: u256_add(&a, &a, &b); break;
        case SUB: u256_sub(&b, &a, &b); a = b; break;
        case MUL: u256_mul(&a, &a, &b); break;
        case DIV: u256_div(&a, &a, &b); break;
        case MOD: u256_mod(&b, &a, &b); a = b; break;
        default: compare(&a, &b);
    }
    abi_return_u256(&a);
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    switch (selector) {
        case KEEP: {
            u256 x;
            abi_u256(0, &x);
            keep(&x);
            break;
        }
        case WORDS: words(); break;
        case ECHO: {
            cvm_bytes text = abi_bytes(0);
            abi_bytes(2);
            abi_return_bytes(text.data, text.size);
        }
        case EQUAL: {
            cvm_bytes a = abi_bytes(0), b = abi_bytes(1);
            abi_return_bool(a.size == b.size && cvm_equal(a.data, b.data, a.size));
        }
        case ZERO: abi_return_bool(address_is_zero(abi_address(0)));
        case ALLOCATE: allocate(abi_u64(0), abi_u64(1)); break;
        case OVERFLOW: abi_return_bytes(cvm_input, (uint32_t)abi_u64(0));
        case ASSERT: cvm_panic((uint8_t)abi_u64(0));
        default: arithmetic(selector);
    }
}
