//! What the settings of the servers promise, for an operator.

use std::collections::HashMap;

use redis::{Cmd, Value, cmd};

use super::Redis;
use super::fault::Fault;
use super::fields::{bytes, column, list};
use super::script::Family;

/// The settings that decide what can be lost.
const SETTINGS: [&str; 5] = [
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "maxmemory-policy",
    "min-replicas-to-write",
];

impl Redis {
    /// What can be lost with the servers as they are configured, each as a sentence for an
    /// operator; nothing when a restart, or a failover, loses nothing that was acknowledged. What
    /// it says is explained in `docs/redis.md`.
    pub async fn guarantees(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for family in Family::ALL {
            let told = self.look_at(family).await.unwrap_or_else(|fault| {
                vec![format!(
                    "Whether Redis keeps what it acknowledges is not known, because its settings \
                     cannot be read: {}.",
                    fault.told()
                )]
            });
            for warning in told {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }

    /// What is to be said of the server that has a family.
    async fn look_at(&self, family: Family) -> Result<Vec<String>, Fault> {
        let mut settings = HashMap::new();
        for name in SETTINGS {
            let mut get = cmd("CONFIG");
            get.arg("GET").arg(name);
            let mut answer = pairs(self.ask(family, get).await?)?.into_iter();
            settings.insert(name, answer.next().map(|(_, value)| value).unwrap_or_default());
        }
        let mut info = cmd("INFO");
        info.arg("replication");
        let info: String = column(self.ask(family, info).await?)?;
        let replicas = info.lines().find_map(|line| line.strip_prefix("connected_slaves:"));
        let replicas = replicas.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
        Ok(self.judge(|name| settings.get(name).map_or("", String::as_str), replicas))
    }

    async fn ask(&self, family: Family, command: Cmd) -> Result<Value, Fault> {
        self.inner.link.send(&self.inner.tag(family), command, false).await
    }

    fn judge<'s>(&self, setting: impl Fn(&str) -> &'s str, replicas: u32) -> Vec<String> {
        let mut warnings = Vec::new();
        match (setting("appendonly"), setting("appendfsync")) {
            ("yes", "always") => {}
            ("yes", "everysec") => warnings.push(
                "Redis writes its append-only file to the disk once a second (appendfsync \
                 everysec): a crash loses up to two seconds of what it has acknowledged. With \
                 appendfsync always it loses nothing."
                    .to_owned(),
            ),
            ("yes", other) => warnings.push(format!(
                "Redis leaves it to the system when its append-only file reaches the disk \
                 (appendfsync {other}): a crash of its machine loses half a minute or more. Set \
                 appendfsync always."
            )),
            _ => warnings.push(
                "Redis has no append-only file (appendonly no): a restart goes back to the last \
                 snapshot, or to nothing. Set appendonly yes and appendfsync always."
                    .to_owned(),
            ),
        }
        if (setting("appendonly"), setting("no-appendfsync-on-rewrite")) == ("yes", "yes") {
            warnings.push(
                "While Redis rewrites its append-only file, it leaves it to the system when what it \
                 has acknowledged reaches the disk (no-appendfsync-on-rewrite yes). Set \
                 no-appendfsync-on-rewrite no."
                    .to_owned(),
            );
        }
        if setting("maxmemory-policy") != "noeviction" {
            warnings.push(format!(
                "Redis may throw away what it has been given when its memory is full \
                 (maxmemory-policy {}), revocations too. Set maxmemory-policy noeviction.",
                setting("maxmemory-policy")
            ));
        }
        warnings.extend(self.judge_replication(setting("min-replicas-to-write"), replicas));
        warnings
    }

    fn judge_replication(&self, least: &str, replicas: u32) -> Vec<String> {
        let mut warnings = Vec::new();
        let waits = self.inner.options.wait_replicas;
        if replicas == 0 {
            warnings.push(
                "Redis has no replica: while its machine is away, the store is, and what its disk \
                 loses is lost."
                    .to_owned(),
            );
        } else if waits == 0 {
            warnings.push(
                "Writes are acknowledged before a replica has them: a failover loses what was \
                 acknowledged in the last moment. Wait for at least one replica (wait_replicas)."
                    .to_owned(),
            );
        }
        if waits > replicas {
            warnings.push(format!(
                "Writes wait for {waits} replicas and there are {replicas}: none will be \
                 acknowledged."
            ));
        }
        if replicas > 0 && matches!(least, "0" | "") {
            warnings.push(
                "A primary that is cut off from its replicas goes on writing (min-replicas-to-write \
                 0), and what it writes until it rejoins is lost. Set min-replicas-to-write 1."
                    .to_owned(),
            );
        }
        warnings
    }
}

/// Names and values in turn.
fn pairs(value: Value) -> Result<Vec<(String, String)>, Fault> {
    let text = |value| bytes(value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (mut pairs, mut items) = (Vec::new(), list(value)?.into_iter());
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        pairs.push((text(name)?, text(value)?));
    }
    Ok(pairs)
}
