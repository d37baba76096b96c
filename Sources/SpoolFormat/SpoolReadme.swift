/// `README.md` of a spool: what is where, for somebody who found this directory.
public enum SpoolReadme {
    public static let text = """
        # A spool of Rouse

        Files dropped here become jobs. `ls`, `cat` and `mv` are all it takes; `rouse --help` is more comfortable.

        | directory | what is in it |
        |---|---|
        | `inbox/` | drop tasks here, or into `inbox/<queue>/` for a named queue (`mkdir inbox/night` makes one) |
        | `rejected/` | what was not taken, as it was dropped, and beside it `<name>.error.json`: why, where, what to write |
        | `waiting/` | accepted jobs that can't start yet; `state.json` says why and until when |
        | `queued/` | jobs that wait for a free slot |
        | `running/` | jobs that run now |
        | `done/` | jobs that succeeded |
        | `failed/` | jobs that did not: failed, timed out, cancelled, lost, expired; `result.json` says which |
        | `config/` | queues, schedules and the like, one JSON file a thing, read again when it changes |
        | `events/` | everything that happened, a line each, a file a day |
        | `archive/` | finished jobs that were forgotten, a line each |
        | `daemon/` | about the service: `daemon.json`, `daemon.log`, `metrics.prom`; `touch daemon/PAUSE` keeps it from starting jobs |
        | `sessions/` | lasting conversations with agents |
        | `.staging/` | files while they are taken in; not for others |
        | `index.sqlite` | makes lists fast; delete it and it is built again |

        The directory a job is in is its state. A job's own directory holds:

        | file | what |
        |---|---|
        | `drop.json` | the file as it was dropped |
        | `task.json` | what was accepted |
        | `state.json` | why it waits, if it does |
        | `run.json` | the attempt: command, process, deadline |
        | `log` | what the program wrote |
        | `result.json` | the outcome |
        | `attempts/` | earlier attempts |

        ## Drop a task

        Write it under another name, then rename it, so that nobody sees half of it:

            echo '{"run": ["make", "test"], "cwd": "/home/me/project"}' > inbox/.test.tmp
            mv inbox/.test.tmp inbox/test.json

        The name becomes the job's id. `rouse drop -- make test` does all of that, and `rouse schema task` prints what
        can stand in a task.

        ## Look

            ls running failed
            cat failed/test/result.json failed/test/log
            tail -f running/test/log

        ## Retry

            mv failed/test inbox/

        ## Careful

        Who can write to `inbox/` can run programs as the user of the service. Don't move directories between the states
        by hand, but into `inbox/`: use `rouse cancel`, `retry`, `hold` and `release`. What was moved or removed by hand is
        noticed within 3 minutes, or at once after `kill -USR1 $(cat daemon/lock)`. `index.sqlite` is built again when the
        service starts: stop it, remove the index, start it.

        """
}
