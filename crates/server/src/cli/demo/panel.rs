//! What `grantor demo` prints.

use super::Running;
use crate::cli::output::say;

/// The addresses, the account, the mailbox, and what to try.
pub(super) fn show(running: &Running) {
    let Running { issuer, sample_url, google_url, account, .. } = running;
    let mail = if running.mailbox {
        format!("{issuer}/mailbox  (no mail leaves this machine)")
    } else {
        "goes out by SMTP, as configured".to_owned()
    };
    say(&format!(
        "
  Grantor demo

  Sample client   {sample_url}
  Grantor         {issuer}
  Google stand-in {google_url}
  Mailbox         {mail}
  Demo account    {username}, password {password}
  Data            {data}

  Try             Open {sample_url}, choose \"Sign in\", type any e-mail
                  address, and take the token from the mailbox. Then choose
                  \"Read your calendar\" and connect an account.
  Other commands  grantor --config {data}/grantor.toml connection list
  Without browser Stop this, and add --walk to the command.
  Stop            Ctrl-C. The next start goes on with the same data.
",
        username = account.username,
        password = account.password,
        data = running.data.display(),
    ));
}
