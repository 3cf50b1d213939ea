#!/bin/sh
# Puts the SARIF 2.1.0 schema where tests/sarif.rs looks for it. It comes from a package of the npm
# registry that ships it, pinned by version and by the hash of the file.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
package=@microsoft/jest-sarif@1.0.0-beta.0
file=package/lib/schemas/sarif-2.1.0-rtm.5.json
hash=2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8
wanted=$root/target/test-tools/sarif-schema-2.1.0.json
matches() { echo "$hash  $1" | sha256sum --check --status; }
if [ -f "$wanted" ] && matches "$wanted"; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" "$package" >/dev/null
tar -xzf "$folder"/*.tgz -C "$folder" "$file"
matches "$folder/$file" || { echo "the schema in $package is not the expected one" >&2; exit 1; }
mkdir -p "$(dirname "$wanted")"
mv "$folder/$file" "$wanted"
