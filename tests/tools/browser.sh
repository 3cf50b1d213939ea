#!/bin/sh
# Puts axe-core, which judges how usable a page is, where tests/browser looks for it. It comes from the
# npm registry, pinned by version and by the hash of the file.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
package=axe-core@4.14.1
file=package/axe.min.js
hash=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
wanted=$root/target/test-tools/axe.min.js
matches() { echo "$hash  $1" | sha256sum --check --status; }
if [ -f "$wanted" ] && matches "$wanted"; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" "$package" >/dev/null
tar -xzf "$folder"/*.tgz -C "$folder" "$file"
matches "$folder/$file" || { echo "the file in $package is not the expected one" >&2; exit 1; }
mkdir -p "$(dirname "$wanted")"
mv "$folder/$file" "$wanted"
