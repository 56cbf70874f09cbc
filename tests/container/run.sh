#!/usr/bin/env bash
# Builds the image and uses it: a small sweep is started, stopped by SIGTERM, resumed, reported.
#
# With a Docker engine it uses docker. Without one, and as root on Debian or Ubuntu, it builds
# with buildah on a base made by debootstrap and runs with podman; what is missing is installed.
# Containers run as a hardened host would: read-only root, no capabilities, no network.
#
#   REQUIREMENTS  the variant to build (requirements/cpu.txt)
#   BASE_IMAGE    the base to build on (the Dockerfile's; without docker, a local Debian)
#   SUITE         the Debian release of that local base (bookworm)
#   MIRROR        where debootstrap fetches it from (its own default)
set -euo pipefail
cd "$(dirname "$0")/../.."

REQUIREMENTS=${REQUIREMENTS:-requirements/cpu.txt}
SUITE=${SUITE:-bookworm}
IMAGE=localhost/sweep-test:$(basename "$REQUIREMENTS" .txt)
RUN_NAME=sweep-test-$$
WORK=$(mktemp -d)
ENGINE=()
RUN=()
STARTED=0

# ---- small words --------------------------------------------------------------------------------
say() { printf '%s\n' "$*" >&2; }

fail() {
    say "FAILED: $*"
    exit 1
}

seconds() { date +%s.%N; }

step() { # step TITLE COMMAND...: runs it, says how long it took
    local title=$1 began
    shift
    began=$(seconds)
    "$@"
    printf '%8.1f s  %s\n' "$(awk -v a="$began" -v b="$(seconds)" 'BEGIN { print b - a }')" "$title"
}

expect() { # expect WHAT WANTED GOT
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

clean_up() {
    local status=$?
    if [ "$STARTED" = 1 ]; then
        if [ "$status" != 0 ] && "${ENGINE[@]}" inspect "$RUN_NAME" >/dev/null 2>&1; then
            "${ENGINE[@]}" logs "$RUN_NAME" 2>&1 | tail -n 20 >&2
        fi
        "${ENGINE[@]}" rm --force "$RUN_NAME" >/dev/null 2>&1 || true
        "${ENGINE[@]}" volume rm --force "$RUN_NAME-results" "$RUN_NAME-data" >/dev/null 2>&1 || true
    fi
    rm -rf "$WORK"
}
trap clean_up EXIT

# ---- engines ------------------------------------------------------------------------------------
has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

install_tools() {
    local tool missing=()
    for tool in debootstrap buildah podman runc; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "no Docker engine, and no apt-get to install ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        "${missing[@]}" >/dev/null
}

make_base() { # a Debian with Python, kept for the next time
    podman image exists "$BASE_IMAGE" && return
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        "$SUITE" "$WORK/base" ${MIRROR:+"$MIRROR"} >"$WORK/debootstrap.log" 2>&1 ||
        { tail -n 20 "$WORK/debootstrap.log" >&2; fail "debootstrap"; }
    tar --directory "$WORK/base" --create . | podman import --quiet - "$BASE_IMAGE" >/dev/null
    rm -rf "$WORK/base"
}

choose_engine() {
    if has_docker; then
        ENGINE=(docker)
        RUN=(docker run)
        return
    fi
    [ "$(id -u)" = 0 ] || fail "no Docker engine; without one this needs root (buildah, podman)"
    step "install what is missing" install_tools
    ENGINE=(podman --runtime runc --cgroup-manager cgroupfs)
    RUN=("${ENGINE[@]}" run --no-healthcheck --ulimit "nofile=4096:4096" --ulimit "nproc=4096:4096")
    BASE_IMAGE=${BASE_IMAGE:-localhost/sweep-base:$SUITE}
    step "base $BASE_IMAGE" make_base
}

# ---- build --------------------------------------------------------------------------------------
# The host's certificates and its settings of pip, uv and proxies go in as build secrets.
# Addresses of this machine's disk mean nothing in there and are left out.
ca_file() {
    local file
    for file in "${SSL_CERT_FILE:-}" "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}"; do
        if [ -s "$file" ]; then
            echo "$file"
            return
        fi
    done
}

network_settings() {
    local name value index
    for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT PIP_RETRIES \
        UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_INSECURE_HOST UV_HTTP_TIMEOUT \
        UV_SYSTEM_CERTS UV_NATIVE_TLS HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy \
        https_proxy all_proxy no_proxy; do
        value=${!name:-}
        case $value in '' | *file:* | /*) continue ;; esac
        printf '%s=%q\n' "$name" "$value"
    done
    # uv does not read pip's configuration
    index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
    case $index in
    http*)
        [ -n "${PIP_INDEX_URL:-}" ] || printf 'PIP_INDEX_URL=%q\n' "$index"
        [ -n "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] || printf 'UV_DEFAULT_INDEX=%q\n' "$index"
        ;;
    esac
}

build() {
    local arguments=() ca
    arguments+=(--build-arg "REQUIREMENTS=$REQUIREMENTS" --tag "$IMAGE")
    [ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
    ca=$(ca_file)
    [ -z "$ca" ] || arguments+=(--secret "id=ca,src=$ca")
    network_settings >"$WORK/env"
    [ ! -s "$WORK/env" ] || arguments+=(--secret "id=env,src=$WORK/env")
    if [ "${ENGINE[0]}" = docker ]; then
        DOCKER_BUILDKIT=1 docker build "${arguments[@]}" .
    else # Docker's format keeps the health check, which OCI's has no place for
        buildah build --isolation chroot --network host --format docker --layers \
            "${arguments[@]}" .
    fi >"$WORK/build.log" 2>&1 || { tail -n 30 "$WORK/build.log" >&2; fail "build"; }
}

# ---- use ----------------------------------------------------------------------------------------
hardened() { # hardened OPTION... IMAGE COMMAND...
    "${RUN[@]}" --read-only --tmpfs /tmp:rw,noexec,nosuid,nodev --cap-drop all \
        --security-opt no-new-privileges --network none "$@"
}

VOLUMES=(--volume "$RUN_NAME-results:/results" --volume "$RUN_NAME-data:/data")

sweep() { hardened --rm "${VOLUMES[@]}" "$IMAGE" "$@"; }

python() { hardened --rm --interactive --entrypoint python "$IMAGE" "$@"; }

# One line for all code, to see that the image holds this tree's and not a cached layer's.
CODE='find sweep search_spaces -name "*.py" | LC_ALL=C sort | xargs sha256sum | sha256sum'

check_image() {
    python - <<'PYTHON'
import os
import sys
from importlib.util import cache_from_source, find_spec
from pathlib import Path

assert os.getuid() == 1000, os.getuid()
for folder in ("/", "/opt/sweep", "/spaces", "/usr"):
    try:
        Path(folder, "probe").touch()
    except OSError:
        continue
    sys.exit(f"{folder} can be written to")
for folder in (os.environ["SWEEP_RESULTS"], os.environ["SWEEP_CACHE"], "/tmp"):
    Path(folder, "probe").touch()
for tool in ("pip", "uv"):
    assert find_spec(tool) is None, f"{tool} is in the image"
for module in ("tensorflow", "sweep", "search_spaces", "argparse"):
    source = find_spec(module).origin
    assert Path(cache_from_source(source)).is_file(), f"{module} is not byte-compiled"
assert not Path("/run/secrets/ca").exists() and not Path("/run/secrets/env").exists()
PYTHON
    "${ENGINE[@]}" history --no-trunc "$IMAGE" >"$WORK/history"
    sed -n '/=http/s/^[^=]*=//p' "$WORK/env" >"$WORK/addresses"
    if [ -s "$WORK/addresses" ] && grep -qFf "$WORK/addresses" "$WORK/history"; then
        fail "a build secret is in the image's history"
    fi
    # shellcheck disable=SC2016  # expanded in the container
    expect "the code in the image" "$(sh -c "$CODE")" \
        "$(hardened --rm --entrypoint sh "$IMAGE" -c 'cd /opt/sweep/lib/python*/site-packages; '"$CODE")"
    sweep --help >/dev/null
    sweep ls
    hardened --rm --user 12345:12345 "$IMAGE" ls # any user: --user "$(id -u)"
}

epochs_done() {
    "${ENGINE[@]}" exec "$RUN_NAME" sweep status trial-run 2>/dev/null |
        awk '$1 == "epochs" { gsub(",", "", $2); print $2 }'
}

start_and_wait_for_epochs() {
    local deadline=$((SECONDS + 300)) health done_now
    hardened --detach --name "$RUN_NAME" "${VOLUMES[@]}" "$IMAGE" \
        start capacity --name trial-run --data builtin --max-epochs 9 --factor 3 >/dev/null
    until done_now=$(epochs_done) && [ "${done_now:-0}" -gt 0 ]; do
        [ "$("${ENGINE[@]}" inspect --format '{{.State.Running}}' "$RUN_NAME")" = true ] ||
            fail "the sweep ended before it was stopped"
        [ "$SECONDS" -lt "$deadline" ] || fail "no epoch within 300 s"
        sleep 0.5
    done
    # shellcheck disable=SC2016  # a template for the engine, not for the shell
    mapfile -t health < <("${ENGINE[@]}" image inspect --format \
        '{{range $i, $word := .Config.Healthcheck.Test}}{{if $i}}{{println $word}}{{end}}{{end}}' \
        "$IMAGE" 2>/dev/null | sed '/^$/d')
    [ ${#health[@]} -gt 0 ] || health=(sweep ls)
    "${ENGINE[@]}" exec "$RUN_NAME" "${health[@]}"
}

stop() { # SIGTERM to the container's first process; SIGKILL only after 30 s
    "${ENGINE[@]}" stop -t 30 "$RUN_NAME" >/dev/null
    expect "exit code after SIGTERM" 143 \
        "$("${ENGINE[@]}" inspect --format '{{.State.ExitCode}}' "$RUN_NAME")"
    "${ENGINE[@]}" logs "$RUN_NAME" >"$WORK/log" 2>&1
    grep -q "sweep resume trial-run" "$WORK/log" || fail "the log does not say how to resume"
}

resume() { sweep resume trial-run >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; fail "resume"; }; }

check_report() {
    sweep report trial-run --output json >"$WORK/report.json"
    python -c '
import json, sys
report = json.load(sys.stdin)
trials = report["trials"]
assert report["schema"] == "sweep.report/1", report["schema"]
assert len(trials) > 17, f"{len(trials)} trials, expected the 17 of Hyperband(9, 3) and the baselines"
assert all(t["val_bce"] is not None and t["epochs"] > 0 for t in trials), "a trial without a result"
best = min(trials, key=lambda t: t["val_bce"])
n_epochs = sum(t["epochs"] for t in trials)
print(len(trials), "trials,", n_epochs, "epochs, best validation BCE", round(best["val_bce"], 4))
' <"$WORK/report.json"
    sweep status trial-run
    expect "owner of the results" 1000 \
        "$(hardened --rm "${VOLUMES[@]}" --entrypoint stat "$IMAGE" \
            --format %u /results/trial-run/sweep.db)"
}

main() {
    choose_engine
    step "build $IMAGE" build
    STARTED=1
    step "image: user, read-only root, byte code, no secret" check_image
    step "start, first epochs, health check" start_and_wait_for_epochs
    step "stop by SIGTERM, exit 143" stop
    step "resume to the end" resume
    step "report, status, owner of the files" check_report
    echo "container: all checks passed with ${ENGINE[0]}"
}

main
