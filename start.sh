#!/usr/bin/env bash
# Starts Dunlin with all its systems, or with --server first: the engine alone, as a server for back ends in any language
# (docs/start/as-a-server.md). Builds what has changed since the last start, and nothing else; pages and server at the same time.
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

need() { command -v "$1" >/dev/null 2>&1 || { echo "start.sh needs $2. $3" >&2; exit 1; }; }
need dotnet "the .NET SDK 10" "See https://dotnet.microsoft.com/download"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
mkdir -p artifacts/logs

# What is said while building goes to the standard error: the output is the program's own, as of `--server token`.
say() { echo "$*" >&2; }

# A fingerprint of everything that goes into a build: names, sizes and times of change.
fingerprint() { # files and folders
  # A folder that has not been built yet is no error.
  { find "$@" \( -name node_modules -o -name bin -o -name obj -o -name dist -o -name test \) -prune -o -type f -printf '%p %s %T@\n' 2>/dev/null || true; } | LC_ALL=C sort | sha256sum | cut -d' ' -f1
}
changed() { # name, fingerprint
  local last=''
  if [ -f "artifacts/$1.stamp" ]; then read -r last < "artifacts/$1.stamp" || true; fi
  [ "$last" != "$2" ]
}

# Parts run at the same time, each in a process group of its own, so that nothing is left when one fails or Ctrl+C is pressed.
parts=()
end_parts() { local pid; for pid in "${parts[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done; }
part() { # stamp, fingerprint, text, command ...
  local stamp=$1 print=$2 text=$3 log=artifacts/logs/start-$1.log; shift 3
  say "  $text ..."
  set -m
  {
    began=$SECONDS
    if "$@" > "$log" 2>&1 < /dev/null; then
      echo "$print" > "artifacts/$stamp.stamp"
      say "  $text: $((SECONDS - began)) s"
    else
      cat "$log" >&2
      say "  $text failed after $((SECONDS - began)) s. Its output is above and in $log."
      exit 1
    fi
  } &
  set +m
  parts+=($!)
}
finish() { # waits for all parts; the first one that fails ends the others
  local left=${#parts[@]} began=$SECONDS
  [ "$left" -gt 0 ] || return 0
  trap 'end_parts; exit 130' INT TERM
  while [ "$left" -gt 0 ]; do
    wait -n || { end_parts; exit 1; }
    left=$((left - 1))
  done
  trap - INT TERM
  say "Built in $((SECONDS - began)) s. The next start builds only what has changed."
}

server() { # name, project, program, sources ...
  local name=$1 project=$2 program=$3 print; shift 3
  print=$(fingerprint src "$@" global.json Directory.Build.props Directory.Build.targets Directory.Packages.props)
  if changed "$name" "$print" || [ ! -f "artifacts/$program" ]; then
    part "$name" "$print" "Building the server" dotnet publish "$project" -c Release -o "artifacts/$(dirname "$program")" --nologo -v quiet
  fi
}

pages() { # fingerprint of the packages if they must be restored
  if [ -n "$1" ]; then
    npm ci --no-audit --no-fund --loglevel=error
    echo "$1" > artifacts/packages.stamp
  fi
  npm run --silent build
}

if [ "${1:-}" = "--server" ]; then
  shift
  # Without Node: the inspector is in the server if its page has been built before.
  server standalone apps/server standalone/dunlin.dll apps/server apps/common apps/load artifacts/inspector
  finish
  program=$PWD/artifacts/standalone/dunlin.dll
  cd "$from" # where ./data and the files of its options are meant
  exec dotnet "$program" "$@"
fi

need node "Node.js 20 or later" "See https://nodejs.org"
restore=$(fingerprint package.json package-lock.json clients/*/package.json)
if ! changed packages "$restore" && [ -d node_modules ]; then restore=''; fi
web=$(fingerprint package-lock.json vite.config.ts tsconfig.base.json clients apps/*/web)
if [ -n "$restore" ] || changed web "$web" || [ ! -d artifacts/web ]; then
  part web "$web" "Building the pages" pages "$restore"
fi
server server apps/host/server host/Dunlin.Host.dll apps/*/server apps/common
finish
program=$PWD/artifacts/host/Dunlin.Host.dll
cd "$from" # where ./data and the files of its options are meant
exec dotnet "$program" "$@"
