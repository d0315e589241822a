#!/usr/bin/env bash
# millrace as a peer of a Kafka benchmark: runs one workload from topic $IN to topic $OUT until it is told to stop.
# The contract (environment): BROKERS, IN, OUT, GUARANTEE=eos|alo, WORKLOAD=A|B|C, CARDS (workload A), STATE_DIR.
# What runs: the binary MILLRACE_BIN; or the bundle that the binary is made of, in the folder MILLRACE_BUNDLE (deno task bundle); or the source.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
case "$WORKLOAD" in
  A) project=authorise ;;
  B) project=window ;;
  C) project=passthrough ;;
  *) echo "peer.sh: no workload $WORKLOAD" >&2; exit 2 ;;
esac
case "${GUARANTEE:-eos}" in eos) MILLRACE_GUARANTEE=exactly_once ;; alo) MILLRACE_GUARANTEE=at_least_once ;; esac
export MILLRACE_GUARANTEE
if [ -n "${MILLRACE_BIN:-}" ]; then exec "$MILLRACE_BIN" run "$here/peer/$project.toml"; fi
if [ -n "${MILLRACE_BUNDLE:-}" ]; then exec "$MILLRACE_BUNDLE/millrace" run "$here/peer/$project.toml"; fi
exec deno run -A --unstable-kv --no-check --config "$here/../deno.json" "$here/../src/main.ts" run "$here/peer/$project.toml"
