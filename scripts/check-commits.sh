#!/usr/bin/env bash
# Checks the subjects of the commits since a fixed one: Conventional Commits, imperative, 72 characters at most.
#   scripts/check-commits.sh          the commits of this checkout; a shallow one is checked as far as it goes
#   scripts/check-commits.sh --stdin  subjects from the standard input, one a line
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base=af15272 # the last commit before this check
types='build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test'
form="^($types)(\([a-z0-9,/ -]+\))?!?: (.+)$"
# Verbs that end like another form of a verb.
verbs='^(access|address|assess|bring|bypass|canvas|compress|cross|discuss|dismiss|embed|exceed|express|feed|focus|guess|heed|miss|need|pass|ping|press|proceed|process|seed|shed|speed|string|stress|suppress|toss|wed)$'

fault() { # subject
  local subject=$1 text word
  [[ ${#subject} -le 72 ]] || { echo "${#subject} characters; use at most 72"; return; }
  [[ $subject =~ $form ]] || { echo "not '<type>(<scope>): <text>' with one of the types ${types//|/, }"; return; }
  text=${BASH_REMATCH[3]}
  [[ $text != *. ]] || { echo "ends with a full stop; remove it"; return; }
  [[ $text =~ ^[a-z] ]] || { echo "the text after the colon must begin with a verb in lower case"; return; }
  word=${text%%[^a-z]*}
  [[ $word =~ $verbs ]] && return
  [[ $word =~ (ed|ing|[^s]s)$ ]] && echo "'$word' is not imperative; write what the commit does: 'add', 'keep', 'remove'"
}

subjects() {
  if [ "${1:-}" = --stdin ]; then
    cat
  elif ! git rev-parse --git-dir > /dev/null 2>&1; then
    echo "No git history: nothing to check." >&2
  elif git merge-base --is-ancestor "$base" HEAD 2> /dev/null; then
    git log --no-merges --format=%s "$base..HEAD"
  elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git log --no-merges --format=%s HEAD
  else
    echo "The history has no commit $base: nothing to check." >&2
  fi
}

count=0 bad=0
while IFS= read -r subject; do
  count=$((count + 1))
  reason=$(fault "$subject")
  [ -z "$reason" ] || { bad=$((bad + 1)); printf '%s\n  %s\n' "$subject" "$reason"; }
done < <(subjects "$@")
echo "$count commit subjects, $bad wrong"
[ "$bad" -eq 0 ]
