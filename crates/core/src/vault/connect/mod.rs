//! Connecting an account: the flow at the provider, from the making of a link to the stored grant.
//!
//! The steps, in their order; each is a file:
//!
//! 1. [`begin`]: who asks may ask, and a connect session is made: a link.
//! 2. [`open`]: the link is opened in a browser; `self_service` and `link` show a page first.
//! 3. [`leave`]: `state`, PKCE verifier and nonce are made, and the browser goes to the provider.
//! 4. [`callback`]: it comes back; the checks are in that file, in their order.
//! 5. [`complete`] by the application (`bound`), or [`answer`] by the person (`link`): only now is
//!    a grant of these modes stored. With `self_service` it is stored at once.
//!
//! State and PKCE tie the callback to the browser that left. They do not say whose account it
//! should be: whoever sends somebody else a link of his own gets that person's account attached to
//! his subject. That is what the modes are for.

mod answer;
mod begin;
mod callback;
mod exchange;
mod flow;
mod grant;
mod id_token;
mod note;
mod start;
mod stop;

pub use answer::{answer, complete, status};
pub use begin::{Asked, Link, begin};
pub use callback::{Outcome, Returned, callback};
pub use grant::{Connected, Unconfirmed};
pub use id_token::ExpectedIdToken;
pub use start::{Ahead, Opened, Visitor, leave, open};
pub use stop::{DeadEnd, Mismatch, Stop};
