-- What the SQL of the tests takes from SQLite.
CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS $$ SELECT upper(encode($1, 'hex')) $$;
CREATE FUNCTION unixepoch() RETURNS bigint LANGUAGE sql
    AS $$ SELECT floor(extract(epoch FROM clock_timestamp()))::bigint $$;
CREATE FUNCTION randomblob(integer) RETURNS bytea LANGUAGE sql
    AS $$ SELECT substr(uuid_send(gen_random_uuid()), 1, $1) $$;
CREATE FUNCTION json_extract(text, text) RETURNS text LANGUAGE sql
    AS $$ SELECT $1::json #>> string_to_array(substr($2, 3), '.') $$;
CREATE FUNCTION json_set(text, text, bigint) RETURNS text LANGUAGE sql
    AS $$ SELECT jsonb_set($1::jsonb, string_to_array(substr($2, 3), '.'), to_jsonb($3))::text $$;
CREATE FUNCTION member(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $1::json ->> $2 $$;
CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = text, FUNCTION = member);
CREATE FUNCTION joined(text, text, text) RETURNS text LANGUAGE sql
    AS $$ SELECT coalesce($1 || $3, '') || $2 $$;
CREATE AGGREGATE group_concat(text, text) (SFUNC = joined, STYPE = text);
CREATE FUNCTION joined(text, text) RETURNS text LANGUAGE sql
    AS $$ SELECT coalesce($1 || ',', '') || $2 $$;
CREATE AGGREGATE group_concat(text) (SFUNC = joined, STYPE = text);
CREATE FUNCTION json_insert(text, text, text, text, text) RETURNS text LANGUAGE sql
    AS $$ SELECT ($1::jsonb || jsonb_build_object(substr($2, 3), $3, substr($4, 3), $5))::text $$;
