#!/usr/bin/env bash
# Publishes the server as one native program: artifacts/native/<runtime>/dunlin, with SQLite beside it and its debug symbols in a file
# of their own. The program needs no .NET. A runtime that this machine cannot link is refused with one sentence.
#   scripts/publish-native.sh                            for this machine
#   scripts/publish-native.sh --runtime linux-arm64      linux-x64, linux-arm64 or win-x64
#   scripts/publish-native.sh --output DIR               into another folder; files of the same names are replaced
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

refuse() { echo "publish-native: $*" >&2; exit 1; }
has() { command -v "$1" > /dev/null 2>&1; }

case "$(uname -s)/$(uname -m)" in
  Linux/x86_64) here=linux-x64 ;;
  Linux/aarch64) here=linux-arm64 ;;
  MINGW*/x86_64 | MSYS*/x86_64) here=win-x64 ;;
  *) here=$(uname -s)/$(uname -m) ;;
esac
runtime=$here output=
while [ $# -gt 0 ]; do
  case $1 in
    --runtime | --output) [ $# -ge 2 ] || refuse "$1 needs a value."; [ "$1" = --runtime ] && runtime=$2 || output=$2; shift 2 ;;
    *) refuse "'$1' is not an option. Options: --runtime, --output." ;;
  esac
done
[[ -z $output || $output = /* ]] || output=$from/$output
output=${output:-artifacts/native/$runtime}

properties=()
case $runtime in
  linux-x64 | linux-arm64 | win-x64) ;;
  *) refuse "'$runtime' is not a runtime of the server. Runtimes: linux-x64, linux-arm64, win-x64." ;;
esac
if [ "$runtime" != "$here" ]; then
  case $here/$runtime in
    linux-*/win-x64) refuse "win-x64 is linked on Windows only: run this script there, in Git Bash." ;;
    linux-x64/linux-arm64) triple=aarch64-linux-gnu packages="gcc-aarch64-linux-gnu and libc6-dev-arm64-cross" ;;
    linux-arm64/linux-x64) triple=x86_64-linux-gnu packages="gcc-x86-64-linux-gnu and libc6-dev-amd64-cross" ;;
    *) refuse "$runtime cannot be linked on $here: run this script on Linux or Windows." ;;
  esac
  has clang || refuse "$runtime needs clang on $here: install the package clang."
  has "$triple-gcc" && has "$triple-objcopy" || refuse "$runtime needs the tools of $triple: install $packages."
  [ -e "/usr/$triple/lib/libc.so.6" ] || refuse "$runtime needs the C library of $triple: install $packages."
  properties+=("-p:ObjCopyName=$triple-objcopy")
elif [ "$here" != win-x64 ]; then
  has clang || has gcc || refuse "$runtime needs a linker: install clang or gcc."
  has llvm-objcopy || has objcopy || refuse "$runtime needs an objcopy: install binutils."
fi
has dotnet || refuse "the command dotnet is missing: install the .NET SDK 10."

dotnet publish apps/server -c Release --nologo -v quiet -p:NativeRuntime="$runtime" "${properties[@]}" -o artifacts/native/publish
mkdir -p "$output"
for file in dunlin dunlin.exe dunlin.dbg dunlin.pdb libe_sqlite3.so e_sqlite3.dll; do
  [ ! -e "artifacts/native/publish/$file" ] || mv -f "artifacts/native/publish/$file" "$output/"
done
rm -rf artifacts/native/publish
chmod 755 "$output"/dunlin* "$output"/*e_sqlite3*
# The header of an ELF file names its processor at byte 18.
case $runtime in linux-x64) machine=3e ;; linux-arm64) machine=b7 ;; *) machine= ;; esac
if [ -n "$machine" ] && [ "$(od -An -tx1 -j18 -N1 "$output/dunlin" | tr -d ' ')" != "$machine" ]; then
  refuse "$output/dunlin is not a program for $runtime: report this with the output above."
fi
echo "$output/dunlin: $(($(cat "$output"/dunlin "$output"/dunlin.exe 2> /dev/null | wc -c) / 1000)) kB"
