extension EntryName {
    /// Editors, and writers that are not done, use such names: nothing of them is ever taken in.
    public var isIgnoredInInbox: Bool {
        hasPrefix(".") || hasPrefix("#") || ["~", ".tmp", ".part", ".swp"].contains(where: hasSuffix)
    }
}
