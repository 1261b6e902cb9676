#!/usr/bin/env bash
# Builds the documentation site into artifacts/docs and serves it on loopback. Builds what has changed since the last time.
#   ./docs.sh              http://127.0.0.1:5091
#   ./docs.sh --port 8090  another port
#   ./docs.sh --build      builds only; a broken link, anchor or cross reference fails the build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
work=artifacts/docs-work site=artifacts/docs
port=5091 serve=true

fail() { echo "docs.sh: $*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    --build) serve=false ;;
    --port) [[ ${2:-} =~ ^[0-9]+$ && $2 -le 65535 ]] || fail "--port needs a number from 0 to 65535."; port=$2; shift ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0 || exit 2 ;;
  esac
  shift
done

need() { command -v "$1" > /dev/null 2>&1 || fail "$2 is missing. Install it from $3."; }
need dotnet "the .NET SDK 10" https://dotnet.microsoft.com/download
need node "Node.js 20 or later" https://nodejs.org
need npm "npm, which comes with Node.js," https://nodejs.org
mkdir -p "$work"

# A command that says nothing unless it fails.
step() { # what is said, command ...
  local log=$work/step.log
  echo "$1 ..."; shift
  "$@" > "$log" 2>&1 || { cat "$log" >&2; fail "'$*' failed; its output is above."; }
}

# Names, sizes and times of change of everything that a part is built from.
fingerprint() { # files and folders
  find "$@" \( -name bin -o -name obj -o -name node_modules -o -name dist \) -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort | sha256sum
}
changed() { [ "$(cat "$work/$1.stamp" 2> /dev/null)" != "$2" ]; } # name, fingerprint

tools=$(fingerprint .config)
if changed tools "$tools"; then
  step "Restoring docfx" dotnet tool restore
  echo "$tools" > "$work/tools.stamp"
fi
# npm writes this file at the end of each installation.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  step "Restoring the web packages" npm ci --no-audit --no-fund --loglevel=error
fi

typescript=$(fingerprint clients/typescript/src clients/typescript/*.json package-lock.json scripts/docs-typescript.mjs)
if changed typescript "$typescript"; then
  rm -rf "$work/typescript"
  step "Reading the TypeScript client" npx typedoc --options clients/typescript/typedoc.json
  step "Listing its exports" node scripts/docs-typescript.mjs
  echo "$typescript" > "$work/typescript.stamp"
fi

api=$(fingerprint src Directory.*.props Directory.Build.targets global.json .config docfx.json docs/api-filter.yml)
if changed api "$api"; then
  rm -rf "$work/dotnet"
  step "Reading the .NET packages" dotnet docfx metadata docfx.json --logLevel warning --warningsAsErrors
  echo "$api" > "$work/api.stamp"
fi

pages=$(echo "$api $typescript"; fingerprint docs docfx.json ./*.md bench/README.md clients/typescript/README.md apps/*/README.md examples/*/README.md deploy)
if changed pages "$pages" || [ ! -f "$site/index.html" ]; then
  rm -rf "$site" "$work/pages.stamp"
  step "Building the pages" dotnet docfx build docfx.json --logLevel warning --warningsAsErrors
  find "$site/public" -name '*.map' -delete
  sed -i 's/ | Dunlin *"/"/' "$site/index.json" # what a search shows
  echo "$pages" > "$work/pages.stamp"
fi
echo "The site is in $site."

if $serve; then
  if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
    fail "port $port is in use. Choose another one with --port."
  fi
  exec dotnet docfx serve "$site" --hostname 127.0.0.1 --port "$port"
fi
