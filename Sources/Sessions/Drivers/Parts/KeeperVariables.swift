/// The environment variables that tell of the process that stays, and not of the agent's turns: with them, what the agent
/// drops would be the keeper's. The keeper has them still, by which it is found once its runner is lost. A terminal is the
/// keeper's, too, or that of whoever started the daemon.
enum KeeperVariables {
    static let all: Set<String> = ["ROUSE_JOB_ID", "ROUSE_JOB_DIR", "ROUSE_ATTEMPT", "ROUSE_RESULT", "TMUX", "TMUX_PANE"]
}
