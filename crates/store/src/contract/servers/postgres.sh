# Runs a Postgres in a folder of its own, for as long as somebody holds the standard input open.
# The first argument says how users are let in (trust, scram-sha-256); the rest are settings.
# Prints the folder, which has the socket, then a line for each command that was done.
set -eu
own=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
folder=$(mktemp -d "${TMPDIR:-/tmp}/grantor-postgres.XXXXXXXX")
chmod 755 "$folder"
trap 'exit 1' HUP INT TERM
end() {
    # Says no when it was killed before.
    "$own/pg_ctl" stop --silent --pgdata "$folder/data" --mode immediate 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

if [ -n "${GRANTOR_TEST_PRIMARY:-}" ]; then
    "$own/pg_basebackup" --pgdata "$folder/data" --write-recovery-conf --checkpoint fast --no-sync \
        --host "$GRANTOR_TEST_PRIMARY" --username grantor
else
    echo secret >"$folder/password"
    "$own/initdb" --pgdata "$folder/data" --auth "$1" --username grantor \
        --pwfile "$folder/password" --encoding UTF8 --no-sync >"$folder/initdb.log"
fi
shift
{
    echo "unix_socket_directories = '$folder'"
    echo "listen_addresses = ''"
    echo "max_connections = 400"
    echo "shared_buffers = 32MB"
    # What is written outlives the server, not the machine.
    echo "fsync = off"
    for setting in "$@"; do echo "$setting"; done
} >>"$folder/data/postgresql.conf"
# Keys of tests, where they are.
if [ -n "${GRANTOR_TEST_TLS:-}" ]; then
    printf '%s' "$GRANTOR_TEST_TLS" >"$folder/data/server.pem"
    chmod 600 "$folder/data/server.pem"
fi

start() {
    # What was killed may take a moment to be gone.
    tries=0
    until "$own/pg_ctl" start --silent --wait --pgdata "$folder/data" --log "$folder/log" \
        >>"$folder/start.log" 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge 20 ]; then
            cat "$folder/start.log" "$folder/log" >&2
            exit 1
        fi
        sleep 0.2
    done
}

start
echo "$folder"
while read -r command; do
    case $command in
    stop) "$own/pg_ctl" stop --silent --wait --pgdata "$folder/data" --mode fast ;;
    kill)
        server=$(head -n 1 "$folder/data/postmaster.pid")
        # So that it starts no other process while those that there are are listed. They would end
        # with it only after a while, and no server starts before.
        kill -STOP "$server"
        kill -KILL $(ps -o pid= --ppid "$server") "$server" 2>/dev/null || true
        ;;
    start) start ;;
    revive) "$own/pg_ctl" status --silent --pgdata "$folder/data" >/dev/null || start ;;
    promote) "$own/pg_ctl" promote --silent --wait --pgdata "$folder/data" ;;
    esac
    echo done
done
