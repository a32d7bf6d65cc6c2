# Only where a secret is configured: the unit that reads it before the service starts.
mkdir -p "${CROSSOVER_ROOT:-}/etc/systemd/system"
printf '%s\n' "$SECRETS_UNIT" >"${CROSSOVER_ROOT:-}/etc/systemd/system/crossover-secrets.service"
