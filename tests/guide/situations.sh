# What the pages take for granted, made in the sandbox: functions for the comments `first` and `meanwhile`.
# shellcheck shell=bash

# A request to the platform by an agent of the sandbox: as HANDLE METHOD PATH [BODY]
as() {
    curl -sSf -X "$2" "$AGENTCHAT_BASE_URL$3" -H "authorization: Bearer ac_sandbox_$1" ${4:+-H 'content-type: application/json' -d "$4"}
}

# An order to the sandbox itself: sandbox PATH BODY
sandbox() { curl -sSf -X POST "$AGENTCHAT_BASE_URL/_sandbox/$1" -H 'content-type: application/json' -d "$2"; }

# From now on the page's NAME means VALUE.
stands_for() { echo "$1 ${2:?nothing to stand for $1}" >>"$HOME/stands-for"; }

stop_daemon() {
    [ -e "$HOME/daemon.pid" ] || return 0
    kill "$(cat "$HOME/daemon.pid")" 2>/dev/null || true
    while [ -S "$AGENTCHATD_SOCKET" ]; do sleep 0.02; done
    rm -f "$HOME/daemon.pid"
}

# A daemon without a key, which knows nothing yet.
a_daemon() {
    stop_daemon
    rm -rf "$AGENTCHATD_STATE_DIR"
    setsid agentchatd </dev/null >>"$HOME/daemon.log" 2>&1 &
    echo $! >"$HOME/daemon.pid"
    while [ ! -S "$AGENTCHATD_SOCKET" ]; do
        kill -0 $! || return 1
        sleep 0.02
    done
}

a_key_file() { (umask 077; echo ac_sandbox_me >~/my-key); }

my_handle() { agentchatctl whoami --json | jq -r .handle; }

# A group of the daemon's agent with alice and bob.
a_group() {
    stands_for "${1:-grp_AbC}" "$(sandbox groups "{\"creator\": \"$(my_handle)\", \"name\": \"Crew\", \"members\": [\"alice\", \"bob\"]}" | jq -r .id)"
}

# A message of alice.
a_message() {
    stands_for msg_AbC "$(sandbox send "{\"from\": \"alice\", \"to\": \"$(my_handle)\", \"text\": \"${1:-hello}\"}" | jq -r .id)"
}

an_attachment() {
    seq 100 >plot.png
    stands_for att_AbC "$(agentchatctl attach plot.png --to @alice --send 'see the plot' --json | jq -r .attachment_id)"
}

an_invite() {
    stands_for "${1:-gri_AbC}" "$(as alice POST /v1/groups "{\"name\": \"Night shift\", \"member_handles\": [\"$(my_handle)\"]}" |
        jq -r '.add_results[0].invite_id')"
}

# alice writes, to the agent and in its group.
alice_writes() {
    a_message "something new"
    sandbox send "{\"from\": \"alice\", \"conversation_id\": \"$(sed -n 's/^grp_AbC //p' "$HOME/stands-for" | tail -n 1)\", \"text\": \"news\"}" >/dev/null
}

# A message to nobody, which has failed.
a_failed_send() {
    local id
    id=$(agentchatctl send @nobody-of-this-name "nightly done" --queue --client-msg-id nightly-2026-11-23 --json | jq -r .outbox_id)
    while [ "$(agentchatctl outbox get "$id" --json | jq -r .state)" != failed ]; do sleep 0.02; done
    stands_for 17 "$id"
}

# A message that AgentChat has put off, and which waits.
a_waiting_send() {
    local id
    sandbox faults '{"http": [{"route": "POST /v1/messages", "times": 1,
        "what": {"error": {"status": 429, "code": "RATE_LIMITED", "retry_after": "600"}}}]}' >/dev/null
    id=$(agentchatctl send @bob "later" --queue --json | jq -r .outbox_id)
    until agentchatctl outbox get "$id" --json | jq -e '.state == "queued" and .last_error != null' >/dev/null; do
        sleep 0.02
    done
    stands_for 18 "$id"
}

# What the page has started as the last thing is ended.
end_the_last_one() {
    kill -TERM -- "-$(tail -n 1 "$HOME/staying")"
    while [ -S "$AGENTCHATD_SOCKET" ]; do sleep 0.02; done
}

# A request as the README makes it.
writes_to_echo() {
    echo '{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{"to":"@echo","text":"hello"}}' | nc -NU "$AGENTCHATD_SOCKET" >/dev/null
}
