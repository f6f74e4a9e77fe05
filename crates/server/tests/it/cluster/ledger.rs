//! What was acknowledged, and that it is so at both nodes.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::header::COOKIE;
use serde_json::Value;

use super::nodes::Cluster;
use crate::support::browser::{Browser, Page};
use crate::support::{App, Request, Server, client};

/// The tokens of one grant: the newest, and the refresh tokens that came before.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// The newest access token.
    pub(crate) access: String,
    /// The newest refresh token that was acknowledged.
    pub(crate) refresh: String,
    /// What it came from.
    spent: Vec<String>,
}

impl Chain {
    /// The first of a chain.
    pub(crate) fn of(answer: &Value) -> Self {
        let [access, refresh] = tokens(answer);
        Self { access, refresh, spent: Vec::new() }
    }

    /// The next ones.
    pub(crate) fn go_on(&mut self, answer: &Value) {
        let [access, refresh] = tokens(answer);
        self.access = access;
        if refresh != self.refresh {
            self.spent.push(std::mem::replace(&mut self.refresh, refresh));
        }
    }
}

fn tokens(answer: &Value) -> [String; 2] {
    ["access_token", "refresh_token"].map(|name| answer[name].as_str().expect("a token").to_owned())
}

/// Facts, each from an answer.
#[derive(Default)]
pub(crate) struct Ledger {
    /// People who signed in and agreed, each with the browser of the session.
    pub(crate) people: Vec<Arc<Browser>>,
    /// Codes that nobody has used.
    pub(crate) codes: Vec<(Request, String)>,
    /// Codes that were sent to `/token` without an answer: spent or not, but not twice.
    pub(crate) doubtful: Vec<(Request, String)>,
    /// Codes that were exchanged, each with the access token that it gave.
    pub(crate) spent: Vec<(Request, String, String)>,
    /// Grants that are good.
    pub(crate) chains: Vec<Chain>,
    /// Grants that were revoked.
    pub(crate) revoked: Vec<Chain>,
    /// Tokens of a machine.
    pub(crate) tokens: Vec<String>,
    /// Tokens that a machine gave back.
    pub(crate) given_back: Vec<String>,
    /// The provider's tokens that the vault gave.
    pub(crate) fetched: BTreeSet<String>,
}

/// What the store may have forgotten: what `docs/redis.md` says of a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing.
    All,
    /// What can be spent once is refused: codes, and refresh tokens that rotate.
    NothingSingleUse,
}

impl Ledger {
    /// Each fact at both nodes.
    pub(crate) async fn check(&self, cluster: &Cluster, kept: Kept) {
        self.assert_enough();
        let app = &cluster.app;
        for node in cluster.nodes() {
            self.check_at(node, app).await;
        }
        assert_eq!(self.fetched.len(), 1, "the provider's token was good all the time");
        self.check_codes(cluster, kept).await;
        self.check_chains(cluster, kept).await;
        // Last, because a replay revokes what came before it.
        for (n, (request, code, _)) in self.spent.iter().enumerate() {
            for node in both(cluster, n) {
                assert_eq!(node.redeem(app, request, code).await.status, 400, "redeemed twice");
            }
        }
    }

    fn assert_enough(&self) {
        let counts = [
            self.people.len(),
            self.codes.len(),
            self.chains.len(),
            self.revoked.len(),
            self.tokens.len(),
            self.given_back.len(),
        ];
        assert!(counts.iter().all(|count| *count > 0), "too little load: {counts:?}");
    }

    /// What stays as it is when it is looked at.
    async fn check_at(&self, node: &Server, app: &App) {
        for access in self.chains.iter().map(|own| &own.access).chain(&self.tokens) {
            let page = node.bearer("/protected", access).await;
            assert_eq!(page.status, 200, "an acknowledged access token is lost: {page:?}");
        }
        for access in self.revoked.iter().map(|own| &own.access).chain(&self.given_back) {
            let page = node.bearer("/protected", access).await;
            assert_eq!(page.status, 401, "a revoked access token works: {page:?}");
        }
        for chain in &self.revoked {
            let page = node.refresh(app, &chain.refresh).await;
            assert_eq!(page.status, 400, "a revoked refresh token works: {page:?}");
        }
        for browser in &self.people {
            let url = Request::of(app).url(node);
            let page = node.request(client().get(&url).header(COOKIE, browser.cookies())).await;
            let remembered = page.location().is_some_and(|own| own.starts_with(&app.redirect_uri));
            let what = "an acknowledged session or consent is lost";
            assert!(remembered && page.answer().contains_key("code"), "{what}: {page:?}");
        }
    }

    async fn check_codes(&self, cluster: &Cluster, kept: Kept) {
        let app = &cluster.app;
        let mut refused = 0;
        for (n, (request, code)) in self.codes.iter().enumerate() {
            let [first, second] = both(cluster, n);
            let page = first.redeem(app, request, code).await;
            match kept {
                Kept::All => assert_eq!(page.status, 200, "an acknowledged code is lost: {page:?}"),
                Kept::NothingSingleUse => assert!([200, 400].contains(&page.status), "{page:?}"),
            }
            refused += usize::from(page.status == 400);
            let again = second.redeem(app, request, code).await;
            assert_eq!(again.status, 400, "redeemed twice: {again:?}");
        }
        assert_eq!(refused > 0, kept == Kept::NothingSingleUse, "{refused} codes are refused");
        for (request, code) in &self.doubtful {
            let [a, b] = cluster.nodes();
            let (a, b) = tokio::join!(a.redeem(app, request, code), b.redeem(app, request, code));
            let won = [&a, &b].into_iter().filter(|page| page.status == 200).count();
            assert!(won <= 1, "redeemed twice: {a:?} {b:?}");
            assert!([&a, &b].iter().all(|page| [200, 400].contains(&page.status)), "{a:?} {b:?}");
        }
    }

    async fn check_chains(&self, cluster: &Cluster, kept: Kept) {
        let app = &cluster.app;
        let mut refused = 0;
        for (n, chain) in self.chains.iter().enumerate() {
            let [first, second] = both(cluster, n);
            let page = first.refresh(app, &chain.refresh).await;
            if kept == Kept::NothingSingleUse && page.status == 400 {
                let again = second.refresh(app, &chain.refresh).await;
                assert_eq!(again.status, 400, "refused at one node: {again:?}");
                refused += 1;
                continue;
            }
            let next = refresh_token(&page);
            // Whoever lost the answer gets the same one, and no second chain.
            let again = second.refresh(app, &chain.refresh).await;
            assert_eq!(refresh_token(&again), next, "{again:?}");
            assert_eq!(second.refresh(app, &next).await.status, 200, "its successor is good");
            for spent in chain.spent.iter().chain([&chain.refresh]) {
                let page = first.refresh(app, spent).await;
                assert_eq!(page.status, 400, "used twice: {page:?}");
            }
            assert_eq!(second.refresh(app, &next).await.status, 400, "reuse ends the family");
        }
        assert_eq!(refused > 0, kept == Kept::NothingSingleUse, "{refused} chains are refused");
    }
}

/// Both nodes, now this one first and now that.
fn both(cluster: &Cluster, n: usize) -> [&Server; 2] {
    let [a, b] = cluster.nodes();
    if n.is_multiple_of(2) { [a, b] } else { [b, a] }
}

fn refresh_token(page: &Page) -> String {
    assert_eq!(page.status, 200, "an acknowledged refresh token is lost: {page:?}");
    tokens(&page.json())[1].clone()
}
