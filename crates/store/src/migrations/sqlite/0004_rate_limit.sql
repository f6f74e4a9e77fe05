-- Rate limits that nodes share. One process that has the file for itself does not need them.

CREATE TABLE rate_limit (
    key      BLOB    NOT NULL PRIMARY KEY, -- which limit, and a keyed hash of whose it is
    whole_at INTEGER NOT NULL              -- nothing is spent from then on; milliseconds
) STRICT, WITHOUT ROWID;
