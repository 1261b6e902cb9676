#!/usr/bin/env bash
# Runs everything: formatting, unit and conformance tests on every back end, and the browser tests. Installs what it needs
# from Debian when it is root. The last line sums every runner: "N passed, N failed".
#   ./test.sh             everything
#   ./test.sh Core Sqlite only the .NET test projects whose names contain one of these words
#   ./test.sh packages    only pack.sh, and the tests that install its packages
#   ./test.sh Native      only the server as one native program, and its tests against that program
#   ./test.sh docs        only the build of the documentation site, and of the .NET projects
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DEBIAN_FRONTEND=noninteractive
mkdir -p artifacts/test
only=("${@/#packages/Dunlin.Packages.Tests}")
passed=0 failed=0
failures=() # what the last lines repeat, so that nobody has to look for it
unstable=() # tests that passed only when they ran again
again_left=3
times=()    # seconds and name of each part
reports=()  # the results of the .NET tests, one file for each run

say() { printf '\n== %s\n' "$*"; }
add() { passed=$((passed + $1)); failed=$((failed + $2)); } # passed, failed
took() { times+=("$(printf '%5d s  %s' $((SECONDS - $1)) "$2")"); } # SECONDS at its start, name

# One check without tests of its own counts as one.
check() { # name, command ...
  local name=$1 log began=$SECONDS; shift
  log=$(mktemp)
  if "$@" > "$log" 2>&1; then
    add 1 0; echo "ok    $name"
  else
    add 0 1; failures+=("$name"); echo "FAIL  $name"; tail -n 60 "$log"
  fi
  took "$began" "$name"
  rm -f "$log"
}

install_packages() {
  declare -A need=([chromium-headless-shell]=chromium-headless-shell [nginx]=nginx [redis-server]=redis-server [initdb]=postgresql [systemd-analyze]=systemd [python3]=python3 [curl]=curl
    [gcc]=gcc [objcopy]=binutils [lintian]=lintian [go]=golang-go [zsh]=zsh [fish]=fish [psql]=postgresql-client [php]=php-cli)
  local missing=()
  # Debian's own interpreter: another python3 of the path does not see the packages of Debian. The tests parse /metrics with it.
  /usr/bin/python3 -c 'import prometheus_client.parser' 2>/dev/null || missing+=(python3-prometheus-client)
  php -m 2>/dev/null | grep -qx pdo_pgsql || missing+=(php-pgsql)
  /usr/bin/python3 -c 'import psycopg2' 2>/dev/null || missing+=(python3-psycopg2)
  # Debian keeps it in /usr/sbin, which is not in the path of every user.
  command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
  # The Helm chart is rendered with the libraries that Helm uses.
  [ -d /usr/share/gocode/src/github.com/Masterminds/sprig ] || missing+=(golang-github-masterminds-sprig-dev golang-gopkg-yaml.v3-dev)
  # The linker of the native program needs it.
  compgen -G "/usr/lib/*/crt1.o" > /dev/null || missing+=(libc6-dev)
  # Debian keeps initdb beside its version. The tests start servers of their own and never use one that runs already.
  for command in "${!need[@]}"; do
    command -v "$command" >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$command" >/dev/null || missing+=("${need[$command]}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "Not installed: ${missing[*]}. Install them, or run this as root; the tests that need them will fail." >&2
    return 1
  fi
  say "Installing ${missing[*]}"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > artifacts/test/apt.log 2>&1 || { tail -n 20 artifacts/test/apt.log; return 1; }
}

# Counts what a vitest run reported; a run without a report counts as failed.
vitest() { # name, npm script
  local report=artifacts/test/$2.json began=$SECONDS
  rm -f "$report"
  npm run --silent "$2" -- --reporter=default --reporter=json --outputFile.json="$PWD/$report" < /dev/null
  took "$began" "$1"
  if [ ! -s "$report" ]; then
    add 0 1; failures+=("$1 gave no report"); echo "FAIL  $1 gave no report"
    return
  fi
  local good bad
  read -r good bad < <(node -p "const r = require('./$report'); const bad = r.numFailedTests + r.numPendingTests; r.numPassedTests + ' ' + (bad || (r.success ? 0 : 1))")
  add "$good" "$bad"
  while read -r line; do failures+=("$1: $line"); done < <(node -e "
    for (const file of require('./$report').testResults)
      for (const test of file.assertionResults)
        if (test.status !== 'passed') console.log(test.fullName, '-', (test.failureMessages[0] ?? test.status).split('\\n')[0])")
}

web() {
  say "Web: packages, types, format, lint, unit tests, build"
  check "npm ci" npm ci --no-audit --no-fund --loglevel=error
  check "types, format, lint and the package" npm run --silent check
  check "build of the pages" npm run --silent build
  vitest "the web tests" test
}

# A real client package against the servers that were just built; an npm script of the package's name runs it.
client() { # package
  say "The $1 package against its server"
  vitest "the $1 tests" "test:$1"
}

# The site of the documentation; broken links, anchors and cross references fail its build.
docs() {
  say "Documentation"
  check "documentation site" ./docs.sh --build
}

format() { dotnet tool restore && dotnet csharpier check .; }

# Each test project is a program; its own summary is what counts, and a program without one counts as failed.
dotnet_tests() {
  say "Server: build and format"
  # One compiler for all projects, whatever the environment says: starting one for each costs minutes.
  check "build" dotnet build Dunlin.slnx -c Release --nologo -v quiet -p:UseSharedCompilation=true
  dotnet build-server shutdown --vbcscompiler > /dev/null 2>&1
  check "format" format
  check "commit subjects" scripts/check-commits.sh
  local project name
  for project in test/*/*.csproj; do
    name=$(basename "$project" .csproj)
    wanted "$name" || continue
    run_tests "$name" "$name"
  done
  # The systems once more, unchanged, on a PostgreSQL that the tests start for themselves.
  for name in Dunlin.Replicache.Tests Dunlin.Warranty.Tests Dunlin.Documents.Tests Dunlin.Focus.Tests Dunlin.RxDb.Tests Dunlin.Wishlists.Tests Dunlin.Server.Tests Dunlin.Yjs.Tests \
    Dunlin.EntityFrameworkCore.Tests; do
    wanted "$name.Postgres" && DUNLIN_TEST_STORE=postgres run_tests "$name" "$name.Postgres"
  done
  # The browser tests of one system again, behind a proxy that lets no stream pass, and behind one that refuses WebSockets too. The page that
  # shows a native EventSource needs a stream.
  for name in no-sse long-poll; do
    wanted "Dunlin.E2E.Tests.$name" && DUNLIN_TEST_PROXY=$name run_tests Dunlin.E2E.Tests "Dunlin.E2E.Tests.$name" \
      -namespace Dunlin.E2E.Tests.Todos -trait- Needs=EventSource
  done
  wanted Dunlin.Native && native_tests
}

# The server as one native program: pack.sh ships it, and the tests of the server run against it.
native_program() {
  say "Native program"
  check "native program" scripts/publish-native.sh --output artifacts/native/test
}

native_tests() {
  [ -x artifacts/native/test/dunlin ] || return
  export DUNLIN_TEST_SERVER=artifacts/native/test/dunlin
  run_tests Dunlin.Server.Tests Dunlin.Server.Tests.Native
  DUNLIN_TEST_STORE=postgres run_tests Dunlin.Server.Tests Dunlin.Server.Tests.Native.Postgres
  unset DUNLIN_TEST_SERVER
}

run_tests() { # project, title, options of the runner ...
  local log="artifacts/test/$2.log" report="artifacts/test/$2.xml" summary total bad began=$SECONDS options=("${@:3}")
  reports+=("$report")
  # Classes that start stores of their own have run already, and another store changes nothing about them.
  [ "${DUNLIN_TEST_STORE:-}" = postgres ] && options+=(-trait- Store=own)
  say "$2"
  # A test that never ends is named every two minutes, and ends the program after the limit instead of the whole run.
  timeout --kill-after=30 1500 dotnet "test/$1/bin/Release/net10.0/$1.dll" -noLogo -noColor -parallel collections -longRunning 120 -xml "$report" "${options[@]}" < /dev/null 2>&1 | tee "$log"
  took "$began" "$2"
  summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
  if [ -z "$summary" ]; then
    add 0 1; failures+=("$2 ended without a summary$(grep -oE "\[Long Running Test\] '[^']*'" "$log" | sort -u | sed 's/^.*] /; still running: /' | tr -d '\n')")
    echo "FAIL  ${failures[-1]}"
    return
  fi
  read -r total bad < <(echo "$summary" | awk -F'[:,] *' '{ print $2, $4 + $6 + $8 }')
  if [ "$bad" -gt 0 ] && again "$1" "$2" "$log"; then
    bad=0
  else
    while read -r line; do failures+=("$2: $line"); done < <(grep -A 4 '\[FAIL\]$' "$log" | cut -c1-240)
  fi
  add $((total - bad)) "$bad"
}

# Two cores carry the servers, the browser and the tests, and now and then a test meets a pause that its author did not foresee. At most
# three failed tests of a whole run are run once more, alone. One that passes then is printed as unstable with its failure, so that
# somebody mends it; it fails no run. With DUNLIN_STRICT=1 there is no second try.
again() { # project, title, log of the first run; fails unless all of them pass
  local names name methods=() log="artifacts/test/$2.again.log"
  [ "${DUNLIN_STRICT:-0}" != 1 ] || return 1
  mapfile -t names < <(sed -nE 's/^ +([A-Za-z0-9_.]+)(\(.*\))? \[FAIL\]$/\1/p' "$3" | sort -u)
  [ ${#names[@]} -gt 0 ] && [ ${#names[@]} -le "$again_left" ] || return 1
  again_left=$((again_left - ${#names[@]}))
  for name in "${names[@]}"; do methods+=(-method "$name"); done
  say "Once more: ${names[*]}"
  timeout --kill-after=30 600 dotnet "test/$1/bin/Release/net10.0/$1.dll" -noLogo -noColor "${methods[@]}" < /dev/null 2>&1 | tee "$log"
  grep -qE 'Total: [1-9][0-9]*, Errors: 0, Failed: 0, Skipped: 0' "$log" || return 1
  while read -r line; do unstable+=("$2: $line"); done < <(grep -A 4 '\[FAIL\]$' "$3" | cut -c1-240)
}

# The tests install what pack.sh made.
packages() {
  say "Packages"
  check "packages" ./pack.sh --native artifacts/native/test
}

wanted() { # name
  [ ${#only[@]} -eq 0 ] && return 0
  local word
  for word in "${only[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

install_packages
[ ${#only[@]} -eq 0 ] && web
wanted docs && docs
{ wanted Dunlin.Native || wanted Dunlin.Packages.Tests; } && native_program
wanted Dunlin.Packages.Tests && packages
dotnet_tests
[ ${#only[@]} -eq 0 ] && { client replicache; client rxdb; }
say "Where the time went: $SECONDS s"
printf '%s\n' "${times[@]}" | sort -rn | head -n 30
say "The slowest tests"
grep -ohE '<test [^>]*' /dev/null "${reports[@]}" | sed -E 's/\\&quot;/"/g; s/.* name="(.*)" result.* time="([0-9.]+)".*/\2 \1/' |
  sort -rn | head -n 20 | awk '{ printf "%5d s  ", $1; $1 = ""; print substr($0, 2) }'
if [ ${#unstable[@]} -gt 0 ]; then
  say "Unstable: failed once, passed when run again"
  printf '%s\n' "${unstable[@]}"
fi
if [ ${#failures[@]} -gt 0 ]; then
  say "What failed"
  printf '%s\n' "${failures[@]}"
fi
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
