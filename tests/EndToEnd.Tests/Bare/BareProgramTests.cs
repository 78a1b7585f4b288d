using System.Globalization;
using System.Text.Json;
using FastXen.Bare;

namespace FastXen.EndToEnd.Tests.Bare;

public class BareProgramTests
{
    /// <summary>movl r8=0x123456789abcdef0; then adds r9=1,r8 and mov r10=ip; then shladd r10=r8,3,r9.</summary>
    private const string Arithmetic = """
        ["0x1000","0500000001809a78563412000197f766"],["0x1010","0148041000210000000200400100c000"],["0x1020","01502012122000000002000000000400"]
        """;

    /// <summary>br.few to itself.</summary>
    private const string Loop = """["0x1000","11000000010000000002000000000040"]""";

    [Fact]
    public void The_final_state_is_printed_whole()
    {
        JsonElement end = Exec($$$"""
            {"id":"sum","entry":"0x1000","bundles":[{{{Arithmetic}}}],"stop":"0x1030","max":100,
             "init":{"fr":{"40":["0x2ffff","0x8000000000000001"]},"pr":"0x40001","br":{"3":"0x77"},"ar":{"lc":"0x9"},"cr":{"iva":"0x8000"},"gr":{"20":"0x5"},"nat":[21]}}
            """);
        Assert.Equal("sum", end.GetProperty("id").GetString());
        Assert.True(end.GetProperty("reached").GetBoolean());
        Assert.Equal(3, end.GetProperty("steps").GetInt32());
        Assert.Equal("0x1030", end.GetProperty("ip").GetString());
        JsonElement gr = end.GetProperty("gr");
        Assert.Equal(128, gr.EnumerateObject().Count());
        Assert.Equal("0x123456789abcdef0", gr.GetProperty("8").GetString());
        Assert.Equal("0x123456789abcdef1", gr.GetProperty("9").GetString());
        Assert.Equal("0xa3d70a3d70a3d671", gr.GetProperty("10").GetString());
        Assert.Equal("0x5", gr.GetProperty("20").GetString());
        Assert.Equal([21], end.GetProperty("nat").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal(128, end.GetProperty("fr").EnumerateObject().Count());
        Assert.Equal(["0x2ffff", "0x8000000000000001"], end.GetProperty("fr").GetProperty("40").EnumerateArray().Select(n => n.GetString()));
        Assert.Equal(["0xffff", "0x8000000000000000"], end.GetProperty("fr").GetProperty("1").EnumerateArray().Select(n => n.GetString()));
        Assert.Equal("0x40001", end.GetProperty("pr").GetString());
        Assert.Equal("0x77", end.GetProperty("br").GetProperty("3").GetString());
        Assert.Equal("0x9", end.GetProperty("ar").GetProperty("lc").GetString());
        Assert.Equal("0x9804c0270033f", end.GetProperty("ar").GetProperty("fpsr").GetString());
        Assert.Equal("0x8000", end.GetProperty("cr").GetProperty("iva").GetString());
        Assert.Equal("0x0", end.GetProperty("psr").GetString());
        Assert.Equal("0x0", end.GetProperty("cfm").GetString());
    }

    [Fact]
    public void A_program_that_does_not_stop_ends_at_its_maximum()
    {
        JsonElement end = Exec($$$"""{"entry":"0x1000","bundles":[{{{Loop}}}],"stop":"0x2000","max":7}""");
        Assert.False(end.GetProperty("reached").GetBoolean());
        Assert.Equal(7, end.GetProperty("steps").GetInt32());
    }

    [Fact]
    public void Programs_do_not_see_one_another()
    {
        string store = $$$"""{"id":1,"entry":"0x1000","bundles":[{{{Arithmetic}}}],"mem":[["0x9000","ff"]],"init":{"gr":{"12":"0x1"}},"stop":"0x1030"}""";
        // Without the code the zero bundle (break.m 0) leads to the break vector.
        const string nothing = """{"id":2,"entry":"0x1000","stop":"0x2c00"}""";
        string[] lines = Lines(store + "\n" + nothing);
        Assert.Equal(2, lines.Length);
        using JsonDocument second = JsonDocument.Parse(lines[1]);
        Assert.True(second.RootElement.GetProperty("reached").GetBoolean());
        Assert.Equal("0x0", second.RootElement.GetProperty("gr").GetProperty("12").GetString());
        Assert.Equal("0x0", second.RootElement.GetProperty("gr").GetProperty("8").GetString());
    }

    [Fact]
    public void Rotated_registers_come_back_as_they_went_in()
    {
        // sof = sol = 16, sor = 8, rrb.gr = 3, rrb.fr = 95, rrb.pr = 40.
        const ulong cfm = 16 | 16 << 7 | 1 << 14 | 3 << 18 | 95UL << 25 | 40UL << 32;
        JsonElement end = Exec($$$"""
            {"entry":"0x1000","stop":"0x1000","init":{"cfm":"0x{{{cfm:x}}}","gr":{"32":"0xa","39":"0xb","40":"0xc"},"nat":[33],
             "fr":{"32":["0x0","0x1"],"127":["0x0","0x2"]},"pr":"0x8000000000010001"}}
            """);
        Assert.True(end.GetProperty("reached").GetBoolean());
        Assert.Equal("0xa", end.GetProperty("gr").GetProperty("32").GetString());
        Assert.Equal("0xb", end.GetProperty("gr").GetProperty("39").GetString());
        Assert.Equal("0xc", end.GetProperty("gr").GetProperty("40").GetString());
        Assert.Equal([33], end.GetProperty("nat").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal("0x1", end.GetProperty("fr").GetProperty("32")[1].GetString());
        Assert.Equal("0x2", end.GetProperty("fr").GetProperty("127")[1].GetString());
        Assert.Equal("0x8000000000010001", end.GetProperty("pr").GetString());
        Assert.Equal(cfm, ulong.Parse(end.GetProperty("cfm").GetString().AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("""{"entry":"0x1000",""", "test.jsonl:1: is not JSON")]
    [InlineData("[1]", "test.jsonl:1: is not a JSON object")]
    [InlineData("\n\n{}", "test.jsonl:3: entry: is missing")]
    [InlineData("""{"entry":"0x1008"}""", "test.jsonl:1: entry: 0x1008 is not a multiple of 16")]
    [InlineData("""{"entry":"1000"}""", "test.jsonl:1: entry: is not a number")]
    [InlineData("""{"entry":"0x10000000000000000"}""", "test.jsonl:1: entry: is not a number")]
    [InlineData("""{"entry":"0x0","gr":{}}""", "test.jsonl:1: gr: there is no such field")]
    [InlineData("""{"entry":"0x0","bundles":[["0x0","00"]]}""", "test.jsonl:1: bundles.0.1: is 1 bytes; a bundle has 16")]
    [InlineData("""{"entry":"0x0","mem":[["0x3ffffff","0000"]]}""", "test.jsonl:1: mem.0.0: 0x3ffffff and its 2 bytes are not inside")]
    [InlineData("""{"entry":"0x0","mem":[["0xffffffffffffffff","0000"]]}""", "test.jsonl:1: mem.0.0: 0xffffffffffffffff and its 2 bytes are not inside")]
    [InlineData("""{"entry":"0x0","mem":[["0x0","0g"]]}""", "test.jsonl:1: mem.0.1: is not a string of bytes")]
    [InlineData("""{"entry":"0x0","mem":["0x0"]}""", "test.jsonl:1: mem.0: is not a pair")]
    [InlineData("""{"entry":"0x0","init":{"gr":{"128":"0x0"}}}""", "test.jsonl:1: init.gr.128: register numbers are 0 to 127")]
    [InlineData("""{"entry":"0x0","init":{"gr":{"0":"0x1"}}}""", "test.jsonl:1: init.gr.0: is 0x1; the largest is 0x0")]
    [InlineData("""{"entry":"0x0","init":{"gr":[]}}""", "test.jsonl:1: init.gr: is not an object")]
    [InlineData("""{"entry":"0x0","init":{"nat":[0]}}""", "test.jsonl:1: init.nat.0: r0 has no NaT bit")]
    [InlineData("""{"entry":"0x0","init":{"fr":{"2":["0x40000","0x0"]}}}""", "test.jsonl:1: init.fr.2.0: is 0x40000; the largest is 0x3ffff")]
    [InlineData("""{"entry":"0x0","init":{"fr":{"1":["0x0","0x0"]}}}""", "test.jsonl:1: init.fr.1: f0 and f1 are constants")]
    [InlineData("""{"entry":"0x0","init":{"cfm":"0x61"}}""", "test.jsonl:1: init.cfm: 0x61 is no frame marker")]
    [InlineData("""{"entry":"0x0","init":{"psr":"0x1"}}""", "test.jsonl:1: init.psr: 0x1 has reserved bits")]
    [InlineData("""{"entry":"0x0","init":{"ar":{"itc":"0x1"}}}""", "test.jsonl:1: init.ar.itc: there is no such register")]
    [InlineData("""{"entry":"0x0","init":{"ar":{"fpsr":"0x0000000000000100"}}}""", "test.jsonl:1: init.ar.fpsr: 0x100 has reserved bits or a reserved precision")]
    [InlineData("""{"entry":"0x0","init":{"ar":{"bsp":"0x8","bspstore":"0x10"}}}""", "test.jsonl:1: init.ar.bsp: differs from bspstore")]
    [InlineData("""{"entry":"0x0","init":{"rr":{"7":"0x2"}}}""", "test.jsonl:1: init.rr.7: 0x2 has reserved bits")]
    [InlineData("""{"entry":"0x0","init":{"cr":{"ivr":"0x1"}}}""", "test.jsonl:1: init.cr.ivr: there is no such register")]
    public void What_is_wrong_is_named_with_its_place(string lines, string sentence)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("fastxen-exec").FullName, "test.jsonl");
        File.WriteAllText(path, lines);
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, BareProgramRunner.Run(path, "interpreter", TextReader.Null, output, error));
        Assert.Contains(sentence, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
        Assert.Empty(output.ToString());
    }

    [Fact]
    public void An_unknown_engine_and_a_missing_file_are_named()
    {
        using var error = new StringWriter();
        Assert.Equal(2, BareProgramRunner.Run(null, "abacus", TextReader.Null, TextWriter.Null, error));
        Assert.Contains("'abacus'", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, BareProgramRunner.Run("/nonexistent.jsonl", "interpreter", TextReader.Null, TextWriter.Null, error));
        Assert.Contains("/nonexistent.jsonl: cannot be read", error.ToString(), StringComparison.Ordinal);
    }

    internal static JsonElement Exec(string program)
    {
        string line = Assert.Single(Lines(program.ReplaceLineEndings(" ")));
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    private static string[] Lines(string programs)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exit = BareProgramRunner.Run(null, "interpreter", new StringReader(programs), output, error);
        Assert.Equal(("", 0), (error.ToString(), exit));
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
