//! The two people who have an account everywhere.

/// A person with an account at every provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// What `?as=` in an authorization URL says.
    pub(crate) key: &'static str,
    /// Their number, where a provider has numbers.
    pub(crate) number: u64,
    /// Their name.
    pub(crate) name: &'static str,
    /// The first word of it.
    pub(crate) given: &'static str,
    /// The last word of it.
    pub(crate) family: &'static str,
    /// Their address.
    pub(crate) email: &'static str,
}

/// Everybody.
pub(crate) const PEOPLE: [Person; 2] = [
    Person {
        key: "ada",
        number: 1815,
        name: "Ada Lovelace",
        given: "Ada",
        family: "Lovelace",
        email: "ada@example.com",
    },
    Person {
        key: "grace",
        number: 1906,
        name: "Grace Hopper",
        given: "Grace",
        family: "Hopper",
        email: "grace@example.com",
    },
];

impl Person {
    /// Who goes by this key or address.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.key == key || person.email == key)
    }

    /// Their id in the form of a UUID.
    pub(crate) fn uuid(&self) -> String {
        format!("5b1f0c1e-0000-4000-8000-{:012}", self.number)
    }
}
