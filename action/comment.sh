#!/usr/bin/env bash
# Keeps one comment on the pull request up to date: with what the change does, where its base was scanned.
set -euo pipefail

arguments=(comment --report "$REPORT")
[ -z "$BASE" ] || arguments+=(--base "$BASE")
# Where no comment may be written the text goes to the summary, unless that has the whole report already.
if [ "$INPUT_SUMMARY" = true ]; then unset GITHUB_STEP_SUMMARY; fi
exec "$FTCHECK" "${arguments[@]}"
