/* The programs of compute.c for engines of machine code: those that end within a millisecond are also had many times
 * over, so that a call's own cost vanishes in what is timed. */

#include "compute.c"

/* sieves: n sieves, each a little smaller than the one before. */

u32 EXPORT(sieves)(u32 n) {
    u32 primes = 0;
    while (n--)
        primes += sieve((1u << 17) - n);
    return primes;
}

/* sorts: n sorts, likewise. */

u32 EXPORT(sorts)(u32 n) {
    u32 checksum = 0;
    while (n--)
        checksum = checksum * 31 + sort((1u << 15) - n);
    return checksum;
}
