#!/usr/bin/env bash
# Starts Dunlin with all its systems. Builds what has changed since the last start, and nothing else.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

need() { command -v "$1" >/dev/null 2>&1 || { echo "start.sh needs $2. $3" >&2; exit 1; }; }
need dotnet "the .NET SDK 10" "See https://dotnet.microsoft.com/download"
need node "Node.js 20 or later" "See https://nodejs.org"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
mkdir -p artifacts

# A fingerprint of everything that goes into a build: names, sizes and times of change.
fingerprint() { # folders and files
  find "$@" \( -name node_modules -o -name bin -o -name obj -o -name dist -o -name test \) -prune -o -type f -printf '%p %s %T@\n' 2>/dev/null | LC_ALL=C sort | sha256sum | cut -d' ' -f1
}
changed() { [ "$(cat "artifacts/$1.stamp" 2>/dev/null)" != "$2" ]; } # name, fingerprint

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

server=$(fingerprint src apps/*/server global.json Directory.Build.props Directory.Build.targets Directory.Packages.props)
if changed server "$server" || [ ! -f artifacts/host/Dunlin.Host.dll ]; then
  echo "Building the server ..."
  log=$(mktemp)
  if ! dotnet publish apps/host/server -c Release -o artifacts/host --nologo -v quiet > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
  echo "$server" > artifacts/server.stamp
fi

exec dotnet artifacts/host/Dunlin.Host.dll "$@"
