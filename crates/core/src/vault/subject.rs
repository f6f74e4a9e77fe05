//! What a subject may be: the company's own id of a user or service.

use crate::error::Refusal;
use crate::registration::text::misleads;

/// Characters of a subject, at most.
const LONGEST: usize = 200;

/// What a subject is, for whoever sent another text.
pub const WANTED: &str = "send 1 to 200 printable characters, no space at either end";

/// Refuses a text that cannot be a subject: one rule for whatever connects, asks, or is held to some,
/// so that nothing is connected that cannot be asked for.
pub fn check(text: &str) -> Result<(), Refusal> {
    let fits = (1..=LONGEST).contains(&text.chars().count());
    if fits && text.trim() == text && !text.contains(misleads) {
        return Ok(());
    }
    Err(Refusal::BadParameter { name: "subject", want: WANTED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_and_can_be_read() {
        for good in ["u", "user 42", "ada@example.com", "Ädä", &"語".repeat(200)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", " ", " a", "a ", "a\n", "a\u{202e}b", &"a".repeat(201)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
