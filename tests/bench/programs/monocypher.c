/* Monocypher, a cryptographic library as people use it, behind exports of one size each: how many times the work is
 * done. Its source is fetched by the bench (source.py). Every turn works on what the one before has written. */

#include <monocypher.c>

#define EXPORT(name) __attribute__((export_name(#name))) name

#ifdef __wasm__
/* What a C library has. The attribute keeps the loops from becoming calls of themselves. */
__attribute__((no_builtin)) void *memset(void *to, int value, size_t count) {
    for (uint8_t *at = to; count--; at++)
        *at = (uint8_t)value;
    return to;
}

__attribute__((no_builtin)) void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    const uint8_t *source = from;
    for (uint8_t *at = to; count--; at++)
        *at = *source++;
    return to;
}
#endif

static uint8_t data[4096], area[64 * 1024];

static void clear(void) {
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
}

static uint32_t word(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* blake2b: n hashes of 4 KiB. */
uint32_t EXPORT(blake2b)(uint32_t n) {
    clear();
    while (n--)
        crypto_blake2b(data, 64, data, sizeof data);
    return word(data);
}

/* argon2: n hashes of a password over 64 KiB. */
uint32_t EXPORT(argon2)(uint32_t n) {
    crypto_argon2_config config = {CRYPTO_ARGON2_I, sizeof area / 1024, 1, 1};
    crypto_argon2_inputs inputs = {data, data + 32, 32, 16};
    clear();
    while (n--)
        crypto_argon2(data, 32, area, config, inputs, crypto_argon2_no_extras);
    return word(data);
}

/* lock: n times 4 KiB encrypted and authenticated (XChaCha20, Poly1305). */
uint32_t EXPORT(lock)(uint32_t n) {
    uint8_t key[32] = {1}, nonce[24] = {2}, mac[16] = {0};
    clear();
    while (n--) {
        crypto_aead_lock(data, mac, key, nonce, 0, 0, data, sizeof data);
        nonce[0] = mac[0];
    }
    return word(mac);
}

#ifndef WITHOUT_CURVES /* which leaves a module of 24 KB */

/* x25519: n key exchanges. */
uint32_t EXPORT(x25519)(uint32_t n) {
    uint8_t secret[32] = {3}, base[32] = {9};
    while (n--)
        crypto_x25519(secret, secret, base);
    return word(secret);
}

/* sign: n signatures over curve25519, each of the one before. */
uint32_t EXPORT(sign)(uint32_t n) {
    uint8_t seed[32] = {4}, secret[64], known[32], signature[64] = {0};
    crypto_eddsa_key_pair(secret, known, seed);
    while (n--)
        crypto_eddsa_sign(signature, secret, signature, sizeof signature);
    return word(signature);
}

/* check: a signature verified n times; how often it held. */
uint32_t EXPORT(check)(uint32_t n) {
    uint8_t seed[32] = {5}, secret[64], known[32], signature[64];
    uint32_t held = 0;
    clear();
    crypto_eddsa_key_pair(secret, known, seed);
    crypto_eddsa_sign(signature, secret, data, 32);
    while (n--)
        held += crypto_eddsa_check(signature, known, data, 32) == 0;
    return held;
}

#endif
