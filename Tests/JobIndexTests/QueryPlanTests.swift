import Testing

@testable import JobIndex

/// A question of the daemon costs the same with ten jobs and with a million only while SQLite answers it from an index
/// and sorts nothing.
@Suite struct QueryPlanTests {
    /// Statements that look at all that there is by their nature.
    static let wide: Set<SQL> = [.countsOfAll, .states, .removeJobs, .removeLabels, .removeDependencies]
    /// What waits for one name is sorted; it is few.
    static let sorting: Set<SQL> = [.waitingForDependency]

    @Test(arguments: SQL.allCases.filter { !wide.contains($0) })
    func `every question is answered from an index, in its order`(sql: SQL) throws {
        let place = try Place()
        let connection = try Connection.open(place.index)
        var plan: [String] = []
        try connection.each(text: "EXPLAIN QUERY PLAN " + sql.text, { _ in }) {
            plan.append($0.text(3))
            return true
        }
        for step in plan {
            #expect(!step.contains("TEMP B-TREE") || Self.sorting.contains(sql), "\(plan)")
            if step.hasPrefix("SCAN") { #expect(step.contains("USING") && step.contains("INDEX"), "\(plan)") }
        }
    }
}
