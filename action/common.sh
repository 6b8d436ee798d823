# What the scripts of the action share; sourced by them.
# shellcheck shell=bash

# Ends the step with a message, in which nothing can be taken for a command of the runner.
fail() {
  local message=$1
  message=${message//\%/%25}
  message=${message//$'\r'/%0D}
  message=${message//$'\n'/%0A}
  printf '::error title=ftcheck::%s\n' "$message"
  exit 2
}

output() {
  case $2 in
    *$'\n'*) fail "expected one line for the output $1" ;;
  esac
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Fails where an input is neither true nor false.
check_switch() {
  case $2 in
    true | false) ;;
    *) fail "expected true or false for the input $1, found \`$2\`" ;;
  esac
}
