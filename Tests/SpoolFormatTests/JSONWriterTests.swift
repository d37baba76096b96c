import Testing

@testable import SpoolFormat

@Suite struct JSONWriterTests {
    @Test func writesIndented() {
        let value: JSON = ["a": ["x", 1], "b": [:], "c": [["d": .null]], "e": []]
        #expect(
            JSONWriter.text(value, .indented) == """
                {
                  "a": ["x", 1],
                  "b": {},
                  "c": [
                    {
                      "d": null
                    }
                  ],
                  "e": []
                }
                """)
        #expect(JSONWriter.text(value) == #"{"a":["x",1],"b":{},"c":[{"d":null}],"e":[]}"#)
    }

    @Test(arguments: [
        0.1, -0.0, 1e16, 1e-7, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 3, 1 / 3, 9_007_199_254_740_992, 1e22, -123_456.789,
    ])
    func keepsDoubles(_ number: Double) throws {
        let back = try JSONReader.read(JSONWriter.write(.double(number)))
        #expect(back.double?.bitPattern == number.bitPattern)
    }

    @Test func writesNoNumberThatJSONLacks() throws {
        #expect(JSONWriter.text([.double(.infinity), .double(.nan)]) == "[null,null]")
    }

    @Test func keepsEveryCharacter() throws {
        var text = String.UnicodeScalarView()
        for code in UInt32(0)...0x2FFF { if let scalar = Unicode.Scalar(code) { text.append(scalar) } }
        let value = JSON.string(String(text))
        let bytes = JSONWriter.write(["x": value])
        #expect(!bytes.contains { $0 < 0x20 && $0 != 0x0A })
        let back = try JSONReader.read(bytes)
        #expect(back["x"]?.string.map { Array($0.utf8) } == Array(String(text).utf8))
    }

    @Test func readsBackWhatItWrites() throws {
        var random = SeededGenerator(state: 7)
        for _ in 0..<3000 {
            let value = Self.anything(depth: 0, &random)
            #expect(try JSONReader.read(JSONWriter.write(value)) == value)
            #expect(try JSONReader.read(JSONWriter.write(value, .line)) == value)
        }
    }

    private static func anything(depth: Int, _ random: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth < 5 ? 9 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64.random(in: .min ... .max, using: &random))
        case 3:
            let number = Double(bitPattern: random.next())
            return .double(number.isFinite ? number : 1.5)
        case 4, 5:
            let scalars = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random) >> UInt32.random(in: 0...20, using: &random)) ?? "x"
            }
            return .string(String(String.UnicodeScalarView(scalars)))
        case 6, 7: return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in anything(depth: depth + 1, &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<5, using: &random) {
                object["n\(Int.random(in: 0..<100, using: &random))\n"] = anything(depth: depth + 1, &random)
            }
            return .object(object)
        }
    }
}
