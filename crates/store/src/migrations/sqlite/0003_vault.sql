-- Tokens of others.

ALTER TABLE oauth2_client ADD COLUMN integrations TEXT NOT NULL DEFAULT '[]'; -- JSON array
