# What an instance of the container lane does at its first boot, after the settings that render.py puts above this line:
# install Python, fetch the bundle, refuse it unless its SHA-256 is the deployed one, unpack it, start it under systemd,
# wait until it is ready, and tell CloudFormation. Any failure is told too, so that a bad deployment rolls back.
# CROSSOVER_ROOT is for tests: a directory to write into instead of /.
set -Eeuo pipefail
ROOT="${CROSSOVER_ROOT:-}"
RETRY_PAUSE_S="${CROSSOVER_RETRY_PAUSE_S:-5}"
export AWS_DEFAULT_REGION="$REGION" AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5

log() { echo "crossover-boot: $*" >&2; }

signal() {
    aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id "$GROUP" --status "$1" \
        --unique-id "$(cat "$ROOT/var/lib/cloud/data/instance-id")" ||
        log "no stack update is waiting for this instance"  # so it is when the group grows by itself
}

fail() {
    trap - ERR
    log "refused: $*"
    signal FAILURE
    exit 1
}

retry() {
    local attempt
    for attempt in 1 2 3 4 5; do
        "$@" && return 0
        log "attempt $attempt of 5 failed: $*"
        sleep "$RETRY_PAUSE_S"
    done
    return 1
}

install_python() {
    retry dnf install --assumeyes --quiet "$PYTHON" || fail "$PYTHON cannot be installed"
}

fetch_bundle() {
    local zip="$ROOT/opt/crossover/$SHA256.zip" found
    mkdir -p "$ROOT/opt/crossover"
    retry aws s3 cp --only-show-errors "$BUNDLE_URI" "$zip" || fail "$BUNDLE_URI cannot be fetched"
    found="$(sha256sum "$zip" | cut -d ' ' -f 1)"
    if [ "$found" != "$SHA256" ]; then
        rm -f "$zip"
        fail "$BUNDLE_URI has SHA-256 $found, deployed is $SHA256"
    fi
    rm -rf "$ROOT/opt/crossover/$SHA256.partial"
    "$PYTHON" -m zipfile -e "$zip" "$ROOT/opt/crossover/$SHA256.partial"
    mv "$ROOT/opt/crossover/$SHA256.partial" "$ROOT/opt/crossover/$SHA256"
    rm -f "$zip"
}

start_service() {
    mkdir -p "$ROOT/etc/systemd/system" "$ROOT/etc/crossover"
    printf '%s\n' "$ENVIRONMENT" "CROSSOVER_WORKERS=$(($(nproc) * WORKERS_PER_VCPU))" >"$ROOT/etc/crossover/environment"
    printf '%s\n' "$UNIT" >"$ROOT/etc/systemd/system/crossover.service"
    systemctl daemon-reload
    systemctl enable --now crossover.service
}

await_ready() {
    local left
    for ((left = READY_TIMEOUT_S; left > 0; left--)); do
        curl --fail --silent --output /dev/null --max-time 2 "http://127.0.0.1:$PORT/readyz" && return 0
        sleep 1
    done
    fail "the service was not ready within $READY_TIMEOUT_S s"
}

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
install_python
fetch_bundle
start_service
await_ready
log "serving bundle $SHA256 on port $PORT"
signal SUCCESS
