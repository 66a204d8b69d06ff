//! Numbers out of a seed: what a test draws, it draws again when it is given the same seed.

/// A stream of numbers.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next number below `n`.
    pub(crate) fn roll(&mut self, n: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// Whether the one in so many is hit.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}
