//! The demo's mailbox: the last mails, in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{MailError, Mailer, Message};

/// Keeps the last mails instead of sending them.
#[derive(Debug)]
pub(crate) struct Mailbox {
    capacity: usize,
    mails: Mutex<VecDeque<Received>>,
}

/// A mail that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// When, in epoch seconds.
    pub(crate) at: i64,
    /// What.
    pub(crate) message: Message,
}

impl Mailbox {
    /// Room for `capacity` mails; a further one takes the place of the oldest.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, mails: Mutex::default() }
    }

    /// All that are kept, the newest first.
    pub(crate) fn messages(&self) -> Vec<Received> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().rev().cloned().collect()
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let at = jiff::Timestamp::now().as_second();
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() >= self.capacity {
            mails.pop_front();
        }
        mails.push_back(Received { at, message: message.clone() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_keeps_the_newest_mails_newest_first() {
        let mailbox = Mailbox::new(2);
        for subject in ["one", "two", "three"] {
            let message = Message {
                to: "a@example.com".into(),
                subject: subject.into(),
                text: String::new(),
                html: String::new(),
            };
            mailbox.send(&message).await.expect("always taken");
        }
        let kept = mailbox.messages();
        let subjects: Vec<_> = kept.iter().map(|mail| mail.message.subject.as_str()).collect();
        assert_eq!(subjects, ["three", "two"]);
        assert!(kept[0].at > 1_700_000_000);
    }
}
