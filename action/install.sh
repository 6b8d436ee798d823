#!/usr/bin/env bash
# Fetches the release that was asked for, and takes it only where its digest is the expected one.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ -n "$INPUT_BINARY" ]; then
  [ -x "$INPUT_BINARY" ] || fail "expected a program, found none: $INPUT_BINARY"
  # Also for steps that run elsewhere.
  output ftcheck "$(cd "$(dirname "$INPUT_BINARY")" && pwd)/$(basename "$INPUT_BINARY")"
  exit
fi

[[ $INPUT_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.-]+)?$ ]] ||
  fail "expected a version such as 0.1.0, found \`$INPUT_VERSION\`"
[[ $INPUT_SHA256 =~ ^([0-9a-f]{64})?$ ]] ||
  fail "expected 64 digits of a sha256 in lower case, found \`$INPUT_SHA256\`"
[[ ${ACTION_REPOSITORY:-} =~ ^[0-9A-Za-z._-]+/[0-9A-Za-z._-]+$ ]] ||
  fail "a copy of the action has no releases: name the program with the input binary"

case "$RUNNER_OS-$RUNNER_ARCH" in
  Linux-X64) triple=x86_64-unknown-linux-musl ;;
  Linux-ARM64) triple=aarch64-unknown-linux-musl ;;
  macOS-X64) triple=x86_64-apple-darwin ;;
  macOS-ARM64) triple=aarch64-apple-darwin ;;
  Windows-X64) triple=x86_64-pc-windows-msvc ;;
  *) fail "there is no release for $RUNNER_OS on $RUNNER_ARCH" ;;
esac

folder=$RUNNER_TEMP/ftcheck-$INPUT_VERSION
name=ftcheck-$INPUT_VERSION-$triple
releases=$GITHUB_SERVER_URL/$ACTION_REPOSITORY/releases/download/v$INPUT_VERSION
mkdir -p "$folder"

fetch() {
  curl --fail --silent --show-error --location --proto-redir '=https' --retry 3 \
    --output "$folder/$1" "$releases/$1" || fail "$releases/$1: cannot be fetched"
}

fetch "$name.tar.gz"
expected=$INPUT_SHA256
if [ -z "$expected" ]; then
  fetch SHA256SUMS
  expected=$(awk -v name="$name.tar.gz" '$2 == name || $2 == "*" name { print $1 }' "$folder/SHA256SUMS")
  [[ $expected =~ ^[0-9a-f]{64}$ ]] || fail "SHA256SUMS has no digest of $name.tar.gz"
fi
if command -v sha256sum >/dev/null; then
  found=$(sha256sum <"$folder/$name.tar.gz")
else
  found=$(shasum -a 256 <"$folder/$name.tar.gz")
fi
found=${found%% *}
[ "$found" = "$expected" ] || fail "$name.tar.gz: expected sha256 $expected, found $found"

# Named relatively: tar takes the colon of a path on Windows for that of a host.
(cd "$folder" && tar -xzf "$name.tar.gz")
program=$folder/$name/ftcheck
[ "$RUNNER_OS" != Windows ] || program=$program.exe
"$program" --version
output ftcheck "$program"
