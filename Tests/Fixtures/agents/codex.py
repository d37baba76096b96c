#!/usr/bin/env python3
"""Behaves as `codex exec` of version 0.163 does, without a model: `exec [resume] --json … [ID] PROMPT`, where `-` is a
prompt on standard input. The prompt tells what it does: `say TEXT`, `fail MESSAGE`, `linger` (answers, and does not end).
"""
import json
import os
import signal
import sys
import uuid

arguments = sys.argv[1:]
if arguments.pop(0) != "exec":
    sys.exit("error: no terminal")
isResume = arguments[0] == "resume"
if isResume:
    arguments.pop(0)
flags = [word for word in arguments if word.startswith("--")]
arguments = [word for word in arguments if not word.startswith("--")]
# The flags belong to the command after which they stand.
if set(flags) - {"--json", "--skip-git-repo-check"} or len(arguments) != (2 if isResume else 1):
    sys.exit(f"error: unexpected argument in {sys.argv[1:]}")
if "--json" not in flags:
    sys.exit("error: this one speaks JSON only")
# An open and silent standard input: it waits for ever.
standard_input = sys.stdin.read()

home = os.environ["FAKE_HOME"]
thread = str(uuid.uuid4())
if isResume:
    thread = arguments[0]
    if not os.path.exists(f"{home}/{thread}"):
        sys.exit(f"Error: thread/resume failed: no rollout found for thread id {thread}")
prompt = standard_input if arguments[-1] == "-" else arguments[-1]
turns = int(open(f"{home}/{thread}").read()) if os.path.exists(f"{home}/{thread}") else 0
with open(f"{home}/{thread}", "w") as file:
    file.write(str(turns + 1))


def put(kind, **message):
    print(json.dumps({"type": kind, **message}), flush=True)


print("WARNING: this line is no JSON", flush=True)
put("thread.started", thread_id=thread)
put("turn.started")
put("item.completed", item={"id": "item_0", "type": "error", "message": "a warning that is called an error"})
word, _, rest = prompt.strip().rpartition("\n")[2].partition(" ")
if word == "fail":
    put("turn.failed", error={"message": rest})
    sys.exit(1)
put("item.completed", item={"id": "item_1", "type": "agent_message", "text": "thinking aloud"})
put("item.completed", item={"id": "item_2", "type": "agent_message", "text": rest or f"turn {turns + 1}"})
put("turn.completed", usage={"input_tokens": 100 * (turns + 1), "cached_input_tokens": 5, "output_tokens": 10 * (turns + 1)})
if word == "linger":
    while True:
        signal.pause()
