"""An interactive agent in a terminal: a dialog at its start, an input line, slow answers, questions, and a way to die."""
import os, readline, signal, subprocess, sys, time

readline.parse_and_bind("set enable-bracketed-paste on")
readline.set_auto_history(False)


def report(*words):
    """What a hook of the agent would say."""
    subprocess.run([os.environ["ROUSE"], "report", *words], check=True)


def wait():
    """Until the test says so."""
    open(os.environ["FAKE_HOME"] + "/gate").read()


def answer(text):
    if text == "slow":
        print("thinking", flush=True)
        wait()
        print("done thinking", flush=True)
    elif text == "endless":
        print("this takes", flush=True)
        while True:
            time.sleep(3600)
    elif text == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("not listening", flush=True)
        while True:
            time.sleep(3600)
    elif text == "looks ready":
        report("working")
        print("you>", flush=True)
        # Longer than the screen must stay the same to count.
        time.sleep(1)
        report("progress", "still", "at", "it")
        wait()
        print("and only now done", flush=True)
        report("idle")
        time.sleep(3600)
    elif text == "ask":
        print("Do you want to go on? [y/n]", flush=True)
        print("you chose " + sys.stdin.readline().strip(), flush=True)
    elif text == "hooks":
        report("working")
        report("waiting", "May", "I?")
        wait()
        print("thank you, and now something else", flush=True)
        report("idle")
        time.sleep(3600)
    elif text == "nothing":
        pass
    elif text == "arguments":
        print(*sys.argv[1:])
    elif text == "crash":
        print("last words", flush=True)
        os._exit(7)
    elif text == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif text == "lines":
        for number in range(3000):
            print("line", number)
    else:
        import hashlib

        print("heard", len(text), hashlib.sha256(text.encode()).hexdigest(), repr(text[:60]), flush=True)


for name in ("TMUX", "ROUSE_JOB_ID", "ROUSE_JOB_DIR"):
    assert name not in os.environ, name
if os.environ.get("DIALOG"):
    print("Do you trust this folder? (y/n)", flush=True)
    if sys.stdin.readline().strip() != "y":
        sys.exit(5)

text = ""


def restore():
    """As some agents do: the interrupted prompt stands in the input line again."""
    global text
    readline.insert_text(text)
    text = ""


if os.environ.get("RESTORES"):
    readline.set_startup_hook(restore)
while True:
    try:
        text = input("you> ")
        answer(text)
        text = ""
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    except EOFError:
        break
