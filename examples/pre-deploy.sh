#!/usr/bin/env bash
# Audits a new deployment before the name leads to it, and fails when it must not go live.
#
#   DOMAIN=shop.example NEW=203.0.113.7:443 examples/pre-deploy.sh
#
# DOMAIN       the domain of the product
# NEW          address and port at which the new deployment answers https for that domain
# NEW_PLAIN    address and port at which it answers http; without it http goes where the name leads
# HOSTS        host names that move with it, with blanks between them; DOMAIN unless said
# CONFIG       the config file; without it only what strangers see is looked at
# GOAL         launch, paid-traffic or handover; what the config says unless said
# SARIF        where the findings are written; launchready.sarif unless said
# LAUNCHREADY  the program; launchready on the PATH unless said
#
# What stands behind the script's name goes to the audit as it is, such as --only 'web-*,tls-*'.
# It ends as the audit does: 0 go live, 1 no-go, 2 called wrongly, 3 the audit could not finish.
set -euo pipefail

: "${DOMAIN:?name the domain of the product in DOMAIN}"
: "${NEW:?say in NEW where the new deployment answers, such as 203.0.113.7:443}"

audit=("${LAUNCHREADY:-launchready}" audit --format sarif --out "${SARIF:-launchready.sarif}")
for host in ${HOSTS:-$DOMAIN}; do
    audit+=(--connect-to "$host:443=$NEW")
    if [ -n "${NEW_PLAIN:-}" ]; then audit+=(--connect-to "$host:80=$NEW_PLAIN"); fi
done
if [ -n "${CONFIG:-}" ]; then audit+=(--config "$CONFIG"); fi
if [ -n "${GOAL:-}" ]; then audit+=(--goal "$GOAL"); fi

result=0
"${audit[@]}" "$@" -- "$DOMAIN" || result=$?
case $result in
    0) printf 'pre-deploy: %s is ready at %s; switch the name over\n' "$DOMAIN" "$NEW" ;;
    1) printf 'pre-deploy: no-go for %s at %s; the name stays where it is\n' "$DOMAIN" "$NEW" >&2 ;;
    *) printf 'pre-deploy: the audit has ended with %s, so nothing is known; the name stays where it is\n' "$result" >&2 ;;
esac
exit "$result"
