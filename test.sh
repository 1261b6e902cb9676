#!/usr/bin/env bash
# Runs everything: formatting, unit and conformance tests on every back end, and the browser tests. Installs what it needs
# from Debian when it is root. The last line sums every runner: "N passed, N failed".
#   ./test.sh             everything
#   ./test.sh Core Sqlite only the .NET test projects whose names contain one of these words
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DEBIAN_FRONTEND=noninteractive
mkdir -p artifacts/test
only=("$@")
passed=0 failed=0

say() { printf '\n== %s\n' "$*"; }
add() { passed=$((passed + $1)); failed=$((failed + $2)); } # passed, failed

# One check without tests of its own counts as one.
check() { # name, command ...
  local name=$1 log; shift
  log=$(mktemp)
  if "$@" > "$log" 2>&1; then
    add 1 0; echo "ok    $name"
  else
    add 0 1; echo "FAIL  $name"; tail -n 60 "$log"
  fi
  rm -f "$log"
}

install_packages() {
  declare -A need=([chromium]=chromium [nginx]=nginx)
  local missing=()
  for command in "${!need[@]}"; do
    command -v "$command" >/dev/null 2>&1 || missing+=("${need[$command]}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "Not installed: ${missing[*]}. Install them, or run this as root; the tests that need them will fail." >&2
    return 1
  fi
  say "Installing ${missing[*]}"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > artifacts/test/apt.log 2>&1 || { tail -n 20 artifacts/test/apt.log; return 1; }
}

web() {
  say "Web: packages, types, format, unit tests, build"
  check "npm ci" npm ci --no-audit --no-fund --loglevel=error
  check "types and format" npm run --silent check
  check "build of the pages" npm run --silent build
  vitest_run artifacts/test/vitest.json "the web tests" npm test --silent --
}

# A real client package against the servers that were just built; an npm script of the package's name runs it.
client() { # package
  say "The $1 package against its server"
  vitest_run "artifacts/test/$1.json" "the $1 tests" npm run --silent "test:$1" --
}

# Runs vitest through some command, and adds what its report says.
vitest_run() { # report, name, command ...
  local report=$1 name=$2; shift 2
  rm -f "$report"
  "$@" --reporter=default --reporter=json --outputFile.json="$PWD/$report" < /dev/null
  if [ -s "$report" ]; then
    add "$(node -p "require('./$report').numPassedTests")" "$(node -p "const r=require('./$report'); r.numFailedTests + r.numPendingTests + (r.success || r.numFailedTests ? 0 : 1)")"
  else
    add 0 1; echo "FAIL  $name gave no report"
  fi
}

# Each test project is a program; its own summary is what counts, and a program without one counts as failed.
dotnet_tests() {
  say "Server: build and format"
  check "build" dotnet build Dunlin.slnx -c Release --nologo -v quiet
  check "format" dotnet format whitespace Dunlin.slnx --no-restore --verify-no-changes
  local project name summary total bad
  for project in test/*/*.csproj; do
    name=$(basename "$project" .csproj)
    wanted "$name" || continue
    say "$name"
    dotnet "test/$name/bin/Release/net10.0/$name.dll" -noLogo -parallel collections < /dev/null 2>&1 | tee "artifacts/test/$name.log"
    summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "artifacts/test/$name.log" | tail -n 1)
    if [ -z "$summary" ]; then
      add 0 1; echo "FAIL  $name ended without a summary"
      continue
    fi
    read -r total bad < <(echo "$summary" | awk -F'[:,] *' '{ print $2, $4 + $6 + $8 }')
    add $((total - bad)) "$bad"
  done
}

wanted() { # name
  [ ${#only[@]} -eq 0 ] && return 0
  local word
  for word in "${only[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

install_packages
[ ${#only[@]} -eq 0 ] && web
dotnet_tests
[ ${#only[@]} -eq 0 ] && { client replicache; client rxdb; }
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
