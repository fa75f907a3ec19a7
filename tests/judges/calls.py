"""What is called of the SDK, as data: each call with its arguments, the local method that means the same with its
params, and the pattern that the answer has to fit. Nothing here knows an SDK or a daemon; whoever runs the list does.

In every text `$name` stands for a value that is known from the beginning (NAMES) or that an earlier step kept. A
pattern is a value that has to be the same, a type, a tuple of patterns of which one has to fit, a list whose items have
to fit one by one, or a dict whose members have to be there and fit.
"""

import base64
import json
import string
from dataclasses import dataclass, field

# What a runner has to know before it begins. `me` and `peer` are agents; the others are free words.
NAMES = ("me", "peer", "other", "new", "new_email", "tag")
CODE = "123456"
# One transparent pixel.
PICTURE_BASE64 = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
                  "gg==")
BYTES = b"sixteen bytes..."
SHA256 = "0f1442166d84cb72f5a6f29b63c4e82469086e7d5ebae3082c53050b5c8eb9ae"
TEXT_OR_NONE = (str, None)
OK = {"ok": True}
MESSAGE = {"message": str}


@dataclass(frozen=True)
class Call:
    """A call of the SDK and its twin of the local API (None: there is none)."""

    sdk: str
    args: tuple = ()
    named: dict = field(default_factory=dict)
    local: str = None
    params: dict = field(default_factory=dict)
    wants: object = object
    # Name -> where it stands in the answer, such as `group.id` or `0.id`.
    keeps: dict = field(default_factory=dict)
    # `me`, `new` (the agent that registered in the list), or None for calls that ask for no key.
    who: str = "me"
    # Releases that have the method; None for all.
    releases: tuple = None


@dataclass(frozen=True)
class Peer:
    """Plain HTTP beside the SDK: by an agent, or (None) without a key."""

    who: str
    method: str
    path: str
    body: object = None
    keeps: dict = field(default_factory=dict)


def filled(value, known):
    """A value with its `$names` filled in."""
    if isinstance(value, str):
        return string.Template(value).substitute(known)
    if isinstance(value, dict):
        return {k: filled(v, known) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(v, known) for v in value)
    return value


def at(value, path):
    """The value at a place such as `group.id` or `0.id`."""
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    return value


def misfits(pattern, value, path="answer"):
    """What does not fit, or nothing."""
    if isinstance(pattern, type):
        return None if isinstance(value, pattern) else f"{path}: {value!r} is no {pattern.__name__}"
    if isinstance(pattern, tuple):
        return None if not all(misfits(one, value, path) for one in pattern) else f"{path}: {value!r}"
    if isinstance(pattern, dict):
        if not isinstance(value, dict):
            return f"{path}: {value!r} is no object"
        absent = [f"{path}.{k} is missing" for k in pattern if k not in value]
        return next(iter(absent), None) or _first(misfits(v, value[k], f"{path}.{k}") for k, v in pattern.items())
    if isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            return f"{path}: {value!r}, not {len(pattern)} items"
        return _first(misfits(p, v, f"{path}[{i}]") for i, (p, v) in enumerate(zip(pattern, value)))
    return None if value == pattern else f"{path}: {value!r}, not {pattern!r}"


def _first(problems):
    return next((problem for problem in problems if problem), None)


def exported():
    """The list as JSON, for judges in other languages: types, alternatives and bytes are objects with one member."""
    return json.dumps([_exported(step) for step in ALL])


def _exported(step):
    out = {name: _bytes(value) for name, value in vars(step).items() if name != "wants"}
    return out | ({"wants": _pattern(step.wants)} if isinstance(step, Call) else {})


def _bytes(value):
    if isinstance(value, bytes):
        return {"<base64>": base64.b64encode(value).decode()}
    return [_bytes(v) for v in value] if isinstance(value, tuple) else value


def _pattern(value):
    if isinstance(value, type):
        return {"<type>": value.__name__}
    if isinstance(value, tuple):
        return {"<any>": [_pattern(v) for v in value]}
    if isinstance(value, dict):
        return {k: _pattern(v) for k, v in value.items()}
    return [_pattern(v) for v in value] if isinstance(value, list) else value


GROUP = {"id": str, "name": str, "created_by": "$me", "members": list, "your_role": "admin"}
ROW = {"id": str, "conversation_id": str, "seq": int, "content": dict}
WEBHOOK = {"id": str, "url": "https://example.test/hook", "events": ["message.new"], "active": True}
HAVE_WEBHOOKS = ("1.0.3", "typescript")


def of_group(name, local, handle=None):
    """A call about the group, and perhaps about one of its members."""
    more = (handle,) if handle else ()
    return Call(name, ("$group", *more), local=local,
                params={"group_id": "$group"} | ({"handle": handle} if handle else {}), wants=MESSAGE)


def about(name, local, handle="$peer", wants=object):
    """A call about another agent."""
    return Call(name, (handle,), local=local, params={"handle": handle}, wants=wants)


ACCOUNTS = [
    Call("get_me", local="agents.me", wants={"handle": "$me", "status": "active", "settings": {"inbox_mode": "open"}}),
    about("get_agent", "agents.get", wants={"handle": "$peer", "status": "active"}),
    Call("update_agent", ("$me", {"display_name": "Judge $tag", "settings": {"inbox_mode": "open"}}),
         local="agents.update", params={"display_name": "Judge $tag", "settings": {"inbox_mode": "open"}},
         wants={"handle": "$me", "display_name": "Judge $tag"}),
    Call("set_avatar", ("$me", base64.b64decode(PICTURE_BASE64)), local="agents.set_avatar",
         params={"data_base64": PICTURE_BASE64}, wants={"avatar_key": str, "avatar_url": str}),
    Call("remove_avatar", ("$me",), local="agents.remove_avatar", wants=OK),
]
MESSAGES = [
    Call("send_message", named={"to": "$peer", "text": "hello $tag", "client_msg_id": "list-$tag-1"},
         local="messages.send",
         params={"to": "$peer", "content": {"text": "hello $tag"}, "client_msg_id": "list-$tag-1"},
         wants={"message": ROW | {"sender": "$me", "content": {"text": "hello $tag"}}},
         keeps={"conversation": "message.conversation_id", "first": "message.seq"}),
    Peer("peer", "POST", "/v1/messages",
         {"to": "$me", "client_msg_id": "answer-$tag", "content": {"text": "answer $tag"}}, keeps={"answer": "id"}),
    Call("get_messages", ("$conversation",), named={"limit": 10}, local="messages.list",
         params={"conversation_id": "$conversation", "limit": 10},
         wants=[ROW | {"content": {"text": "answer $tag"}}, ROW | {"content": {"text": "hello $tag"}}]),
    Call("sync", local="sync.peek", wants=(list, {"envelopes": list})),
    Call("mark_as_read", ("$answer",), local="messages.mark_read", params={"message_id": "$answer"}, wants=OK),
    Call("delete_message", ("$answer",), local="messages.delete", params={"message_id": "$answer"}, wants=MESSAGE),
    Call("list_conversations", local="conversations.list", wants=list),
    Call("get_conversation_participants", ("$conversation",), local="conversations.participants",
         params={"conversation_id": "$conversation"}, wants=[{"handle": "$peer", "display_name": TEXT_OR_NONE}]),
    Call("get_conversation_context", ("$conversation",), local="conversations.context",
         params={"conversation_id": "$conversation"}, releases=("typescript",),
         wants={"type": "direct", "counterparty": {"handle": "$peer"}, "relationship": {"is_contact": True},
                "unread": {"count": 0, "oldest_seq": None, "newest_seq": None}}),
    Call("mute_conversation", ("$conversation",), local="mutes.mute_conversation",
         params={"conversation_id": "$conversation"},
         wants={"target_kind": "conversation", "target_id": "$conversation", "muted_until": None}),
    Call("get_conversation_mute_status", ("$conversation",), local="mutes.conversation_status",
         params={"conversation_id": "$conversation"}, wants={"target_id": "$conversation"}),
    Call("unmute_conversation", ("$conversation",), local="mutes.unmute_conversation",
         params={"conversation_id": "$conversation"}),
    Call("get_conversation_mute_status", ("$conversation",), local="mutes.conversation_status",
         params={"conversation_id": "$conversation"}, wants=(None,)),
    Call("hide_conversation", ("$conversation",), local="conversations.hide",
         params={"conversation_id": "$conversation"}, wants=OK),
]
PEOPLE = [
    about("add_contact", "contacts.add", wants={"handle": "$peer"}),
    Call("list_contacts", named={"limit": 10}, local="contacts.list", params={"limit": 10},
         wants={"contacts": list, "total": 1, "limit": 10, "offset": 0}),
    Call("contacts", local="contacts.list", params={"all": True}, wants=[{"handle": "$peer"}]),
    about("check_contact", "contacts.check", wants={"is_contact": True, "notes": None}),
    Call("update_contact_notes", ("$peer", "a note"), local="contacts.update_notes",
         params={"handle": "$peer", "notes": "a note"}),
    about("check_contact", "contacts.check", wants={"is_contact": True, "notes": "a note"}),
    about("get_presence", "presence.get", wants={"handle": "$peer", "status": "offline"}),
    Call("update_presence", ({"status": "busy", "custom_message": "judging"},), local="presence.update",
         params={"status": "busy", "custom_message": "judging"},
         wants={"handle": "$me", "status": "busy", "custom_message": "judging"}),
    Call("get_presence_batch", (["$peer", "$me"],), local="presence.get_batch", params={"handles": ["$peer", "$me"]},
         wants={"presences": [{"handle": "$peer"}, {"handle": "$me", "status": "busy"}]}),
    about("remove_contact", "contacts.remove"),
    about("check_contact", "contacts.check", wants={"is_contact": False}),
    about("mute_agent", "mutes.mute_agent", wants={"target_kind": "agent", "muted_until": None}),
    about("get_agent_mute_status", "mutes.agent_status", wants={"target_kind": "agent"}),
    Call("list_mutes", named={"kind": "agent"}, local="mutes.list", params={"kind": "agent"},
         wants={"mutes": [{"target_kind": "agent"}]}),
    about("unmute_agent", "mutes.unmute_agent"),
    about("get_agent_mute_status", "mutes.agent_status", wants=(None,)),
    about("block_agent", "contacts.block", handle="$other"),
    about("unblock_agent", "contacts.unblock", handle="$other"),
    Call("report_agent", ("$other", "spam"), local="contacts.report", params={"handle": "$other", "reason": "spam"}),
    Call("search_agents", ("$peer",), named={"limit": 5}, local="directory.search",
         params={"query": "$peer", "limit": 5},
         wants={"agents": list, "total": int, "limit": 5, "offset": 0}),
    Call("search_agents_all", ("$peer",), named={"max": 1}, local="directory.search",
         params={"query": "$peer", "all": True, "max": 1}, wants=[{"handle": "$peer", "in_contacts": False}]),
]
GROUPS = [
    Call("create_group", ({"name": "List $tag", "member_handles": ["$peer"]},), local="groups.create",
         params={"name": "List $tag", "member_handles": ["$peer"]},
         wants={"group": GROUP | {"name": "List $tag"}, "add_results": [{"handle": "$peer", "outcome": "invited"}]},
         keeps={"group": "group.id", "invite": "add_results.0.invite_id"}),
    Peer("peer", "POST", "/v1/groups/invites/$invite/accept"),
    Call("get_group", ("$group",), local="groups.get", params={"group_id": "$group"},
         wants=GROUP | {"member_count": 2}),
    Call("update_group", ("$group", {"description": "judged"}), local="groups.update",
         params={"group_id": "$group", "description": "judged"}, wants=GROUP | {"description": "judged"}),
    Call("set_group_avatar", ("$group", base64.b64decode(PICTURE_BASE64)), local="groups.set_avatar",
         params={"group_id": "$group", "data_base64": PICTURE_BASE64}, wants={"avatar_key": str, "avatar_url": str}),
    Call("remove_group_avatar", ("$group",), local="groups.remove_avatar", params={"group_id": "$group"}, wants=OK),
    Call("add_group_member", ("$group", "$peer"), local="groups.add_member",
         params={"group_id": "$group", "handle": "$peer"}, wants={"handle": "$peer", "outcome": "already_member"}),
    of_group("promote_group_member", "groups.promote_member", "$peer"),
    of_group("demote_group_member", "groups.demote_member", "$peer"),
    of_group("remove_group_member", "groups.remove_member", "$peer"),
    Call("delete_group", ("$group",), local="groups.delete", params={"group_id": "$group"},
         wants=MESSAGE | {"deleted_at": str}),
    Peer("peer", "POST", "/v1/groups", {"name": "Of the peer", "member_handles": ["$me"]},
         keeps={"theirs": "group.id"}),
    Call("list_group_invites", local="groups.list_invites",
         wants=[{"id": str, "group_id": "$theirs", "inviter_handle": "$peer"}], keeps={"invite": "0.id"}),
    Call("accept_group_invite", ("$invite",), local="groups.accept_invite", params={"invite_id": "$invite"},
         wants={"id": "$theirs", "your_role": "member", "member_count": 2}),
    Call("leave_group", ("$theirs",), local="groups.leave", params={"group_id": "$theirs"},
         wants=MESSAGE | {"promoted_handle": None}),
    Peer("peer", "POST", "/v1/groups/$theirs/members", {"handle": "$me"}, keeps={"invite": "invite_id"}),
    Call("reject_group_invite", ("$invite",), local="groups.reject_invite", params={"invite_id": "$invite"},
         wants=MESSAGE),
    Call("list_group_invites", local="groups.list_invites", wants=[]),
]
FILE = {"to": "$peer", "filename": "a.txt", "content_type": "text/plain", "size": len(BYTES), "sha256": SHA256}
FILES = [
    Call("create_upload", (FILE,), local="attachments.create_upload", params=FILE,
         wants={"attachment_id": str, "upload_url": str, "expires_in": int},
         keeps={"attachment": "attachment_id", "upload": "upload_url"}),
    Peer(None, "PUT", "$upload", BYTES),
    Call("send_message", named={"to": "$peer", "attachment_id": "$attachment", "type": "file"}, local="messages.send",
         params={"to": "$peer", "content": {"attachment_id": "$attachment"}, "type": "file"},
         wants={"message": {"type": "file", "content": {"attachment_id": "$attachment"}}}),
    Call("get_attachment_download_url", ("$attachment",), local="attachments.download_url",
         params={"attachment_id": "$attachment"}, wants=str),
]
HOOK = {"url": "https://example.test/hook", "events": ["message.new"]}
WEBHOOKS = [
    Call("create_webhook", (HOOK,), local="webhooks.create", params=HOOK, wants=WEBHOOK | {"secret": str},
         keeps={"webhook": "id"}, releases=HAVE_WEBHOOKS),
    Call("list_webhooks", local="webhooks.list", wants={"webhooks": [WEBHOOK]}, releases=HAVE_WEBHOOKS),
    Call("get_webhook", ("$webhook",), local="webhooks.get", params={"webhook_id": "$webhook"}, wants=WEBHOOK,
         releases=HAVE_WEBHOOKS),
    Call("delete_webhook", ("$webhook",), local="webhooks.delete", params={"webhook_id": "$webhook"},
         releases=HAVE_WEBHOOKS),
]
MINUTE_LATER = Peer(None, "POST", "/_sandbox/pass", {"seconds": 60})
KEYS = [
    Call("register", named={"email": "$new_email", "handle": "$new", "display_name": "New"}, who=None,
         local="agents.register", params={"email": "$new_email", "handle": "$new", "display_name": "New"},
         wants={"pending_id": str}, keeps={"pending": "pending_id"}),
    Call("verify", ("$pending", CODE), who=None, local="agents.verify", params={"pending_id": "$pending", "code": CODE},
         wants={"agent": {"handle": "$new", "email": "$new_email"}, "api_key": str}),
    Call("get_me", who="new", local="agents.me", wants={"handle": "$new", "display_name": "New"}),
    MINUTE_LATER,
    Call("recover", ("$new_email",), who=None, local="agents.recover", params={"email": "$new_email"},
         wants={"pending_id": str}, keeps={"pending": "pending_id"}),
    Call("recover_verify", ("$pending", CODE), who=None, local="agents.recover_verify",
         params={"pending_id": "$pending", "code": CODE}, wants={"handle": "$new", "api_key": str}),
    MINUTE_LATER,
    Call("rotate_key", ("$new",), who="new", local="agents.rotate_key", wants={"pending_id": str},
         keeps={"pending": "pending_id"}),
    Call("rotate_key_verify", ("$new", "$pending", CODE), who="new", local="agents.rotate_key_verify",
         params={"pending_id": "$pending", "code": CODE}, wants={"handle": "$new", "api_key": str}),
    Call("get_me", who="new", local="agents.me", wants={"handle": "$new"}),
    Call("delete_agent", ("$new",), who="new", local="agents.delete", params={"handle": "$new", "confirm": True}),
]
ALL = [*ACCOUNTS, *MESSAGES, *PEOPLE, *GROUPS, *FILES, *WEBHOOKS, *KEYS]
