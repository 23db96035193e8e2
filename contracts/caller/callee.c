/* What `caller.c` calls: an answer, a refusal with a reason, a write, and a call back to whoever called. */
#include <cvm_abi.h>
#include <cvm_calls.h>

#define DOUBLE CVM_SELECTOR(0xeee97206, "double(uint256 x) pure returns (uint256)")
#define FAIL CVM_SELECTOR(0xa9cc4718, "fail()")
#define BUMP CVM_SELECTOR(0x68110b2f, "bump()")
#define CALL_BACK CVM_SELECTOR(0x6347f70e, "callBack()(uint256 status)")

#define ENTERED CVM_REMOTE(0xa77f05e9, "entered()(uint256 times)")

static void bump(void) {
    uint64_t count = 0;
    cvm_storage_get("c", 1, &count, sizeof count);
    count++;
    cvm_storage_set("c", 1, &count, sizeof count);
}

/* Calls the caller while it waits for us, and answers how that went. */
_Noreturn static void call_back(void) {
    address caller;
    cvm_caller(&caller);
    abi_return_u64((uint64_t)abi_call(&caller, abi_put_selector(ENTERED), 0));
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    abi_not_payable();
    switch (selector) {
        case DOUBLE: {
            u256 x;
            abi_u256(0, &x);
            u256_add(&x, &x, &x);
            abi_return_u256(&x);
        }
        case FAIL: abi_revert("callee says no");
        case BUMP: bump(); return;
        case CALL_BACK: call_back();
        default: abi_revert("unknown function");
    }
}
