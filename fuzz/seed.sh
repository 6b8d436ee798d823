#!/bin/sh
# Fills fuzz/corpus with the fixtures, as inputs for the targets to start from.
set -eu
here=$(dirname "$0")
fixtures=$here/../fixtures
corpus=$here/corpus
mkdir -p "$corpus/inspect_module" "$corpus/requirements_txt" "$corpus/uv_lock" \
    "$corpus/wheel_filename"

# The first byte picks the interpreter.
for module in "$fixtures"/modules/built/x86_64-linux-gnu/*.so \
    "$fixtures"/modules/built/*/declares.*; do
    folder=$(basename "$(dirname "$module")")
    for target in 0 1 2; do
        { printf "\\00$target"; cat "$module"; } \
            > "$corpus/inspect_module/$folder-$(basename "$module")-$target"
    done
done

find "$fixtures" -name 'requirements*.txt' -exec cp {} "$corpus/requirements_txt/" \;
printf 'spam[a,b] >= 1.0, != 1.5 ; python_version < "3.14" --hash=sha256:00 # note\n' \
    > "$corpus/requirements_txt/marker"
printf -- '-r other.txt\n-e .\n./spam\nspam @ https://x.org/spam-1-py3-none-any.whl\nham\\\n==1\n' \
    > "$corpus/requirements_txt/options"

# Large ones slow every step down.
find "$fixtures" -name '*uv.lock' -size -64k | while read -r lock; do
    cp "$lock" "$corpus/uv_lock/$(basename "$(dirname "$lock")")"
done
printf 'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "b", extra = ["c"], marker = "os_name == '"'nt'"'" }]\n[[package]]\nname = "b"\nversion = "2"\nsource = { registry = "https://pypi.org/simple" }\nwheels = [{ url = "https://x.org/b-2-py3-none-any.whl", hash = "sha256:00", size = 1 }]\n[package.optional-dependencies]\nc = [{ name = "a" }]\n' \
    > "$corpus/uv_lock/small"

for name in \
    spam-1.0-py3-none-any \
    spam_eggs-1.0+local-2a-cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64 \
    spam-1.0-cp315-abi3.abi3t-win_amd64-label; do
    printf '%s.whl' "$name" > "$corpus/wheel_filename/$name"
done
