enum Checkpoints {
    static let keptBytes = 64 << 20
}
