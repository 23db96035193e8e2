/* Calls between contracts, one way a function: pass an answer on, pass a refusal on, try and look, forbid writes, and let
 * the callee come back or not. `callee.c` is the other side; the test deploys both.
 */
#include <cvm_abi.h>
#include <cvm_calls.h>

#define FORWARD CVM_SELECTOR(0x58843b36, "forward(address callee, uint256 x)(uint256)")
#define BUBBLE CVM_SELECTOR(0x80c7f9bd, "bubble(address callee)")
#define ATTEMPT CVM_SELECTOR(0x0b41e37f, "attempt(address callee)(uint256 status, bytes reason)")
#define PEEK CVM_SELECTOR(0xacefafae, "peek(address callee)(uint256 status)")
#define VISIT CVM_SELECTOR(0x72fc77df, "visit(address callee, bool reentry)(uint256 status)")
#define ENTERED CVM_SELECTOR(0xa77f05e9, "entered() view returns (uint256 times)")

#define DOUBLE CVM_REMOTE(0xeee97206, "double(uint256 x)(uint256)")
#define FAIL CVM_REMOTE(0xa9cc4718, "fail()")
#define BUMP CVM_REMOTE(0x68110b2f, "bump()")
#define CALL_BACK CVM_REMOTE(0x6347f70e, "callBack()(uint256 status)")

/* Answers with the callee's answer; a failure there fails here, for the same reason. */
_Noreturn static void forward(const address *callee, const u256 *x) {
    u256 answer;
    if (abi_call(callee, abi_put_u256(abi_put_selector(DOUBLE), x), 0) != CVM_OK) abi_bubble();
    abi_answer_u256(0, &answer);
    abi_return_u256(&answer);
}

/* Goes on after a failure: answers the status, and the revert data as bytes. */
_Noreturn static void attempt(const address *callee) {
    cvm_bytes reason;
    int32_t status = abi_call(callee, abi_put_selector(FAIL), 0);
    abi_answer(&reason);
    uint8_t *at = abi_put_u64(abi_put_u64(cvm_output, (uint64_t)status), 64);
    abi_finish(abi_put_tail(at, reason.data, reason.size));
}

/* How often this contract was entered again; counts itself. */
_Noreturn static void entered(void) {
    uint64_t times = 0;
    cvm_storage_get("t", 1, &times, sizeof times);
    times++;
    cvm_storage_set("t", 1, &times, sizeof times);
    abi_return_u64(times);
}

/* Lets the callee call back; answers the status that the callee got. */
_Noreturn static void visit(const address *callee, bool reentry) {
    u256 status;
    if (abi_call(callee, abi_put_selector(CALL_BACK), reentry ? CVM_ALLOW_REENTRY : 0) != CVM_OK) abi_bubble();
    abi_answer_u256(0, &status);
    abi_return_u256(&status);
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    abi_not_payable();
    switch (selector) {
        case FORWARD: {
            u256 x;
            abi_u256(1, &x);
            forward(abi_address(0), &x);
        }
        case BUBBLE:
            if (abi_call(abi_address(0), abi_put_selector(FAIL), 0) != CVM_OK) abi_bubble();
            return;
        case ATTEMPT: attempt(abi_address(0));
        case PEEK: abi_return_u64((uint64_t)abi_static_call(abi_address(0), abi_put_selector(BUMP), 0));
        case VISIT: visit(abi_address(0), abi_bool(1));
        case ENTERED: entered();
        default: abi_revert("unknown function");
    }
}
