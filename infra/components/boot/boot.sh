# The first part of an instance's boot, after the settings that render.py puts above this line: install Python and fetch the
# bundle, side by side; refuse the bundle unless its SHA-256 is the deployed one; unpack it; hand over to the boot program in
# it (instance/boot.py). Any failure of either is told here, so that a bad deployment rolls back.
# CROSSOVER_ROOT is for tests: a directory to write into instead of /.
set -Eeuo pipefail
ROOT="${CROSSOVER_ROOT:-}"
RETRY_PAUSE_S="${CROSSOVER_RETRY_PAUSE_S:-5}"
HOME_DIR="$ROOT/opt/crossover"
ZIP="$HOME_DIR/$SHA256.zip"
export AWS_DEFAULT_REGION="$REGION" AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5

log() { echo "crossover-boot: $*" >&2; }

metadata() { # one item of the instance's metadata
    local url="${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}/latest" token
    token="$(curl -fsS -m 5 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$url/api/token")" &&
        curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "$url/meta-data/$1"
}

# Tells CloudFormation, the alarm that ends a deployment, and the autoscaling group; the group last, for it ends the instance.
fail() {
    trap - ERR
    log "refused: $*"
    local instance group
    instance="$(cat "$ROOT/var/lib/cloud/data/instance-id")"
    aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id "$GROUP" --status FAILURE \
        --unique-id "$instance" || log "no stack update is waiting for this instance"  # so it is when the group grows by itself
    group="$(metadata tags/instance/aws:autoscaling:groupName)" || { log "no group is named in this instance's tags"; exit 1; }
    aws cloudwatch put-metric-data --namespace Crossover --metric-name BootFailures --unit Count --value 1 \
        --dimensions "AutoScalingGroupName=$group" || log "the failure is not counted"
    aws autoscaling complete-lifecycle-action --lifecycle-hook-name "$HOOK" --auto-scaling-group-name "$group" \
        --instance-id "$instance" --lifecycle-action-result ABANDON || log "the group is not told"
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

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
umask 022 # the agent, a user of its own, reads what is written here
mkdir -p "$HOME_DIR" "$ROOT/etc/crossover"
printf '%s\n' "$SETTINGS" >"$ROOT/etc/crossover/instance.json"
printf '%s\n' "$ENVIRONMENT" >"$ROOT/etc/crossover/environment"
(trap - ERR; retry dnf install --assumeyes --quiet "$PYTHON") &
installing=$!
retry aws s3 cp --only-show-errors "$BUNDLE_URI" "$ZIP" || fail "$BUNDLE_URI cannot be fetched"
found="$(sha256sum "$ZIP" | cut -d ' ' -f 1)"
if [ "$found" != "$SHA256" ]; then
    rm -f "$ZIP"
    fail "$BUNDLE_URI has SHA-256 $found, deployed is $SHA256"
fi
wait "$installing" || fail "$PYTHON cannot be installed"
rm -rf "$HOME_DIR/$SHA256.partial" "${HOME_DIR:?}/$SHA256"
"$PYTHON" -m zipfile -e "$ZIP" "$HOME_DIR/$SHA256.partial"
mv "$HOME_DIR/$SHA256.partial" "$HOME_DIR/$SHA256"
rm -f "$ZIP"
cd "$HOME_DIR/$SHA256"
"$PYTHON" -m instance.boot --root "${ROOT:-/}" || fail "the boot program ended with $?"
