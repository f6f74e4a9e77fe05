//! Mail by SMTP: RFC 5321, RFC 3207 (STARTTLS), RFC 8314 (TLS), RFC 5322, RFC 3834 (headers).

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MailError, Mailer, Message};

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Security {
    /// TLS after a STARTTLS command, which the server must offer.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: for a server on this machine.
    None,
}

/// Where mail goes and from whom.
#[derive(Clone)]
pub(crate) struct SmtpSettings {
    /// Name or address of the server.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// A PEM file with a root certificate to trust beside the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// User name and password.
    pub(crate) credentials: Option<(String, String)>,
    /// `Name <address>` or an address.
    pub(crate) from: String,
    /// The same, for answers.
    pub(crate) reply_to: Option<String>,
    /// For the whole delivery of a mail.
    pub(crate) timeout: Duration,
}

/// Sends mail through an SMTP server, each on a connection of its own.
pub(crate) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    timeout: Duration,
}

impl Smtp {
    /// Looks at the settings only: nothing is connected before there is a mail to send.
    pub(crate) fn new(settings: SmtpSettings) -> Result<Self, MailError> {
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .timeout(Some(settings.timeout))
            .tls(protection(&settings)?);
        if let Some((user, password)) = settings.credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&settings.from)?,
            reply_to: settings.reply_to.as_deref().map(mailbox).transpose()?,
            timeout: settings.timeout,
        })
    }

    fn compose(&self, message: &Message) -> Result<lettre::Message, MailError> {
        // A bare address: with a display name, what people type would reach the header.
        let to: Address = message
            .to
            .parse()
            .map_err(|_| unsendable("the recipient is not a mail address".to_owned()))?;
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&message.subject))
            .date_now()
            .message_id(Some(message_id(self.from.email.domain())))
            // RFC 3834 §5: nobody's holiday notice shall answer it.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let parts = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
        builder.multipart(parts).map_err(|error| unsendable(error.to_string()))
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = self.compose(message)?;
        match tokio::time::timeout(self.timeout, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => {
                let text = format!("the mail server took longer than {:?}", self.timeout);
                Err(MailError { permanent: false, text })
            }
        }
    }
}

fn protection(settings: &SmtpSettings) -> Result<Tls, MailError> {
    let parameters = || {
        let mut builder = TlsParameters::builder(settings.host.clone());
        if let Some(file) = &settings.ca_file {
            builder = builder.add_root_certificate(certificate(file)?);
        }
        builder.build().map_err(|error| unsendable(format!("cannot set up TLS for mail: {error}")))
    };
    Ok(match settings.security {
        Security::Starttls => Tls::Required(parameters()?),
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::None => Tls::None,
    })
}

fn certificate(file: &Path) -> Result<Certificate, MailError> {
    let pem = std::fs::read(file)
        .map_err(|error| unsendable(format!("cannot read {}: {error}", file.display())))?;
    Certificate::from_pem(&pem)
        .map_err(|error| unsendable(format!("{} is no certificate: {error}", file.display())))
}

/// Reads `Name <address>`, with or without quotes around the name, or an address.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    let wrong = || unsendable(format!("\"{}\" is not a mail address", one_line(text)));
    if text.contains(char::is_control) {
        return Err(wrong());
    }
    let bracketed = text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let (name, address) = bracketed.unwrap_or(("", text));
    let name = name.trim();
    let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let address = address.trim().parse().map_err(|_| wrong())?;
    Ok(Mailbox::new((!bare.is_empty()).then(|| bare.to_owned()), address))
}

/// A line break in a header would start another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// RFC 5322 §3.6.4: unique, and of our domain, so that it does not name the machine inside.
fn message_id(domain: &str) -> String {
    let random = RandomState::new();
    format!("<{:016x}{:016x}@{domain}>", random.hash_one(0), RandomState::new().hash_one(1))
}

fn unsendable(text: String) -> MailError {
    MailError { permanent: true, text }
}

fn refused(error: &smtp::Error) -> MailError {
    // Wrong credentials are the operator's to mend; the mail is worth another try then.
    let credentials =
        error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    MailError { permanent: error.is_permanent() && !credentials, text: one_line(&text) }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
