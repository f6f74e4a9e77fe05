//! Passwords that Grantor makes: long enough that nobody guesses them, easy to type once.

use grantor_core::ports::Entropy;
use zeroize::Zeroizing;

/// Characters that cannot be taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Four groups of four characters: 80 bits.
pub(crate) fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 16]);
    entropy.fill(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(19));
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 && i % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use grantor_core::ports::testing::SeededEntropy;

    use super::*;

    #[test]
    fn four_groups_of_four() {
        let text = generate(&SeededEntropy::new(1));
        assert_eq!((text.len(), text.split('-').count()), (19, 4));
    }
}
