#!/bin/sh
# Puts the programs that tests/differential compares with where it looks for them: each in a Python
# environment of its own, because their dependencies exclude each other. Versions are pinned.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
install() {
    home=$root/target/test-tools/$1
    shift
    if [ -f "$home/installed" ] && [ "$(cat "$home/installed")" = "$*" ]; then return; fi
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    # Written last: an installation that was broken off is made again.
    echo "$*" >"$home/installed"
}
# At once, because most of it is waiting; each is waited for by itself, so that none fails unseen.
install checkdmarc checkdmarc==6.0.4 dnspython==2.9.2 publicsuffixlist==1.1.2.20261023 \
    dkimpy==1.1.8 pynacl==1.6.2 &
mail=$!
install sslyze sslyze==6.3.1 nassl==5.4.0 cryptography==46.0.7 &
tls=$!
install kingfisher kingfisher-bin==2.14.0
wait "$mail"
wait "$tls"
