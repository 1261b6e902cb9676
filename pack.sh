#!/usr/bin/env bash
# Makes the packages of Dunlin. The same commit gives the same files, byte for byte.
#   ./pack.sh                      all parts: nuget, npm, tool, templates, binary, deb, chart; then the bills of material and SHA256SUMS
#   ./pack.sh --only nuget,npm     some of the parts
#   ./pack.sh --output FOLDER      another folder than artifacts/packages
#   ./pack.sh --baseline FOLDER    compares with an earlier version in FOLDER; a public member that is missing fails
#   ./pack.sh --native FOLDER      the folder of a native binary; without it scripts/publish-native.sh makes one
# DUNLIN_REPOSITORY_URL is the address of the repository in the packages. Default: the remote 'origin', if that is an http(s) address.
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
# The source generator of log methods enumerates a set of objects by their hash codes. These are equal in each build only if a new compiler
# (not the compiler server) makes each project on one thread.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 UseSharedCompilation=false CompilerResponseFile=$PWD/scripts/one-thread.rsp
# Analyzers change no file, and take half of the time. The build of the solution runs them.
export RunAnalyzers=false

fail() { echo "pack.sh: $*" >&2; exit 1; }
need() { command -v "$1" > /dev/null 2>&1 || fail "$2 is missing."; }
absolute() { case $1 in /*) echo "$1" ;; *) echo "$from/$1" ;; esac; }

all=(nuget npm tool templates binary deb chart)
parts=("${all[@]}") out=$PWD/artifacts/packages baseline='' native=''
while [ $# -gt 0 ]; do
  case $1 in
    --only | --output | --baseline | --native) [ -n "${2:-}" ] || fail "$1 needs a value." ;;
    --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  case $1 in
    --only) IFS=, read -ra parts <<< "$2" ;;
    --output) out=$(absolute "$2") ;;
    --baseline) baseline=$(absolute "$2") ;;
    --native) native=$(absolute "$2") ;;
  esac
  shift 2
done
for part in "${parts[@]}"; do
  [[ " ${all[*]} " == *" $part "* ]] || fail "--only: '$part' is not a part. Parts: ${all[*]}."
done
[ -z "$baseline" ] || compgen -G "$baseline/*.nupkg" > /dev/null || fail "--baseline: '$baseline' holds no .nupkg."
has() { [[ " ${parts[*]} " == *" $1 "* ]]; }

need dotnet "the .NET SDK 10"
need git git
work=$PWD/artifacts/pack
mkdir -p "$out" "$work"
version=$(sed -nE 's|.*<Version>(.*)</Version>.*|\1|p' Directory.Build.props)
# The time in archives is that of the commit.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || echo 1767225600)
export SOURCE_DATE_EPOCH
url=${DUNLIN_REPOSITORY_URL:-$(git remote get-url origin 2> /dev/null || true)}
url=${url%.git}
if [[ $url =~ ^https?:// ]]; then
  url=$(sed -E 's|//[^/@]*@|//|' <<< "$url") # without a user name or a token
else
  url=''
  echo "The remote 'origin' has no http(s) address: the packages name no repository, and their symbols contain the sources."
fi
echo "Packing $version into $out"

# Runs one part and prints its time. A failed command shows its output.
step() { # name, what it makes, command ...
  local name=$1 what=$2 began=$SECONDS log=$work/$1.log; shift 2
  printf '  %-10s %s ... ' "$name" "$what"
  if "$@" > "$log" 2>&1; then
    echo "$((SECONDS - began)) s"
  else
    echo "failed"
    cat "$log" >&2
    exit 1
  fi
}

# One build for the libraries and the tool, in folders of their own: paths of this machine are mapped, as in no other build.
dotnet_packages() {
  local properties=(-p:Configuration=Release -p:ContinuousIntegrationBuild=true "-p:ArtifactsPath=$work" -p:RunAnalyzers=false
    "-p:PackageOutputPath=$out" "-p:DunlinRepositoryUrl=$url" "-p:DunlinBaseline=$baseline")
  if has nuget; then
    for project in src/*/*.csproj; do rm -f "$out/$(basename "$project" .csproj)".*nupkg; done
    properties+=(-p:PackLibraries=true)
  fi
  if has tool; then
    rm -f "$out"/dunlin.*nupkg
    properties+=(-p:PackTool=true)
  fi
  # The comparison is skipped for a package that was compared before, also with another one.
  if [ -n "$baseline" ]; then find "$work" -name '*ApiCompat*.semaphore' -delete; fi
  dotnet msbuild scripts/packages.proj -restore -t:Pack "${properties[@]}" --nologo -verbosity:quiet
}

client() {
  if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then npm ci --no-audit --no-fund --loglevel=error; fi
  npm run --silent build --workspace=clients/typescript
}

inspector_page() {
  client
  npm run --silent build:inspector
}

# A template is a copy with the version of the packages, and with the browser client as one file.
templates() {
  rm -rf "$work/templates" "$out"/Dunlin.Templates.*nupkg
  mkdir -p "$work/templates"
  cp -R templates/dunlin-* "$work/templates"
  rm -rf "$work"/templates/*/{bin,obj,data}
  sed -i "s/DUNLIN_VERSION/$version/" "$work"/templates/*/*.csproj
  local page
  for page in "$work"/templates/*/wwwroot; do
    npx esbuild clients/typescript/dist/index.js --bundle --minify --format=esm --log-level=warning \
      --banner:js="/* @dunlin/client $version, MIT licence */" --outfile="$page/dunlin-client.js"
  done
  dotnet pack templates/Dunlin.Templates.csproj -c Release -o "$out" --nologo -v quiet \
    -p:ContinuousIntegrationBuild=true "-p:ArtifactsPath=$work" "-p:DunlinRepositoryUrl=$url" "-p:TemplatesFolder=$work/templates"
}

npm_package() {
  rm -f "$out"/dunlin-client-*.tgz
  npm pack --workspace=clients/typescript --pack-destination "$out" --loglevel=error
}

bills() {
  if has nuget || has tool; then
    dotnet tool restore
    # The bills read the packages of a restore into the folders of the projects: the build above has folders of its own, and a native build
    # restores for its runtime.
    if has nuget; then dotnet msbuild scripts/packages.proj -t:Restore -p:PackLibraries=true --nologo -verbosity:quiet; fi
    if has tool; then dotnet restore apps/server --nologo -v quiet; fi
    export -f bill_of_project
    export out work version
    {
      if has nuget; then printf '%s\n' src/*/*.csproj; fi
      if has tool; then echo apps/server/Dunlin.Server.csproj; fi
    } | xargs -P 2 -I {} bash -euc 'bill_of_project {}'
  fi
  if has npm; then bill_of_client; fi
}

bill_of_project() { # project
  local name type=Library
  name=$(basename "$1" .csproj)
  if [ "$name" = Dunlin.Server ]; then name=dunlin type=Application; fi
  dotnet dotnet-CycloneDX "$1" -o "$out" -fn "$name.$version.cdx.json" -F Json -dpr -biop "$work/obj" -ns -sn "$name" -sv "$version" -st "$type" \
    -ipr --exclude-dev
  node scripts/pack/settle-bill.mjs "$out/$name.$version.cdx.json"
}

# The package as it is published: what only its development needs is no part of it.
bill_of_client() {
  local folder=$work/dunlin-client
  rm -rf "$folder"
  mkdir -p "$folder"
  tar -xzf "$out/dunlin-client-$version.tgz" -C "$folder" --strip-components=1
  (
    cd "$folder"
    npm pkg delete devDependencies peerDependencies peerDependenciesMeta
    npm install --package-lock-only --offline --no-audit --no-fund --loglevel=error
    npm sbom --package-lock-only --sbom-format cyclonedx --sbom-type library > bill.json
  )
  node scripts/pack/settle-bill.mjs "$folder/bill.json" "$out/dunlin-client.$version.cdx.json"
}

# The folder of the native binary of this machine: the given one, or a new one.
native_binary() {
  if [ -z "$native" ]; then
    native=$PWD/artifacts/native/$runtime
    scripts/publish-native.sh --runtime "$runtime" --output "$native"
  fi
  [ -x "$native/dunlin" ] || { echo "'$native' holds no program 'dunlin'." >&2; return 1; }
}

binary() {
  local name=dunlin-$version-$runtime folder=$work/binary
  rm -rf "$folder" "$out"/dunlin-*-"$runtime".tar.gz
  mkdir -p "$folder/$name"
  cp "$native/dunlin" LICENSE CHANGELOG.md "$folder/$name"
  cp apps/server/README.md deploy/dunlin.service "$folder/$name"
  if compgen -G "$native/*.so" > /dev/null; then cp "$native"/*.so "$folder/$name"; fi
  chmod -R u=rwX,go=rX "$folder"
  tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --directory="$folder" "$name" |
    gzip -9n > "$out/$name.tar.gz"
}

debian() { scripts/pack/debian.sh "$native" "$runtime" "$version" "$out" "$work"; }

# The archive that 'helm package' makes: the folder, with the version of this commit.
chart() {
  local folder=$work/chart
  rm -rf "$folder" "$out"/dunlin-[0-9]*.[0-9].tgz
  mkdir -p "$folder"
  cp -R deploy/chart/dunlin "$folder"
  sed -i -e "s/^version: .*/version: $version/" -e "s/^appVersion: .*/appVersion: \"$version\"/" -e '/^# pack.sh sets both.$/d' "$folder/dunlin/Chart.yaml"
  chmod -R u=rwX,go=rX "$folder"
  tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --directory="$folder" dunlin |
    gzip -9n > "$out/dunlin-$version.tgz"
}

sums() {
  rm -f "$out/SHA256SUMS"
  (cd "$out" && find . -maxdepth 1 -type f -printf '%f\n' | LC_ALL=C sort | xargs -d '\n' sha256sum) > "$work/SHA256SUMS"
  mv "$work/SHA256SUMS" "$out/"
}

began=$SECONDS
# Dunlin.Inspector embeds its page.
if [ ! -f artifacts/inspector/index.html ] && { has nuget || has tool || has binary || has deb; }; then
  need npm "npm, which comes with Node.js 20,"
  step page "page of the inspector" inspector_page
fi
if has nuget || has tool; then step nuget "libraries and the dotnet tool" dotnet_packages; fi
if has npm || has templates; then
  need npm "npm, which comes with Node.js 20,"
  step client "build of the browser client" client
fi
if has npm; then step npm "@dunlin/client" npm_package; fi
if has templates; then step templates "templates for dotnet new" templates; fi
if has binary || has deb; then
  case $(uname -m) in
    x86_64) runtime=linux-x64 ;;
    aarch64) runtime=linux-arm64 ;;
    *) fail "binary and deb need a machine with x86_64 or aarch64, not $(uname -m)." ;;
  esac
  [ "$(uname -s)" = Linux ] || fail "binary and deb need Linux."
  step native "native binary for $runtime" native_binary
fi
if has binary; then step binary "archive of the binary" binary; fi
if has deb; then step deb "Debian package" debian; fi
if has chart; then step chart "Helm chart" chart; fi
if has nuget || has tool || has npm; then need node "Node.js 20"; step sbom "bills of material (CycloneDX)" bills; fi
sums
echo "$(wc -l < "$out/SHA256SUMS") files, $(du -sh "$out" | cut -f1), in $((SECONDS - began)) s. Check them with: cd $out && sha256sum -c SHA256SUMS"
