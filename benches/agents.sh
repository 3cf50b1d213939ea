# What measurements of agents have in common; to be read by another file of this folder, which has set `work`, the
# folder for what is written, and `name`, the first word of its figures.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
release=${RELEASE:-${CARGO_TARGET_DIR:-$root/target}/release}
agent_bin=${AGENT:-$release/launchready}
lab_bin=${LAB:-$release/launchready-lab}
ticks=$(getconf CLK_TCK)

figure() { printf 'product/%s.%s %s %s\n' "$name" "$1" "$2" "$3"; }
calc() { awk "BEGIN {$1}"; }
# Seconds of processor time of a process, without its children.
cpu_s() { sed 's/.*) //' "/proc/$1/stat" | awk -v t="$ticks" '{printf "%.2f", ($12 + $13) / t}'; }
mib() { awk -v key="$2:" '$1 == key {printf "%.1f", $2 / 1024}' "/proc/$1/status"; }
now() { date +%s.%N; }
since() { calc "printf \"%.1f\", $(now) - $1"; }
share() { calc "printf \"%.3f\", ($2 - $1) / $3"; }

# Waits until the process that was started last has written what shows that it is ready.
wait_for() { # FILE PATTERN SECONDS
  for _ in $(seq $(($3 * 10))); do
    grep -q "$2" "$1" && return
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  echo "no $2 in $1:" >&2; tail -20 "$1" >&2; exit 1
}

# Starts an agent: its process is then `agent`, and where its page is `page`.
start_agent() { # CONFIG NAME
  : >"$work/$2.err"
  # As packaging/launchready.service and packaging/Dockerfile start it.
  MALLOC_ARENA_MAX=1 "$agent_bin" agent --config "$1" >"$work/$2.out" 2>"$work/$2.err" &
  agent=$!
  wait_for "$work/$2.err" 'the page is at' 300
  page=$(sed -n 's/.*the page is at \(http:[^ ]*\)\/.*/\1/p' "$work/$2.err" | head -1)
}

start_crowd() { # OPTION…
  "$lab_bin" crowd --dir "$work" "$@" >"$work/lab.out" 2>"$work/lab.err" &
  lab=$!
  wait_for "$work/lab.out" '^ready' 120
}

# A server of PostgreSQL as Debian packs it, with an empty database: `postmaster`, and `store`, its address.
start_postgres() {
  local bin=(/usr/lib/postgresql/*/bin) as=() port
  bin=${bin[-1]}
  [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid postgres --regid postgres --clear-groups)
  mkdir "$work/postgres"; chmod 711 "$work"
  [ "$(id -u)" -ne 0 ] || chown postgres: "$work/postgres"
  "${as[@]}" "$bin/initdb" -D "$work/postgres/data" -U postgres -A trust -E UTF8 >"$work/initdb.out"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "${as[@]}" "$bin/postgres" -D "$work/postgres/data" -p "$port" -c unix_socket_directories= \
    -c listen_addresses=127.0.0.1 >"$work/postgres.out" 2>&1 &
  postmaster=$!
  wait_for "$work/postgres.out" 'ready to accept connections' 30
  export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres
  PGDATABASE=postgres PGOPTIONS= psql -qc 'CREATE DATABASE launchready'
  export PGDATABASE=launchready PGOPTIONS='-c search_path=launchready'
  store="postgres://postgres@127.0.0.1:$port/launchready"
}
# Processor time of the server and of its children, those that are gone as well.
postgres_cpu_s() {
  { cat "/proc/$postmaster/stat"; for pid in $(pgrep -P "$postmaster"); do cat "/proc/$pid/stat" || true; done; } 2>/dev/null |
    sed 's/.*) //' | awk -v t="$ticks" 'NR == 1 {sum = $14 + $15} {sum += $12 + $13} END {printf "%.2f", sum / t}'
}

lag() { curl -fsS "$1/metrics?shard=1/64" | grep '^launchready_scheduler_lag_seconds_' >"$2"; }
# The quantile of what came between two looks at a histogram, straight lines within a bucket, as Prometheus does.
quantile() { # BEFORE AFTER Q
  awk -v q="$3" '
    { n = split($1, part, "\""); key = $1 }
    FNR == NR { before[key] = $2; next }
    /_bucket/ { le[++count] = part[2]; seen[count] = $2 - before[key] }
    END {
      rank = q * seen[count]; low = 0; passed = 0
      for (i = 1; i <= count; i++) {
        if (seen[i] >= rank) {
          if (le[i] == "+Inf") { printf "over %s", low; exit }
          within = seen[i] - passed
          printf "%.3f", within ? low + (le[i] - low) * (rank - passed) / within : low; exit
        }
        low = le[i]; passed = seen[i]
      }
    }' "$1" "$2"
}
