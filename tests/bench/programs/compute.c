/* The six programs of `python -m tests.bench compute`, freestanding, without floats or imports.
 * Each export takes a size and returns a checksum that depends on all of its work. */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(#name))) name

/* fib: calls and nothing else. */

u32 EXPORT(fib)(u32 n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* keccak: n permutations Keccak-f[1600] (FIPS 202, section 3), 64-bit logic. */

static u64 lanes[25];

static u64 rotate(u64 x, u32 by) {
    return x << (by & 63) | x >> (-by & 63);
}

static u64 iota(u8 *state) {
    u64 constant = 0;
    for (u32 bit = 0; bit < 7; bit++) {
        constant |= (u64)(*state & 1) << ((1u << bit) - 1);
        *state = (u8)(*state << 1 ^ (*state & 0x80 ? 0x71 : 0));
    }
    return constant;
}

static void keccak_f(u64 *a, const u64 *constants) {
    for (u32 round = 0; round < 24; round++) {
        u64 column[5];
        for (u32 x = 0; x < 5; x++)
            column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        for (u32 x = 0; x < 5; x++) {
            u64 mix = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1);
            for (u32 y = 0; y < 25; y += 5)
                a[x + y] ^= mix;
        }
        u32 x = 1, y = 0, turn = 0;
        u64 moving = a[1];
        for (u32 t = 1; t <= 24; t++) {
            u32 next = (2 * x + 3 * y) % 5;
            x = y;
            y = next;
            turn += t;
            u64 kept = a[x + 5 * y];
            a[x + 5 * y] = rotate(moving, turn);
            moving = kept;
        }
        for (u32 row = 0; row < 25; row += 5) {
            for (u32 i = 0; i < 5; i++)
                column[i] = a[row + i];
            for (u32 i = 0; i < 5; i++)
                a[row + i] = column[i] ^ (~column[(i + 1) % 5] & column[(i + 2) % 5]);
        }
        a[0] ^= constants[round];
    }
}

u64 EXPORT(keccak)(u32 n) {
    u64 constants[24];
    u8 lfsr = 1;
    for (u32 round = 0; round < 24; round++)
        constants[round] = iota(&lfsr);
    for (u32 i = 0; i < 25; i++)
        lanes[i] = 0;
    for (u32 i = 0; i < n; i++)
        keccak_f(lanes, constants);
    return lanes[0];
}

/* sieve: primes below n, byte loads and stores. */

static u8 composite[1 << 17];

u32 EXPORT(sieve)(u32 n) {
    u32 primes = 0;
    if (n > sizeof composite)
        return 0;
    for (u32 i = 0; i < n; i++)
        composite[i] = 0;
    for (u32 i = 2; i < n; i++) {
        if (composite[i])
            continue;
        primes++;
        for (u32 j = i + i; j < n; j += i)
            composite[j] = 1;
    }
    return primes;
}

/* sha256: n compressions (FIPS 180-4), 32-bit logic. */

static const u32 constants256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const u32 initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static u32 schedule[64], digest[8];

static u32 turn32(u32 x, u32 by) {
    return x >> by | x << (32 - by);
}

static void sha256_compress(const u32 *block) {
    u32 s[8];
    for (u32 i = 0; i < 16; i++)
        schedule[i] = block[i];
    for (u32 i = 16; i < 64; i++) {
        u32 a = schedule[i - 15], b = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (turn32(a, 7) ^ turn32(a, 18) ^ a >> 3) + schedule[i - 7] +
                      (turn32(b, 17) ^ turn32(b, 19) ^ b >> 10);
    }
    for (u32 i = 0; i < 8; i++)
        s[i] = digest[i];
    for (u32 i = 0; i < 64; i++) {
        u32 choose = (s[4] & s[5]) ^ (~s[4] & s[6]), most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        u32 one = s[7] + (turn32(s[4], 6) ^ turn32(s[4], 11) ^ turn32(s[4], 25)) + choose + constants256[i] + schedule[i];
        u32 two = (turn32(s[0], 2) ^ turn32(s[0], 13) ^ turn32(s[0], 22)) + most;
        for (u32 j = 7; j; j--)
            s[j] = s[j - 1];
        s[4] += one;
        s[0] = one + two;
    }
    for (u32 i = 0; i < 8; i++)
        digest[i] += s[i];
}

u32 EXPORT(sha256)(u32 n) {
    u32 block[16] = {0x80000000u};
    for (u32 i = 0; i < 8; i++)
        digest[i] = initial[i];
    for (u32 i = 0; i < n; i++) {
        sha256_compress(block);
        for (u32 j = 0; j < 8; j++)
            block[j] = digest[j];
    }
    return digest[0];
}

/* u256: n steps x = x * y + k mod 2^256 on four 64-bit limbs, each with a comparison and a subtraction. */

typedef struct {
    u64 limb[4];
} wide;

static u64 multiply(u64 a, u64 b, u64 *high) {
    u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
    u64 low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (u32)middle;
    *high = a1 * b1 + (middle >> 32) + (other >> 32);
    return other << 32 | (u32)low;
}

static void product(const wide *a, const wide *b, wide *out) {
    wide sum = {{0, 0, 0, 0}};
    for (u32 i = 0; i < 4; i++) {
        u64 carry = 0;
        for (u32 j = 0; i + j < 4; j++) {
            u64 high, low = multiply(a->limb[i], b->limb[j], &high);
            low += carry;
            high += low < carry;
            sum.limb[i + j] += low;
            carry = high + (sum.limb[i + j] < low);
        }
    }
    *out = sum;
}

static void add_small(wide *a, u64 k) {
    for (u32 i = 0; i < 4; i++) {
        a->limb[i] += k;
        k = a->limb[i] < k;
    }
}

static int less(const wide *a, const wide *b) {
    for (u32 i = 4; i--;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i];
    return 0;
}

static void subtract(wide *a, const wide *b) {
    u64 borrow = 0;
    for (u32 i = 0; i < 4; i++) {
        u64 before = a->limb[i], taken = b->limb[i] + borrow;
        borrow = (borrow && !taken) | (before < taken);
        a->limb[i] = before - taken;
    }
}

static wide word, factor;

u64 EXPORT(u256)(u32 n) {
    word = (wide){{1, 2, 3, 4}};
    factor = (wide){{0x9e3779b97f4a7c15u, 0xf39cc0605cedc834u, 0x1082276bf3a27251u, 0xf86c6a11d0c18e95u}};
    for (u32 i = 0; i < n; i++) {
        product(&word, &factor, &word);
        add_small(&word, i);
        if (less(&factor, &word))
            subtract(&word, &factor);
    }
    return word.limb[0] ^ word.limb[3];
}

/* sort: n numbers of a xorshift sequence by heapsort. */

static u32 numbers[1 << 15];

static void sink(u32 root, u32 end) {
    u32 value = numbers[root];
    for (u32 child; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && numbers[child] < numbers[child + 1])
            child++;
        if (numbers[child] <= value)
            break;
        numbers[root] = numbers[child];
    }
    numbers[root] = value;
}

u32 EXPORT(sort)(u32 n) {
    u32 seed = 2463534242u, checksum = 0;
    if (n > sizeof numbers / sizeof *numbers)
        return 0;
    for (u32 i = 0; i < n; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        numbers[i] = seed;
    }
    for (u32 i = n / 2; i--;)
        sink(i, n);
    for (u32 i = n; i > 1;) {
        u32 top = numbers[0];
        numbers[0] = numbers[--i];
        numbers[i] = top;
        sink(0, i);
    }
    for (u32 i = 0; i < n; i++)
        checksum = checksum * 31 + numbers[i];
    return checksum;
}
