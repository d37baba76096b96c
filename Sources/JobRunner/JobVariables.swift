/// The environment variables that tell a program which job it is.
package enum JobVariables {
    package static let spool = "ROUSE_SPOOL"
    package static let inbox = "ROUSE_INBOX"
    package static let id = "ROUSE_JOB_ID"
    package static let directory = "ROUSE_JOB_DIR"
    package static let attempt = "ROUSE_ATTEMPT"
    package static let result = "ROUSE_RESULT"

    /// In a turn: the session's name. A daemon that was itself started in one hands it to nobody.
    package static let session = "ROUSE_SESSION"

    package static let all: Set<String> = [spool, inbox, id, directory, attempt, result]
}
