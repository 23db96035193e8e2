/* A registry of names that can be listed: storage keys are in byte order, so names are in alphabetical order.
 *
 * A name's key is "n" and the name; the value is its owner (20 bytes) and the text that the owner set. Listing is a
 * cursor over the keys: a page of names from a given one on, the way to read a contract that has many.
 */
#define CVM_INPUT_BYTES 1024
#define CVM_OUTPUT_BYTES 8192
#include <cvm_abi.h>
#include <cvm_storage.h>

#define REGISTER CVM_SELECTOR(0x3ffbd47f, "register(string name, string text)")
#define LOOKUP CVM_SELECTOR(0xf67187ac, "lookup(string name) view returns (address owner, string text)")
#define REMOVE CVM_SELECTOR(0x80599e4b, "remove(string name)")
#define LIST CVM_SELECTOR(0x4a878dfa, "list(string from, uint256 limit) view returns (string[] names)")

#define UNKNOWN_NAME CVM_ERROR(0xe1fdc1a8, "UnknownName()")
#define NOT_OWNER CVM_ERROR(0x245aecd3, "NotOwner(address owner)")

CVM_EVENT(registered, 1, "Registered(address indexed owner, string name)",
          0xb3eccf73f39b1c07, 0x947c780b2b39df2a, 0x1bb058b4037b0a42, 0xd0881ca1a028a132);
CVM_EVENT(removed, 1, "Removed(address indexed owner, string name)",
          0x5186bdc50c062264, 0x32bd61c8e948665d, 0xed3e3754d31ee1bf, 0xf54a1dca6c47dc13);

enum { NAME_BYTES = 64, TEXT_BYTES = 512, PAGE = 64 };

typedef struct { char kind; uint8_t name[NAME_BYTES]; } name_key; /* kind is 'n' */
typedef struct { address owner; uint8_t text[TEXT_BYTES]; } record;

/* Writes the key of a name and returns its size. */
static uint32_t key_of(cvm_bytes name, name_key *key) {
    if (name.size > NAME_BYTES) abi_revert("name longer than 64 bytes");
    key->kind = 'n';
    memcpy(key->name, name.data, name.size);
    return name.size + 1;
}

/* Reads a record and returns the size of its text, or -1. */
static int32_t read(const name_key *key, uint32_t key_size, record *found) {
    int32_t size = cvm_storage_get(key, key_size, found, sizeof *found);
    return size < 0 ? -1 : size - (int32_t)sizeof(address);
}

static void require_owner(const record *found, const address *who) {
    if (!address_equal(&found->owner, who)) abi_fail(abi_put_address(abi_put_selector(NOT_OWNER), &found->owner));
}

static void emit(cvm_word event[2], const address *owner, cvm_bytes name) {
    *cvm_word_address(&event[1]) = *owner;
    uint8_t *end = abi_put_tail(abi_put_u64(cvm_output, 32), name.data, name.size);
    cvm_log(event, 2, cvm_output, (uint32_t)(end - cvm_output));
}

static void set(cvm_bytes name, cvm_bytes text) {
    name_key key;
    record old, new;
    uint32_t key_size = key_of(name, &key);
    if (name.size == 0) abi_revert("empty name");
    if (text.size > TEXT_BYTES) abi_revert("text longer than 512 bytes");
    cvm_caller(&new.owner);
    if (read(&key, key_size, &old) >= 0)
        require_owner(&old, &new.owner);
    else
        emit(registered, &new.owner, name);
    memcpy(new.text, text.data, text.size);
    cvm_storage_set(&key, key_size, &new, sizeof(address) + text.size);
}

_Noreturn static void lookup(cvm_bytes name) {
    name_key key;
    record found;
    uint32_t key_size = key_of(name, &key);
    int32_t size = read(&key, key_size, &found);
    if (size < 0) abi_fail(abi_put_selector(UNKNOWN_NAME));
    uint8_t *at = abi_put_u64(abi_put_address(cvm_output, &found.owner), 64);
    abi_finish(abi_put_tail(at, found.text, (uint32_t)size));
}

static void forget(cvm_bytes name) {
    name_key key;
    record found;
    address caller;
    uint32_t key_size = key_of(name, &key);
    if (read(&key, key_size, &found) < 0) abi_fail(abi_put_selector(UNKNOWN_NAME));
    cvm_caller(&caller);
    require_owner(&found, &caller);
    cvm_storage_remove(&key, key_size);
    emit(removed, &caller, name);
}

/* A page of at most `limit` and PAGE names. A string[] is its length, an offset an item, then the items. */
_Noreturn static void list(cvm_bytes from, uint64_t limit) {
    name_key start, key;
    uint32_t sizes[PAGE], count = 0;
    uint8_t *names = cvm_alloc(PAGE * NAME_BYTES), *at;
    uint32_t start_size = key_of(from, &start);
    int32_t cursor = cvm_iter_open(&start, start_size, "o", 1, CVM_KEYS_ONLY);
    while (count < limit && count < PAGE && cvm_iter_next((uint32_t)cursor)) {
        sizes[count] = (uint32_t)cvm_iter_key((uint32_t)cursor, &key, sizeof key) - 1;
        memcpy(names + count * NAME_BYTES, key.name, sizes[count]);
        count++;
    }
    at = abi_put_u64(abi_put_u64(cvm_output, 32), count);
    uint32_t offset = 32 * count;
    for (uint32_t i = 0; i < count; i++, offset += 32 + ((sizes[i - 1] + 31) & ~31u)) at = abi_put_u64(at, offset);
    for (uint32_t i = 0; i < count; i++) at = abi_put_tail(at, names + i * NAME_BYTES, sizes[i]);
    abi_finish(at);
}

CVM_EXPORT("call") void call(void) {
    uint32_t selector = abi_input();
    abi_not_payable();
    switch (selector) {
        case REGISTER: set(abi_bytes(0), abi_bytes(1)); return;
        case LOOKUP: lookup(abi_bytes(0));
        case REMOVE: forget(abi_bytes(0)); return;
        case LIST: list(abi_bytes(0), abi_u64(1));
        default: abi_revert("unknown function");
    }
}
