using FastXen.Core.Lockstep;

namespace FastXen.Core.Tests.RandomPrograms;

/// <summary>The search that <c>fastxen run --lockstep</c> makes, on engines that are wrong on purpose.</summary>
public sealed class LockstepSearchTests
{
    private const ulong Stride = 3000, MemoryStride = 20_000;

    [Fact]
    public void Engines_that_agree_run_to_the_end()
    {
        LockstepSearch? search = null;
        using var machines = new Machines(ProgramGenerator.Make(22), _ => { });
        search = new LockstepSearch(machines.Start, Stride, MemoryStride) { Progress = done => { if (done > 100_000) search!.Cancel(); } };
        Assert.Null(search.Run());
        Assert.True(search.Agreed > 100_000);
    }

    [Fact]
    public void The_first_wrong_instruction_is_found()
    {
        using var machines = new Machines(ProgramGenerator.Make(22), BrokenEngine.BreakXor);
        LockstepDifference found = new LockstepSearch(machines.Start, Stride, MemoryStride).Run()!;
        Assert.Contains(found.Code, line => line.Contains("xor", StringComparison.Ordinal));
        Assert.True(found.Bad - found.Good < 400, found.Report());
        Assert.All(found.Differences, difference => Assert.NotEqual(difference.Reference, difference.Subject));
        Assert.NotEmpty(found.Differences);
    }

    [Fact]
    public void The_instruction_that_wrote_the_wrong_memory_is_found()
    {
        using var machines = new Machines(ProgramGenerator.Make(22), BrokenEngine.BreakStore);
        LockstepDifference found = new LockstepSearch(machines.Start, Stride, MemoryStride).Run()!;
        Assert.Equal([new StateDifference($"the memory at 0x{BrokenEngine.StrayAddress:x}", "0x0000000000000000", "0x0000000000000bad")], found.Differences);
        Assert.Contains(found.Code, line => line.Contains("st8 ", StringComparison.Ordinal));
        Assert.True(found.Bad - found.Good < 400, found.Report());
    }

    private sealed class Machines(GuestProgram program, Action<Vcpu> disturb) : IDisposable
    {
        private readonly List<ProgramMachine> _all = [];

        public LockstepPair Start()
        {
            ProgramMachine a = new(program, EngineKind.Interpreter), b = new(program, EngineKind.Interpreter);
            _all.AddRange([a, b]);
            disturb(b.Vcpu);
            return new LockstepPair(a.Vcpu, b.Vcpu);
        }

        public void Dispose() => _all.ForEach(machine => machine.Dispose());
    }
}
