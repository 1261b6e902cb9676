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
# One compiler for all builds, whatever the environment says: starting one for each project costs minutes.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DEBIAN_FRONTEND=noninteractive UseSharedCompilation=true
# Each program of tests runs for a minute or less, too short for profiles of its methods and for small generations of its heap to pay:
# without both, the tests need a quarter less processor time. Idle threads sleep at once and leave the cores to the other programs.
export DOTNET_TieredPGO=0 DOTNET_GCgen0size=0x4000000 DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
trap 'dotnet build-server shutdown --vbcscompiler > /dev/null 2>&1' EXIT
mkdir -p artifacts/test
only=("${@/#packages/Dunlin.Packages.Tests}")
passed=0 failed=0
failures=() # what the last lines repeat, so that nobody has to look for it
unstable=() # tests that passed only when they ran again
times=()    # seconds and name of each part
runs=()     # the titles of the runs of .NET tests
later=()    # the names of the checks that run beside them
slots=3     # how many runs and checks run at once

say() { printf '\n== %s\n' "$*"; }
add() { passed=$((passed + $1)); failed=$((failed + $2)); } # passed, failed
took() { times+=("$(printf '%5d s  %s' $((SECONDS - $1)) "$2")"); } # SECONDS at its start, name

# One check without tests of its own counts as one.
check() { # name, command ...
  run_check "$@"
  count_check "$1"
}

# Leaves the status and the time in a file, and prints one line, or what failed.
run_check() { # name, command ...
  local base="artifacts/test/check-${1//[ ,]/-}" began=$SECONDS status=0
  "${@:2}" > "$base.log" 2>&1 || status=$?
  echo "$status $((SECONDS - began))" > "$base.result"
  if [ "$status" -eq 0 ]; then echo "ok    $1"; else echo "FAIL  $1"; tail -n 60 "$base.log"; fi
}

count_check() { # name
  local status seconds
  read -r status seconds < "artifacts/test/check-${1//[ ,]/-}.result"
  times+=("$(printf '%5d s  %s' "$seconds" "$1")")
  if [ "$status" -eq 0 ]; then add 1 0; else add 0 1; failures+=("$1"); fi
}

# A check that runs beside the tests; collect counts it.
start_check() { # name, command ...
  await_slot
  rm -f "artifacts/test/check-${1//[ ,]/-}.result"
  later+=("$1")
  run_check "$@" &
}

install_packages() {
  declare -A need=([chromium-headless-shell]=chromium-headless-shell [nginx]=nginx [redis-server]=redis-server [initdb]=postgresql [systemd-analyze]=systemd [python3]=python3 [curl]=curl
    [gcc]=gcc [nft]=nftables [objcopy]=binutils [lintian]=lintian [go]=golang-go [zsh]=zsh [fish]=fish [psql]=postgresql-client [php]=php-cli)
  local missing=()
  # Debian's own interpreter: another python3 of the path does not see the packages of Debian. The tests parse /metrics with it.
  /usr/bin/python3 -c 'import prometheus_client.parser' 2>/dev/null || missing+=(python3-prometheus-client)
  php -m 2>/dev/null | grep -qx pdo_pgsql || missing+=(php-pgsql)
  /usr/bin/python3 -c 'import psycopg2' 2>/dev/null || missing+=(python3-psycopg2)
  # Debian keeps them in /usr/sbin, which is not in the path of every user.
  for command in pgbouncer nats-server; do
    command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || missing+=("$command")
  done
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

# The native program includes the pages.
pages() {
  say "Web: packages and build"
  check "npm ci" npm ci --no-audit --no-fund --loglevel=error
  check "build of the pages" npm run --silent build
}

web() {
  say "Web: types, format, lint, unit tests"
  check "types, format, lint and the package" npm run --silent check
  vitest "the web tests" test
}

# A real client package against the servers that were just built; an npm script of the package's name runs it.
client() { # package
  say "The $1 package against its server"
  vitest "the $1 tests" "test:$1"
}

build() { dotnet tool restore && dotnet build Dunlin.slnx -c Release --nologo -v quiet; }

# Each test project is a program. Three run at once, because most of the time they wait for servers, pages and disks. The longest come first,
# so that no long one runs alone at the end.
dotnet_tests() {
  say "Server: build"
  check "build" build
  check "commit subjects" scripts/check-commits.sh
  say "Server: tests, packages, documentation and format, $slots programs at once"
  # Broken links, anchors and cross references fail the build of the site.
  local docs= packed=
  if wanted Dunlin.Packages.Tests; then start_check "packages" ./pack.sh --native artifacts/native/test; packed=$!; fi
  if wanted docs; then start_check "documentation site" ./docs.sh --build; docs=$!; fi
  start_check "format" dotnet csharpier check .
  local longest=(Dunlin.E2E.Tests Dunlin.Postgres.Tests Dunlin.Server.Tests Dunlin.Packages.Tests Dunlin.Fuzz.Tests Dunlin.Worlds.Tests Dunlin.Simulation
    Dunlin.Host.Tests Dunlin.Cluster.Tests Dunlin.AspNetCore.Tests Dunlin.Mercure.Tests Dunlin.DurableStreams.Tests Dunlin.Guides.Tests) project name
  for name in "${longest[@]}"; do
    # Some tests read the site, and others install the packages.
    [ "$name" != Dunlin.Host.Tests ] || [ -z "$docs" ] || wait "$docs"
    [ "$name" != Dunlin.Packages.Tests ] || [ -z "$packed" ] || wait "$packed"
    wanted "$name" && start "$name" "$name"
  done
  wanted Dunlin.Native && native_tests
  # The systems once more, unchanged, on a PostgreSQL that the tests start for themselves.
  for name in Dunlin.Focus.Tests Dunlin.Documents.Tests Dunlin.Replicache.Tests Dunlin.Server.Tests Dunlin.Warranty.Tests Dunlin.Wishlists.Tests \
    Dunlin.EntityFrameworkCore.Tests Dunlin.Yjs.Tests Dunlin.RxDb.Tests; do
    wanted "$name.Postgres" && DUNLIN_TEST_STORE=postgres start "$name" "$name.Postgres"
  done
  # The browser tests of one system again, behind a proxy that lets no stream pass, and behind one that refuses WebSockets too. The page that
  # shows a native EventSource needs a stream.
  for name in no-sse long-poll; do
    wanted "Dunlin.E2E.Tests.$name" && DUNLIN_TEST_PROXY=$name start Dunlin.E2E.Tests "Dunlin.E2E.Tests.$name" \
      -namespace Dunlin.E2E.Tests.Todos -trait- Needs=EventSource
  done
  for project in test/*/*.Tests.csproj; do
    name=$(basename "$project" .csproj)
    [[ " ${longest[*]} " == *" $name "* ]] || { wanted "$name" && start "$name" "$name"; }
  done
  wait
  collect
}

# The server as one native program: pack.sh ships it, and the tests of the server run against it. Its compiler runs beside the checks of
# the web packages.
native=
start_native() {
  scripts/publish-native.sh --output artifacts/native/test > artifacts/test/native.out 2>&1 &
  native=$!
}

finish_native() { wait "$native" || { tail -n 60 artifacts/test/native.out; return 1; }; }

native_tests() {
  [ -x artifacts/native/test/dunlin ] || return
  export DUNLIN_TEST_SERVER=artifacts/native/test/dunlin
  start Dunlin.Server.Tests Dunlin.Server.Tests.Native
  DUNLIN_TEST_STORE=postgres start Dunlin.Server.Tests Dunlin.Server.Tests.Native.Postgres
  unset DUNLIN_TEST_SERVER
}

await_slot() {
  while [ "$(jobs -rp | wc -l)" -ge "$slots" ]; do wait -n; done
}

# Starts a run in the background as soon as a slot is free.
start() { # project, title, options of the runner ...
  await_slot
  runs+=("$2")
  run_tests "$@" &
}

# Leaves the log, the report, the project and the time in files, and prints one line, or what failed.
run_tests() { # project, title, options of the runner ...
  local base="artifacts/test/$2" summary began=$SECONDS options=("${@:3}")
  rm -f "$base".{log,xml,again.log}
  # Classes that start stores of their own have run already, and another store changes nothing about them.
  [ "${DUNLIN_TEST_STORE:-}" = postgres ] && options+=(-trait- Store=own)
  # A test that never ends is named every two minutes, and ends the program after the limit instead of the whole run.
  run_program "$1" $((1500 + ${DUNLIN_FUZZ_SECONDS:-0})) -parallel collections -longRunning 120 -xml "$base.xml" "${options[@]}" > "$base.log" 2>&1
  # The second line of times: processor time of the children that have ended.
  times > "$base.times"
  echo "$1 $((SECONDS - began)) ${DUNLIN_TEST_STORE:--} ${DUNLIN_TEST_SERVER:--} ${DUNLIN_TEST_PROXY:--} ${options[*]}" > "$base.run"
  summary=$(summary_of "$base.log")
  if [[ $summary =~ Errors:\ 0,\ Failed:\ 0,\ Skipped:\ 0 ]]; then
    summary=${summary%%,*}
    echo "ok    $2: ${summary#Total: } tests, $((SECONDS - began)) s"
  else
    echo "FAIL  $2: ${summary:-no summary}, $((SECONDS - began)) s"
    { grep -A 20 -E '\[(FAIL|SKIP)\]$' "$base.log" || tail -n 20 "$base.log"; } | head -n 200
  fi
}

run_program() { # project, limit in seconds, options of the runner ...
  timeout --kill-after=30 "$2" dotnet "test/$1/bin/Release/net10.0/$1.dll" -noLogo -noColor "${@:3}" < /dev/null
}

processor_time() { # file with the output of times
  awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += part[1] * 60 + part[2] }; printf "%d", sum }' "$1"
}

summary_of() { # log; empty if the program ended early, or had to be ended
  grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$1" | tail -n 1
}

# Adds up the runs.
#
# Two cores carry the servers, the browser and the tests, and now and then a test meets a pause that its author did not foresee. If at most
# three tests of all runs failed, they are run once more, alone. One that passes then is printed as unstable with its failure, so that
# somebody mends it; it fails no run. A program without a summary counts as one test. With DUNLIN_STRICT=1 there is no second try.
collect() {
  local title base project seconds total bad summary tries=0
  for title in "${later[@]}"; do count_check "$title"; done
  for title in "${runs[@]}"; do tries=$((tries + $(names_of "$title" | wc -l))); done
  for title in "${runs[@]}"; do
    base="artifacts/test/$title"
    read -r project seconds _ < "$base.run"
    times+=("$(printf '%5d s  %s, %d s of processor time' "$seconds" "$title" "$(processor_time "$base.times")")")
    summary=$(summary_of "$base.log")
    read -r total bad < <(echo "${summary:-Total: 1, Errors: 1}" | awk -F'[:,] *' '{ print $2, $4 + $6 + $8 }')
    if [ "$bad" -gt 0 ] && [ "$tries" -le 3 ] && again "$title"; then
      while read -r line; do unstable+=("$title: $line"); done < <(failures_of "$title")
      [ -n "$summary" ] || read -r total < <(summary_of "$base.again.log" | awk -F'[:,] *' '{ print $2 }')
      bad=0
    elif [ "$bad" -gt 0 ]; then
      while read -r line; do failures+=("$title: $line"); done < <(failures_of "$title")
    fi
    add $((total - bad)) "$bad"
  done
}

# The names of the failed tests of a run, or "all" for a run without a summary.
names_of() { # title
  local log="artifacts/test/$1.log"
  if [ -n "$(summary_of "$log")" ]; then sed -nE 's/^ +([A-Za-z0-9_.]+)(\(.*\))? \[FAIL\]$/\1/p' "$log" | sort -u; else echo all; fi
}

# The same with the first lines of their messages.
failures_of() { # title
  local base="artifacts/test/$1"
  if [ -n "$(summary_of "$base.log")" ]; then
    grep -A 4 '\[FAIL\]$' "$base.log" | cut -c1-240
  else
    echo "ended without a summary$(grep -oE "\[Long Running Test\] '[^']*'" "$base.log" | sort -u | sed 's/^.*] /; still running: /' | tr -d '\n')"
  fi
}

# Runs the failed tests of a run again, or all of a run without a summary.
again() { # title; fails unless all pass
  local base="artifacts/test/$1" name options=() project store server proxy rest
  [ "${DUNLIN_STRICT:-0}" != 1 ] || return 1
  read -r project _ store server proxy rest < "$base.run"
  for name in $(names_of "$1"); do options+=(-method "$name"); done
  [ ${#options[@]} -gt 0 ] || return 1
  [ "${options[1]}" != all ] || read -ra options <<< "-parallel collections $rest"
  say "Once more: $1 ${options[*]}"
  (
    [ "$store" = - ] || export DUNLIN_TEST_STORE=$store
    [ "$server" = - ] || export DUNLIN_TEST_SERVER=$server
    [ "$proxy" = - ] || export DUNLIN_TEST_PROXY=$proxy
    run_program "$project" 900 "${options[@]}" 2>&1 | tee "$base.again.log"
  )
  grep -qE 'Total: [1-9][0-9]*, Errors: 0, Failed: 0, Skipped: 0' "$base.again.log"
}

wanted() { # name
  [ ${#only[@]} -eq 0 ] && return 0
  local word
  for word in "${only[@]}"; do [[ $1 == *"$word"* ]] && return 0; done
  return 1
}

install_packages
[ ${#only[@]} -eq 0 ] && pages
{ wanted Dunlin.Native || wanted Dunlin.Packages.Tests; } && start_native
[ ${#only[@]} -eq 0 ] && web
[ -z "$native" ] || check "native program" finish_native
dotnet_tests
[ ${#only[@]} -eq 0 ] && { client replicache; client rxdb; }
say "Where the time went: $SECONDS s"
printf '%s\n' "${times[@]}" | sort -rn | head -n 30
say "The slowest tests"
printf 'artifacts/test/%s.xml\n' "${runs[@]}" | xargs grep -ohsE '<test [^>]*' /dev/null | sed -E 's/\\&quot;/"/g; s/.* name="(.*)" result.* time="([0-9.]+)".*/\2 \1/' |
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
