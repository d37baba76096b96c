#!/usr/bin/env python3
"""Behaves as `claude --print` of version 2.1 does, without a model. What it does is told by the prompt:

    say TEXT    answers TEXT            status N    a model error, as N
    hang        until it is told to end  limit      the limit of turns was reached
    recall      answers what it was asked before
    nothing     exit 0 without output   crash       ends by a signal
"""
import json
import os
import random
import signal
import subprocess
import sys
import uuid

arguments = sys.argv[1:]
options, prompt = {}, None
while arguments:
    word = arguments.pop(0)
    if word == "--":
        prompt = arguments.pop(0) if arguments else None
    elif word in ("--print", "--verbose", "--fork-session"):
        options[word] = True
    elif word in ("--output-format", "--permission-mode", "--model", "--session-id", "--resume"):
        options[word] = arguments.pop(0)
    elif word.startswith("-") or prompt is not None:
        sys.exit(f"error: unknown option '{word}'")
    else:
        prompt = word
if "--print" not in options:
    sys.exit("Error: no terminal")
if options.get("--output-format") == "stream-json" and "--verbose" not in options:
    sys.exit("Error: When using --print, --output-format=stream-json requires --verbose")
if prompt is None:
    prompt = sys.stdin.read()

home = os.environ["FAKE_HOME"]
stream = options.get("--output-format") == "stream-json"
session = options.get("--resume") or options.get("--session-id") or str(uuid.uuid4())
path = f"{home}/{session}.json"
if "--resume" in options and not os.path.exists(path):
    sys.exit(f"No conversation found with session ID: {session}")
if "--session-id" in options and os.path.exists(path):
    sys.exit(f"Error: Session ID {session} is already in use.")
history = json.load(open(path)) if os.path.exists(path) else {"prompts": [], "cost": 0}


def put(**message):
    members = list(message.items())
    random.shuffle(members)
    print(json.dumps(dict(members)), flush=True)


def save():
    with open(path, "w") as file:
        json.dump(history, file)


def result(**message):
    # What went wrong at the model has used nothing.
    usage = {"input_tokens": 0, "output_tokens": 0} if message["is_error"] else {}
    if "cached" in prompt:
        usage |= {"cache_creation_input_tokens": 20, "cache_read_input_tokens": 300}
    save()
    put(type="result", session_id=session, total_cost_usd=history["cost"], num_turns=1, permission_denials=[],
        usage={"input_tokens": 10, "output_tokens": 3} | usage, **message)


signal.signal(signal.SIGINT, lambda *_: os._exit(0))
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
if stream:
    put(type="system", subtype="init", session_id=session, model=options.get("--model"))
earlier = list(history["prompts"])
history["prompts"].append(prompt)
history["cost"] += 0.5
word, _, rest = prompt.strip().rpartition("\n")[2].partition(" ")
if word == "hang":
    save()
    # Its tools are in sessions of their own.
    tool = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with open(f"{home}/hanging", "w") as file:
        file.write(f"{os.getpid()} {tool.pid}")
    signal.pause()
elif word == "nothing":
    sys.exit(0)
elif word == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif word == "status":
    result(subtype="success", is_error=True, api_error_status=int(rest), result=f"API Error: {rest} of the model")
    sys.exit(1)
elif word == "limit":
    result(subtype="error_max_turns", is_error=True)
    sys.exit(1)
else:
    answer = {"say": rest, "recall": " | ".join(earlier) or "nothing"}.get(word, prompt)
    if stream:
        put(type="assistant", message={"role": "assistant", "content": [{"type": "text", "text": answer}]}, session_id=session)
    result(subtype="success", is_error=False, result=answer)
