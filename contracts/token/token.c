/* An ERC-20 token: the whole interface of EIP-20, with the errors of ERC-6093. Storage: a balance under its owner's
 * address (20 bytes), an allowance under owner and spender (40), the supply under "s". Nothing is hashed.
 */
#include <cvm_abi.h>
#include <cvm_storage.h>

#define NAME CVM_SELECTOR(0x06fdde03, "name() pure returns (string)")
#define SYMBOL CVM_SELECTOR(0x95d89b41, "symbol() pure returns (string)")
#define DECIMALS CVM_SELECTOR(0x313ce567, "decimals() pure returns (uint8)")
#define TOTAL_SUPPLY CVM_SELECTOR(0x18160ddd, "totalSupply() view returns (uint256)")
#define BALANCE_OF CVM_SELECTOR(0x70a08231, "balanceOf(address owner) view returns (uint256)")
#define TRANSFER CVM_SELECTOR(0xa9059cbb, "transfer(address to, uint256 amount) returns (bool)")
#define ALLOWANCE CVM_SELECTOR(0xdd62ed3e, "allowance(address owner, address spender) view returns (uint256)")
#define APPROVE CVM_SELECTOR(0x095ea7b3, "approve(address spender, uint256 amount) returns (bool)")
#define TRANSFER_FROM CVM_SELECTOR(0x23b872dd, "transferFrom(address from, address to, uint256 amount) returns (bool)")

#define INSUFFICIENT_BALANCE CVM_ERROR(0xe450d38c, "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)")
#define INSUFFICIENT_ALLOWANCE CVM_ERROR(0xfb8f41b2, "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)")
#define INVALID_RECEIVER CVM_ERROR(0xec442f05, "ERC20InvalidReceiver(address receiver)")
#define INVALID_SPENDER CVM_ERROR(0x94280d62, "ERC20InvalidSpender(address spender)")

CVM_EVENT(transferred, 2, "Transfer(address indexed from, address indexed to, uint256 value)",
          0xddf252ad1be2c89b, 0x69c2b068fc378daa, 0x952ba7f163c4a116, 0x28f55a4df523b3ef);
CVM_EVENT(approved, 2, "Approval(address indexed owner, address indexed spender, uint256 value)",
          0x8c5be1e5ebec7d5b, 0xd14f71427d1e84f3, 0xdd0314c0f7b2291e, 0x5b200ac8c7c3b925);

typedef struct { address owner, spender; } grant;

_Noreturn CVM_COLD void insufficient(uint32_t error, const address *who, const u256 *have, const u256 *want) {
    abi_fail(abi_put_u256(abi_put_u256(abi_put_address(abi_put_selector(error), who), have), want));
}

_Noreturn CVM_COLD void refuse_zero(uint32_t error) { abi_fail(abi_put_u64(abi_put_selector(error), 0)); }

/* `from` is the address in the event's first indexed word; the amount is still the word that came. */
CVM_SHARED void move(const address *from, const address *to, const uint8_t *amount_word) {
    u256 amount, balance, rest;
    if (address_is_zero(to)) refuse_zero(INVALID_RECEIVER);
    u256_from_word(&amount, amount_word);
    storage_get_u256(from, 20, &balance);
    if (u256_overflowing_sub(&rest, &balance, &amount)) insufficient(INSUFFICIENT_BALANCE, from, &balance, &amount);
    storage_set_u256(from, 20, &rest);
    storage_get_u256(to, 20, &balance);
    u256_add(&balance, &balance, &amount);
    storage_set_u256(to, 20, &balance);
    address_copy(cvm_word_address(&transferred[2]), to);
    abi_emit(transferred, amount_word, 32);
}

CVM_INLINE void approve(const address *spender, const uint8_t *amount_word) {
    grant key;
    u256 amount;
    if (address_is_zero(spender)) refuse_zero(INVALID_SPENDER);
    cvm_caller(&key.owner);
    address_copy(&key.spender, spender);
    u256_from_word(&amount, amount_word);
    storage_set_u256(&key, sizeof key, &amount);
    address_copy(cvm_word_address(&approved[1]), &key.owner);
    address_copy(cvm_word_address(&approved[2]), spender);
    abi_emit(approved, amount_word, 32);
}

/* Takes an amount from what the owner allowed the caller; the largest allowance is never used up. */
CVM_INLINE void spend_allowance(const address *owner, const uint8_t *amount_word) {
    grant key;
    u256 amount, allowed, rest;
    address_copy(&key.owner, owner);
    cvm_caller(&key.spender);
    storage_get_u256(&key, sizeof key, &allowed);
    if (u256_is_max(&allowed)) return;
    u256_from_word(&amount, amount_word);
    if (u256_overflowing_sub(&rest, &allowed, &amount)) insufficient(INSUFFICIENT_ALLOWANCE, &key.spender, &allowed, &amount);
    storage_set_u256(&key, sizeof key, &rest);
}

_Noreturn CVM_SHARED void return_stored(const void *key, uint32_t key_size) {
    u256 amount;
    storage_get_u256(key, key_size, &amount);
    abi_return_u256(&amount);
}

CVM_EXPORT("call") void call(void) {
    grant key;
    address *from = cvm_word_address(&transferred[1]);
    uint32_t selector = abi_input();
    abi_not_payable();
    switch (selector) {
        case TRANSFER: cvm_caller(from); move(from, abi_address(0), abi_word(1)); break;
        case TRANSFER_FROM: address_copy(from, abi_address(0));
            spend_allowance(from, abi_word(2));
            move(from, abi_address(1), abi_word(2));
            break;
        case APPROVE: approve(abi_address(0), abi_word(1)); break;
        case BALANCE_OF: return_stored(abi_address(0), 20);
        case TOTAL_SUPPLY: return_stored("s", 1);
        case ALLOWANCE:
            address_copy(&key.owner, abi_address(0));
            address_copy(&key.spender, abi_address(1));
            return_stored(&key, sizeof key);
        case DECIMALS: abi_return_u64(18);
        case NAME: abi_return_string("Contract Token");
        case SYMBOL: abi_return_string("CVM");
        default: abi_revert("unknown function");
    }
    abi_return_bool(true);
}

/* The deployer owns the whole supply. */
CVM_CONSTRUCTOR("constructor(uint256 supply)");
CVM_EXPORT("deploy") void deploy(void) {
    u256 supply;
    address *owner = cvm_word_address(&transferred[2]);
    abi_constructor_input();
    abi_not_payable();
    cvm_caller(owner);
    abi_u256(0, &supply);
    storage_set_u256("s", 1, &supply);
    storage_set_u256(owner, 20, &supply);
    abi_emit(transferred, abi_word(0), 32);
}
