//! Looks for the token in what comes back: an API that shows what it was asked with would give it
//! away.

use axum::body::Bytes;

/// Shorter ones would be found by accident.
const SHORTEST: usize = 16;
/// So much of a token may pass before it is known whether the rest follows.
const HARMLESS: usize = 8;

/// A search that goes on from one piece to the next (Knuth, Morris and Pratt). What may be the
/// beginning of the token is held back until it is known.
pub(super) struct Search {
    token: Vec<u8>,
    /// For each length of a match, how much still matches when the next byte does not.
    fallback: Vec<usize>,
    matched: usize,
    held: Vec<u8>,
}

/// The token was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found;

impl Search {
    pub(super) fn for_token(token: &str) -> Self {
        let token = if token.len() < SHORTEST { Vec::new() } else { token.as_bytes().to_vec() };
        Self { fallback: fallback(&token), token, matched: 0, held: Vec::new() }
    }

    /// What of the answer may go on, now that `piece` is there.
    pub(super) fn pass(&mut self, piece: Bytes) -> Result<Bytes, Found> {
        if self.token.is_empty() {
            return Ok(piece);
        }
        for byte in &piece {
            while self.matched > 0 && self.token[self.matched] != *byte {
                self.matched = self.fallback[self.matched - 1];
            }
            if self.token[self.matched] == *byte {
                self.matched += 1;
            }
            if self.matched == self.token.len() {
                return Err(Found);
            }
        }
        if self.held.is_empty() && self.matched < HARMLESS {
            return Ok(piece);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(&piece);
        let back = if self.matched < HARMLESS { 0 } else { self.matched.min(all.len()) };
        self.held = all.split_off(all.len() - back);
        Ok(all.into())
    }

    /// What was held back, when nothing follows any more.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).into()
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.token);
    }
}

fn fallback(token: &[u8]) -> Vec<usize> {
    let mut table = vec![0; token.len()];
    for at in 1..token.len() {
        let mut matched = table[at - 1];
        while matched > 0 && token[matched] != token[at] {
            matched = table[matched - 1];
        }
        table[at] = matched + usize::from(token[matched] == token[at]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ya29.ya29.ya29.abcdef";

    fn passed(pieces: &[&str]) -> Result<String, Found> {
        let mut search = Search::for_token(TOKEN);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend(search.pass(Bytes::copy_from_slice(piece.as_bytes()))?);
        }
        out.extend(search.rest());
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn the_token_is_found_however_it_is_cut() {
        let text = format!("{{\"authorization\":\"Bearer ya29.ya29.{TOKEN}\"}}");
        for first in 0..text.len() {
            for second in first..text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(passed(&pieces), Err(Found), "{pieces:?}");
            }
        }
    }

    #[test]
    fn what_is_not_the_token_passes_unchanged() {
        let text = format!("ya29.ya29.ya29.abcdex {} ya29.", &TOKEN[..20]);
        for cut in 0..text.len() {
            assert_eq!(passed(&[&text[..cut], &text[cut..]]), Ok(text.clone()), "{cut}");
        }
        let singles: Vec<String> = text.chars().map(String::from).collect();
        let singles: Vec<&str> = singles.iter().map(String::as_str).collect();
        assert_eq!(passed(&singles), Ok(text));
    }

    #[test]
    fn no_more_than_a_few_bytes_of_the_token_get_out() {
        let mut search = Search::for_token(TOKEN);
        let mut out = Vec::new();
        for byte in TOKEN.bytes() {
            match search.pass(Bytes::from(vec![byte])) {
                Ok(piece) => out.extend(piece),
                Err(Found) => break,
            }
        }
        assert!(out.len() < HARMLESS, "{out:?}");
    }

    #[test]
    fn a_short_token_is_not_looked_for() {
        let mut search = Search::for_token("abc");
        assert_eq!(search.pass(Bytes::from_static(b"xabcx")), Ok(Bytes::from_static(b"xabcx")));
    }
}
