#!/usr/bin/env bash
# Scans, keeps the reports where the steps that follow find them, and says how it ended. Only what kept
# the scan from being made fails this step: the rest is for the last one.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check_switch summary "$INPUT_SUMMARY"
check_switch sarif "$INPUT_SARIF"
check_switch comment "$INPUT_COMMENT"

arguments=(scan)
# add TEXT [OPTION]: each line that is not empty becomes an argument, that of an option where one is
# named.
add() {
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    [ -n "$line" ] || continue
    if [ $# -gt 1 ]; then arguments+=("$2=$line"); else arguments+=("$line"); fi
  done <<<"$1"
}
add "$INPUT_TARGET" --target
add "$INPUT_PLATFORM" --platform
add "$INPUT_FAIL_ON" --fail-on
add "$INPUT_ARGUMENTS"

folder=$RUNNER_TEMP/ftcheck-report
mkdir -p "$folder"
reports=(json=ftcheck.json sarif=ftcheck.sarif markdown=ftcheck.md)
for report in "${reports[@]}"; do
  rm -f "$folder/${report#*=}"
  arguments+=(--output "${report%%=*}=$folder/${report#*=}")
done
# A path that begins with a dash stays a path.
arguments+=(--)
add "$INPUT_PATHS"

code=0
(cd -- "$INPUT_WORKING_DIRECTORY" && exec "$FTCHECK" "${arguments[@]}") || code=$?
output exit-code "$code"
for report in "${reports[@]}"; do
  if [ -s "$folder/${report#*=}" ]; then output "${report%%=*}" "$folder/${report#*=}"; fi
done
case $code in
  0 | 1 | 3) ;;
  *) exit "$code" ;;
esac
if [ "$INPUT_SUMMARY" = true ]; then
  cat "$folder/ftcheck.md" >>"$GITHUB_STEP_SUMMARY"
fi
