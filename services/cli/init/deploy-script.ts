/** What a snippet is made for. Names are plain words: nothing in them means anything to a shell or to YAML. */
export type Project = {
  readonly component: string;
  readonly environments: readonly string[];
};

/** A file that init writes. */
export type Snippet = {
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
};

/** What every script begins its work with: the command and, for as long as it runs, the key. */
const findCommandAndKey = String.raw`# Where install.sh puts it.
PATH="$PATH:${'$'}{HOME:-$PWD}/.plimsoll/bin"

if [ -n "${'$'}{MARKER_KEY:-}" ]; then
  # Without a place for the key the deployment goes on all the same.
  if PLIMSOLL_KEY=$(umask 077 && mktemp); then
    trap 'rm -f "$PLIMSOLL_KEY"' EXIT
    printf '%s' "$MARKER_KEY" >"$PLIMSOLL_KEY"
    export PLIMSOLL_KEY
  fi
  # What the deployment runs does not need it.
  unset MARKER_KEY
fi
`;

/** Leaves the exit code in $code and, where the script was asked to end, $signal. */
const runFunction = String.raw`signal=""
run() {
  "$@" <&0 &
  child=$!
  # In the background it would not hear an interrupt.
  trap 'signal=INT; kill -TERM "$child" 2>/dev/null' INT
  trap 'signal=TERM; kill -TERM "$child" 2>/dev/null' TERM
  trap 'signal=HUP; kill -TERM "$child" 2>/dev/null' HUP
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
}
`;

/** Brings the command into a job, and never fails it: the deployment is not to wait for its observer. */
export const installScript: Snippet = {
  path: '.plimsoll/install.sh',
  isExecutable: true,
  text: String.raw`#!/usr/bin/env bash
# Installs plimsoll in a job, where it is not there yet. Made by "plimsoll init". It always ends well: a deployment
# must not fail because what observes it cannot be installed. It goes into a folder of its own, for a job is seldom
# root: ~/.plimsoll/bin, where deploy.sh looks behind the PATH.
#
# MARKER_PACKAGE: what npm is to install. The name "plimsoll" in a public registry is nobody's word: name the tarball
# that "npm pack" made (a path or an address), or NAME@VERSION of your own registry.
set -uo pipefail
home=${'$'}{HOME:-$PWD}/.plimsoll
PATH="$PATH:$home/bin"
command -v plimsoll >/dev/null && exit 0
if [ -z "${'$'}{MARKER_PACKAGE:-}" ]; then
  echo "plimsoll is not installed, and MARKER_PACKAGE names no package: the deployment goes on without markers" >&2
  exit 0
fi
limit=()
command -v timeout >/dev/null && limit=(timeout 60)
# What is installed here sees no key, and runs nothing.
env -u MARKER_KEY ${'$'}{limit[@]+"${'$'}{limit[@]}"} npm install --global --prefix "$home" --ignore-scripts --no-audit --no-fund "$MARKER_PACKAGE" >&2 ||
  echo "plimsoll could not be installed: the deployment goes on without markers" >&2
exit 0
`,
};

/** The script that every snippet calls. POSIX tools and bash 3.2 are enough. */
export const deployScript = ({ component }: Project): Snippet => ({
  path: '.plimsoll/deploy.sh',
  isExecutable: true,
  text: String.raw`#!/usr/bin/env bash
# Runs a deployment and says to Plimsoll how it goes. Made by "plimsoll init"; change it as you like.
#
#   .plimsoll/deploy.sh ENVIRONMENT VERSION [OPTION of plimsoll release plan]... -- COMMAND [ARG]...
#
# Its exit code is that of the command, whatever Plimsoll says: what it cannot deliver waits in the spool.
# MARKER_KEY: the content of the key file of this environment, from the secrets of the CI.
# COMPONENT: what is deployed, if not ${component}. LEAVE_RUNNING=1: a success leaves the deployment running, as a canary
# is; .plimsoll/gate.sh, in a later job, waits for the verdict about it.
set +e -uo pipefail

usage() {
  echo "usage: $0 ENVIRONMENT VERSION [OPTION]... -- COMMAND [ARG]..." >&2
  exit 2
}
[ "$#" -ge 4 ] || usage
environment=$1
version=$2
shift 2
options=(--no-fail)
while [ "$#" -gt 0 ] && [ "$1" != "--" ]; do
  options+=("$1")
  shift
done
[ "$#" -ge 2 ] || usage
shift

${findCommandAndKey}
${runFunction}
plimsoll release plan "$environment" --environment-name="$environment" \
  --component-name="${'$'}{COMPONENT:-${component}}" --target-version="$version" "${'$'}{options[@]}" || true
plimsoll release update "$environment" --status=RUNNING --no-fail || true

run "$@"

if [ -n "$signal" ]; then
  plimsoll release update "$environment" --status=CANCELED --no-fail || true
elif [ "$code" -eq 0 ] && [ -n "${'$'}{LEAVE_RUNNING:-}" ]; then
  :
elif [ "$code" -eq 0 ]; then
  plimsoll release update "$environment" --status=SUCCESS --no-fail || true
else
  plimsoll release update "$environment" --status=FAILED --failure-reason="exit code $code" --no-fail || true
fi
exit "$code"
`,
});

/** The job after a deployment that was left running. What is no verdict does nothing: a person decides. */
export const gateScript = ({ component }: Project): Snippet => ({
  path: '.plimsoll/gate.sh',
  isExecutable: true,
  text: String.raw`#!/usr/bin/env bash
# Waits for the verdict about the canary that .plimsoll/deploy.sh with LEAVE_RUNNING=1 began in this run of the CI, then
# promotes it or rolls it back, and says to Plimsoll how it ended. Made by "plimsoll init"; change it as you like.
#
#   PROMOTE='COMMAND LINE' ROLL_BACK='COMMAND LINE' .plimsoll/gate.sh ENVIRONMENT [OPTION of plimsoll gate]...
#
# Each is a line for bash. Exit codes:
#    0  promoted
#   10  rolled back: the pipeline is to turn red
#   11  hold, 12 inconclusive, 13 no decision in time, and every other code of plimsoll gate: nothing was run, and the
#       canary stays as it is; a person decides
#   69  plimsoll is not installed, so nobody can say: the same
#   of PROMOTE or ROLL_BACK where that fails; the deployment then counts as running still
# MARKER_KEY and COMPONENT as for deploy.sh.
set +e -uo pipefail

if [ "$#" -lt 1 ] || [ -z "${'$'}{PROMOTE:-}" ] || [ -z "${'$'}{ROLL_BACK:-}" ]; then
  echo "usage: PROMOTE='COMMAND LINE' ROLL_BACK='COMMAND LINE' $0 ENVIRONMENT [OPTION]..." >&2
  exit 2
fi
environment=$1
shift
for option in "$@"; do
  case "$option" in
    -h | --help)
      echo "plimsoll gate --help shows its options; here they would end in a verdict that is none" >&2
      exit 2
      ;;
  esac
done

${findCommandAndKey}
${runFunction}
if ! command -v plimsoll >/dev/null; then
  echo "gate: plimsoll is not installed, so there is no verdict: nothing was run; a person decides" >&2
  exit 69
fi

end_if_asked() {
  [ -n "$signal" ] || return 0
  echo "gate: asked to end: nothing was run; a person decides" >&2
  exit 143
}

run plimsoll gate "$environment" --environment-name="$environment" \
  --component-name="${'$'}{COMPONENT:-${component}}" "$@"
verdict=$code
end_if_asked
case "$verdict" in
  0) line=$PROMOTE what=PROMOTE ended=(--status=SUCCESS) ;;
  10) line=$ROLL_BACK what=ROLL_BACK ended=(--status=FAILED --failure-reason='rolled back') ;;
  *)
    echo "gate: no verdict (exit code $verdict): nothing was run; a person decides" >&2
    exit "$verdict"
    ;;
esac

end_if_asked
run bash -c "$line"
if [ "$code" -ne 0 ]; then
  echo "gate: $what failed (exit code $code): how $environment stands is not known; a person decides" >&2
  exit "$code"
fi
plimsoll release update "$environment" "${'$'}{ended[@]}" --no-fail || true
exit "$verdict"
`,
});
