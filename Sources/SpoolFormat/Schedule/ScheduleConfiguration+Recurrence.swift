extension ScheduleConfiguration {
    /// The times at which it fires.
    /// - Throws: `TaskFault` where they can't be: no such date, no such time zone.
    public func recurrence() throws(TaskFault) -> Recurrence {
        if let every { return .every(milliseconds: every.milliseconds) }
        let expression: CronExpression
        do throws(CronFault) { expression = try CronExpression(cron ?? "") } catch {
            throw TaskFault("bad_value", "\(error)", at: JSONPath([.name("cron")]), expected: error.expected)
        }
        guard expression.canFire else {
            throw TaskFault("bad_value", "\"\(expression)\" never comes", at: JSONPath([.name("cron")]), expected: "a date that exists")
        }
        do throws(ZoneFault) { return .cron(expression, try ZoneRules.named(timezone ?? "local")) } catch {
            throw TaskFault("bad_value", "\(error)", at: JSONPath([.name("timezone")]), expected: error.expected)
        }
    }
}
