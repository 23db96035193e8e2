/* A counter: the start of your contract. Storage keeps the number under "n". */
#include <cvm_abi.h>
#include <cvm_storage.h>

#define NUMBER CVM_SELECTOR(0x8381f58a, "number() view returns (uint256)")
#define INCREMENT CVM_SELECTOR(0xd09de08a, "increment()")

CVM_EVENT(incremented, 1, "Incremented(address indexed by, uint256 number)",
          0x38ac789ed4457270, 0x1765277c4d0970f2, 0xdb1c1a571ed39e84, 0x358095ae4eaa5420);

static void increment(void) {
    u256 number;
    storage_get_u256("n", 1, &number);
    u256_add(&number, &number, &U256(1));
    storage_set_u256("n", 1, &number);
    cvm_caller(cvm_word_address(&incremented[1]));
    uint8_t *end = abi_put_u256(cvm_output, &number);
    abi_emit(incremented, cvm_output, (uint32_t)(end - cvm_output));
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    abi_not_payable();
    switch (selector) {
        case NUMBER: {
            u256 number;
            storage_get_u256("n", 1, &number);
            abi_return_u256(&number);
        }
        case INCREMENT: increment(); return;
        default: abi_revert("unknown function");
    }
}
