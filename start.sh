#!/usr/bin/env bash
# Starts Dunlin with all its systems, or with --server first: the engine alone, as a server for back ends in any language
# (docs/start/as-a-server.md). Builds what has changed since the last start, and nothing else.
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

need() { command -v "$1" >/dev/null 2>&1 || { echo "start.sh needs $2. $3" >&2; exit 1; }; }
need dotnet "the .NET SDK 10" "See https://dotnet.microsoft.com/download"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
mkdir -p artifacts

# A fingerprint of everything that goes into a build: names, sizes and times of change.
fingerprint() { # files and folders
  find "$@" \( -name node_modules -o -name bin -o -name obj -o -name dist -o -name test \) -prune -o -type f -printf '%p %s %T@\n' 2>/dev/null | LC_ALL=C sort | sha256sum | cut -d' ' -f1
}
changed() { [ "$(cat "artifacts/$1.stamp" 2>/dev/null)" != "$2" ]; } # name, fingerprint

# What is said while building goes to the standard error: the output is the program's own, as of `--server token`.
publish() { # name, project, program, sources ...
  local name=$1 project=$2 program=$3 print log; shift 3
  print=$(fingerprint src artifacts/inspector "$@" global.json Directory.Build.props Directory.Build.targets Directory.Packages.props)
  if changed "$name" "$print" || [ ! -f "artifacts/$program" ]; then
    echo "Building the server ..." >&2
    log=$(mktemp)
    if ! dotnet publish "$project" -c Release -o "artifacts/$(dirname "$program")" --nologo -v quiet > "$log" 2>&1; then
      cat "$log" >&2
      exit 1
    fi
    rm -f "$log"
    echo "$print" > "artifacts/$name.stamp"
  fi
}

if [ "${1:-}" = "--server" ]; then
  shift
  publish standalone apps/server standalone/dunlin.dll apps/server apps/common
  program=$PWD/artifacts/standalone/dunlin.dll
  cd "$from" # where ./data and the files of its options are meant
  exec dotnet "$program" "$@"
fi

need node "Node.js 20 or later" "See https://nodejs.org"
packages=$(fingerprint package.json package-lock.json clients/*/package.json)
if changed packages "$packages" || [ ! -d node_modules ]; then
  echo "Restoring the web packages ..."
  npm ci --no-audit --no-fund --loglevel=error
  echo "$packages" > artifacts/packages.stamp
fi

web=$(fingerprint package-lock.json vite.config.ts tsconfig.base.json clients apps/*/web)
if changed web "$web" || [ ! -d artifacts/web ]; then
  echo "Building the pages ..."
  npm run --silent build
  echo "$web" > artifacts/web.stamp
fi

publish server apps/host/server host/Dunlin.Host.dll apps/*/server apps/common
program=$PWD/artifacts/host/Dunlin.Host.dll
cd "$from" # where ./data and the files of its options are meant
exec dotnet "$program" "$@"
