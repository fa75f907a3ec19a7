#!/bin/bash
# Answers every message once, through restarts of the daemon and of itself.    answer.sh [SOCKET]
# One line of shell; curl carries the bytes (socat - UNIX-CONNECT:"$S" or nc -U "$S" do as well) and jq writes the
# requests: an event becomes a send with its offset as id, the answer to that send becomes the ack of the offset.
S=${1:-${AGENTCHATD_SOCKET:-${XDG_RUNTIME_DIR:-/run}/agentchatd/agentchatd.sock}}
F=$(mktemp -d)/requests && mkfifo "$F" && trap 'rm -r "${F%/*}"' EXIT || exit 1

while :; do { echo '{"jsonrpc":"2.0","id":0,"method":"events.subscribe","params":{"consumer":"answer-sh","filter":{"types":["message.new"]},"max_in_flight":1,"takeover":true}}'; cat "$F"; } | curl -NT. --no-progress-meter --unix-socket "$S" telnet://localhost | jq --unbuffered -c 'if .method == "events.event" then .params.result | {jsonrpc: "2.0", id: .offset, method: "messages.send", params: ({text: "Thank you, got it.", client_msg_id: "answer-\(.message_id)", delivery: "queue"} + if .conversation_id | startswith("grp_") then {conversation_id} else {to: .payload.sender} end)} elif .result and .id > 0 then {jsonrpc: "2.0", method: "events.ack", params: {consumer: "answer-sh", offset: .id}} elif .error then "trying again: \(.error)\n" | halt_error else empty end' >"$F"; sleep 1; done
