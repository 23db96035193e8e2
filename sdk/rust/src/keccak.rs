//! Keccak-256 while the compiler runs, for selectors and topics. At run time the host's function is cheaper.
//!
//! Source: FIPS 202 (the permutation), with the padding that Ethereum kept from before the standard.

const ROUNDS: usize = 24;
const RATE: usize = 136;

/// The constants of step iota, made by the LFSR of FIPS 202, algorithm 5.
const IOTA: [u64; ROUNDS] = {
    let mut constants = [0; ROUNDS];
    let (mut lfsr, mut round) = (1u8, 0);
    while round < ROUNDS {
        let mut j = 0;
        while j < 7 {
            if lfsr & 1 == 1 {
                constants[round] |= 1 << ((1 << j) - 1);
            }
            lfsr = (lfsr << 1) ^ (if lfsr & 0x80 != 0 { 0x71 } else { 0 });
            j += 1;
        }
        round += 1;
    }
    constants
};

const fn permute(mut lane: [u64; 25]) -> [u64; 25] {
    let mut round = 0;
    while round < ROUNDS {
        // theta
        let mut column = [0; 5];
        let mut x = 0;
        while x < 5 {
            column[x] = lane[x] ^ lane[x + 5] ^ lane[x + 10] ^ lane[x + 15] ^ lane[x + 20];
            x += 1;
        }
        let mut i = 0;
        while i < 25 {
            lane[i] ^= column[(i + 4) % 5] ^ column[(i + 1) % 5].rotate_left(1);
            i += 1;
        }
        // rho and pi, which walk the same path
        let (mut x, mut y, mut t, mut moving) = (1, 0, 1, lane[1]);
        while t <= 24 {
            let next = (y, (2 * x + 3 * y) % 5);
            x = next.0;
            y = next.1;
            let kept = lane[x + 5 * y];
            lane[x + 5 * y] = moving.rotate_left((t * (t + 1) / 2) % 64);
            moving = kept;
            t += 1;
        }
        // chi
        let mut y = 0;
        while y < 25 {
            let row = [lane[y], lane[y + 1], lane[y + 2], lane[y + 3], lane[y + 4]];
            let mut x = 0;
            while x < 5 {
                lane[y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
                x += 1;
            }
            y += 5;
        }
        lane[0] ^= IOTA[round];
        round += 1;
    }
    lane
}

/// The hash of the first `size` bytes.
pub const fn keccak256(bytes: &[u8], size: usize) -> [u8; 32] {
    let mut lane = [0u64; 25];
    let (mut i, mut at) = (0, 0);
    while i < size {
        lane[at / 8] ^= (bytes[i] as u64) << (8 * (at % 8));
        i += 1;
        at += 1;
        if at == RATE {
            lane = permute(lane);
            at = 0;
        }
    }
    lane[at / 8] ^= 1 << (8 * (at % 8));
    lane[RATE / 8 - 1] ^= 1 << 63;
    lane = permute(lane);
    let mut out = [0; 32];
    i = 0;
    while i < 32 {
        out[i] = (lane[i / 8] >> (8 * (i % 8))) as u8;
        i += 1;
    }
    out
}
