//! The pages that people see: view structs in, HTML out. No store, no HTTP, no clock.

mod account;
mod assets;
mod browser;
mod callback;
mod confirm;
mod connect;
mod connect_end;
mod connections;
mod consent;
mod device;
mod docs;
mod error;
mod form_post;
mod home;
mod language;
mod logout;
pub(crate) mod mail;
mod mailbox;
mod select_account;
mod sign_in_address;
mod sign_in_form;
mod sign_in_frame;
mod sign_in_token;
mod templates;
mod text;
mod texts;
mod time;

#[cfg(test)]
mod look;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use minijinja::{Environment, Value, context, value::Serde};
use serde::Serialize;

pub(crate) use account::{Account, AccountNotice, ConsentRow, SessionRow};
pub(crate) use assets::asset;
pub(crate) use callback::{Callback, Redeem};
pub(crate) use confirm::Confirm;
pub(crate) use connect::{AccountView, ConnectConfirm, ConnectResult, ConnectStart};
pub(crate) use connect_end::{ConnectEnd, ConnectEndKind};
pub(crate) use connections::{ConnectionRow, Connections, ConnectionsNotice, Offer, RowStatus};
pub(crate) use consent::{AccessPeriod, Consent, ConsentClient, ScopeRow};
pub(crate) use device::{DeviceCode, DeviceConfirm, DeviceDone};
pub(crate) use docs::{
    Docs, DocsAnswer, DocsBlock, DocsError, DocsField, DocsGroup, DocsOperation, DocsPage,
    DocsSample, DocsSpan, DocsTable,
};
pub(crate) use error::{ErrorKind, ErrorPage};
pub(crate) use form_post::FormPost;
pub(crate) use home::Home;
pub(crate) use language::{Language, negotiate};
pub(crate) use logout::{LogoutConfirm, SignedOut};
pub(crate) use mailbox::{Mailbox, MailboxMail};
pub(crate) use select_account::SelectAccount;
pub(crate) use sign_in_address::{AddressError, SignInAddress};
pub(crate) use sign_in_form::{FormError, FormField, SignInForm};
pub(crate) use sign_in_frame::{Alternative, SignInFrame};
pub(crate) use sign_in_token::{SignInToken, TokenError};

/// One page: the data that its template shows.
pub(crate) trait Page: Serialize + Sized {
    /// The template's path below `templates/`.
    const TEMPLATE: &'static str;

    /// Every state that the page can be in, with ordinary and with hostile data. An operator's own
    /// templates are tried with them at start, and the tests look at each.
    fn samples() -> Vec<Self>;
}

/// What every page needs beside its own data.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Frame {
    /// The language of the texts.
    pub(crate) language: Language,
    /// The value of the hidden `csrf` field of every POST form; a page with a form needs one.
    pub(crate) csrf: Option<String>,
    /// Quoted by people who ask for help.
    pub(crate) request_id: String,
    /// Epoch seconds; times in words count from here.
    pub(crate) now: i64,
    /// Says "demo" beside the name.
    pub(crate) demo: bool,
}

/// Whose server this is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Brand {
    /// Shown beside the mark or logo, and in titles and mails.
    pub(crate) operator_name: String,
    /// Replaces the mark. Its origin has to be in the `img-src` of the content security policy.
    pub(crate) logo_url: Option<String>,
}

impl Default for Brand {
    fn default() -> Self {
        Self { operator_name: "Grantor".to_owned(), logo_url: None }
    }
}

/// A name and a value that a form carries unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HiddenField {
    /// The field's name.
    pub(crate) name: String,
    /// Its value, kept byte for byte.
    pub(crate) value: String,
}

impl HiddenField {
    /// A field from anything that reads as text.
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Why the pages could not be made or a page could not be rendered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PagesError {
    /// The operator's template folder, or a file in it, cannot be read.
    #[error("cannot read the template folder {}: {source}", path.display())]
    Folder {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A template does not parse, or needs something that its page does not have.
    #[error("template {name}: {source:#}")]
    Template {
        /// Its path below the template folder.
        name: String,
        /// What the engine said, with the line.
        source: minijinja::Error,
    },
    /// A language file is broken.
    #[error("texts in {language}: {problem}")]
    Texts {
        /// The language's tag.
        language: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Every template in every language, built once at start.
#[derive(Debug)]
pub(crate) struct Pages {
    environments: Vec<(Language, Environment<'static>)>,
    brand: Brand,
}

impl Pages {
    /// Reads the embedded templates, then those of `override_dir`, which win by path
    /// (`sign_in_token.html`, `mail/admin_token.txt`). With a folder given, every page is tried
    /// with its samples, so that a mistake in it stops the start and not a person's sign-in.
    pub(crate) fn new(override_dir: Option<&Path>, brand: Brand) -> Result<Self, PagesError> {
        let base = templates::environment(override_dir)?;
        let environments = Language::ALL
            .into_iter()
            .map(|language| Ok((language, texts::speak(base.clone(), language)?)))
            .collect::<Result<_, PagesError>>()?;
        let pages = Self { environments, brand };
        if override_dir.is_some() {
            pages.each_sample(|_, page| page.map(drop))?;
        }
        Ok(pages)
    }

    /// The page as HTML.
    pub(crate) fn render<P: Page>(&self, page: &P, frame: &Frame) -> Result<String, PagesError> {
        self.render_template(P::TEMPLATE, frame.language, Value::from(Serde(page)), frame)
    }

    /// The name that the operator goes by.
    pub(crate) fn brand(&self) -> &Brand {
        &self.brand
    }

    fn render_template(
        &self,
        name: &str,
        language: Language,
        page: Value,
        frame: impl Serialize,
    ) -> Result<String, PagesError> {
        let environment = self
            .environments
            .iter()
            .find_map(|(spoken, environment)| (*spoken == language).then_some(environment));
        let Some(environment) = environment else {
            return Err(PagesError::Texts { language: language.tag(), problem: "none".to_owned() });
        };
        environment
            .get_template(name)
            .and_then(|template| {
                template.render(context! {
                    page,
                    frame => Value::from(Serde(frame)),
                    brand => Value::from(Serde(&self.brand)),
                    lang => language.tag(),
                })
            })
            .map_err(|source| PagesError::Template { name: name.to_owned(), source })
    }

    /// Renders every sample of every page in every language.
    fn each_sample(
        &self,
        mut visit: impl FnMut(Sample, Result<String, PagesError>) -> Result<(), PagesError>,
    ) -> Result<(), PagesError> {
        macro_rules! pages {
            ($($page:ty),* $(,)?) => {$(
                for (number, page) in <$page>::samples().iter().enumerate() {
                    for language in Language::ALL {
                        let sample = Sample { template: <$page>::TEMPLATE, number, language };
                        visit(sample, self.render(page, &Frame::sample(language)))?;
                    }
                }
            )*};
        }
        pages!(
            Account,
            Callback,
            Confirm,
            ConnectConfirm,
            ConnectEnd,
            ConnectResult,
            ConnectStart,
            Connections,
            Consent,
            DeviceCode,
            DeviceConfirm,
            DeviceDone,
            Docs,
            ErrorPage,
            FormPost,
            Home,
            LogoutConfirm,
            Mailbox,
            SelectAccount,
            SignInAddress,
            SignInForm,
            SignInToken,
            SignedOut,
        );
        for language in Language::ALL {
            for (number, mail) in mail::AdminTokenMail::samples().iter().enumerate() {
                let sample = Sample { template: "mail/admin_token.html", number, language };
                visit(sample, mail.render(self, language).map(|parts| parts.html))?;
            }
        }
        Ok(())
    }
}

/// Which rendering this is.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests name their pictures by it"))]
struct Sample {
    template: &'static str,
    number: usize,
    language: Language,
}

impl Frame {
    fn sample(language: Language) -> Self {
        Self {
            language,
            csrf: Some("csrf-sample".to_owned()),
            request_id: "01JD7Y3C8Q".to_owned(),
            now: time::SAMPLE_NOW,
            demo: true,
        }
    }
}
