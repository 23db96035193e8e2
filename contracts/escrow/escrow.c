/* Escrow: a buyer pays in, and the money goes to the seller or comes back.
 *
 * The buyer releases it to the seller; the seller or the arbiter refunds it; after the deadline the buyer takes it back
 * alone. A deposit is one record, a C struct under its number (8 bytes); "n" counts them. The record is removed before
 * money moves, so that whoever is paid cannot be paid twice.
 */
#include <cvm_abi.h>
#include <cvm_calls.h>
#include <cvm_storage.h>

#define OPEN CVM_SELECTOR(0xfec9988c, "open(address seller, address arbiter, uint64 deadline)(uint256 id)")
#define RELEASE CVM_SELECTOR(0x37bdc99b, "release(uint256 id)")
#define REFUND CVM_SELECTOR(0x278ecde1, "refund(uint256 id)")
#define DEPOSIT CVM_SELECTOR(0xb6b55f25, "deposit(uint256 id) view returns (address buyer, address seller, address arbiter, uint64 deadline, uint256 amount)")

#define NOT_OPEN CVM_ERROR(0x341b372a, "NotOpen(uint256 id)")
#define NOT_ALLOWED CVM_ERROR(0xfa5cd00f, "NotAllowed(address caller)")
#define TOO_EARLY CVM_ERROR(0xd606d83f, "TooEarly(uint64 deadline)")

CVM_EVENT(opened, 2, "Opened(uint256 indexed id, address indexed buyer, address seller, uint256 amount)",
          0x23f3594e94955c18, 0xb73f9c006a291dfc, 0xec541676a1797820, 0x889b70e4215427ed);
CVM_EVENT(closed, 2, "Closed(uint256 indexed id, address indexed paid, uint256 amount)",
          0x2a2cdda665f8e5bf, 0x5781a3ce93a60cbf, 0x53dc48cb83e9470a, 0x4904de33c8fd275c);

typedef struct {
    u256 amount;
    uint64_t deadline;
    address buyer, seller, arbiter;
} deposit;

enum { DEPOSIT_BYTES = offsetof(deposit, arbiter) + sizeof(address) }; /* without the padding behind it */

_Noreturn CVM_COLD void not_allowed(const address *caller) {
    abi_fail(abi_put_address(abi_put_selector(NOT_ALLOWED), caller));
}

static void open(void) {
    deposit new = {.deadline = abi_u64(2)};
    uint64_t id = 0;
    cvm_value(&new.amount);
    if (u256_is_zero(&new.amount)) abi_revert("no money sent");
    if (new.deadline <= cvm_block_timestamp()) abi_revert("deadline has passed");
    cvm_caller(&new.buyer);
    new.seller = *abi_address(0);
    new.arbiter = *abi_address(1);
    cvm_storage_get("n", 1, &id, sizeof id);
    id++;
    cvm_storage_set("n", 1, &id, sizeof id);
    cvm_storage_set(&id, sizeof id, &new, DEPOSIT_BYTES);

    u256_to_word(&opened[1], &U256(id));
    *cvm_word_address(&opened[2]) = new.buyer;
    uint8_t *end = abi_put_u256(abi_put_address(cvm_output, &new.seller), &new.amount);
    abi_emit(opened, cvm_output, (uint32_t)(end - cvm_output));
    abi_return_u64(id);
}

static void find(uint64_t id, deposit *found) {
    if (cvm_storage_get(&id, sizeof id, found, DEPOSIT_BYTES) < 0)
        abi_fail(abi_put_u64(abi_put_selector(NOT_OPEN), id));
}

/* Removes the record, then pays. */
_Noreturn static void close(uint64_t id, const deposit *was, const address *paid) {
    cvm_storage_remove(&id, sizeof id);
    u256_to_word(&closed[1], &U256(id));
    *cvm_word_address(&closed[2]) = *paid;
    abi_emit(closed, cvm_output, (uint32_t)(abi_put_u256(cvm_output, &was->amount) - cvm_output));
    if (cvm_transfer(paid, &was->amount) != CVM_OK) abi_bubble();
    cvm_finish(cvm_output, 0);
}

_Noreturn static void release(uint64_t id) {
    deposit was;
    address caller;
    cvm_caller(&caller);
    find(id, &was);
    if (!address_equal(&caller, &was.buyer)) not_allowed(&caller);
    close(id, &was, &was.seller);
}

_Noreturn static void refund(uint64_t id) {
    deposit was;
    address caller;
    cvm_caller(&caller);
    find(id, &was);
    if (address_equal(&caller, &was.buyer)) {
        if (cvm_block_timestamp() < was.deadline) abi_fail(abi_put_u64(abi_put_selector(TOO_EARLY), was.deadline));
    } else if (!address_equal(&caller, &was.seller) && !address_equal(&caller, &was.arbiter))
        not_allowed(&caller);
    close(id, &was, &was.buyer);
}

_Noreturn static void show(uint64_t id) {
    deposit it;
    find(id, &it);
    uint8_t *at = abi_put_address(cvm_output, &it.buyer);
    at = abi_put_address(abi_put_address(at, &it.seller), &it.arbiter);
    abi_finish(abi_put_u256(abi_put_u64(at, it.deadline), &it.amount));
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    if (selector != OPEN) abi_not_payable();
    switch (selector) {
        case OPEN: open();
        case RELEASE: release(abi_u64(0));
        case REFUND: refund(abi_u64(0));
        case DEPOSIT: show(abi_u64(0));
        default: abi_revert("unknown function");
    }
}
