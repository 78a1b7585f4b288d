using FastXen.Core;

namespace FastXen.Loader.Tests;

/// <summary>A host that cannot run translated code is told of before the guest starts.</summary>
public sealed class EngineRequirementsTests
{
    private static readonly Action Allowed = static () => { };

    [Fact]
    public void A_processor_that_lacks_something_is_refused()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => EngineRequirements.Check(
            EngineKind.Translator, "g.json", static () => "The host processor lacks AVX2, FMA, which translated code needs.", Allowed));
        Assert.Equal("g.json: engine: The host processor lacks AVX2, FMA, which translated code needs. Use \"interpreter\".", e.Message);
    }

    [Fact]
    public void A_host_without_executable_memory_is_refused()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => EngineRequirements.Check(
            EngineKind.Translator, "g.json", static () => null, static () => throw new IOException("cannot map machine code to execute it: Permission denied")));
        Assert.Equal(
            "g.json: engine: The host gives no memory for translated code: cannot map machine code to execute it: Permission denied. Use \"interpreter\".",
            e.Message);
    }

    [Fact]
    public void The_interpreter_needs_nothing() =>
        EngineRequirements.Check(EngineKind.Interpreter, "g.json", static () => "nothing works", static () => throw new IOException());

    [Fact]
    public void This_host_runs_the_translator() => EngineRequirements.Check(EngineKind.Translator, "g.json");
}
