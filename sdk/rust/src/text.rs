//! Text put together while the compiler runs: signatures and declarations.

/// Bytes of the longest declaration. One that is longer does not compile.
const LONGEST: usize = 1024;

#[derive(Clone, Copy)]
pub struct Text {
    byte: [u8; LONGEST],
    size: usize,
}

impl Text {
    pub const fn new(text: &str) -> Text {
        Text { byte: [0; LONGEST], size: 0 }.then(text)
    }

    pub const fn size(&self) -> usize {
        self.size
    }

    pub const fn then(self, text: &str) -> Text {
        self.part(text.as_bytes(), text.len())
    }

    pub const fn and(self, other: &Text) -> Text {
        self.part(&other.byte, other.size)
    }

    const fn part(mut self, bytes: &[u8], size: usize) -> Text {
        let mut i = 0;
        while i < size {
            self.byte[self.size] = bytes[i];
            self.size += 1;
            i += 1;
        }
        self
    }

    pub const fn number(self, number: usize) -> Text {
        let digit = [b'0' + (number % 10) as u8];
        if number < 10 {
            self.part(&digit, 1)
        } else {
            self.number(number / 10).part(&digit, 1)
        }
    }

    /// A name as other languages know it: `total_supply` is `totalSupply`, `from_` is `from`, `MAX_SIZE` stays.
    pub const fn name(mut self, name: &str) -> Text {
        let bytes = name.as_bytes();
        let mut small = false;
        let mut i = 0;
        while i < bytes.len() {
            small |= bytes[i] >= b'a' && bytes[i] <= b'z';
            i += 1;
        }
        let mut raise = false;
        i = 0;
        while i < bytes.len() {
            let byte = bytes[i];
            if byte == b'_' && small && i > 0 {
                raise = true;
            } else {
                self = self.part(&[if raise { byte.to_ascii_uppercase() } else { byte }], 1);
                raise = false;
            }
            i += 1;
        }
        self
    }

    /// A comma, unless a list has just begun.
    pub const fn comma(self, separator: &str) -> Text {
        if self.size > 0 && self.byte[self.size - 1] == b'(' {
            self
        } else {
            self.then(separator)
        }
    }

    /// The text as bytes of a length that the compiler knows.
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        let mut i = 0;
        while i < N {
            out[i] = self.byte[i];
            i += 1;
        }
        out
    }

    /// The Keccak-256 hash.
    pub const fn hash(&self) -> [u8; 32] {
        crate::keccak::keccak256(&self.byte, self.size)
    }

    /// A function's or error's selector, as a number that is compared with the input's first bytes as they lie there.
    pub const fn selector(&self) -> u32 {
        let hash = self.hash();
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
}
