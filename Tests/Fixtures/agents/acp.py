#!/usr/bin/env python3
"""An agent that speaks the Agent Client Protocol, and does wrong what it is told to. Options are for all of its life:

    --version N      answers with that version of the protocol
    --mute METHOD    never answers that method
    --refuse METHOD CODE MESSAGE
    --load HOW       empty (answers {} to any id), real, refuse, hollow (any prompt ends with nothing done); --resume: also by session/resume
    --images         takes images
    --deaf           ends neither when its standard input is closed nor by SIGTERM
    --noise          mixes lines among the messages that are none

The prompt tells what is done in a turn, a line each:

    say TEXT | think TEXT | update JSON | notify METHOD JSON | call METHOD JSON (answers what it was answered)
    permission KIND | permission-later | recall | flood N | long BYTES | stop REASON | error CODE MESSAGE
    write-long PATH BYTES | long-answer BYTES | deep METHOD (a request nested too deep) | env NAME | permission-other KIND
    complain TEXT (on stderr)
    hang (until cancelled) | end-though-cancelled | ignore-cancel | half (ends in the middle of a message) | wait FILE
"""
import json
import os
import queue
import signal
import sys
import threading

options = sys.argv[1:]


def option(name, count=1):
    if name not in options:
        return None
    at = options.index(name)
    return options[at + 1] if count == 1 else options[at + 1:at + 1 + count]


class Cancelled(Exception):
    pass


home = os.environ["FAKE_HOME"]
inbox = queue.Queue()
sessions = {}
own_id = 0  # As ours may be: ids are per direction.
late = []
answers = {}
lock = threading.Lock()


def write(text):
    with lock:
        sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())
        sys.stdout.buffer.flush()


def put(message):
    if "--noise" in options:
        write(b'Loading\xff model [42%]\n\n{"half": \n{"jsonrpc":"2.0"}\n[{"jsonrpc":"2.0","method":"x"}]\n42\n{"a":1,"a":2}\n')
    write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")


def update(session, **details):
    put({"method": "session/update", "params": {"sessionId": session, "update": details}})


def say(session, text, kind="agent_message_chunk"):
    update(session, sessionUpdate=kind, content={"type": "text", "text": text})


def request(method, params):
    global own_id
    message = {"id": own_id, "method": method, "params": params}
    own_id += 1
    put(message)
    return message["id"]


def answer_to(number):
    """Waits for the answer to a request of its own; what else comes meanwhile is a cancel."""
    while number not in answers:
        message = inbox.get()
        if message is None:
            os._exit(0)
        note(message)
        # As real ones do, it goes on waiting for its answer.
        if message.get("method") == "session/cancel":
            inbox.cancelled = True
    return answers.pop(number)


def note(message):
    if "method" not in message:
        answers[message.get("id")] = message.get("result", message.get("error"))


def ask(session, kind, offered=None):
    number = request("session/request_permission", {
        "sessionId": session,
        "toolCall": {"toolCallId": "call-1", "title": "Remove everything", **({"kind": kind} if kind else {})},
        "options": [option for option in [
            {"optionId": "zzz", "name": "Never", "kind": "reject_always"}, {"optionId": "no-thanks", "name": "Not now", "kind": "reject_once"},
            {"optionId": "a", "name": "Always", "kind": "allow_always"}, {"optionId": "1", "name": "Go ahead", "kind": "allow_once"},
        ] if offered in (None, option["kind"])]})
    return number


def wait_for_cancel():
    while not inbox.cancelled:
        message = inbox.get()
        if message is None:
            os._exit(0)
        inbox.cancelled = message.get("method") == "session/cancel"


def turn(session, text):
    inbox.cancelled = False
    reason = "end_turn"
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "say":
            say(session, rest)
        elif word == "think":
            say(session, rest, "agent_thought_chunk")
        elif word == "update":
            update(session, **json.loads(rest))
        elif word == "notify":
            method, _, params = rest.partition(" ")
            put({"method": method, "params": json.loads(params)})
        elif word == "call":
            method, _, params = rest.partition(" ")
            for name, value in late_values().items():
                params = params.replace(name, value)
            result = answer_to(request(method, {"sessionId": session, **json.loads(params)}))
            if isinstance(result, dict) and "terminalId" in result:
                late_values.terminal = result["terminalId"]
            say(session, json.dumps(result, sort_keys=True) + "\n")
        elif word == "permission":
            update(session, sessionUpdate="tool_call", toolCallId="call-1", title="Remove everything", kind=rest or "other", status="pending")
            outcome = answer_to(ask(session, rest))["outcome"]
            if outcome["outcome"] == "cancelled":
                return "cancelled"
            say(session, "chosen: " + outcome["optionId"])
        elif word == "permission-other":
            outcome = answer_to(ask(session, "edit", offered=rest))["outcome"]
            say(session, "chosen: " + outcome.get("optionId", "nothing"))
        elif word == "permission-later":
            late.append("ask")
        elif word == "late":
            say(session, "late: " + json.dumps(answer_to(late.pop()), sort_keys=True))
        elif word == "recall":
            say(session, " | ".join(sessions[session][:-1]) or "nothing")
        elif word == "flood":
            for number in range(int(rest)):
                say(session, "x" * 100, "agent_thought_chunk")
        elif word == "long":
            say(session, "y" * int(rest) + " and the end")
        elif word == "write-long":
            path, _, count = rest.partition(" ")
            answer = answer_to(request("fs/write_text_file", {"sessionId": session, "path": path, "content": "z" * int(count)}))
            say(session, json.dumps(answer))
        elif word == "long-answer":
            return {"stopReason": "end_turn", "_meta": "z" * int(rest)}
        elif word == "deep":
            value = {}
            for _ in range(100):
                value = {"a": value}
            say(session, json.dumps(answer_to(request(rest, value))["code"]))
        elif word == "complain":
            print(rest, file=sys.stderr, flush=True)
        elif word == "env":
            say(session, os.environ.get(rest, "none") + "\n")
        elif word == "wait":
            with open(rest, "rb") as fifo:
                fifo.read()
        elif word == "stop":
            reason = rest
        elif word == "error":
            code, _, message = rest.partition(" ")
            raise RuntimeError(int(code), message)
        elif word in ("hang", "end-though-cancelled"):
            say(session, "thinking")
            wait_for_cancel()
            say(session, " about the cancel")
            reason = "cancelled" if word == "hang" else "end_turn"
        elif word == "ignore-cancel":
            say(session, "thinking")
            while True:
                if inbox.get() is None and "--deaf" not in options:
                    os._exit(0)
        elif word == "half":
            write('{"jsonrpc": "2.0", "method": "session/upd')
            os._exit(3)
    return reason


def late_values():
    return {"$terminal": getattr(late_values, "terminal", "")}


def handle(message):
    method, params, number = message.get("method"), message.get("params", {}), message.get("id")
    if method is None:
        return note(message)
    if method == option("--mute"):
        return
    refused = option("--refuse", 3)
    if refused and refused[0] == method:
        return put({"id": number, "error": {"code": int(refused[1]), "message": refused[2]}})
    if method == "initialize":
        load = option("--load")
        return put({"id": number, "result": {
            "protocolVersion": int(option("--version") or 1),
            "agentCapabilities": {
                "loadSession": load is not None, "promptCapabilities": {"image": "--images" in options},
                "sessionCapabilities": {"resume": {}} if "--resume" in options else {}},
            "authMethods": [{"id": "login", "name": "Log in with a browser"}],
            "agentInfo": {"name": "faulty", "version": "1"}}})
    if method == "session/new":
        session = f"session-{os.getpid()}-{len(sessions)}"
        sessions[session] = []
        return put({"id": number, "result": {"sessionId": session}})
    if method in ("session/load", "session/resume"):
        session = params["sessionId"]
        if option("--load") == "refuse":
            return put({"id": number, "error": {"code": -32602, "message": "no such session"}})
        if option("--load") == "real":
            sessions[session] = json.load(open(f"{home}/{session}"))
            for prompt in sessions[session] if method == "session/load" else []:
                say(session, prompt, "user_message_chunk")
                say(session, "an answer of long ago")
        return put({"id": number, "result": {}})
    if method == "session/prompt":
        session = params["sessionId"]
        if option("--load") == "hollow" and session not in sessions:
            update(session, sessionUpdate="available_commands_update", availableCommands=[])
            return put({"id": number, "result": {"stopReason": "end_turn"}})
        if session not in sessions:
            update(session, sessionUpdate="available_commands_update", availableCommands=[])
            return put({"id": number, "error": {"code": -32603, "message": "Internal error", "data": {"details": "Session not found"}}})
        text = "\n".join(block.get("text", block["type"]) for block in params["prompt"])
        sessions[session].append(text)
        with open(f"{home}/{session}", "w") as file:
            json.dump(sessions[session], file)
        try:
            reason = turn(session, text)
            result = reason if isinstance(reason, dict) else {
                "stopReason": reason, "usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}}
            put({"id": number, "result": result})
        except RuntimeError as fault:
            put({"id": number, "error": {"code": fault.args[0], "message": fault.args[1]}})
        if late == ["ask"]:
            late[:] = [ask(session, "edit")]
        return
    if method == "session/cancel":
        return
    if number is not None:
        put({"id": number, "error": {"code": -32601, "message": "Method not found"}})


def read():
    for line in sys.stdin.buffer:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            inbox.put(message)
    inbox.put(None)


if "--deaf" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("the agent is up", file=sys.stderr, flush=True)
inbox.cancelled = False
threading.Thread(target=read, daemon=True).start()
while True:
    message = inbox.get()
    if message is None:
        if "--deaf" in options:
            while True:
                signal.pause()
        os._exit(0)
    handle(message)
