#!/bin/sh
# A coordinator that works without a person, with a script in the place of an agent: each time it is woken it looks at
# what is done and drops the next step, until three are done. Rouse wakes it when a step has ended, so one step leads to
# the next; `session.json` says which jobs it answers for.
#
# With a daemon that serves ./spool:
#
#   spool=${ROUSE_SPOOL:-$PWD/spool}
#   mkdir -p "$spool/sessions/planner/work"
#   cp examples/coordinator/agent.sh "$spool/sessions/planner/work/"
#   cp examples/coordinator/agent.json "$spool/config/agents/planner.json"
#   cp examples/coordinator/session.json "$spool/config/sessions/planner.json"
#   cp examples/coordinator/begin.json "$spool/inbox/"
#
# Then see what was said: cat spool/sessions/planner/transcript.jsonl, and what was done: ls spool/done
set -eu
cat > /dev/null # the prompt: this agent looks for itself

step=1
while [ -e "$ROUSE_SPOOL/done/step-$step" ]; do
    echo "step $step has left: $(cat "$ROUSE_SPOOL/done/step-$step/output.json")"
    step=$((step + 1))
done

if [ "$step" -gt 3 ]; then
    echo "all is done"
elif [ -e "$ROUSE_SPOOL/failed/step-$step" ]; then
    echo "step $step has failed: a person must look"
else
    # It may be woken more than once for the same thing: a step that is there already is not dropped again.
    for place in inbox waiting queued running; do
        if [ -e "$ROUSE_SPOOL/$place/step-$step" ] || [ -e "$ROUSE_SPOOL/$place/step-$step.json" ]; then
            echo "step $step is under way"
            exit
        fi
    done
    cat > "$ROUSE_INBOX/.step-$step.json" <<TASK
{"run": "echo '{\"step\": $step}' > \"\$ROUSE_RESULT\"", "labels": {"plan": "three-steps"}, "parent": "$ROUSE_JOB_ID"}
TASK
    mv "$ROUSE_INBOX/.step-$step.json" "$ROUSE_INBOX/step-$step.json"
    echo "step $step is on its way"
fi
