import CLinux
import Glibc
import SpoolFormat

/// What a `command` agent reads on its standard input: the prompt, or nothing. It is never a pipe: an agent that finds
/// one open and silent waits for it, some for ever.
enum PromptInput {
    /// A descriptor that the caller closes; `nil` is `/dev/null`. For an agent that takes its prompt from a file, the file
    /// is written.
    static func prepare(_ prompt: String, _ agent: AgentConfiguration, in job: Directory) throws(TurnFault) -> Int32? {
        switch agent.promptBy {
        case .argument: return nil
        case .file:
            do throws(SystemFault) {
                try job.replace(SpoolLayout.Job.promptText, with: Array(prompt.utf8))
                return nil
            } catch { throw TurnFault(error) }
        case .stdin:
            let file = rouse_memfd_create("prompt")
            guard file >= 0, writeAll(Array(prompt.utf8), to: file), lseek(file, 0, SEEK_SET) == 0 else {
                let fault = SystemFault("make room for", "the prompt")
                if file >= 0 { close(file) }
                throw TurnFault(fault)
            }
            return file
        }
    }
}
