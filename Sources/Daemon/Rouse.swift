/// The program as a whole.
public enum Rouse {
    public static let version = "0.1.0"
}
