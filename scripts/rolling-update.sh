#!/usr/bin/env bash
# Builds the server of an earlier commit, and replaces two of its nodes by nodes of this checkout under load: see docs/operations/proof.md.
#   scripts/rolling-update.sh            from 0.1.0
#   scripts/rolling-update.sh COMMIT     from another version
# Needs the history of the repository, PostgreSQL and Redis. DUNLIN_SEED and DUNLIN_WORLD_SECONDS as in the tests of worlds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commit=${1:-a3b5389a} # the last commit of 0.1.0
work=$(mktemp -d)
trap 'git worktree remove --force "$work/source" > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
git worktree add -q --detach "$work/source" "$commit"
echo "Building the server of $commit"
(cd "$work/source" && dotnet publish apps/server -c Release -o "$work/server" -v quiet --nologo)
dotnet build test/Dunlin.Worlds.Tests -c Release -v quiet --nologo
dotnet test/Dunlin.Worlds.Tests/bin/Release/net10.0/Dunlin.Worlds.Tests.dll --rolling-update "$work/server/dunlin.dll"
