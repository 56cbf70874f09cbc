#!/usr/bin/env bash
# Makes results/README.md and the charts beside this script: the reference report, on the built-in
# data. About 40 minutes on 2 cores; cut off, it goes on where it was when it is called again.
set -euo pipefail
cd "$(dirname "$0")/../.."
sweep=.venv/bin/sweep
export SWEEP_RESULTS=${SWEEP_REFERENCE:-.venv/reference}
kept=results/reference

run() {  # NAME COMMAND…: once
  local done="$SWEEP_RESULTS/$1.done"
  [ -e "$done" ] && return
  if [ -e "$SWEEP_RESULTS/$2" ] && [ "$1" = "$2" ]; then "$sweep" resume "$2"; else "$sweep" "${@:3}"; fi
  touch "$done"
}

section() {  # NAME COMMANDS TITLE CHARTS…: its report, a level down, and charts
  local charts="$SWEEP_RESULTS/$1/charts"
  printf '## %s\n\n```bash\n%s\n```\n\n' "$3" "$2"
  "$sweep" report "$1" -o md --all-charts --top 20 2>/dev/null | sed -e 1,2d -e 's/^#/###/'
  mkdir -p "$kept/$1"
  for chart in "${@:4}"; do
    cp "$charts/$chart.png" "$kept/$1/"
    printf '\n![%s](reference/%s/%s.png)\n' "$chart" "$1" "$chart"
  done
  printf '\n'
}

tutorial='start tutorial --data builtin --seeds 5 --max-epochs 243 --patience 60'
capacity='start spaces/capacity.py --data builtin --max-epochs 27'
confirm='confirm capacity --top 4 --seeds 3'
mkdir -p "$SWEEP_RESULTS"
# shellcheck disable=SC2086  # the commands are words
{
  run tutorial tutorial $tutorial --name tutorial
  run capacity capacity $capacity --name capacity
  run confirm capacity $confirm
}
{
  cat <<'TEXT'
# Results

Sweeps are written here, a folder each; git ignores them. What follows is the reference report, made
by `make reference` on the built-in simulated events: not HIGGS, but the same two processes, the same
columns and the same split. Times are of a machine with 2 cores that had other work too.

TEXT
  section tutorial "sweep $tutorial" "The tutorial's seven models, five seeds each" \
    learning-curves frontier overfitting
  section capacity "sweep $capacity"$'\n'"sweep $confirm" "A search over capacity" \
    frontier learning-curves overfitting regularisation importance rungs confirmed
} > "$kept/README.new"
mv "$kept/README.new" results/README.md
