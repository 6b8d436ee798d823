#!/usr/bin/env bash
# Scans, keeps the reports where the steps that follow find them, and says how it ended. Only what kept
# the scan from being made fails this step: the rest is for the last one.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check_switch summary "$INPUT_SUMMARY"
check_switch sarif "$INPUT_SARIF"
check_switch comment "$INPUT_COMMENT"
check_switch comment-all "$INPUT_COMMENT_ALL"

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
# The same is asked of both sides of a change.
common=("${arguments[@]}")

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

# scan_base: scans what the pull request would be merged into, in a folder of its own. What keeps it from
# being done is told; the comment then tells everything.
scan_base() {
  local base='' tree=$RUNNER_TEMP/ftcheck-base inside code=0
  # What is checked out for a pull request is its merge, whose first parent is the other side. A branch
  # may end in a merge too, of the other side into it: what it merges is not the pull request's head.
  if [ -n "$HEAD_SHA" ] && [ "$(git rev-parse --quiet --verify 'HEAD^2^{commit}')" = "$HEAD_SHA" ]; then
    base=$(git rev-parse 'HEAD^1')
  elif [[ $BASE_SHA =~ ^[0-9a-f]{40}$|^[0-9a-f]{64}$ ]]; then
    base=$BASE_SHA
    git cat-file -e "$base^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 origin "$base" || return
  fi
  [ -n "$base" ] || return
  inside=$(git rev-parse --show-prefix)
  rm -rf "$tree"
  git worktree prune
  git -c core.hooksPath=/dev/null worktree add --quiet --force --detach "$tree" "$base" || return
  if [ -d "$tree/$inside" ]; then
    (cd -- "$tree/$inside" && "$FTCHECK" "${common[@]}" --output "json=$folder/base.json" --quiet -- \
      ${paths[@]+"${paths[@]}"}) || code=$?
  fi
  git worktree remove --force "$tree"
  return "$code"
}

rm -f "$folder/base.json"
# Before the scan that counts, so that files that the arguments name are that one's in the end.
if [ "$INPUT_COMMENT" = true ] && [ "$INPUT_COMMENT_ALL" = false ]; then
  # Behind the reports and the `--`.
  paths=("${arguments[@]:$((${#common[@]} + 2 * ${#reports[@]} + 1))}")
  (cd -- "$INPUT_WORKING_DIRECTORY" && scan_base) || true
fi
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
if [ "$INPUT_COMMENT" = true ] && [ "$INPUT_COMMENT_ALL" = false ]; then
  if [ -s "$folder/base.json" ]; then
    output base "$folder/base.json"
  else
    echo "::notice title=ftcheck::what the pull request would be merged into could not be scanned: the comment tells everything (actions/checkout with fetch-depth 2 has it)"
  fi
fi
if [ "$INPUT_SUMMARY" = true ]; then
  cat "$folder/ftcheck.md" >>"$GITHUB_STEP_SUMMARY"
fi
