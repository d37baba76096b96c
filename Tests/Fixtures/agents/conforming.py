"""One agent that can be talked to in three ways, and does the same in each: `conforming.py command|acp|terminal HOME`.

It says how many prompts it has heard in the conversation, and what its prompt's first word asks for: `wait` for the gate,
go on without end, or `die`.
"""
import json, os, sys, threading, time

way, home = sys.argv[1:3]
conversation = sys.argv[3] if len(sys.argv) > 3 else "c%d" % os.getpid()
cancelled = threading.Event()
heard = 0


def said(name):
    """Tells the test how far it is: a file that is there."""
    open("%s/%s" % (home, name), "w").close()


def reply(text):
    global heard
    heard += 1
    word = text.split()[0]
    if word == "wait":
        said("waiting")
        open(home + "/gate").readline()
    elif word == "endless":
        said("endless")
        while not cancelled.wait(0.05):
            pass
        return None
    elif word == "die":
        os._exit(7)
    return "heard %d of %s: %d characters" % (heard, conversation, len(text))


def command():
    """A process a turn: what it has heard before is in a file."""
    global heard
    memory = "%s/%s" % (home, conversation)
    if os.path.exists(memory):
        heard = int(open(memory).read())
    text = reply(sys.stdin.read())
    open(memory, "w").write(str(heard))
    print(json.dumps({"session": conversation, "text": text}))


def acp():
    lock = threading.Lock()

    def send(message):
        with lock:
            print(json.dumps(dict(message, jsonrpc="2.0")), flush=True)

    def prompt(id, text):
        answer = reply(text)
        if answer:
            content = {"type": "text", "text": answer}
            send({"method": "session/update", "params": {
                "sessionId": conversation, "update": {"sessionUpdate": "agent_message_chunk", "content": content}}})
        send({"id": id, "result": {"stopReason": "end_turn" if answer else "cancelled"}})

    for line in sys.stdin:
        message = json.loads(line)
        method = message.get("method")
        if method == "initialize":
            send({"id": message["id"], "result": {"protocolVersion": 1, "agentCapabilities": {}}})
        elif method == "session/new":
            send({"id": message["id"], "result": {"sessionId": conversation}})
        elif method == "session/prompt":
            cancelled.clear()
            text = "".join(block.get("text", "") for block in message["params"]["prompt"])
            threading.Thread(target=prompt, args=(message["id"], text), daemon=True).start()
        elif method == "session/cancel":
            cancelled.set()


def terminal():
    import readline

    readline.parse_and_bind("set enable-bracketed-paste on")
    readline.set_auto_history(False)
    while True:
        try:
            print(reply(input("you> ")), flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        except EOFError:
            return


{"command": command, "acp": acp, "terminal": terminal}[way]()
